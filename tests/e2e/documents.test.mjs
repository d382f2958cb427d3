// Documents: changed, listed by filters, found by digest, read page by page with marks, waited for, and served by signed URLs.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { allPages, assertError, call, get, newSession, post, sha256, unique, upload, uploaded } from './lib/api.mjs'
import { newDatabase } from './lib/database.mjs'
import { startEdge } from './lib/edge.mjs'
import { pdf, whiteImage } from './lib/make.mjs'
import { until } from './lib/net.mjs'
import { acme, member, owner, stranger, viewer } from './lib/people.mjs'
import { literal, rows } from './lib/psql.mjs'
import { jwksServer, keyPair } from './lib/token.mjs'
import './lib/cleanup.mjs'

const patch = (path, json, options) => call('PATCH', path, { json, ...options })
const text = (words) => ({ name: unique('text.txt'), bytes: Buffer.from(words), media_type: 'text/plain' })

test('name, metadata and language of a document are changed', async () => {
  const session = await newSession(member)
  const { id } = await uploaded(member, session.id, text('Die Häuser am Hafen wurden gestern verkauft, und niemand weiß an wen.'), { wait: 30 })
  const changed = await patch(`/api/documents/${id}`, { name: 'Häuser.txt', metadata: { source: 'crm' } }, { as: member })
  assert.equal(changed.status, 200, changed.text)
  assert.deepEqual([changed.json.name, changed.json.metadata], ['Häuser.txt', { source: 'crm' }])
  assert.equal((await patch(`/api/documents/${id}`, { language: 'jpn' }, { as: member })).json.language, 'jpn')
  const finds = async (q) => (await get(`/api/search?session_id=${session.id}&q=${encodeURIComponent(q)}`, { as: viewer })).json.results
    .filter(({ kind }) => kind === 'page').length
  assert.equal(await finds('Haus'), 0, 'not stemmed')
  const german = await patch(`/api/documents/${id}`, { language: 'deu' }, { as: member })
  assert.deepEqual([german.json.language, german.json.name, german.json.metadata], ['deu', 'Häuser.txt', { source: 'crm' }])
  assert.equal(await finds('Haus'), 1, 'stemmed as German')
  for (const changes of [{ name: '../x' }, { name: null }, { metadata: [] }, { language: 'de' }, { status: 'failed' }, [], 'x']) {
    assertError(await patch(`/api/documents/${id}`, changes, { as: member }), 400, 'PT400')
  }
  assertError(await patch(`/api/documents/${id}`, { name: 'x' }, { as: viewer }), 403, '42501')
  assertError(await patch(`/api/documents/${id}`, { name: 'x' }, { as: stranger }), 404, 'PT404')
  assert.match((await get(`/api/documents/${id}/content`, { as: viewer })).headers.get('content-disposition'), /H%C3%A4user\.txt/)
})

test('a client learns which files a session already has', async () => {
  const session = await newSession(member)
  const other = await newSession(member)
  const [one, two] = [text('one'), text('two')]
  const stored = await uploaded(member, session.id, one)
  await uploaded(member, other.id, two)
  const known = await post('/api/documents/known', { session_id: session.id, sha256: [sha256(two.bytes), sha256(one.bytes).toUpperCase()] }, { as: viewer })
  assert.deepEqual(known.json.documents.map(({ id, sha256 }) => [id, sha256]), [[stored.id, sha256(one.bytes)]])
  assertError(await post('/api/documents/known', { session_id: session.id, sha256: ['abc'] }, { as: member }), 400, 'PT400')
  assertError(await post('/api/documents/known', { session_id: session.id, sha256: [sha256(one.bytes)] }, { as: stranger }), 404, 'PT404')
})

test('lists are filtered', async () => {
  const marker = unique('filter')
  const session = await newSession(member, { title: marker, conversation_type: 'interview' })
  await upload(member, session.id, [text('ordinary words'), { name: 'white.bmp', bytes: whiteImage(), media_type: 'image/bmp' }], { wait: 30 })
  const documents = async (query) => (await get(`/api/documents?${query}`, { as: viewer })).json.documents.map(({ media_type }) => media_type)
  assert.deepEqual((await documents(`session_id=${session.id}`)).sort(), ['image/bmp', 'text/plain'])
  assert.deepEqual(await documents(`session_id=${session.id}&media_type=image/*`), ['image/bmp'])
  assert.deepEqual(await documents(`session_id=${session.id}&status=ready&media_type=text/plain`), ['text/plain'])
  assert.deepEqual(await documents(`session_id=${session.id}&status=extracting`), [])
  assert.deepEqual((await documents(`organization_id=${acme}&limit=2`)).sort(), ['image/bmp', 'text/plain'], 'the newest of an organization')
  assert.equal((await documents('limit=1')).length, 1, 'of all')
  assertError(await get(`/api/documents?session_id=${session.id}`, { as: stranger }), 404, 'PT404')
  assertError(await get('/api/documents?status=gone', { as: viewer }), 400, 'PT400')
  assertError(await get('/api/documents?media_type=nonsense', { as: viewer }), 400, 'PT400')

  const sessions = async (query) => (await get(`/api/sessions?${query}`, { as: viewer })).json.sessions.map(({ title }) => title)
  assert.equal((await sessions('conversation_type=interview'))[0], marker)
  assert.ok(!(await sessions('conversation_type=meeting')).includes(marker))
  assert.ok(!(await sessions('status=archived')).includes(marker))
  assert.equal((await patch(`/api/sessions/${session.id}`, { status: 'archived' }, { as: member })).status, 200)
  assert.equal((await sessions(`status=archived&organization_id=${acme}`))[0], marker)
  assertError(await get('/api/sessions?status=gone', { as: viewer }), 400, 'PT400')
  assertError(await get('/api/sessions?deleted=true&status=active', { as: viewer }), 400, 'PT400')
})

test('a page is read by its number, with the words of a query marked', async () => {
  const session = await newSession(member)
  const german = await uploaded(member, session.id, text('Die Verträge über das Haus in der Hauptstraße sind noch nicht unterschrieben.\n<b>Die Häuser</b> sind verkauft.'), { wait: 30 })
  assert.deepEqual([german.status, german.language], ['ready', 'deu'])
  const page = (q) => get(`/api/documents/${german.id}/pages/1${q === undefined ? '' : `?q=${encodeURIComponent(q)}`}`, { as: viewer })
  const plain = (await page()).json
  assert.deepEqual([plain.document_id, plain.page, plain.html], [german.id, 1, undefined])
  assert.equal((await page('vertrag häuser')).json.html,
    'Die <mark>Verträge</mark> über das <mark>Haus</mark> in der Hauptstraße sind noch nicht unterschrieben.\n&lt;b&gt;Die <mark>Häuser</mark>&lt;/b&gt; sind verkauft.')
  assert.doesNotMatch((await page('Flugzeug')).json.html, /<mark>/)

  const japanese = await uploaded(member, session.id, text('東京都庁は新宿にあります。京都は別の都市です。会議は来週の火曜日に開かれます。'), { wait: 30 })
  const marked = await get(`/api/documents/${japanese.id}/pages/1?q=${encodeURIComponent('東京都庁')}`, { as: viewer })
  assert.equal(marked.json.html, '<mark>東京都庁</mark>は新宿にあります。京都は別の都市です。会議は来週の火曜日に開かれます。')

  assertError(await get(`/api/documents/${german.id}/pages/2`, { as: viewer }), 404, 'PT404')
  assertError(await get(`/api/documents/${german.id}/pages/1`, { as: stranger }), 404, 'PT404')
  assertError(await get(`/api/documents/${german.id}/pages/0`, { as: viewer }), 400, 'PT400')
  assertError(await page('x'.repeat(1001)), 400, 'PT400')
})

test('a page of a PDF has headings and tables, which Markdown, search and packs show', async () => {
  const session = await newSession(member)
  const bytes = readFileSync(new URL('../../extract-worker/tests/structure/harbour.pdf', import.meta.url))
  const { id, status } = await uploaded(member, session.id, { name: 'harbour.pdf', bytes, media_type: 'application/pdf' }, { wait: 30 })
  assert.equal(status, 'ready')
  const page = (path) => get(`/api/documents/${id}/pages${path}`, { as: viewer })

  const plain = (await page('/1')).json
  assert.deepEqual(plain.structure.headings.map(({ text }) => text), ['Harbour guide', '1 Berths', 'Moving a boat'])
  assert.deepEqual(plain.structure.running_heads, ['Harbour guide', 'Page 1'])
  assert.doesNotMatch(plain.text, /^#|<table>/m)
  assert.match((await page('/1?format=markdown')).json.text, /^## 1 Berths$[^]*<th colspan="2">Length in metres<\/th>/m)
  const [, tides] = (await page('?format=markdown')).json.pages
  assert.match(tides.text, /^\| Day \| High water \| Height \| Remarks \|\n\| --- \|/m)
  assertError(await page('/1?format=html'), 400, 'PT400')

  const { tables, ...of } = (await page('/1/tables')).json
  assert.deepEqual(of, { document_id: id, page: 1 })
  const [{ cells, box, confidence, ...grid }] = tables
  assert.deepEqual(grid, { number: 1, rows: 5, columns: 4, header_rows: 2, evidence: 'grid' })
  assert.ok(confidence > 0.5 && confidence <= 1)
  const wide = cells.find(({ text }) => text === 'Length in metres')
  assert.deepEqual([wide.row, wide.column, wide.row_span, wide.column_span], [0, 1, 1, 2])
  const isInside = ([left, top, right, bottom]) => left >= box[0] - 1 && top >= box[1] - 1 && right <= box[2] + 1 && bottom <= box[3] + 1
  assert.ok(cells.every((cell) => isInside(cell.box)), JSON.stringify(tables))
  assert.deepEqual((await page('/3/tables')).json.tables, [])
  assertError(await page('/9/tables'), 404, 'PT404')
  assertError(await get(`/api/documents/${id}/pages/1/tables`, { as: stranger }), 404, 'PT404')

  const found = async (q) => (await get(`/api/search?session_id=${session.id}&q=${encodeURIComponent(q)}`, { as: viewer })).json.results[0]
  assert.equal((await found('tonne')).heading, '2 Tides')
  assert.equal((await found('pilot papers')).heading, 'Harbour guide')
  const { json: pack } = await post(`/api/sessions/${session.id}/pack`, { query: 'spring tide' }, { as: viewer })
  assert.match(pack.text, /^\| Day \| High water \| Height \| Remarks \|$/m)
  assert.doesNotMatch(pack.text, /<footer>/)
  const [row] = await rows(`select dossier.estimate_tokens(${literal(pack.text)}) as tokens`)
  assert.equal(pack.tokens, row.tokens)

  const word = await get(`/api/sessions/${session.id}/export?format=docx`, { as: viewer })
  const back = await uploaded(member, session.id, { name: 'back.docx', bytes: word.bytes, media_type: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document' }, { wait: 30 })
  const outline = back.file_metadata.outline.map(({ level, title }) => `${level} ${title}`)
  assert.ok(outline.includes('4 1 Berths') && outline.includes('5 Moving a boat'), outline.join(', '))
  const words = (await allPages(viewer, back.id)).map(({ text }) => text).join('\n')
  assert.match(words, /^Monday +06:12 +4\.8 +spring tide$/m)
})

test('signed URLs serve a file and its thumbnail without a token', async () => {
  const session = await newSession(member)
  const bytes = pdf('A page with a picture')
  const { id } = await uploaded(member, session.id, { name: 'plan.pdf', bytes, media_type: 'application/pdf' }, { wait: 30 })
  const made = await post(`/api/documents/${id}/urls`, { expires_in: 60 }, { as: viewer })
  assert.equal(made.status, 200, made.text)
  const { content, thumbnail, expires_at } = made.json
  const left = new Date(expires_at) - Date.now()
  assert.ok(left > 50_000 && left <= 61_000, `${left} ms left`)
  assert.match(content, new RegExp(`^/api/documents/${id}/content\\?`))

  const normal = await get(`/api/documents/${id}/content`, { as: viewer })
  const signed = await get(content)
  assert.equal(signed.status, 200, signed.text)
  assert.ok(signed.bytes.equals(bytes))
  const compared = ['content-type', 'content-length', 'etag', 'accept-ranges', 'cache-control', 'content-disposition', 'content-security-policy', 'x-content-type-options']
  for (const name of compared) assert.equal(signed.headers.get(name), normal.headers.get(name), name)
  const part = await get(content, { headers: { range: 'bytes=0-3' } })
  assert.deepEqual([part.status, part.text], [206, '%PDF'])
  assert.equal((await get(content, { headers: { 'if-none-match': signed.headers.get('etag') } })).status, 304)
  const image = await until('the thumbnail', async () => (await get(thumbnail)).status === 200 && get(thumbnail))
  assert.equal(image.headers.get('content-type'), 'image/webp')

  const swapped = content.replace('/content?', '/thumbnail?')
  const other = await uploaded(member, session.id, text('other'))
  for (const forged of [swapped, content.replace(id, other.id), content.replace(/expires=(\d+)/, (_, at) => `expires=${Number(at) + 1}`),
    content.replace(/signature=(.)/, (_, first) => `signature=${first === 'A' ? 'B' : 'A'}`), content.replace(/&signature.*/, ''), content.replace(/expires=\d+&/, '')]) {
    assertError(await get(forged), 403, 'PT403')
    assertError(await get(forged, { as: owner }), 403, 'PT403')
  }
  assertError(await get(content.replace('/content?', '?')), 401)
  assertError(await call('DELETE', content.replace('/content?', '?')), 401)
  assertError(await get(`${content}&download=1`), 400, 'PT400')
  assertError(await post(`/api/documents/${id}/urls`, {}, { as: stranger }), 404, 'PT404')
  for (const expires_in of [0, 86_401]) assertError(await post(`/api/documents/${id}/urls`, { expires_in }, { as: viewer }), 400, 'PT400')
  assert.equal((await call('POST', `/api/documents/${id}/urls`, { as: viewer })).status, 200, 'a body is not needed')

  const brief = (await post(`/api/documents/${id}/urls`, { expires_in: 1 }, { as: viewer })).json.content
  assert.match((await until('the URL expired', async () => (await get(brief)).status === 403 && get(brief))).json.message, /expired/)
  assert.equal((await call('DELETE', `/api/sessions/${session.id}`, { as: member })).status, 204)
  assertError(await get(content), 404, 'PT404')
  assertError(await get(thumbnail), 404, 'PT404')
})

test('URLs are signed with a secret of their own, if there is one', async () => {
  const [one, two] = await Promise.all(['a', 'b'].map((letter) => startEdge({ EXTRACT_WORKERS: '0', URL_SECRET: letter.repeat(32) })))
  try {
    const session = await newSession(member)
    const { id } = await uploaded(member, session.id, text('words'))
    const { content } = (await post(`/api/documents/${id}/urls`, {}, { as: member, url: one.url })).json
    assert.equal((await get(content, { url: one.url })).text, 'words')
    assertError(await get(content, { url: two.url }), 403, 'PT403')
    assertError(await get(content), 403, 'PT403')
  } finally {
    await Promise.all([one.stop(), two.stop()])
  }
})

test('Prefer: wait is honoured by GET, and holds no place of an upload', async () => {
  const database = await newDatabase({ native: false, name: `dossier_e2e_wait_${process.pid}` })
  const edge = await startEdge({ DATABASE_URL: database.edgeUrl, EXTRACT_WORKERS: '0', UPLOAD_CONCURRENCY: '1' })
  try {
    const session = await newSession(member, {}, { url: edge.url })
    const waiting = uploaded(member, session.id, text('nobody reads this yet'), { wait: 20, url: edge.url })
    const stored = await until('the first document stored', async () =>
      (await get(`/api/documents?session_id=${session.id}&status=stored`, { as: member, url: edge.url })).json.documents[0])
    const second = await upload(member, session.id, [text('meanwhile')], { url: edge.url })
    assert.equal(second.status, 201, second.text)

    const started = Date.now()
    const early = await get(`/api/documents/${stored.id}`, { as: member, url: edge.url, headers: { prefer: 'wait=1' } })
    assert.ok(Date.now() - started >= 900, 'it waits until the time is up')
    assert.deepEqual([early.json.status, early.headers.get('preference-applied')], ['stored', 'wait=1'])
    const late = get(`/api/documents/${stored.id}`, { as: member, url: edge.url, headers: { prefer: 'wait=30' } })
    const workers = await startEdge({ DATABASE_URL: database.edgeUrl, EXTRACT_WORKERS: '2' })
    try {
      assert.equal((await late).json.status, 'ready')
      assert.equal((await waiting).status, 'ready')
    } finally {
      await workers.stop()
    }
    assertError(await get('/api/documents/00000000-0000-4000-8000-000000000000', { as: member, url: edge.url, headers: { prefer: 'wait=5' } }), 404)
  } finally {
    await edge.stop()
    await database.drop()
  }
})

test('a URL cannot be signed without a secret', async () => {
  const pair = keyPair('ES256', 'k1')
  const jwks = await jwksServer(pair)
  const edge = await startEdge({ EXTRACT_WORKERS: '0', JWT_SECRET: undefined, JWKS_URL: jwks.url }).catch((error) => error)
  try {
    assert.ok(!(edge instanceof Error), `${edge.message}`)
    const token = pair.sign(member.claims)
    const response = await until('the keys', async () => {
      const response = await post('/api/documents/00000000-0000-4000-8000-000000000000/urls', {}, { as: token, url: edge.url })
      return response.status === 401 || response.status === 503 ? null : response
    })
    assert.match(assertError(response, 501, 'PT501').hint, /URL_SECRET/)
  } finally {
    await edge.stop?.()
    await jwks.close()
  }
})

test('a document is extracted again, with or without OCR, in a language that is named', async () => {
  const session = await newSession(member)
  const { id, language } = await uploaded(member, session.id, text('This is a short note about the harbour, the ships that came in yesterday, and the people who were waiting for them.'), { wait: 30 })
  assert.equal(language, 'eng')
  const extract = (body, as = member) => call('POST', `/api/documents/${id}/extract`, { as, json: body })
  const again = await extract({ ocr: 'never', language: 'nld' })
  assert.equal(again.status, 202, again.text)
  assert.ok(['stored', 'extracting', 'ready'].includes(again.json.status))
  const settled = async () => (await get(`/api/documents/${id}`, { as: viewer, headers: { prefer: 'wait=30' } })).json
  assert.deepEqual([(await settled()).status, (await settled()).language], ['ready', 'nld'])
  assert.equal((await call('POST', `/api/documents/${id}/extract`, { as: member })).status, 202, 'a body is not needed')
  assert.equal((await settled()).language, 'eng')
  for (const body of [{ ocr: 'maybe' }, { ocr: true }, { language: 'english' }, { languages: 'eng' }]) assertError(await extract(body), 400, 'PT400')
  assertError(await extract({ ocr: 'force' }), 422, 'PT422')
  assertError(await extract({}, viewer), 403, '42501')
  assertError(await extract({}, stranger), 404, 'PT404')
})
