// Memory of the edge while 1, 16 and 64 clients upload 10 MB at once. Budget: 64 MiB at 64, the same at 16.

import { readFileSync } from 'node:fs'
import { file, form, http, onOwnStack } from './lib/bench.mjs'

const content = file('10mb.pdf')
const memory = (pid, field) => Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(new RegExp(`${field}:\\s+(\\d+) kB`))[1]) / 1024

console.log('Memory of the edge during uploads of 10 MB (MiB)')
for (const clients of [1, 16, 64]) {
  // Each number of clients gets its own edge, because the high-water mark never falls.
  await onOwnStack({ EXTRACT_WORKERS: '0' }, async ({ edge, session }) => {
    const idle = memory(edge.pid, 'VmRSS')
    const { body, type } = form(session.id, 'bench.pdf', 'application/pdf', content)
    const uploads = await Promise.all(Array.from({ length: clients }, () =>
      http(edge, 'POST', '/api/documents', { body, headers: { 'content-type': type }, status: 201 })))
    const started = performance.now()
    await Promise.all(uploads.map(async (upload) => { for (let turn = 0; turn < 3; turn += 1) await upload.go() }))
    const seconds = (performance.now() - started) / 1000
    const rate = (clients * 3 * content.length) / 1e6 / seconds
    console.log(`  ${String(clients).padStart(2)} clients: idle ${idle.toFixed(1)}, most (VmHWM) ${memory(edge.pid, 'VmHWM').toFixed(1)}, after (VmRSS) ${memory(edge.pid, 'VmRSS').toFixed(1)}   ${rate.toFixed(0)} MB/s`)
    for (const upload of uploads) upload.close()
  })
}
