import { createDossierClient, type Upload, type UploadState } from 'dossier-client'
import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { document, edge, gate, json, problem, type Handler, type Seen } from './edge.ts'

const file = (name = 'report.pdf', content = 'bytes') => new File([content], name, { type: 'application/pdf' })
const notKnown = () => json({ documents: [] })
const allowed = () => json({ allowed: true, checks: [{ name: 'size', passed: true, concerns: 'setting', code: null, message: null, details: null, hint: null }] })

function client(handlers: Record<string, Handler>, settings: { parallel?: number; findDuplicates?: boolean } = {}, getToken?: () => string) {
  const stand = edge({ 'POST /api/documents/known': notKnown, 'POST /api/uploads/explain': allowed, ...handlers })
  const dossier = createDossierClient({ url: stand.url, fetch: stand.fetch, getToken: getToken ?? (() => 'token'), uploads: settings })
  return { dossier, seen: stand.seen, sent: () => stand.seen.filter(({ method, path }) => method === 'POST' && path === '/api/documents') }
}

/** Resolves once the state is as expected. */
function reaches(upload: Upload, expected: (state: UploadState) => boolean): Promise<UploadState> {
  return new Promise((resolve) => {
    const look = () => {
      if (!expected(upload.getState())) return
      unsubscribe()
      resolve(upload.getState())
    }
    const unsubscribe = upload.subscribe(look)
    look()
  })
}

const status = (wanted: UploadState['status']) => (state: UploadState) => state.status === wanted
const waits = (wanted: UploadState['waitsFor']) => (state: UploadState) => state.waitsFor === wanted

/** Every status of an upload, in order. */
function statuses(upload: Upload): string[] {
  const list: string[] = [upload.getState().status]
  upload.subscribe(() => {
    const latest = upload.getState().status
    if (list.at(-1) !== latest) list.push(latest)
  })
  return list
}

/** Lets time pass until `promise` is settled. */
async function settled<Value>(promise: Promise<Value>): Promise<Value> {
  let waiting = true
  promise.then(() => { waiting = false }, () => { waiting = false })
  while (waiting) {
    await vi.advanceTimersByTimeAsync(500)
    // Digests are computed elsewhere: a turn of the real clock.
    await new Promise((done) => setImmediate(done))
  }
  return promise
}

const caught = (promise: Promise<unknown>) => promise.then(() => { throw new Error('it succeeded') }, (error: unknown) => error)
const formFile = (request: Seen | undefined) => (request?.body as FormData).get('file') as File

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }))
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('the way of a file', () => {
  test('it is queued, uploading, stored, reading and ready', async () => {
    const reads = ['stored', 'extracting', 'ready']
    const { dossier, sent } = client({
      'POST /api/documents': () => json({ documents: [document()] }, 201),
      [`GET /api/documents/${document().id}`]: () => json(document({ status: reads.shift(), page_count: 12 })),
    })
    const upload = dossier.uploads.add('session-1', file(), { metadata: { source: 'mail' } })
    const seen = statuses(upload)
    expect((await upload.stored()).id).toBe(document().id)
    const ready = upload.ready()
    expect((await settled(ready)).page_count).toBe(12)
    expect(seen).toEqual(['queued', 'uploading', 'stored', 'reading', 'ready'])
    expect(upload.getState()).toMatchObject({ progress: 1, sent: 5, error: null, waitsFor: null })
    const form = sent()[0]?.body as FormData
    expect([...form.keys()]).toEqual(['session_id', 'metadata', 'file'])
    expect(form.get('session_id')).toBe('session-1')
    expect(form.get('metadata')).toBe('{"source":"mail"}')
    expect(formFile(sent()[0]).name).toBe('report.pdf')
    expect(await formFile(sent()[0]).text()).toBe('bytes')
  })

  test('a snapshot changes only when the upload does', async () => {
    const { dossier } = client({ '*': () => gate<Response>().promise })
    const upload = dossier.uploads.add('session-1', file())
    await reaches(upload, status('uploading'))
    const before = upload.getState()
    expect(upload.getState()).toBe(before)
    upload.pause()
    expect(upload.getState()).not.toBe(before)
  })

  test('a file that cannot be extracted fails with the words of the server, and is extracted again without being sent again', async () => {
    let reading = document({ status: 'failed', error_code: 'encrypted', error_message: 'The PDF is protected by a password' })
    const { dossier, sent } = client({
      'POST /api/documents': () => json({ documents: [document()] }, 201),
      [`GET /api/documents/${document().id}`]: () => json(reading),
      [`POST /api/documents/${document().id}/extract`]: () => {
        reading = document({ status: 'ready' })
        return json(document({ status: 'stored' }), 202)
      },
    })
    const upload = dossier.uploads.add('session-1', file())
    const error = caught(upload.ready())
    expect(await settled(error)).toMatchObject({ code: 'encrypted', message: 'The PDF is protected by a password' })
    expect(upload.getState()).toMatchObject({ status: 'failed', document: { status: 'failed' } })
    upload.retry()
    const ready = upload.ready()
    expect((await settled(ready)).status).toBe('ready')
    expect(sent()).toHaveLength(1)
  })

  test('documents that are stored together are watched with one request at a time', async () => {
    const ids = ['a', 'b', 'c']
    const left = [...ids]
    let open = 0
    let most = 0
    let lists = 0
    const { dossier } = client({
      'POST /api/documents': () => json({ documents: [document({ id: left.shift() })] }, 201),
      'GET /api/documents': async () => {
        lists += 1
        most = Math.max(most, ++open)
        await Promise.resolve()
        open -= 1
        return json({ documents: ids.map((id) => document({ id, status: lists > 2 ? 'ready' : 'extracting' })), next: null })
      },
      '*': ({ path }) => json(document({ id: path.split('/').at(-1), status: 'extracting' })),
    })
    const uploads = ids.map((id) => dossier.uploads.add('session-1', file(`${id}.pdf`, id)))
    const all = Promise.all(uploads.map((upload) => upload.ready()))
    expect((await settled(all)).map(({ id }) => id).sort()).toEqual(ids)
    expect(most).toBe(1)
  })

  test('an edge that holds the response is asked again at once', async () => {
    const reads = ['stored', 'extracting', 'ready']
    const { dossier, seen } = client({
      'POST /api/documents': () => json({ documents: [document()] }, 201),
      [`GET /api/documents/${document().id}`]: () => json(document({ status: reads.shift() }), 200, { 'preference-applied': 'wait=20' }),
    })
    await dossier.uploads.add('session-1', file()).ready()
    expect(seen.filter(({ method }) => method === 'GET').map(({ headers }) => headers.get('prefer'))).toEqual(['wait=2', 'wait=2', 'wait=20'])
  })

  test('what OCR adds to a document that is ready is followed to its end', async () => {
    const reads = [
      { status: 'extracting' },
      { status: 'ready', ocr_status: 'running', ocr_page: 1, ocr_pages: 2 },
      { status: 'ready', ocr_status: 'running', ocr_page: 2, ocr_pages: 2 },
      { status: 'ready', ocr_status: 'done' },
    ]
    const { dossier, seen } = client({
      'POST /api/documents': () => json({ documents: [document()] }, 201),
      [`GET /api/documents/${document().id}`]: () => json(document(reads.shift())),
    })
    const upload = dossier.uploads.add('session-1', file())
    expect((await settled(upload.ready())).ocr_page).toBe(1)
    await vi.waitFor(() => expect(upload.getState().document?.ocr_status).toBe('done'), { timeout: 15_000 })
    expect(upload.getState().status).toBe('ready')
    expect(seen.filter(({ method }) => method === 'GET').map(({ headers }) => headers.get('prefer'))).toEqual(['wait=2', 'wait=20', null, null])
  })

  test('a document that is deleted while OCR reads it was uploaded all the same', async () => {
    const reads = [() => json(document({ status: 'ready', ocr_status: 'running' })), () => problem(404, 'PT404')]
    const { dossier, seen } = client({
      'POST /api/documents': () => json({ documents: [document()] }, 201),
      [`GET /api/documents/${document().id}`]: () => (reads.shift() ?? (() => problem(404, 'PT404')))(),
    })
    const upload = dossier.uploads.add('session-1', file())
    await settled(upload.ready())
    await vi.waitFor(() => expect(seen.filter(({ method }) => method === 'GET')).toHaveLength(2), { timeout: 15_000 })
    expect(upload.getState()).toMatchObject({ status: 'ready', error: null })
  })

  test('a response that breaks off, or a server that is restarted, does not end the watch', async () => {
    const reads: (() => Response)[] = [
      () => new Response(new ReadableStream({ start: (stream) => stream.error(new TypeError('terminated')) })),
      () => new Response('<html>Bad gateway</html>', { status: 502 }),
      () => { throw new TypeError('fetch failed') },
      () => problem(401, 'PT401'),
    ]
    let signedOut = false
    const { dossier } = client({
      'POST /api/documents': () => json({ documents: [document()] }, 201),
      [`GET /api/documents/${document().id}`]: () => {
        const next = reads.shift()
        signedOut = reads.length === 0 && next !== undefined
        return next?.() ?? json(document({ status: 'ready' }))
      },
    })
    const upload = dossier.uploads.add('session-1', file())
    const ready = upload.ready()
    const signIn = setInterval(() => { if (signedOut) dossier.uploads.signedIn() }, 5)
    expect((await settled(ready)).status).toBe('ready')
    clearInterval(signIn)
    expect(upload.getState()).toMatchObject({ status: 'ready', error: null })
  })

  test('a document that is deleted while it is read ends the upload', async () => {
    const { dossier } = client({
      'POST /api/documents': () => json({ documents: [document()] }, 201),
      '*': () => problem(404, 'PT404', { message: 'Document not found' }),
    })
    const upload = dossier.uploads.add('session-1', file())
    expect(await caught(upload.ready())).toMatchObject({ code: 'PT404', message: 'Document not found' })
  })
})

describe('several files', () => {
  test('only so many are sent at the same time, in the order they were added', async () => {
    const gates = new Map(['a', 'b', 'c', 'd'].map((name) => [name, gate()]))
    const begun: string[] = []
    const { dossier } = client(
      {
        'POST /api/documents': async (request) => {
          const { name } = formFile(request)
          begun.push(name)
          await gates.get(name)?.promise
          return json({ documents: [document({ id: name, status: 'ready' })] }, 201)
        },
      },
      { parallel: 2 },
    )
    const uploads = [...gates.keys()].map((name) => dossier.uploads.add('session-1', file(name)))
    await Promise.all(uploads.slice(0, 2).map((upload) => reaches(upload, status('uploading'))))
    expect(uploads[2]?.getState()).toMatchObject({ status: 'queued', waitsFor: 'turn' })
    gates.get('b')?.open()
    await vi.waitFor(() => expect(begun).toEqual(['a', 'b', 'c']), { timeout: 15_000 })
    expect(uploads[3]?.getState().status).toBe('queued')
    gates.forEach(({ open }) => open())
    await Promise.all(uploads.map((upload) => upload.ready()))
    expect(begun).toEqual(['a', 'b', 'c', 'd'])
  })

  test('a queued file that is cancelled frees no turn that it never had', async () => {
    const first = gate()
    const { dossier, sent } = client(
      { 'POST /api/documents': () => first.promise.then(() => json({ documents: [document({ status: 'ready' })] }, 201)) },
      { parallel: 1 },
    )
    const [one, two, three] = ['a', 'b', 'c'].map((name) => dossier.uploads.add('session-1', file(name)))
    await reaches(one!, status('uploading'))
    two!.cancel()
    expect(two!.getState().status).toBe('cancelled')
    expect(await caught(two!.stored())).toMatchObject({ name: 'AbortError' })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(three!.getState().status).toBe('queued')
    first.open()
    await three!.ready()
    expect(sent().map((request) => formFile(request).name)).toEqual(['a', 'c'])
  })

  test('the list is observable, by session, and the same array until it changes', async () => {
    const { dossier } = client({ '*': () => gate<Response>().promise })
    const heard = vi.fn()
    const stop = dossier.uploads.subscribe(heard)
    const one = dossier.uploads.add('session-1', file())
    const two = dossier.uploads.add('session-2', file())
    expect(heard).toHaveBeenCalled()
    const list = dossier.uploads.list('session-1')
    expect(list).toEqual([one])
    expect(dossier.uploads.list('session-1')).toBe(list)
    expect(dossier.uploads.list()).toEqual([one, two])
    await reaches(two, status('uploading'))
    expect(dossier.uploads.list('session-1')).toBe(list)
    dossier.uploads.remove(one.id)
    expect(dossier.uploads.list()).toEqual([two])
    expect(dossier.uploads.get(one.id)).toBeUndefined()
    expect(one.getState().status).toBe('cancelled')
    stop()
    const calls = heard.mock.calls.length
    dossier.uploads.remove(two.id)
    expect(heard).toHaveBeenCalledTimes(calls)
  })
})

describe('pausing and cancelling', () => {
  test('a paused upload stops its request, and goes on when it is resumed', async () => {
    const begun = gate()
    let requests = 0
    const { dossier, sent } = client({
      'POST /api/documents': () => {
        begun.open()
        return ++requests === 1 ? gate<Response>().promise : json({ documents: [document({ status: 'ready' })] }, 201)
      },
    })
    const upload = dossier.uploads.add('session-1', file())
    await begun.promise
    upload.pause()
    expect(upload.getState()).toMatchObject({ status: 'paused', waitsFor: 'user' })
    expect(sent()[0]?.signal?.aborted).toBe(true)
    upload.resume()
    expect((await upload.ready()).status).toBe('ready')
    expect(sent()).toHaveLength(2)
  })

  test('a response that arrives after the pause changes nothing', async () => {
    const begun = gate()
    const late = gate<Response>()
    const { dossier } = client({
      'POST /api/documents': () => {
        begun.open()
        return late.promise
      },
    })
    const upload = dossier.uploads.add('session-1', file())
    await begun.promise
    upload.cancel()
    late.open(json({ documents: [document()] }, 201))
    await vi.advanceTimersByTimeAsync(1_000)
    expect(upload.getState()).toMatchObject({ status: 'cancelled', document: null })
    upload.resume()
    upload.retry()
    expect(upload.getState().status).toBe('cancelled')
  })

  test('a stored file cannot be cancelled', async () => {
    const { dossier } = client({ 'POST /api/documents': () => json({ documents: [document()] }, 201), '*': () => gate<Response>().promise })
    const upload = dossier.uploads.add('session-1', file())
    await upload.stored()
    upload.cancel()
    upload.pause()
    expect(upload.getState().status).toBe('stored')
  })

  test('waiting for an upload can be aborted without stopping it', async () => {
    const { dossier } = client({ '*': () => gate<Response>().promise })
    const upload = dossier.uploads.add('session-1', file())
    const reason = new Error('closed')
    const control = new AbortController()
    const stored = caught(upload.stored({ signal: control.signal }))
    control.abort(reason)
    expect(await stored).toBe(reason)
    expect((await reaches(upload, status('uploading'))).status).toBe('uploading')
  })
})

describe('failures', () => {
  test('a file that would be refused is refused before a byte is sent, and can be tried again', async () => {
    const check = { name: 'quota', concerns: 'quota max_bytes', code: 'PT413', message: 'The organization is full', details: 'It has 10 bytes.', hint: 'Delete documents.' }
    const passed = { ...check, name: 'caller', passed: true, code: null, message: null, details: null, hint: null }
    let full = true
    const { dossier, seen, sent } = client({
      'POST /api/documents': () => json({ documents: [document({ status: 'ready' })] }, 201),
      'POST /api/uploads/explain': () => json({ allowed: !full, checks: [passed, { ...check, passed: !full }] }),
    })
    const upload = dossier.uploads.add('session-1', file(), { metadata: { source: 'mail' } })
    expect(await caught(upload.stored())).toMatchObject({ code: 'PT413', message: 'The organization is full' })
    expect(upload.getState()).toMatchObject({ status: 'failed', sent: 0, error: { details: 'It has 10 bytes.', hint: 'Delete documents.' } })
    expect(sent()).toHaveLength(0)
    expect(seen.find(({ path }) => path === '/api/uploads/explain')?.body).toEqual({
      session_id: 'session-1', name: 'report.pdf', media_type: 'application/pdf', size_bytes: 5, metadata: { source: 'mail' },
    })
    full = false
    upload.retry()
    expect((await upload.ready()).status).toBe('ready')
    expect(sent()).toHaveLength(1)
  })

  test('a refusal has the words of the server, and the file can be tried again', async () => {
    let allowed = false
    const { dossier } = client({
      'POST /api/documents': () =>
        allowed ? json({ documents: [document({ status: 'ready' })] }, 201) : problem(415, 'PT415', { message: 'The type is not accepted', hint: 'Send a PDF.' }),
    })
    const upload = dossier.uploads.add('session-1', file())
    expect(await caught(upload.stored())).toMatchObject({ code: 'PT415' })
    expect(upload.getState().error).toEqual({ code: 'PT415', message: 'The type is not accepted', details: null, hint: 'Send a PDF.' })
    allowed = true
    upload.retry()
    expect((await upload.ready()).status).toBe('ready')
    expect(upload.getState().error).toBeNull()
  })

  test('a busy server is asked again, and the state says when', async () => {
    let requests = 0
    const { dossier } = client({
      'POST /api/documents': () => (++requests < 2 ? problem(500, 'PT500', {}, { 'retry-after': '40' }) : json({ documents: [document({ status: 'ready' })] }, 201)),
    })
    const upload = dossier.uploads.add('session-1', file())
    const state = await reaches(upload, waits('server'))
    expect(state).toMatchObject({ status: 'queued', retryAt: Date.now() + 40_000 })
    await vi.advanceTimersByTimeAsync(39_999)
    expect(requests).toBe(1)
    await vi.advanceTimersByTimeAsync(1)
    expect((await upload.ready()).status).toBe('ready')
  })

  test('a quota until midnight is an answer, not a reason to wait', async () => {
    const { dossier, sent } = client({ 'POST /api/documents': () => problem(429, 'PT429', {}, { 'retry-after': '7200' }) })
    const upload = dossier.uploads.add('session-1', file())
    expect(await caught(upload.stored())).toMatchObject({ code: 'PT429' })
    expect(sent()).toHaveLength(1)
  })

  test('a server that stays broken fails the upload in the end', async () => {
    const { dossier, sent } = client({ 'POST /api/documents': () => problem(500, 'PT500', { message: 'Internal error' }) })
    const upload = dossier.uploads.add('session-1', file())
    const error = caught(upload.stored())
    expect(await settled(error)).toMatchObject({ code: 'PT500', message: 'Internal error' })
    expect(sent().length).toBeGreaterThan(2)
  })

  test('a failed file does not hold up the others', async () => {
    const { dossier } = client(
      { 'POST /api/documents': (request) => (formFile(request).name === 'bad' ? problem(500, 'PT500') : json({ documents: [document({ status: 'ready' })] }, 201)) },
      { parallel: 1 },
    )
    const bad = dossier.uploads.add('session-1', file('bad'))
    const good = dossier.uploads.add('session-1', file('good'))
    expect((await good.ready()).status).toBe('ready')
    expect(bad.getState()).toMatchObject({ status: 'queued', waitsFor: 'server' })
  })
})

describe('without a network', () => {
  function network() {
    const events = new EventTarget()
    const state = { onLine: true }
    vi.stubGlobal('navigator', state)
    vi.stubGlobal('addEventListener', events.addEventListener.bind(events))
    vi.stubGlobal('removeEventListener', events.removeEventListener.bind(events))
    return {
      go(onLine: boolean) {
        state.onLine = onLine
        events.dispatchEvent(new Event(onLine ? 'online' : 'offline'))
      },
      state,
    }
  }

  test('an upload waits without an error, and goes on by itself', async () => {
    const { go, state } = network()
    const { dossier, sent } = client({
      'POST /api/documents': () => {
        if (!state.onLine) throw new TypeError('fetch failed')
        return json({ documents: [document({ status: 'ready' })] }, 201)
      },
    })
    go(false)
    const upload = dossier.uploads.add('session-1', file())
    await reaches(upload, waits('connection'))
    await vi.advanceTimersByTimeAsync(60 * 60 * 1000)
    expect(upload.getState()).toMatchObject({ status: 'queued', waitsFor: 'connection', error: null, retryAt: null })
    const attempts = sent().length
    go(true)
    expect((await upload.ready()).status).toBe('ready')
    expect(sent()).toHaveLength(attempts + 1)
  })

  test('a file whose response was lost is found, not sent twice', async () => {
    network()
    const digest = createHash('sha256').update('bytes').digest('hex')
    let arrived = false
    const { dossier, sent } = client({
      'POST /api/documents/known': ({ body }) => {
        expect(body).toEqual({ session_id: 'session-1', sha256: [digest] })
        return json({ documents: arrived ? [document({ status: 'ready' })] : [] })
      },
      'POST /api/documents': () => {
        arrived = true
        throw new TypeError('the connection was reset')
      },
    })
    const upload = dossier.uploads.add('session-1', file())
    const ready = upload.ready()
    expect((await settled(ready)).status).toBe('ready')
    expect(sent()).toHaveLength(1)
  })
})

describe('signing in again', () => {
  test('an upload waits for the user, and goes on after that', async () => {
    let token = 'old'
    const { dossier, sent } = client(
      { '*': (request) => (request.token === 'old' ? problem(401, 'PT401') : json({ documents: [document({ status: 'ready' })] }, 201)) },
      { findDuplicates: false },
      () => token,
    )
    const uploads = ['a', 'b'].map((name) => dossier.uploads.add('session-1', file(name)))
    for (const upload of uploads) expect(await reaches(upload, status('paused'))).toMatchObject({ waitsFor: 'sign-in', error: null })
    token = 'new'
    dossier.uploads.signedIn()
    await Promise.all(uploads.map((upload) => upload.ready()))
    expect(sent().map((request) => request.token)).toEqual(['old', 'old', 'new', 'new'])
  })

  test('Supabase reports the sign-in, and is listened to only while an upload waits', async () => {
    let token = 'old'
    const callbacks = new Set<(event: string, session: { access_token: string } | null) => void>()
    const stand = edge({
      'POST /api/uploads/explain': allowed,
      '*': (request) => (request.token === 'old' ? problem(401, 'PT401') : json({ documents: [document({ status: 'ready' })] }, 201)),
    })
    const supabase = {
      auth: {
        getSession: async () => ({ data: { session: { access_token: token } } }),
        onAuthStateChange(callback: (event: string, session: { access_token: string } | null) => void) {
          callbacks.add(callback)
          callback('INITIAL_SESSION', { access_token: token })
          return { data: { subscription: { unsubscribe: () => callbacks.delete(callback) } } }
        },
      },
    }
    const dossier = createDossierClient({ url: stand.url, fetch: stand.fetch, supabase, uploads: { findDuplicates: false } })
    const upload = dossier.uploads.add('session-1', file())
    await reaches(upload, waits('sign-in'))
    expect(callbacks.size).toBe(1)
    token = 'new'
    for (const callback of callbacks) callback('SIGNED_IN', { access_token: token })
    expect((await upload.ready()).status).toBe('ready')
    expect(callbacks.size).toBe(0)
  })
})

describe('duplicates', () => {
  const existing = document({ id: 'existing', name: 'Offer.pdf', status: 'ready' })

  function withDuplicate() {
    return client({
      'POST /api/documents/known': () => json({ documents: [existing] }),
      'POST /api/documents': () => json({ documents: [document({ status: 'ready' })] }, 201),
    })
  }

  test('the same bytes are found before a byte is sent, and the user decides', async () => {
    const { dossier, sent } = withDuplicate()
    const upload = dossier.uploads.add('session-1', file())
    const state = await reaches(upload, waits('decision'))
    expect(state).toMatchObject({ status: 'paused', duplicate: { name: 'Offer.pdf' }, error: null, sha256: createHash('sha256').update('bytes').digest('hex') })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(sent()).toHaveLength(0)
  })

  test('the existing document is taken', async () => {
    const { dossier, sent } = withDuplicate()
    const upload = dossier.uploads.add('session-1', file())
    await reaches(upload, waits('decision'))
    upload.useExisting()
    expect((await upload.ready()).id).toBe('existing')
    expect(sent()).toHaveLength(0)
  })

  test('or the file is uploaded anyway', async () => {
    const { dossier, sent } = withDuplicate()
    const upload = dossier.uploads.add('session-1', file())
    await reaches(upload, waits('decision'))
    upload.resume()
    expect((await upload.ready()).id).toBe(document().id)
    expect(sent()).toHaveLength(1)
  })

  test('a file that waits for a decision does not hold up the others', async () => {
    const { dossier } = client(
      {
        'POST /api/documents/known': ({ body }) =>
          json({ documents: (body as { sha256: string[] }).sha256[0] === createHash('sha256').update('bytes').digest('hex') ? [existing] : [] }),
        'POST /api/documents': () => json({ documents: [document({ status: 'ready' })] }, 201),
      },
      { parallel: 1 },
    )
    const waiting = dossier.uploads.add('session-1', file())
    const other = dossier.uploads.add('session-1', file('other.pdf', 'others'))
    expect((await other.ready()).status).toBe('ready')
    expect(waiting.getState().waitsFor).toBe('decision')
  })

  test('an edge that cannot tell does not prevent the upload', async () => {
    const { dossier } = client({
      'POST /api/documents/known': () => problem(405, 'PT405'),
      'POST /api/documents': () => json({ documents: [document({ status: 'ready' })] }, 201),
    })
    expect((await dossier.uploads.add('session-1', file()).ready()).status).toBe('ready')
  })

  test('large files are digested piece by piece, to the same digest', async () => {
    const content = 'x'.repeat(11 * 1024 * 1024)
    const asked = gate<string>()
    const { dossier } = client({
      'POST /api/documents/known': ({ body }) => {
        asked.open((body as { sha256: string[] }).sha256[0]!)
        return json({ documents: [existing] })
      },
    })
    dossier.uploads.add('session-1', file('large.pdf', content))
    expect(await asked.promise).toBe(createHash('sha256').update(content).digest('hex'))
  })
})
