// How often search finds the right page: 418 questions of 14 kinds over 130 documents (bench/questions),
// uploaded through the edge and asked over HTTP, against BM25 and against plain websearch_to_tsquery().
//
// BM25 knows the language of each text, stems it as Postgres does, folds accents and cuts Japanese into pairs of letters.
// websearch_to_tsquery() is what a simple app would do: English, ranked by ts_rank(). QUESTIONS_SHOW=1 prints every miss.

import assert from 'node:assert/strict'
import { onOwnStack } from './lib/bench.mjs'
import { bm25 } from './questions/bm25.mjs'
import { corpus } from './questions/corpus.mjs'
import { call, finished, get, newSession, post, upload } from '../tests/e2e/lib/api.mjs'
import { member } from '../tests/e2e/lib/people.mjs'
import { literal, rows } from '../tests/e2e/lib/psql.mjs'

const { documents, contexts, questions } = corpus()
/** At a time. More would only wait in the edge. */
const together = 4

await onOwnStack({}, async ({ database, edge, session }) => {
  const options = { as: member, url: edge.url }
  await inParallel(documents, async (document) => {
    const response = await upload(member, session.id, [document], { url: edge.url })
    assert.equal(response.status, 201, response.text)
    document.id = response.json.documents[0].id
  })
  await inParallel(documents, async (document) => {
    const { status } = await finished(member, document.id, { seconds: 600, url: edge.url })
    assert.equal(status, 'ready', document.name)
  })
  for (const context of contexts) {
    context.session = (await newSession(member, { title: context.title, context: { text: context.text, metadata: context.metadata } }, { url: edge.url })).id
  }
  const units = await rows(`
    select 'page' as kind, p.document_id as id, p.page, d.language, p.text
    from dossier.document_pages as p join dossier.documents as d on d.id = p.document_id where d.session_id = ${literal(session.id)}
    union all
    select 'context', c.session_id, null, 'eng', c.text_context || ' ' || c.context_metadata from dossier.session_context as c
    where c.session_id = any (${literal(`{${contexts.map((context) => context.session)}}`)})`, { url: database.url })

  const subjects = {
    search: await ask(async ({ query }) => {
      const response = await get(`/api/search?${new URLSearchParams({ q: query, limit: 5 })}`, options)
      assert.equal(response.status, 200, response.text)
      return response.json.results.map(({ kind, document_id, session_id, page }) => ({ kind, id: kind === 'context' ? session_id : document_id, page }))
    }),
    pack: await ask(async ({ query }) => {
      const response = await post(`/api/sessions/${session.id}/pack`, { query, max_tokens: 2000 }, options)
      assert.equal(response.status, 200, response.text)
      return response.json.quotes.flatMap((quote) => Array.from(
        { length: quote.last_page - quote.first_page + 1 }, (_, n) => ({ kind: 'page', id: quote.document_id, page: quote.first_page + n })))
    }),
    BM25: await bm25(units, questions, database.url),
    'websearch_to_tsquery': await ask(({ query }) => rows(`
      select unit.kind, unit.id, unit.page
      from jsonb_to_recordset(${literal(JSON.stringify(units))}) as unit (kind text, id uuid, page integer, text text)
      cross join lateral (select to_tsvector('english', unit.text) as vector, websearch_to_tsquery('english', ${literal(query)}) as terms) as said
      where said.vector @@ said.terms
      order by ts_rank(said.vector, said.terms) desc
      limit 5`, { url: database.url })),
  }
  report(subjects)
})

async function inParallel(items, go) {
  const waiting = [...items]
  await Promise.all(Array.from({ length: together }, async () => {
    while (waiting.length > 0) await go(waiting.shift())
  }))
}

/** What `go` returns for each question, in their order. */
async function ask(go) {
  const results = []
  await inParallel(questions.map((question, place) => ({ question, place })), async ({ question, place }) => {
    results[place] = await go(question)
  })
  return results
}

/** The right result of a question. */
function wanted({ answer }) {
  return 'context' in answer
    ? { kind: 'context', id: contexts[answer.context].session, page: null }
    : { kind: 'page', id: documents[answer.document].id, page: answer.page }
}

/** The place of the right result among others, from 0, or infinity. */
function placeOf(question, results) {
  const right = wanted(question)
  const place = results.findIndex(({ kind, id, page }) => kind === right.kind && id === right.id && (page ?? null) === right.page)
  return place < 0 ? Infinity : place
}

function nameOf(result) {
  if (!result) return 'nothing'
  const name = documents.find(({ id }) => id === result.id)?.name ?? contexts.find(({ session }) => session === result.id)?.title
  return `${result.kind} ${name} ${result.page ?? ''}`
}

/** Recall by kind: at one and at five, and for packs at all. Packs do not quote contexts, which they always contain. */
function report(subjects) {
  const kinds = [...new Set(questions.map(({ kind }) => kind)), 'all']
  console.log(`${questions.length} questions, ${documents.length} documents, ${contexts.length} contexts: recall@1 / recall@5`)
  console.log(`${''.padEnd(28)}${Object.keys(subjects).map((name) => name.padEnd(22)).join('')}`)
  for (const kind of kinds) {
    const asked = questions.map((question, number) => ({ question, number })).filter(({ question }) => kind === 'all' || question.kind === kind)
    const columns = Object.entries(subjects).map(([name, results]) => {
      const counted = asked.filter(({ question }) => name !== 'pack' || !('context' in question.answer))
      const places = counted.map(({ question, number }) => placeOf(question, results[number]))
      const share = (below) => (places.filter((place) => place < below).length / places.length).toFixed(2)
      if (counted.length === 0) return ''
      return name === 'pack' ? share(Infinity) : `${share(1)} / ${share(5)}`
    })
    console.log(`${`${kind} (${asked.length})`.padEnd(28)}${columns.map((column) => column.padEnd(22)).join('')}`)
  }
  if (process.env.QUESTIONS_SHOW) showMisses(subjects)
}

function showMisses(subjects) {
  for (const [number, question] of questions.entries()) {
    const place = placeOf(question, subjects.search[number])
    const packed = 'context' in question.answer || placeOf(question, subjects.pack[number]) < Infinity
    if (place === 0 && packed) continue
    console.log(`\n${question.kind}: ${question.query}`)
    console.log(`  wanted ${nameOf(wanted(question))}, found at ${place} (BM25 at ${placeOf(question, subjects.BM25[number])})${packed ? '' : ', not packed'}`)
    console.log(`  first  ${nameOf(subjects.search[number][0])}`)
  }
}
