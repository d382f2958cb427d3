// The reference server of tus: shows that lib/tus-suite.mjs tests the protocol, and not the edge.

import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { protocolTests } from './lib/tus-suite.mjs'
import { TusServer } from './lib/tus.mjs'

let directory
let listening
let target

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tus-reference-'))
  const reference = new Server({
    path: '/files',
    relativeLocation: true,
    maxSize: 10_000_000,
    datastore: new FileStore({ directory, expirationPeriodInMilliseconds: 60_000 }),
  })
  listening = await new Promise((done) => { const http = reference.listen(0, '127.0.0.1', () => done(http)) })
  const server = new TusServer({ endpoint: `http://127.0.0.1:${listening.address().port}/files`, metadata: { filename: 'reference.txt' } })
  target = { server, content: (url) => readFile(join(directory, url.split('/').at(-1))) }
})
after(async () => {
  listening?.closeAllConnections()
  await new Promise((done) => { listening ? listening.close(done) : done() })
  await rm(directory, { recursive: true, force: true })
})

protocolTests(() => target)
