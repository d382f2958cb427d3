-- Membership read from an app's table and from claims of the token. See ../setup.sql for how to run this.

begin;
select plan(133);
select tests.fixture();
-- Warnings about tables without roles are expected here.
set local client_min_messages = error;

-- An app: Dossier knows alpha already, and gamma not yet.
create schema app;
create type app.role as enum ('owner', 'admin', 'member', 'viewer', 'editor', 'guest', 'banned');
create table app.members (team_id uuid, "User" uuid, role app.role, primary key (team_id, "User"));
create index on app.members ("User");
insert into app.members
select tests.id(team), tests.id(team || '-' || role), role::app.role
from unnest(array['alpha', 'beta', 'gamma']) as team, unnest(array['owner', 'admin', 'member', 'viewer', 'editor', 'guest', 'banned']) as role;

-- Like outcomes(), for the members of the app, including those with unknown roles.
create function pg_temp.outcomes(statement text) returns text
language sql as $$
  select string_agg(who || ' ' || tests.attempt(statement, tests.id(case who when 'other' then 'beta-owner' else 'alpha-' || who end)::text), ', ' order by place)
    || ', own ' || tests.attempt(statement, 'alpha-owner')
    || ', nobody ' || tests.attempt(statement, null) || ', anon ' || tests.attempt(statement, null, 'anon')
    || ', service ' || tests.attempt(statement, null, 'service_role')
  from unnest(array['owner', 'admin', 'member', 'viewer', 'editor', 'guest', 'banned', 'other']) with ordinality as t (who, place)
$$;

-- Switching: by whom, and to what.

select is(tests.outcomes(statement), 'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', statement)
from (values
  ($$ select dossier.use_membership('dossier.organization_members') $$),
  ($$ select dossier.use_claims_membership() $$),
  ($$ select dossier.use_own_membership() $$)
) as t (statement);

select tests.refuses(statement, code, message, description)
from (values
  ($$ select dossier.use_membership(null) $$, 'PT400', 'members must name a permanent table or view', 'null is not a table'),
  ($$ select dossier.use_membership('dossier.organization_members') $$, 'PT400', 'members must name a table of the app', 'Dossier''s own table is not the app''s'),
  ($$ select dossier.use_membership('app.members_pkey') $$, 'PT400', 'members must name a permanent table or view', 'an index is refused, too'),
  ($$ create temporary table passing (organization_id uuid, user_id uuid) on commit drop; select dossier.use_membership('passing') $$, 'PT400', 'members must name a permanent table or view', 'a temporary table is refused, too'),
  ($$ select dossier.use_membership('app.members') $$, 'PT400', 'app.members has no column organization_id', 'a column that is not there'),
  ($$ select dossier.use_membership('app.members', 'team_id', 'user') $$, 'PT400', 'app.members has no column "user"', 'names are exact'),
  ($$ select dossier.use_membership('app.members', 'team_id', null) $$, 'PT400', 'app.members has no column null', 'null is not a column'),
  ($$ select dossier.use_membership('app.members', 'ctid', 'User') $$, 'PT400', 'app.members has no column ctid', 'a system column'),
  ($$ select dossier.use_membership('app.members', 'team_id', 'role') $$, 'PT400', 'The column role of app.members cannot contain a user', 'an enum cannot be a user'),
  ($$ create table app.fractions (team numeric(10, 2), login text); select dossier.use_membership('app.fractions', 'team', 'login') $$, 'PT400', 'The column team of app.fractions cannot contain an organization', 'a fraction cannot be an organization'),
  ($$ select dossier.use_membership('app.members', 'role', 'User') $$, 'PT400', 'The column role of app.members cannot contain an organization', 'an enum cannot be an organization'),
  ($$ select dossier.use_membership('app.members', 'team_id', 'User', 'nothing') $$, 'PT400', 'app.members has no column nothing', 'a role column that is not there'),
  ($$ select dossier.use_membership('app.members', 'team_id', 'User" = "User" or true --') $$, 'PT400', 'app.members has no column "User"" = ""User"" or true --"', 'a column''s name is a name'),
  ($$ select dossier.use_membership('app.members', 'team_id', 'User', 'role', '[]') $$, 'PT400', 'roles must be a JSON object', 'roles are an object'),
  ($$ select dossier.use_membership('app.members', 'team_id', 'User', 'role', null) $$, 'PT400', 'roles must be a JSON object', 'not null'),
  ($$ select dossier.use_membership('app.members', 'team_id', 'User', 'role', '{"editor": "boss"}') $$, 'PT400', 'Every role must map to owner, admin, member, viewer or null', 'a role means one that there is'),
  ($$ select dossier.use_membership('app.members', 'team_id', 'User', 'role', '{"editor": {"a": 1}}') $$, 'PT400', 'Every role must map to owner, admin, member, viewer or null', 'and no object'),
  ($$ select dossier.use_membership('app.members', 'team_id', 'User', other_role => 'boss') $$, 'PT400', 'Every role must map to owner, admin, member, viewer or null', 'so does any other'),
  ($$ select dossier.use_claims_membership('{user_metadata,organizations}') $$, 'PT400', 'claim must be the path of a claim that users cannot change', 'users write their user_metadata'),
  ($$ select dossier.use_claims_membership('{}') $$, 'PT400', 'claim must be the path of a claim that users cannot change', 'an empty path is not a claim'),
  ($$ select dossier.use_claims_membership(null) $$, 'PT400', 'claim must be the path of a claim that users cannot change', 'null is refused, too')
) as t (statement, code, message, description);
select throws_ok($$ select dossier.use_membership('app.members; drop table app.members') $$, null, null, 'a table''s name is a name');
select is((select value from dossier_private.settings where name = 'membership'), '{"mode": "own"}', 'a refusal changes nothing');
select throws_ok(format('update dossier_private.settings set value = %L where name = %L', value, 'membership'), '23514', null, format('%s is not a valid setting', value))
from jsonb_array_elements('[{}, {"mode": "table"}, {"mode": "table", "table": "app.members", "organization_column": "team_id", "roles": {}}, {"mode": "claims"}]') as value;

-- A table.

select is(dossier.use_membership('app.members', organization_column => 'team_id', user_column => 'User', role_column => 'role',
  roles => '{"editor": "member", "banned": null}') ->> 'table', 'app.members', 'a table of the app''s');

select is(pg_temp.outcomes($$ select from dossier.documents where organization_id = tests.id('alpha') $$),
  'owner 2, admin 2, member 2, viewer 2, editor 2, guest 2, banned 0, other 0, own 0, nobody 0, anon 42501, service 2', 'callers that read');
select is(pg_temp.outcomes($$ update dossier.sessions set title = 'x' where organization_id = tests.id('alpha') $$),
  'owner 1, admin 1, member 1, viewer 0, editor 1, guest 0, banned 0, other 0, own 0, nobody 0, anon 42501, service 1', 'callers that write');
select is(pg_temp.outcomes($$ select dossier.save_context(tests.id('alpha session'), 'x') $$),
  'owner 1, admin 1, member 1, viewer 42501, editor 1, guest 42501, banned PT404, other PT404, own PT404, nobody PT404, anon 42501, service 1', 'callers that save');
select is(pg_temp.outcomes($$ update dossier.organizations set name = 'x' where id = tests.id('alpha') $$),
  'owner 1, admin 1, member 0, viewer 0, editor 0, guest 0, banned 0, other 0, own 0, nobody 0, anon 42501, service 1', 'callers that act as admin');
select is(pg_temp.outcomes($$ delete from dossier.organizations where id = tests.id('alpha') $$),
  'owner 1, admin 0, member 0, viewer 0, editor 0, guest 0, banned 0, other 0, own 0, nobody 0, anon 42501, service 1', 'callers that act as owner');
select is(pg_temp.outcomes($$ select dossier.create_session() $$),
  'owner 1, admin 1, member 1, viewer 42501, editor 1, guest 42501, banned 42501, other 1, own 42501, nobody 42501, anon 42501, service 42501', 'the only organization is the app''s');

insert into app.members values (tests.id('alpha'), tests.id('roleless'), null);
select is(tests.attempt($$ select from dossier.sessions $$, tests.id('roleless')::text), '0', 'a member without a role has no rights');

-- Its organizations are recorded with their first session, quota or rule. Before that they are empty, not missing.

insert into app.members select tests.id(team), tests.id('delta-admin'), 'admin' from unnest(array['delta', 'epsilon', 'zeta']) as team;
select is(tests.attempt($$ select from dossier.usage(tests.id('delta')) $$, tests.id('delta-admin')::text), '1', 'a new organization has used nothing');
select is(tests.attempt($$ select from dossier.search('word', organization_id => tests.id('delta')) $$, tests.id('delta-admin')::text), '0', 'and holds nothing');
select is(tests.attempt($$ select from dossier.usage(tests.id('delta')) $$, tests.id('alpha-owner')::text), 'PT404', 'which strangers cannot see');
update dossier_private.settings set value = '{"max_bytes": 5, "max_documents": 5}' where name = 'default_quotas';
select tests.login(null, 'service_role');
select is((dossier.set_quota(tests.id('delta'), max_bytes => 1000)).max_bytes, 1000::bigint, 'a service sets a quota before the first upload');
select is((select concat_ws(' ', q.max_bytes, q.max_documents) from dossier.quotas as q where q.organization_id = tests.id('delta')), '1000', 'which replaces the default ones');
select tests.logout();
update dossier_private.settings set value = '{}' where name = 'default_quotas';
select tests.login(tests.id('delta-admin')::text);
select is((dossier.set_context_retention(tests.id('epsilon'), 10)).keep_versions, 10, 'an admin a rule before the first session');
select is((dossier.set_trash_retention(tests.id('zeta'), 7)).keep_days, 7, 'or one for its trash');
select set_eq($$ select id from dossier.organizations $$, array[tests.id('delta'), tests.id('epsilon'), tests.id('zeta')], 'with which Dossier knows them');
select tests.logout();

select is(tests.attempt(format('select dossier.create_session(organization_id => tests.id(''gamma''))'), tests.id('gamma-viewer')::text), '42501', 'not by a viewer');
select is(tests.attempt($$ insert into dossier.sessions (organization_id) values (tests.id('gamma')) $$, tests.id('alpha-owner')::text), '42501', 'a user who is not a member cannot, either');
select is(tests.attempt($$ insert into dossier.sessions (organization_id) values (tests.id('gamma')) $$, tests.id('gamma-editor')::text), '1', 'by an insert');
select tests.login(tests.id('gamma-member')::text);
select is((dossier.create_session('first')).organization_id, tests.id('gamma'), 'and by create_session');
select results_eq($$ select id, name from dossier.organizations $$, $$ values (tests.id('gamma'), tests.id('gamma')::text) $$, 'under its id');
select is((dossier.create_session('second')).title, 'second', 'once');
select tests.login(tests.id('gamma-admin')::text);
select lives_ok($$ update dossier.organizations set name = 'Gamma' $$, 'an admin names it');
select tests.logout();

-- Members are changed only in the app.

select tests.login(tests.id('alpha-owner')::text);
select tests.refuses($$ select dossier.create_organization('x') $$, 'PT409', 'The app manages its organizations and members', 'organizations are the app''s');
select tests.refuses($$ insert into dossier.organization_members (organization_id, user_id, role) values (tests.id('alpha'), 'me', 'owner') $$, 'PT409', 'The app manages its organizations and members', 'so are members');
select tests.refuses($$ delete from dossier.organization_members $$, 'PT409', 'The app manages its organizations and members', 'no member can be removed here');
select tests.refuses($$ update dossier.organization_members set role = 'viewer' $$, 'PT409', 'The app manages its organizations and members', 'no member can be demoted, either');
select is((select count(*)::integer from dossier.organization_members), 4, 'the old ones are kept');
select tests.logout();
update app.members set role = 'viewer' where "User" = tests.id('alpha-member');
select is(tests.attempt($$ select dossier.save_context(tests.id('alpha session'), 'x') $$, tests.id('alpha-member')::text), '42501', 'a change in the app counts at once');
delete from app.members where team_id = tests.id('alpha') and role = 'owner';
select is(tests.attempt($$ select from dossier.sessions $$, tests.id('alpha-owner')::text), '0', 'the last owner may leave: the app decides');
insert into app.members values (tests.id('alpha'), tests.id('alpha-owner'), 'owner');
select tests.login(null, 'service_role');
select tests.refuses($$ delete from dossier.organization_members where user_id = 'alpha-owner' $$, 'PT409', 'An organization must have at least one owner', 'but not from Dossier''s own table');
select tests.logout();
update dossier_private.settings set value = 'true' where name = 'personal_organizations';
select is(tests.attempt($$ select dossier.create_session() $$, 'newcomer'), '42501', 'there are no personal organizations beside an app''s');
update dossier_private.settings set value = 'false' where name = 'personal_organizations';

-- Erasure.

insert into dossier.organizations (id, name) values (tests.id('mine'), 'mine');
insert into dossier.organization_members values (tests.id('mine'), 'loner', 'owner');
alter table dossier.organization_members disable trigger organization_members_keep_an_owner;
select is(dossier.forget_user('loner') #>> '{erased,organizations_deleted}', '0', 'Dossier does not know the other members, so the organization stays');
alter table dossier.organization_members enable trigger organization_members_keep_an_owner;
select tests.login(tests.id('beta-owner')::text);
select lives_ok($$ delete from dossier.organizations $$, 'an owner in the app may delete what Dossier has of an organization');
select tests.logout();
select is_empty($$ select from dossier.organization_members where organization_id = tests.id('beta') $$, 'with its old members');

-- Other shapes: text and numbers, several roles, no roles, a view.

create table app.people ("team%s" bigint, login text, "ro'le" text);
insert into app.people values (42, 'ann', 'viewer'), (42, 'ann', 'x'' or true --'), (42, 'ann', 'admin'), (42, 'bob', 'x%s'), (42, 'eve', null), (43, 'zoe', 'owner'), (null, 'nil', 'owner');
insert into dossier.organizations (id, name) values (dossier.organization_key('42'), 'forty-two');
select matches(dossier.organization_key('42')::text, '^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$', 'a number has a key');
select matches(dossier.organization_key('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11')::text, '^[0-9a-f]{8}-[0-9a-f]{4}-8', 'so has the text of a uuid');
select isnt(dossier.organization_key('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'), dossier.organization_key('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'), 'in each letter case another');
select is(dossier.organization_key(null), null, 'null has none');
select is(dossier.organization_key(E' \n'), null, 'a blank key has none, either');
select isnt(dossier.organization_key('42'), dossier.organization_key('43'), 'others have others');
select is(tests.outcomes($$ select where dossier.organization_key('42') is not null $$),
  'owner 1, admin 1, member 1, viewer 1, other 1, nobody 1, anon 42501, service 1', 'callers that may ask for a key');

create function pg_temp.roles(claims jsonb default null) returns text
language plpgsql as $$
declare
  said text[] := '{}';
  who text;
begin
  foreach who in array array['ann', 'bob', 'eve', 'zoe', 'nil'] loop
    perform tests.login(who);
    said := said || (who || ' ' || coalesce(dossier_private.my_role(dossier.organization_key('42')), '-'));
  end loop;
  perform tests.logout();
  return array_to_string(said, ', ');
end
$$;
grant usage on schema dossier_private to authenticated;
grant execute on function dossier_private.my_role to authenticated;
select lives_ok($$ select dossier.use_membership('app.people', 'team%s', 'login', 'ro''le', '{"x'' or true --": "owner", "x%s": "member"}') $$, 'names may hold anything');
select is(pg_temp.roles(), 'ann owner, bob member, eve -, zoe -, nil -', 'the highest of several roles counts; a null role is ignored');
select lives_ok($$ select dossier.use_membership('app.people', 'team%s', 'login', 'ro''le', '{"admin": "viewer"}', null) $$, 'Dossier''s names may mean something else');
select is(pg_temp.roles(), 'ann viewer, bob -, eve -, zoe -, nil -', 'and any other nothing');
select is(tests.attempt($$ select dossier.create_session() $$, 'bob'), '42501', 'a user without a role has no organization');
select lives_ok($$ select dossier.use_membership('app.people', 'team%s', 'login', other_role => 'member') $$, 'a table without roles');
select is(pg_temp.roles(), 'ann member, bob member, eve member, zoe -, nil -', 'everybody has the same');
select is(tests.attempt($$ select dossier.create_session() $$, 'ann'), '1', 'rows that name an organization twice are one');
create view app.active as select "team%s"::text as organization_id, login::varchar as user_id from app.people where login <> 'bob';
select lives_ok($$ select dossier.use_membership('app.active') $$, 'a view');
select is(pg_temp.roles(), 'ann viewer, bob -, eve viewer, zoe -, nil -', 'shows who counts');
select throws_ok($$ drop table app.people $$, '2BP01', null, 'a table in use is not dropped');
alter table app.people enable row level security;
select is(pg_temp.roles(), 'ann viewer, bob -, eve viewer, zoe -, nil -', 'row level security of the app does not hide members from the owner of the table');
revoke usage on schema dossier_private from authenticated;
revoke execute on function dossier_private.my_role from authenticated;

-- Row level security may apply to the owner of Dossier.

create role tests_owner;
grant tests_owner to current_user;
grant usage, create on schema dossier_private to tests_owner;
create function pg_temp.as_lesser_owner(statement text, code text, message text, description text) returns text
language plpgsql as $$
begin
  execute 'alter function dossier_private.my_memberships owner to tests_owner';
  return tests.refuses(statement, code, message, description);
end
$$;
select pg_temp.as_lesser_owner($$ select dossier.use_membership('app.members', 'team_id', 'User') $$, 'PT400', 'Dossier''s owner may not read the column team_id of app.members', 'a table that Dossier''s owner may not read');
grant usage on schema app to tests_owner;
grant select on app.members to tests_owner;
alter table app.members enable row level security;
select pg_temp.as_lesser_owner($$ select dossier.use_membership('app.members', 'team_id', 'User') $$, 'PT400', 'Row level security hides rows of app.members from Dossier', 'a table whose policies would hide members');
alter function dossier_private.my_memberships owner to current_user;

-- Claims.

create function pg_temp.claims(of_organizations jsonb, of_user text default 'claimant') returns text
language plpgsql as $$
declare
  answer text;
begin
  perform set_config('request.jwt.claims', jsonb_build_object('sub', of_user, 'role', 'authenticated',
    'app_metadata', jsonb_build_object('organizations', of_organizations),
    'user_metadata', jsonb_build_object('organizations', '["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]'::jsonb))::text, true);
  select string_agg(format('%s %s', case m.organization_id
      when tests.id('alpha') then 'alpha' when tests.id('beta') then 'beta' when tests.id('org_2') then 'org_2' else m.organization_id::text end,
    coalesce(m.role, '-')), ', ' order by m.role)
  into answer from dossier_private.my_memberships() as m where m.organization_id is not null;
  perform tests.logout();
  return coalesce(answer, 'none');
end
$$;
select is(dossier.use_claims_membership(roles => '{"editor": "member", "banned": null}', uuid_keys => true) ->> 'mode', 'claims', 'claims of the token');
select is(pg_temp.claims(jsonb_build_object(tests.id('alpha'), 'admin', tests.id('org_2'), 'editor')), 'alpha admin, org_2 member', 'a map');
select is(pg_temp.claims(jsonb_build_object(tests.id('alpha'), jsonb_build_object('role', 'owner'))), 'alpha owner', 'a map of objects');
select is(pg_temp.claims(jsonb_build_array(tests.id('alpha'))), 'alpha viewer', 'a list');
select is(pg_temp.claims(jsonb_build_array(tests.id('org_2'), jsonb_build_object('id', tests.id('alpha'), 'role', 'owner'))), 'alpha owner, org_2 viewer', 'a list of both');
select is(pg_temp.claims(jsonb_build_object(tests.id('alpha'), 'banned')), 'alpha -', 'a role that grants nothing');
select is(pg_temp.claims('"alpha"'), 'none', 'a string is nothing');
select is(pg_temp.claims('[null, true, [], {"name": "x"}, {"id": null}, {}]'), 'none', 'entries without an id are ignored');
select is(pg_temp.claims(jsonb_build_array(jsonb_build_object('id', tests.id('alpha')), tests.id('org_2'))), 'alpha viewer, org_2 viewer', 'an organization without a role has other_role');
select is(pg_temp.claims(jsonb_build_object(tests.id('alpha'), role)), 'alpha -', format('%s is not a role', role))
from jsonb_array_elements('[null, false, true, [], 1, {"role": null}, {"role": ["owner"]}]') as role;
select is(pg_temp.claims(jsonb_build_object(tests.id('alpha'), '{}'::jsonb)), 'alpha viewer', 'an object without role names none');
select is(pg_temp.claims(jsonb_build_array(upper(tests.id('alpha')::text), 'org_2', 42)), 'alpha viewer', 'declared uuids are themselves in any letter case, and other keys are ignored');
select isnt(dossier.organization_key(dossier.organization_key('org_2')::text), dossier.organization_key('org_2'), 'nobody may name what a key becomes');
select is(pg_temp.claims(null), 'none', 'null names no organization');
select is(pg_temp.claims(jsonb_build_array(tests.id('alpha')), ''), 'none', 'a token without sub claims nothing');

create function pg_temp.attempt(statement text, of_role text) returns text
language plpgsql as $$
begin
  perform set_config('request.jwt.claims', jsonb_build_object('sub', 'claimant',
    'app_metadata', jsonb_build_object('organizations', jsonb_build_object(tests.id('alpha'), of_role)))::text, true);
  perform set_config('role', 'authenticated', true);
  begin
    execute statement;
    perform tests.logout();
    return 'done';
  exception when others then
    perform tests.logout();
    return sqlstate;
  end;
end
$$;
select set_config('request.jwt.claims', jsonb_build_object('sub', 'claimant', 'app_metadata', jsonb_build_object('organizations',
  jsonb_build_object(tests.id('alpha'), 'member', 'org_2', 'member', '', 'member')))::text, true);
select is(dossier_private.require_organization(null), tests.id('alpha'), 'ignored keys do not make the default organization ambiguous');
select tests.logout();
select is((select string_agg(role || ' ' || pg_temp.attempt($$ select dossier.save_context(tests.id('alpha session'), 'x') $$, role), ', ')
    from unnest(array['owner', 'admin', 'member', 'viewer', 'editor', 'banned', 'other']) as role),
  'owner done, admin done, member done, viewer 42501, editor done, banned PT404, other 42501', 'callers that save');
select is((select string_agg(role || ' ' || pg_temp.attempt($$ select 1 / (select count(*)::integer from dossier.documents) $$, role), ', ')
    from unnest(array['owner', 'viewer', 'banned']) as role),
  'owner done, viewer done, banned 22012', 'callers that read');
select is(pg_temp.attempt($$ select dossier.save_context(tests.id('beta session'), 'x') $$, 'owner'), 'PT404', 'the other tenant is out of reach');
select is(tests.outcomes($$ select from dossier.documents $$), 'owner 0, admin 0, member 0, viewer 0, other 0, nobody 0, anon 42501, service 2',
  'a token that claims nothing is nobody''s');

-- Text keys that users may have chosen: the uuid of another tenant, in any letter case, names an organization of its own.

select dossier.use_claims_membership();
select is((select string_agg(o.name, ', ') from dossier.organizations as o where pg_temp.claims(jsonb_build_array(key)) ~ o.name), null, 'a claimed key ' || key)
from unnest(array[tests.id('alpha')::text, upper(tests.id('alpha')::text), replace(tests.id('alpha')::text, '-', '')]) as key;
create table app.workspaces (organization_id text, user_id text);
insert into app.workspaces values (tests.id('alpha')::text, 'mallory'), (upper(tests.id('alpha')::text), 'mallory'), ('org_2', 'mallory');
create index on app.workspaces (user_id);
select dossier.use_membership('app.workspaces', other_role => 'owner');
select is(tests.attempt($$ select from dossier.documents $$, 'mallory'), '0', 'a key of text that a user chose does not open another tenant''s organization');
select tests.login('mallory');
select is((dossier.create_session('mine', organization_id => dossier.organization_key(tests.id('alpha')::text))).organization_id, dossier.organization_key(tests.id('alpha')::text), 'but one of its own');
select tests.logout();
select dossier.use_membership('app.workspaces', other_role => 'owner', uuid_keys => true);
select is(tests.attempt($$ select from dossier.documents $$, 'mallory'), '2', 'if the operator declares them uuids, they are ids');
drop table app.workspaces;

-- And back.

select is(dossier.use_own_membership() ->> 'mode', 'own', 'back to Dossier''s own table');
select is(tests.outcomes($$ select from dossier.documents where organization_id = tests.id('alpha') $$),
  'owner 2, admin 2, member 2, viewer 2, other 0, nobody 0, anon 42501, service 2', 'which lost nothing');
select is(tests.outcomes($$ insert into dossier.organization_members (organization_id, user_id) values (tests.id('alpha'), 'new') $$),
  'owner 1, admin 1, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 1', 'and changes again');
select lives_ok($$ drop table app.people cascade $$, 'the app''s table is free');

-- Once per statement, with the index.

select dossier.use_membership('app.members', 'team_id', 'User', 'role');
set local enable_seqscan = off;
create function pg_temp.plan(statement text) returns text
language plpgsql as $$
declare
  line text;
  lines text := '';
begin
  for line in execute 'explain (costs off) ' || statement loop
    lines := lines || line || E'\n';
  end loop;
  return lines;
end
$$;
select matches(pg_temp.plan(dossier_private.membership_query(dossier_private.setting('membership'))), 'Index Cond: \("User" = (\$0|\(InitPlan 1\)\.col1)\)', 'a column of uuids is searched by its index');

-- The app changes its table. Dossier's data never depends on it. Memberships are then unknown, so nobody has access.

alter table app.members rename to people;
select is(tests.attempt($$ select from dossier.sessions $$, tests.id('alpha-member')::text), '42P01', 'a table that was renamed is gone');
select is((select d.status || ': ' || d.findings[1] from dossier.doctor() as d where d.check_name = 'membership'), 'error: app.members, from which membership is read, does not exist', 'the doctor reports it');
select is(dossier.use_membership('app.people', 'team_id', 'User', 'role') ->> 'table', 'app.people', 'the fix works');
select lives_ok($$ alter table app.people rename "User" to person $$, 'the app may rename a column, too');
select is((select d.status || ': ' || d.findings[1] from dossier.doctor() as d where d.check_name = 'membership'), 'error: app.people, from which membership is read, has no column "User"', 'the doctor reports that, too');
select lives_ok($$ drop table app.people cascade $$, 'or that the table goes');
select isnt_empty($$ select from dossier.sessions $$, 'with which nothing of Dossier''s goes');
select is(dossier.use_own_membership() ->> 'mode', 'own', 'and there is a way back');

-- A restored dump writes the setting again, and the function follows.

update dossier_private.settings set value = '{"mode": "own"}' where name = 'membership';
select matches(pg_get_functiondef('dossier_private.my_memberships()'::regprocedure), 'organization_members', 'the function follows the setting');
insert into dossier_private.settings (name, value) values ('membership', '{"mode": "claims", "claim": ["orgs"], "roles": {}, "other_role": "viewer"}');
select matches(pg_get_functiondef('dossier_private.my_memberships()'::regprocedure), 'orgs', 'also when it comes as a row of a dump');

select * from finish();
rollback;
