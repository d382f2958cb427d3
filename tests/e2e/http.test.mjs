// Health, unknown paths, errors and limits: the behaviour common to all requests.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertError, call, get, newSession, post, unique, upload, uploaded } from './lib/api.mjs'
import { startEdge } from './lib/edge.mjs'
import { edgeUrl } from './lib/env.mjs'
import { freePort, RawClient } from './lib/net.mjs'
import { member } from './lib/people.mjs'
import './lib/cleanup.mjs'

test('healthz and readyz respond', async () => {
  for (const path of ['/healthz', '/readyz']) {
    const response = await get(path)
    assert.equal(response.status, 200, response.text)
    assert.ok(response.headers.get('x-request-id'))
  }
  const page = await get('/')
  assert.equal(page.status, 200)
  assert.match(page.headers.get('content-type'), /text\/html/)
  assert.match(page.text, /\/api\//)
})

test('every response has its own request id', async () => {
  const ids = new Set()
  for (const path of ['/healthz', '/api/sessions', '/nowhere', '/rest/v1/x', '/']) ids.add((await get(path)).headers.get('x-request-id'))
  assert.equal(ids.size, 5)
  assert.ok(![...ids].some((id) => !id))
  const injected = await get('/healthz', { headers: { 'x-request-id': 'a'.repeat(5000) } })
  assert.ok(injected.headers.get('x-request-id').length < 200, 'a client does not write into our logs at length')
})

test('unknown paths and wrong methods are refused, in JSON', async () => {
  for (const path of ['/nowhere', '/api', '/api/', '/api/nowhere', '/api/documents/', '/api/sessions/x/y/z', '/healthz/x', '/%2e%2e/etc/passwd']) {
    const response = await get(path, { as: member })
    assertError(response, 404)
    assert.match(response.headers.get('content-type'), /application\/json/)
  }
  for (const [method, path] of [['PUT', '/api/sessions'], ['DELETE', '/api/documents'], ['POST', '/healthz'], ['PATCH', '/api/documents']]) {
    const response = await call(method, path, { as: member })
    assertError(response, 405)
    assert.ok(response.headers.get('allow'), `${method} ${path}: Allow`)
  }
})

test('an unknown query parameter is refused, with the known ones', async () => {
  const session = await newSession(member)
  const nowhere = '00000000-0000-4000-8000-000000000000'
  for (const [path, known] of [['/api/sessions', 'limit'], [`/api/documents?session_id=${session.id}`, 'session_id'],
    [`/api/documents/${nowhere}/pages`, 'after'], [`/api/sessions/${session.id}/context/versions`, 'after'], ['/api/search?q=x', 'media_type']]) {
    const separator = path.includes('?') ? '&' : '?'
    const unknown = assertError(await get(`${path}${separator}limti=5`, { as: member }), 400, 'PT400')
    assert.equal(unknown.message, 'Unknown query parameter "limti"')
    assert.match(unknown.details, new RegExp(`^This path accepts .*\\b${known}\\b.*\\.$`))
    const invalid = assertError(await get(`${path}${separator}limit=many`, { as: member }), 400, 'PT400')
    assert.equal(invalid.message, 'Invalid query parameter "limit"')
    assert.match(invalid.details, /"many"/)
  }
  assertError(await call('POST', `/api/documents?sesion_id=${session.id}`, { as: member, body: new FormData() }), 400, 'PT400')
  for (const path of [`sessions/${session.id}`, `sessions/${session.id}/context`, `documents/${nowhere}`]) {
    const { message, details } = assertError(await get(`/api/${path}?version=1`, { as: member }), 400, 'PT400')
    assert.equal(message, 'Unknown query parameter "version"')
    assert.match(details, /accepts no query parameters/)
  }
  for (const [method, path, json] of [['DELETE', `documents/${nowhere}`], ['POST', `documents/${nowhere}/ocr`], ['PATCH', `sessions/${session.id}`, {}],
    ['POST', `sessions/${session.id}/restore`], ['POST', `sessions/${session.id}/context`, { text: 'x' }], ['POST', `sessions/${session.id}/context/restore`, { version: 1 }]]) {
    assert.match(assertError(await call(method, `/api/${path}?expected_version=1`, { as: member, json }), 400, 'PT400').message, /"expected_version"/)
  }
  assertError(await post('/api/import?keepids=true', {}, { as: member }), 400, 'PT400')
})

test('long messages of Postgres are shortened', async () => {
  const { message, details } = assertError(await call('POST', `/api/import?organization_id=${(await newSession(member)).organization_id}`,
    { as: member, body: `{"format": "${'x'.repeat(1 << 20)}`, headers: { 'content-type': 'application/json' } }), 400)
  assert.ok(`${message}${details}`.length < 20_000)
})

test('HEAD responds like GET, without a body', async () => {
  const session = await newSession(member)
  const document = await uploaded(member, session.id, { name: unique('head.txt'), bytes: Buffer.from('twelve bytes'), media_type: 'text/plain' })
  const response = await call('HEAD', `/api/documents/${document.id}/content`, { as: member })
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-length'), '12')
  assert.equal(response.bytes.length, 0)
})

test('malformed and oversized JSON bodies are refused', async () => {
  const json = { 'content-type': 'application/json' }
  assertError(await call('POST', '/api/sessions', { as: member, body: 'title=x', headers: { 'content-type': 'application/x-www-form-urlencoded' } }), 400)
  assertError(await call('POST', '/api/sessions', { as: member, body: Buffer.from([0x22, 0xff, 0xfe, 0x22]), headers: json }), 400)
  assertError(await call('POST', '/api/sessions', { as: member, body: '[' .repeat(100_000), headers: json }), 400)
  assertError(await post('/api/sessions', { title: 'x'.repeat(8 << 20) }, { as: member }), 413)
})

test('malformed HTTP is refused, and the next client is served', async () => {
  const attempts = [
    'GET / HTTP/1.1\r\n\r\n', 'GET /healthz HTTP/9.9\r\nhost: x\r\n\r\n', '\0\0\0\0\r\n\r\n', 'GET / HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n',
    `GET / HTTP/1.1\r\nhost: x\r\ncookie: ${'a'.repeat(1 << 20)}\r\n\r\n`,
    'POST /api/sessions HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n',
    'POST /api/sessions HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n{}{}{}',
    'POST /api/sessions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
  ]
  for (const bytes of attempts) {
    const client = await RawClient.open(edgeUrl)
    await client.send(Buffer.from(bytes, 'latin1'))
    client.socket.end()
    const response = await client.response(10).catch(() => null)
    if (response && !bytes.startsWith('GET / HTTP/1.1\r\n\r\n')) assert.ok(response.status >= 400, `${response.status} for ${bytes.slice(0, 60)}`)
    assert.doesNotMatch(client.received.toString('latin1'), /smuggled/)
    client.close()
  }
  assert.equal((await get('/healthz')).status, 200)
})

test('a client beyond the rate limit receives Retry-After', async () => {
  const edge = await startEdge({ RATE_LIMIT_PER_MINUTE: '20', EXTRACT_WORKERS: '0' })
  try {
    const answers = []
    for (let index = 0; index < 40; index += 1) answers.push(await get('/api/sessions', { url: edge.url, as: member }))
    const refused = answers.filter((answer) => answer.status === 429)
    assert.ok(refused.length >= 10, `${refused.length} of 40 refused`)
    assertError(refused[0], 429, 'PT429')
    assert.ok(Number(refused[0].headers.get('retry-after')) > 0)
  } finally {
    await edge.stop()
  }
})

test('an edge may have a smaller limit than the database', async () => {
  const edge = await startEdge({ UPLOAD_MAX_BYTES: '1000', EXTRACT_WORKERS: '0' })
  try {
    const session = await newSession(member, {}, { url: edge.url })
    const file = (length) => ({ name: unique('small.txt'), bytes: Buffer.alloc(length, 'a'), media_type: 'text/plain' })
    assert.equal((await upload(member, session.id, [file(1000)], { url: edge.url })).status, 201)
    assertError(await upload(member, session.id, [file(1001)], { url: edge.url }), 413, 'PT413', { perFile: true })
  } finally {
    await edge.stop()
  }
})

test('an edge without its database is alive but not ready, and says so', async () => {
  const port = await freePort()
  const down = await startEdge({ DATABASE_URL: `postgres://authenticator@127.0.0.1:${port}/nothing`, EXTRACT_WORKERS: '0', DATABASE_WAIT_SECONDS: '2' }, { ready: '/healthz' })
    .catch((error) => error)
  // Refusing to start is just as good, if the error says why.
  if (down instanceof Error) {
    assert.match(down.message, /DATABASE_URL|database|connect/i)
    return
  }
  try {
    assert.equal((await get('/healthz', { url: down.url })).status, 200)
    const readiness = await get('/readyz', { url: down.url })
    assert.equal(readiness.status, 503)
    assert.match(readiness.text, /database/, 'it names the missing part')
    assertError(await get('/api/sessions', { url: down.url, as: member }), 503)
  } finally {
    await down.stop()
  }
})
