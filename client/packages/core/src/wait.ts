/** Waiting that ends early. */

/** Rejects with the reason of `signal` if it is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw signal.reason
}

/**
 * A promise that `begin` settles, or that rejects with the reason of `signal` if that is aborted first. `begin` returns how to
 * stop waiting, which is called at the end, whatever the end is.
 */
export function waiting<Value = void>(
  signal: AbortSignal | undefined,
  begin: (resolve: (value: Value) => void, reject: (reason: unknown) => void) => (() => void) | void,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    let stop: (() => void) | void
    const ending = <Outcome>(settle: (outcome: Outcome) => void) => (outcome: Outcome) => {
      signal?.removeEventListener('abort', aborted)
      stop?.()
      settle(outcome)
    }
    const aborted = () => ending(reject)(signal?.reason)
    signal?.addEventListener('abort', aborted)
    stop = begin(ending(resolve), ending(reject))
  })
}

/** Resolves after `milliseconds`. Rejects with the reason of `signal` if that is aborted first. */
export const sleep = (milliseconds: number, signal?: AbortSignal): Promise<void> =>
  waiting(signal, (resolve) => {
    const timer = setTimeout(resolve, milliseconds)
    return () => clearTimeout(timer)
  })

/** `promise`, or the reason of `signal` if that is aborted first. The work behind the promise goes on. */
export const abortable = <Value>(promise: Promise<Value>, signal?: AbortSignal): Promise<Value> =>
  waiting<Value>(signal, (resolve, reject) => void promise.then(resolve, reject))
