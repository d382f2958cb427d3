'use client'
import { useEffect, useRef, useState } from 'react'
import { useMessages } from './messages/index.js'
import { useUploadStates } from '../hooks/use-uploads.js'
import { Icon } from './parts/icons.js'
import { LiveRegions, useAnnouncer } from './parts/live.js'
import { isStored, useSpokenUploads } from './parts/speak.js'
import { focusNeighbour, UploadRow } from './parts/upload-row.js'
import { useDossierClient } from '../provider.js'

export interface UploadTrayProps {
  /** Show the uploads of this session only. */
  sessionId?: string | undefined
  /** Hidden while another place shows them, a dialog for example. Uploads go on. */
  hidden?: boolean | undefined
}

/** The uploads on their way, above every page of the app. Mount it once, outside the router: uploads outlive pages. */
export function UploadTray({ sessionId, hidden = false }: UploadTrayProps) {
  const client = useDossierClient()
  const texts = useMessages()
  const { m } = texts
  const announcer = useAnnouncer()
  const uploads = useUploadStates(sessionId)
  const [folded, setFolded] = useState(false)
  const list = useRef<HTMLUListElement>(null)
  useSpokenUploads(hidden ? NONE : uploads, announcer, texts)

  const open = uploads.filter((upload) => !isStored(upload) && upload.status !== 'cancelled')
  const running = open.filter((upload) => upload.status === 'uploading' || upload.waitsFor === 'turn' || upload.waitsFor === 'check')
  const failed = open.filter((upload) => upload.status === 'failed')
  const title =
    running.length > 0
      ? m.trayUploading(running.length)
      : failed.length > 0
        ? m.uploadAllFailed(failed.length)
        : open.length > 0
          ? m.trayPaused(open.length)
          : m.trayDone(uploads.filter(isStored).length)

  // A tray in which everything is fine goes away by itself once the files are read.
  const finished = uploads.length > 0 && uploads.every((upload) => upload.status === 'ready' || upload.status === 'cancelled')
  const clear = () => uploads.forEach((upload) => upload.status !== 'uploading' && client.uploads.remove(upload.id))
  const latest = useRef(clear)
  useEffect(() => {
    latest.current = clear
  })
  useEffect(() => {
    if (!finished || hidden) return
    const timer = setTimeout(() => {
      if (!list.current?.parentElement?.contains(document.activeElement)) latest.current()
    }, 6000)
    return () => clearTimeout(timer)
  }, [finished, hidden])

  return (
    <>
      <LiveRegions announcer={announcer} />
      {uploads.length > 0 && !hidden && (
        <section className="dossier dossier-tray" aria-label={title}>
          <div className="dossier-tray-head">
            <span>{title}</span>
            <button
              type="button"
              className="dossier-button"
              data-kind="icon"
              aria-expanded={!folded}
              aria-label={folded ? m.showUploads : m.hideUploads}
              title={folded ? m.showUploads : m.hideUploads}
              onClick={() => setFolded(!folded)}
            >
              <Icon name={folded ? 'up' : 'down'} />
            </button>
            {running.length === 0 && (
              <button type="button" className="dossier-button" data-kind="icon" aria-label={m.close} title={m.close} onClick={clear}>
                <Icon name="close" />
              </button>
            )}
          </div>
          <ul className="dossier-files dossier-tray-list" ref={list} hidden={folded}>
            {uploads.map((state) => {
              const upload = client.uploads.get(state.id)
              return (
                upload && (
                  <UploadRow
                    key={state.id}
                    state={state}
                    upload={upload}
                    onRemove={() => {
                      focusNeighbour(list.current, state.name)
                      announcer.say(m.saidRemoved(state.name))
                      client.uploads.remove(state.id)
                    }}
                  />
                )
              )
            })}
          </ul>
        </section>
      )}
    </>
  )
}

const NONE: never[] = []
