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

create function dossier.bundle_session(session dossier.sessions) returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return dossier.session_record(session) - 'organization_id';
end
$$;
comment on function dossier.bundle_session(dossier.sessions) is
  'A session as a bundle holds it, without its contexts and documents: session_record() without the organization.';

create function dossier.bundle_document(document dossier.documents) returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return dossier.document_record(document) - array['session_id', 'organization_id', 'page_count', 'token_count', 'ocr_page', 'ocr_pages']
    || jsonb_build_object('user_id', document.user_id,
      'media_type', concat_ws('; charset=', document.media_type, document.charset),
      'ocr_status', case document.ocr_status when 'running' then 'pending' else document.ocr_status end,
      'status', case document.status when 'extracting' then 'stored' else document.status end);
end
$$;
comment on function dossier.bundle_document(dossier.documents) is
  'A document as a bundle holds it, without its pages and bytes: document_record() without what an import counts or assigns again, '
  'and with its uploader.';

create function dossier.bundle_page(page dossier.document_pages) returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return dossier.page_record(page) - 'token_count' || jsonb_build_object('structure', page.structure);
end
$$;
comment on function dossier.bundle_page(dossier.document_pages) is 'A page as a bundle holds it: page_record() without the token count, with the whole structure.';

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
  select coalesce(sum(part.bytes), 0) into expected_bytes
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
    select octet_length(page.text) + coalesce(octet_length(page.structure::text), 0)
    from dossier.documents as document
    join dossier.document_pages as page on page.document_id = document.id and page.organization_id = document.organization_id
    where document.session_id = any (session_ids)
  ) as part (bytes);

  if expected_bytes <= max_bytes then
    select jsonb_build_object('format', 'dossier', 'version', 1, 'sessions', jsonb_agg(
      dossier.bundle_session(session) || jsonb_build_object(
        'context_versions', (
          select coalesce(jsonb_agg(dossier.context_version_record(saved) order by saved.version), '[]')
          from dossier.session_context_versions as saved
          where saved.session_id = session.id and saved.organization_id = session.organization_id
        ),
        'documents', (
          select coalesce(jsonb_agg(
            dossier.bundle_document(document) || jsonb_build_object(
              'pages', (
                select coalesce(jsonb_agg(dossier.bundle_page(p) order by p.page), '[]')
                from dossier.document_pages as p
                where p.document_id = document.id and p.organization_id = document.organization_id
              ))
            -- An import would refuse the whole bundle for bytes that do not match their digest.
            || case when include_bytes and document.storage = 'postgres'
              and document.error_code is distinct from 'checksum_mismatch'
            then jsonb_build_object('bytes', (
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
  dossier.bundle_session, dossier.bundle_document, dossier.bundle_page,
  dossier_private.bundle_bytes, dossier_private.export_sessions, dossier.export_sessions
  from public, anon, authenticated, service_role;
grant execute on function
  dossier.bundle_session, dossier.bundle_document, dossier.bundle_page,
  dossier_private.bundle_bytes, dossier_private.export_sessions, dossier.export_sessions
  to authenticated, service_role;
