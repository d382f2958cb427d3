import type { SearchResult } from 'dossier-client'
import { citationUrl } from 'dossier-client/ai'
import { SearchPanel } from 'dossier-react/components'
import { useSessions } from 'dossier-react'
import { go, href } from './route.ts'
import { useWords } from './words.ts'

export function SearchEverywhere() {
  const words = useWords()
  const { sessions } = useSessions()
  return (
    <div className="page narrow">
      <div className="page-head">
        <h1>{words.search}</h1>
      </div>
      <p className="search-hint">{words.searchHint}</p>
      <SearchPanel
        autoFocus
        titleOf={(id) => sessions.find((session) => session.id === id)?.title}
        hrefOf={hrefOf}
        onOpen={(result, q) => go(href(`conversations/${result.session_id}`, { doc: result.document_id, page: result.page, q: result.kind === 'page' ? q : undefined }))}
      />
    </div>
  )
}

/** An address that others can open, too. */
export const hrefOf = ({ session_id, document_id, page }: SearchResult, query: string) =>
  document_id ? citationUrl(window.location.origin, { documentId: document_id, page: page ?? 1, query: page ? query : '' }) : `/${href(`conversations/${session_id}`, { tab: 'context' })}`
