'use client'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import type { Document } from 'dossier-client'
import { useMessages } from './messages/index.js'
import { AddButtons, pastedFiles, pickFiles, useDrop } from './parts/add.js'
import { useCanWrite } from '../hooks/use-can-write.js'
import { useDossierClient } from '../provider.js'
import { useDocumentChanges } from '../hooks/use-documents.js'
import { useUnfinishedUploads, useUploadStates } from '../hooks/use-uploads.js'
import { cacheDocument, forgetDocument } from '../cache.js'
import { dossierKeys, dossierQueries } from '../queries.js'
import { useObjectUrl } from './parts/data.js'
import { LiveRegions, useAnnouncer } from './parts/live.js'
import { Menu } from './parts/menu.js'
import { Problem, Skeleton, describe } from './parts/problem.js'
import { FileRow } from './parts/row.js'
import { isStored, useSpokenUploads } from './parts/speak.js'
import { documentState, type Reading } from './parts/state.js'
import { UnfinishedRow } from './parts/unfinished-row.js'
import { focusNeighbour, UploadRow } from './parts/upload-row.js'
import { usePendingDeletes } from './parts/undo.js'

export interface DocumentListProps {
  sessionId: string
  /** Called with the document whose name was chosen. Without it, names are text. */
  onOpen?: ((document: Document) => void) | undefined
  /** The document that is open beside the list. */
  openId?: string | undefined
  /** Whether files can be added, read again and deleted. By default, if the user is more than a viewer of the organization. */
  canWrite?: boolean | undefined
  /** How far documents are read, by id, from the event stream. */
  reading?: Readonly<Record<string, Reading>> | undefined
  /** Above the list, instead of the heading "Documents". */
  heading?: ReactNode
}

/** The documents of a session, with files on their way on top. Files can be dropped or pasted on it. */
export function DocumentList({ sessionId, onOpen, openId, canWrite: given, reading, heading }: DocumentListProps) {
  const client = useDossierClient()
  const cache = useQueryClient()
  const texts = useMessages()
  const { m } = texts
  const announcer = useAnnouncer()
  const known = useCanWrite(given === undefined ? sessionId : undefined)
  const canWrite = given ?? known ?? false
  const list = useRef<HTMLUListElement>(null)
  const { data: documents, error, isPending, refetch } = useQuery(dossierQueries.documents(client, sessionId))
  const { deleteDocument, triggerOCR } = useDocumentChanges()
  const uploads = useUploadStates(sessionId)
  useSpokenUploads(uploads, announcer, texts)
  const [notice, setNotice] = useState<string>()
  const deletes = usePendingDeletes({
    send: (id, leaving) => (leaving ? client.documents.delete(id, { keepalive: true }) : deleteDocument(id)),
    failed: (name, reason) => {
      const { message, hint } = describe(reason)
      setNotice([`${name}: ${message}`, hint].filter(Boolean).join('. '))
      announcer.alert(m.saidFailed(name, message))
    },
  })

  // The list is asked again as soon as a file is stored.
  const stored = uploads.filter(isStored).length
  useEffect(() => {
    if (stored > 0) void cache.invalidateQueries({ queryKey: dossierKeys.documents(sessionId) })
  }, [stored, cache, sessionId])

  const add = (chosen: File[]) => {
    const { files, left } = pickFiles(chosen)
    for (const file of files) client.uploads.add(sessionId, file)
    setNotice(left > 0 ? m.tooMany(files.length, files.length) : undefined)
  }
  const { rootProps, isDragActive } = useDrop(add, !canWrite)

  const waiting = uploads.filter((upload) => !isStored(upload) && upload.status !== 'cancelled')
  const listed = new Set(documents?.map((document) => document.id))
  const arrived = uploads.flatMap((upload) => (upload.document && !listed.has(upload.document.id) ? [upload.document] : []))
  const rows = [...arrived.reverse(), ...(documents ?? [])].filter((document) => !deletes.pending.has(document.id))
  // A row that this window is sending is shown once, as an upload. What it sends as a form gets its id at the end.
  const ofThisWindow = ({ id, name }: Document) =>
    uploads.some((upload) => upload.documentId === id || (upload.documentId === null && upload.status === 'uploading' && upload.name === name))
  const elsewhere = rows.filter((document) => document.status === 'uploading' && !ofThisWindow(document))
  const { unfinished } = useUnfinishedUploads(sessionId, { enabled: canWrite && elsewhere.length > 0 })
  const begun = new Map(unfinished.map((upload) => [upload.id, upload]))
  // Of which nothing has arrived, there is nothing to continue.
  const shown = rows.filter((document) => document.status !== 'uploading' || (elsewhere.includes(document) && begun.get(document.id)?.offset !== 0))

  const forget = (name: string, id: string | null, how: () => void) => {
    focusNeighbour(list.current, name)
    announcer.say(m.saidRemoved(name))
    how()
    if (id !== null) forgetDocument(cache, id)
  }

  const readAgain = async (document: Document, begin: (id: string) => Promise<Document>) => {
    try {
      cacheDocument(cache, await begin(document.id))
    } catch (reason) {
      const { message, hint } = describe(reason)
      setNotice([`${document.name}: ${message}`, hint].filter(Boolean).join('. '))
    }
  }

  return (
    <section
      {...rootProps}
      className="dossier dossier-documents"
      aria-label={m.documents}
      onPaste={(event) => {
        const files = canWrite ? pastedFiles(event.clipboardData) : []
        if (files.length > 0) add(files)
      }}
    >
      <LiveRegions announcer={announcer} />
      {heading}
      {error && !documents ? (
        <Problem title={m.failedToLoad(m.documents)} error={error} onRetry={() => void refetch()} />
      ) : isPending ? (
        <Skeleton rows={3} height={46} />
      ) : waiting.length + shown.length === 0 && deletes.pending.size === 0 ? (
        <div className="dossier-empty">
          <p>{m.noDocuments}</p>
        </div>
      ) : (
        <ul ref={list} className="dossier-files">
          {waiting.map((state) => {
            const upload = client.uploads.get(state.id)
            return (
              upload && (
                <UploadRow
                  key={state.id}
                  state={state}
                  upload={upload}
                  onRemove={() => forget(state.name, state.documentId, () => client.uploads.remove(state.id))}
                />
              )
            )
          })}
          {shown.map((document) => {
            const stopped = document.status === 'uploading' ? begun.get(document.id) : undefined
            return stopped && !stopped.moves ? (
              <UnfinishedRow
                key={document.id}
                upload={stopped}
                onFile={(file) => client.uploads.add(sessionId, file, { continues: stopped.id })}
                onRemove={() => forget(stopped.name, stopped.id, () => void deleteDocument(stopped.id).catch(() => undefined))}
              />
            ) : (
              <FileRow
                key={document.id}
                name={document.name}
                size={document.size_bytes}
                state={documentState(document, texts, reading?.[document.id])}
                thumbnail={<Thumbnail document={document} />}
                open={document.id === openId}
                onOpen={onOpen && (() => onOpen(document))}
                actions={
                  <Menu label={m.actionsFor(document.name)}>
                    <button type="button" className="dossier-button" data-kind="quiet" onClick={() => void download(client.documents.content(document.id), document.name)}>
                      {m.download}
                    </button>
                    {canWrite && document.status === 'failed' && (
                      <button type="button" className="dossier-button" data-kind="quiet" onClick={() => void readAgain(document, client.documents.extract)}>
                        {m.readAgain}
                      </button>
                    )}
                    {canWrite && isReadable(document) && (
                      <button type="button" className="dossier-button" data-kind="quiet" onClick={() => void readAgain(document, triggerOCR)}>
                        {m.runOcr}
                      </button>
                    )}
                    {canWrite && (
                      <button
                        type="button"
                        className="dossier-button"
                        data-kind="quiet"
                        onClick={() => {
                          focusNeighbour(list.current, document.name)
                          deletes.add(document.id, document.name)
                          announcer.say(m.deleted(document.name))
                        }}
                      >
                        {m.delete}
                      </button>
                    )}
                  </Menu>
                }
              />
            )
          })}
        </ul>
      )}
      {[...deletes.pending].map(([id, name]) => (
        <div key={id} className="dossier-undo">
          <span>{m.deleted(name)}</span>
          <button type="button" className="dossier-button" data-kind="quiet" data-size="small" onClick={() => deletes.undo(id)}>
            {m.undo}
          </button>
        </div>
      ))}
      {notice && (
        <p className="dossier-state" data-tone="danger">
          {notice}
        </p>
      )}
      {canWrite && (
        <div className="dossier-add">
          <AddButtons onFiles={add} label={m.addFiles} />
        </div>
      )}
      {isDragActive && <div className="dossier-drag">{m.dropHere}</div>}
    </section>
  )
}

const isReadable = ({ status, media_type }: Document) => (status === 'ready' || status === 'failed') && /^(application\/pdf|image\/)/.test(media_type)

/** Saves a file under its own name. */
async function download(content: Promise<Blob>, name: string) {
  const url = URL.createObjectURL(await content)
  const link = Object.assign(document.createElement('a'), { href: url, download: name })
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

/** The first page, fetched when the row comes into view. */
function Thumbnail({ document }: { document: Document }) {
  const client = useDossierClient()
  const place = useRef<HTMLSpanElement>(null)
  const [seen, setSeen] = useState(false)
  useEffect(() => {
    if (!place.current || typeof IntersectionObserver === 'undefined') return setSeen(true)
    const observer = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && setSeen(true), { rootMargin: '200px' })
    observer.observe(place.current)
    return () => observer.disconnect()
  }, [])
  const { data } = useQuery({
    ...dossierQueries.thumbnail(client, document.id),
    enabled: seen && document.status === 'ready',
  })
  const url = useObjectUrl(data)
  return url ? <img src={url} alt="" /> : <span ref={place}>{/\.([^.]{1,4})$/.exec(document.name)?.[1]?.toUpperCase()}</span>
}
