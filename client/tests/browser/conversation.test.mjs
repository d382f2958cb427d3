// The page of a conversation: its documents, search and viewer, its context in two tabs, and what a reload keeps.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { get, newSession, unique, uploaded } from '../../../tests/e2e/lib/api.mjs'
import '../../../tests/e2e/lib/cleanup.mjs'
import { startEdge } from '../../../tests/e2e/lib/edge.mjs'
import { jwtSecret } from '../../../tests/e2e/lib/env.mjs'
import { member, owner, stranger, viewer } from '../../../tests/e2e/lib/people.mjs'
import { sign } from '../../../tests/e2e/lib/token.mjs'
import { newWindow, open, openTab, shows } from './demo.mjs'
import { report } from './report.mjs'

const text = (name, content) => ({ name, media_type: 'text/plain', bytes: Buffer.from(content) })
const conversation = async (files = [], more = {}) => {
  const session = await newSession(member, { title: unique('First call'), ...more })
  for (const file of files) await uploaded(member, session.id, file, { wait: 30 })
  return { session, path: `/#/conversations/${session.id}` }
}
const field = (page) => page.getByRole('textbox', { name: 'Context' })

test('search opens the right page, with its words marked', async () => {
  const { path } = await conversation([
    { name: 'report.pdf', media_type: 'application/pdf', bytes: report },
    text('vertrag.txt', 'Bei Verzögerungen der Lieferung schuldet der Lieferant eine Vertragsstrafe. Die Lieferungen erfolgen monatlich.'),
    text('keiyaku.txt', '本契約は東京都の法律に従う。納期の遅延には違約金が発生する。'),
  ])
  const page = await open({ as: member, path })
  const search = page.getByRole('searchbox')
  for (const [query, name, number, expected] of [
    [await wordOfPage(page, 3), 'report.pdf', 3],
    ['Vertragsstrafe Lieferung', 'vertrag.txt', 1, /^(Vertragsstrafe|Liefer\p{L}+)$/u],
    ['東京都', 'keiyaku.txt', 1, /^東京都$/],
  ]) {
    await search.fill(query)
    await page.getByRole('link', { name: `${name} page ${number}` }).first().click()
    const marks = page.getByRole('group', { name: `${name}, page ${number} of` }).locator('mark')
    await marks.first().waitFor()
    for (const mark of await marks.allTextContents()) assert.match(mark, expected ?? new RegExp(`^${query}$`, 'i'))
    await page.getByText(new RegExp(`match(es)? for “${query}”`)).waitFor()
  }
  assert.match(page.url(), /[?&]q=/)

  /** A long word that stands on this page of the report alone. */
  async function wordOfPage(onPage, number) {
    const token = await onPage.evaluate(() => sessionStorage.getItem('dossier-demo:token'))
    const { documents } = (await get(`/api/documents?session_id=${path.split('/').at(-1)}`, { as: token })).json
    const { id } = documents.find(({ name }) => name === 'report.pdf')
    const { pages } = (await get(`/api/documents/${id}/pages`, { as: token })).json
    const wordsOf = (each) => each.text.toLowerCase().match(/\p{L}{7,}/gu) ?? []
    const elsewhere = new Set(pages.filter((each) => each.page !== number).flatMap(wordsOf))
    return wordsOf(pages.find((each) => each.page === number)).find((word) => !elsewhere.has(word))
  }
})

test('the panels speak German; a page has the language of its text', async () => {
  const { path } = await conversation([
    text('vertrag.txt', 'Bei Verzögerungen der Lieferung schuldet der Lieferant eine Vertragsstrafe. Die Lieferungen erfolgen monatlich.'),
    text('keiyaku.txt', '本契約は東京都の法律に従う。納期の遅延には違約金が発生する。'),
  ])
  const page = await open({ as: member, path, language: 'de' })
  const search = page.getByRole('searchbox', { name: 'In diesem Gespräch suchen' })
  for (const [query, name, language] of [['Vertragsstrafe', 'vertrag.txt', 'de'], ['違約金', 'keiyaku.txt', 'ja']]) {
    await search.fill(query)
    await page.getByRole('link', { name: `${name} Seite 1` }).first().click()
    const sheet = page.getByRole('group', { name: `${name}, Seite 1 von 1` })
    assert.equal(await sheet.locator('mark').first().textContent(), query)
    assert.equal(await sheet.locator('[lang]').getAttribute('lang'), language)
    await page.getByText(`1 Treffer für „${query}“`).waitFor()
  }
  await search.fill('Nirgendwo')
  await shows(page, /„Nirgendwo“/)
})

test('a citation opens its page with the words marked, and is refused to others', async () => {
  const { session } = await conversation([{ name: 'report.pdf', media_type: 'application/pdf', bytes: report }])
  const [{ id }] = (await get(`/api/documents?session_id=${session.id}`, { as: member })).json.documents
  const { pages } = (await get(`/api/documents/${id}/pages`, { as: member })).json
  const [word] = pages[1].text.match(/\p{L}{7,}/u)
  const page = await open({ as: member, path: `/documents/${id}#page=2&q=${word}` })
  const sheet = page.getByRole('group', { name: 'report.pdf, page 2 of 3' })
  await sheet.locator('mark').first().waitFor()
  for (const mark of await sheet.locator('mark').allTextContents()) assert.equal(mark.toLowerCase(), word.toLowerCase())
  await page.getByRole('heading', { name: session.title }).waitFor()
  assert.equal(new URL(page.url()).pathname, '/')

  // The address of a result is a citation, too: it can be opened elsewhere.
  await page.getByRole('searchbox').fill(word)
  const link = page.getByRole('link', { name: /^report\.pdf page/ }).first()
  const address = await link.evaluate((element) => element.href)
  assert.match(address, new RegExp(`/documents/${id}#page=\\d&q=${word}$`))
  const elsewhere = await open({ as: viewer, path: address })
  await elsewhere.locator('mark').first().waitFor()
  const other = await open({ as: stranger, path: address })
  await other.getByRole('heading', { name: 'This document is not here' }).waitFor()
  assert.equal(await other.locator('mark').count(), 0)
})

test('the membership decides what is offered, whatever the address of the user', async () => {
  const { path } = await conversation([], { context: { text: 'Forty seats.' } })
  const claims = { ...viewer.claims, email: 'anna@acme.example' }
  const page = await open({ as: { token: sign(claims, { secret: jwtSecret }) }, path })
  await shows(page, 'You are a viewer here: you can read and search.')
  await shows(page, 'You can read this context, but not change it.')
  assert.equal(await field(page).getAttribute('readonly'), '')
  assert.equal(await page.getByRole('button', { name: 'Add files' }).count(), 0)

  const renamed = { ...member.claims, email: 'viewer@acme.example' }
  const writing = await open({ as: { token: sign(renamed, { secret: jwtSecret }) }, path })
  await writing.getByRole('button', { name: 'Add files' }).waitFor()
  await field(writing).fill('Fifty seats.')
  await shows(writing, /^Version 2, saved/)
})

test('two tabs: the later one sees both texts, and loses neither', async () => {
  const { session, path } = await conversation([], { context: { text: 'They want it by Friday.' } })
  const window = await newWindow()
  const first = await openTab(window, { as: member, path })
  // Without events, the other tab does not hear of the first one.
  await window.route('**/events', (route) => route.abort())
  const second = await openTab(window, { as: member, path })
  await field(first).fill('They want it by Thursday.')
  await field(first).blur()
  await shows(first, /^Version 2, saved/)

  await field(second).fill('They want it by Friday noon.')
  await field(second).blur()
  const conflict = second.getByRole('group', { name: /saved another version/ })
  await conflict.waitFor()
  assert.deepEqual(await conflict.locator('del').allTextContents(), ['removed: Thursday'])
  assert.deepEqual(await conflict.locator('ins').allTextContents(), ['added: Friday noon'])
  const stored = async () => (await get(`/api/sessions/${session.id}/context`, { as: member })).json
  assert.equal((await stored()).text_context, 'They want it by Thursday.')

  await conflict.getByRole('button', { name: 'Keep mine' }).click()
  await shows(second, /^Version 3, saved/)
  assert.equal((await stored()).text_context, 'They want it by Friday noon.')
  await second.getByRole('button', { name: 'History' }).click()
  await second.getByRole('button', { name: 'Compare version 2' }).click()
  const compared = second.getByRole('group', { name: 'From version 2 to version 3' })
  await compared.waitFor()
  assert.deepEqual(await compared.locator('del').allTextContents(), ['removed: Thursday'])
  assert.deepEqual(await compared.locator('ins').allTextContents(), ['added: Friday noon'])
  await second.getByRole('radio', { name: 'with the one before' }).check()
  const before = second.getByRole('group', { name: 'From version 1 to version 2' })
  await before.waitFor()
  assert.deepEqual(await before.locator('del').allTextContents(), ['removed: Friday'])
  assert.deepEqual(await before.locator('ins').allTextContents(), ['added: Thursday'])
  await second.getByRole('button', { name: 'Restore version 2' }).click()
  await shows(second, /^Version 4, saved/)
  assert.equal(await field(second).inputValue(), 'They want it by Thursday.')
})

test('a draft survives a reload without a connection to the server', async () => {
  const { session, path } = await conversation([], { context: { text: 'Forty seats.' } })
  const page = await open({ as: member, path })
  await field(page).waitFor()
  await page.route('**/context', (route) => (route.request().method() === 'POST' ? route.abort('connectionfailed') : route.continue()))
  await field(page).fill('Forty-five seats.')
  await shows(page, 'Waiting for a connection. Your draft is kept on this device.')
  await page.reload()
  await page.waitForFunction(() => document.querySelector('textarea')?.value === 'Forty-five seats.')
  await page.unroute('**/context')
  await shows(page, /^Version 2, saved/)
  assert.equal((await get(`/api/sessions/${session.id}/context`, { as: member })).json.text_context, 'Forty-five seats.')
})

test('a file dropped on the list appears with its state; a deletion can be undone', async () => {
  const { session, path } = await conversation()
  const page = await open({ as: member, path })
  const documents = page.getByRole('region', { name: 'Documents' })
  await shows(documents, 'No documents yet. Add files, or drop them anywhere.')
  const transfer = await page.evaluateHandle((bytes) => {
    const data = new DataTransfer()
    data.items.add(new File([new Uint8Array(bytes)], 'report.pdf', { type: 'application/pdf' }))
    return data
  }, [...report])
  await documents.dispatchEvent('drop', { dataTransfer: transfer })
  await shows(documents, 'Ready, 3 pages')

  const remove = async () => {
    await documents.getByLabel('Actions for report.pdf').click()
    await documents.getByRole('button', { name: 'Delete' }).click()
    await shows(documents, 'report.pdf deleted')
  }
  await remove()
  await documents.getByRole('button', { name: 'Undo' }).click()
  await documents.getByRole('button', { name: 'report.pdf', exact: true }).waitFor()
  assert.equal((await get(`/api/documents?session_id=${session.id}`, { as: member })).json.documents.length, 1)

  await remove()
  const sent = page.waitForResponse((response) => response.request().method() === 'DELETE')
  // Leaving the page does not wait for the time to be over.
  await page.getByRole('link', { name: 'Conversations' }).first().click()
  assert.equal((await sent).status(), 204)
})

test('the prompt names its sources, and every omission', async () => {
  const { path } = await conversation([text('offer.txt', 'Forty seats cost 4,000 EUR a year.'), text('menu.txt', 'Soup, bread and water.')], {
    context: { text: 'They ask about seats.' },
  })
  const page = await open({ as: viewer, path })
  const prompt = page.getByRole('region', { name: 'For the prompt' })
  await prompt.getByRole('textbox', { name: 'What is the question?' }).fill('seats')
  await page.keyboard.press('Enter')
  await shows(prompt, /of 8,000 tokens; 1 quote; 1 omitted/)
  await prompt.getByRole('link', { name: 'offer.txt, page 1' }).click()
  await page.getByRole('group', { name: 'offer.txt, page 1 of 1' }).getByText('Forty seats cost').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Add files' }).count(), 0, 'a viewer adds nothing')
})

test('a deleted conversation is restored from the trash', async () => {
  const { session } = await conversation()
  const page = await open({ as: member })
  await page.getByRole('button', { name: `Delete: ${session.title}` }).click()
  await shows(page, `“${session.title}” is in the trash`)
  await page.getByRole('link', { name: 'Trash' }).click()
  await page.getByRole('button', { name: `Restore: ${session.title}` }).click()
  await shows(page, `“${session.title}” is back`)
  await page.getByRole('link', { name: 'Conversations' }).click()
  await page.getByRole('link', { name: session.title }).waitFor()
})

test('demo users sign in without a password only if the edge has them', async () => {
  const users = [{ email: owner.email, id: owner.sub, organization: 'Acme', role: 'owner' }]
  const edge = await startEdge({ DEMO_USERS: JSON.stringify(users) })
  try {
    const page = await open({ url: edge.url })
    await page.getByRole('button', { name: /Sign in as.*owner@acme\.example/ }).click()
    await page.getByRole('heading', { name: 'Conversations' }).waitFor()
    await page.getByRole('link', { name: 'Members' }).click()
    await shows(page, 'owner@acme.example')
    const rebound = await get('/demo/users', { url: edge.url.replace('127.0.0.1', 'localhost') })
    assert.equal(rebound.status, 200)
  } finally {
    await edge.stop()
  }
  const page = await open()
  await page.getByRole('textbox', { name: 'Access token' }).fill('not a token')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await shows(page, /This is not an access token/)
  for (const path of ['/demo/users', '/demo/token']) assert.notEqual((await get(path)).status, 200)
})
