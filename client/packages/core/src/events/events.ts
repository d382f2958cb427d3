/**
 * Follows sessions, with one connection at a time: browsers open only six to an HTTP/1.1 server, for all tabs together, and
 * uploads need them. So the session that was followed last is streamed, others are read again and again, and a page that
 * nobody sees holds no connection.
 */

import type { Http } from '../http.js'
import type { SignIn } from '../uploads/waiting.js'
import { Feed } from './feed.js'
import type { Events, SessionEvent } from './types.js'

export class SessionEvents implements Events {
  readonly #http: Http
  readonly #signIn: SignIn
  readonly #heard: (event: SessionEvent) => void
  /** In the order in which they were first followed. */
  readonly #feeds = new Map<string, Feed>()

  constructor(http: Http, signIn: SignIn, heard: (event: SessionEvent) => void) {
    this.#http = http
    this.#signIn = signIn
    this.#heard = heard
  }

  follow(sessionId: string, listener: (event: SessionEvent) => void): () => void {
    // The same function may follow twice.
    const own = (event: SessionEvent) => listener(event)
    const feed = this.#feeds.get(sessionId) ?? this.#begin(sessionId)
    feed.add(own)
    return () => {
      feed.remove(own)
      if (feed.listeners.size === 0) this.#forget(feed)
    }
  }

  /** Whether events of a session arrive at present. */
  isLive(sessionId: string): boolean {
    return this.#feeds.get(sessionId)?.isLive === true
  }

  #begin(sessionId: string): Feed {
    const feed = new Feed(sessionId, {
      http: this.#http,
      signIn: this.#signIn,
      mayStream: (which) => globalThis.document?.visibilityState !== 'hidden' && [...this.#feeds.values()].at(-1) === which,
      heard: this.#heard,
      ended: (which) => this.#forget(which),
    })
    if (this.#feeds.size === 0) globalThis.document?.addEventListener('visibilitychange', this.#reconsider)
    this.#feeds.set(sessionId, feed)
    this.#reconsider()
    return feed
  }

  #forget(feed: Feed): void {
    if (this.#feeds.get(feed.sessionId) !== feed) return
    this.#feeds.delete(feed.sessionId)
    if (this.#feeds.size === 0) globalThis.document?.removeEventListener('visibilitychange', this.#reconsider)
    this.#reconsider()
  }

  readonly #reconsider = () => {
    for (const feed of this.#feeds.values()) feed.reconsider()
  }
}
