-- The requests that send bytes of a resumable upload.
--
-- Each request holds the upload while it sends, by a random key of its own. The hold is a row and not a lock of the connection,
-- so that a pooler in transaction mode may be in between, and a request that has lost its client, its edge or the network holds
-- nothing for longer than hold_time(). It is renewed while bytes arrive.
-- Invariant: bytes are stored only for the request that holds the upload. A request that takes over waits for the appends in
-- progress, removes whatever lies behind the first gap, and then decides the offset. Both lock the document.

create function dossier_private.hold_time() returns interval
language sql immutable parallel safe security invoker set search_path = ''
begin atomic
  select interval '6 seconds';
end;
comment on function dossier_private.hold_time() is
  'Returns how long a request holds an upload after its last bytes. Shorter than the time for which clients of tus usually retry.';

create function dossier_private.held_upload(document dossier.documents, holder uuid) returns dossier_private.resumable_uploads
language plpgsql security definer set search_path = ''
as $$
-- Definer: see resumable_upload.
declare
  upload constant dossier_private.resumable_uploads := dossier_private.resumable_upload(document);
begin
  if coalesce(upload.holder <> held_upload.holder, true) then
    raise exception using
      errcode = 'PT423',
      message = 'This request no longer holds the upload',
      detail = 'Another request has taken over, or the upload was never held.',
      hint = 'Read the offset with upload_state(), hold the upload again, and continue there.';
  end if;
  return upload;
end
$$;
comment on function dossier_private.held_upload(dossier.documents, uuid) is
  'Returns the state of a resumable upload that this key holds, or refuses (PT423).';

create function dossier_private.cut_upload(document dossier.documents, upload dossier_private.resumable_uploads, keep_bytes bigint)
returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles cannot write the chunks. The caller has locked the document exclusively.
declare
  chunk_bytes constant integer := dossier_private.chunk_bytes();
  kept_seq constant bigint := keep_bytes / chunk_bytes;
  kept_part constant integer := keep_bytes % chunk_bytes;
begin
  delete from dossier_private.document_chunks as chunk
  where chunk.organization_id = document.organization_id and chunk.document_id = document.id
    and chunk.seq >= kept_seq + (kept_part > 0)::integer;
  if kept_part > 0 then
    update dossier_private.document_chunks as chunk
    set bytes = substring(chunk.bytes for kept_part)
    where chunk.organization_id = document.organization_id and chunk.document_id = document.id
      and chunk.seq = kept_seq and octet_length(chunk.bytes) > kept_part;
  end if;
  update dossier_private.arriving_uploads as arriving
  set bytes = keep_bytes
  where arriving.organization_id = document.organization_id and arriving.document_id = document.id
    and arriving.bytes <> keep_bytes;
  if keep_bytes < chunk_bytes then -- the bytes that are gone may have decided the type
    update dossier.documents as d set media_type = upload.media_type
    where d.id = document.id and d.media_type <> upload.media_type;
  end if;
end
$$;
comment on function dossier_private.cut_upload(dossier.documents, dossier_private.resumable_uploads, bigint) is
  'Removes the bytes of an upload from this offset on.';

create function dossier_private.declare_size(document dossier.documents, arrived bigint, size_bytes bigint) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles set this column only through functions. The caller has locked the document exclusively.
begin
  if document.size_bytes is not null or size_bytes < greatest(arrived, 1) then
    if size_bytes is distinct from document.size_bytes then
      raise exception using
        errcode = 'PT400',
        message = 'The size of this upload cannot be changed like this',
        detail = format('The size is %s, %s bytes are stored, and size_bytes is %s.', coalesce(document.size_bytes::text, 'unknown'), arrived, size_bytes),
        hint = 'Declare the size of the file once, when it is known.';
    end if;
    return;
  end if;
  perform dossier_private.check_size(size_bytes);
  perform dossier_private.reserve_quota(document.organization_id);
  -- From here on the document counts, with all its bytes.
  delete from dossier_private.arriving_uploads as arriving
  where arriving.organization_id = document.organization_id and arriving.document_id = document.id;
  perform dossier_private.check_quota('max_bytes', document.organization_id, size_bytes);
  update dossier.documents as d set size_bytes = declare_size.size_bytes where d.id = document.id;
end
$$;
comment on function dossier_private.declare_size(dossier.documents, bigint, bigint) is
  'Declares the size of an upload that began without one. Declaring the same size again has no effect.';

create function dossier_private.hold_upload(
  document_id uuid, holder uuid, start_byte bigint, declared_bytes bigint, verify boolean
) returns table (stored_bytes bigint, size_bytes bigint, expires_at timestamptz)
language plpgsql security definer set search_path = '' rows 1
as $$
-- Definer: API roles cannot write the table.
declare
  -- Waits for the appends in progress, and lets no other begin.
  document constant dossier.documents := dossier_private.open_upload(document_id, alone => true);
  upload constant dossier_private.resumable_uploads := dossier_private.resumable_upload(document);
begin
  if hold_upload.holder is null then
    raise exception using
      errcode = 'PT400',
      message = 'holder must not be null',
      detail = 'It tells the requests of an upload apart.',
      hint = 'Send a random UUID, a new one for each request.';
  end if;
  perform dossier_private.require_unexpired(upload.expires_at);
  if upload.holder <> hold_upload.holder and upload.held_until > clock_timestamp() then
    raise exception using
      errcode = 'PT423',
      message = 'Another request is sending this upload',
      detail = format('It has sent bytes in the last %s seconds.', extract(epoch from dossier_private.hold_time())::integer),
      hint = 'Retry in a few seconds, from the offset that the upload has then.';
  end if;

  stored_bytes := dossier_private.stored_bytes(document, upload);
  if start_byte is distinct from stored_bytes then
    raise exception using
      errcode = 'PT409',
      message = 'The offset is not where the stored bytes end',
      detail = format('The offset is %s. %s bytes are stored.', coalesce(start_byte::text, 'null'), stored_bytes),
      hint = 'Read the offset of the upload and continue there.';
  end if;
  if declared_bytes is not null then
    perform dossier_private.declare_size(document, stored_bytes, declared_bytes);
  end if;

  perform dossier_private.cut_upload(document, upload, stored_bytes);
  update dossier_private.resumable_uploads as u
  set holder = hold_upload.holder, held_until = clock_timestamp() + dossier_private.hold_time(),
    unverified_from = case when verify then hold_upload.stored_bytes end
  where u.organization_id = document.organization_id and u.document_id = document.id;
  size_bytes := coalesce(document.size_bytes, declared_bytes);
  expires_at := upload.expires_at;
  return next;
end
$$;
comment on function dossier_private.hold_upload(uuid, uuid, bigint, bigint, boolean) is
  'Runs dossier.hold_upload() with its owner''s rights.';

create function dossier_private.keep_hold(upload dossier_private.resumable_uploads) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles cannot write the table. Not each time: the appends of an upload would wait for each other.
begin
  update dossier_private.resumable_uploads as u
  set held_until = clock_timestamp() + dossier_private.hold_time()
  where u.organization_id = upload.organization_id and u.document_id = upload.document_id
    and u.held_until < clock_timestamp() + dossier_private.hold_time() * 0.75;
end
$$;
comment on function dossier_private.keep_hold(dossier_private.resumable_uploads) is 'Renews the hold on an upload.';

create function dossier_private.renew_upload(document_id uuid, holder uuid) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles cannot write the table.
begin
  perform dossier_private.keep_hold(
    dossier_private.held_upload(dossier_private.open_upload(document_id, alone => false), holder));
end
$$;
comment on function dossier_private.renew_upload(uuid, uuid) is 'Runs dossier.renew_upload() with its owner''s rights.';

create function dossier_private.resume_upload(document_id uuid, holder uuid, start_byte bigint, bytes bytea) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles cannot write the chunks.
declare
  chunk_bytes constant integer := dossier_private.chunk_bytes();
  most_bytes constant integer := 4 * chunk_bytes;
  -- Bytes of the first chunk may correct the document's type.
  document constant dossier.documents := dossier_private.open_upload(document_id, alone => coalesce(start_byte < chunk_bytes, false));
  upload constant dossier_private.resumable_uploads := dossier_private.held_upload(document, holder);
  past_byte constant bigint := start_byte + octet_length(bytes);
begin
  if coalesce(start_byte < 0 or octet_length(bytes) not between 1 and most_bytes, true) then
    raise exception using
      errcode = 'PT400',
      message = format('An offset must be 0 or more, with 1 to %s bytes', most_bytes),
      detail = format('The offset is %s, with %s bytes.',
        coalesce(start_byte::text, 'null'), coalesce(octet_length(bytes)::text, 'no')),
      hint = 'Cut the file into pieces that end at multiples of limits().chunk_bytes.';
  end if;

  if start_byte < chunk_bytes and past_byte >= least(chunk_bytes, document.size_bytes) then -- the first chunk is complete
    perform dossier_private.settle_media_type(document, upload.media_type, (
      select coalesce(string_agg(chunk.bytes, ''), '')
      from dossier_private.document_chunks as chunk
      where chunk.organization_id = document.organization_id and chunk.document_id = document.id and chunk.seq = 0
    ) || substring(bytes for chunk_bytes - start_byte::integer));
  end if;
  perform dossier_private.add_bytes(document, start_byte, bytes);
  perform dossier_private.keep_hold(upload);
end
$$;
comment on function dossier_private.resume_upload(uuid, uuid, bigint, bytea) is
  'Runs dossier.resume_upload() with its owner''s rights.';

create function dossier_private.release_upload(document_id uuid, holder uuid, keep_bytes bigint) returns bigint
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles cannot write the table.
declare
  document constant dossier.documents := dossier_private.open_upload(document_id, alone => true);
  upload constant dossier_private.resumable_uploads := dossier_private.held_upload(document, holder);
  stored_bytes constant bigint := greatest(least(dossier_private.arrived_bytes(document), keep_bytes), 0);
begin
  perform dossier_private.cut_upload(document, upload, stored_bytes);
  update dossier_private.resumable_uploads as u
  set holder = null, held_until = null, unverified_from = null
  where u.organization_id = document.organization_id and u.document_id = document.id;
  return stored_bytes;
end
$$;
comment on function dossier_private.release_upload(uuid, uuid, bigint) is 'Runs dossier.release_upload() with its owner''s rights.';

create function dossier_private.read_upload(document_id uuid, start_byte bigint, length_bytes integer) returns bytea
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles cannot read the chunks.
declare
  chunk_bytes constant integer := dossier_private.chunk_bytes();
  document constant dossier.documents := dossier_private.open_upload(document_id, alone => false);
begin
  if coalesce(start_byte < 0 or start_byte % chunk_bytes <> 0 or length_bytes not between 1 and 4 * chunk_bytes, true) then
    raise exception using
      errcode = 'PT400',
      message = format('Bytes are read from the start of a chunk, 1 to %s at once', 4 * chunk_bytes),
      detail = format('The start is %s and the length %s.', coalesce(start_byte::text, 'null'), coalesce(length_bytes::text, 'null')),
      hint = 'Read from a multiple of limits().chunk_bytes.';
  end if;
  return (
    select substring(string_agg(chunk.bytes, '' order by chunk.seq) for length_bytes)
    from dossier_private.document_chunks as chunk
    where chunk.organization_id = document.organization_id and chunk.document_id = document.id
      and chunk.seq between start_byte / chunk_bytes and (start_byte + length_bytes - 1) / chunk_bytes
  );
end
$$;
comment on function dossier_private.read_upload(uuid, bigint, integer) is 'Runs dossier.read_upload() with its owner''s rights.';

create function dossier.hold_upload(
  document_id uuid, holder uuid, start_byte bigint, declared_bytes bigint default null, verify boolean default false
) returns table (stored_bytes bigint, size_bytes bigint, expires_at timestamptz)
language sql volatile security invoker set search_path = '' rows 1
begin atomic
  select held.stored_bytes, held.size_bytes, held.expires_at
  from dossier_private.hold_upload(document_id, holder, start_byte, declared_bytes, verify) as held;
end;
comment on function dossier.hold_upload(uuid, uuid, bigint, bigint, boolean) is
  'Holds a resumable upload of the caller for one request, whose random key is holder. Refuses while another request sends bytes '
  '(PT423), and an offset that is not the number of stored bytes (PT409). declared_bytes is the size, if it was not known before. '
  'With verify, the bytes that follow count only once release_upload() or finish_upload() is called. The hold ends 6 seconds after the last '
  'bytes, if another request asks for it.';

create function dossier.renew_upload(document_id uuid, holder uuid) returns void
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.renew_upload(document_id, holder);
end;
comment on function dossier.renew_upload(uuid, uuid) is
  'Renews the hold on a resumable upload while bytes arrive that do not fill a chunk yet. Refuses (PT423) if another request has taken over.';

create function dossier.resume_upload(document_id uuid, holder uuid, start_byte bigint, bytes bytea) returns void
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.resume_upload(document_id, holder, start_byte, bytes);
end;
comment on function dossier.resume_upload(uuid, uuid, bigint, bytea) is
  'Stores bytes of a held upload from this offset on, at most four chunks at once. Calls may overlap if each but the last ends at '
  'a multiple of limits().chunk_bytes.';

create function dossier.release_upload(document_id uuid, holder uuid, keep_bytes bigint default null) returns bigint
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.release_upload(document_id, holder, keep_bytes);
end;
comment on function dossier.release_upload(uuid, uuid, bigint) is
  'Ends the hold on a resumable upload, and returns the number of stored bytes, at which it continues. Removes bytes beyond keep_bytes, for example those '
  'whose checksum was wrong.';

create function dossier.read_upload(document_id uuid, start_byte bigint, length_bytes integer default 1048576) returns bytea
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.read_upload(document_id, start_byte, length_bytes);
end;
comment on function dossier.read_upload(uuid, bigint, integer) is
  'Returns bytes of an unfinished upload of the caller, from the start of a chunk on, at most four chunks at once: for a digest of '
  'bytes that came in several requests. Null behind the last one.';

revoke all on function
  dossier_private.hold_time, dossier_private.held_upload, dossier_private.cut_upload, dossier_private.declare_size,
  dossier_private.hold_upload, dossier_private.keep_hold, dossier_private.renew_upload, dossier_private.resume_upload,
  dossier_private.release_upload, dossier_private.read_upload, dossier.hold_upload, dossier.renew_upload, dossier.resume_upload,
  dossier.release_upload, dossier.read_upload
  from public, anon, authenticated, service_role;
grant execute on function
  dossier.hold_upload, dossier_private.hold_upload, dossier.renew_upload, dossier_private.renew_upload, dossier.resume_upload,
  dossier_private.resume_upload, dossier.release_upload, dossier_private.release_upload, dossier.read_upload,
  dossier_private.read_upload
  to authenticated, service_role;
