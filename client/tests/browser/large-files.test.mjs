// Large files, which go in pieces: interrupted half-way by a reload, a dead edge, no network, another window. What arrived is
// not sent again.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { get, newSession, unique } from '../../../tests/e2e/lib/api.mjs'
import '../../../tests/e2e/lib/cleanup.mjs'
import { newDatabase } from '../../../tests/e2e/lib/database.mjs'
import { startEdge } from '../../../tests/e2e/lib/edge.mjs'
import { until } from '../../../tests/e2e/lib/net.mjs'
import { member } from '../../../tests/e2e/lib/people.mjs'
import { psql } from '../../../tests/e2e/lib/psql.mjs'
import { countedAddress } from './counted.mjs'
import { newWindow, openTab, shows } from './demo.mjs'

const MB = 1_000_000
/** The heads of requests, above all of those that ask for news. */
const HEADS = 300_000

let database
let folder
const begin = () => startEdge({ DATABASE_URL: database.edgeUrl, EXTRACT_WORKERS: '0' })
before(async () => {
  database = await newDatabase({ native: false, name: `dossier_large_${process.pid}` })
  await psql("update dossier_private.settings set value = '100000000' where name = 'max_file_bytes'", { url: database.url })
  folder = await mkdtemp(join(tmpdir(), 'dossier-large-'))
}, { timeout: 400_000 })
after(async () => {
  await database?.drop()
  if (folder) await rm(folder, { recursive: true })
})

/** A text file whose pieces all differ. */
async function textFile(name, size) {
  const line = (number) => `${String(number).padStart(15, '0')}\n`
  const bytes = Buffer.from(Array.from({ length: size / 16 }, (_, index) => line(index)).join(''))
  const path = join(folder, name)
  await writeFile(path, bytes)
  return { path, name, size, sha256: createHash('sha256').update(bytes).digest('hex') }
}

const row = (page, name) => page.locator('li').filter({ has: page.getByText(name, { exact: true }) })
const add = async (page, { path }) => {
  await page.getByRole('button', { name: 'Add files' }).waitFor()
  await page.setInputFiles('.dossier-documents [data-dossier-input=files]', path)
}

/** A conversation behind a counted address, and its documents as the edge knows them. */
async function conversation(edge) {
  const place = await countedAddress(edge)
  const session = await newSession(member, { title: unique('Large files') }, { url: edge.url })
  const list = async (url) => (await get(`/api/documents?session_id=${session.id}`, { as: member, url })).json.documents
  const unfinished = async (url) => (await get(`/api/uploads?session_id=${session.id}`, { as: member, url })).json.uploads
  return {
    place,
    path: `/#/conversations/${session.id}`,
    offset: async (url) => (await unfinished(url))[0].offset,
    /** Asserts that this file is there, once, with all of its bytes. */
    async has({ name, size, sha256 }, url) {
      const documents = await list(url)
      assert.deepEqual(documents.map((each) => [each.name, each.size_bytes, each.sha256]), [[name, size, sha256]])
      assert.deepEqual(await unfinished(url), [])
    },
  }
}

test('60 MB, reloaded at 40 %, are completed with the missing bytes alone', { timeout: 500_000 }, async () => {
  const edge = await begin()
  const { place, path, offset, has } = await conversation(edge)
  try {
    const file = await textFile('report.txt', 60 * MB)
    const page = await openTab(await newWindow(), { as: member, path, url: place.url })
    const held = place.hold(24 * MB)
    await add(page, file)
    await held
    await shows(row(page, 'report.txt'), /^Uploading \d+%/)
    await page.reload()
    place.drop()
    const line = await shows(row(page, 'report.txt'), /^Choose report\.txt again to continue at (3[5-9]|40)%$/)
    assert.ok(await line.isVisible())

    // Another file of the same size is refused, and changes nothing.
    const other = join(folder, 'other.txt')
    await writeFile(other, Buffer.alloc(60 * MB, 'x'))
    await page.setInputFiles('[data-dossier-input=again]', other)
    await shows(row(page, 'other.txt'), /^This is not the file whose upload was begun\. Choose the same file again/)
    await page.getByRole('button', { name: 'Remove other.txt' }).click()
    await row(page, 'other.txt').waitFor({ state: 'detached' })

    const missing = file.size - (await offset(edge.url))
    const before = place.sent()
    await page.setInputFiles('[data-dossier-input=again]', file.path)
    await shows(row(page, 'report.txt'), 'Stored')
    const sent = place.sent() - before
    assert.ok(sent <= missing + HEADS, `${sent} bytes were sent, and ${missing} were missing`)
    assert.ok(missing <= 37 * MB, `${missing} bytes were missing`)
    await has(file, edge.url)
  } finally {
    place.close()
    await edge.stop()
  }
})

test('adding the same file again continues it, too; cancelling deletes what arrived', { timeout: 300_000 }, async () => {
  const edge = await begin()
  const { place, path, offset, has } = await conversation(edge)
  try {
    const file = await textFile('minutes.txt', 16 * MB)
    const window = await newWindow()
    const page = await openTab(window, { as: member, path, url: place.url })
    const held = place.hold(8 * MB)
    await add(page, file)
    await held
    await page.close()
    place.drop()
    const next = await openTab(window, { as: member, path, url: place.url })
    await shows(row(next, 'minutes.txt'), /^Choose minutes\.txt again/)
    const missing = file.size - (await offset(edge.url))
    const before = place.sent()
    await add(next, file)
    await shows(row(next, 'minutes.txt'), 'Stored')
    assert.ok(place.sent() - before <= missing + HEADS)
    await has(file, edge.url)

    const second = await textFile('agenda.txt', 12 * MB)
    const again = place.hold(6 * MB)
    await add(next, second)
    await again
    await next.getByRole('button', { name: 'Pause upload of agenda.txt' }).click()
    await shows(row(next, 'agenda.txt'), /^Paused at \d+%$/)
    place.release()
    await next.getByRole('button', { name: 'Cancel upload of agenda.txt' }).click()
    await row(next, 'agenda.txt').waitFor({ state: 'detached' })
    await until('nothing of it left', async () => (await get('/api/uploads', { as: member, url: edge.url })).json.uploads.length === 0, { seconds: 60 })
    await has(file, edge.url)
  } finally {
    place.close()
    await edge.stop()
  }
})

test('an edge that is killed: the next one continues', { timeout: 300_000 }, async () => {
  const first = await begin()
  const { place, path, offset, has } = await conversation(first)
  let second
  try {
    const file = await textFile('berths.txt', 20 * MB)
    const page = await openTab(await newWindow(), { as: member, path, url: place.url })
    const held = place.hold(10 * MB)
    await add(page, file)
    await held
    // The bytes that have arrived are stored one after the other.
    await until('half of them stored', async () => (await offset(first.url)) > 7 * MB, { seconds: 60 })
    first.signal('SIGKILL')
    await first.ended
    await shows(row(page, 'berths.txt'), 'Waiting for a connection')
    second = await begin()
    const missing = file.size - (await offset(second.url))
    const before = place.sent()
    place.to(second)
    await shows(row(page, 'berths.txt'), 'Stored')
    assert.ok(place.sent() - before <= missing + HEADS, `${place.sent() - before} bytes were sent, and ${missing} were missing`)
    await has(file, second.url)
  } finally {
    place.close()
    await second?.stop()
  }
})

test('offline half-way, and back: it continues by itself', { timeout: 300_000 }, async () => {
  const edge = await begin()
  const { place, path, has } = await conversation(edge)
  try {
    const file = await textFile('tides.txt', 20 * MB)
    const window = await newWindow()
    const page = await openTab(window, { as: member, path, url: place.url })
    const held = place.hold(10 * MB)
    await add(page, file)
    await held
    await window.setOffline(true)
    // The request on its way may outlive that for a while; the next one cannot be sent.
    await page.getByRole('button', { name: 'Pause upload of tides.txt' }).click()
    await page.getByRole('button', { name: 'Resume upload of tides.txt' }).click()
    await shows(row(page, 'tides.txt'), 'Waiting for a connection')
    place.release()
    await window.setOffline(false)
    await shows(row(page, 'tides.txt'), 'Stored')
    await has(file, edge.url)
    assert.ok(place.sent() <= file.size + 5 * MB, `${place.sent()} bytes were sent of ${file.size}`)
  } finally {
    place.close()
    await edge.stop()
  }
})

test('a second tab takes over what the first one cannot send; both show the one document', { timeout: 300_000 }, async () => {
  const edge = await begin()
  const { place, path, has } = await conversation(edge)
  try {
    const file = await textFile('charter.txt', 20 * MB)
    const window = await newWindow()
    const first = await openTab(window, { as: member, path, url: place.url })
    const held = place.hold(8 * MB)
    await add(first, file)
    await held
    const second = await openTab(window, { as: member, path, url: place.url })
    await shows(row(second, 'charter.txt'), /^Choose charter\.txt again/)
    await second.setInputFiles('[data-dossier-input=again]', file.path)
    await shows(row(second, 'charter.txt'), 'Stored')
    place.release()
    await shows(row(first, 'charter.txt'), 'Stored')
    await has(file, edge.url)
  } finally {
    place.close()
    await edge.stop()
  }
})
