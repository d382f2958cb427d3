// Sockets and waiting.

import { connect, createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/** Starts `server` on a free loopback port; returns its URL. */
export async function listen(server) {
  await new Promise((done, fail) => server.once('error', fail).listen(0, '127.0.0.1', done))
  return `http://127.0.0.1:${server.address().port}`
}

export async function freePort() {
  const server = createServer()
  const url = await listen(server)
  await new Promise((done) => server.close(done))
  return Number(new URL(url).port)
}

/** Waits until `condition` returns a truthy value, and returns it. Fails after a limit, with what it waited for. */
export async function until(what, condition, { seconds = 20, every = 50 } = {}) {
  const deadline = Date.now() + seconds * 1000
  for (;;) {
    const answer = await condition()
    if (answer) return answer
    if (Date.now() > deadline) throw new Error(`after ${seconds} s still not: ${what}`)
    await pause(every)
  }
}

/** A client that sends exactly the given bytes, and can disconnect at any moment. */
export class RawClient {
  static #open = new Set()

  static closeAll() {
    for (const client of RawClient.#open) client.close()
  }

  /** `from`: the address of the client. */
  static async open(url, { from } = {}) {
    const { hostname, port } = new URL(url)
    const socket = connect({ port: Number(port), host: hostname, localAddress: from })
    await new Promise((done, fail) => socket.once('connect', done).once('error', fail))
    return new RawClient(socket)
  }

  constructor(socket) {
    this.socket = socket
    RawClient.#open.add(this)
    this.received = Buffer.alloc(0)
    this.ended = false
    socket.on('data', (data) => { this.received = Buffer.concat([this.received, data]) })
    socket.on('end', () => { this.ended = true })
    socket.on('close', () => { this.ended = true; RawClient.#open.delete(this) })
    socket.on('error', () => { this.ended = true })
  }

  /** Sends `data`; resolves once the kernel has accepted it, or to false if the other side is gone. */
  send(data) {
    return new Promise((done) => {
      if (this.ended || this.socket.destroyed) return done(false)
      const finish = (error) => { this.socket.off('close', closed); done(!error) }
      const closed = () => done(false)
      this.socket.once('close', closed)
      this.socket.write(data, finish)
    })
  }

  head(method, path, headers) {
    const lines = Object.entries({ host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
    return this.send(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
  }

  /** One chunk of `Transfer-Encoding: chunked`; an empty one ends the body. */
  chunk(data) {
    return this.send(Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from('\r\n')]))
  }

  /** Disconnects with a reset. */
  vanish() { this.socket.resetAndDestroy() }

  close() { this.socket.destroy() }

  /** The response, once it is complete: `{status, headers, text, json}`. */
  async response(seconds = 20) {
    return until('a response', () => this.#parse(), { seconds })
  }

  #parse() {
    const split = this.received.indexOf('\r\n\r\n')
    if (split < 0) {
      if (this.ended) throw new Error('the connection was closed without a response')
      return null
    }
    const [line, ...fields] = this.received.subarray(0, split).toString('latin1').split('\r\n')
    const status = Number(line.split(' ')[1])
    if (status === 100) {
      this.received = this.received.subarray(split + 4)
      return this.#parse()
    }
    const headers = Object.fromEntries(fields.map((field) => {
      const colon = field.indexOf(':')
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()]
    }))
    const body = bodyOf(headers, this.received.subarray(split + 4), this.ended)
    if (body === null) {
      if (this.ended) throw new Error(`the connection was cut ${this.received.length} bytes into the response: ${line}`)
      return null
    }
    const text = body.toString()
    return { status, headers, text, get json() { return JSON.parse(text) } }
  }
}

/** The body in `bytes`, or null while it is incomplete. */
function bodyOf(headers, bytes, ended) {
  if (headers['transfer-encoding'] === 'chunked') {
    const parts = []
    for (let at = 0; ;) {
      const eol = bytes.indexOf('\r\n', at)
      if (eol < 0) return null
      const size = parseInt(bytes.subarray(at, eol).toString(), 16)
      if (size === 0) return Buffer.concat(parts)
      if (bytes.length < eol + 2 + size + 2) return null
      parts.push(bytes.subarray(eol + 2, eol + 2 + size))
      at = eol + 2 + size + 2
    }
  }
  if ('content-length' in headers) {
    const size = Number(headers['content-length'])
    return bytes.length >= size ? bytes.subarray(0, size) : null
  }
  return ended ? bytes : null
}
