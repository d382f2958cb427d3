/**
 * Requests to the edge: the token, the shape of errors, retries that the server asks for, and aborting.
 *
 * Invariant: a request is sent again only if the server did not act on it: it refused the token (401), or asked to wait (429
 * and 503 with `Retry-After`).
 */

import { ConflictError, ConnectionError, DossierError, type Problem } from './errors.js'
import type { Tokens } from './tokens.js'
import { abortable, sleep, throwIfAborted } from './wait.js'

/** The longest `Retry-After` that a request waits for by itself, in seconds, and how often. */
const LONGEST_RETRY_AFTER = 10
const RETRIES = 2

/** A request. */
export interface HttpRequest {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  query?: Record<string, string | number | boolean | null | undefined | readonly string[]>
  /** Sent as JSON. */
  json?: unknown
  body?: Blob | FormData | string
  headers?: Record<string, string>
  /** Sends it before this call returns, with the last known token, and lets it outlive the page. It is not sent again. */
  keepalive?: boolean | undefined
  signal?: AbortSignal | undefined
}

/** The parts of a response that errors are made from; an `XMLHttpRequest` has them, too. */
export interface ErrorResponse {
  status: number
  body: string
  header(name: string): string | null
}

export class Http {
  readonly #url: string
  readonly #tokens: Tokens
  readonly #fetch: typeof fetch

  constructor(url: string, tokens: Tokens, fetchWith?: typeof fetch) {
    this.#url = url.replace(/\/+$/, '')
    this.#tokens = tokens
    // Called without a receiver: browsers refuse fetch as a method of another object.
    this.#fetch = fetchWith ?? ((input, init) => globalThis.fetch(input, init))
  }

  /** The address of a path with a query. Null and undefined are omitted, and arrays are repeated. */
  url(path: string, query: HttpRequest['query'] = {}): string {
    const search = new URLSearchParams()
    for (const [name, value] of Object.entries(query)) {
      if (value === null || value === undefined) continue
      for (const each of typeof value === 'object' ? value : [value]) search.append(name, String(each))
    }
    const suffix = String(search)
    return `${this.#url}${path}${suffix && `?${suffix}`}`
  }

  /** An address that the edge gave, which may be relative to it. */
  absolute(address: string): string {
    return address.startsWith('/') ? `${this.#url}${address}` : address
  }

  /** The JSON of a successful response. */
  async json<Body>(path: string, request: HttpRequest = {}): Promise<Body> {
    return (await this.exchange<Body>(path, request)).body
  }

  /** The JSON of a successful response, and its headers. */
  async exchange<Body>(path: string, request: HttpRequest = {}): Promise<{ body: Body; headers: Headers }> {
    const response = await this.send(path, request)
    return { body: (await this.#read(response, request.signal, () => response.json())) as Body, headers: response.headers }
  }

  /** The bytes of a successful response. */
  async blob(path: string, request: HttpRequest = {}): Promise<Blob> {
    const response = await this.send(path, request)
    return this.#read(response, request.signal, () => response.blob())
  }

  /** A successful response. */
  async send(path: string, request: HttpRequest = {}): Promise<Response> {
    if (request.keepalive) return this.#once(path, request, this.#tokens.latest)
    for (let retries = 0; ; retries++) {
      try {
        return await this.authorized((token) => this.#once(path, request, token), request.signal)
      } catch (error) {
        const seconds = retryAfter(error)
        if (seconds === null || seconds > LONGEST_RETRY_AFTER || retries >= RETRIES) throw error
        await sleep(seconds * 1000, request.signal)
      }
    }
  }

  /** Calls `attempt` with the token, and once more with a new one if it is refused for the first. */
  async authorized<Result>(attempt: (token: string | null) => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    throwIfAborted(signal)
    const token = await abortable(this.#tokens.current(), signal)
    throwIfAborted(signal)
    try {
      return await attempt(token)
    } catch (error) {
      if (!(error instanceof DossierError) || error.status !== 401) throw error
      const renewed = await abortable(this.#tokens.renewed(token, error), signal)
      throwIfAborted(signal)
      return attempt(renewed)
    }
  }

  async #once(path: string, request: HttpRequest, token: string | null): Promise<Response> {
    const headers: Record<string, string> = { accept: 'application/json, */*;q=0.5', ...request.headers }
    if (token !== null) headers.authorization = `Bearer ${token}`
    if (request.json !== undefined) headers['content-type'] = 'application/json'
    const body = request.json !== undefined ? JSON.stringify(request.json) : request.body
    const { method = 'GET', keepalive = false, signal = null } = request
    const init: RequestInit = { method, headers, body: body ?? null, keepalive, signal }
    const response = await this.#reached(request.signal, () => this.#fetch(this.url(path, request.query), init))
    if (response.ok) return response
    const text = await this.#reached(request.signal, () => response.text())
    throw errorOf({ status: response.status, body: text, header: (name) => response.headers.get(name) })
  }

  /** Tells an abort from a failure of the network. */
  async #reached<Result>(signal: AbortSignal | undefined, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      throwIfAborted(signal)
      throw new ConnectionError(error)
    }
  }

  async #read<Body>(response: Response, signal: AbortSignal | undefined, read: () => Promise<Body>): Promise<Body> {
    try {
      return await read()
    } catch (error) {
      throwIfAborted(signal)
      if (error instanceof SyntaxError) throw unexpected(response.status, (name) => response.headers.get(name))
      throw new ConnectionError(error)
    }
  }
}

/** Seconds that the server asks to wait, if it asks, and did not act on the request. */
function retryAfter(error: unknown): number | null {
  return error instanceof DossierError && (error.status === 503 || error.status === 429) ? error.retryAfter : null
}

/** The error in a response. */
export function errorOf(response: ErrorResponse): DossierError {
  const problem = problemIn(response.body)
  if (!problem) return unexpected(response.status, response.header)
  const versions = response.status === 409 ? versionsIn(problem.details) : null
  return versions ? new ConflictError(problem, versions, facts(response)) : new DossierError(problem, facts(response))
}

function facts({ status, header }: Pick<ErrorResponse, 'status' | 'header'>) {
  return { status, retryAfter: secondsIn(header('retry-after')), requestId: header('x-request-id') }
}

/** A response that is not the edge's, for example that of a proxy in between. */
function unexpected(status: number, header: ErrorResponse['header']): DossierError {
  const problem: Problem = {
    code: `PT${status}`,
    message: `Unexpected response with status ${status}`,
    details: 'The body is not in the format of the edge. A proxy in between may have sent it.',
    hint: status >= 500 ? 'Retry later.' : 'Check the address of the edge.',
  }
  return new DossierError(problem, facts({ status, header }))
}

function problemIn(body: string): Problem | null {
  const value = parsed(body)
  if (!isObject(value) || typeof value.code !== 'string' || typeof value.message !== 'string') return null
  const text = (part: unknown) => (typeof part === 'string' ? part : null)
  return { code: value.code, message: value.message, details: text(value.details), hint: text(value.hint) }
}

function versionsIn(details: string | null) {
  const value = parsed(details ?? '')
  if (!isObject(value)) return null
  const { current_version, expected_version } = value
  return typeof current_version === 'number' && typeof expected_version === 'number' ? { current_version, expected_version } : null
}

/** The value of a JSON text. Undefined if the text is not JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/** `Retry-After` in seconds, from either of its forms. */
function secondsIn(header: string | null): number | null {
  if (header === null) return null
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000
  return Number.isNaN(seconds) ? null : Math.max(0, seconds)
}
