// Sessions imported as NDJSON and as archives: all or nothing, and errors name the line.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { assertError, call, get, newSession, post, unique, uploaded } from './lib/api.mjs'
import { startEdge } from './lib/edge.mjs'
import { edgeUrl } from './lib/env.mjs'
import { RawClient, until } from './lib/net.mjs'
import { fixture } from './lib/fixtures.mjs'
import { acme, globex, member, serviceToken, stranger, viewer } from './lib/people.mjs'
import { rows, value } from './lib/psql.mjs'
import { unzip } from './lib/unzip.mjs'
import { zip } from './lib/zip.mjs'
import './lib/cleanup.mjs'

const TYPES = { json: 'application/json', ndjson: 'application/x-ndjson', zip: 'application/zip' }

async function filled() {
  const session = await newSession(member, { title: unique('Odd "title" \\ é'), context: { text: 'One', metadata: { n: [1, null] } } })
  await post(`/api/sessions/${session.id}/context`, { text: 'Two' }, { as: member })
  for (const name of ['wörk "1".txt', 'wörk "1".txt', 'con.txt']) {
    const bytes = `${unique('line')}: all work and no play.\n`.repeat(6_000)
    await uploaded(member, session.id, { name, bytes, media_type: 'text/plain' }, { wait: 20 })
  }
  return session.id
}

const exported = async (session, format, bytes) => {
  const response = await get(`/api/sessions/${session}/export?format=${format}&include_bytes=${bytes}`, { as: member })
  assert.equal(response.status, 200, response.text.slice(0, 300))
  return response.bytes
}
const imported = (body, { type = TYPES.ndjson, as = stranger, into = globex, keep = false, url } = {}) =>
  call('POST', `/api/import?organization_id=${into}&keep_ids=${keep}`, { as, body, url, headers: { ...(type && { 'content-type': type }) } })
const bySql = async (session, bytes) =>
  (await rows(`select dossier.export_sessions(array['${session}']::uuid[], ${bytes}) as bundle`))[0].bundle
const nameless = (whole) => JSON.parse(JSON.stringify(whole), (key, value) => key === 'id' ? undefined : value)
const ndjson = (records) => records.map((record) => `${JSON.stringify(record)}\n`).join('')
const parsed = (bytes) => bytes.toString().trimEnd().split('\n').map((line) => JSON.parse(line))
const sessionsOf = async (as) => (await get('/api/sessions?limit=200', { as })).json.sessions.length
const waiting = () => value('select count(*)::int from dossier_private.imports')

for (const format of ['json', 'ndjson', 'zip']) {
  for (const bytes of [true, false]) {
    test(`a round trip by ${format} ${bytes ? 'with' : 'without'} bytes is equal, with new ids and with kept ones`, async () => {
      const session = await filled()
      const before = await bySql(session, bytes)
      const body = await exported(session, format, bytes)
      const response = await imported(body, { type: TYPES[format] })
      assert.equal(response.status, 201, response.text)
      assert.equal(response.json.organization_id, globex)
      assert.equal(Object.keys(response.json.documents).length, 3)
      assert.deepEqual(nameless(await bySql(response.json.sessions[session], bytes)), nameless(before))

      assertError(await imported(body, { type: TYPES[format], keep: true, as: serviceToken }), 409, 'PT409')
      await rows(`select dossier.delete_sessions(array['${session}']::uuid[], permanently => true)`)
      const kept = await imported(body, { type: TYPES[format], keep: true, as: serviceToken })
      assert.equal(kept.status, 201, kept.text)
      assert.deepEqual(kept.json.sessions, { [session]: session })
      assert.deepEqual(await bySql(session, bytes), before)
    })
  }
}

test('the first bytes decide if Content-Type does not', async () => {
  const { id } = await newSession(member)
  for (const format of ['json', 'ndjson', 'zip']) {
    for (const type of ['application/octet-stream', 'application/x-www-form-urlencoded']) {
      const response = await imported(await exported(id, format, false), { type })
      assert.equal(response.status, 201, `${format} as ${type}: ${response.text}`)
    }
  }
})

test('an archive repacked by another program is accepted', async () => {
  const session = await filled()
  const entries = unzip(await exported(session, 'zip', true)).reverse()
  const response = await imported(zip([...entries, { name: '__MACOSX/x', bytes: Buffer.from('x') }]), { type: TYPES.zip })
  assert.equal(response.status, 201, response.text)
  assert.deepEqual(nameless(await bySql(response.json.sessions[session], true)), nameless(await bySql(session, true)))
})

test('a bundle too large for JSON is accepted as NDJSON', { timeout: 120_000 }, async () => {
  const session = await newSession(member)
  for (let n = 0; n < 7; n += 1) await uploaded(member, session.id, { ...fixture('10mib.pdf'), name: `${n}.pdf` })
  const body = await exported(session.id, 'ndjson', true)
  assert.ok(body.length > 65 * 1024 * 1024)
  const response = await imported(body)
  assert.equal(response.status, 201, response.text)
  assert.equal(Object.keys(response.json.documents).length, 7)
  assertError(await imported(await exported(session.id, 'json', true), { type: TYPES.json }), 413, 'PT413')
})

test('a caller who may not import is refused before the body is read', async () => {
  const { id } = await newSession(member)
  const body = await exported(id, 'ndjson', false)
  for (const type of [TYPES.ndjson, TYPES.zip]) {
    assertError(await imported(body, { type, as: viewer, into: acme }), 403, '42501')
    assertError(await imported(body, { type, as: stranger, into: acme }), 404, 'PT404')
    assertError(await imported(body, { type, as: null }), 401)
  }
})

test('an error names its line, and nothing remains of the import', async () => {
  const session = await filled()
  const records = parsed(await exported(session, 'ndjson', true))
  const at = (type) => records.findIndex((record) => record.type === type)
  const changed = (index, change) => ndjson(records.map((record, n) => n === index ? { ...record, ...change } : record))
  const [before, staged] = [await sessionsOf(stranger), await waiting()]
  for (const [body, status, said] of [
    ['', 400, /bundle/], ['{}', 400, /line 1 /i], ['\n\n', 400, /line 1 is not valid JSON/i],
    [changed(0, { version: 2 }), 400, /version/],
    [changed(1, { title: 7 }), 400, /line 2\.title/],
    [changed(at('page'), { document_id: 'x' }), 400, new RegExp(`Line ${at('page') + 1} refers to an object that is missing`)],
    [changed(at('bytes'), { base64: 'QUJD' }), 400, new RegExp(`line ${at('document') + 1}\\.bytes has`)],
    [changed(at('document'), { type: 'evil' }), 400, new RegExp(`Line ${at('document') + 1} is not a record`)],
    [changed(at('document'), { name: '../x' }), 400, new RegExp(`line ${at('document') + 1}: `)],
    [changed(at('document'), { size_bytes: 99999999999 }), 413, new RegExp(`line ${at('document') + 1}`)],
    [ndjson(records.slice(0, -1)), 400, /truncated/],
    [ndjson(records).slice(0, -20), 400, new RegExp(`Line ${records.length} is not valid JSON`)],
    [ndjson([...records, records.at(-1)]), 400, /truncated|wrong place/],
    [ndjson(records).replace('\n', ',{}\n'), 400, /line 1 is not valid JSON/i],
    [`${'['.repeat(600)}\n`, 400, /line 1 is nested/i],
  ]) {
    const refused = assertError(await imported(body), status)
    assert.match(`${refused.message} ${refused.details}`, said)
    assert.ok(refused.hint, refused.message)
    assert.ok(JSON.stringify(refused).length < 3000)
  }
  assert.equal(await sessionsOf(stranger), before)
  await until('nothing left waiting', async () => (await waiting()) <= staged)
})

test('a document declared too large is refused before its bytes arrive', async () => {
  const session = await filled()
  const records = parsed(await exported(session, 'ndjson', true))
  const document = records.findIndex(({ type }) => type === 'document')
  const client = await RawClient.open(edgeUrl)
  await client.head('POST', `/api/import?organization_id=${globex}`, {
    authorization: `Bearer ${stranger.token}`, 'content-type': TYPES.ndjson, 'transfer-encoding': 'chunked' })
  await client.chunk(Buffer.from(ndjson([...records.slice(0, document), { ...records[document], size_bytes: 99_999_999_999 }])))
  await client.chunk(Buffer.from(ndjson([{ type: 'bytes', document_id: records[document].id, base64: 'QUJD'.repeat(200_000) }])))
  const { status, json } = await client.response()
  assert.equal(status, 413)
  assert.match(json.details, new RegExp(`^line ${document + 1}: `))
  client.close()
})

test('a truncated JSON bundle is refused with a short message', async () => {
  const session = await filled()
  const body = (await exported(session, 'json', true)).subarray(0, 300_000)
  const refused = assertError(await imported(body, { type: TYPES.json }), 400, 'PT400')
  assert.ok(refused.hint && JSON.stringify(refused).length < 600, JSON.stringify(refused).slice(0, 900))
})

test('broken and hostile archives are refused, and nothing remains of them', async () => {
  const session = await filled()
  const archive = await exported(session, 'zip', true)
  const [bundle, ...files] = unzip(archive)
  const records = parsed(bundle.bytes)
  const first = records.find(({ type }) => type === 'file')
  const before = await sessionsOf(stranger)
  const renamed = (path) => ({ name: 'bundle.ndjson', bytes: Buffer.from(ndjson(records.map((record) => record === first ? { ...record, path } : record))) })
  for (const [body, said] of [
    [archive.subarray(0, archive.length - 100), /cannot be read/],
    [archive.subarray(0, archive.length / 2), /cannot be read/],
    [Buffer.from('PK\x03\x04 and no more'), /cannot be read/],
    [zip(files), /"bundle.ndjson" is missing/],
    [zip([bundle, ...files.slice(1)]), /"sessions\/[^"]+" is missing/],
    [zip([renamed('../../etc/passwd'), ...files]), /"\.\.\/\.\.\/etc\/passwd" is missing/],
    [zip([renamed('bundle.ndjson'), ...files]), /larger than|content does not match/],
    [zip([bundle, { ...files[0], bytes: Buffer.from('other') }, ...files.slice(1)]), /content does not match/],
    [zip([bundle, { ...files[0], bytes: Buffer.alloc(200_000_000) }, ...files.slice(1)]), /larger than the \d+ bytes/],
    [zip([bundle, { ...files[0], crc: 7 }, ...files.slice(1)]), /cannot be read/],
    [zip([{ ...bundle, bytes: bundle.bytes.subarray(0, -40) }, ...files]), /neither a record nor a matching end record/],
    [zip([{ ...bundle, bytes: Buffer.alloc(50_000_000, ' ') }, ...files]), /Line 1 is longer than/],
  ]) {
    const refused = assertError(await imported(body, { type: TYPES.zip }), /longer/.test(said.source) ? 413 : 400)
    assert.match(`${refused.message} ${refused.details}`, said)
    assert.ok(refused.hint)
  }
  const many = zip([bundle, ...Array.from({ length: 100_001 }, (_, n) => ({ name: `x${n}`, bytes: Buffer.alloc(0) }))])
  assert.match(assertError(await imported(many, { type: TYPES.zip }), 413, 'PT413').message, /entries/)
  assert.equal(await sessionsOf(stranger), before)
})

test('an abandoned import is removed; an archive beyond the limit is refused', { timeout: 60_000 }, async () => {
  const edge = await startEdge({ IMPORT_ZIP_MAX_BYTES: '100000', DATABASE_POOL_SIZE: '2', EXTRACT_WORKERS: '0' })
  after(() => edge.stop())
  const before = await waiting()
  const clients = await Promise.all(Array.from({ length: 4 }, async () => {
    const client = await RawClient.open(edge.url)
    await client.head('POST', `/api/import?organization_id=${globex}`, {
      authorization: `Bearer ${stranger.token}`, 'content-type': TYPES.ndjson, 'transfer-encoding': 'chunked' })
    await client.chunk(Buffer.from('{"type": "bundle", "format": "dossier", "version": 1}\n'))
    return client
  }))
  await until('four imports under way', async () => (await waiting()) === before + 4)
  assert.equal((await get('/api/sessions?limit=1', { as: stranger, url: edge.url })).status, 200, 'they hold no connection')
  assertError(await imported('x', { url: edge.url }), 429, 'PT429')
  for (const client of clients) client.vanish()
  await until('nothing left of them', async () => (await waiting()) === before)
  const big = zip([{ name: 'x', bytes: Buffer.from('x') }, { name: 'y', bytes: Buffer.from(Array.from({ length: 150_000 }, () => Math.floor(Math.random() * 256))) }])
  assert.match(assertError(await imported(big, { type: TYPES.zip, url: edge.url }), 413, 'PT413').hint, /NDJSON/)
})

test('sessions in the trash are not exported', async () => {
  const { id } = await newSession(member)
  await rows(`select dossier.delete_sessions(array['${id}']::uuid[])`)
  for (const format of ['json', 'ndjson', 'zip', 'docx']) {
    for (const as of [member, serviceToken]) assertError(await get(`/api/sessions/${id}/export?format=${format}`, { as }), 404, 'PT404')
  }
  assertError(await get(`/api/export?session_id=${id}`, { as: serviceToken }), 404, 'PT404')
})
