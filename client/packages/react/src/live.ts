/** Keeps the cached data of sessions up to date with the events of the edge. */

import type { QueryClient } from '@tanstack/react-query'
import type { Context, Document, DocumentEvent, DossierClient, SessionEvent, SessionWithContext } from 'dossier-client'
import { forgetDocument } from './cache.js'
import { dossierKeys, isFinal } from './queries.js'

/** The events of one session, written into the cache while somebody subscribes. */
export interface LiveSession {
  subscribe(listener: () => void): () => void
  /** Whether events arrive, so that nothing needs to be read again and again. */
  isLive(): boolean
}

const all = new WeakMap<QueryClient, WeakMap<DossierClient, Map<string, LiveSession>>>()

/** The same for all components that show a session. */
export function liveSession(client: DossierClient, queries: QueryClient, sessionId: string): LiveSession {
  const ofQueries = all.get(queries) ?? new WeakMap<DossierClient, Map<string, LiveSession>>()
  const ofClient = ofQueries.get(client) ?? new Map<string, LiveSession>()
  const live = ofClient.get(sessionId) ?? follow(client, queries, sessionId)
  all.set(queries, ofQueries.set(client, ofClient.set(sessionId, live)))
  return live
}

function follow(client: DossierClient, queries: QueryClient, sessionId: string): LiveSession {
  const listeners = new Set<() => void>()
  let isLive = false
  let stop = () => {}
  const set = (value: boolean) => {
    if (isLive === value) return
    isLive = value
    for (const listener of [...listeners]) listener()
  }
  return {
    isLive: () => isLive,
    subscribe(listener) {
      listeners.add(listener)
      if (listeners.size === 1) {
        stop = client.events.follow(sessionId, (event) => {
          set(event.type !== 'end')
          cacheEvent(queries, sessionId, event)
        })
      }
      return () => {
        listeners.delete(listener)
        if (listeners.size > 0) return
        stop()
        isLive = false
      }
    },
  }
}

/** Reads again what is shown. A response on its way may be older than an event, and the first one cannot be replaced. */
async function readAgain(queries: QueryClient, queryKey: readonly unknown[], exact: boolean): Promise<void> {
  const query = queries.getQueryCache().find({ queryKey, exact })
  if (query?.state.data === undefined) await query?.promise?.catch(() => undefined)
  await queries.invalidateQueries({ queryKey, exact })
}

function cacheEvent(queries: QueryClient, sessionId: string, event: SessionEvent): void {
  const read = (queryKey: readonly unknown[], exact = true) => void readAgain(queries, queryKey, exact)
  const list = dossierKeys.documents(sessionId)
  switch (event.type) {
    case 'session': {
      const { reload, ...session } = event.data
      if (reload) read(list)
      const known = queries.getQueryData<SessionWithContext>(dossierKeys.session(sessionId))
      if (!known || known.updated_at === session.updated_at) return
      queries.setQueryData(dossierKeys.session(sessionId), { ...known, ...session })
      return read(dossierKeys.sessions, false)
    }
    case 'context': {
      const known = queries.getQueryData<Context>(dossierKeys.context(sessionId))
      if (!known || known.version >= event.data.version) return
      read(dossierKeys.context(sessionId))
      return read(dossierKeys.contextVersions(sessionId))
    }
    case 'document':
      if (queries.isFetching({ queryKey: list }) > 0) read(list)
      if (event.data.status === 'deleted') return forgetDocument(queries, event.data.id)
      return cacheStatus(queries, sessionId, event.data)
    case 'end':
      if (event.data.reason === 'refused') return
      if (queries.getQueryData(dossierKeys.session(sessionId))) read(dossierKeys.session(sessionId))
      return read(dossierKeys.sessions, false)
  }
}

/** Writes the state of a document at once. What the event does not say is read when the state is final. */
function cacheStatus(queries: QueryClient, sessionId: string, event: Exclude<DocumentEvent, { status: 'deleted' }>): void {
  const { page: ocr_page, pages: ocr_pages, hint: _, ...state } = event
  const differs = (document: Document | undefined) =>
    document?.updated_at !== event.updated_at || document.status !== event.status || document.ocr_page !== ocr_page
  const updated = (document: Document) => (document.id === event.id && differs(document) ? { ...document, ...state, ocr_page, ocr_pages } : document)

  const list = dossierKeys.documents(sessionId)
  const listed = queries.getQueryData<Document[]>(list)?.find(({ id }) => id === event.id)
  queries.setQueryData<Document[]>(list, (documents) => (differs(listed) ? documents?.map(updated) : documents))
  if (!listed || (isFinal(event) && differs(listed))) void readAgain(queries, list, true)

  const one = dossierKeys.document(event.id)
  const known = queries.getQueryData<Document>(one)
  if (!known) return
  queries.setQueryData<Document>(one, updated(known))
  // Its pages, too, if they are shown.
  if (isFinal(event) && differs(known)) void queries.invalidateQueries({ queryKey: one })
}
