/**
 * Watches documents until their state is final, with one request at a time for all of them: browsers open only six
 * connections to an HTTP/1.1 server, and uploads need them.
 *
 * A single document is requested with `Prefer: wait`. If the edge grants that, the next request follows at once. The edge
 * waits for the final state, so it is asked to wait long only if the text is already being extracted. Several documents of a
 * session are read as a list. If the events of all their sessions are followed, documents are only read after an event.
 */

import { DossierError } from '../errors.js'
import type { Http } from '../http.js'
import type { Document } from '../types.js'
import { sleep, waiting } from '../wait.js'
import { untilRetry, type SignIn } from './waiting.js'

/** What the edge is asked to wait, in seconds: for a document that is not being read yet, and for one that is. */
const WAIT_STORED = 2
const WAIT_READING = 20
/** Pauses between requests that were not held back, in milliseconds. */
const FIRST_PAUSE = 400
const LONGEST_PAUSE = 4_000
/** The pause if events tell when to read. */
const LIVE_PAUSE = 30_000

/** Whether its text can be read, or never will be. OCR may still add to it. */
export const isFinal = ({ status }: Document) => status === 'ready' || status === 'failed' || status === 'unsupported'

/** Whether nothing about it changes by itself any more. */
export const isSettled = (document: Document) => isFinal(document) && document.ocr_status !== 'pending' && document.ocr_status !== 'running'

interface Follower {
  readonly sessionId: string
  readonly changed: (document: Document) => void
  readonly ended: (error: unknown) => void
}

export class DocumentWatch {
  readonly #http: Http
  readonly #signIn: SignIn
  readonly #isLive: (sessionId: string) => boolean
  readonly #followers = new Map<string, Set<Follower>>()
  /** What the edge is asked to wait for a document, by its last state. */
  readonly #waits = new Map<string, number>()
  #round: AbortController | null = null
  #running = false
  #pause = FIRST_PAUSE

  /** `isLive` tells whether `look` will be called when a document of this session changes. */
  constructor(http: Http, signIn: SignIn, isLive: (sessionId: string) => boolean) {
    this.#http = http
    this.#signIn = signIn
    this.#isLive = isLive
  }

  /** Reads now, if this document is watched: it has changed. */
  look(id: string): void {
    if (this.#followers.has(id)) this.#round?.abort()
  }

  /** Calls `changed` with every state that is read. Resolves with the first for which `isOver`. */
  follow(
    document: Pick<Document, 'id' | 'session_id'>,
    changed: (document: Document) => void,
    { signal, isOver = isFinal }: { signal?: AbortSignal | undefined; isOver?: ((document: Document) => boolean) | undefined } = {},
  ): Promise<Document> {
    return waiting(signal, (resolve, reject) => {
      const follower: Follower = {
        sessionId: document.session_id,
        changed: (latest) => {
          changed(latest)
          if (isOver(latest)) resolve(latest)
        },
        ended: reject,
      }
      this.#add(document.id, follower)
      return () => this.#remove(document.id, follower)
    })
  }

  #add(id: string, follower: Follower): void {
    const followers = this.#followers.get(id) ?? new Set()
    followers.add(follower)
    this.#followers.set(id, followers)
    this.#pause = FIRST_PAUSE
    // The round in progress does not know this document.
    this.#round?.abort()
    void this.#run()
  }

  #remove(id: string, follower: Follower): void {
    const followers = this.#followers.get(id)
    followers?.delete(follower)
    if (followers?.size === 0) {
      this.#followers.delete(id)
      this.#waits.delete(id)
    }
    if (this.#followers.size === 0) this.#round?.abort()
  }

  async #run(): Promise<void> {
    if (this.#running) return
    this.#running = true
    // Documents that are stored together are followed together.
    await Promise.resolve()
    while (this.#followers.size > 0) {
      this.#round = new AbortController()
      const { signal } = this.#round
      try {
        const held = await this.#read(signal)
        if (!held) await this.#rest(signal)
      } catch (error) {
        if (!signal.aborted) await this.#recover(error, signal)
      }
    }
    this.#round = null
    this.#running = false
  }

  /** Reads the state of every document. Returns whether the edge held the response back until there was news. */
  async #read(signal: AbortSignal): Promise<boolean> {
    const [only, ...others] = this.#followers.keys()
    if (only !== undefined && others.length === 0) {
      return this.#readOne(only, signal, this.#isTold() ? undefined : (this.#waits.get(only) ?? WAIT_STORED))
    }
    const sessions = new Map<string, Set<string>>()
    for (const [id, followers] of this.#followers) {
      for (const { sessionId } of followers) sessions.set(sessionId, (sessions.get(sessionId) ?? new Set()).add(id))
    }
    for (const [session, ids] of sessions) {
      const query = { session_id: session, limit: 200 }
      const { documents } = await this.#http.json<{ documents: Document[] }>('/api/documents', { query, signal })
      for (const document of documents) if (ids.delete(document.id)) this.#tell(document)
      // Older than the newest two hundred, or deleted.
      for (const id of ids) await this.#readOne(id, signal)
    }
    return false
  }

  async #readOne(id: string, signal: AbortSignal, wait?: number): Promise<boolean> {
    try {
      const headers: Record<string, string> = wait ? { prefer: `wait=${wait}` } : {}
      const response = await this.#http.exchange<Document>(`/api/documents/${id}`, { headers, signal })
      this.#tell(response.body)
      return response.headers.has('preference-applied')
    } catch (error) {
      if (!(error instanceof DossierError) || error.status !== 404) throw error
      for (const follower of [...(this.#followers.get(id) ?? [])]) follower.ended(error)
      return true
    }
  }

  #tell(document: Document): void {
    // The edge does not wait for OCR.
    this.#waits.set(document.id, document.status === 'extracting' ? WAIT_READING : isFinal(document) ? 0 : WAIT_STORED)
    for (const follower of [...(this.#followers.get(document.id) ?? [])]) follower.changed(document)
  }

  #isTold(): boolean {
    return [...this.#followers.values()].every((followers) => [...followers].every(({ sessionId }) => this.#isLive(sessionId)))
  }

  async #rest(signal: AbortSignal): Promise<void> {
    if (this.#followers.size === 0) return
    await sleep(this.#isTold() ? LIVE_PAUSE : this.#pause, signal)
    this.#pause = Math.min(this.#pause * 1.3, LONGEST_PAUSE)
  }

  /** Waits until it makes sense to ask again. A document that cannot be watched now is not a failed one. */
  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    try {
      await untilRetry(error, LONGEST_PAUSE, this.#signIn, signal)
    } catch {
      if (signal.aborted) return
      for (const followers of [...this.#followers.values()]) for (const follower of [...followers]) follower.ended(error)
    }
  }
}
