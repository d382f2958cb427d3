'use client'
import { useEffect, useRef, type ReactNode } from 'react'
import { Icon } from './icons.js'

/** The further actions of a row: a disclosure that closes by Escape, by a click elsewhere and after a choice. */
export function Menu({ label, children }: { label: string; children: ReactNode }) {
  const details = useRef<HTMLDetailsElement>(null)
  useEffect(() => {
    const element = details.current
    if (!element) return
    const close = (event: Event) => {
      if (element.open && !(event.target instanceof Node && element.contains(event.target))) element.open = false
    }
    document.addEventListener('pointerdown', close)
    document.addEventListener('focusin', close)
    return () => {
      document.removeEventListener('pointerdown', close)
      document.removeEventListener('focusin', close)
    }
  }, [])
  return (
    <details
      ref={details}
      className="dossier-menu"
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !event.currentTarget.open) return
        event.preventDefault()
        event.stopPropagation()
        event.currentTarget.open = false
        event.currentTarget.querySelector('summary')?.focus()
      }}
      onClick={(event) => {
        if (event.target instanceof Element && event.target.closest('.dossier-menu > div')) event.currentTarget.open = false
      }}
    >
      <summary className="dossier-button" data-kind="icon" aria-label={label} title={label}>
        <Icon name="more" />
      </summary>
      <div>{children}</div>
    </details>
  )
}
