// 1,000 idle event streams: the memory of the edge and its database connections, and how long until all of them have heard of a change.

import { readFileSync } from 'node:fs'
import { onOwnStack } from './lib/bench.mjs'
import { call, newSession } from '../tests/e2e/lib/api.mjs'
import { RawClient, until } from '../tests/e2e/lib/net.mjs'
import { member } from '../tests/e2e/lib/people.mjs'
import { value } from '../tests/e2e/lib/psql.mjs'

const streams = Number(process.env.BENCH_STREAMS ?? 1000)
const memory = (pid) => Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+) kB/)[1]) / 1024

console.log(`${streams} idle event streams`)
await onOwnStack({ CONNECTIONS_PER_ADDRESS: '0', EXTRACT_WORKERS: '0', EVENT_STREAMS_PER_USER: String(streams), EVENT_STREAMS: String(streams) }, async ({ database, edge, session }) => {
  const others = await Promise.all(Array.from({ length: 99 }, () => newSession(member, {}, { url: edge.url })))
  const sessions = [session, ...others]
  const before = memory(edge.pid)
  const clients = await Promise.all(Array.from({ length: streams }, async (_, n) => {
    const client = await RawClient.open(edge.url)
    await client.head('GET', `/api/sessions/${sessions[n % sessions.length].id}/events`, { authorization: `Bearer ${member.token}` })
    return client
  }))
  const have = (text) => clients.every((client) => client.received.includes(text))
  await until('all streams', () => have('event: session'), { seconds: 60 })
  const after = memory(edge.pid)
  const connections = await value("select count(*)::int from pg_stat_activity where datname = current_database() and application_name = 'dossier-edge'", { url: database.url })
  const started = performance.now()
  for (const each of sessions) await call('PATCH', `/api/sessions/${each.id}`, { as: member, url: edge.url, json: { title: 'Heard' } })
  await until('all to hear', () => have('"Heard"'), { seconds: 60, every: 5 })
  const heard = performance.now() - started
  console.log(`  memory (VmRSS): ${before.toFixed(1)} MiB before, ${after.toFixed(1)} with the streams: ${((after - before) * 1024 / streams).toFixed(1)} KiB each; ${memory(edge.pid).toFixed(1)} after a change in each session`)
  console.log(`  database connections: ${connections}; from 100 changes, one after the other, until the last stream has heard: ${heard.toFixed(0)} ms`)
  for (const client of clients) client.close()
})
