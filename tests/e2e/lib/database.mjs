// A database of a test's own beside the one under test, so that no other edge takes its jobs.

import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { promisify } from 'node:util'
import { databaseUrl, edgeDatabaseUrl } from './env.mjs'
import { psql, value } from './psql.mjs'

const root = new URL('../../../', import.meta.url).pathname
const withName = (url, name) => url.replace(/\/[^/?]+(\?|$)/, `/${name}$1`)

export const isNative = async (url = databaseUrl) =>
  value("select to_regprocedure('dossier.run_job(bigint, integer)') is not null", { url })

/** Makes a seeded database: the extension (`native`), or the plain SQL as on hosted Supabase. */
export async function newDatabase({ native }) {
  const name = `dossier_e2e_${native ? 'native' : 'hosted'}_${process.pid}`
  const url = withName(databaseUrl, name)
  await psql(`drop database if exists ${name} with (force)`)
  await psql(`create database ${name}`)
  if (native) {
    await psql('create extension dossier', { url })
  } else {
    const files = readdirSync(`${root}sql`).filter((file) => file.endsWith('.sql')).sort()
    await run('psql', [...quiet, '-d', url, '--single-transaction', ...files.flatMap((file) => ['-f', `${root}sql/${file}`])])
  }
  await run('psql', [...quiet, '-d', url, '-f', `${root}scripts/seed.sql`])
  return {
    url,
    edgeUrl: withName(edgeDatabaseUrl, name),
    drop: () => psql(`drop database if exists ${name} with (force)`),
  }
}

const run = promisify(execFile)
const quiet = ['-X', '-q', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1']
