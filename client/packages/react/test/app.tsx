/** A stand-in for the edge that remembers, and a page of React around the hooks. */

import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { renderHook } from '@testing-library/react'
import { createDossierClient } from 'dossier-client'
import { DossierProvider } from 'dossier-react'
import type { ReactNode } from 'react'
import { document, edge, json, problem, type Handler } from '../../core/test/edge.ts'

interface StoredSession {
  id: string
  organization_id: string
  title: string | null
  conversation_type: string
}

interface StoredContext {
  text_context: string
  context_metadata: Record<string, unknown>
  version: number
  updated_at: string | null
  updated_by: string | null
}

type Body = Record<string, unknown>

/** An edge with sessions, contexts and documents. `handlers` replace its own. */
export function memoryEdge(handlers: Record<string, Handler> = {}) {
  const sessions: StoredSession[] = []
  const trash: StoredSession[] = []
  const contexts = new Map<string, StoredContext>()
  const documents: ReturnType<typeof document>[] = []
  const empty: StoredContext = { text_context: '', context_metadata: {}, version: 0, updated_at: null, updated_by: null }
  const withContext = (session: StoredSession) => ({ ...session, context: contexts.get(session.id) ?? null })

  const own: Record<string, Handler> = {
    'GET /api/sessions': ({ query }) => json({ sessions: query.get('deleted') ? trash : [...sessions].reverse(), next: null }),
    'POST /api/sessions': ({ body }) => {
      const { title, conversation_type, context } = body as { title?: string; conversation_type?: string; context?: Body }
      const session = { id: `session-${sessions.length + 1}`, organization_id: 'organization-1', title: title ?? null, conversation_type: conversation_type ?? 'meeting' }
      sessions.push(session)
      if (context) {
        contexts.set(session.id, {
          ...empty,
          text_context: String(context.text ?? context.text_context ?? ''),
          context_metadata: (context.metadata ?? context.context_metadata ?? {}) as Record<string, unknown>,
          version: 1,
        })
      }
      return json(withContext(session), 201)
    },
    'GET /api/organizations/organization-1': () => json({ id: 'organization-1', name: 'Acme', role: 'member', created_at: null, updated_at: null }),
    'POST /api/uploads/explain': () => json({ allowed: true, checks: [] }),
    'POST /api/documents': ({ body }) => {
      const form = body as FormData
      const stored = document({
        id: `document-${documents.length + 1}`,
        session_id: form.get('session_id'),
        name: (form.get('file') as File).name,
        status: 'ready',
        page_count: 1,
      })
      documents.unshift(stored)
      return json({ documents: [stored] }, 201)
    },
    'GET /api/documents': ({ query }) => json({ documents: documents.filter(({ session_id }) => session_id === query.get('session_id')), next: null }),
    '*': ({ method, path, body }) => {
      const [, , kind, id = '', part] = path.split('/')
      if (kind === 'documents') {
        const found = documents.find((each) => each.id === id)
        if (!found) return problem(404, 'PT404', { message: 'Document not found' })
        if (method === 'DELETE') {
          documents.splice(documents.indexOf(found), 1)
          return new Response(null, { status: 204 })
        }
        return part === 'ocr' ? json({ ...found, status: 'stored' }, 202) : json(found)
      }
      const session = sessions.find((each) => each.id === id) ?? trash.find((each) => each.id === id)
      if (!session) return problem(404, 'PT404', { message: 'Session not found' })
      if (part === 'context') {
        const current = contexts.get(id) ?? empty
        if (method === 'GET') return json(current)
        const { expected_version, ...changes } = body as Partial<StoredContext> & { expected_version?: number }
        if (expected_version !== undefined && expected_version !== current.version) {
          return problem(409, 'PT409', { details: JSON.stringify({ current_version: current.version, expected_version }) })
        }
        const saved = { ...current, ...changes, version: current.version + 1 }
        contexts.set(id, saved)
        return json(saved)
      }
      if (part === 'restore') {
        trash.splice(trash.indexOf(session), 1)
        sessions.push(session)
        return json(withContext(session))
      }
      if (method === 'DELETE') {
        sessions.splice(sessions.indexOf(session), 1)
        trash.push(session)
        return new Response(null, { status: 204 })
      }
      if (method === 'PATCH') Object.assign(session, body)
      return json(withContext(session))
    },
  }
  const stand = edge({ ...own, ...handlers })
  // The files of jsdom cannot be digested by the crypto of Node. The tests of the core cover duplicates.
  const uploads = { findDuplicates: false }
  return { ...stand, contexts, documents, client: createDossierClient({ url: stand.url, fetch: stand.fetch, getToken: () => 'token', uploads }) }
}

/** Renders a hook inside a provider. */
export function renderWith<Result>(stand: ReturnType<typeof memoryEdge>, hook: () => Result) {
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: Infinity } } })
  const wrapper = ({ children }: { children: ReactNode }) => (
    <QueryClientProvider client={queries}>
      <DossierProvider client={stand.client}>{children}</DossierProvider>
    </QueryClientProvider>
  )
  return { ...renderHook(hook, { wrapper }), queries }
}
