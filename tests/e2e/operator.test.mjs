// The operator's view: help, checks before the start, errors with hints, and the log.

import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { get, newSession, unique, uploaded } from './lib/api.mjs'
import { startEdge } from './lib/edge.mjs'
import { edgeBinary, edgeDatabaseUrl, edgeUrl, jwtSecret, workerBinary } from './lib/env.mjs'
import { freePort, listen, until } from './lib/net.mjs'
import { member } from './lib/people.mjs'
import './lib/cleanup.mjs'

const environment = { PATH: process.env.PATH, DATABASE_URL: edgeDatabaseUrl, JWT_SECRET: jwtSecret, DOSSIER_EXTRACT_WORKER: workerBinary }
const run = (args, more = {}) => {
  const { status, stdout, stderr } = spawnSync(edgeBinary, args, { env: { ...environment, ...more }, timeout: 30_000 })
  return { status, text: `${stdout}${stderr}` }
}

/** Like run, for tests that respond meanwhile. */
const runBeside = (args, more) => new Promise((done) => {
  execFile(edgeBinary, args, { env: { ...environment, ...more }, timeout: 30_000 }, (error, stdout, stderr) => {
    done({ status: error ? error.code : 0, text: `${stdout}${stderr}` })
  })
})

test('help names every setting', () => {
  const { status, text } = run(['--help'])
  assert.equal(status, 0)
  for (const name of ['DATABASE_URL', 'DATABASE_LISTEN_URL', 'DATABASE_POOL_SIZE', 'JWT_SECRET', 'JWKS_URL', 'JWT_ISSUER', 'JWT_AUDIENCE',
    'LISTEN', 'SUPABASE_URL', 'UPLOAD_MAX_BYTES', 'EXTRACT_MODE', 'EXTRACT_WORKERS', 'EXTRACT_SANDBOX', 'DOSSIER_EXTRACT_WORKER',
    'DOSSIER_OCR_LANGUAGES', 'DOSSIER_TESSDATA', 'CORS_ORIGINS', 'CORS_HEADERS', 'SUPABASE_PATHS', 'SUPABASE_FORWARDED_HOST', 'TRUSTED_PROXIES',
    'DATABASE_USER_CONNECTIONS', 'DATABASE_ORGANIZATION_CONNECTIONS', 'DATABASE_SHORT_CONNECTIONS', 'DATABASE_WAITING_PER_USER',
    'UPLOAD_USER_CONCURRENCY', 'UPLOAD_ORGANIZATION_CONCURRENCY', 'IMPORT_CONCURRENCY', 'IMPORT_USER_CONCURRENCY', 'IMPORT_ORGANIZATION_CONCURRENCY',
    'IMPORT_SPOOL_BYTES', 'IMPORT_CONNECTIONS', 'CONNECTIONS_PER_ADDRESS', 'FIRST_BYTE_SECONDS', 'HEAD_SECONDS', 'BODY_SECONDS',
    'BODY_MIN_BYTES_PER_SECOND', 'BODY_GRACE_SECONDS', 'UNREAD_SECONDS', 'RESPONSE_BYTES_IN_FLIGHT',
    'RATE_LIMIT_PER_MINUTE', 'LOG_FORMAT', 'SHUTDOWN_GRACE_SECONDS']) {
    assert.match(text, new RegExp(`\\b${name}\\b`))
  }
  assert.match(text, /UPSTREAM_TIMEOUT_SECONDS=\]\s*\[default: 160\]/, 'longer than the 150 s that Supabase\'s gateways allow')
  assert.ok(!text.includes(jwtSecret), 'and no secret')
  assert.equal(run(['--version']).status, 0)
})

test('check compares the limits of the edge with those of the database', async () => {
  const port = await freePort()
  const check = (more) => run(['check'], { LISTEN: `127.0.0.1:${port}`, ...more })
  assert.match(check({}).text, /ok +limits: files of up to 10485760 bytes \(max_file_bytes of the database\)/)
  assert.match(check({ UPLOAD_MAX_BYTES: '1000' }).text, /ok +limits: files of up to 1000 bytes \(UPLOAD_MAX_BYTES\); the database accepts 10485760/)
  assert.match(check({ UPLOAD_MAX_BYTES: '99999999' }).text, /ok +limits: files of up to 10485760 bytes .*below UPLOAD_MAX_BYTES/)
  for (const [more, setting] of [[{ REQUEST_MAX_BYTES: '2000000' }, 'REQUEST_MAX_BYTES'], [{ JSON_MAX_BYTES: '1000' }, 'JSON_MAX_BYTES']]) {
    const { status, text } = check(more)
    assert.equal(status, 1)
    assert.match(text, new RegExp(`MISSING limits: .*${setting}.*\n +Raise ${setting}`))
  }
  assert.equal(check({ REQUEST_MAX_BYTES: '2000000', UPLOAD_MAX_BYTES: '1000000' }).status, 0, 'no file of that size is accepted anyway')
})

test('check names limits that can never apply', async () => {
  const port = await freePort()
  const check = (more) => run(['check'], { LISTEN: `127.0.0.1:${port}`, ...more })
  assert.match(check({ MAX_CONNECTIONS: '512' }).text, /ok +shares: 4 of 8 connections and 128 of 512 uploads per user/)
  for (const [more, conflict] of [
    [{ DATABASE_USER_CONNECTIONS: '7' }, /DATABASE_USER_CONNECTIONS is 7, but DATABASE_ORGANIZATION_CONNECTIONS is only 6/],
    [{ UPLOAD_CONCURRENCY: '10' }, /UPLOAD_ORGANIZATION_CONCURRENCY is 256, but UPLOAD_CONCURRENCY is only 10/],
    [{ CONNECTIONS_PER_ADDRESS: '600' }, /CONNECTIONS_PER_ADDRESS is 600, but MAX_CONNECTIONS is only 512/],
    [{ MAX_CONNECTIONS: '2000000000' }, /MAX_CONNECTIONS is 2000000000, but the process may open only \d+ files/],
  ]) {
    const { status, text } = check({ MAX_CONNECTIONS: '512', ...more })
    assert.equal(status, 1)
    assert.match(text, new RegExp(`MISSING shares: .*${conflict.source}.*\n +Lower`))
  }
})

test('check reports success, or each missing requirement', async () => {
  const port = await freePort()
  const well = run(['check'], { LISTEN: `127.0.0.1:${port}` })
  assert.equal(well.status, 0, well.text)
  assert.match(well.text, /OCR: /)
  const without = run(['check'], { LISTEN: `127.0.0.1:${port}`, EXTRACT_MODE: 'edge', DOSSIER_TESSDATA: '/nonexistent' })
  assert.equal(without.status, 0, 'OCR need not be there')
  assert.match(without.text, /OCR: none, images are not read: .*install/is)
  const beside = run(['check'], { LISTEN: new URL(edgeUrl).host })
  assert.equal(beside.status, 0, beside.text)
  assert.match(beside.text, /port: .* is in use by an edge/)
  const stranger = createServer((request, response) => response.end('{"status":"ok"}'))
  const taken = await listen(stranger)
  const among = await runBeside(['check'], { LISTEN: new URL(taken).host })
  stranger.close()
  assert.equal(among.status, 1, among.text)
  assert.match(among.text, /MISSING port: .*in use/)
  const unreachable = run(['check'], { DATABASE_URL: `postgres://nobody:secret-word@127.0.0.1:${port}/none` })
  assert.notEqual(unreachable.status, 0, unreachable.text)
  assert.doesNotMatch(unreachable.text, /secret-word|panicked/)
  const badWorker = run(['check'], { DOSSIER_EXTRACT_WORKER: '/nonexistent/worker', EXTRACT_MODE: 'edge' })
  assert.notEqual(badWorker.status, 0, badWorker.text)
  assert.match(badWorker.text, /nonexistent/)
})

test('doctor checks the database, for people and for scripts', () => {
  const told = run(['doctor'])
  assert.match(told.text, /^ok +version: Dossier /m)
  assert.match(told.text, /^ok +rls_disabled$/m)
  assert.ok(!told.text.includes('\u001b'), 'no colours into a pipe')
  const { status, stdout } = spawnSync(edgeBinary, ['doctor', '--json'], { env: environment, timeout: 30_000, encoding: 'utf8' })
  const checks = JSON.parse(stdout)
  assert.equal(status, checks.some((check) => check.status === 'error') ? 1 : 0)
  assert.equal(told.status, status)
  assert.equal(run(['doctor'], { JWT_SECRET: undefined }).status, status, 'it needs no key')
  assert.equal(checks.find((check) => check.check_name === 'rights').status, 'ok')
  const unreachable = run(['doctor'], { DATABASE_URL: 'postgres://nobody:secret-word@127.0.0.1:1/none' })
  assert.equal(unreachable.status, 1, unreachable.text)
  assert.doesNotMatch(unreachable.text, /secret-word|panicked/)
})

test('invalid settings are refused at the start, with a hint', () => {
  const refused = (more, pattern) => {
    const { status, text } = run([], more)
    assert.ok(status > 0, `${JSON.stringify(more)}: ${status} ${text}`)
    assert.match(text, pattern)
    assert.doesNotMatch(text, /panicked|RUST_BACKTRACE/)
  }
  refused({ JWT_SECRET: undefined }, /JWT_SECRET.*JWKS_URL|JWKS_URL.*JWT_SECRET/s)
  refused({ JWT_SECRET: 'short' }, /JWT_SECRET/)
  refused({ DATABASE_URL: undefined }, /DATABASE_URL/)
  refused({ DATABASE_URL: 'mysql://x' }, /DATABASE_URL/)
  refused({ LISTEN: 'everywhere' }, /listen/i)
  refused({ SUPABASE_URL: 'ftp://x' }, /SUPABASE_URL/)
  refused({ CORS_ORIGINS: 'app.example' }, /CORS_ORIGINS/)
  refused({ CORS_HEADERS: 'a b' }, /CORS_HEADERS/)
  refused({ SUPABASE_PATHS: '/api/x' }, /SUPABASE_PATHS/)
  refused({ SUPABASE_FORWARDED_HOST: 'perhaps' }, /forwarded-host/i)
  refused({ DOSSIER_OCR_LANGUAGES: '../etc' }, /DOSSIER_OCR_LANGUAGES|ocr-languages/)
})

test('a port in use is reported', async () => {
  const first = await startEdge({ EXTRACT_WORKERS: '0' })
  try {
    const { status, text } = run([], { LISTEN: new URL(first.url).host })
    assert.ok(status > 0, text)
    assert.match(text, new RegExp(new URL(first.url).port))
    assert.doesNotMatch(text, /panicked/)
  } finally {
    await first.stop()
  }
})

test('the log relates each response to its lines, and contains no secrets', async () => {
  const edge = await startEdge({ LOG_FORMAT: 'json' })
  const content = unique('nobody logs this')
  let id
  try {
    const session = await newSession(member, { context: { text: content } }, { url: edge.url })
    await uploaded(member, session.id, { name: 'logged.txt', bytes: Buffer.from(content), media_type: 'text/plain' }, { url: edge.url, wait: 20 })
    const response = await get('/api/sessions/00000000-0000-4000-8000-000000000000', { as: member, url: edge.url })
    id = response.headers.get('x-request-id')
    await until('its line', () => edge.log().includes(id))
  } finally {
    await edge.stop()
  }
  const lines = edge.log().trim().split('\n')
  const entries = lines.map((line) => JSON.parse(line))
  assert.ok(entries.length > 2)
  const line = JSON.stringify(entries.find((entry) => JSON.stringify(entry).includes(id)))
  assert.match(line, /404/)
  const password = new URL(edgeDatabaseUrl).password
  for (const secret of [jwtSecret, member.token, member.token.split('.')[2], content, password].filter(Boolean)) {
    assert.ok(!edge.log().includes(secret), `the log holds ${secret.slice(0, 12)}…`)
  }
})
