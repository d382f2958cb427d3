-- Rules for the whole catalogue: grants, policies, comments. Each table, function and grant by name:
-- ../../schema/. The rules of the linter: ../doctor/lint.sql. See ../setup.sql for how to run this.

begin;
select plan(16);

create temporary view ours as
  select oid, nspname as schema from pg_namespace where nspname in ('dossier', 'dossier_private');
create temporary view tables as
  select c.oid, ours.schema, c.relname as name, c.relkind as kind, c.relrowsecurity as rls
  from pg_class c join ours on ours.oid = c.relnamespace where c.relkind in ('r', 'v', 'm', 'f', 'p');
create temporary view functions as
  select p.*, ours.schema, l.lanname as language
  from pg_proc p join ours on ours.oid = p.pronamespace join pg_language l on l.oid = p.prolang;
-- Functions of native installs only: tests/sql/needs/native/.
create temporary view native (name) as
  values ('extract_text'), ('extract_pages'), ('detect_media_type'), ('run_job'), ('job_outcome');

create function pg_temp.executable(of_schema text, by_role text) returns setof text
language sql as $$
  select distinct f.proname::text from functions f
  where f.schema = of_schema and has_function_privilege(by_role, f.oid, 'execute')
    and f.proname not in (select name from native)
$$;

-- Execute privileges.

select set_eq($$ select pg_temp.executable('dossier', 'anon') $$, array['limits'], 'anon may execute only limits()');
select set_eq($$ select pg_temp.executable('dossier_private', 'anon') $$, array['limits'], 'private functions behind what anon may execute');
select is_empty($$
  select f.proname from functions f, aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) a where a.grantee = 0
$$, 'nothing is granted to public');
select is_empty($$
  select rolname from pg_roles where rolname in ('anon', 'authenticated', 'service_role') and has_schema_privilege(oid, 'dossier_private', 'usage, create')
$$, 'no API role can name anything in dossier_private');
select set_eq($$
  select rolname::text from pg_roles where rolname in ('anon', 'authenticated', 'service_role') and has_schema_privilege(oid, 'dossier', 'usage')
$$, array['anon', 'authenticated', 'service_role'], 'the API roles may use schema dossier');
select is_empty($$
  select rolname from pg_roles where rolname in ('anon', 'authenticated', 'service_role') and has_schema_privilege(oid, 'dossier', 'create')
$$, 'no API role may create anything in schema dossier');

select is_empty($$
  select t.name, privilege from tables t,
    unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) as privilege
  where has_table_privilege('anon', t.oid, privilege)
    or (privilege in ('select', 'insert', 'update', 'references') and has_any_column_privilege('anon', t.oid, privilege))
$$, 'anon has no right on any table');

-- Policies and views, beyond the rules of the linter (../doctor/lint.sql).

select is_empty($$
  select polrelid::regclass, polname from pg_policy p join tables t on t.oid = p.polrelid
  where p.polroles <> array[(select oid from pg_roles where rolname = 'authenticated')]
    or polname !~ ('^' || t.name || '_(select|insert|update|delete|all)_')
$$, 'every policy is to authenticated and named <table>_<command>_<who>');
select is_empty($$ select schema, name from tables where kind not in ('r', 'p') and schema = 'dossier' $$, 'no view is exposed (0010)');
select is_empty($$
  select distinct t.name, a.attname from tables t
  join pg_attribute a on a.attrelid = t.oid
  join pg_policy p on p.polrelid = t.oid
    and pg_get_expr(p.polqual, p.polrelid) ~ format('\m(%s) = (ANY|\( SELECT)', a.attname)
  where not exists (select from pg_index i where i.indrelid = t.oid and i.indkey[0] = a.attnum)
$$, 'every column that a policy filters by leads an index');

-- Comments, and the requirements of the Supabase CLI.

select is_empty($$
  select schema, name from tables where obj_description(oid, 'pg_class') is null
$$, 'every table has a comment');
select is_empty($$
  select t.schema, t.name, a.attname from tables t join pg_attribute a on a.attrelid = t.oid
  where a.attnum > 0 and not a.attisdropped and col_description(t.oid, a.attnum) is null
$$, 'every column has a comment');
select is_empty($$
  select schema, proname from functions where obj_description(oid, 'pg_proc') is null
$$, 'every function has a comment');
select is_empty($$
  select schema, proname from functions where prosqlbody is not null
    and cardinality(regexp_split_to_array(lower(pg_get_function_sqlbody(oid)), 'end')) <> 2
$$, 'begin atomic bodies hold "end" only as their last word: the CLI would split the migration at another');

-- The roles that plain Postgres lacks, and the version, which any caller with a token may read.

\set schemas `cat sql/core/schemas.sql`
select tests.refuses(replace(:'schemas', 'array[''anon''', 'array[''tests_missing'''), '42704',
  'Dossier grants its API to roles that do not exist: tests_missing', 'an install without its roles');
select is(tests.outcomes($$ select where dossier.version() like '%.%.%' $$),
  'owner 1, admin 1, member 1, viewer 1, other 1, nobody 1, anon 42501, service 1', 'callers that may ask for the version');

select * from finish();
rollback;
