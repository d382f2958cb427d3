-- Export: sessions with everything that belongs to them as one JSON bundle, which import_sessions() reads.
--
-- A bundle contains no id of its organization or database. Exports of the same sessions are equal in any database.

create function dossier_private.bundle_bytes() returns integer
language sql immutable parallel safe security invoker set search_path = ''
begin atomic
  select 67108864;
end;
comment on function dossier_private.bundle_bytes() is
  'Returns the largest size of a bundle, 64 MiB, since it is built and parsed in memory. The same for export and import.';

create function dossier_private.export_sessions(session_ids uuid[], include_bytes boolean, max_bytes integer) returns jsonb
-- Invoker: row level security decides which rows are visible. It uses nothing of dossier_private that its callers may not.
language plpgsql stable security invoker set search_path = '' set timezone = 'UTC'
as $$
declare
  invisible uuid[];
  expected_bytes bigint;
  bundle jsonb;
begin
  if coalesce(cardinality(session_ids) not between 1 and 1000, true) then
    raise exception using
      errcode = 'PT400',
      message = 'session_ids must name 1 to 1000 sessions',
      detail = format('It names %s.', coalesce(cardinality(session_ids), 0)),
      hint = 'Export more sessions in several calls.';
  end if;

  invisible := array(
    select asked.id from unnest(session_ids) with ordinality as asked (id, place)
    where not exists (select from dossier.sessions as session where session.id = asked.id and session.deleted_at is null)
    order by asked.place);
  if invisible <> '{}' then
    raise exception using
      errcode = 'PT404',
      message = 'Some of the sessions were not found',
      detail = format('Not visible to you: %s.', array_to_string(invisible[:20], ', ', 'null')),
      hint = 'Omit them, or check that you are a member of the organizations that they belong to.';
  end if;

  -- Estimate the size first: a bundle that is too large might not fit in memory.
  select sum(part.bytes) into expected_bytes
  from (
    select octet_length(saved.text_context) + octet_length(saved.context_metadata::text)::bigint
    from dossier.session_context_versions as saved
    where saved.session_id = any (session_ids)
    union all
    select octet_length(document.metadata::text) + octet_length(document.file_metadata::text)
      + case when include_bytes and document.storage = 'postgres' then document.size_bytes * 4 / 3 else 0 end
    from dossier.documents as document
    where document.session_id = any (session_ids) and document.status <> 'uploading'
    union all
    select octet_length(page.text)
    from dossier.documents as document
    join dossier.document_pages as page on page.document_id = document.id and page.organization_id = document.organization_id
    where document.session_id = any (session_ids)
  ) as part (bytes);

  if expected_bytes <= max_bytes then
    select jsonb_build_object('format', 'dossier', 'version', 1, 'sessions', jsonb_agg(
      jsonb_build_object(
        'id', session.id, 'user_id', session.user_id, 'title', session.title,
        'conversation_type', session.conversation_type, 'status', session.status,
        'created_at', session.created_at, 'updated_at', session.updated_at,
        'context_versions', (
          select coalesce(jsonb_agg(
            jsonb_build_object(
              'version', saved.version, 'text_context', saved.text_context, 'context_metadata', saved.context_metadata,
              'updated_by', saved.updated_by, 'updated_at', saved.updated_at)
            order by saved.version), '[]')
          from dossier.session_context_versions as saved
          where saved.session_id = session.id and saved.organization_id = session.organization_id
        ),
        'documents', (
          select coalesce(jsonb_agg(
            jsonb_build_object(
              'id', document.id, 'user_id', document.user_id, 'name', document.name,
              'media_type', document.media_type, 'size_bytes', document.size_bytes, 'sha256', document.sha256,
              'status', case document.status when 'extracting' then 'stored' else document.status end,
              'error_code', document.error_code, 'error_message', document.error_message,
              'metadata', document.metadata, 'language', document.language, 'file_metadata', document.file_metadata,
              'created_at', document.created_at, 'updated_at', document.updated_at,
              'pages', (
                select coalesce(jsonb_agg(
                  jsonb_build_object(
                    'page', page.page, 'text', page.text, 'source', page.source, 'engine', page.engine,
                    'confidence', page.confidence, 'quality', page.quality, 'reason', page.reason)
                  order by page.page), '[]')
                from dossier.document_pages as page
                where page.document_id = document.id and page.organization_id = document.organization_id
              ))
            -- An import would refuse the whole bundle for bytes that do not match their digest.
            || case when include_bytes and document.storage = 'postgres' and document.error_code is distinct from 'checksum_mismatch' then jsonb_build_object('bytes', (
              select translate(encode(string_agg(
                dossier.read_content(document.id, piece.first_byte, 1048576), ''::bytea order by piece.first_byte
              ), 'base64'), E'\n', '')
              from generate_series(0, document.size_bytes - 1, 1048576) as piece (first_byte)
            )) else '{}' end
            order by document.created_at, document.id), '[]')
          from dossier.documents as document
          where document.session_id = session.id and document.organization_id = session.organization_id
            and document.status <> 'uploading'
        ))
      order by session.created_at, session.id))
    into bundle
    from dossier.sessions as session
    where session.id = any (session_ids);
    expected_bytes := octet_length(bundle::text);
  end if;

  if expected_bytes > max_bytes then
    raise exception using
      errcode = 'PT413',
      message = format('The bundle would be larger than %s bytes', max_bytes),
      detail = format('It would have at least %s bytes. This is the limit of the database for one bundle.', expected_bytes),
      hint = 'Export fewer sessions per call, or omit include_bytes and read each document with read_content().';
  end if;
  return bundle;
end
$$;
comment on function dossier_private.export_sessions(uuid[], boolean, integer) is
  'Runs dossier.export_sessions() with its owner''s rights.';

create function dossier.export_sessions(session_ids uuid[], include_bytes boolean default false) returns jsonb
language sql stable security invoker set search_path = ''
begin atomic
  select dossier_private.export_sessions(session_ids, coalesce(include_bytes, false), dossier_private.bundle_bytes());
end;
comment on function dossier.export_sessions(uuid[], boolean) is
  'Returns up to 1000 sessions as one JSON bundle {format, version, sessions} for import_sessions(): each with all '
  'context_versions and its documents, these with pages and, with include_bytes, bytes in base64. Omits unfinished uploads. '
  'Refuses ids that the caller cannot see (PT404), and more than 64 MiB (PT413).';

revoke all on function
  dossier_private.bundle_bytes, dossier_private.export_sessions, dossier.export_sessions
  from public, anon, authenticated, service_role;
grant execute on function
  dossier_private.bundle_bytes, dossier_private.export_sessions, dossier.export_sessions
  to authenticated, service_role;
