-- Uploads: begin, append chunk by chunk, finish or abort. Every limit is enforced here, on the bytes that arrive. Callers in
-- front of the database may only be stricter. The file is long because a limit is easier to verify beside those that it
-- works with.

create function dossier_private.upload_checks() returns table (name text, concerns text)
language sql immutable parallel safe security invoker set search_path = '' rows 12
begin atomic
  values
    ('caller', 'the token''s claim sub'),
    ('session', 'the caller''s role in the session''s organization'),
    ('name', 'setting max_name_length'),
    ('size', 'parameter size_bytes'),
    ('media_type', 'parameter media_type'),
    ('metadata', 'parameter metadata'),
    ('max_file_bytes', 'setting max_file_bytes'),
    ('allowed_media_types', 'setting allowed_media_types'),
    ('max_bytes', 'quota max_bytes'),
    ('max_documents', 'quota max_documents'),
    ('max_documents_a_day', 'quota max_documents_a_day'),
    ('max_extraction_seconds_a_day', 'quota max_extraction_seconds_a_day');
end;
comment on function dossier_private.upload_checks() is
  'Returns the checks of begin_upload() in order, as explain_upload() explains them. Each is a branch of check_upload().';

alter table dossier_private.settings add constraint settings_max_file_bytes_check
  check (name <> 'max_file_bytes' or (jsonb_typeof(value) = 'number' and value between '1' and '1099511627776'));
insert into dossier_private.settings (name, value, default_value, description) values
  ('max_file_bytes', '10485760', '10485760',
    'Largest document in bytes.');

alter table dossier_private.settings add constraint settings_max_name_length_check
  check (name <> 'max_name_length' or (jsonb_typeof(value) = 'number' and value between '1' and '255'));
insert into dossier_private.settings (name, value, default_value, description) values
  ('max_name_length', '255', '255',
    'Longest name of a document in characters, up to 255.');

create function dossier_private.check_size(size_bytes bigint, place text default null) returns void
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: reads a setting.
declare
  max_bytes constant bigint := dossier_private.setting('max_file_bytes')::bigint;
begin
  if size_bytes > max_bytes then
    raise exception using
      errcode = 'PT413',
      message = format('The file is larger than %s bytes', max_bytes),
      detail = concat(place || ': ',
        format('It has at least %s bytes. This is a limit of the database (max_file_bytes).', size_bytes)),
      hint = 'Send a smaller file, or ask the operator to raise the limit.';
  end if;
end
$$;
comment on function dossier_private.check_size(bigint, text) is
  'Refuses (PT413) a size above max_file_bytes, naming the place in a bundle that declares it.';

create function dossier_private.check_upload(
  check_name text, session_id uuid, name text, media_type text, size_bytes bigint, metadata jsonb
) returns void
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: reads settings and quotas.
declare
  max_name_length integer;
  problem text;
  declared text;
begin
  case check_name
    when 'caller' then
      perform dossier_private.require_caller();
    when 'session' then
      perform dossier_private.require_session(session_id);
    when 'name' then
      max_name_length := dossier_private.setting('max_name_length')::integer;
      problem := coalesce(dossier_private.name_problem(name), case when char_length(name) > max_name_length then
        format('It has %s characters. The database allows %s (max_name_length)', char_length(name), max_name_length) end);
      if problem is not null then
        raise exception using
          errcode = 'PT400',
          message = 'Invalid document name',
          detail = problem || '.',
          hint = 'Send a plain file name without slashes, backslashes, control, format or invisible characters, other than "." and "..".';
      end if;
    when 'size' then
      if size_bytes < 0 then
        raise exception using
          errcode = 'PT400',
          message = 'size_bytes must not be negative',
          detail = format('It is %s.', size_bytes),
          hint = 'Send the size of the file, or omit it if it is unknown.';
      end if;
    when 'media_type' then
      declared := dossier_private.declared_media_type(media_type, name);
      if declared !~ '^[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+$' or char_length(declared) > 127 then
        raise exception using
          errcode = 'PT400',
          message = 'media_type is not a valid media type',
          detail = format('It is %L.', left(declared, 80)),
          hint = 'Send type/subtype, such as application/pdf, or omit it.';
      end if;
    when 'metadata' then
      if coalesce(jsonb_typeof(metadata), 'object') <> 'object' or dossier_private.json_bytes(metadata) > 65536 then
        raise exception using
          errcode = 'PT400',
          message = 'metadata must be a JSON object of at most 65536 bytes',
          detail = format('It is a JSON %s. %s', jsonb_typeof(metadata), dossier_private.say_json_bytes(metadata)),
          hint = 'Send an object such as {"source": "crm"}.';
      end if;
    when 'max_file_bytes' then
      perform dossier_private.check_size(size_bytes);
    when 'allowed_media_types' then
      declared := dossier_private.declared_media_type(media_type, name);
      if declared <> 'application/octet-stream' then -- otherwise the first bytes decide
        perform dossier_private.check_media_type(declared);
      end if;
    else
      perform dossier_private.check_quota(check_name, dossier_private.session_organization(session_id),
        least(coalesce(size_bytes, 1)::numeric + coalesce(octet_length(name), 0) + dossier_private.value_bytes(metadata), 1e18)::bigint);
  end case;
end
$$;
comment on function dossier_private.check_upload(text, uuid, text, text, bigint, jsonb) is
  'Runs one check of begin_upload(), and raises its error. Quotas are checked only for callers that may write to the session.';

create function dossier_private.begin_upload(
  session_id uuid, name text, media_type text, size_bytes bigint, metadata jsonb
) returns dossier.documents
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles insert documents only through functions.
declare
  owning_organization_id uuid;
  check_name text;
  document dossier.documents;
begin
  for check_name in select c.name from dossier_private.upload_checks() as c loop
    perform dossier_private.check_upload(check_name, session_id, name, media_type, size_bytes, metadata);
    if check_name = 'session' then -- from here on, no other upload of the organization can take the space that quotas leave
      owning_organization_id := dossier_private.lock_session(session_id);
      perform dossier_private.reserve_quota(owning_organization_id);
    end if;
  end loop;

  insert into dossier.documents (session_id, organization_id, user_id, name, media_type, charset, size_bytes, metadata)
  values (
    session_id, owning_organization_id, dossier_private.caller_id(), name,
    dossier_private.declared_media_type(media_type, name), dossier_private.declared_charset(media_type), size_bytes, coalesce(metadata, '{}'))
  returning * into document;

  insert into dossier_private.usage_events (organization_id, kind, amount) values (owning_organization_id, 'upload', 1);
  return document;
end
$$;
comment on function dossier_private.begin_upload(uuid, text, text, bigint, jsonb) is
  'Runs dossier.begin_upload() with its owner''s rights.';

create function dossier_private.require_own_upload(is_own boolean) returns void
language plpgsql immutable security invoker set search_path = ''
as $$
begin
  if not is_own then
    raise exception using
      errcode = '42501',
      message = 'This upload belongs to another user',
      detail = 'Only the user who began an upload may continue it.',
      hint = 'Begin an upload of your own.';
  end if;
end
$$;
comment on function dossier_private.require_own_upload(boolean) is 'Refuses (42501) an upload that the caller has not begun.';

create function dossier_private.open_upload(document_id uuid, alone boolean) returns dossier.documents
language plpgsql security definer set search_path = ''
as $$
-- Definer: locks a row that the caller may not update.
declare
  caller constant text := dossier_private.require_caller();
  document dossier.documents;
begin
  -- Chunks after the first lock the document in share mode. Finish and abort wait for them, and later chunks find it closed.
  -- Only the caller's own upload is locked, so no user can block another's.
  if alone then
    select d.* into document from dossier.documents as d
    where d.id = open_upload.document_id and d.user_id = caller for no key update;
  else
    select d.* into document from dossier.documents as d
    where d.id = open_upload.document_id and d.user_id = caller for share;
  end if;

  perform dossier_private.require_writer(dossier_private.document_organization(document_id), 'document', document_id);
  perform dossier_private.require_own_upload(document.id is not null);
  if document.status <> 'uploading' then
    raise exception using
      errcode = 'PT409',
      message = 'This upload is already finished',
      detail = format('The status of the document is %s.', document.status),
      hint = 'Begin a new upload to send another file.';
  end if;
  return document;
end
$$;
comment on function dossier_private.open_upload(uuid, boolean) is
  'Returns an open upload of the caller, and locks it: exclusively for the first chunk and to close it, in share mode for other '
  'chunks.';

create function dossier_private.settle_media_type(document dossier.documents, declared text, head bytea) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: called by definer functions, which have locked the document.
declare
  sniffed constant text := dossier_private.sniff_media_type(head, declared, document.name);
begin
  perform dossier_private.check_media_type(sniffed);
  if sniffed <> document.media_type then
    update dossier.documents as d set media_type = sniffed where d.id = document.id;
  end if;
end
$$;
comment on function dossier_private.settle_media_type(dossier.documents, text, bytea) is
  'Detects the type of a document from its first chunk and its declared type, refuses a type that is not accepted, and stores it.';

create function dossier_private.add_bytes(document dossier.documents, first_byte bigint, bytes bytea) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles cannot write the chunks. The caller has locked the document.
declare
  chunk_bytes constant integer := dossier_private.chunk_bytes();
  past_byte constant bigint := first_byte + octet_length(bytes);
  -- The first chunk has this many bytes already. Only that of a resumed upload has any.
  begun constant integer := first_byte % chunk_bytes;
  first_seq constant bigint := (first_byte + chunk_bytes - 1) / chunk_bytes;
  past_seq constant bigint := (past_byte + chunk_bytes - 1) / chunk_bytes;
  stored integer;
begin
  perform dossier_private.check_size(past_byte);
  if past_byte > document.size_bytes then
    raise exception using
      errcode = 'PT400',
      message = 'More bytes were sent than declared',
      detail = format('%s bytes were declared. This chunk ends at %s.', document.size_bytes, past_byte),
      hint = 'Declare the actual size, or omit it.';
  end if;
  if document.size_bytes is null then -- a declared size was already counted
    perform dossier_private.check_quota('max_bytes', document.organization_id, octet_length(bytes));
  end if;

  if begun > 0 then
    update dossier_private.document_chunks as chunk
    set bytes = chunk.bytes || substring(add_bytes.bytes for chunk_bytes - begun)
    where chunk.organization_id = document.organization_id and chunk.document_id = document.id
      and chunk.seq = first_seq - 1 and octet_length(chunk.bytes) = begun;
    if not found then
      raise exception using
        errcode = 'PT409',
        message = 'The bytes before these are not stored, or these already are',
        detail = format('Chunk %s does not have %s bytes.', first_seq - 1, begun),
        hint = 'Continue where the stored bytes end: upload_state() returns their number.';
    end if;
  end if;

  insert into dossier_private.document_chunks (document_id, organization_id, seq, bytes)
  select document.id, document.organization_id, number, substring(add_bytes.bytes from (number * chunk_bytes - first_byte)::integer + 1 for chunk_bytes)
  from generate_series(first_seq, past_seq - 1) as number
  on conflict on constraint document_chunks_pkey do nothing;
  get diagnostics stored = row_count;

  if stored < past_seq - first_seq then
    raise exception using
      errcode = 'PT409',
      message = case past_seq - first_seq
        when 1 then format('Chunk %s is already stored', first_seq)
        else format('Some of the chunks %s to %s are already stored', first_seq, past_seq - 1)
      end,
      detail = 'A stored chunk cannot be replaced.',
      hint = 'Continue with the next chunk, or abort the upload and begin again.';
  end if;

  if document.size_bytes is null then -- last, since the other chunks of the upload wait for the end of this transaction
    insert into dossier_private.arriving_uploads as arriving (organization_id, document_id, bytes)
    values (document.organization_id, document.id, octet_length(add_bytes.bytes))
    on conflict on constraint arriving_uploads_pkey do update set bytes = arriving.bytes + excluded.bytes;
  end if;
end
$$;
comment on function dossier_private.add_bytes(dossier.documents, bigint, bytea) is
  'Stores bytes of a document from this place on: adds to the chunk that ends there, and adds chunks.';

create function dossier_private.store_chunks(document_id uuid, seq integer, bytes bytea) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles cannot write the chunks.
declare
  chunk_bytes constant integer := dossier_private.chunk_bytes();
  most_bytes constant integer := 4 * chunk_bytes;
  -- The first chunk may correct the document's type. Two of them that shared the lock would each wait for the other's.
  document constant dossier.documents := dossier_private.open_upload(document_id, alone => coalesce(seq = 0, false));
begin
  if coalesce(seq < 0 or octet_length(bytes) not between 1 and most_bytes, true) then
    raise exception using
      errcode = 'PT400',
      message = format('A chunk must have a number from 0, and 1 to %s bytes', most_bytes),
      detail = format('This chunk has number %s and %s bytes.',
        coalesce(seq::text, 'null'), coalesce(octet_length(bytes)::text, 'no')),
      hint = format(
        'Cut the file into chunks of %s bytes. Only the last one may be shorter. Send one to four chunks per call.', chunk_bytes);
  end if;
  if dossier_private.is_resumable(document) then
    raise exception using
      errcode = 'PT409',
      message = 'This upload is resumable',
      detail = 'Its bytes are sent to an offset, by the request that holds it.',
      hint = 'Call hold_upload() and resume_upload(), or send PATCH /api/uploads/{id} to the edge.';
  end if;

  if seq = 0 then -- detect the type from one chunk, however many come at once
    perform dossier_private.settle_media_type(document, document.media_type, substring(bytes for chunk_bytes));
  end if;
  perform dossier_private.add_bytes(document, seq::bigint * chunk_bytes, bytes);
end
$$;
comment on function dossier_private.store_chunks(uuid, integer, bytea) is
  'Runs dossier.append_upload() with its owner''s rights.';

create function dossier_private.finish_upload(document_id uuid, size_bytes bigint, sha256 text) returns dossier.documents
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles set these columns only through this function.
declare
  chunk_bytes constant bigint := dossier_private.chunk_bytes();
  document dossier.documents := dossier_private.open_upload(document_id, alone => true);
  arrived record;
  wrong text;
begin
  select
    count(*) as chunks,
    coalesce(sum(chunk.length), 0)::bigint as bytes,
    coalesce(max(chunk.seq), -1) + 1 as expected_chunks,
    count(*) filter (where chunk.length <> chunk_bytes and chunk.seq < chunk.last_seq) as short_chunks
  into arrived
  from (
    select c.seq, octet_length(c.bytes) as length, max(c.seq) over () as last_seq
    from dossier_private.document_chunks as c
    where c.document_id = document.id and c.organization_id = document.organization_id
  ) as chunk;

  wrong := case
    when finish_upload.size_bytes is null or finish_upload.size_bytes < 0 then 'size_bytes is missing or negative.'
    when coalesce(finish_upload.sha256 !~* '^[0-9a-f]{64}$', true) then 'sha256 does not have 64 hexadecimal digits.'
    when arrived.chunks = 0 then 'The file is empty.'
    when arrived.chunks <> arrived.expected_chunks
      then format('%s of %s chunks are missing.', arrived.expected_chunks - arrived.chunks, arrived.expected_chunks)
    when arrived.short_chunks > 0 then format('%s chunks before the last have fewer than %s bytes.', arrived.short_chunks, chunk_bytes)
    when arrived.bytes <> finish_upload.size_bytes
      then format('%s bytes are stored, but size_bytes is %s.', arrived.bytes, finish_upload.size_bytes)
    when arrived.bytes <> document.size_bytes
      then format('%s bytes are stored, but %s were declared.', arrived.bytes, document.size_bytes)
  end;
  if wrong is not null then
    raise exception using
      errcode = 'PT400',
      message = case when arrived.chunks = 0 then 'The file is empty' else 'The upload is incomplete' end,
      detail = wrong,
      hint = case when arrived.chunks = 0
        then 'Send a file that has bytes, or abort the upload.'
        else 'Send the missing bytes and finish again, or abort the upload.'
      end;
  end if;
  perform dossier_private.check_size(arrived.bytes);
  if arrived.bytes < chunk_bytes then
    perform dossier_private.settle_short_upload(document);
  end if;
  if document.size_bytes is null then
    perform dossier_private.reserve_quota(document.organization_id);
    perform dossier_private.check_quota('max_bytes', document.organization_id, arrived.bytes, documents => 0);
    delete from dossier_private.arriving_uploads as arriving
    where arriving.organization_id = document.organization_id and arriving.document_id = document.id;
  end if;

  delete from dossier_private.resumable_uploads as upload
  where upload.organization_id = document.organization_id and upload.document_id = document.id;
  update dossier.documents as d
  set status = 'stored', size_bytes = arrived.bytes, sha256 = lower(finish_upload.sha256)
  where d.id = document.id
  returning * into document;

  perform dossier_private.queue_job(document.id, document.organization_id, ocr => 'auto');
  return document;
end
$$;
comment on function dossier_private.finish_upload(uuid, bigint, text) is 'Runs dossier.finish_upload() with its owner''s rights.';

create function dossier_private.abort_upload(document_id uuid) returns boolean
language plpgsql security definer set search_path = ''
as $$
-- Definer: removes the caller's own upload, even if the caller has left the organization or the session is in the trash.
declare
  caller constant text := dossier_private.require_caller();
begin
  delete from dossier.documents as d
  where d.id = abort_upload.document_id
    and d.user_id = caller
    and d.status = 'uploading';
  return found;
end
$$;
comment on function dossier_private.abort_upload(uuid) is 'Runs dossier.abort_upload() with its owner''s rights.';

create function dossier.begin_upload(
  session_id uuid,
  name text,
  media_type text default null,
  size_bytes bigint default null,
  metadata jsonb default '{}'
) returns dossier.documents
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.begin_upload(session_id, name, media_type, size_bytes, metadata);
end;
comment on function dossier.begin_upload(uuid, text, text, bigint, jsonb) is
  'Begins an upload. Refuses a caller without rights, or a wrong type, name or size, before any byte is sent. If media_type is '
  'null, the first bytes decide. If size_bytes is null, the size is unknown.';

create function dossier.append_upload(document_id uuid, seq integer, bytes bytea) returns void
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.store_chunks(document_id, seq, bytes);
end;
comment on function dossier.append_upload(uuid, integer, bytea) is
  'Stores the bytes of chunk number seq, counted from 0, or of up to four consecutive chunks that begin with it. Every chunk '
  'except the last has exactly limits().chunk_bytes bytes.';

create function dossier.finish_upload(document_id uuid, size_bytes bigint, sha256 text) returns dossier.documents
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.finish_upload(document_id, size_bytes, sha256);
end;
comment on function dossier.finish_upload(uuid, bigint, text) is
  'Finishes an upload after all bytes are stored. The document becomes stored, and its extraction is queued.';

create function dossier.abort_upload(document_id uuid) returns boolean
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.abort_upload(document_id);
end;
comment on function dossier.abort_upload(uuid) is
  'Removes an unfinished upload of the caller. Returns false if it does not exist.';

revoke all on function
  dossier_private.upload_checks, dossier_private.check_upload, dossier_private.begin_upload,
  dossier_private.require_own_upload, dossier_private.open_upload, dossier_private.settle_media_type, dossier_private.add_bytes, dossier_private.store_chunks,
  dossier_private.finish_upload, dossier_private.abort_upload,
  dossier_private.check_size,
  dossier.begin_upload, dossier.append_upload, dossier.finish_upload, dossier.abort_upload
  from public, anon, authenticated, service_role;
grant execute on function
  dossier.begin_upload, dossier_private.begin_upload, dossier.append_upload, dossier_private.store_chunks,
  dossier.finish_upload, dossier_private.finish_upload, dossier.abort_upload, dossier_private.abort_upload
  to authenticated, service_role;
