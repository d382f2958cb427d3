'use client'
import { useEffect, useMemo, useRef, useState } from 'react'
import { useQueryClient } from '@tanstack/react-query'
import type { NewSession, Session, SessionWithContext } from 'dossier-client'
import { cacheSession } from '../../cache.js'
import { useDossierClient } from '../../provider.js'
import { dossierKeys } from '../../queries.js'

/**
 * A conversation that is being set up. It is created with the first file, so that files are on their way while the rest is
 * typed, or else by `start`. `discard` deletes it with everything that arrived, and so does leaving the page before `start`.
 */
export function useDraftConversation() {
  const client = useDossierClient()
  const cache = useQueryClient()
  const creating = useRef<Promise<Session> | null>(null)
  const [session, setSession] = useState<Session | null>(null)
  /** Files that wait for the session. */
  const [queue, setQueue] = useState<readonly File[]>([])
  const waiting = useRef<readonly File[]>([])
  const [error, setError] = useState<unknown>(null)
  /** The session that nobody has started yet. */
  const unstarted = useRef<Session | null>(null)

  useEffect(() => {
    const leave = () => {
      const left = unstarted.current
      if (!left) return
      unstarted.current = creating.current = null
      void client.sessions.delete(left.id, { permanently: true, keepalive: true }).catch(() => undefined)
      // A browser may keep the page and show it again: then its files wait for another session.
      const uploads = client.uploads.list(left.id)
      waiting.current = [...uploads.map(({ file }) => file as File), ...waiting.current]
      for (const upload of [...uploads]) client.uploads.remove(upload.id)
      setSession(null)
      setQueue(waiting.current)
    }
    window.addEventListener('pagehide', leave)
    return () => window.removeEventListener('pagehide', leave)
  }, [client])

  return useMemo(() => {
    const enqueue = (files: readonly File[]) => {
      waiting.current = files
      setQueue(files)
    }
    const upload = (created: Session) => {
      const files = waiting.current
      enqueue([])
      for (const file of files) client.uploads.add(created.id, file)
    }
    /** Sends the files that wait, once the session exists. */
    const send = async (details: NewSession) => {
      setError(null)
      try {
        creating.current ??= client.sessions.create(details)
        const created = await creating.current
        unstarted.current = created
        setSession(created)
        upload(created)
      } catch (reason) {
        creating.current = null
        setError(reason)
      }
    }
    return {
      session,
      queue,
      error,
      add(files: readonly File[], details: NewSession) {
        enqueue([...waiting.current, ...files])
        return send(details)
      },
      send,
      drop: (file: File) => enqueue(waiting.current.filter((each) => each !== file)),
      /** Creates it, or completes what the first file has created. Undefined if that failed: then `error` says why. */
      async start(details: NewSession, text: string): Promise<SessionWithContext | undefined> {
        setError(null)
        const begun = unstarted.current
        // From here on the user wants it, even if the page is left before everything is saved.
        unstarted.current = null
        try {
          let created: SessionWithContext
          if (creating.current) {
            const { id } = await creating.current
            const { title, conversation_type } = details
            created = await client.sessions.update(id, { title, conversation_type })
            // Nobody else knows this session yet, so there is no version to respect.
            if (text.trim()) created = { ...created, context: await client.context.save(id, { text_context: text }) }
          } else {
            created = await client.sessions.create({ ...details, ...(text.trim() && { context: { text } }) })
            upload(created)
          }
          cacheSession(cache, created)
          return created
        } catch (reason) {
          unstarted.current = begun
          setError(reason)
          return undefined
        }
      },
      async discard() {
        enqueue([])
        const created = await creating.current?.catch(() => null)
        unstarted.current = null
        if (!created) return
        for (const upload of client.uploads.list(created.id)) client.uploads.remove(upload.id)
        await client.sessions.delete(created.id, { permanently: true })
        void cache.invalidateQueries({ queryKey: dossierKeys.sessions })
      },
    }
  }, [client, cache, session, queue, error])
}
