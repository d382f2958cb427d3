-- Purging: removes permanently deleted sessions, abandoned uploads and abandoned imports in steps of a limited number of rows.
--
-- One statement that removes everything would take as long as it likes: deleting 2 GB takes Postgres more than ten seconds, and
-- longer while others read. Each step commits what it removed. Whatever is left is found by the next step, in any edge.
-- Invariant: nothing here waits. A row that another transaction has locked is left to a later step.
-- Invariant: users see nothing of what is removed here, from the moment on which it was deleted.

create function dossier_private.purge_document(organization_id uuid, document_id uuid, most integer, out removed integer, out gone boolean)
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles delete these rows only through functions. The caller has locked the document.
declare
  counted integer;
begin
  -- The bytes come first: the entries and pages of a document take far less time.
  delete from dossier_private.document_chunks as chunk
  where chunk.organization_id = purge_document.organization_id and chunk.document_id = purge_document.document_id
    and chunk.seq in (
      select c.seq from dossier_private.document_chunks as c
      where c.organization_id = purge_document.organization_id and c.document_id = purge_document.document_id
      limit most);
  get diagnostics removed = row_count;
  if removed < most then
    delete from dossier.document_pages as page
    where page.organization_id = purge_document.organization_id and page.document_id = purge_document.document_id
      and page.page in (
        select p.page from dossier.document_pages as p
        where p.organization_id = purge_document.organization_id and p.document_id = purge_document.document_id
        limit most - removed);
    get diagnostics counted = row_count;
    removed := removed + counted;
  end if;
  gone := removed < most;
  if gone then
    delete from dossier.documents as document
    where document.organization_id = purge_document.organization_id and document.id = purge_document.document_id;
    removed := removed + 1;
  end if;
end
$$;
comment on function dossier_private.purge_document(uuid, uuid, integer) is
  'Removes up to this many rows of a document: its chunk rows, its pages with their entries, finally itself. Returns how many, and '
  'whether it is gone.';

create function dossier_private.purge_sessions(most integer, only_sessions uuid[] default null) returns integer
language plpgsql security definer set search_path = ''
as $$
-- Definer: deletes rows that no user can see.
declare
  session record;
  document record;
  step record;
  counted integer;
  removed integer := 0;
begin
  for session in
    select s.organization_id, s.id
    from dossier.sessions as s
    where s.purged_at is not null and (only_sessions is null or s.id = any (only_sessions))
    order by s.purged_at, s.id
    for no key update skip locked -- locked ones are being purged
  loop
    for document in
      select d.id
      from dossier.documents as d
      where d.organization_id = session.organization_id and d.session_id = session.id
      for update skip locked -- a worker is storing its text
    loop
      step := dossier_private.purge_document(session.organization_id, document.id, most - removed);
      removed := removed + step.removed;
      exit when removed >= most;
    end loop;
    exit when removed >= most;

    delete from dossier.session_context_versions as version
    where version.organization_id = session.organization_id and version.session_id = session.id
      and version.version in (
        select v.version from dossier.session_context_versions as v
        where v.organization_id = session.organization_id and v.session_id = session.id
        limit most - removed);
    get diagnostics counted = row_count;
    removed := removed + counted;
    exit when removed >= most;

    delete from dossier.sessions as s
    where s.id in (
        select emptied.id from dossier.sessions as emptied where emptied.id = session.id for update skip locked)
      and not exists (
        select from dossier.documents as d where d.organization_id = session.organization_id and d.session_id = session.id);
    get diagnostics counted = row_count;
    removed := removed + counted;
  end loop;
  return removed;
end
$$;
comment on function dossier_private.purge_sessions(integer, uuid[]) is
  'Removes up to this many rows of sessions that were deleted permanently, or of those among the given ones. Returns how many. '
  'Part of dossier.sweep().';

create function dossier_private.purge_organizations(most integer, only_organizations uuid[] default null) returns integer
language plpgsql security definer set search_path = ''
as $$
-- Definer: deletes rows that no user can see.
declare
  erased record;
  gone uuid;
  removed integer := 0;
begin
  for erased in
    select o.id
    from dossier.organizations as o
    where o.erased_at is not null and (only_organizations is null or o.id = any (only_organizations))
    order by o.erased_at, o.id
    limit 100
    for no key update skip locked -- locked ones are being purged
  loop
    -- Also sessions that were created while the organization was being erased.
    update dossier.sessions as s
    set deleted_at = coalesce(s.deleted_at, now()), purged_at = now()
    where s.organization_id = erased.id and s.purged_at is null;
    if removed < most then
      removed := removed + dossier_private.purge_sessions(
        most - removed, array(select s.id from dossier.sessions as s where s.organization_id = erased.id order by s.id limit 1000));
    end if;

    gone := null;
    delete from dossier.organizations as o
    where o.id in (select emptied.id from dossier.organizations as emptied where emptied.id = erased.id for update skip locked)
      and not exists (select from dossier.sessions as s where s.organization_id = erased.id)
      and not exists (select from dossier_private.imports as i where i.organization_id = erased.id)
    returning o.id into gone;
    -- Last, since the deletions have added events, too.
    if gone is not null then
      delete from dossier.audit_log as event where event.organization_id = gone;
      removed := removed + 1;
    end if;
  end loop;
  return removed;
end
$$;
comment on function dossier_private.purge_organizations(integer, uuid[]) is
  'Removes up to this many rows of erased organizations, or of those among the given ones, and finally themselves and their events. '
  'Returns how many. Part of dossier.sweep().';

create function dossier_private.purge_uploads(max_age interval, most integer, out uploads integer, out removed integer)
language plpgsql security definer set search_path = ''
as $$
-- Definer: removes the uploads of all users.
declare
  document record;
  step record;
begin
  uploads := 0;
  removed := 0;
  for document in
    select d.organization_id, d.id
    from dossier.documents as d
    left join dossier_private.resumable_uploads as upload on upload.organization_id = d.organization_id and upload.document_id = d.id
    where d.status = 'uploading'
      and case
        when upload.document_id is null then d.created_at <= now() - max_age
        else upload.expires_at <= now() and coalesce(upload.held_until <= now(), true)
      end
    order by d.created_at
    for update of d skip locked -- the upload is alive after all
  loop
    step := dossier_private.purge_document(document.organization_id, document.id, most - removed);
    uploads := uploads + step.gone::integer;
    removed := removed + step.removed;
    exit when removed >= most;
  end loop;
end
$$;
comment on function dossier_private.purge_uploads(interval, integer) is
  'Removes up to this many rows of uploads that are unfinished after max_age, or have expired if they are resumable. Returns the number of uploads that are gone, and of '
  'rows. Part of dossier.sweep().';

create function dossier_private.purge_imports(max_age interval, most integer, out imports integer, out removed integer)
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles delete imports only through functions.
declare
  import record;
  counted integer;
begin
  imports := 0;
  removed := 0;
  for import in
    select i.organization_id, i.id
    from dossier_private.imports as i
    where i.created_at <= now() - max_age
    order by i.created_at
    for update skip locked -- the import is alive after all
  loop
    delete from dossier_private.import_records as staged
    where staged.organization_id = import.organization_id and staged.import_id = import.id
      and staged.line in (
        select r.line from dossier_private.import_records as r
        where r.organization_id = import.organization_id and r.import_id = import.id
        limit most - removed);
    get diagnostics counted = row_count;
    removed := removed + counted;
    exit when removed >= most;

    delete from dossier_private.imports as i where i.id = import.id;
    imports := imports + 1;
    removed := removed + 1;
  end loop;
end
$$;
comment on function dossier_private.purge_imports(interval, integer) is
  'Removes up to this many rows of imports that are unfinished after max_age. Returns the number of imports that are gone, and of '
  'rows. Part of dossier.sweep().';

create function dossier.sweep(upload_max_age interval default '1 hour') returns jsonb
language plpgsql security definer set search_path = ''
as $$
-- Definer: workers have no rights on the tables. Granted to service_role alone.
declare
  -- A thousand chunk rows are 250 MB, which take a second or two.
  most constant integer := 1000;
  swept_uploads record;
  swept_imports record;
  swept jsonb;
  removed integer;
  merged integer;
begin
  if upload_max_age is null or upload_max_age < interval '0' then
    raise exception using
      errcode = 'PT400',
      message = 'upload_max_age must not be negative',
      detail = format('It is %s.', coalesce(upload_max_age::text, 'null')),
      hint = 'Omit it for one hour.';
  end if;

  swept_uploads := dossier_private.purge_uploads(upload_max_age, most);
  removed := swept_uploads.removed;
  swept_imports := dossier_private.purge_imports(upload_max_age, greatest(most - removed, 1));
  removed := removed + swept_imports.removed;
  swept := jsonb_build_object(
    'uploads', swept_uploads.uploads,
    'imports', swept_imports.imports,
    'jobs', dossier_private.recover_jobs(),
    'versions', dossier_private.sweep_versions(),
    'usage_events', dossier_private.sweep_usage(),
    'sessions', dossier_private.sweep_trash());
  removed := removed + dossier_private.purge_sessions(greatest(most - removed, 1));
  removed := removed + dossier_private.purge_organizations(greatest(most - removed, 1));
  merged := dossier_private.merge_amounts(5000);

  if removed > 0 or merged = 5000 or exists (select from jsonb_each(swept) as s where s.value <> '0') then
    return swept || '{"more": true}';
  end if;
  -- A call that finds nothing else to do holds no lock while it takes the time for this.
  perform dossier.index_pending_words();
  return swept || '{"more": false}';
end
$$;
comment on function dossier.sweep(interval) is
  'Removes uploads and imports that are unfinished after upload_max_age, resumable uploads that have expired, versions of contexts and records of usage that are no '
  'longer kept, sessions whose retention in the trash has ended, and the remaining rows of permanently deleted sessions and erased '
  'organizations. Recovers the '
  'jobs of lost workers, and adds pending words to the search index. Each call does a limited amount of work: call it again, in a '
  'new transaction, while more is true. Returns the numbers of each: {"uploads", "imports", "jobs", "versions", "usage_events", '
  '"sessions", "more"}. Services only.';

revoke all on function
  dossier_private.purge_document, dossier_private.purge_sessions, dossier_private.purge_organizations, dossier_private.purge_uploads, dossier_private.purge_imports,
  dossier.sweep
  from public, anon, authenticated, service_role;
grant execute on function dossier.sweep to service_role;
