'use client'

import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query'
import type { PackOptions, SearchQuery } from 'dossier-client'
import { useDossierClient } from '../provider.js'
import { dossierQueries } from '../queries.js'
import { usePages } from './use-pages.js'

/** Searches as the query changes, and shows the results before until there are new ones. Searches nothing without words. */
export function useSearch(query: SearchQuery) {
  const client = useDossierClient()
  const found = useInfiniteQuery({
    ...dossierQueries.search(client, query),
    enabled: Boolean(query.query?.trim()) || query.embedding !== undefined,
    placeholderData: keepPreviousData,
  })
  const { rows: results, ...list } = usePages(found)
  return { results, isStale: found.isPlaceholderData, ...list }
}

/** A session as text for a prompt. */
export function usePack(sessionId: string | undefined, options: PackOptions = {}) {
  const client = useDossierClient()
  const { data: pack, isLoading, error, refetch } = useQuery({
    ...dossierQueries.pack(client, sessionId ?? '', options),
    enabled: sessionId !== undefined,
    placeholderData: keepPreviousData,
  })
  return { pack, isLoading, error, refetch }
}
