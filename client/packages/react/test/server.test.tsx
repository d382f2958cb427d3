/** Rendering on a server: without a browser, and without asking again for what was prefetched. */

import { dehydrate, HydrationBoundary, QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { DossierProvider, dossierQueries, useSession, useSessionData, useUploads } from 'dossier-react'
import { renderToString } from 'react-dom/server'
import { expect, test } from 'vitest'
import { memoryEdge } from './app.tsx'

function Conversation({ id }: { id: string }) {
  const { session } = useSession(id)
  const { documents, isLoading } = useSessionData(id)
  const { uploads } = useUploads(id)
  return <p>{`${session?.title}, ${isLoading ? 'loading' : documents.length}, ${uploads.length} on their way`}</p>
}

test('what was prefetched is rendered, and is not requested again', async () => {
  expect('window' in globalThis).toBe(false)
  const stand = memoryEdge()
  const { id } = await stand.client.sessions.create({ title: 'First call', context: { text: 'Hello' } })
  const onServer = new QueryClient({ defaultOptions: { queries: { staleTime: 60_000 } } })
  await onServer.prefetchQuery(dossierQueries.session(stand.client, id))
  await onServer.prefetchQuery(dossierQueries.context(stand.client, id))
  await onServer.prefetchQuery(dossierQueries.documents(stand.client, id))
  const requests = stand.seen.length

  const state = JSON.parse(JSON.stringify(dehydrate(onServer))) as ReturnType<typeof dehydrate>
  const html = renderToString(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { staleTime: 60_000 } } })}>
      <HydrationBoundary state={state}>
        <DossierProvider client={stand.client}>
          <Conversation id={id} />
        </DossierProvider>
      </HydrationBoundary>
    </QueryClientProvider>,
  )
  expect(html).toContain('First call, 0, 0 on their way')
  expect(stand.seen).toHaveLength(requests)
})

test('without a cache of the app, and without data, it renders what is known so far', () => {
  const stand = memoryEdge()
  const html = renderToString(<DossierProvider client={stand.client}><Conversation id="none" /></DossierProvider>)
  expect(html).toContain('undefined, loading, 0 on their way')
})
