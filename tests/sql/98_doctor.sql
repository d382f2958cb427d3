-- The doctor: quiet on a fresh install, and what it finds when something is broken. See 00_setup.sql on how to run this.

begin;
select plan(30);
select tests.fixture();
select dossier_private.index_document(tests.id(tenant || ' document')), dossier_private.index_context(c)
from unnest(array['alpha', 'beta']) as tenant join dossier.session_context c on c.session_id = tests.id(tenant || ' session');

select is(tests.outcomes($$ select from dossier.doctor() $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 18', 'who may ask');
-- What depends on rows and the machine is looked at below: tests run on databases that hold other things, without fsync.
select is_empty($$ select * from dossier_private.catalogue_findings() $$, 'the catalogue is in order');
select is_empty($$ select * from dossier.doctor() where passed <> (findings = '{}') or passed <> (mend is null) $$, 'what did not pass says what was found and how to mend it');
select is_empty($$ select check_name from dossier_private.catalogue_findings() union select check_name from dossier_private.data_findings() except select check_name from dossier.doctor() $$,
  'every finding belongs to a check');

-- Breaks something, asks, and mends it by rolling back.
create function pg_temp.finds(statement text, wanted text) returns text
language plpgsql as $$
declare
  before text[] := (select findings from dossier.doctor() where check_name = wanted);
  after text[];
begin
  begin
    execute statement;
    after := (select findings from dossier.doctor() where check_name = wanted);
    raise exception using errcode = 'UNDO0';
  exception
    when sqlstate 'UNDO0' then
      return ok(after <> before and after <> '{}', format('%s: %s', wanted, statement));
    when insufficient_privilege then
      -- Who is no superuser cannot break roles in these ways.
      if trim(statement) not like 'alter role %' then
        raise;
      end if;
      return skip(format('only a superuser may %s', trim(statement)), 1);
  end;
end
$$;
select pg_temp.finds(statement, wanted)
from (values
  ('roles', 'alter role service_role nobypassrls'),
  ('roles', 'alter role authenticated bypassrls'),
  ('row_level_security', 'alter table dossier.documents disable row level security'),
  ('row_level_security', 'drop policy documents_select_viewer on dossier.documents; drop policy documents_update_member on dossier.documents; drop policy documents_delete_member on dossier.documents'),
  ('policies', 'create policy more on dossier.sessions for select to authenticated using (true)'),
  ('policies', $$ create policy more on dossier.quotas for insert to authenticated with check (current_setting('x') = 'y') $$),
  ('rights', 'grant select on dossier.documents to anon'),
  ('rights', 'grant insert on dossier.documents to authenticated'),
  ('rights', 'grant all on all tables in schema dossier to public'),
  ('rights', 'grant select on dossier_private.jobs to authenticated'),
  ('rights', 'grant usage on schema dossier_private to authenticated'),
  ('rights', 'grant execute on all functions in schema dossier to public'),
  ('definer_functions', 'grant execute on function dossier.forget_user(text) to authenticated'),
  ('search_paths', 'alter function dossier.search reset search_path'),
  ('search_paths', 'alter function dossier_private.my_role set search_path = public'),
  ('indexes', 'drop index dossier_private.jobs_document_id_idx'),
  ('indexes', 'alter table dossier.audit_log drop constraint audit_log_pkey'),
  ('constraints', $$ alter table dossier.sessions drop constraint sessions_title_check, add constraint sessions_title_check check (char_length(title) <= 500) not valid $$),
  ('triggers', 'alter table dossier.documents disable trigger documents_announce'),
  ('api', $$ alter role authenticator set pgrst.db_schemas = 'public, graphql_public' $$),
  ('settings', $$ delete from dossier_private.settings where name = 'max_file_bytes' $$),
  ('workers', $$ update dossier_private.jobs set status = 'queued', run_at = now() - interval '1 hour' where document_id = tests.id('alpha document') $$),
  ('uploads', $$ update dossier.documents set created_at = now() - interval '2 days' where id = tests.id('alpha upload') $$),
  ('jobs', $$ update dossier.documents set status = 'stored' where id = tests.id('alpha document') $$),
  ('search', $$ delete from dossier_private.search_entries where document_id = tests.id('alpha document') $$),
  ('owners', $$ alter table dossier.organization_members disable trigger user; delete from dossier.organization_members where user_id = 'alpha-owner' $$)
) as t (wanted, statement);

select * from finish();
rollback;
