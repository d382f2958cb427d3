import { useEffect, useId, useState, type FormEvent, type ReactNode } from 'react'
import { demoToken, demoUsers, readToken, shortName, type DemoUser, type Identity } from './identity.ts'
import { useWords } from './words.ts'

export function SignIn({ onSignIn, onToggleLanguage }: { onSignIn(identity: Identity): void; onToggleLanguage(): void }) {
  const words = useWords()
  const [users, setUsers] = useState<DemoUser[] | null>()
  useEffect(() => {
    demoUsers().then(setUsers, () => setUsers(null))
  }, [])
  const organizations = [...new Set(users?.map((user) => user.organization))]
  return (
    <main className="sign-in">
      <div className="sign-in-card dossier">
        <p className="wordmark">Dossier</p>
        <h1>{words.signInTitle}</h1>
        <p className="lead">{words.signInText}</p>
        {users === null && (
          <TokenForm onSignIn={onSignIn}>
            <h2 className="label">{words.noDemoUsers}</h2>
            <p className="small">{words.noDemoUsersText}</p>
          </TokenForm>
        )}
        {users && (
          <div className="people">
            {organizations.map((organization) => (
              <section key={organization} aria-label={organization}>
                <h2 className="small">{organization}</h2>
                <ul>
                  {users
                    .filter((user) => user.organization === organization)
                    .map((user) => (
                      <li key={user.email}>
                        <button
                          type="button"
                          onClick={() =>
                            void demoToken(user.email).then((identity) => {
                              if (identity) onSignIn(identity)
                              else setUsers(null)
                            })
                          }
                        >
                          <span className="hidden">{words.signInAs} </span>
                          <span className="initial" aria-hidden="true">
                            {shortName(user.email).slice(0, 1).toUpperCase()}
                          </span>
                          <span className="person">
                            <strong>{words.roles[user.role] ?? user.role}</strong>
                            <span className="small">{user.email}</span>
                          </span>
                        </button>
                      </li>
                    ))}
                </ul>
              </section>
            ))}
          </div>
        )}
        <p>
          <button type="button" className="plain" onClick={onToggleLanguage} lang={words.language === 'Deutsch' ? 'de' : 'en'}>
            {words.language}
          </button>
        </p>
      </div>
    </main>
  )
}

/** Signing in with a token of the app. */
export function TokenForm({ onSignIn, children }: { onSignIn(identity: Identity): void; children?: ReactNode }) {
  const words = useWords()
  const id = useId()
  const [token, setToken] = useState('')
  const [refused, setRefused] = useState(false)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const identity = readToken(token)
    if (identity) onSignIn(identity)
    else setRefused(true)
  }
  return (
    <form onSubmit={submit} className="dossier-group">
      {children}
      <label className="dossier-label" htmlFor={id}>
        {words.token}
      </label>
      <textarea className="dossier-field token" id={id} spellCheck={false} autoComplete="off" value={token} aria-describedby={`${id}-refused`} onChange={(event) => setToken(event.currentTarget.value)} />
      <p id={`${id}-refused`} role="alert" className="dossier-state" data-tone="danger">
        {refused && words.badToken}
      </p>
      <div>
        <button type="submit" className="dossier-button" data-kind="main">
          {words.signIn}
        </button>
      </div>
    </form>
  )
}
