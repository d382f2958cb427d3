// Pass-through of small requests, against a proxy that only forwards (edge-proxy/examples/bare_pingora.rs). The stack is nginx
// if it is installed, otherwise Node. Budget: 0.95 of its requests per second.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'
import { summary, wholeResponse } from './lib/bench.mjs'
import { startEdge } from '../tests/e2e/lib/edge.mjs'
import { freePort, RawClient, until } from '../tests/e2e/lib/net.mjs'
import { startServers } from '../tests/e2e/lib/servers.mjs'

const CLIENTS = 16
const REQUESTS = 200
const ROUNDS = 15

/** CPU milliseconds of all threads of a process. */
const cpu = (pid) => readdirSync(`/proc/${pid}/task`)
  .reduce((sum, task) => sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1e6, 0)

const request = Buffer.from('GET /rest/v1/things?select=id HTTP/1.1\r\nhost: edge.example\r\nauthorization: Bearer x.y.z\r\naccept: application/json\r\n\r\n')

/** Sends requests over kept connections, one at a time on each; returns requests per second, and CPU per request. */
async function load({ url, pid }) {
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => RawClient.open(url)))
  const before = cpu(pid)
  const started = performance.now()
  await Promise.all(clients.map(async (client) => {
    for (let turn = 0; turn < REQUESTS; turn += 1) {
      client.received = Buffer.alloc(0)
      client.socket.write(request)
      let response
      while (!(response = wholeResponse(client.received))) await once(client.socket, 'data')
      if (!response.startsWith('HTTP/1.1 200 ')) throw new Error(response)
    }
  }))
  const count = CLIENTS * REQUESTS
  const result = { rate: count / ((performance.now() - started) / 1000), cpu: ((cpu(pid) - before) * 1000) / count }
  for (const client of clients) client.close()
  return result
}

const servers = await startServers()
const stack = servers.nginx ?? servers.node
const port = await freePort()
const bare = spawn(process.env.DOSSIER_BENCH_BARE, [`127.0.0.1:${port}`, new URL(stack.url).host], { stdio: 'inherit' })
const edge = await startEdge({ SUPABASE_URL: stack.url, EXTRACT_WORKERS: '0', LOG: 'warn', RATE_LIMIT_PER_MINUTE: '0' })
try {
  const proxies = { 'bare pingora': { url: `http://127.0.0.1:${port}`, pid: bare.pid }, edge }
  await until('the peer', () => fetch(proxies['bare pingora'].url).then(() => true, () => false))
  const results = Object.fromEntries(Object.keys(proxies).map((name) => [name, []]))
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [name, proxy] of Object.entries(proxies)) {
      const result = await load(proxy)
      // The first round warms up.
      if (round > 0) results[name].push(result)
    }
  }
  console.log(`Pass-through, ${CLIENTS} clients (${servers.nginx ? 'nginx' : 'Node'} behind)`)
  const rate = (name) => summary(results[name].map((result) => result.rate)).median
  const used = (name) => summary(results[name].map((result) => result.cpu)).median
  for (const name of Object.keys(proxies)) console.log(`  ${name}: ${rate(name).toFixed(0)} requests/s, ${used(name).toFixed(0)} us of CPU each`)
  console.log(`  ratio: ${(rate('edge') / rate('bare pingora')).toFixed(2)} of its requests per second, ${(used('edge') / used('bare pingora')).toFixed(2)} times its CPU`)
} finally {
  bare.kill()
  await edge.stop()
  for (const server of Object.values(servers)) await server.stop()
}
