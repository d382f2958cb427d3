'use client'
import { useEffect, useRef, useState } from 'react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { ConflictError, ConnectionError, type Context } from 'dossier-client'
import { cacheContext } from '../../cache.js'
import { useDossierClient } from '../../provider.js'
import { dossierQueries } from '../../queries.js'
import { keepDraft, readDraft } from './drafts.js'

const PAUSE = 800
const RETRY = 5000

export type SaveStatus = 'saved' | 'unsaved' | 'saving' | 'offline' | 'failed' | 'conflict'

/**
 * The text of a context while it is edited. It is saved when typing pauses, always on the version that it was written on:
 * a version that somebody else saved is never overwritten unseen. Until it is saved, it is kept on this device.
 */
export function useContextText(sessionId: string, canWrite: boolean) {
  const client = useDossierClient()
  const cache = useQueryClient()
  const query = useQuery(dossierQueries.context(client, sessionId))
  const server = query.data

  // Null until the first answer has been taken, so that nobody writes into a field that is about to be filled.
  const [text, setText] = useState<string | null>(null)
  const [status, setStatus] = useState<SaveStatus>('saved')
  const [error, setError] = useState<unknown>(null)
  const [theirs, setTheirs] = useState<Context | null>(null)
  const [restored, setRestored] = useState(false)
  /** What the next save is based on. Null until the first answer. */
  const base = useRef<number | null>(null)
  const current = useRef('')
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const busy = useRef(false)
  const dirty = status !== 'saved'

  const show = (next: string) => {
    current.current = next
    setText(next)
  }
  const settle = (context: Context) => {
    base.current = context.version
    keepDraft(sessionId, null)
    cacheContext(cache, sessionId, context)
    setTheirs(null)
    setError(null)
    setRestored(false)
    setStatus('saved')
  }

  const save = async () => {
    clearTimeout(timer.current)
    if (busy.current || base.current === null) return
    busy.current = true
    const sent = current.current
    setStatus('saving')
    try {
      const context = await client.context.save(sessionId, { text_context: sent, expected_version: base.current })
      if (current.current === sent) {
        settle(context)
      } else {
        base.current = context.version
        cacheContext(cache, sessionId, context)
        keepDraft(sessionId, { text: current.current, version: context.version })
        later(PAUSE)
      }
    } catch (reason) {
      setError(reason)
      if (reason instanceof ConflictError) await meet()
      else if (reason instanceof ConnectionError) {
        setStatus('offline')
        later(RETRY)
      } else setStatus('failed')
    } finally {
      busy.current = false
    }
  }
  const latestSave = useRef(save)
  useEffect(() => {
    latestSave.current = save
  })
  const later = (milliseconds: number) => {
    clearTimeout(timer.current)
    timer.current = setTimeout(() => void latestSave.current(), milliseconds)
  }

  /** Somebody else saved first: shows their version beside the draft, unless both say the same. */
  const meet = async () => {
    try {
      const context = await client.context.get(sessionId)
      if (context.text_context === current.current) return settle(context)
      setTheirs(context)
      setStatus('conflict')
    } catch (reason) {
      setError(reason)
      setStatus('offline')
      later(RETRY)
    }
  }

  // The first answer, and later ones from other windows while nothing is being written here.
  useEffect(() => {
    if (!server || (base.current !== null && (dirty || server.version <= base.current))) return
    const first = base.current === null
    base.current = server.version
    const draft = first && canWrite ? readDraft(sessionId) : null
    if (!draft || draft.text === server.text_context) {
      if (draft) keepDraft(sessionId, null)
      return show(server.text_context)
    }
    show(draft.text)
    if (draft.version === server.version) {
      setRestored(true)
      setStatus('unsaved')
      later(PAUSE)
    } else {
      setTheirs(server)
      setStatus('conflict')
    }
    // eslint-disable-next-line react-hooks/exhaustive-deps -- reads refs and setters only
  }, [server, dirty, sessionId, canWrite])

  useEffect(() => {
    const online = () => void (base.current !== null && latestSave.current())
    const back = () => status === 'offline' && online()
    window.addEventListener('online', back)
    return () => window.removeEventListener('online', back)
  }, [status])
  // Leaving the page: the draft is kept already, so nothing needs to be sent.
  useEffect(() => () => clearTimeout(timer.current), [])

  const write = (next: string) => {
    show(next)
    keepDraft(sessionId, { text: next, version: base.current ?? 0 })
    if (status === 'conflict') return
    setStatus('unsaved')
    later(PAUSE)
  }
  const resolve = (next: string) => {
    if (!theirs) return
    base.current = theirs.version
    show(next)
    setTheirs(null)
    setStatus('unsaved')
    void latestSave.current()
  }

  return {
    query,
    server: text === null ? undefined : server,
    text: text ?? '',
    status,
    error,
    theirs,
    restored,
    write,
    save: () => void save(),
    keepMine: () => resolve(current.current),
    useTheirs: () => {
      if (!theirs) return
      show(theirs.text_context)
      settle(theirs)
    },
    /** Continues on their version with another text, which is saved when typing pauses. */
    edit(next: string) {
      if (!theirs) return
      base.current = theirs.version
      show(next)
      keepDraft(sessionId, { text: next, version: theirs.version })
      setTheirs(null)
      setStatus('unsaved')
      later(RETRY)
    },
    dropDraft() {
      clearTimeout(timer.current)
      if (!server) return
      show(server.text_context)
      settle(server)
    },
    /** Takes the result of a restore. */
    take(context: Context) {
      show(context.text_context)
      settle(context)
    },
  }
}
