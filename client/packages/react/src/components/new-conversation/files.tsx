'use client'
import { useRef } from 'react'
import type { Limits } from 'dossier-client'
import { useMessages } from '../messages/index.js'
import { AddButtons } from '../parts/add.js'
import { useDossierClient } from '../../provider.js'
import { useUploadStates } from '../../hooks/use-uploads.js'
import { Icon } from '../parts/icons.js'
import type { Announcer } from '../parts/live.js'
import { FileRow } from '../parts/row.js'
import { useSpokenUploads } from '../parts/speak.js'
import { focusNeighbour, UploadRow } from '../parts/upload-row.js'

/** A file that was not accepted, with the reason. */
export interface Refused {
  file: File
  reason: string
}

export interface FilesProps {
  sessionId: string
  queue: readonly File[]
  refused: readonly Refused[]
  limits: Limits | undefined
  notice: string | undefined
  announcer: Announcer
  onFiles(files: File[]): void
  onDropQueued(file: File): void
  onDropRefused(file: File): void
}

/** The files of the third step: what was refused, what waits for the session, what is on its way. */
export function Files({ sessionId, queue, refused, limits, notice, announcer, onFiles, onDropQueued, onDropRefused }: FilesProps) {
  const client = useDossierClient()
  const texts = useMessages()
  const { m } = texts
  const list = useRef<HTMLUListElement>(null)
  const uploads = useUploadStates(sessionId)
  useSpokenUploads(uploads, announcer, texts)
  const removing = (name: string, remove: () => void) => () => {
    focusNeighbour(list.current, name)
    announcer.say(m.saidRemoved(name))
    remove()
  }
  const removeButton = (name: string, remove: () => void) => (
    <button type="button" className="dossier-button" data-kind="icon" aria-label={m.removeFile(name)} title={m.removeFile(name)} onClick={removing(name, remove)}>
      <Icon name="close" />
    </button>
  )
  return (
    <div className="dossier-group" role="group" aria-labelledby="dossier-files">
      <span className="dossier-label" id="dossier-files">
        {m.files}
      </span>
      <div className="dossier-drop">
        <AddButtons onFiles={onFiles} all />
        <p className="dossier-small">{m.dropHint(limits?.max_file_bytes)}</p>
      </div>
      {notice && (
        <p className="dossier-state" data-tone="warning" role="status">
          {notice}
        </p>
      )}
      <ul ref={list} className="dossier-files">
        {uploads.map((state) => {
          const upload = client.uploads.get(state.id)
          return (
            upload &&
            state.status !== 'cancelled' && (
              <UploadRow
                key={state.id}
                state={state}
                upload={upload}
                removable
                onRemove={removing(state.name, () => {
                  client.uploads.remove(state.id)
                  if (state.document) void client.documents.delete(state.document.id).catch(() => undefined)
                })}
              />
            )
          )
        })}
        {queue.map((file) => (
          <FileRow
            key={`${file.name}/${file.size}/${file.lastModified}`}
            name={file.name}
            size={file.size}
            state={{ text: m.waiting }}
            actions={removeButton(file.name, () => onDropQueued(file))}
          />
        ))}
        {refused.map(({ file, reason }) => (
          <FileRow
            key={`${file.name}/${file.size}/${file.lastModified}`}
            name={file.name}
            size={file.size}
            state={{ text: reason, tone: 'danger' }}
            actions={removeButton(file.name, () => onDropRefused(file))}
          />
        ))}
      </ul>
    </div>
  )
}
