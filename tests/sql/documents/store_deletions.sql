-- The outbox of bytes outside Postgres: no deletion of a document loses its key. See ../setup.sql for how to run this.

begin;
select plan(39);
select tests.fixture();

create function pg_temp.outside(name text, tenant text default 'alpha', status text default 'stored') returns uuid
language sql as $$
  insert into dossier.documents (id, session_id, organization_id, user_id, name, media_type, size_bytes, sha256, status, storage, storage_key, created_at)
  values (tests.id(name), tests.id(tenant || ' session'), tests.id(tenant), tenant || '-member', name, 'text/plain', 1, repeat('0', 64), status, 'elsewhere', name,
    now() - interval '2 hours')
  returning id
$$;
create function pg_temp.pending() returns text
language sql as $$ select string_agg(concat_ws(' ', storage, storage_key, organization_id = tests.id('alpha')), ', ' order by storage_key) from dossier_private.store_deletions $$;
create function pg_temp.emptied(statement text, user_id text, role text default 'authenticated') returns text
language plpgsql as $$
declare
  found text;
begin
  begin
    perform tests.login(user_id, role);
    execute statement;
    perform tests.logout();
    found := coalesce(pg_temp.pending(), 'nothing');
    raise exception using errcode = 'UNDO0';
  exception when sqlstate 'UNDO0' then
    perform tests.logout();
    return found;
  end;
end
$$;
comment on function pg_temp.emptied(text, text, text) is 'What is to be deleted outside once this user has run a statement. Nothing remains of it.';

-- Storage columns.

select throws_ok($$ update dossier.documents set storage = 'elsewhere' where id = tests.id('alpha document') $$, '23514', null, 'bytes outside have a key');
select throws_ok($$ update dossier.documents set storage_key = 'x' where id = tests.id('alpha document') $$, '23514', null, 'bytes here have none');
select is(pg_temp.outside('one'), tests.id('one'), 'a document whose bytes are elsewhere');
select throws_ok($$ update dossier.documents set storage = 'elsewhere', storage_key = 'one' where id = tests.id('alpha document') $$, '23505', null, 'two documents do not share bytes');
select tests.login('alpha-member');
select tests.refuses($$ select dossier.read_content(tests.id('one')) $$, 'PT410', 'The bytes of this document are not in the database', 'they cannot be read here');
select is(dossier.export_sessions(array[tests.id('alpha session')], true) #>> '{sessions,0,documents,0,bytes}', null, 'it is not exported, either');
select is(tests.outcomes($$ update dossier.documents set storage = 'postgres', storage_key = null where id = tests.id('one') $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', 'no user may change the storage of a document');

-- Every way to delete a document.

select tests.logout();
select pg_temp.outside('two'), pg_temp.outside('upload', status => 'uploading');
select is(pg_temp.emptied(statement, user_id, role), wanted, statement)
from (values
  ($$ select dossier.delete_document(tests.id('one')) $$, 'alpha-member', 'authenticated', 'elsewhere one t'),
  ($$ delete from dossier.documents where id in (tests.id('one'), tests.id('two')) $$, 'alpha-member', 'authenticated', 'elsewhere one t, elsewhere two t'),
  ($$ select dossier.abort_upload(tests.id('upload')) $$, 'alpha-member', 'authenticated', 'elsewhere upload t'),
  ($$ select dossier.delete_sessions(array[tests.id('alpha session')]) $$, 'alpha-member', 'authenticated', 'nothing'),
  ($$ select dossier.delete_sessions(array[tests.id('alpha session')], permanently => true) $$, 'alpha-member', 'authenticated', 'elsewhere one t, elsewhere two t, elsewhere upload t'),
  ($$ delete from dossier.sessions $$, 'alpha-member', 'authenticated', 'elsewhere one t, elsewhere two t, elsewhere upload t'),
  ($$ delete from dossier.organizations $$, 'alpha-owner', 'authenticated', 'elsewhere one t, elsewhere two t, elsewhere upload t'),
  ($$ select dossier.forget_organization(tests.id('alpha')) $$, 'alpha-owner', 'authenticated', 'elsewhere one f, elsewhere two f, elsewhere upload f'),
  ($$ select dossier.forget_user('alpha-member') $$, null, 'service_role', 'elsewhere upload t'),
  ($$ select dossier.sweep() $$, null, 'service_role', 'elsewhere upload t')
) as t (statement, user_id, role, wanted);
update dossier.sessions set deleted_at = now() - interval '1 year' where id = tests.id('alpha session');
select is(pg_temp.emptied('select dossier.sweep()', null, 'service_role'), 'elsewhere one t, elsewhere two t, elsewhere upload t', 'a sweep of the trash');
update dossier.sessions set deleted_at = null where id = tests.id('alpha session');
select is(pg_temp.emptied('reset role; update dossier.documents set storage_key = ''moved'' where storage_key = ''one''', null), 'elsewhere one t', 'bytes that move');
select is(pg_temp.emptied('reset role; update dossier.documents set storage = ''postgres'', storage_key = null where storage_key = ''one''', null), 'elsewhere one t', 'bytes that move here');
select is(pg_temp.emptied($$ update dossier.documents set name = 'x' where id = tests.id('one') $$, 'alpha-member'), 'nothing', 'any other change leaves them');
select is(pg_temp.emptied($$ select dossier.delete_document(tests.id('alpha document')) $$, 'alpha-member'), 'nothing', 'bytes that are here go at once');

-- Draining.

select is(tests.outcomes(statement), 'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service ' || affected, statement)
from (values
  ($$ select from dossier.claim_store_deletions('elsewhere') $$, 0),
  ($$ select dossier.complete_store_deletions('{1}') $$, 1),
  ($$ select dossier.fail_store_deletion(1, 1, 'x') $$, 1),
  ($$ select from dossier_private.store_deletions $$, 42501)
) as t (statement, affected);
delete from dossier.documents where id in (tests.id('one'), tests.id('two'));
create temporary table claimed on commit drop as select * from dossier.claim_store_deletions('elsewhere') limit 0;
grant all on claimed to public;
select tests.login(null, 'service_role');
select tests.refuses($$ select dossier.claim_store_deletions('elsewhere', 0) $$, 'PT400', 'limit_count must be between 1 and 1000', 'no rows');
select tests.refuses($$ select dossier.claim_store_deletions('elsewhere', lease_seconds => 0) $$, 'PT400', 'lease_seconds must be between 1 and 3600', 'no lease');
select is_empty($$ select dossier.claim_store_deletions('another') $$, 'a worker claims what is in its store');
insert into claimed select * from dossier.claim_store_deletions('elsewhere');
select set_eq($$ select storage_key, attempt from claimed $$, $$ values ('one', 1), ('two', 1) $$, 'all of it');
select is_empty($$ select dossier.claim_store_deletions('elsewhere') $$, 'no other worker gets it meanwhile');
select ok(dossier.fail_store_deletion((select deletion_id from claimed where storage_key = 'one'), 1, 'no answer'), 'one fails');
select is(dossier.complete_store_deletions(array(select deletion_id from claimed where storage_key = 'two')), 1, 'one is gone');
select is(dossier.complete_store_deletions(array(select deletion_id from claimed where storage_key = 'two')), 0, 'once');
select tests.logout();
select results_eq($$ select storage_key, last_error, next_attempt_at between now() + interval '5 seconds' and now() + interval '10 seconds' from dossier_private.store_deletions $$,
  $$ values ('one', 'no answer', true) $$, 'a failed deletion waits before the retry');
update dossier_private.store_deletions set attempts = 99, next_attempt_at = now();
select tests.login(null, 'service_role');
select is((select attempt from dossier.claim_store_deletions('elsewhere')), 100, 'and is tried as often as it takes');
select is(dossier.fail_store_deletion((select deletion_id from claimed where storage_key = 'one'), 99, 'late'), false, 'a worker whose lease has expired cannot report a failure');
select ok(dossier.fail_store_deletion((select deletion_id from claimed where storage_key = 'one'), 100, ' '), 'a failure needs no reason');
select tests.logout();
select ok((select last_error = 'No reason was given.' and next_attempt_at between now() + interval '3 hours' and now() + interval '6 hours' from dossier_private.store_deletions), 'six hours apart at most');

select * from finish();
rollback;
