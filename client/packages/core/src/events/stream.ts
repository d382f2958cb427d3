/** Reads server-sent events as the edge writes them: every field is one line, and comments have no event. */

import { abortable } from '../wait.js'

/** An event as it was sent. */
export interface ServerSentEvent {
  /** Null for a comment. */
  type: string | null
  data: string | null
  id: string | null
  /** Milliseconds to wait before connecting again. */
  retry: string | null
}

/** The events in the body of a response. */
export async function* eventsIn(body: ReadableStream<Uint8Array>, signal: AbortSignal): AsyncGenerator<ServerSentEvent> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  try {
    for (;;) {
      const { done, value } = await abortable(reader.read(), signal)
      if (done) return
      text += decoder.decode(value, { stream: true }).replaceAll('\r', '')
      const blocks = text.split('\n\n')
      // Not complete yet.
      text = blocks.pop() ?? ''
      for (const block of blocks) {
        const field = (name: string) => RegExp(`^${name}: ?(.*)`, 'm').exec(block)?.[1] ?? null
        yield { type: field('event'), data: field('data'), id: field('id'), retry: field('retry') }
      }
    }
  } finally {
    // A body that was aborted cannot be cancelled any more.
    reader.cancel().catch(() => undefined)
  }
}
