// The context of a session: every save is a version, and nobody overwrites what they have not read.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { assertError, get, newSession, post } from './lib/api.mjs'
import { member, owner, viewer } from './lib/people.mjs'
import { rows } from './lib/psql.mjs'

const pathOf = (session) => `/api/sessions/${session.id}/context`

test('a context is saved, read and versioned', async () => {
  const session = await newSession(member)
  const first = await post(pathOf(session), { text_context: 'One', context_metadata: { n: 1 } }, { as: member })
  assert.ok([200, 201].includes(first.status), first.text)
  assert.deepEqual(Object.keys(first.json).sort(), ['context_metadata', 'text_context', 'updated_at', 'updated_by', 'version'])
  assert.equal(first.json.version, 1)
  assert.equal(first.json.updated_by, member.sub)
  assert.equal(first.headers.get('etag'), '"1"')

  const second = await post(pathOf(session), { text: 'Two', metadata: { n: 2 } }, { as: owner })
  assert.equal(second.status, 200, second.text)
  assert.equal(second.json.version, 2)
  assert.equal(second.json.updated_by, owner.sub)

  const read = await get(pathOf(session), { as: viewer })
  assert.equal(read.status, 200, read.text)
  assert.equal(read.json.text_context, 'Two')
  assert.deepEqual(read.json.context_metadata, { n: 2 })
  assert.equal(read.headers.get('etag'), '"2"')

  const versions = await rows(`
    select version, text_context, updated_by from dossier.session_context_versions
    where session_id = '${session.id}' order by version`)
  assert.deepEqual(versions, [
    { version: 1, text_context: 'One', updated_by: member.sub },
    { version: 2, text_context: 'Two', updated_by: owner.sub },
  ])
})

test('omitted fields are unchanged', async () => {
  const session = await newSession(member, { context: { text: 'Kept', metadata: { kept: true } } })
  const text = await post(pathOf(session), { text: 'Changed' }, { as: member })
  assert.deepEqual(text.json.context_metadata, { kept: true })
  const metadata = await post(pathOf(session), { metadata: { kept: false } }, { as: member })
  assert.equal(metadata.json.text_context, 'Changed')
  const cleared = await post(pathOf(session), { text: '' }, { as: member })
  assert.equal(cleared.json.text_context, '')
})

test('a stale version is refused with the current one', async () => {
  const session = await newSession(member, { context: { text: 'One' } })
  await post(pathOf(session), { text: 'Two' }, { as: member })
  for (const [body, headers] of [[{ text: 'Lost', expected_version: 1 }, {}], [{ text: 'Lost' }, { 'if-match': '"1"' }]]) {
    const refused = assertError(await post(pathOf(session), body, { as: member, headers }), 409, 'PT409')
    const details = typeof refused.details === 'string' ? JSON.parse(refused.details) : refused.details
    assert.equal(details.current_version, 2)
    assert.equal(details.expected_version, 1)
    assert.match(refused.hint, /again/i)
  }
  const read = await get(pathOf(session), { as: member })
  assert.equal(read.json.text_context, 'Two')

  const matching = await post(pathOf(session), { text: 'Three' }, { as: member, headers: { 'if-match': '"2"' } })
  assert.equal(matching.json.version, 3, matching.text)
})

test('version 0 means: only if there is no context yet', async () => {
  const session = await newSession(member)
  const none = await get(pathOf(session), { as: member })
  assert.equal(none.status, 200, none.text)
  assert.deepEqual(none.json, { text_context: '', context_metadata: {}, version: 0, updated_at: null, updated_by: null })
  const first = await post(pathOf(session), { text: 'First', expected_version: 0 }, { as: member })
  assert.equal(first.json.version, 1, first.text)
  assertError(await post(pathOf(session), { text: 'Also first', expected_version: 0 }, { as: member }), 409, 'PT409')
})

test('of many concurrent saves against one version, one succeeds', async () => {
  const session = await newSession(member, { context: { text: 'Start' } })
  const saves = await Promise.all(Array.from({ length: 8 }, (_, index) =>
    post(pathOf(session), { text: `Writer ${index}`, expected_version: 1 }, { as: member })))
  assert.deepEqual(saves.map((save) => save.status).sort(), [200, 409, 409, 409, 409, 409, 409, 409])
  const read = await get(pathOf(session), { as: member })
  assert.equal(read.json.version, 2)
})

test('an unchanged context is not sent again', async () => {
  const session = await newSession(member, { context: { text: 'Same' } })
  const fresh = await get(pathOf(session), { as: member, headers: { 'if-none-match': '"1"' } })
  assert.equal(fresh.status, 304, fresh.text)
  assert.equal(fresh.bytes.length, 0)
})

test('text is stored unchanged, and limited to a mebibyte', async () => {
  const session = await newSession(member)
  const odd = 'Zoë, 日本語, \u{1f6a2}, "quotes", \\ and \r\n\t; \'; drop table sessions; --'
  const saved = await post(pathOf(session), { text: odd }, { as: member })
  assert.equal(saved.json.text_context, odd)
  const full = 'é'.repeat(512 * 1024)
  const most = await post(pathOf(session), { text: full }, { as: member })
  assert.equal(most.status, 200, most.text.slice(0, 300))
  assert.equal(most.json.text_context.length, full.length)
  assertError(await post(pathOf(session), { text: `${full}!` }, { as: member }), 413, 'PT413')
})

test('an invalid context is refused', async () => {
  const session = await newSession(member)
  const bad = async (body, status = 400) => assertError(await post(pathOf(session), body, { as: member }), status)
  await bad({ text: 5 })
  await bad({ metadata: [] })
  await bad({ metadata: 'text' })
  await bad({ text: 'x', expected_version: 'one' })
  await bad({ text: 'x', expected_version: -1 }, 409)
  await bad({ text: 'nul \u0000' })
  assertError(await post(pathOf(session), { text: 'x' }, { as: member, headers: { 'if-match': 'not an etag' } }), 400)
  assertError(await get(`/api/sessions/${randomUUID()}/context`, { as: member }), 404)
  assertError(await post(`/api/sessions/${randomUUID()}/context`, { text: 'x' }, { as: member }), 404)
})

test('versions are listed in pages, newest first', async () => {
  const session = await newSession(member, { context: { text: 'One' } })
  for (const text of ['Two', 'Three']) await post(pathOf(session), { text }, { as: owner })
  const page = await get(`${pathOf(session)}/versions?limit=2`, { as: viewer })
  assert.equal(page.status, 200, page.text)
  assert.deepEqual(page.json.versions.map(({ version, text_start, updated_by }) => [version, text_start, updated_by]),
    [[3, 'Three', owner.sub], [2, 'Two', owner.sub]])
  assert.deepEqual(Object.keys(page.json.versions[0]).sort(),
    ['metadata_changed', 'text_bytes', 'text_changed', 'text_start', 'updated_at', 'updated_by', 'version'])
  const last = await get(`${pathOf(session)}/versions?after=${page.json.next}`, { as: viewer })
  assert.deepEqual(last.json.versions.map(({ version }) => version), [1])
  assert.equal(last.json.next, null)

  const bare = await newSession(member)
  assert.deepEqual((await get(`${pathOf(bare)}/versions`, { as: member })).json, { versions: [], next: null })
  assertError(await get(`${pathOf(session)}/versions?limit=0`, { as: member }), 400, 'PT400')
  assertError(await get(`${pathOf({ id: randomUUID() })}/versions`, { as: member }), 404)
})

test('an old version is restored as a new one', async () => {
  const session = await newSession(member, { context: { text: 'One', metadata: { n: 1 } } })
  await post(pathOf(session), { text: 'Two', metadata: { n: 2 } }, { as: member })
  const restored = await post(`${pathOf(session)}/restore`, { version: 1, expected_version: 2 }, { as: member })
  assert.equal(restored.status, 200, restored.text)
  assert.deepEqual([restored.json.text_context, restored.json.context_metadata, restored.json.version], ['One', { n: 1 }, 3])
  assert.equal(restored.headers.get('etag'), '"3"')
  assertError(await post(`${pathOf(session)}/restore`, { version: 1 }, { as: member, headers: { 'if-match': '"2"' } }), 409, 'PT409')
  assertError(await post(`${pathOf(session)}/restore`, { version: 9 }, { as: member }), 404, 'PT404')
  assertError(await post(`${pathOf(session)}/restore`, {}, { as: member }), 400)
  assertError(await post(`${pathOf(session)}/restore`, { version: 1 }, { as: viewer }), 403, '42501')
})

test('metadata is merged on request', async () => {
  const session = await newSession(member, { context: { metadata: { a: 1, b: { c: 2 } } } })
  const merged = await post(pathOf(session), { metadata: { a: null, b: { d: 3 } }, merge_metadata: true }, { as: member })
  assert.deepEqual(merged.json.context_metadata, { b: { c: 2, d: 3 } })
})
