'use client'
import { useEffect, useRef, useState } from 'react'

/** How long a deletion can be undone. */
export const UNDO_MS = 6000

/**
 * Deletions that wait, so that they can be undone. They are sent when the time is over, and at once when the page or the
 * component goes away.
 */
export function usePendingDeletes(handlers: {
  /** `leaving`: the page goes away, so the request has to outlive it. */
  send(id: string, leaving: boolean): Promise<unknown>
  failed(name: string, error: unknown): void
}) {
  const [pending, setPending] = useState<ReadonlyMap<string, string>>(new Map())
  const latest = useRef(handlers)
  const timers = useRef(new Map<string, { name: string; timer: ReturnType<typeof setTimeout> }>())
  useEffect(() => {
    latest.current = handlers
  })

  const drop = (id: string) => {
    clearTimeout(timers.current.get(id)?.timer)
    timers.current.delete(id)
    setPending((before) => new Map([...before].filter(([each]) => each !== id)))
  }
  const flush = async (id: string, leaving: boolean) => {
    const name = timers.current.get(id)?.name
    if (name === undefined) return
    clearTimeout(timers.current.get(id)?.timer)
    timers.current.delete(id)
    try {
      await latest.current.send(id, leaving)
    } catch (error) {
      latest.current.failed(name, error)
    }
    drop(id)
  }
  const flushAll = useRef((_leaving: boolean) => {})
  useEffect(() => {
    flushAll.current = (leaving) => [...timers.current.keys()].forEach((id) => void flush(id, leaving))
  })
  useEffect(() => {
    const leave = () => flushAll.current(true)
    window.addEventListener('pagehide', leave)
    return () => {
      window.removeEventListener('pagehide', leave)
      flushAll.current(false)
    }
  }, [])

  return {
    /** Names by id. */
    pending,
    undo: drop,
    add(id: string, name: string) {
      timers.current.set(id, { name, timer: setTimeout(() => void flush(id, false), UNDO_MS) })
      setPending((before) => new Map(before).set(id, name))
    },
  }
}
