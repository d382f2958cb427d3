import { useSessions, useTrash } from 'dossier-react'
import { useMessages } from 'dossier-react/components'
import { useState } from 'react'
import { Problem, Waiting } from './problem.tsx'
import { useWords } from './words.ts'

export function Trash() {
  const words = useWords()
  const { f } = useMessages()
  const { sessions, isLoading, error, refetch, hasMore, loadMore } = useTrash()
  const { restoreSession } = useSessions()
  const [restored, setRestored] = useState<string>()
  const [failed, setFailed] = useState<unknown>()
  const date = (time: string) => new Intl.DateTimeFormat(f.locale, { day: 'numeric', month: 'long' }).format(new Date(time))
  return (
    <div className="page">
      <div className="page-head">
        <h1>{words.trash}</h1>
      </div>
      <p role="status" className="small">
        {restored && words.restored(restored)}
      </p>
      {failed !== undefined && <Problem what={words.restore} error={failed} onRetry={() => setFailed(undefined)} />}
      {error ? (
        <Problem what={words.trash} error={error} onRetry={() => void refetch()} />
      ) : isLoading ? (
        <Waiting />
      ) : sessions.length === 0 ? (
        <div className="empty">
          <p>{words.noTrash}</p>
        </div>
      ) : (
        <ul className="rows">
          {sessions.map((session) => {
            const title = session.title ?? words.untitled
            return (
              <li key={session.id} className="dossier">
                <span className="row-title">{title}</span>
                <span className="row-note">{words.deletedWhen(f.when(session.deleted_at), date(session.purge_at))}</span>
                <button type="button" className="dossier-button" data-size="small" aria-label={`${words.restore}: ${title}`} onClick={() => void restoreSession(session.id).then(() => setRestored(title), setFailed)}>
                  {words.restore}
                </button>
              </li>
            )
          })}
        </ul>
      )}
      {hasMore && (
        <button type="button" className="dossier dossier-button" onClick={() => void loadMore()}>
          {words.more}
        </button>
      )}
    </div>
  )
}
