// Live status in Chromium, against a real edge, from another origin, and through proxies that break and hold back.

import assert from 'node:assert/strict'
import { createServer, request } from 'node:http'
import { after, afterEach, before, test } from 'node:test'
import { call, newSession, uploaded } from '../../../tests/e2e/lib/api.mjs'
import '../../../tests/e2e/lib/cleanup.mjs'
import { jwtSecret } from '../../../tests/e2e/lib/env.mjs'
import { listen, until } from '../../../tests/e2e/lib/net.mjs'
import { member, owner } from '../../../tests/e2e/lib/people.mjs'
import { sign } from '../../../tests/e2e/lib/token.mjs'
import { start } from './page.mjs'

let stack
const servers = []
before(async () => { stack = await start({ JWT_SKEW_SECONDS: '0' }) }, { timeout: 120_000 })
afterEach(() => { for (const server of servers.splice(0)) server.close(() => undefined).closeAllConnections() })
after(() => stack?.stop())

/** A proxy in front of the edge. `holdsBack`: it sends a response only when it is complete. */
async function proxy({ holdsBack = false } = {}) {
  const requests = []
  const server = createServer((incoming, outgoing) => {
    requests.push(incoming)
    const onward = request(`${stack.edge.url}${incoming.url}`, { method: incoming.method, headers: incoming.headers }, (response) => {
      const respond = () => outgoing.writeHead(response.statusCode, response.headers)
      if (!holdsBack) return response.pipe(respond())
      const pieces = []
      response.on('data', (piece) => pieces.push(piece)).on('end', () => respond().end(Buffer.concat(pieces)))
    })
    onward.on('error', () => outgoing.destroy())
    outgoing.on('close', () => onward.destroy())
    incoming.pipe(onward)
  })
  const url = await listen(server)
  servers.push(server)
  const events = (accept) => requests.filter(({ url: path, method, headers }) => method === 'GET' && path.endsWith('/events') && headers.accept === accept)
  return {
    url,
    cut: () => server.closeAllConnections(),
    streams: () => events('text/event-stream'),
    polls: () => events('application/json'),
  }
}

/** A page that follows a session. The first token is used until it is rejected, then the second. */
async function following(session, url, tokens = [member.token]) {
  const { page, errors } = await stack.open()
  await page.evaluate(({ url, tokens, id }) => {
    window.events = []
    window.dossier = window.client.createDossierClient({ url, getToken: ({ rejected }) => (rejected === null ? tokens[0] : tokens[1]) })
    window.stop = window.dossier.events.follow(id, (event) => window.events.push(event))
  }, { url, tokens, id: session.id })
  return {
    errors,
    heard: (type) => page.evaluate((each) => window.events.filter((event) => event.type === each).map(({ data }) => data), type),
    /** Waits for an event. */
    async hears(type, expected) {
      await page.waitForFunction(([each, members]) => window.events.some((event) =>
        event.type === each && Object.entries(members).every(([name, value]) => event.data[name] === value)), [type, expected], { timeout: 30_000 })
    },
    stop: () => page.evaluate(() => window.stop()),
  }
}

const note = (name) => ({ name, media_type: 'text/plain', bytes: Buffer.from('The quick brown fox.') })
const rename = (session, title) => call('PATCH', `/api/sessions/${session.id}`, { as: owner, json: { title } })

test('a page hears what others do, and what happened while its connection was broken', async () => {
  const session = await newSession(member)
  const between = await proxy()
  const page = await following(session, between.url)
  await page.hears('session', { id: session.id, reload: true })
  const document = await uploaded(owner, session.id, note('theirs.txt'))
  await page.hears('document', { id: document.id, name: 'theirs.txt', status: 'ready' })
  assert.deepEqual([between.streams().length, between.polls().length], [1, 0])

  between.cut()
  await rename(session, 'Renamed')
  await call('DELETE', `/api/documents/${document.id}`, { as: owner })
  await page.hears('session', { title: 'Renamed', reload: true })
  assert.ok(between.streams().length > 1)
  assert.ok(between.streams().at(-1).headers['last-event-id'])

  await page.stop()
  await until('the stream to end', () => between.streams().every(({ destroyed, socket }) => destroyed || socket.destroyed))
  assert.deepEqual(page.errors, [])
})

test('behind a proxy that holds responses back, the same is polled', { timeout: 60_000 }, async () => {
  const session = await newSession(member)
  const between = await proxy({ holdsBack: true })
  const page = await following(session, between.url)
  await page.hears('session', { id: session.id, reload: true })
  const document = await uploaded(owner, session.id, note('theirs.txt'))
  await page.hears('document', { id: document.id, status: 'ready' })
  assert.equal(between.streams().length, 1)
  assert.ok(between.polls().length > 1)
})

test('a stream continues with the next token when its own expires', async () => {
  const session = await newSession(member)
  const between = await proxy()
  const short = sign({ ...member.claims, exp: Math.floor(Date.now() / 1000) + 2 }, { secret: jwtSecret })
  const page = await following(session, between.url, [short, member.token])
  await page.hears('session', { id: session.id })
  await until('another stream', () => between.streams().some(({ headers }) => headers.authorization === `Bearer ${member.token}`))
  await rename(session, 'With the next token')
  await page.hears('session', { title: 'With the next token', reload: false })
  assert.deepEqual(await page.heard('end'), [])
})
