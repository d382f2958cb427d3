// 20 documents out of a million, with row level security and without it. Budget: 1.5 times.

import { http, inTurn, libpq, onOwnStack, report } from './lib/bench.mjs'
import { acme, globex, member, stranger } from '../tests/e2e/lib/people.mjs'
import { literal, psql } from '../tests/e2e/lib/psql.mjs'

const rows = Number(process.env.BENCH_ROWS ?? 1_000_000)
const claims = `select set_config('role', 'authenticated', true), set_config('request.jwt.claims', ${literal(JSON.stringify(member.claims))}, true)`

await onOwnStack({ EXTRACT_WORKERS: '0' }, async ({ database, edge }) => {
  // A thousand sessions in each of two organizations, the documents spread over them.
  await psql(`
    insert into dossier.sessions (organization_id, user_id, title, conversation_type)
    select case number % 2 when 0 then '${acme}'::uuid else '${globex}' end,
      case number % 2 when 0 then '${member.sub}' else '${stranger.sub}' end, 'Session ' || number, 'meeting'
    from generate_series(1, 2000) as number;
    create temporary table numbered as
      select id, organization_id, user_id, row_number() over () - 1 as number from dossier.sessions where title like 'Session %';
    create index on numbered (number);
    insert into dossier.documents (session_id, organization_id, user_id, name, media_type, size_bytes, sha256, status, page_count, token_count, created_at)
    select session.id, session.organization_id, session.user_id, 'file-' || document || '.pdf', 'application/pdf', 1000, repeat('0', 64), 'ready', 1, 100,
      now() - document * interval '1 second'
    from generate_series(1, ${rows}) as document join numbered as session on session.number = document % 2000;
    analyze dossier.sessions; analyze dossier.documents`, { url: database.url })
  const session = (await psql(`select id from dossier.sessions where organization_id = '${acme}' and title like 'Session %' limit 1`, { url: database.url })).trim()

  const table = (name, where) => `select * from dossier.${name} where ${where} order by created_at desc, id desc limit 20`
  // Without row level security the query names the organization, to find the same rows.
  const lists = [
    ['documents of one session', table('documents', `session_id = '${session}'`), null, `/api/documents?session_id=${session}&limit=20`],
    ['documents of all organizations', table('documents', `organization_id = '${acme}'`), 'select * from dossier.list_documents(limit_count => 20)'],
    ['sessions of all organizations', table('sessions', `organization_id = '${acme}'`), 'select * from dossier.list_sessions(limit_count => 20)', '/api/sessions?limit=20'],
  ]
  for (const [title, bare, asked, path] of lists) {
    const json = (select) => `select json_agg(row) from (${select}) as row`
    const without = libpq('call', database.edgeUrl, "select set_config('role', 'service_role', true)", json(bare))
    const guarded = libpq('call', database.edgeUrl, claims, json(asked ?? bare))
    const subjects = { 'libpq, no row level security': without.go, 'libpq, row level security': guarded.go }
    const request = path && (await http(edge, 'GET', path, { status: 200 }))
    if (request) subjects.edge = request.go
    report(`20 ${title}, of ${rows} documents`, await inTurn(subjects, 300, 30))
    for (const subject of [without, guarded, request]) if (subject) subject.close()
  }
})
