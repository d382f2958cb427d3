/**
 * Errors of the client. Each has `code`, `message`, `details` and `hint`, as the edge sends them: show `message` and `hint`
 * to the user as they are.
 */

/** The body of every error response. */
export interface Problem {
  code: string
  message: string
  details: string | null
  hint: string | null
}

/** The server refused the request. */
export class DossierError extends Error {
  override readonly name: string = 'DossierError'
  /** An SQLSTATE, or `PT` and the HTTP status. */
  readonly code: string
  /** The HTTP status. 0 if there was no response. */
  readonly status: number
  /** What was sent, and the rule. */
  readonly details: string | null
  /** What to do next. */
  readonly hint: string | null
  /** Seconds to wait before a retry, if the server named them. */
  readonly retryAfter: number | null
  /** Quote it when you report a problem: it is also in the edge's log. */
  readonly requestId: string | null

  constructor(problem: Problem, response: { status?: number; retryAfter?: number | null; requestId?: string | null } = {}, options?: ErrorOptions) {
    super(problem.message, options)
    this.code = problem.code
    this.details = problem.details
    this.hint = problem.hint
    this.status = response.status ?? 0
    this.retryAfter = response.retryAfter ?? null
    this.requestId = response.requestId ?? null
  }
}

/** Somebody else saved the context first. Read it, apply the change to it, and save with `currentVersion`. */
export class ConflictError extends DossierError {
  override readonly name = 'ConflictError'
  /** The version that is stored. */
  readonly currentVersion: number
  /** The version that the refused save was based on. */
  readonly expectedVersion: number

  constructor(
    problem: Problem,
    versions: { current_version: number; expected_version: number },
    response: { status?: number; retryAfter?: number | null; requestId?: string | null } = {},
  ) {
    super(problem, response)
    this.currentVersion = versions.current_version
    this.expectedVersion = versions.expected_version
  }
}

/** The request needs a signed-in user, and asking for a new token did not help. */
export class SignedOutError extends DossierError {
  override readonly name = 'SignedOutError'
}

/** No response arrived: the network is down, or the server cannot be reached. `status` is 0. */
export class ConnectionError extends DossierError {
  override readonly name = 'ConnectionError'

  constructor(cause?: unknown) {
    super(
      {
        code: 'connection',
        message: 'The server cannot be reached',
        details: null,
        hint: 'Check the connection and retry.',
      },
      {},
      { cause },
    )
  }
}
