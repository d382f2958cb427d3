// @vitest-environment jsdom
import { act, cleanup, render, screen, waitFor } from '@testing-library/react'
import { ConflictError } from 'dossier-client'
import {
  DossierProvider, useDocuments, useSearch, useSession, useSessionContext, useSessionData, useSessions, useTrash, useUploads,
} from 'dossier-react'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { document, gate, json, problem } from '../../core/test/edge.ts'
import { memoryEdge, renderWith } from './app.tsx'

afterEach(cleanup)

const file = (name = 'report.pdf') => new File(['bytes'], name, { type: 'application/pdf' })

describe('sessions', () => {
  test('a new session appears in the list, and a deleted one in the trash, from where it comes back', async () => {
    const stand = memoryEdge()
    const { result } = renderWith(stand, () => ({ ...useSessions(), trash: useTrash() }))
    await waitFor(() => expect(result.current.isLoading).toBe(false))
    expect(result.current.sessions).toEqual([])

    const session = await act(() => result.current.createSession({ title: 'First call', conversation_type: 'sales_call' }))
    await waitFor(() => expect(result.current.sessions.map(({ id }) => id)).toEqual([session.id]))

    await act(() => result.current.updateSession(session.id, { title: 'Renamed' }))
    await waitFor(() => expect(result.current.sessions[0]?.title).toBe('Renamed'))

    await act(() => result.current.deleteSession(session.id))
    await waitFor(() => expect(result.current.sessions).toEqual([]))
    await waitFor(() => expect(result.current.trash.sessions.map(({ id }) => id)).toEqual([session.id]))

    await act(() => result.current.restoreSession(session.id))
    await waitFor(() => expect(result.current.sessions.map(({ id }) => id)).toEqual([session.id]))
    await waitFor(() => expect(result.current.trash.sessions).toEqual([]))
  })

  test('a long list is read page by page', async () => {
    const pages: Record<string, unknown> = { '': { sessions: [{ id: 'b' }], next: 'cursor' }, cursor: { sessions: [{ id: 'a' }], next: null } }
    const { result } = renderWith(memoryEdge({ 'GET /api/sessions': ({ query }) => json(pages[query.get('after') ?? '']) }), () => useSessions())
    await waitFor(() => expect(result.current.hasMore).toBe(true))
    await act(() => result.current.loadMore())
    await waitFor(() => expect(result.current.sessions.map(({ id }) => id)).toEqual(['b', 'a']))
    expect(result.current.hasMore).toBe(false)
  })

  test('the calls keep their identity over renders', async () => {
    const { result, rerender } = renderWith(memoryEdge(), () => useSessions())
    const { createSession } = result.current
    await waitFor(() => expect(result.current.isLoading).toBe(false))
    rerender()
    expect(result.current.createSession).toBe(createSession)
  })

  test('a refused call rejects with the words of the server', async () => {
    const stand = memoryEdge({ 'POST /api/sessions': () => problem(403, '42501', { message: 'You are a viewer in this organization' }) })
    const { result } = renderWith(stand, () => useSessions())
    await act(() => expect(result.current.createSession({})).rejects.toMatchObject({ code: '42501', message: 'You are a viewer in this organization' }))
    await waitFor(() => expect(result.current.error).toMatchObject({ code: '42501' }))
  })

  test('without a session nothing is requested', async () => {
    const stand = memoryEdge()
    const { result } = renderWith(stand, () => ({ session: useSession(undefined), data: useSessionData() }))
    expect(result.current.session.isLoading).toBe(false)
    expect(result.current.data).toMatchObject({ documents: [], context: undefined, isLoading: false, isUploading: false, error: null })
    expect(stand.seen).toEqual([])
  })
})

describe('context', () => {
  test('a save is seen by every component at once', async () => {
    const stand = memoryEdge()
    const { id } = await stand.client.sessions.create({ context: { text: 'one' } })
    const { result } = renderWith(stand, () => ({ one: useSessionContext(id), other: useSessionData(id), session: useSession(id) }))
    await waitFor(() => expect(result.current.one.context?.text_context).toBe('one'))
    await waitFor(() => expect(result.current.session.session).toBeDefined())
    await act(() => result.current.one.saveContext({ text_context: 'two', expected_version: 1 }))
    await waitFor(() => expect(result.current.other.context).toMatchObject({ text_context: 'two', version: 2 }))
    expect(result.current.session.session?.context).toMatchObject({ text_context: 'two', version: 2 })
  })

  test('after a conflict the current version is there, and nothing was overwritten', async () => {
    const stand = memoryEdge()
    const { id } = await stand.client.sessions.create({ context: { text: 'one' } })
    const { result } = renderWith(stand, () => useSessionContext(id))
    await waitFor(() => expect(result.current.context?.version).toBe(1))
    await stand.client.context.save(id, { text_context: 'theirs' })
    const error = await act(() => result.current.saveContext({ text_context: 'mine', expected_version: 1 }).catch((reason: unknown) => reason))
    expect(error).toBeInstanceOf(ConflictError)
    await waitFor(() => expect(result.current.context).toMatchObject({ text_context: 'theirs', version: 2 }))
    expect(stand.contexts.get(id)?.text_context).toBe('theirs')
  })
})

describe('documents and uploads', () => {
  test('an upload appears in the list of documents as soon as it is stored', async () => {
    const stand = memoryEdge()
    const { id } = await stand.client.sessions.create({})
    const { result } = renderWith(stand, () => ({ ...useDocuments(id), uploads: useUploads(id) }))
    await waitFor(() => expect(result.current.isLoading).toBe(false))
    act(() => void result.current.uploads.add(id, [file('a.pdf'), file('b.pdf')]))
    expect(result.current.uploads.uploads).toHaveLength(2)
    await waitFor(() => expect(result.current.uploads.states.map(({ status }) => status)).toEqual(['ready', 'ready']))
    expect(result.current.documents.map(({ name }) => name).sort()).toEqual(['a.pdf', 'b.pdf'])
    expect(stand.seen.filter(({ method, path }) => method === 'GET' && path === '/api/documents')).toHaveLength(1)
  })

  test('the documents of another session stay as they are', async () => {
    const stand = memoryEdge()
    const { result } = renderWith(stand, () => ({ one: useUploads('session-1'), other: useUploads('session-2') }))
    act(() => void result.current.one.add('session-1', [file()]))
    const before = result.current.other.states
    await waitFor(() => expect(result.current.one.states[0]?.status).toBe('ready'))
    expect(result.current.other.states).toBe(before)
  })

  test('a deleted document leaves the list', async () => {
    const stand = memoryEdge()
    const { id } = await stand.client.sessions.create({})
    const stored = await stand.client.uploads.add(id, file()).ready()
    const { result } = renderWith(stand, () => useDocuments(id))
    await waitFor(() => expect(result.current.documents).toHaveLength(1))
    await act(() => result.current.deleteDocument(stored.id))
    await waitFor(() => expect(result.current.documents).toEqual([]))
  })

  test('documents are read again until their text is there, and OCR has read the pictures', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true })
    const states = [document({ status: 'extracting' }), document({ status: 'ready', ocr_status: 'running', ocr_page: 2, ocr_pages: 5 }), document({ status: 'ready' })]
    let reads = 0
    const stand = memoryEdge({ 'GET /api/documents': () => json({ documents: [states[reads++] ?? document()], next: null }) })
    const { result } = renderWith(stand, () => useDocuments('session-1'))
    await waitFor(() => expect(result.current.documents[0]?.status).toBe('extracting'))
    await act(() => vi.advanceTimersByTimeAsync(10_000))
    await waitFor(() => expect(result.current.documents[0]?.ocr_status).toBe('none'))
    expect(result.current.documents[0]?.status).toBe('ready')
    expect(reads).toBe(3)
    vi.useRealTimers()
  })
})

describe('search', () => {
  test('results stay while the next are searched, and an empty query searches nothing', async () => {
    const second = gate()
    const stand = memoryEdge({
      'POST /api/search': async ({ body }) => {
        const { query } = body as { query: string }
        if (query === 'price list') await second.promise
        return json({ results: [{ kind: 'page', snippet: query }], next: null })
      },
    })
    let query = ' '
    const { result, rerender } = renderWith(stand, () => useSearch({ query }))
    expect(stand.seen).toEqual([])
    query = 'price'
    rerender()
    await waitFor(() => expect(result.current.results.map(({ snippet }) => snippet)).toEqual(['price']))
    query = 'price list'
    rerender()
    await waitFor(() => expect(result.current.isStale).toBe(true))
    expect(result.current.results.map(({ snippet }) => snippet)).toEqual(['price'])
    second.open()
    await waitFor(() => expect(result.current.results.map(({ snippet }) => snippet)).toEqual(['price list']))
  })
})

describe('the provider', () => {
  test('it brings a cache of its own if the app has none', async () => {
    const stand = memoryEdge()
    await stand.client.sessions.create({ title: 'Alone' })
    const List = () => <p>{useSessions().sessions.map(({ title }) => title)}</p>
    render(<DossierProvider client={stand.client}><List /></DossierProvider>)
    expect(await screen.findByText('Alone')).toBeDefined()
  })

  test('a refusal is shown at once, and a server that fails is asked again', async () => {
    const stand = memoryEdge({
      'GET /api/sessions/none': () => problem(404, 'PT404', { message: 'Session not found' }),
      'GET /api/sessions/later': () => (requests('later') === 1 ? new Response('', { status: 502 }) : json({ id: 'later', title: 'There it is' })),
    })
    const requests = (id: string) => stand.seen.filter(({ path }) => path === `/api/sessions/${id}`).length
    function Title({ id }: { id: string }) {
      const { session, error } = useSession(id)
      return <p>{error?.message ?? session?.title}</p>
    }
    render(<DossierProvider client={stand.client}><Title id="none" /><Title id="later" /></DossierProvider>)
    expect(await screen.findByText('Session not found')).toBeDefined()
    expect(requests('none')).toBe(1)
    expect(await screen.findByText('There it is')).toBeDefined()
    expect(requests('later')).toBe(2)
  })

  test('a list is restricted by its filter, and changes with it', async () => {
    const stand = memoryEdge({ 'GET /api/sessions': ({ query }) => json({ sessions: [{ id: query.get('status') ?? 'all' }], next: null }) })
    let filter: { status?: 'active' | 'archived' } = {}
    const { result, rerender } = renderWith(stand, () => useSessions(filter))
    await waitFor(() => expect(result.current.sessions[0]?.id).toBe('all'))
    filter = { status: 'archived' }
    rerender()
    await waitFor(() => expect(result.current.sessions[0]?.id).toBe('archived'))
  })

  test('a hook outside says what is missing', () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined) // React reports the error, too
    const List = () => <p>{useUploads().uploads.length}</p>
    expect(() => render(<List />)).toThrow('DossierProvider')
  })
})
