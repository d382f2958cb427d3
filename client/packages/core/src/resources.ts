/** The calls of the API. Each is one request. */

import type { Contexts, Documents, ExportOptions, ImportOptions, Organizations, Sessions } from './client.js'
import { DossierError } from './errors.js'
import type { Http, HttpRequest } from './http.js'
import type {
  Context, Document, DocumentPage, DocumentUrls, Imported, Pack, PackOptions, Page, PlannedUpload, SearchQuery, SearchResult, SessionWithContext,
  UnfinishedUpload, UploadExplanation,
} from './types.js'
import type { DocumentWatch } from './uploads/watch.js'
import { sleep } from './wait.js'

/** How often a thumbnail that is being made is requested again. */
const MOST_THUMBNAIL_REQUESTS = 30

const segment = encodeURIComponent

export const sessions = (http: Http): Sessions => {
  const one = (id: string) => `/api/sessions/${segment(id)}`
  const request = <Body>(path: string, options: HttpRequest) => http.json<Body>(path, options)
  return {
    create: (session = {}, { signal } = {}) => request('/api/sessions', { method: 'POST', json: session, signal }),
    get: (id, { signal } = {}) => request<SessionWithContext>(one(id), { signal }),
    list: ({ signal, organization_id, status, conversation_type, limit, after } = {}) =>
      list(http, '/api/sessions', 'sessions', { query: { organization_id, status, conversation_type, limit, after }, signal }),
    update: (id, changes, { signal } = {}) => request(one(id), { method: 'PATCH', json: changes, signal }),
    delete: async (id, { permanently, keepalive, signal } = {}) => {
      await http.send(one(id), { method: 'DELETE', query: { permanently }, keepalive, signal })
    },
    listDeleted: ({ limit, after, signal } = {}) => list(http, '/api/sessions', 'sessions', { query: { deleted: true, limit, after }, signal }),
    restore: (id, { signal } = {}) => request(`${one(id)}/restore`, { method: 'POST', signal }),
  }
}

export const contexts = (http: Http): Contexts => {
  const of = (sessionId: string) => `/api/sessions/${segment(sessionId)}/context`
  return {
    get: (id, { signal } = {}) => http.json<Context>(of(id), { signal }),
    save: (id, changes, { signal } = {}) => http.json(of(id), { method: 'POST', json: changes, signal }),
    versions: (id, { limit, after, signal } = {}) => list(http, `${of(id)}/versions`, 'versions', { query: { limit, after }, signal }),
    version: (id, version, { signal } = {}) => http.json(`${of(id)}/versions/${version}`, { signal }),
    diff: (id, { from, to, context_lines, signal }) => http.json(`${of(id)}/diff`, { query: { from, to, context_lines }, signal }),
    saveMany: async (items, { signal } = {}) =>
      (await http.json<{ contexts: (Context & { session_id: string })[] }>('/api/contexts', { method: 'POST', json: { items }, signal })).contexts,
    restore: (id, version, { expected_version, signal } = {}) =>
      http.json(`${of(id)}/restore`, { method: 'POST', json: { version, expected_version }, signal }),
  }
}

export const documents = (http: Http, watch: DocumentWatch): Documents => {
  const one = (id: string) => `/api/documents/${segment(id)}`
  return {
    get: (id, { signal } = {}) => http.json<Document>(one(id), { signal }),
    list: (sessionId, { limit, after, signal } = {}) =>
      list(http, '/api/documents', 'documents', { query: { session_id: sessionId, limit, after }, signal }),
    update: (id, changes, { signal } = {}) => http.json(one(id), { method: 'PATCH', json: changes, signal }),
    delete: async (id, { keepalive, signal } = {}) => {
      await http.send(one(id), { method: 'DELETE', keepalive, signal })
    },
    known: (sessionId, sha256, { signal } = {}) => known(http, sessionId, sha256, signal),
    urls: async (id, { expires_in, signal } = {}) => {
      const urls = await http.json<DocumentUrls>(`${one(id)}/urls`, { method: 'POST', json: { expires_in }, signal })
      return { ...urls, content: http.absolute(urls.content), thumbnail: http.absolute(urls.thumbnail) }
    },
    pages: (id, { limit, after, signal } = {}) => list<DocumentPage, number>(http, `${one(id)}/pages`, 'pages', { query: { limit, after }, signal }),
    page: (id, page, { query, signal } = {}) => http.json<DocumentPage>(`${one(id)}/pages/${page}`, { query: { q: query || undefined }, signal }),
    content: (id, { signal } = {}) => http.blob(`${one(id)}/content`, { signal }),
    thumbnail: (id, { signal } = {}) => thumbnail(http, `${one(id)}/thumbnail`, signal),
    extract: (id, { signal, ...extraction } = {}) => http.json(`${one(id)}/extract`, { method: 'POST', json: extraction, signal }),
    ocr: (id, { signal } = {}) => http.json(`${one(id)}/ocr`, { method: 'POST', signal }),
    whenFinal: async (id, { signal } = {}) => {
      const document = await http.json<Document>(one(id), { signal })
      return watch.follow(document, () => undefined, { signal })
    },
  }
}

async function known(http: Http, sessionId: string, sha256: readonly string[], signal: AbortSignal | undefined): Promise<Document[]> {
  const json = { session_id: sessionId, sha256 }
  return (await http.json<{ documents: Document[] }>('/api/documents/known', { method: 'POST', json, signal })).documents
}

async function thumbnail(http: Http, path: string, signal: AbortSignal | undefined): Promise<Blob | null> {
  for (let requests = 1; ; requests++) {
    try {
      return await http.blob(path, { signal })
    } catch (error) {
      if (!(error instanceof DossierError) || error.status !== 404) throw error
      if (error.retryAfter === null || requests === MOST_THUMBNAIL_REQUESTS) return null
      await sleep(error.retryAfter * 1000, signal)
    }
  }
}

export const organizations = (http: Http): Organizations => {
  const one = (id: string) => `/api/organizations/${segment(id)}`
  const member = (id: string, userId: string) => `${one(id)}/members/${segment(userId)}`
  return {
    list: ({ limit, after, signal } = {}) => list(http, '/api/organizations', 'organizations', { query: { limit, after }, signal }),
    get: (id, { signal } = {}) => http.json(one(id), { signal }),
    create: (name, { signal } = {}) => http.json('/api/organizations', { method: 'POST', json: { name }, signal }),
    rename: (id, name, { signal } = {}) => http.json(one(id), { method: 'PATCH', json: { name }, signal }),
    erase: (id, { signal } = {}) => http.json(one(id), { method: 'DELETE', signal }),
    usage: (id, { signal } = {}) => http.json(`${one(id)}/usage`, { signal }),
    members: (id, { limit, after, signal } = {}) => list(http, `${one(id)}/members`, 'members', { query: { limit, after }, signal }),
    addMember: (id, userId, role, { signal } = {}) => http.json(`${one(id)}/members`, { method: 'POST', json: { user_id: userId, role }, signal }),
    setRole: (id, userId, role, { signal } = {}) => http.json(member(id, userId), { method: 'PATCH', json: { role }, signal }),
    removeMember: async (id, userId, { signal } = {}) => {
      await http.send(member(id, userId), { method: 'DELETE', signal })
    },
  }
}

export function explain(http: Http, { signal, ...planned }: PlannedUpload): Promise<UploadExplanation> {
  return http.json('/api/uploads/explain', { method: 'POST', json: planned, signal })
}

export function search(http: Http, { signal, ...query }: SearchQuery): Promise<Page<SearchResult>> {
  return list(http, '/api/search', 'results', { method: 'POST', json: query, signal })
}

export function pack(http: Http, sessionId: string, { signal, ...options }: PackOptions = {}): Promise<Pack> {
  return http.json(`/api/sessions/${segment(sessionId)}/pack`, { method: 'POST', json: options, signal })
}

export function exportSessions(http: Http, { session_id, format, include_bytes, signal }: ExportOptions): Promise<Blob> {
  const query = { format: format ?? 'json', include_bytes }
  // Only the path of a single session has Word documents.
  if (typeof session_id === 'string') return http.blob(`/api/sessions/${segment(session_id)}/export`, { query, signal })
  return http.blob('/api/export', { query: { ...query, session_id }, signal })
}

export function importSessions(http: Http, bundle: Blob | string, { organization_id, keep_ids, signal }: ImportOptions): Promise<Imported> {
  // Without a type of the bundle, the edge detects it.
  const headers = { 'content-type': (typeof bundle === 'string' ? '' : bundle.type) || 'application/octet-stream' }
  return http.json('/api/import', { method: 'POST', query: { organization_id, keep_ids }, body: bundle, headers, signal })
}

/** The uploads that this user began and nobody finished, newest first. */
export async function unfinished(http: Http, sessionId: string | undefined, signal: AbortSignal | undefined): Promise<UnfinishedUpload[]> {
  const query = { session_id: sessionId, limit: 200 }
  return (await http.json<{ uploads: UnfinishedUpload[] }>('/api/uploads', { query, signal })).uploads
}

/** A page of a list, whose rows have a name of their own in the response. */
async function list<Row, Cursor = string>(http: Http, path: string, key: string, request: HttpRequest): Promise<Page<Row, Cursor>> {
  const body = await http.json<Record<string, unknown>>(path, request)
  return { rows: body[key] as Row[], next: (body.next ?? null) as Cursor | null }
}
