-- Invitations: memberships that their users have not accepted yet.
--
-- Invariant: nobody becomes a member without consent. If a user adds another user, that user is invited. An invitation grants
-- nothing: it changes neither the user's default organization nor what an unscoped search or list returns. Services and the owner
-- of the database add members at once, because they act for the app.

create function dossier_private.accept_own_membership() returns trigger
language plpgsql security definer set search_path = ''
as $$
-- Definer: calls functions that API roles may not.
begin
  if new.accepted_at is null and not dossier_private.is_restoring()
    and (coalesce(new.user_id = dossier_private.caller_id(), true) or dossier_private.is_service())
  then
    new.accepted_at := now();
  end if;
  return new;
end
$$;
comment on function dossier_private.accept_own_membership() is
  'Trigger: a membership begins at once if its user, a service or the owner of the database adds it. Otherwise it is an invitation.';

create trigger organization_members_accept_own
  before insert on dossier.organization_members
  for each row execute function dossier_private.accept_own_membership();

create function dossier_private.my_invitations()
returns table (organization_id uuid, organization_name text, role text, created_at timestamptz)
language plpgsql stable security definer set search_path = '' rows 10
as $$
-- Definer: an invited user cannot see the organization yet.
#variable_conflict use_column
begin
  return query
    select invited.organization_id, organization.name, invited.role, invited.created_at
    from dossier.organization_members as invited
    join dossier.organizations as organization on organization.id = invited.organization_id
    where invited.user_id = dossier_private.caller_id() and invited.accepted_at is null and dossier_private.membership_mode() = 'own'
    order by invited.created_at desc, invited.organization_id
    limit 1000;
end
$$;
comment on function dossier_private.my_invitations() is 'Runs dossier.my_invitations() with its owner''s rights.';

create function dossier_private.lock_invitation(organization_id uuid) returns dossier.organization_members
language plpgsql volatile security definer set search_path = ''
as $$
-- Definer: locks a row that the caller may not update.
declare
  caller constant text := dossier_private.require_caller();
  invited constant dossier.organization_members := dossier_private.lock_member(organization_id, caller);
begin
  if invited.user_id is null or invited.accepted_at is not null or dossier_private.membership_mode() <> 'own' then
    raise exception using
      errcode = 'PT404',
      message = 'Invitation not found',
      detail = format('You are not invited to organization %s.', coalesce(organization_id::text, '(null)')),
      hint = 'Call my_invitations() for the organizations that you are invited to.';
  end if;
  return invited;
end
$$;
comment on function dossier_private.lock_invitation(uuid) is 'Returns an invitation of the caller and locks it. PT404 if the caller is not invited.';

create function dossier_private.accept_invitation(organization_id uuid) returns dossier.organization_members
language plpgsql volatile security definer set search_path = ''
as $$
-- Definer: users may not update this column.
declare
  invited dossier.organization_members := dossier_private.lock_invitation(organization_id);
begin
  update dossier.organization_members as m
  set accepted_at = now()
  where m.organization_id = invited.organization_id and m.user_id = invited.user_id
  returning m.* into invited;
  return invited;
end
$$;
comment on function dossier_private.accept_invitation(uuid) is 'Runs dossier.accept_invitation() with its owner''s rights.';

create function dossier_private.decline_invitation(organization_id uuid) returns void
language plpgsql volatile security definer set search_path = ''
as $$
-- Definer: see lock_invitation.
declare
  invited constant dossier.organization_members := dossier_private.lock_invitation(organization_id);
begin
  delete from dossier.organization_members as m
  where m.organization_id = invited.organization_id and m.user_id = invited.user_id;
end
$$;
comment on function dossier_private.decline_invitation(uuid) is 'Runs dossier.decline_invitation() with its owner''s rights.';

create function dossier.my_invitations()
returns table (organization_id uuid, organization_name text, role text, created_at timestamptz)
language sql stable security invoker set search_path = '' rows 10
begin atomic
  select invited.organization_id, invited.organization_name, invited.role, invited.created_at
  from dossier_private.my_invitations() as invited;
end;
comment on function dossier.my_invitations() is
  'Returns the organizations that the caller is invited to, and as what, newest first. organization_name was chosen there.';

create function dossier.accept_invitation(organization_id uuid) returns dossier.organization_members
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.accept_invitation(organization_id);
end;
comment on function dossier.accept_invitation(uuid) is
  'Makes the caller a member of an organization that has invited them. Refuses (PT404) if there is no invitation.';

create function dossier.decline_invitation(organization_id uuid) returns void
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.decline_invitation(organization_id);
end;
comment on function dossier.decline_invitation(uuid) is
  'Removes the caller''s invitation to an organization. Refuses (PT404) if the caller is not invited.';

revoke all on function
  dossier_private.accept_own_membership, dossier_private.my_invitations, dossier_private.lock_invitation,
  dossier_private.accept_invitation, dossier_private.decline_invitation, dossier.my_invitations, dossier.accept_invitation,
  dossier.decline_invitation
  from public, anon, authenticated, service_role;
grant execute on function
  dossier.my_invitations, dossier_private.my_invitations, dossier.accept_invitation, dossier_private.accept_invitation,
  dossier.decline_invitation, dossier_private.decline_invitation
  to authenticated, service_role;
