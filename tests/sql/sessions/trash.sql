-- The trash: deleting, restoring, visibility, retention. See ../setup.sql for how to run this.

begin;
select plan(109);
select tests.fixture();
insert into dossier.sessions (id, organization_id, user_id, title)
select tests.id('s' || n), tests.id('alpha'), 'alpha-member', 's' || n from generate_series(1, 3) as n;
insert into dossier.document_thumbnails (document_id, organization_id, media_type, width, height, bytes)
values (tests.id('alpha document'), tests.id('alpha'), 'image/webp', 1, 1, 'x');
select dossier_private.index_document(tests.id('alpha document')), dossier_private.index_context(c)
from dossier.session_context c where c.session_id = tests.id('alpha session');

-- delete_sessions.

select is(tests.outcomes($$ select from dossier.delete_sessions(array[tests.id('s1'), tests.id('alpha session')]) $$),
  'owner 2, admin 2, member 2, viewer 42501, other 0, nobody 0, anon 42501, service 2', 'callers that delete many');
select is(tests.outcomes($$ select from dossier.delete_sessions(array[tests.id('s1'), tests.id('alpha session')], permanently => true) $$),
  'owner 2, admin 2, member 2, viewer 42501, other 0, nobody 0, anon 42501, service 2', 'permanent deletion of many, per caller');
select tests.login('alpha-member');
select set_eq($$ select dossier.delete_sessions(array[tests.id('s1'), tests.id('alpha session'), tests.id('beta session'), tests.id('nothing'), tests.id('s1'), null]) $$,
  array[tests.id('s1'), tests.id('alpha session')], 'those that are there and visible');
select is_empty($$ select dossier.delete_sessions(array[tests.id('s1')]) $$, 'a trashed session cannot be trashed again');
select tests.logout();
select results_eq($$ select deleted_at, deleted_by from dossier.sessions where id = tests.id('s1') $$, $$ values (now(), 'alpha-member') $$, 'the row records who deleted it and when');
select ok(exists (select from dossier_private.document_chunks where document_id = tests.id('alpha document')), 'bytes are kept');
select is((select count(*)::integer from dossier.sessions where organization_id = tests.id('beta') and deleted_at is null), 1, 'another tenant''s session stays');
select tests.login('alpha-member');
select tests.refuses($$ select dossier.delete_sessions('{}') $$, 'PT400', 'session_ids must name 1 to 1000 sessions', 'no session');
select tests.refuses($$ select dossier.delete_sessions(null) $$, 'PT400', 'session_ids must name 1 to 1000 sessions', 'null');
select tests.refuses($$ select dossier.delete_sessions(array_fill(tests.id('s2'), array[1001])) $$, 'PT400', 'session_ids must name 1 to 1000 sessions', 'too many');
select tests.logout();
insert into dossier.organization_members (organization_id, user_id, role) values (tests.id('beta'), 'alpha-member', 'viewer');
select tests.login('alpha-member');
select tests.refuses($$ select dossier.delete_sessions(array[tests.id('s2'), tests.id('beta session')]) $$, '42501', 'You may not write in this organization', 'one that may only be read');
select ok(exists (select from dossier.sessions where id = tests.id('s2')), 'and then none');
select tests.logout();
delete from dossier.organization_members where organization_id = tests.id('beta') and user_id = 'alpha-member';

-- Users do not see a session in the trash, nor anything that belongs to it. Services see rows.

select is(tests.outcomes(format('select from dossier.%s', statement)), 'owner 0, admin 0, member 0, viewer 0, other 0, nobody 0, anon 42501, service 1', statement)
from (values
  ($$ sessions where id = tests.id('alpha session') $$),
  ($$ session_context where session_id = tests.id('alpha session') $$),
  ($$ session_context_versions where session_id = tests.id('alpha session') $$),
  ($$ context_history(tests.id('alpha session')) $$),
  ($$ documents where id = tests.id('alpha document') $$),
  ($$ document_pages where document_id = tests.id('alpha document') $$),
  ($$ document_thumbnails where document_id = tests.id('alpha document') $$)
) as t (statement);
select is(tests.outcomes(statement), 'owner 0, admin 0, member 0, viewer 0, other 0, nobody 0, anon 42501, service 1', statement)
from (values
  ($$ update dossier.sessions set title = 'x' where id = tests.id('alpha session') $$),
  ($$ delete from dossier.sessions where id = tests.id('alpha session') $$),
  ($$ update dossier.documents set name = 'x' where id = tests.id('alpha document') $$),
  ($$ delete from dossier.documents where id = tests.id('alpha document') $$)
) as t (statement);
select is(tests.outcomes($$ update dossier.sessions set deleted_at = null $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', 'no user may restore it by an update');
select is(tests.attempt($$ insert into dossier.sessions (organization_id, deleted_at) values (tests.id('alpha'), now()) $$, 'alpha-owner'), '42501', 'no user may trash one by an insert');

-- No function finds it, and the error is the same as for a missing session.

create function pg_temp.said(statement text) returns text
language plpgsql as $$
declare
  said text;
begin
  execute statement;
  return 'nothing';
exception when others then
  get stacked diagnostics said = message_text;
  return format('%s %s', sqlstate, said);
end
$$;
create temporary table functions (statement text, said text) on commit drop;
insert into functions values
  ($$ select dossier.save_context(tests.id('alpha session'), 'x') $$, 'PT404 Session not found'),
  ($$ select dossier.save_contexts(jsonb_build_array(jsonb_build_object('session_id', tests.id('alpha session')))) $$, 'PT404 1 of 1 contexts cannot be saved, so none was saved'),
  ($$ select dossier.restore_context(tests.id('alpha session'), 1) $$, 'PT404 Session not found'),
  ($$ select dossier.diff_context(tests.id('alpha session'), 0) $$, 'PT404 Session not found'),
  ($$ select dossier.begin_upload(tests.id('alpha session'), 'x.txt') $$, 'PT404 Session not found'),
  ($$ select dossier.append_upload(tests.id('alpha upload'), 0, 'x') $$, 'PT404 Document not found'),
  ($$ select dossier.finish_upload(tests.id('alpha upload'), 1, repeat('0', 64)) $$, 'PT404 Document not found'),
  ($$ select dossier.request_extraction(tests.id('alpha document')) $$, 'PT404 Document not found'),
  ($$ select dossier.search('hello', tests.id('alpha session')) $$, 'PT404 Session not found'),
  ($$ select dossier.search('hello', tests.id('alpha session'), tests.id('alpha')) $$, 'PT404 Session not found'),
  ($$ select dossier.pack_context(tests.id('alpha session')) $$, 'PT404 Session not found'),
  ($$ select dossier.export_sessions(array[tests.id('alpha session')]) $$, 'PT404 Some of the sessions were not found');
grant select on functions to public;
select tests.login('alpha-member');
select is(pg_temp.said(statement), said, statement) from functions;
select tests.login(null, 'service_role');
select is(pg_temp.said(statement), said, 'a service: ' || statement) from functions where statement !~ 'upload|search';
select is(tests.outcomes($$ select where dossier.delete_document(tests.id('alpha document')) or dossier.thumbnail_pending(tests.id('alpha upload')) $$),
  'owner 0, admin 0, member 0, viewer 0, other 0, nobody 0, anon 42501, service 0', 'nothing is deleted below it, or awaited');
select is(tests.outcomes($$ select where dossier.read_content(tests.id('alpha document')) is not null $$),
  'owner 0, admin 0, member 0, viewer 0, other 0, nobody 0, anon 42501, service 1', 'only services read its bytes: a worker may have begun');
select is(tests.outcomes($$ select from dossier.search('hello or context or note', organization_id => tests.id('alpha')) $$),
  'owner 0, admin 0, member 0, viewer 0, other PT404, nobody PT404, anon 42501, service 0', 'a search of the organization passes it over, for everybody');
select tests.login('alpha-member');
select is((select string_agg(check_name, ', ') from dossier.explain_upload(tests.id('alpha session'), 'x.txt') where not passed), 'session', 'an upload is explained as into no session');
select ok(dossier.abort_upload(tests.id('alpha upload')), 'the user who began an upload may abort it');
select tests.logout();
insert into dossier.documents (id, session_id, organization_id, user_id, name, media_type)
values (tests.id('alpha upload'), tests.id('alpha session'), tests.id('alpha'), 'alpha-member', 'note.txt', 'text/plain');

-- deleted_sessions.

select is(tests.outcomes($$ select from dossier.deleted_sessions() where organization_id = tests.id('alpha') $$),
  'owner 2, admin 2, member 2, viewer 2, other 0, nobody 0, anon 42501, service 2', 'callers that see the trash');
select is(tests.outcomes($$ select from dossier.deleted_sessions(tests.id('alpha')) $$),
  'owner 2, admin 2, member 2, viewer 2, other PT404, nobody PT404, anon 42501, service 2', 'of one organization');
update dossier.sessions set deleted_at = deleted_at - interval '1 day' where id = tests.id('s1');
select tests.login('alpha-viewer');
select results_eq($$ select id, organization_id, user_id, title, conversation_type, deleted_at, deleted_by, purge_at from dossier.deleted_sessions() $$,
  $$ values
    (tests.id('alpha session'), tests.id('alpha'), 'alpha-member', 'alpha session', 'meeting', now(), 'alpha-member', now() + interval '30 days'),
    (tests.id('s1'), tests.id('alpha'), 'alpha-member', 's1', 'meeting', now() - interval '1 day', 'alpha-member', now() + interval '29 days') $$, 'last deleted first');
select results_eq($$ select id from dossier.deleted_sessions(limit_count => 1) $$, array[tests.id('alpha session')], 'a page');
select results_eq($$ select id from dossier.deleted_sessions(before => now(), before_id => tests.id('alpha session')) $$, array[tests.id('s1')], 'the next one');
select results_eq($$ select id from dossier.deleted_sessions(before => now()) $$, array[tests.id('s1')], 'a time alone');
select tests.refuses($$ select dossier.deleted_sessions(limit_count => 0) $$, 'PT400', 'limit_count must be between 1 and 1000', 'no rows');
select tests.refuses($$ select dossier.deleted_sessions(tests.id('nothing')) $$, 'PT404', 'Organization not found', 'the trash of nothing');

-- restore_session.

select is(tests.outcomes($$ select from dossier.restore_session(tests.id('s1')) $$),
  'owner 1, admin 1, member 1, viewer 42501, other PT404, nobody PT404, anon 42501, service 1', 'callers that restore');
select tests.refuses($$ select dossier.restore_session(tests.id('s1')) $$, '42501', 'You may not write in this organization', 'a viewer');
select tests.login('alpha-member');
select results_eq($$ select id, title, deleted_at, deleted_by from dossier.restore_session(tests.id('s1')) $$,
  $$ values (tests.id('s1'), 's1', null::timestamptz, null::text) $$, 'it comes back');
select ok(exists (select from dossier.sessions where id = tests.id('s1')), 'and is there');
select tests.refuses($$ select dossier.restore_session(tests.id('s1')) $$, 'PT404', 'Session not found in the trash', 'a session outside the trash');
select tests.refuses($$ select dossier.restore_session(tests.id('nothing')) $$, 'PT404', 'Session not found in the trash', 'a session that does not exist');
select tests.refuses($$ select dossier.restore_session(null) $$, 'PT404', 'Session not found in the trash', 'null');
select tests.refuses($$ select dossier.restore_session(tests.id('beta session')) $$, 'PT404', 'Session not found in the trash', 'another tenant''s');

-- Its space and its name remain in use.

select results_eq($$ select bytes, documents, trashed_bytes, trashed_documents from dossier.usage(tests.id('alpha')) $$,
  $$ values (72::bigint, 2::bigint, 5::bigint, 2::bigint) $$, 'usage counts it, and says so');
select tests.login(null, 'service_role');
select tests.refuses(format($$ select dossier.import_sessions(
  '{"format": "dossier", "version": 1, "sessions": [{"id": %s, "user_id": "x", "conversation_type": "meeting", "status": "active",
    "created_at": "2026-01-01", "updated_at": "2026-01-01", "context_versions": [], "documents": []}]}', tests.id('beta'), true) $$, to_json(tests.id('alpha session'))),
  'PT409', 'An id of the bundle already exists', 'no import takes its id');

-- Jobs of sessions in the trash wait.

select tests.logout();
delete from dossier_private.jobs;
insert into dossier_private.jobs (document_id, organization_id, run_at)
values (tests.id('alpha document'), tests.id('alpha'), now() - interval '1 hour');
update dossier.documents set status = 'stored' where id = tests.id('alpha document');
select tests.login('alpha-member');
select from dossier.restore_session(tests.id('alpha session'));
select from dossier.delete_sessions(array[tests.id('alpha session')]);
select tests.login(null, 'service_role');
select is_empty($$ select from dossier.claim_jobs('w') $$, 'no worker reads what is in the trash');
select is((select findings from dossier.doctor() where check_name = 'workers'), '{}', 'which the doctor does not find strange');
select tests.login('alpha-member');
select is((dossier.restore_session(tests.id('alpha session'))).title, 'alpha session', 'when it comes back');
select tests.login(null, 'service_role');
select results_eq($$ select document_id from dossier.claim_jobs('w') $$, array[tests.id('alpha document')], 'they go on');
select tests.login('alpha-member');
select from dossier.delete_sessions(array[tests.id('alpha session')]);
select tests.logout();
select ok(dossier.complete_job(id, attempts, '[{"page": 1, "text": "hello again"}]'), 'a worker under way ends its work') from dossier_private.jobs where status = 'running';
select tests.login('alpha-member');
select is_empty($$ select from dossier.search('again') $$, 'its text is not found');
select from dossier.restore_session(tests.id('alpha session'));
select isnt_empty($$ select from dossier.search('again') $$, 'until the session is restored');
select isnt_empty($$ select from dossier.document_pages where document_id = tests.id('alpha document') $$, 'its pages are back, too');
select isnt_empty($$ select from dossier.document_thumbnails where document_id = tests.id('alpha document') $$, 'and its thumbnail');
select is((select text_context from dossier.session_context where session_id = tests.id('alpha session')), 'alpha context', 'and its context');
select isnt_empty($$ select from dossier.append_upload(tests.id('alpha upload'), 0, 'x') $$, 'an upload goes on, too');

-- Permanently.

select from dossier.delete_sessions(array[tests.id('s2')]);
select set_eq($$ select dossier.delete_sessions(array[tests.id('s2'), tests.id('alpha session')], permanently => true) $$,
  array[tests.id('s2'), tests.id('alpha session')], 'permanently, from the trash too');
select tests.logout();
select is_empty($$ select from dossier.sessions where id in (tests.id('s2'), tests.id('alpha session')) $$, 'they are gone');
select is_empty($$ select from dossier.documents where session_id = tests.id('alpha session') $$, 'with their documents');
select is_empty($$ select from dossier_private.document_chunks where document_id = tests.id('alpha document') $$, 'and their bytes');

-- Retention.

select is(tests.outcomes($$ select from dossier.set_trash_retention(tests.id('alpha'), 7) $$),
  'owner 1, admin 1, member 42501, viewer 42501, other PT404, nobody PT404, anon 42501, service 1', 'callers that set the retention');
select tests.login('alpha-member');
select tests.refuses($$ select dossier.set_trash_retention(tests.id('alpha'), 7) $$, '42501', 'This function requires the role admin in the organization', 'a member');
select tests.login('alpha-admin');
select tests.refuses($$ select dossier.set_trash_retention(tests.id('alpha'), -1) $$, 'PT400', 'keep_days must be 0 to 36500', 'less than nothing');
select tests.refuses($$ select dossier.set_trash_retention(tests.id('alpha'), 36501) $$, 'PT400', 'keep_days must be 0 to 36500', 'more than a century');
select tests.refuses($$ select dossier.set_trash_retention(tests.id('beta')) $$, 'PT404', 'Organization not found', 'another tenant''s');
select is((dossier.set_trash_retention(tests.id('alpha'), 7)).keep_days, 7, 'a week');
select is(tests.outcomes($$ select from dossier.trash_retention where organization_id = tests.id('alpha') $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service 1', 'callers that see it');
select is(tests.outcomes(statement), 'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', statement)
from (values
  ($$ insert into dossier.trash_retention values (tests.id('beta'), 1) $$),
  ($$ update dossier.trash_retention set keep_days = 1 $$),
  ($$ delete from dossier.trash_retention $$)
) as t (statement);
select tests.login('alpha-admin');
select from dossier.delete_sessions(array[tests.id('s1')]);
select is((select purge_at from dossier.deleted_sessions()), now() + interval '7 days', 'it counts from now on');
select from dossier.set_trash_retention(tests.id('alpha'), 8);
select is((select purge_at from dossier.deleted_sessions()), now() + interval '8 days', 'and for what is there already');
select is((dossier.set_trash_retention(tests.id('alpha'))).keep_days, 30, 'without days the setting counts');
select is_empty($$ select from dossier.trash_retention $$, 'and nothing is kept');
select from dossier.set_trash_retention(tests.id('alpha'), 0);
select set_eq($$ select dossier.delete_sessions(array[tests.id('s3')]) $$, array[tests.id('s3')], 'without a trash');
select tests.logout();
select is_empty($$ select from dossier.sessions where id = tests.id('s3') $$, 'without a trash, a deleted session is gone');

-- The sweeper.

select from dossier.set_trash_retention(tests.id('alpha'), 7);
select tests.login('beta-member');
select from dossier.delete_sessions(array[tests.id('beta session')]);
select tests.login(null, 'service_role');
select is((dossier.sweep() ->> 'sessions')::integer, 0, 'a sweep keeps sessions that are not due');
select tests.logout();
update dossier.sessions set deleted_at = now() - interval '8 days' where id in (tests.id('s1'), tests.id('beta session'));
select tests.login(null, 'service_role');
select is((dossier.sweep() ->> 'sessions')::integer, 1, 'a sweep purges sessions that are due');
select tests.logout();
select results_eq($$ select id from dossier.sessions where deleted_at is not null $$, array[tests.id('beta session')], 'by each organization''s own rule');
update dossier_private.settings set value = '8' where name = 'trash_days';
select tests.login(null, 'service_role');
select is((dossier.sweep() ->> 'sessions')::integer, 1, 'or by the setting');
select tests.logout();
select is_empty($$ select from dossier.documents where session_id = tests.id('beta session') $$, 'with all that hung on it');
insert into dossier.sessions (organization_id, user_id, deleted_at) select tests.id('beta'), 'x', now() - interval '9 days' from generate_series(1, 101);
select is((dossier.sweep() ->> 'sessions')::integer, 100, 'a hundred at a time');
select is((dossier.sweep() ->> 'sessions')::integer, 1, 'and the rest');
select throws_ok($$ update dossier_private.settings set value = '-1' where name = 'trash_days' $$, '23514', null, 'the setting is a number of days');

-- The audit log.

select is((select concat_ws(' ', action, user_id, role, details ->> 'title') from dossier.audit_log where object_id = tests.id('alpha session')::text order by id desc limit 1),
  'session.deleted alpha-member authenticated alpha session', 'a permanent deletion names the caller');
select is((select string_agg(distinct concat_ws(' ', action, user_id), ', ') from dossier.audit_log where object_id = tests.id('s1')::text),
  'session.purged, session.restored alpha-member, session.trashed alpha-admin, session.trashed alpha-member', 'the log names who trashed and restored one; a purge has no user');
select is((select string_agg(details ->> 'keep_days', ', ' order by id) from dossier.audit_log where action = 'trash_retention.set' and organization_id = tests.id('alpha')), '7, 8, 0, 7', 'the log names who set the retention');

select * from finish();
rollback;
