// Real files from end to end: bytes in, text out page by page, the same bytes back.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allPages, assertError, call, documentKeys, finished, get, newSession, sha256, unique, upload, uploaded } from './lib/api.mjs'
import { fixture, manifest, squeeze } from './lib/fixtures.mjs'
import { member, viewer } from './lib/people.mjs'
import { rows } from './lib/psql.mjs'

const ordinary = manifest.filter((entry) => !entry.hostile)

for (const { name, about } of ordinary) {
  test(`${name}: ${about}`, async () => {
    const file = fixture(name)
    const session = await newSession(member)
    const document = await uploaded(member, session.id, file)
    assert.deepEqual(Object.keys(document).sort(), documentKeys)
    assert.equal(document.name, name)
    assert.equal(document.session_id, session.id)
    assert.equal(document.size_bytes, file.bytes.length)
    assert.equal(document.sha256, sha256(file.bytes))

    const done = await finished(member, document.id)
    assert.equal(done.status, 'ready', `${done.error_code}: ${done.error_message}`)
    assert.equal(done.media_type, file.detected ?? file.media_type)
    assert.equal(done.error_message, null)

    const pages = await allPages(viewer, document.id)
    assert.equal(done.page_count, pages.length)
    assert.deepEqual(pages.map((page) => page.page), pages.map((_, index) => index + 1))
    assertText(file, pages)

    const content = await get(`/api/documents/${document.id}/content`, { as: viewer })
    assert.equal(content.status, 200)
    assert.equal(sha256(content.bytes), sha256(file.bytes), 'the same bytes come back')
  })
}

function assertText(file, pages) {
  for (const page of pages) {
    assert.equal(page.source, 'text')
    assert.doesNotMatch(page.text, /\u0000/)
  }
  if (file.pages) {
    assert.equal(pages.length, file.pages.length, 'as many pages as the file has')
    file.pages.forEach((phrases, index) => assertInOrder(squeeze(pages[index].text), phrases))
  }
  const whole = squeeze(pages.map((page) => page.text).join('\n'))
  for (const phrase of file.anywhere ?? []) assert.ok(whole.includes(phrase), `"${phrase}" is missing in: ${whole.slice(0, 2000)}`)
  for (const phrase of file.absent ?? []) assert.ok(!whole.includes(phrase), `"${phrase}" must not be there`)
}

function assertInOrder(text, phrases) {
  let at = 0
  for (const phrase of phrases) {
    const found = text.indexOf(phrase, at)
    assert.ok(found >= 0, `"${phrase}" is missing, or not in order, in: ${text}`)
    at = found + phrase.length
  }
}

test('the count of tokens is an estimate, the sum of the pages\'', async () => {
  const session = await newSession(member)
  const document = await uploaded(member, session.id, fixture('report.pdf'), { wait: 30 })
  const [row] = await rows(`
    select sum(dossier.estimate_tokens(text))::int as tokens, sum(char_length(text))::int as characters
    from dossier.document_pages where document_id = '${document.id}'`)
  assert.equal(document.token_count, row.tokens)
  assert.ok(row.tokens > row.characters / 5 && row.tokens < row.characters / 2, `${row.tokens} for ${row.characters} characters`)
})

test('ranges of a file, and unchanged content', async () => {
  const file = fixture('10mib.pdf')
  const session = await newSession(member)
  const document = await uploaded(member, session.id, file)
  const path = `/api/documents/${document.id}/content`
  const size = file.bytes.length
  const range = async (value, status, from, to) => {
    const response = await get(path, { as: member, headers: { range: value } })
    assert.equal(response.status, status, `${value}: ${response.status}`)
    if (status === 206) {
      assert.equal(response.headers.get('content-range'), `bytes ${from}-${to - 1}/${size}`)
      assert.equal(response.headers.get('content-length'), String(to - from))
      assert.ok(response.bytes.equals(file.bytes.subarray(from, to)), `the bytes of ${value}`)
    }
    return response
  }
  await range('bytes=0-0', 206, 0, 1)
  await range('bytes=262143-262144', 206, 262143, 262145)
  await range('bytes=262144-1048577', 206, 262144, 1048578)
  await range('bytes=-5', 206, size - 5, size)
  await range(`bytes=${size - 3}-`, 206, size - 3, size)
  await range(`bytes=${size - 3}-${size + 100}`, 206, size - 3, size)
  await range(`bytes=-${size + 100}`, 206, 0, size)
  const beyond = await range(`bytes=${size}-`, 416)
  assert.equal(beyond.headers.get('content-range'), `bytes */${size}`)
  assertError(beyond, 416)
  await range('bytes=5-2', 200)
  await range('lines=1-2', 200)

  const whole = await get(path, { as: member })
  const etag = whole.headers.get('etag')
  assert.match(etag, new RegExp(sha256(file.bytes)))
  assert.equal(whole.headers.get('accept-ranges'), 'bytes')
  assert.equal(whole.headers.get('content-length'), String(size))
  const unchanged = await get(path, { as: member, headers: { 'if-none-match': etag } })
  assert.equal(unchanged.status, 304)
  const changed = await get(path, { as: member, headers: { 'if-range': '"another"', range: 'bytes=0-9' } })
  assert.equal(changed.status, 200, 'a range of another version is not sent')
  const same = await get(path, { as: member, headers: { 'if-range': etag, range: 'bytes=0-9' } })
  assert.equal(same.status, 206)
})

test('a file is always downloaded, never displayed, under its own name', async () => {
  const session = await newSession(member)
  for (const name of ['plain.txt', 'two words.txt', 'Überlingen €5 日本.txt', '"quoted"; filename=other.txt', "it's 100% a;b,c.txt", 'x'.repeat(251) + '.txt']) {
    const document = await uploaded(member, session.id, { name, bytes: Buffer.from('<script>alert(1)</script>'), media_type: 'text/plain' })
    assert.equal(document.name, name)
    const response = await get(`/api/documents/${document.id}/content`, { as: member })
    const disposition = response.headers.get('content-disposition')
    assert.match(disposition, /^attachment;/)
    const [, encoded] = disposition.match(/filename\*=UTF-8''([A-Za-z0-9!#$&+.^_`|~%-]+)(;|$)/i) ?? []
    assert.equal(decodeURIComponent(encoded), name, disposition)
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
  }
})

test('documents are listed by session in pages, and deleted with everything that belongs to them', async () => {
  const session = await newSession(member)
  const made = []
  for (let index = 0; index < 5; index += 1) {
    made.push((await uploaded(member, session.id, { name: unique('listed.txt'), bytes: Buffer.from(`file ${index}`), media_type: 'text/plain' })).id)
  }
  const seen = []
  let after = ''
  do {
    const response = await get(`/api/documents?session_id=${session.id}&limit=2${after && `&after=${encodeURIComponent(after)}`}`, { as: viewer })
    assert.equal(response.status, 200, response.text)
    seen.push(...response.json.documents)
    after = response.json.next
  } while (after)
  assert.deepEqual(seen.map((document) => document.id).sort(), made.toSorted())
  for (const document of seen) assert.deepEqual(Object.keys(document).sort(), documentKeys)

  await finished(member, made[0])
  const removed = await call('DELETE', `/api/documents/${made[0]}`, { as: member })
  assert.equal(removed.status, 204, removed.text)
  assert.equal(removed.bytes.length, 0)
  assertError(await get(`/api/documents/${made[0]}`, { as: member }), 404)
  assertError(await get(`/api/documents/${made[0]}/content`, { as: member }), 404)
  assertError(await get(`/api/documents/${made[0]}/pages`, { as: member }), 404)
  assertError(await call('DELETE', `/api/documents/${made[0]}`, { as: member }), 404)
  for (const table of ['dossier_private.document_chunks', 'dossier.document_pages', 'dossier_private.jobs']) {
    assert.deepEqual(await rows(`select 1 from ${table} where document_id = '${made[0]}'`), [], table)
  }
})

test('document pages are listed in pages', async () => {
  const session = await newSession(member)
  const document = await uploaded(member, session.id, fixture('report.pdf'), { wait: 30 })
  const first = await get(`/api/documents/${document.id}/pages?limit=2`, { as: member })
  assert.deepEqual(first.json.pages.map((page) => page.page), [1, 2])
  const rest = await get(`/api/documents/${document.id}/pages?limit=2&after=${encodeURIComponent(first.json.next)}`, { as: member })
  assert.deepEqual(rest.json.pages.map((page) => page.page), [3])
  assert.equal(rest.json.next, null)
  assert.deepEqual(Object.keys(first.json.pages[0]).sort(), ['confidence', 'engine', 'page', 'quality', 'reason', 'source', 'structure', 'text', 'token_count'])
})

test('an image without words is kept: recognized by OCR, or marked as not recognized', async () => {
  const session = await newSession(member)
  const response = await upload(member, session.id, [fixture('pixel.png')], { wait: 30 })
  assert.equal(response.status, 201, response.text)
  const [document] = response.json.documents
  if (document.status === 'ready') return assert.equal(document.token_count, 0, response.text)
  assert.equal(document.status, 'unsupported', response.text)
  assert.ok(['unsupported', 'needs_ocr'].includes(document.error_code), response.text)
  assert.ok(document.error_message)
})
