-- Choosing where Dossier reads membership from.
--
-- Invariant: no role has a grant on these functions. The owner of Dossier reads the table they name, so only the owner may
-- name it.

create function dossier_private.set_membership(config jsonb) returns jsonb
language plpgsql security invoker set search_path = ''
as $$
declare
  wrong text;
begin
  if jsonb_typeof(config -> 'roles') <> 'object' then
    raise exception using
      errcode = 'PT400',
      message = 'roles must be a JSON object',
      detail = format('It is a JSON %s.', coalesce(jsonb_typeof(config -> 'roles'), 'null')),
      hint = 'Send {"<role of the app>": "<owner, admin, member, viewer, or null for no rights>"}.';
  end if;

  select format('%s maps to %s', given.name, quote_nullable(given.role)) into wrong
  from (
    select member.key, member.value #>> '{}' from jsonb_each(config -> 'roles') as member
    union all
    select 'other_role', config ->> 'other_role'
  ) as given (name, role)
  where given.role not in ('owner', 'admin', 'member', 'viewer')
  limit 1;
  if wrong is not null then
    raise exception using
      errcode = 'PT400',
      message = 'Every role must map to owner, admin, member, viewer or null',
      detail = wrong || '.',
      hint = 'Map a role to null if it grants nothing.';
  end if;

  update dossier_private.settings set value = config where name = 'membership';
  return config;
end
$$;
comment on function dossier_private.set_membership(jsonb) is 'Sets the setting membership. Refuses (PT400) unknown roles.';

create function dossier_private.check_membership_column(members regclass, column_name name, purpose text, categories text)
returns text
language plpgsql stable security invoker set search_path = ''
as $$
declare
  reader constant regrole := (select p.proowner from pg_catalog.pg_proc as p where p.oid = 'dossier_private.my_memberships()'::regprocedure);
  found_column record;
begin
  select a.attnum, base.typname, base.typcategory, format_type(a.atttypid, a.atttypmod) as type into found_column
  from pg_catalog.pg_attribute as a
  join pg_catalog.pg_type as t on t.oid = a.atttypid
  join pg_catalog.pg_type as base on base.oid = coalesce(nullif(t.typbasetype, 0), t.oid)
  where a.attrelid = members and a.attname = column_name and a.attnum > 0 and not a.attisdropped;
  if not found then
    raise exception using
      errcode = 'PT400',
      message = format('%s has no column %s', members, coalesce(quote_ident(column_name), 'null')),
      detail = format('The column must contain %s.', purpose),
      hint = 'Send organization_column, user_column and role_column as they are named in the table.';
  end if;

  if found_column.typname <> 'uuid' and position(found_column.typcategory in categories) = 0
    or found_column.typname in ('numeric', 'float4', 'float8', 'money') -- 42.00 and 42 are one number, but two keys
  then
    raise exception using
      errcode = 'PT400',
      message = format('The column %I of %s cannot contain %s', column_name, members, purpose),
      detail = format('Its type is %s.', found_column.type),
      hint = 'Use uuid or text for users; uuid, text or an integer type for organizations; text or an enum for roles.';
  end if;

  if not has_column_privilege(reader, members, found_column.attnum, 'select') then
    raise exception using
      errcode = 'PT400',
      message = format('Dossier''s owner may not read the column %I of %s', column_name, members),
      detail = format('Dossier reads membership as its owner, %s.', reader),
      hint = format('Run: grant select on %s to %s;', members, reader);
  end if;
  return found_column.typname;
end
$$;
comment on function dossier_private.check_membership_column(regclass, name, text, text) is
  'Returns the base type of a column of the app. Refuses (PT400) a column that is missing, unreadable, or of an unsuitable '
  'type.';

create function dossier.use_membership(
  members regclass,
  organization_column name default 'organization_id',
  user_column name default 'user_id',
  role_column name default null,
  roles jsonb default '{}',
  other_role text default 'viewer',
  uuid_keys boolean default false
) returns jsonb
language plpgsql security invoker set search_path = ''
as $$
-- Invoker, and granted to no role: the owner of Dossier reads the table, so only the owner may name it.
declare
  reader constant regrole := (select p.proowner from pg_catalog.pg_proc as p where p.oid = 'dossier_private.my_memberships()'::regprocedure);
  relation record;
begin
  if members in ('dossier.organization_members'::regclass, 'dossier.organizations'::regclass) then
    raise exception using
      errcode = 'PT400',
      message = 'members must name a table of the app',
      detail = format('%s is a table of Dossier.', members),
      hint = 'To return to Dossier''s own members: select dossier.use_own_membership().';
  end if;
  select c.relkind, c.relpersistence, c.relrowsecurity and (c.relforcerowsecurity or c.relowner <> reader) as guarded into relation
  from pg_catalog.pg_class as c
  where c.oid = members;

  if not coalesce(relation.relkind in ('r', 'p', 'v', 'm', 'f') and relation.relpersistence <> 't', false) then
    raise exception using
      errcode = 'PT400',
      message = 'members must name a permanent table or view',
      detail = format('It is %s.', coalesce(members::text, 'null')),
      hint = 'Send use_membership(''public.team_members'', …), or return to Dossier''s own table with use_own_membership().';
  end if;
  if relation.guarded and not exists (
    select from pg_catalog.pg_roles as r where r.oid = reader and (r.rolsuper or r.rolbypassrls)
  ) then
    raise exception using
      errcode = 'PT400',
      message = format('Row level security hides rows of %s from Dossier', members),
      detail = format('Dossier reads membership as its owner, %s, which neither owns the table nor has bypassrls.', reader),
      hint = format('Run alter role %s bypassrls, or grant select on a view owned by the table''s owner.', reader);
  end if;

  if role_column is null and other_role = 'viewer' then
    raise warning using
      message = 'No member may write: without role_column every member is a viewer',
      hint = 'Send role_column, or other_role => ''member''.';
  end if;
  return dossier_private.set_membership(jsonb_build_object(
    'mode', 'table',
    'table', members::text,
    'organization_column', organization_column,
    'organization_type', dossier_private.check_membership_column(members, organization_column, 'an organization', 'SN'),
    'user_column', user_column,
    'user_type', dossier_private.check_membership_column(members, user_column, 'a user', 'S'),
    'role_column', role_column,
    'role_type', case when role_column is not null
      then dossier_private.check_membership_column(members, role_column, 'a role', 'SE') end,
    'roles', roles,
    'other_role', other_role,
    'uuid_keys', coalesce(uuid_keys, false)));
end
$$;
comment on function dossier.use_membership(regclass, name, name, name, jsonb, text, boolean) is
  'Reads the members of organizations from a table or view of the app. Roles called owner, admin, member and viewer map to '
  'themselves, and roles maps others ({"editor": "member", "banned": null}). Any other role is other_role, and so is every role '
  'if there is no role_column. Organization keys in a column of another type than uuid map to organization_key(key). With uuid_keys '
  'they are uuids, and stand for themselves: only if users cannot choose them. Owner of Dossier only.';

create function dossier.use_claims_membership(
  claim text[] default '{app_metadata,organizations}', roles jsonb default '{}', other_role text default 'viewer',
  uuid_keys boolean default false
) returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  if coalesce(cardinality(claim), 0) = 0 or claim[1] = 'user_metadata' or array_position(claim, null) is not null then
    raise exception using
      errcode = 'PT400',
      message = 'claim must be the path of a claim that users cannot change',
      detail = format('It is %s. Users may write everything below user_metadata.', coalesce(claim::text, 'null')),
      hint = 'Omit it to use app_metadata.organizations.';
  end if;
  return dossier_private.set_membership(jsonb_build_object(
    'mode', 'claims', 'claim', claim, 'roles', roles, 'other_role', other_role, 'uuid_keys', coalesce(uuid_keys, false)));
end
$$;
comment on function dossier.use_claims_membership(text[], jsonb, text, boolean) is
  'Reads a user''s organizations from this claim of the token: a map {"<organization>": "<role>"}, or a list of organizations '
  'or of {"id", "role"}. Roles, keys and uuid_keys work as in use_membership(). Owner of Dossier only.';

create function dossier.use_own_membership() returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return dossier_private.set_membership('{"mode": "own"}');
end
$$;
comment on function dossier.use_own_membership() is
  'Returns to Dossier''s own organization_members, which were kept unchanged. Owner of Dossier only.';

revoke all on function
  dossier_private.set_membership, dossier_private.check_membership_column, dossier.use_membership,
  dossier.use_claims_membership, dossier.use_own_membership
  from public, anon, authenticated, service_role;
