// @vitest-environment jsdom
/**
 * The calls of the application that Dossier replaces. Its components must compile and work unchanged, so nothing in the three
 * components below may be adapted to Dossier.
 */

import { act, cleanup, render, screen } from '@testing-library/react'
import { userEvent } from '@testing-library/user-event'
import { DossierProvider, useSessionData, useSessions } from 'dossier-react'
import { useState } from 'react'
import { afterEach, expect, test } from 'vitest'
import { document, json, problem } from '../../core/test/edge.ts'
import { memoryEdge, renderWith } from './app.tsx'

afterEach(cleanup)

/** 1. A new conversation with its first context. */
function NewConversation({ onCreated }: { onCreated: (id: string) => void }) {
  const { createSession } = useSessions()
  const create = async () => {
    const session = await createSession({
      title: 'First call with Initech',
      conversation_type: 'sales_call',
      context: { text: 'They want a quote by Friday.', metadata: { stage: 'discovery' } },
    })
    onCreated(session.id)
  }
  return <button onClick={() => void create()}>Start</button>
}

/** 2. Files: uploaded, listed, and extracted again. */
function Files({ sessionId }: { sessionId: string }) {
  const { documents, uploadDocuments, fetchDocuments, triggerOCR, isUploading, error } = useSessionData(sessionId)
  const [log, setLog] = useState('')
  const upload = async () => {
    const stored = await uploadDocuments(sessionId, [new File(['bytes'], 'offer.pdf', { type: 'application/pdf' })])
    const listed = await fetchDocuments(sessionId)
    const again = await triggerOCR(listed[0]!.id)
    setLog(`${stored.length} stored, ${listed.length} listed, ${again.status}`)
  }
  return (
    <section>
      <button onClick={() => void upload()} disabled={isUploading}>Upload</button>
      <ul>{documents.map((document) => <li key={document.id}>{document.name}</li>)}</ul>
      <output>{error ? error.message : log}</output>
    </section>
  )
}

/** 3. The context: read, changed, read again. */
function ContextForm({ sessionId }: { sessionId: string }) {
  const { saveContext, fetchContext } = useSessionData(sessionId)
  const [shown, setShown] = useState('')
  const save = async () => {
    const before = await fetchContext(sessionId)
    await saveContext(sessionId, 'They want it by Thursday.', { ...before.context_metadata, stage: 'offer' })
    const { text_context, context_metadata } = await fetchContext(sessionId)
    setShown(`${before.text_context} | ${text_context} | ${JSON.stringify(context_metadata)}`)
  }
  return (
    <form onSubmit={(event) => { event.preventDefault(); void save() }}>
      <button>Save</button>
      <p>{shown}</p>
    </form>
  )
}

function App() {
  const [sessionId, setSessionId] = useState<string>()
  if (!sessionId) return <NewConversation onCreated={setSessionId} />
  return (
    <>
      <Files sessionId={sessionId} />
      <ContextForm sessionId={sessionId} />
    </>
  )
}

test('the six calls work as they did', async () => {
  const stand = memoryEdge()
  const user = userEvent.setup()
  render(<DossierProvider client={stand.client}><App /></DossierProvider>)

  await user.click(screen.getByText('Start'))
  await user.click(await screen.findByText('Upload'))
  expect(await screen.findByText('1 stored, 1 listed, stored')).toBeDefined()
  expect(screen.getByText('offer.pdf')).toBeDefined()

  await user.click(screen.getByText('Save'))
  expect(await screen.findByText('They want a quote by Friday. | They want it by Thursday. | {"stage":"offer"}')).toBeDefined()
})

test('a file that is refused does not keep the others from being stored, and the call rejects with its error', async () => {
  const stand = memoryEdge({
    'POST /api/documents': ({ body }) => {
      const { name } = (body as FormData).get('file') as File
      if (name === 'setup.exe') return problem(415, 'PT415', { message: 'Files of this type are not accepted' })
      const stored = document({ id: name, session_id: 'session-1', name, status: 'ready' })
      stand.documents.push(stored)
      return json({ documents: [stored] }, 201)
    },
  })
  const { result } = renderWith(stand, () => useSessionData('session-1'))
  const files = ['setup.exe', 'offer.pdf'].map((name) => new File([name], name))
  await act(() => expect(result.current.uploadDocuments('session-1', files)).rejects.toMatchObject({ code: 'PT415' }))
  expect(stand.documents.map(({ name }) => name)).toEqual(['offer.pdf'])
  expect(result.current.uploads.map(({ status }) => status)).toEqual(['failed', 'ready'])
})
