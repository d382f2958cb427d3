'use client'

import { QueryClient, QueryClientContext, QueryClientProvider } from '@tanstack/react-query'
import type { DossierClient } from 'dossier-client'
import { createContext, useContext, useEffect, useState, type ReactNode } from 'react'
import { followUploads } from './cache.js'

const ClientContext = createContext<DossierClient | null>(null)

/** Props of `DossierProvider`. */
export interface DossierProviderProps {
  client: DossierClient
  children?: ReactNode
}

/**
 * Makes a client available to the hooks and components below. Their data is in the `QueryClient` of the app, if it has a
 * `QueryClientProvider` above, and otherwise in one of its own. After a change of the user, clear it: it has the data of the
 * one before.
 */
export function DossierProvider({ client, children }: DossierProviderProps) {
  const ofApp = useContext(QueryClientContext)
  const [own] = useState(() => (ofApp ? null : new QueryClient()))
  const queries = ofApp ?? own
  useEffect(() => (queries ? followUploads(client, queries) : undefined), [client, queries])
  const provided = <ClientContext.Provider value={client}>{children}</ClientContext.Provider>
  return ofApp || !own ? provided : <QueryClientProvider client={own}>{provided}</QueryClientProvider>
}

/** The client of the nearest `DossierProvider`. */
export function useDossierClient(): DossierClient {
  const client = useContext(ClientContext)
  if (!client) throw new Error('useDossierClient needs <DossierProvider client={…}> above the component')
  return client
}
