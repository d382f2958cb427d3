// The rules of SQL that need no database: node scripts/checks/sql.mjs FILE…
// Prints FILE:LINE: finding, one per line, and exits with 1 if there are any.
//
// A file is read as tokens, so that a rule never looks into comments, strings or quoted names. Bodies of functions
// ($$ … $$) are code like any other.

import { readFileSync } from 'node:fs'

const token =
  /--[^\n]*|\/\*[\s\S]*?\*\/|\b[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|^\\.*$|(\$(?:[a-z_]\w*)?\$)([\s\S]*?)\1/gim
const spaces = (text) => text.replace(/[^\n]/g, ' ')

/** The text with comments, strings and quoted names as spaces, so that places stay where they are. */
const blanked = (text) =>
  text.replace(token, (match, quote, body) => (quote ? quote + blanked(body) + quote : spaces(match)))
const lineOf = (text, index) => text.slice(0, index).split('\n').length

/** Words in capitals: key words are lower case, and so is every name. */
function* capitals(code) {
  for (const match of code.matchAll(/(?<![\w%:$])[A-Z][A-Z_]*[A-Z](?![\w$])/g)) {
    yield [match.index, `"${match[0]}" is in upper case: write key words and names in lower case`]
  }
}

/** Transaction control: files of sql/ load inside "create extension" and in one migration. */
function* transactions(code) {
  const bodiless = code.replace(/(\$(?:[a-z_]\w*)?\$)[\s\S]*?\1/gi, spaces)
  for (const match of bodiless.matchAll(/(?<=^|;)\s*\b(begin(?!\s+atomic)|commit|rollback|abort|start\s+transaction|savepoint)\b/gi)) {
    const at = match.index + match[0].length - match[1].length
    yield [at, `"${match[1]}" controls a transaction: this file loads inside "create extension"`]
  }
}

let findings = 0
for (const file of process.argv.slice(2)) {
  const text = readFileSync(file, 'utf8')
  const code = blanked(text)
  const rules = [capitals]
  if (/^(sql|pg-extension\/sql)\//.test(file)) rules.push(transactions)
  for (const rule of rules) {
    for (const [index, finding] of rule(code)) {
      console.log(`${file}:${lineOf(text, index)}: ${finding}`)
      findings += 1
    }
  }
}
process.exitCode = findings > 0 ? 1 : 0
