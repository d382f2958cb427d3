'use client'
import { useId, useState } from 'react'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import type { Context, ContextVersion } from 'dossier-client'
import { useMessages } from '../messages/index.js'
import { useDossierClient } from '../../provider.js'
import { dossierQueries } from '../../queries.js'
import { WordDiff } from './diff.js'
import { describe, Problem, Skeleton } from './problem.js'

export interface HistoryProps {
  sessionId: string
  /** The current version. */
  version: number
  canRestore: boolean
  who: ((userId: string | null) => string) | undefined
  now: number
  onRestored(context: Context, from: number): void
  /** Called with the server's words. */
  onFailed(message: string): void
}

/** The saved versions of a context, newest first: each can be compared, and restored. */
export function History({ sessionId, version, canRestore, who, now, onRestored, onFailed }: HistoryProps) {
  const client = useDossierClient()
  const { m } = useMessages()
  const [failure, setFailure] = useState<unknown>(null)
  const { data, error, isPending, hasNextPage, fetchNextPage, refetch } = useInfiniteQuery(dossierQueries.contextVersions(client, sessionId))
  const restore = async (old: ContextVersion) => {
    setFailure(null)
    try {
      onRestored(await client.context.restore(sessionId, old.version, { expected_version: version }), old.version)
    } catch (reason) {
      setFailure(reason)
      onFailed(describe(reason).message)
    }
  }
  if (error && !data) return <Problem title={m.failedToLoad(m.history)} error={error} onRetry={() => void refetch()} />
  if (isPending) return <Skeleton rows={3} />
  return (
    <>
      {failure != null && <Problem title={m.saveFailed} error={failure} />}
      <ol className="dossier-versions">
        {data.pages
          .flatMap((page) => page.rows)
          .map((old) => (
            <Version
              key={old.version}
              sessionId={sessionId}
              old={old}
              current={version}
              who={who}
              now={now}
              onRestore={canRestore && old.version !== version ? () => void restore(old) : undefined}
            />
          ))}
      </ol>
      {hasNextPage && (
        <button type="button" className="dossier-link dossier-small" onClick={() => void fetchNextPage()}>
          {m.loadMore}
        </button>
      )}
    </>
  )
}

interface VersionProps {
  sessionId: string
  old: ContextVersion
  current: number
  who: HistoryProps['who']
  now: number
  onRestore: (() => void) | undefined
}

function Version({ sessionId, old, current, who, now, onRestore }: VersionProps) {
  const { m, f } = useMessages()
  const id = useId()
  const [comparing, setComparing] = useState(false)
  const number = old.version
  return (
    <li>
      <span>
        <strong>{m.version(number)}</strong>{' '}
        <span className="dossier-small">{who ? m.versionBy(f.when(old.updated_at, now), who(old.updated_by)) : f.when(old.updated_at, now)}</span>
      </span>
      <span className="dossier-buttons">
        {current > 1 && (
          <button
            type="button"
            className="dossier-button"
            data-kind="quiet"
            data-size="small"
            aria-label={m.compareVersion(number)}
            aria-expanded={comparing}
            aria-controls={id}
            onClick={() => setComparing(!comparing)}
          >
            {m.compare}
          </button>
        )}
        {onRestore && (
          <button type="button" className="dossier-button" data-kind="quiet" data-size="small" aria-label={m.restore(number)} onClick={onRestore}>
            {m.restoreShort}
          </button>
        )}
      </span>
      <div id={id} className="dossier-compared">
        {comparing ? (
          <Compared sessionId={sessionId} version={number} current={current} />
        ) : (
          <p className="dossier-snippet">{old.text_start || m.emptyText}</p>
        )}
      </div>
    </li>
  )
}

/** What led to a version, or what led from it to the current one. */
function Compared({ sessionId, version, current }: { sessionId: string; version: number; current: number }) {
  const client = useDossierClient()
  const { m } = useMessages()
  const id = useId()
  const [withCurrent, setWithCurrent] = useState(version < current)
  const [from, to] = withCurrent ? [version, current] : [version - 1, version]
  const older = useQuery({ ...dossierQueries.contextVersion(client, sessionId, from), enabled: from > 0 })
  const newer = useQuery(dossierQueries.contextVersion(client, sessionId, to))
  const error = older.error ?? newer.error
  const before = from === 0 ? { text_context: '', context_metadata: {} } : older.data
  const title = m.fromTo(from, to)
  const choice = (label: string, value: boolean) => (
    <label>
      <input type="radio" name={id} checked={withCurrent === value} onChange={() => setWithCurrent(value)} /> {label}
    </label>
  )
  return (
    <>
      {version < current && version > 1 && (
        <fieldset className="dossier-inline dossier-small">
          <legend className="dossier-hidden">{m.compareVersion(version)}</legend>
          {choice(m.withCurrent, true)}
          {choice(m.withPrevious, false)}
        </fieldset>
      )}
      {error ? (
        <Problem title={m.failedToLoad(title)} error={error} />
      ) : !before || !newer.data ? (
        <Skeleton rows={2} />
      ) : before.text_context === newer.data.text_context ? (
        <p className="dossier-small">{m.sameText}</p>
      ) : (
        <>
          <p className="dossier-small">{title}</p>
          <WordDiff from={before.text_context} to={newer.data.text_context} label={title} />
        </>
      )}
    </>
  )
}
