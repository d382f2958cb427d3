// @vitest-environment jsdom
/** The client together with @supabase/supabase-js, in front of a stand-in for Supabase's auth server and for the edge. */

import { createClient } from '@supabase/supabase-js'
import { createDossierClient } from 'dossier-client'
import type { DossierDatabase } from 'dossier-client/rpc'
import { expect, test, vi } from 'vitest'
import { document, edge, json, problem } from './edge.ts'

const encode = (value: unknown) => btoa(JSON.stringify(value)).replace(/=+$/, '')
const token = (name: string) =>
  `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: name, role: 'authenticated', exp: Math.floor(Date.now() / 1000) + 3600 })}.c2ln`

/** Supabase, with a user who signs in with a password, and PostgREST for one function. */
function supabaseFor(user: { token: string }) {
  const stand = edge({
    'POST /auth/v1/token': () =>
      json({ access_token: user.token, refresh_token: 'refresh', token_type: 'bearer', expires_in: 3600, user: { id: 'user', aud: 'authenticated' } }),
    'POST /rest/v1/rpc/search': ({ body, headers }) => {
      expect(body).toEqual({ query: 'price' })
      expect(headers.get('content-profile')).toBe('dossier')
      return json([{ kind: 'page', session_id: 's', document_id: 'd', document_name: 'offer.pdf', page: 2, rank: 1, snippet: 'the <mark>price</mark>', cursor: 'c', missing: [] }])
    },
  })
  const supabase = createClient<DossierDatabase>('https://project.example', 'key', {
    global: { fetch: stand.fetch },
    auth: { persistSession: false, autoRefreshToken: false, storageKey: crypto.randomUUID() },
  })
  const signIn = () => supabase.auth.signInWithPassword({ email: 'member@acme.example', password: 'secret' })
  return { supabase, signIn, seen: stand.seen }
}

test('its session is used, and nothing is asked of the auth server', async () => {
  const user = { token: token('one') }
  const { supabase, signIn, seen } = supabaseFor(user)
  const stand = edge({ 'GET /api/sessions': () => json({ sessions: [], next: null }) })
  const dossier = createDossierClient({ url: stand.url, fetch: stand.fetch, supabase })
  await dossier.sessions.list()
  expect((await signIn()).error).toBeNull()
  await dossier.sessions.list()
  expect(stand.seen.map((request) => request.token)).toEqual([null, user.token])
  expect(seen.map(({ path }) => path)).toEqual(['/auth/v1/token'])
})

test('an upload that waits for a sign-in continues when Supabase reports it', async () => {
  const user = { token: token('old') }
  const { supabase, signIn } = supabaseFor(user)
  await signIn()
  const old = user.token
  const stand = edge({
    'POST /api/uploads/explain': () => json({ allowed: true, checks: [] }),
    '*': (request) => (request.token === old ? problem(401, 'PT401') : json({ documents: [document({ status: 'ready' })] }, 201)),
  })
  const dossier = createDossierClient({ url: stand.url, fetch: stand.fetch, supabase, uploads: { findDuplicates: false } })
  const upload = dossier.uploads.add('session-1', new File(['bytes'], 'a.pdf'))
  await vi.waitFor(() => expect(upload.getState()).toMatchObject({ status: 'paused', waitsFor: 'sign-in' }), { timeout: 15_000 })
  user.token = token('new')
  await signIn()
  expect((await upload.ready()).status).toBe('ready')
})

test('a function of the schema is called with its types', async () => {
  const { supabase } = supabaseFor({ token: token('one') })
  const { data, error } = await supabase.schema('dossier').rpc('search', { query: 'price' })
  expect(error).toBeNull()
  const snippets: string[] = data?.map(({ snippet }) => snippet) ?? []
  expect(snippets).toEqual(['the <mark>price</mark>'])
})
