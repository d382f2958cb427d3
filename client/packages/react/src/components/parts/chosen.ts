import type { Limits } from 'dossier-client'
import type { Texts } from '../messages/index.js'

/** Why a file cannot be stored, or undefined. What only the server can know, it says when the upload begins. */
export function refusal(file: File, limits: Limits | undefined, { m }: Texts): string | undefined {
  if (file.size === 0) return m.emptyFile
  if (!limits) return undefined
  if (file.size > limits.max_file_bytes) return m.tooLarge(file.size, limits.max_file_bytes)
  const type = file.type.toLowerCase()
  // Without a type, or with the general one, the server decides by the first bytes.
  if (type === '' || type === 'application/octet-stream') return undefined
  const allowed = limits.allowed_media_types.some((each) => each === type || each === '*/*' || (each.endsWith('/*') && type.startsWith(each.slice(0, -1))))
  return allowed ? undefined : m.wrongType(file.name)
}
