/** The public interface of the client. */

import type { Events } from './events/types.js'
import type { GetToken } from './tokens.js'
import type {
  Context,
  ContextChanges,
  ContextDiff,
  ContextItem,
  ContextVersion,
  DeletedSession,
  Document,
  DocumentChanges,
  DocumentPage,
  DocumentUrls,
  ErasureReceipt,
  Extraction,
  Imported,
  Limits,
  Member,
  Metadata,
  NewSession,
  Organization,
  Pack,
  PackOptions,
  Page,
  Paging,
  PlannedUpload,
  RequestOptions,
  Role,
  SearchQuery,
  SearchResult,
  Session,
  SessionChanges,
  SessionFilter,
  SessionWithContext,
  UnfinishedUpload,
  UploadExplanation,
  UploadState,
  Usage,
} from './types.js'

/**
 * The parts of a Supabase client that are used. Structural, so that any version of `@supabase/supabase-js` fits, and none is
 * installed for it.
 */
export interface SupabaseLike {
  auth: {
    /** The only call that asks for a token. Supabase refreshes an expired one here; the session itself is never changed. */
    getSession(): PromiseLike<{ data: { session: { access_token: string } | null } }>
    /** Lets uploads continue after the user signed in again. */
    onAuthStateChange?(callback: (event: string, session: { access_token: string } | null) => void): {
      data: { subscription: { unsubscribe(): void } }
    }
  }
}

/** Settings of a client. It needs either `supabase` or `getToken`. */
export type DossierClientOptions = DossierClientSettings & ({ supabase: SupabaseLike; getToken?: undefined } | { supabase?: undefined; getToken: GetToken })

/** Settings that have a default. */
export interface DossierClientSettings {
  /** Where the edge is, for example `https://dossier.example.com`. */
  url: string
  /** Instead of the global `fetch`. Uploads use it, too, and then report no progress before they are stored. */
  fetch?: typeof fetch | undefined
  uploads?: UploadSettings | undefined
}

/** Settings of uploads. */
export interface UploadSettings {
  /** How many files are sent at the same time. 3 by default. */
  parallel?: number | undefined
  /** Whether to look for the same bytes in the session before sending a file. True by default. */
  findDuplicates?: boolean | undefined
  /**
   * From this size on, in bytes, a file is sent in pieces by tus: it can be paused, and continued after the page was closed. 5 MiB
   * by default.
   */
  resumableFrom?: number | undefined
  /** The most that one request sends of such a file, in bytes. 64 MiB by default: a proxy in front of the edge may allow less. */
  partBytes?: number | undefined
}

/** How to delete. */
export interface DeleteOptions extends RequestOptions {
  /** For a page that is being left: the request is sent at once, with the last known token, and outlives the page. */
  keepalive?: boolean | undefined
}

/** Sessions: created, listed, changed, deleted and restored. */
export interface Sessions {
  create(session?: NewSession, options?: RequestOptions): Promise<SessionWithContext>
  /** The session with its context. */
  get(id: string, options?: RequestOptions): Promise<SessionWithContext>
  /** Newest first. */
  list(filter?: SessionFilter): Promise<Page<Session>>
  update(id: string, changes: SessionChanges, options?: RequestOptions): Promise<SessionWithContext>
  /** Moves it to the trash, or deletes it `permanently`. */
  delete(id: string, options?: DeleteOptions & { permanently?: boolean | undefined }): Promise<void>
  /** The sessions in the trash, last deleted first. */
  listDeleted(paging?: Paging): Promise<Page<DeletedSession>>
  /** Brings a session back from the trash. */
  restore(id: string, options?: RequestOptions): Promise<SessionWithContext>
}

/** The context of a session, with its versions. */
export interface Contexts {
  /** Version 0, with empty text, if none was saved yet. */
  get(sessionId: string, options?: RequestOptions): Promise<Context>
  /** Saves a new version. Rejects with a `ConflictError` if `expected_version` is not the current one. */
  save(sessionId: string, changes: ContextChanges, options?: RequestOptions): Promise<Context>
  /** Newest first. `after` is a version. */
  versions(sessionId: string, paging?: Paging<number>): Promise<Page<ContextVersion, number>>
  /** One version as it was. */
  version(sessionId: string, version: number, options?: RequestOptions): Promise<Context>
  /** The difference from one version to another, line by line. `from` 0 is the empty context; `to` is the current version by default. */
  diff(sessionId: string, between: RequestOptions & { from: number; to?: number | undefined; context_lines?: number | undefined }): Promise<ContextDiff>
  /** Saves the contexts of up to 1000 sessions, all or none. Returns them in the same order. */
  saveMany(items: readonly ContextItem[], options?: RequestOptions): Promise<(Context & { session_id: string })[]>
  /** Saves an old version as a new one. */
  restore(sessionId: string, version: number, options?: RequestOptions & { expected_version?: number | undefined }): Promise<Context>
}

/** Documents: their state, text, bytes and thumbnails. Files are sent with `uploads`. */
export interface Documents {
  get(id: string, options?: RequestOptions): Promise<Document>
  /** Newest first. */
  list(sessionId: string, paging?: Paging): Promise<Page<Document>>
  update(id: string, changes: DocumentChanges, options?: RequestOptions): Promise<Document>
  /** Deletes it permanently. Documents have no trash. */
  delete(id: string, options?: DeleteOptions): Promise<void>
  /** The text, page by page. `after` is a page. */
  pages(id: string, paging?: Paging<number>): Promise<Page<DocumentPage, number>>
  /** One page. With a query it has `html`: the text with the words that search finds in `<mark>`. */
  page(id: string, page: number, options?: RequestOptions & { query?: string | undefined }): Promise<DocumentPage>
  /** The documents of a session whose bytes have one of these digests. */
  known(sessionId: string, sha256: readonly string[], options?: RequestOptions): Promise<Document[]>
  /** URLs that need no token, valid for an hour or `expires_in` seconds. */
  urls(id: string, options?: RequestOptions & { expires_in?: number | undefined }): Promise<DocumentUrls>
  /** The file. */
  content(id: string, options?: RequestOptions): Promise<Blob>
  /** A small image of the first page. Null if the document has none. Waits while it is being made. */
  thumbnail(id: string, options?: RequestOptions): Promise<Blob | null>
  /** Extracts the text again. The present text stays until then. */
  extract(id: string, extraction?: Extraction): Promise<Document>
  /** Extracts every page again by OCR. The present text stays until then. */
  ocr(id: string, options?: RequestOptions): Promise<Document>
  /** Waits until the document is `ready`, `failed` or `unsupported`. */
  whenFinal(id: string, options?: RequestOptions): Promise<Document>
}

/** Organizations of the user. */
export interface Organizations {
  /** In the order of their ids. */
  list(paging?: Paging): Promise<Page<Organization>>
  get(id: string, options?: RequestOptions): Promise<Organization>
  /** The user becomes its owner. */
  create(name: string, options?: RequestOptions): Promise<Organization>
  rename(id: string, name: string, options?: RequestOptions): Promise<Organization>
  /** Erases it with everything in it, now and permanently. Owners only. */
  erase(id: string, options?: RequestOptions): Promise<ErasureReceipt>
  usage(id: string, options?: RequestOptions): Promise<Usage>
  members(id: string, paging?: Paging): Promise<Page<Member>>
  addMember(id: string, userId: string, role?: Role, options?: RequestOptions): Promise<Member>
  setRole(id: string, userId: string, role: Role, options?: RequestOptions): Promise<Member>
  removeMember(id: string, userId: string, options?: RequestOptions): Promise<void>
}

/** Which sessions to export, and how. */
export interface ExportOptions extends RequestOptions {
  /** One session, or an array of them. */
  session_id: string | readonly string[]
  /** `json` by default. `docx` is a Word document to read, of a single session. */
  format?: 'json' | 'ndjson' | 'zip' | 'docx' | undefined
  /** Whether the files are included. By default, only in `zip`. */
  include_bytes?: boolean | undefined
}

/** Where to import to. */
export interface ImportOptions extends RequestOptions {
  organization_id: string
  /** Keep the ids of the bundle, which only services may do. An existing id is refused. */
  keep_ids?: boolean | undefined
}

/** One file on its way. Observable: `subscribe` and `getState` are what `useSyncExternalStore` takes. */
export interface Upload {
  readonly id: string
  readonly sessionId: string
  readonly file: Blob & { readonly name: string }
  /** The current state. The same object until something changes. */
  getState(): UploadState
  /** Calls `listener` after every change. Returns how to stop that. */
  subscribe(listener: () => void): () => void
  /** Stops sending. Has no effect once the file is stored. */
  pause(): void
  /** Continues after `pause()`, or uploads a duplicate anyway. */
  resume(): void
  /** Tries again after a failure, without sending again what is stored. */
  retry(): void
  /** Stops permanently, and deletes what has arrived. Has no effect once the file is stored: then delete the document. */
  cancel(): void
  /** Takes the document in `duplicate` instead of sending the same bytes again. */
  useExisting(): void
  /** Resolves once the file is stored. Rejects if the upload fails or is cancelled. */
  stored(options?: RequestOptions): Promise<Document>
  /** Resolves once the document is ready. Rejects if the upload or its extraction fails, or it is cancelled. */
  ready(options?: RequestOptions): Promise<Document>
}

/** How to upload one file. */
export interface AddOptions {
  /** A JSON object that the app defines, stored with the document. */
  metadata?: Metadata | undefined
  /** Instead of the setting of the client: whether to ask the user if the session already has the same bytes. */
  findDuplicates?: boolean | undefined
  /** The id of an unfinished upload of the same file, to continue it. Large files continue by themselves if the session has one. */
  continues?: string | undefined
}

/** The uploads of this client. They live as long as it does, whatever the user interface shows. */
export interface Uploads {
  /** Starts to upload a file. Returns at once. */
  add(sessionId: string, file: File | (Blob & { name: string }), options?: AddOptions): Upload
  get(id: string): Upload | undefined
  /** In the order they were added, of one session or all. The same array until something is added or removed. */
  list(sessionId?: string): readonly Upload[]
  /** Calls `listener` after an upload was added, removed, or changed its state. Returns how to stop that. */
  subscribe(listener: () => void): () => void
  /** Forgets an upload. One that is not stored yet is cancelled. */
  remove(id: string): void
  /** Continues uploads that wait for the user to sign in. With `supabase` this happens by itself. */
  signedIn(): void
  /**
   * The uploads of large files that this user began and nobody finished, of one session or all. Also those of pages that were
   * closed: `add` with `continues` and the same file continues one, and `documents.delete` removes it.
   */
  unfinished(sessionId?: string, options?: RequestOptions): Promise<UnfinishedUpload[]>
}

/** A client of one edge. It acts as the user whose token it gets. */
export interface DossierClient {
  readonly sessions: Sessions
  readonly context: Contexts
  readonly documents: Documents
  readonly organizations: Organizations
  readonly uploads: Uploads
  readonly events: Events
  limits(options?: RequestOptions): Promise<Limits>
  /** Whether a file would be accepted, before a byte is sent. */
  explainUpload(file: PlannedUpload): Promise<UploadExplanation>
  /** Best first. `missing` of a result lists the words that it lacks. */
  search(query: SearchQuery): Promise<Page<SearchResult>>
  /** The context and the best pages of a session, as text for a prompt. */
  pack(sessionId: string, options?: PackOptions): Promise<Pack>
  /** A bundle of sessions, to keep or to import elsewhere. */
  export(options: ExportOptions): Promise<Blob>
  /** Imports a bundle, completely or not at all. */
  import(bundle: Blob | string, options: ImportOptions): Promise<Imported>
}
