import { resolveCitation } from 'dossier-client/ai'
import { useDocument } from 'dossier-react'
import { useEffect } from 'react'
import { Problem, Waiting } from './problem.tsx'
import { href, replace, type Place } from './route.ts'
import { useWords } from './words.ts'

/** The place of `/documents/{id}#page=n`: the page in its conversation, with the words marked. */
export const citedPlace = ({ pathname, hash }: Location) => resolveCitation(`${pathname}${hash}`)

/** Opens a citation. It stays the first entry of the history: going back leaves the demo, as it would from any link. */
export function Cited({ documentId, page, query }: NonNullable<ReturnType<typeof citedPlace>>) {
  const words = useWords()
  const { document, error, refetch } = useDocument(documentId)
  const place: Place | undefined = document && {
    path: `conversations/${document.session_id}`,
    parameters: { doc: document.id, page, q: query, tab: 'page' },
  }
  useEffect(() => {
    if (place) replace(place)
  })
  return (
    <main className="page">
      {!error ? (
        <Waiting />
      ) : (error as { status?: number }).status === 404 ? (
        <div className="empty">
          <h1>{words.notFoundDocument}</h1>
          <p>{words.notFoundText}</p>
          <p>
            <a href={`/${href('')}`}>{words.conversations}</a>
          </p>
        </div>
      ) : (
        <Problem what={words.page} error={error} onRetry={() => void refetch()} />
      )}
    </main>
  )
}
