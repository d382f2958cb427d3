-- Membership: where it is read from. Dossier's own table, a table of the app, or claims of the caller's token.
--
-- Invariant: the function my_memberships() is the one place. It is built from the setting membership, by a trigger, so that
-- a restored dump builds it again; to switch changes no row of anybody's.
-- Invariant: nothing here depends on the app's table as the catalogue has it. A view would, and then `drop table … cascade`
-- of the app's would take the view along, and with the view the extension that it belongs to, and with that every row.

create function dossier.organization_key(key text) returns uuid
language plpgsql immutable strict parallel safe security invoker set search_path = ''
as $$
declare
  digest bytea;
begin
  -- Version 8 is what keys become: were such a key itself, who may choose a key could choose another's organization.
  if key ~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-79a-f][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$' then
    return key::uuid;
  end if;
  digest := substring(sha256(convert_to(key, 'UTF8')) for 16);
  digest := set_byte(digest, 6, get_byte(digest, 6) & 15 | 128);
  digest := set_byte(digest, 8, get_byte(digest, 8) & 63 | 128);
  return encode(digest, 'hex')::uuid;
end
$$;
comment on function dossier.organization_key(text) is
  'Id under which Dossier knows an organization of the app''s: a uuid is itself; any other key, such as 42 or org_2abc, becomes '
  'a uuid of version 8 (RFC 9562), always the same; so does the text of a uuid of that version.';

create function dossier_private.caller_uuid() returns uuid
language plpgsql stable parallel safe security invoker set search_path = ''
as $$
declare
  caller constant text := dossier_private.caller_id();
begin
  return case when caller ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then caller::uuid end;
end
$$;
comment on function dossier_private.caller_uuid() is
  'The caller, where users have uuids; null when the subject is none. Compared as what the column is, so that its index serves.';

create function dossier_private.claimed_role(entry jsonb) returns text
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  if not entry ? 'role' then
    return '';
  end if;
  return case jsonb_typeof(entry -> 'role') when 'string' then entry ->> 'role' end;
end
$$;
comment on function dossier_private.claimed_role(jsonb) is
  'The role that an entry of a claim names: empty, which no role is called, when it names none; null when it is no string.';

create function dossier_private.claimed_organizations(claim text[]) returns table (organization_id uuid, role text)
language plpgsql stable parallel safe security invoker set search_path = '' rows 10
as $$
declare
  claimed constant jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb #> claim;
begin
  if dossier_private.caller_id() is null then
    return;
  elsif jsonb_typeof(claimed) = 'object' then
    return query
      select dossier.organization_key(entry.key),
        dossier_private.claimed_role(case jsonb_typeof(entry.value) when 'object' then entry.value else jsonb_build_object('role', entry.value) end)
      from jsonb_each(claimed) as entry;
  elsif jsonb_typeof(claimed) = 'array' then
    return query
      select dossier.organization_key(named.id #>> '{}'), dossier_private.claimed_role(named.entry)
      from jsonb_array_elements(claimed) as element (value)
      cross join lateral (
        select case when jsonb_typeof(element.value) = 'object' then element.value else jsonb_build_object('id', element.value) end
      ) as object (entry)
      cross join lateral (select object.entry -> 'id', object.entry) as named (id, entry)
      where jsonb_typeof(named.id) in ('string', 'number');
  end if;
end
$$;
comment on function dossier_private.claimed_organizations(text[]) is
  'Organizations that the caller''s token names: a map {"<organization>": "<role>"}, or a list of keys or of {"id", "role"}. '
  'What has another shape names nothing.';

create function dossier_private.role_expression(app_role text, config jsonb) returns text
language plpgsql immutable security invoker set search_path = ''
as $$
begin
  return format('case when %1$s is null then null else case %1$s %2$s else %3$L::text end end', app_role, (
    select string_agg(format('when %L then %L', known.name, known.means), ' ' order by known.name)
    from jsonb_each_text('{"owner": "owner", "admin": "admin", "member": "member", "viewer": "viewer"}' || (config -> 'roles'))
      as known (name, means)
  ), config ->> 'other_role');
end
$$;
comment on function dossier_private.role_expression(text, jsonb) is
  'SQL that makes a role of Dossier''s from the expression for an app''s: Dossier''s own names mean themselves, roles says what '
  'others mean, and any other is other_role; null is none.';

create function dossier_private.membership_query(config jsonb) returns text
language plpgsql stable security invoker set search_path = ''
as $$
begin
  case config ->> 'mode'
    when 'own' then
      return 'select member.organization_id, member.role from dossier.organization_members as member '
        'where member.user_id = (select dossier_private.caller_id())';
    when 'claims' then
      return format('select claimed.organization_id, %s as role from dossier_private.claimed_organizations(%L::text[]) as claimed',
        dossier_private.role_expression('claimed.role', config), array(select jsonb_array_elements_text(config -> 'claim')));
    when 'table' then
      return format('select %s as organization_id, %s as role from %s as member where member.%I = (select dossier_private.%I())',
        format(case config ->> 'organization_type' when 'uuid' then 'member.%I::uuid' else 'dossier.organization_key(member.%I::text)' end,
          config ->> 'organization_column'),
        case when config ->> 'role_column' is null
          then format('%L::text', config ->> 'other_role')
          else dossier_private.role_expression(format('member.%I::text', config ->> 'role_column'), config)
        end,
        (select string_agg(quote_ident(part), '.') from unnest(parse_ident(config ->> 'table')) as part),
        config ->> 'user_column',
        case config ->> 'user_type' when 'uuid' then 'caller_uuid' else 'caller_id' end);
  end case;
end
$$;
comment on function dossier_private.membership_query(jsonb) is 'The query of my_memberships() for a value of the setting membership. Whether its table is there is not asked: see the head.';

create function dossier_private.membership_body(config jsonb) returns text
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return format(E'\n#variable_conflict use_column\nbegin\n  return query\n    %s;\nend\n', dossier_private.membership_query(config));
end
$$;
comment on function dossier_private.membership_body(jsonb) is 'The body of my_memberships() for a value of the setting membership.';

create function dossier_private.build_membership() returns trigger
language plpgsql security invoker set search_path = ''
as $$
begin
  execute format(
    'create or replace function dossier_private.my_memberships() returns table (organization_id uuid, role text) '
    'language plpgsql stable parallel safe security definer set search_path = '''' rows 10 as %L',
    dossier_private.membership_body(new.value));
  return null;
end
$$;
comment on function dossier_private.build_membership() is 'Trigger: builds my_memberships() from the setting membership.';

create trigger settings_build_membership
  after insert or update on dossier_private.settings
  for each row when (new.name = 'membership')
  execute function dossier_private.build_membership();

insert into dossier_private.settings (name, value, default_value, description) values
  ('membership', '{"mode": "own"}', '{"mode": "own"}',
    'Where membership is read from. Set by use_membership(), use_claims_membership() and use_own_membership().');

comment on function dossier_private.my_memberships() is
  'Organizations of the caller, and the role in each: owner, admin, member or viewer; null or any other value grants nothing. '
  'The only place where membership is read from, as the owner of Dossier. Built by build_membership().';

create function dossier_private.membership_mode() returns text
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: reads a setting.
begin
  return dossier_private.setting('membership') ->> 'mode';
end
$$;
comment on function dossier_private.membership_mode() is 'own, table or claims.';

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
      hint = 'Send {"<role of the app>": "<owner, admin, member, viewer, or null for none>"}.';
  end if;

  select format('%s means %s', given.name, quote_nullable(given.role)) into wrong
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
      message = 'A role must mean owner, admin, member, viewer or null',
      detail = wrong || '.',
      hint = 'Null means that the role grants nothing.';
  end if;

  update dossier_private.settings set value = config where name = 'membership';
  return config;
end
$$;
comment on function dossier_private.set_membership(jsonb) is 'Checks the roles of a value of the setting membership, and sets it.';

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
      detail = format('It should hold %s.', purpose),
      hint = 'Send organization_column, user_column and role_column as the table names them.';
  end if;

  if found_column.typname <> 'uuid' and position(found_column.typcategory in categories) = 0
    or found_column.typname in ('numeric', 'float4', 'float8', 'money') -- 42.00 and 42 are one number and two keys
  then
    raise exception using
      errcode = 'PT400',
      message = format('The column %I of %s cannot hold %s', column_name, members, purpose),
      detail = format('Its type is %s.', found_column.type),
      hint = 'Users are uuid or text; organizations uuid, text or whole numbers; roles text or an enum.';
  end if;

  if not has_column_privilege(reader, members, found_column.attnum, 'select') then
    raise exception using
      errcode = 'PT400',
      message = format('Dossier''s owner may not read the column %I of %s', column_name, members),
      detail = format('Membership is read as %s, who owns Dossier.', reader),
      hint = format('grant select on %s to %s;', members, reader);
  end if;
  return found_column.typname;
end
$$;
comment on function dossier_private.check_membership_column(regclass, name, text, text) is
  'Base type of a column of the app''s, or a refusal (PT400): it is missing, of no category that serves, or unreadable.';

create function dossier.use_membership(
  members regclass,
  organization_column name default 'organization_id',
  user_column name default 'user_id',
  role_column name default null,
  roles jsonb default '{}',
  other_role text default 'viewer'
) returns jsonb
language plpgsql security invoker set search_path = ''
as $$
-- Invoker, and granted to nobody: what it names is read as the owner of Dossier, so only the owner may name it.
declare
  reader constant regrole := (select p.proowner from pg_catalog.pg_proc as p where p.oid = 'dossier_private.my_memberships()'::regprocedure);
  relation record;
begin
  select c.relkind, c.relpersistence, c.relrowsecurity and (c.relforcerowsecurity or c.relowner <> reader) as guarded into relation
  from pg_catalog.pg_class as c
  where c.oid = members;

  if not coalesce(relation.relkind in ('r', 'p', 'v', 'm', 'f') and relation.relpersistence <> 't', false) then
    raise exception using
      errcode = 'PT400',
      message = 'members must name a table or a view that stays',
      detail = format('It is %s.', coalesce(members::text, 'null')),
      hint = 'Send use_membership(''public.team_members'', …); use_own_membership() goes back to Dossier''s own table.';
  end if;
  if relation.guarded and not exists (
    select from pg_catalog.pg_roles as r where r.oid = reader and (r.rolsuper or r.rolbypassrls)
  ) then
    raise exception using
      errcode = 'PT400',
      message = format('Row level security hides rows of %s from Dossier', members),
      detail = format('Membership is read as %s, who owns Dossier but neither the table nor bypassrls.', reader),
      hint = format('alter role %s bypassrls; or make a view of the table that its owner lends it.', reader);
  end if;

  if role_column is null and other_role = 'viewer' then
    raise warning using
      message = 'Nobody may write: without role_column every member is a viewer',
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
    'other_role', other_role));
end
$$;
comment on function dossier.use_membership(regclass, name, name, name, jsonb, text) is
  'From now on members of organizations are those that a table or view of the app''s names. Roles called owner, admin, member and '
  'viewer mean themselves, roles says what others mean ({"editor": "member", "banned": null}), and any other, or all without a '
  'role_column, is other_role. Keys of organizations that are no uuid stand for organization_key(key). For the owner only.';

create function dossier.use_claims_membership(
  claim text[] default '{app_metadata,organizations}', roles jsonb default '{}', other_role text default 'viewer'
) returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  if coalesce(cardinality(claim), 0) = 0 or claim[1] = 'user_metadata' or array_position(claim, null) is not null then
    raise exception using
      errcode = 'PT400',
      message = 'claim must be the path of a claim that users cannot change',
      detail = format('It is %s; what is below user_metadata a user may write.', coalesce(claim::text, 'null')),
      hint = 'Leave it out for app_metadata.organizations.';
  end if;
  return dossier_private.set_membership(jsonb_build_object(
    'mode', 'claims', 'claim', claim, 'roles', roles, 'other_role', other_role));
end
$$;
comment on function dossier.use_claims_membership(text[], jsonb, text) is
  'From now on a user''s organizations are those that the token names in this claim: a map {"<organization>": "<role>"}, or a list '
  'of organizations or of {"id", "role"}. Roles and keys as in use_membership(). For the owner only.';

create function dossier.use_own_membership() returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return dossier_private.set_membership('{"mode": "own"}');
end
$$;
comment on function dossier.use_own_membership() is
  'Goes back to Dossier''s own organization_members, which was kept as it was. For the owner only.';

create function dossier_private.guard_members() returns trigger
language plpgsql security definer set search_path = ''
as $$
-- Definer: reads a setting.
begin
  if dossier_private.membership_mode() <> 'own' and not dossier_private.is_service() then
    raise exception using
      errcode = 'PT409',
      message = 'The app keeps its organizations and members itself',
      detail = format('Membership is read from %s.', coalesce(dossier_private.setting('membership') ->> 'table', 'the claims of the token')),
      hint = 'Make organizations and members there; Dossier knows them at once.';
  end if;
  return null;
end
$$;
comment on function dossier_private.guard_members() is
  'Trigger: while membership is read from elsewhere, users change no members here, who would count again after switching back.';

-- A depth above 0 is the deletion of an organization.
create trigger organization_members_guard
  before insert or update or delete on dossier.organization_members
  for each statement when (pg_trigger_depth() = 0)
  execute function dossier_private.guard_members();

create function dossier_private.known_organization(organization_id uuid) returns uuid
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: reads membership. Where the app keeps the organizations, Dossier may not have met one yet.
begin
  return (
    select known_organization.organization_id
    where exists (select from dossier.organizations as o where o.id = known_organization.organization_id)
      or (dossier_private.membership_mode() <> 'own' and dossier_private.my_role(known_organization.organization_id) is not null)
  );
end
$$;
comment on function dossier_private.known_organization(uuid) is
  'The organization, when there is one: here, or in the app that keeps them, where a member or a service is believed; else null.';

create function dossier_private.adopt_organization() returns trigger
language plpgsql security definer set search_path = ''
as $$
-- Definer: nobody may insert organizations but through functions.
begin
  if not exists (select from dossier.organizations as o where o.id = new.organization_id)
    and dossier_private.membership_mode() <> 'own'
    and dossier_private.role_covers(dossier_private.my_role(new.organization_id), 'member')
  then
    insert into dossier.organizations (id, name)
    values (new.organization_id, new.organization_id::text)
    on conflict do nothing;
  end if;
  return new;
end
$$;
comment on function dossier_private.adopt_organization() is
  'Trigger: an organization of the app''s becomes known with its first session, quota or rule, under its id as its name.';

create trigger sessions_adopt_organization
  before insert on dossier.sessions
  for each row execute function dossier_private.adopt_organization();
create trigger trash_retention_adopt_organization
  before insert on dossier.trash_retention
  for each row execute function dossier_private.adopt_organization();

revoke all on function
  dossier.organization_key, dossier_private.caller_uuid, dossier_private.claimed_role, dossier_private.claimed_organizations, dossier_private.role_expression,
  dossier_private.membership_query, dossier_private.membership_body, dossier_private.build_membership,
  dossier_private.my_memberships, dossier_private.membership_mode,
  dossier_private.set_membership, dossier_private.check_membership_column, dossier.use_membership,
  dossier.use_claims_membership, dossier.use_own_membership, dossier_private.guard_members,
  dossier_private.known_organization, dossier_private.adopt_organization
  from public, anon, authenticated, service_role;
grant execute on function dossier.organization_key to authenticated, service_role;
