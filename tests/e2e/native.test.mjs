// The SQL functions of the native extension: they extract text, and stop when Postgres cancels them.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { isNative } from './lib/database.mjs'
import { fixturesDirectory } from './lib/env.mjs'
import { fixture } from './lib/fixtures.mjs'
import { until } from './lib/net.mjs'
import { literal, postmasterStart, psql, psqlInBackground, rows, value } from './lib/psql.mjs'

const skip = (await isNative()) ? false : 'the database under test has no native extension'
const bytes = (name) => `decode('${readFileSync(join(fixturesDirectory, name)).toString('base64')}', 'base64')`

/** The ids of running workers that this backend started or whose parent is gone. */
function workersOf(backend) {
  const read = (pid, file) => { try { return readFileSync(`/proc/${pid}/${file}`, 'utf8') } catch { return '' } }
  const isWorker = (pid) => read(pid, 'cmdline').split('\0')[0].endsWith('dossier-extract-worker')
  const parentOf = (pid) => read(pid, 'status').match(/^PPid:\s+(\d+)$/m)?.[1]
  const hasOwner = (parent) => /^(postgres|dossier-)/.test(read(parent, 'comm'))
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid) || !isWorker(pid)) return false
    const parent = parentOf(pid)
    return parent !== undefined && (parent === String(backend) || !hasOwner(parent))
  })
}

/** A program in place of the worker, which never ends. */
function endlessWorker() {
  const program = join(mkdtempSync(join(tmpdir(), 'dossier-e2e-')), 'worker')
  chmodSync(dirname(program), 0o755)
  writeFileSync(program, '#!/bin/sh\nexec /usr/bin/sleep 600\n', { mode: 0o755 })
  return program
}

const noWorkerOf = (backend) => until('no worker left', () => workersOf(backend).length === 0, { seconds: 5 })

/** Starts the slow statement; resolves once a worker of its backend runs. */
async function underWay(settings = '') {
  const mark = `native-${randomUUID()}`
  const running = psqlInBackground(`set application_name = ${literal(mark)}; ${settings}; ${slowStatement()}`)
  const backend = await until('a worker under way', async () => {
    const [row] = await rows(`select pid from pg_stat_activity where application_name = ${literal(mark)} and state = 'active'`)
    return row && workersOf(row.pid).length > 0 && row.pid
  })
  return { ...running, backend }
}

/** Extracts one file repeatedly for minutes, however long a single extraction takes. */
const slowStatement = () =>
  `select count(dossier.extract_text(content || convert_to(turn::text, 'UTF8'))) from (values (${bytes('10mib.txt')})) as file (content), generate_series(1, 100000) as turn`

test('pages, text and types are extracted in SQL', { skip }, async () => {
  const pages = await rows(`select page, text, source, confidence from dossier.extract_pages(${bytes('report.pdf')})`)
  assert.deepEqual(pages.map((page) => page.page), [1, 2, 3])
  assert.match(pages[2].text, /canteen at Felixstowe/)
  assert.ok(pages.every((page) => page.source === 'text'))
  const text = await value(`select dossier.extract_text(${bytes('minutes.docx')})`)
  assert.match(text, /The dredging contract was renewed/)
  assert.equal(await value(`select dossier.detect_media_type(${bytes('minutes.docx')})`), fixture('minutes.docx').media_type)
  assert.equal(await value(`select dossier.detect_media_type(${bytes('report.pdf')})`), 'application/pdf')
  assert.equal(await value(`select dossier.extract_text(null::bytea)`), null)
})

test('a hostile file is an error of the statement, not of the server', { skip, timeout: 120_000 }, async () => {
  const started = await postmasterStart()
  for (const name of ['form-draws-itself.pdf', 'deflate-bomb.pdf', 'zip-bomb-text.docx', 'deep-nest.docx', 'password.pdf', 'header-only.pdf']) {
    await assert.rejects(psql(`select dossier.extract_text(${bytes(name)})`), (error) => {
      assert.match(error.message, /^ERROR: /, name)
      assert.doesNotMatch(error.message, /server closed|terminat|panicked/)
      return true
    })
  }
  assert.equal(await postmasterStart(), started)
})

test('API roles cannot call them', { skip }, async () => {
  for (const role of ['anon', 'authenticated']) {
    await assert.rejects(psql(`set role ${role}; select dossier.extract_text('\\x61')`), /permission denied/)
  }
})

test('statement_timeout ends the statement and its worker', { skip, timeout: 60_000 }, async () => {
  const { ended, backend } = await underWay("set statement_timeout = '3s'")
  const started = Date.now()
  const { code, stderr } = await ended
  assert.ok(Date.now() - started < 10_000, `${Date.now() - started} ms`)
  assert.notEqual(code, 0)
  assert.match(stderr, /canceling statement due to statement timeout/)
  await noWorkerOf(backend)
})

test('statement_timeout applies in the middle of a hostile file', { skip, timeout: 60_000 }, async () => {
  const started = Date.now()
  await assert.rejects(
    psql(`set statement_timeout = '300ms'; select dossier.extract_text(${bytes('deflate-bomb.pdf')})`),
    /canceling statement due to statement timeout/)
  assert.ok(Date.now() - started < 3_000, `${Date.now() - started} ms`)
})

for (const [call, pattern] of [['pg_cancel_backend', /canceling statement due to user request/], ['pg_terminate_backend', /terminating connection|server closed/]]) {
  test(`${call} ends the statement and its worker`, { skip, timeout: 60_000 }, async () => {
    const { ended, backend } = await underWay()
    assert.equal(await value(`select ${call}(${backend})`), true)
    const { code, stderr } = await ended
    assert.notEqual(code, 0)
    assert.match(stderr, pattern)
    await noWorkerOf(backend)
  })
}

test('a client that disconnects does not leave its worker running', { skip, timeout: 60_000 }, async () => {
  const { kill, backend } = await underWay("set client_connection_check_interval = '200ms'")
  kill()
  await until('the backend gone', async () => (await rows(`select 1 from pg_stat_activity where pid = ${backend}`)).length === 0)
  await noWorkerOf(backend)
})

test('another extraction under way is nobody else\'s business', { skip, timeout: 60_000 }, async () => {
  const { kill, backend } = await underWay("set client_connection_check_interval = '200ms'")
  const { code, stderr } = await psqlInBackground("select dossier.extract_text('Its own slot.')").ended
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
  kill()
  await noWorkerOf(backend)
})

test('extractions that wait for a slot form a queue, and show what they wait for', { skip, timeout: 60_000 }, async () => {
  const endless = endlessWorker()
  const pidOf = (mark, wait) => until(`a session that waits (${wait})`, async () => {
    const [row] = await rows(`select pid from pg_stat_activity where application_name = ${literal(mark)} and wait_event_type = ${literal(wait)}`)
    return row?.pid
  })
  const start = (mark, settings = '') => psqlInBackground(`set application_name = ${literal(mark)}; ${settings};
    set dossier.max_concurrent_extractions = 1; select dossier.extract_text('x'); select 'done ' || clock_timestamp()`)
  const [holder, first, second] = ['holder', 'first', 'second'].map((name) => `${name}-${randomUUID()}`)
  const holding = start(holder, `set dossier.worker_path = ${literal(endless)}`)
  const backend = await pidOf(holder, 'Extension')
  const queued = []
  for (const [mark, wait] of [[first, 'Extension'], [second, 'Lock']]) {
    queued.push(start(mark))
    await pidOf(mark, wait)
  }
  assert.equal(await value(`select pg_cancel_backend(${backend})`), true)
  assert.notEqual((await holding.ended).code, 0)
  const outcomes = await Promise.all(queued.map((session) => session.ended))
  assert.deepEqual(outcomes.map(({ code, stderr }) => ({ code, stderr })), [{ code: 0, stderr: '' }, { code: 0, stderr: '' }])
  const [earlier, later] = outcomes.map(({ stdout }) => stdout.trim().split('\n').at(-1))
  assert.ok(earlier < later, `the first of the queue: ${earlier}, the second: ${later}`)
})

/** A document of a new session with a job that this test owns. No other worker can claim it. */
async function claimedJob(text) {
  const user = `native-${randomUUID()}`
  return JSON.parse(await psql(`
    create function pg_temp.claimed_job(owner text, content bytea, out id uuid, out job bigint) language plpgsql as $$
    begin
      perform set_config('request.jwt.claims', json_build_object('sub', owner, 'role', 'authenticated')::text, true), set_config('role', 'authenticated', true);
      perform dossier.create_organization(owner);
      id := (dossier.begin_upload((dossier.create_session(owner)).id, 'slow.txt')).id;
      perform dossier.append_upload(id, 0, content);
      perform dossier.finish_upload(id, octet_length(content), encode(sha256(content), 'hex'));
      perform set_config('role', 'none', true);
      update dossier_private.jobs as j set status = 'running', attempts = 1, worker = 'test', lease_expires_at = now() + interval '1 hour'
      where j.document_id = claimed_job.id and j.kind = 'extract' returning j.id into job;
    end $$;
    select row_to_json(c) from pg_temp.claimed_job(${literal(user)}, convert_to(${literal(text)}, 'UTF8')) as c`))
}

/** Waits until a session with this name waits for its worker. */
const readingSession = (mark) => until('a worker under way', async () => {
  const [row] = await rows(`select pid, backend_xmin, backend_xid, state from pg_stat_activity
    where application_name = ${literal(mark)} and wait_event_type = 'Extension'`)
  return row
})

// As an edge runs it, and as an operator might.
for (const [how, call] of [
  ['in a transaction', (job) => `begin; set local role service_role; call dossier.run_job(${job}, 1); select dossier.job_outcome(${job}, 1); commit`],
  ['as a statement of its own', (job) => `set role service_role; call dossier.run_job(${job}, 1); select dossier.job_outcome(${job}, 1)`],
  ['in a block', (job) => `do $$ begin call dossier.run_job(${job}, 1); end $$; select dossier.job_outcome(${job}, 1)`],
]) {
  test(`a job ${how} holds no snapshot while its file is read`, { skip, timeout: 60_000 }, async () => {
    const { id, job } = await claimedJob('It takes long to read this.')
    const mark = `native-${randomUUID()}`
    const running = psqlInBackground(`set application_name = ${literal(mark)}; set dossier.worker_path = ${literal(endlessWorker())}; ${call(job)}`)
    const session = await readingSession(mark)
    assert.deepEqual(session, { pid: session.pid, backend_xmin: null, backend_xid: null, state: 'active' })
    // Its lease is extended meanwhile.
    assert.equal(await value(`select dossier.extend_lease(${job}, 1)`), true)
    assert.equal(await value(`select pg_cancel_backend(${session.pid})`), true)
    assert.match((await running.ended).stderr, /canceling statement due to user request/)

    const { code, stdout, stderr } = await psqlInBackground(call(job)).ended
    assert.deepEqual({ code, stderr, stdout: stdout.trim() }, { code: 0, stderr: '', stdout: 'ready' })
    assert.equal(await value(`select text from dossier.document_pages where document_id = ${literal(id)}`), 'It takes long to read this.')
  })
}

test('a job whose attempt ended while its file was read changes nothing', { skip, timeout: 60_000 }, async () => {
  const { id, job } = await claimedJob('Read in vain.')
  const mark = `native-${randomUUID()}`
  const folder = mkdtempSync(join(tmpdir(), 'dossier-e2e-'))
  const [gate, worker] = [join(folder, 'gate'), join(folder, 'worker')]
  chmodSync(folder, 0o755)
  execFileSync('mkfifo', ['-m', '666', gate])
  const program = await value(`select coalesce(nullif(current_setting('dossier.worker_path', true), ''),
    (select setting || '/dossier-extract-worker' from pg_config() where name = 'BINDIR'))`)
  writeFileSync(worker, `#!/bin/sh\nread line <${gate}\nexec ${program} "$@"\n`, { mode: 0o755 })
  const running = psqlInBackground(`set application_name = ${literal(mark)}; set dossier.worker_path = ${literal(worker)};
    call dossier.run_job(${job}, 1); select coalesce(dossier.job_outcome(${job}, 1), 'lost')`)
  await readingSession(mark)
  await psql(`update dossier_private.jobs set attempts = 2, failures = 1 where id = ${job}`)
  writeFileSync(gate, 'go\n')
  const { code, stdout, stderr } = await running.ended
  assert.deepEqual({ code, stderr, stdout: stdout.trim() }, { code: 0, stderr: '', stdout: 'lost' })
  assert.equal(await value(`select status from dossier.documents where id = ${literal(id)}`), 'stored')
})
