// The clients that applications use for tus: tus-js-client, Uppy and tuspy.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import Uppy from '@uppy/core'
import UppyTus from '@uppy/tus'
import * as tus from 'tus-js-client'
import { get, newSession, sha256 } from './lib/api.mjs'
import { startEdge } from './lib/edge.mjs'
import { edgeUrl, jwtSecret } from './lib/env.mjs'
import { listen, until } from './lib/net.mjs'
import { member } from './lib/people.mjs'
import { sign } from './lib/token.mjs'
import { textOf } from './lib/tus-suite.mjs'
import './lib/cleanup.mjs'

const run = promisify(execFile)
let session
let directory

before(async () => {
  session = await newSession(member)
  directory = await mkdtemp(join(tmpdir(), 'tus-clients-'))
})
after(() => rm(directory, { recursive: true, force: true }))

const endpointOf = (url) => `${url}/api/uploads`

/** An upload by tus-js-client, and what becomes of it. */
function client(source, options = {}) {
  const { promise: done, resolve, reject } = Promise.withResolvers?.() ?? withResolvers()
  const upload = new tus.Upload(source, {
    endpoint: endpointOf(edgeUrl),
    headers: { Authorization: `Bearer ${member.token}` },
    metadata: { session_id: session.id, filename: 'from js.txt', filetype: 'text/plain' },
    retryDelays: [0, 100, 500, 1000, 3000, 5000],
    onSuccess: () => resolve(upload.url),
    onError: reject,
    ...options,
  })
  // A failure before anything waits for it is not an unhandled one.
  done.catch(() => {})
  return { upload, done }
}

function withResolvers() {
  const made = {}
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }))
  return made
}

async function stored(url, bytes) {
  const id = url.split('/').at(-1)
  const document = (await get(`/api/documents/${id}`, { as: member })).json
  assert.notEqual(document.status, 'uploading')
  assert.equal(document.sha256, sha256(bytes))
  assert.ok((await get(`/api/documents/${id}/content`, { as: member })).bytes.equals(bytes), 'the bytes that were sent')
  return document
}

/** Passes connections on, and cuts the first `cuts` of them after `bytes` bytes of the client. */
async function fragile(url, { bytes, cuts }) {
  const { hostname, port } = new URL(url)
  const sockets = new Set()
  const state = { cut: 0 }
  const server = createServer((client) => {
    const edge = connect(Number(port), hostname)
    let passed = 0
    for (const socket of [client, edge]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => { sockets.delete(socket); client.destroy(); edge.destroy() })
    }
    edge.pipe(client)
    client.on('data', (data) => {
      passed += data.length
      if (state.cut < cuts && passed > bytes) {
        state.cut += 1
        client.resetAndDestroy()
        return
      }
      if (!edge.write(data)) {
        client.pause()
        edge.once('drain', () => client.resume())
      }
    })
  })
  state.url = await listen(server)
  state.close = () => { for (const socket of sockets) socket.destroy(); server.close() }
  return state
}

test('tus-js-client uploads in one request, and in pieces', async () => {
  const bytes = textOf(3_000_001)
  for (const chunkSize of [Infinity, 1_000_000, 333_333]) {
    const { upload, done } = client(bytes, { chunkSize })
    upload.start()
    const document = await stored(await done, bytes)
    assert.equal(document.name, 'from js.txt')
  }
})

test('tus-js-client sends the first bytes with the creation', async () => {
  const bytes = textOf(700_000)
  for (const chunkSize of [Infinity, 300_000]) {
    const { upload, done } = client(bytes, { uploadDataDuringCreation: true, chunkSize })
    upload.start()
    await stored(await done, bytes)
  }
})

test('tus-js-client pauses, and continues', async () => {
  const bytes = textOf(4_000_000)
  const { upload, done } = client(bytes, { chunkSize: 500_000, onChunkComplete: (_, accepted) => { if (accepted === 1_500_000) paused() } })
  let paused
  const pausing = new Promise((resolve) => { paused = () => upload.abort().then(resolve) })
  upload.start()
  await pausing
  const head = await fetch(upload.url, { method: 'HEAD', headers: { authorization: `Bearer ${member.token}`, 'tus-resumable': '1.0.0' } })
  assert.ok(Number(head.headers.get('upload-offset')) >= 1_500_000)
  upload.start()
  await stored(await done, bytes)
})

test('tus-js-client continues in another process, by the list of unfinished uploads', async () => {
  const bytes = textOf(2_000_000)
  const own = await newSession(member)
  const first = client(bytes, { chunkSize: 500_000, metadata: { session_id: own.id, filename: 'mine.txt' }, onChunkComplete: (_, accepted) => { if (accepted === 500_000) stopped() } })
  let stopped
  const stopping = new Promise((resolve) => { stopped = () => first.upload.abort().then(resolve) })
  first.upload.start()
  await stopping
  // It has forgotten the address.
  const { uploads } = (await get(`/api/uploads?session_id=${own.id}`, { as: member })).json
  assert.equal(uploads.length, 1)
  assert.ok(uploads[0].offset >= 500_000)
  const second = client(bytes, { uploadUrl: `${endpointOf(edgeUrl)}/${uploads[0].id}` })
  second.upload.start()
  await stored(await second.done, bytes)
})

test('tus-js-client survives lost connections', { timeout: 60_000 }, async () => {
  const bytes = textOf(5_000_000)
  const network = await fragile(edgeUrl, { bytes: 900_000, cuts: 4 })
  try {
    const { upload, done } = client(bytes, { endpoint: endpointOf(network.url) })
    upload.start()
    await stored(await done, bytes)
    assert.equal(network.cut, 4)
  } finally {
    network.close()
  }
})

test('tus-js-client survives the loss of its edge', { timeout: 60_000 }, async () => {
  const bytes = textOf(4_000_000)
  const edges = await Promise.all([startEdge({ EXTRACT_WORKERS: '0' }), startEdge({ EXTRACT_WORKERS: '0' })])
  // A load balancer that sends everything to the first edge that is alive.
  const balancer = createServer((client) => {
    const target = edges.find((edge) => edge.running())
    const edge = connect(Number(new URL(target.url).port), '127.0.0.1')
    for (const socket of [client, edge]) socket.on('error', () => {}).on('close', () => { client.destroy(); edge.destroy() })
    client.pipe(edge).pipe(client)
  })
  const url = await listen(balancer)
  try {
    const { upload, done } = client(bytes, {
      endpoint: endpointOf(url),
      chunkSize: 1_000_000,
      onProgress: (sent) => { if (sent > 1_500_000) edges[0].signal('SIGKILL') },
    })
    upload.start()
    await stored(await done, bytes)
    assert.ok(!edges[0].running(), 'the first edge was killed')
  } finally {
    balancer.close()
    await Promise.all(edges.map((edge) => edge.stop()))
  }
})

test('tus-js-client uploads a stream whose length it does not know', async () => {
  const bytes = textOf(1_234_567)
  // Not the stream of a file: for those, this client announces a last request that is longer than the rest.
  const stream = Readable.from([bytes]).pipe(new PassThrough())
  const { upload, done } = client(stream, { uploadLengthDeferred: true, chunkSize: 400_000 })
  upload.start()
  await stored(await done, bytes)
})

test('tus-js-client terminates an upload', async () => {
  const { upload } = client(textOf(2_000_000), { chunkSize: 500_000, onChunkComplete: () => ended() })
  let ended
  const ending = new Promise((resolve) => { ended = () => resolve(upload.abort(true)) })
  upload.start()
  await ending
  const { uploads } = (await get(`/api/uploads?session_id=${session.id}`, { as: member })).json
  assert.ok(uploads.every(({ id }) => !upload.url?.endsWith(id)))
})

test('tus-js-client replaces a token that has expired', async () => {
  const bytes = textOf(2_000_000)
  let requests = 0
  const now = Math.floor(Date.now() / 1000)
  const { upload, done } = client(bytes, {
    chunkSize: 500_000,
    onBeforeRequest: (request) => {
      requests += 1
      // The third request has an old token, the ones after it a new one.
      const exp = requests === 3 ? now - 3600 : now + 600 + requests
      request.setHeader('Authorization', `Bearer ${sign({ ...member.claims, exp }, { secret: jwtSecret })}`)
    },
    onShouldRetry: (error) => error.originalResponse?.getStatus() === 401,
  })
  upload.start()
  await stored(await done, bytes)
  assert.ok(requests > 5, `${requests} requests`)
})

test('tus-js-client gives up on what cannot succeed', async () => {
  const failing = async (options) => {
    const { upload, done } = client(textOf(1000), options)
    upload.start()
    const error = await done.then(() => assert.fail('it succeeded'), (failure) => failure)
    return error.originalResponse?.getStatus()
  }
  assert.equal(await failing({ metadata: { session_id: session.id, filename: 'a/b' } }), 400)
  assert.equal(await failing({ metadata: { session_id: session.id, filename: 'a.exe', filetype: 'application/x-msdownload' } }), 415)
  assert.equal(await failing({ parallelUploads: 2 }), 400)
})

test('Uppy uploads several files', { timeout: 60_000 }, async () => {
  const files = Array.from({ length: 3 }, (_, index) => textOf(500_000 + index))
  const uppy = new Uppy({ autoProceed: false, allowMultipleUploadBatches: true })
  uppy.use(UppyTus, { endpoint: endpointOf(edgeUrl), headers: { Authorization: `Bearer ${member.token}` }, chunkSize: 200_000, retryDelays: [0, 100] })
  uppy.setMeta({ session_id: session.id })
  // In Node, tus-js-client below Uppy reads buffers, and Uppy asks for their size as for that of a blob.
  files.forEach((bytes, index) => uppy.addFile({ name: `uppy ${index}.txt`, type: 'text/plain', data: Object.assign(bytes, { size: bytes.length }) }))
  const { successful, failed } = await uppy.upload()
  assert.deepEqual(failed.map(({ error }) => error), [])
  assert.equal(successful.length, 3)
  for (const [index, file] of successful.entries()) {
    const document = await stored(file.uploadURL, files[index])
    assert.equal(document.name, `uppy ${index}.txt`)
    assert.equal(document.media_type, 'text/plain')
  }
  uppy.destroy()
})

const python = process.env.DOSSIER_TUSPY
test('tuspy uploads with checksums, and resumes', { skip: !python && 'DOSSIER_TUSPY is not set' }, async () => {
  const bytes = textOf(1_500_000)
  const path = join(directory, 'python.txt')
  await writeFile(path, bytes)
  const script = new URL('lib/tus_client.py', import.meta.url).pathname
  const { stdout } = await run(python, [script, endpointOf(edgeUrl), member.token, session.id, path, '400000'])
  const document = await stored(stdout.trim(), bytes)
  assert.equal(document.name, 'from python é.txt')
})

test('what the clients have left behind can be listed and ended', async () => {
  await until('no unfinished uploads', async () => {
    const { uploads } = (await get(`/api/uploads?session_id=${session.id}`, { as: member })).json
    for (const { id } of uploads) await fetch(`${endpointOf(edgeUrl)}/${id}`, { method: 'DELETE', headers: { authorization: `Bearer ${member.token}`, 'tus-resumable': '1.0.0' } })
    return uploads.length === 0
  })
})
