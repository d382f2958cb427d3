-- Sessions: conversations, and the types they may have.

create table dossier.conversation_types (
  slug text not null,
  label text not null,
  built_in boolean not null default false,
  constraint conversation_types_pkey primary key (slug),
  constraint conversation_types_slug_check check (slug ~ '^[a-z][a-z0-9_]{0,62}$'),
  constraint conversation_types_label_check check (char_length(label) between 1 and 100)
);
comment on table dossier.conversation_types is
  'Registered types of conversation. The app adds its own as service_role or as the owner of the database.';
comment on column dossier.conversation_types.slug is 'What sessions.conversation_type holds: lower-case letters, digits, underscores.';
comment on column dossier.conversation_types.label is 'What people read.';
comment on column dossier.conversation_types.built_in is 'True for those that come with Dossier, which pg_dump therefore leaves out.';

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
  deleted_at timestamptz,
  deleted_by text,
  constraint sessions_pkey primary key (id),
  constraint sessions_organization_id_id_key unique (organization_id, id),
  constraint sessions_organization_id_fkey
    foreign key (organization_id) references dossier.organizations (id) on delete cascade,
  constraint sessions_conversation_type_fkey
    foreign key (conversation_type) references dossier.conversation_types (slug) on update cascade,
  constraint sessions_user_id_check check (char_length(user_id) between 1 and 255),
  constraint sessions_title_check check (char_length(title) <= 500),
  constraint sessions_status_check check (status in ('active', 'archived')),
  constraint sessions_deleted_check check (deleted_at is not null or deleted_by is null)
);
comment on table dossier.sessions is 'Conversations. What hangs on one carries its organization_id, held equal by composite foreign keys.';
comment on column dossier.sessions.id is 'Key (uuid v7).';
comment on column dossier.sessions.organization_id is 'Owning organization; never changes.';
comment on column dossier.sessions.user_id is 'Who made it: subject of that user''s token.';
comment on column dossier.sessions.title is 'Title, at most 500 characters, or null.';
comment on column dossier.sessions.conversation_type is 'A registered type.';
comment on column dossier.sessions.status is 'active or archived.';
comment on column dossier.sessions.created_at is 'When it was made.';
comment on column dossier.sessions.updated_at is 'When the row last changed.';
comment on column dossier.sessions.deleted_at is 'When it was put into the trash; null for every session that users can see. Services see those in the trash, too.';
comment on column dossier.sessions.deleted_by is 'Who put it there; null when a service did.';

create index sessions_organization_id_created_at_idx on dossier.sessions (organization_id, created_at desc, id desc);
-- The trash.
create index sessions_deleted_idx on dossier.sessions (organization_id, deleted_at desc, id desc) where deleted_at is not null;
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
    -- Where one may only read is no choice; else who makes somebody a viewer would take that choice away.
    mine := array(select distinct dossier_private.my_organizations('member'));
    if mine = '{}' then
      mine := array(select dossier_private.my_organizations() limit 1);
    end if;
  end if;

  if cardinality(mine) = 0 then
    raise exception using
      errcode = '42501',
      message = 'You belong to no organization',
      detail = 'A session belongs to an organization.',
      hint = 'Call create_organization first, or ask to be made a member of one.';
  elsif cardinality(mine) > 1 then
    raise exception using
      errcode = 'PT400',
      message = 'Say which organization the session belongs to',
      detail = format('You may write in %s organizations.', cardinality(mine)),
      hint = 'Send the parameter organization_id.';
  end if;

  perform dossier_private.require_writer(mine[1], 'organization', mine[1]);
  return mine[1];
end
$$;
comment on function dossier_private.require_organization(uuid) is
  'The organization to write in: the one given, or the only one that the caller may write in; refuses when there is none.';

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
  'Organization of a session; null when there is none, or it is in the trash, where no function but those of the trash finds it.';

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
  'Organization of a session the caller may write in; PT404 when it is invisible, 42501 when only readable.';

create function dossier_private.lock_session(session_id uuid) returns uuid
language plpgsql volatile security definer set search_path = ''
as $$
-- Definer: locks a row that the caller may not update.
declare
  owning_organization_id uuid := dossier_private.require_session(session_id);
begin
  -- Before anything below it is: a deletion locks in that order, too. It alone waits for this lock.
  perform from dossier.sessions as session where session.id = lock_session.session_id for key share;
  if not found then
    perform dossier_private.require_writer(null, 'session', session_id);
  end if;
  return owning_organization_id;
end
$$;
comment on function dossier_private.lock_session(uuid) is
  'As require_session(), and from then on the session is not deleted before the transaction ends.';

-- Changing a session.

create function dossier_private.check_session(title text, conversation_type text) returns void
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: services may call what calls it, whatever they may read.
begin
  if not exists (select from dossier.conversation_types as t where t.slug = check_session.conversation_type) then
    raise exception using
      errcode = 'PT400',
      message = format('Unknown conversation type %L', left(conversation_type, 80)),
      detail = format('Registered are: %s.', (select string_agg(t.slug, ', ' order by t.slug) from dossier.conversation_types as t)),
      hint = 'Use a registered type, or have an administrator add a row to conversation_types.';
  end if;
  if char_length(title) > 500 then
    raise exception using
      errcode = 'PT400',
      message = 'The title is longer than 500 characters',
      detail = format('It has %s.', char_length(title)),
      hint = 'Shorten it; long text belongs in the context.';
  end if;
end
$$;
comment on function dossier_private.check_session(text, text) is 'Refuses (PT400) a title that is too long, and a type that is not registered.';

create function dossier_private.update_session(session_id uuid, changes jsonb) returns dossier.sessions
language plpgsql security definer set search_path = ''
as $$
-- Definer: a viewer is told why not (42501), where row level security would find nothing to change.
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
      hint = 'Send {"title": "…"} to change the title, {"title": null} to remove it; what is left out stays.';
  end if;
  perform dossier_private.check_session(changes ->> 'title', coalesce(changes ->> 'conversation_type', 'meeting'));

  update dossier.sessions as s
  set title = case when changes ? 'title' then changes ->> 'title' else s.title end,
    conversation_type = coalesce(changes ->> 'conversation_type', s.conversation_type),
    status = coalesce(changes ->> 'status', s.status)
  where s.id = update_session.session_id and s.deleted_at is null
  returning s.* into session;
  if not found then -- it has been deleted meanwhile
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
  'Changes a session: {title, conversation_type, status}, each as far as it is given; a title of null removes it, status is '
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
-- No grant on organization_id for update: a session never moves. None on user_id: the default names the caller.
grant select, insert (organization_id, title, conversation_type), update (title, conversation_type, status), delete
  on dossier.sessions to authenticated;
grant select, insert, update, delete on dossier.conversation_types to service_role;
grant select, insert, update (title, conversation_type, status), delete on dossier.sessions to service_role;

revoke all on function
  dossier_private.require_organization, dossier_private.session_organization, dossier_private.require_session,
  dossier_private.lock_session, dossier_private.check_session, dossier_private.update_session, dossier.update_session
  from public, anon, authenticated, service_role;
grant execute on function dossier.update_session, dossier_private.update_session to authenticated, service_role;
