// The HTTP API, as an app calls it.

import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { edgeUrl } from './env.mjs'
import { acme } from './people.mjs'

/** One request, by a person, with a token or anonymous; `{status, headers, text, json, bytes}`. */
export async function call(method, path, { as, json, body, headers = {}, url = edgeUrl } = {}) {
  const token = typeof as === 'string' ? as : as?.token
  const response = await fetch(new URL(path, url), {
    method,
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    body: json !== undefined ? JSON.stringify(json) : body,
  })
  const bytes = Buffer.from(await response.arrayBuffer())
  return {
    status: response.status,
    headers: response.headers,
    bytes,
    get text() { return bytes.toString() },
    get json() { return JSON.parse(bytes.toString()) },
  }
}

export const get = (path, options) => call('GET', path, options)
export const post = (path, json, options) => call('POST', path, { json, ...options })

/** A new session; asserts that it was created. */
export async function newSession(as, more = {}, { url } = {}) {
  const response = await post('/api/sessions', { title: 'A test', organization_id: acme, ...more }, { as, url })
  assert.equal(response.status, 201, response.text)
  return response.json
}

/** Uploads `files` ({name, bytes, media_type}) in one request. */
export function upload(as, sessionId, files, { wait, url, headers = {} } = {}) {
  const form = new FormData()
  form.append('session_id', sessionId)
  for (const file of files) form.append('files', new Blob([file.bytes], { type: file.media_type }), file.name)
  return call('POST', '/api/documents', { as, body: form, url, headers: { ...(wait && { prefer: `wait=${wait}` }), ...headers } })
}

/** Uploads one file that must be accepted; returns its document. */
export async function uploaded(as, sessionId, file, options) {
  const response = await upload(as, sessionId, [file], options)
  assert.equal(response.status, 201, response.text)
  assert.equal(response.json.documents.length, 1)
  return response.json.documents[0]
}

/** A multipart body by hand: `parts` are {name, filename, type, content}, in that order. */
export function multipart(parts, { boundary = `part-${randomUUID()}`, close = true } = {}) {
  const pieces = parts.flatMap(({ name, filename, type, content }) => [
    `--${boundary}\r\ncontent-disposition: form-data; name="${name}"`,
    filename === undefined ? '' : `; filename="${filename}"`,
    type ? `\r\ncontent-type: ${type}` : '',
    '\r\n\r\n',
    content,
    '\r\n',
  ])
  const body = Buffer.concat([...pieces, close ? `--${boundary}--\r\n` : ''].map((piece) => Buffer.from(piece)))
  return { body, boundary, type: `multipart/form-data; boundary=${boundary}` }
}

/** Asserts an error's status, code and shape; returns its body. */
export function assertError(response, status, code, { perFile = false } = {}) {
  assert.equal(response.status, status, response.text)
  const body = response.json
  const keys = Object.keys(body).filter((key) => !(perFile && key === 'errors')).sort()
  assert.deepEqual(keys, ['code', 'details', 'hint', 'message'], `the shape of an error: ${response.text}`)
  if (code) assert.equal(body.code, code, response.text)
  assert.ok(typeof body.message === 'string' && body.message.length > 3, `a message for people: ${response.text}`)
  assert.ok(typeof body.hint === 'string' && body.hint.length > 3, `what to do about it: ${response.text}`)
  assert.doesNotMatch(response.text, /panicked|\.rs:\d|select |tokio_postgres|\/root\/|\/home\//, 'nothing of the inside')
  const id = response.headers.get ? response.headers.get('x-request-id') : response.headers['x-request-id']
  assert.ok(id, 'an x-request-id')
  return body
}

export const documentKeys = [
  'created_at', 'error_code', 'error_message', 'file_metadata', 'id', 'language', 'media_type', 'metadata', 'name', 'ocr_page', 'ocr_pages', 'ocr_status', 'organization_id', 'page_count',
  'session_id', 'sha256', 'size_bytes', 'status', 'token_count', 'updated_at',
]

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')
export const unique = (name) => `${randomUUID().slice(0, 8)}-${name}`
export const settled = (document) => ['ready', 'failed', 'unsupported'].includes(document.status)

/** Waits until the document has a final status; returns it. */
export async function finished(as, id, { seconds = 90, url } = {}) {
  const deadline = Date.now() + seconds * 1000
  for (;;) {
    const response = await get(`/api/documents/${id}`, { as, url })
    assert.equal(response.status, 200, response.text)
    if (settled(response.json)) return response.json
    assert.ok(Date.now() < deadline, `document ${id} is still ${response.json.status} after ${seconds} s`)
    await new Promise((done) => setTimeout(done, 100))
  }
}

/** All pages of a document, through the cursor. */
export async function allPages(as, id, { url } = {}) {
  const pages = []
  let after = ''
  do {
    const response = await get(`/api/documents/${id}/pages?limit=100${after && `&after=${encodeURIComponent(after)}`}`, { as, url })
    assert.equal(response.status, 200, response.text)
    pages.push(...response.json.pages)
    after = response.json.next
  } while (after)
  return pages
}
