-- Resumable uploads: bytes are sent to an offset, in any number of requests, through any edge. How they begin and what is known of
-- them. held_uploads.sql has the requests that send bytes.
-- Invariant: bytes that are to be verified do not count until they are.

create table dossier_private.resumable_uploads (
  organization_id uuid not null,
  document_id uuid not null,
  media_type text not null,
  client_metadata text not null default '',
  expires_at timestamptz not null,
  holder uuid,
  held_until timestamptz,
  unverified_from bigint,
  constraint resumable_uploads_pkey primary key (organization_id, document_id),
  constraint resumable_uploads_document_fkey foreign key (organization_id, document_id)
    references dossier.documents (organization_id, id) on delete cascade,
  constraint resumable_uploads_client_metadata_check check (octet_length(client_metadata) <= 131072),
  constraint resumable_uploads_holder_check check ((holder is null) = (held_until is null)),
  constraint resumable_uploads_unverified_from_check check (unverified_from >= 0)
);
comment on table dossier_private.resumable_uploads is
  'Unfinished uploads that may be continued. Their bytes are chunk rows, of which the last may be short.';
comment on column dossier_private.resumable_uploads.organization_id is 'Organization of the document.';
comment on column dossier_private.resumable_uploads.document_id is 'The document.';
comment on column dossier_private.resumable_uploads.media_type is 'The declared type. The first chunk may correct that of the document.';
comment on column dossier_private.resumable_uploads.client_metadata is 'Text for the client''s own use, at most 128 KiB.';
comment on column dossier_private.resumable_uploads.expires_at is 'When it can no longer be continued. Then sweep() removes it.';
comment on column dossier_private.resumable_uploads.holder is 'Key of the request that holds it, or null.';
comment on column dossier_private.resumable_uploads.held_until is 'When another request may take over.';
comment on column dossier_private.resumable_uploads.unverified_from is
  'Where the bytes begin whose checksum has yet to be compared, or null. If that never happens, they are removed.';

create function dossier_private.is_resumable(document dossier.documents) returns boolean
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: API roles cannot read the table.
begin
  return exists (
    select from dossier_private.resumable_uploads as upload
    where upload.organization_id = document.organization_id and upload.document_id = document.id);
end
$$;
comment on function dossier_private.is_resumable(dossier.documents) is 'Returns whether a document is an unfinished resumable upload.';

create function dossier_private.arrived_bytes(document dossier.documents) returns bigint
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: API roles cannot read the chunks. Only lengths are read, which Postgres knows without reading the bytes.
begin
  return (
    select coalesce(sum(chunk.length), 0)::bigint
    from (
      select octet_length(c.bytes) as length,
        c.seq = row_number() over (order by c.seq) - 1 and coalesce(bool_and(octet_length(c.bytes) = dossier_private.chunk_bytes())
          over (order by c.seq rows between unbounded preceding and 1 preceding), true) as follows
      from dossier_private.document_chunks as c
      where c.organization_id = document.organization_id and c.document_id = document.id
    ) as chunk
    where chunk.follows
  );
end
$$;
comment on function dossier_private.arrived_bytes(dossier.documents) is
  'Returns how many bytes of an unfinished upload are stored without a gap.';

create function dossier_private.stored_bytes(document dossier.documents, upload dossier_private.resumable_uploads) returns bigint
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: see arrived_bytes.
begin
  return least(dossier_private.arrived_bytes(document), upload.unverified_from);
end
$$;
comment on function dossier_private.stored_bytes(dossier.documents, dossier_private.resumable_uploads) is
  'Returns the offset at which an upload continues.';

create function dossier_private.resumable_upload(document dossier.documents) returns dossier_private.resumable_uploads
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles cannot read the table. Locks the row, so that at higher isolation levels a change of it that this
-- transaction cannot see is an error. The lock conflicts with no other request's.
declare
  upload dossier_private.resumable_uploads;
begin
  select u.* into upload
  from dossier_private.resumable_uploads as u
  where u.organization_id = document.organization_id and u.document_id = document.id
  for key share;
  if not found then
    raise exception using
      errcode = 'PT404',
      message = 'This upload cannot be resumed',
      detail = format('Document %s is arriving in a single request.', document.id),
      hint = 'Wait for that request, or begin an upload with begin_resumable_upload().';
  end if;
  return upload;
end
$$;
comment on function dossier_private.resumable_upload(dossier.documents) is
  'Returns the state of a resumable upload. PT404 if the upload is an ordinary one.';

create function dossier_private.require_unexpired(expires_at timestamptz) returns void
language plpgsql volatile security invoker set search_path = ''
as $$
begin
  if expires_at <= clock_timestamp() then
    raise exception using
      errcode = 'PT410',
      message = 'The upload has expired',
      detail = format('It could be continued until %s.', expires_at),
      hint = 'Begin a new upload.';
  end if;
end
$$;
comment on function dossier_private.require_unexpired(timestamptz) is 'Refuses (PT410) an upload that can no longer be continued.';

create function dossier_private.settle_short_upload(document dossier.documents) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: reads the chunks. The caller has locked the document exclusively.
declare
  declared text;
begin
  select upload.media_type into declared
  from dossier_private.resumable_uploads as upload
  where upload.organization_id = document.organization_id and upload.document_id = document.id;
  if found then
    perform dossier_private.settle_media_type(document, declared, (
      select chunk.bytes from dossier_private.document_chunks as chunk
      where chunk.organization_id = document.organization_id and chunk.document_id = document.id and chunk.seq = 0));
  end if;
end
$$;
comment on function dossier_private.settle_short_upload(dossier.documents) is
  'Detects the type of a resumable upload that ends before its first chunk is full.';

create function dossier_private.begin_resumable_upload(
  session_id uuid, name text, media_type text, size_bytes bigint, metadata jsonb, expires_in interval, client_metadata text
) returns dossier.documents
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles cannot write the table.
declare
  document dossier.documents;
begin
  if coalesce(expires_in not between interval '1 second' and interval '30 days', true) then
    raise exception using
      errcode = 'PT400',
      message = 'expires_in must be between one second and 30 days',
      detail = format('It is %s.', coalesce(expires_in::text, 'null')),
      hint = 'Omit it for 24 hours.';
  end if;
  if octet_length(client_metadata) > 131072 then
    raise exception using
      errcode = 'PT400',
      message = 'client_metadata is longer than 131072 bytes',
      detail = format('It has %s bytes.', octet_length(client_metadata)),
      hint = 'Send the metadata of the app as metadata, and shorten the rest.';
  end if;
  if size_bytes = 0 then
    raise exception using
      errcode = 'PT400',
      message = 'The file is empty',
      detail = 'size_bytes is 0.',
      hint = 'Send a file that has bytes, or omit size_bytes if the size is unknown.';
  end if;

  document := dossier_private.begin_upload(session_id, name, media_type, size_bytes, metadata);
  insert into dossier_private.resumable_uploads (organization_id, document_id, media_type, client_metadata, expires_at)
  values (document.organization_id, document.id, document.media_type, coalesce(begin_resumable_upload.client_metadata, ''), now() + expires_in);
  return document;
end
$$;
comment on function dossier_private.begin_resumable_upload(uuid, text, text, bigint, jsonb, interval, text) is
  'Runs dossier.begin_resumable_upload() with its owner''s rights.';

create function dossier_private.upload_state(document_id uuid)
returns table (
  id uuid, session_id uuid, name text, media_type text, metadata jsonb, size_bytes bigint, stored_bytes bigint,
  created_at timestamptz, expires_at timestamptz, client_metadata text
)
language plpgsql security definer set search_path = '' rows 1
as $$
-- Definer: API roles cannot read the chunks.
declare
  caller constant text := dossier_private.require_caller();
  document dossier.documents;
  upload dossier_private.resumable_uploads;
begin
  perform dossier_private.require_writer(dossier_private.document_organization(document_id), 'document', document_id);
  select d.* into document from dossier.documents as d where d.id = upload_state.document_id;
  perform dossier_private.require_own_upload(document.user_id = caller);

  if document.status = 'uploading' then
    upload := dossier_private.resumable_upload(document);
    perform dossier_private.require_unexpired(upload.expires_at);
  end if;
  return query values (
    document.id, document.session_id, document.name, document.media_type, document.metadata, document.size_bytes,
    case document.status when 'uploading' then dossier_private.stored_bytes(document, upload) else document.size_bytes end,
    document.created_at, upload.expires_at, upload.client_metadata);
end
$$;
comment on function dossier_private.upload_state(uuid) is 'Runs dossier.upload_state() with its owner''s rights.';

create function dossier_private.list_uploads(in_session uuid, limit_count integer, before timestamptz, before_id uuid)
returns table (
  id uuid, session_id uuid, name text, media_type text, metadata jsonb, size_bytes bigint, stored_bytes bigint,
  created_at timestamptz, expires_at timestamptz, client_metadata text
)
language plpgsql stable security definer set search_path = '' rows 20
as $$
-- Definer: API roles cannot read the table. Returns only the caller's own uploads, in sessions that it can write to.
declare
  caller constant text := dossier_private.require_caller();
  most constant integer := dossier_private.check_limit(limit_count, 1000);
begin
  return query
    select document.id, document.session_id, document.name, document.media_type, document.metadata, document.size_bytes,
      dossier_private.stored_bytes(document, upload), document.created_at, upload.expires_at, upload.client_metadata
    from dossier_private.resumable_uploads as upload
    join dossier.documents as document
      on document.organization_id = upload.organization_id and document.id = upload.document_id
    where upload.organization_id = any (array(select dossier_private.my_organizations('member')))
      and document.session_id not in (select dossier_private.trashed_sessions())
      and (in_session is null or document.session_id = in_session)
      and document.user_id = caller
      and upload.expires_at > now()
      and (document.created_at, document.id) < (coalesce(before, 'infinity'), coalesce(before_id, '00000000-0000-0000-0000-000000000000'))
    order by document.created_at desc, document.id desc
    limit most;
end
$$;
comment on function dossier_private.list_uploads(uuid, integer, timestamptz, uuid) is 'Runs dossier.list_uploads() with its owner''s rights.';

create function dossier.begin_resumable_upload(
  session_id uuid,
  name text,
  media_type text default null,
  size_bytes bigint default null,
  metadata jsonb default '{}',
  expires_in interval default '24 hours',
  client_metadata text default ''
) returns dossier.documents
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.begin_resumable_upload(session_id, name, media_type, size_bytes, metadata, expires_in, client_metadata);
end;
comment on function dossier.begin_resumable_upload(uuid, text, text, bigint, jsonb, interval, text) is
  'Begins an upload like begin_upload(), whose bytes may arrive in any number of requests until expires_in has passed. Each request '
  'calls hold_upload(), resume_upload() for its bytes, and release_upload(). finish_upload() finishes it, and abort_upload() removes it. '
  'client_metadata is returned by upload_state() as it is.';

create function dossier.upload_state(document_id uuid)
returns table (
  id uuid, session_id uuid, name text, media_type text, metadata jsonb, size_bytes bigint, stored_bytes bigint,
  created_at timestamptz, expires_at timestamptz, client_metadata text
)
language sql volatile security invoker set search_path = '' rows 1
begin atomic
  select state.id, state.session_id, state.name, state.media_type, state.metadata, state.size_bytes, state.stored_bytes,
    state.created_at, state.expires_at, state.client_metadata
  from dossier_private.upload_state(document_id) as state;
end;
comment on function dossier.upload_state(uuid) is
  'Returns the state of a resumable upload of the caller: stored_bytes is where it continues. For a finished one it is the size, and '
  'expires_at is null. PT410 if it has expired.';

create function dossier.list_uploads(
  in_session uuid default null, limit_count integer default 50, before timestamptz default null, before_id uuid default null
) returns table (
  id uuid, session_id uuid, name text, media_type text, metadata jsonb, size_bytes bigint, stored_bytes bigint,
  created_at timestamptz, expires_at timestamptz, client_metadata text
)
language sql stable security invoker set search_path = '' rows 20
begin atomic
  select own.id, own.session_id, own.name, own.media_type, own.metadata, own.size_bytes, own.stored_bytes,
    own.created_at, own.expires_at, own.client_metadata
  from dossier_private.list_uploads(in_session, limit_count, before, before_id) as own;
end;
comment on function dossier.list_uploads(uuid, integer, timestamptz, uuid) is
  'Returns the caller''s unfinished resumable uploads, in a session or in all, newest first. At most 1000 at once. For the next ones '
  'send created_at and id of the last as before and before_id.';

alter table dossier_private.resumable_uploads enable row level security;
create policy resumable_uploads_all_nobody on dossier_private.resumable_uploads for all to authenticated using (false);
revoke all on dossier_private.resumable_uploads from public, anon, authenticated, service_role;

revoke all on function
  dossier_private.is_resumable, dossier_private.arrived_bytes, dossier_private.stored_bytes, dossier_private.resumable_upload,
  dossier_private.require_unexpired, dossier_private.settle_short_upload, dossier_private.begin_resumable_upload,
  dossier_private.upload_state, dossier_private.list_uploads, dossier.begin_resumable_upload, dossier.upload_state,
  dossier.list_uploads
  from public, anon, authenticated, service_role;
grant execute on function
  dossier.begin_resumable_upload, dossier_private.begin_resumable_upload, dossier.upload_state, dossier_private.upload_state,
  dossier.list_uploads, dossier_private.list_uploads
  to authenticated, service_role;
