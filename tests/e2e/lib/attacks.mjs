// A tenant that tries to occupy everything, and one that goes on with its work meanwhile. Each attack lasts seconds.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { get, multipart, newSession, post, unique, upload, uploaded } from './api.mjs'
import { jwtSecret } from './env.mjs'
import { RawClient, until } from './net.mjs'
import { acme, globex, member, stranger, viewer } from './people.mjs'
import { value } from './psql.mjs'
import { sign } from './token.mjs'
import { zip } from './zip.mjs'

/** Limits as small as the attacks, so that each reaches them within seconds. The shares of connections are the usual ones. */
export const limits = {
  BODY_GRACE_SECONDS: '3',
  BODY_MIN_BYTES_PER_SECOND: '2000',
  CONNECTIONS_PER_ADDRESS: '40',
  DATABASE_WAIT_SECONDS: '5',
  FIRST_BYTE_SECONDS: '4',
  HEAD_SECONDS: '5',
  LINGER_SECONDS: '30',
  MAX_CONNECTIONS: '120',
  RATE_LIMIT_PER_MINUTE: '0',
  REQUEST_MAX_BYTES: '16777216',
  RESPONSE_BYTES_IN_FLIGHT: '8388608',
  UNREAD_SECONDS: '8',
  UPLOAD_CONCURRENCY: '24',
  UPLOAD_USER_CONCURRENCY: '4',
}

/** What both tenants work with. `databaseUrl`: of a superuser, who sees what the edge does. */
export async function prepare(url, databaseUrl) {
  const session = await newSession(member, { context: { text: 'x'.repeat(1_000_000) } }, { url })
  const words = Array.from({ length: 4_000 }, (_, n) => `word${n * 7919 % 4_000}`).join(' ')
  for (let n = 0; n < 5; n += 1) {
    const bytes = Array.from({ length: 40 }, (_, page) => `Report ${n} part ${page}: ${words}\f`).join('\n')
    await uploaded(member, session.id, { name: unique('large.txt'), bytes, media_type: 'text/plain' }, { url, wait: 60 })
  }
  const theirs = await newSession(stranger, { organization_id: globex, context: { text: 'The delivery is on Tuesday.' } }, { url })
  await uploaded(stranger, theirs.id, { name: 'offer.txt', bytes: 'An offer with a delivery penalty.', media_type: 'text/plain' }, { url, wait: 60 })
  return { url, databaseUrl, session, theirs }
}

/** The other tenant at work: uploads, lists, searches and saves until `done` is settled. The time of each request, in ms: of at
 * least as many as `samples`. */
export async function work({ url, theirs }, done, { samples = 40 } = {}) {
  const as = stranger
  let goesOn = true
  done.finally(() => { goesOn = false }).catch(() => {})
  const steps = {
    upload: () => upload(as, theirs.id, [{ name: unique('note.txt'), bytes: 'Call the supplier.', media_type: 'text/plain' }], { url }),
    list: () => get(`/api/documents?session_id=${theirs.id}&limit=20`, { as, url }),
    search: () => get('/api/search?q=delivery', { as, url }),
    save: () => post(`/api/sessions/${theirs.id}/context`, { metadata: { at: Date.now() } }, { as, url }),
  }
  const times = []
  while (goesOn || times.length < samples) {
    for (const [name, step] of Object.entries(steps)) {
      const start = performance.now()
      const response = await step()
      times.push(performance.now() - start)
      assert.ok([200, 201].includes(response.status), `${name}: ${response.status} ${response.text}`)
    }
  }
  return times
}

export const p95 = (times) => times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.95)]

const signed = (person) => ({ authorization: `Bearer ${person.token}` })

/** The responses that clients have received so far, as {status, json}. */
async function responses(clients, seconds = 40) {
  const all = await Promise.all(clients.map((client) => client.response(seconds).catch(() => null)))
  return all.filter(Boolean).map(({ status, headers, json }) => ({ status, headers, json }))
}

/** The largest value that `sql` returns until `done` is settled. */
async function largest({ databaseUrl }, sql, done) {
  let [most, goesOn] = [0, true]
  done.finally(() => { goesOn = false }).catch(() => {})
  while (goesOn) most = Math.max(most, await value(sql, { url: databaseUrl }))
  return most
}

/** Somebody who has signed in, without any organization. */
function newcomer() {
  const sub = randomUUID()
  return { sub, token: sign({ sub, email: `${sub}@nowhere.example`, role: 'authenticated', aud: 'authenticated' }, { secret: jwtSecret }) }
}

/** Another address of this machine for each number. */
const address = (n) => `127.0.${1 + Math.floor(n / 250)}.${1 + n % 250}`

/** Clients that send `request(n)`, from the address `from(n)`, and then a byte at a time. */
export async function trickle(url, count, request, from = () => undefined) {
  const clients = await Promise.all(Array.from({ length: count }, async (_, n) => {
    const client = await RawClient.open(url, { from: from(n) })
    await client.send(typeof request === 'function' ? request(n) : request)
    return client
  }))
  const drip = setInterval(() => clients.forEach((client) => client.send('y')), 200)
  return { clients, stop: () => { clearInterval(drip); clients.forEach((client) => client.close()) } }
}

/** A request whose body is only begun. */
function begun(as, path, type, body) {
  const head = Object.entries({ host: 'x', ...signed(as), 'content-type': type, 'content-length': '1000000' })
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${head.map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n`), Buffer.from(body)])
}

function slowUpload(as, sessionId) {
  const { body, type } = multipart([
    { name: 'session_id', content: sessionId },
    { name: 'files', filename: unique('slow.txt'), type: 'text/plain', content: 'slow' },
  ], { close: false })
  return begun(as, '/api/documents', type, body.subarray(0, -2))
}

/** An upload whose form does not reach its file. */
export const slowForm = (as) => begun(as, '/api/documents', 'multipart/form-data; boundary=b', '--b\r\ncontent-disposition: form-data; name="session_id"\r\n\r\nx')

const slowImport = (as, type) => begun(as, `/api/import?organization_id=${acme}`, type, '{"type": "bundle"')

/** Connections from `address` that say nothing. Whether each is still open is in `open`. */
async function silent(url, address, count) {
  const { hostname, port } = new URL(url)
  const sockets = await Promise.all(Array.from({ length: count }, () => new Promise((done) => {
    const socket = connect({ host: hostname, port: Number(port), localAddress: address })
    socket.state = { open: true, received: '' }
    socket.on('data', (data) => { socket.state.received += data })
    socket.on('close', () => { socket.state.open = false }).on('error', () => {})
    socket.once('connect', () => done(socket)).once('close', () => done(socket))
  })))
  return { states: sockets.map(({ state }) => state), stop: () => sockets.forEach((socket) => socket.destroy()) }
}

/** How many sockets the server at `url` has open to `address`, also those that it has half closed. */
function socketsTo(url, address) {
  const port = Number(new URL(url).port).toString(16).toUpperCase().padStart(4, '0')
  const peer = address.split('.').reverse().map((byte) => Number(byte).toString(16).toUpperCase().padStart(2, '0')).join('')
  const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1).map((line) => line.trim().split(/\s+/))
  // A socket without an inode no longer belongs to a process.
  return lines.filter(([, local, remote, , , , , , , inode]) => local?.endsWith(`:${port}`) && remote.startsWith(`${peer}:`) && inode !== '0').length
}

const count = (answers, status) => answers.filter((answer) => answer.status === status).length
/** Asserts that every answer has one of `statuses`, that refusals have a code, and those that invite a retry a time. */
function assertRefused(answers, statuses) {
  for (const { status, headers, json } of answers) {
    assert.ok(statuses.includes(status), `${status} ${JSON.stringify(json)}`)
    if (status >= 400) assert.equal(json.code, `PT${status}`.replace('PT403', '42501'))
    if (status === 429 || status === 503) {
      const wait = Number(headers.get ? headers.get('retry-after') : headers['retry-after'])
      assert.ok(wait >= 1 && wait <= 60, `Retry-After: ${wait}`)
    }
  }
}

/** Each attack asserts how it is refused. */
export const attacks = {
  async 'packs of a million tokens by a viewer'(stage) {
    const { url, session } = stage
    const pack = () => post(`/api/sessions/${session.id}/pack`, { max_tokens: 1_000_000 }, { as: viewer, url })
    const packed = Promise.all(Array.from({ length: 16 }, pack))
    const running = await largest(stage, "select count(*)::int from pg_stat_activity where application_name = 'dossier-edge' and datname = current_database() and state = 'active' and query ~ 'pack_context'", packed)
    assert.ok(running >= 1 && running <= 2, `${running} at a time, of a share of two of eight connections`)
    const answers = await packed
    assertRefused(answers.map(({ status, headers, text }) => ({ status, headers, json: JSON.parse(text) })), [200, 429])
    assert.ok(count(answers, 200) > 0, 'the share of the viewer is served')
  },

  async 'uploads by somebody who may not upload'({ url, session }) {
    const refused = await trickle(url, 30, slowUpload(viewer, session.id))
    const strangers = await trickle(url, 30, () => slowUpload(newcomer(), session.id), address)
    // More than there are places for uploads, and each with a share of its own.
    const open = await trickle(url, 30, () => slowForm(newcomer()), (n) => address(250 + n))
    try {
      for (const [{ clients }, status] of [[refused, 403], [strangers, 404], [open, 408]]) {
        const answers = await responses(clients)
        assertRefused(answers, [status])
        assert.equal(answers.length, 30, `every one is refused with ${status} while it trickles`)
      }
    } finally { [refused, strangers, open].forEach(({ stop }) => stop()) }
  },

  async 'uploads that trickle'({ url, session }) {
    const { clients, stop } = await trickle(url, 30, slowUpload(member, session.id))
    try {
      const answers = await responses(clients)
      assertRefused(answers, [429, 408])
      assert.equal(answers.length, 30)
      assert.ok(count(answers, 429) >= 1 && count(answers, 408) >= 4, 'four at a time have a place, until they are too slow')
      assert.match(answers.find(({ status }) => status === 429).json.details, /UPLOAD_USER_CONCURRENCY/)
      assert.match(answers.find(({ status }) => status === 408).json.details, /BODY_MIN_BYTES_PER_SECOND/)
    } finally { stop() }
  },

  async 'imports that trickle'({ url }) {
    let slow = 0
    for (const type of ['application/json', 'application/x-ndjson', 'application/zip']) {
      const { clients, stop } = await trickle(url, 10, slowImport(member, type))
      try {
        const answers = await responses(clients)
        assertRefused(answers, [429, 408])
        assert.equal(answers.length, 10, type)
        // Of the next type, places may be taken until the slow imports before have been aborted.
        assert.ok(count(answers, 429) >= 1, type)
        slow += count(answers, 408)
      } finally { stop() }
    }
    assert.ok(slow >= 4, 'four at a time have a place, until they are too slow')
  },

  async 'silent connections'({ url }) {
    const one = await silent(url, '127.0.0.2', 100)
    const many = await Promise.all(Array.from({ length: 3 }, (_, n) => silent(url, `127.0.0.${n + 3}`, 40)))
    try {
      const open = (group) => group.states.filter(({ open }) => open).length
      await until('the oldest of the address closed', () => open(one) <= 40)
      await until('the oldest of all closed', () => open(one) + many.reduce((sum, group) => sum + open(group), 0) <= 120)
      await until('all closed without a first byte', () => open(one) + many.reduce((sum, group) => sum + open(group), 0) === 0)
    } finally { [one, ...many].forEach(({ stop }) => stop()) }
  },

  async 'heads and bodies that trickle from many addresses'({ url }) {
    // A hundred and sixty requests of four addresses, and a hundred and twenty connections.
    const head = 'GET /api/sessions HTTP/1.1\r\nhost: x\r\nx-slow: '
    const body = begun(member, '/api/sessions', 'application/json', '{"title": "')
    for (const [request, last] of [[head, 20], [body, 40]]) {
      const { clients, stop } = await trickle(url, 160, request, (n) => `127.0.0.${last + n % 4}`)
      try {
        await until('the oldest closed for others, and the rest because they were too slow', () => clients.every(({ ended }) => ended))
      } finally { stop() }
    }
  },

  async 'connections that break off and do not close'({ url }) {
    const { hostname, port } = new URL(url)
    const from = '127.0.0.60'
    const sockets = []
    try {
      for (let n = 0; n < 150; n += 1) {
        const socket = connect({ host: hostname, port: Number(port), localAddress: from, allowHalfOpen: true })
        sockets.push(socket.on('error', () => {}).on('data', () => {}))
        const refused = new Promise((done) => socket.once('end', done).once('close', done))
        socket.write('nonsense\r\n\r\n')
        await refused
      }
      const open = socketsTo(url, from)
      assert.ok(open <= 40, `${open} sockets of one address, which may have 40`)
    } finally { sockets.forEach((socket) => socket.destroy()) }
  },

  async 'responses that nobody reads'({ url, session }) {
    // More than the kernel buffers.
    const path = `/api/sessions/${session.id}/pack`
    const body = JSON.stringify({ max_tokens: 1_000_000 })
    const clients = await Promise.all(Array.from({ length: 4 }, async () => {
      const client = await RawClient.open(url)
      client.socket.pause()
      await client.head('POST', path, { ...signed(member), 'content-type': 'application/json', 'content-length': String(body.length) })
      await client.send(body)
      return client
    }))
    try {
      const refused = async () => {
        const answer = await post(path, JSON.parse(body), { as: member, url })
        // Not those that have waited too long for the database.
        return answer.status !== 200 && /RESPONSE_BYTES_IN_FLIGHT/.test(answer.json.details) ? answer : null
      }
      const answer = await until('a refusal', refused, { seconds: 40 })
      assertRefused([{ status: answer.status, headers: answer.headers, json: answer.json }], [429])
      await until('room again once they were cut off', async () => !(await refused()), { seconds: 30 })
      clients.forEach((client) => client.socket.resume())
      const complete = await responses(clients)
      assert.ok(count(complete, 200) < clients.length, 'and the unread responses are not complete')
    } finally { clients.forEach((client) => client.close()) }
  },

  async 'archives with too many records'(stage) {
    const session = { type: 'session', id: 'x', user_id: 'x', title: null, conversation_type: 'meeting', status: 'active', created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z' }
    for (const [record, count] of [['{"type":"page"}', 3_000_000], [JSON.stringify(session), 100_000]]) {
      const records = Buffer.from('{"type":"bundle","format":"dossier","version":1}\n' + `${record}\n`.repeat(count))
      const body = zip([{ name: 'bundle.ndjson', bytes: records }])
      const answered = fetch(`${stage.url}/api/import?organization_id=${acme}`, {
        method: 'POST', body, headers: { ...signed(member), 'content-type': 'application/zip' },
      })
      const staged = await largest(stage, 'select coalesce(max(lines), 0) from dossier_private.imports', answered)
      const response = await answered
      assert.equal(response.status, 400, await response.text())
      assert.ok(staged <= 1000, `${staged} records were stored before the first wrong one was refused`)
    }
  },

  async 'lines of an import that does not end'({ url }) {
    const client = await RawClient.open(url)
    try {
      await client.head('POST', `/api/import?organization_id=${acme}`, { ...signed(member), 'content-type': 'application/x-ndjson', 'transfer-encoding': 'chunked' })
      await client.chunk(Buffer.from('{"type":"bundle","format":"dossier","version":1}\n' + '{"type":"page"}\n'.repeat(2_000)))
      const [answer] = await responses([client])
      assertRefused([answer], [400])
    } finally { client.close() }
  },

  async 'a body in chunks that does not end'({ url, session }) {
    const client = await RawClient.open(url)
    try {
      const boundary = 'endless'
      await client.head('POST', `/api/documents?session_id=${session.id}`, {
        ...signed(member), 'content-type': `multipart/form-data; boundary=${boundary}`, 'transfer-encoding': 'chunked',
      })
      for (let sent = 0; sent < 30 && !client.ended && client.received.length === 0; sent += 1) {
        const { body } = multipart([{ name: 'f', filename: unique('part.txt'), type: 'text/plain', content: Buffer.alloc(1 << 20, 'z') }], { boundary, close: false })
        await Promise.race([client.chunk(body), pause(2_000)])
      }
      const [answer] = await responses([client])
      assertRefused([answer], [413])
      assert.match(answer.json.details, /REQUEST_MAX_BYTES/)
    } finally { client.close() }
  },
}
