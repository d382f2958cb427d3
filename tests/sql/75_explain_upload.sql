-- What begin_upload() would say. See 00_setup.sql on how to run this.

begin;
select plan(20);
select tests.fixture();

select is(tests.outcomes($$ select from dossier.explain_upload(tests.id('alpha session'), 'x.txt') $$),
  'owner 12, admin 12, member 12, viewer 12, other 12, nobody 12, anon 42501, service 12', 'whoever asks gets every check');

create function pg_temp.failed(name text, media_type text default null, size_bytes bigint default null, session_name text default 'alpha session', metadata jsonb default '{}') returns text
language sql as $$
  select string_agg(concat_ws(' ', check_name, coalesce(code, case when passed is null then '?' end)), ', ')
  from dossier.explain_upload(tests.id(session_name), name, media_type, size_bytes, metadata) where passed is not true
$$;
select tests.login('alpha-member');
select is(pg_temp.failed('x.txt'), null, 'nothing is wrong');
select is(pg_temp.failed('a/b', 'no type', -1, metadata => '[]'),
  'name PT400, size PT400, media_type PT400, metadata PT400, allowed_media_types PT415', 'everything that is wrong is said at once');
select is(pg_temp.failed('x.exe', 'application/x-executable', 10485761), 'max_file_bytes PT413, allowed_media_types PT415', 'settings');
select is(pg_temp.failed('x.txt', session_name => 'beta session'),
  'session PT404, max_bytes ?, max_documents ?, max_documents_a_day ?, max_extraction_seconds_a_day ?', 'a stranger learns nothing of quotas');
select is(pg_temp.failed('x.txt', session_name => 'nothing'),
  'session PT404, max_bytes ?, max_documents ?, max_documents_a_day ?, max_extraction_seconds_a_day ?', 'nor whether the session exists');
select tests.login('alpha-viewer');
select is(pg_temp.failed('x.txt'), 'session 42501, max_bytes ?, max_documents ?, max_documents_a_day ?, max_extraction_seconds_a_day ?', 'a viewer');
select tests.login(null, 'service_role');
select is(pg_temp.failed('x.txt'), 'caller 42501, max_bytes ?, max_documents ?, max_documents_a_day ?, max_extraction_seconds_a_day ?', 'a token that names no user');
select from dossier.set_quota(tests.id('alpha'), 5, 2, 0, 0);
select tests.login('alpha-member');
select is(pg_temp.failed('x.txt'), 'max_bytes PT403, max_documents PT403, max_documents_a_day PT429, max_extraction_seconds_a_day PT429', 'quotas');
select results_eq($$ select check_name, passed, concerns, code, message, hint from dossier.explain_upload(tests.id('alpha session'), 'x.txt') where check_name in ('name', 'max_documents') $$,
  $$ values ('name', true, 'setting max_name_length', null::text, null::text, null::text),
    ('max_documents', false, 'quota max_documents', 'PT403', 'The organization''s quota is used up: 2 of 2 documents stored',
     'Delete documents that are not needed, or have the operator raise the quota with set_quota().') $$, 'what a row says');
select ok((select bool_and(passed or (message <> '' and detail <> '' and hint <> '' and concerns <> '')) from dossier.explain_upload(tests.id('beta session'), null, 'x', -1, '[]')), 'a failure says why and what to do');

-- The first check that fails is what begin_upload() says.

create function pg_temp.begin_says(name text, media_type text, size_bytes bigint, session_name text) returns text
language plpgsql as $$
begin
  perform dossier.begin_upload(tests.id(session_name), name, media_type, size_bytes);
  return null;
exception when others then
  return sqlstate || ' ' || sqlerrm;
end
$$;
create function pg_temp.explain_says(name text, media_type text, size_bytes bigint, session_name text) returns text
language sql as $$
  select code || ' ' || message from dossier.explain_upload(tests.id(session_name), name, media_type, size_bytes) where passed = false limit 1
$$;
select is(pg_temp.explain_says(name, media_type, size_bytes, session_name), pg_temp.begin_says(name, media_type, size_bytes, session_name), what)
from (values
  ('x.txt', null, 1::bigint, 'alpha session', 'both say: a quota'),
  (null, null, null, 'alpha session', 'both say: no name'),
  ('x.txt', null, null, 'beta session', 'both say: no session'),
  ('x.txt', 'x', -1, 'alpha session', 'both say: a size'),
  ('x.txt', 'x', 1, 'alpha session', 'both say: a type'),
  ('x.zip', 'application/zip', 1, 'alpha session', 'both say: not allowed'),
  ('x.txt', null, 99999999999, 'alpha session', 'both say: too large')
) as t (name, media_type, size_bytes, session_name, what);
select tests.logout();
delete from dossier_private.settings where name = 'max_file_bytes';
select tests.login('alpha-member');
select tests.refuses($$ select from dossier.explain_upload(tests.id('alpha session'), 'x.txt', size_bytes => 1) $$, 'PT500', 'Dossier''s setting max_file_bytes is missing', 'a missing setting is a fault, not an explanation');
select tests.logout();
select is((select count(*)::integer from dossier.documents where organization_id = tests.id('alpha')), 2, 'nothing was begun');

select * from finish();
rollback;
