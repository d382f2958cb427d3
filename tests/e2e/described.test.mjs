// The description of the API, held against the API: the document, the page that renders it, and every operation in it.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { assertError, call, finished, get, newSession, post, unique, uploaded } from './lib/api.mjs'
import { startEdge } from './lib/edge.mjs'
import { edgeUrl, fixturesDirectory, jwtSecret } from './lib/env.mjs'
import { member } from './lib/people.mjs'
import { sign } from './lib/token.mjs'
import './lib/cleanup.mjs'

const methods = ['get', 'post', 'patch', 'delete', 'head', 'options', 'put']
let api

/** `[method, path, operation]` of every operation. */
const operations = (document) => Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).filter(([method]) => methods.includes(method)).map(([method, operation]) => [method, path, operation]))

before(async () => {
  api = (await get('/api/openapi.json')).json
})

test('the document needs no token, and is sent again only if it has changed', async () => {
  const response = await get('/api/openapi.json')
  assert.equal(response.status, 200)
  assert.match(response.headers.get('content-type'), /^application\/json/)
  assert.equal(response.json.openapi, '3.1.0')
  const tag = response.headers.get('etag')
  const again = await get('/api/openapi.json', { headers: { 'if-none-match': tag } })
  assert.equal(again.status, 304)
  assert.equal(again.bytes.length, 0)
  assertError(await get('/api/openapi.json?version=2'), 400, 'PT400')
})

test('the page renders all of it without scripts and without the network', async () => {
  const response = await get('/api/docs')
  assert.equal(response.status, 200)
  assert.match(response.headers.get('content-type'), /^text\/html/)
  assert.match(response.headers.get('content-security-policy'), /^default-src 'none'; style-src 'unsafe-inline'$/)
  assert.doesNotMatch(response.text, /<script|<link|<img|@import|url\(|src=/)
  for (const [, path, { operationId }] of operations(api)) {
    assert.ok(response.text.includes(`id="${operationId}"`), operationId)
    assert.ok(response.text.includes(`<code>${path}</code>`), path)
  }
  for (const name of Object.keys(api.components.schemas)) assert.ok(response.text.includes(`id="${name}"`), name)
  const tag = response.headers.get('etag')
  assert.equal((await get('/api/docs', { headers: { 'if-none-match': tag } })).status, 304)
})

test('every described path has a handler for every described method', async () => {
  for (const [method, path] of operations(api)) {
    const url = path.replace('{n}', '1').replaceAll(/\{\w+\}/g, randomUUID())
    const headers = { 'tus-resumable': '1.0.0', 'x-http-method-override': 'HEAD' }
    const controller = new AbortController()
    const response = await fetch(new URL(url, edgeUrl), {
      method: method.toUpperCase(),
      headers: { ...headers, authorization: `Bearer ${member.token}`, ...(method === 'post' && { 'content-type': 'application/json' }) },
      body: ['post', 'patch'].includes(method) ? '{}' : undefined,
      signal: controller.signal,
    })
    const text = response.headers.get('content-type')?.startsWith('text/event-stream') ? '' : await response.text()
    controller.abort()
    assert.notEqual(response.status, 405, `${method} ${path}`)
    assert.doesNotMatch(text, /"Path not found"/, `${method} ${path}`)
  }
})

test('a path has exactly the described methods', async () => {
  for (const [path, item] of Object.entries(api.paths)) {
    const url = path.replace('{n}', '1').replaceAll(/\{\w+\}/g, randomUUID())
    const response = await call('PUT', url, { as: member })
    assertError(response, 405, 'PT405')
    const allowed = new Set(response.headers.get('allow').split(',').map((method) => method.trim()))
    // GET has HEAD as well, which the document does not repeat.
    if (item.get) allowed.delete('HEAD')
    const described = Object.keys(item).filter((method) => methods.includes(method)).map((method) => method.toUpperCase())
    assert.deepEqual([...allowed].sort(), described.sort(), path)
  }
})

test('docs/http.md lists the described paths, and no others', async () => {
  const text = await readFile(new URL('../../docs/http.md', import.meta.url), 'utf8')
  const paths = (found) => new Set([...found].map((path) => path.replaceAll(/\{\w+\}/g, '{}').replace(/\/$/, '')))
  const listed = paths([...text.matchAll(/\/(?:api|healthz|readyz)[\w/.{}-]*/g)].map(([path]) => path))
  const described = paths(Object.keys(api.paths))
  assert.deepEqual([...described].filter((path) => !listed.has(path)), [], 'described, but not listed')
  assert.deepEqual([...listed].filter((path) => !described.has(path)), [], 'listed, but not described')
})

const schemathesis = process.env.DOSSIER_SCHEMATHESIS

/** What a new user owns: something of every kind that a path can name. */
async function belongings(url) {
  const sub = randomUUID()
  const users = [sub, 'invited@described.example', 'also@described.example']
  const token = sign({ sub, email: `${sub}@described.example`, role: 'authenticated', aud: 'authenticated', exp: Math.floor(Date.now() / 1000) + 3600 }, { secret: jwtSecret })
  const as = { token }
  const made = async (response) => {
    assert.ok(response.status < 300, response.text)
    return response.json
  }
  const organization = (await made(await post('/api/organizations', { name: 'Described' }, { as, url }))).id
  const session = await newSession(as, { organization_id: organization, context: { text: 'The berth is free.', metadata: { stage: 'new' } } }, { url })
  await made(await post(`/api/sessions/${session.id}/context`, { text: 'The berth is taken.' }, { as, url }))
  const trashed = await newSession(as, { organization_id: organization }, { url })
  await call('DELETE', `/api/sessions/${trashed.id}`, { as, url })
  const pdf = await uploaded(as, session.id, { name: unique('table.pdf'), bytes: await readFile(join(fixturesDirectory, 'table.pdf')), media_type: 'application/pdf' }, { url, wait: 60 })
  await finished(as, pdf.id, { url })
  for (const user_id of users.slice(1)) await made(await post(`/api/organizations/${organization}/members`, { user_id }, { as, url }))
  const { max_pack_tokens } = await made(await get('/api/limits', { as, url }))
  const upload = await call('POST', '/api/uploads', { as, url, headers: {
    'tus-resumable': '1.0.0', 'upload-length': '100',
    'upload-metadata': `session_id ${Buffer.from(session.id).toString('base64')},filename ${Buffer.from('later.txt').toString('base64')}`,
  } })
  assert.equal(upload.status, 201, upload.text)
  return { token, users, max_pack_tokens, organization, session: session.id, trashed: trashed.id, document: pdf.id, upload: upload.headers.get('location').split('/').at(-1) }
}

/**
 * The document with ids that exist. What deletes its object gets one that does not, or there would soon be nothing to test. Without
 * cursors, which only a previous page can give.
 */
function withIds(document, own) {
  const copy = structuredClone(document)
  const choose = (schema, values) => { schema.enum = Array.isArray(schema.type) && schema.type.includes('null') ? [...values, null] : values }
  const bodies = new Set(['NewSession', 'SessionChanges', 'ContextItem', 'Digests', 'Search', 'PlannedUpload', 'UploadForm', 'PackRequest'])
  const times = ['2026-01-31', '2026-12-01T09:30:00Z', '2026-12-01T09:30:00.5+01:00']
  for (const [name, { properties = {} }] of Object.entries(copy.components.schemas)) {
    if (!bodies.has(name)) continue
    if (properties.organization_id) properties.organization_id = { type: 'string', enum: [own.organization] }
    if (properties.session_id) choose(properties.session_id, [own.session])
    if (properties.since) properties.since = properties.until = { enum: times }
    if (properties.max_tokens) properties.max_tokens.maximum = own.max_pack_tokens
    if (properties.conversation_type) choose(properties.conversation_type, ['meeting', 'interview'])
  }
  for (const [method, path, operation] of operations(copy)) {
    operation.parameters = operation.parameters?.filter(({ name, schema }) => name !== 'after' || schema.type !== 'string' || schema.format)
    for (const parameter of operation.parameters ?? []) {
      if (parameter.name === 'session_id') choose(parameter.schema.items ?? parameter.schema, [own.session])
      if (['since', 'until'].includes(parameter.name)) parameter.schema = { enum: times }
      if (parameter.name === 'organization_id') choose(parameter.schema, [own.organization])
      if (parameter.in !== 'path') continue
      if (method === 'delete' || operation.operationId === 'overrideUploadMethod') {
        choose(parameter.schema, [randomUUID()])
        continue
      }
      if (parameter.name === 'id') {
        const kind = path.split('/')[2]
        const ids = { sessions: path === '/api/sessions/{id}/restore' ? own.trashed : own.session, documents: own.document, uploads: own.upload, organizations: own.organization, invitations: own.organization }
        if (ids[kind]) choose(parameter.schema, [ids[kind]])
      }
      if (parameter.name === 'n') choose(parameter.schema, [1, 2])
      if (parameter.name === 'user_id') choose(parameter.schema, own.users)
    }
  }
  // The caller is a member of several organizations as soon as the first is created.
  copy.components.schemas.NewSession.required = ['organization_id']
  return copy
}

/** Objects in responses have no member that is not described. The document allows more, so that clients survive new ones. */
function exact(document) {
  const closed = new Set()
  const close = (schema) => {
    if (!schema || typeof schema !== 'object') return
    if (schema.$ref) {
      const name = schema.$ref.split('/').at(-1)
      if (closed.has(name)) return
      closed.add(name)
      return close(document.components.schemas[name])
    }
    if (schema.properties) schema.additionalProperties ??= false
    for (const part of [...(schema.oneOf ?? []), ...(schema.anyOf ?? []), ...Object.values(schema.properties ?? {}), schema.items, schema.additionalProperties]) close(part)
  }
  for (const response of [...operations(document).flatMap(([, , { responses }]) => Object.values(responses)), ...Object.values(document.components.responses)]) {
    for (const { schema } of Object.values(response.content ?? {})) close(schema)
  }
  return document
}

test('schemathesis finds no disagreement', { skip: !schemathesis && 'DOSSIER_SCHEMATHESIS is not set', timeout: 900_000 }, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'described-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  const edge = await startEdge({ RATE_LIMIT_PER_MINUTE: '0' })
  t.after(() => edge.stop())
  const own = await belongings(edge.url)
  const document = join(directory, 'openapi.json')
  await writeFile(document, JSON.stringify(exact(withIds(api, own))))
  const config = new URL('schemathesis.toml', import.meta.url).pathname
  const args = ['--config-file', config, 'run', document, '--url', edge.url, '--header', `Authorization: Bearer ${own.token}`, '--no-color']
  const { failed, output } = await new Promise((done) => {
    execFile(schemathesis, args, { cwd: directory, maxBuffer: 1 << 28, env: { ...process.env, PYTHONPATH: new URL('lib', import.meta.url).pathname } }, (error, stdout, stderr) => done({ failed: error, output: stdout + stderr }))
  })
  assert.ok(!failed, output)
  t.diagnostic(output.split('\n').filter((line) => /Tested:|Test cases:|passed|Generated/.test(line)).join(' '))
  assert.doesNotMatch(edge.log(), /panicked/)
})
