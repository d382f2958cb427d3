-- Import: reads a bundle of export_sessions() into an organization. Nothing in a bundle is believed: shapes, sizes,
-- times, types and digests are checked, and what the database counts itself is counted anew. Its parts are read by
-- 89_import_parts.sql.

create function dossier_private.check_bundle(bundle jsonb) returns void
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
  elsif dossier_private.json_bytes(bundle) > dossier_private.bundle_bytes() then
    raise exception using
      errcode = 'PT413',
      message = format('The bundle has more than %s bytes', dossier_private.bundle_bytes()),
      detail = dossier_private.say_json_bytes(bundle),
      hint = 'Export fewer sessions at once, or leave the bytes out.';
  end if;
  perform dossier_private.check_shape('bundle', bundle, '{"format": "string", "version": "number", "sessions": "array"}');
  if jsonb_array_length(bundle -> 'sessions') not between 1 and 1000 then
    raise exception using
      errcode = 'PT400',
      message = 'A bundle holds 1 to 1000 sessions',
      detail = format('This one holds %s.', jsonb_array_length(bundle -> 'sessions')),
      hint = 'Import more of them in several bundles.';
  end if;
end
$$;
comment on function dossier_private.check_bundle(jsonb) is 'Refuses what is no bundle (PT400), or is too large (PT413).';

create function dossier_private.reserve_import(organization_id uuid, bundle jsonb) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: nobody may record usage but through functions.
declare
  documents bigint;
  bytes numeric;
  quota_name text;
begin
  -- As many as it says, but no fewer than its text has: a bundle may come without the bytes.
  select count(*), coalesce(sum(greatest(said.bytes, text.bytes)), 0) into documents, bytes
  from jsonb_path_query(bundle, 'lax $.sessions[*].documents[*]') as document (value)
  cross join lateral (
    select case jsonb_typeof(document.value -> 'size_bytes') when 'number' then least((document.value -> 'size_bytes')::numeric, 1e18) end as bytes
  ) as said
  cross join lateral (
    select coalesce(sum(octet_length(page.value #>> '{}')), 0) as bytes from jsonb_path_query(document.value, 'lax $.pages[*].text') as page (value)
  ) as text;
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
comment on function dossier_private.reserve_import(uuid, jsonb) is
  'Refuses a bundle that the organization''s quotas have no room for, and records its documents as uploads of today.';

create function dossier_private.import_bundle(bundle jsonb, organization_id uuid, keep_ids boolean) returns jsonb
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
  perform dossier_private.reserve_import(organization_id, bundle);

  for session in
    select e.value as item, e.position - 1 as index from jsonb_array_elements(bundle -> 'sessions') with ordinality as e (value, position)
  loop
    place := format('sessions[%s]', session.index);
    perform dossier_private.check_shape(place, session.item, '{"id": "string", "user_id": "string", "title": "string?",
      "conversation_type": "string", "status": "string", "created_at": "time", "updated_at": "time",
      "context_versions": "array", "documents": "array"}');
    if not exists (select from dossier.conversation_types as t where t.slug = session.item ->> 'conversation_type') then
      raise exception using
        errcode = 'PT400',
        message = format('Unknown conversation type %L', left(session.item ->> 'conversation_type', 80)),
        detail = format('Registered are: %s.', (select string_agg(t.slug, ', ' order by t.slug) from dossier.conversation_types as t)),
        hint = 'Have an administrator add a row to conversation_types, then import again.';
    end if;

    old_sessions := old_sessions || (session.item ->> 'id')::uuid;
    new_id := case when keep_ids then (session.item ->> 'id')::uuid else dossier_private.uuid_v7() end;
    new_sessions := new_sessions || new_id;
    insert into dossier.sessions (id, organization_id, user_id, title, conversation_type, status, created_at, updated_at)
    values (
      new_id, import_bundle.organization_id, session.item ->> 'user_id', session.item ->> 'title',
      session.item ->> 'conversation_type', session.item ->> 'status',
      (session.item ->> 'created_at')::timestamptz, (session.item ->> 'updated_at')::timestamptz)
    on conflict on constraint sessions_pkey do nothing;
    perform dossier_private.check_new(found, place, new_id);
    perform dossier_private.import_context(place, new_id, organization_id, session.item -> 'context_versions');

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

  -- A map from old to new ids would lose the one or the other.
  place := 'bundle';
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

-- What the tables and casts refuse says nothing of where it stands in the bundle.
exception when data_exception or integrity_constraint_violation or sqlstate 'PT400' or sqlstate 'PT413' or sqlstate 'PT415' then
  get stacked diagnostics
    code = returned_sqlstate, said = message_text, why = pg_exception_detail, advice = pg_exception_hint;
  raise exception using
    errcode = case when code like 'PT%' then code else 'PT400' end,
    message = case when code like 'PT%' then said else 'The bundle holds a value that cannot be stored' end,
    detail = case
      when code not like 'PT%' then format('%s: %s.', place, left(said, 500))
      when starts_with(why, place) or place = 'bundle' then why
      else format('%s: %s', place, why)
    end,
    hint = coalesce(nullif(advice, ''), 'Send a bundle as export_sessions() makes it.');
end
$$;
comment on function dossier_private.import_bundle(jsonb, uuid, boolean) is 'Body of dossier.import_sessions().';

create function dossier.import_sessions(bundle jsonb, organization_id uuid, keep_ids boolean default false) returns jsonb
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.import_bundle(bundle, organization_id, coalesce(keep_ids, false));
end;
comment on function dossier.import_sessions(jsonb, uuid, boolean) is
  'Writes a bundle of export_sessions() into an organization, all or nothing; the caller is at least member there. With new ids, '
  'or with those of the bundle when keep_ids asks for it: one that exists is refused (PT409), and nothing is ever '
  'overwritten. The user ids of the bundle are kept as they are; the audit log says who imported. Documents without bytes '
  'can be read and searched, not downloaded. Quotas count them as uploads. What is wrong is named by its place in the '
  'bundle. Returns {organization_id, sessions: {old id: new id}, documents: {old id: new id}}.';

revoke all on function
  dossier_private.check_bundle, dossier_private.reserve_import, dossier_private.import_bundle, dossier.import_sessions
  from public, anon, authenticated, service_role;
grant execute on function dossier.import_sessions, dossier_private.import_bundle to authenticated, service_role;
