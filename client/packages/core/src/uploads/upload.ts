/**
 * One upload: a state machine that can be observed.
 *
 * `drive` is the way from `queued` to a final state. Pausing, cancelling and waiting for a decision abort it; resuming and
 * retrying begin it again, and it goes on from the furthest point that was reached: a document that is stored is not sent
 * again.
 */

import type { AddOptions, Upload } from '../client.js'
import { DossierError } from '../errors.js'
import type { Document, Metadata, PlannedUpload, RequestOptions, UnfinishedUpload, UploadError, UploadState, UploadWait } from '../types.js'
import { waiting } from '../wait.js'
import { sha256 } from './digest.js'
import type { Transfer, UploadSender } from './sender.js'
import { Speed } from './speed.js'
import { isSettled, type DocumentWatch } from './watch.js'
import { isOffline, LONGEST_PAUSE, waitAfter, waitFor, type SignIn, type Turns } from './waiting.js'

/** Failures of the server or the network in a row, without a byte more arriving, after which an upload fails. */
const MOST_FAILURES = 6
/** A longer `Retry-After`, for example until midnight, is an answer for the user. */
const LONGEST_RETRY_AFTER = 120

/** An upload that sends nothing now. */
const STILL = { waitsFor: null, retryAt: null, bytesPerSecond: null, secondsLeft: null }

/** What uploads share. */
export interface UploadContext {
  readonly turns: Turns
  readonly checks: Turns
  readonly signIn: SignIn
  readonly watch: DocumentWatch
  /** How to send this file. */
  sender(file: Blob): UploadSender | Promise<UploadSender>
  /** Deletes what arrived of an upload that nobody will finish. */
  discard(checkpoint: string): void
  /** The documents of the session with these bytes, newest first. */
  known(sessionId: string, sha256: string, signal: AbortSignal): Promise<Document[]>
  /** Rejects with the reason if the file would be refused. */
  explain(planned: PlannedUpload): Promise<void>
  /** The uploads that this user began and nobody finished, newest first. */
  unfinished(sessionId?: string, options?: RequestOptions): Promise<UnfinishedUpload[]>
  /** Extracts a stored document again. */
  extract(documentId: string, signal: AbortSignal): Promise<Document>
  /** Called after every change of an upload. */
  changed(): void
}

export class FileUpload implements Upload {
  readonly id: string
  readonly sessionId: string
  readonly file: Blob & { readonly name: string }
  readonly #context: UploadContext
  readonly #metadata: Metadata | undefined
  readonly #listeners = new Set<() => void>()
  readonly #speed = new Speed()
  #state: UploadState
  #drive: AbortController | null = null
  #checkpoint: string | null = null
  /** Whether the user, or the setting, decided not to look for a duplicate. */
  #anyway: boolean
  /** The documents that had these bytes before the first attempt. Null if that was not looked up. */
  #before: Set<string> | null = null
  /** Whether the server was asked if it would accept the file. */
  #accepted = false
  /** Whether an attempt ended without a response: the server may have the file. */
  #uncertain = false
  #failures = 0

  constructor(id: string, sessionId: string, file: Blob & { readonly name: string }, options: AddOptions, context: UploadContext) {
    this.id = id
    this.sessionId = sessionId
    this.file = file
    this.#metadata = options.metadata
    this.#context = context
    this.#checkpoint = options.continues ?? null
    this.#anyway = !options.findDuplicates
    this.#state = {
      id,
      sessionId,
      name: file.name,
      size: file.size,
      mediaType: file.type,
      ...STILL,
      status: 'queued',
      waitsFor: 'turn',
      sent: 0,
      progress: 0,
      sha256: null,
      duplicate: null,
      documentId: this.#checkpoint,
      document: null,
      error: null,
    }
  }

  getState = (): UploadState => this.#state

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  start(): void {
    void this.#begin()
  }

  pause(): void {
    const { status } = this.#state
    if (status !== 'queued' && status !== 'uploading') return
    this.#stop()
    this.#pausedFor('user')
  }

  resume(): void {
    if (this.#state.status !== 'paused') return
    if (this.#state.waitsFor === 'decision') this.#anyway = true
    void this.#begin()
  }

  retry(): void {
    if (this.#state.status !== 'failed') return
    void this.#begin()
  }

  cancel(): void {
    const { status, document } = this.#state
    if (document || status === 'cancelled') return
    this.#stop()
    this.#discard()
    this.#set({ ...STILL, status: 'cancelled', error: null })
  }

  useExisting(): void {
    const { duplicate, waitsFor } = this.#state
    if (!duplicate || waitsFor !== 'decision') return
    this.#discard()
    this.#arrived(duplicate)
    void this.#begin()
  }

  /** Stops to watch: the upload was removed from the list. */
  forget(): void {
    this.cancel()
    this.#stop()
  }

  stored(options: RequestOptions = {}): Promise<Document> {
    return this.#until(({ document }) => document, options.signal)
  }

  ready(options: RequestOptions = {}): Promise<Document> {
    return this.#until(({ status, document }) => (status === 'ready' ? document : null), options.signal)
  }

  async #begin(): Promise<void> {
    this.#stop()
    const drive = (this.#drive = new AbortController())
    const { signal } = drive
    this.#failures = 0
    this.#accepted = false
    const { document, status } = this.#state
    // At once: nobody who looks now must see the end of the attempt before.
    if (document && status === 'failed') this.#set({ status: 'stored', error: null })
    if (!document) this.#queued()
    try {
      if (!document) await this.#send(signal)
      else if (status === 'failed') this.#progressed(await this.#context.extract(document.id, signal))
      if (this.#state.document) await this.#follow(this.#state.document, signal)
    } catch (error) {
      // OCR that cannot be watched any more, because the document was deleted for example, does not fail the upload.
      if (!signal.aborted && this.#state.status !== 'ready') this.#fail(error)
    }
  }

  /** Attempts until the file is stored, or waits for a decision. */
  async #send(signal: AbortSignal): Promise<void> {
    do {
      try {
        await this.#context.turns.take(signal, () => this.#attempt(signal))
      } catch (error) {
        if (signal.aborted) throw error
        await this.#recover(error, signal)
        this.#queued()
      }
    } while (!this.#state.document && this.#state.waitsFor !== 'decision')
  }

  async #attempt(signal: AbortSignal): Promise<void> {
    const looksUp = !this.#anyway || (this.#uncertain && this.#before)
    if (looksUp || !this.#accepted) this.#set({ waitsFor: 'check' })
    const sender = await this.#context.sender(this.file)
    const [known] = await Promise.all([looksUp ? this.#findKnown(signal) : null, this.#accepted || this.#accept(sender, signal)])
    if (known) {
      const [duplicate] = known
      const arrived = this.#uncertain && known.find(({ id }) => !this.#before?.has(id))
      if (arrived) return this.#arrived(arrived)
      this.#before ??= new Set(known.map(({ id }) => id))
      if (duplicate && !this.#anyway) {
        this.#set({ duplicate })
        return this.#pausedFor('decision')
      }
    }
    const sent = this.#checkpoint === null ? 0 : this.#state.sent
    this.#speed.start(sent, Date.now())
    this.#set({ status: 'uploading', waitsFor: null, ...this.#progress(sent) })
    this.#uncertain = true
    this.#arrived(await sender.send(this.#transfer(signal)))
  }

  #transfer(signal: AbortSignal): Transfer {
    return {
      sessionId: this.sessionId,
      file: this.file,
      metadata: this.#metadata,
      checkpoint: this.#checkpoint,
      signal,
      digest: () => this.#digest(signal),
      onCheckpoint: (checkpoint) => this.#continues(checkpoint, signal),
      onProgress: (bytes) => { if (!signal.aborted) this.#sent(bytes) },
    }
  }

  /** Asks before a byte is sent, so that a refusal is known at once. Rejects with it. What was begun had been accepted. */
  async #accept(sender: UploadSender, signal: AbortSignal): Promise<void> {
    if (this.#checkpoint === null) this.#continues((await sender.begun?.(this.#transfer(signal))) ?? null, signal)
    const { name, size, type } = this.file
    if (this.#checkpoint === null) {
      await this.#context.explain({ session_id: this.sessionId, name, media_type: type || undefined, size_bytes: size, metadata: this.#metadata, signal })
    }
    this.#accepted = true
  }

  async #findKnown(signal: AbortSignal): Promise<Document[]> {
    return this.#context.known(this.sessionId, await this.#digest(signal), signal)
  }

  #digest(signal: AbortSignal): Promise<string> {
    return this.#context.checks.take(signal, async () => {
      const digest = this.#state.sha256 ?? (await sha256(this.file, signal))
      if (digest !== this.#state.sha256) this.#set({ sha256: digest })
      return digest
    })
  }

  #continues(checkpoint: string | null, signal: AbortSignal): void {
    // A late answer to an attempt that was stopped: nobody will finish this one.
    if (checkpoint !== null && signal.aborted && (this.#checkpoint !== null || this.#state.status === 'cancelled')) {
      if (checkpoint !== this.#checkpoint) this.#context.discard(checkpoint)
      return
    }
    this.#checkpoint = checkpoint
    if (checkpoint !== this.#state.documentId) this.#set({ documentId: checkpoint })
  }

  #discard(): void {
    if (this.#checkpoint !== null) this.#context.discard(this.#checkpoint)
    this.#checkpoint = null
  }

  #sent(bytes: number): void {
    if (bytes > this.#state.sent) this.#failures = 0
    this.#speed.add(bytes, Date.now())
    this.#set(this.#progress(bytes))
  }

  #progress(sent: number): Partial<UploadState> {
    const { size } = this.file
    const speed = this.#speed.bytesPerSecond
    return {
      sent,
      progress: size === 0 ? 1 : sent / size,
      bytesPerSecond: speed,
      secondsLeft: speed ? (size - sent) / speed : null,
    }
  }

  #arrived(document: Document): void {
    this.#uncertain = false
    this.#progressed(document)
  }

  #progressed(document: Document): void {
    const { size } = this.file
    const done = { ...STILL, sent: size, progress: 1, document, documentId: document.id }
    if (document.status === 'failed' || document.status === 'unsupported') {
      this.#set({ ...done, status: 'failed', error: reasonOf(document) })
    } else {
      const status = document.status === 'ready' ? 'ready' : document.status === 'extracting' ? 'reading' : 'stored'
      this.#set({ ...done, status, error: null })
    }
  }

  async #follow(document: Document, signal: AbortSignal): Promise<void> {
    this.#progressed(document)
    if (isSettled(document)) return
    await this.#context.watch.follow(document, (latest) => this.#progressed(latest), { signal, isOver: isSettled })
  }

  /** Waits until another attempt makes sense. Rejects with the error if none does. */
  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    const wait = waitAfter(error)
    const asked = error instanceof DossierError ? error.retryAfter : null
    if (!wait || (asked ?? 0) > LONGEST_RETRY_AFTER) throw error
    let pause = LONGEST_PAUSE
    if (wait === 'sign-in') this.#pausedFor(wait)
    else {
      // Without a network nothing is tried, so nothing fails.
      const offline = wait === 'connection' && isOffline()
      if (!offline && ++this.#failures >= MOST_FAILURES) throw error
      if (!offline) pause = asked !== null ? asked * 1000 : Math.min(1000 * 2 ** (this.#failures - 1), LONGEST_PAUSE)
      this.#set({ ...STILL, status: 'queued', waitsFor: wait, retryAt: offline ? null : Date.now() + pause })
    }
    return waitFor(wait, pause, this.#context.signIn, signal)
  }

  #queued(): void {
    this.#set({ ...STILL, status: 'queued', waitsFor: 'turn', error: null })
  }

  #pausedFor(waitsFor: UploadWait): void {
    this.#set({ ...STILL, status: 'paused', waitsFor })
  }

  #fail(error: unknown): void {
    this.#set({ ...STILL, status: 'failed', error: asUploadError(error) })
  }

  #stop(): void {
    this.#drive?.abort(new DOMException('The upload was stopped', 'AbortError'))
    this.#drive = null
  }

  #set(changes: Partial<UploadState>): void {
    this.#state = { ...this.#state, ...changes }
    for (const listener of [...this.#listeners]) listener()
    this.#context.changed()
  }

  #until(reached: (state: UploadState) => Document | null, signal: AbortSignal | undefined): Promise<Document> {
    return waiting(signal, (resolve, reject) => {
      const look = () => {
        const document = reached(this.#state)
        if (document) resolve(document)
        else if (this.#state.status === 'failed' && this.#state.error) reject(new DossierError(this.#state.error))
        else if (this.#state.status === 'cancelled') reject(new DOMException('The upload was cancelled', 'AbortError'))
      }
      // Once this returns, so that the end of the wait ends the subscription.
      queueMicrotask(look)
      return this.subscribe(look)
    })
  }
}

function reasonOf(document: Document): UploadError {
  return {
    code: document.error_code ?? document.status,
    message: document.error_message ?? 'The text of the file cannot be extracted',
    details: null,
    hint: null,
  }
}

function asUploadError(error: unknown): UploadError {
  if (error instanceof DossierError) {
    const { code, message, details, hint } = error
    return { code, message, details, hint }
  }
  // A file that was moved or changed since it was chosen, above all.
  const reason = error instanceof Error ? error.message : String(error)
  return { code: 'file', message: 'The file cannot be read', details: reason, hint: 'Choose the file again.' }
}
