// Like hosted Supabase: no native extension, plain SQL, and text extracted by the edge's own workers.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { allPages, get, newSession, sha256, upload } from './lib/api.mjs'
import { isNative, newDatabase } from './lib/database.mjs'
import { startEdge } from './lib/edge.mjs'
import { fixture, squeeze } from './lib/fixtures.mjs'
import { hostileSuite } from './lib/hostile-suite.mjs'
import { member } from './lib/people.mjs'
import './lib/cleanup.mjs'

let database
let edge

hostileSuite(async () => {
  database = await newDatabase({ native: false })
  edge = await startEdge({ DATABASE_URL: database.edgeUrl })
  return { url: edge.url, databaseUrl: database.url, running: edge.running }
})
after(async () => {
  await edge?.stop()
  await database?.drop()
})

test('files are extracted without anything native in the database', async () => {
  assert.equal(await isNative(database.url), false)
  const session = await newSession(member, {}, { url: edge.url })
  const files = ['report.pdf', 'minutes.docx', 'notes-utf16le.txt', 'tariff.csv'].map(fixture)
  const response = await upload(member, session.id, files, { url: edge.url, wait: 60 })
  assert.equal(response.status, 201, response.text)
  for (const [index, document] of response.json.documents.entries()) {
    assert.equal(document.status, 'ready', `${document.name}: ${document.error_message}`)
    const pages = await allPages(member, document.id, { url: edge.url })
    const text = squeeze(pages.map((page) => page.text).join('\n'))
    for (const phrase of [...(files[index].pages ?? []).flat(), ...(files[index].anywhere ?? [])]) {
      assert.ok(text.includes(phrase), `"${phrase}" is missing in ${document.name}`)
    }
    const content = await get(`/api/documents/${document.id}/content`, { as: member, url: edge.url })
    assert.equal(sha256(content.bytes), sha256(files[index].bytes))
  }
})
