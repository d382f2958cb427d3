'use client'
import { useEffect, useRef, useState } from 'react'
import type { Upload, UploadState } from 'dossier-client'
import { useDossierClient } from '../../provider.js'
import type { Texts } from '../messages/index.js'
import type { Announcer } from './live.js'

const MILESTONES = [0.25, 0.5, 0.75]

/** Whether nothing more will be sent of this file. */
export const isStored = (upload: UploadState) => upload.document !== null || upload.status === 'stored' || upload.status === 'reading' || upload.status === 'ready'
const isOver = (upload: UploadState) => isStored(upload) || upload.status === 'failed' || upload.status === 'cancelled'

/**
 * What to say about a batch of uploads: one start, a word at each quarter, one end for each file. A batch ends when all of its
 * files are over; the next file begins another.
 */
export function createSpeaker(announcer: Pick<Announcer, 'say' | 'alert'>) {
  /** The batch: whether each upload's end was spoken. */
  const spoken = new Map<string, boolean>()
  let milestone = 0
  return (uploads: readonly UploadState[], { m }: Texts) => {
    const fresh = uploads.filter((upload) => !spoken.has(upload.id) && !isOver(upload))
    // Files that join a running batch are counted, but are not another start.
    const starts = fresh.length > 0 && spoken.size === 0
    for (const upload of fresh) spoken.set(upload.id, false)
    const batch = uploads.filter((upload) => spoken.has(upload.id))
    if (batch.length === 0) return
    if (starts) {
      milestone = 0
      announcer.say(m.saidStarted(batch.length))
    }
    const done = batch.filter(isStored).length
    for (const upload of batch) {
      if (isOver(upload) && !spoken.get(upload.id)) {
        if (isStored(upload) && upload.status !== 'failed') announcer.say(m.saidDone(upload.name, done, batch.length))
        if (upload.status === 'failed') announcer.alert(m.saidFailed(upload.name, upload.error?.message ?? m.failed))
      }
      spoken.set(upload.id, isOver(upload))
    }
    if (batch.every(isOver)) return spoken.clear()
    const counted = batch.filter((upload) => !isOver(upload) || isStored(upload))
    const size = counted.reduce((sum, upload) => sum + upload.size, 0)
    const sent = counted.reduce((sum, upload) => sum + (isStored(upload) ? upload.size : upload.sent), 0)
    const reached = MILESTONES.filter((each) => size > 0 && sent / size >= each).at(-1) ?? 0
    if (reached <= milestone) return
    milestone = reached
    announcer.say(m.saidMilestone(reached))
  }
}

/** Who speaks about an upload. A component that has gone lets another one speak. */
const owners = new WeakMap<Upload, { gone: boolean }>()

/** Speaks about `uploads` through `announcer`. Where several components show an upload, the first of them speaks about it. */
export function useSpokenUploads(uploads: readonly UploadState[], announcer: Announcer, texts: Texts) {
  const client = useDossierClient()
  const speaker = useRef<ReturnType<typeof createSpeaker>>(undefined)
  const [self] = useState(() => ({ gone: false }))
  useEffect(() => {
    self.gone = false
    return () => void (self.gone = true)
  }, [self])
  useEffect(() => {
    speaker.current ??= createSpeaker(announcer)
    const own = uploads.filter(({ id }) => {
      const upload = client.uploads.get(id)
      if (upload && (owners.get(upload)?.gone ?? true)) owners.set(upload, self)
      return upload && owners.get(upload) === self
    })
    speaker.current(own, texts)
  }, [uploads, announcer, texts, client, self])
}
