'use client'

import { useQuery } from '@tanstack/react-query'
import type { AddOptions, Upload, UploadState } from 'dossier-client'
import { useCallback, useMemo, useRef, useSyncExternalStore } from 'react'
import { useDossierClient } from '../provider.js'
import { dossierQueries } from '../queries.js'

/** The uploads of a session, or all of them. They go on whether or not a component shows them. */
export function useUploads(sessionId?: string) {
  const { uploads } = useDossierClient()
  const list = useCallback(() => uploads.list(sessionId), [uploads, sessionId])
  const states = useUploadStates(sessionId)
  const calls = useMemo(
    () => ({
      /** Starts to upload files, and returns at once. */
      add: (toSession: string, files: Iterable<File>, options?: AddOptions): Upload[] =>
        Array.from(files, (file) => uploads.add(toSession, file, options)),
      /** Removes an upload from the list. One that is not stored yet is cancelled. */
      remove: (id: string) => uploads.remove(id),
    }),
    [uploads],
  )
  return {
    uploads: useSyncExternalStore(uploads.subscribe, list, list),
    states,
    /** Whether a file is on its way to the server. */
    isUploading: states.some(({ status }) => status === 'queued' || status === 'uploading'),
    ...calls,
  }
}

/** The state of one upload. */
export function useUpload(upload: Upload): UploadState {
  return useSyncExternalStore(upload.subscribe, upload.getState, upload.getState)
}

/** The states of the uploads of a session, or of all. The same array until one of them changes. */
export function useUploadStates(sessionId?: string): readonly UploadState[] {
  const { uploads } = useDossierClient()
  const last = useRef<readonly UploadState[]>([])
  const read = useCallback(() => {
    const states = uploads.list(sessionId).map((upload) => upload.getState())
    const same = states.length === last.current.length && states.every((state, index) => state === last.current[index])
    if (!same) last.current = states
    return last.current
  }, [uploads, sessionId])
  return useSyncExternalStore(uploads.subscribe, read, read)
}

/**
 * The uploads of a session that this user began and nobody finished, those of closed pages for example. `uploads.add` with
 * `continues` and the same file continues one.
 */
export function useUnfinishedUploads(sessionId: string, { enabled = true }: { enabled?: boolean } = {}) {
  const client = useDossierClient()
  const { data, isLoading, error } = useQuery({ ...dossierQueries.unfinished(client, sessionId), enabled })
  return { unfinished: data ?? none, isLoading, error }
}

const none: never[] = []
