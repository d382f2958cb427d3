/**
 * How a file gets to the edge. A sender makes one attempt; the upload decides what follows. An attempt that can be continued
 * leaves a checkpoint, which the next attempt of the same upload receives.
 */

import { ConnectionError } from '../errors.js'
import { errorOf, parsed, type ErrorResponse, type Http } from '../http.js'
import type { Document, Metadata } from '../types.js'

/** One attempt to send a file. */
export interface Transfer {
  readonly sessionId: string
  readonly file: Blob & { readonly name: string }
  readonly metadata: Metadata | undefined
  /** What an earlier attempt left, or null. */
  readonly checkpoint: string | null
  readonly signal: AbortSignal
  /** The SHA-256 of the file, computed when it is first needed. */
  digest(): Promise<string>
  /** Keeps what the next attempt needs to continue where this one stopped. Null: it cannot be continued. */
  onCheckpoint(checkpoint: string | null): void
  /** Reports how many bytes of the file were sent. */
  onProgress(sent: number): void
}

/** Sends files. Rejects with a `ConnectionError` if the network fails, with the reason of the signal if it is aborted. */
export interface UploadSender {
  /** The checkpoint of another upload of the same file, which was begun and not finished. */
  begun?(transfer: Transfer): Promise<string | null>
  send(transfer: Transfer): Promise<Document>
}

/** What a sender needs. `withFetch`: no XMLHttpRequest, although `fetch` reports no progress of a body. */
export interface Sending {
  readonly http: Http
  readonly withFetch: boolean
}

/** Sends the file as a form, in one request. */
export class FormSender implements UploadSender {
  readonly #sending: Sending

  constructor(sending: Sending) {
    this.#sending = sending
  }

  async send(transfer: Transfer): Promise<Document> {
    const { http, withFetch } = this.#sending
    const { file, signal } = transfer
    const path = '/api/documents'
    const body = formOf(transfer)
    // The form's own bytes come before those of the file.
    const progress = (sent: number, total: number) => transfer.onProgress(Math.max(0, sent - (total - file.size)))
    const stored = withFetch
      ? await http.json(path, { method: 'POST', body, signal })
      : parsed((await transmit(http, 'POST', path, {}, body, signal, progress)).body)
    const document = (stored as Stored | null | undefined)?.documents?.[0]
    if (!document) throw errorOf({ status: 200, body: '', header: () => null })
    transfer.onProgress(file.size)
    return document
  }
}

interface Stored {
  documents?: Document[]
}

function formOf({ sessionId, file, metadata }: Transfer): FormData {
  const form = new FormData()
  form.append('session_id', sessionId)
  if (metadata) form.append('metadata', JSON.stringify(metadata))
  form.append('file', file, file.name)
  return form
}

/** Sends a body by XMLHttpRequest, which reports how much of it is sent. Resolves with a successful response. */
export function transmit(
  http: Http,
  method: 'POST' | 'PATCH',
  path: string,
  headers: Record<string, string>,
  body: FormData | Blob,
  signal: AbortSignal,
  onProgress: (sent: number, total: number) => void,
): Promise<ErrorResponse> {
  const once = (token: string | null) =>
    new Promise<ErrorResponse>((resolve, reject) => {
      const request = new XMLHttpRequest()
      const abort = () => request.abort()
      request.open(method, http.url(path))
      const sent: Record<string, string> = { accept: 'application/json', ...headers, ...(token !== null && { authorization: `Bearer ${token}` }) }
      for (const [name, value] of Object.entries(sent)) request.setRequestHeader(name, value)
      request.upload.onprogress = ({ loaded, total }) => onProgress(loaded, total)
      request.onerror = () => reject(new ConnectionError())
      request.onabort = () => reject(signal.reason)
      request.onload = () => {
        const { status, responseText } = request
        const response = { status, body: responseText, header: (name: string) => request.getResponseHeader(name) }
        if (status >= 200 && status < 300) resolve(response)
        else reject(errorOf(response))
      }
      request.onloadend = () => signal.removeEventListener('abort', abort)
      signal.addEventListener('abort', abort, { once: true })
      request.send(body)
    })
  return http.authorized(once, signal)
}
