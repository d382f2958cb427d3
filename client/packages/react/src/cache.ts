/** What changes the cached data: uploads on their way, and the results of calls. */

import type { QueryClient } from '@tanstack/react-query'
import type { Context, Document, DossierClient, SessionWithContext } from 'dossier-client'
import { dossierKeys } from './queries.js'

/** Writes the documents of uploads into the cache as they change. Returns how to stop that. */
export function followUploads(client: DossierClient, queries: QueryClient): () => void {
  const known = new Map<string, Document>()
  return client.uploads.subscribe(() => {
    for (const upload of client.uploads.list()) {
      const { document } = upload.getState()
      if (!document || known.get(upload.id) === document) continue
      known.set(upload.id, document)
      cacheDocument(queries, document)
    }
  })
}

/** Writes a document into the list of its session, at its place if it is there, and first if it is new. */
export function cacheDocument(queries: QueryClient, document: Document): void {
  queries.setQueryData(dossierKeys.document(document.id), document)
  queries.setQueryData<Document[]>(dossierKeys.documents(document.session_id), (documents) => {
    if (!documents) return documents
    const known = documents.some(({ id }) => id === document.id)
    return known ? documents.map((each) => (each.id === document.id ? document : each)) : [document, ...documents]
  })
}

/** Removes a document that was deleted. */
export function forgetDocument(queries: QueryClient, id: string): void {
  const lists = queries.getQueriesData<Document[]>({ queryKey: ['dossier', 'documents'] })
  for (const [key, documents] of lists) queries.setQueryData(key, documents?.filter((document) => document.id !== id))
  queries.removeQueries({ queryKey: dossierKeys.document(id) })
}

/** Writes a session with its context into the cache. The lists are read again. */
export function cacheSession(queries: QueryClient, session: SessionWithContext): void {
  queries.setQueryData(dossierKeys.session(session.id), session)
  if (session.context) queries.setQueryData(dossierKeys.context(session.id), session.context)
  void queries.invalidateQueries({ queryKey: dossierKeys.sessions })
}

/** Writes a context that was saved, or read, into the cache. */
export function cacheContext(queries: QueryClient, sessionId: string, context: Context): void {
  queries.setQueryData<Context>(dossierKeys.context(sessionId), (known) => (known && known.version > context.version ? known : context))
  queries.setQueryData<SessionWithContext>(dossierKeys.session(sessionId), (session) => session && { ...session, context })
  void queries.invalidateQueries({ queryKey: dossierKeys.contextVersions(sessionId) })
}
