// One tenant attacks while another works: every attack is refused with its code, and no request of the other fails. How much
// slower they become is printed here and judged by bench/attack.mjs.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { assertError, call, get, newSession, post, upload } from './lib/api.mjs'
import { attacks, limits, p95, prepare, work } from './lib/attacks.mjs'
import { newDatabase, withName } from './lib/database.mjs'
import { startEdge } from './lib/edge.mjs'
import { databaseUrl } from './lib/env.mjs'
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
  stage = await prepare(edge.url)
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
const inDatabase = () => ({ url: withName(databaseUrl, name) })

test('statements that wait for a lock leave connections to others', { timeout: 60_000 }, async (t) => {
  const session = stage.session.id
  const locking = psql(`set application_name = 'locker'; begin; select from dossier.session_context where session_id = '${session}' for update;
    select pg_sleep(60)`, inDatabase()).catch(() => {})
  await until('the context locked', () => value("select count(*)::int from pg_stat_activity where application_name = 'locker' and query ~ 'pg_sleep'", inDatabase()))
  try {
    const saves = Array.from({ length: 24 }, (_, n) => RawClient.open(edge.url).then(async (client) => {
      const body = JSON.stringify({ metadata: { n } })
      await client.head('POST', `/api/sessions/${session}/context`, {
        authorization: `Bearer ${member.token}`, 'content-type': 'application/json', 'content-length': String(body.length),
      })
      await client.send(body)
      return client
    }))
    const clients = await Promise.all(saves)
    const waiting = () => value("select count(*)::int from pg_stat_activity where application_name = 'dossier-edge' and wait_event_type = 'Lock'", inDatabase())
    await until('the share of the user in use', async () => (await waiting()) === 4)
    const over = []
    clients.forEach((client) => client.response(40).then((answer) => over.push(answer), () => {}))
    const refused = until('the others of the user have waited long enough', () => over.length >= 20, { seconds: 40 })
    const [times] = await Promise.all([work(stage, refused), refused])
    t.diagnostic(`p95 of the others: ${p95(times).toFixed(0)} ms, at rest ${atRest.toFixed(0)} ms`)
    assert.equal(await waiting(), 4, 'half of eight connections')
    assert.equal(over.length, 20)
    for (const answer of over) {
      assertError(answer, 429, 'PT429')
      assert.match(answer.json.details, /DATABASE_USER_CONNECTIONS/)
      assert.ok(Number(answer.headers['retry-after']) >= 1)
    }
    clients.forEach((client) => client.close())
  } finally {
    await psql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'locker'", inDatabase())
    await locking
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
