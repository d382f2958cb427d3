// Lists, search, saving and packing with a million documents and pages of a thousand organizations (bench/data.sql),
// as a member of a small, a medium and a large one: under row level security, and without it.
// Budgets: lists 1.5 times; search p95 50 ms. BENCH_ROWS sets the number of rows, BENCH_ROUNDS that of calls.
//
// Each figure is for one statement, on a connection that already has the user's role: sent, parsed, planned, run, answered.
// Next to it is the mean CPU time of the backend, which other work on the machine affects
// less; the ratio is that of CPU times.

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { ask, summary } from './lib/bench.mjs'
import { queriesOf } from './lib/queries.mjs'
import { isNative, newDatabase, withName } from '../tests/e2e/lib/database.mjs'
import { databaseUrl, hostedSql } from '../tests/e2e/lib/env.mjs'
import { literal, psql, rows as select } from '../tests/e2e/lib/psql.mjs'

const rows = Number(process.env.BENCH_ROWS ?? 1_000_000)
const rounds = Number(process.env.BENCH_ROUNDS ?? 200)
const here = new URL('.', import.meta.url).pathname

/** Created once per cluster, and again after a change of bench/data.sql or sql/. It is kept. */
async function database() {
  const name = `dossier_scale_${rows}`
  const url = withName(databaseUrl, name)
  const made = createHash('sha256').update(readFileSync(`${here}data.sql`)).update(readFileSync(hostedSql)).digest('hex')
  if ((await psql(`select shobj_description(oid, 'pg_database') from pg_database where datname = '${name}'`)) !== made) {
    console.error(`making ${name} …`)
    await newDatabase({ native: await isNative(), name })
    await promisify(execFile)('psql', ['-X', '-q', '-o', '/dev/null', '-v', `rows=${rows}`, '-d', url, '-f', `${here}data.sql`])
    await psql(`comment on database ${name} is '${made}'`)
  }
  return url
}

/** SQL with its :'names' filled in, as psql does. */
const fill = (sql, values) => sql.replace(/:'(\w+)'/g, (_, key) => literal(values[key]))
const statement = (name, values) => fill(readFileSync(`${here}statements/${name}.sql`, 'utf8'), values)

const lists = [
  'sessions_of_an_organization', 'documents_of_an_organization', 'documents_of_a_session', 'a_document',
  'pages_of_a_document', 'context_of_a_session',
]

/** The statements of save_context, without its checks. */
const bareSave = `
  with saved as (
    insert into dossier.session_context as c (session_id, organization_id, text_context, context_metadata)
    values (:'session', :'organization', repeat('They buy flour twice a week, and would rather not. ', 40), '{"stage": "won"}')
    on conflict (session_id) do update set text_context = excluded.text_context,
      context_metadata = excluded.context_metadata, version = c.version + 1, updated_at = excluded.updated_at
    returning *
  ), version as (
    insert into dossier.session_context_versions
    select session_id, organization_id, text_context, context_metadata, version, updated_by, updated_at from saved
  )
  insert into dossier_private.search_entries (organization_id, session_id, config, search)
  select organization_id, session_id, 'simple', to_tsvector('simple', text_context) from saved
  on conflict (session_id) where document_id is null do update set search = excluded.search`

async function measure(subjects, times = rounds) {
  const results = subjects.map(() => [])
  for (let round = -5; round < times; round += 1) {
    for (const [place, { connection, statements }] of subjects.entries()) {
      if (round === 0) results[place].cpu = connection.cpu()
      const time = await connection.go(statements[Math.max(round, 0) % statements.length])
      if (round >= 0) results[place].push(time)
    }
  }
  return subjects.map(({ connection }, place) => ({
    ...summary(results[place]), cpu: (connection.cpu() - results[place].cpu) / times,
  }))
}

const url = await database()
const connections = new Map()
/** The connection of a user; `null`: of a role to which row level security does not apply. */
async function as(user) {
  const who = user
    ? `select set_config('role', 'authenticated', false), set_config('request.jwt.claims', ${literal(JSON.stringify({ sub: user }))}, false)`
    : "select set_config('role', 'none', false)"
  if (!connections.has(user)) connections.set(user, await ask(url, who))
  return connections.get(user)
}

const number = (value) => value.toFixed(value < 10 ? 2 : 1).padStart(8)
const heading = (title) => console.log(`\n${title.padEnd(44)}  median      p95      CPU   without      p95      CPU   ratio`)
function row(name, guarded, bare) {
  const columns = [guarded, bare].filter(Boolean).flatMap(({ median, p95, cpu }) => [median, p95, cpu].map(number))
  console.log(`  ${name.padEnd(38)} ${columns.join(' ')} ${bare ? number(guarded.cpu / bare.cpu) : ''}`)
}

/** A statement as a user, and as a role to which row level security does not apply. */
async function compare(name, user, guarded, bare = guarded) {
  row(name, ...(await measure([
    { connection: await as(user), statements: [guarded] },
    { connection: await as(null), statements: [bare] },
  ])))
}

/** Alternating statements, as a user. Search and packing do not use row level security, so nothing is compared. */
async function alone(name, user, statements) {
  row(name, ...(await measure([{ connection: await as(user), statements }])))
}

/** An organization of bench/data.sql, and the values that the statements use. */
async function tenant(n) {
  const [found] = await select(`
    select 'bench-' || ${n} as user, o.id as organization,
      (select count(*) from dossier.documents as d where d.organization_id = o.id) as documents,
      (select s.id from dossier.sessions as s where s.organization_id = o.id and s.title = 'Session 0') as session,
      (select d.id from dossier.documents as d where d.organization_id = o.id and d.name = 'report 0.pdf') as document
    from dossier.organizations as o where o.name = 'Bench ${n}'`, { url })
  return found
}

console.log(`${rows} documents; milliseconds; load average ${readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 2).join(', ')}`)
for (const n of [30, 2, 1]) {
  const one = await tenant(n)
  heading(`an organization of ${one.documents} documents`)
  for (const name of lists) await compare(name, one.user, statement(name, one))
  for (const name of ['sessions', 'documents']) {
    await compare(`${name}_of_all_organizations`, one.user, statement(`${name}_of_all_organizations`, one), statement(`${name}_of_an_organization`, one))
  }
  await compare('save_context', one.user, statement('save_context', one), fill(bareSave, one))

  const queries = await queriesOf(one, rounds, url)
  for (const [kind, list] of Object.entries(queries)) {
    await alone(`search: ${kind}`, one.user, list.map((query) => statement('search', { query })))
  }
  for (const name of ['search_in_a_session', 'pack_context', 'pack_context_without_query']) {
    await alone(name, one.user, queries['a word'].map((query) => statement(name, { ...one, query })))
  }
}

heading('twenty organizations at once, the largest among them')
const many = await select("select organization_id from dossier.organization_members where user_id = 'bench-many'", { url })
for (const name of ['sessions', 'documents']) {
  await compare(`${name}_of_all_organizations`, 'bench-many', statement(`${name}_of_all_organizations`, {}), `
    select * from dossier.${name} where organization_id = any (${literal(`{${many.map((row) => row.organization_id)}}`)})
    order by created_at desc, id desc limit 20`)
}
for (const [kind, list] of Object.entries(await queriesOf(await tenant(2), rounds, url))) {
  await alone(`search: ${kind}`, 'bench-many', list.map((query) => statement('search', { query })))
}
for (const connection of connections.values()) connection.close()
