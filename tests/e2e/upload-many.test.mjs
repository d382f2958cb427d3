// One request with several files: all, some or none stored; waiting for their text; how the session is named.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { assertError, call, get, multipart, newSession, settled, unique, upload } from './lib/api.mjs'
import { fixture } from './lib/fixtures.mjs'
import { member } from './lib/people.mjs'
import { leftOf, rows } from './lib/psql.mjs'

const text = (name, content = 'words') => ({ name, bytes: Buffer.from(content), media_type: 'text/plain' })
const part = (name, content = 'words') => ({ name: 'files', filename: name, type: 'text/plain', content })

async function send(parts, { query = '', ...options } = {}) {
  const { body, type } = multipart(parts, options)
  return call('POST', `/api/documents${query}`, { as: member, body, headers: { 'content-type': type } })
}

test('all files stored: 201, in the order they were sent', async () => {
  const session = await newSession(member)
  const response = await upload(member, session.id, [fixture('report.pdf'), fixture('minutes.docx'), text('third.txt')])
  assert.equal(response.status, 201, response.text)
  assert.deepEqual(response.json.documents.map((document) => document.name), ['report.pdf', 'minutes.docx', 'third.txt'])
  assert.ok(!response.json.errors?.length)
})

test('some files stored: 207 lists the others, with the reason', async () => {
  const session = await newSession(member)
  const response = await upload(member, session.id, [
    text('good.txt'), fixture('program.pdf'), text('also-good.txt'), fixture('empty.txt'), text('last.txt'),
  ])
  assert.equal(response.status, 207, response.text)
  assert.deepEqual(response.json.documents.map((document) => document.name), ['good.txt', 'also-good.txt', 'last.txt'])
  assert.deepEqual(response.json.errors.map(({ index, name, code }) => ({ index, name, code })), [
    { index: 1, name: 'program.pdf', code: 'PT415' },
    { index: 3, name: 'empty.txt', code: 'PT400' },
  ])
  for (const error of response.json.errors) {
    assert.deepEqual(Object.keys(error).sort(), ['code', 'details', 'hint', 'index', 'message', 'name'])
    assert.ok(error.message.length > 3)
  }
  const stored = await rows(`select name from dossier.documents where session_id = '${session.id}' order by name`)
  assert.deepEqual(stored.map((row) => row.name), ['also-good.txt', 'good.txt', 'last.txt'])
})

test('a file after a large refused one is stored, or reported as not read', async () => {
  const session = await newSession(member)
  const large = { name: 'large.mp4', bytes: Buffer.alloc(5 << 20, 1), media_type: 'video/mp4' }
  const response = await upload(member, session.id, [text('before.txt'), large, text('behind.txt')])
  assert.equal(response.status, 207, response.text)
  const { documents, errors } = response.json
  assert.equal(documents[0].name, 'before.txt')
  const said = errors.slice(1).some((error) => error.index >= 2) || /not read|behind|after it|rest of/i.test(`${errors[0].message} ${errors[0].details} ${errors[0].hint}`)
  assert.ok(documents.some((document) => document.name === 'behind.txt') || said, response.text)
})

test('none is in: the error itself, and each file\'s own', async () => {
  const session = await newSession(member)
  const one = assertError(await upload(member, session.id, [fixture('program.pdf')]), 415, 'PT415', { perFile: true })
  assert.match(one.hint, /application\/pdf|allowed/i)
  const two = assertError(await upload(member, session.id, [fixture('program.pdf'), fixture('binary.txt')]), 415, 'PT415', { perFile: true })
  assert.deepEqual(two.errors.map((error) => error.index), [0, 1])
  assert.deepEqual(await rows(`select name from dossier.documents where session_id = '${session.id}'`), [])
})

test('a missing file and a missing session are reported', async () => {
  const session = await newSession(member)
  assertError(await send([{ name: 'session_id', content: session.id }]), 400, 'PT400')
  assertError(await send([part('a.txt')]), 400, 'PT400', { perFile: true })
  assertError(await send([{ name: 'session_id', content: 'no uuid' }, part('a.txt')]), 400, 'PT400', { perFile: true })
  assertError(await send([{ name: 'session_id', content: randomUUID() }, part('a.txt')]), 404, 'PT404', { perFile: true })
  assertError(await call('POST', '/api/documents', { as: member, json: {} }), 415)
  assertError(await call('POST', '/api/documents', { as: member, body: 'x', headers: { 'content-type': 'multipart/form-data' } }), 415)
})

test('the session may be in the query, or in a field before the files', async () => {
  const session = await newSession(member)
  const inQuery = await send([part(unique('query.txt'))], { query: `?session_id=${session.id}` })
  assert.equal(inQuery.status, 201, inQuery.text)
  const before = await send([{ name: 'session_id', content: session.id }, part(unique('before.txt'))])
  assert.equal(before.status, 201, before.text)
  const name = unique('after.txt')
  const after = assertError(await send([part(name), { name: 'session_id', content: session.id }]), 400, 'PT400', { perFile: true })
  assert.match(`${after.message} ${after.details} ${after.hint}`, /before|query/i, 'how to do it right')
  assert.deepEqual(await leftOf(name), { documents: 0, chunks: 0 })
})

test('files may be in any field, with any boundary, and an empty file input does not count', async () => {
  const session = await newSession(member)
  const response = await send([
    { name: 'session_id', content: session.id },
    { name: 'file', filename: 'one.txt', type: 'text/plain', content: 'line\r\n--not the boundary\r\n-- end' },
    { name: 'files[]', filename: 'two.txt', type: 'text/plain', content: 'x' },
    { name: 'files', filename: '', type: 'application/octet-stream', content: '' },
  ], { boundary: '--__-1_b' })
  assert.equal(response.status, 201, response.text)
  assert.equal(response.json.documents.length, 2)
  const bytes = await get(`/api/documents/${response.json.documents[0].id}/content`, { as: member })
  assert.equal(bytes.text, 'line\r\n--not the boundary\r\n-- end')
})

test('names that would deceive or escape are refused', async () => {
  const session = await newSession(member)
  for (const name of ['..', 'dir/..', '.', 'tab\there.txt', 'invoice\u202etxt.exe', 'x'.repeat(256)]) {
    const response = await send([{ name: 'session_id', content: session.id }, part(name)])
    assertError(response, 400, 'PT400', { perFile: true })
  }
  assert.deepEqual(await rows(`select name from dossier.documents where session_id = '${session.id}'`), [])
})

test('Prefer: wait responds when the text is stored', async () => {
  const session = await newSession(member)
  const response = await upload(member, session.id, [fixture('table.pdf'), text('note.txt')], { wait: 30 })
  assert.equal(response.status, 201, response.text)
  assert.equal(response.headers.get('preference-applied'), 'wait=30')
  for (const document of response.json.documents) {
    assert.equal(document.status, 'ready', `${document.error_code}: ${document.error_message}`)
    assert.equal(document.page_count, 1)
  }
})

test('Prefer: wait ends when the time is up, with the current state', async () => {
  const session = await newSession(member)
  const started = Date.now()
  const response = await upload(member, session.id, [fixture('10mib.txt')], { wait: 1 })
  assert.equal(response.status, 201, response.text)
  assert.equal(response.headers.get('preference-applied'), 'wait=1')
  const [document] = response.json.documents
  assert.ok(settled(document) || Date.now() - started >= 1000, 'it waited, or it was done')
  assert.ok(['stored', 'extracting', 'ready'].includes(document.status), document.status)
})

test('a malformed preference is ignored', async () => {
  const session = await newSession(member)
  for (const prefer of ['wait=soon', 'respond-async', 'wait=-1']) {
    const response = await upload(member, session.id, [text(unique('prefer.txt'))], { headers: { prefer } })
    assert.equal(response.status, 201, response.text)
    assert.equal(response.headers.get('preference-applied'), null)
  }
})
