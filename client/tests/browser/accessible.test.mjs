// Every view, in light, dark, at 360 px and in forced colours: axe-core finds nothing, and nothing scrolls sideways.

import { test } from 'node:test'
import { newSession, uploaded } from '../../../tests/e2e/lib/api.mjs'
import { edgeUrl } from '../../../tests/e2e/lib/env.mjs'
import { fixture } from '../../../tests/e2e/lib/fixtures.mjs'
import { member } from '../../../tests/e2e/lib/people.mjs'
import { TusServer } from '../../../tests/e2e/lib/tus.mjs'
import { accessible, open } from './demo.mjs'
import { report } from './report.mjs'

const looks = {
  'light, 1440 px': { width: 1440, height: 900 },
  'dark, 1024 px, German': { width: 1024, height: 768, scheme: 'dark', language: 'de' },
  '360 px, German': { width: 360, height: 740, language: 'de', touch: true },
  'forced colours, 720 px': { width: 720, height: 900, forced: true },
}

const session = await newSession(member, {
  title: 'Vorstellungsgespräch Abteilungsleitung Qualitätsmanagement und Rechtsabteilung',
  context: { text: 'They want a quote for 40 seats by Friday.' },
})
const long = 'Vertragsverlängerungsoption mit Anlagen und Rechnungsabgrenzungsposten 2024 final v2.pdf'
const document = await uploaded(member, session.id, { name: long, media_type: 'application/pdf', bytes: report }, { wait: 30 })
await uploaded(member, session.id, { name: 'password.pdf', media_type: 'application/pdf', bytes: fixture('password.pdf').bytes }, { wait: 30 })

const interrupted = await newSession(member, { title: 'Interrupted' })
const tus = new TusServer({
  endpoint: `${edgeUrl}/api/uploads`,
  headers: { authorization: `Bearer ${member.token}` },
  metadata: { session_id: interrupted.id, filename: 'Vertragsverlängerungsoption mit Anlagen 2024 final v2.txt' },
})
const { location } = await tus.create({ length: 1_000_000 })
await tus.patch(location, 0, 'A line.\n'.repeat(50_000))

const conversation = `/#/conversations/${session.id}`
const create = (page) => page.getByRole('button', { name: /^(New conversation|Neues Gespräch)$/ }).first().click()
const next = (page) => page.getByRole('button', { name: /^(Continue|Weiter)$/ }).click()

const views = {
  'sign in': { path: '/', as: undefined, ready: (page) => page.getByRole('heading', { level: 1 }).waitFor() },
  conversations: { path: '/', ready: (page) => page.getByRole('link', { name: session.title }).first().waitFor() },
  search: {
    path: '/#/search',
    ready: async (page) => {
      await page.getByRole('searchbox').fill('bakery')
      await page.locator('mark').first().waitFor()
    },
  },
  members: { path: '/#/members', ready: (page) => page.getByRole('heading', { name: 'Acme' }).waitFor() },
  trash: { path: '/#/trash', ready: (page) => page.getByRole('heading', { level: 1 }).waitFor() },
  documents: { path: `${conversation}?tab=documents`, ready: (page) => page.getByText(long).first().waitFor({ state: 'attached' }) },
  'an unfinished upload': {
    path: `/#/conversations/${interrupted.id}?tab=documents`,
    ready: (page) => page.getByText(/(again to continue at|erneut wählen, um bei) 40\s?%/).first().waitFor(),
  },
  'a page': { path: `${conversation}?doc=${document.id}&page=1&q=bakery&tab=page`, ready: (page) => page.locator('mark').first().waitFor() },
  context: {
    path: `${conversation}?tab=context`,
    ready: async (page) => {
      await page.getByRole('button', { name: /^(History|Verlauf)$/ }).click()
      await page.getByText('Version 1', { exact: true }).waitFor()
    },
  },
  prompt: { path: `${conversation}?tab=prompt`, ready: (page) => page.locator('blockquote').first().waitFor() },
  'step 1': { path: '/', ready: create },
  'step 2': { path: '/', ready: async (page) => (await create(page), await next(page)) },
  'step 3, with a refused file': {
    path: '/',
    ready: async (page) => {
      await create(page)
      await next(page)
      await next(page)
      await page.setInputFiles('[data-dossier-input=files]', [{ name: 'Demo.mov', mimeType: 'video/quicktime', buffer: Buffer.alloc(10, 1) }])
      await page.getByText(/^MOV/).first().waitFor()
    },
  },
  'leaving the dialog': {
    path: '/',
    ready: async (page) => {
      await create(page)
      await next(page)
      await page.keyboard.type('A title')
      await page.keyboard.press('Escape')
      await page.getByRole('button', { name: /^(Discard|Verwerfen)$/ }).waitFor()
    },
  },
}

for (const [look, settings] of Object.entries(looks)) {
  test(`${look}: every view is accessible`, async () => {
    for (const [name, { path, ready, ...more }] of Object.entries(views)) {
      const page = await open({ ...settings, path, as: 'as' in more ? more.as : member })
      await ready(page)
      await accessible(page, `${name} (${look})`)
      await page.close()
    }
  })
}
