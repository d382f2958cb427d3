// The corpus of the benchmark: documents, contexts and questions, the same every time.

import { addEnglish } from './english.mjs'
import { addLanguages } from './languages.mjs'
import { addNames } from './names.mjs'

/** `documents` ({name, pages, media_type, bytes}), `contexts` ({title, text, metadata}), `questions` ({kind, query, answer}). */
export function corpus() {
  const documents = []
  const contexts = []
  const questions = []
  const add = (document) => documents.push(document) - 1
  const builder = {
    text: (name, pages) => add({
      name, pages, media_type: name.endsWith('.md') ? 'text/markdown' : 'text/plain', bytes: Buffer.from(pages.join('\f')),
    }),
    csv(name, rows) {
      const lines = rows.map((row) => row.map((cell) => (cell.includes(',') ? `"${cell}"` : cell)).join(','))
      return add({ name, pages: [rows.map((row) => row.join(' ')).join('\n')], media_type: 'text/csv', bytes: Buffer.from(`${lines.join('\n')}\n`) })
    },
    mail(subject, from, body) {
      const head = `From: ${from}\r\nTo: office@northgate.example\r\nSubject: ${subject}\r\nDate: Tue, 4 Mar 2025 10:00:00 +0000\r\n`
      const bytes = Buffer.from(`${head}Content-Type: text/plain; charset=utf-8\r\n\r\n${body.replaceAll('\n', '\r\n')}\r\n`)
      return add({ name: `message ${documents.length}.eml`, pages: [`${subject}\n${from}\n${body}`], media_type: 'message/rfc822', bytes })
    },
    context(title, text, metadata, asked) {
      const place = contexts.push({ title, text, metadata }) - 1
      for (const [kind, query] of asked) questions.push({ kind, query, answer: { context: place } })
    },
    ask: (kind, query, document, page) => questions.push({ kind, query, answer: { document, page } }),
  }
  addEnglish(builder)
  addLanguages(builder)
  addNames(builder)
  return { documents, contexts, questions }
}
