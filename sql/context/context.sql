-- Context: notes and metadata of a conversation, with every version kept.

create table dossier.session_context (
  session_id uuid not null,
  organization_id uuid not null,
  text_context text not null default '',
  context_metadata jsonb not null default '{}',
  version integer not null default 1,
  updated_by text,
  updated_at timestamptz not null default now(),
  constraint session_context_pkey primary key (organization_id, session_id),
  constraint session_context_session_fkey foreign key (organization_id, session_id)
    references dossier.sessions (organization_id, id) on delete cascade,
  constraint session_context_context_metadata_check check (jsonb_typeof(context_metadata) = 'object'),
  constraint session_context_version_check check (version >= 1)
);
comment on table dossier.session_context is
  'Current contexts. Written only by functions such as save_context(), so that every version is recorded.';
comment on column dossier.session_context.session_id is 'The session.';
comment on column dossier.session_context.organization_id is 'Organization of the session.';
comment on column dossier.session_context.text_context is 'Free text, up to the setting max_context_bytes.';
comment on column dossier.session_context.context_metadata is 'JSON object defined by the app.';
comment on column dossier.session_context.version is
  'Number of this version, from 1. Send it as expected_version with the next save.';
comment on column dossier.session_context.updated_by is 'User who saved this version; null if a service did.';
comment on column dossier.session_context.updated_at is 'When this version was saved.';

-- For reads that do not name the organization, such as those of a service.
create index session_context_session_id_idx on dossier.session_context (session_id);

create table dossier.session_context_versions (
  session_id uuid not null,
  organization_id uuid not null,
  text_context text not null,
  context_metadata jsonb not null,
  version integer not null,
  updated_by text,
  updated_at timestamptz not null,
  constraint session_context_versions_pkey primary key (organization_id, session_id, version),
  constraint session_context_versions_session_fkey foreign key (organization_id, session_id)
    references dossier.sessions (organization_id, id) on delete cascade
);
comment on table dossier.session_context_versions is
  'Saved versions of every context, including the current one. Append-only, except that context_retention removes old versions.';
comment on column dossier.session_context_versions.session_id is 'The session.';
comment on column dossier.session_context_versions.organization_id is 'Organization of the session.';
comment on column dossier.session_context_versions.text_context is 'Free text of this version.';
comment on column dossier.session_context_versions.context_metadata is 'JSON object of this version.';
comment on column dossier.session_context_versions.version is 'Number of the version, from 1.';
comment on column dossier.session_context_versions.updated_by is 'User who saved it; null if a service did.';
comment on column dossier.session_context_versions.updated_at is 'When it was saved.';

create index session_context_versions_session_id_version_idx on dossier.session_context_versions (session_id, version);
create statistics dossier.session_context_versions_session_id_stats (dependencies)
  on session_id, organization_id from dossier.session_context_versions;
comment on statistics dossier.session_context_versions_session_id_stats is
  'A session has one organization: see documents_session_id_stats.';

alter table dossier_private.settings add constraint settings_max_context_bytes_check
  check (name <> 'max_context_bytes' or (jsonb_typeof(value) = 'number' and value between '1' and '104857600'));
insert into dossier_private.settings (name, value, default_value, description) values
  ('max_context_bytes', '1048576', '1048576',
    'Largest text, and largest metadata, of a context in bytes.');

alter table dossier_private.settings add constraint settings_personal_organizations_check
  check (name <> 'personal_organizations' or (jsonb_typeof(value) = 'boolean'));
insert into dossier_private.settings (name, value, default_value, description) values
  ('personal_organizations', 'false', 'false',
    'Whether a user who may not write in any organization gets one with the first session.');

create function dossier_private.check_context(text_context text, context_metadata jsonb) returns void
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: reads a setting.
declare
  max_bytes constant bigint := dossier_private.setting('max_context_bytes')::bigint;
begin
  if jsonb_typeof(context_metadata) <> 'object' then
    raise exception using
      errcode = 'PT400',
      message = 'context_metadata must be a JSON object',
      detail = format('It is a JSON %s.', jsonb_typeof(context_metadata)),
      hint = 'Send an object such as {"customer": "Acme"}.';
  end if;
  if octet_length(text_context) > max_bytes then
    raise exception using
      errcode = 'PT413',
      message = format('The text of the context is larger than %s bytes', max_bytes),
      detail = format('It has %s bytes. This is a limit of the database (max_context_bytes).', octet_length(text_context)),
      hint = 'Shorten it, or upload it as a document.';
  end if;
  if dossier_private.json_bytes(context_metadata) > max_bytes then
    raise exception using
      errcode = 'PT413',
      message = format('The metadata of the context is larger than %s bytes', max_bytes),
      detail = concat(dossier_private.say_json_bytes(context_metadata), ' This is a limit of the database (max_context_bytes).'),
      hint = 'Keep metadata small, or upload it as a document.';
  end if;
end
$$;
comment on function dossier_private.check_context(text, jsonb) is
  'Refuses a context that is too large (PT413), or whose metadata is not an object (PT400).';

create function dossier_private.write_context(
  session_id uuid, organization_id uuid, text_context text, context_metadata jsonb, expected_version integer,
  merge_metadata boolean default false
) returns dossier.session_context
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles write the two tables only through this function. Its callers have checked the session.
declare
  saved dossier.session_context;
begin
  perform dossier_private.check_context(write_context.text_context, write_context.context_metadata);

  insert into dossier.session_context as current_context
    (session_id, organization_id, text_context, context_metadata, version, updated_by)
  values (
    write_context.session_id, write_context.organization_id,
    coalesce(write_context.text_context, ''),
    case when merge_metadata
      then coalesce(dossier_private.merge_json('{}', write_context.context_metadata), '{}')
      else coalesce(write_context.context_metadata, '{}')
    end,
    1, dossier_private.caller_id()
  )
  on conflict on constraint session_context_pkey do update set
    text_context = coalesce(write_context.text_context, current_context.text_context),
    context_metadata = coalesce(
      case when merge_metadata
        then dossier_private.merge_json(current_context.context_metadata, write_context.context_metadata)
        else write_context.context_metadata
      end,
      current_context.context_metadata),
    version = current_context.version + 1,
    updated_by = excluded.updated_by,
    updated_at = excluded.updated_at
  returning * into saved;

  -- Check after the write: it has locked the row, so no other save can come between.
  if write_context.expected_version <> saved.version - 1 then
    raise exception using
      errcode = 'PT409',
      message = 'The context has changed since you read it',
      detail = json_build_object(
        'current_version', saved.version - 1, 'expected_version', write_context.expected_version)::text,
      hint = 'Read the context again, apply your change to it, and retry with its version.';
  end if;
  if merge_metadata then -- two small objects can merge into a large one
    perform dossier_private.check_context(null, saved.context_metadata);
  end if;

  -- Prune first, so that a new version may take the space of an old one.
  perform dossier_private.prune_versions(saved.organization_id, saved.session_id, saved.version);
  insert into dossier.session_context_versions
    (session_id, organization_id, text_context, context_metadata, version, updated_by, updated_at)
  values
    (saved.session_id, saved.organization_id, saved.text_context, saved.context_metadata,
     saved.version, saved.updated_by, saved.updated_at);
  perform dossier_private.index_context(saved);
  return saved;
end
$$;
comment on function dossier_private.write_context(uuid, uuid, text, jsonb, integer, boolean) is
  'Saves a context and its version. Null keeps the current value. expected_version 0 means that there must be no context yet. '
  'merge_metadata merges the metadata into the current one instead of replacing it.';

create function dossier_private.save_context(
  session_id uuid, text_context text, context_metadata jsonb, expected_version integer, merge_metadata boolean
) returns dossier.session_context
language plpgsql security definer set search_path = ''
as $$
-- Definer: see write_context.
begin
  return dossier_private.write_context(
    session_id, dossier_private.lock_session(session_id), text_context, context_metadata, expected_version,
    coalesce(merge_metadata, false));
end
$$;
comment on function dossier_private.save_context(uuid, text, jsonb, integer, boolean) is
  'Runs dossier.save_context() with its owner''s rights.';

create function dossier.save_context(
  session_id uuid,
  text_context text default null,
  context_metadata jsonb default null,
  expected_version integer default null,
  merge_metadata boolean default false
) returns dossier.session_context
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.save_context(
    session_id, text_context, context_metadata, expected_version, merge_metadata);
end;
comment on function dossier.save_context(uuid, text, jsonb, integer, boolean) is
  'Saves a session''s context as a new version. Null keeps the current value. Refuses a stale expected_version (PT409, detail '
  '{"current_version", "expected_version"}). expected_version 0 means that there must be no context yet. With merge_metadata '
  'the metadata is a JSON merge patch: keys are added or replaced, and null removes a key.';

create function dossier_private.provide_organization() returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: reads membership and a setting.
declare
  caller constant text := dossier_private.require_caller();
begin
  if exists (select from dossier_private.my_organizations('member'))
    or not dossier_private.setting('personal_organizations')::boolean
    or dossier_private.membership_mode() <> 'own'
  then
    return;
  end if;
  -- If a user creates two first sessions at once, the second waits here and then finds the organization of the first.
  perform pg_advisory_xact_lock(hashtextextended('dossier personal organization ' || caller, 0));
  if not exists (select from dossier_private.my_organizations('member')) then
    perform dossier_private.create_organization('Personal');
  end if;
end
$$;
comment on function dossier_private.provide_organization() is
  'Creates an organization for a caller who may not write in any, if the setting personal_organizations allows it and no app '
  'manages the members.';

create function dossier_private.create_session(title text, conversation_type text, organization_id uuid, context jsonb)
returns dossier.sessions
language plpgsql security definer set search_path = ''
as $$
-- Definer: see write_context.
declare
  writable_organization_id uuid;
  type_slug constant text := coalesce(conversation_type, 'meeting');
  session dossier.sessions;
  unknown_key text;
  wrong text;
begin
  if organization_id is null then
    perform dossier_private.provide_organization();
  end if;
  writable_organization_id := dossier_private.require_organization(organization_id);

  perform dossier_private.check_session(title, type_slug);

  perform from dossier.organizations as o where o.id = writable_organization_id for key share;
  if not found and dossier_private.membership_mode() = 'own' then -- deleted meanwhile; an organization of the app is added below
    perform dossier_private.require_writer(null, 'organization', writable_organization_id);
  end if;
  insert into dossier.sessions (organization_id, title, conversation_type)
  values (writable_organization_id, create_session.title, type_slug)
  returning * into session;

  if jsonb_typeof(context) = 'object' then
    select key into unknown_key
    from jsonb_object_keys(context) as key
    where key not in ('text_context', 'text', 'context_metadata', 'metadata')
    limit 1;
  end if;
  wrong := case
    when jsonb_typeof(context) not in ('object', 'null') then format('It is a JSON %s.', jsonb_typeof(context))
    when unknown_key is not null then format('It has the key %L.', left(unknown_key, 80))
    when jsonb_typeof(coalesce(context -> 'text_context', context -> 'text')) not in ('string', 'null') then 'Its text is not a string.'
  end;
  if wrong is not null then
    raise exception using
      errcode = 'PT400',
      message = 'context must be an object with text_context and context_metadata',
      detail = wrong,
      hint = 'Send {"text_context": "…", "context_metadata": {…}}.';
  end if;

  if jsonb_typeof(context) = 'object' then
    perform dossier_private.write_context(
      session.id, session.organization_id,
      coalesce(context ->> 'text_context', context ->> 'text'),
      coalesce(nullif(context -> 'context_metadata', 'null'), nullif(context -> 'metadata', 'null')),
      0);
  end if;
  return session;
end
$$;
comment on function dossier_private.create_session(text, text, uuid, jsonb) is
  'Runs dossier.create_session() with its owner''s rights.';

create function dossier.create_session(
  title text default null,
  conversation_type text default 'meeting',
  organization_id uuid default null,
  context jsonb default null
) returns dossier.sessions
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.create_session(title, conversation_type, organization_id, context);
end;
comment on function dossier.create_session(text, text, uuid, jsonb) is
  'Creates a session and, if context is given ({text_context | text, context_metadata | metadata}), its first context, in one '
  'transaction. The organization defaults to the only one that the caller may write in. With the setting '
  'personal_organizations, a caller who may not write in any gets one.';

-- Shapes: how a context appears in responses and bundles.

create function dossier.context_record(context dossier.session_context) returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return case when context.session_id is not null then jsonb_build_object(
    'text_context', context.text_context, 'context_metadata', context.context_metadata, 'version', context.version,
    'updated_at', context.updated_at, 'updated_by', context.updated_by) end;
end
$$;
comment on function dossier.context_record(dossier.session_context) is
  'A context as JSON: {text_context, context_metadata, version, updated_at, updated_by}.';

create function dossier.context_version_record(context_version dossier.session_context_versions) returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return jsonb_build_object(
    'text_context', context_version.text_context, 'context_metadata', context_version.context_metadata,
    'version', context_version.version, 'updated_at', context_version.updated_at, 'updated_by', context_version.updated_by);
end
$$;
comment on function dossier.context_version_record(dossier.session_context_versions) is
  'A version of a context as JSON, with the keys of context_record().';

create function dossier.session_record(session dossier.sessions, with_context boolean default false) returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return jsonb_build_object(
      'id', session.id, 'organization_id', session.organization_id, 'user_id', session.user_id, 'title', session.title,
      'conversation_type', session.conversation_type, 'status', session.status,
      'created_at', session.created_at, 'updated_at', session.updated_at)
    || case when with_context then jsonb_build_object('context', (
      select dossier.context_record(c) from dossier.session_context as c
      where c.organization_id = session.organization_id and c.session_id = session.id)) else '{}' end;
end
$$;
comment on function dossier.session_record(dossier.sessions, boolean) is
  'A session as JSON: {id, organization_id, user_id, title, conversation_type, status, created_at, updated_at}, and with its '
  'context if asked for.';

create function dossier.create_session_record(
  title text default null,
  conversation_type text default 'meeting',
  organization_id uuid default null,
  context jsonb default null
) returns jsonb
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  session constant dossier.sessions := dossier.create_session(title, conversation_type, organization_id, context);
begin
  return dossier.session_record(session, with_context => true);
end
$$;
comment on function dossier.create_session_record(text, text, uuid, jsonb) is
  'Creates a session as create_session() does, and returns it with its context as session_record() does.';

revoke all on function
  dossier.context_record, dossier.context_version_record, dossier.session_record, dossier.create_session_record
  from public, anon, authenticated, service_role;
grant execute on function
  dossier.context_record, dossier.context_version_record, dossier.session_record, dossier.create_session_record
  to authenticated, service_role;

alter table dossier.session_context enable row level security;
alter table dossier.session_context_versions enable row level security;

create policy session_context_select_viewer on dossier.session_context
  for select to authenticated
  using (
    organization_id = any (array(select dossier_private.my_organizations()))
    and session_id not in (select dossier_private.trashed_sessions())
  );
create policy session_context_versions_select_viewer on dossier.session_context_versions
  for select to authenticated
  using (
    organization_id = any (array(select dossier_private.my_organizations()))
    and session_id not in (select dossier_private.trashed_sessions())
  );

revoke all on dossier.session_context, dossier.session_context_versions
  from public, anon, authenticated, service_role;
grant select on dossier.session_context, dossier.session_context_versions to authenticated, service_role;

revoke all on function
  dossier_private.check_context, dossier_private.write_context, dossier_private.save_context,
  dossier.save_context, dossier_private.provide_organization, dossier_private.create_session, dossier.create_session
  from public, anon, authenticated, service_role;
grant execute on function
  dossier.save_context, dossier_private.save_context, dossier.create_session, dossier_private.create_session
  to authenticated, service_role;
