-- The doctor: what is wrong with an installation, and how to mend it.
--
-- A finding is a warning (it costs time or comfort) or an error (something is refused, lost or seen by the wrong ones); or it
-- is ok, and says what there is. What only an edge can try, such as its tokens' keys, `dossier-edge check` tries.

create function dossier_private.data_findings() returns table (check_name text, status text, finding text)
language plpgsql stable security definer set search_path = '' rows 10
as $$
-- Definer: counts over all tenants.
#variable_conflict use_column
begin
  return query
    select 'settings', 'error', format('%s is missing', wanted.name)
    from unnest(array['max_file_bytes', 'max_name_length', 'max_context_bytes', 'job_max_attempts',
      'allowed_media_types', 'trash_days', 'personal_organizations', 'membership']) as wanted (name)
    where not exists (select from dossier_private.settings as s where s.name = wanted.name)
    union all
    select 'workers', 'warning', format('%s jobs have been waiting for more than ten minutes', count(*))
    from dossier_private.jobs as job
    where job.status = 'queued' and job.run_at < now() - interval '10 minutes'
    having count(*) > 0
    union all
    select 'workers', 'warning', format('%s jobs are of workers that were lost more than ten minutes ago', count(*))
    from dossier_private.jobs as job
    where job.status = 'running' and job.lease_expires_at < now() - interval '10 minutes'
    having count(*) > 0
    union all
    select 'uploads', 'warning', format('%s uploads were begun more than a day ago', count(*))
    from dossier.documents as document
    where document.status = 'uploading' and document.created_at < now() - interval '1 day'
    having count(*) > 0
    union all
    select 'store', 'warning', format('%s files in the store %s are still to be deleted, the oldest for %s; the last said: %s',
      count(*), deletion.storage, date_trunc('second', now() - min(deletion.created_at)),
      coalesce((array_agg(deletion.last_error order by deletion.next_attempt_at desc) filter (where deletion.last_error is not null))[1], 'nothing'))
    from dossier_private.store_deletions as deletion
    where deletion.attempts >= 5 or deletion.created_at < now() - interval '1 day'
    group by deletion.storage
    union all
    select 'trash', 'warning', format('%s sessions in the trash should have been gone for more than a day', count(*))
    from dossier.sessions as session
    -- Without the setting there is no telling, and settings says that it is missing.
    where exists (select from dossier_private.settings as s where s.name = 'trash_days')
      and session.deleted_at < now() - make_interval(days => dossier_private.trash_days(session.organization_id) + 1)
    having count(*) > 0
    union all
    select 'jobs', 'warning', format('%s documents wait for an extraction that is not queued', count(*))
    from dossier.documents as document
    where document.status in ('stored', 'extracting')
      and not exists (
        select from dossier_private.jobs as job
        where job.document_id = document.id and job.status in ('queued', 'running'))
    having count(*) > 0
    union all
    select 'bytes', 'error', format('%s documents have lost bytes', count(*))
    from dossier.documents as document
    where document.status <> 'uploading' and document.storage = 'postgres' and document.size_bytes > 0
      and not exists (
        select from dossier_private.document_chunks as chunk
        where chunk.document_id = document.id and chunk.organization_id = document.organization_id
          and chunk.seq = ((document.size_bytes - 1) / dossier_private.chunk_bytes())::integer)
    having count(*) > 0
    union all
    select 'bytes', 'warning', 'there are bytes, pages or jobs of documents that are gone'
    where exists (select document_id from dossier_private.document_chunks where seq = 0 except select id from dossier.documents)
      or exists (select document_id from dossier.document_pages where page = 1 except select id from dossier.documents)
      or exists (select document_id from dossier_private.jobs except select id from dossier.documents)
    union all
    select 'search', 'warning', format('%s pages of documents that are ready cannot be searched', count(*))
    from dossier.document_pages as page
    join dossier.documents as document
      on document.id = page.document_id and document.organization_id = page.organization_id and document.status = 'ready'
    where not exists (
      select from dossier_private.search_entries as entry
      where entry.document_id = page.document_id and entry.organization_id = page.organization_id and entry.page = page.page)
    having count(*) > 0
    union all
    select 'search', 'warning', format('%s contexts cannot be searched', count(*))
    from dossier.session_context as context
    where not exists (
      select from dossier_private.search_entries as entry
      where entry.session_id = context.session_id and entry.organization_id = context.organization_id
        and entry.document_id is null)
    having count(*) > 0
    union all
    select 'owners', 'error', format('%s organizations have members and no owner', count(*))
    from dossier.organizations as organization
    where exists (select from dossier.organization_members as m where m.organization_id = organization.id)
      and not exists (
        select from dossier.organization_members as m
        where m.organization_id = organization.id and m.role = 'owner')
    having count(*) > 0
    union all
    select 'durability', 'error', format('%s is off', s.name)
    from pg_catalog.pg_settings as s
    where s.name in ('fsync', 'full_page_writes') and s.setting = 'off';
end
$$;
comment on function dossier_private.data_findings() is 'What is wrong with settings and rows.';

create function dossier_private.membership_findings() returns table (check_name text, status text, finding text)
language plpgsql stable security definer set search_path = '' rows 5
as $$
-- Definer: reads a setting.
declare
  config constant jsonb := (select s.value from dossier_private.settings as s where s.name = 'membership');
  source constant regclass := pg_catalog.to_regclass(config ->> 'table');
begin
  if config is null then
    return;
  end if;
  return query values ('membership', 'ok', case config ->> 'mode'
    when 'table' then format('read from %s', config ->> 'table')
    when 'claims' then format('read from the claim %s of tokens', config ->> 'claim')
    else 'kept in organization_members' end);
  return query
    select 'membership', 'error', 'my_memberships() is not what the setting membership makes of it'
    where not exists (
      select from pg_catalog.pg_proc as p
      where p.oid = pg_catalog.to_regprocedure('dossier_private.my_memberships()')
        and p.prosrc = dossier_private.membership_body(config));
  if config ->> 'mode' is distinct from 'table' then
    return;
  elsif source is null then
    return query values ('membership', 'error', format('%s, which membership is read from, is gone', config ->> 'table'));
    return;
  end if;

  return query
    select 'membership', 'error', case
        when a.attname is null then format('%s, which membership is read from, has no column %I', source, needed.name)
        else format('%s, who owns Dossier, may not read the column %I of %s', reader.proowner::regrole, needed.name, source)
      end
    from unnest(array[config ->> 'organization_column', config ->> 'user_column', config ->> 'role_column']) as needed (name)
    cross join pg_catalog.pg_proc as reader
    left join pg_catalog.pg_attribute as a on a.attrelid = source and a.attname = needed.name and not a.attisdropped
    where reader.oid = 'dossier_private.my_memberships()'::regprocedure and needed.name is not null
      and not coalesce(has_column_privilege(reader.proowner, source, a.attnum, 'select'), false)
    union all
    select 'membership', 'warning', format('every member of %s is a viewer, so that nobody may write', source)
    where config ->> 'role_column' is null and config ->> 'other_role' = 'viewer'
    union all
    select 'membership', 'warning', format('no index of %s begins with %I, so every statement reads the whole table', source, config ->> 'user_column')
    from pg_catalog.pg_class as members
    where members.oid = source and members.relkind in ('r', 'p', 'm')
      and not exists (
        select from pg_catalog.pg_index as i
        join pg_catalog.pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        where i.indrelid = source and i.indisvalid and i.indpred is null and a.attname = config ->> 'user_column');
end
$$;
comment on function dossier_private.membership_findings() is 'Where membership is read from, and what is wrong with it.';

create function dossier_private.reading_findings() returns table (check_name text, status text, finding text)
language plpgsql stable security definer set search_path = '' rows 5
as $$
-- Definer: the native functions are the owner's. Dynamic, since hosted installs do not have them.
declare
  said text;
begin
  if not exists (
    select from pg_catalog.pg_proc as p
    where p.pronamespace = 'dossier'::regnamespace and p.proname = 'extract_text'
  ) then
    return query values ('reader', 'ok', 'files are read by edges, not by the database: dossier-edge check tries one');
    return;
  end if;

  begin
    execute 'select dossier.extract_text($1)' into said using 'The doctor was here.'::bytea;
    return query select 'reader', case when said ~ '^The doctor was here\.\s*$' then 'ok' else 'error' end,
      format('a text of one line is read as %L', said);
  exception when others then
    return query values ('reader', 'error', format('a text cannot be read: %s', sqlerrm));
  end;

  return query
    select 'sandbox', 'warning', 'dossier.sandbox is accept_missing: files are read where the kernel lacks a layer of the sandbox, too'
    where current_setting('dossier.sandbox', true) = 'accept_missing'
    union all
    select 'limits', 'warning', format('max_file_bytes is %s, and dossier.extract_input %s: larger files are stored and not read',
      s.value, current_setting('dossier.extract_input'))
    from dossier_private.settings as s
    where s.name = 'max_file_bytes' and s.value::bigint > pg_size_bytes(current_setting('dossier.extract_input', true));
end
$$;
comment on function dossier_private.reading_findings() is 'Whether the database can read files: reads one line through its worker.';

create function dossier_private.realtime_findings() returns table (check_name text, status text, finding text)
language plpgsql stable security definer set search_path = '' rows 2
as $$
-- Definer: as the others.
begin
  return query select 'realtime', 'ok', case
    when pg_catalog.to_regprocedure('realtime.send(jsonb, text, text, boolean)') is null then 'Supabase Realtime is not here'
    when exists (
      select from pg_catalog.pg_policy as p
      where p.polrelid = pg_catalog.to_regclass('realtime.messages') and p.polname = 'dossier_sessions_select')
      then 'users may listen to their sessions'
    else 'nobody may listen: dossier.enable_realtime() was not called' end;
end
$$;
comment on function dossier_private.realtime_findings() is 'Whether browsers can follow documents through Supabase Realtime.';

create function dossier.doctor() returns table (check_name text, status text, findings text[], mend text)
language plpgsql stable security definer set search_path = '' rows 50
as $$
-- Definer: reads what no role may. Granted to service_role alone.
#variable_conflict use_column
begin
  return query
    with found as materialized (
      select * from dossier_private.catalogue_findings()
      union all
      select * from dossier_private.schema_findings()
      union all
      select * from dossier_private.data_findings()
      union all
      select * from dossier_private.membership_findings()
      union all
      select * from dossier_private.reading_findings()
      union all
      select * from dossier_private.realtime_findings()
    ), checks (place, name, mend) as (
      values
        (1.0, 'version', 'alter extension dossier update, or install the newer migration; run what the tests run on.'),
        (2, 'roles', 'Run docker/roles.sql as a superuser; on Supabase restore the attributes that the roles came with.'),
        (2.5, 'ownership', 'Do what is named. An owner passes by row level security, and what a function of its does is done as it.'),
        (3, 'login', 'Run docker/roles.sql as a superuser: authenticator may become anon, authenticated and service_role, and inherits from none.'),
        (4, 'rights', 'Revoke or grant what is named. Grants to public or default privileges may be the source.'),
        (5.9, 'schema', 'Do again what the sql/ of this version says of it (dist/ has it as one file). If it is meant: select dossier_private.record_schema(), as the owner.'),
        (6, 'constraints', 'alter table … validate constraint …'),
        (7, 'triggers', 'alter table … enable trigger …'),
        (7.5, 'views', 'alter view … set (security_invoker = true); a materialized view: revoke select on … from anon, authenticated.'),
        (8, 'dumps', 'As a superuser: select pg_extension_config_dump(…) within an upgrade script, or reinstall this version.'),
        (9, 'api', 'Expose the schema dossier in PostgREST''s db-schemas, and never dossier_private.'),
        (10, 'settings', 'insert into dossier_private.settings (name, value) values (…), as the owner of the database.'),
        (11, 'membership', 'Grant what is missing, create the index, or call use_membership() with the table and columns as they are called now.'),
        (12, 'owners', 'Insert an owner into dossier.organization_members.'),
        (13, 'reader', 'Put dossier-extract-worker beside postgres or set dossier.worker_path; see docs/operations.md.'),
        (13.1, 'sandbox', 'Run a kernel (5.13 or newer, with landlock and seccomp) that has them, and set dossier.sandbox to require.'),
        (13.2, 'limits', 'alter system set dossier.extract_input = …; select pg_reload_conf(); or lower max_file_bytes in dossier_private.settings.'),
        (14, 'workers', 'Start an edge with EXTRACT_WORKERS above 0, and look at its log.'),
        (15, 'uploads', 'Call dossier.sweep(); a running edge does so every few minutes.'),
        (15.6, 'store', 'Look at the log of the worker that deletes there: it claims with claim_store_deletions().'),
        (15.5, 'trash', 'Call dossier.sweep(), again while it still removes sessions; a running edge does so every few minutes.'),
        (16, 'jobs', 'Call dossier.request_extraction() on them.'),
        (17, 'bytes', 'Restore them from a backup; what belongs to nothing may be deleted.'),
        (18, 'search', 'select dossier_private.index_document(d.id) from dossier.documents as d; select dossier_private.index_context(c) from dossier.session_context as c'),
        (19, 'realtime', null),
        (20, 'durability', 'Switch it on: without it a crash of the machine loses what was answered as stored.')
      union all
      select 5 + numbered.place / 100.0, numbered.rule, numbered.mend
      from dossier_private.lint_rules() with ordinality as numbered (rule, status, mend, place)
    ), answers as (
      select checks.place, checks.name, checks.mend,
        max(array_position(array['ok', 'warning', 'error'], found.status)) as worst,
        coalesce(array_agg(found.finding order by found.finding) filter (where found.finding is not null), '{}') as findings
      from checks
      left join found on found.check_name = checks.name
      group by checks.place, checks.name, checks.mend
    )
    select answers.name, (array['ok', 'warning', 'error'])[coalesce(answers.worst, 1)], answers.findings,
      case when answers.worst > 1 then answers.mend end
    from answers
    order by answers.place;
end
$$;
comment on function dossier.doctor() is
  'Looks over the installation: a row for each check, its status (ok, warning, error), what was found, and how to mend it. '
  'Services and the owner of the database only. Counts over all rows, so not for every minute.';

revoke all on function
  dossier_private.data_findings, dossier_private.membership_findings,
  dossier_private.reading_findings, dossier_private.realtime_findings, dossier.doctor
  from public, anon, authenticated, service_role;
grant execute on function dossier.doctor to service_role;
