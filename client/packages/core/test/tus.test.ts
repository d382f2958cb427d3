/** Large files go in pieces. The stand-in for the edge keeps what arrived, as the edge does. */

import { createDossierClient, type Upload, type UploadSettings, type UploadState } from 'dossier-client'
import { createHash } from 'node:crypto'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { document, edge, gate, json, problem, type Handler, type Seen } from './edge.ts'

const content = Array.from({ length: 100 }, (_, index) => `line ${index}\n`).join('')
const file = (text = content, name = 'report.pdf') => new File([text], name, { type: 'application/pdf' })
const decoded = (value: string) => Buffer.from(value, 'base64').toString()

/** An edge that remembers uploads. `intercept` may answer a request instead. */
function tusEdge({ settings = {}, intercept = () => undefined, getToken = () => 'token' }: {
  settings?: UploadSettings
  intercept?: (request: Seen) => Response | undefined | Promise<Response | undefined>
  getToken?: () => string
} = {}) {
  const uploads = new Map<string, { declared: string; size: number; bytes: string }>()
  const values = (declared: string) => Object.fromEntries(declared.split(',').map((pair) => pair.split(' ') as [string, string]))
  const handler: Handler = async (request) => {
    const answered = await intercept(request)
    if (answered) return answered
    const { method, path, headers, body } = request
    if (path === '/api/uploads/explain') return json({ allowed: true, checks: [] })
    if (path === '/api/documents/known') return json({ documents: [] })
    const id = path.split('/').at(-1) as string
    if (path === '/api/uploads' && method === 'GET') {
      const list = [...uploads].filter(([, { bytes, size }]) => bytes.length < size)
      return json({ uploads: list.map(([each, { bytes, size }]) => ({ id: each, size_bytes: size, offset: bytes.length })), next: null })
    }
    if (path === '/api/uploads') {
      const created = `upload-${uploads.size + 1}`
      uploads.set(created, { declared: headers.get('upload-metadata') ?? '', size: Number(headers.get('upload-length')), bytes: '' })
      return new Response(null, { status: 201, headers: { location: `uploads/${created}` } })
    }
    const upload = uploads.get(id)
    if (!upload) return problem(404, 'PT404', { message: 'Upload not found' })
    if (path.startsWith('/api/documents/')) {
      if (method === 'DELETE') uploads.delete(id)
      return method === 'DELETE' ? new Response(null, { status: 204 }) : json(document({ id, status: 'ready' }))
    }
    if (headers.get('x-http-method-override') === 'HEAD') {
      return new Response(null, { status: 200, headers: { 'upload-offset': String(upload.bytes.length), 'upload-metadata': upload.declared } })
    }
    if (Number(headers.get('upload-offset')) !== upload.bytes.length) return problem(409, 'PT409')
    upload.bytes += await (body as Blob).text()
    return new Response(null, { status: 204, headers: { 'upload-offset': String(upload.bytes.length) } })
  }
  const stand = edge({ '*': handler })
  /** A client of its own: it knows nothing of the others. */
  const page = () => createDossierClient({ url: stand.url, fetch: stand.fetch, getToken, uploads: { resumableFrom: 100, partBytes: 256, ...settings } })
  const patches = () => stand.seen.filter(({ method, body }) => method === 'PATCH' && (body as Blob).size > 0)
  return { dossier: page(), page, uploads, values, seen: stand.seen, patches, sentBytes: () => patches().reduce((sum, { body }) => sum + (body as Blob).size, 0) }
}

const reaches = (upload: Upload, expected: (state: UploadState) => boolean) =>
  new Promise<UploadState>((resolve) => {
    const look = () => expected(upload.getState()) && resolve(upload.getState())
    upload.subscribe(look)
    look()
  })

async function settled<Value>(promise: Promise<Value>): Promise<Value> {
  let waiting = true
  promise.then(() => { waiting = false }, () => { waiting = false })
  while (waiting) {
    await vi.advanceTimersByTimeAsync(500)
    await new Promise((done) => setImmediate(done))
  }
  return promise
}

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }))
afterEach(() => vi.useRealTimers())

test('the file arrives in pieces, with what is known of it', async () => {
  const { dossier, uploads, values, patches, seen } = tusEdge()
  const upload = dossier.uploads.add('session-1', file(content, 'Köln.pdf'), { metadata: { source: 'mail', note: 'ä' } })
  expect((await upload.ready()).id).toBe('upload-1')
  expect(uploads.get('upload-1')?.bytes).toBe(content)
  expect(patches().map(({ headers }) => Number(headers.get('upload-offset')))).toEqual([0, 256, 512, 768])
  const declared = Object.fromEntries(Object.entries(values(uploads.get('upload-1')!.declared)).map(([key, value]) => [key, decoded(value)]))
  expect(declared).toEqual({
    session_id: 'session-1', filename: 'Köln.pdf', filetype: 'application/pdf', metadata: '{"source":"mail","note":"ä"}',
    sha256: createHash('sha256').update(content).digest('hex'),
  })
  expect(seen.filter(({ path }) => path.startsWith('/api/uploads') && path !== '/api/uploads/explain').filter(({ method }) => method !== 'GET').every(({ headers }) => headers.get('tus-resumable') === '1.0.0')).toBe(true)
  expect(upload.getState()).toMatchObject({ status: 'ready', sent: content.length, progress: 1, documentId: 'upload-1' })
})

test('smaller files are one form', async () => {
  const { dossier, patches } = tusEdge({
    intercept: ({ method, path }) => (method === 'POST' && path === '/api/documents' ? json({ documents: [document({ status: 'ready' })] }, 201) : undefined),
  })
  await dossier.uploads.add('session-1', file('small')).ready()
  expect(patches()).toHaveLength(0)
})

test('pausing keeps what arrived, and resuming sends the rest', async () => {
  const held = gate()
  let hold = true
  const { dossier, sentBytes, uploads, seen } = tusEdge({
    intercept: async ({ method, headers }) => {
      if (method !== 'PATCH' || headers.get('upload-offset') !== '512' || !hold) return undefined
      held.open()
      return gate<Response>().promise
    },
  })
  const upload = dossier.uploads.add('session-1', file())
  await held.promise
  upload.pause()
  expect(upload.getState()).toMatchObject({ status: 'paused', waitsFor: 'user', sent: 512 })
  hold = false
  upload.resume()
  await upload.ready()
  expect(uploads.get('upload-1')?.bytes).toBe(content)
  // The piece that was interrupted arrived nowhere here.
  expect(sentBytes()).toBe(content.length + 256)
  expect(seen.filter(({ path }) => path === '/api/uploads/explain')).toHaveLength(1)
})

test('the same file in another page continues the upload, without sending again what arrived', async () => {
  const reached = gate()
  let hold = true
  const { dossier, page, uploads, sentBytes } = tusEdge({
    intercept: ({ method, headers }) => {
      if (method !== 'PATCH' || headers.get('upload-offset') !== '512' || !hold) return undefined
      reached.open()
      return gate<Response>().promise
    },
  })
  const first = dossier.uploads.add('session-1', file())
  await reached.promise
  first.pause()
  hold = false
  const before = sentBytes()
  expect((await page().uploads.add('session-1', file()).ready()).id).toBe('upload-1')
  expect(uploads.size).toBe(1)
  expect(uploads.get('upload-1')?.bytes).toBe(content)
  expect(sentBytes() - before).toBe(content.length - 512)
})

test('another file of the same name and size does not continue it', async () => {
  const { dossier, uploads } = tusEdge()
  uploads.set('upload-1', {
    declared: `filename ${btoa('report.pdf')},sha256 ${btoa(createHash('sha256').update(content).digest('hex'))}`, size: content.length, bytes: content.slice(0, 300),
  })
  const other = content.replace('line 99', 'LINE 99')
  const found = dossier.uploads.add('session-1', file(other))
  expect((await found.ready()).id).toBe('upload-2')
  expect(uploads.get('upload-2')?.bytes).toBe(other)

  const named = dossier.uploads.add('session-1', file(other), { continues: 'upload-1' })
  await expect(named.stored()).rejects.toMatchObject({ code: 'other_file', message: 'This is not the file whose upload was begun' })
  dossier.uploads.remove(named.id)
  expect(uploads.get('upload-1')?.bytes, 'what was begun stays').toBe(content.slice(0, 300))

  const same = dossier.uploads.add('session-1', file(content, 'renamed.pdf'), { continues: 'upload-1' })
  expect((await same.ready()).id).toBe('upload-1')
  expect(uploads.get('upload-1')?.bytes).toBe(content)
})

test('cancelling deletes what arrived', async () => {
  const reached = gate()
  const { dossier, uploads } = tusEdge({
    intercept: ({ method, headers }) => {
      if (method !== 'PATCH' || headers.get('upload-offset') !== '256') return undefined
      reached.open()
      return gate<Response>().promise
    },
  })
  const upload = dossier.uploads.add('session-1', file())
  await reached.promise
  expect(await dossier.uploads.unfinished('session-1')).toMatchObject([{ id: 'upload-1', offset: 256, size_bytes: content.length }])
  upload.cancel()
  await vi.waitFor(() => expect(uploads.size).toBe(0), { timeout: 15_000 })
})

test('an upload that is cancelled while it begins leaves nothing behind', async () => {
  const asked = gate()
  const answer = gate()
  const { dossier, uploads, seen } = tusEdge({
    intercept: async ({ method, path }) => {
      if (method !== 'POST' || path !== '/api/uploads') return undefined
      asked.open()
      await answer.promise
      return undefined
    },
  })
  const upload = dossier.uploads.add('session-1', file())
  await asked.promise
  upload.cancel()
  answer.open()
  await vi.waitFor(() => expect(seen.some(({ method }) => method === 'DELETE')).toBe(true), { timeout: 15_000 })
  await vi.waitFor(() => expect(uploads.size).toBe(0), { timeout: 15_000 })
})

test('while another window sends it, it waits; then it takes what is there', async () => {
  let locked = 3
  const { dossier, uploads, sentBytes } = tusEdge({
    intercept: ({ method }) => {
      if (method !== 'PATCH' || locked === 0) return undefined
      locked -= 1
      const upload = uploads.get('upload-1')!
      upload.bytes = content.slice(0, upload.bytes.length + 300)
      return problem(423, 'PT423', { message: 'Another request is sending this upload' })
    },
  })
  const upload = dossier.uploads.add('session-1', file())
  const ready = upload.ready()
  expect((await settled(ready)).id).toBe('upload-1')
  expect(uploads.get('upload-1')?.bytes).toBe(content)
  expect(sentBytes()).toBeLessThan(content.length)
  expect(upload.getState().error).toBeNull()
})

test('an upload that the edge has removed begins again with a retry', async () => {
  let refuse = true
  const { dossier, uploads } = tusEdge({
    intercept: ({ method }) => {
      if (method !== 'PATCH' || !refuse) return undefined
      refuse = false
      uploads.delete('upload-1')
      return problem(415, 'PT415', { message: 'The type is not accepted', hint: 'Send a PDF.' })
    },
  })
  const upload = dossier.uploads.add('session-1', file())
  await expect(upload.stored()).rejects.toMatchObject({ code: 'PT415' })
  expect(upload.getState()).toMatchObject({ documentId: null, error: { message: 'The type is not accepted', hint: 'Send a PDF.' } })
  uploads.set('taken', { declared: '', size: 0, bytes: '' })
  upload.retry()
  expect((await upload.ready()).id).toBe('upload-2')
})

test('a token that expires between two pieces: the user signs in, and nothing is sent twice', async () => {
  let token = 'old'
  const { dossier, uploads, patches } = tusEdge({
    getToken: () => token,
    intercept: (request) => (request.method === 'PATCH' && request.headers.get('upload-offset') === '512' && request.token === 'old' ? problem(401, 'PT401') : undefined),
  })
  const upload = dossier.uploads.add('session-1', file())
  expect(await reaches(upload, ({ waitsFor }) => waitsFor === 'sign-in')).toMatchObject({ status: 'paused', sent: 512, error: null })
  token = 'new'
  dossier.uploads.signedIn()
  expect((await upload.ready()).id).toBe('upload-1')
  expect(uploads.get('upload-1')?.bytes).toBe(content)
  expect(patches().filter(({ token: used }) => used === 'new').map(({ headers }) => headers.get('upload-offset'))).toEqual(['512', '768'])
})

test('a connection that breaks loses nothing that arrived', async () => {
  let breaks = 2
  const { dossier, uploads, patches } = tusEdge({
    intercept: ({ method, headers, body }) => {
      if (method !== 'PATCH' || headers.get('upload-offset') !== '256' || (body as Blob).size === 0 || breaks-- <= 0) return undefined
      throw new TypeError('the connection was reset')
    },
  })
  const upload = dossier.uploads.add('session-1', file())
  const ready = upload.ready()
  await settled(ready)
  expect(uploads.get('upload-1')?.bytes).toBe(content)
  expect(patches().map(({ headers }) => headers.get('upload-offset'))).toEqual(['0', '256', '256', '256', '512', '768'])
})
