// Finds phrases that docs/style.md replaces: node scripts/checks/english.mjs PHRASES FILE…
// Prints FILE:LINE: "phrase": what to write, one finding per line, and exits with 1 if there are any.
//
// PHRASES has one rule per line, a regular expression, " => ", and what to write. White space in an expression matches
// line breaks as well, with the mark of a comment on the next line.

import { readFileSync } from 'node:fs'

const [phrases, ...files] = process.argv.slice(2)
// Files whose subject is the phrases themselves.
const exempt = new Set([phrases, 'docs/style.md'])
const gap = String.raw`(?:[ \t]+|[ \t]*\n[ \t]*(?:\/\/[\/!]?|--|#|\*|>)?[ \t]*)`

const rules = readFileSync(phrases, 'utf8')
  .split('\n')
  .filter((line) => line && !line.startsWith('#'))
  .map((line) => {
    const [expression, advice] = line.split(' => ')
    if (!advice) throw new Error(`${phrases}: a rule is "expression => advice", not: ${line}`)
    return { expression: new RegExp(expression.replaceAll(' ', gap), 'giu'), advice }
  })

let findings = 0
for (const file of files.filter((name) => !exempt.has(name))) {
  const text = readFileSync(file, 'utf8')
  for (const { expression, advice } of rules) {
    for (const match of text.matchAll(expression)) {
      const line = text.slice(0, match.index).split('\n').length
      console.log(`${file}:${line}: "${match[0].trim().replace(/\s*\n\s*(?:\/\/[\/!]?|--|#|\*|>)?\s*/g, ' ')}": ${advice}`)
      findings += 1
    }
  }
}
process.exitCode = findings > 0 ? 1 : 0
