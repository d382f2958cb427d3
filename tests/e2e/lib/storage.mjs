// A stand-in for Supabase Storage and the gateway in front of it. Like the real ones, it builds the `Location` of a resumable
// upload from the forwarded headers, and checks the signature of an S3 request (AWS Signature Version 4) against the host
// that they name.

import { createHash, createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import { listen } from './net.mjs'

export const credentials = { id: 'test-key', secret: 'test-secret', region: 'local' }

const sha256 = (data) => createHash('sha256').update(data).digest('hex')
const hmac = (key, data) => createHmac('sha256', key).update(data).digest()
const encode = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

/** The signature of a request. `headers` are those to sign, in lower case. */
export function signature({ method, path, query = {}, headers, payload, date, secret, region }) {
  const names = Object.keys(headers).sort()
  const canonicalQuery = Object.keys(query).filter((key) => key !== 'X-Amz-Signature').sort().map((key) => `${encode(key)}=${encode(query[key])}`).join('&')
  const canonical = [method, path, canonicalQuery, ...names.map((name) => `${name}:${headers[name]}`), '', names.join(';'), payload].join('\n')
  const scope = `${date.slice(0, 8)}/${region}/s3/aws4_request`
  const key = [date.slice(0, 8), region, 's3', 'aws4_request'].reduce(hmac, `AWS4${secret}`)
  return hmac(key, ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n')).toString('hex')
}

const now = () => new Date().toISOString().replace(/[-:]|\.\d+/g, '')

/** The headers of a signed request to `url`, as an SDK sends them. */
export function signed(method, url, body = '') {
  const { host, pathname } = new URL(url)
  const headers = { host, 'x-amz-content-sha256': sha256(body), 'x-amz-date': now() }
  const result = signature({ method, path: pathname, headers, payload: sha256(body), date: headers['x-amz-date'], ...credentials })
  const scope = `${credentials.id}/${headers['x-amz-date'].slice(0, 8)}/${credentials.region}/s3/aws4_request`
  return { ...headers, authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=${Object.keys(headers).sort().join(';')}, Signature=${result}` }
}

/** A signed URL, without further headers. */
export function presigned(method, url) {
  const { host, pathname, origin } = new URL(url)
  const date = now()
  const query = {
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${credentials.id}/${date.slice(0, 8)}/${credentials.region}/s3/aws4_request`,
    'X-Amz-Date': date,
    'X-Amz-Expires': '60',
    'X-Amz-SignedHeaders': 'host',
  }
  query['X-Amz-Signature'] = signature({ method, path: pathname, query, headers: { host }, payload: 'UNSIGNED-PAYLOAD', date, ...credentials })
  return `${origin}${pathname}?${Object.entries(query).map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join('&')}`
}

/** What the gateway does with the forwarded headers. Kong replaces them, Envoy adds those that are missing. */
const gateways = {
  none: () => {},
  kong(headers) {
    headers['x-forwarded-host'] = headers.host.replace(/:\d+$/, '')
    headers['x-forwarded-port'] = headers.host.split(':')[1] ?? '80'
    headers['x-forwarded-proto'] = 'http'
  },
  envoy(headers) {
    headers['x-forwarded-host'] ??= headers.host
    headers['x-forwarded-port'] ??= headers.host.split(':')[1] ?? '80'
    headers['x-forwarded-proto'] ??= 'http'
  },
}

/** Storage behind a gateway of that manner. `publicUrl()`: its STORAGE_PUBLIC_URL. */
export async function startStorage(manner, { publicUrl = () => null } = {}) {
  const uploads = new Map()
  const storage = { seen: [], uploads, close: () => { server.closeAllConnections(); server.close() } }
  const server = createServer((request, response) => {
    gateways[manner](request.headers)
    storage.seen.push({ method: request.method, url: request.url, headers: { ...request.headers } })
    const body = []
    request.on('data', (data) => body.push(data)).on('end', () => {
      const path = request.url.split('?')[0]
      if (path.startsWith('/storage/v1/s3/')) return s3(request, response, publicUrl())
      if (path.startsWith('/storage/v1/upload/resumable')) return tus(request, response, Buffer.concat(body), uploads, publicUrl())
      response.writeHead(404).end()
    })
  })
  storage.url = await listen(server)
  return storage
}

function tus(request, response, body, uploads, publicUrl) {
  const path = '/storage/v1/upload/resumable'
  response.setHeader('tus-resumable', '1.0.0')
  if (request.method === 'POST') {
    const id = String(uploads.size + 1)
    uploads.set(id, { length: Number(request.headers['upload-length']), bytes: Buffer.alloc(0) })
    return response.writeHead(201, { location: `${publicUrl ?? calledOrigin(request.headers)}${path}/${id}` }).end()
  }
  const upload = uploads.get(request.url.slice(path.length + 1))
  if (!upload) return response.writeHead(404).end()
  if (request.method === 'PATCH') {
    if (Number(request.headers['upload-offset']) !== upload.bytes.length) return response.writeHead(409).end()
    upload.bytes = Buffer.concat([upload.bytes, body])
  }
  response.writeHead(request.method === 'HEAD' ? 200 : 204, { 'upload-offset': upload.bytes.length, 'upload-length': upload.length }).end()
}

function calledOrigin(headers) {
  const { forwarded } = headers
  const host = /host="?([^";]+)/.exec(forwarded)?.[1] ?? headers['x-forwarded-host'] ?? headers.host
  const proto = /proto=(https?)/.exec(forwarded)?.[1] ?? headers['x-forwarded-proto'] ?? 'http'
  return `${proto}://${headers['x-forwarded-host'] ? withPort(host, headers['x-forwarded-port']) : host}`
}

/** The host that the client must have signed. */
function signedHost(headers, publicUrl) {
  if (publicUrl) return new URL(publicUrl).host
  const host = headers['x-forwarded-host']?.toLowerCase()
  return host ? withPort(host, headers['x-forwarded-port']) : headers.host
}

function withPort(host, port) {
  if (!port || ['80', '443'].includes(port)) return host
  return host.includes(':') ? host.replace(/:\d+$/, `:${port}`) : `${host}:${port}`
}

function s3(request, response, publicUrl) {
  const [path, search] = request.url.split('?')
  const query = Object.fromEntries(new URLSearchParams(search))
  const fields = Object.fromEntries((request.headers.authorization ?? '').replace('AWS4-HMAC-SHA256 ', '').split(',').map((part) => part.trim().split('=')))
  const given = fields.Signature ?? query['X-Amz-Signature']
  const names = (fields.SignedHeaders ?? query['X-Amz-SignedHeaders'] ?? '').split(';')
  const headers = Object.fromEntries(names.map((name) => [name, name === 'host' ? signedHost(request.headers, publicUrl) : request.headers[name]]))
  const expected = signature({
    method: request.method, path, query, headers, payload: request.headers['x-amz-content-sha256'] ?? 'UNSIGNED-PAYLOAD',
    date: request.headers['x-amz-date'] ?? query['X-Amz-Date'] ?? '', ...credentials,
  })
  if (given === expected) return response.writeHead(200, { 'content-type': 'application/xml' }).end('<Ok/>')
  response.writeHead(403, { 'content-type': 'application/xml' }).end('<Error><Code>SignatureDoesNotMatch</Code></Error>')
}
