// 10 MB by tus: one client with a form, with one request and with two, then 1, 16 and 64 clients at once. The peer is the reference
// server of tus with its file store, which neither hashes the file nor waits for the disk. Without a budget.

import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { file, inTurn, onOwnStack, report } from './lib/bench.mjs'
import { upload } from '../tests/e2e/lib/api.mjs'
import { member } from '../tests/e2e/lib/people.mjs'
import { TusServer } from '../tests/e2e/lib/tus.mjs'

const content = file('10mb.pdf')
const timed = (work) => async () => {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** Sends the file in requests of this many bytes, and forgets it afterwards if `removed`. */
async function byTus(server, bytes, removed) {
  const { location, status, text } = await server.create({ length: content.length })
  if (status !== 201) throw new Error(text)
  for (let offset = 0; offset < content.length; offset += bytes) {
    const response = await server.patch(location, offset, content.subarray(offset, offset + bytes))
    if (response.status !== 204) throw new Error(response.text)
  }
  if (removed) await server.terminate(location)
}

/** The file from that many clients at once, each in one request. */
const clients = (number, server, removed) => () =>
  Promise.all(Array.from({ length: number }, () => byTus(server, content.length, removed)))

async function reference(directory) {
  const child = spawn(process.execPath, [new URL('lib/tus-reference.mjs', import.meta.url).pathname, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
  const { value: port, done } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next()
  if (done) throw new Error('the reference server ended')
  return { child, server: new TusServer({ endpoint: `http://127.0.0.1:${port}/files`, metadata: { filename: 'bench.pdf' } }) }
}

await onOwnStack({ EXTRACT_WORKERS: '0' }, async ({ edge, session }) => {
  const directory = await mkdtemp(join(tmpdir(), 'bench-tus-'))
  const peer = await reference(directory)
  const ours = new TusServer({
    endpoint: `${edge.url}/api/uploads`, headers: { authorization: `Bearer ${member.token}` }, metadata: { session_id: session.id, filename: 'bench.pdf' },
  })
  try {
    const half = 5 * 1024 * 1024
    report('10 MB, one client', await inTurn({
      'edge, form': timed(async () => {
        const { status, text } = await upload(member, session.id, [{ name: 'bench.pdf', bytes: content, media_type: 'application/pdf' }], { url: edge.url })
        if (status !== 201) throw new Error(text)
      }),
      'edge, tus, one request': timed(() => byTus(ours, content.length)),
      'edge, tus, two requests of 5 MiB': timed(() => byTus(ours, half)),
      '@tus/server, one request': timed(() => byTus(peer.server, content.length, true)),
      '@tus/server, two requests of 5 MiB': timed(() => byTus(peer.server, half, true)),
    }, 30))
    for (const [number, rounds] of [[1, 20], [16, 5], [64, 3]]) {
      report(`10 MB from each of ${number} clients, until the last is stored`, await inTurn({
        'edge, tus': timed(clients(number, ours)),
        '@tus/server': timed(clients(number, peer.server, true)),
      }, rounds, 1))
    }
  } finally {
    peer.child.kill()
    await rm(directory, { recursive: true, force: true })
  }
})
