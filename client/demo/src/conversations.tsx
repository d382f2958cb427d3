import { useSessions } from 'dossier-react'
import { useMessages } from 'dossier-react/components'
import { useState } from 'react'
import { Problem, Waiting } from './problem.tsx'
import { href } from './route.ts'
import { useWords } from './words.ts'

/** The first page: the conversations of all organizations, newest first. */
export function Conversations({ onNew }: { onNew(): void }) {
  const words = useWords()
  const { f, m } = useMessages()
  const [deleted, setDeleted] = useState<{ id: string; title: string }>()
  const { sessions: rows, isLoading, error, refetch, hasMore, loadMore, deleteSession, restoreSession } = useSessions()
  return (
    <div className="page">
      <div className="page-head">
        <h1>{words.conversations}</h1>
        <button type="button" className="dossier dossier-button" data-kind="main" onClick={onNew}>
          {words.newConversation}
        </button>
      </div>
      <div role="status">
        {deleted && (
          <p className="dossier dossier-undo">
            <span>{words.movedToTrash(deleted.title)}</span>
            <button type="button" className="dossier-button" data-kind="quiet" data-size="small" onClick={() => void restoreSession(deleted.id).then(() => setDeleted(undefined), () => undefined)}>
              {m.undo}
            </button>
          </p>
        )}
      </div>
      {error ? (
        <Problem what={words.conversations} error={error} onRetry={() => void refetch()} />
      ) : isLoading ? (
        <Waiting />
      ) : rows.length === 0 ? (
        <div className="empty">
          <p>{words.noConversations}</p>
          <button type="button" className="dossier dossier-button" onClick={onNew}>
            {words.newConversation}
          </button>
        </div>
      ) : (
        <ul className="rows">
          {rows.map((session) => {
            const title = session.title ?? words.untitled
            return (
              <li key={session.id} className="dossier">
                <a className="row-title" href={href(`conversations/${session.id}`)}>
                  {title}
                </a>
                <span className="row-type">{m.typeLabels[session.conversation_type]?.[0] ?? session.conversation_type}</span>
                <time className="row-time" dateTime={session.updated_at} title={new Date(session.updated_at).toLocaleString(f.locale)}>
                  {f.when(session.updated_at)}
                </time>
                <button type="button" className="plain row-action" aria-label={`${m.delete}: ${title}`} title={words.toTrash} onClick={() => void deleteSession(session.id).then(() => setDeleted({ id: session.id, title }), () => undefined)}>
                  {m.delete}
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
