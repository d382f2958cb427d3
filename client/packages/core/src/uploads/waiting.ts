/** What uploads wait for: their turn, the network, and the user's sign-in. */

import type { SupabaseLike } from '../client.js'
import { ConnectionError, DossierError, SignedOutError } from '../errors.js'
import { sleep, throwIfAborted } from '../wait.js'

/** At most `limit` holders at the same time, first come, first served. */
export class Turns {
  #free: number
  readonly #waiting: (() => void)[] = []

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
    throwIfAborted(signal)
    if (this.#free > 0) {
      this.#free -= 1
      return
    }
    await new Promise<void>((resolve, reject) => {
      const granted = () => {
        signal.removeEventListener('abort', aborted)
        resolve()
      }
      const aborted = () => {
        this.#waiting.splice(this.#waiting.indexOf(granted), 1)
        reject(signal.reason)
      }
      this.#waiting.push(granted)
      signal.addEventListener('abort', aborted, { once: true })
    })
  }
}

/** Whether the browser knows that it has no network. It does not know of a network that leads nowhere. */
export const isOffline = () => globalThis.navigator?.onLine === false

/** Resolves when the browser reports a network, or after `milliseconds`. */
export function networkOrTime(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      clearTimeout(timer)
      globalThis.removeEventListener?.('online', online)
      signal.removeEventListener('abort', aborted)
      settle()
    }
    const online = () => end(resolve)
    const aborted = () => end(() => reject(signal.reason))
    const timer = setTimeout(online, milliseconds)
    if (signal.aborted) return aborted()
    globalThis.addEventListener?.('online', online)
    signal.addEventListener('abort', aborted, { once: true })
  })
}

/** Waits until a request that failed may be sent again: after `pause` milliseconds, or as the edge asks. Rejects if it may not. */
export async function untilRetry(error: unknown, pause: number, signIn: SignIn, signal: AbortSignal): Promise<void> {
  if (error instanceof SignedOutError) return signIn.wait(signal)
  if (error instanceof ConnectionError) return networkOrTime(isOffline() ? 30_000 : pause, signal)
  if (!(error instanceof DossierError) || (error.status < 500 && error.status !== 429 && error.status !== 408)) throw error
  return sleep(Math.min(error.retryAfter ?? 0, 60) * 1000 || pause, signal)
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
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const end = (settle: () => void) => {
        signal.removeEventListener('abort', aborted)
        this.#waiting.delete(signedIn)
        if (this.#waiting.size === 0) this.#stop()
        settle()
      }
      const signedIn = () => end(resolve)
      const aborted = () => end(() => reject(signal.reason))
      signal.addEventListener('abort', aborted, { once: true })
      this.#waiting.add(signedIn)
      this.#listen()
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
