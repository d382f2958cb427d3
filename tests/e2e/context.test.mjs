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
  for (const [body, headers, status] of [[{ text: 'Lost', expected_version: 1 }, {}, 409], [{ text: 'Lost' }, { 'if-match': '"1"' }, 412]]) {
    const refused = assertError(await post(pathOf(session), body, { as: member, headers }), status, `PT${status}`)
    const details = typeof refused.details === 'string' ? JSON.parse(refused.details) : refused.details
    assert.equal(details.current_version, 2)
    if (status === 409) assert.equal(details.expected_version, 1)
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
  assertError(await post(pathOf(session), { text: 'x' }, { as: member, headers: { 'if-match': 'not an etag' } }), 412)
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
  assertError(await post(`${pathOf(session)}/restore`, { version: 1 }, { as: member, headers: { 'if-match': '"2"' } }), 412, 'PT412')
  assertError(await post(`${pathOf(session)}/restore`, { version: 9 }, { as: member }), 404, 'PT404')
  assertError(await post(`${pathOf(session)}/restore`, {}, { as: member }), 400)
  assertError(await post(`${pathOf(session)}/restore`, { version: 1 }, { as: viewer }), 403, '42501')
})

test('metadata is merged on request', async () => {
  const session = await newSession(member, { context: { metadata: { a: 1, b: { c: 2 } } } })
  const merged = await post(pathOf(session), { metadata: { a: null, b: { d: 3 } }, merge_metadata: true }, { as: member })
  assert.deepEqual(merged.json.context_metadata, { b: { c: 2, d: 3 } })
})

test('a version is read by its number', async () => {
  const session = await newSession(member)
  for (const text of ['One', 'Two']) await post(pathOf(session), { text, metadata: { text } }, { as: member })
  const version = await get(`${pathOf(session)}/versions/1`, { as: viewer })
  assert.deepEqual([version.json.version, version.json.text_context, version.json.context_metadata], [1, 'One', { text: 'One' }])
  assert.equal(version.headers.get('etag'), '"1"')
  assert.equal((await get(`${pathOf(session)}/versions/1`, { as: viewer, headers: { 'if-none-match': '"1"' } })).status, 304)
  assert.match(assertError(await get(`${pathOf(session)}/versions/3`, { as: viewer }), 404, 'PT404').details, /1 to 2/)
  for (const n of ['0', '-1', 'x', '99999999999']) assertError(await get(`${pathOf(session)}/versions/${n}`, { as: viewer }), 400, 'PT400')
})

test('two versions are compared line by line', async () => {
  const session = await newSession(member)
  await post(pathOf(session), { text: 'a\nb\nc', metadata: { kept: 1, old: 1 } }, { as: member })
  await post(pathOf(session), { text: 'a\nB\nc', metadata: { kept: 1, new: 2 } }, { as: member })
  const { from, to, changes } = (await get(`${pathOf(session)}/diff?from=1`, { as: viewer })).json
  assert.deepEqual([from, to], [1, 2], 'the current version by default')
  assert.deepEqual(changes.map(({ part, change, line }) => `${part} ${change} ${line}`), [
    'text same a', 'text removed b', 'text added B', 'text same c', 'metadata added "new": 2', 'metadata removed "old": 1'])
  assert.deepEqual((await get(`${pathOf(session)}/diff?from=1&to=1`, { as: viewer })).json, { from: 1, to: 1, changes: [] })
  assert.equal((await get(`${pathOf(session)}/diff?from=1&to=2&context_lines=0`, { as: viewer })).json.changes.length, 4)
  assertError(await get(`${pathOf(session)}/diff`, { as: viewer }), 400, 'PT400')
  assertError(await get(`${pathOf(session)}/diff?from=9`, { as: viewer }), 404, 'PT404')
})

test('many contexts are saved at once, all or none', async () => {
  const [one, two] = [await newSession(member), await newSession(member)]
  const save = (items, as = member) => post('/api/contexts', { items }, { as })
  const saved = await save([{ session_id: two.id, text: 'second' }, { session_id: one.id, text_context: 'first', expected_version: 0 }])
  assert.equal(saved.status, 200, saved.text)
  assert.deepEqual(saved.json.contexts.map(({ session_id, text_context, version }) => [session_id, text_context, version]),
    [[two.id, 'second', 1], [one.id, 'first', 1]])
  const refused = assertError(await save([{ session_id: one.id, text: 'again' }, { session_id: two.id, text: 'stale', expected_version: 0 }]), 409, 'PT409')
  assert.deepEqual(JSON.parse(refused.details).items.map(({ index, session_id, current_version }) => [index, session_id, current_version]), [[1, two.id, 1]])
  assert.equal((await get(pathOf(one), { as: member })).json.text_context, 'first')
  assertError(await save([{ session_id: one.id, text: 'x' }], viewer), 403, '42501')
  assertError(await save({}), 400, 'PT400')
  assertError(await post('/api/contexts', [{ session_id: one.id }], { as: member }), 400, 'PT400')
})

test('preconditions of RFC 9110 hold for a save', async () => {
  const session = await newSession(member)
  const save = (headers) => post(pathOf(session), { text: 'x' }, { as: member, headers })
  const status = async (headers) => (await save(headers)).status
  assertError(await save({ 'if-match': '*' }), 412, 'PT412')
  assert.equal(await status({ 'if-none-match': '*' }), 200, 'no context exists yet: version 1')
  assertError(await save({ 'if-none-match': '*' }), 412, 'PT412')
  assert.equal(await status({ 'if-match': '*' }), 200, 'version 2')
  assertError(await save({ 'if-none-match': '"1", "2"' }), 412, 'PT412')
  assert.equal(await status({ 'if-none-match': '"1", "3"' }), 200, 'version 3')
  assert.equal(await status({ 'if-match': '"1", "2", "3", "4"' }), 200, 'version 4')
  const stale = assertError(await save({ 'if-match': '"1", W/"3"' }), 412, 'PT412')
  assert.deepEqual(JSON.parse(stale.details), { current_version: 4 })
  assertError(await post(pathOf(session), { text: 'x', expected_version: 3 }, { as: member, headers: { 'if-match': '"4"' } }), 409, 'PT409')
  assertError(await save({ 'if-match': '"4"', 'if-none-match': '"4"' }), 412)
  assertError(await post(`${pathOf(session)}/restore`, { version: 1 }, { as: member, headers: { 'if-none-match': '*' } }), 412)
  assertError(await post(`/api/sessions/00000000-0000-4000-8000-000000000000/context`, { text: 'x' }, { as: member, headers: { 'if-match': '"1"' } }), 404)
  assert.equal((await get(pathOf(session), { as: member })).json.version, 4, 'no refused save was stored')

  const saves = await Promise.all(Array.from({ length: 6 }, () => status({ 'if-match': '*' })))
  assert.deepEqual(saves, Array(6).fill(200), 'a condition that still holds after another save is met')
})
