// One organization learns nothing about another, and a viewer changes nothing: over HTTP, on every path.

import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { assertError, call, get, newSession, post, unique, upload, uploaded } from './lib/api.mjs'
import { acme, anonToken, member, owner, serviceToken, stranger, viewer } from './lib/people.mjs'
import { rows } from './lib/psql.mjs'

const file = (name) => ({ name, bytes: Buffer.from('the secret recipe'), media_type: 'text/plain' })
let session
let document

before(async () => {
  session = await newSession(member, { title: 'Secret', context: { text: 'Nobody else reads this.' } })
  document = await uploaded(member, session.id, file('recipe.txt'), { wait: 30 })
})

test('another organization sees nothing', async () => {
  const paths = [
    `/api/sessions/${session.id}`, `/api/sessions/${session.id}/context`, `/api/documents/${document.id}`,
    `/api/documents/${document.id}/content`, `/api/documents/${document.id}/pages`, `/api/documents/${document.id}/thumbnail`,
  ]
  for (const path of paths) assertError(await get(path, { as: stranger }), 404, 'PT404')
  assertError(await post(`/api/sessions/${session.id}/context`, { text: 'Mine now' }, { as: stranger }), 404, 'PT404')
  assertError(await call('DELETE', `/api/documents/${document.id}`, { as: stranger }), 404, 'PT404')
  assertError(await call('POST', `/api/documents/${document.id}/ocr`, { as: stranger }), 404, 'PT404')
  const refused = await upload(stranger, session.id, [file(unique('intruder.txt'))])
  assertError(refused, 404, 'PT404', { perFile: true })

  const listed = await get(`/api/documents?session_id=${session.id}`, { as: stranger })
  if (listed.status === 200) assert.deepEqual(listed.json.documents, [])
  else assertError(listed, 404, 'PT404')
  const sessions = await get('/api/sessions?limit=100', { as: stranger })
  assert.ok(!sessions.json.sessions.some((one) => one.organization_id === acme), 'only their own sessions')
})

test('hidden and missing objects get the same response', async () => {
  const never = '00000000-0000-4000-8000-000000000000'
  const strip = (response, id) => response.text.replaceAll(id, 'ID')
  for (const path of [(id) => `/api/documents/${id}`, (id) => `/api/documents/${id}/content`, (id) => `/api/documents/${id}/pages`, (id) => `/api/documents/${id}/thumbnail`]) {
    const there = await get(path(document.id), { as: stranger })
    const absent = await get(path(never), { as: stranger })
    assert.equal(strip(there, document.id), strip(absent, never))
  }
})

test('a viewer reads and changes nothing', async () => {
  for (const path of [`/api/documents/${document.id}`, `/api/documents/${document.id}/content`, `/api/documents/${document.id}/pages`, `/api/sessions/${session.id}/context`]) {
    assert.equal((await get(path, { as: viewer })).status, 200, path)
  }
  assertError(await post('/api/sessions', { organization_id: acme }, { as: viewer }), 403)
  assertError(await post(`/api/sessions/${session.id}/context`, { text: 'No' }, { as: viewer }), 403, '42501')
  assertError(await call('DELETE', `/api/documents/${document.id}`, { as: viewer }), 403, '42501')
  assertError(await call('POST', `/api/documents/${document.id}/ocr`, { as: viewer }), 403, '42501')
  assertError(await upload(viewer, session.id, [file(unique('viewer.txt'))]), 403, '42501', { perFile: true })
  assert.equal((await get(`/api/sessions/${session.id}/context`, { as: viewer })).json.text_context, 'Nobody else reads this.')
})

test('colleagues share', async () => {
  assert.equal((await get(`/api/documents/${document.id}/content`, { as: owner })).text, 'the secret recipe')
  const mine = await uploaded(owner, session.id, file('second.txt'))
  const gone = await call('DELETE', `/api/documents/${mine.id}`, { as: member })
  assert.equal(gone.status, 204, gone.text)
})

test('a key without a user creates nothing', async () => {
  for (const token of [anonToken, serviceToken]) {
    const made = await post('/api/sessions', { organization_id: acme }, { as: token })
    assert.ok([401, 403].includes(made.status), `${made.status} ${made.text}`)
    assertError(made, made.status)
    const put = await upload(token, session.id, [file(unique('nobody.txt'))])
    assert.ok([401, 403, 404].includes(put.status), `${put.status} ${put.text}`)
  }
  const anonymous = await get(`/api/documents/${document.id}`, { as: anonToken })
  assert.ok([401, 404].includes(anonymous.status), `${anonymous.status} ${anonymous.text}`)
})

test('a claim is data: the content of a token is never executed', async () => {
  const { sign } = await import('./lib/token.mjs')
  const { jwtSecret } = await import('./lib/env.mjs')
  for (const role of ['postgres', 'authenticator', 'dossier', "authenticated'; reset role; --", 'supabase_admin', '']) {
    const token = sign({ ...member.claims, role }, { secret: jwtSecret })
    const response = await get('/api/sessions', { as: token })
    assert.ok([401, 403].includes(response.status), `role ${role}: ${response.status} ${response.text}`)
    assertError(response, response.status)
  }
  const quoted = sign({ ...member.claims, sub: `x' or '1'='1` }, { secret: jwtSecret })
  const response = await get('/api/sessions', { as: quoted })
  assert.equal(response.status, 200, response.text)
  assert.deepEqual(response.json.sessions, [])
})

test('a caller leaves nothing behind in the connection', async () => {
  const answers = await Promise.all(Array.from({ length: 60 }, (_, index) => {
    const who = [member, stranger, viewer][index % 3]
    return get('/api/sessions?limit=100', { as: who }).then((response) => ({ who, sessions: response.json.sessions }))
  }))
  for (const { who, sessions } of answers) {
    const foreign = sessions.filter((one) => (one.organization_id === acme) === (who === stranger))
    assert.deepEqual(foreign, [])
  }
  const open = await rows(`select 1 from pg_stat_activity where application_name = 'dossier-edge' and state like 'idle in transaction%'
    and state_change < now() - interval '1 second'`)
  assert.deepEqual(open, [], 'no transaction is left open')
})
