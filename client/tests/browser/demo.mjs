// Debian's Chromium, driven by playwright-core, on the page that the edge serves.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, afterEach } from 'node:test'
import { chromium } from 'playwright-core'
import { edgeUrl } from '../../../tests/e2e/lib/env.mjs'

const axe = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  // Chromium's own sandbox refuses to run as root, which containers and CI use.
  args: process.getuid() === 0 ? ['--no-sandbox'] : [],
})
const contexts = []
/** Errors of pages that no test has expected. */
const errors = []

after(() => browser.close())
afterEach(async () => {
  const opened = contexts.splice(0)
  for (const context of opened) await context.close()
  assert.deepEqual(errors.splice(0), [], 'errors in the page')
})

/** A window of its own: storage, cookies and connection are shared with no other. */
export async function newWindow({ width = 1280, height = 860, scheme = 'light', forced = false, language = 'en', touch = false } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    forcedColors: forced ? 'active' : 'none',
    locale: language,
    hasTouch: touch,
    reducedMotion: 'reduce',
  })
  // A busy machine is slow, not wrong.
  context.setDefaultTimeout(60_000)
  contexts.push(context)
  return context
}

/** A tab at `path`, signed in as `as` if it is given. */
export async function openTab(context, { as, path = '/', url = edgeUrl } = {}) {
  const page = await context.newPage()
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('console', (message) => {
    // The browser reports every response of 400 and more; the tests look at what the page makes of them.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) errors.push(message.text())
  })
  if (as) await page.addInitScript((token) => sessionStorage.setItem('dossier-demo:token', token), as.token)
  await page.goto(new URL(path, url).href)
  return page
}

/** A window with one tab. */
export const open = async ({ as, path, url, ...look } = {}) => openTab(await newWindow(look), { as, path, url })

/** Waits until the page shows this text, and returns its element. */
export async function shows(scope, text) {
  const element = scope.getByText(text).first()
  await element.waitFor()
  return element
}

/** Asserts that axe-core finds nothing, and that nothing makes the page scroll sideways. */
export async function accessible(page, where) {
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() => globalThis.axe.run(document))
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`)
  assert.deepEqual(found, [], where)
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
  assert.ok(sideways <= 0, `${where} scrolls sideways by ${sideways} px`)
}
