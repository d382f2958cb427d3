// The files of make-fixtures, and the expected outcome of each.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fixturesDirectory } from './env.mjs'

export const manifest = JSON.parse(readFileSync(join(fixturesDirectory, 'manifest.json'), 'utf8'))

/** A fixture with its bytes. */
export function fixture(name) {
  const entry = manifest.find((entry) => entry.name === name)
  if (!entry) throw new Error(`make-fixtures makes no ${name}`)
  return { ...entry, bytes: readFileSync(join(fixturesDirectory, name)) }
}

/** Text for comparison: runs of whitespace become one space. Ligatures and quotes are kept. */
export const squeeze = (text) => text.replace(/\s+/gu, ' ')
