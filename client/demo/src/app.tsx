import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createDossierClient } from 'dossier-client'
import { DossierProvider } from 'dossier-react'
import { MessagesProvider, NewConversationModal, UploadTray } from 'dossier-react/components'
import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react'
import { Cited, citedPlace } from './citation.tsx'
import { Conversation } from './conversation.tsx'
import { Conversations } from './conversations.tsx'
import { storedIdentity, storeIdentity, type Identity } from './identity.ts'
import { Members } from './members.tsx'
import { go, href, usePathname, useRoute } from './route.ts'
import { SearchEverywhere } from './search.tsx'
import { SessionEnded } from './session-ended.tsx'
import { SignIn } from './sign-in.tsx'
import { Trash } from './trash.tsx'
import { useOnline } from './use-online.ts'
import { useWords } from './words.ts'

const LANGUAGE = 'dossier-demo:language'

export function App() {
  const [identity, setIdentity] = useState(storedIdentity)
  const [language, setLanguage] = useState(() => localStorage.getItem(LANGUAGE) ?? navigator.language)
  useEffect(() => {
    // Other languages get English texts, too.
    document.documentElement.lang = language.startsWith('de') ? 'de' : 'en'
  }, [language])
  const change = (next: Identity | null) => {
    storeIdentity(next)
    setIdentity(next)
  }
  const toggle = () => {
    const next = language.startsWith('de') ? 'en' : 'de'
    localStorage.setItem(LANGUAGE, next)
    setLanguage(next)
  }
  return (
    <MessagesProvider locale={language}>
      {identity ? (
        <SignedIn key={identity.id} identity={identity} onSignIn={change} onToggleLanguage={toggle} onSignOut={() => change(null)} />
      ) : (
        <SignIn onSignIn={change} onToggleLanguage={toggle} />
      )}
    </MessagesProvider>
  )
}

interface SignedInProps {
  identity: Identity
  onSignIn(identity: Identity): void
  onToggleLanguage(): void
  onSignOut(): void
}

/** Everything behind the sign-in. Client and cache belong to one user and go with them. */
function SignedIn({ identity, onSignIn, onToggleLanguage, onSignOut }: SignedInProps) {
  const client = useMemo(
    () => createDossierClient({ url: window.location.origin, getToken: () => storedIdentity()?.token ?? null }),
    [],
  )
  const cache = useMemo(() => new QueryClient({ defaultOptions: { queries: { staleTime: 5000, retry: 1 } } }), [])
  // The same user again: what was refused meanwhile is tried again.
  const token = useRef(identity.token)
  useEffect(() => {
    if (token.current === identity.token) return
    token.current = identity.token
    client.uploads.signedIn()
    void cache.invalidateQueries()
  }, [client, cache, identity.token])
  const [creating, setCreating] = useState(false)
  const route = useRoute()
  const [place = '', id] = route.path
  const cited = usePathname() === '/' ? null : citedPlace(window.location)
  const start = () => setCreating(true)
  return (
    <QueryClientProvider client={cache}>
      <DossierProvider client={client}>
        <SessionEnded identity={identity} onSignIn={onSignIn} />
        {cited ? (
          <Cited {...cited} />
        ) : place === 'conversations' && id ? (
          <Conversation key={id} id={id} identity={identity} />
        ) : (
          <Frame place={place} identity={identity} onToggleLanguage={onToggleLanguage} onSignOut={onSignOut}>
            {place === 'search' ? <SearchEverywhere /> : place === 'trash' ? <Trash /> : place === 'members' ? <Members identity={identity} /> : <Conversations onNew={start} />}
          </Frame>
        )}
        <NewConversationModal open={creating} onOpenChange={setCreating} onCreated={(session) => go(href(`conversations/${session.id}`))} />
        <UploadTray hidden={creating || (place === 'conversations' && id !== undefined)} />
      </DossierProvider>
    </QueryClientProvider>
  )
}

function Frame({ place, identity, onToggleLanguage, onSignOut, children }: Omit<SignedInProps, 'onSignIn'> & { place: string; children: ReactNode }) {
  const words = useWords()
  const online = useOnline()
  const link = (to: string, name: string) => (
    <li>
      <a href={href(to)} aria-current={place === to ? 'page' : undefined}>
        {name}
      </a>
    </li>
  )
  return (
    <div className="frame">
      <a className="skip" href="#content" onClick={(event) => { event.preventDefault(); document.getElementById('content')?.focus() }}>
        {words.skip}
      </a>
      <header className="rail">
        <a className="wordmark" href={href('')}>
          Dossier
        </a>
        <nav aria-label={words.navigation}>
          <ul>
            {link('', words.conversations)}
            {link('search', words.search)}
            {link('members', words.members)}
            {link('trash', words.trash)}
          </ul>
        </nav>
        <div className="who">
          <span className="small" title={identity.email}>
            {identity.email}
          </span>
          <span className="who-actions">
            <button type="button" className="plain" onClick={onSignOut}>
              {words.signOut}
            </button>
            <button type="button" className="plain" onClick={onToggleLanguage} lang={words.language === 'Deutsch' ? 'de' : 'en'}>
              {words.language}
            </button>
          </span>
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        {!online && (
          <p className="banner" role="status">
            {words.offline}
          </p>
        )}
        {children}
      </main>
    </div>
  )
}
