import { useCanWrite, useDocuments, useSession, useSessionContext } from 'dossier-react'
import { ContextEditor, DocumentList, DocumentViewer, SearchPanel, useMessages } from 'dossier-react/components'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { demoUsers, shortName, type Identity } from './identity.ts'
import { Problem, Waiting } from './problem.tsx'
import { Prompt } from './prompt.tsx'
import { go, href, useRoute } from './route.ts'
import { hrefOf } from './search.tsx'
import { useMedia, useOnline } from './use-online.ts'
import { useWords } from './words.ts'

type Tab = 'documents' | 'page' | 'context' | 'prompt'

/** A conversation: documents and search, the page that is read, and beside it the context and the prompt. */
export function Conversation({ id, identity }: { id: string; identity: Identity }) {
  const words = useWords()
  const { m } = useMessages()
  const online = useOnline()
  const { parameters } = useRoute()
  const wide = useMedia('(min-width: 1100px)')
  const narrow = useMedia('(max-width: 719px)')
  const [searching, setSearching] = useState(false)
  const { session, error, refetch } = useSession(id)
  const { documents } = useDocuments(id)
  const { context } = useSessionContext(id)

  const doc = parameters.get('doc')
  const page = Math.max(1, Number(parameters.get('page')) || 1)
  const query = parameters.get('q') ?? ''
  const asked = parameters.get('tab') as Tab | null
  const tabs: Tab[] = wide ? [] : narrow ? ['documents', 'page', 'context', 'prompt'] : ['page', 'context', 'prompt']
  const tab: Tab = asked && tabs.includes(asked) ? asked : narrow && !doc ? 'documents' : 'page'
  const show = (part: Tab) => wide || (!narrow && part === 'documents') || tab === part
  const open = (documentId: string | null, number: number | null, words: string) =>
    go(href(`conversations/${id}`, documentId ? { doc: documentId, page: number ?? 1, q: words, tab: 'page' } : { tab: 'context' }))
  const to = (next: Tab) => href(`conversations/${id}`, { doc, page: doc ? page : null, q: query, tab: next })

  const isViewer = useCanWrite(id) === false
  const people = useQuery({ queryKey: ['demo', 'users'], queryFn: demoUsers, staleTime: Infinity })
  const names = (userId: string) => {
    const email = userId === identity.id ? identity.email : people.data?.find((user) => user.id === userId)?.email
    return email && shortName(email)
  }
  const version = `${context?.version ?? 0}/${documents.map((each) => `${each.id}${each.status}${each.updated_at}`).join()}`

  if (error && !session) {
    const missing = (error as { status?: number }).status === 404
    return (
      <main className="page">
        <a className="back" href={href('')}>
          {words.conversations}
        </a>
        {missing ? (
          <div className="empty">
            <h1>{words.notFound}</h1>
            <p>{words.notFoundText}</p>
          </div>
        ) : (
          <Problem what={words.conversations} error={error} onRetry={() => void refetch()} />
        )}
      </main>
    )
  }
  return (
    <div className="conversation">
      <header className="case">
        <a className="back" href={href('')}>
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="M10 3L5 8l5 5" />
          </svg>
          {words.conversations}
        </a>
        {session ? (
          <>
            <p className="small case-type">{m.typeLabels[session.conversation_type]?.[0] ?? session.conversation_type}</p>
            <h1>{session.title ?? words.untitled}</h1>
          </>
        ) : (
          <Waiting rows={2} />
        )}
        {isViewer && <p className="small">{words.viewerNote}</p>}
        {!online && (
          <p className="banner" role="status">
            {words.offline}
          </p>
        )}
      </header>
      {tabs.length > 0 && (
        <nav className="tabs" aria-label={words.navigation}>
          {tabs.map((each) => (
            <a key={each} href={to(each)} aria-current={tab === each ? 'page' : undefined}>
              {words[each]}
            </a>
          ))}
        </nav>
      )}
      <main className="desk">
        <div className="left" hidden={!show('documents')}>
          <SearchPanel sessionId={id} hrefOf={hrefOf} onQuery={(typed) => setSearching(typed !== '')} onOpen={(result, q) => open(result.document_id, result.page, result.kind === 'page' ? q : '')} />
          <div hidden={searching}>
            <DocumentList sessionId={id} openId={doc ?? undefined} onOpen={(document) => open(document.id, 1, '')} />
          </div>
        </div>
        <div className="middle" hidden={!show('page')}>
          {doc ? (
            <DocumentViewer
              documentId={doc}
              page={page}
              query={query}
              onPageChange={(next) => go(href(`conversations/${id}`, { doc, page: next, q: query, tab: asked }))}
              actions={
                <a className="dossier-button" data-kind="icon" href={href(`conversations/${id}`, { tab: narrow ? 'documents' : null })} aria-label={words.close} title={words.close}>
                  <svg viewBox="0 0 16 16" aria-hidden="true">
                    <path d="M4 4l8 8M12 4l-8 8" />
                  </svg>
                </a>
              }
            />
          ) : (
            <div className="nothing">
              <div className="sheet" aria-hidden="true">
                <i />
                <i />
                <i />
                <i />
              </div>
              <p>{words.nothingOpen}</p>
            </div>
          )}
        </div>
        <div className="right" hidden={!wide && tab !== 'context' && tab !== 'prompt'}>
          <div hidden={!show('context')}>
            <ContextEditor sessionId={id} nameOf={names} />
          </div>
          <div hidden={!show('prompt')}>
            <Prompt sessionId={id} version={version} onOpen={open} />
          </div>
        </div>
      </main>
    </div>
  )
}
