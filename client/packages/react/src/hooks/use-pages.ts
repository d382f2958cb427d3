'use client'

import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query'
import type { Page } from 'dossier-client'
import { useMemo } from 'react'

/** A list that is read page by page, as the rows that are there so far. */
export function usePages<Row, Cursor>(query: UseInfiniteQueryResult<InfiniteData<Page<Row, Cursor>>>) {
  const { data, error, isLoading, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = query
  const rows = useMemo(() => data?.pages.flatMap((page) => page.rows) ?? [], [data])
  return { rows, error, isLoading, refetch, hasMore: hasNextPage, loadMore: fetchNextPage, isLoadingMore: isFetchingNextPage }
}
