'use client'

import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { ConflictError, type ContextChanges } from 'dossier-client'
import { useMemo } from 'react'
import { cacheContext } from '../cache.js'
import { useDossierClient } from '../provider.js'
import { dossierKeys, dossierQueries } from '../queries.js'
import { useLive } from './use-live.js'
import { usePages } from './use-pages.js'

/** The context of a session, and saving it. After a conflict `context` becomes the version that was saved meanwhile. */
export function useSessionContext(sessionId: string | undefined) {
  const client = useDossierClient()
  const queries = useQueryClient()
  useLive(sessionId)
  const query = useQuery({ ...dossierQueries.context(client, sessionId ?? ''), enabled: sessionId !== undefined })

  const reread = (error: Error) => {
    if (sessionId !== undefined && error instanceof ConflictError) void queries.invalidateQueries({ queryKey: dossierKeys.context(sessionId), exact: true })
  }
  const save = useMutation({
    mutationFn: (changes: ContextChanges) => client.context.save(known(sessionId), changes),
    onSuccess: (context) => cacheContext(queries, known(sessionId), context),
    onError: reread,
  })
  const restore = useMutation({
    mutationFn: ({ version, expected_version }: { version: number; expected_version?: number | undefined }) =>
      client.context.restore(known(sessionId), version, { expected_version }),
    onSuccess: (context) => cacheContext(queries, known(sessionId), context),
    onError: reread,
  })

  const { mutateAsync: saveAsync } = save
  const { mutateAsync: restoreAsync } = restore
  const calls = useMemo(
    () => ({
      /** Saves a new version. Rejects with a `ConflictError` if `expected_version` is not the current one. */
      saveContext: (changes: ContextChanges) => saveAsync(changes),
      /** Saves an old version as a new one. */
      restoreVersion: (version: number, options: { expected_version?: number } = {}) => restoreAsync({ version, ...options }),
    }),
    [saveAsync, restoreAsync],
  )
  return {
    context: query.data,
    isLoading: query.isLoading,
    isSaving: save.isPending || restore.isPending,
    error: query.error ?? save.error ?? restore.error,
    refetch: query.refetch,
    ...calls,
  }
}

/** The saved versions of a context, newest first. */
export function useContextVersions(sessionId: string) {
  const client = useDossierClient()
  const { rows: versions, ...list } = usePages(useInfiniteQuery(dossierQueries.contextVersions(client, sessionId)))
  return { versions, ...list }
}

/** One version of a context as it was. */
export function useContextVersion(sessionId: string, version: number | undefined) {
  const client = useDossierClient()
  const { data: context, isLoading, error } = useQuery({
    ...dossierQueries.contextVersion(client, sessionId, version ?? 0),
    enabled: version !== undefined,
  })
  return { context, isLoading, error }
}

function known(sessionId: string | undefined): string {
  if (sessionId === undefined) throw new Error('There is no session to save to yet')
  return sessionId
}
