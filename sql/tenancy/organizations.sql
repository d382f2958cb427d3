-- Organizations and their members: the tenants, and the rights of each role.
--
-- Only my_memberships() reads membership (tenancy/membership.sql builds it), since an app may have its own tables.

create table dossier.organizations (
  id uuid not null default dossier_private.uuid_v7(),
  name text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  language text,
  erased_at timestamptz,
  constraint organizations_pkey primary key (id),
  constraint organizations_name_check check (char_length(btrim(name)) between 1 and 200),
  constraint organizations_language_check check (language ~ '^[a-z]{3}$')
);
comment on table dossier.organizations is 'Tenants. Every other row belongs to one. Created by create_organization().';
comment on column dossier.organizations.id is 'Key (uuid v7).';
comment on column dossier.organizations.name is 'Display name, 1 to 200 characters. Need not be unique.';
comment on column dossier.organizations.created_at is 'When it was created.';
comment on column dossier.organizations.updated_at is 'When it or the set of its owners last changed.';
comment on column dossier.organizations.language is
  'Language of its texts whose own is not known: an ISO 639-3 code, or null. Set by set_language().';
comment on column dossier.organizations.erased_at is
  'When forget_organization() erased it, or null. It has no members, and sweep() removes it in steps with everything in it.';

create index organizations_erased_idx on dossier.organizations (erased_at) where erased_at is not null;

create table dossier.organization_members (
  organization_id uuid not null,
  user_id text not null,
  role text not null default 'member',
  created_at timestamptz not null default now(),
  accepted_at timestamptz,
  constraint organization_members_pkey primary key (organization_id, user_id),
  constraint organization_members_organization_id_fkey
    foreign key (organization_id) references dossier.organizations (id) on delete cascade,
  constraint organization_members_user_id_check check (char_length(user_id) between 1 and 255),
  constraint organization_members_role_check check (role in ('owner', 'admin', 'member', 'viewer'))
);
comment on table dossier.organization_members is
  'Members of organizations. A viewer reads. A member also writes sessions, contexts and documents. An admin also manages '
  'members who are not owners. An owner may do everything. A row without accepted_at is an invitation.';
comment on column dossier.organization_members.organization_id is 'The organization.';
comment on column dossier.organization_members.user_id is
  'Subject of the user''s token. No foreign key, since the issuer may be a third party.';
comment on column dossier.organization_members.role is 'owner, admin, member or viewer.';
comment on column dossier.organization_members.created_at is 'When the user was added or invited.';
comment on column dossier.organization_members.accepted_at is
  'When the membership began. Null: an invitation, which grants nothing until the user accepts it.';

create index organization_members_user_id_idx on dossier.organization_members (user_id);

create function dossier_private.role_covers(role text, least_role text) returns boolean
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
declare
  ascending constant text[] := array['viewer', 'member', 'admin', 'owner'];
begin
  return array_position(ascending, role) >= array_position(ascending, least_role);
end
$$;
comment on function dossier_private.role_covers(text, text) is
  'Returns whether a role includes the rights of another; null if either is unknown.';

create function dossier_private.my_organizations(least_role text default 'viewer') returns setof uuid
language plpgsql stable parallel safe security definer set search_path = '' rows 10
as $$
-- Definer: if a policy on organization_members read organization_members, it would recurse.
begin
  return query
    select membership.organization_id
    from dossier_private.my_memberships() as membership
    -- A key that is blank, or not a uuid where uuids were declared, names no organization.
    where membership.organization_id is not null and dossier_private.role_covers(membership.role, least_role);
end
$$;
comment on function dossier_private.my_organizations(text) is
  'Returns the organizations in which the caller has at least this role. Policies use it as organization_id = any(array(select '
  'dossier_private.my_organizations())), which Postgres evaluates once per statement.';

create function dossier_private.my_role(organization_id uuid) returns text
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: see my_organizations.
declare
  role text;
begin
  -- If an app gives a user several roles in an organization, the highest one counts.
  select membership.role into role
  from dossier_private.my_memberships() as membership
  where membership.organization_id = my_role.organization_id
  order by array_position(array['owner', 'admin', 'member', 'viewer'], membership.role)
  limit 1;

  if dossier_private.role_covers(role, 'member') then
    return role;
  elsif dossier_private.is_service() then
    return 'owner';
  end if;
  return case when role = 'viewer' then role end;
end
$$;
comment on function dossier_private.my_role(uuid) is
  'Returns the caller''s role in an organization: owner for a service, null for a user who is not a member. Definer functions '
  'use it where others rely on policies.';

create function dossier_private.require_role(organization_id uuid, least_role text, object text, object_id uuid) returns void
language plpgsql stable security invoker set search_path = ''
as $$
declare
  role constant text := dossier_private.my_role(organization_id);
begin
  if organization_id is null or role is null then
    raise exception using
      errcode = 'PT404',
      message = format('%s not found', overlay(object placing upper(left(object, 1)) from 1 for 1)),
      detail = format('No %s %s is visible to you.', object, coalesce(object_id::text, '(null)')),
      hint = format('Check the id%s.',
        case when dossier_private.is_service() then ''
          else ', and that you are a member of the organization that it belongs to' end);
  end if;
  if not dossier_private.role_covers(role, least_role) then
    raise exception using
      errcode = '42501',
      message = case least_role
        when 'member' then 'You may not write in this organization'
        else format('This function requires the role %s in the organization', least_role)
      end,
      detail = format('Your role in organization %s is %s. The function requires %s.', organization_id, role, least_role),
      hint = format('Ask an owner or admin of the organization for the role %s.', least_role);
  end if;
end
$$;
comment on function dossier_private.require_role(uuid, text, text, uuid) is
  'Refuses callers that cannot see an object of this organization (PT404), or whose role there is below least_role (42501).';

create function dossier_private.require_writer(organization_id uuid, object text, object_id uuid) returns void
language plpgsql stable security invoker set search_path = ''
as $$
begin
  perform dossier_private.require_role(organization_id, 'member', object, object_id);
end
$$;
comment on function dossier_private.require_writer(uuid, text, uuid) is
  'Refuses callers that cannot see an object of this organization (PT404), or whose role there is below member (42501).';

create function dossier_private.require_admin(organization_id uuid) returns void
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: calls functions that API roles may not. A service sees every organization, but only those that exist.
begin
  perform dossier_private.require_role(
    dossier_private.known_organization(organization_id), 'admin', 'organization', organization_id);
end
$$;
comment on function dossier_private.require_admin(uuid) is
  'Refuses callers that cannot see the organization (PT404), or whose role there is below admin (42501).';

create function dossier_private.keep_an_owner() returns trigger
language plpgsql security definer set search_path = ''
as $$
-- Definer: a member who leaves may no longer update the organization, and cannot see all of its owners.
begin
  -- This update makes concurrent departures wait for each other. At higher isolation levels the second one then fails to
  -- serialize. A row lock alone would not cause that.
  update dossier.organizations set updated_at = now() where id = old.organization_id and erased_at is null;

  if found and not exists (
    select from dossier.organization_members as member
    where member.organization_id = old.organization_id and member.role = 'owner' and member.accepted_at is not null
  ) and (
    -- If an app manages the members, these rows only wait for use_own_membership().
    dossier_private.membership_mode() = 'own' or exists (
      select from dossier.organization_members as member where member.organization_id = old.organization_id)
  ) then
    raise exception using
      errcode = 'PT409',
      message = 'An organization must have at least one owner',
      detail = format('%s is the last owner of organization %s.', old.user_id, old.organization_id),
      hint = 'First make another member an owner, or delete the organization.';
  end if;
  return null;
end
$$;
comment on function dossier_private.keep_an_owner() is
  'Trigger: the last owner cannot leave or be demoted, even if two owners leave at the same time.';

create trigger organization_members_keep_an_owner
  after update or delete on dossier.organization_members
  for each row when (old.role = 'owner' and old.accepted_at is not null)
  execute function dossier_private.keep_an_owner();

create trigger organizations_touch
  before update on dossier.organizations
  for each row execute function dossier_private.touch();

create function dossier_private.check_organization_name(name text) returns void
language plpgsql immutable security invoker set search_path = ''
as $$
declare
  -- Invitations show the name to users of other organizations. Unlike the name of a file, it may contain slashes.
  problem text;
begin
  if coalesce(char_length(btrim(name)) not between 1 and 200, true) then
    raise exception using
      errcode = 'PT400',
      message = 'The name of an organization must have 1 to 200 characters',
      detail = format('It has %s.', coalesce(char_length(btrim(name)), 0)),
      hint = 'Send the parameter name.';
  end if;
  problem := dossier_private.name_problem(translate(name, '/\.', '---'));
  if problem is not null then
    raise exception using
      errcode = 'PT400',
      message = 'Invalid organization name',
      detail = problem || '.',
      hint = 'Send a name without control, format or invisible characters.';
  end if;
end
$$;
comment on function dossier_private.check_organization_name(text) is
  'Refuses (PT400) a name that is empty, too long, or has characters that are not shown or change how others are.';

alter table dossier_private.settings add constraint settings_max_organizations_a_user_check
  check (name <> 'max_organizations_a_user' or (jsonb_typeof(value) = 'number' and value between '0' and '1000000'));
insert into dossier_private.settings (name, value, default_value, description) values
  ('max_organizations_a_user', '20', '20',
    'Organizations that a user may own. At this number the user cannot create another.');

create function dossier_private.check_organizations(user_id text) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: reads a setting, and organizations in the name of another user.
declare
  most constant bigint := dossier_private.setting('max_organizations_a_user')::bigint;
  owned bigint;
begin
  -- If a user creates two at once, the second waits here and then counts the first.
  perform pg_advisory_xact_lock(hashtextextended('dossier organizations of ' || user_id, 0));
  select count(*) into owned
  from dossier.organization_members as member
  where member.user_id = check_organizations.user_id and member.role = 'owner' and member.accepted_at is not null;
  if owned >= most then
    raise exception using
      errcode = 'PT403',
      message = 'You own too many organizations to create another',
      detail = format('You own %s. The database allows %s (max_organizations_a_user).', owned, most),
      hint = 'Delete an organization that you no longer need, or ask the operator to raise the limit.';
  end if;
end
$$;
comment on function dossier_private.check_organizations(text) is
  'Refuses (PT403) a user who owns as many organizations as max_organizations_a_user allows.';

create function dossier_private.create_organization(name text) returns dossier.organizations
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles may insert organizations, and their first owner, only through this function.
declare
  caller constant text := dossier_private.require_caller();
  organization dossier.organizations;
begin
  perform dossier_private.check_organization_name(name);
  perform dossier_private.check_organizations(caller);

  insert into dossier.organizations (name)
  values (btrim(create_organization.name))
  returning * into organization;

  insert into dossier.organization_members (organization_id, user_id, role)
  values (organization.id, caller, 'owner');

  return organization;
end
$$;
comment on function dossier_private.create_organization(text) is 'Runs dossier.create_organization() with its owner''s rights.';

create function dossier.create_organization(name text) returns dossier.organizations
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.create_organization(name);
end;
comment on function dossier.create_organization(text) is 'Creates an organization with the quotas of the setting default_quotas. The caller becomes its owner. Refuses (PT403) a caller '
  'who owns as many as max_organizations_a_user allows.';

alter table dossier.organizations enable row level security;
alter table dossier.organization_members enable row level security;

create policy organizations_select_viewer on dossier.organizations
  for select to authenticated
  using (id = any (array(select dossier_private.my_organizations())));
create policy organizations_update_admin on dossier.organizations
  for update to authenticated
  using (id = any (array(select dossier_private.my_organizations('admin'))))
  with check (id = any (array(select dossier_private.my_organizations('admin'))));
create policy organizations_delete_owner on dossier.organizations
  for delete to authenticated
  using (id = any (array(select dossier_private.my_organizations('owner'))));

-- A user sees their own invitations.
create policy organization_members_select_viewer on dossier.organization_members
  for select to authenticated
  using (
    organization_id = any (array(select dossier_private.my_organizations()))
    or user_id = (select dossier_private.caller_id())
  );
create policy organization_members_insert_admin on dossier.organization_members
  for insert to authenticated
  with check (
    organization_id = any (array(select dossier_private.my_organizations('admin')))
    and (role <> 'owner' or organization_id = any (array(select dossier_private.my_organizations('owner'))))
  );
create policy organization_members_update_admin on dossier.organization_members
  for update to authenticated
  using (
    organization_id = any (array(select dossier_private.my_organizations('admin')))
    and (role <> 'owner' or organization_id = any (array(select dossier_private.my_organizations('owner'))))
  )
  with check (
    organization_id = any (array(select dossier_private.my_organizations('admin')))
    and (role <> 'owner' or organization_id = any (array(select dossier_private.my_organizations('owner'))))
  );
-- Every member may leave, and every invited user decline.
create policy organization_members_delete_admin on dossier.organization_members
  for delete to authenticated
  using (
    user_id = (select dossier_private.caller_id())
    or (
      organization_id = any (array(select dossier_private.my_organizations('admin')))
      and (role <> 'owner' or organization_id = any (array(select dossier_private.my_organizations('owner'))))
    )
  );

revoke all on dossier.organizations, dossier.organization_members
  from public, anon, authenticated, service_role;
grant select, update (name), delete on dossier.organizations to authenticated;
grant select, insert (organization_id, user_id, role), update (role), delete
  on dossier.organization_members to authenticated;
grant select, insert, update, delete on dossier.organizations, dossier.organization_members to service_role;

revoke all on function
  dossier_private.role_covers, dossier_private.my_organizations, dossier_private.my_role,
  dossier_private.require_role, dossier_private.require_writer, dossier_private.require_admin, dossier_private.keep_an_owner,
  dossier_private.check_organization_name, dossier_private.check_organizations, dossier_private.create_organization,
  dossier.create_organization
  from public, anon, authenticated, service_role;
grant execute on function dossier_private.my_organizations to authenticated;
grant execute on function dossier.create_organization, dossier_private.create_organization
  to authenticated, service_role;
