/**
 * Sends large files by tus 1.0.0, and continues where any earlier request stopped: one of this upload, of a page that was
 * closed, or of another edge. Loaded with the first large file.
 *
 * A checkpoint is the id of an upload at the edge, which is that of the document.
 * Invariant: bytes of different files never end up in one document. The digest of the file is stored with the upload, and
 * compared before it is continued.
 */

import { DossierError } from '../errors.js'
import { errorOf } from '../http.js'
import { unfinished } from '../resources.js'
import type { Document } from '../types.js'
import { abortable, sleep, throwIfAborted } from '../wait.js'
import { transmit, type Sending, type Transfer, type UploadSender } from './sender.js'

const VERSION = { 'tus-resumable': '1.0.0' }
const BYTES = { ...VERSION, 'content-type': 'application/offset+octet-stream' }

/** The most that one request sends, in bytes. The edge, and proxies in front of it, limit the body of a request. */
const PART = 64 * 1024 * 1024
/** Without progress of a request, smaller ones show it. */
const PART_UNSEEN = 8 * 1024 * 1024
/** How long another request that sends the same upload is left alone, in milliseconds. */
const TURN = 2_000

/** Statuses after which an upload cannot be continued: the edge does not know it, or has removed it with its bytes. */
const OVER = [404, 410, 413, 415]

/** What the edge knows of an upload. */
interface Known {
  readonly offset: number
  /** The values of Upload-Metadata, as they were sent. */
  readonly metadata: ReadonlyMap<string, string>
}

export class TusSender implements UploadSender {
  readonly #sending: Sending
  readonly #part: number

  constructor(sending: Sending, part = sending.withFetch ? PART_UNSEEN : PART) {
    this.#sending = sending
    this.#part = part
  }

  async begun({ sessionId, file, signal, digest }: Transfer): Promise<string | null> {
    const uploads = await unfinished(this.#sending.http, sessionId, signal)
    for (const { id } of uploads.filter(({ size_bytes }) => size_bytes === file.size)) {
      const { metadata } = await this.#known(id, signal)
      if (metadata.get('filename') === base64(file.name) && metadata.get('sha256') === base64(await digest())) return id
    }
    return null
  }

  async send(transfer: Transfer): Promise<Document> {
    const { checkpoint, file, signal } = transfer
    try {
      const id = checkpoint ?? (await this.#create(transfer))
      let offset = checkpoint === null ? 0 : await this.#free(id, transfer)
      while (offset < file.size) offset = await this.#sendPart(id, offset, transfer)
      return await this.#sending.http.json<Document>(`/api/documents/${id}`, { signal })
    } catch (error) {
      if (error instanceof DossierError && OVER.includes(error.status)) transfer.onCheckpoint(null)
      throw error
    }
  }

  /**
   * Begins an upload without bytes: if the response is lost, nothing else is. The request itself is not aborted, so that an
   * upload that is cancelled meanwhile can be deleted.
   */
  async #create({ sessionId, file, metadata, signal, digest, onCheckpoint }: Transfer): Promise<string> {
    const values = {
      session_id: sessionId,
      filename: file.name,
      filetype: file.type,
      sha256: await digest(),
      metadata: metadata ? JSON.stringify(metadata) : '',
    }
    const declared = Object.entries(values).map(([key, value]) => `${key} ${base64(value)}`.trimEnd())
    const headers = { ...VERSION, 'upload-length': String(file.size), 'upload-metadata': declared.join() }
    throwIfAborted(signal)
    const begun = this.#sending.http.send('/api/uploads', { method: 'POST', headers }).then(({ status, headers: answered }) => {
      const id = answered.get('location')?.split('/').at(-1)
      if (!id) throw unexpected(status)
      onCheckpoint(id)
      return id
    })
    return abortable(begun, signal)
  }

  /** How many bytes the edge has of this file. Rejects if they are those of another one. */
  async #stored(id: string, { file, signal, digest, onCheckpoint, onProgress }: Transfer): Promise<number> {
    const { offset, metadata } = await this.#known(id, signal)
    if (metadata.get('sha256') !== base64(await digest())) {
      onCheckpoint(null)
      throw new DossierError({
        code: 'other_file',
        message: 'This is not the file whose upload was begun',
        details: `The SHA-256 of ${file.name} differs from the one that was sent at the beginning.`,
        hint: 'Choose the same file again, or retry to upload this one from its beginning.',
      })
    }
    onProgress(offset)
    return offset
  }

  /** By POST: the response to HEAD has no body, so it could not say why. */
  async #known(id: string, signal: AbortSignal): Promise<Known> {
    const headers = { ...VERSION, 'x-http-method-override': 'HEAD' }
    const response = await this.#sending.http.send(`/api/uploads/${id}`, { method: 'POST', headers, signal })
    const offset = response.headers.get('upload-offset')
    if (offset === null) throw unexpected(response.status)
    const pairs = (response.headers.get('upload-metadata') ?? '').split(',').map((pair) => pair.trim().split(' '))
    return { offset: Number(offset), metadata: new Map(pairs.map(([key = '', value = '']) => [key, value])) }
  }

  /** Sends bytes from `offset` on. Resolves with the offset that follows. */
  async #sendPart(id: string, offset: number, transfer: Transfer): Promise<number> {
    const { file, signal, onProgress } = transfer
    const part = file.slice(offset, offset + this.#part)
    try {
      await this.#patch(id, offset, part, signal, (sent) => onProgress(offset + Math.min(part.size, sent)))
      onProgress(offset + part.size)
      return offset + part.size
    } catch (error) {
      if (!isTaken(error)) throw error
      return this.#free(id, transfer)
    }
  }

  /**
   * The offset at which the upload continues, once no other request sends it: one whose page was closed a moment ago, or one
   * of another window.
   */
  async #free(id: string, transfer: Transfer): Promise<number> {
    for (;;) {
      const offset = await this.#stored(id, transfer)
      if (offset === transfer.file.size) return offset
      try {
        // Without bytes, so that none are sent in vain.
        await this.#patch(id, offset, new Blob(), transfer.signal, () => undefined)
        return offset
      } catch (error) {
        if (!isTaken(error)) throw error
      }
      await sleep(TURN, transfer.signal)
    }
  }

  async #patch(id: string, offset: number, part: Blob, signal: AbortSignal, onProgress: (sent: number) => void): Promise<void> {
    const { http, withFetch } = this.#sending
    const path = `/api/uploads/${id}`
    const headers = { ...BYTES, 'upload-offset': String(offset) }
    if (withFetch) await http.send(path, { method: 'PATCH', headers, body: part, signal })
    else await transmit(http, 'PATCH', path, headers, part, signal, onProgress)
  }
}

/** Whether another request sends the upload now, or has sent more of it meanwhile. */
const isTaken = (error: unknown) => error instanceof DossierError && (error.status === 409 || error.status === 423)

/** A response without what tus requires: a proxy removed it, or does not let the page read it. */
const unexpected = (status: number) => errorOf({ status, body: '', header: () => null })

/** The bytes of a text in UTF-8, in Base64. */
const base64 = (text: string) => btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''))
