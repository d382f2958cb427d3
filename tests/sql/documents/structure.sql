-- The structure of pages: what is stored of it, and where it appears. See ../setup.sql for how to run this.

begin;
select plan(39);
select tests.fixture();

-- finish(pages): alpha's document is extracted, as a worker reports it.
create function pg_temp.finish(pages jsonb) returns void language plpgsql as $$
declare
  job record;
begin
  perform tests.logout();
  update dossier_private.jobs set run_at = 'infinity' where status = 'queued';
  update dossier_private.jobs set lease_expires_at = 'infinity' where status = 'running';
  perform tests.login(null, 'service_role');
  perform dossier.request_extraction(tests.id('alpha document'));
  select * into job from dossier.claim_jobs('w');
  perform dossier.complete_job(job.job_id, job.attempt, pages);
end
$$;
create function pg_temp.structure(structure jsonb) returns jsonb language plpgsql as $$
begin
  perform pg_temp.finish(jsonb_build_array(jsonb_build_object('page', 1, 'text', 'x', 'structure', structure)));
  return (select p.structure from dossier.document_pages as p where p.document_id = tests.id('alpha document'));
end
$$;
create function pg_temp.table_with(change jsonb) returns jsonb language sql as $$
  select pg_temp.structure(jsonb_build_object('tables', jsonb_build_array('{"rows": 2, "columns": 2, "header_rows": 1, "evidence": "grid",
    "confidence": 0.9, "box": [1, 2, 3, 4], "cells": []}'::jsonb || change))) #> '{tables,0}'
$$;
create function pg_temp.cells_with(change jsonb) returns integer language sql as $$
  select jsonb_array_length(pg_temp.table_with(jsonb_build_object('cells', jsonb_build_array('{"row": 1, "column": 1, "row_span": 1,
    "column_span": 1, "text": "a", "box": [1, 2, 3, 4]}'::jsonb || change))) -> 'cells')
$$;

-- What is stored.

select is(pg_temp.structure('{"headings": [{"level": 1, "text": "Rent"}], "running_heads": ["Page 1"], "markdown": "# Rent"}'),
  '{"headings": [{"level": 1, "text": "Rent"}], "running_heads": ["Page 1"], "markdown": "# Rent"}', 'a structure is stored');
select is(pg_temp.structure('{}'), null, 'an empty one is not');
select is(pg_temp.structure('[1]'), null, 'nor anything but an object');
select is(pg_temp.structure('{"headings": [{"level": 7, "text": "a"}, {"level": 1.5, "text": "b"}, {"level": 1}, 3], "running_heads": [1], "evil": "x",
  "markdown": 5}'), null, 'what is malformed is dropped');
select is(pg_temp.structure('{"headings": [{"level": 9, "text": "a"}, {"level": 2, "text": "b", "evil": 1}]}'), '{"headings": [{"level": 2, "text": "b"}]}',
  'one by one');
select is(pg_temp.table_with('{"evil": 1}') - 'cells', '{"rows": 2, "columns": 2, "header_rows": 1, "evidence": "grid", "confidence": 0.9, "box": [1, 2, 3, 4]}',
  'a table keeps the members that it has');
select is(pg_temp.table_with(change), null, format('a table with %s is dropped', change))
from (values ('{"rows": 0}'::jsonb), ('{"rows": 2.0}'), ('{"columns": null}'), ('{"evidence": "a guess"}'), ('{"confidence": 1.5}'), ('{"confidence": "high"}'),
  ('{"box": [1, 2, 3]}'), ('{"box": [1, 2, 3, "4"]}'), ('{"box": [1, 2, 3, 1e300]}')) as t (change);
select is(pg_temp.cells_with('{}'), 1, 'a cell inside of its table');
select is(pg_temp.cells_with(change), 0, format('a cell with %s is dropped', change))
from (values ('{"row": 2}'::jsonb), ('{"column": -1}'), ('{"row_span": 2}'), ('{"column_span": 0}'), ('{"text": null}'), ('{"box": {}}')) as t (change);

-- Where it appears.

select pg_temp.finish(jsonb_build_array(
  jsonb_build_object('page', 1, 'text', E'Lease\nPage 1\nBetween two parties.\nRent and\npayment\nThe rent is due in advance.\nPeriod  Rent\nsummer  900\n',
    'structure', '{"headings": [{"level": 1, "text": "Lease"}, {"level": 2, "text": "Rent and payment"}], "running_heads": ["Page 1"],
      "tables": [{"rows": 2, "columns": 2, "header_rows": 1, "evidence": "rules", "confidence": 0.75, "box": [72, 90.5, 300, 120], "cells": [
        {"row": 0, "column": 0, "row_span": 1, "column_span": 1, "text": "Period", "box": [72, 90.5, 180, 105]},
        {"row": 1, "column": 1, "row_span": 1, "column_span": 1, "text": "900", "box": [180, 105, 300, 120]}]}]}'::jsonb
      || jsonb_build_object('markdown', E'# Lease\n\n<header>Page 1</header>\n\nBetween two parties.\n\n## Rent and payment\n\nThe rent is due in advance.\n\n'
        '| Period | Rent |\n| --- | --- |\n| summer | 900 |\n')),
  '{"page": 2, "text": "Notice is given in writing.", "structure": {"running_heads": ["<footer>"]}}'::jsonb));
select tests.logout();

select is(tests.outcomes($$ select from dossier.list_tables(tests.id('alpha document')) $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service 1', 'callers that list tables');
select is(tests.outcomes($$ select dossier.page_markdown(p) from dossier.document_pages as p where p.document_id = tests.id('alpha document') and p.page = 1 $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service 1', 'callers that read a page as Markdown');
select tests.login('alpha-viewer');
select results_eq($$ select page, number, rows, columns, header_rows, evidence, confidence, box, cells -> 1 ->> 'text' from dossier.list_tables(tests.id('alpha document')) $$,
  $$ values (1, 1, 2, 2, 1, 'rules', 0.75::real, array[72, 90.5, 300, 120]::real[], '900') $$, 'a table with its cells');
select is_empty($$ select from dossier.list_tables(tests.id('alpha document'), 2) $$, 'a page without one');
select is(dossier.page_markdown(p) like '%<header>Page 1</header>%| summer | 900 |%', true, 'a page as Markdown')
from dossier.document_pages as p where p.document_id = tests.id('alpha document') and p.page = 1;
select is(dossier.page_markdown(p, running_heads => false),
  E'# Lease\n\nBetween two parties.\n\n## Rent and payment\n\nThe rent is due in advance.\n\n| Period | Rent |\n| --- | --- |\n| summer | 900 |',
  'without its running heads')
from dossier.document_pages as p where p.document_id = tests.id('alpha document') and p.page = 1;
select is(dossier.page_markdown(p), p.text, 'a page without Markdown is its text')
from dossier.document_pages as p where p.document_id = tests.id('alpha document') and p.page = 2;
select is(dossier.page_record(p) #> '{structure,tables,0}', '{"rows": 2, "columns": 2, "header_rows": 1, "evidence": "rules", "confidence": 0.75,
  "box": [72, 90.5, 300, 120]}', 'the record of a page has its tables without cells')
from dossier.document_pages as p where p.document_id = tests.id('alpha document') and p.page = 1;

-- Search and packs name the heading.

create function pg_temp.heading(query text) returns text language sql as $$
  select h.heading from dossier.search(query, organization_id => tests.id('alpha')) as h where h.kind = 'page' limit 1
$$;
select is(pg_temp.heading('parties'), 'Lease', 'words under the first heading');
select is(pg_temp.heading('advance'), 'Rent and payment', 'words under a heading of two lines');
select is(pg_temp.heading('payment'), 'Rent and payment', 'words of the heading');
select is(pg_temp.heading('writing'), 'Rent and payment', 'words under a heading of the page before');
select is(quote ->> 'heading', 'Lease', 'a quote names the heading at its beginning')
from jsonb_array_elements(dossier.pack_context(tests.id('alpha session'), 'rent') -> 'quotes') as quote;
select is(pack ->> 'text' like '%| Period | Rent |' || E'\n' || '| --- | --- |%' and pack ->> 'text' not like '%<header>%', true,
  'a table is packed as a Markdown table, without running heads')
from dossier.pack_context(tests.id('alpha session'), 'rent') as pack;
select is((pack -> 'tokens')::integer, dossier.estimate_tokens(pack ->> 'text'), 'and counted as it is sent')
from dossier.pack_context(tests.id('alpha session'), 'rent') as pack;

-- A bundle carries it to another organization.

select tests.login('beta-owner');
select is(dossier.import_sessions((select bundle from (select tests.login('alpha-owner')) as a, lateral dossier.export_sessions(array[tests.id('alpha session')]) as bundle,
  lateral tests.login('beta-owner') as b), tests.id('beta')) is not null, true, 'a session is imported');
select tests.logout();
select results_eq($$ select structure from dossier.document_pages where organization_id = tests.id('beta') and structure is not null order by page $$,
  $$ select structure from dossier.document_pages where document_id = tests.id('alpha document') order by page $$, 'with the structure of its pages');

select * from finish();
rollback;
