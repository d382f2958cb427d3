'use client'
import { useMemo, useSyncExternalStore } from 'react'

const COALESCE = 250
const CLEAR = 4000

/** What is spoken. Texts that arrive within a quarter of a second are spoken as one. */
export interface Announcer {
  /** Spoken when the reader pauses. */
  say(text: string): void
  /** Spoken at once: a failure. */
  alert(text: string): void
  subscribe(listener: () => void): () => void
  getState(): { readonly polite: string; readonly assertive: string }
}

export function createAnnouncer(): Announcer {
  let state = { polite: '', assertive: '' }
  const listeners = new Set<() => void>()
  const set = (next: Partial<typeof state>) => {
    state = { ...state, ...next }
    for (const listener of listeners) listener()
  }
  const channel = (name: keyof typeof state) => {
    let waiting: string[] = []
    let timer: ReturnType<typeof setTimeout> | undefined
    let clear: ReturnType<typeof setTimeout> | undefined
    return (text: string) => {
      if (!waiting.includes(text)) waiting.push(text)
      timer ??= setTimeout(() => {
        set({ [name]: waiting.join('. ') })
        waiting = []
        timer = undefined
        clearTimeout(clear)
        // An empty region speaks when the same text comes again.
        clear = setTimeout(() => set({ [name]: '' }), CLEAR)
      }, COALESCE)
    }
  }
  return {
    say: channel('polite'),
    alert: channel('assertive'),
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    getState: () => state,
  }
}

/** An announcer for one component. Its `LiveRegions` must be mounted from the start. */
export const useAnnouncer = (): Announcer => useMemo(createAnnouncer, [])

/** The two regions that an announcer speaks through. */
export function LiveRegions({ announcer }: { announcer: Announcer }) {
  const { polite, assertive } = useSyncExternalStore(announcer.subscribe, announcer.getState, announcer.getState)
  return (
    <>
      <div className="dossier-hidden" role="status" data-dossier-live="polite">
        {polite}
      </div>
      <div className="dossier-hidden" role="alert" data-dossier-live="assertive">
        {assertive}
      </div>
    </>
  )
}
