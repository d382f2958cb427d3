/** Puts a client together. Nothing here, nor in what it imports, reaches for the browser before it is used. */

import type { DossierClient, DossierClientOptions } from './client.js'
import { DossierError } from './errors.js'
import { SessionEvents } from './events/events.js'
import { Http } from './http.js'
import { contexts, documents, explain, exportSessions, importSessions, organizations, pack, search, sessions, unfinished } from './resources.js'
import { Tokens } from './tokens.js'
import type { Document, UploadExplanation } from './types.js'
import { FormSender, type Sending } from './uploads/sender.js'
import { UploadList } from './uploads/uploads.js'
import { SignIn } from './uploads/waiting.js'
import { DocumentWatch } from './uploads/watch.js'

/** Smaller files are sent again in a moment. */
const RESUMABLE_FROM = 5 * 1024 * 1024

/**
 * Creates a client of the edge at `url`.
 *
 * ```ts
 * const dossier = createDossierClient({ url: 'https://dossier.example.com', supabase })
 * const session = await dossier.sessions.create({ title: 'First call' })
 * const upload = dossier.uploads.add(session.id, file)
 * await upload.ready()
 * ```
 */
export function createDossierClient(options: DossierClientOptions): DossierClient {
  const { supabase, getToken } = options
  const tokens = new Tokens(getToken ?? (async () => (await supabase.auth.getSession()).data.session?.access_token ?? null))
  const http = new Http(options.url, tokens, options.fetch)
  const signIn = new SignIn(supabase)
  const events: SessionEvents = new SessionEvents(http, signIn, (event) => { if (event.type === 'document') watch.look(event.data.id) })
  const watch = new DocumentWatch(http, signIn, (sessionId) => events.isLive(sessionId))
  const ofDocuments = documents(http, watch)
  const sending: Sending = { http, withFetch: options.fetch !== undefined || typeof XMLHttpRequest === 'undefined' }
  const asForm = new FormSender(sending)
  const { resumableFrom = RESUMABLE_FROM, partBytes } = options.uploads ?? {}
  const uploads = new UploadList(options.uploads ?? {}, {
    signIn,
    watch,
    sender: ({ size }) =>
      // As a form, it arrives even if the module cannot be loaded now.
      size < resumableFrom ? asForm : import('./uploads/tus.js').then(({ TusSender }) => new TusSender(sending, partBytes), () => asForm),
    discard: (id) => void ofDocuments.delete(id).catch(() => undefined),
    unfinished: (sessionId, { signal } = {}) => unfinished(http, sessionId, signal),
    known: (sessionId, sha256, signal) => ofDocuments.known(sessionId, [sha256], { signal }).catch(cannotTell),
    explain: (planned) => explain(http, planned).then(refuse, (error: unknown) => void cannotTell(error)),
    extract: (id, signal) => ofDocuments.extract(id, { signal }),
  })
  return {
    sessions: sessions(http),
    context: contexts(http),
    documents: ofDocuments,
    organizations: organizations(http),
    uploads,
    events,
    limits: ({ signal } = {}) => http.json('/api/limits', { signal }),
    explainUpload: (planned) => explain(http, planned),
    search: (query) => search(http, query),
    pack: (sessionId, packing) => pack(http, sessionId, packing),
    export: (exported) => exportSessions(http, exported),
    import: (bundle, target) => importSessions(http, bundle, target),
  }
}

/** Throws the first check that failed, as the error that the upload would end with. */
function refuse({ checks }: UploadExplanation): void {
  const failed = checks.find(({ passed }) => passed === false)
  if (failed) throw new DossierError({ ...failed, code: failed.code ?? 'refused', message: failed.message ?? failed.name })
}

/** Nothing is known if the edge cannot tell. A session that does not exist refuses the upload itself, with a reason. */
function cannotTell(error: unknown): Document[] {
  if (error instanceof DossierError && (error.status === 404 || error.status === 405)) return []
  throw error
}
