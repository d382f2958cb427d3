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
  } else if (pathname.endsWith('/silent')) {
    request.resume()
  } else if (pathname.endsWith('/trailers')) {
    response.writeHead(200, { trailer: 'x-sum', 'transfer-encoding': 'chunked' })
    response.write('body')
    response.addTrailers({ 'x-sum': '1' })
    response.end()
  } else if (pathname.endsWith('/redirect')) {
    response.writeHead(302, { location: `http://${request.headers.host}/functions/v1/elsewhere` }).end()
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
    assert.equal(seen.headers['x-forwarded-host'], new URL(edge.url).host)
    assert.equal(seen.headers['x-forwarded-port'], new URL(edge.url).port)
    assert.equal(seen.headers['x-forwarded-proto'], 'http')
    assert.equal(seen.headers['x-forwarded-for'], '127.0.0.1')
    assert.equal(seen.headers['x-real-ip'], '127.0.0.1')
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

test('a redirect to the stack leads to the edge', async () => {
  const response = await fetch(`${edge.url}/functions/v1/redirect`, { redirect: 'manual' })
  assert.equal(response.headers.get('location'), `${edge.url}/functions/v1/elsewhere`)
})

const app = 'https://app.example'
const preflight = (path, url) => call('OPTIONS', path, {
  url, headers: { origin: app, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,x-client-info,sentry-trace' },
})

/** A page of another origin can send its request to `path`, and read the refusal. */
async function assertReadable(url, path, status) {
  const asked = await preflight(path, url)
  assert.equal(asked.status, 204, asked.text)
  assert.equal(asked.headers.get('access-control-allow-origin'), '*')
  const allowed = asked.headers.get('access-control-allow-headers').split(/, */)
  for (const name of ['authorization', 'x-client-info', 'sentry-trace']) assert.ok(allowed.includes(name), name)
  assert.equal(asked.headers.get('access-control-max-age'), '0', 'the stack decides about the next one')
  const refused = await get(path, { url, headers: { origin: app } })
  assertError(refused, status, `PT${status}`)
  assert.equal(refused.headers.get('access-control-allow-origin'), '*')
  assert.equal(refused.headers.get('access-control-allow-credentials'), null)
}

test('a page of another origin can read what the edge itself responds on the paths of the stack', async () => {
  await assertReadable(edge.url, '/pg/tables', 404)
  const alone = await startEdge({ SUPABASE_URL: `http://127.0.0.1:${await freePort()}`, EXTRACT_WORKERS: '0' })
  const hurried = await startEdge({ SUPABASE_URL: upstream.url, EXTRACT_WORKERS: '0', RATE_LIMIT_PER_MINUTE: '30' })
  try {
    await assertReadable(alone.url, '/rest/v1/things', 502)
    await until('the limit', async () => (await get('/rest/v1/things', { url: hurried.url })).status === 429, { every: 1 })
    await assertReadable(hurried.url, '/rest/v1/things', 429)
  } finally {
    await alone.stop()
    await hurried.stop()
  }
  const own = await get('/rest/v1/things', { url: edge.url, headers: { origin: app } })
  assert.equal(own.headers.get('access-control-allow-origin'), null, 'the stack decides about its own responses')
  assert.equal((await preflight('/rest/v1/things', edge.url)).json.method, 'OPTIONS')
})

test('a stack that is silent for too long gives a 504, and a client that is, a 408', async () => {
  const hasty = await startEdge({ SUPABASE_URL: upstream.url, EXTRACT_WORKERS: '0', UPSTREAM_TIMEOUT_SECONDS: '1' })
  try {
    assert.match(assertError(await get('/functions/v1/silent', { url: hasty.url }), 504, 'PT504').details, /1 seconds \(UPSTREAM_TIMEOUT_SECONDS\)/)
    const client = await RawClient.open(hasty.url)
    await client.head('POST', '/functions/v1/hash', { 'content-length': '10' })
    await client.send(Buffer.from('hello'))
    const stalled = await client.response()
    assert.equal(stalled.status, 408, stalled.text)
    assert.match(stalled.json.details, /UPSTREAM_TIMEOUT_SECONDS/)
  } finally {
    await hasty.stop()
  }
})

test('a websocket may be idle for longer than any other connection', async () => {
  const hasty = await startEdge({ SUPABASE_URL: upstream.url, EXTRACT_WORKERS: '0', UPSTREAM_TIMEOUT_SECONDS: '1', BODY_IDLE_SECONDS: '1', KEEPALIVE_SECONDS: '1' })
  try {
    const socket = await RawClient.open(hasty.url)
    await socket.head('GET', '/realtime/v1/websocket', { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-key': randomBytes(16).toString('base64'), 'sec-websocket-version': '13' })
    await until('the switch', () => socket.received.includes('101'))
    // Others that become idle now are closed, one after the other.
    for (let turn = 0; turn < 2; turn += 1) {
      const upload = await RawClient.open(hasty.url)
      await upload.head('POST', '/functions/v1/hash', { 'content-length': '10' })
      assert.equal((await upload.response()).status, 408)
    }
    await socket.send(Buffer.from('still here'))
    await until('the echo', () => socket.received.includes('still here'))
  } finally {
    await hasty.stop()
  }
})

test('no trailers are promised, since none are forwarded', async () => {
  const client = await RawClient.open(edge.url)
  await client.head('GET', '/functions/v1/trailers', { connection: 'close' })
  const response = await client.response()
  assert.equal(response.text, 'body')
  assert.ok(!('trailer' in response.headers))
  const sender = await RawClient.open(edge.url)
  await sender.send(Buffer.from('POST /functions/v1/echo HTTP/1.1\r\nhost: x\r\ntrailer: x-sum\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nx-sum: 1\r\n\r\n'))
  const { headers } = (await sender.response()).json
  assert.equal(headers['transfer-encoding'], 'chunked')
  assert.ok(!('trailer' in headers))
})

test('pipelined requests are answered in their order', async () => {
  const client = await RawClient.open(edge.url)
  const paths = ['/rest/v1/one', '/healthz', '/rest/v1/two', '/nowhere']
  await client.send(Buffer.from(paths.map((path, index) => `GET ${path} HTTP/1.1\r\nhost: x\r\nx-request-id: ${index}\r\n${index === 3 ? 'connection: close\r\n' : ''}\r\n`).join('')))
  await until('the end', () => client.ended)
  const answers = client.received.toString('latin1')
  assert.deepEqual([...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map((line) => line[1]), ['200', '200', '200', '404'])
  assert.deepEqual([...answers.matchAll(/^x-request-id: (\d+)/gim)].map((line) => line[1]), ['0', '1', '2', '3'])
})

test('CONNECT is refused like any other request', async () => {
  const client = await RawClient.open(edge.url)
  await client.send(Buffer.from('CONNECT db.example:5432 HTTP/1.1\r\nhost: db.example:5432\r\nx-request-id: tunnel-1\r\n\r\n'))
  assertError(await client.response(), 405, 'PT405')
  await until('its line in the log', () => edge.log().includes('tunnel-1'))
})

test('further paths pass through if the operator lists them', async () => {
  assertError(await get('/sso/saml/acs', { url: edge.url }), 404, 'PT404')
  const listed = await startEdge({ SUPABASE_URL: upstream.url, EXTRACT_WORKERS: '0', SUPABASE_PATHS: '/sso/saml/acs, /.well-known/' })
  try {
    for (const path of ['/sso/saml/acs', '/sso/saml/acs/x?y', '/.well-known/oauth-authorization-server']) {
      assert.equal((await get(path, { url: listed.url })).json.url, path)
    }
    for (const path of ['/sso/saml', '/sso/saml/acsx', '/.well-knownx']) assertError(await get(path, { url: listed.url }), 404, 'PT404')
  } finally {
    await listed.stop()
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
