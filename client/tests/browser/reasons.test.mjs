// Whatever stops a file, its row says so, and it continues once the reason is gone. What happens is spoken, too.

import assert from 'node:assert/strict'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { get, newSession, post, unique, uploaded } from '../../../tests/e2e/lib/api.mjs'
import '../../../tests/e2e/lib/cleanup.mjs'
import { newDatabase } from '../../../tests/e2e/lib/database.mjs'
import { startEdge } from '../../../tests/e2e/lib/edge.mjs'
import { jwtSecret } from '../../../tests/e2e/lib/env.mjs'
import { listen } from '../../../tests/e2e/lib/net.mjs'
import { member, owner } from '../../../tests/e2e/lib/people.mjs'
import { psql } from '../../../tests/e2e/lib/psql.mjs'
import { sign } from '../../../tests/e2e/lib/token.mjs'
import { newWindow, open, openTab, shows } from './demo.mjs'
import { report } from './report.mjs'

const pdf = (name = 'report.pdf') => ({ name, mimeType: 'application/pdf', buffer: report })
const text = (name, content) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(content) })
const row = (page, name) => page.locator('li').filter({ has: page.getByText(name, { exact: true }) })
const add = async (page, files) => {
  await page.getByRole('button', { name: 'Add files' }).waitFor()
  await page.setInputFiles('.dossier-documents [data-dossier-input=files]', files)
}

/** A conversation of its own, and its address. */
async function conversation({ url } = {}) {
  const session = await newSession(member, { title: unique('Reasons') }, { url })
  return { session, path: `/#/conversations/${session.id}` }
}

test('without a network a file waits, and goes on by itself when it is back', async () => {
  const { path } = await conversation()
  const window = await newWindow()
  const page = await openTab(window, { as: member, path })
  await page.getByRole('button', { name: 'Add files' }).waitFor()
  await window.setOffline(true)
  await shows(page, /^You are offline\./)
  await add(page, [pdf()])
  await shows(row(page, 'report.pdf'), 'Waiting for a connection')
  await window.setOffline(false)
  await shows(row(page, 'report.pdf'), 'Ready, 3 pages')
  await page.getByText(/^You are offline\./).waitFor({ state: 'detached' })
})

test('a token that expires while files are sent: they wait, and one sign-in continues them all', async () => {
  const users = [{ email: member.email, id: member.sub, organization: 'Acme', role: 'member' }]
  const edge = await startEdge({ DEMO_USERS: JSON.stringify(users) })
  try {
    const { session, path } = await conversation()
    const expiring = { token: sign({ ...member.claims, exp: Math.floor(Date.now() / 1000) + 40 }, { secret: jwtSecret }) }
    const page = await open({ as: expiring, path, url: edge.url })
    const gate = withResolvers()
    await page.route('**/api/documents', async (route) => {
      if (route.request().method() === 'POST') await gate.promise
      await route.continue()
    })
    const names = ['a.txt', 'b.txt', 'c.txt', 'd.txt', 'e.txt']
    await add(page, names.map((name) => text(name, `The file ${name}`)))
    await shows(row(page, 'a.txt'), /^Uploading/)
    await shows(row(page, 'e.txt'), 'Waiting')
    await page.getByRole('alert').filter({ hasText: 'Your session has ended.' }).waitFor()
    gate.resolve()
    await shows(row(page, 'e.txt'), 'Waiting for you to sign in again')
    await page.getByRole('button', { name: 'Sign in again' }).click()
    for (const name of names) await shows(row(page, name), 'Ready, 1 page')
    await page.getByText('Your session has ended.').waitFor({ state: 'detached' })
    const { documents } = (await get(`/api/documents?session_id=${session.id}`, { as: member })).json
    assert.deepEqual(documents.map(({ name }) => name).sort(), names)
  } finally {
    await edge.stop()
  }
})

/** Promise.withResolvers, which Node 20 does not have. */
function withResolvers() {
  const gate = {}
  gate.promise = new Promise((resolve, reject) => Object.assign(gate, { resolve, reject }))
  return gate
}

/** An address that stays while the edge behind it changes. */
async function address(edge) {
  let target = edge
  const sockets = new Set()
  const server = createServer((socket) => {
    const behind = connect(Number(new URL(target.url).port), '127.0.0.1')
    for (const end of [socket, behind]) {
      sockets.add(end)
      end.on('close', () => sockets.delete(end))
      end.on('error', () => (socket.destroy(), behind.destroy()))
    }
    socket.pipe(behind).pipe(socket)
  })
  return {
    url: await listen(server),
    to: (next) => { target = next },
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

test('an edge that is killed: files wait for the connection, and the next edge gets them', async () => {
  const first = await startEdge()
  const place = await address(first)
  let second
  try {
    const { session, path } = await conversation()
    const page = await open({ as: member, path, url: place.url })
    await page.getByRole('button', { name: 'Add files' }).waitFor()
    first.signal('SIGKILL')
    await first.ended
    await add(page, [pdf()])
    await shows(row(page, 'report.pdf'), 'Waiting for a connection')
    second = await startEdge()
    place.to(second)
    await shows(row(page, 'report.pdf'), 'Ready, 3 pages')
    const { documents } = (await get(`/api/documents?session_id=${session.id}`, { as: member })).json
    assert.equal(documents.length, 1)
  } finally {
    place.close()
    await second?.stop()
  }
})

test('a worker that is killed: the row says why there is no text, and extracting again helps', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dossier-worker-'))
  const killed = join(folder, 'worker')
  await writeFile(killed, '#!/bin/sh\nkill -KILL $$\n')
  await chmod(killed, 0o755)
  const database = await newDatabase({ native: false, name: `dossier_browser_${process.pid}` })
  let edge = await startEdge({ DATABASE_URL: database.edgeUrl, DOSSIER_EXTRACT_WORKER: killed })
  const place = await address(edge)
  try {
    const { path } = await conversation({ url: edge.url })
    const page = await open({ as: member, path, url: place.url })
    await add(page, [pdf()])
    const { documents } = await stored(page)
    const reason = await failed(documents[0].id, edge.url)
    await shows(row(page, 'report.pdf'), reason)
    await edge.stop()
    edge = await startEdge({ DATABASE_URL: database.edgeUrl })
    place.to(edge)
    await page.getByLabel('Actions for report.pdf').click()
    await page.getByRole('button', { name: 'Read again' }).click()
    await shows(row(page, 'report.pdf'), 'Ready, 3 pages')
  } finally {
    place.close()
    await edge.stop()
    await database.drop()
    await rm(folder, { recursive: true })
  }
})

const stored = async (page) =>
  (await page.waitForResponse((response) => response.request().method() === 'POST' && response.url().endsWith('/api/documents'))).json()

test('a full organization: the reason and what to do, before a byte is sent', async () => {
  const organization = (await post('/api/organizations', { name: unique('Full') }, { as: owner })).json
  const session = await newSession(owner, { organization_id: organization.id })
  await uploaded(owner, session.id, { name: 'first.txt', media_type: 'text/plain', bytes: Buffer.from('first') }, { wait: 20 })
  await psql(`set role service_role; select dossier.set_quota('${organization.id}', max_documents => 1)`)
  const page = await open({ as: owner, path: `/#/conversations/${session.id}` })
  let sent = 0
  page.on('request', (request) => { if (request.method() === 'POST' && request.url().endsWith('/api/documents')) sent += 1 })
  await add(page, [pdf()])
  const { checks } = (await post('/api/uploads/explain', { session_id: session.id, name: 'x', media_type: 'text/plain', size_bytes: 1 }, { as: owner })).json
  const { message, hint } = checks.find(({ passed }) => passed === false)
  const state = row(page, 'report.pdf').locator('.dossier-state')
  await state.filter({ hasText: message }).waitFor()
  assert.ok((await state.textContent()).includes(hint), 'the hint of the server, verbatim')
  assert.equal(sent, 0)

  await psql(`set role service_role; select dossier.set_quota('${organization.id}', max_documents => 2)`)
  await page.getByRole('button', { name: 'Retry report.pdf' }).click()
  await shows(row(page, 'report.pdf'), 'Ready, 3 pages')
})

test('what is spoken about three uploads is what the transcript says', async () => {
  const { path } = await conversation()
  const page = await open({ as: member })
  await page.addInitScript(() => {
    globalThis.spoken = []
    new MutationObserver((changes) => {
      for (const { target } of changes) {
        const region = (target.nodeType === Node.TEXT_NODE ? target.parentElement : target)?.closest?.('[data-dossier-live]')
        if (region?.textContent) globalThis.spoken.push(...region.textContent.split('. ').map((said) => `${region.dataset.dossierLive}: ${said}`))
      }
    }).observe(document, { childList: true, characterData: true, subtree: true })
  })
  const gates = new Map(['one.txt', 'two.txt', 'three.exe'].map((name) => [name, withResolvers()]))
  // Each file is held until the one before has been spoken about: the order of events is that of the transcript.
  await page.route(/\/api\/(documents|uploads\/explain)$/, async (route) => {
    const body = route.request().postDataBuffer()?.toString('latin1') ?? ''
    const name = [...gates.keys()].find((each) => body.includes(`"${each}"`))
    if (route.request().method() === 'POST' && name) await gates.get(name).promise
    await route.continue()
  })
  await page.goto(new URL(path, page.url()).href)
  await page.reload()
  await add(page, [text('one.txt', 'x'.repeat(1000)), text('two.txt', 'y'.repeat(1000)), { ...text('three.exe', 'MZ\x90\x00'), mimeType: 'application/x-msdownload' }])
  const spoken = () => page.evaluate(() => globalThis.spoken)
  const says = (part) => page.waitForFunction((wanted) => globalThis.spoken.some((line) => line.includes(wanted)), part)
  await says('Uploading 3 files')
  gates.get('one.txt').resolve()
  await says('one.txt uploaded')
  gates.get('three.exe').resolve()
  await says('three.exe')
  gates.get('two.txt').resolve()
  await says('two.txt uploaded')
  await shows(row(page, 'two.txt'), 'Ready, 1 page')
  const transcript = await readFile(new URL('spoken.txt', import.meta.url), 'utf8')
  assert.deepEqual(await spoken(), transcript.trimEnd().split('\n'))
})

/** Waits until the extraction has failed; returns the reason. */
async function failed(id, url) {
  const response = await get(`/api/documents/${id}`, { as: member, url })
  const { status, error_message: reason } = response.json
  if (status === 'failed') return reason
  assert.notEqual(status, 'ready')
  await new Promise((done) => setTimeout(done, 100))
  return failed(id, url)
}
