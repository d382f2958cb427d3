// @vitest-environment jsdom
import { act, cleanup, waitFor } from '@testing-library/react'
import { useDocument, useDocuments, useSession, useSessionContext } from 'dossier-react'
import { afterEach, expect, test, vi } from 'vitest'
import { document, json } from '../../core/test/edge.ts'
import { block, streams } from '../../core/test/streams.ts'
import { memoryEdge, renderWith } from './app.tsx'

afterEach(() => {
  cleanup()
  vi.useRealTimers()
})

const begun = (id: string, more: Record<string, unknown> = {}) => block('session', { id: 'session-1', reload: true, ...more }, id)

/** An edge with one session whose events the test sends, and the states of its documents. */
async function liveEdge() {
  const { open, handler } = streams()
  const stand = memoryEdge({ 'GET /api/sessions/session-1/events': handler })
  await stand.client.sessions.create({ title: 'First call', context: { text: 'one' } })
  const reads = (path: string) => stand.seen.filter((seen) => seen.method === 'GET' && seen.path === path).length
  const send = (text: string) => act(async () => open.at(-1)!.send(text))
  return { ...stand, open, reads, send }
}

test('documents change with each event, without being read again and again', async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true })
  const edge = await liveEdge()
  edge.documents.push(document({ id: 'd', status: 'stored' }))
  const { result } = renderWith(edge, () => ({ ...useDocuments('session-1'), one: useDocument('d') }))
  await waitFor(() => expect(edge.open).toHaveLength(1))
  await edge.send(begun('1'))
  await waitFor(() => expect(result.current.documents[0]?.status).toBe('stored'))
  await waitFor(() => expect(edge.reads('/api/documents')).toBe(2))
  await act(() => vi.advanceTimersByTimeAsync(14_000))
  expect(edge.reads('/api/documents'), 'after the first event once, and no more').toBe(2)

  await edge.send(block('document', { id: 'd', name: 'report.pdf', status: 'extracting', ocr_status: 'none', page: null, pages: null, page_count: null, error_code: null, error_message: null, hint: null, updated_at: '2' }, '2'))
  await waitFor(() => expect(result.current.documents[0]?.status).toBe('extracting'))
  expect(result.current.one.document?.status).toBe('extracting')
  expect(result.current.documents[0]?.sha256, 'what the event does not say stays').toBe('aa')
  expect(edge.reads('/api/documents')).toBe(2)

  edge.documents[0] = document({ id: 'd', status: 'ready', language: 'eng', updated_at: '3' })
  await edge.send(block('document', { id: 'd', name: 'report.pdf', status: 'ready', ocr_status: 'none', page: null, pages: null, page_count: 3, error_code: null, error_message: null, hint: null, updated_at: '3' }, '3'))
  await waitFor(() => expect(result.current.documents[0]?.language).toBe('eng'))
  await waitFor(() => expect(result.current.one.document?.language).toBe('eng'))
  expect(edge.reads('/api/documents')).toBe(3)
})

test('documents of others appear, and deleted ones go', async () => {
  const edge = await liveEdge()
  const { result } = renderWith(edge, () => useDocuments('session-1'))
  await waitFor(() => expect(edge.open).toHaveLength(1))
  await edge.send(begun('1'))
  await waitFor(() => expect(result.current.isLoading).toBe(false))
  edge.documents.push(document({ id: 'theirs', name: 'theirs.pdf', status: 'ready' }))
  await edge.send(block('document', { id: 'theirs', status: 'stored', updated_at: '1' }, '2'))
  await waitFor(() => expect(result.current.documents.map(({ name }) => name)).toEqual(['theirs.pdf']))
  edge.documents.length = 0
  await edge.send(block('document', { id: 'theirs', status: 'deleted' }, '3'))
  await waitFor(() => expect(result.current.documents).toEqual([]))
})

test('a list that was read before an event does not undo it', async () => {
  let old: (response: Response) => void = () => undefined
  let reads = 0
  const { open, handler } = streams()
  const stand = memoryEdge({
    'GET /api/documents': () => (++reads === 1 ? new Promise<Response>((resolve) => { old = resolve }) : json({ documents: [], next: null })),
    'GET /api/sessions/session-1/events': handler,
  })
  await stand.client.sessions.create({})
  const { result } = renderWith(stand, () => useDocuments('session-1'))
  await waitFor(() => expect(open).toHaveLength(1))
  await waitFor(() => expect(reads).toBe(1))
  await act(async () => open[0]!.send(block('session', { id: 'session-1', reload: false }, '1') + block('document', { id: 'd', status: 'deleted' }, '2')))
  await act(async () => old(json({ documents: [document({ id: 'd' })], next: null })))
  await waitFor(() => expect(reads).toBe(2))
  await waitFor(() => expect(result.current.documents).toEqual([]))
})

test('another title and another version of the context are shown', async () => {
  const edge = await liveEdge()
  const { result } = renderWith(edge, () => ({ session: useSession('session-1').session, ...useSessionContext('session-1') }))
  await waitFor(() => expect(result.current.context?.text_context).toBe('one'))
  await waitFor(() => expect(result.current.session).toBeDefined())
  await waitFor(() => expect(edge.open, 'one stream for all hooks').toHaveLength(1))
  await edge.send(begun('1', { title: 'Renamed', updated_at: '2' }) + block('context', { version: 1, updated_by: null, updated_at: '1' }))
  await waitFor(() => expect(result.current.session?.title).toBe('Renamed'))
  expect(edge.reads('/api/sessions/session-1/context'), 'this version is known').toBe(1)
  await edge.client.context.save('session-1', { text_context: 'theirs' })
  await edge.send(block('context', { version: 2, updated_by: 'somebody', updated_at: '2' }, '2'))
  await waitFor(() => expect(result.current.context).toMatchObject({ text_context: 'theirs', version: 2 }))
})

test('a component that goes away closes the stream', async () => {
  const edge = await liveEdge()
  const { unmount } = renderWith(edge, () => useDocuments('session-1'))
  await waitFor(() => expect(edge.open).toHaveLength(1))
  unmount()
  expect(edge.open[0]!.seen.signal?.aborted).toBe(true)
})
