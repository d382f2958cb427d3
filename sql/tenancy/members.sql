-- Managing organizations and their members: the same rules as the policies of the two tables, with errors that say what is missing.

create function dossier.organization_record(organization dossier.organizations) returns jsonb
language sql stable security invoker set search_path = ''
begin atomic
  select jsonb_build_object(
    'id', organization.id, 'name', organization.name, 'role', dossier_private.my_role(organization.id),
    'created_at', organization.created_at, 'updated_at', organization.updated_at);
end;
comment on function dossier.organization_record(dossier.organizations) is
  'An organization as JSON: {id, name, role, created_at, updated_at}. role is the caller''s.';

create function dossier.create_organization_record(name text) returns jsonb
language plpgsql volatile security invoker set search_path = ''
as $$
declare
  organization constant dossier.organizations := dossier.create_organization(name);
begin
  return dossier.organization_record(organization);
end
$$;
comment on function dossier.create_organization_record(text) is
  'Creates an organization as create_organization() does, and returns it as organization_record() does.';

create function dossier.member_record(member dossier.organization_members) returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return jsonb_build_object('user_id', member.user_id, 'role', member.role, 'created_at', member.created_at, 'accepted_at', member.accepted_at);
end
$$;
comment on function dossier.member_record(dossier.organization_members) is 'A member as JSON: {user_id, role, created_at, accepted_at}.';

create function dossier_private.require_members(organization_id uuid, least_role text) returns void
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: reads membership and a setting.
begin
  perform dossier_private.require_role(
    dossier_private.known_organization(organization_id), least_role, 'organization', organization_id);
  if dossier_private.membership_mode() <> 'own' then
    raise exception using
      errcode = 'PT409',
      message = 'The app manages its organizations and members',
      detail = format('Dossier reads membership from %s.',
        coalesce(dossier_private.setting('membership') ->> 'table', 'the claims of the token')),
      hint = 'Read and change the members in the app. Dossier sees them at once.';
  end if;
end
$$;
comment on function dossier_private.require_members(uuid, text) is
  'Refuses callers that cannot see the organization (PT404), or whose role there is below least_role (42501). Refuses all '
  '(PT409) if the app manages the members.';

create function dossier_private.check_member(user_id text, role text) returns void
language plpgsql immutable security invoker set search_path = ''
as $$
begin
  if coalesce(char_length(user_id) not between 1 and 255, true) then
    raise exception using
      errcode = 'PT400',
      message = 'user_id must have 1 to 255 characters',
      detail = format('It has %s.', coalesce(char_length(user_id), 0)),
      hint = 'Send the subject (sub) of the user''s token.';
  end if;
  if coalesce(role not in ('owner', 'admin', 'member', 'viewer'), true) then
    raise exception using
      errcode = 'PT400',
      message = 'role must be owner, admin, member or viewer',
      detail = format('It is %s.', quote_nullable(left(role, 80))),
      hint = 'A viewer reads, a member also writes, an admin also manages members, and an owner may do everything.';
  end if;
end
$$;
comment on function dossier_private.check_member(text, text) is 'Refuses (PT400) an invalid user id or role.';

create function dossier_private.lock_member(organization_id uuid, user_id text) returns dossier.organization_members
language plpgsql volatile security definer set search_path = ''
as $$
-- Definer: locks a row that the caller may not update.
declare
  member dossier.organization_members;
begin
  select m.* into member
  from dossier.organization_members as m
  where m.organization_id = lock_member.organization_id and m.user_id = lock_member.user_id
  for no key update;
  return member;
end
$$;
comment on function dossier_private.lock_member(uuid, text) is 'Returns a member and locks the row, or returns null.';

create function dossier_private.list_organizations(organization_id uuid, limit_count integer, after uuid)
returns setof dossier.organizations
language plpgsql stable security definer set search_path = '' rows 10
as $$
-- Definer: reads membership. Repeats the condition of organizations_select_viewer. An organization of the app that Dossier has
-- not stored yet exists for its members.
begin
  return query
    select mine.id, coalesce(o.name, mine.id::text), o.created_at, o.updated_at, o.language, o.erased_at
    from (
      select m.organization_id as id from dossier_private.my_organizations() as m (organization_id)
      union
      select every.id from dossier.organizations as every where dossier_private.is_service() and every.erased_at is null
    ) as mine
    left join dossier.organizations as o on o.id = mine.id
    where (list_organizations.organization_id is null or mine.id = list_organizations.organization_id)
      and (after is null or mine.id > after)
      and (o.id is not null or dossier_private.membership_mode() <> 'own')
    order by mine.id
    limit dossier_private.check_limit(limit_count, 1000);
end
$$;
comment on function dossier_private.list_organizations(uuid, integer, uuid) is
  'Runs dossier.list_organizations() with its owner''s rights.';

create function dossier_private.list_members(organization_id uuid, limit_count integer, after_user_id text)
returns setof dossier.organization_members
language plpgsql stable security definer set search_path = '' rows 50
as $$
-- Definer: see require_members.
begin
  perform dossier_private.require_members(organization_id, 'viewer');
  return query
    select member.*
    from dossier.organization_members as member
    where member.organization_id = list_members.organization_id
      and (after_user_id is null or member.user_id > after_user_id)
    order by member.user_id
    limit dossier_private.check_limit(limit_count, 1000);
end
$$;
comment on function dossier_private.list_members(uuid, integer, text) is 'Runs dossier.list_members() with its owner''s rights.';

create function dossier_private.add_member(organization_id uuid, user_id text, role text) returns dossier.organization_members
language plpgsql volatile security definer set search_path = ''
as $$
-- Definer: the policy would refuse without saying why.
declare
  member dossier.organization_members;
begin
  perform dossier_private.require_members(organization_id, case role when 'owner' then 'owner' else 'admin' end);
  perform dossier_private.check_member(user_id, role);

  insert into dossier.organization_members (organization_id, user_id, role)
  values (add_member.organization_id, add_member.user_id, add_member.role)
  on conflict on constraint organization_members_pkey do nothing
  returning * into member;

  if not found then
    raise exception using
      errcode = 'PT409',
      message = 'This user is already a member or invited',
      detail = format('%s belongs to organization %s, or is invited there.', add_member.user_id, add_member.organization_id),
      hint = 'Change the role with set_member_role().';
  end if;
  return member;
end
$$;
comment on function dossier_private.add_member(uuid, text, text) is 'Runs dossier.add_member() with its owner''s rights.';

create function dossier_private.set_member_role(organization_id uuid, user_id text, role text)
returns dossier.organization_members
language plpgsql volatile security definer set search_path = ''
as $$
-- Definer: the policy would refuse without saying why.
declare
  member dossier.organization_members;
begin
  perform dossier_private.require_members(organization_id, case role when 'owner' then 'owner' else 'admin' end);
  perform dossier_private.check_member(user_id, role);
  member := dossier_private.lock_member(organization_id, user_id);
  if member.user_id is null then
    raise exception using
      errcode = 'PT404',
      message = 'Member not found',
      detail = format('%s does not belong to organization %s.', set_member_role.user_id, set_member_role.organization_id),
      hint = 'Add the user with add_member().';
  end if;
  if member.role = 'owner' then
    perform dossier_private.require_members(organization_id, 'owner');
  end if;

  update dossier.organization_members as m
  set role = set_member_role.role
  where m.organization_id = member.organization_id and m.user_id = member.user_id
  returning m.* into member;
  return member;
end
$$;
comment on function dossier_private.set_member_role(uuid, text, text) is
  'Runs dossier.set_member_role() with its owner''s rights.';

create function dossier_private.remove_member(organization_id uuid, user_id text) returns boolean
language plpgsql volatile security definer set search_path = ''
as $$
-- Definer: the policy would refuse without saying why.
declare
  member dossier.organization_members;
begin
  -- Every member may leave.
  perform dossier_private.require_members(
    organization_id, case user_id when dossier_private.caller_id() then 'viewer' else 'admin' end);
  member := dossier_private.lock_member(organization_id, user_id);
  if member.role = 'owner' then
    perform dossier_private.require_members(organization_id, 'owner');
  end if;

  delete from dossier.organization_members as m
  where m.organization_id = member.organization_id and m.user_id = member.user_id;
  return found;
end
$$;
comment on function dossier_private.remove_member(uuid, text) is 'Runs dossier.remove_member() with its owner''s rights.';

create function dossier_private.rename_organization(organization_id uuid, name text) returns dossier.organizations
language plpgsql volatile security definer set search_path = ''
as $$
-- Definer: the policy would silently find no row.
declare
  organization dossier.organizations;
begin
  perform dossier_private.require_admin(organization_id);
  perform dossier_private.check_organization_name(name);

  update dossier.organizations as o
  set name = btrim(rename_organization.name)
  where o.id = rename_organization.organization_id
  returning o.* into organization;
  if not found then -- deleted in the meantime, or an organization of the app that Dossier has not stored yet
    perform dossier_private.require_role(null, 'admin', 'organization', organization_id);
  end if;
  return organization;
end
$$;
comment on function dossier_private.rename_organization(uuid, text) is
  'Runs dossier.rename_organization() with its owner''s rights.';

create function dossier.list_organizations(organization_id uuid default null, limit_count integer default 50, after uuid default null)
returns setof dossier.organizations
language sql stable security invoker set search_path = '' rows 10
begin atomic
  select dossier_private.list_organizations(organization_id, limit_count, after);
end;
comment on function dossier.list_organizations(uuid, integer, uuid) is
  'Returns the organizations of the caller in the order of their ids, or one of them; for a service, all. At most 1000 at once. '
  'For the next ones send the last id as after. If the app manages the organizations, those without a session have no times, '
  'and their id as name.';

create function dossier.list_members(organization_id uuid, limit_count integer default 50, after_user_id text default null)
returns setof dossier.organization_members
language sql stable security invoker set search_path = '' rows 50
begin atomic
  select dossier_private.list_members(organization_id, limit_count, after_user_id);
end;
comment on function dossier.list_members(uuid, integer, text) is
  'Returns the members and invited users (accepted_at is null) of an organization in the order of their ids, at most 1000 at once. For the next ones send the last '
  'user_id as after_user_id. Members only. Refuses (PT409) if the app manages the members.';

create function dossier.add_member(organization_id uuid, user_id text, role text default 'member')
returns dossier.organization_members
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.add_member(organization_id, user_id, role);
end;
comment on function dossier.add_member(uuid, text, text) is
  'Invites a user to an organization as owner, admin, member or viewer. The membership begins when the user calls '
  'accept_invitation(); if a service calls this, at once. Admins only; only owners add owners. Refuses (PT409) a user who is already '
  'a member or invited.';

create function dossier.set_member_role(organization_id uuid, user_id text, role text) returns dossier.organization_members
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.set_member_role(organization_id, user_id, role);
end;
comment on function dossier.set_member_role(uuid, text, text) is
  'Changes the role of a member. Admins only; only owners make or demote owners. The last owner cannot be demoted (PT409).';

create function dossier.remove_member(organization_id uuid, user_id text) returns boolean
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.remove_member(organization_id, user_id);
end;
comment on function dossier.remove_member(uuid, text) is
  'Removes a member or an invitation from an organization. Returns false if there is no such member. Admins only; only owners remove owners; '
  'every member may leave. The last owner cannot (PT409).';

create function dossier.rename_organization(organization_id uuid, name text) returns dossier.organizations
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.rename_organization(organization_id, name);
end;
comment on function dossier.rename_organization(uuid, text) is 'Changes the name of an organization. Admins only.';

revoke all on function
  dossier.organization_record, dossier.create_organization_record, dossier.member_record, dossier_private.require_members, dossier_private.check_member,
  dossier_private.list_organizations, dossier.list_organizations,
  dossier_private.lock_member, dossier_private.list_members, dossier_private.add_member, dossier_private.set_member_role,
  dossier_private.remove_member, dossier_private.rename_organization, dossier.list_members, dossier.add_member,
  dossier.set_member_role, dossier.remove_member, dossier.rename_organization
  from public, anon, authenticated, service_role;
grant execute on function
  dossier.organization_record, dossier_private.my_role, dossier.create_organization_record, dossier.member_record,
  dossier.list_organizations, dossier_private.list_organizations,
  dossier.list_members, dossier_private.list_members, dossier.add_member, dossier_private.add_member,
  dossier.set_member_role, dossier_private.set_member_role, dossier.remove_member, dossier_private.remove_member,
  dossier.rename_organization, dossier_private.rename_organization
  to authenticated, service_role;
