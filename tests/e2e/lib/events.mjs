// Server-sent events, read by hand.

import assert from 'node:assert/strict'
import { edgeUrl } from './env.mjs'
import { until } from './net.mjs'

const open = new Set()

/** Closes what a failed test leaves open. */
export function closeStreams() {
  for (const stream of open) stream.close()
}

/** The stream of a session, which must be accepted. `token`: instead of the person's own. */
export async function watch(as, sessionId, { url = edgeUrl, lastEventId, token = as.token } = {}) {
  const stopper = new AbortController()
  const response = await fetch(`${url}/api/sessions/${sessionId}/events`, {
    headers: { authorization: `Bearer ${token}`, ...(lastEventId && { 'last-event-id': lastEventId }) },
    signal: stopper.signal,
  })
  if (response.status !== 200) assert.fail(`${response.status} ${await response.text()}`)
  assert.equal(response.headers.get('content-type'), 'text/event-stream')
  const stream = new Stream(response, stopper)
  open.add(stream)
  return stream
}

class Stream {
  constructor(response, stopper) {
    this.response = response
    this.stopper = stopper
    this.events = []
    this.comments = 0
    this.retry = null
    this.lastEventId = null
    this.ended = false
    this.error = null
    this.#read().catch((error) => { this.error = error }).finally(() => { this.ended = true; open.delete(this) })
  }

  async #read() {
    let text = ''
    for await (const piece of this.response.body.pipeThrough(new TextDecoderStream())) {
      text += piece
      for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) this.#block(text.slice(0, end))
    }
    assert.equal(text, '', 'the stream ended in the middle of an event')
  }

  #block(block) {
    const event = { name: 'message' }
    for (const line of block.split('\n')) {
      const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line)
      if (field === '') this.comments += 1
      else if (field === 'retry') this.retry = Number(value)
      else if (field === 'id') event.id = this.lastEventId = value
      else if (field === 'event') event.name = value
      else if (field === 'data') event.data = JSON.parse(value)
      else assert.fail(`an unknown field: ${line}`)
    }
    if (event.data) this.events.push(event)
  }

  /** All data of one kind of event. */
  of(name) {
    return this.events.filter((event) => event.name === name).map((event) => event.data)
  }

  /** Waits for an event `name` whose data match, and returns the data. */
  async see(name, matches = () => true, seconds = 20) {
    try {
      return await until(`an event ${name}`, () => this.of(name).find(matches), { seconds })
    } catch (error) {
      throw new Error(`${error.message}; seen: ${JSON.stringify(this.events)}; ended: ${this.ended} ${this.error ?? ''}`)
    }
  }

  /** The event that ends the stream. Nothing follows it. */
  async end(seconds = 20) {
    const end = await this.see('end', undefined, seconds)
    await until('the end of the response', () => this.ended)
    assert.equal(this.error, null)
    assert.equal(this.events.at(-1).name, 'end')
    for (const key of ['reason', 'message', 'hint']) assert.equal(typeof end[key], 'string', key)
    return end
  }

  close() {
    this.stopper.abort()
  }
}
