// Extraction jobs outlive the edge that runs them, and always end.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { call, finished, get, newSession, unique, upload, uploaded } from './lib/api.mjs'
import { newDatabase } from './lib/database.mjs'
import { startEdge } from './lib/edge.mjs'
import { workerBinary } from './lib/env.mjs'
import { fixture } from './lib/fixtures.mjs'
import { whiteImage } from './lib/make.mjs'
import { until } from './lib/net.mjs'
import { member } from './lib/people.mjs'
import { psql, rows, value } from './lib/psql.mjs'
import './lib/cleanup.mjs'

let database
let receiver

before(async () => {
  database = await newDatabase({ native: false })
  receiver = await startEdge({ DATABASE_URL: database.edgeUrl, EXTRACT_WORKERS: '0' })
})
after(async () => {
  await receiver?.stop()
  await database?.drop()
})

/** The version that workers of this source speak. */
const protocol = /pub const VERSION: u32 = (\d+);/.exec(readFileSync(new URL('../../extract/src/protocol.rs', import.meta.url), 'utf8'))[1]

const worker = (more) => startEdge({ DATABASE_URL: database.edgeUrl, EXTRACT_WORKERS: '1', JOB_POLL_SECONDS: '1', ...more })
const status = (id) => value(`select status from dossier.documents where id = '${id}'`, { url: database.url })
const put = async (file) => uploaded(member, (await newSession(member, {}, { url: receiver.url })).id, file, { url: receiver.url })

test('without a worker a document waits; with one it is extracted', async () => {
  const document = await put(fixture('report.pdf'))
  assert.equal(document.status, 'stored')
  const [job] = await rows(`select status, attempts, max_attempts from dossier_private.jobs where document_id = '${document.id}' and kind = 'extract'`, { url: database.url })
  assert.deepEqual(job, { status: 'queued', attempts: 0, max_attempts: 3 })
  const edge = await worker()
  try {
    const done = await finished(member, document.id, { url: receiver.url })
    assert.equal(done.status, 'ready', done.error_message)
  } finally {
    await edge.stop()
  }
})

test('a job is claimed immediately, by notification and not by polling', async () => {
  const edge = await worker({ JOB_POLL_SECONDS: '3600' })
  try {
    const warm = await put(fixture('notes.txt'))
    await finished(member, warm.id, { url: receiver.url, seconds: 20 })
    const document = await put(fixture('notes.txt'))
    await finished(member, document.id, { url: receiver.url, seconds: 20 })
  } finally {
    await edge.stop()
  }
})

test('a client that waits at one edge learns what another has extracted', async () => {
  const edge = await worker()
  try {
    const session = await newSession(member, {}, { url: receiver.url })
    const response = await upload(member, session.id, [fixture('report.pdf')], { url: receiver.url, wait: 30 })
    assert.equal(response.json.documents[0].status, 'ready', response.text)
  } finally {
    await edge.stop()
  }
})

test('a job whose edge is killed is claimed by another', { timeout: 120_000 }, async () => {
  const first = await worker({ JOB_LEASE_SECONDS: '10' })
  // A worker that is busy for a while: the deadlines are far longer than the kill takes.
  const document = await put({ ...fixture('10mib.txt'), name: unique('orphan.txt') })
  await until('the job under way', async () => (await status(document.id)) === 'extracting', { every: 2 })
  first.signal('SIGKILL')
  await first.ended
  const left = await status(document.id)
  const second = await worker({ JOB_LEASE_SECONDS: '10' })
  try {
    const done = await finished(member, document.id, { url: receiver.url, seconds: 90 })
    assert.equal(done.status, 'ready', done.error_message)
    const [job] = await rows(`select status, attempts from dossier_private.jobs where document_id = '${document.id}' and kind = 'extract'`, { url: database.url })
    if (left === 'extracting') assert.deepEqual(job, { status: 'done', attempts: 2 })
  } finally {
    await second.stop()
  }
})

test('a document whose workers always die ends as failed, with the reason', { timeout: 60_000 }, async () => {
  const document = await put(fixture('report.pdf'))
  // The state after three killed workers: every attempt is used up and the lease has expired.
  await psql(`
    update dossier_private.jobs
    set status = 'running', attempts = max_attempts, failures = max_attempts - 1, worker = 'gone', lease_expires_at = now() - interval '1 second'
    where document_id = '${document.id}';
    update dossier.documents set status = 'extracting' where id = '${document.id}'`, { url: database.url })
  const edge = await worker()
  try {
    const done = await finished(member, document.id, { url: receiver.url })
    assert.equal(done.status, 'failed')
    assert.equal(done.error_code, 'worker_lost')
    assert.ok(done.error_message.length >= 10, done.error_message)
  } finally {
    await edge.stop()
  }
})

test('a missing worker does not fail the file: it is logged and retried later', async () => {
  const broken = await worker({ DOSSIER_EXTRACT_WORKER: '/nonexistent/dossier-extract-worker' }).catch((error) => error)
  if (broken instanceof Error) {
    assert.match(broken.message, /nonexistent/, 'an edge that cannot extract says so at its start')
    return
  }
  const document = await put(fixture('report.pdf'))
  await until('an attempt', async () => (await value(
    `select attempts from dossier_private.jobs where document_id = '${document.id}' and kind = 'extract'`, { url: database.url })) > 0)
  await broken.stop()
  await psql(`update dossier_private.jobs set run_at = now(), attempts = 1 where document_id = '${document.id}' and status <> 'failed'`, { url: database.url })
  const edge = await worker()
  try {
    assert.equal((await finished(member, document.id, { url: receiver.url })).status, 'ready')
  } finally {
    await edge.stop()
  }
})

/** A worker that runs these shell commands first. They may not write to standard output, unless they do not return. */
function workerAfter(commands) {
  const path = join(mkdtempSync(join(tmpdir(), 'dossier-e2e-')), 'worker')
  writeFileSync(path, `#!/bin/sh\nPATH=/usr/bin:/bin\n${commands}\nexec '${workerBinary}' "$@"\n`, { mode: 0o755 })
  return path
}

/** The state of the extraction of a document. */
const extraction = async (id) => (await rows(
  `select status, attempts, failures, last_error, run_at - updated_at as delay from dossier_private.jobs where document_id = '${id}' and kind = 'extract'`,
  { url: database.url }))[0]

test('a worker of another release does not fail the file: the log names the reason, and it is retried', { timeout: 60_000 }, async () => {
  const edge = await worker({ DOSSIER_EXTRACT_WORKER: workerAfter(`echo '{"reply":"hello","protocol":1}'; exit 0`) })
  let document
  try {
    document = await put(fixture('report.pdf'))
    await until('a failed attempt', async () => (await extraction(document.id)).failures > 0)
    assert.match(edge.log(), /does not speak version \d+ of the protocol.*of the same release/)
  } finally {
    await edge.stop()
  }
  const { status: state, last_error } = await extraction(document.id)
  assert.equal(state, 'queued')
  assert.match(last_error, /^worker_unavailable: /)
  const got = await get(`/api/documents/${document.id}`, { as: member, url: receiver.url })
  assert.deepEqual([got.json.status, got.json.error_code], ['stored', null])
  const upgraded = await worker()
  try {
    assert.equal((await finished(member, document.id, { url: receiver.url, seconds: 30 })).status, 'ready')
  } finally {
    await upgraded.stop()
  }
})

test('a worker that is killed is retried after some seconds', { timeout: 60_000 }, async () => {
  const killed = join(mkdtempSync(join(tmpdir(), 'dossier-e2e-')), 'killed')
  const edge = await worker({ DOSSIER_EXTRACT_WORKER: workerAfter(`[ -e '${killed}' ] || { touch '${killed}'; kill -9 $$; }`) })
  try {
    const document = await put(fixture('report.pdf'))
    assert.equal((await finished(member, document.id, { url: receiver.url, seconds: 30 })).status, 'ready')
    const { attempts, failures } = await extraction(document.id)
    assert.deepEqual({ attempts, failures }, { attempts: 2, failures: 1 })
  } finally {
    await edge.stop()
  }
})

test('pages are stored while the worker reads others, and half a document is never seen', { timeout: 120_000 }, async () => {
  const half = Array.from({ length: 60 }, (_, index) => JSON.stringify({
    reply: 'page', page: index + 1, text: `Halfway ${'a page of plain words '.repeat(100)}`, source: 'text', confidence: null, engine: 'test',
  }))
  const replies = [`{"reply":"hello","protocol":${protocol}}`, '{"reply":"isolated","missing":[]}', '{"reply":"language","language":"eng"}', ...half]
  const first = await worker({
    DOSSIER_EXTRACT_WORKER: workerAfter(`printf '%s\\n' ${replies.map((line) => `'${line}'`).join(' ')}; exec sleep 600`),
    JOB_LEASE_SECONDS: '10',
  })
  const staged = async (id) => Number(await value(`select count(*) from dossier_private.staged_pages where document_id = '${id}'`, { url: database.url }))
  const document = await put(fixture('report.pdf'))
  await until('pages stored while the worker reads', async () => (await staged(document.id)) > 0)
  const pages = () => get(`/api/documents/${document.id}/pages`, { as: member, url: receiver.url })
  assert.deepEqual((await pages()).json.pages, [], 'nobody sees half a document')
  first.signal('SIGKILL')
  await first.ended
  const second = await worker({ JOB_LEASE_SECONDS: '10' })
  try {
    const done = await finished(member, document.id, { url: receiver.url, seconds: 60 })
    assert.equal(done.status, 'ready', done.error_message)
    const texts = (await pages()).json.pages.map((page) => page.text)
    assert.equal(texts.length, 3)
    assert.ok(texts.every((text) => !text.includes('Halfway')))
    assert.equal(await staged(document.id), 0)
  } finally {
    await second.stop()
  }
})

test('sandbox layers that are missing, and accepted, are named in the log', async () => {
  const replies = [`{"reply":"hello","protocol":${protocol}}`, '{"reply":"isolated","missing":["landlock: the kernel is too old"]}',
    '{"reply":"page","page":1,"text":"Read","source":"text","confidence":null,"engine":"test"}', '{"reply":"done","media_type":"text/plain"}']
  const edge = await worker({
    DOSSIER_EXTRACT_WORKER: workerAfter(`printf '%s\\n' ${replies.map((line) => `'${line}'`).join(' ')}; exit 0`),
    EXTRACT_SANDBOX: 'accept-missing',
  })
  try {
    const document = await put(fixture('notes.txt'))
    assert.equal((await finished(member, document.id, { url: receiver.url })).status, 'ready')
    assert.ok(edge.log().includes(`document ${document.id} was parsed without sandbox layers: landlock: the kernel is too old`), edge.log())
  } finally {
    await edge.stop()
  }
})

/** A program that accepts a file and never replies. */
function endlessWorker() {
  const path = join(mkdtempSync(join(tmpdir(), 'dossier-e2e-')), 'endless-worker')
  writeFileSync(path, '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 })
  return path
}

test('deleting a document stops its worker immediately', async () => {
  const edge = await worker({ DOSSIER_EXTRACT_WORKER: endlessWorker(), JOB_LEASE_SECONDS: '3600' })
  try {
    const document = await put(fixture('notes.txt'))
    await until('it is under way', async () => (await status(document.id)) === 'extracting')
    const gone = await call('DELETE', `/api/documents/${document.id}`, { as: member, url: receiver.url })
    assert.equal(gone.status, 204, gone.text)
    await until('the log says so', () => edge.log().includes(`extraction of document ${document.id} stopped: the document was deleted`), { seconds: 20 })
  } finally {
    await edge.stop()
  }
})

test('when upkeep or the extension of a lease fails, the log says why', async () => {
  const edge = await worker({ DOSSIER_EXTRACT_WORKER: endlessWorker(), JOB_LEASE_SECONDS: '3600', SWEEP_SECONDS: '3600' })
  const functions = ['dossier.sweep', 'dossier.extend_lease']
  const sql = (text) => psql(text, { url: database.url })
  try {
    const document = await put(fixture('notes.txt'))
    await until('it is under way', async () => (await status(document.id)) === 'extracting')
    await sql(functions.map((name) => `revoke execute on function ${name} from service_role;`).join('\n'))
    const changed = JSON.stringify({ document_ids: [document.id], session_id: document.session_id, status: 'stored' })
    const reasons = [/sweep failed: [^"]*permission denied for function sweep/, /extending a lease failed: [^"]*permission denied for function extend_lease/]
    await until('both reasons in the log', async () => {
      await sql(`select pg_notify('dossier_sweep', ''), pg_notify('dossier_documents', '${changed}')`)
      return reasons.every((reason) => reason.test(edge.log()))
    })
    const told = edge.log().split('\n').filter((line) => line.includes('permission denied'))
    assert.ok(told.every((line) => /"level":"WARN"/.test(line)), told.join('\n'))
    await call('DELETE', `/api/documents/${document.id}`, { as: member, url: receiver.url })
  } finally {
    await sql(functions.map((name) => `grant execute on function ${name} to service_role;`).join('\n'))
    await edge.stop()
  }
})

test('a job that a stopping edge cannot finish is released, without using up an attempt', { timeout: 60_000 }, async () => {
  const first = await worker({ DOSSIER_EXTRACT_WORKER: endlessWorker(), SHUTDOWN_GRACE_SECONDS: '2' })
  const document = await put(fixture('notes.txt'))
  await until('it is under way', async () => (await status(document.id)) === 'extracting')
  first.signal('SIGTERM')
  await first.ended
  assert.equal(await status(document.id), 'stored')
  const [job] = await rows(`select status, max_attempts - failures as left from dossier_private.jobs where document_id = '${document.id}' and kind = 'extract'`, { url: database.url })
  assert.deepEqual(job, { status: 'queued', left: 3 })
  const second = await worker()
  try {
    assert.equal((await finished(member, document.id, { url: receiver.url })).status, 'ready')
  } finally {
    await second.stop()
  }
})

test('without OCR an image names the package to install', async () => {
  const edge = await worker({ DOSSIER_TESSDATA: '/nonexistent' })
  try {
    const document = await put({ name: unique('scan.bmp'), bytes: whiteImage(), media_type: 'image/bmp' })
    const done = await finished(member, document.id, { url: receiver.url })
    assert.equal(done.status, 'unsupported', done.error_message)
    assert.equal(done.error_code, 'needs_ocr')
    assert.match(done.error_message, /install|tesseract/i)
  } finally {
    await edge.stop()
  }
})

test('several edges share the work, and no document is extracted twice', { timeout: 120_000 }, async () => {
  const session = await newSession(member, {}, { url: receiver.url })
  const documents = []
  for (let index = 0; index < 12; index += 1) {
    documents.push(await uploaded(member, session.id, { ...fixture('table.pdf'), name: `share-${index}.pdf` }, { url: receiver.url }))
  }
  const edges = await Promise.all([worker(), worker(), worker()])
  try {
    for (const document of documents) {
      assert.equal((await finished(member, document.id, { url: receiver.url })).status, 'ready')
      const pages = await get(`/api/documents/${document.id}/pages`, { as: member, url: receiver.url })
      assert.equal(pages.json.pages.length, 1)
    }
    const [jobs] = await rows(`
      select count(*)::int as jobs, max(attempts) as attempts from dossier_private.jobs
      where kind = 'extract' and document_id in (select id from dossier.documents where session_id = '${session.id}')`, { url: database.url })
    assert.deepEqual(jobs, { jobs: 12, attempts: 1 })
  } finally {
    await Promise.all(edges.map((edge) => edge.stop()))
  }
})
