/** An app that uses the published types of both packages. It is compiled, never run: scripts/check-packages.mjs. */

import { createClient } from '@supabase/supabase-js'
import { ConflictError, createDossierClient, type DossierClient, type Session, type Upload, type UploadState } from 'dossier-client'
import type { DossierDatabase } from 'dossier-client/rpc'
import { DossierProvider, dossierQueries, useSearch, useSessionContext, useSessionData, useSessions, useUpload } from 'dossier-react'

const supabase = createClient('https://project.supabase.co', 'key')
export const withSupabase: DossierClient = createDossierClient({ url: 'https://dossier.example.com', supabase })
const typed = createClient<DossierDatabase>('https://project.supabase.co', 'key')
export const withTyped = createDossierClient({ url: '', supabase: typed })
export const withToken: DossierClient = createDossierClient({ url: '', getToken: async ({ rejected }) => (rejected ? null : 'token') })

// @ts-expect-error A client needs a source of tokens.
createDossierClient({ url: '' })

export async function call(dossier: DossierClient, signal: AbortSignal): Promise<Session> {
  const session = await dossier.sessions.create(
    { title: 'First call', conversation_type: 'own_type', context: { text: 'Hello', metadata: { stage: 1, tags: ['a'], nested: { deep: null } } } },
    { signal },
  )
  try {
    await dossier.context.save(session.id, { text_context: 'Hello again', expected_version: session.context?.version ?? 0 })
  } catch (error) {
    if (error instanceof ConflictError) console.log(error.currentVersion + 1, error.hint?.length)
  }
  // @ts-expect-error A status of its own does not exist.
  await dossier.sessions.update(session.id, { status: 'closed' })
  const { rows, next } = await dossier.documents.pages('id')
  console.log(rows[0]?.text.length, next === null ? 0 : next + 1)
  await dossier.sessions.list(dossierQueries.sessions(dossier).queryKey.length > 5 ? {} : { limit: 5 })
  return session
}

export async function rpc(): Promise<string> {
  const { data: hits, error } = await typed.schema('dossier').rpc('search', { query: 'price', limit_count: 5 })
  const { data: context } = await typed.schema('dossier').rpc('save_context', { session_id: 'id', text_context: null, expected_version: 0 })
  const { data: packed } = await typed.schema('dossier').rpc('pack_context', { session_id: 'id' })
  const { data: documents } = await typed.schema('dossier').from('documents').select('id, status, sessions(title)').eq('status', 'ready')
  // @ts-expect-error A query is text.
  await typed.schema('dossier').rpc('search', { query: 5 })
  // @ts-expect-error There is no such function.
  await typed.schema('dossier').rpc('find', {})
  // @ts-expect-error Users cannot change the size of a document.
  await typed.schema('dossier').from('documents').update({ size_bytes: 0 })
  const status: 'uploading' | 'stored' | 'extracting' | 'ready' | 'failed' | 'unsupported' | undefined = documents?.[0]?.status
  return `${hits?.[0]?.snippet.length} ${context?.version} ${packed?.quotes[0]?.first_page} ${documents?.[0]?.sessions.title} ${status} ${error?.hint.length}`
}

function Row({ upload }: { upload: Upload }) {
  const { status, progress, secondsLeft, error }: UploadState = useUpload(upload)
  return <li>{error ? error.message : status === 'uploading' ? `${progress} ${secondsLeft ?? ''}` : status}</li>
}

function Page({ id }: { id: string }) {
  const { sessions, createSession } = useSessions()
  const { documents, uploadDocuments, fetchContext } = useSessionData(id)
  const { context, saveContext } = useSessionContext(id)
  const { results } = useSearch({ query: 'price' })
  return (
    <main>
      <input type="file" onChange={(event) => void uploadDocuments(id, Array.from(event.target.files ?? []))} />
      <button onClick={() => void createSession({ title: null }).then(({ context: first }) => first?.version)}>{sessions.length}</button>
      <button onClick={() => void saveContext({ text_context: '', expected_version: context?.version }).then(({ version }) => version)}>Save</button>
      <button onClick={() => void fetchContext(id).then(({ text_context, context_metadata }) => [text_context, context_metadata])}>Read</button>
      {documents.map(({ name, page_count }) => `${name} ${page_count ?? 0}`)}
      {results.map(({ snippet }) => snippet)}
      {withSupabase.uploads.list(id).map((upload) => <Row key={upload.id} upload={upload} />)}
    </main>
  )
}

export const App = () => (
  <DossierProvider client={withSupabase}>
    <Page id="id" />
  </DossierProvider>
)
