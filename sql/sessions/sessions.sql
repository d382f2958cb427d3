-- Sessions: conversations and their types.

create table dossier.conversation_types (
  slug text not null,
  label text not null,
  built_in boolean not null default false,
  constraint conversation_types_pkey primary key (slug),
  constraint conversation_types_slug_check check (slug ~ '^[a-z][a-z0-9_]{0,62}$'),
  constraint conversation_types_label_check check (char_length(label) between 1 and 100)
);
comment on table dossier.conversation_types is
  'Registered types of conversations. The app adds its own types as service_role or as the owner of the database.';
comment on column dossier.conversation_types.slug is
  'Value of sessions.conversation_type: lower-case letters, digits, underscores.';
comment on column dossier.conversation_types.label is 'Name for people.';
comment on column dossier.conversation_types.built_in is 'True for the types that Dossier comes with. pg_dump omits them.';

insert into dossier.conversation_types (slug, label, built_in) values
  ('sales_call', 'Sales call', true),
  ('interview', 'Interview', true),
  ('meeting', 'Meeting', true),
  ('consultation', 'Consultation', true);

create table dossier.sessions (
  id uuid not null default dossier_private.uuid_v7(),
  organization_id uuid not null,
  user_id text not null default dossier_private.caller_id(),
  title text,
  conversation_type text not null default 'meeting',
  status text not null default 'active',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  language text,
  deleted_at timestamptz,
  deleted_by text,
  purged_at timestamptz,
  constraint sessions_pkey primary key (id),
  constraint sessions_organization_id_id_key unique (organization_id, id),
  constraint sessions_organization_id_fkey
    foreign key (organization_id) references dossier.organizations (id) on delete cascade,
  constraint sessions_conversation_type_fkey
    foreign key (conversation_type) references dossier.conversation_types (slug) on update cascade,
  constraint sessions_user_id_check check (char_length(user_id) between 1 and 255),
  constraint sessions_title_check check (char_length(title) <= 500),
  constraint sessions_status_check check (status in ('active', 'archived')),
  constraint sessions_language_check check (language ~ '^[a-z]{3}$'),
  constraint sessions_deleted_check check (deleted_at is not null or (deleted_by is null and purged_at is null))
);
comment on table dossier.sessions is
  'Conversations. Everything that belongs to one has its organization_id; composite foreign keys keep them equal.';
comment on column dossier.sessions.id is 'Key (uuid v7).';
comment on column dossier.sessions.organization_id is 'The organization. Never changes.';
comment on column dossier.sessions.user_id is 'Creator: subject of that user''s token.';
comment on column dossier.sessions.title is 'Title of at most 500 characters, or null.';
comment on column dossier.sessions.conversation_type is 'A registered type.';
comment on column dossier.sessions.status is 'active or archived.';
comment on column dossier.sessions.created_at is 'When it was created.';
comment on column dossier.sessions.updated_at is 'When the row last changed.';
comment on column dossier.sessions.language is
  'Language of its texts whose own is not known: an ISO 639-3 code, or null. Set by set_language().';
comment on column dossier.sessions.deleted_at is
  'When it was moved to the trash, or null. Users see only sessions where it is null. Services also see those in the trash.';
comment on column dossier.sessions.deleted_by is 'User who moved it to the trash; null if a service did.';
comment on column dossier.sessions.purged_at is
  'When it was deleted permanently, or null. It cannot be restored, and sweep() removes it in steps with everything that belongs to it.';

create index sessions_organization_id_created_at_idx on dossier.sessions (organization_id, created_at desc, id desc);
-- The trash.
create index sessions_deleted_idx on dossier.sessions (organization_id, deleted_at desc, id desc) where deleted_at is not null;
create index sessions_purged_idx on dossier.sessions (purged_at) where purged_at is not null;
create index sessions_conversation_type_idx on dossier.sessions (conversation_type);

create trigger sessions_touch
  before update on dossier.sessions
  for each row execute function dossier_private.touch();

create function dossier_private.require_organization(organization_id uuid) returns uuid
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: reads membership.
declare
  mine uuid[] := array[organization_id];
begin
  perform dossier_private.require_caller();
  if organization_id is null then
    -- Organizations where the caller may only read do not count. Otherwise anyone who makes the caller a viewer would
    -- make the choice ambiguous.
    mine := array(select distinct dossier_private.my_organizations('member'));
    if mine = '{}' then
      mine := array(select dossier_private.my_organizations() limit 1);
    end if;
  end if;

  if cardinality(mine) = 0 then
    raise exception using
      errcode = '42501',
      message = 'You are not a member of any organization',
      detail = 'Every session belongs to an organization.',
      hint = 'Call create_organization() first, or ask an admin to add you to an organization.';
  elsif cardinality(mine) > 1 then
    raise exception using
      errcode = 'PT400',
      message = 'organization_id is missing',
      detail = format('You may write in %s organizations, and Dossier does not choose one of several.', cardinality(mine)),
      hint = 'Send the parameter organization_id.';
  end if;

  perform dossier_private.require_writer(mine[1], 'organization', mine[1]);
  return mine[1];
end
$$;
comment on function dossier_private.require_organization(uuid) is
  'Returns the organization to write in: the given one, or the only one that the caller may write in. Refuses the request '
  'otherwise.';

create function dossier_private.session_organization(session_id uuid) returns uuid
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: called by definer functions, which row level security does not bind.
begin
  return (
    select session.organization_id
    from dossier.sessions as session
    where session.id = session_organization.session_id and session.deleted_at is null
  );
end
$$;
comment on function dossier_private.session_organization(uuid) is
  'Returns the organization of a session; null if the session does not exist or is in the trash. Only the functions of the '
  'trash find sessions there.';

create function dossier_private.require_session(session_id uuid) returns uuid
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: called by definer functions, which row level security does not bind.
declare
  owning_organization_id constant uuid := dossier_private.session_organization(session_id);
begin
  perform dossier_private.require_writer(owning_organization_id, 'session', session_id);
  return owning_organization_id;
end
$$;
comment on function dossier_private.require_session(uuid) is
  'Returns the organization of a session that the caller may write in. PT404 if the session is invisible, 42501 if it is '
  'read-only.';

create function dossier_private.lock_session(session_id uuid) returns uuid
language plpgsql volatile security definer set search_path = ''
as $$
-- Definer: locks a row that the caller may not update.
declare
  owning_organization_id uuid := dossier_private.require_session(session_id);
begin
  -- Lock the session before any row below it, as a deletion does. Only a deletion waits for this lock.
  perform from dossier.sessions as session where session.id = lock_session.session_id for key share;
  if not found then
    perform dossier_private.require_writer(null, 'session', session_id);
  end if;
  return owning_organization_id;
end
$$;
comment on function dossier_private.lock_session(uuid) is
  'Like require_session(), and the session is not deleted until the transaction ends.';

-- Changing a session.

create function dossier_private.check_session(title text, conversation_type text) returns void
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: a service may call the functions that use this one, whatever it may read.
begin
  if not exists (select from dossier.conversation_types as t where t.slug = check_session.conversation_type) then
    raise exception using
      errcode = 'PT400',
      message = format('Unknown conversation type %L', left(conversation_type, 80)),
      detail = format('The registered types are: %s.', (
        select string_agg(t.slug, ', ' order by t.slug) from dossier.conversation_types as t)),
      hint = 'Use a registered type, or ask an administrator to add a row to conversation_types.';
  end if;
  if char_length(title) > 500 then
    raise exception using
      errcode = 'PT400',
      message = 'The title is longer than 500 characters',
      detail = format('It has %s.', char_length(title)),
      hint = 'Shorten it. Store long text in the context.';
  end if;
end
$$;
comment on function dossier_private.check_session(text, text) is
  'Refuses (PT400) a title that is too long, or a type that is not registered.';

create function dossier_private.update_session(session_id uuid, changes jsonb) returns dossier.sessions
language plpgsql security definer set search_path = ''
as $$
-- Definer: a viewer gets an error (42501). Under row level security, the update would silently find no row.
declare
  session dossier.sessions;
  wrong text;
begin
  perform dossier_private.require_session(session_id);
  if jsonb_typeof(changes) = 'object' then
    select case
      when given.key not in ('title', 'conversation_type', 'status') then format('It has the key %L.', left(given.key, 80))
      when given.key = 'status' and given.value not in ('"active"', '"archived"') then 'Its status is neither active nor archived.'
      when jsonb_typeof(given.value) <> 'string' and (given.key <> 'title' or given.value <> 'null') then format('Its %s is not a string.', given.key)
    end into wrong
    from jsonb_each(changes) as given
    order by 1 nulls last
    limit 1;
  else
    wrong := format('It is %s.', coalesce('a JSON ' || jsonb_typeof(changes), 'null'));
  end if;
  if wrong is not null then
    raise exception using
      errcode = 'PT400',
      message = 'changes must be an object with title, conversation_type or status',
      detail = wrong,
      hint = 'Send {"title": "…"} to change the title, or {"title": null} to remove it. Omitted keys do not change.';
  end if;
  perform dossier_private.check_session(changes ->> 'title', coalesce(changes ->> 'conversation_type', 'meeting'));

  update dossier.sessions as s
  set title = case when changes ? 'title' then changes ->> 'title' else s.title end,
    conversation_type = coalesce(changes ->> 'conversation_type', s.conversation_type),
    status = coalesce(changes ->> 'status', s.status)
  where s.id = update_session.session_id and s.deleted_at is null
  returning s.* into session;
  if not found then -- deleted in the meantime
    perform dossier_private.require_writer(null, 'session', session_id);
  end if;
  return session;
end
$$;
comment on function dossier_private.update_session(uuid, jsonb) is 'Runs dossier.update_session() with its owner''s rights.';

create function dossier.update_session(session_id uuid, changes jsonb) returns dossier.sessions
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.update_session(session_id, changes);
end;
comment on function dossier.update_session(uuid, jsonb) is
  'Changes a session: {title, conversation_type, status}. Omitted keys do not change. A null title removes the title. status is '
  'active or archived.';

alter table dossier.conversation_types enable row level security;
alter table dossier.sessions enable row level security;

create policy conversation_types_select_authenticated on dossier.conversation_types
  for select to authenticated
  using (true);

create policy sessions_select_viewer on dossier.sessions
  for select to authenticated
  using (organization_id = any (array(select dossier_private.my_organizations())) and deleted_at is null);
create policy sessions_insert_member on dossier.sessions
  for insert to authenticated
  with check (
    organization_id = any (array(select dossier_private.my_organizations('member')))
    and user_id = (select dossier_private.caller_id())
  );
create policy sessions_update_member on dossier.sessions
  for update to authenticated
  using (organization_id = any (array(select dossier_private.my_organizations('member'))) and deleted_at is null)
  with check (organization_id = any (array(select dossier_private.my_organizations('member'))));
create policy sessions_delete_member on dossier.sessions
  for delete to authenticated
  using (organization_id = any (array(select dossier_private.my_organizations('member'))) and deleted_at is null);

revoke all on dossier.conversation_types, dossier.sessions from public, anon, authenticated, service_role;
grant select on dossier.conversation_types to authenticated;
-- organization_id has no grant for update: a session never moves. user_id has none either: its default is the caller.
grant select, insert (organization_id, title, conversation_type), update (title, conversation_type, status), delete
  on dossier.sessions to authenticated;
grant select, insert, update, delete on dossier.conversation_types to service_role;
grant select, insert, update (title, conversation_type, status), delete on dossier.sessions to service_role;

revoke all on function
  dossier_private.require_organization, dossier_private.session_organization, dossier_private.require_session,
  dossier_private.lock_session, dossier_private.check_session, dossier_private.update_session, dossier.update_session
  from public, anon, authenticated, service_role;
grant execute on function dossier.update_session, dossier_private.update_session to authenticated, service_role;
