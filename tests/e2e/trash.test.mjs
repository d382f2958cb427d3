// Sessions moved to the trash, restored, and deleted permanently.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertError, call, get, multipart, newSession, post, unique, uploaded } from './lib/api.mjs'
import { edgeUrl } from './lib/env.mjs'
import { RawClient, until } from './lib/net.mjs'
import { member, owner, stranger, viewer } from './lib/people.mjs'
import { psql, rows, value } from './lib/psql.mjs'

const remove = (id, { as, permanently } = {}) =>
  call('DELETE', `/api/sessions/${id}${permanently ? '?permanently=true' : ''}`, { as })
const restore = (id, { as }) => call('POST', `/api/sessions/${id}/restore`, { as })
const trash = async (as, query = '') => {
  const response = await get(`/api/sessions?deleted=true${query}`, { as })
  assert.equal(response.status, 200, response.text)
  return response.json
}

test('a deleted session is in the trash, with everything that belongs to it, until it is restored', async () => {
  const title = unique('deleted')
  const session = await newSession(member, { title, context: { text: 'They ship on Mondays.' } })
  const document = await uploaded(member, session.id, { name: 'note.txt', bytes: 'Zanzibar', media_type: 'text/plain' }, { wait: 20 })

  const deleted = await remove(session.id, { as: member })
  assert.equal(deleted.status, 204, deleted.text)
  for (const path of [
    `/api/sessions/${session.id}`, `/api/sessions/${session.id}/context`, `/api/sessions/${session.id}/context/versions`,
    `/api/documents?session_id=${session.id}`, `/api/documents/${document.id}`, `/api/documents/${document.id}/pages`,
    `/api/documents/${document.id}/content`, `/api/search?q=zanzibar&session_id=${session.id}`,
    `/api/export?session_id=${session.id}`,
  ]) {
    assertError(await get(path, { as: member }), 404)
  }
  assertError(await post(`/api/sessions/${session.id}/context`, { text: 'late' }, { as: member }), 404, 'PT404')
  assertError(await post(`/api/sessions/${session.id}/pack`, {}, { as: member }), 404, 'PT404')
  assertError(await remove(session.id, { as: member }), 404)
  assert.ok(!(await get('/api/sessions?limit=200', { as: member })).json.sessions.some((listed) => listed.id === session.id))

  const { sessions } = await trash(viewer)
  const entry = sessions.find((listed) => listed.id === session.id)
  assert.deepEqual(Object.keys(entry).sort(),
    ['conversation_type', 'deleted_at', 'deleted_by', 'id', 'organization_id', 'purge_at', 'title', 'user_id'])
  assert.equal(entry.title, title)
  assert.equal(entry.deleted_by, member.sub)
  assert.equal(Date.parse(entry.purge_at) - Date.parse(entry.deleted_at), 30 * 24 * 3600 * 1000)

  const restored = await restore(session.id, { as: owner })
  assert.equal(restored.status, 200, restored.text)
  assert.equal(restored.json.title, title)
  assert.equal(restored.json.context.text_context, 'They ship on Mondays.')
  const content = await get(`/api/documents/${document.id}/content`, { as: viewer })
  assert.equal(content.text, 'Zanzibar')
  const found = await get(`/api/search?q=zanzibar&session_id=${session.id}`, { as: viewer })
  assert.equal(found.json.results.length, 1, found.text)
  assertError(await restore(session.id, { as: owner }), 404, 'PT404')
})

test('a viewer neither deletes nor restores, and a stranger learns nothing', async () => {
  const session = await newSession(member)
  assertError(await remove(session.id, { as: viewer }), 403, '42501')
  assertError(await remove(session.id, { as: stranger }), 404)
  assertError(await remove(session.id), 401)
  assert.equal((await remove(session.id, { as: member })).status, 204)
  assertError(await restore(session.id, { as: viewer }), 403, '42501')
  assertError(await restore(session.id, { as: stranger }), 404, 'PT404')
  assert.ok(!(await trash(stranger)).sessions.some((listed) => listed.id === session.id))
  assertError(await get('/api/sessions?deleted=perhaps', { as: member }), 400)
  assertError(await remove('no-uuid', { as: member }), 400)
})

test('permanently, at once or out of the trash', async () => {
  const [now, later] = [await newSession(member), await newSession(member)]
  assert.equal((await remove(now.id, { as: member, permanently: true })).status, 204)
  assert.equal((await remove(later.id, { as: member })).status, 204)
  assert.equal((await remove(later.id, { as: member, permanently: true })).status, 204)
  for (const { id } of [now, later]) assertError(await restore(id, { as: member }), 404, 'PT404')
  assert.deepEqual(await rows(`select id from dossier.sessions where id in ('${now.id}', '${later.id}')`), [])
})

test('the trash is listed in pages, last deleted first', async () => {
  const made = []
  for (let index = 0; index < 3; index += 1) {
    const { id } = await newSession(owner)
    assert.equal((await remove(id, { as: owner })).status, 204)
    made.push(id)
  }
  const seen = []
  let after = ''
  do {
    const page = await trash(viewer, `&limit=2${after && `&after=${after}`}`)
    assert.ok(page.sessions.length <= 2)
    seen.push(...page.sessions.map((listed) => listed.id))
    after = page.next
  } while (after)
  assert.equal(new Set(seen).size, seen.length, 'no repeats')
  assert.deepEqual(seen.filter((id) => made.includes(id)), made.toReversed(), 'no gaps')
})

test('nothing is uploaded to a deleted session', async () => {
  const session = await newSession(member)
  assert.equal((await remove(session.id, { as: member })).status, 204)
  const form = new FormData()
  form.append('session_id', session.id)
  form.append('files', new Blob(['late']), 'late.txt')
  assertError(await call('POST', '/api/documents', { as: member, body: form }), 404, 'PT404', { perFile: true })
})

test('a large session is gone at once, and its rows soon, without waiting for the next sweep', async () => {
  const session = await newSession(member)
  const document = await uploaded(member, session.id, { name: 'large.txt', bytes: 'x', media_type: 'text/plain' }, { wait: 20 })
  await psql(`insert into dossier_private.document_chunks (organization_id, document_id, seq, bytes)
    select organization_id, id, seq, 'x' from dossier.documents, generate_series(1, 3000) as seq where id = '${document.id}'`)
  assert.equal((await remove(session.id, { as: member, permanently: true })).status, 204)
  assertError(await get(`/api/sessions/${session.id}`, { as: member }), 404)
  assertError(await restore(session.id, { as: member }), 404)
  const left = () => value(`select count(*)::int from dossier_private.document_chunks where document_id = '${document.id}'`)
  await until('every chunk row removed', async () => (await left()) === 0)
  assert.equal(await value(`select count(*)::int from dossier.sessions where id = '${session.id}'`), 0)
})

for (const [what, bytes, chunks] of [['before a chunk is stored', 100, 0], ['behind stored chunks', 3 * 262_144 + 5, 1]]) {
  test(`an upload whose session is deleted ${what} is refused, and nothing of it comes back with the session`, async () => {
    const session = await newSession(member)
    const { body, type } = multipart([
      { name: 'session_id', content: session.id },
      { name: 'files', filename: 'late.txt', type: 'text/plain', content: 'x'.repeat(bytes) },
    ])
    const client = await RawClient.open(edgeUrl)
    await client.head('POST', '/api/documents', { authorization: `Bearer ${member.token}`, 'content-type': type, 'content-length': String(body.length) })
    // The last byte is held back, so the upload is still in progress.
    const end = body.lastIndexOf('x')
    await client.send(body.subarray(0, end))
    const uploads = () => value(`select count(*)::int from dossier.documents as d where d.session_id = '${session.id}'
      and (select count(*) from dossier_private.document_chunks as c where c.document_id = d.id) >= ${chunks}`)
    await until('the upload under way', async () => (await uploads()) === 1)
    assert.equal((await remove(session.id, { as: member })).status, 204)
    await client.send(body.subarray(end))
    assert.equal(assertError(await client.response(), 404, 'PT404', { perFile: true }).message, 'Document not found')
    client.close()
    const left = () => value(`select count(*)::int from dossier.documents as d where d.session_id = '${session.id}'`)
    await until('nothing left of it', async () => (await left()) === 0)
    assert.equal((await restore(session.id, { as: member })).status, 200)
    assert.deepEqual((await get(`/api/documents?session_id=${session.id}`, { as: member })).json.documents, [])
  })
}
