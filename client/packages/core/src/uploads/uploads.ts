/** The uploads of a client, as a list that can be observed. */

import type { AddOptions, Upload, Uploads, UploadSettings } from '../client.js'
import type { RequestOptions, UnfinishedUpload } from '../types.js'
import type { SignIn } from './waiting.js'
import { Turns } from './waiting.js'
import { FileUpload, type UploadContext } from './upload.js'

const PARALLEL = 3

export class UploadList implements Uploads {
  readonly #context: UploadContext
  readonly #signIn: SignIn
  readonly #findDuplicates: boolean
  readonly #uploads = new Map<string, FileUpload>()
  readonly #lists = new Map<string | undefined, readonly Upload[]>()
  readonly #listeners = new Set<() => void>()
  #count = 0

  constructor(settings: UploadSettings, context: Omit<UploadContext, 'turns' | 'checks' | 'changed'>) {
    this.#signIn = context.signIn
    this.#findDuplicates = settings.findDuplicates ?? true
    this.#context = {
      ...context,
      turns: new Turns(Math.max(1, settings.parallel ?? PARALLEL)),
      // A digest takes the processor: one after the other.
      checks: new Turns(1),
      changed: () => this.#changed(),
    }
  }

  // Arrow functions, since hooks pass them on without their object.

  add = (sessionId: string, file: Blob & { readonly name: string }, options: AddOptions = {}): Upload => {
    this.#count += 1
    const upload = new FileUpload(`upload-${this.#count}`, sessionId, file, { findDuplicates: this.#findDuplicates, ...options }, this.#context)
    this.#uploads.set(upload.id, upload)
    this.#lists.clear()
    this.#changed()
    upload.start()
    return upload
  }

  get = (id: string): Upload | undefined => this.#uploads.get(id)

  list = (sessionId?: string): readonly Upload[] => {
    let list = this.#lists.get(sessionId)
    if (!list) {
      list = [...this.#uploads.values()].filter((upload) => sessionId === undefined || upload.sessionId === sessionId)
      this.#lists.set(sessionId, list)
    }
    return list
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  remove = (id: string): void => {
    const upload = this.#uploads.get(id)
    if (!upload) return
    this.#uploads.delete(id)
    this.#lists.clear()
    upload.forget()
    this.#changed()
  }

  signedIn = (): void => this.#signIn.announce()

  unfinished = (sessionId?: string, options?: RequestOptions): Promise<UnfinishedUpload[]> => this.#context.unfinished(sessionId, options)

  #changed(): void {
    for (const listener of [...this.#listeners]) listener()
  }
}
