import { createDossierClient, type SessionEvent } from 'dossier-client'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { document, edge, gate, json, problem, type Handler } from './edge.ts'
import { block, streams } from './streams.ts'

const path = 'GET /api/sessions/session-1/events'
const session = (more: Record<string, unknown> = {}) => ({ id: 'session-1', title: 'First call', ...more })
const begun = (id: string, more: Record<string, unknown> = {}) => block('session', session({ reload: true, ...more }), id)

function client(handlers: Record<string, Handler>, getToken = () => 'token-1') {
  const stand = edge(handlers)
  return { ...stand, dossier: createDossierClient({ url: stand.url, fetch: stand.fetch, getToken }) }
}

/** Follows a session and remembers what it hears. */
function hear({ dossier }: ReturnType<typeof client>, sessionId = 'session-1') {
  const events: SessionEvent[] = []
  const stop = dossier.events.follow(sessionId, (event) => events.push(event))
  return { events, stop, of: (type: SessionEvent['type']) => events.filter((event) => event.type === type).map(({ data }) => data) }
}

beforeEach(() => { vi.useFakeTimers({ shouldAdvanceTime: true }) })
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('a stream', () => {
  test('its events arrive as they were sent, however the network cuts them', async () => {
    const { open, handler } = streams()
    const heard = hear(client({ [path]: handler }))
    await vi.waitFor(() => expect(open).toHaveLength(1))
    expect(open[0]!.seen.headers.get('accept')).toBe('text/event-stream')
    expect(open[0]!.seen.headers.has('last-event-id')).toBe(false)
    const bytes = new TextEncoder().encode(begun('1') + ':\n\n' + block('document', { id: 'd', name: 'Größe.pdf', status: 'stored' }).replaceAll('\n', '\r\n'))
    for (const byte of bytes) open[0]!.send(Uint8Array.of(byte))
    await vi.waitFor(() => expect(heard.events).toHaveLength(2))
    expect(heard.events[0]).toEqual({ type: 'session', data: session({ reload: true }) })
    expect(heard.events[1]).toEqual({ type: 'document', data: { id: 'd', name: 'Größe.pdf', status: 'stored' } })
    open[0]!.send(block('document', { id: 'd', name: 'Größe.pdf', status: 'stored' }) + block('upload', { document_id: 'd', received: 1, size: null }))
    await vi.waitFor(() => expect(heard.of('upload')).toHaveLength(1))
    expect(heard.of('document'), 'what is known is not told again').toHaveLength(1)
    heard.stop()
    await vi.waitFor(() => expect(open[0]!.seen.signal?.aborted).toBe(true))
  })

  test('it resumes where it broke, after the pause that the edge asked for', async () => {
    const { open, handler } = streams()
    const heard = hear(client({ [path]: handler }))
    await vi.waitFor(() => expect(open).toHaveLength(1))
    open[0]!.send(begun('1'))
    await vi.waitFor(() => expect(heard.events).toHaveLength(1))
    open[0]!.fail()
    await vi.waitFor(() => expect(open).toHaveLength(2), { timeout: 5000 })
    expect(open[1]!.seen.headers.get('last-event-id')).toBe('1')
    open[1]!.send(block('context', { version: 2, updated_by: 'a', updated_at: 'now' }, '2'))
    open[1]!.send(`retry: 3000\n${block('end', { reason: 'restarting', message: 'This edge is stopping', hint: null })}`)
    open[1]!.close()
    await vi.waitFor(() => expect(heard.of('context')).toHaveLength(1))
    await vi.advanceTimersByTimeAsync(2000)
    expect(open).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(1500)
    await vi.waitFor(() => expect(open).toHaveLength(3))
    expect(open[2]!.seen.headers.get('last-event-id')).toBe('2')
    expect(heard.of('end')).toEqual([])
    heard.stop()
  })

  test('after the end of its token it continues with the next', async () => {
    const { open, handler } = streams()
    let token = 'old'
    const heard = hear(client({ [path]: handler }, () => token))
    await vi.waitFor(() => expect(open).toHaveLength(1))
    token = 'new'
    open[0]!.send(begun('1') + block('end', { reason: 'expired', message: 'The token has expired', hint: null }))
    open[0]!.close()
    await vi.waitFor(() => expect(open).toHaveLength(2), { timeout: 5000 })
    expect(open.map(({ seen }) => seen.token)).toEqual(['old', 'new'])
    heard.stop()
  })

  test('a dead connection is replaced once not even a comment arrives', async () => {
    const { open, handler } = streams()
    const heard = hear(client({ [path]: handler }))
    await vi.waitFor(() => expect(open).toHaveLength(1))
    open[0]!.send(begun('1'))
    await vi.waitFor(() => expect(heard.events).toHaveLength(1))
    for (let n = 0; n < 4; n++) {
      await vi.advanceTimersByTimeAsync(15_000)
      open[0]!.send(':\n\n')
    }
    await vi.advanceTimersByTimeAsync(30_000)
    expect(open).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(15_000)
    await vi.waitFor(() => expect(open).toHaveLength(2))
    expect(open[1]!.seen.headers.get('accept')).toBe('text/event-stream')
    heard.stop()
  })

  test('the end of the session, or of the membership, is an event, and nothing follows', async () => {
    for (const reason of ['deleted', 'removed']) {
      const { open, handler } = streams()
      const heard = hear(client({ [path]: handler }))
      await vi.waitFor(() => expect(open).toHaveLength(1))
      open[0]!.send(begun('1') + block('end', { reason, message: 'Gone', hint: 'Ask' }))
      await vi.waitFor(() => expect(heard.of('end')).toEqual([{ reason, message: 'Gone', hint: 'Ask' }]))
      await vi.advanceTimersByTimeAsync(60_000)
      expect(open).toHaveLength(1)
    }
  })

  test('a refusal ends it in the words of the edge', async () => {
    const stand = client({ [path]: () => problem(404, 'PT404', { message: 'Session not found' }) })
    const heard = hear(stand)
    await vi.waitFor(() => expect(heard.of('end')).toMatchObject([{ reason: 'refused', message: 'Session not found' }]))
    await vi.advanceTimersByTimeAsync(60_000)
    expect(stand.seen).toHaveLength(1)
  })

  test('a server that fails is asked again, and less and less often', async () => {
    const { open, handler } = streams()
    let failures = 0
    const stand = client({ [path]: (seen) => (failures++ < 4 ? new Response('', { status: 502 }) : handler(seen)) })
    const heard = hear(stand)
    await vi.advanceTimersByTimeAsync(5000)
    expect(stand.seen.length).toBeLessThan(5)
    await vi.advanceTimersByTimeAsync(30_000)
    expect(open.length).toBeGreaterThan(0)
    heard.stop()
  })
})

describe('one connection for a client', () => {
  test('listeners of a session share a stream, and one that comes later is asked to read', async () => {
    const { open, handler } = streams()
    const stand = client({ [path]: handler })
    const one = hear(stand)
    await vi.waitFor(() => expect(open).toHaveLength(1))
    open[0]!.send(begun('1') + block('session', session({ reload: false, title: 'Renamed' }), '2'))
    await vi.waitFor(() => expect(one.events).toHaveLength(2))
    const other = hear(stand)
    expect(other.events).toEqual([{ type: 'session', data: session({ reload: true, title: 'Renamed' }) }])
    one.stop()
    open[0]!.send(block('upload', { document_id: 'd', received: 1, size: 2 }))
    await vi.waitFor(() => expect(other.of('upload')).toHaveLength(1))
    expect(open).toHaveLength(1)
    expect(one.of('upload')).toEqual([])
    other.stop()
  })

  test('the session that was followed last is streamed, and the others are polled', async () => {
    const { open, handler } = streams()
    const changes = { id: '7', reload: false, session: session(), context: null, documents: [], uploads: [] }
    const either: Handler = (seen) => (seen.headers.get('accept') === 'application/json' ? json(changes) : handler(seen))
    const stand = client({ [path]: either, 'GET /api/sessions/session-2/events': either })
    const first = hear(stand)
    await vi.waitFor(() => expect(open).toHaveLength(1))
    open[0]!.send(begun('1'))
    await vi.waitFor(() => expect(first.events).toHaveLength(1))
    const second = hear(stand, 'session-2')
    await vi.waitFor(() => expect(open).toHaveLength(2))
    expect(open[0]!.seen.signal?.aborted).toBe(true)
    const polls = () => stand.seen.filter(({ headers }) => headers.get('accept') === 'application/json')
    await vi.waitFor(() => expect(polls().length).toBeGreaterThan(0))
    expect(polls()[0]).toMatchObject({ path: '/api/sessions/session-1/events' })
    expect(polls()[0]!.headers.get('last-event-id')).toBe('1')
    second.stop()
    await vi.waitFor(() => expect(open).toHaveLength(3))
    expect(open[2]!.seen.path).toBe('/api/sessions/session-1/events')
    expect(open[2]!.seen.headers.get('last-event-id')).toBe('7')
    first.stop()
  })

  test('a page that nobody sees holds no connection', async () => {
    const page = Object.assign(new EventTarget(), { visibilityState: 'visible' })
    vi.stubGlobal('document', page)
    const { open, handler } = streams()
    const changes = { id: '2', reload: false, session: session(), context: null, documents: [], uploads: [] }
    const stand = client({ [path]: (seen) => (seen.headers.get('accept') === 'application/json' ? json(changes) : handler(seen)) })
    const heard = hear(stand)
    await vi.waitFor(() => expect(open).toHaveLength(1))
    const show = (visibilityState: string) => {
      page.visibilityState = visibilityState
      page.dispatchEvent(new Event('visibilitychange'))
    }
    show('hidden')
    expect(open[0]!.seen.signal?.aborted).toBe(true)
    await vi.waitFor(() => expect(stand.seen.at(-1)!.headers.get('accept')).toBe('application/json'))
    show('visible')
    await vi.waitFor(() => expect(open).toHaveLength(2))
    heard.stop()
  })
})

describe('without a stream', () => {
  const poll = (more: Record<string, unknown> = {}) => json({ id: '1', reload: false, session: session(), context: null, documents: [], uploads: [], ...more })

  test('behind a proxy that holds the stream back, the same events are polled', async () => {
    const held = gate<Response>()
    const states = ['stored', 'stored', 'extracting', 'ready']
    let polls = 0
    const stand = client({
      [path]: ({ headers }) => {
        if (headers.get('accept') !== 'application/json') return held.promise
        const status = states[polls++] ?? 'ready'
        return poll({ id: String(polls), reload: polls === 1, documents: [{ id: 'd', status }], uploads: [{ document_id: 'e', received: 5, size: 9 }] })
      },
    })
    const heard = hear(stand)
    await vi.advanceTimersByTimeAsync(9_000)
    await vi.advanceTimersByTimeAsync(20_000)
    expect(heard.of('document')).toEqual(['stored', 'extracting', 'ready'].map((status) => ({ id: 'd', status })))
    expect(heard.of('session')).toEqual([session({ reload: true })])
    expect(heard.of('upload')).toEqual([{ document_id: 'e', received: 5, size: 9 }])
    const accepts = stand.seen.map(({ headers }) => headers.get('accept'))
    expect(accepts.filter((accept) => accept === 'text/event-stream')).toHaveLength(1)
    expect(stand.seen[2]!.headers.get('last-event-id')).toBe('1')
    await vi.advanceTimersByTimeAsync(5 * 60_000)
    expect(stand.seen.filter(({ headers }) => headers.get('accept') === 'text/event-stream').length, 'the proxy may be gone').toBeGreaterThan(1)
    heard.stop()
  })

  test('beyond the number of streams of a user, too', async () => {
    const stand = client({
      [path]: ({ headers }) => (headers.get('accept') === 'application/json' ? poll() : problem(429, 'PT429', {}, { 'retry-after': '30' })),
    })
    const heard = hear(stand)
    await vi.waitFor(() => expect(heard.of('session')).toHaveLength(1))
    heard.stop()
  })
})

test('an upload is read after an event instead of again and again', async () => {
  const { open, handler } = streams()
  let status = 'stored'
  const stand = client({
    [path]: handler,
    'POST /api/documents': () => json({ documents: [document({ id: 'd' })] }, 201),
    'GET /api/documents/d': () => json(document({ id: 'd', status })),
    'POST /api/uploads/explain': () => json({ allowed: true, checks: [] }),
    'POST /api/documents/known': () => json({ documents: [] }),
  })
  const heard = hear(stand)
  await vi.waitFor(() => expect(open).toHaveLength(1))
  open[0]!.send(begun('1'))
  await vi.waitFor(() => expect(heard.events).toHaveLength(1))
  const upload = stand.dossier.uploads.add('session-1', Object.assign(new Blob(['bytes']), { name: 'note.txt' }))
  await upload.stored()
  const reads = () => stand.seen.filter((seen) => seen.path === '/api/documents/d')
  await vi.waitFor(() => expect(reads()).toHaveLength(1))
  await vi.advanceTimersByTimeAsync(20_000)
  expect(reads()).toHaveLength(1)
  expect(reads()[0]!.headers.has('prefer')).toBe(false)
  status = 'ready'
  open[0]!.send(block('document', { id: 'd', status: 'ready' }, '2'))
  await upload.ready()
  expect(reads()).toHaveLength(2)
  heard.stop()
})
