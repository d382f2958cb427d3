// Requests for Supabase pass through unchanged. Without SUPABASE_URL the error says so.

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import { assertError, call, get } from './lib/api.mjs'
import { edgeUrl } from './lib/env.mjs'
import { startEdge } from './lib/edge.mjs'
import { freePort, listen, RawClient, until } from './lib/net.mjs'
import { member } from './lib/people.mjs'
import './lib/cleanup.mjs'

const families = ['/rest/v1/', '/auth/v1/', '/storage/v1/', '/realtime/v1/', '/functions/v1/', '/graphql/v1/']
let upstream
let edge

before(async () => {
  const server = createServer(answer)
  server.on('upgrade', (request, socket) => {
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nx-path: ${request.url}\r\n\r\n`)
    socket.on('data', (data) => socket.write(data))
    socket.on('error', () => {})
    socket.on('end', () => socket.end())
  })
  upstream = { server, url: await listen(server) }
  edge = await startEdge({ SUPABASE_URL: upstream.url, EXTRACT_WORKERS: '0' })
})
after(async () => {
  await edge?.stop()
  upstream?.server.closeAllConnections()
  upstream?.server.close()
})

/** Responds with the request; streams, hashes or fails if the path says so. */
function answer(request, response) {
  const { pathname } = new URL(request.url, 'http://x')
  if (pathname.endsWith('/hash')) {
    const hash = createHash('sha256')
    request.on('data', (data) => hash.update(data)).on('end', () => response.end(hash.digest('hex')))
  } else if (pathname.endsWith('/drops')) {
    response.write('one\n')
    upstream.finish = () => response.end('two\n')
  } else if (pathname.endsWith('/teapot')) {
    response.writeHead(418, { 'x-from': 'upstream', 'content-type': 'text/plain' }).end('short and stout')
  } else if (pathname.endsWith('/hangs-up')) {
    request.socket.destroy()
  } else {
    const headers = { 'content-type': 'application/json', 'set-cookie': ['a=1', 'b=2'] }
    response.writeHead(200, headers).end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers }))
  }
}

test('every pass-through prefix is forwarded, with method, query and headers', async () => {
  for (const family of families) {
    const response = await call('PATCH', `${family}things?select=a%20b&x=%2F`, {
      url: edge.url, as: 'some.opaque.token', body: '{}', headers: { apikey: 'sb_publishable_x', prefer: 'return=representation', 'content-type': 'application/json' },
    })
    assert.equal(response.status, 200, `${family}: ${response.text}`)
    const seen = response.json
    assert.equal(seen.method, 'PATCH')
    assert.equal(seen.url, `${family}things?select=a%20b&x=%2F`)
    assert.equal(seen.headers.authorization, 'Bearer some.opaque.token', 'tokens are the stack\'s to judge')
    assert.equal(seen.headers.apikey, 'sb_publishable_x')
    assert.equal(seen.headers.prefer, 'return=representation')
    assert.equal(seen.headers.host, new URL(upstream.url).host)
    assert.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2'])
  }
})

test('a prefix without a further path is forwarded, too', async () => {
  const response = await call('POST', '/graphql/v1', { url: edge.url, json: { query: '{ __typename }' } })
  assert.equal(response.json.url, '/graphql/v1', response.text)
})

test('responses come back unchanged', async () => {
  const response = await get('/rest/v1/teapot', { url: edge.url })
  assert.equal(response.status, 418)
  assert.equal(response.text, 'short and stout')
  assert.equal(response.headers.get('x-from'), 'upstream')
})

test('large bodies stream in both directions', async () => {
  const body = randomBytes(40 * 1024 * 1024)
  const response = await call('POST', '/storage/v1/object/hash', { url: edge.url, body })
  assert.equal(response.text, createHash('sha256').update(body).digest('hex'))

  const drops = await fetch(`${edge.url}/functions/v1/drops`)
  const reader = drops.body.getReader()
  const first = await reader.read()
  assert.equal(Buffer.from(first.value).toString(), 'one\n', 'the first part comes before the last is written')
  upstream.finish()
  const second = await reader.read()
  assert.equal(Buffer.from(second.value).toString(), 'two\n')
})

test('a websocket passes through', async () => {
  const client = await RawClient.open(edge.url)
  await client.head('GET', '/realtime/v1/websocket?vsn=1.0.0', {
    upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-key': randomBytes(16).toString('base64'), 'sec-websocket-version': '13',
  })
  await until('the switch', () => client.received.includes('\r\n\r\n'))
  const head = client.received.toString('latin1')
  assert.match(head, /^HTTP\/1\.1 101/)
  assert.match(head, /x-path: \/realtime\/v1\/websocket\?vsn=1\.0\.0/i)
  for (const frame of ['first frame', 'second frame']) {
    await client.send(Buffer.from(frame))
    await until(`the echo of the ${frame}`, () => client.received.includes(frame))
  }
  client.close()
})

test('an upstream that is unreachable or hangs up gives a 502 in our error format', async () => {
  assertError(await get('/rest/v1/hangs-up', { url: edge.url }), 502, 'PT502')
  const alone = await startEdge({ SUPABASE_URL: `http://127.0.0.1:${await freePort()}`, EXTRACT_WORKERS: '0' })
  try {
    assertError(await get('/rest/v1/things', { url: alone.url }), 502, 'PT502')
    assert.equal((await get('/api/sessions', { url: alone.url, as: member })).status, 200, 'our own paths go on')
  } finally {
    await alone.stop()
  }
})

test('without an upstream, its paths say so', async () => {
  for (const family of families) {
    const response = await get(`${family}things`, { url: edgeUrl })
    assert.ok([404, 502].includes(response.status), `${family}: ${response.status}`)
    const body = assertError(response, response.status)
    assert.match(`${body.message} ${body.details} ${body.hint}`, /SUPABASE_URL/)
  }
})

test('nothing else passes through', async () => {
  for (const path of ['/', '/rest', '/rest/v2/things', '/admin', '/api/../rest/v1/x/../../../admin', '//rest/v1/things']) {
    const client = await RawClient.open(edge.url)
    await client.head('GET', path, { connection: 'close' })
    const response = await client.response()
    client.close()
    assert.doesNotMatch(response.text, /"method":"GET"/, `${path} reached the stack`)
  }
})
