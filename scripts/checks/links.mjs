// Checks the Markdown files: relative links and their anchors, and paths of this repository in `code`.
// Prints `file:line: problem` for each broken one, and exits with 1 if there are any.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { posix } from 'node:path'

const git = (...args) => execFileSync('git', args, { encoding: 'utf8', maxBuffer: 1 << 28 })
process.chdir(git('rev-parse', '--show-toplevel').trim())

const files = new Set(git('ls-files', '-z', '--cached', '--others', '--exclude-standard').split('\0').filter(Boolean))
const folders = new Set(['.'])
for (const file of files) {
  for (let folder = posix.dirname(file); folder !== '.'; folder = posix.dirname(folder)) folders.add(folder)
}
const exists = (path) => files.has(path) || folders.has(path)

// Lines outside fenced blocks, with their numbers; fences may be indented in lists.
function* prose(text) {
  let fence = null
  for (const [index, line] of text.split('\n').entries()) {
    const mark = line.match(/^\s*(`{3,}|~{3,})/)?.[1]
    if (fence) {
      if (mark?.startsWith(fence) && line.trim() === mark) fence = null
    } else if (mark) {
      fence = mark
    } else {
      yield [index + 1, line]
    }
  }
}

// GitHub's anchor of a heading: its words in lower case, without punctuation, joined by hyphens.
const slug = (heading) =>
  heading
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
    .replaceAll(' ', '-')

const known = new Map()
function anchors(file) {
  if (!known.has(file)) {
    const found = new Set()
    for (const [, line] of prose(readFileSync(file, 'utf8'))) {
      const heading = line.match(/^#{1,6}\s+(.*?)\s*#*$/)?.[1]
      if (heading !== undefined) {
        const base = slug(heading)
        let anchor = base
        for (let n = 1; found.has(anchor); n++) anchor = `${base}-${n}`
        found.add(anchor)
      }
      for (const [, id] of line.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)) found.add(id)
    }
    known.set(file, found)
  }
  return known.get(file)
}

function linkProblem(file, target) {
  if (/^(https?:|mailto:)/.test(target)) return null
  const [path, anchor] = target.split('#').map(decodeURIComponent)
  const linked = path ? posix.normalize(posix.join(posix.dirname(file), path)).replace(/\/$/, '') : file
  if (!exists(linked)) return `there is no ${linked}`
  if (anchor && linked.endsWith('.md') && !anchors(linked).has(anchor)) return `${linked} has no heading #${anchor}`
  return null
}

// A path is checked if it begins with a folder of the repository and has no placeholder or pattern.
function pathProblem(code) {
  const path = code.replace(/^\.\//, '').replace(/\/$/, '')
  if (!/^[\w.-]+(\/[\w.-]+)*$/.test(path) || !code.includes('/')) return null
  if (!folders.has(path.split('/')[0]) || exists(path)) return null
  return `there is no ${path}`
}

const problems = []
for (const file of [...files].filter((name) => name.endsWith('.md')).sort()) {
  for (const [line, text] of prose(readFileSync(file, 'utf8'))) {
    const report = (problem) => problem && problems.push(`${file}:${line}: ${problem}`)
    const codes = [...text.matchAll(/(`+)(.+?)\1(?!`)/g)]
    const plain = text.replace(/(`+)(.+?)\1(?!`)/g, (code) => '`'.repeat(code.length))
    for (const [, target] of plain.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)) report(linkProblem(file, target))
    for (const [, target] of plain.matchAll(/^\s*\[[^\]]+\]:\s+<?([^\s>]+)/g)) report(linkProblem(file, target))
    for (const [, , code] of codes) report(pathProblem(code))
  }
}
for (const problem of problems) console.error(problem)
process.exitCode = problems.length > 0 ? 1 : 0
