-- The parts of a bundle: sessions, contexts, documents, pages, bytes. Nothing in a bundle is trusted. Shapes, sizes, times,
-- types and digests are checked, and everything that the database counts is counted again.

create function dossier_private.existing_time(said text) returns timestamptz
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return said::timestamptz;
exception when datetime_field_overflow or invalid_datetime_format or invalid_parameter_value then
  return null;
end
$$;
comment on function dossier_private.existing_time(text) is
  'Returns the time, or null if there is no such time (February 31) or time zone.';

create function dossier_private.check_shape(place text, value jsonb, shape jsonb) returns void
language plpgsql stable security invoker set search_path = ''
as $$
declare
  wrong text;
begin
  if jsonb_typeof(value) is distinct from 'object' then
    wrong := format('%s must be an object, but is %s', place, coalesce('a JSON ' || jsonb_typeof(value), 'missing'));
  else
    select case
        when expected.key is null then format('%s has the unknown member %L', place, left(given.key, 80))
        when given.key is null then format('%s.%s is missing', place, expected.key)
        when expected.kind = 'time' then format('%s.%s must be a time between 1970 and now', place, expected.key)
        else format('%s.%s must be %s, but is a JSON %s',
          place, expected.key, rtrim(expected.kind, '?'), jsonb_typeof(given.value))
      end
    into wrong
    from jsonb_each(value) as given
    full join jsonb_each_text(shape) as expected (key, kind) on expected.key = given.key
    where expected.key is null
      or (given.key is null and expected.kind not like '%?')
      or case
        when expected.kind like '%?' and jsonb_typeof(given.value) = 'null' then false
        -- Allow one more day, for clocks that differ.
        when expected.kind = 'time' and jsonb_typeof(given.value) = 'string'
          -- Postgres would also parse words, such as tomorrow.
          then given.value #>> '{}' !~ '^\d{4}-' or coalesce(dossier_private.existing_time(given.value #>> '{}')
            not between '1970-01-01 00:00:00+00' and now() + interval '1 day', true)
        else jsonb_typeof(given.value) <> rtrim(expected.kind, '?')
      end
    order by coalesce(expected.key, given.key)
    limit 1;
  end if;

  if wrong is not null then
    raise exception using
      errcode = 'PT400',
      message = 'Malformed bundle',
      detail = wrong || '.',
      hint = 'Send a bundle as export_sessions() returns it.';
  end if;
end
$$;
comment on function dossier_private.check_shape(text, jsonb, jsonb) is
  'Refuses (PT400, naming the place) anything but an object with exactly these members: {name: JSON type, or time; a type with '
  '? may be null or missing}.';

create function dossier_private.bundle_shape(type text) returns jsonb
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  return case type
    when 'session' then '{"id": "string", "user_id": "string", "title": "string?", "conversation_type": "string",
      "status": "string", "created_at": "time", "updated_at": "time"}'
    when 'context_version' then '{"version": "number", "text_context": "string", "context_metadata": "object",
      "updated_by": "string?", "updated_at": "time"}'
    when 'document' then '{"id": "string", "user_id": "string", "name": "string", "media_type": "string",
      "size_bytes": "number", "sha256": "string", "status": "string", "ocr_status": "string?", "error_code": "string?", "error_message": "string?",
      "metadata": "object", "language": "string?", "file_metadata": "object", "created_at": "time", "updated_at": "time"}'
    when 'page' then '{"page": "number", "text": "string", "source": "string", "engine": "string?",
      "confidence": "number?", "quality": "number?", "reason": "string?", "structure": "object?"}'
    when 'bundle' then '{"format": "string", "version": "number"}'
    when 'bytes' then '{"base64": "string"}'
    when 'file' then '{"path": "string"}'
    when 'end' then '{"lines": "number"}'
  end::jsonb;
end
$$;
comment on function dossier_private.bundle_shape(text) is
  'Returns the members of a record in a bundle for check_shape(), by its type, without type and parent.';

create function dossier_private.check_new(written boolean, place text, id uuid) returns void
language plpgsql immutable security invoker set search_path = ''
as $$
begin
  if not written then -- the same words, whichever organization has the id
    raise exception using
      errcode = 'PT409',
      message = 'An id of the bundle already exists',
      detail = format('%s.id %s exists in this database, or twice in the bundle.', place, id),
      hint = 'Import with new ids (keep_ids => false), or first delete the existing object.';
  end if;
end
$$;
comment on function dossier_private.check_new(boolean, text, uuid) is 'Refuses (PT409) an id of a bundle that already exists.';

create function dossier_private.refuse_at(place text, code text, said text, why text, advice text) returns void
language plpgsql immutable security invoker set search_path = ''
as $$
begin
  -- Ids are written in the order of the bundle. If two imports deadlock, one of them would have failed anyway.
  if code = '40P01' then
    raise exception using
      errcode = 'PT409',
      message = 'Another import of the same ids is in progress',
      detail = format('The two imports deadlocked; this one was rolled back at %s.', place),
      hint = 'Retry when the other import has finished. If it has taken the ids, import with new ones (keep_ids => false).';
  end if;

  -- The names of constraints mean nothing to a reader: documents_language_check of the table documents concerns language.
  said := regexp_replace(said, '^new row for relation "([a-z_]+)" violates check constraint "\1_([a-z0-9_]+)_check"$', '\2 has a value that is not allowed');
  said := regexp_replace(said, '^duplicate key value violates unique constraint .*', 'it repeats an id or a number of the bundle');
  -- Errors of tables and casts do not contain the place in the bundle.
  raise exception using
    errcode = case when code like 'PT%' then code else 'PT400' end,
    message = case when code like 'PT%' then said else 'The bundle contains a value that cannot be stored' end,
    detail = case
      when code not like 'PT%' then format('%s: %s.', place, left(said, 500))
      when starts_with(why, place) or place = 'bundle' then why
      else format('%s: %s', place, why)
    end,
    hint = coalesce(nullif(advice, ''), 'Send a bundle as export_sessions() returns it.');
end
$$;
comment on function dossier_private.refuse_at(text, text, text, text, text) is
  'Raises an error that occurred within a bundle again, with its place.';

create function dossier_private.import_context(place text, session_id uuid, organization_id uuid, versions jsonb) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles write the two tables only through functions.
declare
  item record;
  here text;
  saved dossier.session_context;
begin
  for item in select e.value, e.position - 1 as index from jsonb_array_elements(versions) with ordinality as e (value, position) loop
    here := format('%s.context_versions[%s]', place, item.index);
    perform dossier_private.check_shape(here, item.value, dossier_private.bundle_shape('context_version'));
    -- Far below the largest integer, so that the context can have further versions.
    if (item.value ->> 'version')::integer not between coalesce(saved.version, 0) + 1 and 1000000000 then
      raise exception using
        errcode = 'PT400',
        message = 'Malformed bundle',
        detail = format('%s.version must be greater than the one before, and between 1 and 1000000000.', here),
        hint = 'Send the versions of a context in ascending order.';
    end if;

    saved.session_id := import_context.session_id;
    saved.organization_id := import_context.organization_id;
    saved.text_context := item.value ->> 'text_context';
    saved.context_metadata := item.value -> 'context_metadata';
    saved.version := item.value ->> 'version';
    saved.updated_by := left(item.value ->> 'updated_by', 255);
    saved.updated_at := item.value ->> 'updated_at';
    perform dossier_private.check_context(saved.text_context, saved.context_metadata);

    insert into dossier.session_context_versions
      (session_id, organization_id, text_context, context_metadata, version, updated_by, updated_at)
    values
      (saved.session_id, saved.organization_id, saved.text_context, saved.context_metadata,
       saved.version, saved.updated_by, saved.updated_at);
  end loop;

  if saved.version is not null then
    insert into dossier.session_context
      (session_id, organization_id, text_context, context_metadata, version, updated_by, updated_at)
    values
      (saved.session_id, saved.organization_id, saved.text_context, saved.context_metadata,
       saved.version, saved.updated_by, saved.updated_at);
    perform dossier_private.prune_versions(saved.organization_id, saved.session_id, saved.version);
    perform dossier_private.index_context(saved);
  end if;
end
$$;
comment on function dossier_private.import_context(text, uuid, uuid, jsonb) is
  'Writes the context_versions of a session in a bundle. The last one becomes current.';

create function dossier_private.import_session(
  place text, session_id uuid, organization_id uuid, item jsonb, context_versions jsonb
) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: imported rows keep their author and times, which API roles may not write.
begin
  perform dossier_private.check_shape(place, item, dossier_private.bundle_shape('session'));
  if not exists (select from dossier.conversation_types as t where t.slug = item ->> 'conversation_type') then
    raise exception using
      errcode = 'PT400',
      message = format('Unknown conversation type %L', left(item ->> 'conversation_type', 80)),
      detail = format('The registered types are: %s.', (
        select string_agg(t.slug, ', ' order by t.slug) from dossier.conversation_types as t)),
      hint = 'Ask an administrator to add a row to conversation_types, then retry.';
  end if;

  insert into dossier.sessions (id, organization_id, user_id, title, conversation_type, status, created_at, updated_at)
  values (
    import_session.session_id, import_session.organization_id, item ->> 'user_id', item ->> 'title',
    item ->> 'conversation_type', item ->> 'status',
    (item ->> 'created_at')::timestamptz, (item ->> 'updated_at')::timestamptz)
  on conflict on constraint sessions_pkey do nothing;
  perform dossier_private.check_new(found, place, session_id);
  perform dossier_private.import_context(place, session_id, organization_id, context_versions);
end
$$;
comment on function dossier_private.import_session(text, uuid, uuid, jsonb, jsonb) is
  'Writes a session of a bundle with its context, but without its documents.';

create function dossier_private.store_bytes(document_id uuid, organization_id uuid, bytes bytea) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles cannot write the chunks.
declare
  chunk_bytes constant integer := dossier_private.chunk_bytes();
begin
  insert into dossier_private.document_chunks (document_id, organization_id, seq, bytes)
  select store_bytes.document_id, store_bytes.organization_id, piece.seq, substring(store_bytes.bytes from piece.seq * chunk_bytes + 1 for chunk_bytes)
  from generate_series(0, (octet_length(store_bytes.bytes) - 1) / chunk_bytes) as piece (seq);
end
$$;
comment on function dossier_private.store_bytes(uuid, uuid, bytea) is 'Writes all bytes of a document in chunks.';

create function dossier_private.import_pages(place text, document_id uuid, organization_id uuid, pages jsonb) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles write pages only through functions.
declare
  item record;
  here text;
begin
  for item in select e.value, e.position - 1 as index from jsonb_array_elements(pages) with ordinality as e (value, position) loop
    here := format('%s.pages[%s]', place, item.index);
    perform dossier_private.check_shape(here, item.value, dossier_private.bundle_shape('page'));
    if (item.value ->> 'page')::numeric not between 1 and 1000000 then
      raise exception using
        errcode = 'PT400',
        message = 'Malformed bundle',
        detail = format('%s.page is not between 1 and 1000000.', here),
        hint = 'Number the pages of a document from 1.';
    end if;
  end loop;

  insert into dossier.document_pages (document_id, organization_id, page, text, source, engine, confidence, quality, reason, structure)
  select import_pages.document_id, import_pages.organization_id, found.page, found.text, found.source,
    left(found.engine, 100), found.confidence, found.quality, left(found.reason, 500),
    dossier_private.tidy_structure(found.structure)
  from jsonb_to_recordset(pages) as found (
    page integer, text text, source text, engine text, confidence real, quality real, reason text, structure jsonb);
end
$$;
comment on function dossier_private.import_pages(text, uuid, uuid, jsonb) is 'Writes the pages of a document in a bundle.';

create function dossier_private.import_document(
  place text, document_id uuid, session_id uuid, organization_id uuid, item jsonb, pages jsonb, bytes bytea
) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles insert documents only through functions.
declare
  document dossier.documents;
  check_name text;
begin
  perform dossier_private.check_shape(place, item, dossier_private.bundle_shape('document'));
  if item ->> 'status' not in ('stored', 'ready', 'failed', 'unsupported') then
    raise exception using
      errcode = 'PT400',
      message = 'Malformed bundle',
      detail = format('%s.status is %L.', place, left(item ->> 'status', 80)),
      hint = 'Documents must be stored, ready, failed or unsupported. An unfinished upload cannot be imported.';
  end if;
  document.ocr_status := coalesce(item ->> 'ocr_status', 'none');
  if document.ocr_status not in ('none', 'pending', 'done', 'incomplete', 'unavailable') then
    raise exception using
      errcode = 'PT400',
      message = 'Malformed bundle',
      detail = format('%s.ocr_status is %L.', place, left(document.ocr_status, 80)),
      hint = 'It must be none, pending, done, incomplete or unavailable, or omitted.';
  end if;
  foreach check_name in array array['name', 'size', 'media_type', 'metadata', 'max_file_bytes', 'allowed_media_types'] loop
    perform dossier_private.check_upload(check_name, session_id, item ->> 'name', item ->> 'media_type',
      (item ->> 'size_bytes')::bigint, item -> 'metadata');
  end loop;

  document.media_type := dossier_private.declared_media_type(item ->> 'media_type', item ->> 'name');
  document.status := item ->> 'status';
  document.error_code := left(item ->> 'error_code', 100);
  document.error_message := left(item ->> 'error_message', 2000);
  if document.status = 'ready' or pages <> '[]' then
    document.page_count := jsonb_array_length(pages);
    document.token_count := (
      select coalesce(sum(dossier.estimate_tokens(page.value ->> 'text')), 0) from jsonb_array_elements(pages) as page);
  end if;

  if bytes is not null then
    if octet_length(bytes) <> (item ->> 'size_bytes')::bigint or encode(sha256(bytes), 'hex') <> item ->> 'sha256' then
      raise exception using
        errcode = 'PT400',
        message = 'Document content does not match its declared size or digest',
        detail = format('%s.bytes has %s bytes with the digest %s.', place, octet_length(bytes), encode(sha256(bytes), 'hex')),
        hint = 'Export the session again. The bundle was changed or truncated.';
    end if;
    document.media_type := dossier_private.sniff_media_type(
      substring(bytes for dossier_private.chunk_bytes()), document.media_type, item ->> 'name');
  elsif document.status = 'stored' then -- its text can never be extracted
    document.status := 'failed';
    document.error_code := 'no_bytes';
    document.error_message := dossier_private.with_advice('no_bytes',
      'The document was imported without its bytes, before its text was extracted.');
  end if;
  if document.status = 'stored' then
    document.ocr_status := 'none'; -- the extraction decides
  elsif document.ocr_status = 'pending' then
    if bytes is not null then -- only an extraction can tell which pages to read
      document.status := 'stored';
      document.ocr_status := 'none';
    else
      document.ocr_status := 'incomplete';
      document.error_code := 'ocr_incomplete';
      document.error_message := dossier_private.with_advice('no_bytes',
        'The document was imported without its bytes, before the words in its images were read.');
    end if;
  end if;
  perform dossier_private.check_media_type(document.media_type);

  insert into dossier.documents (
    id, session_id, organization_id, user_id, name, media_type, charset, size_bytes, sha256, status, error_code, error_message,
    ocr_status, page_count, token_count, storage, metadata, language, file_metadata, created_at, updated_at)
  values (
    import_document.document_id, import_document.session_id, import_document.organization_id, item ->> 'user_id', item ->> 'name',
    document.media_type, dossier_private.declared_charset(item ->> 'media_type'), (item ->> 'size_bytes')::bigint, item ->> 'sha256',
    document.status, document.error_code, document.error_message, document.ocr_status, document.page_count, document.token_count,
    case when bytes is null then 'none' else 'postgres' end,
    item -> 'metadata', item ->> 'language', dossier_private.tidy_file_metadata(item -> 'file_metadata'),
    (item ->> 'created_at')::timestamptz, (item ->> 'updated_at')::timestamptz)
  on conflict on constraint documents_pkey do nothing;
  perform dossier_private.check_new(found, place, document_id);

  perform dossier_private.import_pages(place, document_id, organization_id, pages);
  if document.status = 'ready' then
    perform dossier_private.index_document(document_id);
  end if;
  if bytes is not null then
    perform dossier_private.store_bytes(document_id, organization_id, bytes);
    if document.status = 'stored' then
      perform dossier_private.queue_job(document_id, organization_id, ocr => 'auto');
    else
      perform dossier_private.queue_thumbnail(document_id);
    end if;
  end if;
end
$$;
comment on function dossier_private.import_document(text, uuid, uuid, uuid, jsonb, jsonb, bytea) is
  'Writes a document of a bundle with its pages. Without bytes it has storage none, and fails if its text was not extracted '
  'yet.';

revoke all on function
  dossier_private.existing_time, dossier_private.check_shape, dossier_private.bundle_shape, dossier_private.check_new, dossier_private.refuse_at, dossier_private.import_context,
  dossier_private.import_session, dossier_private.store_bytes, dossier_private.import_pages, dossier_private.import_document
  from public, anon, authenticated, service_role;
