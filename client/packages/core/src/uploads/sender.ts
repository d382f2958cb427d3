/**
 * How a file gets to the edge. A sender makes one attempt; the upload decides what follows. An attempt that is resumed later
 * leaves a checkpoint, which the next attempt of the same upload receives.
 */

import { ConnectionError, type DossierError } from '../errors.js'
import { errorOf, type Http } from '../http.js'
import type { Document, Metadata } from '../types.js'

/** One attempt to send a file. */
export interface Transfer {
  readonly sessionId: string
  readonly file: Blob & { readonly name: string }
  readonly metadata: Metadata | undefined
  /** What an earlier attempt left, or null. */
  readonly checkpoint: string | null
  readonly signal: AbortSignal
  /** Keeps what the next attempt needs to continue where this one stopped. */
  onCheckpoint(checkpoint: string): void
  /** Reports how many bytes of the file were sent. */
  onProgress(sent: number): void
}

/** Sends files. Rejects with a `ConnectionError` if the network fails, with the reason of the signal if it is aborted. */
export interface UploadSender {
  send(transfer: Transfer): Promise<Document>
}

/** Sends the file as a form, in one request. `fetch` reports no progress of a body, so XMLHttpRequest is preferred. */
export class FormSender implements UploadSender {
  readonly #http: Http
  readonly #withFetch: boolean

  constructor(http: Http, { withFetch }: { withFetch: boolean }) {
    this.#http = http
    this.#withFetch = withFetch
  }

  async send(transfer: Transfer): Promise<Document> {
    const form = formOf(transfer)
    const path = '/api/documents'
    const stored =
      this.#withFetch || typeof XMLHttpRequest === 'undefined'
        ? await this.#http.json<Stored>(path, { method: 'POST', body: form, signal: transfer.signal })
        : await this.#http.authorized((token) => post(this.#http.url(path), form, token, transfer), transfer.signal)
    const document = stored.documents[0]
    if (!document) throw errorOf({ status: 200, body: '', header: () => null })
    transfer.onProgress(transfer.file.size)
    return document
  }
}

interface Stored {
  documents: Document[]
}

function formOf({ sessionId, file, metadata }: Transfer): FormData {
  const form = new FormData()
  form.append('session_id', sessionId)
  if (metadata) form.append('metadata', JSON.stringify(metadata))
  form.append('file', file, file.name)
  return form
}

function post(url: string, form: FormData, token: string | null, transfer: Transfer): Promise<Stored> {
  const { signal, file } = transfer
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    const abort = () => request.abort()
    const end = (settle: () => void) => {
      signal.removeEventListener('abort', abort)
      settle()
    }
    request.open('POST', url)
    request.setRequestHeader('accept', 'application/json')
    if (token !== null) request.setRequestHeader('authorization', `Bearer ${token}`)
    request.upload.onprogress = ({ loaded, total }) => {
      // The form's own bytes come before those of the file.
      transfer.onProgress(Math.min(file.size, Math.max(0, loaded - (total - file.size))))
    }
    request.onerror = () => end(() => reject(new ConnectionError()))
    request.onabort = () => end(() => reject(signal.reason))
    request.onload = () => end(() => {
      const outcome = outcomeOf(request)
      if ('documents' in outcome) resolve(outcome)
      else reject(outcome)
    })
    signal.addEventListener('abort', abort, { once: true })
    request.send(form)
  })
}

function outcomeOf(request: XMLHttpRequest): Stored | DossierError {
  const { status, responseText } = request
  if (status >= 200 && status < 300) {
    try {
      const stored = JSON.parse(responseText) as Partial<Stored> | null
      if (Array.isArray(stored?.documents)) return { documents: stored.documents }
    } catch {
      // Not the edge's response: an error like every other such response.
    }
  }
  return errorOf({ status, body: responseText, header: (name) => request.getResponseHeader(name) })
}
