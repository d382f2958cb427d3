// Live status: one stream of events per session, over several edges.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, afterEach, before, test } from 'node:test'
import { assertError, call, get, multipart, newSession, post, sha256, unique, uploaded } from './lib/api.mjs'
import { startEdge } from './lib/edge.mjs'
import { edgeDatabaseUrl, jwtSecret } from './lib/env.mjs'
import { closeStreams, watch } from './lib/events.mjs'
import { RawClient, until } from './lib/net.mjs'
import { anonToken, member, owner, serviceToken, stranger, viewer } from './lib/people.mjs'
import { literal, psql, value } from './lib/psql.mjs'
import { sign } from './lib/token.mjs'
import './lib/cleanup.mjs'

const MIB = 1024 * 1024
const named = (name) => `${edgeDatabaseUrl}${edgeDatabaseUrl.includes('?') ? '&' : '?'}application_name=${name}`
const connectionsOf = (name) => value(`select count(*)::int from pg_stat_activity where application_name = ${literal(name)}`)
const eventsPath = (session) => `/api/sessions/${session.id}/events`
const json = { accept: 'application/json' }

/** Two edges that extract nothing, so that only the tests change documents. */
let one
let two
before(async () => {
  const environment = { EXTRACT_WORKERS: '0', JWT_SKEW_SECONDS: '0', EVENT_STALL_SECONDS: '2', DATABASE_POOL_SIZE: '4' }
  one = await startEdge({ ...environment, DATABASE_URL: named('events-one') })
  two = await startEdge({ ...environment, DATABASE_URL: named('events-two') })
})
afterEach(closeStreams)
after(async () => { await one?.stop(); await two?.stop() })

const text = (name = unique('note.txt')) => ({ name, bytes: Buffer.from('The quick brown fox.'), media_type: 'text/plain' })

/** A new organization with its owner, and viewer as a viewer. */
async function organizationWithViewer() {
  const { json: organization } = await post('/api/organizations', { name: 'Watched' }, { as: owner })
  const added = await post(`/api/organizations/${organization.id}/members`, { user_id: viewer.sub, role: 'viewer' }, { as: serviceToken })
  assert.equal(added.status, 201, added.text)
  return organization.id
}

const setStatus = (id, assignments) => psql(`update dossier.documents set ${assignments} where id = '${id}'`)

/** A document that the database alone knows, in some state. */
async function documentIn(session, columns = {}) {
  const all = { name: unique('made.txt'), media_type: 'text/plain', size_bytes: 5, sha256: sha256('hello'), status: 'stored', ...columns }
  const id = randomUUID()
  await psql(`insert into dossier.documents (id, session_id, organization_id, user_id, ${Object.keys(all)})
    values ('${id}', '${session.id}', '${session.organization_id}', '${member.sub}', ${Object.values(all).map((v) => v === null ? 'null' : literal(v))})`)
  return id
}

test('a stream begins with the present, and the edge that changes something need not be the one that streams', async () => {
  const session = await newSession(member, { context: { text: 'Notes' } })
  const waiting = await documentIn(session)
  await documentIn(session, { status: 'ready' })
  const stream = await watch(viewer, session.id, { url: two.url })
  assert.equal(stream.response.headers.get('cache-control'), 'no-store, no-transform')
  assert.equal(stream.response.headers.get('x-accel-buffering'), 'no')
  await until('a position', () => stream.lastEventId)
  assert.deepEqual(stream.events.map(({ name }) => name), ['session', 'context', 'document'], 'only documents in progress')
  assert.deepEqual([stream.events[0].data.id, stream.events[0].data.reload], [session.id, true])
  assert.deepEqual([stream.events[1].data.version, stream.events[1].data.updated_by], [1, member.sub])
  assert.equal(stream.events[2].data.id, waiting)

  // Changes that follow each other fast are one event.
  const document = await uploaded(member, session.id, text('report.txt'), { url: one.url })
  const ready = await stream.see('document', ({ id, status }) => id === document.id && status === 'ready')
  assert.deepEqual([ready.name, ready.page_count, ready.error_code, ready.hint], ['report.txt', 1, null, null])
  await setStatus(document.id, "ocr_status = 'running', ocr_page = 3, ocr_pages = 12")
  await stream.see('document', ({ id, page, pages }) => id === document.id && page === 3 && pages === 12)
  await setStatus(document.id, "status = 'failed', error_code = 'encrypted', error_message = 'The file has a password.'")
  const failed = await stream.see('document', ({ id, status }) => id === document.id && status === 'failed')
  assert.deepEqual([failed.error_code, failed.error_message], ['encrypted', 'The file has a password.'])
  assert.match(failed.hint, /^Remove the password/)

  await post(`/api/sessions/${session.id}/context`, { text_context: 'More' }, { as: owner, url: one.url })
  assert.equal((await stream.see('context', ({ version }) => version === 2)).updated_by, owner.sub)
  await call('PATCH', `/api/sessions/${session.id}`, { as: owner, url: one.url, json: { title: 'Renamed' } })
  assert.equal((await stream.see('session', ({ title }) => title === 'Renamed')).reload, false)
  assert.equal((await call('DELETE', `/api/documents/${document.id}`, { as: member, url: one.url })).status, 204)
  await stream.see('document', ({ id, status }) => id === document.id && status === 'deleted')
  assert.equal(stream.of('session').filter(({ reload }) => reload).length, 1, 'a client that heard everything need not list again')
  assert.equal(new Set(stream.events.map((event) => JSON.stringify(event.data))).size, stream.events.length, 'nothing twice')
})

test('the progress of an upload is seen from another edge, and costs the upload nothing', async () => {
  const session = await newSession(member)
  const stream = await watch(viewer, session.id, { url: two.url })
  const { body, type } = multipart([
    { name: 'session_id', content: session.id },
    { name: 'files', filename: 'long.txt', type: 'text/plain', content: Buffer.alloc(4 * MIB, 'word ') },
  ])
  const client = await RawClient.open(one.url)
  await client.head('POST', '/api/documents', { authorization: `Bearer ${member.token}`, 'content-type': type, 'content-length': String(body.length) })
  await client.send(body.subarray(0, 1.5 * MIB))
  const begun = await stream.see('document', ({ status }) => status === 'uploading')
  const first = await stream.see('upload', ({ received }) => received >= MIB)
  assert.equal(first.document_id, begun.id)
  assert.ok(first.received < 2 * MIB && first.received % (256 * 1024) === 0, `${first.received}`)
  await client.send(body.subarray(1.5 * MIB, 3 * MIB))
  await stream.see('upload', ({ received }) => received >= 2.5 * MIB)
  await client.send(body.subarray(3 * MIB))
  assert.equal((await client.response()).status, 201)
  await stream.see('document', ({ id, status }) => id === begun.id && status === 'ready')
  client.close()
  const received = stream.of('upload').map((upload) => upload.received)
  assert.deepEqual(received, received.toSorted((a, b) => a - b))
})

test('a stream resumes on another edge with what was missed, and nothing else', async () => {
  const session = await newSession(member, { context: { text: 'Notes' } })
  const [kept, changed] = [await documentIn(session), await documentIn(session)]
  // While an older transaction runs in the database, such as an extraction, more may be repeated.
  const resumed = await until('a stream that repeats nothing', async () => {
    const first = await watch(member, session.id, { url: one.url })
    const lastEventId = await until('a position', () => first.lastEventId)
    first.close()
    const pages = Number(await psql(`update dossier.documents set page_count = coalesce(page_count, 0) + 1 where id = '${changed}' returning page_count`))
    const stream = await watch(member, session.id, { url: two.url, lastEventId })
    assert.equal((await stream.see('session')).reload, false)
    await stream.see('document', ({ id, page_count }) => id === changed && page_count === pages)
    assert.notEqual(stream.lastEventId, lastEventId)
    stream.close()
    return stream.of('document').length === 1 && stream.of('context').length === 0 && stream
  })

  await psql(`delete from dossier.documents where id = '${kept}'`)
  const gone = await watch(member, session.id, { url: one.url, lastEventId: resumed.lastEventId })
  assert.equal((await gone.see('session')).reload, true, 'a deletion that nobody saw')
  for (const odd of ['1', 'x'.repeat(5000), '../../etc', 'ffffffff.1.0000000000000000']) {
    const stream = await watch(member, session.id, { url: two.url, lastEventId: odd })
    assert.equal((await stream.see('session')).reload, true, odd.slice(0, 30))
  }
})

test('a client that cannot stream polls the same changes', async () => {
  const session = await newSession(member)
  const poll = (lastEventId, as = member) =>
    get(eventsPath(session), { as, headers: { ...json, ...(lastEventId && { 'last-event-id': lastEventId }) } })
  const first = await poll()
  assert.equal(first.status, 200, first.text)
  assert.deepEqual(Object.keys(first.json).sort(), ['context', 'documents', 'id', 'reload', 'session', 'uploads'])
  assert.equal(first.json.reload, true)
  const id = await documentIn(session)
  const second = await poll(first.json.id)
  assert.deepEqual(second.json.documents.map((document) => document.id), [id])
  assert.equal((await poll(second.json.id)).json.reload, false)
  await until('a response without changes', async () => {
    const { documents, uploads, context } = (await poll((await poll()).json.id)).json
    return documents.length === 0 && uploads.length === 0 && context === null
  })
  assertError(await poll(null, stranger), 404, 'PT404')
})

test('after the listening connection breaks, every stream gets what it missed', async () => {
  const session = await newSession(member)
  const [changed, deleted] = [await documentIn(session), await documentIn(session)]
  const streams = await Promise.all([one, two].map((edge) => watch(viewer, session.id, { url: edge.url })))
  await Promise.all(streams.map((stream) => stream.see('document', ({ id }) => id === deleted)))
  const listening = "from pg_stat_activity where application_name like 'events-%' and query like 'listen %'"
  // In one transaction: the listeners are gone before anything is notified, and cannot be back.
  await psql(`begin; lock table pg_catalog.pg_authid in access exclusive mode; select pg_terminate_backend(pid) ${listening};
    update dossier.documents set status = 'ready' where id = '${changed}'; delete from dossier.documents where id = '${deleted}'; commit;`)
  for (const stream of streams) {
    await stream.see('document', ({ id, status }) => id === changed && status === 'ready')
    await stream.see('session', ({ reload }) => reload && stream.of('session').length > 1)
  }
  await until('both to listen again', async () => await value(`select count(*)::int ${listening}`) === 2, { seconds: 30 })
  await setStatus(changed, "status = 'stored'")
  for (const stream of streams) await until('a notification', () => stream.of('document').at(-1)?.status === 'stored')
})

test('a removed member learns nothing more', async () => {
  const organization_id = await organizationWithViewer()
  const session = await newSession(owner, { organization_id })
  const id = await documentIn(session)
  const [removed, remaining] = [await watch(viewer, session.id, { url: one.url }), await watch(owner, session.id, { url: two.url })]
  await removed.see('document')
  const response = await call('DELETE', `/api/organizations/${organization_id}/members/${viewer.sub}`, { as: owner, url: two.url })
  assert.equal(response.status, 204, response.text)
  await setStatus(id, "status = 'ready'")
  assert.equal((await removed.end()).reason, 'removed')
  await remaining.see('document', ({ status }) => status === 'ready')
  assert.deepEqual(removed.of('document').map(({ status }) => status), ['stored'])
  assertError(await get(eventsPath(session), { as: viewer }), 404, 'PT404')
})

test('another tenant, a stranger to the API, and a session that does not exist', async () => {
  const session = await newSession(member)
  assertError(await get(eventsPath(session), { as: stranger }), 404, 'PT404')
  assertError(await get(`/api/sessions/${randomUUID()}/events`, { as: member }), 404, 'PT404')
  assertError(await get('/api/sessions/x/events', { as: member }), 400)
  assertError(await get(eventsPath(session)), 401)
  assertError(await get(eventsPath(session), { as: anonToken }), 401)
  assertError(await get(`${eventsPath(session)}?since=1`, { as: member }), 400)
  assertError(await post(eventsPath(session), {}, { as: member }), 405)

  const theirs = await watch(stranger, (await newSession(stranger, { organization_id: 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb' })).id)
  const mine = await watch(member, session.id)
  await documentIn(session)
  await mine.see('document')
  // A notification says nothing by itself, even if somebody else sends it: this one names a foreign session together with the own one.
  await psql(`select pg_notify('dossier_sessions', json_build_object('session_ids', array['${session.id}', '${theirs.of('session')[0]?.id ?? session.id}'])::text)`)
  await psql(`select pg_notify('dossier_sessions', 'not json'), pg_notify('dossier_members', '{}'), pg_notify('dossier_documents', '{"session_id": 1}')`)
  await documentIn(session)
  await until('another document', () => mine.of('document').length === 2)
  assert.deepEqual(theirs.of('document'), [])
})

test('a stream ends when its session is moved to the trash or erased', async () => {
  for (const permanently of [false, true]) {
    const session = await newSession(member)
    const stream = await watch(viewer, session.id, { url: two.url })
    await stream.see('session')
    const response = await call('DELETE', `/api/sessions/${session.id}?permanently=${permanently}`, { as: member, url: one.url })
    assert.ok(response.status < 300, response.text)
    assert.equal((await stream.end()).reason, 'deleted')
  }
  const organization_id = await organizationWithViewer()
  const session = await newSession(owner, { organization_id })
  const streams = await Promise.all([owner, viewer].map((person) => watch(person, session.id, { url: two.url })))
  assert.ok((await call('DELETE', `/api/organizations/${organization_id}`, { as: owner, url: one.url })).status < 300)
  for (const stream of streams) assert.equal((await stream.end()).reason, 'removed')
})

test('a stream ends with its token, and the next token continues it', async () => {
  const session = await newSession(member)
  const token = sign({ ...member.claims, exp: Math.floor(Date.now() / 1000) + 2 }, { secret: jwtSecret })
  const stream = await watch(member, session.id, { url: one.url, token })
  assert.equal((await stream.end()).reason, 'expired')
  const next = await watch(member, session.id, { url: one.url, lastEventId: stream.lastEventId })
  assert.equal((await next.see('session')).reload, false)
})

test('an edge that stops tells its streams to reconnect, and does not wait for them', async () => {
  const edge = await startEdge({ SHUTDOWN_GRACE_SECONDS: '20' })
  const session = await newSession(member)
  const streams = await Promise.all(Array.from({ length: 5 }, () => watch(member, session.id, { url: edge.url })))
  const started = Date.now()
  edge.signal('SIGTERM')
  for (const stream of streams) {
    assert.equal((await stream.end()).reason, 'restarting')
    assert.ok(stream.retry >= 500 && stream.retry <= 5000, `retry: ${stream.retry}`)
  }
  assert.equal((await edge.ended).code, 0, edge.log().slice(-2000))
  assert.ok(Date.now() - started < 6000, `${Date.now() - started} ms`)
})

test('a reader that stalls is disconnected, and others are not delayed', { timeout: 90_000 }, async () => {
  const session = await newSession(member)
  const id = await documentIn(session)
  const slow = await RawClient.open(one.url)
  slow.socket.pause()
  await slow.head('GET', eventsPath(session), { authorization: `Bearer ${member.token}` })
  const quick = await watch(member, session.id, { url: one.url })
  const disconnected = () => one.log().split('\n').filter((line) => line.includes(eventsPath(session)) && line.includes('"broken":true')).length
  for (let n = 1; disconnected() === 0; n += 1) {
    assert.ok(n < 400, 'the reader is still connected')
    const before = quick.of('document').length
    // Many rows at once, as much as the sockets of a stalled reader will not hold.
    await psql(`update dossier.documents set status = 'failed', error_code = 'x', error_message = '${n} ' || repeat('why ', 500000) where id = '${id}'`)
    await until('the other reader', () => quick.of('document').length > before)
  }
  assert.equal(quick.ended, false)
  slow.close()
})

test('a user has a number of streams, and closing one frees its place', async () => {
  const edge = await startEdge({ EVENT_STREAMS: '3', EVENT_STREAMS_PER_USER: '2' })
  const session = await newSession(member)
  const streams = [await watch(member, session.id, { url: edge.url }), await watch(member, session.id, { url: edge.url })]
  const refused = await get(eventsPath(session), { as: member, url: edge.url })
  assert.match(assertError(refused, 429, 'PT429').details, /EVENT_STREAMS_PER_USER/)
  assert.equal(refused.headers.get('retry-after'), '30')
  assert.equal((await get(eventsPath(session), { as: member, url: edge.url, headers: json })).status, 200, 'polling remains')
  await watch(viewer, session.id, { url: edge.url })
  assert.match(assertError(await get(eventsPath(session), { as: owner, url: edge.url }), 503, 'PT503').details, /EVENT_STREAMS\b/)
  streams[0].close()
  await until('a place', () => watch(member, session.id, { url: edge.url }).then(() => true, () => false))
  await edge.stop()
})

test('a hundred streams use the connections of the pool and one to listen, and stay alive by comments', { timeout: 60_000 }, async () => {
  const edge = await startEdge({ EXTRACT_WORKERS: '0', EVENT_STREAMS_PER_USER: '100', DATABASE_POOL_SIZE: '4', DATABASE_URL: named('events-hundred') })
  const sessions = await Promise.all(Array.from({ length: 4 }, () => newSession(member)))
  const streams = await Promise.all(Array.from({ length: 100 }, (_, n) => watch(member, sessions[n % 4].id, { url: edge.url })))
  assert.ok(await connectionsOf('events-hundred') <= 5, `${await connectionsOf('events-hundred')} connections`)
  const ids = await Promise.all(sessions.map((session) => documentIn(session)))
  await Promise.all(streams.map((stream, n) => stream.see('document', ({ id }) => id === ids[n % 4])))
  assert.ok(await connectionsOf('events-hundred') <= 5, `${await connectionsOf('events-hundred')} connections`)
  for (const [n, stream] of streams.entries()) assert.deepEqual(stream.of('document').map(({ id }) => id), [ids[n % 4]])
  await until('comments', () => streams.every((stream) => stream.comments > 0), { seconds: 25 })
  await edge.stop()
})
