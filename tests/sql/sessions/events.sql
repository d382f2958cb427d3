-- Live status: which users read the changes of a session, what they say, and what is announced. Whether a second read returns only
-- later changes needs several transactions: see ../concurrency.sh. See ../setup.sql for how to run this.

begin;
select plan(37);
select tests.fixture();

-- session_changes.

select is(tests.outcomes($$ select from dossier.session_changes(tests.id('alpha session')) as c where c is not null $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service 1', 'members read the changes, and nobody else');
select is(tests.outcomes($$ select from dossier.session_changes(tests.id('nothing')) as c where c is not null $$),
  'owner 0, admin 0, member 0, viewer 0, other 0, nobody 0, anon 42501, service 0', 'a session that does not exist looks the same');

create function pg_temp.changes(since text default null) returns jsonb language plpgsql as $$
declare
  changes jsonb;
begin
  perform tests.login('alpha-viewer');
  changes := dossier.session_changes(tests.id('alpha session'), since);
  perform tests.logout();
  return changes;
end
$$;
select is((select string_agg(key, ' ' order by key) from jsonb_object_keys(pg_temp.changes()) as key),
  'context documents id reload session uploads', 'the members');
select is(pg_temp.changes() -> 'session', (select dossier.session_record(s) from dossier.sessions s where s.id = tests.id('alpha session')), 'the session, as everywhere');
select is(pg_temp.changes() -> 'context' -> 'version', '1'::jsonb, 'the version of the context');
select is(pg_temp.changes() -> 'context' ->> 'updated_by', 'alpha-member', 'and who saved it');
select ok(not pg_temp.changes() -> 'context' ? 'text_context', 'but not its text');
select is((select jsonb_agg(d -> 'id') from jsonb_array_elements(pg_temp.changes() -> 'documents') as d), jsonb_build_array(tests.id('alpha upload')),
  'the first read returns the documents in progress');
select is((select string_agg(key, ' ' order by key) from jsonb_object_keys(pg_temp.changes() -> 'documents' -> 0) as key),
  'error_code error_message hint id name ocr_status page page_count pages status updated_at', 'what an event of a document says');
insert into dossier_private.document_chunks (document_id, organization_id, seq, bytes) values
  (tests.id('alpha upload'), tests.id('alpha'), 0, repeat('x', 262144)::bytea), (tests.id('alpha upload'), tests.id('alpha'), 1, 'more');
update dossier.documents set size_bytes = 300000 where id = tests.id('alpha upload');
select is(pg_temp.changes() -> 'uploads',
  jsonb_build_array(jsonb_build_object('document_id', tests.id('alpha upload'), 'received', 262148, 'size', 300000)), 'how far an upload is');

update dossier.documents set status = 'failed', error_code = 'encrypted', error_message = 'It has a password.' where id = tests.id('alpha document');
select is((select d ->> 'hint' from jsonb_array_elements(pg_temp.changes(pg_temp.changes() ->> 'id') -> 'documents') as d where d ->> 'id' = tests.id('alpha document')::text),
  'Remove the password and upload the file again.', 'a failed document has a hint');
update dossier.documents set status = 'ready', error_code = null, error_message = null, ocr_status = 'running', ocr_page = 3, ocr_pages = 12 where id = tests.id('alpha document');
select is((select (d -> 'page') || (d -> 'pages') || (d -> 'hint') from jsonb_array_elements(pg_temp.changes() -> 'documents') as d where d ->> 'id' = tests.id('alpha document')::text),
  '[3, 12, null]', 'OCR says how far it is, and is in progress');

-- Positions.

select ok((pg_temp.changes() -> 'reload')::boolean, 'a first read asks for the list');
select ok(not (pg_temp.changes(pg_temp.changes() ->> 'id') -> 'reload')::boolean, 'a position that this database gave does not');
select ok((pg_temp.changes(position) -> 'reload')::boolean, 'this one does: ' || left(coalesce(position, 'null'), 40))
from unnest(array['', 'x', '1.2.3', '00000000.1.0000000000000000', 'ffffffff.99999999999999999999999.0000000000000000', repeat('9', 100000),
  regexp_replace(pg_temp.changes() ->> 'id', '\.\d+\.', '.999999999999999999.'), regexp_replace(pg_temp.changes() ->> 'id', '\w+$', '0123456789abcdef')]) as position;
create temporary table positions as select pg_temp.changes() ->> 'id' as before;
delete from dossier.documents where id = tests.id('alpha upload');
select ok((pg_temp.changes((select before from positions)) -> 'reload')::boolean, 'so does one from before a deletion');
select isnt(pg_temp.changes() ->> 'id', (select before from positions), 'the position names the documents that were there');

update dossier.sessions set deleted_at = now() where id = tests.id('alpha session');
select is(tests.outcomes($$ select from dossier.session_changes(tests.id('alpha session')) as c where c is not null $$),
  'owner 0, admin 0, member 0, viewer 0, other 0, nobody 0, anon 42501, service 0', 'a session in the trash has no status');
update dossier.sessions set deleted_at = null where id = tests.id('alpha session');

-- What is announced, once per statement. The functions that notify are replaced, because notifications are sent with the commit.

select is_empty($$ select tgname from pg_trigger
  where tgname ~ 'announce' and tgrelid in ('dossier.sessions'::regclass, 'dossier.session_context'::regclass, 'dossier.documents'::regclass, 'dossier.organization_members'::regclass)
    and tgtype & 1 <> 0 $$, 'no trigger that announces runs per row');
create temporary table announced (sessions uuid[]);
grant insert on announced to public;
create or replace function dossier_private.announce_sessions(session_ids uuid[]) returns void language plpgsql set search_path = '' as $$
begin
  insert into pg_temp.announced select session_ids where session_ids <> '{}';
end
$$;
create function pg_temp.announces(statement text) returns text language plpgsql as $$
declare
  heard text;
begin
  delete from pg_temp.announced;
  execute statement;
  select string_agg(cardinality(sessions)::text, ' ') into heard from pg_temp.announced;
  return heard;
end
$$;
insert into dossier.sessions (id, organization_id, user_id) select tests.id('s' || n), tests.id('alpha'), 'alpha-member' from generate_series(1, 5) as n;
select is(pg_temp.announces($$ update dossier.sessions set title = 'new' where organization_id = tests.id('alpha') and title is null $$), '5', 'sessions that one statement renames');
select is(pg_temp.announces($$ update dossier.sessions set title = 'new' where organization_id = tests.id('alpha') and title = 'new' $$), null, 'not those that stay the same');
select is(pg_temp.announces($$ update dossier.sessions set deleted_at = now() where id = tests.id('s1') $$), '1', 'one that moves to the trash');
select is(pg_temp.announces($$ update dossier.sessions set purged_at = now() where id = tests.id('s1') $$), null, 'not once more when it is purged');
select is(pg_temp.announces($$ delete from dossier.sessions where id in (tests.id('s1'), tests.id('s2')) $$), '1', 'one that is deleted outside of the trash');
select is(pg_temp.announces($$ insert into dossier.session_context (session_id, organization_id) values (tests.id('s3'), tests.id('alpha')), (tests.id('s4'), tests.id('alpha')) $$), '2', 'first contexts');
select is(pg_temp.announces($$ update dossier.session_context set version = 2 where session_id = tests.id('s3') $$), '1', 'a context that is saved');
select is(pg_temp.announces($$ insert into dossier.documents (session_id, organization_id, user_id, name, media_type)
  select tests.id('s3'), tests.id('alpha'), 'alpha-member', n || '.txt', 'text/plain' from generate_series(1, 50) as n $$), '1', 'new documents');
select is(pg_temp.announces($$ update dossier.documents set ocr_page = 4 where id = tests.id('alpha document') $$), '1', 'a page that OCR has read');
select is(pg_temp.announces($$ update dossier.documents set metadata = '{"a": 1}' where id = tests.id('alpha document') $$), null, 'not metadata, which no event has');
select is(pg_temp.announces($$ insert into dossier_private.document_chunks (document_id, organization_id, seq, bytes)
  select d.id, d.organization_id, 0, 'x' from dossier.documents d where d.session_id = tests.id('s3') $$), null, 'and no chunk');

select * from finish();
rollback;
