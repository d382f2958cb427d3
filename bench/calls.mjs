// Small requests through the edge, against the same statements with libpq. Budget: 2 times.

import { http, inTurn, json, libpq, onOwnStack, report } from './lib/bench.mjs'
import { acme, member } from '../tests/e2e/lib/people.mjs'
import { literal, psql } from '../tests/e2e/lib/psql.mjs'

const asMember = `select set_config('role', 'authenticated', true), set_config('request.jwt.claims', ${literal(JSON.stringify(member.claims))}, true)`
const text = 'They buy flour twice a week, and would rather not. '.repeat(40)

await onOwnStack({ EXTRACT_WORKERS: '0' }, async ({ database, edge, session }) => {
  await psql(`
    insert into dossier.documents (session_id, organization_id, user_id, name, media_type, size_bytes, sha256, status, page_count, token_count)
    select '${session.id}', '${acme}', '${member.sub}', 'bench-' || number || '.pdf', 'application/pdf', 1000, repeat('0', 64), 'ready', 1, 100
    from generate_series(1, 20) as number`, { url: database.url })

  const subjects = {
    save_context: [
      `select to_json(dossier.save_context('${session.id}', ${literal(text)}, '{"stage": "won"}'))`,
      'POST', `/api/sessions/${session.id}/context`, { ...json({ text, metadata: { stage: 'won' } }), status: 200 },
    ],
    create_session: [
      `select to_json(dossier.create_session('A call', 'sales_call', '${acme}', jsonb_build_object('text', ${literal(text)})))`,
      'POST', '/api/sessions', { ...json({ title: 'A call', conversation_type: 'sales_call', organization_id: acme, context: { text } }), status: 201 },
    ],
    'list of 20 documents': [
      `select json_agg(document) from (select * from dossier.documents where session_id = '${session.id}' order by created_at desc, id desc limit 20) as document`,
      'GET', `/api/documents?session_id=${session.id}&limit=20`, { status: 200 },
    ],
  }
  for (const [name, [statement, method, path, options]] of Object.entries(subjects)) {
    const direct = libpq('call', database.edgeUrl, asMember, statement)
    const request = await http(edge, method, path, options)
    report(name, await inTurn({ 'libpq, the same batch': direct.go, 'edge': request.go }, 500, 50))
    direct.close()
    request.close()
  }
})
