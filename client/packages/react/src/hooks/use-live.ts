'use client'

import { useQueryClient } from '@tanstack/react-query'
import { useMemo, useSyncExternalStore } from 'react'
import { liveSession, type LiveSession } from '../live.js'
import { useDossierClient } from '../provider.js'

const none: LiveSession = { subscribe: () => () => undefined, isLive: () => false }

/** Follows a session while the component is there. Returns whether its events arrive. */
export function useLive(sessionId: string | undefined): boolean {
  const client = useDossierClient()
  const queries = useQueryClient()
  const live = useMemo(() => (sessionId === undefined ? none : liveSession(client, queries, sessionId)), [client, queries, sessionId])
  return useSyncExternalStore(live.subscribe, live.isLive, none.isLive)
}
