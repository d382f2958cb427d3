// Uploads in Chromium against a real edge and a real Postgres, from another origin.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { get, newSession, sha256 } from '../../../tests/e2e/lib/api.mjs'
import '../../../tests/e2e/lib/cleanup.mjs'
import { jwtSecret } from '../../../tests/e2e/lib/env.mjs'
import { member, viewer } from '../../../tests/e2e/lib/people.mjs'
import { sign } from '../../../tests/e2e/lib/token.mjs'
import { start } from './page.mjs'

const fixture = (path) => readFileSync(new URL(`../../../tests/fixtures/${path}`, import.meta.url))

let stack
before(async () => { stack = await start() }, { timeout: 400_000 })
after(() => stack?.stop())

/** Opens a page with `window.dossier` for `tokens`: the first is used until it is rejected, then the second. */
async function signedIn(...tokens) {
  const opened = await stack.open()
  await opened.page.evaluate(({ url, tokens }) => {
    window.renewals = 0
    let token = tokens[0]
    const getToken = ({ rejected }) => {
      if (rejected !== null) {
        window.renewals += 1
        token = tokens[1]
      }
      return token
    }
    window.dossier = window.client.createDossierClient({ url, getToken })
    /** Adds files, and records every state of each. */
    window.add = (sessionId, files) => {
      window.uploads = files.map(({ name, type, base64, size }) => {
        const bytes = base64 === undefined ? new Uint8Array(size).fill(120) : Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
        const upload = window.dossier.uploads.add(sessionId, new File([bytes], name, { type }))
        upload.log = [upload.getState()]
        upload.subscribe(() => upload.log.push(upload.getState()))
        return upload
      })
    }
    /** Resolves once every upload is in one of these states. */
    window.reach = async (...statuses) => {
      await Promise.all(window.uploads.map((upload) => new Promise((resolve) => {
        const look = () => statuses.includes(upload.getState().status) && resolve()
        upload.subscribe(look)
        look()
      })))
      return window.uploads.map((upload) => upload.getState())
    }
  }, { url: stack.edge.url, tokens })
  return opened
}

/** A picture of words, made by Chromium. */
async function picture(words) {
  const { page } = await stack.open()
  await page.setViewportSize({ width: 640, height: 200 })
  await page.setContent(`<p style="font: 48px sans-serif; margin: 60px 40px">${words}</p>`)
  return page.screenshot()
}

const asFile = (name, type, bytes) => ({ name, type, base64: bytes.toString('base64') })
const add = (page, sessionId, files) => page.evaluate(({ sessionId, files }) => window.add(sessionId, files), { sessionId, files })
const reach = (page, ...statuses) => page.evaluate((statuses) => window.reach(...statuses), statuses)

test('a PDF, a Word document and a picture become ready, with their progress', { timeout: 400_000 }, async () => {
  const session = await newSession(member, {}, { url: stack.edge.url })
  const { page, errors } = await signedIn(member.token)
  const files = [
    asFile('report.pdf', 'application/pdf', fixture('print/report.pdf')),
    asFile('hidden.docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document', fixture('office/hidden.docx')),
    asFile('whiteboard.png', 'image/png', await picture('QUARTERLY REPORT')),
    asFile('large.txt', 'text/plain', Buffer.from('A line of text.\n'.repeat(200_000))),
  ]
  await add(page, session.id, files)
  const states = await reach(page, 'ready', 'failed')
  for (const [index, state] of states.entries()) {
    assert.equal(state.status, 'ready', JSON.stringify(state.error))
    const content = await get(`/api/documents/${state.document.id}/content`, { as: member, url: stack.edge.url })
    assert.equal(sha256(content.bytes), sha256(Buffer.from(files[index].base64, 'base64')))
    assert.equal(state.sha256, sha256(content.bytes), 'the digest that was looked up is that of the file')
  }
  const logs = await page.evaluate(() => window.uploads.map(({ log }) => log.map(({ status, sent }) => ({ status, sent }))))
  for (const log of logs) {
    const order = ['queued', 'uploading', 'stored', 'reading', 'ready']
    const places = log.map(({ status }) => order.indexOf(status))
    assert.deepEqual(places, places.toSorted((one, other) => one - other), 'no state comes back')
    const sent = log.filter(({ status }) => status === 'uploading').map((state) => state.sent)
    assert.deepEqual(sent, sent.toSorted((one, other) => one - other), 'progress never goes back')
  }
  const pages = await get(`/api/documents/${states[2].document.id}/pages`, { as: member, url: stack.edge.url })
  assert.match(pages.json.pages[0].text, /QUARTERLY REPORT/, 'the words in the picture')
  assert.deepEqual(errors, [])
})

test('a file that cannot be extracted fails with the words of the server', { timeout: 200_000 }, async () => {
  const session = await newSession(member, {}, { url: stack.edge.url })
  const { page } = await signedIn(member.token)
  await add(page, session.id, [asFile('broken.pdf', 'application/pdf', fixture('print/report.pdf').subarray(0, 2_000))])
  const [state] = await reach(page, 'ready', 'failed')
  assert.equal(state.status, 'failed')
  const document = await get(`/api/documents/${state.document.id}`, { as: member, url: stack.edge.url })
  assert.deepEqual([state.error.code, state.error.message], [document.json.error_code, document.json.error_message])
})

test('the same bytes under another name are found before they are sent', { timeout: 200_000 }, async () => {
  const session = await newSession(member, {}, { url: stack.edge.url })
  const { page } = await signedIn(member.token)
  const bytes = Buffer.from('The same words.')
  await add(page, session.id, [asFile('Offer.txt', 'text/plain', bytes)])
  const [first] = await reach(page, 'ready')
  await add(page, session.id, [asFile('Copy of the offer.txt', 'text/plain', bytes)])
  const [second] = await reach(page, 'paused')
  assert.equal(second.waitsFor, 'decision')
  assert.equal(second.duplicate.name, 'Offer.txt')
  await page.evaluate(() => window.uploads[0].useExisting())
  const [taken] = await reach(page, 'ready')
  assert.equal(taken.document.id, first.document.id)
  const listed = await get(`/api/documents?session_id=${session.id}`, { as: member, url: stack.edge.url })
  assert.equal(listed.json.documents.length, 1)
})

test('a token that has expired is renewed once for all files', { timeout: 200_000 }, async () => {
  const session = await newSession(member, {}, { url: stack.edge.url })
  const expired = sign({ ...member.claims, exp: 1_000_000_000 }, { secret: jwtSecret })
  const { page } = await signedIn(expired, member.token)
  await add(page, session.id, ['a', 'b', 'c', 'd'].map((name) => asFile(`${name}.txt`, 'text/plain', Buffer.from(name))))
  const states = await reach(page, 'ready', 'failed')
  assert.deepEqual(states.map(({ status }) => status), ['ready', 'ready', 'ready', 'ready'])
  assert.equal(await page.evaluate(() => window.renewals), 1)
})

test('a token that expires between two pieces of a file is renewed once, and nothing is sent twice', { timeout: 200_000 }, async () => {
  const session = await newSession(member, {}, { url: stack.edge.url })
  const expired = sign({ ...member.claims, exp: 1_000_000_000 }, { secret: jwtSecret })
  const { page } = await signedIn(member.token)
  const sent = []
  page.on('response', (response) => {
    if (response.request().method() === 'PATCH') sent.push({ offset: Number(response.request().headers()['upload-offset']), status: response.status() })
  })
  await page.evaluate(({ url, sessionId, valid, expired }) => {
    let token = valid
    window.renewals = 0
    const getToken = ({ rejected }) => {
      if (rejected !== null) {
        window.renewals += 1
        token = valid
      }
      return token
    }
    window.dossier = window.client.createDossierClient({ url, getToken, uploads: { resumableFrom: 1_000_000, partBytes: 1_000_000 } })
    const text = Array.from({ length: 250_000 }, (_, index) => `${String(index).padStart(15, '0')}\n`).join('')
    window.uploads = [window.dossier.uploads.add(sessionId, new File([text], 'large.txt', { type: 'text/plain' }))]
    const stop = window.uploads[0].subscribe(() => {
      if (window.uploads[0].getState().sent < 2_000_000) return
      stop()
      token = expired
    })
  }, { url: stack.edge.url, sessionId: session.id, valid: member.token, expired })
  const [state] = await reach(page, 'ready', 'failed')
  assert.equal(state.status, 'ready', JSON.stringify(state.error))
  assert.equal(await page.evaluate(() => window.renewals), 1)
  assert.deepEqual(sent.filter(({ status }) => status === 204).map(({ offset }) => offset), [0, 1_000_000, 2_000_000, 3_000_000])
  const { json } = await get(`/api/documents/${state.document.id}`, { as: member, url: stack.edge.url })
  assert.deepEqual([json.size_bytes, json.sha256], [4_000_000, state.sha256])
})

test('without a network an upload waits without an error, and continues by itself', { timeout: 200_000 }, async () => {
  const session = await newSession(member, {}, { url: stack.edge.url })
  const { page, context } = await signedIn(member.token)
  await context.setOffline(true)
  await add(page, session.id, [asFile('a.txt', 'text/plain', Buffer.from('Hello'))])
  await page.waitForFunction(() => window.uploads[0].getState().waitsFor === 'connection')
  assert.equal(await page.evaluate(() => window.uploads[0].getState().error), null)
  await context.setOffline(false)
  const [state] = await reach(page, 'ready', 'failed')
  assert.equal(state.status, 'ready')
})

test('a file whose response was lost is stored once', { timeout: 200_000 }, async () => {
  const session = await newSession(member, {}, { url: stack.edge.url })
  const { page } = await signedIn(member.token)
  const fetched = page.waitForRequest((request) => request.method() === 'POST' && request.url().endsWith('/api/documents'))
  await page.route('**/api/documents', async (route) => {
    // The edge stores the file, and its response is lost.
    if (route.request().method() !== 'POST') return route.continue()
    await route.fetch()
    await route.abort('connectionreset')
    await page.unroute('**/api/documents')
  })
  await add(page, session.id, [asFile('a.txt', 'text/plain', Buffer.from('Only once'))])
  await fetched
  const [state] = await reach(page, 'ready', 'failed')
  assert.equal(state.status, 'ready')
  const listed = await get(`/api/documents?session_id=${session.id}`, { as: member, url: stack.edge.url })
  assert.deepEqual(listed.json.documents.map(({ id }) => id), [state.document.id])
})

test('every refusal has a reason and a hint', { timeout: 200_000 }, async () => {
  const session = await newSession(member, {}, { url: stack.edge.url })
  const { page } = await signedIn(member.token)
  await add(page, session.id, [
    asFile('setup.exe', 'application/x-msdownload', Buffer.from('MZ\x90\x00')),
    { name: 'large.txt', type: 'text/plain', size: 10 * 1024 * 1024 + 1 },
  ])
  const states = await reach(page, 'failed', 'ready')
  assert.deepEqual(states.map(({ error }) => error?.code), ['PT415', 'PT413'])

  const reading = await signedIn(viewer.token)
  await add(reading.page, session.id, [asFile('a.txt', 'text/plain', Buffer.from('a'))])
  const [refused] = await reach(reading.page, 'failed', 'ready')
  assert.equal(refused.error?.code, '42501')
  for (const { error } of [...states, refused]) {
    assert.ok(error.message.length > 3)
    assert.ok(error.hint.length > 3)
  }
})
