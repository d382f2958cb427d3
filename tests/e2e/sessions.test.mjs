// Sessions: created with their context in one request, listed in pages, visible to their organization only.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertError, call, get, newSession, post, unique } from './lib/api.mjs'
import { acme, globex, member, owner, stranger, viewer } from './lib/people.mjs'
import { rows } from './lib/psql.mjs'

test('a session is created together with its context', async () => {
  const response = await post('/api/sessions', {
    title: 'Call with Northwind',
    conversation_type: 'sales_call',
    organization_id: acme,
    context: { text_context: 'They buy flour twice.', context_metadata: { crm: { stage: 'won' }, tags: ['bakery', 'é'] } },
  }, { as: member })
  assert.equal(response.status, 201, response.text)
  const session = response.json
  assert.equal(session.title, 'Call with Northwind')
  assert.equal(session.conversation_type, 'sales_call')
  assert.equal(session.organization_id, acme)
  assert.equal(session.user_id, member.sub)
  assert.equal(session.status, 'active')
  assert.equal(session.context.text_context, 'They buy flour twice.')
  assert.deepEqual(session.context.context_metadata, { crm: { stage: 'won' }, tags: ['bakery', 'é'] })
  assert.equal(session.context.version, 1)

  const read = await get(`/api/sessions/${session.id}`, { as: viewer })
  assert.equal(read.status, 200, read.text)
  assert.equal(read.json.id, session.id)

  const [row] = await rows(`select user_id, title from dossier.sessions where id = '${session.id}'`)
  assert.deepEqual(row, { user_id: member.sub, title: 'Call with Northwind' })
})

test('the short names of the context fields are accepted', async () => {
  const session = await newSession(member, { context: { text: 'Short.', metadata: { a: 1 } } })
  assert.equal(session.context.text_context, 'Short.')
  assert.deepEqual(session.context.context_metadata, { a: 1 })
})

test('a session without a context has defaults', async () => {
  const session = await newSession(member, { title: undefined })
  assert.equal(session.context, null)
  assert.equal(session.conversation_type, 'meeting')
})

test('members change the fields in the body, and only those', async () => {
  const session = await newSession(member, { title: 'Before' })
  const change = (json, as = member) => call('PATCH', `/api/sessions/${session.id}`, { as, json })
  const changed = await change({ title: 'After', status: 'archived' })
  assert.equal(changed.status, 200, changed.text)
  assert.equal(changed.json.title, 'After')
  assert.equal(changed.json.status, 'archived')
  assert.equal(changed.json.conversation_type, session.conversation_type)
  assert.deepEqual(changed.json.context, session.context)
  assert.equal((await change({ title: null })).json.title, null)
  assertError(await change({ status: 'gone' }), 400)
  assertError(await change({ user_id: owner.sub }), 400)
  assertError(await change([]), 400)
  assertError(await change({ title: 'x' }, viewer), 403)
  assertError(await change({ title: 'x' }, stranger), 404)
  assert.equal((await get(`/api/sessions/${session.id}`, { as: member })).json.status, 'archived')
})

test('the organization defaults to the only one', async () => {
  const session = await newSession(stranger, { organization_id: undefined })
  assert.equal(session.organization_id, globex)
})

test('an invalid session is refused with a reason', async () => {
  const bad = (body, status) => post('/api/sessions', { organization_id: acme, ...body }, { as: member })
    .then((response) => assertError(response, status))
  await bad({ conversation_type: 'no_such_type' }, 400)
  await bad({ title: 7 }, 400)
  await bad({ context: 'text' }, 400)
  await bad({ organization_id: 'no uuid' }, 400)
  await bad({ title: 'nul \u0000 byte' }, 400)
  assertError(await post('/api/sessions', undefined, { as: member, body: '{"title": ', headers: { 'content-type': 'application/json' } }), 400)
  assertError(await post('/api/sessions', [1], { as: member }), 400)
})

test('nobody creates a session in an organization of others', async () => {
  assertError(await post('/api/sessions', { organization_id: globex }, { as: member }), 404, 'PT404')
  assertError(await post('/api/sessions', { organization_id: acme }, { as: viewer }), 403, '42501')
})

test('sessions are listed in pages, newest first, without gaps or duplicates', async () => {
  const title = unique('listed')
  const made = []
  for (let index = 0; index < 5; index += 1) made.push((await newSession(owner, { title })).id)
  const seen = []
  let after = ''
  let turns = 0
  do {
    const response = await get(`/api/sessions?limit=2${after && `&after=${encodeURIComponent(after)}`}`, { as: viewer })
    assert.equal(response.status, 200, response.text)
    assert.ok(response.json.sessions.length <= 2)
    seen.push(...response.json.sessions)
    after = response.json.next
    turns += 1
  } while (after && seen.filter((session) => session.title === title).length < 5 && turns < 500)
  const ours = seen.filter((session) => session.title === title).map((session) => session.id)
  assert.deepEqual(ours, made.toReversed())
  assert.equal(new Set(seen.map((session) => session.id)).size, seen.length, 'no session twice')
})

test('invalid list parameters are refused', async () => {
  assertError(await get('/api/sessions?limit=zero', { as: member }), 400)
  assertError(await get('/api/sessions?after=%00', { as: member }), 400)
  assertError(await get('/api/sessions/not-a-uuid', { as: member }), 400, 'PT400')
})
