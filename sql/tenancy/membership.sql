-- Membership: where Dossier reads it from. Its own table, a table of the app, or claims of the caller's token.
--
-- Invariant: my_memberships() is the only function that reads membership. A trigger builds it from the setting membership,
-- so a restored dump builds it again. Switching the source changes no rows.
-- Invariant: nothing here depends on the app's table in the catalogue. A view would: `drop table … cascade` by the app would
-- drop the view, the extension that the view belongs to, and with the extension every row.

create function dossier.organization_key(key text) returns uuid
language plpgsql immutable strict parallel safe security invoker set search_path = ''
as $$
declare
  digest bytea;
begin
  -- An empty key identifies no organization. All rows with an empty key must not share one.
  if key !~ '\S' then
    return null;
  end if;
  digest := substring(sha256(convert_to(key, 'UTF8')) for 16);
  digest := set_byte(digest, 6, get_byte(digest, 6) & 15 | 128);
  digest := set_byte(digest, 8, get_byte(digest, 8) & 63 | 128);
  return encode(digest, 'hex')::uuid;
end
$$;
comment on function dossier.organization_key(text) is
  'Returns the id of an organization of the app by its key, such as 42 or org_2abc: a stable uuid of version 8 (RFC 9562). The text '
  'of a uuid is a key like any other, unless use_membership() or use_claims_membership() declares keys to be uuids; it then is the '
  'id. A blank key maps to null.';

create function dossier_private.uuid_key(key text) returns uuid
language plpgsql immutable strict parallel safe security invoker set search_path = ''
as $$
begin
  return case when key ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then key::uuid end;
end
$$;
comment on function dossier_private.uuid_key(text) is
  'Returns the id of an organization whose key was declared to be a uuid, in any letter case. Any other text maps to null.';

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
  'Returns the caller if the subject is a uuid, otherwise null. Compared in the type of the column, so that its index is used.';

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
  'Returns the role in an entry of a claim. Empty, which matches no role, if the entry has none; null if it is not a string.';

create function dossier_private.claimed_organizations(claim text[], uuid_keys boolean) returns table (organization_id uuid, role text)
language plpgsql stable parallel safe security invoker set search_path = '' rows 10
as $$
declare
  claimed constant jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb #> claim;
begin
  if dossier_private.caller_id() is null then
    return;
  elsif jsonb_typeof(claimed) = 'object' then
    return query
      select case when uuid_keys then dossier_private.uuid_key(entry.key) else dossier.organization_key(entry.key) end,
        dossier_private.claimed_role(case jsonb_typeof(entry.value) when 'object' then entry.value else jsonb_build_object('role', entry.value) end)
      from jsonb_each(claimed) as entry;
  elsif jsonb_typeof(claimed) = 'array' then
    return query
      select case when uuid_keys then dossier_private.uuid_key(named.id #>> '{}') else dossier.organization_key(named.id #>> '{}') end,
        dossier_private.claimed_role(named.entry)
      from jsonb_array_elements(claimed) as element (value)
      cross join lateral (
        select case when jsonb_typeof(element.value) = 'object' then element.value else jsonb_build_object('id', element.value) end
      ) as object (entry)
      cross join lateral (select object.entry -> 'id', object.entry) as named (id, entry)
      where jsonb_typeof(named.id) in ('string', 'number');
  end if;
end
$$;
comment on function dossier_private.claimed_organizations(text[], boolean) is
  'Returns the organizations in the caller''s token: a map {"<organization>": "<role>"}, or a list of keys or of {"id", '
  '"role"}. Ignores any other shape. With uuid_keys, also keys that are not uuids.';

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
  'Returns SQL that maps a role of the app to a role of Dossier. Dossier''s own names map to themselves, roles maps others, and '
  'any other name is other_role. Null stays null.';

create function dossier_private.membership_query(config jsonb) returns text
language plpgsql stable security invoker set search_path = ''
as $$
begin
  -- use_membership('public.team_members', organization_column => 'team_id', role_column => 'role',
  -- roles => '{"boss": "owner"}', other_role => 'viewer'), with uuids in both columns, returns:
  --
  --   select member.team_id::uuid as organization_id,
  --     case when member.role::text is null then null
  --       else case member.role::text when 'admin' then 'admin' when 'boss' then 'owner' … else 'viewer'::text end end as role
  --   from public.team_members as member
  --   where member.user_id = (select dossier_private.caller_uuid())
  case config ->> 'mode'
    when 'own' then
      return 'select member.organization_id, member.role from dossier.organization_members as member '
        'where member.user_id = (select dossier_private.caller_id()) and member.accepted_at is not null';
    when 'claims' then
      return format('select claimed.organization_id, %s as role from dossier_private.claimed_organizations(%L::text[], %L) as claimed',
        dossier_private.role_expression('claimed.role', config), array(select jsonb_array_elements_text(config -> 'claim')),
        coalesce((config -> 'uuid_keys')::boolean, false));
    when 'table' then
      return format('select %s as organization_id, %s as role from %s as member where member.%I = (select dossier_private.%I())',
        -- Users may choose a text, even the uuid of another tenant. So texts stand for ids only if the operator says so.
        format(case
            when config ->> 'organization_type' = 'uuid' then 'member.%I::uuid'
            when coalesce((config -> 'uuid_keys')::boolean, false) then 'dossier_private.uuid_key(member.%I::text)'
            else 'dossier.organization_key(member.%I::text)'
          end,
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
comment on function dossier_private.membership_query(jsonb) is
  'Returns the query of my_memberships() for a value of the setting membership. Does not check that the table exists.';

create function dossier_private.membership_body(config jsonb) returns text
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return format(E'\n#variable_conflict use_column\nbegin\n  return query\n    %s;\nend\n', dossier_private.membership_query(config));
end
$$;
comment on function dossier_private.membership_body(jsonb) is
  'Returns the body of my_memberships() for a value of the setting membership.';

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

alter table dossier_private.settings add constraint settings_membership_check check (
  name <> 'membership' or case value ->> 'mode'
    when 'own' then true
    when 'table' then (value ->> 'table') is not null and (value ->> 'organization_column') is not null
      and (value ->> 'user_column') is not null and jsonb_typeof(value -> 'roles') is not distinct from 'object'
    when 'claims' then jsonb_typeof(value -> 'claim') is not distinct from 'array'
      and jsonb_typeof(value -> 'roles') is not distinct from 'object'
    else false
  end
);
insert into dossier_private.settings (name, value, default_value, description) values
  ('membership', '{"mode": "own"}', '{"mode": "own"}',
    'Where membership is read from. Set it with use_membership(), use_claims_membership() or use_own_membership().');

comment on function dossier_private.my_memberships() is
  'Returns the caller''s organizations with the role in each: owner, admin, member or viewer. Null or any other value grants '
  'nothing. The only function that reads membership, as the owner of Dossier. build_membership() builds it.';

create function dossier_private.membership_mode() returns text
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: reads a setting.
begin
  return dossier_private.setting('membership') ->> 'mode';
end
$$;
comment on function dossier_private.membership_mode() is 'Returns own, table or claims.';

create function dossier_private.guard_members() returns trigger
language plpgsql security definer set search_path = ''
as $$
-- Definer: reads a setting.
begin
  if dossier_private.membership_mode() <> 'own' and not dossier_private.is_service() then
    raise exception using
      errcode = 'PT409',
      message = 'The app manages its organizations and members',
      detail = format('Dossier reads membership from %s.',
        coalesce(dossier_private.setting('membership') ->> 'table', 'the claims of the token')),
      hint = 'Create organizations and members in the app. Dossier sees them at once.';
  end if;
  return null;
end
$$;
comment on function dossier_private.guard_members() is
  'Trigger: while membership is read from elsewhere, users cannot change Dossier''s own members, who would count again after '
  'switching back.';

-- At a depth above 0 an organization is being deleted.
create trigger organization_members_guard
  before insert or update or delete on dossier.organization_members
  for each statement when (pg_trigger_depth() = 0)
  execute function dossier_private.guard_members();

create function dossier_private.known_organization(organization_id uuid) returns uuid
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: reads membership. If the app manages the organizations, Dossier may not have seen this one yet.
begin
  return (
    select known_organization.organization_id
    where exists (
        select from dossier.organizations as o where o.id = known_organization.organization_id and o.erased_at is null)
      or (dossier_private.membership_mode() <> 'own' and dossier_private.my_role(known_organization.organization_id) is not null)
  );
end
$$;
comment on function dossier_private.known_organization(uuid) is
  'Returns the organization if it exists, otherwise null. If the app manages the organizations, one that Dossier has not seen '
  'yet exists for its members and for services.';

create function dossier_private.adopt(organization_id uuid) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles may insert organizations only through functions.
begin
  if not exists (select from dossier.organizations as o where o.id = adopt.organization_id)
    and dossier_private.membership_mode() <> 'own'
    and dossier_private.role_covers(dossier_private.my_role(organization_id), 'member')
  then
    insert into dossier.organizations (id, name)
    values (adopt.organization_id, adopt.organization_id::text)
    on conflict do nothing;
  end if;
end
$$;
comment on function dossier_private.adopt(uuid) is
  'Adds an organization of the app, with its first session, quota or rule. Its name is its id.';

create function dossier_private.adopt_organization() returns trigger
language plpgsql security definer set search_path = ''
as $$
-- Definer: see adopt.
begin
  perform dossier_private.adopt(new.organization_id);
  return new;
end
$$;
comment on function dossier_private.adopt_organization() is 'Trigger: runs adopt() for the organization of a new row.';

create trigger sessions_adopt_organization
  before insert on dossier.sessions
  for each row execute function dossier_private.adopt_organization();
create trigger trash_retention_adopt_organization
  before insert on dossier.trash_retention
  for each row execute function dossier_private.adopt_organization();

revoke all on function
  dossier.organization_key, dossier_private.uuid_key, dossier_private.caller_uuid, dossier_private.claimed_role,
  dossier_private.claimed_organizations, dossier_private.role_expression, dossier_private.membership_query,
  dossier_private.membership_body, dossier_private.build_membership, dossier_private.my_memberships,
  dossier_private.membership_mode, dossier_private.guard_members, dossier_private.known_organization,
  dossier_private.adopt, dossier_private.adopt_organization
  from public, anon, authenticated, service_role;
grant execute on function dossier.organization_key to authenticated, service_role;
