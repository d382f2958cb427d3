-- Lists over all organizations of the caller: visibility, order and pages. See ../setup.sql for how to run this.

begin;
select plan(26);
select tests.fixture();

select is(tests.outcomes($$ select from dossier.list_sessions(tests.id('alpha')) $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service 1', 'callers that list an organization''s sessions');
select is(tests.outcomes($$ select from dossier.list_documents(tests.id('alpha')) $$),
  'owner 2, admin 2, member 2, viewer 2, other 0, nobody 0, anon 42501, service 2', 'callers that list an organization''s documents');
select is(tests.outcomes($$ select from dossier.list_documents() as d where d.organization_id = tests.id('beta') $$),
  'owner 0, admin 0, member 0, viewer 0, other 2, nobody 0, anon 42501, service 2', 'without an organization: one''s own');

-- Sessions of two organizations alternately, some created at the same moment; documents likewise.
insert into dossier.organization_members (organization_id, user_id, role)
select tests.id(tenant), 'both', 'viewer' from unnest(array['alpha', 'beta']) as tenant;
insert into dossier.sessions (id, organization_id, user_id, title, created_at)
select tests.id('s' || n), tests.id(case n % 2 when 0 then 'alpha' else 'beta' end), 'x', 's' || n, '2040-01-01'::timestamptz + n / 3 * interval '1 minute'
from generate_series(1, 9) as n;
insert into dossier.documents (id, session_id, organization_id, user_id, name, media_type, created_at)
select tests.id('d' || s.title), s.id, s.organization_id, 'x', 'd' || s.title, 'text/plain', s.created_at
from dossier.sessions as s where s.created_at >= '2040-01-01';
create function pg_temp.all_sessions() returns setof text language sql as $$
  select s.title from dossier.sessions as s order by s.created_at desc, s.id desc
$$;
create function pg_temp.all_documents() returns setof text language sql as $$
  select d.name from dossier.documents as d order by d.created_at desc, d.id desc
$$;

select tests.login('both');
select results_eq('select title from dossier.list_sessions()', 'select * from pg_temp.all_sessions()', 'sessions of all organizations, newest first');
select results_eq('select name from dossier.list_documents()', 'select * from pg_temp.all_documents()', 'documents of all organizations, newest first');
select results_eq('select title from dossier.list_sessions(limit_count => 4)', 'select * from pg_temp.all_sessions() limit 4', 'the newest four');

-- Page by page, three rows each.
select results_eq($$
  with recursive pages as (
    select array(select s from dossier.list_sessions(limit_count => 3) as s) as rows
    union all
    select array(select s from dossier.list_sessions(limit_count => 3, before => rows[3].created_at, before_id => rows[3].id) as s)
    from pages where cardinality(rows) = 3
  )
  select s.title from pages cross join unnest(pages.rows) as s
$$, 'select * from pg_temp.all_sessions()', 'sessions page by page, each once');
select results_eq($$
  with recursive pages as (
    select array(select d from dossier.list_documents(limit_count => 3) as d) as rows
    union all
    select array(select d from dossier.list_documents(limit_count => 3, before => rows[3].created_at, before_id => rows[3].id) as d)
    from pages where cardinality(rows) = 3
  )
  select d.name from pages cross join unnest(pages.rows) as d
$$, 'select * from pg_temp.all_documents()', 'documents page by page, each once');
select is((select max(created_at) from dossier.list_sessions(before => '2040-01-01 00:02Z')), '2040-01-01 00:01Z', 'before a time excludes that time');
select is((select count(*) from dossier.list_sessions(before => '2000-01-01')), 0::bigint, 'nothing is older');

-- Filters.

select tests.logout();
update dossier.sessions set status = 'archived' where title in ('s1', 's4');
update dossier.sessions set conversation_type = 'interview' where title in ('s4', 's7');
update dossier.documents set media_type = 'image/png' where name in ('ds2', 'ds3');
update dossier.documents set status = 'failed', error_code = 'x', error_message = 'x', sha256 = repeat('a', 64), size_bytes = 1 where name in ('ds3', 'ds5');
select tests.login('both');
select is(array(select title from dossier.list_sessions(status => 'archived')), array['s4', 's1'], 'sessions with a status');
select is(array(select title from dossier.list_sessions(conversation_type => 'interview')), array['s7', 's4'], 'sessions of a type');
select is(array(select title from dossier.list_sessions(tests.id('alpha'), status => 'archived', conversation_type => 'interview')), array['s4'], 'all filters apply');
select is(array(select title from dossier.list_sessions(status => 'archived', limit_count => 1)), array['s4'], 'the newest that match');
select tests.refuses($$ select from dossier.list_sessions(status => 'gone') $$, 'PT400', 'status is not a valid filter', 'an unknown status of sessions');
select is(array(select name from dossier.list_documents(media_type => 'image/*')), array['ds3', 'ds2'], 'documents of a kind');
select is(array(select name from dossier.list_documents(status => 'failed', media_type => 'text/plain')), array['ds5'], 'documents with a status');
select is(array(select name from dossier.list_documents(session_id => tests.id('s3'))), array['ds3'], 'documents of a session');
select is(array(select name from dossier.list_documents(tests.id('alpha'), session_id => tests.id('s3'))), array[]::text[], 'which is in another organization');
select is(array(select name from dossier.list_documents(session_id => tests.id('s3'), status => 'ready')), array[]::text[], 'a session without any that match');
select tests.refuses($$ select from dossier.list_documents(status => 'gone') $$, 'PT400', 'status is not a valid filter', 'an unknown status of documents');

select tests.logout();
select tests.login('alpha-member');
select from dossier.delete_sessions(array[tests.id('s8')]);
select tests.login('both');
select results_eq('select title from dossier.list_sessions(limit_count => 3)', array['s9', 's7', 's6'], 'trashed sessions are not listed');

select tests.refuses($$ select from dossier.list_sessions(limit_count => 0) $$, 'PT400', 'limit_count must be between 1 and 1000', 'no sessions');
select tests.refuses($$ select from dossier.list_sessions(limit_count => 1001) $$, 'PT400', 'limit_count must be between 1 and 1000', 'too many sessions');
select tests.refuses($$ select from dossier.list_documents(limit_count => null) $$, 'PT400', 'limit_count must be between 1 and 1000', 'any number of documents');
select tests.refuses($$ select from dossier.list_documents(limit_count => 1001) $$, 'PT400', 'limit_count must be between 1 and 1000', 'too many documents');
select tests.logout();

select * from finish();
rollback;
