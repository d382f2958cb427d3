-- explain_upload() predicts the outcome of begin_upload(). See ../setup.sql for how to run this.

begin;
select plan(23);
select tests.fixture();

select is(tests.outcomes($$ select from dossier.explain_upload(tests.id('alpha session'), 'x.txt') $$),
  'owner 12, admin 12, member 12, viewer 12, other 12, nobody 12, anon 42501, service 12', 'every caller gets every check');

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
  'session PT404, max_bytes ?, max_documents ?, max_documents_a_day ?, max_extraction_seconds_a_day ?', 'it does not reveal whether the session exists');
select tests.login('alpha-viewer');
select is(pg_temp.failed('x.txt'), 'session 42501, max_bytes ?, max_documents ?, max_documents_a_day ?, max_extraction_seconds_a_day ?', 'a viewer');
select tests.login(null, 'service_role');
select is(pg_temp.failed('x.txt'), 'caller 42501, max_bytes ?, max_documents ?, max_documents_a_day ?, max_extraction_seconds_a_day ?', 'a token that names no user');
select from dossier.set_quota(tests.id('alpha'), 5, 2, 0, 0);
select tests.login('alpha-member');
select is(pg_temp.failed('x.txt'), 'max_bytes PT403, max_documents PT403, max_documents_a_day PT429, max_extraction_seconds_a_day PT429', 'quotas');
select results_eq($$ select check_name, passed, concerns, code, message, hint from dossier.explain_upload(tests.id('alpha session'), 'x.txt') where check_name in ('name', 'max_documents') $$,
  $$ values ('name', true, 'setting max_name_length', null::text, null::text, null::text),
    ('max_documents', false, 'quota max_documents', 'PT403', 'The quota of the organization is exhausted: 2 of 2 documents stored',
     'Delete documents, or delete sessions permanently, or ask the operator to raise the quota with set_quota().') $$, 'the text of a row');
select ok((select bool_and(passed or (message <> '' and detail <> '' and hint <> '' and concerns <> '')) from dossier.explain_upload(tests.id('beta session'), null, 'x', -1, '[]')), 'a failure says why and what to do');

-- The first failed check is the error of begin_upload().

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

-- The same for random arguments and callers, while quotas fill up. The seed makes it the same each time.

create function pg_temp.one_of(choices anyarray) returns anyelement
language sql as $$ select choices[1 + floor(random() * cardinality(choices))] $$;
create function pg_temp.refusal(in_session uuid, name text, media_type text, size_bytes bigint, metadata jsonb) returns text
language plpgsql as $$
declare
  detail text;
  hint text;
begin
  perform dossier.begin_upload(in_session, name, media_type, size_bytes, metadata);
  return null;
exception when others then
  get stacked diagnostics detail = pg_exception_detail, hint = pg_exception_hint;
  return format('%s %s %s %s', sqlstate, sqlerrm, detail, hint);
end
$$;
create function pg_temp.asked() returns table (caller text, question text, explained text, begun text)
language plpgsql as $$
declare
  name text;
  media_type text;
  size_bytes bigint;
  metadata jsonb;
  in_session uuid;
begin
  for n in 1 .. 600 loop
    caller := pg_temp.one_of(array['alpha-owner', 'alpha-member', 'alpha-member', 'alpha-member', 'alpha-viewer', 'beta-owner', null]);
    in_session := pg_temp.one_of(array[tests.id('alpha session'), tests.id('alpha session'), tests.id('alpha session'), tests.id('beta session'), null]);
    name := pg_temp.one_of(array['x.txt', 'x.pdf', 'y.docx', 'x', 'x.zip', 'a/b', repeat('n', 255), repeat('n', 256), null]);
    media_type := pg_temp.one_of(array[null, '', 'text/plain; charset=x', 'APPLICATION/PDF', 'application/octet-stream', 'image/heic', 'nonsense', 'text/' || repeat('t', 127)]);
    size_bytes := pg_temp.one_of(array[null, 0, 1, 4096, 10485760, 10485761, -1]);
    metadata := pg_temp.one_of(array['{}', '{"a": 1}', null, '[]', 'null', jsonb_build_object('x', repeat('x', 65530))]);
    perform tests.login(caller);
    question := format('%s %L %s %s %s', in_session, left(name, 9), left(media_type, 30), size_bytes, left(metadata::text, 9));
    explained := (
      select format('%s %s %s %s', e.code, e.message, e.detail, e.hint)
      from dossier.explain_upload(in_session, name, media_type, size_bytes, metadata) as e where e.passed is not true limit 1);
    begun := pg_temp.refusal(in_session, name, media_type, size_bytes, metadata);
    return next;
  end loop;
  perform tests.logout();
end
$$;
select tests.login(null, 'service_role');
select from dossier.set_quota(tests.id('alpha'), 20000000, 100, 20);
select tests.logout();
select is(tests.outcomes($$ select from dossier.explain_upload(tests.id('alpha session'), 'a.txt', size_bytes => 9223372036854775807) limit 1 $$),
  'owner 1, admin 1, member 1, viewer 1, other 1, nobody 1, anon 42501, service 1', 'a size to which nothing can be added');
select from setseed(0.5);
create temporary table answer as select * from pg_temp.asked();
select is_empty($$ select * from answer where explained is distinct from begun $$, 'both say the same, of six hundred uploads');
select set_has($$ select substring(begun from '^\w+') from answer $$, $$ values (null), ('42501'), ('PT400'), ('PT403'), ('PT404'), ('PT413'), ('PT415'), ('PT429') $$, 'among them all that can be said');
delete from dossier.documents where organization_id = tests.id('alpha') and id not in (tests.id('alpha document'), tests.id('alpha upload'));
delete from dossier_private.settings where name = 'max_file_bytes';
select tests.login('alpha-member');
select tests.refuses($$ select from dossier.explain_upload(tests.id('alpha session'), 'x.txt', size_bytes => 1) $$, 'PT500', 'The setting max_file_bytes is missing', 'a missing setting is a fault, not an explanation');
select tests.logout();
select is((select count(*)::integer from dossier.documents where organization_id = tests.id('alpha')), 2, 'nothing was begun');

select * from finish();
rollback;
