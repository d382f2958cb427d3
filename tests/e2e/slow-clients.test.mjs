// Two hundred clients that send five kilobytes per second, and a pool of two connections: nobody starves.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { get, multipart, newSession, unique, uploaded } from './lib/api.mjs'
import { startEdge } from './lib/edge.mjs'
import { fixture } from './lib/fixtures.mjs'
import { RawClient, until } from './lib/net.mjs'
import { member } from './lib/people.mjs'
import { literal, value } from './lib/psql.mjs'
import './lib/cleanup.mjs'

const CLIENTS = 200
const BYTES_PER_SECOND = 5_000
let edge

before(async () => { edge = await startEdge({ DATABASE_POOL_SIZE: '2', EXTRACT_WORKERS: '0', UPLOAD_USER_CONCURRENCY: '256', CONNECTIONS_PER_ADDRESS: '1024' }) })
after(() => edge?.stop())

test('clients that do not read their response block nobody else', { timeout: 60_000 }, async () => {
  const session = await newSession(member, {}, { url: edge.url })
  const document = await uploaded(member, session.id, fixture('10mib.pdf'), { url: edge.url })
  const clients = await Promise.all(Array.from({ length: 50 }, async () => {
    const client = await RawClient.open(edge.url)
    client.socket.pause()
    await client.head('GET', `/api/documents/${document.id}/content`, { authorization: `Bearer ${member.token}` })
    return client
  }))
  for (let turn = 0; turn < 20; turn += 1) {
    const listed = await get(`/api/documents?session_id=${session.id}`, { as: member, url: edge.url })
    assert.equal(listed.status, 200, listed.text)
  }
  const another = await uploaded(member, session.id, { ...fixture('notes.txt'), name: unique('meanwhile.txt') }, { url: edge.url })
  assert.equal(another.status, 'stored')
  // A client that continues to read receives everything.
  const [patient] = clients
  patient.socket.resume()
  const response = await patient.response(30)
  assert.equal(response.status, 200)
  assert.equal(Number(response.headers['content-length']), document.size_bytes)
})

/** A client that slowly sends a file of 1 MB, until it is stopped. */
async function slowClient(sessionId, name) {
  const { body, type } = multipart([
    { name: 'session_id', content: sessionId },
    { name: 'files', filename: name, type: 'text/plain', content: Buffer.alloc(1_000_000, 'slow ') },
  ])
  const client = await RawClient.open(edge.url)
  await client.head('POST', '/api/documents', {
    authorization: `Bearer ${member.token}`, 'content-type': type, 'content-length': String(body.length),
  })
  let at = 600
  await client.send(body.subarray(0, at))
  const drip = setInterval(() => {
    const next = Math.min(at + BYTES_PER_SECOND / 5, body.length - 1)
    client.send(body.subarray(at, next))
    at = next
  }, 200)
  return { client, stop: () => { clearInterval(drip); client.vanish() } }
}

test('others upload at full speed and list meanwhile', { timeout: 120_000 }, async () => {
  const session = await newSession(member, {}, { url: edge.url })
  const name = unique('slow.txt')
  const slow = await Promise.all(Array.from({ length: CLIENTS }, () => slowClient(session.id, name)))
  try {
    const begun = () => value(`select count(*)::int from dossier.documents where name = ${literal(name)} and status = 'uploading'`)
    await until('all slow uploads begun', async () => (await begun()) === CLIENTS, { seconds: 40 })

    const file = fixture('10mib.pdf')
    const deadline = Date.now() + 8_000
    const counts = { uploads: 0, lists: 0 }
    const uploading = async () => {
      while (Date.now() < deadline) {
        const document = await uploaded(member, session.id, file, { url: edge.url })
        assert.equal(document.status, 'stored')
        counts.uploads += 1
      }
    }
    const listing = async () => {
      while (Date.now() < deadline) {
        const response = await get(`/api/documents?session_id=${session.id}&limit=20`, { as: member, url: edge.url })
        assert.equal(response.status, 200, response.text)
        counts.lists += 1
      }
    }
    await Promise.all([uploading(), uploading(), listing(), listing(), listing(), listing()])
    assert.ok(counts.uploads >= 2 && counts.lists >= 4, JSON.stringify(counts))

    assert.equal(await begun(), CLIENTS, 'every slow upload is still under way')
    assert.ok(slow.every(({ client }) => client.received.length === 0 && !client.ended), 'no slow client was turned away')
    const connections = await value(`select count(*)::int from pg_stat_activity where state like 'idle in transaction%'
      and state_change < now() - interval '2 seconds' and application_name = 'dossier-edge'`)
    assert.equal(connections, 0, 'no slow client holds a transaction')
  } finally {
    for (const client of slow) client.stop()
  }
  await until('nothing left of the slow uploads', async () =>
    (await value(`select count(*)::int from dossier.documents where name = ${literal(name)}`)) === 0, { seconds: 40 })
})
