// A new conversation, from the first button to its page.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { get, newSession, unique } from '../../../tests/e2e/lib/api.mjs'
import { fixture } from '../../../tests/e2e/lib/fixtures.mjs'
import { until } from '../../../tests/e2e/lib/net.mjs'
import { member, stranger, viewer } from '../../../tests/e2e/lib/people.mjs'
import { open, shows } from './demo.mjs'
import { report } from './report.mjs'

const file = (name, type, bytes = fixture(name).bytes) => ({ name, mimeType: type, buffer: bytes })
const pdf = () => file('report.pdf', 'application/pdf', report)
const docx = () => file('minutes.docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document')
const png = () => file('pixel.png', 'image/png')

const row = (scope, name) => scope.locator('li').filter({ has: scope.page().getByText(name, { exact: true }) })
const stepTo = async (page, step) => {
  await page.getByRole('button', { name: 'New conversation' }).first().click()
  for (let n = 1; n < step; n += 1) await page.getByRole('button', { name: 'Continue' }).click()
  return page.getByRole('dialog')
}

test('three steps, with a PDF, a Word file and a picture', async () => {
  const title = unique('Call')
  const page = await open({ as: member })
  await page.getByRole('button', { name: 'New conversation' }).first().click()
  const dialog = page.getByRole('dialog', { name: 'New conversation Step 1 of 3: Type' })
  await dialog.getByRole('radio', { name: /^Consultation/ }).check()
  await dialog.getByRole('button', { name: 'Continue' }).click()
  await dialog.or(page.getByRole('dialog', { name: /Step 2 of 3: Title/ })).waitFor()
  await page.getByRole('textbox', { name: 'What is it called?' }).fill(title)
  await page.getByRole('button', { name: 'Continue' }).click()
  const last = page.getByRole('dialog', { name: /Step 3 of 3: Context and files/ })
  await last.getByRole('textbox', { name: 'What should the assistant know?' }).fill('They want a quote by Friday.')
  await page.setInputFiles('[data-dossier-input=files]', [pdf(), docx(), png()])
  await shows(row(last, 'report.pdf'), 'Ready, 3 pages')
  await shows(row(last, 'minutes.docx'), 'Ready, 1 page')
  await row(last, 'pixel.png').getByText(/^(Ready|Stored)/).waitFor()
  await last.getByRole('button', { name: 'Start conversation' }).click()

  await page.getByRole('heading', { name: title }).waitFor()
  assert.equal(await page.getByRole('textbox', { name: 'Context' }).inputValue(), 'They want a quote by Friday.')
  const documents = page.getByRole('region', { name: 'Documents' })
  for (const name of ['report.pdf', 'minutes.docx', 'pixel.png']) await documents.getByRole('button', { name, exact: true }).waitFor()

  const [session] = (await get('/api/sessions', { as: member })).json.sessions
  assert.deepEqual([session.title, session.conversation_type], [title, 'consultation'])
})

test('each refused file has its reason, and the others go on', async () => {
  const page = await open({ as: member })
  const dialog = await stepTo(page, 3)
  await page.setInputFiles('[data-dossier-input=files]', [
    pdf(),
    file('Demo.mov', 'video/quicktime', Buffer.alloc(1000, 1)),
    file('Big.txt', 'text/plain', Buffer.alloc(10 * 1024 * 1024 + 1, 'a')),
    file('Nothing.txt', 'text/plain', Buffer.alloc(0)),
    file('password.pdf', 'application/pdf'),
  ])
  await shows(row(dialog, 'Demo.mov'), 'MOV files cannot be stored here. This file will be skipped.')
  await shows(row(dialog, 'Big.txt'), '10,485,761 bytes is over the limit of 10 MB. This file will be skipped.')
  await shows(row(dialog, 'Nothing.txt'), 'The file is empty. It will be skipped.')
  await row(dialog, 'password.pdf').getByText(/password/i).last().waitFor()
  await shows(row(dialog, 'report.pdf'), 'Ready, 3 pages')

  // Removing moves the focus to the next row, and takes the file out of the list.
  const remove = dialog.getByRole('button', { name: 'Remove Demo.mov' })
  await remove.focus()
  await page.keyboard.press('Enter')
  await dialog.getByRole('button', { name: 'Remove Big.txt' }).and(page.locator(':focus')).waitFor()
  assert.equal(await row(dialog, 'Demo.mov').count(), 0)
})

test('the keyboard alone is enough', async () => {
  const title = unique('By keyboard')
  const page = await open({ as: member })
  // Asked for here: a key can reach the page before the page learns that its file chooser is wanted.
  const choosing = page.waitForEvent('filechooser', { timeout: 60_000 })
  await page.getByRole('heading', { name: 'Conversations' }).waitFor()
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent)
  while ((await focused()) !== 'New conversation') await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.getByRole('radio', { name: /^Sales call/ }).and(page.locator(':focus')).waitFor()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.getByRole('textbox', { name: 'What is it called?' }).and(page.locator(':focus')).waitFor()
  await page.keyboard.type(title)
  await page.keyboard.press('Enter')
  await page.getByRole('textbox', { name: 'What should the assistant know?' }).and(page.locator(':focus')).waitFor()
  await page.keyboard.type('Second round.')
  while ((await focused()) !== 'Choose files') await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  const chooser = await choosing
  await chooser.setFiles([pdf()])
  await shows(page.getByRole('dialog'), 'Ready, 3 pages')
  while ((await focused()) !== 'Start conversation') await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: title }).waitFor()
})

test('Escape asks only if something would be lost, and the focus returns', async () => {
  const page = await open({ as: member })
  const opener = page.getByRole('button', { name: 'New conversation' }).first()
  await opener.click()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await opener.and(page.locator(':focus')).waitFor()

  await opener.click()
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.keyboard.type('Half a title')
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Keep editing' }).and(page.locator(':focus')).waitFor()
  await page.keyboard.press('Escape')
  assert.equal(await page.getByRole('textbox', { name: 'What is it called?' }).inputValue(), 'Half a title')
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Discard' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
})

/** The id of the session that the page is about to create. Call it before. */
const createdSession = async (page) =>
  (await (await page.waitForResponse((response) => response.request().method() === 'POST' && response.url().endsWith('/api/sessions'))).json()).id
const statusOf = async (id) => (await get(`/api/sessions/${id}`, { as: member })).status

test('discarding deletes what the first file has created', async () => {
  const page = await open({ as: member })
  const dialog = await stepTo(page, 3)
  const creating = createdSession(page)
  await page.setInputFiles('[data-dossier-input=files]', [pdf()])
  await shows(dialog, 'Ready, 3 pages')
  const id = await creating
  assert.equal(await statusOf(id), 200)
  await page.keyboard.press('Escape')
  const deleted = page.waitForResponse((response) => response.request().method() === 'DELETE' && response.url().includes(id))
  await page.getByRole('button', { name: 'Discard' }).click()
  assert.equal((await deleted).status(), 204)
  assert.equal(await statusOf(id), 404)
})

test('closing the tab deletes what the first file has created; starting keeps it', async () => {
  const page = await open({ as: member })
  const dialog = await stepTo(page, 3)
  const creating = createdSession(page)
  await page.setInputFiles('[data-dossier-input=files]', [pdf()])
  await shows(dialog, 'Ready, 3 pages')
  const id = await creating
  assert.equal(await statusOf(id), 200)
  await page.goto(new URL('/api', page.url()).href)
  await until('the session deleted', async () => (await statusOf(id)) === 404, { seconds: 60 })

  const other = await open({ as: member })
  const started = await stepTo(other, 3)
  const creatingOther = createdSession(other)
  await other.setInputFiles('[data-dossier-input=files]', [pdf()])
  await started.getByRole('button', { name: 'Start conversation' }).click()
  await other.getByRole('region', { name: 'Documents' }).waitFor()
  await other.goto(new URL('/api', other.url()).href)
  assert.equal(await statusOf(await creatingOther), 200)
})

test('a viewer reads why a conversation cannot be created, and loses nothing', async () => {
  const page = await open({ as: viewer })
  const dialog = await stepTo(page, 3)
  await dialog.getByRole('textbox', { name: 'What should the assistant know?' }).fill('A long text.')
  await dialog.getByRole('button', { name: 'Start conversation' }).click()
  await shows(dialog.getByRole('alert').last(), 'The conversation could not be created.')
  await shows(dialog, 'Your text and files are still here.')
  assert.equal(await dialog.getByRole('textbox', { name: 'What should the assistant know?' }).inputValue(), 'A long text.')
})

test('a pasted picture becomes a file; a long text is offered as one', async () => {
  const page = await open({ as: member })
  const dialog = await stepTo(page, 3)
  const paste = (kind) =>
    page.evaluate(
      ([what, bytes]) => {
        const data = new DataTransfer()
        if (what === 'picture') data.items.add(new File([new Uint8Array(bytes)], 'image.png', { type: 'image/png' }))
        else data.setData('text/plain', 'word '.repeat(1200))
        document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))
      },
      [kind, [...fixture('pixel.png').bytes]],
    )
  await paste('picture')
  await row(dialog, 'image.png').waitFor()
  await dialog.getByRole('textbox').fill('word '.repeat(1200))
  await paste('text')
  await shows(dialog, 'You pasted 6,000 characters. Keep them as a file instead?')
  await dialog.getByRole('button', { name: 'Make it a file' }).click()
  await shows(row(dialog, 'Pasted text.txt'), 'Ready, 1 page')
  assert.equal(await dialog.getByRole('textbox').inputValue(), '')
})

test('another organization sees nothing of it', async () => {
  const word = unique('secret').replaceAll('-', '')
  const session = await newSession(member, { title: word, context: { text: `About ${word}.` } })
  const page = await open({ as: stranger, path: `/#/conversations/${session.id}` })
  await page.getByRole('heading', { name: 'This conversation is not here' }).waitFor()
  await page.goto(new URL('/#/search', page.url()).href)
  await page.getByRole('searchbox').fill(word)
  await shows(page, new RegExp(`Nothing matches “${word}”`))
  await page.goto(new URL('/#/', page.url()).href)
  await page.getByRole('heading', { name: 'Conversations' }).waitFor()
  assert.equal(await page.getByText(word).count(), 0)
})
