// @vitest-environment jsdom
// The text of a context: saved by itself, kept until then, never over a version that was not seen.

import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/react'
import { DossierProvider } from 'dossier-react'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ContextEditor } from '../src/components/index.ts'
import { memoryEdge } from './app.tsx'

beforeEach(() => localStorage.clear())
afterEach(cleanup)

async function editor(text: string, handlers: Parameters<typeof memoryEdge>[0] = {}) {
  const stand = memoryEdge(handlers)
  const session = await stand.client.sessions.create({ title: 'First call', context: { text } })
  const show = () =>
    render(
      <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
        <DossierProvider client={stand.client}>
          <ContextEditor sessionId={session.id} />
        </DossierProvider>
      </QueryClientProvider>,
    )
  return { stand, session, show }
}

const field = () => screen.findByRole<HTMLTextAreaElement>('textbox', { name: 'Context' })

test('what is typed is saved when typing pauses', async () => {
  const { stand, session, show } = await editor('Forty seats.')
  show()
  expect((await field()).value).toBe('Forty seats.')
  fireEvent.change(await field(), { target: { value: 'Forty seats by Friday.' } })
  expect(screen.getByText('Not saved yet')).toBeTruthy()
  await screen.findByText(/^Version 2, saved/, undefined, { timeout: 3000 })
  expect(stand.contexts.get(session.id)?.text_context).toBe('Forty seats by Friday.')
  expect(localStorage.length).toBe(0)
})

test('a draft survives a reload, and is saved then', async () => {
  const { stand, session, show } = await editor('Forty seats.')
  const page = show()
  fireEvent.change(await field(), { target: { value: 'Forty-five seats.' } })
  page.unmount()
  expect(stand.contexts.get(session.id)?.version).toBe(1)

  show()
  await waitFor(async () => expect((await field()).value).toBe('Forty-five seats.'))
  expect(screen.getByText('Your unsaved draft is back.')).toBeTruthy()
  await waitFor(() => expect(stand.contexts.get(session.id)?.text_context).toBe('Forty-five seats.'), { timeout: 3000 })
})

test('two versions are shown word by word, and neither is lost', async () => {
  const { stand, session, show } = await editor('They want it by Friday.')
  show()
  await field()
  await stand.client.context.save(session.id, { text_context: 'They want it by Thursday.' })
  fireEvent.change(await field(), { target: { value: 'They want it by Friday noon.' } })

  const conflict = await screen.findByRole('group', { name: /saved another version/ }, { timeout: 3000 })
  expect(within(conflict).getAllByText((_, element) => element?.tagName === 'DEL').map((each) => each.textContent)).toEqual(['removed: Thursday'])
  expect(within(conflict).getAllByText((_, element) => element?.tagName === 'INS').map((each) => each.textContent)).toEqual(['added: Friday noon'])
  expect(stand.contexts.get(session.id)?.text_context).toBe('They want it by Thursday.')

  fireEvent.click(within(conflict).getByRole('button', { name: 'Edit both together' }))
  expect((await field()).value).toBe('They want it by Thursday.\nThey want it by Friday noon.')
  fireEvent.blur(await field())
  await waitFor(() => expect(stand.contexts.get(session.id)?.version).toBe(3))
  expect(stand.contexts.get(session.id)?.text_context).toBe('They want it by Thursday.\nThey want it by Friday noon.')
  expect(screen.queryByRole('group', { name: /saved another version/ })).toBeNull()
})

test('a refusal is shown in the words of the server, and the draft is kept', async () => {
  const { session, show } = await editor('Forty seats.', {
    'POST /api/sessions/session-1/context': () =>
      new Response(JSON.stringify({ code: '42501', message: 'You are a viewer in this organization', details: null, hint: 'Ask an owner.' }), {
        status: 403,
        headers: { 'content-type': 'application/json' },
      }),
  })
  show()
  fireEvent.change(await field(), { target: { value: 'Fifty seats.' } })
  await screen.findByText(/You are a viewer in this organization\. Ask an owner\./, undefined, { timeout: 3000 })
  expect(screen.getByText('Your draft is kept on this device.')).toBeTruthy()
  expect(JSON.parse(localStorage.getItem(`dossier:draft:${session.id}`) ?? '{}')).toEqual({ text: 'Fifty seats.', version: 1 })
})
