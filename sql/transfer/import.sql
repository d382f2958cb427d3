-- Import: writes a bundle of export_sessions() into an organization in one call.

create function dossier_private.check_header(bundle jsonb) returns void
language plpgsql stable security invoker set search_path = ''
as $$
begin
  if jsonb_typeof(bundle) is distinct from 'object' or bundle -> 'format' is distinct from '"dossier"' then
    raise exception using
      errcode = 'PT400',
      message = 'Not a Dossier bundle',
      detail = format('It is %s.', case jsonb_typeof(bundle)
        when 'object' then 'an object whose format is not "dossier"' else coalesce('a JSON ' || jsonb_typeof(bundle), 'null') end),
      hint = 'Send a bundle as export_sessions() returns it.';
  elsif bundle -> 'version' is distinct from '1' then
    raise exception using
      errcode = 'PT400',
      message = 'Unsupported bundle version',
      detail = format('Its version is %s. This version of Dossier supports version 1.',
        coalesce(left(bundle ->> 'version', 80), 'missing')),
      hint = 'Upgrade Dossier, or export the sessions with a matching version of Dossier.';
  end if;
end
$$;
comment on function dossier_private.check_header(jsonb) is 'Refuses (PT400) anything but a bundle of a supported version.';

create function dossier_private.check_count(sessions bigint) returns void
language plpgsql immutable security invoker set search_path = ''
as $$
begin
  if sessions not between 1 and 1000 then
    raise exception using
      errcode = 'PT400',
      message = 'A bundle must contain 1 to 1000 sessions',
      detail = format('This bundle contains %s.', sessions),
      hint = 'Import more sessions in several bundles.';
  end if;
end
$$;
comment on function dossier_private.check_count(bigint) is 'Refuses (PT400) a bundle without sessions, or with too many.';

create function dossier_private.check_bundle(bundle jsonb) returns void
language plpgsql stable security invoker set search_path = ''
as $$
begin
  perform dossier_private.check_header(bundle);
  if dossier_private.json_bytes(bundle) > dossier_private.bundle_bytes() then
    raise exception using
      errcode = 'PT413',
      message = format('The bundle is larger than %s bytes', dossier_private.bundle_bytes()),
      detail = concat(dossier_private.say_json_bytes(bundle), ' This is the limit of the database for one bundle.'),
      hint = 'Export fewer sessions per bundle, or omit the bytes.';
  end if;
  perform dossier_private.check_shape('bundle', bundle, '{"format": "string", "version": "number", "sessions": "array"}');
  perform dossier_private.check_count(jsonb_array_length(bundle -> 'sessions'));
end
$$;
comment on function dossier_private.check_bundle(jsonb) is
  'Refuses anything but a bundle (PT400), and a bundle that is too large (PT413).';

create function dossier_private.said_bytes(document jsonb) returns numeric
language sql immutable security invoker set search_path = ''
begin atomic
  select least((document -> 'size_bytes')::numeric, 1e18) where jsonb_typeof(document -> 'size_bytes') = 'number';
end;
comment on function dossier_private.said_bytes(jsonb) is 'Returns the declared size of a document in a bundle, or null.';

create function dossier_private.reserve_import(organization_id uuid, documents bigint, bytes numeric) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles may record usage only through functions.
declare
  quota_name text;
begin
  if documents = 0 then
    return;
  end if;

  perform dossier_private.reserve_quota(organization_id);
  foreach quota_name in array array['max_bytes', 'max_documents', 'max_documents_a_day', 'max_extraction_seconds_a_day'] loop
    perform dossier_private.check_quota(quota_name, organization_id, least(bytes, 1e18)::bigint, documents);
  end loop;
  insert into dossier_private.usage_events (organization_id, kind, amount)
  values (reserve_import.organization_id, 'upload', documents);
end
$$;
comment on function dossier_private.reserve_import(uuid, bigint, numeric) is
  'Refuses a bundle that exceeds a quota of the organization. Records its documents as uploads of today.';

create function dossier_private.import_result(
  organization_id uuid, old_sessions uuid[], new_sessions uuid[], old_documents uuid[], new_documents uuid[]
) returns jsonb
language plpgsql immutable security invoker set search_path = ''
as $$
begin
  -- A map from old to new ids would lose one of two equal ids.
  if (select count(distinct old.id) from unnest(old_sessions) as old (id)) < cardinality(old_sessions)
    or (select count(distinct old.id) from unnest(old_documents) as old (id)) < cardinality(old_documents)
  then
    raise exception using
      errcode = 'PT400',
      message = 'Malformed bundle',
      detail = 'Two of its sessions, or two of its documents, have the same id.',
      hint = 'Send a bundle as export_sessions() returns it.';
  end if;
  return jsonb_build_object(
    'organization_id', organization_id,
    'sessions', jsonb_object(old_sessions::text[], new_sessions::text[]),
    'documents', jsonb_object(old_documents::text[], new_documents::text[]));
end
$$;
comment on function dossier_private.import_result(uuid, uuid[], uuid[], uuid[], uuid[]) is
  'Returns the result of an import. Refuses (PT400) a bundle with duplicate ids.';

create function dossier_private.stage_bundle(import_id uuid, organization_id uuid, bundle jsonb) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles write the table only through functions.
begin
  -- Check the members first: only an array can be taken apart.
  perform dossier_private.check_shape(format('sessions[%s]', session.position - 1), session.item,
    dossier_private.bundle_shape('session') || '{"context_versions": "array", "documents": "array"}')
  from jsonb_array_elements(bundle -> 'sessions') with ordinality as session (item, position);
  perform dossier_private.check_shape(
    format('sessions[%s].documents[%s]', session.position - 1, document.position - 1), document.item,
    dossier_private.bundle_shape('document') || '{"pages": "array", "bytes": "string?"}')
  from jsonb_array_elements(bundle -> 'sessions') with ordinality as session (item, position)
  cross join jsonb_array_elements(session.item -> 'documents') with ordinality as document (item, position);

  insert into dossier_private.import_records (import_id, organization_id, line, type, parent_id, place, record)
  select stage_bundle.import_id, stage_bundle.organization_id,
    row_number() over (order by session.position, part.document, part.position), part.type, part.parent_id, part.place, part.record
  from (
    select item, position, format('sessions[%s]', position - 1) as place
    from jsonb_array_elements(bundle -> 'sessions') with ordinality as given (item, position)
  ) as session
  cross join lateral (
    select 0 as document, 0 as position, 'session' as type, null as parent_id, session.place,
      session.item - array['context_versions', 'documents'] as record
    union all
    select 0, version.position, 'context_version', session.item ->> 'id', session.place, version.item
    from jsonb_array_elements(session.item -> 'context_versions') with ordinality as version (item, position)
    union all
    select document.position, part.position, part.type, part.parent_id,
      format('%s.documents[%s]', session.place, document.position - 1), part.record
    from jsonb_array_elements(session.item -> 'documents') with ordinality as document (item, position)
    cross join lateral (
      select 0 as position, 'document' as type, session.item ->> 'id' as parent_id, document.item - array['pages', 'bytes'] as record
      union all
      select page.position, 'page', document.item ->> 'id', page.item
      from jsonb_array_elements(document.item -> 'pages') with ordinality as page (item, position)
      union all
      select 0, 'bytes', document.item ->> 'id', jsonb_build_object('base64', document.item -> 'bytes')
      where document.item ->> 'bytes' is not null
    ) as part
  ) as part;
end
$$;
comment on function dossier_private.stage_bundle(uuid, uuid, jsonb) is
  'Takes a bundle apart into the records of an import, as append_import() would have received them.';

create function dossier_private.import_sessions(bundle jsonb, organization_id uuid, keep_ids boolean) returns jsonb
language plpgsql security definer set search_path = ''
as $$
-- Definer: writes tables that API roles write only through functions.
declare
  import_id uuid;
begin
  perform dossier_private.require_role(
    dossier_private.known_organization(organization_id), 'member', 'organization', organization_id);
  perform dossier_private.check_keep_ids(keep_ids);
  perform dossier_private.check_bundle(bundle);

  insert into dossier_private.imports (organization_id, user_id, keep_ids)
  values (import_sessions.organization_id, dossier_private.caller_id(), import_sessions.keep_ids)
  returning id into import_id;
  perform dossier_private.stage_bundle(import_id, organization_id, bundle);
  return dossier_private.write_import(import_id);
end
$$;
comment on function dossier_private.import_sessions(jsonb, uuid, boolean) is
  'Runs dossier.import_sessions() with its owner''s rights.';

create function dossier.import_sessions(bundle jsonb, organization_id uuid, keep_ids boolean default false) returns jsonb
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.import_sessions(bundle, organization_id, coalesce(keep_ids, false));
end;
comment on function dossier.import_sessions(jsonb, uuid, boolean) is
  'Writes a bundle of export_sessions() into an organization, all or nothing. The caller must be at least member there. '
  'Sessions and documents get new ids, or keep theirs with keep_ids, which only services may send. An existing id is refused '
  '(PT409); nothing is ever '
  'overwritten. The user ids of the bundle are kept, and the audit log records who imported. Documents without bytes can be '
  'read and searched, but not downloaded. Quotas count them as uploads. An error names its place in the bundle. Returns '
  '{organization_id, sessions: {old id: new id}, documents: {old id: new id}}.';

revoke all on function
  dossier_private.check_header, dossier_private.check_count, dossier_private.check_bundle, dossier_private.said_bytes,
  dossier_private.reserve_import, dossier_private.import_result,
  dossier_private.stage_bundle, dossier_private.import_sessions, dossier.import_sessions
  from public, anon, authenticated, service_role;
grant execute on function dossier.import_sessions, dossier_private.import_sessions to authenticated, service_role;
