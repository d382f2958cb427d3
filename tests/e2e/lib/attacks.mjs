// A tenant that tries to occupy everything, and one that goes on with its work meanwhile. Each attack lasts seconds.

import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { get, multipart, newSession, post, unique, upload, uploaded } from './api.mjs'
import { RawClient, until } from './net.mjs'
import { acme, globex, member, stranger, viewer } from './people.mjs'
import { zip } from './zip.mjs'

/** Limits as small as the attacks, so that each reaches them within seconds. The shares of connections are the usual ones. */
export const limits = {
  BODY_GRACE_SECONDS: '3',
  BODY_MIN_BYTES_PER_SECOND: '2000',
  CONNECTIONS_PER_ADDRESS: '40',
  DATABASE_WAIT_SECONDS: '5',
  FIRST_BYTE_SECONDS: '4',
  MAX_CONNECTIONS: '120',
  RATE_LIMIT_PER_MINUTE: '0',
  REQUEST_MAX_BYTES: '16777216',
  RESPONSE_BYTES_IN_FLIGHT: '8388608',
  UNREAD_SECONDS: '8',
  UPLOAD_CONCURRENCY: '24',
  UPLOAD_USER_CONCURRENCY: '4',
}

/** What both tenants work with. */
export async function prepare(url) {
  const session = await newSession(member, { context: { text: 'x'.repeat(1_000_000) } }, { url })
  const words = Array.from({ length: 4_000 }, (_, n) => `word${n * 7919 % 4_000}`).join(' ')
  for (let n = 0; n < 5; n += 1) {
    const bytes = Array.from({ length: 40 }, (_, page) => `Report ${n} part ${page}: ${words}\f`).join('\n')
    await uploaded(member, session.id, { name: unique('large.txt'), bytes, media_type: 'text/plain' }, { url, wait: 60 })
  }
  const theirs = await newSession(stranger, { organization_id: globex, context: { text: 'The delivery is on Tuesday.' } }, { url })
  await uploaded(stranger, theirs.id, { name: 'offer.txt', bytes: 'An offer with a delivery penalty.', media_type: 'text/plain' }, { url, wait: 60 })
  return { url, session, theirs }
}

/** The other tenant at work: uploads, lists, searches and saves until `done` is settled. The time of each request, in ms. */
export async function work({ url, theirs }, done) {
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
  while (goesOn || times.length < 40) {
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

/** Clients that send `head`, and then a byte at a time. */
async function trickle(url, count, request) {
  const clients = await Promise.all(Array.from({ length: count }, async () => {
    const client = await RawClient.open(url)
    await client.send(request)
    return client
  }))
  const drip = setInterval(() => clients.forEach((client) => client.send('y')), 200)
  return { clients, stop: () => { clearInterval(drip); clients.forEach((client) => client.close()) } }
}

function slowUpload(as, sessionId) {
  const { body, type } = multipart([
    { name: 'session_id', content: sessionId },
    { name: 'files', filename: unique('slow.txt'), type: 'text/plain', content: 'slow' },
  ], { close: false })
  const head = Object.entries({ host: 'x', ...signed(as), 'content-type': type, 'content-length': '1000000' })
  return Buffer.concat([Buffer.from(`POST /api/documents HTTP/1.1\r\n${head.map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n`), body.subarray(0, -2)])
}

const slowImport = (as, type) => `POST /api/import?organization_id=${acme} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${as.token}\r\n`
  + `content-type: ${type}\r\ncontent-length: 1000000\r\n\r\n{"type": "bundle"`

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
  async 'packs of a million tokens by a viewer'({ url, session }) {
    const pack = () => post(`/api/sessions/${session.id}/pack`, { max_tokens: 1_000_000, query: 'word7 word9 report' }, { as: viewer, url })
    const answers = await Promise.all(Array.from({ length: 16 }, pack))
    assertRefused(answers.map(({ status, headers, text }) => ({ status, headers, json: JSON.parse(text) })), [200, 429])
    assert.ok(count(answers, 200) > 0, 'the share of the viewer is served')
  },

  async 'uploads by somebody who may not upload'({ url, session }) {
    const { clients, stop } = await trickle(url, 30, slowUpload(viewer, session.id))
    try {
      const answers = await responses(clients)
      assertRefused(answers, [403])
      assert.equal(answers.length, 30, 'every one is refused while it trickles')
    } finally { stop() }
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

  async 'an archive with millions of records'({ url }) {
    const records = Buffer.from('{"type":"bundle","format":"dossier","version":1}\n' + '{"type":"page"}\n'.repeat(3_000_000))
    const body = zip([{ name: 'bundle.ndjson', bytes: records }])
    const response = await fetch(`${url}/api/import?organization_id=${acme}`, {
      method: 'POST', body, headers: { ...signed(member), 'content-type': 'application/zip' },
    })
    assert.equal(response.status, 400, await response.text())
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
