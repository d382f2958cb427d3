// OCR takes long. Files that need it do not hold up the text of others, nor the OCR of others.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { finished, newSession, unique, uploaded } from './lib/api.mjs'
import { newDatabase } from './lib/database.mjs'
import { startEdge } from './lib/edge.mjs'
import { scannedPdf, sharedTiff } from './lib/make.mjs'
import { until } from './lib/net.mjs'
import { globex, member, stranger } from './lib/people.mjs'
import { value } from './lib/psql.mjs'
import './lib/cleanup.mjs'

let database

before(async () => {
  database = await newDatabase({ native: false })
})
after(() => database?.drop())

const ask = (question) => value(question, { url: database.url })

test('scans of noise leave the text and the scans of another tenant alone', { timeout: 180_000 }, async (context) => {
  const edge = await startEdge({ DATABASE_URL: database.edgeUrl, EXTRACT_WORKERS: '2', JOB_POLL_SECONDS: '1', DOSSIER_OCR_PAGE_SECONDS: '3' })
  context.after(() => edge.stop())
  const url = edge.url
  const attack = await newSession(stranger, { organization_id: globex }, { url })
  const session = await newSession(member, {}, { url })

  // Four files of 200 pages of noise, on which OCR uses up the time of a page.
  const noise = await Promise.all([1, 2, 3, 4].map(() =>
    uploaded(stranger, attack.id, { name: unique('noise.tiff'), bytes: sharedTiff(200), media_type: 'image/tiff' }, { url })))
  await until('OCR of the noise under way', () => ask(`select exists (select from dossier_private.jobs where kind = 'ocr' and status = 'running')`))

  for (let round = 0; round < 3; round += 1) {
    const note = await uploaded(member, session.id, { name: unique('note.txt'), bytes: Buffer.from('Call me back'), media_type: 'text/plain' }, { url, wait: 30 })
    assert.equal(note.status, 'ready', 'a text is read while scans wait for OCR')
    assert.equal(await ask(`select count(*)::int from dossier_private.jobs where kind = 'ocr' and status = 'running'`) <= 1, true, 'one of two workers has no OCR')
  }

  const scan = await uploaded(member, session.id, { name: unique('scan.pdf'), bytes: scannedPdf([null]), media_type: 'application/pdf' }, { url })
  const read = await finished(member, scan.id, { url, seconds: 60 })
  // Without Tesseract nothing is read, and nothing waits.
  if (read.error_code === 'needs_ocr') return
  assert.equal(read.status, 'ready', read.error_message)
  for (const { id } of noise) {
    // Fast machines read the noise in the time that a page has.
    const { status, error_message: message } = await finished(stranger, id, { url, seconds: 120 })
    if (status !== 'ready') assert.match(message, /ocr_page_time/)
  }
  const started = (ids) => `(select max(started_at) from dossier_private.jobs where kind = 'ocr' and document_id in (${ids.map((id) => `'${id}'`)}))`
  assert.ok(await ask(`select ${started([scan.id])} < ${started(noise.map(({ id }) => id))}`), 'the scan had its turn before the last of the noise')
  assert.ok(await ask(`select sum(worked_seconds) < 90 from dossier_private.jobs where kind = 'ocr'`), 'two hundred copies of an image cost about as much as one')
})
