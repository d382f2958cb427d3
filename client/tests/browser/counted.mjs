// An address in front of an edge. It counts the bytes of uploads that go through, and can hold one back half-way.

import { connect, createServer } from 'node:net'
import { listen } from '../../../tests/e2e/lib/net.mjs'

/** A connection that sent less carried no file. */
const BULK = 1024 * 1024

export async function countedAddress(edge) {
  let target = edge
  const ends = new Set()
  const counts = []
  let most = Infinity
  let held = null
  let holding
  const server = createServer((socket) => {
    const behind = connect(Number(new URL(target.url).port), '127.0.0.1')
    const count = { sent: 0, since: 0 }
    counts.push(count)
    for (const end of [socket, behind]) {
      ends.add(end)
      end.on('close', () => (ends.delete(end), socket.destroy(), behind.destroy()))
      end.on('error', () => undefined)
    }
    behind.pipe(socket)
    socket.on('data', (data) => {
      count.sent += data.length
      if (!behind.write(data)) socket.pause()
      if (count.sent - count.since < most) return
      // The first to get there is held; others pass.
      most = Infinity
      held = socket
      socket.pause()
      holding()
    })
    behind.on('drain', () => socket !== held && socket.resume())
  })
  const url = await listen(server)
  const sent = () => counts.reduce((sum, count) => sum + (count.sent > BULK ? count.sent : 0), 0)
  return {
    url,
    /** The bytes of uploads so far. */
    sent,
    /** Holds the first connection that has sent `bytes` from now on. Resolves once it is held. */
    hold: (bytes) => new Promise((done) => {
      for (const count of counts) count.since = count.sent
      most = bytes
      holding = done
    }),
    release() {
      held?.resume()
      held = null
    },
    /** Ends the held connection, as a proxy does whose client has gone. */
    drop() {
      held?.destroy()
      held = null
    },
    to: (next) => { target = next },
    close() {
      for (const end of ends) end.destroy()
      server.close()
    },
  }
}
