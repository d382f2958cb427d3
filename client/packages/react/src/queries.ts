/**
 * What the hooks ask for, as options of TanStack Query: for `useQuery`, and for prefetching on a server.
 *
 * ```ts
 * await queryClient.prefetchQuery(dossierQueries.session(dossier, id))
 * ```
 */

import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import {
  DossierError,
  type Document,
  type DossierClient,
  type PackOptions,
  type Page,
  type SearchQuery,
  type SessionFilter,
  type UnfinishedUpload,
} from 'dossier-client'

/** The keys of the cache. Everything begins with `dossier`. */
export const dossierKeys = {
  all: ['dossier'] as const,
  sessions: ['dossier', 'sessions'] as const,
  trash: ['dossier', 'trash'] as const,
  session: (id: string) => ['dossier', 'session', id] as const,
  context: (sessionId: string) => ['dossier', 'context', sessionId] as const,
  contextVersions: (sessionId: string) => ['dossier', 'context-versions', sessionId] as const,
  documents: (sessionId: string) => ['dossier', 'documents', sessionId] as const,
  document: (id: string) => ['dossier', 'document', id] as const,
  unfinished: (sessionId: string) => ['dossier', 'unfinished', sessionId] as const,
  search: (query: unknown) => ['dossier', 'search', query] as const,
  pack: (sessionId: string, options: unknown) => ['dossier', 'pack', sessionId, options] as const,
  organizations: ['dossier', 'organizations'] as const,
  organization: (id: string) => ['dossier', 'organization', id] as const,
  limits: ['dossier', 'limits'] as const,
}

/** How often documents are read again while the text of one is extracted, in milliseconds. */
const WHILE_READING = 2_000
/** The same while one is sent by another window, or waits for somebody to continue it. */
const WHILE_UPLOADING = 5_000

/** Whether nothing about the document will change by itself: its state is final, and OCR has no pages left to read. */
export const isFinal = ({ status, ocr_status }: Pick<Document, 'status' | 'ocr_status'>) =>
  (status === 'ready' || status === 'failed' || status === 'unsupported') && ocr_status !== 'pending' && ocr_status !== 'running'

/** A refusal stays one, however often it is asked for. Failures of the network and the server may pass. */
const retry = (failures: number, error: Error) =>
  failures < 3 && !(error instanceof DossierError && error.status >= 400 && error.status < 500 && error.status !== 408)

/** Whether words in its images are still being read. It is ready, and gets more text. */
export const isRecognizing = ({ ocr_status }: Pick<Document, 'ocr_status'>) => ocr_status === 'pending' || ocr_status === 'running'

/** Whether to read it again after a while. */
const changes = (document: Document) => !isFinal(document) || isRecognizing(document)

const paged = <Row, Cursor>(key: readonly unknown[], page: (after: Cursor | null, signal: AbortSignal) => Promise<Page<Row, Cursor>>) =>
  infiniteQueryOptions({
    retry,
    queryKey: key,
    // The types of TanStack Query lose the parameter of a page that is generic.
    queryFn: ({ pageParam, signal }) => page(pageParam as Cursor | null, signal),
    initialPageParam: null as Cursor | null,
    getNextPageParam: ({ next }: Page<Row, Cursor>) => next,
  })

/** The options of each query. */
export const dossierQueries = {
  sessions: (client: DossierClient, filter: SessionFilter = {}) =>
    paged([...dossierKeys.sessions, filter], (after: string | null, signal) => client.sessions.list({ ...filter, after, signal })),

  trash: (client: DossierClient) => paged(dossierKeys.trash, (after: string | null, signal) => client.sessions.listDeleted({ after, signal })),

  session: (client: DossierClient, id: string) =>
    queryOptions({ retry, queryKey: dossierKeys.session(id), queryFn: ({ signal }) => client.sessions.get(id, { signal }) }),

  context: (client: DossierClient, sessionId: string) =>
    queryOptions({ retry, queryKey: dossierKeys.context(sessionId), queryFn: ({ signal }) => client.context.get(sessionId, { signal }) }),

  contextVersions: (client: DossierClient, sessionId: string) =>
    paged(dossierKeys.contextVersions(sessionId), (after: number | null, signal) => client.context.versions(sessionId, { after, signal })),

  contextVersion: (client: DossierClient, sessionId: string, version: number) =>
    queryOptions({
      retry,
      queryKey: [...dossierKeys.context(sessionId), 'version', version],
      queryFn: ({ signal }) => client.context.version(sessionId, version, { signal }),
      // A saved version never changes.
      staleTime: Infinity,
    }),

  /** All documents of a session, newest first. */
  documents: (client: DossierClient, sessionId: string) =>
    queryOptions({
      retry,
      queryKey: dossierKeys.documents(sessionId),
      queryFn: ({ signal }) => allDocuments(client, sessionId, signal),
      refetchInterval: ({ state }) => {
        const changing = state.data?.filter(changes) ?? []
        return changing.some(({ status }) => status !== 'uploading') ? WHILE_READING : changing.length > 0 && WHILE_UPLOADING
      },
    }),

  /** The uploads that this user began and nobody finished. `moves`: bytes arrive, sent by another window. */
  unfinished: (client: DossierClient, sessionId: string) =>
    queryOptions({
      retry,
      queryKey: dossierKeys.unfinished(sessionId),
      queryFn: async ({ client: queries, signal }) => {
        const before = queries.getQueryData<UnfinishedUpload[]>(dossierKeys.unfinished(sessionId))
        const uploads = await client.uploads.unfinished(sessionId, { signal })
        return uploads.map((upload) => ({ ...upload, moves: before?.some(({ id, offset }) => id === upload.id && offset !== upload.offset) ?? false }))
      },
      refetchInterval: ({ state }) => (state.data?.length ? WHILE_UPLOADING : false),
    }),

  document: (client: DossierClient, id: string) =>
    queryOptions({
      retry,
      queryKey: dossierKeys.document(id),
      queryFn: ({ signal }) => client.documents.get(id, { signal }),
      refetchInterval: ({ state }) => (state.data && changes(state.data) ? WHILE_READING : false),
    }),

  pages: (client: DossierClient, documentId: string) =>
    paged([...dossierKeys.document(documentId), 'pages'], (after: number | null, signal) => client.documents.pages(documentId, { after, signal })),

  /** One page, with the words of a query marked if there is one. */
  page: (client: DossierClient, documentId: string, page: number, query = '') =>
    queryOptions({
      retry,
      queryKey: [...dossierKeys.document(documentId), 'page', page, query],
      queryFn: ({ signal }) => client.documents.page(documentId, page, { query, signal }),
    }),

  /** Null if the document has no thumbnail. */
  thumbnail: (client: DossierClient, documentId: string) =>
    queryOptions({
      retry,
      queryKey: [...dossierKeys.document(documentId), 'thumbnail'],
      queryFn: ({ signal }) => client.documents.thumbnail(documentId, { signal }),
      staleTime: Infinity,
    }),

  search: (client: DossierClient, query: SearchQuery) =>
    paged(dossierKeys.search(query), (after: string | null, signal) => client.search({ ...query, after, signal })),

  pack: (client: DossierClient, sessionId: string, options: PackOptions = {}) =>
    queryOptions({ retry, queryKey: dossierKeys.pack(sessionId, options), queryFn: ({ signal }) => client.pack(sessionId, { ...options, signal }) }),

  organizations: (client: DossierClient) =>
    paged(dossierKeys.organizations, (after: string | null, signal) => client.organizations.list({ after, signal })),

  organization: (client: DossierClient, id: string) =>
    queryOptions({ retry, queryKey: dossierKeys.organization(id), queryFn: ({ signal }) => client.organizations.get(id, { signal }), staleTime: 60_000 }),

  members: (client: DossierClient, organizationId: string) =>
    paged([...dossierKeys.organizations, organizationId, 'members'], (after: string | null, signal) =>
      client.organizations.members(organizationId, { after, signal })),

  usage: (client: DossierClient, organizationId: string) =>
    queryOptions({
      retry,
      queryKey: [...dossierKeys.organizations, organizationId, 'usage'],
      queryFn: ({ signal }) => client.organizations.usage(organizationId, { signal }),
    }),

  limits: (client: DossierClient) =>
    queryOptions({ retry, queryKey: dossierKeys.limits, queryFn: ({ signal }) => client.limits({ signal }), staleTime: 60 * 60 * 1000 }),
}

/** All documents of a session, newest first, over as many requests as that takes. */
export async function allDocuments(client: DossierClient, sessionId: string, signal?: AbortSignal): Promise<Document[]> {
  const documents: Document[] = []
  let after: string | null = null
  do {
    const page: Page<Document> = await client.documents.list(sessionId, { limit: 200, after, signal })
    documents.push(...page.rows)
    after = page.next
  } while (after !== null)
  return documents
}
