'use client'
import { useId, useRef, useState } from 'react'
import { useMessages } from './messages/index.js'
import { useCanWrite } from '../hooks/use-can-write.js'
import { History } from './parts/context-history.js'
import { useContextText } from './parts/context-state.js'
import { useNow } from './parts/data.js'
import { bothTexts, WordDiff } from './parts/diff.js'
import { LiveRegions, useAnnouncer } from './parts/live.js'
import { Problem, Skeleton } from './parts/problem.js'

export interface ContextEditorProps {
  sessionId: string
  /** Whether the text can be changed. By default, if the user is more than a viewer of the organization. */
  canWrite?: boolean | undefined
  /** The name of a user, by id. Without it, versions name nobody. */
  nameOf?: ((userId: string) => string | undefined) | undefined
}

/** The context of a session: saved by itself, kept on this device until then, never over a version that was not seen. */
export function ContextEditor({ sessionId, canWrite: given, nameOf }: ContextEditorProps) {
  const { m, f } = useMessages()
  const now = useNow()
  const id = useId()
  const field = useRef<HTMLTextAreaElement>(null)
  const announcer = useAnnouncer()
  const [historyOpen, setHistoryOpen] = useState(false)
  const known = useCanWrite(given === undefined ? sessionId : undefined)
  const canWrite = given ?? known ?? false
  const isViewer = (given ?? known) === false
  const context = useContextText(sessionId, !isViewer)
  const { server, status, theirs } = context

  const who = (userId: string | null | undefined) => (userId ? (nameOf?.(userId) ?? m.someone) : m.someone)
  const saved = server?.version ? m.savedVersion(server.version, f.when(server.updated_at ?? now, now)) : m.notSavedYet
  const line = {
    saved,
    unsaved: context.restored ? m.draftRestored : m.unsaved,
    saving: m.saving,
    offline: `${m.offlineFile}. ${m.draftKept}`,
    failed: m.unsaved,
    conflict: m.unsaved,
  }[status]

  return (
    <section className="dossier dossier-context" aria-labelledby={id}>
      <LiveRegions announcer={announcer} />
      <div className="dossier-group">
        <div>
          <h2 className="dossier-title" id={id}>
            {m.context}
          </h2>
          <p className="dossier-small" role="status" id={`${id}-state`}>
            {server ? line : ' '}
          </p>
        </div>
        {context.query.error && !server ? (
          <Problem title={m.failedToLoad(m.context)} error={context.query.error} onRetry={() => void context.query.refetch()} />
        ) : !server ? (
          <Skeleton rows={4} />
        ) : (
          <textarea
            ref={field}
            className="dossier-field dossier-context-text"
            aria-labelledby={id}
            aria-describedby={`${id}-state`}
            placeholder={canWrite ? m.contextPlaceholder : undefined}
            readOnly={!canWrite}
            value={context.text}
            onChange={(event) => context.write(event.currentTarget.value)}
            onBlur={() => status === 'unsaved' && context.save()}
          />
        )}
        {isViewer && <p className="dossier-small">{m.readOnly}</p>}
        {status === 'unsaved' && context.restored && (
          <div>
            <button type="button" className="dossier-link dossier-small" onClick={context.dropDraft}>
              {m.dropDraft}
            </button>
          </div>
        )}
        {status === 'failed' && <Problem title={m.saveFailed} error={context.error} safe={m.draftKept} onRetry={context.save} />}
      </div>
      {theirs && (
        <div className="dossier-note" data-tone="warning" role="group" aria-labelledby={`${id}-conflict`}>
          <p className="dossier-label" id={`${id}-conflict`} role="alert">
            {m.conflict(who(theirs.updated_by), f.when(theirs.updated_at ?? now, now))}
          </p>
          <p className="dossier-small">{m.conflictText}</p>
          <p className="dossier-small">{m.conflictDiff}</p>
          <WordDiff from={theirs.text_context} to={context.text} label={m.conflictDiff} />
          <div className="dossier-inline">
            <button type="button" className="dossier-button" data-kind="main" data-size="small" onClick={() => act(context.keepMine)}>
              {m.keepMine}
            </button>
            <button type="button" className="dossier-button" data-size="small" onClick={() => act(context.useTheirs)}>
              {m.useTheirs}
            </button>
            <button
              type="button"
              className="dossier-button"
              data-size="small"
              onClick={() => act(() => context.edit(bothTexts(theirs.text_context, context.text)))}
            >
              {m.mergeBoth}
            </button>
          </div>
        </div>
      )}
      {Boolean(server?.version) && (
        <div className="dossier-history">
          <button
            type="button"
            className="dossier-link dossier-small"
            aria-expanded={historyOpen}
            aria-controls={`${id}-history`}
            onClick={() => setHistoryOpen(!historyOpen)}
          >
            {historyOpen ? m.hideHistory : m.history}
          </button>
          <div id={`${id}-history`} hidden={!historyOpen}>
            {historyOpen && (
              <History
                sessionId={sessionId}
                version={server?.version ?? 0}
                canRestore={canWrite && status === 'saved'}
                who={nameOf && who}
                now={now}
                onRestored={(restored, from) => {
                  context.take(restored)
                  announcer.say(m.restored(from))
                  field.current?.focus()
                }}
                onFailed={announcer.alert}
              />
            )}
          </div>
        </div>
      )}
    </section>
  )

  /** The buttons go away with the conflict, so the focus moves to the text. */
  function act(choice: () => void) {
    choice()
    field.current?.focus()
  }
}
