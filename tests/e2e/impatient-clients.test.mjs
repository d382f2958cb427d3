// Clients that disconnect while the database works for them: the next request does not wait behind their statements.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { get, newSession } from './lib/api.mjs'
import { newDatabase, withName } from './lib/database.mjs'
import { startEdge } from './lib/edge.mjs'
import { databaseUrl } from './lib/env.mjs'
import { RawClient, until } from './lib/net.mjs'
import { member } from './lib/people.mjs'
import { psql, rows, value } from './lib/psql.mjs'
import './lib/cleanup.mjs'

const POOL = 3
const name = `dossier_e2e_impatient_${process.pid}`
let database
let edge

before(async () => {
  database = await newDatabase({ native: false, name })
  // Longer than the test: nothing but a cancel ends a statement that waits for a lock.
  edge = await startEdge({
    DATABASE_URL: database.edgeUrl, DATABASE_POOL_SIZE: String(POOL), DATABASE_USER_CONNECTIONS: String(POOL), DATABASE_ORGANIZATION_CONNECTIONS: String(POOL),
    DATABASE_WAIT_SECONDS: '30', STATEMENT_TIMEOUT_SECONDS: '300', EXTRACT_WORKERS: '0',
  })
})
after(async () => {
  await edge?.stop()
  await database?.drop()
})

// As the superuser, who sees what other roles wait for.
const inDatabase = () => ({ url: withName(databaseUrl, name) })
const backends = () => rows(`select pid, wait_event_type from pg_stat_activity
  where application_name = 'dossier-edge' and datname = current_database() and query not ilike 'listen%'`, inDatabase())
const waiting = async () => (await backends()).filter((backend) => backend.wait_event_type === 'Lock').length

/** Locks the contexts until the returned function is called. */
async function lockContexts() {
  const locking = psql(`set application_name = 'locker'; begin; lock table dossier.session_context in access exclusive mode;
    select pg_sleep(600)`, inDatabase()).catch(() => {})
  const locker = "application_name = 'locker' and datname = current_database()"
  await until('the contexts locked', () => value(`select count(*)::int from pg_locks
    where relation = 'dossier.session_context'::regclass and mode = 'AccessExclusiveLock' and granted`, inDatabase()))
  return async () => {
    await psql(`select pg_terminate_backend(pid) from pg_stat_activity where ${locker}`, inDatabase())
    await locking
  }
}

test('requests find a free connection although clients have abandoned slow ones', { timeout: 60_000 }, async () => {
  const session = await newSession(member, {}, { url: edge.url })
  const unlock = await lockContexts()
  try {
    for (let round = 1; round <= 3; round += 1) {
      const clients = await Promise.all(Array.from({ length: POOL }, async () => {
        const client = await RawClient.open(edge.url)
        await client.head('GET', `/api/sessions/${session.id}/context`, { authorization: `Bearer ${member.token}` })
        return client
      }))
      await until('every connection waiting for the lock', async () => (await waiting()) === POOL)
      clients.forEach((client) => client.vanish())
      // The lock is still held.
      const listed = await get(`/api/documents?session_id=${session.id}`, { as: member, url: edge.url })
      assert.equal(listed.status, 200, listed.text)
      await until('no statement left behind', async () => (await waiting()) === 0)
      assert.ok((await backends()).length <= POOL, 'no more connections than the pool has')
    }
  } finally {
    await unlock()
  }
})
