/** SHA-256 of files that are too large for memory, piece by piece. Loaded with the first of them. */

import { sha256 } from '@noble/hashes/sha2.js'
import { throwIfAborted } from '../wait.js'

export async function streamed(file: Blob, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const hash = sha256.create()
  const reader = file.stream().getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return hash.digest()
    if (signal?.aborted) await reader.cancel()
    throwIfAborted(signal)
    hash.update(value)
  }
}
