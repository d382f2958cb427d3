-- The caller's identity, hostile claims, and objects that no API role can reach. See ../setup.sql for how to run this.

begin;
select plan(30);
select tests.fixture();

-- Claims.

create function pg_temp.caller(claims text) returns text
language plpgsql as $$
begin
  perform set_config('request.jwt.claims', claims, true);
  return dossier_private.caller_id();
end
$$;

select is(pg_temp.caller('{"sub":"11111111-1111-4111-8111-111111111111"}'), '11111111-1111-4111-8111-111111111111', 'a uuid is a subject');
select is(pg_temp.caller('{"sub":"user_2NNEqL2nrIRdJ194ndJqAHwEfxC"}'), 'user_2NNEqL2nrIRdJ194ndJqAHwEfxC', 'so is a third party''s id');
select is(pg_temp.caller(''), null, 'empty claims are nobody');
select is(pg_temp.caller('{}'), null, 'claims without sub are nobody');
select is(pg_temp.caller('{"sub":""}'), null, 'an empty sub is nobody');
select is(pg_temp.caller('{"sub":null}'), null, 'a null sub is nobody');
select is(pg_temp.caller('null'), null, 'JSON null is nobody');
select is(pg_temp.caller('["sub"]'), null, 'an array is nobody');
select is(pg_temp.caller('"sub"'), null, 'a string is nobody');
select throws_ok($$ select pg_temp.caller('{"sub":') $$, '22P02', null, 'malformed claims are an error, not a caller');
select is(tests.attempt($$ select from dossier.create_session() $$, 'x'' or ''1''=''1'), '42501', 'a subject is data');
select tests.login(repeat('x', 256));
select tests.refuses($$ select dossier.create_organization('x') $$, 'PT400', 'The user id is longer than 255 characters', 'a subject has at most 255 characters');

-- Functions that need a user refuse a token without sub and a service key.

select is(tests.outcomes(statement), 'owner 1, admin 1, member 1, viewer 1, other 1, nobody 42501, anon 42501, service 42501', statement)
from (values ($$ select from dossier.create_organization('x') $$)) as t (statement);
select tests.login(null, 'service_role');
select tests.refuses($$ select dossier.create_organization('x') $$, '42501', 'This function requires a signed-in user', 'create_organization needs a user');
select tests.refuses($$ select dossier.create_session() $$, '42501', 'This function requires a signed-in user', 'create_session needs a user');
select tests.refuses($$ select dossier.begin_upload(tests.id('alpha session'), 'x.txt') $$, '42501', 'This function requires a signed-in user', 'begin_upload needs a user');
select tests.refuses($$ select dossier.append_upload(tests.id('alpha upload'), 0, 'x') $$, '42501', 'This function requires a signed-in user', 'append_upload needs a user');
select tests.refuses($$ select dossier.finish_upload(tests.id('alpha upload'), 1, 'x') $$, '42501', 'This function requires a signed-in user', 'finish_upload needs a user');
select tests.refuses($$ select dossier.abort_upload(tests.id('alpha upload')) $$, '42501', 'This function requires a signed-in user', 'abort_upload needs a user');

-- The private schema cannot be reached by name, whatever a user may execute in it.

select tests.login('alpha-owner');
select throws_ok($$ select dossier_private.read_content(tests.id('beta document'), 0, 10) $$, '42501', 'permission denied for schema dossier_private', 'no private function by name');
select throws_ok($$ select * from dossier_private.document_chunks $$, '42501', 'permission denied for schema dossier_private', 'no private table by name');
select throws_ok($$ update dossier_private.settings set value = '1' $$, '42501', 'permission denied for schema dossier_private', 'no setting by name');
select tests.login(null, 'service_role');
select throws_ok($$ select * from dossier_private.jobs $$, '42501', 'permission denied for schema dossier_private', 'service_role may not, either');
select tests.logout();

-- A caller's search_path and temporary objects are ignored.

select tests.login('alpha-member');
create temporary table organization_members (organization_id uuid, user_id text, role text);
create temporary table documents (id uuid, user_id text, status text);
create function pg_temp.caller_id() returns text language sql as $$ select 'beta-owner' $$;
create function pg_temp.octet_length(bytea) returns integer language sql as $$ select 1 $$;
insert into organization_members values (tests.id('beta'), 'alpha-member', 'owner');
set local search_path = pg_temp, dossier, pg_catalog, public;
select is((select count(*)::integer from dossier.sessions where organization_id = tests.id('beta')), 0, 'a temporary table lends no membership');
select is((dossier.create_session('mine')).user_id, 'alpha-member', 'a temporary function lends no identity');
reset search_path;
select tests.logout();

-- Keys.

select matches(dossier_private.uuid_v7()::text, '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$', 'keys are uuid version 7');
select ok(
  abs(extract(epoch from clock_timestamp()) * 1000 - ('x' || lpad(substring(replace(dossier_private.uuid_v7()::text, '-', '') for 12), 16, '0'))::bit(64)::bigint) < 60000,
  'they begin with the time in milliseconds');
select is(
  (select count(*)::integer from (
    select id, lag(id) over (order by n) as before
    from (select n, dossier_private.uuid_v7() as id from generate_series(1, 100) as n, lateral (select pg_sleep(0.0001 * sign(n))) as wait) as made
  ) as pairs where id < before),
  0, 'keys made one after another ascend');
select is(dossier.limits() -> 'chunk_bytes', '262144', 'limits name the size of a chunk');
select is(tests.outcomes($$ select where dossier.limits() ->> 'max_file_bytes' is not null $$),
  'owner 1, admin 1, member 1, viewer 1, other 1, nobody 1, anon 1, service 1', 'callers that may ask for the limits');

select * from finish();
rollback;
