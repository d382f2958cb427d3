-- The doctor: quiet on a fresh install, and its findings if something is broken. See ../setup.sql for how to run this.

begin;
set local client_min_messages = warning;
select plan(78);
select tests.fixture();
select dossier_private.index_document(tests.id(tenant || ' document')), dossier_private.index_context(c)
from unnest(array['alpha', 'beta']) as tenant join dossier.session_context c on c.session_id = tests.id(tenant || ' session');

select is(tests.outcomes($$ select from dossier.doctor() $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 44', 'callers that may run the doctor');
-- Checks that depend on rows and the machine come below: tests run on databases with other rows, without fsync.
select is_empty($$
  select * from dossier.doctor() as d left join dossier_private.doctor_checks() as c on c.name = d.check_name
  where d.status <> 'ok' and coalesce(c.area, 'linter') in ('catalogue', 'schema', 'linter')
$$, 'the catalogue is in order');
select is_empty($$ select * from dossier.doctor() where (status <> 'ok' and findings = '{}') or (status = 'ok') <> (fix is null) $$, 'every failed check has findings and a fix');
select set_eq($$ select 'doctor_' || name from dossier_private.doctor_checks() $$,
  $$ select proname::text from pg_proc where pronamespace = 'dossier_private'::regnamespace and proname ~ '^doctor_' and proname <> 'doctor_checks' $$,
  'every check is a function, and every such function is a check');
select matches((select findings[1] from dossier.doctor() where check_name = 'version'), '^Dossier [0-9.]+, (native|hosted), PostgreSQL', 'it says what is installed');

select is((select d.status || ': ' || d.findings[1] from dossier.doctor() as d where d.check_name = 'settings'),
  'ok: users may create organizations, and the setting default_quotas does not limit what these store', 'it says that users have no quotas');
update dossier_private.settings set value = '{"max_bytes": 1}' where name = 'default_quotas';
select is((select d.findings from dossier.doctor() as d where d.check_name = 'settings'), '{}', 'and not if they have');
update dossier_private.settings set value = '{}' where name = 'default_quotas';

-- Breaks something, runs the doctor, follows its hint, runs it again, and rolls everything back.
create function pg_temp.finds(wanted text, statement text, fix text) returns text
language plpgsql as $$
declare
  before record;
  broken record;
  fixed record;
begin
  select d.status, d.findings into before from dossier.doctor() as d where d.check_name = wanted;
  begin
    execute statement;
    select d.status, d.findings into broken from dossier.doctor() as d where d.check_name = wanted;
    execute fix;
    select d.status into fixed from dossier.doctor() as d where d.check_name = wanted;
    raise exception using errcode = 'UNDO0';
  exception
    when sqlstate 'UNDO0' then
      return is(
        case when broken.status = 'ok' or broken.findings = before.findings then 'not found' else fixed.status end,
        before.status, format('%s: %s', wanted, statement));
    when insufficient_privilege then
      -- Only a superuser can break roles in these ways.
      if trim(statement) !~ '^(alter role|alter table \w+\.\w+ owner|grant (anon|service_role) to|revoke service_role) ' then
        raise;
      end if;
      return skip(format('this role may not %s', trim(statement)), 1);
  end;
end
$$;
create temporary table broken (wanted, statement, fix) as values
  ('roles', 'alter role service_role nobypassrls', 'alter role service_role bypassrls'),
  ('roles', 'alter role authenticated bypassrls', 'alter role authenticated nobypassrls'),
  ('roles', 'grant service_role to authenticated', 'revoke service_role from authenticated'),
  ('ownership', 'alter table dossier.sessions owner to authenticated', $$ do 'begin execute format(''alter table dossier.sessions owner to %s'', (select n.nspowner::regrole from pg_namespace n where nspname = ''dossier'')); end' $$),
  ('login', 'revoke service_role from authenticator', 'grant anon, authenticated, service_role to authenticator'),
  -- Since 16, inheritance is a property of each grant, not of the role.
  ('login', case when current_setting('server_version_num')::int < 160000 then 'alter role authenticator inherit'
    else 'grant anon to authenticator with inherit true' end, case when current_setting('server_version_num')::int < 160000
    then 'alter role authenticator noinherit' else 'grant anon to authenticator with inherit false' end),
  ('rls_disabled', 'alter table dossier.documents disable row level security', 'alter table dossier.documents enable row level security'),
  ('rls_enabled_no_policy', 'drop policy conversation_types_select_authenticated on dossier.conversation_types',
    'create policy conversation_types_select_authenticated on dossier.conversation_types for select to authenticated using (true)'),
  ('multiple_permissive_policies', 'create policy more on dossier.sessions for select to authenticated using (true)', 'drop policy more on dossier.sessions'),
  ('auth_rls_initplan', $$ create policy more on dossier.quotas for insert to authenticated with check (current_setting('x') = 'y') $$,
    $$ alter policy more on dossier.quotas with check ((select current_setting('x')) = 'y') $$),
  ('rights', 'grant select on dossier.documents to anon', 'revoke select on dossier.documents from anon'),
  ('rights', 'grant insert on dossier.documents to authenticated', 'revoke insert on dossier.documents from authenticated'),
  ('rights', 'grant all on all tables in schema dossier to public', 'revoke all on all tables in schema dossier from public'),
  ('rights', 'grant select on dossier_private.jobs to authenticated', 'revoke select on dossier_private.jobs from authenticated'),
  ('rights', 'grant usage on schema dossier_private to authenticated', 'revoke usage on schema dossier_private from authenticated'),
  ('rights', 'grant execute on all functions in schema dossier to public', 'revoke execute on all functions in schema dossier from public'),
  ('rights', 'revoke select on dossier.documents from authenticated', 'grant select on dossier.documents to authenticated'),
  ('rights', 'revoke usage on schema dossier from anon', 'grant usage on schema dossier to anon'),
  ('rights', 'grant create on schema dossier to service_role', 'revoke create on schema dossier from service_role'),
  ('rights', 'revoke execute on function dossier.search from authenticated', 'grant execute on function dossier.search to authenticated'),
  ('rights', 'grant execute on function dossier.usage to anon', 'revoke execute on function dossier.usage from anon'),
  ('definer_function_executable', 'grant execute on function dossier.forget_user(text) to authenticated',
    'revoke execute on function dossier.forget_user(text) from public, anon, authenticated'),
  ('function_search_path_mutable', 'alter function dossier.search reset search_path', $$ alter function dossier.search set search_path = '' $$),
  ('function_search_path_mutable', 'alter function dossier_private.my_role set search_path = public', $$ alter function dossier_private.my_role set search_path = '' $$),
  ('unindexed_foreign_keys', 'drop index dossier_private.jobs_organization_id_document_id_idx', 'create index on dossier_private.jobs (organization_id, document_id)'),
  ('no_primary_key', 'alter table dossier.audit_log drop constraint audit_log_pkey', 'alter table dossier.audit_log add primary key (id)'),
  ('constraints', $$ alter table dossier.sessions drop constraint sessions_title_check, add constraint sessions_title_check check (char_length(title) <= 500) not valid $$,
    'alter table dossier.sessions validate constraint sessions_title_check'),
  ('triggers', 'alter table dossier.documents disable trigger documents_announce', 'alter table dossier.documents enable trigger documents_announce'),
  ('views', 'create view public.dossier_tests_leak as select * from dossier.sessions; grant select on public.dossier_tests_leak to authenticated',
    'alter view public.dossier_tests_leak set (security_invoker = true)'),
  ('schema', 'create policy evil on dossier.sessions for select to public using (true)', 'drop policy evil on dossier.sessions'),
  ('schema', 'alter policy sessions_select_viewer on dossier.sessions using (true)', 'select dossier_private.record_schema()'),
  ('schema', 'drop policy sessions_select_viewer on dossier.sessions', 'select dossier_private.record_schema()'),
  ('schema', 'alter policy sessions_select_viewer on dossier.sessions to anon', 'alter policy sessions_select_viewer on dossier.sessions to authenticated'),
  ('schema', 'grant update (organization_id) on dossier.sessions to authenticated', 'revoke update (organization_id) on dossier.sessions from authenticated'),
  ('schema', 'grant insert on dossier.audit_log to service_role', 'revoke insert on dossier.audit_log from service_role'),
  ('schema', 'drop trigger organization_members_keep_an_owner on dossier.organization_members', $$
    create trigger organization_members_keep_an_owner after update or delete on dossier.organization_members
      for each row when (old.role = 'owner' and old.accepted_at is not null) execute function dossier_private.keep_an_owner() $$),
  ('schema', 'drop index dossier_private.search_entries_search_idx',
    'create index search_entries_search_idx on dossier_private.search_entries using gin (search)'),
  ('schema', 'alter table dossier.session_context drop constraint session_context_session_fkey', 'select dossier_private.record_schema()'),
  ('schema', 'alter table dossier.sessions alter column user_id drop not null', 'alter table dossier.sessions alter column user_id set not null'),
  ('schema', $$ create or replace function dossier_private.my_organizations(least_role text default 'viewer') returns setof uuid
      language plpgsql stable parallel safe security definer set search_path = '' rows 10
      as 'begin return query select o.id from dossier.organizations as o; end' $$,
    'select dossier_private.record_schema()'),
  ('schema', 'alter function dossier_private.my_role security invoker', 'alter function dossier_private.my_role security definer'),
  ('api', $$ alter role authenticator set pgrst.db_schemas = 'public, graphql_public' $$, $$ alter role authenticator set pgrst.db_schemas = 'public, dossier' $$),
  ('api', $$ alter role authenticator set pgrst.db_schemas = 'public, dossier, dossier_private' $$, $$ alter role authenticator set pgrst.db_schemas = 'public, dossier' $$),
  ('membership', $$ create table dossier_tests_members (organization_id uuid, user_id uuid); select dossier.use_membership('dossier_tests_members', other_role => 'member') $$,
    'create index on dossier_tests_members (user_id)'),
  ('membership', $$ create or replace function dossier_private.my_memberships() returns table (organization_id uuid, role text)
      language plpgsql stable parallel safe security definer set search_path = '' rows 10 as
      'begin return query select o.id, ''owner''::text from dossier.organizations as o; end' $$,
    'select dossier.use_own_membership()'),
  ('membership', $$ create table dossier_tests_members (organization_id uuid, user_id uuid primary key); select dossier.use_membership('dossier_tests_members') $$,
    $$ select dossier.use_membership('dossier_tests_members', other_role => 'member') $$),
  ('membership', 'alter function dossier_private.my_memberships() rename to gone', 'select dossier.use_own_membership()'),
  ('bytes', $$ delete from dossier_private.document_chunks where document_id = tests.id('alpha document') $$,
    $$ insert into dossier_private.document_chunks values (tests.id('alpha document'), tests.id('alpha'), 0, 'hello') $$),
  ('bytes', $$ alter table dossier_private.document_chunks drop constraint document_chunks_document_fkey; insert into dossier_private.document_chunks values (tests.id('nobody'), tests.id('alpha'), 0, 'x') $$,
    $$ delete from dossier_private.document_chunks where document_id = tests.id('nobody') $$),
  ('settings', $$ delete from dossier_private.settings where name = 'trash_days' $$, $$ insert into dossier_private.settings (name, value) values ('trash_days', '30') $$),
  ('settings', $$ create temporary table kept as select s.name, s.value from dossier_private.settings as s where s.name = 'membership'; delete from dossier_private.settings where name = 'membership' $$,
    'insert into dossier_private.settings (name, value) select * from kept'),
  ('settings', $$ delete from dossier_private.settings where name = 'max_file_bytes' $$, $$ insert into dossier_private.settings (name, value) values ('max_file_bytes', '10485760') $$),
  ('workers', $$ update dossier_private.jobs set status = 'queued', run_at = now() - interval '1 hour' where document_id = tests.id('alpha document') $$,
    $$ select from dossier.claim_jobs('an edge', 100) $$),
  ('workers', $$ update dossier_private.jobs set status = 'running', attempts = 1, worker = 'lost', lease_expires_at = now() - interval '1 hour' where document_id = tests.id('alpha document') $$,
    $$ select from dossier.claim_jobs('an edge', 100) $$),
  ('store', $$ insert into dossier_private.store_deletions (organization_id, storage, storage_key, attempts, last_error) values (tests.id('alpha'), 'elsewhere', 'a', 5, 'no answer') $$, 'select dossier.complete_store_deletions(array_agg(id)) from dossier_private.store_deletions'),
  ('trash', $$ update dossier.sessions set deleted_at = now() - interval '32 days' where id = tests.id('alpha session') $$, 'select dossier.sweep()'),
  ('uploads', $$ update dossier.documents set created_at = now() - interval '2 days' where id = tests.id('alpha upload') $$, 'select dossier.sweep()'),
  ('jobs', $$ update dossier.documents set status = 'stored' where id = tests.id('alpha document') $$, $$ select dossier.request_extraction(tests.id('alpha document')) $$),
  ('search', $$ delete from dossier_private.search_entries where document_id = tests.id('alpha document') $$, 'select dossier_private.index_missing()'),
  ('search', $$ delete from dossier_private.search_entries where session_id = tests.id('alpha session') and document_id is null $$,
    'select dossier_private.index_missing()'),
  ('owners', $$ alter table dossier.organization_members disable trigger user; delete from dossier.organization_members where user_id = 'alpha-owner' $$,
    $$ insert into dossier.organization_members (organization_id, user_id, role, accepted_at) values (tests.id('alpha'), 'new', 'owner', now()) $$);
select pg_temp.finds(wanted, statement, fix) from broken;
select set_eq($$ select check_name from dossier.doctor() $$, $$
  select wanted from broken
  union select rule from dossier_private.lint_rules() -- each is violated in doctor/lint.sql
  union values ('version'), ('durability'), ('dumps'), ('reader'), ('sandbox'), ('limits'), ('realtime') -- no test can break these, or not in every install
$$, 'every check is made to find something');

-- Objects that an app adds are not findings.

create index sessions_title_idx on dossier.sessions (title);
create function public.dossier_tests_watch() returns trigger language plpgsql as 'begin return null; end';
create trigger watch after insert on dossier.sessions for each row execute function public.dossier_tests_watch();
create policy sessions_lunch on dossier.sessions as restrictive for delete to authenticated using (true);
select is((select d.status from dossier.doctor() as d where d.check_name = 'schema'), 'error', 'a policy is reported');
drop policy sessions_lunch on dossier.sessions;
select is((select d.status from dossier.doctor() as d where d.check_name = 'schema'), 'ok', 'an index and a trigger of the app''s are the app''s affair');

-- Findings that are information only.

create function pg_temp.says(wanted text) returns text
language sql as $$ select format('%s: %s', status, array_to_string(findings, '; ')) from dossier.doctor() where check_name = wanted $$;
select is(pg_temp.says('membership'), 'ok: membership is read from organization_members', 'where membership is kept');
select dossier.use_claims_membership();
select is(pg_temp.says('membership'), 'ok: membership is read from the claim ["app_metadata", "organizations"] of tokens', 'or read from');
select matches(pg_temp.says('reader'), 'edges extract files|the text of a one-line file is .The doctor was here', 'the check reader reports who extracts files');

-- What a worker reports of its sandbox. Hosted installs have no such function.

create or replace function dossier_private.worker_isolation() returns jsonb language sql volatile as
$$ select '{"missing": ["landlock: this kernel has none"], "further": ["namespaces"], "unavailable": []}'::jsonb $$;
select is(pg_temp.says('sandbox'), 'warning: a sandbox layer is missing: landlock: this kernel has none', 'each missing layer is named');
create or replace function dossier_private.worker_isolation() returns jsonb language sql volatile as
$$ select '{"missing": [], "further": ["namespaces"], "unavailable": ["a user of its own"]}'::jsonb $$;
select is(pg_temp.says('sandbox'), 'ok: every sandbox layer is active, and further ones: namespaces; not on this host: a user of its own', 'and so are further layers');
create or replace function dossier_private.worker_isolation() returns jsonb language plpgsql volatile as
$$ begin raise exception 'no worker'; end $$;
select is(pg_temp.says('sandbox'), 'error: the worker reports no sandbox: no worker', 'a worker that reports nothing is an error');
set local dossier.sandbox = 'accept_missing';
select matches(pg_temp.says('sandbox'), '^error: dossier.sandbox is accept_missing: .*; the worker reports no sandbox', 'the setting is reported, too');

select * from finish();
rollback;
