// tus 1.0.0 by hand: the requests of the protocol, without a client library.

import { createHash } from 'node:crypto'
import { RawClient } from './net.mjs'

export const version = { 'tus-resumable': '1.0.0' }
export const bytesType = { 'content-type': 'application/offset+octet-stream' }

export const encodeMetadata = (pairs) =>
  Object.entries(pairs).map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`).join(',')

export const digest = (algorithm, bytes) => `${algorithm} ${createHash(algorithm).update(bytes).digest('base64')}`

/**
 * A server of tus. `endpoint`: where uploads are created. `headers`: what every request needs. `metadata`: what every
 * creation needs.
 */
export class TusServer {
  constructor({ endpoint, headers = {}, metadata = {} }) {
    Object.assign(this, { endpoint, headers, metadata })
  }

  /** The same server, with other headers. */
  as(headers) {
    return new TusServer({ ...this, headers: { ...this.headers, ...headers } })
  }

  /** The same server on another origin. */
  at(origin) {
    return new TusServer({ ...this, endpoint: this.locate(this.endpoint, origin) })
  }

  /** The address of an upload of this server, or of another with the same paths. */
  locate(url, origin = this.endpoint) {
    const { pathname, search } = new URL(url)
    return new URL(pathname + search, origin).href
  }

  async send(method, url, { headers = {}, body, duplex } = {}) {
    const response = await fetch(url, { method, body, ...(duplex && { duplex }), headers: { ...version, ...this.headers, ...headers } })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      text,
      get json() { return JSON.parse(text) },
      offset: response.headers.has('upload-offset') ? Number(response.headers.get('upload-offset')) : null,
      // As a client resolves it.
      location: response.headers.has('location') ? new URL(response.headers.get('location'), url).href : null,
    }
  }

  /** Begins an upload. Without a length, the length is deferred. */
  create({ length, metadata = {}, headers = {}, body } = {}) {
    const size = length === undefined ? { 'upload-defer-length': '1' } : { 'upload-length': String(length) }
    return this.send('POST', this.endpoint, {
      headers: { ...size, 'upload-metadata': encodeMetadata({ ...this.metadata, ...metadata }), ...headers },
      body,
    })
  }

  head(url, options) { return this.send('HEAD', url, options) }

  patch(url, offset, body, { headers = {}, ...options } = {}) {
    return this.send('PATCH', url, { headers: { ...bytesType, 'upload-offset': String(offset), ...headers }, body, ...options })
  }

  terminate(url, options) { return this.send('DELETE', url, options) }

  /** A PATCH whose body is sent by hand. Without a length it is chunked. */
  async open(url, offset, length, headers = {}) {
    const client = await RawClient.open(url)
    await client.head('PATCH', new URL(url).pathname, {
      ...version, ...this.headers, ...bytesType, 'upload-offset': String(offset),
      ...(length === undefined ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(length) }),
      ...headers,
    })
    return client
  }
}
