// Queries rows as the owner, with psql.

import { execFile, spawn } from 'node:child_process'
import { databaseUrl } from './env.mjs'

const flags = ['-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1']

/** Runs `query`; returns its output as text. Fails with psql's message. */
export function psql(query, { url = databaseUrl } = {}) {
  return new Promise((done, fail) => {
    const child = execFile('psql', [...flags, '-d', url], { maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (error) fail(new Error(stderr.trim() || error.message))
      else done(stdout.trimEnd())
    })
    child.stdin.on('error', () => {})
    child.stdin.end(query)
  })
}

/** The rows of a select, as objects. */
export async function rows(query, options) {
  return JSON.parse(await psql(`select coalesce(json_agg(row_to_json(result)), '[]') from (${query}) as result`, options))
}

/** The only value of a select. */
export async function value(query, options) {
  const [row] = await rows(query, options)
  return row && Object.values(row)[0]
}

/** Starts psql with `query`, without waiting for it. */
export function psqlInBackground(query) {
  const child = spawn('psql', [...flags, '-v', 'VERBOSITY=verbose', '-d', databaseUrl], { stdio: ['pipe', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (data) => { stdout += data })
  child.stderr.on('data', (data) => { stderr += data })
  child.stdin.on('error', () => {})
  child.stdin.end(query)
  const ended = new Promise((done) => child.once('close', (code) => done({ code, stdout, stderr })))
  return { ended, kill: () => child.kill('SIGKILL') }
}

export const literal = (text) => `'${String(text).replaceAll("'", "''")}'`

export const postmasterStart = () => value('select pg_postmaster_start_time()')

/** The number of documents with this name, and of their chunk rows. */
export async function leftOf(name, options) {
  const [row] = await rows(`
    select count(distinct document.id)::int as documents, count(chunk.seq)::int as chunks
    from dossier.documents as document
    left join dossier_private.document_chunks as chunk on chunk.document_id = document.id
    where document.name = ${literal(name)}`, options)
  return row
}
