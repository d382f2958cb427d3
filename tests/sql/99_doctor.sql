-- The doctor: quiet on a fresh install, and what it finds when something is broken. See 00_setup.sql on how to run this.

begin;
select plan(46);
select tests.fixture();
select dossier_private.index_document(tests.id(tenant || ' document')), dossier_private.index_context(c)
from unnest(array['alpha', 'beta']) as tenant join dossier.session_context c on c.session_id = tests.id(tenant || ' session');

select is(tests.outcomes($$ select from dossier.doctor() $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 37', 'who may ask');
-- What depends on rows and the machine is looked at below: tests run on databases that hold other things, without fsync.
select is_empty($$ select * from dossier_private.catalogue_findings() where status <> 'ok' $$, 'the catalogue is in order');
select is_empty($$ select * from dossier.doctor() where (status <> 'ok' and findings = '{}') or (status = 'ok') <> (mend is null) $$, 'what is not in order says what was found and how to mend it');
select set_has($$ select check_name from dossier.doctor() $$,
  $$ select check_name from dossier_private.catalogue_findings() union select check_name from dossier_private.data_findings()
    union select rule from dossier_private.lint_rules() $$, 'every finding belongs to a check');
select matches((select findings[1] from dossier.doctor() where check_name = 'version'), '^Dossier [0-9.]+, (native|hosted), PostgreSQL', 'it says what is installed');

-- Breaks something, asks, and mends it by rolling back.
create function pg_temp.finds(statement text, wanted text) returns text
language plpgsql as $$
declare
  before text[] := (select findings from dossier.doctor() where check_name = wanted);
  after record;
begin
  begin
    execute statement;
    select d.status, d.findings into after from dossier.doctor() as d where d.check_name = wanted;
    raise exception using errcode = 'UNDO0';
  exception
    when sqlstate 'UNDO0' then
      return ok(after.findings <> before and after.status <> 'ok', format('%s: %s', wanted, statement));
    when insufficient_privilege then
      -- Who is no superuser cannot break roles in these ways.
      if trim(statement) !~ '^(alter role|revoke service_role) ' then
        raise;
      end if;
      return skip(format('this role may not %s', trim(statement)), 1);
  end;
end
$$;
select pg_temp.finds(statement, wanted)
from (values
  ('roles', 'alter role service_role nobypassrls'),
  ('roles', 'alter role authenticated bypassrls'),
  ('login', 'revoke service_role from authenticator'),
  ('login', 'alter role authenticator inherit'),
  ('rls_disabled', 'alter table dossier.documents disable row level security'),
  ('rls_enabled_no_policy', 'drop policy documents_select_viewer on dossier.documents; drop policy documents_update_member on dossier.documents; drop policy documents_delete_member on dossier.documents'),
  ('multiple_permissive_policies', 'create policy more on dossier.sessions for select to authenticated using (true)'),
  ('auth_rls_initplan', $$ create policy more on dossier.quotas for insert to authenticated with check (current_setting('x') = 'y') $$),
  ('rights', 'grant select on dossier.documents to anon'),
  ('rights', 'grant insert on dossier.documents to authenticated'),
  ('rights', 'grant all on all tables in schema dossier to public'),
  ('rights', 'grant select on dossier_private.jobs to authenticated'),
  ('rights', 'grant usage on schema dossier_private to authenticated'),
  ('rights', 'grant execute on all functions in schema dossier to public'),
  ('definer_function_executable', 'grant execute on function dossier.forget_user(text) to authenticated'),
  ('function_search_path_mutable', 'alter function dossier.search reset search_path'),
  ('function_search_path_mutable', 'alter function dossier_private.my_role set search_path = public'),
  ('unindexed_foreign_keys', 'drop index dossier_private.jobs_document_id_idx'),
  ('no_primary_key', 'alter table dossier.audit_log drop constraint audit_log_pkey'),
  ('constraints', $$ alter table dossier.sessions drop constraint sessions_title_check, add constraint sessions_title_check check (char_length(title) <= 500) not valid $$),
  ('triggers', 'alter table dossier.documents disable trigger documents_announce'),
  ('rights', 'revoke select on dossier.documents from authenticated'),
  ('rights', 'revoke usage on schema dossier from anon'),
  ('rights', 'grant create on schema dossier to service_role'),
  ('rights', 'revoke execute on function dossier.search from authenticated'),
  ('rights', 'grant execute on function dossier.usage to anon'),
  ('api', $$ alter role authenticator set pgrst.db_schemas = 'public, graphql_public' $$),
  ('api', $$ alter role authenticator set pgrst.db_schemas = 'public, dossier, dossier_private' $$),
  ('membership', 'create table dossier_tests_members (organization_id uuid, user_id uuid); select dossier.use_membership(''dossier_tests_members'')'),
  ('membership', 'alter view dossier_private.my_memberships rename to gone'),
  ('bytes', $$ delete from dossier_private.document_chunks where document_id = tests.id('alpha document') $$),
  ('bytes', $$ alter table dossier_private.document_chunks drop constraint document_chunks_document_id_fkey; insert into dossier_private.document_chunks values (tests.id('nobody'), 0, 'x') $$),
  ('settings', $$ delete from dossier_private.settings where name = 'max_file_bytes' $$),
  ('workers', $$ update dossier_private.jobs set status = 'queued', run_at = now() - interval '1 hour' where document_id = tests.id('alpha document') $$),
  ('uploads', $$ update dossier.documents set created_at = now() - interval '2 days' where id = tests.id('alpha upload') $$),
  ('jobs', $$ update dossier.documents set status = 'stored' where id = tests.id('alpha document') $$),
  ('search', $$ delete from dossier_private.search_entries where document_id = tests.id('alpha document') $$),
  ('owners', $$ alter table dossier.organization_members disable trigger user; delete from dossier.organization_members where user_id = 'alpha-owner' $$)
) as t (wanted, statement);

-- What is merely said.

create function pg_temp.says(wanted text) returns text
language sql as $$ select format('%s: %s', status, array_to_string(findings, '; ')) from dossier.doctor() where check_name = wanted $$;
select is(pg_temp.says('membership'), 'ok: kept in organization_members', 'where membership is kept');
select dossier.use_claims_membership();
select is(pg_temp.says('membership'), 'ok: read from the claim ["app_metadata", "organizations"] of tokens', 'or read from');
select matches(pg_temp.says('reader'), 'files are read by edges|a text of one line is read as .The doctor was here', 'who reads files');

select * from finish();
rollback;
