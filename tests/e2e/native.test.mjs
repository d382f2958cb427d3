// The SQL functions of the native extension: they read files, and stop when Postgres says stop.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isNative } from './lib/database.mjs'
import { fixturesDirectory } from './lib/env.mjs'
import { fixture } from './lib/fixtures.mjs'
import { until } from './lib/net.mjs'
import { literal, postmasterStart, psql, psqlInBackground, rows, value } from './lib/psql.mjs'

const skip = (await isNative()) ? false : 'the database under test has no native extension'
const bytes = (name) => `decode('${readFileSync(join(fixturesDirectory, name)).toString('base64')}', 'base64')`

/** The ids of the workers that run now. */
function workers() {
  return new Promise((done) => {
    execFile('pgrep', ['-f', 'dossier-extract-worker'], (error, stdout) => done(stdout.split('\n').filter(Boolean).sort()))
  })
}

const noNewWorker = (before) => until('the worker gone', async () =>
  (await workers()).every((pid) => before.includes(pid)), { seconds: 5 })

/** Reads one file again and again for minutes, whatever a single reading costs. */
const slowStatement = () =>
  `select count(dossier.extract_text(content || convert_to(turn::text, 'UTF8'))) from (values (${bytes('10mib.txt')})) as file (content), generate_series(1, 100000) as turn`

test('pages, text and types are read in SQL', { skip }, async () => {
  const pages = await rows(`select page, text, source, confidence, engine from dossier.extract_pages(${bytes('report.pdf')})`)
  assert.deepEqual(pages.map((page) => page.page), [1, 2, 3])
  assert.match(pages[2].text, /canteen at Felixstowe/)
  assert.ok(pages.every((page) => page.source === 'text' && page.engine))
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
  const before = await workers()
  const started = Date.now()
  await assert.rejects(
    psql(`set statement_timeout = '700ms'; ${slowStatement()}`),
    /canceling statement due to statement timeout/)
  assert.ok(Date.now() - started < 5_000, `${Date.now() - started} ms`)
  await noNewWorker(before)
})

for (const [call, pattern] of [['pg_cancel_backend', /canceling statement due to user request/], ['pg_terminate_backend', /terminating connection|server closed/]]) {
  test(`${call} ends the statement and its worker`, { skip, timeout: 60_000 }, async () => {
    const before = await workers()
    const mark = `mark-${call}-${process.pid}`
    const running = psqlInBackground(`set application_name = ${literal(mark)}; ${slowStatement()}`)
    const pid = await until('a worker under way', async () => {
      const [row] = await rows(`select pid from pg_stat_activity where application_name = ${literal(mark)} and state = 'active'`)
      const now = await workers()
      return row && now.some((worker) => !before.includes(worker)) && row.pid
    })
    assert.equal(await value(`select ${call}(${pid})`), true)
    const { code, stderr } = await running.ended
    assert.notEqual(code, 0)
    assert.match(stderr, pattern)
    await noNewWorker(before)
  })
}

test('a client that goes away does not leave its worker running for good', { skip, timeout: 90_000 }, async () => {
  const before = await workers()
  const running = psqlInBackground(`set client_connection_check_interval = '200ms'; ${slowStatement()}`)
  await until('a worker under way', async () => (await workers()).some((worker) => !before.includes(worker)))
  running.kill()
  await until('the worker gone', async () => (await workers()).every((pid) => before.includes(pid)), { seconds: 70 })
})
