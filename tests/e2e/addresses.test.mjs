// A stack whose name has several addresses, of which only one responds.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { assertError, call, get } from './lib/api.mjs'
import { startEdge } from './lib/edge.mjs'
import { listen } from './lib/net.mjs'
import './lib/cleanup.mjs'

/** How this system allows a process to have another /etc/hosts, if it does. */
const namespace = [['unshare', '-m'], ['unshare', '-Urm']].find(([command, flag]) => spawnSync(command, [flag, 'true']).status === 0)
const options = { skip: !namespace && 'this system allows no mount namespace' }
const folder = mkdtempSync(join(tmpdir(), 'dossier-hosts-'))
let stack

before(async () => {
  const server = createServer((request, response) => {
    const hash = createHash('sha256')
    request.on('data', (data) => hash.update(data)).on('end', () => response.end(hash.digest('hex')))
  })
  stack = { server, port: new URL(await listen(server)).port }
})
after(() => {
  stack?.server.closeAllConnections()
  stack?.server.close()
  rmSync(folder, { recursive: true })
})

/** An edge to which `name` has these addresses. */
function edgeWithHosts(name, addresses) {
  const hosts = join(folder, 'hosts')
  writeFileSync(hosts, addresses.map((address) => `${address} ${name}\n`).join(''))
  return startEdge({ SUPABASE_URL: `http://${name}:${stack.port}`, EXTRACT_WORKERS: '0' },
    { through: [...namespace, 'sh', '-c', 'mount --bind "$0" /etc/hosts && exec "$1"', hosts] })
}

for (const [name, dead] of [['stack.test', '127.0.0.2'], ['stack.test', '::1'], ['localhost', '::1']]) {
  test(`every request reaches the address that responds (${name}, not ${dead})`, options, async () => {
    for (const addresses of [[dead, '127.0.0.1'], ['127.0.0.1', dead]]) {
      const edge = await edgeWithHosts(name, addresses)
      try {
        for (let turn = 0; turn < 8; turn += 1) {
          const body = randomBytes(300_000)
          const response = await call('POST', '/storage/v1/object/x', { url: edge.url, body })
          assert.equal(response.status, 200, `request ${turn}: ${response.text}`)
          assert.equal(response.text, createHash('sha256').update(body).digest('hex'), 'nothing of the body is lost')
        }
      } finally {
        await edge.stop()
      }
    }
  })
}

test('if none responds, the error says so', options, async () => {
  const edge = await edgeWithHosts('stack.test', ['127.0.0.2', '127.0.0.3', '::1'])
  try {
    for (let turn = 0; turn < 4; turn += 1) assertError(await get('/rest/v1/x', { url: edge.url }), 502, 'PT502')
  } finally {
    await edge.stop()
  }
})
