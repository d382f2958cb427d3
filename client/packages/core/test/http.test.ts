import { ConflictError, ConnectionError, createDossierClient, DossierError, SignedOutError } from 'dossier-client'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { edge, gate, json, problem, type Handler } from './edge.ts'

function client(handlers: Record<string, Handler>, getToken: (why: { rejected: string | null }) => string | null = () => 'token-1') {
  const stand = edge(handlers)
  const asked = vi.fn(getToken)
  return { dossier: createDossierClient({ url: `${stand.url}/`, fetch: stand.fetch, getToken: asked }), seen: stand.seen, asked }
}

const caught = (promise: Promise<unknown>) => promise.then(() => { throw new Error('it succeeded') }, (error: unknown) => error)

afterEach(() => vi.useRealTimers())

describe('requests', () => {
  test('a session is created as it was given, with the token of the user', async () => {
    const { dossier, seen } = client({ 'POST /api/sessions': () => json({ id: 'session-1', title: 'First call' }, 201) })
    const given = { title: 'First call', conversation_type: 'sales_call', context: { text: 'Hello', metadata: { stage: 1 } } }
    const session = await dossier.sessions.create(given)
    expect(session.id).toBe('session-1')
    expect(seen).toHaveLength(1)
    expect(seen[0]).toMatchObject({ body: given, token: 'token-1' })
    expect(seen[0]?.headers.get('content-type')).toBe('application/json')
  })

  test('a list has rows and the cursor of the next page', async () => {
    const { dossier, seen } = client({ 'GET /api/documents': () => json({ documents: [{ id: 'a' }], next: '5.b' }) })
    const page = await dossier.documents.list('session 1', { limit: 1, after: '6.a' })
    expect(page).toEqual({ rows: [{ id: 'a' }], next: '5.b' })
    expect(Object.fromEntries(seen[0]!.query)).toEqual({ session_id: 'session 1', limit: '1', after: '6.a' })
  })

  test('an id cannot leave its place in the path', async () => {
    const { dossier, seen } = client({ '*': () => json({}) })
    await dossier.sessions.get('../documents?x=1')
    expect(seen[0]?.path).toBe('/api/sessions/..%2Fdocuments%3Fx%3D1')
  })

  test('without a user no token is sent', async () => {
    const { dossier, seen } = client({ 'GET /api/sessions': () => json({ sessions: [], next: null }) }, () => null)
    await dossier.sessions.list()
    expect(seen[0]?.headers.has('authorization')).toBe(false)
  })

  test('the exported sessions are repeated in the query, and one of them has a path', async () => {
    const { dossier, seen } = client({ '*': () => new Response('bundle') })
    expect(await (await dossier.export({ session_id: ['a', 'b'], format: 'zip' })).text()).toBe('bundle')
    await dossier.export({ session_id: 'a', format: 'docx' })
    expect(seen.map(({ path, query }) => `${path}?${query}`)).toEqual([
      '/api/export?format=zip&session_id=a&session_id=b',
      '/api/sessions/a/export?format=docx',
    ])
  })

  test('Supabase is asked for its session and for nothing else', async () => {
    const stand = edge({ 'GET /api/sessions': () => json({ sessions: [], next: null }) })
    const auth = { getSession: vi.fn(async () => ({ data: { session: { access_token: 'from supabase' } } })) }
    const refuse = new Proxy(auth, {
      get(target, name) {
        if (name in target) return target[name as 'getSession']
        throw new Error(`auth.${String(name)} was used`)
      },
    })
    await createDossierClient({ url: stand.url, fetch: stand.fetch, supabase: { auth: refuse } }).sessions.list()
    expect(stand.seen[0]?.token).toBe('from supabase')
    expect(auth.getSession).toHaveBeenCalledTimes(1)
  })
})

describe('errors', () => {
  test("the server's words arrive unchanged", async () => {
    const { dossier } = client({
      '*': () => problem(403, '42501', { message: 'You are a viewer', details: 'A detail.', hint: 'Ask an admin.' }, { 'x-request-id': 'r-1' }),
    })
    const error = await caught(dossier.sessions.create())
    expect(error).toBeInstanceOf(DossierError)
    expect(error).toMatchObject({
      name: 'DossierError', status: 403, code: '42501', message: 'You are a viewer', details: 'A detail.', hint: 'Ask an admin.', requestId: 'r-1',
    })
  })

  test('a conflict has both versions', async () => {
    const { dossier } = client({
      'POST /api/sessions/s/context': () => problem(409, 'PT409', { details: '{"current_version": 3, "expected_version": 2}' }),
    })
    const error = await caught(dossier.context.save('s', { text_context: 'mine', expected_version: 2 }))
    expect(error).toBeInstanceOf(ConflictError)
    expect(error).toMatchObject({ currentVersion: 3, expectedVersion: 2, code: 'PT409' })
  })

  test('a conflict of another kind is an ordinary error', async () => {
    const { dossier } = client({ '*': () => problem(409, 'PT409', { details: 'The document is still being uploaded.' }) })
    const error = await caught(dossier.documents.content('d'))
    expect(error).toBeInstanceOf(DossierError)
    expect(error).not.toBeInstanceOf(ConflictError)
  })

  test('the page of a proxy is not shown as if it were ours', async () => {
    const { dossier } = client({ '*': () => new Response('<html>Bad gateway</html>', { status: 502 }) })
    const error = await caught(dossier.sessions.get('s'))
    expect(error).toMatchObject({ status: 502, code: 'PT502' })
    expect(String(error)).not.toContain('<html>')
  })

  test('a success that is not JSON is an error, too', async () => {
    const { dossier } = client({ '*': () => new Response('<html>Sign in</html>', { status: 200 }) })
    expect(await caught(dossier.sessions.get('s'))).toMatchObject({ name: 'DossierError', status: 200 })
  })

  test('a network that fails and a server that refuses are different errors', async () => {
    const { dossier } = client({ '*': () => { throw new TypeError('fetch failed') } })
    const error = await caught(dossier.sessions.get('s'))
    expect(error).toBeInstanceOf(ConnectionError)
    expect(error).toMatchObject({ status: 0, cause: expect.any(TypeError) })
  })

  test('an aborted call rejects with the reason of the signal', async () => {
    const reason = new Error('left the page')
    const control = new AbortController()
    const { dossier } = client({ '*': () => gate<Response>().promise })
    const call = caught(dossier.sessions.get('s', { signal: control.signal }))
    control.abort(reason)
    expect(await call).toBe(reason)
    expect(await caught(dossier.sessions.get('s', { signal: control.signal }))).toBe(reason)
  })
})

describe('tokens', () => {
  test('one question serves all requests that were refused with the same token', async () => {
    const allRefused = gate()
    let refused = 0
    const { dossier, seen, asked } = client(
      {
        '*': async ({ token, path }) => {
          if (token === 'new') return json({ id: path })
          refused += 1
          if (refused === 5) allRefused.open()
          await allRefused.promise
          return problem(401, 'PT401')
        },
      },
      ({ rejected }) => (rejected === 'old' ? 'new' : 'old'),
    )
    const sessions = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((id) => dossier.sessions.get(id)))
    expect(sessions.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd', 'e'].map((id) => `/api/sessions/${id}`))
    expect(asked.mock.calls.filter(([why]) => why.rejected === 'old')).toHaveLength(1)
    expect(seen).toHaveLength(10)
  })

  test('a request that is refused after the renewal uses the new token without another question', async () => {
    const late = gate()
    let current = 'old'
    const { dossier, asked } = client(
      {
        'GET /api/sessions/early': ({ token }) => (token === 'new' ? json({}) : problem(401, 'PT401')),
        'GET /api/sessions/late': async ({ token }) => {
          if (token === 'new') return json({ id: 'late' })
          await late.promise
          return problem(401, 'PT401')
        },
      },
      ({ rejected }) => {
        if (rejected === 'old') current = 'new'
        return current
      },
    )
    const slow = dossier.sessions.get('late')
    await dossier.sessions.get('early')
    late.open()
    expect((await slow).id).toBe('late')
    expect(asked.mock.calls.filter(([why]) => why.rejected !== null)).toHaveLength(1)
  })

  test('the same token again means that the user is signed out', async () => {
    const { dossier, seen } = client({ '*': () => problem(401, 'PT401', { message: 'The token has expired' }) }, () => 'old')
    const error = await caught(dossier.sessions.get('s'))
    expect(error).toBeInstanceOf(SignedOutError)
    expect(error).toMatchObject({ status: 401, message: 'The token has expired' })
    expect(seen).toHaveLength(1)
  })

  test('a new user is seen by the next request', async () => {
    let user = 'anna'
    const { dossier, seen } = client({ '*': () => json({}) }, () => user)
    await dossier.sessions.get('s')
    user = 'ben'
    await dossier.sessions.get('s')
    expect(seen.map(({ token }) => token)).toEqual(['anna', 'ben'])
  })
})

describe('Retry-After', () => {
  test('a short wait is waited', async () => {
    vi.useFakeTimers()
    let requests = 0
    const { dossier } = client({ '*': () => (++requests === 1 ? problem(503, 'PT503', {}, { 'retry-after': '2' }) : json({ id: 's' })) })
    const call = dossier.sessions.create({ title: 'x' })
    await vi.advanceTimersByTimeAsync(1_999)
    expect(requests).toBe(1)
    await vi.advanceTimersByTimeAsync(1)
    expect((await call).id).toBe('s')
    expect(requests).toBe(2)
  })

  test('a long one is for the caller', async () => {
    const { dossier, seen } = client({ '*': () => problem(429, 'PT429', {}, { 'retry-after': '3600' }) })
    expect(await caught(dossier.sessions.get('s'))).toMatchObject({ status: 429, retryAfter: 3600 })
    expect(seen).toHaveLength(1)
  })

  test('a failure without it is not repeated, since the server may have acted', async () => {
    const { dossier, seen } = client({ '*': () => problem(500, 'PT500') })
    expect(await caught(dossier.sessions.create())).toMatchObject({ status: 500 })
    expect(seen).toHaveLength(1)
  })

  test('a thumbnail that is being made is waited for; one that never will be is null', async () => {
    vi.useFakeTimers()
    let requests = 0
    const { dossier } = client({
      'GET /api/documents/soon/thumbnail': () => (++requests < 3 ? problem(404, 'PT404', {}, { 'retry-after': '2' }) : new Response('image')),
      'GET /api/documents/never/thumbnail': () => problem(404, 'PT404'),
    })
    const soon = dossier.documents.thumbnail('soon')
    await vi.advanceTimersByTimeAsync(4_000)
    expect(await (await soon)?.text()).toBe('image')
    expect(await dossier.documents.thumbnail('never')).toBeNull()
  })
})
