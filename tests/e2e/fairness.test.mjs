// One tenant attacks while another works: every attack is refused with its code, and no request of the other fails. How much
// slower they become is printed here and judged by bench/attack.mjs.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { assertError, call, get, multipart, newSession, post, unique, upload } from './lib/api.mjs'
import { attacks, limits, p95, prepare, slowForm, trickle, work } from './lib/attacks.mjs'
import { newDatabase } from './lib/database.mjs'
import { startEdge } from './lib/edge.mjs'
import { closeStreams, watch } from './lib/events.mjs'
import { RawClient, until } from './lib/net.mjs'
import { globex, member, stranger } from './lib/people.mjs'
import { psql, value } from './lib/psql.mjs'
import './lib/cleanup.mjs'

const name = `dossier_e2e_fairness_${process.pid}`
let database
let edge
let stage
let atRest

before(async () => {
  database = await newDatabase({ native: false, name })
  edge = await startEdge({ DATABASE_URL: database.edgeUrl, ...limits })
  stage = await prepare(edge.url, database.superuserUrl)
  atRest = p95(await work(stage, Promise.resolve()))
}, { timeout: 120_000 })
after(async () => {
  await edge?.stop()
  await database?.drop()
})

for (const [attack, run] of Object.entries(attacks)) {
  test(`others work on during ${attack}`, { timeout: 90_000 }, async (t) => {
    const attacking = run(stage)
    const [times] = await Promise.all([work(stage, attacking), attacking])
    t.diagnostic(`p95 of the others: ${p95(times).toFixed(0)} ms, at rest ${atRest.toFixed(0)} ms`)
    assert.equal((await get('/readyz', { url: edge.url })).status, 200)
  })
}

// As the superuser, who sees what other roles wait for.
const inDatabase = () => ({ url: database.superuserUrl })

/** Locks the context of `session`; returns a function that unlocks it. */
async function lock(session) {
  const locking = psql(`set application_name = 'locker'; begin; select from dossier.session_context where session_id = '${session.id}' for update;
    select pg_sleep(120)`, inDatabase()).catch(() => {})
  await until('the context locked', () => value("select count(*)::int from pg_stat_activity where application_name = 'locker' and query ~ 'pg_sleep'", inDatabase()))
  return async () => {
    await psql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'locker'", inDatabase())
    await locking
  }
}

/** Requests of member that save the context of `session`, and wait if it is locked. */
const saves = (url, session, count) => Promise.all(Array.from({ length: count }, async (_, n) => {
  const client = await RawClient.open(url)
  const body = JSON.stringify({ metadata: { n } })
  await client.head('POST', `/api/sessions/${session.id}/context`, {
    authorization: `Bearer ${member.token}`, 'content-type': 'application/json', 'content-length': String(body.length),
  })
  await client.send(body)
  return client
}))

/** How many connections wait for a lock. Half of eight is the share of a user. */
const waitingForLock = () => value("select count(*)::int from pg_stat_activity where application_name = 'dossier-edge' and wait_event_type = 'Lock' and datname = current_database()", inDatabase())

test('statements that wait for a lock leave connections to others', { timeout: 60_000 }, async (t) => {
  const unlock = await lock(stage.session)
  try {
    const clients = await saves(edge.url, stage.session, 24)
    await until('the share of the user in use', async () => (await waitingForLock()) === 4)
    const over = []
    clients.forEach((client) => client.response(40).then((answer) => over.push(answer), () => {}))
    const refused = until('the others of the user have waited long enough', () => over.length >= 20, { seconds: 40 })
    const [times] = await Promise.all([work(stage, refused), refused])
    t.diagnostic(`p95 of the others: ${p95(times).toFixed(0)} ms, at rest ${atRest.toFixed(0)} ms`)
    assert.equal(await waitingForLock(), 4)
    assert.equal(over.length, 20)
    for (const answer of over) {
      assertError(answer, 429, 'PT429')
      assert.match(answer.json.details, /DATABASE_USER_CONNECTIONS/)
      assert.ok(Number(answer.headers['retry-after']) >= 1)
    }
    clients.forEach((client) => client.close())
  } finally {
    await unlock()
  }
})

test('streams and uploads that wait for the share of their user hold up nobody else', { timeout: 90_000 }, async () => {
  // A request that waits here waits longer than the test.
  const patient = await startEdge({ DATABASE_URL: database.edgeUrl, EXTRACT_WORKERS: '0', DATABASE_WAIT_SECONDS: '100', STATEMENT_TIMEOUT_SECONDS: '100' })
  const url = patient.url
  const [locked, quiet] = [await newSession(member, { context: { text: 'Locked' } }, { url }), await newSession(member, {}, { url })]
  const streams = await Promise.all(Array.from({ length: 6 }, () => watch(member, quiet.id, { url })))
  const theirs = await watch(stranger, stage.theirs.id, { url })
  const content = Buffer.alloc(600_000, 'text ')
  const { body, type } = multipart([
    { name: 'session_id', content: quiet.id }, { name: 'files', filename: unique('waiting.txt'), type: 'text/plain', content },
  ])
  const uploads = await Promise.all(Array.from({ length: 6 }, async () => {
    const client = await RawClient.open(url)
    await client.head('POST', '/api/documents', { authorization: `Bearer ${member.token}`, 'content-type': type, 'content-length': String(body.length) })
    await client.send(body.subarray(0, 1000))
    return client
  }))
  const begun = () => value(`select count(*)::int from dossier.documents where session_id = '${quiet.id}' and status = 'uploading'`, inDatabase())
  await until('the uploads begun', async () => (await begun()) === 6)
  const unlock = await lock(locked)
  try {
    const clients = await saves(url, locked, 8)
    await until('the share of the user in use', async () => (await waitingForLock()) === 4)
    uploads.forEach((client) => client.send(body.subarray(1000)))
    for (let round = 1; round <= 6; round += 1) {
      await psql(`update dossier.sessions set title = 'Round ${round}' where id = '${quiet.id}'`, inDatabase())
      const saved = await post(`/api/sessions/${stage.theirs.id}/context`, { metadata: { round } }, { as: stranger, url })
      assert.equal(saved.status, 200, saved.text)
      await theirs.see('context', ({ version }) => version === saved.json.version)
      const file = { name: unique('large.txt'), bytes: content, media_type: 'text/plain' }
      assert.equal((await upload(stranger, stage.theirs.id, [file], { url })).status, 201)
    }
    assert.equal(await waitingForLock(), 4)
    assert.ok(streams.every((stream) => stream.of('session').length === 1), 'the streams of the user are still waiting')
    clients.forEach((client) => client.close())
  } finally {
    await unlock()
    uploads.forEach((client) => client.close())
    closeStreams()
    await patient.stop()
  }
})

test('a change that was made is reported, and one that cannot be reported is not made', { timeout: 60_000 }, async () => {
  // A user has half a megabyte of unread responses. Each save responds with 300 KB.
  const narrow = await startEdge({ DATABASE_URL: database.edgeUrl, EXTRACT_WORKERS: '0', RESPONSE_BYTES_IN_FLIGHT: '2097152' })
  const url = narrow.url
  const deaf = []
  try {
    const session = await newSession(member, { context: { text: 'x'.repeat(300_000) } }, { url })
    const path = `/api/sessions/${stage.session.id}/pack`
    const body = JSON.stringify({ max_tokens: 1_000_000 })
    const large = () => post(path, JSON.parse(body), { as: member, url })
    const unread = async () => {
      const client = await RawClient.open(url)
      client.socket.pause()
      deaf.push(client)
      await client.head('POST', path, { authorization: `Bearer ${member.token}`, 'content-type': 'application/json', 'content-length': String(body.length) })
      await client.send(body)
    }
    await unread()
    await until('the share of the user in use', async () => (await large()).status === 429)
    const save = (n) => post(`/api/sessions/${session.id}/context`, { metadata: { n } }, { as: member, url })
    const alone = await save(0)
    assert.equal(alone.status, 200, alone.text)
    const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => save(n + 1)))
    for (const answer of answers.filter(({ status }) => status !== 200)) {
      assertError(answer, 429, 'PT429')
      assert.match(answer.json.details, /RESPONSE_BYTES_IN_FLIGHT/)
    }
    assert.equal((await large()).status, 429, 'the share is still in use')
    const { version } = (await get(`/api/sessions/${session.id}/context/versions?limit=1`, { as: member, url })).json.versions[0]
    assert.equal(version, 2 + answers.filter(({ status }) => status === 200).length)
    assert.equal((await post(`/api/sessions/${stage.theirs.id}/context`, { metadata: {} }, { as: stranger, url })).status, 200)
  } finally {
    deaf.forEach((client) => client.close())
    await narrow.stop()
  }
})

test('a user who does not read the reports of changes makes no more of them', { timeout: 60_000 }, async () => {
  const narrow = await startEdge({ DATABASE_URL: database.edgeUrl, EXTRACT_WORKERS: '0', RESPONSE_BYTES_IN_FLIGHT: '2097152' })
  const url = narrow.url
  const deaf = []
  try {
    const sessions = []
    for (let n = 0; n < 12; n += 1) sessions.push(await newSession(member, { context: { text: '"'.repeat(900_000) } }, { url }))
    const saveAll = { items: sessions.map(({ id }) => ({ session_id: id, context_metadata: { seen: true } })) }
    const many = await post('/api/contexts', saveAll, { as: member, url })
    assert.equal(many.status, 200, many.text)
    assert.ok(many.bytes.length < 100_000, `${many.bytes.length} bytes`)
    assert.deepEqual(many.json.contexts.map(({ session_id, version, text_context }) => [session_id, version, text_context]),
      sessions.map(({ id }) => [id, 2, undefined]), 'ten megabytes of text are not returned')
    const few = await post('/api/contexts', { items: saveAll.items.slice(0, 2) }, { as: member, url })
    assert.deepEqual(few.json.contexts.map(({ text_context }) => text_context.length), [900_000, 900_000])

    // Four of them, with each quotation mark escaped, are more than the kernel buffers.
    const body = JSON.stringify({ items: saveAll.items.slice(0, 4) })
    const refused = await until('a refusal', async () => {
      const client = await RawClient.open(url)
      client.socket.pause()
      deaf.push(client)
      await client.head('POST', '/api/contexts', { authorization: `Bearer ${member.token}`, 'content-type': 'application/json', 'content-length': String(body.length) })
      await client.send(body)
      const small = await post(`/api/sessions/${sessions[11].id}/context`, { metadata: {} }, { as: member, url })
      return small.status === 429 ? small : null
    })
    assertError(refused, 429, 'PT429')
    assert.match(refused.json.details, /RESPONSE_BYTES_IN_FLIGHT/)
    assert.equal((await post(`/api/sessions/${stage.theirs.id}/context`, { metadata: {} }, { as: stranger, url })).status, 200)
    deaf.forEach((client) => client.socket.resume())
    await until('room again once they are read', async () => (await post(`/api/sessions/${sessions[11].id}/context`, { metadata: {} }, { as: member, url })).status === 200)
  } finally {
    deaf.forEach((client) => client.close())
    await narrow.stop()
  }
})

test('requests that wait for their clients make room for others', { timeout: 60_000 }, async () => {
  // Nothing but a new connection ends a request here.
  const crowded = await startEdge({
    DATABASE_URL: database.edgeUrl, EXTRACT_WORKERS: '0', MAX_CONNECTIONS: '60', CONNECTIONS_PER_ADDRESS: '60', BODY_GRACE_SECONDS: '300',
  })
  const { clients, stop } = await trickle(crowded.url, 80, slowForm(member), (n) => `127.0.0.${20 + n % 2}`)
  const others = []
  try {
    await until('every place taken', () => clients.filter(({ ended }) => ended).length >= 20)
    for (let n = 0; n < 10; n += 1) {
      const client = await RawClient.open(crowded.url, { from: `127.0.0.${30 + n}` })
      others.push(client)
      await client.head('GET', '/api/sessions', { authorization: `Bearer ${stranger.token}` })
      assert.equal((await client.response()).status, 200)
    }
    assert.ok(others.every(({ ended }) => !ended), 'none of them had to go')
    assert.ok(clients.every(({ received }) => received.length === 0), 'nobody was refused')
    await work({ ...stage, url: crowded.url }, Promise.resolve())
  } finally {
    stop()
    await crowded.stop()
  }
})

test('a queue has an end, and it is the end of one user', { timeout: 60_000 }, async () => {
  const narrow = await startEdge({
    DATABASE_URL: database.edgeUrl, EXTRACT_WORKERS: '0', DATABASE_POOL_SIZE: '2', DATABASE_USER_CONNECTIONS: '1', DATABASE_WAITING_PER_USER: '5',
  })
  try {
    const list = (as) => get('/api/sessions', { as, url: narrow.url })
    const [mine, theirs] = await Promise.all([
      Promise.all(Array.from({ length: 60 }, () => list(member))), Promise.all(Array.from({ length: 5 }, () => list(stranger))),
    ])
    assert.ok(theirs.every(({ status }) => status === 200))
    const refused = mine.filter(({ status }) => status !== 200)
    assert.ok(refused.length > 0 && refused.length < 60, `${refused.length} of 60`)
    assertError(refused[0], 429, 'PT429')
  } finally {
    await narrow.stop()
  }
})

test('the shares count those of an organization together', { timeout: 60_000 }, async () => {
  const narrow = await startEdge({
    DATABASE_URL: database.edgeUrl, EXTRACT_WORKERS: '0', UPLOAD_USER_CONCURRENCY: '2', UPLOAD_ORGANIZATION_CONCURRENCY: '1',
  })
  const clients = []
  try {
    const session = await newSession(member, {}, { url: narrow.url })
    const open = async (as, id) => {
      const body = `--b\r\ncontent-disposition: form-data; name="session_id"\r\n\r\n${id}\r\n--b\r\ncontent-disposition: form-data; name="f"; filename="f.txt"\r\n\r\nab`
      const client = await RawClient.open(narrow.url)
      clients.push(client)
      await client.head('POST', '/api/documents', {
        authorization: `Bearer ${as.token}`, 'content-type': 'multipart/form-data; boundary=b', 'content-length': '100000',
      })
      await client.send(body)
    }
    await open(member, session.id)
    const file = { name: 'second.txt', bytes: 'second', media_type: 'text/plain' }
    const answer = await until('the place taken', async () => {
      const second = await upload(member, session.id, [file], { url: narrow.url })
      return second.status === 201 ? null : second
    })
    assertError(answer, 429, 'PT429', { perFile: true })
    assert.match(answer.json.details, /UPLOAD_ORGANIZATION_CONCURRENCY/)
    assert.ok(Number(answer.headers.get('retry-after')) >= 1)
    assert.equal((await upload(stranger, stage.theirs.id, [file], { url: narrow.url })).status, 201, 'another organization')
  } finally {
    clients.forEach((client) => client.close())
    await narrow.stop()
  }
})

test('a place is not held before the first byte of the file', { timeout: 60_000 }, async () => {
  const narrow = await startEdge({ DATABASE_URL: database.edgeUrl, EXTRACT_WORKERS: '0', UPLOAD_CONCURRENCY: '1' })
  const client = await RawClient.open(narrow.url)
  try {
    const waiting = await newSession(member, {}, { url: narrow.url })
    await client.head('POST', '/api/documents', {
      authorization: `Bearer ${member.token}`, 'content-type': 'multipart/form-data; boundary=b', 'content-length': '100000',
    })
    await client.send(`--b\r\ncontent-disposition: form-data; name="session_id"\r\n\r\n${waiting.id}\r\n--b\r\ncontent-disposition: form-data; name="f"; filename="f.txt"\r\n\r\n`)
    await until('the upload begun', () => value(`select count(*)::int from dossier.documents where session_id = '${waiting.id}' and status = 'uploading'`, inDatabase()))
    const file = { name: 'x.txt', bytes: 'x', media_type: 'text/plain' }
    assert.equal((await upload(stranger, stage.theirs.id, [file], { url: narrow.url })).status, 201)
  } finally {
    client.close()
    await narrow.stop()
  }
})

test('repeated lengths are refused, and chunks count', async () => {
  for (const lengths of ['content-length: 5\r\ncontent-length: 5', 'content-length: 5, 5', 'content-length: 5\r\ncontent-length: 99999999999']) {
    const client = await RawClient.open(edge.url)
    await client.send(`POST /api/sessions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${member.token}\r\n${lengths}\r\n\r\n{"a":`)
    assert.equal((await client.response()).status, 400, lengths)
    client.close()
  }
  const body = new ReadableStream({
    start(controller) {
      for (let n = 0; n < 17; n += 1) controller.enqueue(new Uint8Array(1 << 20).fill(0x20))
      controller.close()
    },
  })
  const response = await fetch(`${edge.url}/api/import?organization_id=${globex}`, {
    method: 'POST', body, duplex: 'half', headers: { authorization: `Bearer ${stranger.token}`, 'content-type': 'application/json' },
  })
  assert.equal(response.status, 413)
  const json = await response.json()
  assert.deepEqual([json.code, /REQUEST_MAX_BYTES/.test(json.details)], ['PT413', true])
})

test('the right to import is checked before the body is read', async () => {
  assertError(await call('POST', `/api/import?organization_id=${globex}`, {
    as: member, url: edge.url, body: '{"format": "dossier"', headers: { 'content-type': 'application/json' },
  }), 404, 'PT404')
  assert.equal((await post('/api/sessions', { title: 'still works', organization_id: globex }, { as: stranger, url: edge.url })).status, 201)
})
