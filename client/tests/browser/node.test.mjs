// Every call of the client in Node, against a real edge and a real Postgres.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { ConflictError, createDossierClient, DossierError } from '../../packages/core/dist/index.js'
import { edgeUrl } from '../../../tests/e2e/lib/env.mjs'
import { acme, globex, member, owner, stranger, viewer } from '../../../tests/e2e/lib/people.mjs'

const as = (person) => createDossierClient({ url: edgeUrl, getToken: () => person.token })
const dossier = as(member)
const newSession = (more = {}) => dossier.sessions.create({ title: 'A test', organization_id: acme, ...more })
const text = (name, content) => new File([content], name, { type: 'text/plain' })

test('a session lives, is in the trash, and lives again', async () => {
  const session = await newSession({ conversation_type: 'sales_call', context: { text: 'Hello', metadata: { stage: 'discovery' } } })
  assert.equal(session.context.text_context, 'Hello')
  assert.deepEqual(session.context.context_metadata, { stage: 'discovery' })
  assert.equal((await dossier.sessions.update(session.id, { title: null, status: 'archived' })).status, 'archived')

  const archived = await dossier.sessions.list({ organization_id: acme, status: 'archived', limit: 1 })
  assert.deepEqual(archived.rows.map(({ id }) => id), [session.id])

  await dossier.sessions.delete(session.id)
  await assert.rejects(dossier.sessions.get(session.id), (error) => error instanceof DossierError && error.status === 404 && error.requestId !== null)
  const trashed = (await dossier.sessions.listDeleted()).rows.find(({ id }) => id === session.id)
  assert.ok(Date.parse(trashed.purge_at) > Date.parse(trashed.deleted_at))
  assert.equal((await dossier.sessions.restore(session.id)).context.text_context, 'Hello')
})

test('a list continues where its page ended', async () => {
  const ids = [await newSession(), await newSession(), await newSession()].map(({ id }) => id).reverse()
  const first = await dossier.sessions.list({ limit: 2 })
  const second = await dossier.sessions.list({ limit: 2, after: first.next })
  assert.deepEqual([...first.rows, ...second.rows].slice(0, 3).map(({ id }) => id), ids)
})

test('of two who save, the later learns both versions and overwrites nothing', async () => {
  const { id } = await newSession({ context: { text: 'one' } })
  await as(owner).context.save(id, { text_context: 'theirs', expected_version: 1 })
  const error = await dossier.context.save(id, { text_context: 'mine', expected_version: 1 }).catch((reason) => reason)
  assert.ok(error instanceof ConflictError)
  assert.deepEqual([error.currentVersion, error.expectedVersion], [2, 1])
  assert.equal((await dossier.context.get(id)).text_context, 'theirs')

  assert.equal((await dossier.context.version(id, 1)).text_context, 'one')
  const { changes } = await dossier.context.diff(id, { from: 1 })
  assert.deepEqual(changes.map(({ change, line }) => [change, line]), [['removed', 'one'], ['added', 'theirs']])
  assert.equal((await dossier.context.restore(id, 1, { expected_version: 2 })).text_context, 'one')
  const { rows, next } = await dossier.context.versions(id, { limit: 2 })
  assert.deepEqual(rows.map(({ version }) => version), [3, 2])
  assert.deepEqual((await dossier.context.versions(id, { after: next })).rows.map(({ version }) => version), [1])
})

test('several contexts are saved, all or none', async () => {
  const [one, other] = [await newSession(), await newSession()]
  const saved = await dossier.context.saveMany([{ session_id: one.id, text_context: 'a' }, { session_id: other.id, text_context: 'b' }])
  assert.deepEqual(saved.map(({ session_id, version }) => [session_id, version]), [[one.id, 1], [other.id, 1]])
  await assert.rejects(dossier.context.saveMany([{ session_id: one.id, text_context: 'c' }, { session_id: other.id, text_context: 'd', expected_version: 9 }]))
  assert.equal((await dossier.context.get(one.id)).text_context, 'a')
})

test('a document is uploaded, read, found, packed, changed and deleted', { timeout: 400_000 }, async () => {
  const { id } = await newSession({ context: { text: 'They want a quote.' } })
  const upload = dossier.uploads.add(id, text('prices.txt', 'The price of a thousand bolts is 42 euros.'), { metadata: { source: 'mail' } })
  const document = await upload.ready()
  assert.deepEqual([document.name, document.metadata, document.sha256], ['prices.txt', { source: 'mail' }, upload.getState().sha256])
  assert.deepEqual((await dossier.documents.list(id)).rows.map((row) => row.id), [document.id])
  assert.deepEqual((await dossier.documents.known(id, [document.sha256, '0'.repeat(64)])).map((row) => row.id), [document.id])

  const { rows: [page] } = await dossier.documents.pages(document.id)
  assert.match(page.text, /thousand bolts/)
  assert.match((await dossier.documents.page(document.id, 1, { query: 'bolt' })).html, /<mark>bolts<\/mark>/)
  assert.match(await (await dossier.documents.content(document.id)).text(), /42 euros/)
  const urls = await dossier.documents.urls(document.id, { expires_in: 60 })
  assert.match(await (await fetch(urls.content)).text(), /42 euros/)
  assert.equal(await dossier.documents.thumbnail(document.id), null, 'plain text has none')

  const { rows: hits } = await dossier.search({ query: 'price of bolts', session_id: id })
  assert.deepEqual([hits[0].document_id, hits[0].page], [document.id, 1])
  assert.ok(hits[0].contained.includes('bolts'), JSON.stringify(hits[0]))
  const pack = await dossier.pack(id, { query: 'bolts', max_tokens: 500 })
  assert.match(pack.text, /They want a quote\.[^]*42 euros/)
  assert.equal(pack.quotes[0].document_id, document.id)

  assert.equal((await dossier.documents.update(document.id, { name: 'renamed.txt' })).name, 'renamed.txt')
  await dossier.documents.extract(document.id, { ocr: 'never' })
  assert.equal((await dossier.documents.whenFinal(document.id)).status, 'ready')
  await dossier.documents.delete(document.id)
  await assert.rejects(dossier.documents.get(document.id), { status: 404 })
})

test('a bundle brings sessions with their files to another organization', { timeout: 400_000 }, async () => {
  const { id } = await newSession({ context: { text: 'Moves.' } })
  const { id: documentId } = await dossier.uploads.add(id, text('moves.txt', 'This file moves.')).ready()
  for (const format of ['zip', 'ndjson', 'json']) {
    const bundle = await dossier.export({ session_id: format === 'json' ? [id] : id, format, include_bytes: true })
    const imported = await as(stranger).import(bundle, { organization_id: globex })
    const content = await as(stranger).documents.content(imported.documents[documentId])
    assert.equal(await content.text(), 'This file moves.', format)
    assert.equal((await as(stranger).context.get(imported.sessions[id])).text_context, 'Moves.')
  }
  const word = await dossier.export({ session_id: id, format: 'docx' })
  assert.equal(await word.slice(0, 2).text(), 'PK')
})

test('another organization sees nothing, and a viewer changes nothing', async () => {
  const { id } = await newSession()
  await assert.rejects(as(stranger).sessions.get(id), { status: 404 })
  assert.deepEqual((await as(stranger).sessions.list({ organization_id: acme })).rows, [])
  await assert.rejects(as(viewer).context.save(id, { text_context: 'x' }), { code: '42501' })
  const refused = await as(viewer).explainUpload({ session_id: id, name: 'a.txt', media_type: 'text/plain', size_bytes: 1 })
  assert.equal(refused.allowed, false)
  assert.ok(refused.checks.some(({ passed, hint }) => passed === false && hint))
  await assert.rejects(createDossierClient({ url: edgeUrl, getToken: () => null }).sessions.list(), { name: 'SignedOutError', status: 401 })
})

test('an owner manages an organization from its beginning to its end', async () => {
  const { organizations } = as(owner)
  const organization = await organizations.create(`Test ${randomUUID()}`)
  assert.equal(organization.role, 'owner')
  assert.equal((await organizations.rename(organization.id, 'Renamed')).name, 'Renamed')
  assert.ok((await organizations.list({ limit: 200 })).rows.some(({ id }) => id === organization.id))
  assert.equal((await organizations.addMember(organization.id, viewer.sub, 'viewer')).role, 'viewer')
  assert.equal((await organizations.setRole(organization.id, viewer.sub, 'member')).role, 'member')
  assert.deepEqual((await organizations.members(organization.id)).rows.map(({ role }) => role).sort(), ['member', 'owner'])
  await organizations.removeMember(organization.id, viewer.sub)
  const usage = await organizations.usage(organization.id)
  assert.deepEqual([usage.documents, usage.file_bytes], [0, 0])
  assert.equal((await organizations.erase(organization.id)).kind, 'organization')
  await assert.rejects(organizations.get(organization.id), { status: 404 })
})

test('the limits are known before a file is chosen', async () => {
  const limits = await dossier.limits()
  assert.ok(limits.max_file_bytes > 1_000_000)
  assert.ok(limits.allowed_media_types.includes('application/pdf'))
})
