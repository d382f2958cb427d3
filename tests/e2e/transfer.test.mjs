// Sessions exported as a bundle, and imported into another organization: all or nothing.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { assertError, call, get, newSession, post, unique, uploaded } from './lib/api.mjs'
import { acme, globex, member, serviceToken, stranger, viewer } from './lib/people.mjs'
import { rows } from './lib/psql.mjs'

/** A session with two versions of its context and a text of 600 kB in many pages. */
async function filled() {
  const session = await newSession(member, { title: unique('Odd "title" \\ é'), context: { text: 'One', metadata: { n: [1, null] } } })
  await post(`/api/sessions/${session.id}/context`, { text: 'Two' }, { as: member })
  const lines = Array.from({ length: 20000 }, (_, n) => `Line ${n}: all work and no play.\n`)
  const document = await uploaded(member, session.id, { name: 'wörk "1".txt', bytes: lines.join(''), media_type: 'text/plain' }, { wait: 20 })
  assert.equal(document.status, 'ready', JSON.stringify(document))
  return { session: session.id, document: document.id }
}

const exported = (session, { as = member, bytes = false } = {}) => get(`/api/export?session_id=${session}&bytes=${bytes}`, { as })
const imported = (bundle, { as = stranger, into = globex, keep = false } = {}) =>
  post(`/api/import?organization_id=${into}&keep_ids=${keep}`, bundle, { as })
const bySql = async (session, bytes) =>
  (await rows(`select dossier.export_sessions(array['${session}']::uuid[], ${bytes}) as bundle`))[0].bundle

test('a bundle equals the one from SQL, with and without bytes', async () => {
  const { session } = await filled()
  for (const bytes of [false, true]) {
    const response = await exported(session, { as: viewer, bytes })
    assert.equal(response.status, 200, response.text.slice(0, 300))
    assert.match(response.headers.get('content-disposition'), /^attachment/)
    const normal = (bundle) => JSON.parse(JSON.stringify(bundle), (key, value) => key.endsWith('_at') ? Date.parse(value) : value)
    assert.deepEqual(normal(response.json), normal(await bySql(session, bytes)))
  }
})

test('several sessions, in the requested order', async () => {
  const sessions = [await newSession(member), await newSession(member)].map(({ id }) => id).reverse()
  const response = await get(`/api/export?${[...sessions, sessions[0]].map((id) => `session_id=${id}`).join('&')}`, { as: member })
  assert.deepEqual(response.json.sessions.map(({ id }) => id), sessions)
  assert.deepEqual(response.json.sessions[0].documents, [])
})

test('an export can be imported by another tenant, with its files', async () => {
  const { session, document } = await filled()
  const bundle = (await exported(session, { bytes: true })).json
  const response = await imported(bundle)
  assert.equal(response.status, 201, response.text)
  assert.equal(response.json.organization_id, globex)
  const copy = await exported(response.json.sessions[session], { as: stranger, bytes: true })
  const nameless = (whole) => JSON.parse(JSON.stringify(whole), (key, value) => key === 'id' ? undefined : value)
  assert.deepEqual(nameless(copy.json), nameless(bundle))
  const [before, after] = [
    await get(`/api/documents/${document}/content`, { as: member }),
    await get(`/api/documents/${response.json.documents[document]}/content`, { as: stranger })]
  assert.deepEqual(after.bytes, before.bytes)
  assertError(await exported(response.json.sessions[session], { as: member }), 404, 'PT404')
})

test('a document without bytes can be read but not downloaded', async () => {
  const { session, document } = await filled()
  const copy = (await imported((await exported(session)).json)).json.documents[document]
  const pages = await get(`/api/documents/${copy}/pages`, { as: stranger })
  assert.match(pages.json.pages[0].text, /all work/)
  assertError(await get(`/api/documents/${copy}/content`, { as: stranger }), 410, 'PT410')
  assertError(await post(`/api/documents/${copy}/ocr`, undefined, { as: stranger }), 410, 'PT410')
})

test('another tenant exports nothing, and cannot reuse ids', async () => {
  const { id } = await newSession(member)
  const refused = assertError(await exported(id, { as: stranger }), 404, 'PT404')
  assert.ok(refused.details.includes(id))
  assertError(await get(`/api/export?session_id=${id}&session_id=${randomUUID()}`, { as: member }), 404, 'PT404')
  assertError(await get(`/api/export?session_id=${id}`), 401)
  const bundle = (await exported(id)).json
  const free = JSON.parse(JSON.stringify(bundle).replaceAll(id, randomUUID()))
  const [taken, unknown] = [await imported(bundle, { keep: true }), await imported(free, { keep: true })]
  assertError(taken, 403, '42501')
  assert.deepEqual(taken.json, unknown.json, 'ids of another tenant are refused like those that nobody has')
  assertError(await imported(bundle, { keep: true, as: serviceToken }), 409, 'PT409')
  assertError(await imported(bundle, { into: acme }), 404, 'PT404')
})

test('a viewer can export but not import', async () => {
  const { id } = await newSession(member)
  const bundle = (await exported(id, { as: viewer })).json
  assertError(await imported(bundle, { as: viewer, into: acme }), 403, '42501')
  assertError(await post(`/api/import?organization_id=${acme}`, bundle), 401)
})

test('an invalid bundle is refused, and nothing remains of it', async () => {
  const { id } = await newSession(member)
  const { json: bundle } = await exported(id)
  const before = (await get('/api/sessions', { as: stranger })).json.sessions.length
  const wrong = (change) => { const copy = structuredClone(bundle); change(copy.sessions[0], copy); return copy }
  for (const [body, said] of [
    [{}, /bundle/], [wrong((_, whole) => { whole.version = 9 }), /version/],
    [wrong((one) => { one.title = 7 }), /sessions\[0\]\.title/],
    [wrong((one) => { one.documents = [{}] }), /sessions\[0\]\.documents\[0\]/],
    [wrong((one) => { one.conversation_type = 'seance' }), /seance/]]) {
    const refused = assertError(await imported(body), 400, 'PT400')
    assert.match(refused.message + refused.details, said)
  }
  for (const body of ['{', '[1,', '['.repeat(600), `"${'x'.repeat(9)}`]) {
    const headers = { 'content-type': 'application/json' }
    assertError(await call('POST', `/api/import?organization_id=${globex}`, { as: stranger, body, headers }), 400)
  }
  assertError(await post('/api/import', bundle, { as: stranger }), 400, 'PT400')
  for (const query of ['', '?session_id=x', `?session_id=${id}&bytes=maybe`, `?session_id=${id}&format=pdf`]) {
    assertError(await get(`/api/export${query}`, { as: member }), 400, 'PT400')
  }
  assert.equal((await get('/api/sessions', { as: stranger })).json.sessions.length, before)
})

test('a bundle of more than 64 MiB is refused', async () => {
  const body = `{"format": "${'x'.repeat(65 * 1024 * 1024)}"}`
  const headers = { 'content-type': 'application/json' }
  assertError(await call('POST', `/api/import?organization_id=${globex}`, { as: stranger, body, headers }), 413, 'PT413')
})
