// Requests byte by byte, to the paths of the stack. One table lists those that the edge refuses, because servers do not agree
// about them. The other lists those that it passes on, with what the servers behind it saw: Node, and nginx and HAProxy, which
// ./dev test installs.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startEdge } from './lib/edge.mjs'
import { RawClient } from './lib/net.mjs'
import { parseReport, startServers } from './lib/servers.mjs'
import './lib/cleanup.mjs'

let servers
const edges = {}

before(async () => {
  servers = await startServers()
  for (const [name, { url }] of Object.entries(servers)) edges[name] = await startEdge({ SUPABASE_URL: url, EXTRACT_WORKERS: '0' })
})
after(async () => {
  for (const edge of Object.values(edges)) await edge.stop()
  for (const server of Object.values(servers ?? {})) await server.stop()
})

const GET = (target, { version = '1.1', headers = ['host: edge.example'] } = {}) =>
  `GET ${target} HTTP/${version}\r\n${headers.map((header) => `${header}\r\n`).join('')}connection: close\r\n\r\n`
const POST = (headers, body, { version = '1.1' } = {}) =>
  `POST /rest/v1/things HTTP/${version}\r\nhost: edge.example\r\nconnection: close\r\n${headers.map((header) => `${header}\r\n`).join('')}\r\n${body}`

/** Sends exactly these bytes; returns everything that comes back until the edge closes the connection. */
async function answer(url, bytes) {
  const client = await RawClient.open(url)
  await client.send(Buffer.from(bytes, 'latin1'))
  const response = await client.response().catch((error) => ({ status: 0, text: error.message }))
  client.close()
  return response
}

const refused = [
  // Paths that another server may read as another path.
  [GET('/rest/v1/../../pg/tables'), 400],
  [GET('/rest/v1/..'), 400],
  [GET('/rest/v1/./things'), 400],
  [GET('/rest/v1/%2e%2e/%2e%2e/mcp'), 400],
  [GET('/rest/v1/.%2e/.%2E/mcp'), 400],
  [GET('/rest/v1/..%2f..%2fmcp'), 400],
  [GET('/rest/v1/%252e%252e/%252e%252e/mcp'), 400],
  [GET('/rest/v1/%25252e%25252e%25252fmcp'), 400],
  [GET('/rest/v1/..;/x'), 400],
  [GET('/rest/v1/..;a=b/x'), 400],
  [GET('/rest/v1/..%3bx/x'), 400],
  [GET('/rest/v1/..%5cmcp'), 400],
  [GET('/rest/v1/..%20/x'), 400],
  [GET('/rest/v1/a\\b'), 400],
  [GET('/rest/v1\\..\\..\\mcp'), 404],
  [GET('/rest/v1/%c0%ae%c0%ae/x'), 400],
  [GET('/rest/v1/a%00b'), 400],
  [GET('/rest/v1/a%0d%0ax-app:%201'), 400],
  [GET('/rest/v1/100%'), 400],
  [GET('/rest/v1/a%zz'), 400],
  [GET('/rest/v1/x#/../y'), 400],
  [GET('http://edge.example/rest/v1/../mcp'), 400],
  // Paths of no service.
  [GET('/auth/v1/../admin/v1'), 400],
  [GET('/api/../rest/v1/x'), 404],
  [GET('//rest/v1/x'), 404],
  [GET('/rest%2fv1/x'), 404],
  [GET('/REST/v1/x'), 404],
  [GET('/rest/v1;x/things'), 404],
  [GET('/pg/tables'), 404],
  [GET('*'), 404],
  // Bodies that two servers may end at different places.
  [POST(['content-length: 5', 'transfer-encoding: chunked'], '0\r\n\r\n'), 400],
  [POST(['transfer-encoding: chunked', 'content-length: 5'], '0\r\n\r\n'), 400],
  [POST(['content-length: 5', 'content-length: 5'], 'hello'), 400],
  [POST(['content-length: 5', 'content-length: 6'], 'hello!'), 400],
  [POST(['content-length: 5, 5'], 'hello'), 400],
  [POST(['content-length: +5'], 'hello'), 400],
  [POST(['content-length: 0x5'], 'hello'), 400],
  [POST(['content-length: -1'], 'hello'), 400],
  [POST(['transfer-encoding: gzip, chunked'], '0\r\n\r\n'), 501],
  [POST(['transfer-encoding: chunked', 'transfer-encoding: chunked'], '0\r\n\r\n'), 501],
  [POST(['transfer-encoding: chunked, identity'], '0\r\n\r\n'), 400],
  [POST(['transfer-encoding: xchunked'], '0\r\n\r\n'), 400],
  [POST(['transfer-encoding : chunked'], '0\r\n\r\n'), 400],
  [POST(['transfer-encoding: chunked'], '0\r\n\r\n', { version: '1.0' }), 400],
  [POST(['transfer-encoding: chunked'], 'zz\r\n\r\n'), 400],
  [POST(['transfer-encoding: chunked'], '-5\r\nhello\r\n0\r\n\r\n'), 400],
  [POST(['transfer-encoding: chunked'], '5\r\nhelloxx0\r\n\r\n'), 400],
  // Headers.
  [GET('/rest/v1/x', { headers: [] }), 400],
  [GET('/rest/v1/x', { headers: ['host: edge.example', 'host: other.example'] }), 400],
  [GET('/rest/v1/x', { headers: ['host: user@edge.example'] }), 400],
  [GET('http://other.example/rest/v1/x'), 400],
  [GET('/rest/v1/x', { headers: ['host: edge.example', 'x-app: one', ' two'] }), 400],
  [GET('/rest/v1/x', { headers: ['host: edge.example', 'bad header'] }), 400],
  [GET('/rest/v1/x', { headers: ['host: edge.example', 'x-app: a\0b'] }), 400],
  [GET('/rest/v1/x', { headers: ['host: edge.example', 'connection: x-forwarded-for'] }), 400],
  ['CONNECT db.example:5432 HTTP/1.1\r\nhost: db.example:5432\r\n\r\n', 405],
  ['GET /rest/v1/x HTTP/9.9\r\nhost: edge.example\r\n\r\n', 400],
]

test('what servers may read differently is refused, and reaches none', async () => {
  const wrong = []
  for (const [bytes, status] of refused) {
    const seen = servers.node.count()
    const response = await answer(edges.node.url, bytes)
    if (response.status !== status) wrong.push(`${JSON.stringify(bytes)}: ${response.status}, not ${status}`)
    if (servers.node.count() > seen && !bytes.includes('chunked')) wrong.push(`${JSON.stringify(bytes)} reached the stack`)
  }
  assert.deepEqual(wrong, [])
})

/** [request, target that every server sees, path as nginx and HAProxy decode it] */
const passed = [
  [GET('/rest/v1/things?select=a%20b&x=../..&y=%2e%2e'), '/rest/v1/things?select=a%20b&x=../..&y=%2e%2e', '/rest/v1/things'],
  [GET('/rest/v1'), '/rest/v1', '/rest/v1'],
  [GET('/storage/v1/object/b/a;b=c.txt'), '/storage/v1/object/b/a;b=c.txt', '/storage/v1/object/b/a;b=c.txt'],
  [GET('/storage/v1/object/b/.../..a/a../.hidden'), '/storage/v1/object/b/.../..a/a../.hidden', '/storage/v1/object/b/.../..a/a../.hidden'],
  [GET('/storage/v1/object/b/100%25.txt'), '/storage/v1/object/b/100%25.txt', '/storage/v1/object/b/100%.txt'],
  [GET('/storage/v1/object/b/a%2Fb'), '/storage/v1/object/b/a%2Fb', '/storage/v1/object/b/a/b'],
  [GET('/storage/v1/object/b//double.txt'), '/storage/v1/object/b//double.txt', { nginx: '/storage/v1/object/b/double.txt', haproxy: '/storage/v1/object/b//double.txt' }],
  [GET('/functions/v1/fn/https%3A%2F%2Fexample.com'), '/functions/v1/fn/https%3A%2F%2Fexample.com',
    { nginx: '/functions/v1/fn/https:/example.com', haproxy: '/functions/v1/fn/https://example.com' }],
  [GET('http://edge.example/rest/v1/things?x=1'), '/rest/v1/things?x=1', '/rest/v1/things'],
  [GET('/rest/v1/a b'), '/rest/v1/a%20b', '/rest/v1/a b'],
  [GET('/rest/v1/old', { version: '1.0' }), '/rest/v1/old', '/rest/v1/old'],
  [GET('/rest/v1/old', { version: '1.0', headers: [] }), '/rest/v1/old', '/rest/v1/old'],
  [POST(['content-length: 5'], 'hello'), '/rest/v1/things', '/rest/v1/things', { length: '5' }],
  [POST(['content-length: 0'], ''), '/rest/v1/things', '/rest/v1/things', { length: '0' }],
  [POST(['transfer-encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n'), '/rest/v1/things', '/rest/v1/things', { encoding: 'chunked' }],
  [POST(['Transfer-Encoding: Chunked'], '5;ext=1\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n'), '/rest/v1/things', '/rest/v1/things', { encoding: 'chunked' }],
  ['GET /rest/v1/things HTTP/1.1\nhost: edge.example\nconnection: close\n\n', '/rest/v1/things', '/rest/v1/things'],
]

test('everything else arrives as it was sent, and every server reads it as a path of the same service', async () => {
  const wrong = []
  for (const [name, edge] of Object.entries(edges)) {
    for (const [bytes, target, path, { length = '', encoding = '' } = {}] of passed) {
      const { status, text } = await answer(edge.url, bytes)
      const seen = parseReport(text)
      const decoded = typeof path === 'string' ? path : path[name]
      // Node does not decode the path.
      const expected = { method: bytes.split(' ')[0], target, path: name === 'node' ? target.split('?')[0] : decoded, length, encoding }
      if (status !== 200 || JSON.stringify(seen) !== JSON.stringify(expected)) {
        wrong.push(`${name}: ${JSON.stringify(bytes)}: ${status} ${text}`)
      }
    }
  }
  assert.deepEqual(wrong, [])
})

test('the response to HTTP/1.0 has no chunks', async () => {
  const client = await RawClient.open(edges.node.url)
  await client.send(Buffer.from('GET /rest/v1/chunked HTTP/1.0\r\nhost: edge.example\r\nconnection: keep-alive\r\n\r\n'))
  const response = await client.response()
  assert.equal(response.status, 200)
  assert.ok(!('transfer-encoding' in response.headers))
  assert.match(response.text, /^GET \| \/rest\/v1\/chunked \|/)
})
