/**
 * The events of one session, for any number of listeners: streamed, or read again and again where a stream is not possible.
 *
 * Invariant: `Last-Event-ID` connects everything that is read, whether streamed or not. So nothing is missed in between.
 */

import { ConnectionError, DossierError } from '../errors.js'
import type { Http } from '../http.js'
import { untilRetry, type SignIn } from '../uploads/waiting.js'
import { sleep } from '../wait.js'
import { eventsIn } from './stream.js'
import type { EndEvent, SessionEvent } from './types.js'

/** How long a stream may be silent, in milliseconds. It begins at once, and the edge sends a comment every 15 seconds. */
const SILENCE_AT_FIRST = 8_000
const SILENCE = 40_000
/** How long to do without a stream after a proxy held one back. */
const WITHOUT_STREAM = 5 * 60_000
/** Pauses between reads without a stream: after news, and without. */
const FIRST_PAUSE = 1_000
const LONGEST_PAUSE = 10_000
/** The longest pause after failures. */
const LONGEST_WAIT = 30_000

/** What a feed needs from the others. */
export interface FeedContext {
  http: Http
  signIn: SignIn
  /** Whether this feed may hold a connection. */
  mayStream(feed: Feed): boolean
  heard(event: SessionEvent): void
  /** It has ended by itself. */
  ended(feed: Feed): void
}

interface Changes {
  id: string
  reload: boolean
  session: object
  context: object | null
  documents: object[]
  uploads: object[]
}

export class Feed {
  readonly sessionId: string
  readonly listeners = new Set<(event: SessionEvent) => void>()
  readonly #context: FeedContext
  readonly #path: string
  /** The last event about each thing. The edge may repeat it. */
  readonly #told = new Map<string, string>()
  #lastEventId: string | null = null
  #session: SessionEvent | null = null
  #round: AbortController | null = null
  #streams = false
  #streamAfter = 0
  #failures = 0
  #pause = FIRST_PAUSE

  constructor(sessionId: string, context: FeedContext) {
    this.sessionId = sessionId
    this.#context = context
    this.#path = `/api/sessions/${encodeURIComponent(sessionId)}/events`
    // Listeners that are added together, and feeds that begin together, are known before the first request.
    queueMicrotask(() => void this.#run())
  }

  /** Whether it has told anything yet. */
  get isLive(): boolean {
    return this.#session !== null
  }

  add(listener: (event: SessionEvent) => void): void {
    this.listeners.add(listener)
    const session = this.#session
    // It has not heard what came before.
    if (session?.type === 'session') listener({ ...session, data: { ...session.data, reload: true } })
  }

  remove(listener: (event: SessionEvent) => void): void {
    this.listeners.delete(listener)
    if (this.listeners.size === 0) this.#round?.abort()
  }

  /** Whether it may hold a connection has changed, perhaps. */
  reconsider(): void {
    if (this.#streams !== this.#wantsStream()) this.#round?.abort()
  }

  #wantsStream(): boolean {
    return Date.now() >= this.#streamAfter && this.#context.mayStream(this)
  }

  async #run(): Promise<void> {
    while (this.listeners.size > 0) {
      const round = (this.#round = new AbortController())
      this.#streams = this.#wantsStream()
      try {
        if (this.#streams) await this.#stream(round)
        else await this.#poll(round)
      } catch (error) {
        if (!round.signal.aborted) await this.#recover(error, round.signal)
      }
    }
  }

  async #stream(round: AbortController): Promise<void> {
    const { signal } = round
    let timer = setTimeout(() => {
      // Not one event: something in between holds them back.
      this.#withoutStream(WITHOUT_STREAM)
      round.abort()
    }, SILENCE_AT_FIRST)
    let pause = FIRST_PAUSE
    let heard = false
    try {
      const { body } = await this.#context.http.send(this.#path, { headers: this.#headers('text/event-stream'), signal })
      // This `fetch` cannot stream.
      if (!body) return this.#withoutStream(WITHOUT_STREAM)
      for await (const { type, data, id, retry } of eventsIn(body, signal)) {
        clearTimeout(timer)
        timer = setTimeout(() => round.abort(), SILENCE)
        heard = true
        this.#failures = 0
        pause = Number(retry ?? pause)
        if (type && data) this.#tell(type, JSON.parse(data))
        this.#lastEventId = id ?? this.#lastEventId
      }
    } finally {
      clearTimeout(timer)
    }
    if (!heard) throw new ConnectionError()
    await sleep(pause, signal)
  }

  #withoutStream(milliseconds: number): void {
    this.#streamAfter = Date.now() + milliseconds
  }

  async #poll(round: AbortController): Promise<void> {
    const { signal } = round
    const timer = setTimeout(() => round.abort(), SILENCE)
    const changes = await this.#context.http
      .json<Changes>(this.#path, { headers: this.#headers('application/json'), signal })
      .finally(() => clearTimeout(timer))
    this.#failures = 0
    this.#pause = Math.min(this.#pause * 1.5, LONGEST_PAUSE)
    this.#tell('session', { ...changes.session, reload: changes.reload })
    if (changes.context) this.#tell('context', changes.context)
    for (const document of changes.documents) this.#tell('document', document)
    for (const upload of changes.uploads) this.#tell('upload', upload)
    this.#lastEventId = changes.id
    await sleep(this.#pause, signal)
  }

  #headers(accept: string): Record<string, string> {
    return { accept, ...(this.#lastEventId !== null && { 'last-event-id': this.#lastEventId }) }
  }

  /** Tells the listeners, unless they know. */
  #tell(type: string, data: object): void {
    if (type === 'end') {
      const end = data as EndEvent
      // The other reasons ask to connect again.
      if (end.reason === 'deleted' || end.reason === 'removed') this.#end(end)
      return
    }
    const { id, document_id, reload } = data as { id?: string; document_id?: string; reload?: boolean }
    const about = `${type} ${id ?? document_id}`
    const text = JSON.stringify({ ...data, reload: false })
    if (!reload && this.#told.get(about) === text) return
    this.#pause = FIRST_PAUSE
    this.#told.set(about, text)
    const event = { type, data } as SessionEvent
    if (event.type === 'session') this.#session = event
    this.#context.heard(event)
    for (const listener of [...this.listeners]) listener(event)
  }

  #end(data: EndEvent): void {
    const listeners = [...this.listeners]
    this.listeners.clear()
    this.#context.ended(this)
    this.#round?.abort()
    for (const listener of listeners) listener({ type: 'end', data })
  }

  /** Waits until another attempt makes sense. Ends if none does. */
  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    // What fails while a response is read is not one of ours.
    const problem = error instanceof DossierError ? error : new ConnectionError(error)
    // There are too many streams. Reading without one is not limited.
    if (this.#streams && problem.retryAfter !== null) return this.#withoutStream(problem.retryAfter * 1000)
    const pause = Math.min(FIRST_PAUSE * 2 ** this.#failures++ * (0.5 + Math.random()), LONGEST_WAIT)
    try {
      await untilRetry(problem, pause, this.#context.signIn, signal)
    } catch {
      if (!signal.aborted) this.#end({ reason: 'refused', message: problem.message, hint: problem.hint })
    }
  }
}
