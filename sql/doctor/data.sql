-- The doctor's checks of rows and settings, one function per check.

create function dossier_private.doctor_settings() returns table (status text, finding text)
language plpgsql stable security invoker set search_path = '' rows 5
as $$
#variable_conflict use_column
begin
  return query
    select 'error', format('the setting %s is missing', wanted.name)
    from unnest(array['max_file_bytes', 'max_name_length', 'max_context_bytes', 'job_max_attempts',
      'allowed_media_types', 'trash_days', 'personal_organizations', 'membership', 'max_pack_tokens',
      'max_organizations_a_user', 'default_quotas', 'max_imports_a_user']) as wanted (name)
    where not exists (select from dossier_private.settings as s where s.name = wanted.name)
    union all
    select 'ok', 'users may create organizations, and the setting default_quotas does not limit what these store'
    from dossier_private.settings as quotas, dossier_private.settings as membership
    where quotas.name = 'default_quotas' and quotas.value = '{}'
      and membership.name = 'membership' and membership.value ->> 'mode' = 'own';
end
$$;
comment on function dossier_private.doctor_settings() is
  'Check: no setting is missing. Also reports that organizations of users have no quotas.';

create function dossier_private.doctor_workers() returns table (status text, finding text)
language plpgsql stable security invoker set search_path = '' rows 5
as $$
#variable_conflict use_column
begin
  return query
    select 'warning', format('%s jobs have been waiting for more than ten minutes', count(*))
    from dossier_private.jobs as job
    where job.status = 'queued' and job.run_at < now() - interval '10 minutes'
    having count(*) > 0
    union all
    select 'warning', format('%s jobs belong to workers that were lost more than ten minutes ago', count(*))
    from dossier_private.jobs as job
    where job.status = 'running' and job.lease_expires_at < now() - interval '10 minutes'
    having count(*) > 0;
end
$$;
comment on function dossier_private.doctor_workers() is 'Check: jobs do not wait for a worker too long.';

create function dossier_private.doctor_uploads() returns table (status text, finding text)
language plpgsql stable security invoker set search_path = '' rows 5
as $$
#variable_conflict use_column
begin
  return query
    select 'warning', format('%s uploads were begun more than a day ago', count(*))
    from dossier.documents as document
    left join dossier_private.resumable_uploads as upload
      on upload.organization_id = document.organization_id and upload.document_id = document.id
    where document.status = 'uploading' and coalesce(upload.expires_at, document.created_at) < now() - interval '1 day'
    having count(*) > 0;
end
$$;
comment on function dossier_private.doctor_uploads() is 'Check: no abandoned uploads.';

create function dossier_private.doctor_store() returns table (status text, finding text)
language plpgsql stable security invoker set search_path = '' rows 5
as $$
#variable_conflict use_column
begin
  return query
    select 'warning', format('%s files in the store %s are overdue for deletion, the oldest by %s. The last error was: %s',
      count(*), deletion.storage, date_trunc('second', now() - min(deletion.created_at)),
      coalesce((array_agg(deletion.last_error order by deletion.next_attempt_at desc) filter (where deletion.last_error is not null))[1], 'nothing'))
    from dossier_private.store_deletions as deletion
    where deletion.attempts >= 5 or deletion.created_at < now() - interval '1 day'
    group by deletion.storage;
end
$$;
comment on function dossier_private.doctor_store() is 'Check: no file in an external store is overdue for deletion.';

create function dossier_private.doctor_trash() returns table (status text, finding text)
language plpgsql stable security invoker set search_path = '' rows 5
as $$
#variable_conflict use_column
begin
  return query
    select 'warning', format('%s trashed sessions are more than a day overdue for purging', count(*))
    from dossier.sessions as session
    -- If the setting is missing, the check settings reports it.
    where exists (select from dossier_private.settings as s where s.name = 'trash_days')
      and session.purged_at is null and session.deleted_at < now() - make_interval(days => dossier_private.trash_days(session.organization_id) + 1)
    having count(*) > 0;
end
$$;
comment on function dossier_private.doctor_trash() is 'Check: no trashed session is overdue for purging.';

create function dossier_private.doctor_jobs() returns table (status text, finding text)
language plpgsql stable security invoker set search_path = '' rows 5
as $$
#variable_conflict use_column
begin
  return query
    select 'warning', format('%s documents wait for an extraction, but no extraction is queued', count(*))
    from dossier.documents as document
    where document.status in ('stored', 'extracting')
      and not exists (
        select from dossier_private.jobs as job
        where job.document_id = document.id and job.status in ('queued', 'running'))
    having count(*) > 0;
end
$$;
comment on function dossier_private.doctor_jobs() is 'Check: documents that wait for an extraction have one queued.';

create function dossier_private.doctor_bytes() returns table (status text, finding text)
language plpgsql stable security invoker set search_path = '' rows 5
as $$
#variable_conflict use_column
begin
  return query
    select 'error', format('%s documents have lost bytes', count(*))
    from dossier.documents as document
    where document.status <> 'uploading' and document.storage = 'postgres' and document.size_bytes > 0
      and not exists (
        select from dossier_private.document_chunks as chunk
        where chunk.document_id = document.id and chunk.organization_id = document.organization_id
          and chunk.seq = ((document.size_bytes - 1) / dossier_private.chunk_bytes())::integer)
    having count(*) > 0
    union all
    select 'warning', 'bytes, pages or jobs remain of documents that no longer exist'
    where exists (select document_id from dossier_private.document_chunks where seq = 0 except select id from dossier.documents)
      or exists (select document_id from dossier.document_pages where page = 1 except select id from dossier.documents)
      or exists (select document_id from dossier_private.jobs except select id from dossier.documents);
end
$$;
comment on function dossier_private.doctor_bytes() is
  'Check: no document has lost bytes, and no rows remain of deleted documents.';

create function dossier_private.doctor_search() returns table (status text, finding text)
language plpgsql stable security invoker set search_path = '' rows 5
as $$
#variable_conflict use_column
begin
  return query
    select 'warning', format('%s pages of ready documents are missing from the search index', count(*))
    from dossier.document_pages as page
    join dossier.documents as document
      on document.id = page.document_id and document.organization_id = page.organization_id and document.status = 'ready'
    where not exists (
      select from dossier_private.search_entries as entry
      where entry.document_id = page.document_id and entry.organization_id = page.organization_id and entry.page = page.page)
    having count(*) > 0
    union all
    select 'warning', format('%s contexts are missing from the search index', count(*))
    from dossier.session_context as context
    where not exists (
      select from dossier_private.search_entries as entry
      where entry.session_id = context.session_id and entry.organization_id = context.organization_id
        and entry.document_id is null)
    having count(*) > 0;
end
$$;
comment on function dossier_private.doctor_search() is 'Check: the search index contains all pages and contexts.';

create function dossier_private.doctor_owners() returns table (status text, finding text)
language plpgsql stable security invoker set search_path = '' rows 5
as $$
#variable_conflict use_column
begin
  return query
    select 'error', format('%s organizations have members but no owner', count(*))
    from dossier.organizations as organization
    where exists (select from dossier.organization_members as m where m.organization_id = organization.id)
      and not exists (
        select from dossier.organization_members as m
        where m.organization_id = organization.id and m.role = 'owner' and m.accepted_at is not null)
    having count(*) > 0;
end
$$;
comment on function dossier_private.doctor_owners() is 'Check: every organization has an owner.';

create function dossier_private.doctor_durability() returns table (status text, finding text)
language plpgsql stable security invoker set search_path = '' rows 5
as $$
#variable_conflict use_column
begin
  return query
    select 'error', format('%s is off', s.name)
    from pg_catalog.pg_settings as s
    where s.name in ('fsync', 'full_page_writes') and s.setting = 'off';
end
$$;
comment on function dossier_private.doctor_durability() is 'Check: Postgres''s own settings do not risk stored data in a crash.';

revoke all on function
  dossier_private.doctor_settings,
  dossier_private.doctor_workers,
  dossier_private.doctor_uploads,
  dossier_private.doctor_store,
  dossier_private.doctor_trash,
  dossier_private.doctor_jobs,
  dossier_private.doctor_bytes,
  dossier_private.doctor_search,
  dossier_private.doctor_owners,
  dossier_private.doctor_durability
  from public, anon, authenticated, service_role;
