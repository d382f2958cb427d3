// Sessions exported as NDJSON, as an archive that a person can open, and as a Word document.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { allPages, assertError, call, get, newSession, post, sha256, unique, uploaded } from './lib/api.mjs'
import { startEdge } from './lib/edge.mjs'
import { RawClient, until } from './lib/net.mjs'
import { fixture } from './lib/fixtures.mjs'
import { member, stranger, viewer } from './lib/people.mjs'
import { psql, rows, value } from './lib/psql.mjs'
import { unzip } from './lib/unzip.mjs'
import './lib/cleanup.mjs'

const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'

const lines = (response) => {
  assert.equal(response.status, 200, response.text.slice(0, 300))
  assert.ok(response.text.endsWith('\n'))
  return response.text.trimEnd().split('\n').map((line) => JSON.parse(line))
}

/** The bundle that SQL would create from these records. */
function bundled(records) {
  const [header, ...rest] = records
  assert.deepEqual(header, { type: 'bundle', format: 'dossier', version: 1 })
  assert.deepEqual(rest.pop(), { type: 'end', lines: records.length - 1 })
  const bundle = { format: 'dossier', version: 1, sessions: [] }
  const documents = new Map()
  for (const { type, session_id, document_id, ...record } of rest) {
    if (type === 'session') bundle.sessions.push({ ...record, context_versions: [], documents: [] })
    const session = bundle.sessions.at(-1)
    if (session_id) assert.equal(session_id, session.id)
    if (type === 'context_version') session.context_versions.push(record)
    if (type === 'document') { documents.set(record.id, { ...record, pages: [] }); session.documents.push(documents.get(record.id)) }
    if (type === 'page') documents.get(document_id).pages.push(record)
    if (type === 'bytes') {
      const document = documents.get(document_id)
      const piece = Buffer.from(record.base64, 'base64')
      document.bytes = Buffer.concat([document.bytes ?? Buffer.alloc(0), piece])
    }
  }
  for (const document of documents.values()) if (document.bytes) document.bytes = document.bytes.toString('base64')
  return bundle
}

const normal = (bundle) => JSON.parse(JSON.stringify(bundle), (key, value) => key.endsWith('_at') ? Date.parse(value) : value)
const bySql = async (session, bytes) =>
  (await rows(`select dossier.export_sessions(array['${session}']::uuid[], ${bytes}) as bundle`))[0].bundle

async function filled(names, title = unique('Export')) {
  const session = await newSession(member, { title, context: { text: 'They asked\u0001 about\uffff <prices>.\n\nTwice.', metadata: { stage: 'café', tags: ['a', null], deep: { er: 1 } } } })
  const documents = []
  for (const name of names) {
    documents.push(await uploaded(member, session.id, { name, bytes: `The text of ${name.slice(0, 20)}, `.repeat(15_000), media_type: 'text/plain' }, { wait: 20 }))
  }
  return { session: session.id, documents }
}

test('NDJSON contains the same as the bundle of SQL, with and without bytes', async () => {
  const { session } = await filled(['one.txt', 'two.txt'])
  await post(`/api/sessions/${session}/context`, { text: 'Two' }, { as: member })
  for (const bytes of [false, true]) {
    const response = await get(`/api/export?session_id=${session}&format=ndjson&include_bytes=${bytes}`, { as: viewer })
    assert.equal(response.headers.get('content-type'), 'application/x-ndjson')
    assert.match(response.headers.get('content-disposition'), /^attachment; filename="dossier.ndjson"/)
    assert.deepEqual(normal(bundled(lines(response))), normal(await bySql(session, bytes)))
    assert.ok(response.text.split('\n').every((line) => line.length < 400_000), 'no line grows with a file')
  }
})

test('Accept selects the format if the query does not', async () => {
  const { id } = await newSession(member)
  const type = async (accept, query = '') => {
    const response = await get(`/api/sessions/${id}/export${query}`, { as: member, headers: { accept } })
    return response.status === 200 ? response.headers.get('content-type') : response.status
  }
  assert.equal(await type('*/*'), 'application/json')
  assert.equal(await type('application/x-ndjson'), 'application/x-ndjson')
  assert.equal(await type('text/html, application/zip;q=0.9, */*;q=0.1'), 'application/zip')
  assert.equal(await type(DOCX), DOCX)
  assert.equal(await type('application/zip', '?format=json'), 'application/json')
  assertError(await get(`/api/export?session_id=${id}`, { as: member, headers: { accept: 'text/html' } }), 406, 'PT406')
  for (const query of ['format=pdf', 'bytes=maybe', `session_id=${id}`]) {
    assert.ok(assertError(await get(`/api/sessions/${id}/export?${query}`, { as: member }), 400, 'PT400').hint, query)
  }
  assert.match(assertError(await get(`/api/export?session_id=${id}&format=docx`, { as: member }), 400, 'PT400').hint, /\/api\/sessions\/\{id\}\/export/)
})

test('an archive contains the records, and the files under readable names', async () => {
  const { session, documents } = await filled(['Notes.txt', 'Notes.txt', 'NOTES.txt', 'con.txt', 'a:b?.txt', '.hidden.txt', 'caf\u00e9.txt', 'cafe\u0301.txt', `${'語'.repeat(120)}.txt`], '../../etc "x"')
  const response = await get(`/api/export?session_id=${session}&format=zip`, { as: viewer })
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-type'), 'application/zip')
  const [bundle, ...files] = unzip(response.bytes)
  assert.equal(bundle.name, 'bundle.ndjson')
  const records = bundle.bytes.toString().trimEnd().split('\n').map((line) => JSON.parse(line))
  assert.deepEqual(normal(bundled(records)), normal(await bySql(session, false)))
  const paths = new Map(records.filter(({ type }) => type === 'file').map(({ document_id, path }) => [document_id, path]))
  assert.deepEqual([...paths.values()], files.map(({ name }) => name))
  assert.deepEqual(files.map(({ name }) => name.slice(name.lastIndexOf('/') + 1)).slice(0, 8),
    ['Notes.txt', 'Notes (2).txt', 'NOTES (3).txt', '_con.txt', 'a_b_.txt', '_hidden.txt', 'caf\u00e9.txt', 'caf\u00e9 (2).txt'])
  assert.ok(files.every(({ name }) => name.startsWith('sessions/_._.._etc _x_')), files[0].name)
  for (const { name, bytes } of files) {
    assert.match(name, /^sessions\/[^/]+\/[^/]+$/)
    assert.ok(!name.split('/').includes('..') && Buffer.byteLength(name.split('/')[2]) <= 255)
    const id = [...paths].find(([, path]) => path === name)[0]
    assert.equal(sha256(bytes), documents.find((document) => document.id === id).sha256)
  }
  const light = unzip((await get(`/api/export?session_id=${session}&format=zip&bytes=false`, { as: viewer })).bytes)
  assert.deepEqual(light.map(({ name }) => name), ['bundle.ndjson'])
})

test('another tenant, an anonymous caller and an expired token receive nothing', async () => {
  const { id } = await newSession(member)
  for (const format of ['json', 'ndjson', 'zip', 'docx']) {
    const path = `/api/sessions/${id}/export?format=${format}`
    assertError(await get(path, { as: stranger }), 404, 'PT404')
    assertError(await get(path), 401)
    assertError(await get(`/api/sessions/${randomUUID()}/export?format=${format}`, { as: member }), 404, 'PT404')
    if (format !== 'docx') assertError(await get(`/api/export?session_id=${id}&format=${format}`, { as: stranger }), 404, 'PT404')
  }
})

test('a document that is extracted again during its export has the text of one extraction', { timeout: 60_000 }, async () => {
  const { session, documents: [{ id }] } = await filled(['one.txt'])
  // Like an extraction: other pages and another token count, written while the export waits for the pages.
  const reading = psql(`
    begin;
    lock table dossier.document_pages in access exclusive mode;
    do $$
    begin
      while not exists (select from pg_locks as l where l.relation = 'dossier.document_pages'::regclass and not l.granted) loop
        perform pg_sleep(0.01);
      end loop;
    end
    $$;
    update dossier.document_pages as p set text = 'Again.' where p.document_id = '${id}';
    update dossier.documents as d set token_count = 2 where d.id = '${id}';
    commit`)
  await until('the pages locked', () => value(`select count(*)::int from pg_locks as l
    where l.relation = 'dossier.document_pages'::regclass and l.mode = 'AccessExclusiveLock' and l.granted`))
  const [exported] = bundled(lines(await get(`/api/export?session_id=${session}&format=ndjson`, { as: viewer }))).sessions
  await reading
  assert.deepEqual([...new Set(exported.documents[0].pages.map(({ text }) => text))], ['Again.'])
})

test('a deletion during a transfer cuts it off, and the log gives the reason', { timeout: 60_000 }, async () => {
  const edge = await startEdge({ EXTRACT_WORKERS: '0' })
  after(() => edge.stop())
  for (const format of ['json', 'ndjson', 'zip']) {
    const session = await newSession(member)
    const documents = []
    for (let n = 0; n < 3; n += 1) documents.push(await uploaded(member, session.id, { ...fixture('10mib.pdf'), name: `${n}.pdf` }))
    const client = await RawClient.open(edge.url)
    const id = randomUUID()
    await client.head('GET', `/api/export?session_id=${session.id}&format=${format}&bytes=true`, { authorization: `Bearer ${member.token}`, 'x-request-id': id })
    await until('the transfer begun', () => client.received.length > 0)
    client.socket.pause()
    let tail = client.received
    client.socket.removeAllListeners('data').on('data', (data) => { tail = Buffer.concat([tail, data]).subarray(-1000) })
    assert.equal((await call('DELETE', `/api/documents/${documents[2].id}`, { as: member })).status, 204)
    client.socket.resume()
    await until('the connection cut', () => client.ended)
    assert.match(client.received.toString('latin1', 0, 20), /^HTTP\/1.1 200/)
    assert.doesNotMatch(tail.toString('latin1'), /\r\n0\r\n\r\n$|"type": "end"|PK\x05\x06/, `${format}: no end of the body`)
    const why = await until('the reason logged', () => edge.log().split('\n').find((line) => line.includes(id) && line.includes('was cut off')))
    assert.match(why, /the data was deleted or changed while it was being read/)
  }
})

test('clients that do not read their archive block nobody else', { timeout: 60_000 }, async () => {
  const edge = await startEdge({ DATABASE_POOL_SIZE: '2', EXTRACT_WORKERS: '0' })
  after(() => edge.stop())
  const session = await newSession(member, {}, { url: edge.url })
  await uploaded(member, session.id, fixture('10mib.pdf'), { url: edge.url })
  const clients = await Promise.all(Array.from({ length: 40 }, async (_, n) => {
    const client = await RawClient.open(edge.url)
    client.socket.pause()
    await client.head('GET', `/api/sessions/${session.id}/export?format=${n % 2 ? 'zip' : 'ndjson'}&bytes=true`, { authorization: `Bearer ${member.token}` })
    return client
  }))
  for (let turn = 0; turn < 20; turn += 1) {
    const listed = await get('/api/sessions?limit=1', { as: member, url: edge.url })
    assert.equal(listed.status, 200, listed.text)
  }
  assert.equal(await value(`select count(*)::int from pg_stat_activity where state like 'idle in transaction%'
    and state_change < now() - interval '2 seconds' and application_name = 'dossier-edge'`), 0)
  clients[1].socket.resume()
  assert.equal((await clients[1].response(30)).status, 200)
})

test('a Word document contains the session, and can be uploaded and extracted', async () => {
  const title = unique('Łódź & <call> 😀')
  const { session } = await filled(['short.txt'], title)
  await uploaded(member, session, { name: 'lines.txt', bytes: 'first line\nsecond line\n\nlast <&> "line"\tend\n', media_type: 'text/plain' }, { wait: 20 })
  const response = await get(`/api/sessions/${session}/export?format=docx`, { as: viewer })
  assert.equal(response.status, 200, response.text.slice(0, 300))
  assert.equal(response.headers.get('content-type'), DOCX)
  assert.match(response.headers.get('content-disposition'), /filename\*=UTF-8''.*%C5%81%C3%B3d%C5%BA.*\.docx$/)

  const back = await newSession(member)
  const document = await uploaded(member, back.id, { name: 'back.docx', bytes: response.bytes, media_type: DOCX }, { wait: 30 })
  assert.equal(document.status, 'ready', JSON.stringify(document))
  const text = (await allPages(member, document.id)).map((page) => page.text).join('\n')
  for (const part of [
    title, 'meeting', 'They asked about <prices>.', 'Twice.', 'stage', 'café', 'tags[0]', 'deep.er',
    'short.txt', 'lines.txt', 'text/plain', 'Page 1', 'first line', 'second line', 'last <&> "line"', 'The text of short.txt, The text',
  ]) assert.ok(text.includes(part), `${part} in ${text.slice(0, 1500)}`)
  assert.ok(text.indexOf('They asked') < text.indexOf('short.txt'))
  const facts = await value(`select to_jsonb(s) from dossier.sessions as s where s.id = '${session}'`)
  const said = document.file_metadata
  assert.equal(said.title, title)
  assert.equal(said.author, undefined, 'nobody is called unknown')
  assert.deepEqual([said.created, said.modified].map(Date.parse), [facts.created_at, facts.updated_at].map(Date.parse))
})

test('a session with too much text for Word is refused, with the alternatives', async () => {
  const edge = await startEdge({ EXPORT_DOCX_MAX_BYTES: '1000', EXTRACT_WORKERS: '0' })
  after(() => edge.stop())
  const { id } = await newSession(member, { context: { text: 'long '.repeat(300) } })
  const refused = assertError(await get(`/api/sessions/${id}/export?format=docx`, { as: member, url: edge.url }), 413, 'PT413')
  assert.match(refused.hint, /zip or ndjson/)
})
