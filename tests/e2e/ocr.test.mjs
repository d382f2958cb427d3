// OCR after the extraction: when a document is ready, and what it says meanwhile.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { allPages, finished, get, newSession, unique, uploaded } from './lib/api.mjs'
import { newDatabase } from './lib/database.mjs'
import { startEdge } from './lib/edge.mjs'
import { scannedPdf } from './lib/make.mjs'
import { until } from './lib/net.mjs'
import { member } from './lib/people.mjs'
import { psql, rows, value } from './lib/psql.mjs'
import './lib/cleanup.mjs'

let database
let session

before(async () => {
  database = await newDatabase({ native: false })
})
after(() => database?.drop())

const inDatabase = () => ({ url: database.url })

/** An edge that extracts, for one test. */
async function edgeFor(context, environment) {
  const edge = await startEdge({ DATABASE_URL: database.edgeUrl, JOB_POLL_SECONDS: '1', ...environment })
  context.after(() => edge.stop())
  session ??= await newSession(member, {}, { url: edge.url })
  return edge
}

const scan = (texts) => ({ name: unique('scan.pdf'), bytes: scannedPdf(texts), media_type: 'application/pdf' })
const stateOf = async (edge, id) => (await get(`/api/documents/${id}`, { as: member, url: edge.url })).json
const settledOcr = (edge, id) => until('OCR finished', async () => {
  const document = await stateOf(edge, id)
  return ['done', 'incomplete', 'unavailable'].includes(document.ocr_status) && document
}, { seconds: 60 })

test('a file with text is ready before OCR has read its images', { timeout: 90_000 }, async (context) => {
  // No worker takes OCR: a single worker would, and the only OCR job is put off.
  const edge = await edgeFor(context, { EXTRACT_WORKERS: '2' })
  await psql(`create function public.put_off() returns trigger language plpgsql as $$ begin new.run_at := 'infinity'; return new; end $$;
    create trigger put_off before insert on dossier_private.jobs for each row when (new.kind = 'ocr') execute function public.put_off()`, inDatabase())
  const document = await uploaded(member, session.id, scan(['Typed words', null]), { url: edge.url, wait: 30 })
  assert.equal(document.status, 'ready', document.error_message)
  assert.deepEqual([document.ocr_status, document.ocr_page, document.ocr_pages, document.error_code], ['pending', 0, 1, null])
  assert.match((await allPages(member, document.id, { url: edge.url }))[0].text, /Typed words/)

  const image = await uploaded(member, session.id, scan([null, null]), { url: edge.url })
  await until('the scan waiting for OCR', async () => (await stateOf(edge, image.id)).ocr_status === 'pending')
  assert.equal((await stateOf(edge, image.id)).status, 'extracting', 'a scan has no text yet')

  await psql(`drop trigger put_off on dossier_private.jobs; drop function public.put_off();
    update dossier_private.jobs set run_at = now() where kind = 'ocr' and status = 'queued'`, inDatabase())
  const read = await settledOcr(edge, document.id)
  assert.equal(read.status, 'ready')
  if (read.ocr_status !== 'unavailable') assert.deepEqual([read.ocr_status, read.ocr_page, read.ocr_pages], ['done', 1, 1])
  const { status } = await finished(member, image.id, { url: edge.url })
  assert.equal(status, read.ocr_status === 'unavailable' ? 'unsupported' : 'ready')
  if (status === 'ready') assert.equal((await settledOcr(edge, image.id)).ocr_page, 2)
})

test('without OCR a mixed file keeps its text, and both say what to install', { timeout: 60_000 }, async (context) => {
  const edge = await edgeFor(context, { DOSSIER_TESSDATA: '/nonexistent' })
  const mixed = await uploaded(member, session.id, scan(['Typed words', null]), { url: edge.url })
  const read = await settledOcr(edge, mixed.id)
  assert.deepEqual([read.status, read.ocr_status, read.error_code], ['ready', 'unavailable', 'needs_ocr'])
  assert.match(read.error_message, /^Page 2: words in images were not read\..*install/is)
  const image = await uploaded(member, session.id, scan([null]), { url: edge.url })
  const refused = await finished(member, image.id, { url: edge.url })
  assert.deepEqual([refused.status, refused.ocr_status, refused.error_code], ['unsupported', 'unavailable', 'needs_ocr'])
})

test('a document can be extracted again without OCR', { timeout: 60_000 }, async (context) => {
  const edge = await edgeFor(context)
  const { id } = await uploaded(member, session.id, scan(['Typed words', null]), { url: edge.url })
  await settledOcr(edge, id)
  await psql(`set role service_role; select dossier.request_extraction('${id}', ocr => 'never')`, { url: database.url })
  const again = await until('extracted again', async () => {
    const document = await stateOf(edge, id)
    return document.status === 'ready' && document
  })
  assert.deepEqual([again.ocr_status, again.ocr_page, again.ocr_pages], ['none', null, null])
  assert.equal(await value(`select count(*)::int from dossier_private.jobs where document_id = '${id}' and kind = 'ocr' and status in ('queued', 'running')`, inDatabase()), 0)
  assert.deepEqual(await rows(`select distinct source from dossier.document_pages where document_id = '${id}'`, inDatabase()), [{ source: 'text' }])
})
