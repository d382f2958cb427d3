'use client'
import { useEffect, useId, useState, type MouseEvent, type ReactNode } from 'react'
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import type { SearchResult } from 'dossier-client'
import { useMessages } from './messages/index.js'
import { useDossierClient } from '../provider.js'
import { dossierQueries } from '../queries.js'
import { useSettled } from './parts/data.js'
import { Icon } from './parts/icons.js'
import { LiveRegions, useAnnouncer } from './parts/live.js'
import { Marked } from './parts/marked.js'
import { FileName } from './parts/name.js'
import { Problem, Skeleton } from './parts/problem.js'

export interface SearchPanelProps {
  /** Search in one session. Without it, in all of the user's. */
  sessionId?: string | undefined
  organizationId?: string | undefined
  /** Called with the match that was chosen, and the query. */
  onOpen(result: SearchResult, query: string): void
  /** The address of a match. With it, matches are links, which can be opened in another tab or copied. */
  hrefOf?: ((result: SearchResult, query: string) => string) | undefined
  /** Called when the query changes: the app can hide the list of documents while there is one. */
  onQuery?: ((query: string) => void) | undefined
  autoFocus?: boolean | undefined
  /** The title of a session, by id, for results of several sessions. */
  titleOf?: ((sessionId: string) => string | null | undefined) | undefined
}

/** Search in pages, contexts and file names, with the matches marked by the server. */
export function SearchPanel({ sessionId, organizationId, onOpen, hrefOf, onQuery, autoFocus, titleOf }: SearchPanelProps) {
  const client = useDossierClient()
  const { m } = useMessages()
  const id = useId()
  const announcer = useAnnouncer()
  const [typed, setTyped] = useState('')
  const settled = useSettled(typed.trim(), 200)
  const query = typed.trim() === '' ? '' : settled
  const { data, error, isFetching, isPlaceholderData, hasNextPage, fetchNextPage, refetch } = useInfiniteQuery({
    ...dossierQueries.search(client, { query, session_id: sessionId, organization_id: organizationId }),
    enabled: query !== '',
    placeholderData: keepPreviousData,
    retry: false,
  })
  const results = query === '' ? [] : (data?.pages.flatMap((page) => page.rows) ?? [])
  const arrived = query !== '' && data !== undefined && !isPlaceholderData && !isFetching
  const count = results.length
  useEffect(() => {
    if (arrived) announcer.say(m.saidResults(count))
  }, [arrived, query, count, announcer, m])

  return (
    <div className="dossier dossier-search-panel" role="search" aria-label={m.search}>
      <LiveRegions announcer={announcer} />
      <div className="dossier-search">
        <Icon name="search" />
        <input
          className="dossier-field"
          type="search"
          id={id}
          aria-label={sessionId ? m.searchThis : m.searchAll}
          placeholder={sessionId ? m.searchThis : m.searchAll}
          maxLength={1000}
          autoComplete="off"
          spellCheck={false}
          // eslint-disable-next-line jsx-a11y/no-autofocus -- a page of its own for search
          autoFocus={autoFocus}
          value={typed}
          onChange={(event) => {
            setTyped(event.currentTarget.value)
            onQuery?.(event.currentTarget.value.trim())
          }}
        />
      </div>
      {query !== '' && error && <Problem title={m.failedToLoad(m.results)} error={error} onRetry={() => void refetch()} />}
      {query !== '' && !data && !error && <Skeleton rows={3} height={40} />}
      {arrived && count === 0 && <p className="dossier-empty">{m.noResults(query)}</p>}
      {count > 0 && (
        <ul aria-busy={isPlaceholderData}>
          {results.map((result, index) => (
            <li key={`${result.session_id}/${result.document_id}/${result.page}/${index}`} className="dossier-hit">
              <Choice href={hrefOf?.(result, query)} onChoose={() => onOpen(result, query)}>
                <span className="dossier-row-head">
                  {result.document_name ? <FileName name={result.document_name} /> : <span>{m.inContext}</span>}
                  <span className="dossier-mono">{result.kind === 'page' && result.page ? m.pageOf(result.page) : ''}</span>
                </span>
                {titleOf && <span className="dossier-small">{titleOf(result.session_id)}</span>}
                <span className="dossier-snippet">{result.kind === 'name' ? m.inName : <Marked html={result.snippet} />}</span>
                {result.missing && result.missing.length > 0 && <span className="dossier-small">{m.missingWords(result.missing)}</span>}
              </Choice>
            </li>
          ))}
        </ul>
      )}
      {hasNextPage && count > 0 && (
        <button type="button" className="dossier-link dossier-small" onClick={() => void fetchNextPage()}>
          {m.loadMore}
        </button>
      )}
    </div>
  )
}

/** A button, or a link if there is an address. A plain click chooses; the browser has its own clicks for other tabs. */
function Choice({ href, onChoose, children }: { href: string | undefined; onChoose(): void; children: ReactNode }) {
  if (href === undefined) {
    return (
      <button type="button" onClick={onChoose}>
        {children}
      </button>
    )
  }
  const follow = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    onChoose()
  }
  return (
    <a href={href} onClick={follow}>
      {children}
    </a>
  )
}
