// 10 MB to `stored` through the edge, against the same bytes as the same rows with libpq. Budget: 1.25 times.

import { file, filePath, form, http, inTurn, libpq, onOwnStack, report } from './lib/bench.mjs'
import { acme } from '../tests/e2e/lib/people.mjs'
import { psql } from '../tests/e2e/lib/psql.mjs'

const content = file('10mb.pdf')

await onOwnStack({ EXTRACT_WORKERS: '0' }, async ({ database, edge, session }) => {
  // The same columns, storage, checks and key, but without the foreign key of the edge's rows.
  await psql(`
    create schema bench;
    create table bench.chunks (like dossier_private.document_chunks including all);
    alter table bench.chunks alter organization_id set default '${acme}';
    grant usage on schema bench to authenticator;
    grant insert on bench.chunks to authenticator`, { url: database.url })
  const { body, type } = form(session.id, 'bench.pdf', 'application/pdf', content)
  const inserts = libpq('insert', database.edgeUrl, 'bench.chunks', filePath('10mb.pdf'))
  const upload = await http(edge, 'POST', '/api/documents', { body, headers: { 'content-type': type }, status: 201 })
  const results = await inTurn({ 'libpq, pipelined inserts, one transaction': inserts.go, 'edge, HTTP upload to stored': upload.go }, 40)
  report('10 MB upload', results)
  inserts.close()
  upload.close()
})
