// Everything about a document except its words: the engine of each page, the file's own metadata, the thumbnail.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { before, test } from 'node:test'
import { allPages, assertError, call, documentKeys, finished, get, newSession, unique, upload, uploaded } from './lib/api.mjs'
import { pdf, whiteImage } from './lib/make.mjs'
import { until } from './lib/net.mjs'
import { member, stranger, viewer } from './lib/people.mjs'
import { psql, rows } from './lib/psql.mjs'

let session
let document

const report = () => ({ name: unique('report.pdf'), bytes: pdf('The ferry sails at noon in the year 1984', { title: 'Timetable', author: 'A. Noether' }), media_type: 'application/pdf' })
const thumbnail = (id, options) => get(`/api/documents/${id}/thumbnail`, options)
const drawn = (id) => until('the thumbnail', async () => {
  const response = await thumbnail(id, { as: member })
  return response.status === 200 && response
}, { seconds: 60 })

before(async () => {
  session = await newSession(member)
  document = await uploaded(member, session.id, report(), { wait: 30 })
})

test('a document includes the metadata of its file', () => {
  assert.equal(document.status, 'ready', document.error_message)
  assert.deepEqual(Object.keys(document).sort(), [...documentKeys].sort())
  assert.equal(document.file_metadata.title, 'Timetable')
  assert.equal(document.file_metadata.author, 'A. Noether')
  assert.deepEqual(document.metadata, {}, 'apart from what the app says')
})

test('a page includes its engine, quality and token count', async () => {
  const [page, ...more] = await allPages(member, document.id)
  assert.deepEqual(more, [])
  assert.deepEqual(Object.keys(page).sort(), ['confidence', 'engine', 'page', 'quality', 'reason', 'source', 'structure', 'text', 'token_count'])
  assert.match(page.text, /ferry sails at noon/)
  assert.equal(page.source, 'text')
  assert.equal(page.engine, 'hayro')
  assert.ok(page.token_count >= 10 && page.token_count <= 20, `${page.token_count}`)
  assert.equal(document.token_count, page.token_count)
})

test('a PDF has a thumbnail, which is not sent again while cached', async () => {
  const first = await drawn(document.id)
  assert.equal(first.headers.get('content-type'), 'image/webp')
  assert.equal(first.bytes.subarray(0, 4).toString(), 'RIFF')
  assert.equal(first.bytes.subarray(8, 12).toString(), 'WEBP')
  assert.match(first.headers.get('cache-control'), /^private, max-age=\d+$/)
  assert.equal(first.headers.get('vary'), 'authorization')
  assert.equal(first.headers.get('x-content-type-options'), 'nosniff')
  const etag = first.headers.get('etag')
  assert.match(etag, /^"[0-9a-f]{64}"$/)
  const again = await thumbnail(document.id, { as: viewer, headers: { 'if-none-match': etag } })
  assert.equal(again.status, 304)
  assert.equal(again.bytes.length, 0)
  assert.equal(again.headers.get('etag'), etag)
  assertError(await thumbnail(document.id, { as: stranger }), 404, 'PT404')
  assertError(await thumbnail(document.id), 401)
})

test('an image has one, whether or not it contains words', async () => {
  const image = await uploaded(member, session.id, { name: unique('white.bmp'), bytes: whiteImage(), media_type: 'image/bmp' })
  await drawn(image.id)
  const { status, error_code: code } = await finished(member, image.id)
  assert.ok(status === 'ready' || (status === 'unsupported' && code === 'needs_ocr'), `${status} ${code}`)
})

test('a text has none, and the response has no Retry-After', async () => {
  const text = await uploaded(member, session.id, { name: unique('notes.txt'), bytes: Buffer.from('Nothing to see'), media_type: 'text/plain' }, { wait: 30 })
  const response = await thumbnail(text.id, { as: member })
  assertError(response, 404, 'PT404')
  assert.equal(response.headers.get('retry-after'), null)
})

test('a pending thumbnail has Retry-After', async () => {
  // The state between the end of extraction and that of the thumbnail.
  const text = await uploaded(member, session.id, { name: unique('later.txt'), bytes: Buffer.from('Later'), media_type: 'text/plain' }, { wait: 30 })
  await psql(`update dossier.documents set media_type = 'application/pdf' where id = '${text.id}';
    insert into dossier_private.jobs (document_id, organization_id, kind, run_at)
    select id, organization_id, 'thumbnail', 'infinity' from dossier.documents where id = '${text.id}'`)
  const response = await thumbnail(text.id, { as: member })
  assertError(response, 404, 'PT404')
  assert.match(response.headers.get('retry-after'), /^\d+$/)
})

test('a document is extracted again with OCR on request, and keeps its text until then', async () => {
  const asked = await call('POST', `/api/documents/${document.id}/ocr`, { as: member })
  assert.equal(asked.status, 202, asked.text)
  assert.equal(asked.json.id, document.id)
  assert.ok(['stored', 'extracting'].includes(asked.json.status), asked.json.status)
  assert.ok((await allPages(member, document.id)).length === 1, 'the text is still there')
  const done = await finished(member, document.id)
  assert.equal(done.status, 'ready', done.error_message)
  const [job] = await rows(`select options from dossier_private.jobs where document_id = '${document.id}' and kind = 'extract' order by id desc limit 1`)
  assert.deepEqual(job.options, { ocr: 'force' })
})

test('OCR is refused to viewers, strangers and missing documents', async () => {
  const path = `/api/documents/${document.id}/ocr`
  assertError(await call('POST', path, { as: viewer }), 403, '42501')
  assertError(await call('POST', path, { as: stranger }), 404, 'PT404')
  assertError(await call('POST', path), 401)
  assertError(await call('GET', path, { as: member }), 405)
  assertError(await call('POST', '/api/documents/00000000-0000-4000-8000-000000000000/ocr', { as: member }), 404, 'PT404')
  assertError(await call('POST', '/api/documents/none/ocr', { as: member }), 400)
  const text = await uploaded(member, session.id, { name: unique('plain.txt'), bytes: Buffer.from('no picture'), media_type: 'text/plain' })
  assert.match(assertError(await call('POST', `/api/documents/${text.id}/ocr`, { as: member }), 422, 'PT422').message, /text\/plain/)
  const uploading = randomUUID()
  await psql(`insert into dossier.documents (id, session_id, organization_id, user_id, name, media_type)
    select '${uploading}', id, organization_id, user_id, 'half.pdf', 'application/pdf' from dossier.sessions where id = '${session.id}'`)
  assertError(await call('POST', `/api/documents/${uploading}/ocr`, { as: member }), 409, 'PT409')
  await psql(`delete from dossier.documents where id = '${uploading}'`)
})

test('a name with a NUL is refused with a message', async () => {
  const refused = await upload(member, session.id, [{ name: 'a\u0000b.txt', bytes: Buffer.from('x'), media_type: 'text/plain' }])
  const body = assertError(refused, 400, undefined, { perFile: true })
  assert.match(body.message, /U\+0000|name/)
  assert.ok(body.hint)
  for (const json of [{ text: 'a\u0000b' }, { metadata: { a: '\u0000' } }]) {
    const saved = await call('POST', `/api/sessions/${session.id}/context`, { as: member, json })
    assert.match(assertError(saved, 400, 'PT400').message, /U\+0000/)
  }
})

test('responses are kept out of shared caches', async () => {
  const policy = async (path) => (await get(path, { as: member })).headers.get('cache-control')
  assert.equal(await policy(`/api/documents/${document.id}`), 'no-store')
  assert.equal(await policy(`/api/documents?session_id=${session.id}`), 'no-store')
  assert.equal(await policy('/api/sessions'), 'no-store')
  assert.equal(await policy('/api/documents/none'), 'no-store')
  assert.equal(await policy(`/api/sessions/${session.id}/context`), 'private, no-cache')
})
