/** What a model gets and cites, with the AI SDK as it is, and a model that a test scripts. */

import { generateText, stepCountIs } from 'ai'
import { MockLanguageModelV3 } from 'ai/test'
import { createDossierClient } from 'dossier-client'
import { citationUrl, dossierTools, resolveCitation, toSearchResults, uploadParts } from 'dossier-client/ai'
import { expect, test } from 'vitest'
import { document, edge, json, problem, type Handler } from './edge.ts'

const url = 'https://app.example'
const client = (handlers: Record<string, Handler>) => {
  const stand = edge(handlers)
  return { dossier: createDossierClient({ url: stand.url, fetch: stand.fetch, getToken: () => 'token' }), seen: stand.seen }
}
const quote = { document_id: 'd/1', document_name: 'offer.pdf', first_page: 2, last_page: 3, text: 'Forty seats cost 4,000 EUR.', tokens: 9 }

test('a citation leads back to its page, whatever the words', () => {
  for (const cited of [
    { documentId: 'd/1 ä', page: 12, query: 'price & "exact phrase" #1 100% 東京都' },
    { documentId: '0190a0c0-0000-7000-8000-000000000001', page: 1, query: '' },
  ]) {
    for (const base of [url, `${url}/`, 'http://127.0.0.1:8080/app']) {
      const address = citationUrl(base, cited)
      expect(new URL(address).search, 'words are not sent to the server').toBe('')
      expect(resolveCitation(address)).toEqual(cited)
    }
  }
})

test('other addresses are refused, and an invalid page becomes the first', () => {
  for (const address of ['', url, `${url}/documents`, `${url}/documents/`, `${url}/documents/x/y`, `${url}/documents/%E0%A4%A`]) {
    expect(resolveCitation(address), address).toBeNull()
  }
  for (const page of ['0', '-1', '1.5', 'x', '']) expect(resolveCitation(`${url}/documents/x#page=${page}`)).toEqual({ documentId: 'x', page: 1, query: '' })
})

test('quotes of a pack become search results that Claude can cite', () => {
  const [block] = toSearchResults({ quotes: [quote] as never }, { url, query: 'price' })
  expect(block).toEqual({
    type: 'search_result',
    source: `${url}/documents/d%2F1#page=2&q=price`,
    title: 'offer.pdf, pages 2–3',
    content: [{ type: 'text', text: 'Forty seats cost 4,000 EUR.' }],
    citations: { enabled: true },
  })
})

const usage = { inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 }, outputTokens: { total: 1, text: 1, reasoning: 0 } }

/** A model that calls one tool, and then answers with what the tool returned. */
const callsTool = (toolName: string, input: unknown) =>
  new MockLanguageModelV3({
    doGenerate: async ({ prompt }) => {
      const last = prompt.at(-1)
      if (last?.role !== 'tool') {
        const call = { type: 'tool-call' as const, toolCallId: '1', toolName, input: JSON.stringify(input) }
        return { content: [call], finishReason: { unified: 'tool-calls', raw: undefined }, usage, warnings: [] }
      }
      const [result] = last.content
      return { content: [{ type: 'text', text: JSON.stringify(result) }], finishReason: { unified: 'stop', raw: undefined }, usage, warnings: [] }
    },
  })

test('the AI SDK calls the tools, and their results have addresses to cite', async () => {
  const { dossier, seen } = client({
    'POST /api/search': () =>
      json({
        results: [
          { kind: 'page', session_id: 's', document_id: 'd', document_name: 'offer.pdf', page: 2, snippet: 'the <mark>price</mark> is &lt; 5 &amp; fixed' },
          { kind: 'context', session_id: 's', document_id: null, document_name: null, page: null, snippet: 'no document' },
        ],
        next: null,
      }),
    'POST /api/sessions/s/pack': () => json({ context: { text_context: 'They ask about seats.' }, quotes: [quote] }),
  })
  const model = callsTool('search', { query: 'price' })
  const { steps } = await generateText({ model, tools: dossierTools(dossier, { url, sessionId: 's' }), prompt: 'What is the price?', stopWhen: stepCountIs(3) })
  expect(steps[0]?.toolResults[0]?.output).toEqual([{ title: 'offer.pdf, page 2', source: `${url}/documents/d#page=2&q=price`, text: 'the price is < 5 & fixed' }])
  expect(seen.at(-1)?.body).toEqual({ query: 'price', session_id: 's', limit: 10 })
  const [tool] = model.doGenerateCalls[0]?.tools ?? []
  expect(tool).toMatchObject({ name: 'search', inputSchema: { type: 'object', required: ['query'] } })

  const packed = await generateText({ model: callsTool('pack', { question: 'seats?' }), tools: dossierTools(dossier, { url, sessionId: 's' }), prompt: 'Seats?', stopWhen: stepCountIs(3) })
  expect(packed.steps[0]?.toolResults[0]?.output).toEqual({
    text: 'They ask about seats.',
    sources: [{ title: 'offer.pdf, pages 2–3', source: `${url}/documents/d%2F1#page=2&q=seats%3F`, text: quote.text }],
  })
})

test('input of a model that does not fit the schema never reaches the server', async () => {
  const { dossier, seen } = client({})
  const { steps } = await generateText({ model: callsTool('search', { query: 5 }), tools: dossierTools(dossier, { url }), prompt: 'x', stopWhen: stepCountIs(1) })
  expect(steps[0]?.content).toContainEqual(expect.objectContaining({ type: 'tool-error' }))
  expect(seen).toEqual([])
})

test('without a session there is nothing to pack', () => {
  expect(Object.keys(dossierTools(client({}).dossier, { url }))).toEqual(['search'])
})

test('files of a message are uploaded, and get addresses that last', async () => {
  const { dossier, seen } = client({
    'POST /api/uploads/explain': () => json({ allowed: true, checks: [] }),
    'POST /api/documents': ({ body }) => {
      const file = (body as FormData).get('file') as File
      return file.name === 'bad.exe' ? problem(415, 'PT415') : json({ documents: [document({ id: `id of ${file.name}`, status: 'stored' })] }, 201)
    },
    '*': () => json(document({ status: 'ready' })),
  })
  const data = { type: 'file' as const, mediaType: 'text/plain', filename: 'a.txt', url: 'data:text/plain,Hello' }
  const kept = { type: 'file' as const, mediaType: 'image/png', url: 'https://elsewhere.example/x.png' }
  const parts = await uploadParts(dossier, 's', [data, kept], { url })
  expect(parts).toEqual([{ ...data, url: `${url}/documents/id%20of%20a.txt#page=1` }, kept])
  const form = seen.find(({ path }) => path === '/api/documents')?.body as FormData
  expect(await (form.get('file') as File).text()).toBe('Hello')
  await expect(uploadParts(dossier, 's', [{ ...data, filename: 'bad.exe' }], { url })).rejects.toMatchObject({ code: 'PT415' })
})
