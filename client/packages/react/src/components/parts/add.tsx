'use client'
import { useRef, type ReactNode } from 'react'
import { useDropzone } from 'react-dropzone'
import { useMessages } from '../messages/index.js'

/** How many files can be added at once. */
export const MOST_FILES = 200

/** Files to upload: without the hidden ones that a folder brings along, and at most `MOST_FILES`. */
export function pickFiles(files: readonly File[]): { files: File[]; left: number } {
  const visible = files.filter((file) => {
    const path = (file as { path?: string }).path ?? (file.webkitRelativePath || file.name)
    return !path.split('/').some((part) => part.length > 2 && part.startsWith('.') && part !== '..')
  })
  return { files: visible.slice(0, MOST_FILES), left: Math.max(0, visible.length - MOST_FILES) }
}

/** The files of a paste. None if there is text too: then the text is what was meant. */
export function pastedFiles(data: DataTransfer | null): File[] {
  if (!data || data.types.includes('text/plain')) return []
  return Array.from(data.files)
}

/** A place where files can be dropped. `rootProps` go on an element; folders are walked. */
export function useDrop(onFiles: (files: File[]) => void, disabled = false) {
  const { getRootProps, isDragActive } = useDropzone({
    noClick: true,
    noKeyboard: true,
    disabled,
    onDrop: (accepted, refused) => onFiles([...accepted, ...refused.map((each) => each.file)]),
  })
  // The element keeps its own role and is not in the tab order: the buttons do the same. Pastes are handled by the caller.
  const { role: _role, tabIndex: _tabIndex, onPaste: _onPaste, ...rootProps } = getRootProps()
  return { rootProps, isDragActive }
}

export interface AddButtonsProps {
  onFiles(files: File[]): void
  /** Beside the buttons. */
  children?: ReactNode
  /** Folder and camera as well. */
  all?: boolean
  label?: string | undefined
  kind?: 'main' | undefined
}

/** Buttons that open the system's dialogs for files, a folder, and on a phone the camera. */
export function AddButtons({ onFiles, children, all, label, kind }: AddButtonsProps) {
  const { m } = useMessages()
  const files = useRef<HTMLInputElement>(null)
  const folder = useRef<HTMLInputElement>(null)
  const camera = useRef<HTMLInputElement>(null)
  const input = (ref: typeof files, name: string, more: Record<string, unknown>) => (
    <input
      ref={ref}
      type="file"
      hidden
      tabIndex={-1}
      data-dossier-input={name}
      aria-label={name}
      onChange={(event) => {
        onFiles(Array.from(event.currentTarget.files ?? []))
        // The same file can be chosen again.
        event.currentTarget.value = ''
      }}
      {...more}
    />
  )
  return (
    <>
      <button type="button" className="dossier-button" data-kind={kind} data-dossier-add onClick={() => files.current?.click()}>
        {label ?? m.chooseFiles}
      </button>
      {input(files, 'files', { multiple: true })}
      {all && (
        <>
          <button type="button" className="dossier-button dossier-fine" data-kind="quiet" onClick={() => folder.current?.click()}>
            {m.chooseFolder}
          </button>
          {input(folder, 'folder', { webkitdirectory: '' })}
          <button type="button" className="dossier-button dossier-coarse" data-kind="quiet" onClick={() => camera.current?.click()}>
            {m.takePhoto}
          </button>
          {input(camera, 'camera', { accept: 'image/*', capture: 'environment' })}
        </>
      )}
      {children}
    </>
  )
}
