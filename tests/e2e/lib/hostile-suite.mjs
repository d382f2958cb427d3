// Hostile files against one stack: each ends as the manifest says, with a reason, and nothing else is affected.

import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { allPages, assertError, finished, get, newSession, sha256, unique, upload } from './api.mjs'
import { fixture, manifest, squeeze } from './fixtures.mjs'
import { member } from './people.mjs'
import { leftOf, postmasterStart } from './psql.mjs'

/** Registers the tests. `setUp` runs once before them and returns the stack: `{url, databaseUrl, running}`. */
export function hostileSuite(setUp) {
  let stack
  let session
  let untouched
  const state = async () => ({ postmaster: await postmasterStart(), edge: stack.running() })

  before(async () => {
    stack = await setUp()
    session = await newSession(member, { title: 'Hostile files' }, { url: stack.url })
    untouched = await state()
    assert.equal(untouched.edge, true)
  })

  for (const { name, about, expect } of manifest.filter((entry) => entry.hostile)) {
    test(`${name}: ${about}`, { timeout: 180_000 }, async () => {
      const file = { ...fixture(name), name: unique(name) }
      const { url, databaseUrl } = stack
      const response = await upload(member, session.id, [file], { url })
      if (response.status >= 400) {
        assert.equal('refused', expect, response.text)
        assertError(response, file.http_status, undefined, { perFile: true })
        assert.deepEqual(await leftOf(file.name, { url: databaseUrl }), { documents: 0, chunks: 0 })
      } else {
        assert.equal(response.status, 201, response.text)
        const document = await finished(member, response.json.documents[0].id, { seconds: 150, url })
        const end = `${document.status} (${document.error_code}: ${document.error_message})`
        assert.equal(document.status, expect, end)
        await (document.status === 'ready' ? assertText : assertReason)(document, file, url)
      }
      assert.deepEqual(await state(), untouched, 'Postgres and the edge never noticed')
    })
  }

  test('afterwards an ordinary file is extracted as before', async () => {
    const response = await upload(member, session.id, [fixture('report.pdf')], { wait: 60, url: stack.url })
    assert.equal(response.json.documents[0].status, 'ready', response.text)
  })
}

async function assertText(document, file, url) {
  const text = squeeze((await allPages(member, document.id, { url })).map((page) => page.text).join('\n'))
  if (!file.anywhere) assert.equal(text.trim(), '', 'no text at all')
  for (const phrase of file.anywhere ?? []) assert.ok(text.includes(phrase), `"${phrase}" is missing in: ${text.slice(0, 1000)}`)
  for (const phrase of file.absent ?? []) assert.ok(!text.includes(phrase), `"${phrase}" must not be there`)
  if (file.detected) assert.equal(document.media_type, file.detected)
}

async function assertReason(document, file, url) {
  assert.equal(document.error_code, file.error_code, document.error_message)
  assert.ok(document.error_message.length >= 10, `a reason for people: ${document.error_message}`)
  assert.doesNotMatch(document.error_message, /panicked|\.rs:\d|\/root\/|\/tmp\/|unwrap|None value/, 'nothing of the inside')
  const pages = await get(`/api/documents/${document.id}/pages`, { as: member, url })
  assert.deepEqual(pages.json.pages, [])
  const content = await get(`/api/documents/${document.id}/content`, { as: member, url })
  assert.equal(sha256(content.bytes), sha256(file.bytes), 'the file itself can still be downloaded')
}
