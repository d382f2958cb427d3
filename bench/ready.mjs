// From the first byte sent to the stored text, by kind of file. The Node route is quoted, not run.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { file, filePath, form, http, inTurn, onOwnStack, report } from './lib/bench.mjs'

const long = filePath('300-pages.pdf')
execFileSync('../tests/fixtures/print.sh', ['--pages', '300', long], { stdio: ['ignore', 'ignore', 'inherit'] })

const subjects = [
  ['10 MB PDF (Node route, quoted: 211 to 253 ms)', '10mb.pdf', 'application/pdf', file('10mb.pdf'), 20],
  ['300-page PDF (Node route, quoted: 358 to 1,136 ms)', '300.pdf', 'application/pdf', readFileSync(long), 10],
  ['1 MB DOCX (Node route, quoted: 123 ms)', '1mb.docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document', file('1mb.docx'), 20],
  ['100 KB text (Node route, quoted: 9 ms)', '100kb.txt', 'text/plain', file('100kb.txt'), 40],
]

await onOwnStack({ EXTRACT_WORKERS: '2' }, async ({ edge, session }) => {
  for (const [title, name, type, content, rounds] of subjects) {
    const upload = form(session.id, name, type, content)
    const request = await http(edge, 'POST', '/api/documents', {
      body: upload.body, headers: { 'content-type': upload.type, prefer: 'wait=60' }, status: 201,
    })
    const results = await inTurn({ 'edge, upload to ready': async () => {
      const time = await request.go()
      if (!/"status" ?: ?"ready"/.test(request.client.received)) throw new Error(`${name} is not ready: ${request.client.received}`)
      return time
    } }, rounds)
    report(title, results)
    request.close()
  }
})
