// Failures in the middle of a request: fragments, stalls, lost membership, lost connections, deletion during extraction.

import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { assertError, call, finished, get, multipart, newSession, post, sha256, unique, upload, uploaded } from './lib/api.mjs'
import { newDatabase } from './lib/database.mjs'
import { startEdge } from './lib/edge.mjs'
import { jwtSecret } from './lib/env.mjs'
import { fixture } from './lib/fixtures.mjs'
import { RawClient, until } from './lib/net.mjs'
import { acme, member, owner } from './lib/people.mjs'
import { leftOf, literal, psql, rows, value } from './lib/psql.mjs'
import { sign } from './lib/token.mjs'
import './lib/cleanup.mjs'

const MIB = 1024 * 1024
let database
let edge

before(async () => {
  database = await newDatabase({ native: false })
  edge = await startEdge({ DATABASE_URL: database.edgeUrl, BODY_IDLE_SECONDS: '2', JOB_POLL_SECONDS: '3600' })
})
after(async () => {
  await edge?.stop()
  await database?.drop()
})

const here = (options) => ({ url: edge.url, ...options })
const inDatabase = () => ({ url: database.url })

async function begin(token, body, type) {
  const client = await RawClient.open(edge.url)
  await client.head('POST', '/api/documents', { authorization: `Bearer ${token}`, 'content-type': type, 'content-length': String(body.length) })
  return client
}

test('a form arrives complete, however it is split', async () => {
  const session = await newSession(member, {}, here())
  const boundary = 'edge-of-the-world'
  // Near-boundaries everywhere: at the start, at the end, and across chunk rows.
  const near = [`--${boundary}`, `\r\n--${boundary.slice(0, -1)}`, '\r\n--', '\r\n', '\r', '--', `\n--${boundary}--`, `\r\n-${boundary}`]
  const contents = [
    Buffer.from(near.slice(1).join('')),
    Buffer.concat([randomBytes(262144 - 3).map((byte) => byte | 1), Buffer.from(near[1].repeat(40)), Buffer.from('\r\n\r\n--')]),
    Buffer.from('\r'),
  ].map((content) => Buffer.concat([Buffer.from('text '), Buffer.from(content.toString('latin1').replaceAll(/[^\r\n -~]/g, '~'), 'latin1')]))
  const { body, type } = multipart([
    { name: 'session_id', content: session.id },
    ...contents.map((content, index) => ({ name: 'files', filename: `cut-${index}.txt`, type: 'text/plain', content })),
  ], { boundary })
  for (const [label, size] of [['by one', () => 1], ['by random lengths', () => 1 + Math.floor(Math.random() * 70)], ['whole', () => body.length]]) {
    const client = await begin(member.token, body, type)
    client.socket.setNoDelay(true)
    for (let at = 0, step; at < body.length; at += step) {
      // The large middle is sent in larger pieces, or it would take minutes.
      step = at > 2000 && at < body.length - 4000 ? 9973 : size()
      await client.send(body.subarray(at, at + step))
    }
    const response = await client.response(60)
    client.close()
    assert.equal(response.status, 201, `${label}: ${response.text}`)
    assert.deepEqual(response.json.documents.map((document) => document.sha256), contents.map(sha256), label)
  }
})

test('oversized parts, headers and fields are refused', async () => {
  const session = await newSession(member, {}, here())
  const send = async (parts, options) => {
    const { body, type } = multipart(parts, options)
    return call('POST', '/api/documents', here({ as: member, body, headers: { 'content-type': type } }))
  }
  const file = { name: 'files', filename: 'a.txt', type: 'text/plain', content: 'x' }
  const id = { name: 'session_id', content: session.id }
  const refused = async (parts, why) => {
    const response = await send(parts)
    assert.ok([400, 413].includes(response.status), `${why}: ${response.status} ${response.text.slice(0, 200)}`)
    assertError(response, response.status, undefined, { perFile: true })
  }
  await refused([{ name: 'session_id', content: 'x'.repeat(5 * MIB) }, file], 'a field of 5 MiB')
  await refused([id, { ...file, type: `text/plain; x=${'y'.repeat(MIB)}` }], 'part headers of a mebibyte')
  const fields = await send(Array.from({ length: 50_000 }, (_, index) => ({ name: `f${index}`, content: '' })).concat(id, file))
  assert.ok([201, 400, 413].includes(fields.status), `${fields.status} for fifty thousand empty fields`)
  const many = await send([id, ...Array.from({ length: 120 }, (_, index) => ({ ...file, filename: `${index}.txt` }))])
  assert.ok([207, 400, 413].includes(many.status), `${many.status} for 120 files: those past the limit are not just dropped`)
  assert.equal((await get('/healthz', here())).status, 200)
})

test('a stalled client is disconnected, and nothing remains', async () => {
  const session = await newSession(member, {}, here())
  const name = unique('stalled.txt')
  const { body, type } = multipart([
    { name: 'session_id', content: session.id },
    { name: 'files', filename: name, type: 'text/plain', content: Buffer.alloc(3 * MIB, 'word ') },
  ])
  const client = await begin(member.token, body, type)
  await client.send(body.subarray(0, 2 * MIB))
  await until('half of it stored', async () => (await leftOf(name, inDatabase())).chunks > 4)
  await until('nothing left', async () => (await leftOf(name, inDatabase())).documents === 0, { seconds: 30 })
  await until('the connection closed', () => client.ended)
  client.close()
})

test('a user removed from the organization during an upload cannot finish it, and nothing remains', async () => {
  const claims = { sub: randomUUID(), role: 'authenticated', aud: 'authenticated' }
  const token = sign(claims, { secret: jwtSecret })
  await psql(`insert into dossier.organization_members (organization_id, user_id, role) values ('${acme}', ${literal(claims.sub)}, 'member')`, inDatabase())
  const session = await newSession(token, {}, here())
  const name = unique('expelled.txt')
  const { body, type } = multipart([
    { name: 'session_id', content: session.id },
    { name: 'files', filename: name, type: 'text/plain', content: Buffer.alloc(2 * MIB, 'word ') },
  ])
  const client = await begin(token, body, type)
  await client.send(body.subarray(0, MIB))
  await until('some of it stored', async () => (await leftOf(name, inDatabase())).chunks > 1)
  await psql(`delete from dossier.organization_members where user_id = ${literal(claims.sub)}`, inDatabase())
  await client.send(body.subarray(MIB))
  const response = await client.response()
  client.close()
  assert.ok([403, 404].includes(response.status), response.text)
  assertError(response, response.status, undefined, { perFile: true })
  await until('nothing left', async () => (await leftOf(name, inDatabase())).documents === 0, { seconds: 10 })
})

test('if its connections are cut, the edge opens new ones and receives notifications again', async () => {
  const session = await newSession(member, {}, here())
  await psql("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()", inDatabase())
  await until('requests answered again', async () => (await get('/api/sessions?limit=1', here({ as: member }))).status === 200)
  await until('ready', async () => (await get('/readyz', here())).status === 200)
  // JOB_POLL_SECONDS is an hour: only a notification can start this one.
  await until('listening again', async () => value(`select exists (select 1 from pg_stat_activity where datname = current_database()
    and query ilike '%listen%' and pid <> pg_backend_pid())`, inDatabase()))
  const document = await uploaded(member, session.id, fixture('notes.txt'), here())
  assert.equal((await finished(member, document.id, { url: edge.url, seconds: 30 })).status, 'ready')
})

test('deleting a document during its extraction affects nobody else', async () => {
  const session = await newSession(member, {}, here())
  const document = await uploaded(member, session.id, { ...fixture('10mib.txt'), name: unique('deleted.txt') }, here())
  await until('it is read', async () => ['extracting', 'ready'].includes(
    await value(`select status from dossier.documents where id = '${document.id}'`, inDatabase())), { every: 2 })
  assert.equal((await call('DELETE', `/api/documents/${document.id}`, here({ as: owner }))).status, 204)
  const next = await uploaded(member, session.id, fixture('notes.txt'), here())
  assert.equal((await finished(member, next.id, { url: edge.url })).status, 'ready')
  assert.deepEqual(await rows(`select 1 from dossier.document_pages where document_id = '${document.id}'`, inDatabase()), [])
})

test('a hundred small uploads at once are all accepted', async () => {
  const session = await newSession(member, {}, here())
  const responses = await Promise.all(Array.from({ length: 100 }, (_, index) =>
    upload(member, session.id, [{ name: `small-${index}.txt`, bytes: Buffer.from(`number ${index}`), media_type: 'text/plain' }], here())))
  assert.deepEqual(responses.map((response) => response.status).filter((status) => status !== 201), [])
  await until('all read', async () => (await value(`select count(*)::int from dossier.documents
    where session_id = '${session.id}' and status = 'ready'`, inDatabase())) === 100, { seconds: 90 })
})

test('two pipelined requests on one connection are answered in order', async () => {
  const client = await RawClient.open(edge.url)
  const one = `GET /api/sessions?limit=1 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${member.token}\r\n\r\n`
  await client.send(Buffer.from(one + one.replace('limit=1', 'limit=0')))
  await until('two answers', () => client.received.toString().match(/HTTP\/1\.1 \d+/g)?.length === 2 || client.ended)
  const statuses = client.received.toString().match(/HTTP\/1\.1 \d+/g)
  client.close()
  assert.equal(statuses[0], 'HTTP/1.1 200')
})

test('context with extreme nesting or numbers is refused or kept exactly', async () => {
  const session = await newSession(member, {}, here())
  const path = `/api/sessions/${session.id}/context`
  const raw = (body) => call('POST', path, here({ as: member, body, headers: { 'content-type': 'application/json' } }))
  const exact = '{"metadata": {"n": 12345678901234567890.12345678901234567890, "big": 1e300}}'
  const kept = await raw(exact)
  assert.ok(kept.status < 300, kept.text)
  assert.match(kept.text, /12345678901234567890\.12345678901234567890/)
  const deep = await raw(`{"metadata": {"a": ${'['.repeat(100_000)}${']'.repeat(100_000)}}}`)
  assert.ok([400, 413].includes(deep.status), `${deep.status} ${deep.text.slice(0, 300)}`)
  assertError(deep, deep.status)
  assertError(await raw('{"metadata": {"a": "\\u0000"}}'), 400)
  assertError(await raw('{"metadata": {"a": "\\ud800"}}'), 400)
  assertError(await post(path, { metadata: { a: 'x'.repeat(MIB + 1) } }, here({ as: member })), 413, 'PT413')
  const title = await post('/api/sessions', { title: 'x'.repeat(100_000), organization_id: acme }, here({ as: member }))
  assert.ok([400, 413].includes(title.status), `a title of 100,000 letters: ${title.status}`)
})
