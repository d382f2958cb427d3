/**
 * Access tokens. Every request asks for the current one, so a change of the user is seen at once; questions that are open at
 * the same time are one. After a 401 one question is asked for all requests that were refused with the same token.
 */

import { SignedOutError, type Problem } from './errors.js'

/** Returns the current token, or null without a user. `rejected` is a token that the server no longer accepts. */
export type GetToken = (why: { rejected: string | null }) => PromiseLike<string | null> | string | null

export class Tokens {
  readonly #get: GetToken
  #asking: Promise<string | null> | null = null
  #latest: string | null = null
  readonly #renewing = new Map<string, Promise<string | null>>()

  constructor(get: GetToken) {
    this.#get = get
  }

  /** The last token that was sent. Null if nothing was sent yet. */
  get latest(): string | null {
    return this.#latest
  }

  /** The token to send. */
  current(): Promise<string | null> {
    this.#asking ??= this.#ask(null).finally(() => { this.#asking = null })
    return this.#asking
  }

  /** The token to send instead of `rejected`. Rejects with a `SignedOutError` if there is no other. */
  async renewed(rejected: string | null, problem: Problem): Promise<string> {
    const token = rejected !== null && this.#latest !== rejected && this.#latest !== null ? this.#latest : await this.#renew(rejected)
    if (token === null || token === rejected) throw new SignedOutError(problem, { status: 401 })
    return token
  }

  #renew(rejected: string | null): Promise<string | null> {
    const key = rejected ?? ''
    let renewal = this.#renewing.get(key)
    if (!renewal) {
      renewal = this.#ask(rejected).finally(() => this.#renewing.delete(key))
      this.#renewing.set(key, renewal)
    }
    return renewal
  }

  async #ask(rejected: string | null): Promise<string | null> {
    this.#latest = await this.#get({ rejected })
    return this.#latest
  }
}
