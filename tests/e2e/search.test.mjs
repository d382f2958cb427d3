// Search, and packing a session for a prompt.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { assertError, get, newSession, post, uploaded } from './lib/api.mjs'
import { acme, member, serviceToken, stranger, viewer } from './lib/people.mjs'

// A word that occurs nowhere else in the database.
const unique = () => `w${randomUUID().replaceAll('-', '')}`
const search = (parameters, options) => get(`/api/search?${new URLSearchParams(parameters)}`, options)
const text = (name, content) => ({ name, media_type: 'text/plain', bytes: Buffer.from(content) })

test('pages, contexts and names are found, by members only', async () => {
  const [word, name] = [unique(), unique()]
  const session = await newSession(member, { context: { text: `They asked for ${word}.` } })
  const document = await uploaded(member, session.id, text(`${name}.txt`, `A page about <b>${word}</b> & more.`), { wait: 30 })
  assert.equal(document.status, 'ready', JSON.stringify(document))

  const found = await search({ q: word }, { as: viewer })
  assert.equal(found.status, 200, found.text)
  assert.deepEqual(found.json.results.map((result) => result.kind).sort(), ['context', 'page'])
  const page = found.json.results.find((result) => result.kind === 'page')
  assert.deepEqual(Object.keys(page).sort(), ['contained', 'corrected', 'document_id', 'document_name', 'heading', 'kind', 'missing', 'page', 'rank', 'session_id', 'snippet'])
  assert.deepEqual([page.contained, page.missing, page.corrected], [[word], [], null])
  assert.deepEqual([page.session_id, page.document_id, page.document_name, page.page], [session.id, document.id, `${name}.txt`, 1])
  assert.equal(page.snippet.trim(), `A page about &lt;b&gt;<mark>${word}</mark>&lt;/b&gt; &amp; more.`)
  assert.equal(found.json.next, null)

  const named = await search({ q: name, session_id: session.id }, { as: viewer })
  assert.deepEqual(named.json.results.map((result) => [result.kind, result.document_id]), [['name', document.id]])
  const typed = await search({ q: word, organization_id: acme, media_type: 'text/*', since: '2020-01-01' }, { as: viewer })
  assert.deepEqual(typed.json.results.map((result) => result.kind), ['page'])
  assert.deepEqual((await search({ q: word }, { as: stranger })).json.results, [])
  assertError(await search({ q: word, session_id: session.id }, { as: stranger }), 404, 'PT404')
})

test('results come in pages', async () => {
  const word = unique()
  for (let n = 0; n < 5; n += 1) await newSession(member, { context: { text: `${word} ${'again '.repeat(n)}` } })
  const seen = []
  let after
  do {
    const page = await search({ q: word, limit: 2, ...(after && { after }) }, { as: member })
    assert.equal(page.status, 200, page.text)
    seen.push(...page.json.results.map((result) => result.session_id))
    after = page.json.next
  } while (after)
  assert.equal(seen.length, 5)
  assert.equal(new Set(seen).size, 5)
})

test('an invalid search is refused', async () => {
  assertError(await search({}, { as: member }), 400, 'PT400')
  assertError(await search({ q: ' ' }, { as: member }), 400, 'PT400')
  assertError(await search({ q: 'x', limit: 0 }, { as: member }), 400, 'PT400')
  assertError(await search({ q: 'x', after: 'x' }, { as: member }), 400, 'PT400')
  assertError(await search({ q: 'x', since: 'yesterday-ish' }, { as: member }), 400)
  assertError(await search({ q: 'x', session_id: 'x' }, { as: member }), 400)
  assertError(await search({ q: 'x' }, { as: serviceToken }), 400, 'PT400')
  assertError(await search({ q: 'x' }), 401)
})

test('a search may be a JSON body, with an embedding if the database can compare them', async () => {
  const word = unique()
  const session = await newSession(member, { context: { text: `They asked for ${word}.` } })
  const ask = (body, as = viewer) => post('/api/search', body, { as })

  const found = await ask({ query: word, session_id: session.id })
  assert.equal(found.status, 200, found.text)
  assert.deepEqual(found.json.results.map((result) => [result.kind, result.session_id]), [['context', session.id]])
  assertError(await ask({}), 400, 'PT400')
  assertError(await ask({ q: word }), 400)
  assertError(await ask({ query: word, embedding: [1, 0], after: 'x' }), 400)
  assertError(await ask({ query: word, embedding: 'x' }), 400)
  // The test database has no pgvector. tests/sql/needs/vector/ proves what it finds with it.
  for (const body of [{ embedding: [1, 0] }, { embedding: [1e-3, 2], query: word }]) {
    const refused = await ask({ ...body, session_id: session.id })
    assertError(refused, 501, 'PT501')
    assert.match(refused.json.hint, /create extension vector/)
    assertError(await ask({ ...body, session_id: session.id }, stranger), 404, 'PT404')
  }
})

test('a session is packed for a prompt, within its budget', async () => {
  const [word, other] = [unique(), unique()]
  const session = await newSession(member, { context: { text: 'They breed horses.' } })
  const document = await uploaded(member, session.id, text('facts.txt', `Facts about ${word}.`), { wait: 30 })
  await uploaded(member, session.id, text('other.txt', `Facts about ${other}.`), { wait: 30 })

  const packed = await post(`/api/sessions/${session.id}/pack`, { query: word, max_tokens: 200 }, { as: viewer })
  assert.equal(packed.status, 200, packed.text)
  assert.match(packed.json.text, /^# Context\n\nThey breed horses\.\n\n## facts\.txt, page 1\n\nFacts about/)
  assert.ok(packed.json.tokens <= 200)
  assert.deepEqual(packed.json.quotes.map((quote) => [quote.document_id, quote.first_page, quote.last_page]), [[document.id, 1, 1]])
  assert.deepEqual(packed.json.left_out.map((left) => [left.document_name, left.reason]), [['other.txt', 'no_match']])

  const small = await post(`/api/sessions/${session.id}/pack`, { max_tokens: 12 }, { as: member })
  assert.ok(small.json.tokens <= 12, small.text)
  assert.deepEqual(small.json.quotes, [])
  assertError(await post(`/api/sessions/${session.id}/pack`, { max_tokens: 0 }, { as: member }), 400, 'PT400')
  assertError(await post(`/api/sessions/${session.id}/pack`, { budget: 5 }, { as: member }), 400)
  assertError(await post(`/api/sessions/${session.id}/pack`, {}, { as: stranger }), 404, 'PT404')
})
