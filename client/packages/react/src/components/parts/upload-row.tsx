'use client'
import type { Upload, UploadState } from 'dossier-client'
import { useMessages } from '../messages/index.js'
import { Icon } from './icons.js'
import { FileRow } from './row.js'
import { isStored } from './speak.js'
import { uploadState, type Reading } from './state.js'

export interface UploadRowProps {
  state: UploadState
  upload: Upload
  reading?: Reading | null | undefined
  /** Cancels it, or removes the row. */
  onRemove(): void
  /** Whether a file that is stored can be removed here, too. */
  removable?: boolean | undefined
}

/** An upload on its way, with the one button that makes sense now. */
export function UploadRow({ state, upload, reading, onRemove, removable }: UploadRowProps) {
  const texts = useMessages()
  const { m } = texts
  const button = (label: string, icon: 'close' | 'retry' | 'pause' | 'play', onClick: () => void) => (
    <button type="button" className="dossier-button" data-kind="icon" aria-label={label} title={label} onClick={onClick}>
      <Icon name={icon} />
    </button>
  )
  const { name, status, waitsFor } = state
  const over = isStored(state) || status === 'failed' || status === 'cancelled'
  return (
    <FileRow
      name={name}
      size={state.size}
      state={uploadState(state, texts, reading)}
      actions={
        <span className="dossier-buttons">
          {status === 'failed' && button(m.retryFile(name), 'retry', () => upload.retry())}
          {status === 'uploading' && state.size > 1e6 && button(m.pauseUpload(name), 'pause', () => upload.pause())}
          {status === 'paused' && waitsFor === 'user' && button(m.resumeUpload(name), 'play', () => upload.resume())}
          {(removable || !isStored(state)) && button(over ? m.removeFile(name) : m.cancelUpload(name), 'close', onRemove)}
        </span>
      }
    >
      {waitsFor === 'decision' && (
        <span className="dossier-inline dossier-choose">
          <button type="button" className="dossier-button" data-size="small" onClick={() => upload.useExisting()}>
            {m.useExisting}
          </button>
          <button type="button" className="dossier-button" data-kind="quiet" data-size="small" onClick={() => upload.resume()}>
            {m.uploadAnyway}
          </button>
        </span>
      )}
    </FileRow>
  )
}

/** After a row goes, the focus goes to the next row's last button, else to the previous one's, else to the add button. */
export function focusNeighbour(list: HTMLElement | null, name: string) {
  const rows = Array.from(list?.querySelectorAll<HTMLElement>('.dossier-row') ?? [])
  const index = rows.findIndex((row) => row.dataset['dossierFile'] === name && row.contains(document.activeElement))
  if (index < 0) return
  const neighbour = [rows[index + 1], rows[index - 1]].flatMap((row) => Array.from(row?.querySelectorAll<HTMLElement>('button, summary') ?? []).slice(-1))[0]
  const add = list?.closest('.dossier')?.querySelector<HTMLElement>('[data-dossier-add]')
  ;(neighbour ?? add)?.focus()
}
