/** Text that is not saved yet, kept on this device so that a reload does not lose it. */
export interface Draft {
  text: string
  /** The version that it was written on. */
  version: number
}

const key = (sessionId: string) => `dossier:draft:${sessionId}`

/** A browser may refuse storage, or hold something else under the name. Then there is no draft. */
export function readDraft(sessionId: string): Draft | null {
  try {
    const draft = JSON.parse(localStorage.getItem(key(sessionId)) ?? 'null') as Partial<Draft> | null
    return typeof draft?.text === 'string' && Number.isInteger(draft.version) ? (draft as Draft) : null
  } catch {
    return null
  }
}

/** Returns whether it was kept. */
export function keepDraft(sessionId: string, draft: Draft | null): boolean {
  try {
    if (draft) localStorage.setItem(key(sessionId), JSON.stringify(draft))
    else localStorage.removeItem(key(sessionId))
    return true
  } catch {
    return false
  }
}
