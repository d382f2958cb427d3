import { useWords } from './words.ts'

/** What could not be loaded, in the server's words, and a way to try again. */
export function Problem({ what, error, onRetry }: { what: string; error: unknown; onRetry(): void }) {
  const words = useWords()
  const { message, hint } = error as { message?: string; hint?: string | null }
  return (
    <div className="dossier dossier-note" data-tone="danger" role="alert">
      <p>
        <strong>{words.failed(what)}</strong> {message}. {hint}
      </p>
      <div>
        <button type="button" className="dossier-button" data-size="small" onClick={onRetry}>
          {words.retry}
        </button>
      </div>
    </div>
  )
}

/** Rows that are on their way. They appear only if it takes a while. */
export function Waiting({ rows = 4 }: { rows?: number }) {
  return (
    <div className="dossier waiting" aria-busy="true">
      {Array.from({ length: rows }, (_, index) => (
        <span key={index} className="dossier-skeleton" />
      ))}
    </div>
  )
}
