'use client'

import { useQuery, useQueryClient } from '@tanstack/react-query'
import type { Context, Document, Metadata } from 'dossier-client'
import { useCallback } from 'react'
import { cacheContext } from '../cache.js'
import { useDossierClient } from '../provider.js'
import { allDocuments, dossierKeys, dossierQueries } from '../queries.js'
import { useDocuments } from './use-documents.js'
import { useUploads } from './use-uploads.js'

/**
 * The documents, context and uploads of a session. The calls take a session of their own, so they can be used before the
 * session of the component exists.
 */
export function useSessionData(sessionId?: string) {
  const client = useDossierClient()
  const queries = useQueryClient()
  const { documents, isLoading, error, triggerOCR, deleteDocument } = useDocuments(sessionId)
  const context = useQuery({ ...dossierQueries.context(client, sessionId ?? ''), enabled: sessionId !== undefined })
  const { states: uploads, isUploading, add } = useUploads(sessionId)

  /**
   * Uploads files. Resolves with their documents once all are stored; their text is extracted after that. If some fail, the
   * others are stored nevertheless, and it rejects with the error of the first.
   */
  const uploadDocuments = useCallback(
    async (toSession: string, files: Iterable<File>): Promise<Document[]> => {
      // This call cannot ask anybody, so a duplicate is uploaded like any other file.
      const added = add(toSession, files, { findDuplicates: false })
      const outcomes = await Promise.allSettled(added.map((upload) => upload.stored()))
      return outcomes.map((outcome) => {
        if (outcome.status === 'rejected') throw outcome.reason
        return outcome.value
      })
    },
    [add],
  )

  const fetchDocuments = useCallback(
    async (ofSession: string): Promise<Document[]> => {
      const fetched = await allDocuments(client, ofSession)
      queries.setQueryData(dossierKeys.documents(ofSession), fetched)
      return fetched
    },
    [client, queries],
  )

  /** Saves the context as a new version. What is omitted keeps its value. The last save wins: see `useSessionContext`. */
  const saveContext = useCallback(
    async (ofSession: string, text?: string, metadata?: Metadata): Promise<Context> => {
      const saved = await client.context.save(ofSession, { text_context: text, context_metadata: metadata })
      cacheContext(queries, ofSession, saved)
      return saved
    },
    [client, queries],
  )

  const fetchContext = useCallback(
    async (ofSession: string): Promise<Context> => {
      const fetched = await client.context.get(ofSession)
      cacheContext(queries, ofSession, fetched)
      return fetched
    },
    [client, queries],
  )

  return {
    documents,
    context: context.data,
    uploads,
    uploadDocuments,
    fetchDocuments,
    saveContext,
    fetchContext,
    triggerOCR,
    deleteDocument,
    isLoading: isLoading || context.isLoading,
    isUploading,
    error: error ?? context.error,
  }
}
