-- Import: reads a bundle of export_sessions() into an organization, in one call.

create function dossier_private.check_header(bundle jsonb) returns void
language plpgsql stable security invoker set search_path = ''
as $$
begin
  if jsonb_typeof(bundle) is distinct from 'object' or bundle -> 'format' is distinct from '"dossier"' then
    raise exception using
      errcode = 'PT400',
      message = 'This is no bundle of Dossier''s',
      detail = format('It is %s.', case jsonb_typeof(bundle)
        when 'object' then 'an object whose format is not "dossier"' else coalesce('a JSON ' || jsonb_typeof(bundle), 'null') end),
      hint = 'Send a bundle as export_sessions() makes it.';
  elsif bundle -> 'version' is distinct from '1' then
    raise exception using
      errcode = 'PT400',
      message = 'The bundle has a version that cannot be read here',
      detail = format('Its version is %s; this version of Dossier reads 1.', coalesce(left(bundle ->> 'version', 80), 'missing')),
      hint = 'Upgrade Dossier, or export the sessions with a version that matches.';
  end if;
end
$$;
comment on function dossier_private.check_header(jsonb) is 'Refuses (PT400) what is no bundle, or one of another version.';

create function dossier_private.check_count(sessions bigint) returns void
language plpgsql immutable security invoker set search_path = ''
as $$
begin
  if sessions not between 1 and 1000 then
    raise exception using
      errcode = 'PT400',
      message = 'A bundle holds 1 to 1000 sessions',
      detail = format('This one holds %s.', sessions),
      hint = 'Import more of them in several bundles.';
  end if;
end
$$;
comment on function dossier_private.check_count(bigint) is 'Refuses (PT400) a bundle of no sessions, or of too many.';

create function dossier_private.check_bundle(bundle jsonb) returns void
language plpgsql stable security invoker set search_path = ''
as $$
begin
  perform dossier_private.check_header(bundle);
  if dossier_private.json_bytes(bundle) > dossier_private.bundle_bytes() then
    raise exception using
      errcode = 'PT413',
      message = format('The bundle has more than %s bytes', dossier_private.bundle_bytes()),
      detail = dossier_private.say_json_bytes(bundle),
      hint = 'Export fewer sessions at once, or leave the bytes out.';
  end if;
  perform dossier_private.check_shape('bundle', bundle, '{"format": "string", "version": "number", "sessions": "array"}');
  perform dossier_private.check_count(jsonb_array_length(bundle -> 'sessions'));
end
$$;
comment on function dossier_private.check_bundle(jsonb) is 'Refuses what is no bundle (PT400), or is too large (PT413).';

create function dossier_private.said_bytes(document jsonb) returns numeric
language sql immutable security invoker set search_path = ''
begin atomic
  select least((document -> 'size_bytes')::numeric, 1e18) where jsonb_typeof(document -> 'size_bytes') = 'number';
end;
comment on function dossier_private.said_bytes(jsonb) is 'The size that a document of a bundle says it has, if it says one.';

create function dossier_private.reserve_import(organization_id uuid, documents bigint, bytes numeric) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: nobody may record usage but through functions.
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
  'Refuses a bundle that the organization''s quotas have no room for, and records its documents as uploads of today.';

create function dossier_private.import_result(
  organization_id uuid, old_sessions uuid[], new_sessions uuid[], old_documents uuid[], new_documents uuid[]
) returns jsonb
language plpgsql immutable security invoker set search_path = ''
as $$
begin
  -- A map from old to new ids would lose the one or the other.
  if (select count(distinct old.id) from unnest(old_sessions) as old (id)) < cardinality(old_sessions)
    or (select count(distinct old.id) from unnest(old_documents) as old (id)) < cardinality(old_documents)
  then
    raise exception using
      errcode = 'PT400',
      message = 'The bundle is not well formed',
      detail = 'Two of its sessions, or two of its documents, have the same id.',
      hint = 'Send a bundle as export_sessions() makes it.';
  end if;
  return jsonb_build_object(
    'organization_id', organization_id,
    'sessions', jsonb_object(old_sessions::text[], new_sessions::text[]),
    'documents', jsonb_object(old_documents::text[], new_documents::text[]));
end
$$;
comment on function dossier_private.import_result(uuid, uuid[], uuid[], uuid[], uuid[]) is
  'What an import answers; refuses (PT400) a bundle that has an id twice.';

create function dossier_private.import_sessions(bundle jsonb, organization_id uuid, keep_ids boolean) returns jsonb
language plpgsql security definer set search_path = ''
as $$
-- Definer: writes tables that nobody may write but through functions.
declare
  place text := 'bundle';
  session record;
  document record;
  new_id uuid;
  old_sessions uuid[] := '{}';
  new_sessions uuid[] := '{}';
  old_documents uuid[] := '{}';
  new_documents uuid[] := '{}';
  code text;
  said text;
  why text;
  advice text;
begin
  perform dossier_private.require_role(
    dossier_private.known_organization(organization_id), 'member', 'organization', organization_id);
  perform dossier_private.check_bundle(bundle);
  -- As many bytes as it says, but no fewer than its text has: a bundle may come without the bytes.
  perform dossier_private.reserve_import(organization_id, count(*), sum(greatest(
    dossier_private.said_bytes(item.value),
    (select coalesce(sum(octet_length(page.value #>> '{}')), 0) from jsonb_path_query(item.value, 'lax $.pages[*].text') as page (value)))))
  from jsonb_path_query(bundle, 'lax $.sessions[*].documents[*]') as item (value);

  for session in
    select e.value as item, e.position - 1 as index from jsonb_array_elements(bundle -> 'sessions') with ordinality as e (value, position)
  loop
    place := format('sessions[%s]', session.index);
    old_sessions := old_sessions || (session.item ->> 'id')::uuid;
    new_id := case when keep_ids then (session.item ->> 'id')::uuid else dossier_private.uuid_v7() end;
    new_sessions := new_sessions || new_id;
    perform dossier_private.import_session(place, new_id, organization_id, session.item);

    for document in
      select e.value as item, e.position - 1 as index
      from jsonb_array_elements(session.item -> 'documents') with ordinality as e (value, position)
    loop
      place := format('sessions[%s].documents[%s]', session.index, document.index);
      old_documents := old_documents || (document.item ->> 'id')::uuid;
      new_documents := new_documents
        || case when keep_ids then (document.item ->> 'id')::uuid else dossier_private.uuid_v7() end;
      perform dossier_private.import_document(
        place, new_documents[cardinality(new_documents)], new_id, organization_id, document.item);
    end loop;

    perform dossier_private.log_event(organization_id, 'session.imported', new_id::text, jsonb_build_object(
      'title', session.item -> 'title', 'from', session.item -> 'id', 'documents', jsonb_array_length(session.item -> 'documents')));
  end loop;

  place := 'bundle';
  return dossier_private.import_result(organization_id, old_sessions, new_sessions, old_documents, new_documents);

exception when data_exception or integrity_constraint_violation or deadlock_detected
  or sqlstate 'PT400' or sqlstate 'PT413' or sqlstate 'PT415' then
  get stacked diagnostics
    code = returned_sqlstate, said = message_text, why = pg_exception_detail, advice = pg_exception_hint;
  perform dossier_private.refuse_at(place, code, said, why, advice);
end
$$;
comment on function dossier_private.import_sessions(jsonb, uuid, boolean) is 'Runs dossier.import_sessions() with its owner''s rights.';

create function dossier.import_sessions(bundle jsonb, organization_id uuid, keep_ids boolean default false) returns jsonb
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.import_sessions(bundle, organization_id, coalesce(keep_ids, false));
end;
comment on function dossier.import_sessions(jsonb, uuid, boolean) is
  'Writes a bundle of export_sessions() into an organization, all or nothing; the caller is at least member there. With new ids, '
  'or with those of the bundle when keep_ids asks for it: one that exists is refused (PT409), and nothing is ever '
  'overwritten. The user ids of the bundle are kept as they are; the audit log says who imported. Documents without bytes '
  'can be read and searched, not downloaded. Quotas count them as uploads. What is wrong is named by its place in the '
  'bundle. Returns {organization_id, sessions: {old id: new id}, documents: {old id: new id}}.';

revoke all on function
  dossier_private.check_header, dossier_private.check_count, dossier_private.check_bundle, dossier_private.said_bytes,
  dossier_private.reserve_import, dossier_private.import_result,
  dossier_private.import_sessions, dossier.import_sessions
  from public, anon, authenticated, service_role;
grant execute on function dossier.import_sessions, dossier_private.import_sessions to authenticated, service_role;
