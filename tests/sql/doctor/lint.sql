-- The linter: quiet on Dossier's schemas, and each rule fires if it is violated. See ../setup.sql for how to run this.

begin;
select plan(12);

select is_empty($$ select * from dossier_private.lint(array['dossier', 'dossier_private']) $$, 'Dossier breaks no rule');

create schema if not exists auth;
create table if not exists auth.users (id uuid primary key);
create schema broken;
grant usage on schema broken to anon;

create table broken.bare (id integer, owner integer, word regproc);
create table broken.shut (id integer primary key, user_id uuid);
alter table broken.shut enable row level security;
create table broken.loose (id integer primary key, parent integer constraint loose_parent_fkey references broken.loose (id),
  user_id uuid constraint loose_user_fkey references auth.users (id));
create policy one on broken.loose for select to authenticated using (id = current_setting('x')::integer);
create policy two on broken.loose using (current_setting('request.jwt.claims')::jsonb #>> '{user_metadata,id}' = id::text);
create policy three on broken.loose for insert to authenticated with check ((select current_setting('x')) = id::text);
create index loose_user_id_idx on broken.loose (user_id);
create index loose_user_id_again_idx on broken.loose (user_id);
create index loose_unfinished_idx on broken.loose (parent) where id > 0;
create view broken.window as select * from broken.shut;
create view broken.everybody with (security_invoker = true) as select id from auth.users;
create materialized view broken.copy as select * from broken.shut;
grant select on broken.window, broken.everybody, broken.copy to authenticated;
do $$
begin
  if (select rolsuper from pg_roles where rolname = current_user) then -- only a superuser may create a wrapper
    create foreign data wrapper tests_nowhere;
    create server tests_nowhere foreign data wrapper tests_nowhere;
    create foreign table broken.elsewhere (id integer) server tests_nowhere;
    grant select on broken.elsewhere to authenticated;
  end if;
end
$$;
-- An index of a partitioned table is invalid until each partition has its own.
create table broken.parted (id integer primary key) partition by range (id);
alter table broken.parted enable row level security;
create policy nobody on broken.parted using (false);
create schema aside;
create table aside.part partition of broken.parted for values from (1) to (9);
create index parted_id_idx on only broken.parted (id desc);
create function broken.powerful() returns integer language sql security definer set search_path = '' return 1;
create function broken.trusting() returns integer language sql return 1;

create function pg_temp.found() returns table (rule text, finding text)
language sql as $$
  select * from dossier_private.lint(array['broken'])
  union
  select 'foreign_table_in_api', 'broken.elsewhere' where not (select rolsuper from pg_roles where rolname = current_user)
$$;

select set_eq($$ select * from pg_temp.found() $$, $$ values
  ('rls_disabled', 'broken.bare'), ('rls_disabled', 'broken.loose'),
  ('policy_exists_rls_disabled', 'broken.loose'),
  ('rls_enabled_no_policy', 'broken.shut'),
  ('rls_references_user_metadata', 'two on broken.loose'),
  ('multiple_permissive_policies', 'one, two on broken.loose'), ('multiple_permissive_policies', 'three, two on broken.loose'),
  ('auth_rls_initplan', 'one on broken.loose'), ('auth_rls_initplan', 'two on broken.loose'),
  ('definer_function_executable', 'broken.powerful(), by anon'), ('definer_function_executable', 'broken.powerful(), by authenticated'),
  ('function_search_path_mutable', 'broken.trusting()'),
  ('security_definer_view', 'broken."window"'),
  ('auth_users_exposed', 'broken.everybody'),
  ('materialized_view_in_api', 'broken.copy'),
  ('foreign_table_in_api', 'broken.elsewhere'),
  ('foreign_key_to_auth', 'loose_user_fkey of broken.loose'),
  ('no_primary_key', 'broken.bare'),
  ('unindexed_foreign_keys', 'loose_parent_fkey of broken.loose'),
  ('duplicate_index', 'broken.loose_user_id_idx, broken.loose_user_id_again_idx of broken.loose'),
  ('invalid_index', 'broken.parted_id_idx'),
  ('unsupported_reg_types', 'word of broken.bare')
$$, 'every rule fires');
select set_eq($$ select rule from pg_temp.found() $$, $$ select rule from dossier_private.lint_rules() $$, 'and there are no others');
select is_empty($$ select rule from dossier_private.lint_rules() where fix = '' or status not in ('warning', 'error') $$, 'each has a severity and a fix');

create function pg_temp.fires(wanted text) returns boolean
language sql as $$ select exists (select from pg_temp.found() where rule = wanted) $$;
revoke usage on schema broken from anon;
select ok(not pg_temp.fires('definer_function_executable') and not pg_temp.fires('security_definer_view') and not pg_temp.fires('auth_users_exposed'),
  'a view that no API role can reach is not exposed');
grant usage on schema broken to authenticated;
select ok(pg_temp.fires('security_definer_view'), 'authenticated reaching it is enough');
alter view broken.window set (security_invoker = true);
select ok(not pg_temp.fires('security_definer_view'), 'a security invoker view does not fire');
create index loose_parent_idx on broken.loose (parent);
select ok(not pg_temp.fires('unindexed_foreign_keys'), 'an index that begins with it serves a foreign key');
drop index broken.loose_user_id_again_idx;
select ok(not pg_temp.fires('duplicate_index'), 'a single index is not a duplicate');
drop policy two on broken.loose;
select ok(not pg_temp.fires('multiple_permissive_policies'), 'one policy a command is enough');
revoke execute on function broken.powerful() from public;
select ok(not pg_temp.fires('definer_function_executable'), 'a definer function of the owner''s is nobody else''s');
alter function broken.trusting() set search_path = '';
select ok(not pg_temp.fires('function_search_path_mutable'), 'an empty search path is fixed');

select * from finish();
rollback;
