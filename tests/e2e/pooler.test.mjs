// Through a pooler in transaction mode, where each transaction may use another connection.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { get, newSession, post, sha256, unique, upload, uploaded } from './lib/api.mjs'
import { startEdge } from './lib/edge.mjs'
import { edgeDatabaseUrl } from './lib/env.mjs'
import { fixture } from './lib/fixtures.mjs'
import { freePort, until } from './lib/net.mjs'
import { acme, member, stranger, viewer } from './lib/people.mjs'
import './lib/cleanup.mjs'

const program = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer'].find((path) => spawnSync(path, ['--version']).status === 0)
const skip = program ? false : 'pgbouncer is not installed'
const NOBODY = 65534
let bouncer
let edge

before(async () => {
  if (skip) return
  const database = new URL(edgeDatabaseUrl)
  const directory = mkdtempSync(join(tmpdir(), 'dossier-pooler-'))
  const port = await freePort()
  const password = decodeURIComponent(database.password)
  writeFileSync(join(directory, 'users'), `"${database.username}" "${password}"\n`)
  writeFileSync(join(directory, 'pgbouncer.ini'), `
[databases]
* = host=${database.hostname} port=${database.port || 5432}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${directory}/users
pool_mode = transaction
default_pool_size = 2
ignore_startup_parameters = extra_float_digits,options
`)
  // pgbouncer refuses to run as root, so it runs as the user nobody, which then owns its files.
  const root = process.getuid() === 0
  const user = root ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] : []
  if (root) for (const path of ['', 'users', 'pgbouncer.ini']) chownSync(join(directory, path), NOBODY, NOBODY)
  const [command, ...rest] = [...user, program, join(directory, 'pgbouncer.ini')]
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  child.stderr.on('data', (data) => { log += data })
  child.stdout.on('data', (data) => { log += data })
  bouncer = { child, directory, log: () => log }
  database.port = String(port)
  edge = await startEdge({ DATABASE_URL: database.href, DATABASE_LISTEN_URL: edgeDatabaseUrl, DATABASE_POOL_SIZE: '8' })
    .catch((error) => { throw new Error(`${error.message}\npgbouncer: ${log}`) })
})
after(async () => {
  await edge?.stop()
  if (!bouncer) return
  bouncer.child.kill('SIGINT')
  await until('pgbouncer ended', () => bouncer.child.exitCode !== null || bouncer.child.signalCode !== null)
  rmSync(bouncer.directory, { recursive: true })
})

test('an upload is stored, read, and comes back', { skip }, async () => {
  const session = await newSession(member, { context: { text: 'Pooled' } }, { url: edge.url })
  const file = fixture('10mib.pdf')
  const document = await uploaded(member, session.id, file, { url: edge.url, wait: 60 })
  assert.equal(document.status, 'ready', document.error_message)
  const content = await get(`/api/documents/${document.id}/content`, { as: viewer, url: edge.url })
  assert.equal(sha256(content.bytes), sha256(file.bytes))
})

test('concurrent callers keep their identities', { skip }, async () => {
  const answers = await Promise.all(Array.from({ length: 80 }, async (_, index) => {
    const who = index % 2 ? member : stranger
    const made = await post('/api/sessions', { title: unique('pooled') }, { as: who, url: edge.url })
    assert.equal(made.status, 201, made.text)
    assert.equal(made.json.user_id, who.sub)
    assert.equal(made.json.organization_id === acme, who === member)
    const saved = await post(`/api/sessions/${made.json.id}/context`, { text: who.email }, { as: who, url: edge.url })
    assert.ok(saved.status < 300, saved.text)
    assert.equal(saved.json.updated_by, who.sub)
    const other = await get(`/api/sessions/${made.json.id}/context`, { as: who === member ? stranger : member, url: edge.url })
    return other.status
  }))
  assert.deepEqual(new Set(answers), new Set([404]))
})

test('several uploads at once, while others list', { skip }, async () => {
  const session = await newSession(member, {}, { url: edge.url })
  const file = (index) => ({ name: `pooled-${index}.txt`, bytes: Buffer.alloc(3_000_000 + index, 'abc '), media_type: 'text/plain' })
  const [uploads, lists] = await Promise.all([
    Promise.all(Array.from({ length: 12 }, (_, index) => upload(member, session.id, [file(index)], { url: edge.url }))),
    Promise.all(Array.from({ length: 40 }, () => get(`/api/documents?session_id=${session.id}`, { as: member, url: edge.url }))),
  ])
  for (const [index, response] of uploads.entries()) {
    assert.equal(response.status, 201, response.text)
    assert.equal(response.json.documents[0].sha256, sha256(file(index).bytes))
  }
  assert.ok(lists.every((response) => response.status === 200))
})
