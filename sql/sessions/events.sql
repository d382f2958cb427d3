-- Live status: which sessions have changed (NOTIFY), and what has changed in one since a client last read it.
--
-- Invariant: notifications name sessions and organizations, nothing else. A listener reads the changes as the caller that it
-- works for, so membership decides what the caller learns, each time.
-- Invariant: a statement notifies once per organization (and hundred sessions), however many rows it changes. Chunks of an upload
-- do not notify.

create function dossier_private.announce_sessions(session_ids uuid[]) returns void
language plpgsql security invoker set search_path = ''
as $$
begin
  perform pg_notify('dossier_sessions', json_build_object('session_ids', session_ids[first:first + 99])::text)
  from generate_series(1, cardinality(session_ids), 100) as first;
end
$$;
comment on function dossier_private.announce_sessions(uuid[]) is
  'Notifies dossier_sessions of sessions in which something has changed: {session_ids}.';

create function dossier_private.announce_changed_sessions() returns trigger
language plpgsql security definer set search_path = ''
as $$
-- Definer: users who change sessions may not call announce_sessions().
begin
  perform dossier_private.announce_sessions(array(
    select new_row.id
    from new_rows as new_row
    join old_rows as old_row on old_row.id = new_row.id
    where (old_row.title, old_row.conversation_type, old_row.status, old_row.language, old_row.deleted_at is null)
      is distinct from (new_row.title, new_row.conversation_type, new_row.status, new_row.language, new_row.deleted_at is null)
    order by new_row.id));
  return null;
end
$$;
comment on function dossier_private.announce_changed_sessions() is
  'Trigger: announces sessions that a statement has changed, moved to the trash or restored.';

create function dossier_private.announce_deleted_sessions() returns trigger
language plpgsql security definer set search_path = ''
as $$
-- Definer: see announce_changed_sessions. Sessions in the trash were announced when they were moved there.
begin
  perform dossier_private.announce_sessions(array(
    select old_row.id from old_rows as old_row where old_row.deleted_at is null order by old_row.id));
  return null;
end
$$;
comment on function dossier_private.announce_deleted_sessions() is 'Trigger: announces deleted sessions.';

create function dossier_private.announce_sessions_of_rows() returns trigger
language plpgsql security definer set search_path = ''
as $$
-- Definer: see announce_changed_sessions.
begin
  perform dossier_private.announce_sessions(array(
    select distinct new_row.session_id from new_rows as new_row order by new_row.session_id));
  return null;
end
$$;
comment on function dossier_private.announce_sessions_of_rows() is
  'Trigger: announces the sessions of the rows that a statement has added or changed.';

create trigger sessions_announce
  after update on dossier.sessions
  referencing old table as old_rows new table as new_rows
  for each statement execute function dossier_private.announce_changed_sessions();
create trigger sessions_announce_deleted
  after delete on dossier.sessions
  referencing old table as old_rows
  for each statement execute function dossier_private.announce_deleted_sessions();
create trigger session_context_announce_new
  after insert on dossier.session_context
  referencing new table as new_rows
  for each statement execute function dossier_private.announce_sessions_of_rows();
create trigger session_context_announce
  after update on dossier.session_context
  referencing new table as new_rows
  for each statement execute function dossier_private.announce_sessions_of_rows();
-- Updates of documents: see documents_announce.
create trigger documents_announce_new
  after insert on dossier.documents
  referencing new table as new_rows
  for each statement execute function dossier_private.announce_sessions_of_rows();

-- Membership.

create function dossier_private.announce_members() returns trigger
language plpgsql security definer set search_path = ''
as $$
-- Definer: users who change members may not notify in the name of Dossier.
begin
  perform pg_notify('dossier_members', json_build_object('organization_ids', changed.ids)::text)
  from (
    select array_agg(numbered.organization_id) as ids
    from (
      select distinct old_row.organization_id, dense_rank() over (order by old_row.organization_id) as place
      from old_rows as old_row
    ) as numbered
    group by (numbered.place - 1) / 100
  ) as changed;
  return null;
end
$$;
comment on function dossier_private.announce_members() is
  'Trigger: notifies dossier_members of organizations in which members were removed or changed: {organization_ids}. New members '
  'have nothing to lose.';

create trigger organization_members_announce
  after update on dossier.organization_members
  referencing old table as old_rows
  for each statement execute function dossier_private.announce_members();
create trigger organization_members_announce_removed
  after delete on dossier.organization_members
  referencing old table as old_rows
  for each statement execute function dossier_private.announce_members();

create function dossier_private.announce_membership() returns trigger
language plpgsql security definer set search_path = ''
as $$
-- Definer: see announce_members.
begin
  perform pg_notify('dossier_members', '{"organization_ids": null}');
  return null;
end
$$;
comment on function dossier_private.announce_membership() is
  'Trigger: notifies dossier_members that membership is read from elsewhere, which concerns all organizations.';

create trigger settings_announce_membership
  after update on dossier_private.settings
  for each row when (new.name = 'membership' and old.value is distinct from new.value)
  execute function dossier_private.announce_membership();

-- Reading the changes.
--
-- The position of a reader is the oldest transaction that was still running at its last read. Each row names the transaction that
-- wrote it (xmin). Older ones had ended, so the reader has seen what they wrote. All others are read again: a row may come twice,
-- but none is missed, in whatever order transactions commit. Nothing has to be written or kept for that, and every edge
-- understands the position. See decision 33.

create function dossier_private.database_tag() returns text
language plpgsql stable parallel safe security invoker set search_path = ''
as $$
begin
  return left(md5(format('%s %s %s',
    (select control.system_identifier from pg_catalog.pg_control_system() as control),
    (select control.timeline_id from pg_catalog.pg_control_checkpoint() as control),
    (select database.oid from pg_catalog.pg_database as database where database.datname = current_database()))), 8);
end
$$;
comment on function dossier_private.database_tag() is
  'Returns eight characters that tell this database from others, and from itself before a failover or a restore. The numbers of '
  'their transactions mean something else.';

create function dossier_private.received_bytes(organization_id uuid, document_id uuid) returns bigint
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return coalesce((
    select chunk.seq::bigint * dossier_private.chunk_bytes() + octet_length(chunk.bytes)
    from dossier_private.document_chunks as chunk
    where chunk.organization_id = received_bytes.organization_id and chunk.document_id = received_bytes.document_id
    order by chunk.seq desc
    limit 1), 0);
end
$$;
comment on function dossier_private.received_bytes(uuid, uuid) is
  'Returns how far an upload has come: where its last chunk ends.';

create function dossier_private.document_event(document dossier.documents) returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return jsonb_build_object(
    'id', document.id, 'name', document.name, 'status', document.status,
    'page', document.ocr_page, 'pages', document.ocr_pages, 'ocr_status', document.ocr_status, 'page_count', document.page_count,
    'error_code', document.error_code, 'error_message', document.error_message,
    'hint', dossier_private.advice(document.error_code), 'updated_at', document.updated_at);
end
$$;
comment on function dossier_private.document_event(dossier.documents) is
  'The event document: {id, name, status, page, pages, ocr_status, page_count, error_code, error_message, hint, updated_at}. '
  'page of pages is how far OCR is.';

create function dossier_private.session_changes(session_id uuid, since text) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: reads how many bytes of an upload are stored. It is stable, so there is one snapshot for everything.
declare
  oldest constant bigint := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
  newest constant bigint := pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
  tag constant text := dossier_private.database_tag();
  given constant text[] := regexp_match(since, '^([0-9a-f]{8})\.([0-9]{1,18})\.([0-9a-f]{16})$');
  -- A transaction is recent if fewer than this many have begun since. Null: everything is new to the reader. Rows that this very
  -- transaction wrote may be ahead of the snapshot, so a million transactions ahead count, too.
  ahead constant bigint := 1000000;
  window_size constant bigint := case
    when given[1] = tag and newest - given[2]::bigint between 0 and 2000000000 then newest - given[2]::bigint + ahead
  end;
  session dossier.sessions;
  context jsonb;
  documents jsonb;
  uploads jsonb;
  digest text;
begin
  select s.* into session
  from dossier.sessions as s
  where s.id = session_changes.session_id and s.deleted_at is null and dossier_private.my_role(s.organization_id) is not null;
  if not found then
    return null;
  end if;

  select jsonb_build_object('version', c.version, 'updated_by', c.updated_by, 'updated_at', c.updated_at) into context
  from dossier.session_context as c
  where c.session_id = session.id and c.organization_id = session.organization_id
    and (window_size is null or ((newest - c.xmin::text::bigint + ahead) & 4294967295) <= window_size);

  select
    jsonb_agg(dossier_private.document_event(d) order by d.created_at, d.id) filter (where case
      when window_size is null then d.status in ('uploading', 'stored', 'extracting') or d.ocr_status in ('pending', 'running')
      else ((newest - d.xmin::text::bigint + ahead) & 4294967295) <= window_size
    end),
    jsonb_agg(jsonb_build_object(
      'document_id', d.id, 'received', dossier_private.received_bytes(d.organization_id, d.id), 'size', d.size_bytes)
      order by d.created_at, d.id) filter (where d.status = 'uploading'),
    to_hex(coalesce(bit_xor(uuid_hash_extended(d.id, 0)), 0) # uuid_hash_extended(session.id, 1))
  into documents, uploads, digest
  from dossier.documents as d
  where d.session_id = session.id and d.organization_id = session.organization_id;
  digest := lpad(digest, 16, '0');

  return jsonb_build_object(
    'id', format('%s.%s.%s', tag, oldest, digest),
    'reload', window_size is null or given[3] <> digest,
    'session', dossier.session_record(session),
    'context', context,
    'documents', coalesce(documents, '[]'),
    'uploads', coalesce(uploads, '[]'));
end
$$;
comment on function dossier_private.session_changes(uuid, text) is
  'Runs dossier.session_changes() with its owner''s rights.';

create function dossier.session_changes(session_id uuid, since text default null) returns jsonb
language sql stable security invoker set search_path = ''
begin atomic
  select dossier_private.session_changes(session_id, since);
end;
comment on function dossier.session_changes(uuid, text) is
  'Returns what has changed in a session since an earlier call: {id, reload, session, context, documents, uploads}. Send the id '
  'as since with the next call. context is {version, updated_by, updated_at}, or null if it has not changed. documents are those that were added or '
  'changed, and uploads how far unfinished ones are: {document_id, received, size}. Something may come twice, but nothing is '
  'missed, with one exception: if reload is true, read the list of documents again, because some may be gone. It is true for a '
  'first call, which returns the documents in progress, and if since is from another database. Null if the caller cannot see the session.';

revoke all on function
  dossier_private.announce_sessions, dossier_private.announce_changed_sessions, dossier_private.announce_deleted_sessions,
  dossier_private.announce_sessions_of_rows, dossier_private.announce_members, dossier_private.announce_membership,
  dossier_private.database_tag, dossier_private.received_bytes, dossier_private.document_event,
  dossier_private.session_changes, dossier.session_changes
  from public, anon, authenticated, service_role;
grant execute on function dossier.session_changes, dossier_private.session_changes to authenticated, service_role;
