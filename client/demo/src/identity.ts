/** The signed-in user: a token of the app, kept for this tab only. */
export interface Identity {
  token: string
  id: string
  email: string
  expires: number
}

export interface DemoUser {
  id: string
  email: string
  organization: string
  role: string
}

const KEY = 'dossier-demo:token'

/** Reads a token's claims, to show a name. Whether it is valid is for the server to say. */
export function readToken(token: string): Identity | null {
  try {
    const part = token.trim().split('.')[1] ?? ''
    const bytes = Uint8Array.from(atob(part.replace(/-/g, '+').replace(/_/g, '/')), (letter) => letter.charCodeAt(0))
    const claims = JSON.parse(new TextDecoder().decode(bytes)) as { sub?: string; email?: string; exp?: number }
    return { token: token.trim(), id: claims.sub ?? '', email: claims.email ?? claims.sub ?? '', expires: (claims.exp ?? 0) * 1000 }
  } catch {
    return null
  }
}

export function storedIdentity(): Identity | null {
  const identity = readToken(sessionStorage.getItem(KEY) ?? '')
  return identity && identity.expires > Date.now() ? identity : null
}

export function storeIdentity(identity: Identity | null) {
  if (identity) sessionStorage.setItem(KEY, identity.token)
  else sessionStorage.removeItem(KEY)
}

/** The demo users of this edge. Null unless its operator has switched them on. */
export async function demoUsers(): Promise<DemoUser[] | null> {
  const response = await fetch('/demo/users', { headers: { accept: 'application/json' } })
  if (!response.ok || !response.headers.get('content-type')?.includes('json')) return null
  return ((await response.json()) as { users: DemoUser[] }).users
}

export async function demoToken(email: string): Promise<Identity | null> {
  const response = await fetch('/demo/token', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email }),
  })
  if (!response.ok) return null
  return readToken(((await response.json()) as { token: string }).token)
}

/** The part of an address that is shown in a sentence. */
export const shortName = (email: string) => email.split('@')[0] ?? email
