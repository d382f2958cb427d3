// Writes the licences of all crates that are linked into the released binaries: node scripts/third-party.mjs >FILE
// Reads `cargo metadata` and the licence files of each crate; needs the crates in cargo's cache, as after a build.

import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'

const roots = ['dossier', 'dossier-edge', 'dossier-extract', 'dossier-extract-worker']
const target = execFileSync('rustc', ['-vV'], { encoding: 'utf8' }).match(/^host: (.*)$/m)[1]
const metadata = JSON.parse(
  execFileSync('cargo', ['metadata', '--format-version', '1', '--locked', '--filter-platform', target], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  }),
)
const packages = new Map(metadata.packages.map((one) => [one.id, one]))
const nodes = new Map(metadata.resolve.nodes.map((node) => [node.id, node]))

// Only normal dependencies are linked. Those of builds and tests are excluded.
const linked = new Set()
const visit = (id) => {
  if (linked.has(id)) return
  linked.add(id)
  for (const { pkg, dep_kinds: kinds } of nodes.get(id).deps) {
    if (kinds.some(({ kind }) => kind === null)) visit(pkg)
  }
}
for (const { id, name } of packages.values()) if (roots.includes(name) && metadata.workspace_members.includes(id)) visit(id)

const isLicence = /^(licen[cs]e|copying|copyright|notice|unlicense)/i
// From each text, whatever its line breaks, to the crates that come with it.
const texts = new Map()
const add = (text, crate) => {
  const key = text.replace(/\s+/g, ' ').trim()
  if (!texts.has(key)) texts.set(key, { text: text.trim(), crates: [] })
  texts.get(key).crates.push(crate)
}
for (const id of linked) {
  const { name, version, license, manifest_path: manifest, source } = packages.get(id)
  if (!source) continue
  const folder = dirname(manifest)
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile() && isLicence.test(entry.name))
  const crate = `${name} ${version} (${license ?? 'see its text'})`
  for (const file of files) add(readFileSync(join(folder, file.name), 'utf8'), crate)
  if (files.length === 0) add(`Licensed under ${license}; the crate comes without a copy of its text.`, crate)
}

const groups = [...texts.values()].map(({ text, crates }) => `${crates.sort().join('\n')}\n\n${text}\n`).sort()
process.stdout.write(
  `The binaries of Dossier contain the following crates, under their own licences.\n\n${groups.join(`\n${'-'.repeat(80)}\n\n`)}`,
)
