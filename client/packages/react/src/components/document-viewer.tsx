'use client'
import { useEffect, useId, useRef, useState, type ReactNode } from 'react'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import type { Document } from 'dossier-client'
import { useMessages } from './messages/index.js'
import { useDossierClient } from '../provider.js'
import { dossierQueries, isFinal } from '../queries.js'
import { useObjectUrl } from './parts/data.js'
import { Icon } from './parts/icons.js'
import { LiveRegions, useAnnouncer } from './parts/live.js'
import { Marked, parseMarked } from './parts/marked.js'
import { FileName } from './parts/name.js'
import { Problem, Skeleton } from './parts/problem.js'
import { reflow } from './parts/reflow.js'
import { documentState } from './parts/state.js'

export interface DocumentViewerProps {
  documentId: string
  /** Counted from 1. */
  page?: number | undefined
  onPageChange?: ((page: number) => void) | undefined
  /** Words to mark, with the syntax of search. The server marks them, so that they are the words it found. */
  query?: string | undefined
  /** Shows the original instead of the built-in view, which knows PDF and images. */
  renderOriginal?: ((original: { document: Document; blob: Blob; url: string; page: number }) => ReactNode) | undefined
  /** At the end of the head, a button to close for example. */
  actions?: ReactNode
}

/** A page of a document as text, with the words of a search marked, and the original beside it. */
export function DocumentViewer({ documentId, page: wanted, onPageChange, query = '', renderOriginal, actions }: DocumentViewerProps) {
  const client = useDossierClient()
  const texts = useMessages()
  const { m } = texts
  const id = useId()
  const announcer = useAnnouncer()
  const sheet = useRef<HTMLDivElement>(null)
  const [own, setOwn] = useState(1)
  const [original, setOriginal] = useState(false)
  const page = wanted ?? own
  const { data: document, error, refetch } = useQuery({ ...dossierQueries.document(client, documentId), placeholderData: keepPreviousData })
  const fresh = document?.id === documentId ? document : undefined
  const content = useQuery({ ...dossierQueries.page(client, documentId, page, query), enabled: (fresh?.page_count ?? 0) >= page })
  const pages = fresh?.page_count ?? null
  const html = content.data?.html
  const lines = fresh?.media_type === 'application/pdf' ? reflow : (text: string) => text
  const count = html ? countMarks(html) : 0

  useEffect(() => {
    if (!html) return
    sheet.current?.querySelector('mark')?.scrollIntoView({ block: 'center' })
  }, [html, documentId, page])

  const go = (next: number) => {
    if (next < 1 || (pages !== null && next > pages)) return
    setOwn(next)
    onPageChange?.(next)
    announcer.say(m.pageOf(next, pages))
  }
  const turn = (label: string, icon: 'previous' | 'next', to: number) => {
    const off = to < 1 || to > (pages ?? 1)
    return (
      <button type="button" className="dossier-button" data-kind="icon" aria-label={label} title={label} aria-disabled={off} onClick={() => go(to)}>
        <Icon name={icon} />
      </button>
    )
  }

  if (error && !fresh) return <Shell><Problem title={m.failedToLoad(m.original)} error={error} onRetry={() => void refetch()} /></Shell>
  return (
    <Shell labelledBy={id}>
      <LiveRegions announcer={announcer} />
      <div className="dossier-viewer-head">
        <h2 id={id}>{fresh ? <FileName name={fresh.name} /> : <span className="dossier-skeleton" />}</h2>
        {query && html !== undefined && <span className="dossier-chip">{count > 0 ? m.matches(count, query) : m.noMatches(query)}</span>}
        <div className="dossier-pager">
          {turn(m.previousPage, 'previous', page - 1)}
          <span className="dossier-mono">{m.pageOf(page, pages)}</span>
          {turn(m.nextPage, 'next', page + 1)}
        </div>
        <button type="button" className="dossier-button" data-kind="quiet" data-size="small" aria-pressed={original} onClick={() => setOriginal(!original)}>
          {original ? m.hideOriginal : m.original}
        </button>
        {actions}
      </div>
      <div className="dossier-pages" data-split={original || undefined}>
        <div>
          <div
            ref={sheet}
            className="dossier-page"
            // A long page scrolls inside its column, so it can be focused.
            tabIndex={0}
            role="group"
            aria-label={fresh ? `${fresh.name}, ${m.pageOf(page, pages)}` : m.loading}
            onKeyDown={(event) => {
              if (event.key === 'PageDown' && event.altKey) go(page + 1)
              if (event.key === 'PageUp' && event.altKey) go(page - 1)
            }}
          >
            {content.error ? (
              <Problem title={m.failedToLoad(m.pageOf(page))} error={content.error} onRetry={() => void content.refetch()} />
            ) : content.data ? (
              <div className="dossier-text" dir="auto" lang={languageTag(fresh?.language)}>
                {html !== undefined ? <Marked html={lines(html)} /> : lines(content.data.text) || <em>{m.emptyPage}</em>}
              </div>
            ) : fresh && (fresh.status !== 'ready' || !pages) ? (
              <div className="dossier-text dossier-empty">
                <p>{isFinal(fresh) ? m.notReadable : m.stillReading}</p>
                {fresh.status !== 'ready' && <p className="dossier-small">{documentState(fresh, texts).text}</p>}
              </div>
            ) : (
              <div className="dossier-text">
                <Skeleton rows={8} />
              </div>
            )}
          </div>
        </div>
        {original && fresh && <Original document={fresh} page={page} render={renderOriginal} />}
      </div>
    </Shell>
  )
}

function Shell({ labelledBy, children }: { labelledBy?: string; children: ReactNode }) {
  return (
    <section className="dossier dossier-viewer" aria-labelledby={labelledBy}>
      {children}
    </section>
  )
}

/** The tag of a detected language: browsers choose the forms of characters by it, and screen readers the voice. */
function languageTag(iso: string | null | undefined): string | undefined {
  try {
    return iso ? Intl.getCanonicalLocales(iso)[0] : undefined
  } catch {
    return undefined
  }
}

/** Neighbouring marks are one match: a phrase is marked word by word. */
const countMarks = (html: string) =>
  parseMarked(html).reduce((count, piece, index, all) => {
    const between = all[index - 1]
    const joined = between && !between.marked && /^\s*$/.test(between.text) && all[index - 2]?.marked
    return piece.marked && !joined ? count + 1 : count
  }, 0)

function Original({ document, page, render }: { document: Document; page: number; render: DocumentViewerProps['renderOriginal'] }) {
  const client = useDossierClient()
  const { m } = useMessages()
  const { data: blob, error, refetch } = useQuery({
    queryKey: ['dossier', 'content', document.id],
    queryFn: ({ signal }) => client.documents.content(document.id, { signal }),
    staleTime: Infinity,
    gcTime: 60_000,
  })
  const url = useObjectUrl(blob)
  if (error) return <Problem title={m.failedToLoad(m.original)} error={error} onRetry={() => void refetch()} />
  if (!blob || !url) return <Skeleton rows={8} />
  if (render) return render({ document, blob, url, page })
  if (document.media_type === 'application/pdf') {
    return <iframe className="dossier-original" key={page} src={`${url}#page=${page}`} title={m.originalOf(document.name)} />
  }
  if (/^image\/(png|jpeg|gif|webp|avif|svg\+xml)$/.test(document.media_type)) {
    return <img className="dossier-original" src={url} alt={m.originalOf(document.name)} />
  }
  return (
    <p className="dossier-note">
      {m.noOriginal}
      <a className="dossier-link" href={url} download={document.name}>
        {m.download}
      </a>
    </p>
  )
}
