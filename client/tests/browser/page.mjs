// A plain page without React and without a bundler, in Chromium, with the built client and an edge of its own on another origin.

import { createReadStream, existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { join, normalize } from 'node:path'
import { chromium } from 'playwright-core'
import { startEdge } from '../../../tests/e2e/lib/edge.mjs'
import { listen } from '../../../tests/e2e/lib/net.mjs'

const workspace = new URL('../../', import.meta.url).pathname
const folders = { '/client/': 'packages/core/dist/', '/noble/': 'node_modules/@noble/hashes/' }

const html = `<!doctype html>
<meta charset="utf-8">
<title>The client of Dossier</title>
<script type="importmap">{"imports": {"dossier-client": "/client/index.js", "@noble/hashes/": "/noble/"}}</script>
<script type="module">
  import * as client from 'dossier-client'
  window.client = client
</script>`

/** Serves the page and the modules that its import map names. */
function modules() {
  return createServer((request, response) => {
    const path = new URL(request.url, 'http://page').pathname
    const folder = Object.keys(folders).find((prefix) => path.startsWith(prefix))
    const file = folder && join(workspace, folders[folder], normalize(`/${path.slice(folder.length)}`))
    if (path === '/') response.writeHead(200, { 'content-type': 'text/html' }).end(html)
    else if (file && existsSync(file)) createReadStream(file).pipe(response.writeHead(200, { 'content-type': 'text/javascript' }))
    else response.writeHead(404).end()
  })
}

/** Starts the browser, the page's server, and an edge that accepts the page's origin. `settings` are the edge's. */
export async function start(settings = {}) {
  const server = modules()
  const origin = await listen(server)
  const edge = await startEdge({ CORS_ORIGINS: origin, ...settings })
  // Chromium's own sandbox needs a user who is not root.
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
  return {
    edge,
    /** A new page with its own storage, where `window.client` is the module. */
    async open() {
      const context = await browser.newContext()
      context.setDefaultTimeout(60_000)
      const page = await context.newPage()
      const errors = []
      page.on('pageerror', (error) => errors.push(String(error)))
      await page.goto(origin)
      await page.waitForFunction(() => 'client' in window)
      return { page, context, errors }
    },
    async stop() {
      await browser.close()
      await edge.stop()
      server.closeAllConnections()
      server.close()
    },
  }
}
