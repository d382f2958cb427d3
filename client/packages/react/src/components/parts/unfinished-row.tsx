'use client'
import { useRef } from 'react'
import type { UnfinishedUpload } from 'dossier-client'
import { useMessages } from '../messages/index.js'
import { Icon } from './icons.js'
import { shortName } from './name.js'
import { FileRow } from './row.js'

export interface UnfinishedRowProps {
  upload: UnfinishedUpload
  /** The file was chosen again. */
  onFile(file: File): void
  onRemove(): void
}

/** An upload that stopped when its page was closed: what is stored of it, and how it continues. A page keeps no files. */
export function UnfinishedRow({ upload: { name, offset, size_bytes }, onFile, onRemove }: UnfinishedRowProps) {
  const { m } = useMessages()
  const input = useRef<HTMLInputElement>(null)
  const progress = offset / (size_bytes ?? Infinity)
  return (
    <FileRow
      name={name}
      size={size_bytes}
      state={{ text: m.chooseAgain(shortName(name), progress), progress, still: true }}
      actions={
        <button type="button" className="dossier-button" data-kind="icon" aria-label={m.cancelUpload(name)} title={m.cancelUpload(name)} onClick={onRemove}>
          <Icon name="close" />
        </button>
      }
    >
      <span className="dossier-inline dossier-choose">
        <button type="button" className="dossier-button" data-size="small" aria-label={m.chooseFileOf(name)} onClick={() => input.current?.click()}>
          {m.chooseFile}
        </button>
        <input
          ref={input}
          type="file"
          hidden
          tabIndex={-1}
          data-dossier-input="again"
          aria-label={m.chooseFileOf(name)}
          onChange={(event) => {
            const [file] = event.currentTarget.files ?? []
            if (file) onFile(file)
            event.currentTarget.value = ''
          }}
        />
      </span>
    </FileRow>
  )
}
