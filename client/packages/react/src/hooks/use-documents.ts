'use client'

import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { Document } from 'dossier-client'
import { useMemo } from 'react'
import { cacheDocument, forgetDocument } from '../cache.js'
import { useDossierClient } from '../provider.js'
import { dossierKeys, dossierQueries, isFinal } from '../queries.js'
import { useLive } from './use-live.js'
import { usePages } from './use-pages.js'

/**
 * The documents of a session, newest first, as they change. If no events arrive, they are read again while the text of one is
 * extracted.
 */
export function useDocuments(sessionId: string | undefined) {
  const client = useDossierClient()
  const isLive = useLive(sessionId)
  const options = dossierQueries.documents(client, sessionId ?? '')
  const query = useQuery({ ...options, ...(isLive && still), enabled: sessionId !== undefined })
  const changes = useDocumentChanges()
  return { documents: query.data ?? none, isLoading: query.isLoading, refetch: query.refetch, ...changes, error: query.error ?? changes.error }
}

const none: never[] = []
const still = { refetchInterval: false } as const

/** One document, as it changes until its state is final. */
export function useDocument(id: string | undefined) {
  const client = useDossierClient()
  const queries = useQueryClient()
  const known = queries.getQueryData<Document>(dossierKeys.document(id ?? ''))
  const isLive = useLive(known && !isFinal(known) ? known.session_id : undefined)
  const { data: document, isLoading, error, refetch } = useQuery({
    ...dossierQueries.document(client, id ?? ''),
    ...(isLive && still),
    enabled: id !== undefined,
  })
  return { document, isLoading, error, refetch }
}

/** The text of a document, page by page. */
export function useDocumentPages(id: string) {
  const client = useDossierClient()
  const { rows: pages, ...list } = usePages(useInfiniteQuery(dossierQueries.pages(client, id)))
  return { pages, ...list }
}

/** The thumbnail of a document. Null if it has none. */
export function useThumbnail(documentId: string) {
  const client = useDossierClient()
  const { data: thumbnail, isLoading, error } = useQuery(dossierQueries.thumbnail(client, documentId))
  return { thumbnail, isLoading, error }
}

/** Deleting a document, and extracting it again by OCR. */
export function useDocumentChanges() {
  const client = useDossierClient()
  const queries = useQueryClient()
  const remove = useMutation({
    mutationFn: (id: string) => client.documents.delete(id),
    onSuccess: (_, id) => forgetDocument(queries, id),
  })
  const ocr = useMutation({
    mutationFn: (id: string) => client.documents.ocr(id),
    onSuccess: (document) => cacheDocument(queries, document),
  })
  const { mutateAsync: removeAsync } = remove
  const { mutateAsync: ocrAsync } = ocr
  return useMemo(
    () => ({
      /** Deletes a document permanently: documents have no trash. */
      deleteDocument: (id: string) => removeAsync(id),
      /** Extracts every page of a document again by OCR. Resolves once that is queued. */
      triggerOCR: (documentId: string) => ocrAsync(documentId),
      error: remove.error ?? ocr.error,
    }),
    [removeAsync, ocrAsync, remove.error, ocr.error],
  )
}
