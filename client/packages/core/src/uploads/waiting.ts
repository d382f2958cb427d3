/** What uploads wait for: their turn, the network, and the user's sign-in. */

import type { SupabaseLike } from '../client.js'
import { ConnectionError, DossierError, SignedOutError } from '../errors.js'
import { sleep, waiting } from '../wait.js'

/** At most `limit` holders at the same time, first come, first served. */
export class Turns {
  #free: number
  #waiting: (() => void)[] = []

  constructor(limit: number) {
    this.#free = limit
  }

  /** Calls `work` when it is its turn. */
  async take<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    await this.#turn(signal)
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free += 1
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    if (this.#free > 0 && !signal.aborted) {
      this.#free -= 1
      return
    }
    await waiting(signal, (granted) => {
      this.#waiting.push(granted)
      return () => { this.#waiting = this.#waiting.filter((each) => each !== granted) }
    })
  }
}

/** Whether the browser knows that it has no network. It does not know of a network that leads nowhere. */
export const isOffline = () => globalThis.navigator?.onLine === false

/** The longest pause between attempts, in milliseconds. */
export const LONGEST_PAUSE = 30_000

/** Resolves when the browser reports a network, or after `milliseconds`. */
function networkOrTime(milliseconds: number, signal: AbortSignal): Promise<void> {
  return waiting(signal, (resolve) => {
    const online = () => resolve()
    const timer = setTimeout(online, milliseconds)
    globalThis.addEventListener?.('online', online)
    return () => {
      clearTimeout(timer)
      globalThis.removeEventListener?.('online', online)
    }
  })
}

/** What to wait for after a failure, or null if waiting does not help. */
export function waitAfter(error: unknown): 'sign-in' | 'connection' | 'server' | null {
  if (error instanceof SignedOutError) return 'sign-in'
  if (error instanceof ConnectionError) return 'connection'
  const { status } = error instanceof DossierError ? error : { status: 0 }
  return status >= 500 || status === 429 || status === 408 ? 'server' : null
}

/** Waits for it, at most `pause` milliseconds. Only a sign-in takes as long as it takes. */
export function waitFor(what: 'sign-in' | 'connection' | 'server', pause: number, signIn: SignIn, signal: AbortSignal): Promise<void> {
  if (what === 'sign-in') return signIn.wait(signal)
  return what === 'connection' ? networkOrTime(pause, signal) : sleep(pause, signal)
}

/** Waits until a request that failed may be sent again: after `pause` milliseconds, or as the edge asks. Rejects if it may not. */
export async function untilRetry(error: unknown, pause: number, signIn: SignIn, signal: AbortSignal): Promise<void> {
  const what = waitAfter(error)
  if (!what) throw error
  const asked = Math.min((error as DossierError).retryAfter ?? 0, 60) * 1000
  return waitFor(what, isOffline() ? LONGEST_PAUSE : asked || pause, signIn, signal)
}

/** Waits until the user has signed in again. */
export class SignIn {
  readonly #supabase: SupabaseLike | undefined
  readonly #waiting = new Set<() => void>()
  #unsubscribe: (() => void) | null = null

  constructor(supabase: SupabaseLike | undefined) {
    this.#supabase = supabase
  }

  wait(signal: AbortSignal): Promise<void> {
    return waiting(signal, (signedIn) => {
      this.#waiting.add(signedIn)
      this.#listen()
      return () => {
        this.#waiting.delete(signedIn)
        if (this.#waiting.size === 0) this.#stop()
      }
    })
  }

  /** The user has signed in. */
  announce(): void {
    for (const signedIn of [...this.#waiting]) signedIn()
  }

  #listen(): void {
    if (this.#unsubscribe || !this.#supabase?.auth.onAuthStateChange) return
    const { data } = this.#supabase.auth.onAuthStateChange((event, session) => {
      // INITIAL_SESSION only repeats the session that was refused.
      if (session && (event === 'SIGNED_IN' || event === 'TOKEN_REFRESHED')) this.announce()
    })
    this.#unsubscribe = () => data.subscription.unsubscribe()
  }

  #stop(): void {
    this.#unsubscribe?.()
    this.#unsubscribe = null
  }
}
