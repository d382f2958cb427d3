// Organizations, their members, usage and limits.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { assertError, call, get, newSession, post, unique, uploaded } from './lib/api.mjs'
import { startEdge } from './lib/edge.mjs'
import { acme, member, owner, stranger, viewer } from './lib/people.mjs'
import { psql } from './lib/psql.mjs'
import './lib/cleanup.mjs'

const patch = (path, json, options) => call('PATCH', path, { json, ...options })
const remove = (path, options) => call('DELETE', path, options)

async function newOrganization(as) {
  const response = await post('/api/organizations', { name: ' Initech ' }, { as })
  assert.equal(response.status, 201, response.text)
  return response.json
}

test('an organization is created, listed, read, renamed and erased', async () => {
  const created = await newOrganization(owner)
  assert.deepEqual(Object.keys(created).sort(), ['created_at', 'id', 'name', 'role', 'updated_at'])
  assert.deepEqual([created.name, created.role], ['Initech', 'owner'])

  const found = []
  let after = ''
  do {
    const { json } = await get(`/api/organizations?limit=1${after && `&after=${after}`}`, { as: owner })
    assert.equal(json.organizations.length, 1)
    found.push(...json.organizations)
    after = json.next
  } while (after)
  assert.deepEqual(found.find(({ id }) => id === created.id), created)
  assert.ok(found.some(({ id }) => id === acme), 'all of the caller\'s, page by page')
  assert.equal(new Set(found.map(({ id }) => id)).size, found.length, 'none twice')
  assert.ok(!(await get('/api/organizations', { as: stranger })).json.organizations.some(({ id }) => id === created.id))
  assert.equal((await get('/api/organizations?limit=200', { as: viewer })).json.organizations.find(({ id }) => id === acme).role, 'viewer')

  assert.deepEqual((await get(`/api/organizations/${created.id}`, { as: owner })).json, created)
  assertError(await get(`/api/organizations/${created.id}`, { as: stranger }), 404, 'PT404')
  assert.equal((await patch(`/api/organizations/${created.id}`, { name: 'Initrode' }, { as: owner })).json.name, 'Initrode')
  assertError(await patch(`/api/organizations/${acme}`, { name: 'Mine' }, { as: member }), 403, '42501')
  assertError(await post('/api/organizations', { name: '' }, { as: owner }), 400, 'PT400')

  const session = await newSession(owner, { organization_id: created.id })
  assertError(await remove(`/api/organizations/${acme}`, { as: member }), 403, '42501')
  const receipt = await remove(`/api/organizations/${created.id}`, { as: owner })
  assert.equal(receipt.status, 200, receipt.text)
  assert.equal(receipt.json.erased.sessions, 1)
  assertError(await get(`/api/sessions/${session.id}`, { as: owner }), 404)
  assertError(await get(`/api/organizations/${created.id}`, { as: owner }), 404)
})

test('members are added, promoted and removed within the rights of the caller', async () => {
  const { id } = await newOrganization(owner)
  const members = `/api/organizations/${id}/members`
  const odd = `auth0|${randomUUID()}/with slash`
  const added = await post(members, { user_id: viewer.sub, role: 'viewer' }, { as: owner })
  assert.equal(added.status, 201, added.text)
  assert.deepEqual([added.json.user_id, added.json.role], [viewer.sub, 'viewer'])
  assert.equal((await post(members, { user_id: odd }, { as: owner })).json.role, 'member')
  assertError(await post(members, { user_id: viewer.sub, role: 'admin' }, { as: owner }), 409, 'PT409')
  assertError(await post(members, { user_id: 'x', role: 'king' }, { as: owner }), 400, 'PT400')
  assertError(await get(members, { as: stranger }), 404, 'PT404')

  assertError(await get(members, { as: viewer }), 404, 'PT404')
  assertError(await call('POST', `/api/invitations/${id}`, { as: stranger }), 404, 'PT404')
  const invited = (await get('/api/invitations', { as: viewer })).json.invitations.find(({ organization_id }) => organization_id === id)
  assert.deepEqual([invited.organization_name, invited.role], ['Initech', 'viewer'])
  const accepted = await call('POST', `/api/invitations/${id}`, { as: viewer })
  assert.deepEqual([accepted.status, accepted.json.user_id, accepted.json.role], [200, viewer.sub, 'viewer'])
  assert.ok(accepted.json.accepted_at)
  assertError(await post(members, { user_id: member.sub }, { as: viewer }), 403, '42501')
  assert.equal((await post(members, { user_id: stranger.sub }, { as: owner })).status, 201)
  assert.equal((await call('DELETE', `/api/invitations/${id}`, { as: stranger })).status, 204)
  assertError(await call('DELETE', `/api/invitations/${id}`, { as: stranger }), 404, 'PT404')

  const listed = (await get(members, { as: viewer })).json
  assert.deepEqual([listed.members.length, listed.next], [3, null])
  const first = (await get(`${members}?limit=2`, { as: viewer })).json
  const rest = (await get(`${members}?limit=2&after=${encodeURIComponent(first.next)}`, { as: viewer })).json
  assert.deepEqual([...first.members, ...rest.members], listed.members)

  const promoted = await patch(`${members}/${encodeURIComponent(odd)}`, { role: 'admin' }, { as: owner })
  assert.deepEqual([promoted.status, promoted.json.user_id, promoted.json.role], [200, odd, 'admin'])
  assertError(await patch(`${members}/nobody`, { role: 'admin' }, { as: owner }), 404, 'PT404')
  assertError(await patch(`${members}/${owner.sub}`, { role: 'viewer' }, { as: owner }), 409, 'PT409')
  assert.equal((await remove(`${members}/${encodeURIComponent(odd)}`, { as: owner })).status, 204)
  assertError(await remove(`${members}/${encodeURIComponent(odd)}`, { as: owner }), 404)
  assert.equal((await remove(`${members}/${viewer.sub}`, { as: viewer })).status, 204, 'a viewer leaves')
  assertError(await get(members, { as: viewer }), 404)
})

test('usage counts what is stored, next to the quotas', async () => {
  const { id } = await newOrganization(owner)
  await psql(`set role service_role; select dossier.set_quota('${id}', max_documents => 7)`)
  const session = await newSession(owner, { organization_id: id })
  await uploaded(owner, session.id, { name: unique('counted.txt'), bytes: Buffer.alloc(1234, 'a'), media_type: 'text/plain' })
  const usage = (await get(`/api/organizations/${id}/usage`, { as: owner })).json
  assert.deepEqual([usage.file_bytes, usage.documents, usage.documents_today, usage.max_documents, usage.max_bytes], [1234, 1, 1, 7, null])
  assert.ok(usage.bytes > 1234, 'the name and the text count as well')
  assertError(await get(`/api/organizations/${id}/usage`, { as: stranger }), 404, 'PT404')
})

test('limits are those of the database and the edge, whichever is smaller', async () => {
  const limits = (await get('/api/limits', { as: member })).json
  assert.equal(limits.max_file_bytes, 10_485_760, 'the database\'s: the edge has none of its own')
  assert.ok(limits.allowed_media_types.includes('application/pdf'))
  assert.ok(limits.max_files_per_request > 1 && limits.max_request_bytes > limits.max_file_bytes && limits.max_json_bytes > 1)
  const edge = await startEdge({ UPLOAD_MAX_BYTES: '1000', EXTRACT_WORKERS: '0' })
  try {
    assert.equal((await get('/api/limits', { as: member, url: edge.url })).json.max_file_bytes, 1000)
    const session = await newSession(member, {}, { url: edge.url })
    const planned = { session_id: session.id, name: 'x.txt', media_type: 'text/plain', size_bytes: 1001 }
    const { allowed, checks } = (await post('/api/uploads/explain', planned, { as: member, url: edge.url })).json
    assert.equal(allowed, false)
    const failed = checks.filter(({ passed }) => !passed)
    assert.deepEqual(failed.map(({ code }) => code), ['PT413'])
    assert.match(`${failed[0].concerns} ${failed[0].details}`, /UPLOAD_MAX_BYTES/, 'it names the edge as the one that refuses')
    assert.equal((await post('/api/uploads/explain', { ...planned, size_bytes: 1000 }, { as: member, url: edge.url })).json.allowed, true)
  } finally {
    await edge.stop()
  }
})

test('an upload is explained before a byte is sent', async () => {
  const session = await newSession(member)
  const explain = (planned, as = member) => post('/api/uploads/explain', { session_id: session.id, name: 'x.txt', ...planned }, { as })
  const fine = (await explain({ size_bytes: 5 })).json
  assert.equal(fine.allowed, true)
  assert.ok(fine.checks.length >= 10 && fine.checks.every(({ passed }) => passed))
  const wrong = (await explain({ name: 'a/b.exe', media_type: 'application/x-msdownload', size_bytes: 99_999_999 })).json
  assert.equal(wrong.allowed, false)
  assert.deepEqual(wrong.checks.filter(({ passed }) => !passed).map(({ name, code }) => `${name} ${code}`),
    ['name PT400', 'max_file_bytes PT413', 'allowed_media_types PT415'])
  const unable = (await explain({}, viewer)).json
  assert.equal(unable.allowed, false)
  assert.ok(unable.checks.some(({ name, passed }) => name.startsWith('max_') && passed === null), 'a viewer learns no quotas')
})
