// Resumable uploads: the protocol, and everything that the edge adds to it. See also tus-clients.test.mjs.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createServer, request as httpRequest } from 'node:http'
import { after, before, test } from 'node:test'
import { allPages, assertError, call, finished, get, newSession, sha256, upload } from './lib/api.mjs'
import { startEdge } from './lib/edge.mjs'
import { edgeUrl, jwtSecret } from './lib/env.mjs'
import { listen, until } from './lib/net.mjs'
import { acme, member, owner, stranger, viewer } from './lib/people.mjs'
import { literal, psql, rows, value } from './lib/psql.mjs'
import { sign } from './lib/token.mjs'
import { protocolTests, textOf } from './lib/tus-suite.mjs'
import { TusServer, bytesType, digest, encodeMetadata, version } from './lib/tus.mjs'
import './lib/cleanup.mjs'

const CHUNK = 262_144
let session
let server

const bearer = (person) => ({ authorization: `Bearer ${person.token}` })
const idOf = (location) => location.split('/').at(-1)
const contentOf = async (location) => {
  const response = await get(`/api/documents/${idOf(location)}/content`, { as: member })
  assert.equal(response.status, 200, response.text)
  return response.bytes
}
const at = (edge) => server.at(edge.url)
const existing = (location) => value(`select count(*)::int from dossier.documents where id = ${literal(idOf(location))}`)
const chunkRows = (location) => value(`select count(*)::int from dossier_private.document_chunks where document_id = ${literal(idOf(location))}`)
const rowOf = async (location) => (await rows(`select * from dossier.documents where id = ${literal(idOf(location))}`))[0]

before(async () => {
  session = await newSession(member)
  server = new TusServer({ endpoint: `${edgeUrl}/api/uploads`, headers: bearer(member), metadata: { session_id: session.id, filename: 'a.txt' } })
})

protocolTests(() => ({ server, content: contentOf }))

// What tus says and the reference server does not do.

test('the response to another version lists the supported ones', async () => {
  for (const sent of [{ 'tus-resumable': '0.2.2' }, { 'tus-resumable': '1.0.1' }, { 'tus-resumable': '' }]) {
    const response = await server.create({ length: 5, headers: sent })
    assertError(response, 412, 'PT412')
    assert.equal(response.headers.get('tus-version'), '1.0.0')
    assert.equal(response.headers.get('tus-resumable'), '1.0.0')
  }
})

test('each mistake has its own status', async () => {
  const { location } = await server.create({ length: 100 })
  const typed = (type) => server.patch(location, 0, 'x', { headers: { 'content-type': type } })
  for (const type of ['text/plain', 'application/octet-stream', 'multipart/form-data; boundary=x']) assertError(await typed(type), 415, 'PT415')
  assertError(await server.create({ length: 5, headers: { 'content-type': 'text/plain' }, body: 'hello' }), 415, 'PT415')
  assertError(await server.send('PATCH', location, { headers: bytesType, body: 'x' }), 400, 'PT400')
  for (const offset of ['-1', '+1', '1.0', '0x0', '1, 1']) assertError(await server.patch(location, offset, 'x'), 400, 'PT400')
  const late = assertError(await server.patch(location, 5, 'x'), 409, 'PT409')
  assert.match(late.details, /The offset is 5\. 0 bytes are stored/)
  assertError(await server.patch(location, 0, 'x', { headers: { 'upload-length': '99' } }), 400, 'PT400')
  assertError(await server.send('GET', location), 405, 'PT405')
  assert.equal((await server.head(location)).offset, 0)
})

test('POST can stand for the methods that a client cannot send', async () => {
  const { location } = await server.create({ length: 10 })
  const post = (headers, body) => server.send('POST', location, { headers, body })
  const patched = await post({ ...bytesType, 'upload-offset': '0', 'x-http-method-override': 'PATCH' }, 'hello')
  assert.equal(patched.status, 204, patched.text)
  assert.equal((await post({ 'x-http-method-override': 'HEAD' })).offset, 5)
  assertError(await post({ 'x-http-method-override': 'PUT' }), 405, 'PT405')
  assertError(await post({}), 405, 'PT405')
  assert.equal((await post({ 'x-http-method-override': 'DELETE' })).status, 204)
  assert.equal((await server.head(location)).status, 404)
})

test('a checksum is verified before the bytes count', async () => {
  const bytes = textOf(700_000)
  const { location } = await server.create({ length: bytes.length })
  const options = await server.send('OPTIONS', server.endpoint)
  assert.match(options.headers.get('tus-extension'), /\bchecksum\b/)
  assert.equal(options.headers.get('tus-checksum-algorithm'), 'sha1,sha256,sha512')

  const part = (from, to) => bytes.subarray(from, to)
  const send = (offset, body, checksum) => server.patch(location, offset, body, { headers: { 'upload-checksum': checksum } })
  assert.equal((await send(0, part(0, 1000), digest('sha1', part(0, 1000)))).offset, 1000)
  for (const algorithm of ['sha1', 'sha256', 'sha512']) {
    const wrong = await send(1000, part(1000, 600_000), digest(algorithm, part(1000, 599_999)))
    assert.equal(wrong.status, 460, wrong.text)
    assert.equal(wrong.json.code, 'PT460')
    assert.equal((await server.head(location)).offset, 1000, 'the bytes before are kept, the damaged ones are not')
  }
  assert.equal(await chunkRows(location), 1)
  assert.equal((await send(1000, part(1000, 600_000), digest('sha256', part(1000, 600_000)))).offset, 600_000)
  assert.equal((await send(600_000, part(600_000), digest('sha512', part(600_000)))).offset, bytes.length)
  assert.ok((await contentOf(location)).equals(bytes))

  const { location: other } = await server.create({ length: 5 })
  for (const checksum of ['md5 XUFAKrxLKna5cZ2REBfFkg==', 'sha1', 'sha1 x', 'sha1 XUFAKrxLKna5cZ2REBfFkg==']) {
    const response = await server.patch(other, 0, 'hello', { headers: { 'upload-checksum': checksum } })
    assertError(response, 400, 'PT400')
  }
  // Also in the request that creates the upload: nothing remains of it.
  const name = `${randomUUID()}.txt`
  const created = await server.create({ length: 5, metadata: { filename: name }, headers: { ...bytesType, 'upload-checksum': digest('sha1', 'hallo') }, body: 'hello' })
  assert.equal(created.status, 460, created.text)
  assert.equal(await value(`select count(*)::int from dossier.documents where name = ${literal(name)}`), 0)
})

test('bytes whose checksum was never verified do not count', async () => {
  const bytes = textOf(900_000)
  const { location } = await server.create({ length: bytes.length })
  assert.equal((await server.patch(location, 0, bytes.subarray(0, 10))).offset, 10)
  const client = await server.open(location, 10, bytes.length - 10, { 'upload-checksum': digest('sha1', bytes.subarray(10)) })
  await client.send(bytes.subarray(10, 800_000))
  await until('chunks stored', async () => (await chunkRows(location)) >= 2)
  client.vanish()
  await until('the unverified bytes removed', async () => (await chunkRows(location)) === 1)
  assert.equal((await server.head(location)).offset, 10)
})

// A document like any other.

test('a finished upload is a document: typed, hashed, extracted', async () => {
  const text = 'The quick onyx goblin jumps over the lazy dwarf.'
  const bytes = Buffer.from(text)
  const metadata = { filename: 'goblin.txt', filetype: 'text/plain; charset=utf-8', metadata: JSON.stringify({ source: 'crm', 'ключ': [1, null] }) }
  const { location } = await server.create({ length: bytes.length, metadata })
  for (let offset = 0; offset < bytes.length; offset += 10) {
    assert.equal((await server.patch(location, offset, bytes.subarray(offset, offset + 10))).status, 204)
  }
  const document = await finished(member, idOf(location))
  assert.equal(document.status, 'ready')
  assert.equal(document.name, 'goblin.txt')
  assert.equal(document.media_type, 'text/plain')
  assert.equal(document.sha256, sha256(bytes))
  assert.deepEqual(document.metadata, { source: 'crm', 'ключ': [1, null] })
  assert.equal((await allPages(member, document.id))[0].text.trim(), text)
  // The same bytes as a form.
  const form = await upload(member, session.id, [{ name: 'goblin.txt', bytes, media_type: 'text/plain' }])
  assert.equal(form.json.documents[0].sha256, document.sha256)
})

test('the digest of a file that came in several requests is that of all its bytes', async () => {
  const bytes = textOf(5 * CHUNK + 77)
  const { location } = await server.create({ length: bytes.length })
  const cut = 3 * CHUNK + 5
  await server.patch(location, 0, bytes.subarray(0, cut))
  assert.equal((await server.patch(location, cut, bytes.subarray(cut))).status, 204)
  assert.equal((await rowOf(location)).sha256, sha256(bytes))
})

test('a type that is not accepted is refused once it is known, and nothing remains', async () => {
  const elf = Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]), Buffer.alloc(400_000)])
  const { location } = await server.create({ length: elf.length, metadata: { filename: 'a.txt', filetype: 'text/plain' } })
  // Two bytes are not enough to tell.
  assert.equal((await server.patch(location, 0, elf.subarray(0, 2))).status, 204)
  assertError(await server.patch(location, 2, elf.subarray(2)), 415, 'PT415')
  assert.equal((await server.head(location)).status, 404)
  assert.equal(await existing(location), 0)
  assertError(await server.create({ length: 5, metadata: { filetype: 'application/x-msdownload' } }), 415, 'PT415')
})

test('the limits are those of the database, or of the edge if it is stricter', async () => {
  const most = (await get('/api/limits', { as: member })).json.max_file_bytes
  const options = await server.send('OPTIONS', server.endpoint)
  assert.equal(Number(options.headers.get('tus-max-size')), most)
  assert.equal((await server.create({ length: most })).status, 201)
  assertError(await server.create({ length: most + 1 }), 413, 'PT413')
  assertError(await server.create({ length: '9223372036854775807' }), 413, 'PT413')
  assertError(await server.create({ length: 0 }), 400, 'PT400')
  const { location } = await server.create()
  assertError(await server.patch(location, 0, 'x', { headers: { 'upload-length': String(most + 1) } }), 413, 'PT413')

  const edge = await startEdge({ UPLOAD_MAX_BYTES: '300000', EXTRACT_WORKERS: '0' })
  try {
    assert.equal((await at(edge).send('OPTIONS', at(edge).endpoint, { headers: { authorization: '' } })).headers.get('tus-max-size'), '300000', 'without a token')
    assertError(await at(edge).create({ length: 300_001 }), 413, 'PT413')
    const { location } = await at(edge).create()
    assert.equal((await at(edge).patch(location, 0, textOf(200_000))).offset, 200_000)
    assertError(await at(edge).patch(location, 200_000, textOf(100_001)), 413, 'PT413')
    assert.equal((await at(edge).head(location)).offset, 200_000)
  } finally {
    await edge.stop()
  }
})

test('names are those of forms: no separators, no NUL, and no decoding', async () => {
  const created = (filename) => server.create({ length: 5, metadata: { filename } })
  for (const filename of ['../../etc/passwd', 'a/b.txt', 'a\\b.txt', '..', '', 'a\u0000b.txt', '\u0000', 'a\nb', 'x'.repeat(256), 'a\u202egpj.txt']) {
    assertError(await created(filename), 400)
  }
  for (const filename of ['..%2F..%2Fetc%2Fpasswd', 'a%00b.txt', 'Köln – 日本.txt', 'a;b="c".txt', "x'; drop table dossier.documents; --"]) {
    const response = await created(filename)
    assert.equal(response.status, 201, response.text)
    assert.equal((await rowOf(response.location)).name, filename)
  }
  const raw = (value) => server.send('POST', server.endpoint, { headers: { 'upload-length': '5', 'upload-metadata': value } })
  const known = encodeMetadata({ session_id: session.id })
  assertError(await raw(`${known},filename /w==`), 400, 'PT400') // not UTF-8
  assertError(await raw(`${known},metadata ${Buffer.from('{').toString('base64')}`), 400)
  assertError(await raw(`${known},metadata ${Buffer.from('[1]').toString('base64')}`), 400)
  assertError(await raw(`${known},metadata ${Buffer.from('['.repeat(2000)).toString('base64')}`), 400)
  assertError(await raw('filename YQ=='), 400, 'PT400')
  assertError(await raw(encodeMetadata({ session_id: 'x' })), 400, 'PT400')
  assert.equal((await raw(`${known},relativePath bnVsbA==,type dGV4dC9wbGFpbg==,empty`)).status, 201, 'other keys are accepted')
})

// Callers.

test('only the user who began an upload sees or continues it', async () => {
  const { location } = await server.create({ length: 100 })
  await server.patch(location, 0, 'x'.repeat(10))
  const attempts = (as) => [
    ['HEAD', () => as.head(location)], ['PATCH', () => as.patch(location, 10, 'x')], ['DELETE', () => as.terminate(location)],
  ]
  for (const [person, status] of [[stranger, 404], [owner, 403], [viewer, 403]]) {
    for (const [method, attempt] of attempts(server.as(bearer(person)))) assert.equal((await attempt()).status, status, `${method} by ${person.email}`)
  }
  for (const headers of [{ authorization: '' }, { authorization: 'Bearer x' }]) {
    for (const [method, attempt] of attempts(server.as(headers))) assert.equal((await attempt()).status, 401, method)
  }
  assert.equal((await server.as(bearer(viewer)).create({ length: 5 })).status, 403)
  assert.equal((await server.as(bearer(stranger)).create({ length: 5 })).status, 404)
  assert.equal((await server.head(location)).offset, 10)
  // A document that came as a form, or somebody else's, is not an upload.
  const form = await upload(member, session.id, [{ name: 'f.txt', bytes: 'hello', media_type: 'text/plain' }])
  const url = `${server.endpoint}/${form.json.documents[0].id}`
  assert.equal((await server.patch(url, 5, 'x')).status, 409)
  assert.equal((await server.terminate(url)).status, 409)
  assert.equal((await get(`/api/documents/${form.json.documents[0].id}`, { as: member })).status, 200, 'and is not deleted as one')
})

test('a token that expires between two requests is replaced', async () => {
  const bytes = textOf(1000)
  const now = Math.floor(Date.now() / 1000)
  const token = (exp) => ({ authorization: `Bearer ${sign({ ...member.claims, exp }, { secret: jwtSecret })}` })
  const { location } = await server.as(token(now + 60)).create({ length: bytes.length })
  assert.equal((await server.as(token(now + 60)).patch(location, 0, bytes.subarray(0, 400))).status, 204)
  const late = await server.as(token(now - 3600)).patch(location, 400, bytes.subarray(400))
  assertError(late, 401, 'PT401')
  assert.equal(late.headers.get('tus-resumable'), '1.0.0')
  const head = await server.as(token(now + 600)).head(location)
  assert.equal(head.offset, 400)
  assert.equal((await server.as(token(now + 600)).patch(location, 400, bytes.subarray(400))).offset, 1000)
  assert.ok((await contentOf(location)).equals(bytes))
})

test('a member who is removed between two requests cannot continue', async () => {
  const organization = await call('POST', '/api/organizations', { as: member, json: { name: 'Leaving' } })
  const own = await newSession(member, { organization_id: organization.json.id })
  const there = new TusServer({ ...server, metadata: { ...server.metadata, session_id: own.id } })
  const { location } = await there.create({ length: 100 })
  await there.patch(location, 0, 'x'.repeat(10))
  await psql(`insert into dossier.organization_members (organization_id, user_id, role) values (${literal(organization.json.id)}, ${literal(owner.sub)}, 'owner');
    delete from dossier.organization_members where organization_id = ${literal(organization.json.id)} and user_id = ${literal(member.sub)}`)
  assert.equal((await there.head(location)).status, 404)
  assert.equal((await there.patch(location, 10, 'x')).status, 404)
})

test('unfinished uploads are listed for their user', async () => {
  const own = await newSession(member)
  const there = new TusServer({ ...server, metadata: { ...server.metadata, session_id: own.id } })
  const list = async (query = '', as = member) => {
    const response = await get(`/api/uploads?session_id=${own.id}${query}`, { as })
    assert.equal(response.status, 200, response.text)
    return response.json
  }
  assert.deepEqual(await list(), { uploads: [], next: null })
  const first = await there.create({ length: 1000, metadata: { filename: 'first.txt', metadata: '{"a":1}' } })
  const second = await there.create({ metadata: { filename: 'second.txt' } })
  await there.patch(first.location, 0, 'x'.repeat(300))
  const { uploads, next } = await list()
  assert.equal(next, null)
  assert.deepEqual(uploads.map(({ created_at, expires_at, ...rest }) => rest), [
    { id: idOf(second.location), session_id: own.id, name: 'second.txt', media_type: 'text/plain', metadata: {}, size_bytes: null, offset: 0 },
    { id: idOf(first.location), session_id: own.id, name: 'first.txt', media_type: 'text/plain', metadata: { a: 1 }, size_bytes: 1000, offset: 300 },
  ])
  assert.equal(Date.parse(uploads[0].expires_at) - Date.parse(uploads[0].created_at), 24 * 3600 * 1000, 'a day')
  const page = await list('&limit=1')
  assert.equal(page.uploads[0].name, 'second.txt')
  assert.equal((await list(`&limit=1&after=${encodeURIComponent(page.next)}`)).uploads[0].name, 'first.txt')
  assert.deepEqual((await list('', owner)).uploads, [])
  assert.deepEqual((await list('', stranger)).uploads, [])
  assertError(await get('/api/uploads', {}), 401, 'PT401')
  assertError(await get('/api/uploads?sesion_id=x', { as: member }), 400, 'PT400')
  await there.patch(first.location, 300, 'x'.repeat(700))
  await there.terminate(second.location)
  assert.deepEqual(await list(), { uploads: [], next: null })
})

// One request at a time.

test('a second request waits until the first one is gone', async () => {
  const bytes = textOf(1_000_000)
  const { location } = await server.create({ length: bytes.length })
  const first = await server.open(location, 0, bytes.length)
  await first.send(bytes.subarray(0, 600_000))
  await until('its chunks stored', async () => (await server.head(location)).offset === 2 * CHUNK)
  const second = await server.patch(location, 2 * CHUNK, bytes.subarray(2 * CHUNK))
  assertError(second, 423, 'PT423')
  // The first one continues undisturbed.
  await first.send(bytes.subarray(600_000, 700_000))
  first.close() // a reset would discard what is still on its way
  const offset = await until('the upload released', async () => {
    const { offset } = await server.head(location)
    return offset > 2 * CHUNK ? offset : null
  })
  assert.equal(offset, 700_000, 'what did not fill a chunk is kept, too')
  assert.equal((await server.patch(location, offset, bytes.subarray(offset))).offset, bytes.length)
  assert.ok((await contentOf(location)).equals(bytes))
})

test('a request that is silent loses the upload to another', { timeout: 60_000 }, async () => {
  const bytes = textOf(1_000_000)
  const { location } = await server.create({ length: bytes.length })
  // Its network is gone, and nobody tells the edge.
  const first = await server.open(location, 0, bytes.length)
  await first.send(bytes.subarray(0, 600_000))
  await until('its chunks stored', async () => (await server.head(location)).offset === 2 * CHUNK)
  const started = Date.now()
  const done = await until('another request takes over', async () => {
    const response = await server.patch(location, 2 * CHUNK, bytes.subarray(2 * CHUNK))
    assert.ok([204, 423].includes(response.status), response.text)
    return response.status === 204 ? response : null
  })
  assert.ok(Date.now() - started < 9000, 'before clients of tus usually give up')
  assert.equal(done.offset, bytes.length)
  // The first one comes back to life, and cannot do any harm.
  await first.send(bytes.subarray(600_000))
  const { status } = await first.response()
  assert.ok([404, 409, 423].includes(status), `${status}`)
  assert.ok((await contentOf(location)).equals(bytes))
})

test('a slow request keeps the upload while its bytes arrive', { timeout: 60_000 }, async () => {
  const bytes = textOf(600_000)
  const { location } = await server.create({ length: bytes.length })
  const first = await server.open(location, 0, bytes.length)
  await first.send(bytes.subarray(0, 300_000))
  await until('a chunk stored', async () => (await server.head(location)).offset === CHUNK)
  // Longer than a silent request would hold it, and too little to fill a chunk.
  let sent = 300_000
  const started = Date.now()
  await until('nine seconds of slow bytes', async () => {
    await first.send(bytes.subarray(sent, sent += 10))
    assert.equal((await server.patch(location, CHUNK, 'x')).status, 423)
    return Date.now() - started > 9000
  }, { every: 500 })
  await first.send(bytes.subarray(sent))
  assert.equal((await first.response()).status, 204)
  assert.ok((await contentOf(location)).equals(bytes))
})

test('many requests at once store every byte once', async () => {
  const bytes = textOf(2_000_000)
  const { location } = await server.create({ length: bytes.length })
  let offset = 0
  while (offset < bytes.length) {
    const part = bytes.subarray(offset, offset + 300_000)
    const answers = await Promise.all(Array.from({ length: 8 }, () => server.patch(location, offset, part)))
    const statuses = answers.map((answer) => answer.status).sort()
    assert.equal(statuses[0], 204, statuses.join())
    assert.ok(statuses.slice(1).every((status) => status === 409 || status === 423), statuses.join())
    offset += part.length
  }
  assert.ok((await contentOf(location)).equals(bytes))
})

test('an upload that is terminated while it is sent is gone', async () => {
  const bytes = textOf(1_000_000)
  const { location } = await server.create({ length: bytes.length })
  const sending = await server.open(location, 0, bytes.length)
  await sending.send(bytes.subarray(0, 600_000))
  await until('its chunks stored', async () => (await chunkRows(location)) === 2)
  assert.equal((await server.terminate(location)).status, 204)
  await sending.send(bytes.subarray(600_000))
  assert.equal((await sending.response()).status, 404)
  assert.equal((await server.head(location)).status, 404)
  assert.deepEqual([await existing(location), await chunkRows(location)], [0, 0])
})

// Lost connections and lost edges.

test('a client that disconnects after its last byte has uploaded the file', async () => {
  const bytes = textOf(800_000)
  const { location } = await server.create({ length: bytes.length })
  const client = await server.open(location, 0, bytes.length)
  await client.send(bytes)
  client.close() // a reset would discard what is still on its way
  await until('the upload finished', async () => (await rowOf(location)).status !== 'uploading')
  assert.equal((await server.head(location)).offset, bytes.length)
  assert.ok((await contentOf(location)).equals(bytes))
})

test('an edge is killed, and another continues', { timeout: 60_000 }, async () => {
  const bytes = textOf(3_000_000)
  const [first, second] = await Promise.all([startEdge({ EXTRACT_WORKERS: '0' }), startEdge({ EXTRACT_WORKERS: '0' })])
  try {
    const { location } = await at(first).create({ length: bytes.length })
    const client = await at(first).open(location, 0, bytes.length)
    await client.send(bytes.subarray(0, 2_000_000))
    await until('bytes stored', async () => (await at(second).head(at(second).locate(location))).offset > 0)
    first.signal('SIGKILL')
    await first.ended
    const there = at(second).locate(location)
    const rest = await until('the other edge takes over', async () => {
      const { offset } = await at(second).head(there)
      const response = await at(second).patch(there, offset, bytes.subarray(offset))
      assert.ok([204, 409, 423].includes(response.status), response.text)
      return response.status === 204 ? response : null
    })
    assert.equal(rest.offset, bytes.length)
    assert.ok((await contentOf(location)).equals(bytes))
    assert.equal((await rowOf(location)).sha256, sha256(bytes))
  } finally {
    await Promise.all([first.stop(), second.stop()])
  }
})

test('an upload whose edge was lost after the last byte is finished by HEAD', async () => {
  const bytes = textOf(500_000)
  const { location } = await server.create({ length: bytes.length })
  await server.patch(location, 0, bytes.subarray(0, 200_000))
  // The last bytes, without the end of the request.
  const id = idOf(location)
  const claims = literal(JSON.stringify(member.claims))
  await psql(`begin; select set_config('role', 'authenticated', true), set_config('request.jwt.claims', ${claims}, true);
    select dossier.hold_upload(${literal(id)}, ${literal(randomUUID())}, 200000);
    commit`)
  const holder = await value(`select holder from dossier_private.resumable_uploads where document_id = ${literal(id)}`)
  for (const [from, to] of [[200_000, CHUNK], [CHUNK, bytes.length]]) {
    await psql(`begin; select set_config('role', 'authenticated', true), set_config('request.jwt.claims', ${claims}, true);
      select dossier.resume_upload(${literal(id)}, ${literal(holder)}, ${from}, '\\x${bytes.subarray(from, to).toString('hex')}'); commit`)
  }
  assert.equal((await rowOf(location)).status, 'uploading')
  assert.equal((await server.head(location)).status, 423, 'the lost request still holds it')
  await psql(`update dossier_private.resumable_uploads set held_until = now() where document_id = ${literal(id)}`)
  const head = await server.head(location)
  assert.deepEqual([head.status, head.offset], [200, bytes.length])
  assert.notEqual((await rowOf(location)).status, 'uploading')
  assert.equal((await rowOf(location)).sha256, sha256(bytes))
})

test('a shutdown keeps what has arrived', { timeout: 60_000 }, async () => {
  const bytes = textOf(1_000_000)
  const edge = await startEdge({ EXTRACT_WORKERS: '0', SHUTDOWN_GRACE_SECONDS: '1' })
  const { location } = await at(edge).create({ length: bytes.length })
  const client = await at(edge).open(location, 0, bytes.length)
  await client.send(bytes.subarray(0, 600_000))
  await until('chunks stored', async () => (await server.head(server.locate(location))).offset === 2 * CHUNK)
  await edge.stop()
  const there = server.locate(location)
  const { offset } = await server.head(there)
  assert.ok(offset >= 2 * CHUNK, `${offset}`)
  await until('the upload free', async () => (await server.patch(there, offset, bytes.subarray(offset))).status === 204)
  assert.ok((await contentOf(there)).equals(bytes))
})

// Expiry.

test('an upload expires, and the sweeper removes it', { timeout: 60_000 }, async () => {
  const edge = await startEdge({ UPLOAD_EXPIRES: '2s', SWEEP_SECONDS: '1', EXTRACT_WORKERS: '1' })
  try {
    const created = await at(edge).create({ length: 100 })
    const expires = Date.parse(created.headers.get('upload-expires'))
    assert.ok(Math.abs(expires - Date.now() - 2000) < 2000, created.headers.get('upload-expires'))
    const patched = await at(edge).patch(created.location, 0, 'x'.repeat(10))
    assert.equal(patched.headers.get('upload-expires'), created.headers.get('upload-expires'))
    assert.equal((await at(edge).head(created.location)).headers.get('upload-expires'), created.headers.get('upload-expires'))
    await until('the upload refused', async () => [404, 410].includes((await at(edge).head(created.location)).status))
    assert.ok([404, 410].includes((await at(edge).patch(created.location, 10, 'x')).status))
    await until('its rows removed', async () => (await existing(created.location)) === 0)
    assert.equal((await at(edge).head(created.location)).status, 404)
  } finally {
    await edge.stop()
  }
})

// Addresses.

/** A proxy that serves the edge below a path. */
async function prefixProxy(prefix, target) {
  const proxy = createServer((request, response) => {
    if (!request.url.startsWith(`${prefix}/`)) return response.writeHead(404).end()
    const { hostname, port } = new URL(target)
    const options = { hostname, port, method: request.method, path: request.url.slice(prefix.length), headers: request.headers }
    request.pipe(httpRequest(options, (answer) => {
      response.writeHead(answer.statusCode, answer.headers)
      answer.pipe(response)
    }).on('error', () => response.destroy()))
  })
  const url = await listen(proxy)
  return { url: `${url}${prefix}`, close: () => { proxy.closeAllConnections(); proxy.close() } }
}

test('the address of an upload works behind a proxy that adds a prefix', async () => {
  const proxy = await prefixProxy('/apps/dossier', edgeUrl)
  try {
    for (const endpoint of [`${proxy.url}/api/uploads`, `${proxy.url}/api/uploads/`]) {
      const there = new TusServer({ ...server, endpoint })
      const { location } = await there.create({ length: 5 })
      assert.ok(location.startsWith(`${proxy.url}/api/uploads/`), location)
      assert.equal((await there.patch(location, 0, 'hello')).offset, 5)
    }
  } finally {
    proxy.close()
  }
})

test('the operator can configure the address', async () => {
  const edge = await startEdge({ PUBLIC_URL: 'https://app.example/dossier/', EXTRACT_WORKERS: '0' })
  try {
    const created = await at(edge).create({ length: 5 })
    assert.equal(new URL(created.location).origin, 'https://app.example')
    assert.match(new URL(created.location).pathname, /^\/dossier\/api\/uploads\/[0-9a-f-]{36}$/)
  } finally {
    await edge.stop()
  }
})

test('pages of other origins can upload', async () => {
  const app = 'https://app.example'
  const edge = await startEdge({ CORS_ORIGINS: app, CORS_HEADERS: '', EXTRACT_WORKERS: '0' })
  try {
    const needed = ['authorization', 'content-type', 'tus-resumable', 'upload-length', 'upload-offset', 'upload-metadata', 'upload-defer-length', 'upload-checksum', 'x-http-method-override', 'x-request-id']
    for (const [path, methods] of [['/api/uploads', ['POST']], [`/api/uploads/${randomUUID()}`, ['HEAD', 'PATCH', 'DELETE', 'POST']]]) {
      for (const method of methods) {
        const answer = await call('OPTIONS', path, { url: edge.url, headers: { origin: app, 'access-control-request-method': method, 'access-control-request-headers': needed.join(',') } })
        assert.equal(answer.status, 204)
        assert.ok(answer.headers.get('access-control-allow-methods').split(/, */).includes(method), method)
        const allowed = answer.headers.get('access-control-allow-headers').split(/, */)
        for (const header of needed) assert.ok(allowed.includes(header), header)
      }
    }
    const created = await at(edge).create({ length: 5, headers: { origin: app } })
    assert.equal(created.status, 201)
    assert.equal(created.headers.get('access-control-allow-origin'), app)
    assert.equal(created.headers.get('access-control-expose-headers'), '*', 'Location, Upload-Offset and all others')
    // OPTIONS without a preflight is the protocol's own.
    const options = await call('OPTIONS', '/api/uploads', { url: edge.url, headers: version })
    assert.equal(options.status, 204)
    assert.equal(options.headers.get('tus-version'), '1.0.0')
  } finally {
    await edge.stop()
  }
})

test('a session in the trash takes its unfinished uploads with it', async () => {
  const own = await newSession(member, { organization_id: acme })
  const there = new TusServer({ ...server, metadata: { ...server.metadata, session_id: own.id } })
  const { location } = await there.create({ length: 100 })
  await there.patch(location, 0, 'x'.repeat(10))
  assert.equal((await call('DELETE', `/api/sessions/${own.id}`, { as: member })).status, 204)
  assert.equal((await there.head(location)).status, 404)
  assert.equal((await there.patch(location, 10, 'x')).status, 404)
  assert.equal((await call('POST', `/api/sessions/${own.id}/restore`, { as: member })).status, 200)
  assert.equal((await there.patch(location, 10, 'x'.repeat(90))).offset, 100)
})
