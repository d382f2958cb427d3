-- Purging in steps: large deletions, abandoned uploads and imports. See ../setup.sql for how to run this.

begin;
select plan(34);
select tests.fixture();

create function pg_temp.left_of(session uuid) returns text
language sql as $$
  select format('%s chunk rows, %s pages, %s documents, %s versions, %s sessions',
    (select count(*) from dossier_private.document_chunks c join dossier.documents d on d.id = c.document_id where d.session_id = session),
    (select count(*) from dossier.document_pages p join dossier.documents d on d.id = p.document_id where d.session_id = session),
    (select count(*) from dossier.documents where session_id = session),
    (select count(*) from dossier.session_context_versions where session_id = session),
    (select count(*) from dossier.sessions where id = session))
$$;
-- A session of alpha with three documents of 400 chunk rows and 100 pages each, and one of beta that stays.
create function pg_temp.fill(session text) returns void
language sql as $$
  insert into dossier.documents (id, session_id, organization_id, user_id, name, media_type, size_bytes, sha256, status)
  select tests.id(session || n), tests.id(session), tests.id('alpha'), 'alpha-member', n || '.txt', 'text/plain', 400, repeat('ab', 32), 'ready'
  from generate_series(1, 3) as n;
  insert into dossier_private.document_chunks (organization_id, document_id, seq, bytes)
  select tests.id('alpha'), tests.id(session || n), seq, 'x' from generate_series(1, 3) as n, generate_series(0, 399) as seq;
  insert into dossier.document_pages (organization_id, document_id, page, text)
  select tests.id('alpha'), tests.id(session || n), page, 'word' from generate_series(1, 3) as n, generate_series(1, 100) as page;
  select dossier_private.index_document(tests.id(session || n)) from generate_series(1, 3) as n;
$$;
insert into dossier.sessions (id, organization_id, user_id, title) values (tests.id('large'), tests.id('alpha'), 'alpha-member', 'large');
select pg_temp.fill('large');
select is(pg_temp.left_of(tests.id('large')), '1200 chunk rows, 300 pages, 3 documents, 0 versions, 1 sessions', 'a large session');

-- The deletion responds after a part of the work.

select tests.login('alpha-member');
select set_eq($$ select dossier.delete_sessions(array[tests.id('large')], permanently => true) $$, array[tests.id('large')], 'a large session is deleted');
select tests.logout();
select matches(pg_temp.left_of(tests.id('large')), '^1000 chunk rows', 'the request removes a part of it');
select results_eq($$ select purged_at, deleted_at, deleted_by from dossier.sessions where id = tests.id('large') $$, $$ values (now(), now(), 'alpha-member') $$, 'and marks the rest');

-- To users it is gone.

select is(tests.outcomes(format('select from dossier.%s', statement)), 'owner 0, admin 0, member 0, viewer 0, other 0, nobody 0, anon 42501, service ' || of_service, statement)
from (values
  ($$ sessions where id = tests.id('large') $$, 1),
  ($$ documents where session_id = tests.id('large') $$, 3),
  ($$ document_pages where document_id = tests.id('large1') $$, 100),
  ($$ deleted_sessions() $$, 0)
) as t (statement, of_service);
select is(tests.outcomes($$ select from dossier.restore_session(tests.id('large')) $$),
  'owner PT404, admin PT404, member PT404, viewer PT404, other PT404, nobody PT404, anon 42501, service PT404', 'it cannot be restored');
select is(tests.outcomes($$ select from dossier.delete_sessions(array[tests.id('large')], permanently => true) $$),
  'owner 0, admin 0, member 0, viewer 0, other 0, nobody 0, anon 42501, service 0', 'or deleted again');
select tests.login('alpha-member');
select is_empty($$ select from dossier.search('word') where session_id = tests.id('large') $$, 'or found');
select is((select documents from dossier.usage(tests.id('alpha'))), 5::bigint, 'rows that remain count');
select is((select trashed_documents from dossier.usage(tests.id('alpha'))), 3::bigint, 'as a part of the trash');
select tests.refuses($$ select dossier.save_context(tests.id('large'), 'x') $$, 'PT404', 'Session not found', 'nothing can be added');

-- Steps of the sweeper remove the rest. Each has a limit.

select tests.login(null, 'service_role');
select is(dossier.sweep() ->> 'more', 'true', 'a step');
select tests.logout();
select matches(pg_temp.left_of(tests.id('large')), ' [12] documents, 0 versions, 1 sessions$', 'removes some of the documents');
select tests.login(null, 'service_role');
select is(dossier.sweep() ->> 'more', 'true', 'another step');
select is(dossier.sweep(), '{"uploads": 0, "imports": 0, "jobs": 0, "versions": 0, "usage_events": 0, "sessions": 0, "more": false}', 'and then there is nothing left to do');
select tests.logout();
select is(pg_temp.left_of(tests.id('large')), '0 chunk rows, 0 pages, 0 documents, 0 versions, 0 sessions', 'everything is removed');
select is_empty($$ select from dossier_private.search_entries where session_id = tests.id('large') $$, 'from the search index, too');
select is(pg_temp.left_of(tests.id('alpha session')) || '; ' || pg_temp.left_of(tests.id('beta session')),
  '1 chunk rows, 1 pages, 2 documents, 1 versions, 1 sessions; 1 chunk rows, 1 pages, 2 documents, 1 versions, 1 sessions', 'and nothing else');
select is((select string_agg(concat_ws(' ', action, user_id), ', ') from dossier.audit_log where object_id = tests.id('large')::text),
  'session.deleted alpha-member', 'one event names the caller; documents that go with their session have none');
select is((select count(*)::integer from dossier.audit_log where action = 'document.deleted' and organization_id = tests.id('alpha')), 0, 'not one of them');

-- The trash.

insert into dossier.sessions (id, organization_id, user_id, title, deleted_at) values (tests.id('trashed'), tests.id('alpha'), 'alpha-member', 'trashed', now() - interval '31 days');
select pg_temp.fill('trashed');
select tests.login(null, 'service_role');
select is(dossier.sweep() ->> 'sessions', '1', 'a session is due');
select is(dossier.sweep() ->> 'sessions', '0', 'which counts once');
select tests.logout();
select is((select string_agg(action, ', ') from dossier.audit_log where object_id = tests.id('trashed')::text), 'session.purged', 'as it has one event');
select dossier.sweep(), dossier.sweep();
select is(pg_temp.left_of(tests.id('trashed')), '0 chunk rows, 0 pages, 0 documents, 0 versions, 0 sessions', 'it is removed in steps, too');

-- Abandoned uploads and imports.

insert into dossier_private.document_chunks (organization_id, document_id, seq, bytes)
select tests.id('beta'), tests.id('beta upload'), seq, 'x' from generate_series(0, 1499) as seq;
update dossier.documents set created_at = now() - interval '2 hours' where id = tests.id('beta upload');
select is(dossier.sweep() - array['jobs', 'versions', 'usage_events', 'sessions'], '{"uploads": 0, "imports": 0, "more": true}', 'an upload of many chunk rows');
select is((select count(*)::integer from dossier_private.document_chunks where document_id = tests.id('beta upload')), 500, 'goes in steps');
insert into dossier_private.imports (id, organization_id, user_id, keep_ids, created_at) values (tests.id('import'), tests.id('beta'), 'beta-member', false, now() - interval '2 hours');
insert into dossier_private.import_records (import_id, organization_id, line, type, place, record)
select tests.id('import'), tests.id('beta'), line, 'session', 'line', '{}' from generate_series(1, 1500) as line;
select is(dossier.sweep() - array['jobs', 'versions', 'usage_events', 'sessions'], '{"uploads": 1, "imports": 0, "more": true}', 'and is gone');
select is((select count(*)::integer from dossier_private.import_records where import_id = tests.id('import')), 1001, 'the rest of that step begins with an import');
select is(dossier.sweep() - array['jobs', 'versions', 'usage_events', 'sessions'], '{"uploads": 0, "imports": 0, "more": true}', 'of many records');
select is(dossier.sweep() - array['jobs', 'versions', 'usage_events', 'sessions'], '{"uploads": 0, "imports": 1, "more": true}', 'which goes in steps, too');
select is(dossier.sweep() ->> 'more', 'false', 'until nothing is left');

select * from finish();
rollback;
