/**
 * What the edge sends and accepts, in the spelling of the API.
 *
 * Times are ISO 8601 strings, ids are UUIDs. A field that is `null` is known to have no value.
 * It is one long file because it only declares types, and most of them refer to each other.
 */

/** A value that survives `JSON.stringify`. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json | undefined }

/** A JSON object that the app defines. */
export type Metadata = { [key: string]: Json | undefined }

/** One page of a list. Send `next` as `after` to get the following rows; on the last page it is null. */
export interface Page<Row, Cursor = string> {
  rows: Row[]
  next: Cursor | null
}

/** Which rows of a list to return. */
export interface Paging<Cursor = string> extends RequestOptions {
  /** How many rows at most. */
  limit?: number | undefined
  /** The `next` of the page before. */
  after?: Cursor | null | undefined
}

/** Options that every call accepts. */
export interface RequestOptions {
  /** Aborts the request. The call rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

// Sessions

/** The types that Dossier comes with. Apps can register more. */
export type BuiltInConversationType = 'sales_call' | 'interview' | 'meeting' | 'consultation'

/** The type of a conversation: a built-in one, or one of the app's own. */
export type ConversationType = BuiltInConversationType | (string & {})

/** A conversation. */
export interface Session {
  id: string
  organization_id: string
  /** Who created it: the subject of that user's token. */
  user_id: string
  title: string | null
  conversation_type: ConversationType
  status: 'active' | 'archived'
  created_at: string
  updated_at: string
}

/** A session together with its context. `context` is null if none was saved yet. */
export interface SessionWithContext extends Session {
  context: Context | null
}

/** Which sessions to list. */
export interface SessionFilter extends Paging {
  organization_id?: string | undefined
  status?: Session['status'] | undefined
  conversation_type?: ConversationType | undefined
}

/** A session in the trash. */
export interface DeletedSession {
  id: string
  organization_id: string
  user_id: string
  title: string | null
  conversation_type: ConversationType
  deleted_at: string
  /** Null if a service deleted it. */
  deleted_by: string | null
  /** When it will be deleted permanently. */
  purge_at: string
}

/** A context in a request. Both spellings are accepted. */
export type ContextInput =
  | { text?: string | undefined; metadata?: Metadata | undefined }
  | { text_context?: string | undefined; context_metadata?: Metadata | undefined }

/** The session to create. */
export interface NewSession {
  title?: string | null | undefined
  /** `meeting` if it is omitted. */
  conversation_type?: ConversationType | undefined
  /** Required if the user can write in several organizations. */
  organization_id?: string | undefined
  /** The first context, saved in the same transaction. */
  context?: ContextInput | undefined
}

/** Changes of a session. Omitted keys do not change. A null title removes the title. */
export interface SessionChanges {
  title?: string | null | undefined
  conversation_type?: ConversationType | undefined
  status?: Session['status'] | undefined
}

// Context

/** The context of a session. `version` is 0, and the times are null, if none was saved yet. */
export interface Context {
  text_context: string
  context_metadata: Metadata
  /** Send it as `expected_version` with the next save. */
  version: number
  updated_at: string | null
  /** Null if a service saved it. */
  updated_by: string | null
}

/** What to save. Omitted keys keep their current value. */
export interface ContextChanges {
  text_context?: string | undefined
  context_metadata?: Metadata | undefined
  /**
   * The version that the change is based on. If another one was saved meanwhile, the call rejects with a `ConflictError` and
   * nothing changes. 0 means that there must be no context yet. Without it, the last save wins.
   */
  expected_version?: number | undefined
  /** Treat `context_metadata` as a JSON merge patch: keys are added or replaced, and null removes a key. */
  merge_metadata?: boolean | undefined
}

/** One line of a difference between two versions. */
export interface ContextChange {
  /** `text`: a line of the text. `metadata`: a key of the metadata. */
  part: 'text' | 'metadata'
  hunk: number
  /** `same` for the lines around a change. */
  change: 'removed' | 'added' | 'same'
  from_line: number | null
  to_line: number | null
  line: string
}

/** The difference between two versions, in reading order. */
export interface ContextDiff {
  from: number
  to: number
  changes: ContextChange[]
}

/** One saved version in the history of a context. */
export interface ContextVersion {
  version: number
  updated_at: string
  updated_by: string | null
  text_changed: boolean
  metadata_changed: boolean
  text_bytes: number
  /** The first 200 characters. */
  text_start: string
}

// Documents

/** How far a document is: its bytes arrive, are stored, its text is extracted; then one of three final states. */
export type DocumentStatus = 'uploading' | 'stored' | 'extracting' | 'ready' | 'failed' | 'unsupported'

/** An uploaded file. */
export interface Document {
  id: string
  session_id: string
  organization_id: string
  /** The file name, without a path. */
  name: string
  media_type: string
  size_bytes: number | null
  /** Hexadecimal digest of the bytes. Null while they arrive. */
  sha256: string | null
  status: DocumentStatus
  /**
   * Why it failed or is unsupported, for programs. With the status `ready` it is a notice: `needs_ocr` and `ocr_incomplete`
   * mean that words in images were not extracted.
   */
  error_code: string | null
  /** The same for people. Show it verbatim. */
  error_message: string | null
  /** Number of pages of extracted text. */
  page_count: number | null
  /** Estimated tokens of the text for a language model. */
  token_count: number | null
  /** OCR of pages whose text is in images, which follows `ready`. */
  ocr_status: 'none' | 'pending' | 'running' | 'done' | 'incomplete' | 'unavailable'
  /** How many pages OCR has finished, of `ocr_pages`. */
  ocr_page: number | null
  /** How many pages OCR reads. */
  ocr_pages: number | null
  /** Detected language: an ISO 639-3 code. */
  language: string | null
  metadata: Metadata
  /** What the file says about itself: title, author, outline and so on. */
  file_metadata: Metadata
  created_at: string
  updated_at: string
}

/** What was detected on a page. */
export interface PageStructure {
  headings: { level: number; text: string }[]
  /** Text that the document's pages repeat at their top or bottom. */
  running_heads: string[]
  tables: PageTable[]
}

/** A table, in reading order of its page. */
export interface PageTable {
  rows: number
  columns: number
  header_rows: number
  /** How it was detected: rules around its cells, rules between rows, or alignment of words. */
  evidence: 'grid' | 'rules' | 'alignment'
  /** From 0 to 1. */
  confidence: number
  /** Left, top, right and bottom in points, from the top left of the page. */
  box: [number, number, number, number]
}

/** The text of one page. */
export interface DocumentPage {
  /** Counted from 1. */
  page: number
  text: string
  /** `text`: contained in the file. `ocr`: recognized in an image. */
  source: 'text' | 'ocr'
  /** Confidence of OCR in its words, from 0 to 1. Null if `source` is `text`. */
  confidence: number | null
  engine: string | null
  /** How good the text looks, from 0 to 1. */
  quality: number | null
  /** Why this engine was used, if there was a choice. */
  reason: string | null
  token_count: number
  /** Of a PDF: what was detected on the page. Cells of tables are at `/pages/{n}/tables`. */
  structure: PageStructure | null
  /** Only with a query: the text as HTML. Everything is escaped except the matches, which are in `<mark>`. */
  html?: string
}

/** Changes of a document. Omitted keys do not change. */
export interface DocumentChanges {
  name?: string | undefined
  metadata?: Metadata | undefined
  /** An ISO 639-3 code, which decides how search stems the text, or null. */
  language?: string | null | undefined
}

/** How to extract a document again. */
export interface Extraction extends RequestOptions {
  /** `auto`: where a page needs it. `force`: every page. `never`: only the text in the file. `auto` by default. */
  ocr?: 'auto' | 'force' | 'never' | undefined
  /** An ISO 639-3 code: the language of the words in images. */
  language?: string | undefined
}

/** URLs of a document that need no token, for `<img>` and links. Anyone who has one can read the file until it expires. */
export interface DocumentUrls {
  content: string
  thumbnail: string
  expires_at: string
}

/** One context of a batch. */
export interface ContextItem extends ContextChanges {
  session_id: string
}

/** Limits of uploads and contexts. */
export interface Limits {
  /** The smaller one of the limits of the database and of the edge. */
  max_file_bytes: number
  chunk_bytes: number
  allowed_media_types: string[]
  max_name_length: number
  max_context_bytes: number
  max_files_per_request: number
  max_request_bytes: number
  max_json_bytes: number
  max_pack_tokens: number
}

/** A file as it would be uploaded. */
export interface PlannedUpload extends RequestOptions {
  session_id: string
  name: string
  media_type?: string | undefined
  size_bytes?: number | undefined
  metadata?: Metadata | undefined
}

/** Whether an upload would be accepted, and the checks that say so. */
export interface UploadExplanation {
  allowed: boolean
  checks: UploadCheck[]
}

/** One check of an upload. The fields of the error are null if it passes. */
export interface UploadCheck {
  name: string
  /** Null if it could not be made: callers that cannot write to the session do not learn the organization's quotas. */
  passed: boolean | null
  /** What it concerns: a claim, a role, a setting, a quota. */
  concerns: string
  code: string | null
  message: string | null
  details: string | null
  hint: string | null
}

// Search

/** Where and what to search. */
export interface SearchQuery extends RequestOptions {
  /** Words, `"a phrase"`, `-not`, `prefix*`. Optional if there is an embedding. */
  query?: string | undefined
  /** An embedding of the query, to search by meaning. Requires pgvector and embeddings. */
  embedding?: readonly number[] | undefined
  session_id?: string | undefined
  organization_id?: string | undefined
  /** For example `application/pdf` or `image/*`. */
  media_type?: string | undefined
  since?: string | undefined
  until?: string | undefined
  limit?: number | undefined
  after?: string | null | undefined
}

/** One match. */
export interface SearchResult {
  /** `page` of a document, `context` of a session, or `name` of a document. */
  kind: 'page' | 'context' | 'name'
  session_id: string
  document_id: string | null
  document_name: string | null
  page: number | null
  /** HTML. Everything is escaped except the matches, which are in `<mark>`. */
  snippet: string
  /** The heading that the first match stands under, as text. Only in PDFs. */
  heading: string | null
  /** How well it matches. Comparable only within one search. */
  rank?: number
  /** Words of the query that the text contains, and those that it lacks. Null with operators. */
  contained?: string[] | null
  missing?: string[] | null
  /** What was searched for instead of misspelt words: `{"typed": "searched"}`. Show it to the user. */
  corrected?: Record<string, string> | null
  /** Cosine of the embeddings, from -1 to 1, in a search by embedding alone. */
  similarity?: number
  text_place?: number | null
  embedding_place?: number | null
}

// Packing

/** What to pack into a prompt. */
export interface PackOptions extends RequestOptions {
  /** Prefer pages that match; without it, pages come in their order. */
  query?: string | undefined
  /** 8000 by default, by the estimate of `docs/tokens.md`. */
  max_tokens?: number | undefined
}

/** A session as text for a prompt, with its quotes and the omitted pages. */
export interface Pack {
  /** Everything as Markdown. */
  text: string
  tokens: number
  max_tokens: number
  context: PackContext
  quotes: PackQuote[]
  left_out: PackOmission[]
}

/** The context in a pack. It is shortened if it does not fit. */
export interface PackContext {
  text_context: string
  context_metadata: Metadata
  version: number
  truncated: boolean
  metadata_left_out: boolean
}

/** Adjacent pages of a document in a pack. */
export interface PackQuote {
  document_id: string
  document_name: string
  first_page: number
  last_page: number
  /** The heading that the quote begins under. */
  heading: string | null
  /** For PDFs Markdown, without running heads. */
  text: string
  tokens: number
  rank: number | null
  truncated: boolean
}

/** Pages that a pack does not quote. */
export interface PackOmission {
  document_id: string
  document_name: string
  /** Runs of pages. Missing if the document has none yet. */
  pages?: { first: number; last: number }[]
  /** Why there are no pages, if `reason` is `not_ready`. */
  status?: DocumentStatus
  reason: 'budget' | 'no_match' | 'duplicate' | 'empty' | 'not_ready' | (string & {})
}

// Organizations

/** What a member may do. Each role includes the ones before it. */
export type Role = 'viewer' | 'member' | 'admin' | 'owner'

/** A tenant. Every session belongs to one. */
export interface Organization {
  id: string
  name: string
  /** What the user may do there. */
  role: Role | null
  created_at: string | null
  updated_at: string | null
}

/** A user who belongs to an organization. */
export interface Member {
  /** The subject of the user's token. */
  user_id: string
  role: Role
  created_at: string
  /** Null: invited, but not a member yet. */
  accepted_at: string | null
}

/** What an organization stores and used since midnight UTC, and its quotas. A null quota is unlimited. */
export interface Usage {
  /** All of it, in bytes: files, text, contexts, metadata, thumbnails and unfinished imports. */
  bytes: number
  file_bytes: number
  text_bytes: number
  context_bytes: number
  metadata_bytes: number
  thumbnail_bytes: number
  import_bytes: number
  documents: number
  documents_today: number
  extraction_seconds_today: number
  max_bytes: number | null
  max_documents: number | null
  max_documents_a_day: number | null
  max_extraction_seconds_a_day: number | null
  /** The part of `bytes` that is in the trash. */
  trashed_bytes: number
  trashed_documents: number
}

/** What the erasure of an organization removed. */
export interface ErasureReceipt {
  receipt_id: string
  kind: string
  subject_sha256: string
  erased: Record<string, number>
  erased_at: string
}

// Import

/** The new ids of an import. */
export interface Imported {
  organization_id: string
  /** From the id in the bundle to the id in the database. */
  sessions: Record<string, string>
  documents: Record<string, string>
}

// Uploads

/**
 * How far an upload is:
 *
 * ```
 * queued ─▶ uploading ─▶ stored ─▶ reading ─▶ ready
 *   ▲  │        │  ▲                  │
 *   │  └─▶ paused ─┘                  ▼
 *   └──────────────────────────── failed      cancelled (from every state before stored)
 * ```
 */
export type UploadStatus = 'queued' | 'uploading' | 'paused' | 'stored' | 'reading' | 'ready' | 'failed' | 'cancelled'

/** What an upload that is `queued` or `paused` waits for. */
export type UploadWait =
  /** Other uploads, because only so many run at the same time. */
  | 'turn'
  /** The digest of the file, which is looked up before a byte is sent. */
  | 'check'
  /** The network. It continues by itself. */
  | 'connection'
  /** A busy server. It continues by itself at `retryAt`. */
  | 'server'
  /** The user has to sign in again. */
  | 'sign-in'
  /** The user's decision: the session already has these bytes as `duplicate`. Call `resume()` or `useExisting()`. */
  | 'decision'
  /** `resume()`. */
  | 'user'

/** A snapshot of an upload. A new object for every change, and the same object until then. */
export interface UploadState {
  /** The id of the upload on this device. The document gets its own id from the server. */
  readonly id: string
  readonly sessionId: string
  readonly name: string
  readonly size: number
  readonly mediaType: string
  readonly status: UploadStatus
  /** What it waits for, if `status` is `queued` or `paused`; otherwise null. */
  readonly waitsFor: UploadWait | null
  /** Bytes that were sent. */
  readonly sent: number
  /** From 0 to 1. 1 does not mean that the file is stored: only `status` does. */
  readonly progress: number
  /** Null until it can be measured. */
  readonly bytesPerSecond: number | null
  /** Null until it can be estimated. */
  readonly secondsLeft: number | null
  /** When it is retried, in milliseconds since 1970, if `waitsFor` is `server` or `connection`. */
  readonly retryAt: number | null
  /** Hexadecimal digest, once it is known. */
  readonly sha256: string | null
  /** The document with the same bytes in the same session, if there is one. */
  readonly duplicate: Document | null
  /** The id that the document has, or will have: once it is stored, and from the beginning if the file is sent in pieces. */
  readonly documentId: string | null
  /** The document, from the moment it is stored. Updated until it is final. */
  readonly document: Document | null
  /** Why it failed, in the server's words if they came from the server. */
  readonly error: UploadError | null
}

/** A file of which a part is stored. It waits for the rest until it expires. */
export interface UnfinishedUpload {
  /** Also the id of its document. */
  id: string
  session_id: string
  name: string
  media_type: string
  metadata: Metadata
  /** Null if it was not declared. */
  size_bytes: number | null
  /** How many bytes are stored. */
  offset: number
  created_at: string
  expires_at: string
}

/** Why an upload failed. */
export interface UploadError {
  /** `PT` and the HTTP status, an SQLSTATE, or the document's `error_code`. */
  readonly code: string
  readonly message: string
  readonly details: string | null
  readonly hint: string | null
}
