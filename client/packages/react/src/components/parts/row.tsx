'use client'

import type { ReactNode } from 'react'
import { useMessages } from '../messages/index.js'
import { FileName } from './name.js'
import { typeLabel, type RowState } from './state.js'

export interface FileRowProps {
  name: string
  size?: number | null | undefined
  state: RowState
  /** An image, instead of the type of the file. */
  thumbnail?: ReactNode
  /** Makes the name a button. */
  onOpen?: (() => void) | undefined
  open?: boolean | undefined
  /** Under the line of state. */
  children?: ReactNode
  /** The buttons at the end. */
  actions?: ReactNode
}

/** A file: thumbnail or type, name, size, one line of state, one thin bar, and what can be done. The same everywhere. */
export function FileRow({ name, size, state, thumbnail, onOpen, open, children, actions }: FileRowProps) {
  const { m, f } = useMessages()
  const known = state.progress !== undefined && state.progress >= 0
  return (
    <li className="dossier-row" data-open={open || undefined} data-dossier-file={name}>
      <span className="dossier-thumb" aria-hidden="true">
        {thumbnail ?? typeLabel(name)}
      </span>
      <div className="dossier-row-main">
        <div className="dossier-row-head">
          {onOpen ? (
            <button type="button" className="dossier-name" onClick={onOpen} aria-current={open ? 'true' : undefined}>
              <FileName name={name} />
            </button>
          ) : (
            <FileName name={name} />
          )}
          {size != null && <span className="dossier-mono">{f.bytes(size)}</span>}
        </div>
        <p className="dossier-state" data-tone={state.tone}>
          {state.text}
        </p>
        {state.progress !== undefined && (
          <progress
            className="dossier-bar"
            data-tone={state.still ? 'paused' : undefined}
            aria-label={m.progressOf(name)}
            aria-valuetext={state.text}
            {...(known && { max: 1, value: state.progress })}
          />
        )}
        {children}
      </div>
      <div className="dossier-row-actions">{actions}</div>
    </li>
  )
}
