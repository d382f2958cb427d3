/** What happens in a session, as the edge tells it. */

import type { Document, Session } from '../types.js'

/** How far a document is. One that was deleted has only its id. */
export type DocumentEvent =
  | { id: string; status: 'deleted' }
  | (Pick<Document, 'id' | 'name' | 'status' | 'ocr_status' | 'page_count' | 'error_code' | 'error_message' | 'updated_at'> & {
      /** How many of `pages` OCR has finished. */
      page: number | null
      pages: number | null
      /** What to do about `error_code`. Show it verbatim. */
      hint: string | null
    })

/** The version of a context that is current now. */
export interface ContextEvent {
  version: number
  updated_by: string | null
  updated_at: string
}

/** How many bytes of an upload are stored, about once per second. Also of other people's uploads. */
export interface UploadEvent {
  document_id: string
  received: number
  /** Null if it was not declared. */
  size: number | null
}

/** Why there are no more events. */
export interface EndEvent {
  /** `deleted`: the session. `removed`: the user, from its organization. `refused`: see the message. */
  reason: 'deleted' | 'removed' | 'refused'
  message: string
  hint: string | null
}

/**
 * One event of a session. `session` comes first. If it says `reload`, read the lists again: documents may have been added or
 * deleted that no event tells of. Events describe the present, so one may come twice, and steps in between may be missing.
 */
export type SessionEvent =
  | { type: 'session'; data: Session & { reload: boolean } }
  | { type: 'context'; data: ContextEvent }
  | { type: 'document'; data: DocumentEvent }
  | { type: 'upload'; data: UploadEvent }
  | { type: 'end'; data: EndEvent }

/** What happens in sessions, on this page and elsewhere. */
export interface Events {
  /**
   * Calls `listener` with what happens in a session, until the returned function is called or an event `end` says that
   * nothing follows. Interrupted connections are resumed, and nothing is missed.
   *
   * ```ts
   * const stop = dossier.events.follow(session.id, ({ type, data }) => {
   *   if (type === 'document') console.log(data.id, data.status)
   * })
   * ```
   */
  follow(sessionId: string, listener: (event: SessionEvent) => void): () => void
}
