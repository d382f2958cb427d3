// @vitest-environment jsdom
/** Sending by XMLHttpRequest, to a server of Node that keeps what it receives. */

import { createDossierClient, type UploadState } from 'dossier-client'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { document } from './edge.ts'

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

type Respond = (request: IncomingMessage, response: ServerResponse) => void

async function client(respond: Respond, getToken: (why: { rejected: string | null }) => string = () => 'token') {
  server = createServer((request, response) => {
    response.setHeader('access-control-allow-origin', '*')
    response.setHeader('access-control-allow-headers', 'authorization')
    response.setHeader('access-control-expose-headers', '*')
    if (request.method === 'OPTIONS') response.writeHead(204).end()
    else if (request.url === '/api/uploads/explain') reply(response, 200, { allowed: true, checks: [] })
    else respond(request, response)
  })
  await new Promise<void>((listening) => server?.listen(0, '127.0.0.1', listening))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return createDossierClient({ url, getToken, uploads: { findDuplicates: false } })
}

const received = async (request: IncomingMessage) => {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

const reply = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) =>
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))

const content = 'x'.repeat(3 * 1024 * 1024)
const file = () => new File([content], 'large.pdf', { type: 'application/pdf' })

test('the file arrives as a form, and its progress is reported in bytes of the file', async () => {
  let body = Buffer.alloc(0)
  const dossier = await client((request, response) => {
    void received(request).then((all) => {
      body = all
      reply(response, 201, { documents: [document({ status: 'ready' })] })
    })
  })
  const upload = dossier.uploads.add('session-1', file())
  const progress: UploadState[] = []
  upload.subscribe(() => progress.push(upload.getState()))
  await upload.ready()
  expect(body.includes(content)).toBe(true)
  expect(body.toString('latin1')).toMatch(/name="session_id"\r\n\r\nsession-1\r\n[^]*name="file"; filename="large.pdf"/)
  const sent = progress.filter(({ status }) => status === 'uploading').map((state) => state.sent)
  expect(sent).toEqual([...sent].sort((one, other) => one - other))
  expect(sent.at(-1)).toBe(content.length)
  expect(progress.every((state) => state.progress === state.sent / state.size)).toBe(true)
})

test('a token that expired meanwhile is renewed once, and the file is sent again', async () => {
  const tokens: unknown[] = []
  const getToken = vi.fn(({ rejected }: { rejected: string | null }) => (rejected === 'old' ? 'new' : 'old'))
  const dossier = await client((request, response) => {
    tokens.push(request.headers.authorization)
    void received(request).then(() => {
      if (request.headers.authorization === 'Bearer new') reply(response, 201, { documents: [document({ status: 'ready' })] })
      else reply(response, 401, { code: 'PT401', message: 'The token has expired', details: null, hint: null })
    })
  }, getToken)
  await dossier.uploads.add('session-1', file()).ready()
  expect(tokens).toEqual(['Bearer old', 'Bearer new'])
  expect(getToken.mock.calls.filter(([why]) => why.rejected !== null)).toHaveLength(1)
})

test('a refusal has the words of the server', async () => {
  const dossier = await client((request, response) => {
    void received(request).then(() => reply(response, 413, { code: 'PT413', message: 'The file is larger than allowed', details: 'D.', hint: 'H.' }))
  })
  const upload = dossier.uploads.add('session-1', file())
  await expect(upload.stored()).rejects.toMatchObject({ code: 'PT413' })
  expect(upload.getState().error).toEqual({ code: 'PT413', message: 'The file is larger than allowed', details: 'D.', hint: 'H.' })
})

test('cancelling closes the connection', async () => {
  let closed: () => void
  const gone = new Promise<void>((resolve) => { closed = resolve })
  const dossier = await client((request) => {
    request.on('close', () => closed())
    request.once('data', () => upload.cancel())
  })
  const upload = dossier.uploads.add('session-1', file())
  await gone
  expect(upload.getState()).toMatchObject({ status: 'cancelled', document: null })
})

test('a connection that breaks is a reason to wait, not to fail', async () => {
  let requests = 0
  const dossier = await client((request, response) => {
    requests += 1
    if (requests === 1) request.socket.destroy()
    else void received(request).then(() => reply(response, 201, { documents: [document({ status: 'ready' })] }))
  })
  const upload = dossier.uploads.add('session-1', file())
  await vi.waitFor(() => expect(upload.getState()).toMatchObject({ status: 'queued', waitsFor: 'connection', error: null }), { timeout: 15_000 })
  window.dispatchEvent(new Event('online'))
  expect((await upload.ready()).status).toBe('ready')
})
