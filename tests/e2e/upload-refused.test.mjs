// Uploads that are too large, truncated, or abandoned by the client: refused in time, and nothing remains.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertError, multipart, newSession, unique, upload, uploaded } from './lib/api.mjs'
import { edgeUrl } from './lib/env.mjs'
import { fixture } from './lib/fixtures.mjs'
import { RawClient, until } from './lib/net.mjs'
import { member, viewer } from './lib/people.mjs'
import { leftOf, psql, rows } from './lib/psql.mjs'
import './lib/cleanup.mjs'

const MIB = 1024 * 1024
const nothing = { documents: 0, chunks: 0 }

/** The bytes around one file's content, in a form that begins with its session. */
function form(sessionId, name, media_type) {
  const { body, boundary, type } = multipart([
    { name: 'session_id', content: sessionId },
    { name: 'files', filename: name, type: media_type, content: '' },
  ])
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
  return { before: body.subarray(0, body.length - tail.length), after: tail, type }
}

const uploadHead = (client, token, type, framing) =>
  client.head('POST', '/api/documents', { authorization: `Bearer ${token}`, 'content-type': type, ...framing })

test('10 MiB exactly is accepted, and one byte more is not', async () => {
  const session = await newSession(member)
  const taken = await uploaded(member, session.id, fixture('10mib.pdf'))
  assert.equal(taken.size_bytes, 10 * MIB)
  const over = fixture('10mib-plus-1.pdf')
  const name = unique('over.pdf')
  const refused = assertError(await upload(member, session.id, [{ ...over, name }]), 413, 'PT413', { perFile: true })
  assert.match(`${refused.message} ${refused.details} ${refused.hint}`, /10485760|10 MiB/, 'the limit is named')
  assert.deepEqual(await leftOf(name), nothing)
})

test('a quota holds, and a refused file frees its place for an immediate retry', async () => {
  const organization_id = (await psql(`
    set role authenticated;
    set request.jwt.claims = '${JSON.stringify(member.claims)}';
    select (dossier.create_organization('Room for two files')).id`)).trim()
  await psql(`set role service_role; select dossier.set_quota('${organization_id}', max_documents => 2)`)
  const session = await newSession(member, { organization_id })
  for (const name of ['one.txt', 'two.txt']) {
    for (let times = 0; times < 5; times += 1) assertError(await upload(member, session.id, [fixture('10mib-plus-1.pdf')]), 413, 'PT413', { perFile: true })
    await uploaded(member, session.id, { name, bytes: 'words', media_type: 'text/plain' })
  }
  const full = assertError(await upload(member, session.id, [{ name: 'three.txt', bytes: 'words', media_type: 'text/plain' }]), 403, 'PT403', { perFile: true })
  assert.match(`${full.message} ${full.details}`, /max_documents|2/)
  assert.ok(full.hint)
})

test('the limit applies to a body without a declared length', async () => {
  const session = await newSession(member)
  for (const [extra, status] of [[0, 201], [1, 413]]) {
    const name = unique('chunked.txt')
    const { before, after, type } = form(session.id, name, 'text/plain')
    const client = await RawClient.open(edgeUrl)
    await uploadHead(client, member.token, type, { 'transfer-encoding': 'chunked' })
    await client.chunk(before)
    for (let sent = 0; sent < 10; sent += 1) await client.chunk(Buffer.alloc(MIB, 'a'))
    if (extra) await client.chunk(Buffer.alloc(extra, 'a'))
    await client.chunk(after)
    await client.chunk(Buffer.alloc(0))
    const response = await client.response(60)
    if (status === 201) assert.equal(response.status, 201, response.text)
    else assertError(response, 413, 'PT413', { perFile: true })
    client.close()
    assert.equal((await leftOf(name)).documents, status === 201 ? 1 : 0)
  }
})

test('a body that is too large is not read to its end', async () => {
  const session = await newSession(member)
  const name = unique('endless.txt')
  const { before, type } = form(session.id, name, 'text/plain')
  const client = await RawClient.open(edgeUrl)
  await uploadHead(client, member.token, type, { 'transfer-encoding': 'chunked' })
  await client.chunk(before)
  const piece = Buffer.alloc(256 * 1024, 'a')
  let accepted = 0
  // Without a limit this would continue to 200 MiB. Bytes in kernel buffers on both sides count as accepted.
  while (accepted < 200 * MIB && client.received.length === 0 && (await client.chunk(piece))) accepted += piece.length
  assertError(await client.response(), 413, 'PT413', { perFile: true })
  const after = accepted
  while (accepted < 200 * MIB && (await client.chunk(piece))) accepted += piece.length
  client.close()
  assert.ok(after <= 24 * MIB, `${after} bytes before the refusal of a limit of ${10 * MIB}`)
  assert.ok(accepted <= 48 * MIB, `${accepted} bytes were taken in all`)
  assert.deepEqual(await leftOf(name), nothing)
})

test('a declared length that is too large is refused before a byte is sent', async () => {
  const session = await newSession(member)
  const { type } = form(session.id, 'huge.pdf', 'application/pdf')
  const client = await RawClient.open(edgeUrl)
  await uploadHead(client, member.token, type, { 'content-length': String(10 * 1024 * MIB) })
  assertError(await client.response(), 413, 'PT413')
  client.close()
})

test('a stranger and a viewer are refused before their file is read', async () => {
  const session = await newSession(member)
  const { before, type } = form(session.id, unique('early.txt'), 'text/plain')
  for (const [token, status, code] of [[viewer.token, 403, '42501'], ['', 401, 'PT401']]) {
    const client = await RawClient.open(edgeUrl)
    await uploadHead(client, token, type, { 'content-length': String(9 * MIB) })
    await client.send(before)
    assertError(await client.response(), status, code, { perFile: true })
    client.close()
  }
})

test('a client that waits for 100 Continue is continued or refused immediately', async () => {
  const session = await newSession(member)
  const { before, after, type } = form(session.id, unique('expect.txt'), 'text/plain')
  const content = Buffer.from('expected')
  const length = String(before.length + content.length + after.length)
  const client = await RawClient.open(edgeUrl)
  await uploadHead(client, member.token, type, { 'content-length': length, expect: '100-continue' })
  await until('100 Continue', () => client.received.includes('100 Continue'))
  await client.send(Buffer.concat([before, content, after]))
  const response = await client.response()
  assert.equal(response.status, 201, response.text)
  client.close()
})

test('a truncated form is refused, and nothing remains', async () => {
  const session = await newSession(member)
  const name = unique('truncated.txt')
  const { before, type } = form(session.id, name, 'text/plain')
  for (const body of [Buffer.concat([before, Buffer.alloc(MIB, 'a')]), before, before.subarray(0, before.length - 20)]) {
    const client = await RawClient.open(edgeUrl)
    await uploadHead(client, member.token, type, { 'content-length': String(body.length) })
    await client.send(body)
    assertError(await client.response(), 400, 'PT400', { perFile: true })
    client.close()
    assert.deepEqual(await leftOf(name), nothing)
  }
})

test('complete files before the break are kept', async () => {
  const session = await newSession(member)
  const [first, second] = [unique('whole.txt'), unique('broken.txt')]
  const { body, type } = multipart([
    { name: 'session_id', content: session.id },
    { name: 'files', filename: first, type: 'text/plain', content: 'whole' },
    { name: 'files', filename: second, type: 'text/plain', content: 'broken off in the mid' },
  ], { close: false })
  const client = await RawClient.open(edgeUrl)
  await uploadHead(client, member.token, type, { 'content-length': String(body.length - 4) })
  await client.send(body.subarray(0, body.length - 4))
  const response = await client.response()
  client.close()
  const listed = await rows(`select name from dossier.documents where session_id = '${session.id}'`)
  // 207 lists the stored files; any other refusal means that none was stored.
  if (response.status === 207) assert.deepEqual(response.json.documents.map((document) => document.name), [first])
  else assertError(response, 400, 'PT400', { perFile: true })
  assert.deepEqual(listed.map((row) => row.name), response.status === 207 ? [first] : [])
  assert.deepEqual(await leftOf(second), nothing)
})

for (const [how, leave] of [['goes away in the middle', (client) => client.vanish()], ['closes in the middle', (client) => client.close()]]) {
  test(`a client that ${how} leaves nothing behind`, async () => {
    const session = await newSession(member)
    const name = unique('left.txt')
    const { before, type } = form(session.id, name, 'text/plain')
    const client = await RawClient.open(edgeUrl)
    await uploadHead(client, member.token, type, { 'content-length': String(8 * MIB) })
    await client.send(before)
    for (let sent = 0; sent < 4; sent += 1) await client.send(Buffer.alloc(MIB, 'a'))
    await until('chunks in the database', async () => (await leftOf(name)).chunks > 4)
    leave(client)
    await until('nothing left', async () => (await leftOf(name)).documents === 0)
    assert.deepEqual(await leftOf(name), nothing)
  })
}

test('a declared type that is not allowed is refused long before the whole file is sent', async () => {
  const session = await newSession(member)
  const { before, type } = form(session.id, unique('movie.mp4'), 'video/mp4')
  const client = await RawClient.open(edgeUrl)
  await uploadHead(client, member.token, type, { 'content-length': String(9 * MIB) })
  await client.send(before)
  // A little of a refused file is read, because other files may follow it.
  let sent = 0
  while (sent < 4 * MIB && client.received.length === 0 && (await client.send(Buffer.alloc(MIB / 4)))) sent += MIB / 4
  assertError(await client.response(), 415, 'PT415', { perFile: true })
  client.close()
})
