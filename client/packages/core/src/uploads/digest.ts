/** SHA-256 of files, as hexadecimal digits. */

import { ConnectionError } from '../errors.js'
import { throwIfAborted } from '../wait.js'

/** Up to this size the platform computes the digest, which needs the whole file in memory. */
const IN_MEMORY = 10 * 1024 * 1024

/** The module is asked for again with the next attempt. */
const offline = (error: unknown): never => {
  throw new ConnectionError(error)
}

/** The digest of `file`. Large files are read piece by piece. */
export async function sha256(file: Blob, signal?: AbortSignal): Promise<string> {
  throwIfAborted(signal)
  // Browsers offer crypto.subtle only to pages from https and localhost.
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined
  const digest =
    subtle && file.size <= IN_MEMORY
      ? new Uint8Array(await subtle.digest('SHA-256', await file.arrayBuffer()))
      : await (await import('./streamed.js').catch(offline)).streamed(file, signal)
  throwIfAborted(signal)
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
