import { useSyncExternalStore } from 'react'

/** Where the user is: a path and its parameters, kept behind the # of the URL. */
export interface Route {
  path: string[]
  parameters: URLSearchParams
}

/** A place to go to. */
export interface Place {
  path: string
  parameters: Record<string, string | number | null | undefined>
}

const subscribe = (listener: () => void) => {
  window.addEventListener('hashchange', listener)
  window.addEventListener('popstate', listener)
  return () => {
    window.removeEventListener('hashchange', listener)
    window.removeEventListener('popstate', listener)
  }
}

/** The path of the page itself. It is `/`, or that of a citation. */
export const usePathname = () => useSyncExternalStore(subscribe, () => window.location.pathname)

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => window.location.hash)
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?')
  return { path: path.split('/').map(decodeURIComponent), parameters: new URLSearchParams(query) }
}

/** A link to a place. Parameters without a value are omitted. */
export function href(path: string, parameters: Place['parameters'] = {}): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined && value !== null && value !== '') query.set(name, String(value))
  return `#/${path}${query.size > 0 ? `?${query}` : ''}`
}

export const go = (to: string) => {
  window.location.hash = to
}

/** Goes to a place below `/`, instead of the present one. */
export function replace({ path, parameters }: Place) {
  window.history.replaceState(null, '', `/${href(path, parameters)}`)
  window.dispatchEvent(new PopStateEvent('popstate'))
}
