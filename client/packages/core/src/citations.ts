/** Addresses of pages: what a model cites, and what opens the viewer on the page. */

/** A page of a document, and the words that are marked on it. */
export interface Citation {
  documentId: string
  /** Counted from 1. */
  page: number
  /** A query of search. Empty: nothing is marked. */
  query: string
}

/** `base/documents/{id}#page=n`, which opens the viewer. The page and the words are never sent to the server with it. */
export function citationUrl(base: string, { documentId, page = 1, query = '' }: { documentId: string; page?: number | undefined; query?: string | undefined }): string {
  const fragment = new URLSearchParams({ page: String(page), ...(query && { q: query }) })
  return `${base.replace(/\/+$/, '')}/documents/${encodeURIComponent(documentId)}#${fragment}`
}

/** The page that an address names, or null if it is not one of `citationUrl`. Its origin is not checked. */
export function resolveCitation(source: string): Citation | null {
  const [, id, fragment = ''] = /\/documents\/([^/?#]+)\/?(?:\?[^#]*)?(?:#(.*))?$/.exec(source) ?? []
  if (id === undefined) return null
  const parameters = new URLSearchParams(fragment)
  const page = Number(parameters.get('page') ?? 1)
  try {
    return { documentId: decodeURIComponent(id), page: Number.isInteger(page) && page > 0 ? page : 1, query: parameters.get('q') ?? '' }
  } catch {
    return null
  }
}
