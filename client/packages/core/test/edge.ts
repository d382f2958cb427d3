/** A stand-in for the edge: `fetch` for one client, with the responses that a test scripts. */

export interface Seen {
  method: string
  path: string
  query: URLSearchParams
  headers: Headers
  body: unknown
  token: string | null
  signal: AbortSignal | undefined
}

export type Handler = (request: Seen) => Response | Promise<Response>

/** Handlers by `METHOD /path`. `*` takes what no other does. */
export function edge(handlers: Record<string, Handler>) {
  const seen: Seen[] = []
  const fetch: typeof globalThis.fetch = async (input, init = {}) => {
    const url = new URL(String(input))
    const headers = new Headers(init.headers)
    const request: Seen = {
      method: init.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      headers,
      body: typeof init.body === 'string' ? JSON.parse(init.body) : init.body,
      token: headers.get('authorization')?.replace(/^Bearer /, '') ?? null,
      signal: init.signal ?? undefined,
    }
    init.signal?.throwIfAborted()
    seen.push(request)
    const handler = handlers[`${request.method} ${request.path}`] ?? handlers['*']
    if (!handler) throw new Error(`no handler for ${request.method} ${request.path}`)
    const { promise: aborted, fail } = gate<never>()
    const abort = () => fail(init.signal?.reason)
    init.signal?.addEventListener('abort', abort, { once: true })
    return Promise.race([Promise.resolve(request).then(handler), aborted]).finally(() => init.signal?.removeEventListener('abort', abort))
  }
  return { fetch, seen, url: 'https://edge.example' }
}

export const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } })

export const problem = (status: number, code: string, more: Record<string, unknown> = {}, headers: Record<string, string> = {}) =>
  json({ code, message: `Message of ${code}`, details: null, hint: `Hint of ${code}`, ...more }, status, headers)

/** A promise with its ends. */
export function gate<Value = void>() {
  let open!: (value: Value) => void
  let fail!: (error: unknown) => void
  const promise = new Promise<Value>((resolve, reject) => {
    open = resolve
    fail = reject
  })
  return { promise, open, fail }
}

export function document(more: Record<string, unknown> = {}) {
  return {
    id: '0190a0c0-0000-7000-8000-000000000001',
    session_id: 'session-1',
    organization_id: 'organization-1',
    name: 'report.pdf',
    media_type: 'application/pdf',
    size_bytes: 5,
    sha256: 'aa',
    status: 'stored',
    error_code: null,
    error_message: null,
    page_count: null,
    token_count: null,
    ocr_status: 'none',
    ocr_page: null,
    ocr_pages: null,
    language: null,
    metadata: {},
    file_metadata: {},
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00Z',
    ...more,
  }
}
