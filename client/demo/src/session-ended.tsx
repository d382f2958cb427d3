import { useUploads } from 'dossier-react'
import { useEffect, useState } from 'react'
import { demoToken, type Identity } from './identity.ts'
import { TokenForm } from './sign-in.tsx'
import { useWords } from './words.ts'

/** Signing in again where one is, once the token has expired or was refused: what was written stays on the page. */
export function SessionEnded({ identity, onSignIn }: { identity: Identity; onSignIn(identity: Identity): void }) {
  const words = useWords()
  const { states } = useUploads()
  const expired = useExpired(identity.expires)
  const [typesToken, setTypesToken] = useState(false)
  if (!expired && !states.some(({ waitsFor }) => waitsFor === 'sign-in')) return null
  const signIn = async () => {
    const next = await demoToken(identity.email).catch(() => null)
    if (next) onSignIn(next)
    else setTypesToken(true)
  }
  return (
    <section className="dossier ended" aria-label={words.signIn}>
      <p role="alert">{words.expired}</p>
      {typesToken ? (
        <TokenForm onSignIn={onSignIn} />
      ) : (
        <button type="button" className="dossier-button" data-kind="main" data-size="small" onClick={() => void signIn()}>
          {words.signInAgain}
        </button>
      )}
    </section>
  )
}

/** Timers cannot wait longer. */
const LONGEST_TIMER = 2 ** 31 - 1

function useExpired(time: number): boolean {
  const [now, setNow] = useState(() => Date.now())
  const left = time - now
  useEffect(() => {
    if (left <= 0) return
    const timer = setTimeout(() => setNow(Date.now()), Math.min(left, LONGEST_TIMER))
    return () => clearTimeout(timer)
  }, [left])
  return left <= 0
}
