// Health, unknown paths, errors and limits: the behaviour common to all requests.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { assertError, call, get, multipart, newSession, post, unique, upload, uploaded } from './lib/api.mjs'
import { newDatabase } from './lib/database.mjs'
import { startEdge } from './lib/edge.mjs'
import { edgeUrl } from './lib/env.mjs'
import { freePort, RawClient } from './lib/net.mjs'
import { acme, member, owner, stranger, viewer } from './lib/people.mjs'
import { psql } from './lib/psql.mjs'
import './lib/cleanup.mjs'

test('healthz and readyz respond', async () => {
  for (const path of ['/healthz', '/readyz']) {
    const response = await get(path)
    assert.equal(response.status, 200, response.text)
    assert.ok(response.headers.get('x-request-id'))
  }
  const page = await get('/api')
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
  for (const path of ['/nowhere', '/api/', '/api/nowhere', '/api/documents/', '/api/sessions/x/y/z', '/healthz/x', '/%2e%2e/etc/passwd']) {
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

/** The paths of docs/http.md, as [method, path]. */
const documented = readFileSync(new URL('../../docs/http.md', import.meta.url), 'utf8').split('\n')
  .filter((line) => line.startsWith('| `'))
  .flatMap((line) => [...line.split('|')[1].matchAll(/`(GET|POST|PATCH|DELETE) (\/api[^`]*)`/g)].map(([, method, path]) => [method, path]))

test('what servers could read in two ways is refused', async () => {
  assertError(await get('/api/search?q=%ff', { as: member }), 400, 'PT400')
  const client = await RawClient.open(edgeUrl)
  const token = `Authorization: Bearer ${member.token}\r\n`
  await client.send(`GET /api/sessions?limit=1 HTTP/1.1\r\nHost: edge\r\n${token}${token}Connection: close\r\n\r\n`)
  const { status, text } = await client.response()
  assert.equal(status, 400)
  assert.match(text, /more than one Authorization/)
})

test('every documented path exists, and refuses a parameter that it does not read', async () => {
  assert.ok(documented.length > 30, 'the table of docs/http.md was read')
  const nowhere = '00000000-0000-4000-8000-000000000000'
  for (const [method, path] of documented) {
    const url = path.replace(/{(organization_)?id}/, nowhere).replace('{n}', '1').replace('{user_id}', 'x')
    // Paths of tus require its header, and the others ignore it.
    const headers = { 'tus-resumable': '1.0.0' }
    const response = await call(method, `${url}?nobody_reads_this=1`, { as: member, headers, ...(method !== 'GET' && { json: {} }) })
    const { message } = assertError(response, 400, 'PT400')
    assert.equal(message, 'Unknown query parameter "nobody_reads_this"', `${method} ${path}`)
  }
  for (const path of ['/healthz', '/readyz']) assertError(await get(`${path}?nobody_reads_this=1`), 400, 'PT400')
})

test('a precondition that cannot be met changes nothing', async () => {
  const session = await newSession(member)
  const document = await uploaded(member, session.id, { name: unique('tag.txt'), bytes: 'twelve bytes', media_type: 'text/plain' })
  const content = `/api/documents/${document.id}/content`
  for (const headers of [{ 'if-match': '"999"' }, { 'if-none-match': '*' }, { 'if-match': '"1", "2"' }]) {
    for (const [method, path, json] of [['DELETE', `/api/sessions/${session.id}`], ['PATCH', `/api/sessions/${session.id}`, { title: 'x' }],
      ['DELETE', `/api/documents/${document.id}`], ['PATCH', `/api/documents/${document.id}`, { name: 'x' }], ['POST', '/api/sessions', { title: 'x' }]]) {
      assertError(await call(method, path, { as: member, json, headers }), 412, 'PT412')
    }
  }
  assert.equal((await get(`/api/documents/${document.id}`, { as: member })).json.name, document.name)
  assert.equal((await get(`/api/sessions/${session.id}`, { as: member })).json.title, 'A test')

  const { headers } = await get(content, { as: member })
  const etag = headers.get('etag')
  const read = async (headers) => (await get(content, { as: member, headers })).status
  assert.equal(await read({ 'if-match': '"zzz"', range: 'bytes=0-1' }), 412)
  assert.equal(await read({ 'if-match': etag, range: 'bytes=0-1' }), 206)
  assert.equal(await read({ 'if-match': `"zzz", ${etag}` }), 200)
  assert.equal(await read({ 'if-match': '*' }), 200)
  assert.equal(await read({ 'if-none-match': `"zzz", W/${etag}` }), 304)
  assert.equal(await read({ 'if-none-match': '*' }), 304)
  assertError(await get(`/api/sessions/${session.id}`, { as: member, headers: { 'if-match': '"1"' } }), 412, 'PT412')
  assertError(await get('/api/sessions/00000000-0000-4000-8000-000000000000', { as: member, headers: { 'if-match': '"1"' } }), 404)
  assert.equal((await call('DELETE', `/api/sessions/${session.id}`, { as: member, headers: { 'if-match': '*' } })).status, 204)
})

test('JSON ends with a line break, also in errors', async () => {
  const session = await newSession(member)
  const stored = await upload(member, session.id, [{ name: 'x.txt', bytes: 'x', media_type: 'text/plain' }])
  const refused = await upload(member, session.id, [{ name: 'x.exe', bytes: 'x', media_type: 'application/x-executable' }])
  const both = await upload(member, session.id, [{ name: 'x.txt', bytes: 'x', media_type: 'text/plain' }, { name: 'x.exe', bytes: 'x', media_type: 'application/x-executable' }])
  assert.deepEqual([stored.status, refused.status, both.status], [201, 415, 207])
  const unauthorized = await get('/api/sessions')
  const unknown = await get('/nowhere')
  for (const response of [stored, refused, both, unauthorized, unknown, await get('/api/sessions', { as: member }), await get('/readyz'),
    await get(`/api/sessions/${session.id}/export`, { as: member })]) {
    assert.match(response.text, /[}\]]\n$/)
    const declared = response.headers.get('content-length')
    if (declared) assert.equal(Number(declared), response.bytes.length)
  }
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

test('a wrong member of a JSON body is named, in terms of JSON', async () => {
  const session = await newSession(member)
  for (const [path, json, details] of [
    ['/api/sessions', [], /^The body must be an object, not an array\.$/],
    ['/api/sessions', 'x', /^The body must be an object, not a string \(line 1, column 3\)\.$/],
    ['/api/sessions', { title: 5, conversation_type: 'meeting' }, /^`title` must be a string, not a number \(line 1, column \d+\)\.$/],
    [`/api/sessions/${session.id}/context`, { text: 'x', expected_version: '1' }, /^`expected_version` must be an integer between -2147483648 and 2147483647, not a string \(/],
    [`/api/sessions/${session.id}/context`, { text: 'x', expected_version: 2 ** 31 }, /^`expected_version` must be an integer between .*, not 2147483648 \(/],
    [`/api/sessions/${session.id}/context`, { txet: 'x' }, /^The member `txet` is unknown\. Accepted: .*`text_context`, /],
    [`/api/sessions/${session.id}/context`, { text: 'x', text_context: 'y' }, /^The member `text_context` is sent twice/],
    ['/api/sessions', { title: 'x', organization_id: 'acme' }, /^`organization_id` must be a UUID \(/],
    [`/api/sessions/${session.id}/pack`, { embedding: [1, '2'] }, /^`embedding\[1\]` must be a number, not a string \(/],
  ]) {
    const error = assertError(await post(path, json, { as: member }), 400, 'PT400')
    assert.match(error.details, details)
  }
})

test('JSON is read as clients write it, and refused with the reason', async () => {
  const session = await newSession(member)
  const context = `/api/sessions/${session.id}/context`
  const send = (body, path = context) => call('POST', path, { as: member, body, headers: { 'content-type': 'application/json' } })
  assert.equal((await send('\ufeff{"text": "after a byte order mark"}')).status, 200)
  for (const [body, message, details] of [
    ['', /^The body is not valid JSON$/, /^It is empty\.$/],
    ['{"text":', /^The body is not valid JSON$/, /^It ends in the middle \(line 1, column 8\)\.$/],
    ['{"text": x}', /^The body is not valid JSON$/, /^Reading it failed: expected value \(line 1, /],
    ['{"metadata": {"a": "\\ud800"}}', /^A JSON value is not valid$/, /surrogate/],
    ['[null, null, null, false]', /members$/, /^The body must be an object, not an array\.$/],
  ]) {
    const error = assertError(await send(body), 400)
    assert.match(error.message, message, body)
    assert.match(error.details, details, body)
  }
})

test('a wrong query parameter is named, with what it must be', async () => {
  for (const [path, message, details] of [
    ['/api/sessions?limit=many', 'Invalid query parameter "limit"', 'It must be an integer, not "many".'],
    ['/api/sessions?deleted=yes', 'Invalid query parameter "deleted"', 'It must be true or false, not "yes".'],
    ['/api/documents?session_id=x', 'Invalid query parameter "session_id"', 'It must be a UUID, not "x".'],
    ['/api/sessions?limit=1&limit=2', 'Malformed query string', 'The query string cannot be read: limit is sent twice.'],
    ['/api/sessions?after=9223372036854775807.00000000-0000-0000-0000-000000000000', 'after is not a valid cursor', null],
    ['/api/search?q=x&limit=99999999999', 'Invalid query parameter "limit"', 'It must be a smaller integer, not "99999999999".'],
  ]) {
    const error = assertError(await call('GET', path, { as: member }), 400, 'PT400')
    assert.deepEqual([error.message, error.details], [message, details], path)
  }
})

test('a compressed body is refused on every path that reads one, and nothing of it is stored', async () => {
  const session = await newSession(member)
  const form = multipart([{ name: 'file', filename: 'a.txt', type: 'text/plain', content: 'x' }])
  const tus = { 'tus-resumable': '1.0.0', 'content-type': 'application/offset+octet-stream' }
  const metadata = `session_id ${Buffer.from(session.id).toString('base64')}`
  const json = [JSON.stringify({}), { 'content-type': 'application/json' }]
  const requests = [
    ['POST', '/api/sessions', ...json],
    ['PATCH', `/api/sessions/${session.id}`, ...json],
    ['POST', `/api/sessions/${session.id}/context`, ...json],
    ['POST', `/api/sessions/${session.id}/context/restore`, ...json],
    ['POST', `/api/sessions/${session.id}/pack`, ...json],
    ['POST', '/api/contexts', ...json],
    ['POST', '/api/search', ...json],
    ['POST', `/api/import?organization_id=${acme}`, ...json],
    ['POST', '/api/uploads/explain', ...json],
    ['POST', `/api/documents?session_id=${session.id}`, form.body, { 'content-type': form.type }],
    ['POST', '/api/uploads', 'x', { ...tus, 'upload-length': '1', 'upload-metadata': metadata }],
    ['PATCH', `/api/uploads/${session.id}`, 'x', { ...tus, 'upload-offset': '0' }],
  ]
  for (const [method, path, body, headers] of requests) {
    for (const encoding of ['gzip', 'identity, Br']) {
      const response = await call(method, path, { as: member, body: gzipSync(body), headers: { ...headers, 'content-encoding': encoding } })
      const error = assertError(response, 415, 'PT415')
      assert.match(error.details, /Content-Encoding: (gzip|Br)\.$/, path)
      assert.equal(response.headers.get('accept-encoding'), 'identity', path)
      if (headers['tus-resumable']) assert.equal(response.headers.get('tus-resumable'), '1.0.0', path)
    }
  }
  assert.deepEqual((await get(`/api/documents?session_id=${session.id}`, { as: member })).json.documents, [])
  const as = (headers) => call('POST', `/api/sessions/${session.id}/context`, { as: member, body: '{"text":"x"}', headers: { 'content-type': 'application/json', ...headers } })
  assert.equal((await as({ 'content-encoding': 'identity' })).status, 200)
  const empty = await call('POST', `/api/sessions/${session.id}/restore`, { as: member, headers: { 'content-encoding': 'gzip' } })
  assertError(empty, 404, 'PT404')
})

test('a refusal speaks of routes and parameters, not of functions of SQL', async () => {
  const { id } = await newSession(member)
  const members = `/api/organizations/${acme}/members`
  for (const [method, path, json, as, said] of [
    ['GET', '/api/search?q=x&limit=101', undefined, member, /^limit must be .* value of next/s],
    ['GET', `/api/sessions/${id}/context/versions?limit=0`, undefined, member, /^limit must be/],
    ['GET', `/api/sessions/${id}/context/versions/7`, undefined, member, /GET \/api\/sessions\/\{id\}\/context\/versions/],
    ['POST', `/api/sessions/${id}/restore`, undefined, member, /GET \/api\/sessions\?deleted=true/],
    ['POST', `/api/invitations/${acme}`, undefined, stranger, /GET \/api\/invitations/],
    ['POST', members, { user_id: viewer.sub }, owner, /PATCH \/api\/organizations\/\{id\}\/members/],
    ['PATCH', `${members}/nobody`, { role: 'viewer' }, owner, /POST \/api\/organizations\/\{id\}\/members/],
    ['POST', members, { user_id: 'x' }, member, /^This request requires the role admin/],
    ['PATCH', `/api/sessions/${id}`, 5, member, /^The body must be an object/],
    ['POST', `/api/import?organization_id=${acme}`, {}, member, /GET \/api\/export/],
    ['GET', '/api/search?q=x&since=foo', undefined, member, /^since or until .* 2026-12-01T09:30:00Z/s],
  ]) {
    const { json: { message, details, hint } } = await call(method, path, { as, json })
    const whole = [message, details, hint].join('\n')
    assert.match(whole, said, `${method} ${path}`)
    assert.doesNotMatch(whole, /[a-z_]+\(\)|=>|limit_count|function|timestamp/, `${method} ${path}`)
  }
})

test('a connection survives a body that nobody reads, and one that arrives byte by byte', async () => {
  const client = await RawClient.open(edgeUrl)
  const exchange = async (head, body) => {
    client.received = Buffer.alloc(0)
    // The first piece arrives with the head.
    await client.send(Buffer.concat([Buffer.from(head), ...body.slice(0, 1)]))
    for (const piece of body.slice(1)) await client.send(piece)
    return client.response()
  }
  const head = (fields) => ['POST /api/sessions HTTP/1.1', 'host: x', 'content-type: application/json', ...fields, '', ''].join('\r\n')
  const refused = await exchange(head(['content-length: 13']), [Buffer.from('{"title":"x"}')])
  assert.equal(refused.status, 401, 'before the body was read')
  assert.equal(refused.headers.connection, 'keep-alive')
  const title = unique('byte by byte ä')
  const bytes = [...Buffer.from(JSON.stringify({ title, organization_id: acme }))].map((byte) => Buffer.from([0x31, 0x0d, 0x0a, byte, 0x0d, 0x0a]))
  const created = await exchange(head([`authorization: Bearer ${member.token}`, 'transfer-encoding: chunked']), [...bytes, Buffer.from('0\r\n\r\n')])
  assert.equal(created.status, 201, created.text)
  assert.equal(created.json.title, title)
  assert.equal((await exchange('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n', [])).status, 200)
  client.close()
})

test('an export to HTTP/1.0 has no chunks', async () => {
  const session = await newSession(member, { context: { text: 'old client' } })
  for (const format of ['json', 'ndjson']) {
    const client = await RawClient.open(edgeUrl)
    await client.send(Buffer.from(`GET /api/sessions/${session.id}/export?format=${format} HTTP/1.0\r\nauthorization: Bearer ${member.token}\r\nconnection: keep-alive\r\n\r\n`))
    const response = await client.response()
    assert.equal(response.status, 200, response.text)
    assert.ok(!('transfer-encoding' in response.headers), 'the body ends with the connection')
    assert.equal(response.headers.connection, 'close')
    const records = response.text.trim().split(format === 'json' ? '\0' : '\n').map((line) => JSON.parse(line))
    assert.match(JSON.stringify(records), /old client/)
  }
})

test('an upgrade that the API does not support is ignored', async () => {
  const client = await RawClient.open(edgeUrl)
  await client.head('GET', '/healthz', { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-version': '13' })
  assert.equal((await client.response()).status, 200)
  client.close()
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

test('an edge without a limit of its own follows the database', async () => {
  const database = await newDatabase({ native: false, name: `dossier_e2e_limit_${process.pid}` })
  const edge = await startEdge({ DATABASE_URL: database.edgeUrl, EXTRACT_WORKERS: '0' })
  try {
    const session = await newSession(member, {}, { url: edge.url })
    const send = (length) => upload(member, session.id, [{ name: 'large.txt', bytes: Buffer.alloc(length, 'a'), media_type: 'text/plain' }], { url: edge.url })
    const refused = assertError(await send(10_485_761), 413, 'PT413', { perFile: true })
    assert.match(refused.details, /limit of the database \(max_file_bytes\)/)
    await psql("update dossier_private.settings set value = '12000000' where name = 'max_file_bytes'", { url: database.url })
    assert.equal((await send(10_485_761)).status, 201, 'the operator of the edge changes nothing')
    assert.equal((await get('/api/limits', { as: member, url: edge.url })).json.max_file_bytes, 12_000_000)
  } finally {
    await edge.stop()
    await database.drop()
  }
})

test('an edge may have a smaller limit than the database', async () => {
  const edge = await startEdge({ UPLOAD_MAX_BYTES: '1000', EXTRACT_WORKERS: '0' })
  try {
    const session = await newSession(member, {}, { url: edge.url })
    const file = (length) => ({ name: unique('small.txt'), bytes: Buffer.alloc(length, 'a'), media_type: 'text/plain' })
    assert.equal((await upload(member, session.id, [file(1000)], { url: edge.url })).status, 201)
    const refused = assertError(await upload(member, session.id, [file(1001)], { url: edge.url }), 413, 'PT413', { perFile: true })
    assert.match(refused.details, /limit of the edge \(UPLOAD_MAX_BYTES\)/)
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
