// A database for one test, next to the one under test, so that no other edge takes its jobs.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { databaseUrl, edgeDatabaseUrl, hostedSql } from './env.mjs'
import { psql, value } from './psql.mjs'

const root = new URL('../../../', import.meta.url).pathname
/** The URL of another database of the same cluster. */
export const withName = (url, name) => url.replace(/\/[^/?]+(\?|$)/, `/${name}$1`)

export const isNative = async (url = databaseUrl) =>
  value("select to_regprocedure('dossier.run_job(bigint, integer)') is not null", { url })

const as = (url, user) => url.replace(/\/\/[^/@]*@/, `//${user}@`)

/**
 * Creates a seeded database with the extension (`native`), or with the plain SQL like a hosted Supabase project, installed
 * and owned by a role without superuser rights. `url` signs in as the owner.
 */
export async function newDatabase({ native, name = `dossier_e2e_${native ? 'native' : 'hosted'}_${process.pid}` }) {
  const superuserUrl = withName(databaseUrl, name)
  const url = native ? superuserUrl : as(superuserUrl, 'project')
  await psql(`drop database if exists ${name} with (force)`)
  await psql(`create database ${name}`)
  if (native) {
    await psql('create extension dossier', { url })
  } else {
    await run('psql', [...quiet, '-d', superuserUrl, '-f', `${root}tests/hosted/project.sql`])
    await run('psql', [...quiet, '-d', url, '--single-transaction', '-f', hostedSql])
  }
  await run('psql', [...quiet, '-d', url, '-f', `${root}scripts/seed.sql`])
  return {
    url,
    superuserUrl,
    edgeUrl: withName(edgeDatabaseUrl, name),
    drop: () => psql(`drop database if exists ${name} with (force)`),
  }
}

const run = promisify(execFile)
const quiet = ['-X', '-q', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1']
