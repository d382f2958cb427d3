'use client'

import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { NewSession, SessionChanges, SessionFilter } from 'dossier-client'
import { useMemo } from 'react'
import { cacheSession } from '../cache.js'
import { useDossierClient } from '../provider.js'
import { dossierKeys, dossierQueries } from '../queries.js'
import { useLive } from './use-live.js'
import { usePages } from './use-pages.js'

/** The sessions of the user, newest first, and what can be done with them. `filter` restricts the list. */
export function useSessions(filter: SessionFilter = {}) {
  const client = useDossierClient()
  const queries = useQueryClient()
  const { rows: sessions, error, ...list } = usePages(useInfiniteQuery(dossierQueries.sessions(client, filter)))
  const changeLists = useListChanges()

  const create = useMutation({
    mutationFn: (session: NewSession) => client.sessions.create(session),
    onSuccess: (session) => cacheSession(queries, session),
  })
  const update = useMutation({
    mutationFn: ({ id, changes }: { id: string; changes: SessionChanges }) => client.sessions.update(id, changes),
    onSuccess: (session) => cacheSession(queries, session),
  })
  const remove = useMutation({
    mutationFn: ({ id, permanently }: { id: string; permanently?: boolean | undefined }) => client.sessions.delete(id, { permanently }),
    onSuccess: (_, { id }) => changeLists(id),
  })
  const restore = useMutation({
    mutationFn: (id: string) => client.sessions.restore(id),
    onSuccess: (session) => {
      cacheSession(queries, session)
      return changeLists()
    },
  })

  const { mutateAsync: createSession } = create
  const { mutateAsync: updateAsync } = update
  const { mutateAsync: removeAsync } = remove
  const { mutateAsync: restoreSession } = restore
  const calls = useMemo(
    () => ({
      /** Creates a session, with its first context if there is one. */
      createSession: (session: NewSession) => createSession(session),
      updateSession: (id: string, changes: SessionChanges) => updateAsync({ id, changes }),
      /** Moves a session to the trash, or deletes it permanently. */
      deleteSession: (id: string, options: { permanently?: boolean } = {}) => removeAsync({ id, ...options }),
      /** Brings a session back from the trash. */
      restoreSession: (id: string) => restoreSession(id),
    }),
    [createSession, updateAsync, removeAsync, restoreSession],
  )
  return {
    sessions,
    ...list,
    ...calls,
    isCreating: create.isPending,
    error: error ?? create.error ?? update.error ?? remove.error ?? restore.error,
  }
}

/** One session with its context. */
export function useSession(id: string | undefined) {
  const client = useDossierClient()
  useLive(id)
  const { data: session, ...query } = useQuery({ ...dossierQueries.session(client, id ?? ''), enabled: id !== undefined })
  return { session, isLoading: query.isLoading, error: query.error, refetch: query.refetch }
}

/** The sessions in the trash, last deleted first. */
export function useTrash() {
  const client = useDossierClient()
  const { rows: sessions, ...list } = usePages(useInfiniteQuery(dossierQueries.trash(client)))
  return { sessions, ...list }
}

/** Reads the lists of sessions again, and forgets a session that is in none of them any more. */
function useListChanges() {
  const queries = useQueryClient()
  return (gone?: string) => {
    if (gone !== undefined) queries.removeQueries({ queryKey: dossierKeys.session(gone) })
    return Promise.all([dossierKeys.sessions, dossierKeys.trash].map((queryKey) => queries.invalidateQueries({ queryKey })))
  }
}
