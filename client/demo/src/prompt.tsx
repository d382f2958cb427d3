import { useQueryClient } from '@tanstack/react-query'
import { citationUrl } from 'dossier-client/ai'
import { usePack } from 'dossier-react'
import { useMessages } from 'dossier-react/components'
import { useEffect, useId, useState } from 'react'
import { Problem, Waiting } from './problem.tsx'
import { useWords } from './words.ts'

const BUDGETS = [2000, 8000, 32_000, 128_000]

export interface PromptProps {
  sessionId: string
  /** What the pack was made from: it is packed again when this changes. */
  version: string
  onOpen(documentId: string, page: number, query: string): void
}

/** The conversation as text for a model: the budget, each quote with its source, and every omission with its reason. */
export function Prompt({ sessionId, version, onOpen }: PromptProps) {
  const cache = useQueryClient()
  const words = useWords()
  const { f, m } = useMessages()
  const id = useId()
  const [typed, setTyped] = useState('')
  const [query, setQuery] = useState('')
  const [budget, setBudget] = useState(8000)
  const [copied, setCopied] = useState<string>()
  const { pack, error, refetch } = usePack(sessionId, { max_tokens: budget, query: query || undefined })
  useEffect(() => {
    void cache.invalidateQueries({ queryKey: ['dossier', 'pack', sessionId] })
  }, [cache, sessionId, version])
  const copy = async (text: string) => {
    try {
      await navigator.clipboard.writeText(text)
      setCopied(words.copied)
    } catch {
      setCopied(words.copyFailed)
    }
  }
  const pages = (first: number, last: number) =>
    f.plural(last - first + 1, { one: words.pages.one, other: words.pages.other }).replace(/\d+/, first === last ? f.number(first) : `${f.number(first)}–${f.number(last)}`)
  return (
    <section className="dossier prompt" aria-labelledby={id}>
      <div>
        <h2 className="dossier-title" id={id}>
          {words.forPrompt}
        </h2>
        <p className="dossier-small" role="status">
          {pack &&
            words.packSummary(f.number(pack.tokens), f.number(pack.max_tokens), f.plural(pack.quotes.length, words.quotes), f.number(pack.left_out.length))}
        </p>
      </div>
      <form
        className="prompt-form"
        onSubmit={(event) => {
          event.preventDefault()
          setQuery(typed.trim())
        }}
      >
        <input className="dossier-field" aria-label={words.promptQuery} placeholder={words.promptQuery} maxLength={1000} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} onBlur={() => setQuery(typed.trim())} />
        <select className="dossier-field" aria-label={words.promptBudget} title={words.promptBudget} value={budget} onChange={(event) => setBudget(Number(event.currentTarget.value))}>
          {BUDGETS.map((each) => (
            <option key={each} value={each}>
              {f.number(each)}
            </option>
          ))}
        </select>
      </form>
      {error ? (
        <Problem what={words.forPrompt} error={error} onRetry={() => void refetch()} />
      ) : !pack ? (
        <Waiting rows={3} />
      ) : (
        <>
          {pack.quotes.length === 0 && <p className="dossier-small">{words.promptEmpty}</p>}
          <ul className="quotes">
            {pack.quotes.map((quote) => (
              <li key={`${quote.document_id}/${quote.first_page}`}>
                <blockquote>{quote.text}</blockquote>
                <a
                  className="dossier-link dossier-small"
                  href={citationUrl(window.location.origin, { documentId: quote.document_id, page: quote.first_page, query })}
                  onClick={(event) => {
                    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
                    event.preventDefault()
                    onOpen(quote.document_id, quote.first_page, query)
                  }}
                >
                  {quote.document_name}, {pages(quote.first_page, quote.last_page)}
                </a>{' '}
                <span className="dossier-small">{f.plural(quote.tokens, words.tokens)}</span>
              </li>
            ))}
          </ul>
          {pack.left_out.length > 0 && (
            <details className="left-out">
              <summary>
                {words.leftOut}: {f.number(pack.left_out.length)}
              </summary>
              <ul>
                {pack.left_out.map((each, index) => (
                  <li key={index} className="dossier-small">
                    {each.document_name}: {words.reasons[each.reason] ?? each.reason}
                  </li>
                ))}
              </ul>
            </details>
          )}
          <div className="dossier-inline">
            <button type="button" className="dossier-button" onClick={() => void copy(pack.text)}>
              {words.copy}
            </button>
            <span className="dossier-small" role="status">
              {copied}
            </span>
          </div>
          <details className="left-out">
            <summary>{words.wholeText}</summary>
            <pre tabIndex={0} aria-label={m.context}>
              {pack.text}
            </pre>
          </details>
        </>
      )}
    </section>
  )
}
