/** Server-sent events for a stand-in of the edge. */

import type { Handler, Seen } from './edge.ts'

/** An event as the edge writes it. */
export const block = (type: string, data: unknown, id?: string) => `event: ${type}\n${id ? `id: ${id}\n` : ''}data: ${JSON.stringify(data)}\n\n`

/** The responses of an edge that streams. */
export function streams() {
  const open: { seen: Seen; send(text: string | Uint8Array): void; close(): void; fail(): void }[] = []
  const handler: Handler = (seen) => {
    let controller!: ReadableStreamDefaultController<Uint8Array>
    const body = new ReadableStream<Uint8Array>({ start: (its) => { controller = its } })
    open.push({
      seen,
      send: (text) => controller.enqueue(typeof text === 'string' ? new TextEncoder().encode(text) : text),
      close: () => controller.close(),
      fail: () => controller.error(new TypeError('network error')),
    })
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  }
  return { open, handler }
}
