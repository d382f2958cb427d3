// Pages of other origins: allowed by name, and told nothing otherwise.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { assertError, call, get, newSession } from './lib/api.mjs'
import { startEdge } from './lib/edge.mjs'
import { edgeUrl } from './lib/env.mjs'
import { member } from './lib/people.mjs'
import './lib/cleanup.mjs'

const app = 'https://app.example'
let edge

before(async () => { edge = await startEdge({ EXTRACT_WORKERS: '0', CORS_ORIGINS: `${app}, http://localhost:3000` }) })
after(() => edge?.stop())

const preflight = (path, origin, { url = edge.url, method = 'POST', headers = 'authorization,content-type' } = {}) =>
  call('OPTIONS', path, { url, headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': headers } })
const allowed = (response) => response.headers.get('access-control-allow-origin')

test('a page of an allowed origin may send a preflight, without a token', async () => {
  for (const origin of [app, 'http://localhost:3000']) {
    const answer = await preflight('/api/documents', origin)
    assert.equal(answer.status, 204, answer.text)
    assert.equal(allowed(answer), origin)
    assert.match(answer.headers.get('access-control-allow-methods'), /POST.*DELETE/)
    const headers = answer.headers.get('access-control-allow-headers').split(/, */)
    for (const header of ['authorization', 'content-type', 'if-match', 'prefer', 'apikey']) assert.ok(headers.includes(header), header)
    assert.match(answer.headers.get('access-control-max-age'), /^\d+$/)
    assert.match(answer.headers.get('vary'), /origin/)
    assert.equal(answer.headers.get('access-control-allow-credentials'), null, 'no cookie is ever asked for')
    assert.ok(answer.headers.get('x-request-id'))
  }
})

const allowedHeaders = async (url, asked) =>
  (await preflight('/api/documents', app, { url, headers: asked })).headers.get('access-control-allow-headers').split(/, */)

test('it may send the headers that its libraries add, except those that describe the connection', async () => {
  const added = ['sentry-trace', 'baggage', 'traceparent', 'tracestate', 'x-supabase-api-version', 'accept-profile', 'content-profile',
    'x-retry-count', 'cache-control', 'pragma', 'idempotency-key', 'x-requested-with']
  const headers = await allowedHeaders(edge.url, added.join(','))
  for (const header of [...added, 'authorization']) assert.ok(headers.includes(header), header)
  const connection = ['x-forwarded-for', 'x-forwarded-host', 'forwarded', 'x-real-ip', 'cf-connecting-ip']
  const odd = ['a b', '"quoted"', 'x:y', '']
  const filtered = await allowedHeaders(edge.url, [...connection, 'X-App', ...odd].join(','))
  assert.ok(filtered.includes('x-app'))
  for (const header of [...connection, ...odd]) assert.ok(!filtered.includes(header), header)
})

test('the operator may list them instead', async () => {
  const strict = await startEdge({ EXTRACT_WORKERS: '0', CORS_ORIGINS: app, CORS_HEADERS: 'sentry-trace' })
  try {
    const headers = await allowedHeaders(strict.url, 'sentry-trace,baggage')
    assert.ok(headers.includes('sentry-trace') && headers.includes('authorization'))
    assert.ok(!headers.includes('baggage'))
  } finally {
    await strict.stop()
  }
})

test('it can read the responses, including refusals', async () => {
  const headers = { origin: app }
  const session = await newSession(member, {}, { url: edge.url })
  const found = await get(`/api/sessions/${session.id}`, { as: member, url: edge.url, headers })
  assert.equal(found.status, 200)
  assert.equal(allowed(found), app)
  assert.equal(found.headers.get('access-control-expose-headers'), '*')
  const refused = await get('/api/sessions', { url: edge.url, headers })
  assertError(refused, 401)
  assert.equal(allowed(refused), app)
  const long = await get('/api/sessions', { url: edge.url, headers: { ...headers, 'x-long': 'x'.repeat(30_000) } })
  assert.ok(long.status >= 400)
  if (long.status === 431 && long.text) assert.equal(allowed(long), app, 'the gate speaks as the API does')
})

test('a page of any other origin cannot', async () => {
  for (const origin of ['https://evil.example', `${app}.evil.example`, 'http://app.example', 'null']) {
    const answer = await preflight('/api/documents', origin)
    assertError(answer, 403, 'PT403')
    assert.equal(allowed(answer), null, origin)
    const read = await get('/api/sessions', { as: member, url: edge.url, headers: { origin } })
    assert.equal(allowed(read), null, origin)
    assert.match(read.headers.get('vary') ?? '', /origin/)
  }
})

test('without the setting no origin is allowed, and with * all are, but never with cookies', async () => {
  assertError(await preflight('/api/documents', app, { url: edgeUrl }), 405)
  assert.equal(allowed(await get('/api/sessions', { as: member, headers: { origin: app } })), null)
  const open = await startEdge({ EXTRACT_WORKERS: '0', CORS_ORIGINS: '*' })
  try {
    const answer = await preflight('/api/documents', 'https://anywhere.example', { url: open.url })
    assert.equal(answer.status, 204)
    assert.equal(allowed(answer), '*')
    assert.equal(answer.headers.get('access-control-allow-credentials'), null)
  } finally {
    await open.stop()
  }
})
