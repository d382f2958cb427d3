'use client'
import { useMessages } from '../messages/index.js'

/** What the server says about an error: its message and its hint, verbatim. */
export function describe(error: unknown): { message: string; hint?: string | undefined } {
  const { message, hint } = (error ?? {}) as { message?: unknown; hint?: unknown }
  return { message: typeof message === 'string' ? message : String(error), hint: typeof hint === 'string' ? hint : undefined }
}

/** What happened, what is safe, and what to do. */
export function Problem({ title, error, safe, onRetry }: { title: string; error?: unknown; safe?: string; onRetry?: (() => void) | undefined }) {
  const { m } = useMessages()
  const { message, hint } = describe(error)
  return (
    <div className="dossier-note" data-tone="danger">
      <p>
        <strong>{title}</strong> {error != null && `${message}${/[.!?]$/.test(message) ? '' : '.'}`} {hint}
      </p>
      {safe && <p className="dossier-small">{safe}</p>}
      {onRetry && (
        <div>
          <button type="button" className="dossier-button" data-size="small" onClick={onRetry}>
            {m.retry}
          </button>
        </div>
      )}
    </div>
  )
}

/** Grey lines in the place of rows that are on their way. */
export function Skeleton({ rows, height = 14 }: { rows: number; height?: number }) {
  const { m } = useMessages()
  return (
    <div role="group" aria-busy="true" aria-label={m.loading} className="dossier-group">
      {Array.from({ length: rows }, (_, index) => (
        <span key={index} className="dossier-skeleton" style={{ blockSize: height, inlineSize: `${92 - ((index * 17) % 40)}%` }} />
      ))}
    </div>
  )
}
