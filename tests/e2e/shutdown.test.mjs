// A stopping edge finishes the requests it has, and accepts no new ones.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { multipart, newSession, unique } from './lib/api.mjs'
import { startEdge } from './lib/edge.mjs'
import { RawClient, until } from './lib/net.mjs'
import { member } from './lib/people.mjs'
import { leftOf } from './lib/psql.mjs'
import './lib/cleanup.mjs'

const MIB = 1024 * 1024

/** An upload of 4 MiB, half of which has arrived. */
async function halfWay(edge, name) {
  const session = await newSession(member, {}, { url: edge.url })
  const { body, type } = multipart([
    { name: 'session_id', content: session.id },
    { name: 'files', filename: name, type: 'text/plain', content: Buffer.alloc(4 * MIB, 'word ') },
  ])
  const client = await RawClient.open(edge.url)
  await client.head('POST', '/api/documents', {
    authorization: `Bearer ${member.token}`, 'content-type': type, 'content-length': String(body.length),
  })
  await client.send(body.subarray(0, 2 * MIB))
  await until('half of it in the database', async () => (await leftOf(name)).chunks > 4)
  return { client, rest: body.subarray(2 * MIB) }
}

test('an upload in flight is finished before the edge ends', async () => {
  const edge = await startEdge({ EXTRACT_WORKERS: '0', SHUTDOWN_GRACE_SECONDS: '20' })
  const name = unique('shutdown.txt')
  const { client, rest } = await halfWay(edge, name)
  edge.signal('SIGTERM')
  await until('no new connections', () => fetch(`${edge.url}/readyz`).then((response) => !response.ok, () => true))
  assert.ok(edge.running(), 'it waits for the upload')
  await client.send(rest)
  const response = await client.response()
  assert.equal(response.status, 201, response.text)
  assert.equal(response.json.documents[0].status, 'stored')
  client.close()
  const { code } = await edge.ended
  assert.equal(code, 0, edge.log().slice(-2000))
  assert.equal((await leftOf(name)).documents, 1)
})

test('a stalled upload is dropped after the grace period, and nothing remains', { timeout: 60_000 }, async () => {
  const edge = await startEdge({ EXTRACT_WORKERS: '0', SHUTDOWN_GRACE_SECONDS: '2' })
  const name = unique('stalled.txt')
  const { client } = await halfWay(edge, name)
  const started = Date.now()
  edge.signal('SIGTERM')
  await edge.ended
  assert.ok(Date.now() - started < 15_000, `${Date.now() - started} ms`)
  client.close()
  const left = await leftOf(name)
  assert.deepEqual(left, { documents: 0, chunks: 0 }, 'given up in order, not left to a sweeper')
})

test('an idle edge ends immediately', async () => {
  const edge = await startEdge({ SHUTDOWN_GRACE_SECONDS: '20' })
  const started = Date.now()
  edge.signal('SIGTERM')
  const { code } = await edge.ended
  assert.equal(code, 0, edge.log().slice(-2000))
  assert.ok(Date.now() - started < 6_000, `${Date.now() - started} ms`)
})
