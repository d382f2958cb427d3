-- Managing organizations and members through functions. See ../setup.sql for how to run this.

begin;
select plan(86);
select tests.fixture();

-- The organizations of a caller.

select is(tests.outcomes($$ select from dossier.list_organizations() where id in (tests.id('alpha'), tests.id('beta')) $$),
  'owner 1, admin 1, member 1, viewer 1, other 1, nobody 0, anon 42501, service 2', 'a caller sees its own organizations, a service all');
select is(tests.outcomes($$ select from dossier.list_organizations(tests.id('alpha')) $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service 1', 'callers that see one organization');
select is(tests.outcomes($$ select from dossier.organizations as o where dossier.organization_record(o) ->> 'name' = 'alpha' $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service 1', 'callers that read the record of one');
select tests.login('alpha-viewer');
select is((select dossier.organization_record(o) - 'created_at' - 'updated_at' from dossier.list_organizations() as o),
  jsonb_build_object('id', tests.id('alpha'), 'name', 'alpha', 'role', 'viewer'), 'the record of an organization has the role of the caller');
select is(tests.outcomes($$ select dossier.create_organization_record('x') $$),
  'owner 1, admin 1, member 1, viewer 1, other 1, nobody 42501, anon 42501, service 42501', 'callers that create an organization');
select tests.login('newcomer');
select is(dossier.create_organization_record('Mine') ->> 'role', 'owner', 'the record of a new organization says that it is the caller''s');
select tests.login('both');
select (dossier.create_organization('One')).id as one, (dossier.create_organization('Two')).id as two \gset
select is(array(select o.id from dossier.list_organizations() as o), array[least(:'one', :'two')::uuid, greatest(:'one', :'two')::uuid], 'in the order of their ids');
select is(array(select o.id from dossier.list_organizations(limit_count => 1) as o), array[least(:'one', :'two')::uuid], 'a page');
select is(array(select o.id from dossier.list_organizations(after => least(:'one', :'two')::uuid) as o), array[greatest(:'one', :'two')::uuid], 'the page after it');
select tests.refuses($$ select from dossier.list_organizations(limit_count => 0) $$, 'PT400', 'limit_count must be between 1 and 1000', 'a page has rows');

select is(tests.outcomes($$ select dossier.rename_organization(tests.id('alpha'), ' New ') $$),
  'owner 1, admin 1, member 42501, viewer 42501, other PT404, nobody PT404, anon 42501, service 1', 'callers that rename an organization');
select tests.login('alpha-admin');
select is((dossier.rename_organization(tests.id('alpha'), ' New ')).name, 'New', 'a name is trimmed');
select tests.refuses($$ select dossier.rename_organization(tests.id('alpha'), ' ') $$, 'PT400', 'The name of an organization must have 1 to 200 characters', 'an empty name');
select tests.refuses($$ select dossier.rename_organization(tests.id('alpha'), null) $$, 'PT400', 'The name of an organization must have 1 to 200 characters', 'no name');
select tests.refuses($$ select dossier.rename_organization(tests.id('nothing'), 'x') $$, 'PT404', 'Organization not found', 'an organization that does not exist');
select tests.logout();

-- Members: lists.

select is(tests.outcomes($$ select from dossier.list_members(tests.id('alpha')) $$),
  'owner 4, admin 4, member 4, viewer 4, other PT404, nobody PT404, anon 42501, service 4', 'callers that list members');
select is(tests.outcomes($$ select from dossier.organization_members as m where dossier.member_record(m) ->> 'user_id' = 'alpha-admin' $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service 1', 'callers that read the record of a member');
select tests.login('alpha-viewer');
select is((select array_agg(dossier.member_record(m) - array['created_at', 'accepted_at']) from dossier.list_members(tests.id('alpha'), limit_count => 2) as m),
  array['{"user_id": "alpha-admin", "role": "admin"}', '{"user_id": "alpha-member", "role": "member"}']::jsonb[], 'in the order of their ids');
select is(array(select m.user_id from dossier.list_members(tests.id('alpha'), after_user_id => 'alpha-member') as m), array['alpha-owner', 'alpha-viewer'], 'the next ones');
select tests.logout();

-- Members: adding.

select is(tests.outcomes($$ select dossier.add_member(tests.id('alpha'), 'new') $$),
  'owner 1, admin 1, member 42501, viewer 42501, other PT404, nobody PT404, anon 42501, service 1', 'callers that add a member');
select is(tests.outcomes($$ select dossier.add_member(tests.id('alpha'), 'new', 'owner') $$),
  'owner 1, admin 42501, member 42501, viewer 42501, other PT404, nobody PT404, anon 42501, service 1', 'callers that add an owner');
select tests.login('alpha-admin');
select is((dossier.add_member(tests.id('alpha'), 'new')).role, 'member', 'a member by default');
select tests.refuses($$ select dossier.add_member(tests.id('alpha'), 'new', 'viewer') $$, 'PT409', 'This user is already a member or invited', 'nobody is added twice');
select is((select role from dossier.organization_members where user_id = 'new'), 'member', 'and the role stays');
select tests.refuses(format('select dossier.add_member(tests.id(''alpha''), %L, ''viewer'')', user_id), 'PT400', 'user_id must have 1 to 255 characters', 'a user id of ' || coalesce(char_length(user_id)::text, 'null'))
from unnest(array['', repeat('x', 256), null]) as user_id;
select tests.refuses(format('select dossier.add_member(tests.id(''alpha''), ''newer'', %L)', role), 'PT400', 'role must be owner, admin, member or viewer', 'the role ' || coalesce(role, 'null'))
from unnest(array['boss', '', null]) as role;
select tests.refuses($$ select dossier.add_member(tests.id('beta'), 'new') $$, 'PT404', 'Organization not found', 'another tenant''s organization');
select tests.refuses($$ select dossier.add_member(tests.id('alpha'), 'alpha-admin', 'owner') $$, '42501', 'This function requires the role owner in the organization', 'an admin makes no owner');
select tests.logout();

-- Members: roles.

select is(tests.outcomes($$ select dossier.set_member_role(tests.id('alpha'), 'alpha-viewer', 'member') $$),
  'owner 1, admin 1, member 42501, viewer 42501, other PT404, nobody PT404, anon 42501, service 1', 'callers that change a role');
select is(tests.outcomes($$ select dossier.set_member_role(tests.id('alpha'), 'alpha-viewer', 'owner') $$),
  'owner 1, admin 42501, member 42501, viewer 42501, other PT404, nobody PT404, anon 42501, service 1', 'callers that make an owner');
select is(tests.outcomes($$ select dossier.set_member_role(tests.id('alpha'), 'alpha-owner', 'member') $$),
  'owner PT409, admin 42501, member 42501, viewer 42501, other PT404, nobody PT404, anon 42501, service PT409', 'nobody demotes the last owner, and no admin an owner');
select tests.login('alpha-admin');
select is((dossier.set_member_role(tests.id('alpha'), 'alpha-viewer', 'admin')).role, 'admin', 'an admin makes an admin');
select tests.refuses($$ select dossier.set_member_role(tests.id('alpha'), 'nobody', 'viewer') $$, 'PT404', 'Member not found', 'a user who is not a member');
select tests.refuses($$ select dossier.set_member_role(tests.id('alpha'), 'beta-owner', 'viewer') $$, 'PT404', 'Member not found', 'a member of another organization');
select tests.refuses($$ select dossier.set_member_role(tests.id('alpha'), 'alpha-viewer', 'king') $$, 'PT400', 'role must be owner, admin, member or viewer', 'an unknown role');
select tests.login('alpha-owner');
select is((dossier.set_member_role(tests.id('alpha'), 'alpha-viewer', 'owner')).role, 'owner', 'an owner makes an owner');
select is((dossier.set_member_role(tests.id('alpha'), 'alpha-owner', 'viewer')).role, 'viewer', 'and may then step down');
select tests.refuses($$ select dossier.set_member_role(tests.id('alpha'), 'alpha-owner', 'owner') $$, '42501', 'This function requires the role owner in the organization', 'but not up again');
select tests.logout();
update dossier.organization_members set role = 'owner' where user_id = 'alpha-owner';
update dossier.organization_members set role = 'viewer' where user_id = 'alpha-viewer';

-- Members: leaving.

select is(tests.outcomes($$ select where dossier.remove_member(tests.id('alpha'), 'alpha-viewer') $$),
  'owner 1, admin 1, member 42501, viewer 1, other PT404, nobody PT404, anon 42501, service 1', 'callers that remove a viewer: the viewer leaves');
select is(tests.outcomes($$ select where dossier.remove_member(tests.id('alpha'), 'alpha-member') $$),
  'owner 1, admin 1, member 1, viewer 42501, other PT404, nobody PT404, anon 42501, service 1', 'callers that remove a member: the member leaves');
select is(tests.outcomes($$ select where dossier.remove_member(tests.id('alpha'), 'alpha-owner') $$),
  'owner PT409, admin 42501, member 42501, viewer 42501, other PT404, nobody PT404, anon 42501, service PT409', 'nobody removes the last owner');
select is(tests.outcomes($$ select where not dossier.remove_member(tests.id('alpha'), 'beta-member') $$),
  'owner 1, admin 1, member 42501, viewer 42501, other PT404, nobody PT404, anon 42501, service 1', 'a user who is not a member stays where they are');
select tests.login('alpha-viewer');
select tests.refuses($$ select dossier.remove_member(tests.id('alpha'), 'alpha-member') $$, '42501', 'This function requires the role admin in the organization', 'a viewer learns which role it takes');
select ok(dossier.remove_member(tests.id('alpha'), 'alpha-viewer'), 'a viewer leaves');
select tests.refuses($$ select dossier.remove_member(tests.id('alpha'), 'alpha-viewer') $$, 'PT404', 'Organization not found', 'and then sees nothing');
select tests.logout();
select is((select count(*)::integer from dossier.organization_members where organization_id = tests.id('beta')), 4, 'the other organization is unchanged');

-- Consent. Alpha's owner invites a member of beta, with a planted document, and nothing changes for that member.

update dossier.document_pages set text = 'planted instructions' where document_id = tests.id('alpha document');
select dossier_private.index_document(tests.id('alpha document'));
select tests.login('alpha-owner');
select is((dossier.add_member(tests.id('alpha'), 'beta-member', 'owner')).accepted_at, null, 'a stranger is invited, not added');
select is((select accepted_at from dossier.organization_members where user_id = 'new'), null, 'so was the one before');
select tests.login('beta-member');
select is((dossier.create_session('mine')).organization_id, tests.id('beta'), 'an invitation does not change the default organization');
select is_empty($$ select from dossier.search('planted') $$, 'or what an unscoped search finds');
select set_eq($$ select id from dossier.list_organizations() $$, array[tests.id('beta')], 'or the list of organizations');
select is(tests.attempt(statement, 'beta-member'), outcome, statement)
from (values
  ($$ select from dossier.sessions where organization_id = tests.id('alpha') $$, '0'), ($$ select from dossier.documents where organization_id = tests.id('alpha') $$, '0'),
  ($$ select from dossier.organizations where id = tests.id('alpha') $$, '0'), ($$ select from dossier.list_members(tests.id('alpha')) $$, 'PT404'),
  ($$ select from dossier.usage(tests.id('alpha')) $$, 'PT404'), ($$ select dossier.create_session('x', organization_id => tests.id('alpha')) $$, 'PT404'),
  ($$ select from dossier.organization_members where organization_id = tests.id('alpha') $$, '1'),
  ($$ update dossier.organization_members set accepted_at = now() $$, '42501'),
  ($$ insert into dossier.organization_members (organization_id, user_id, accepted_at) values (tests.id('beta'), 'x', now()) $$, '42501'),
  ($$ delete from dossier.organization_members where organization_id = tests.id('alpha') $$, '1')
) as t (statement, outcome);
select tests.login('beta-member');
select results_eq($$ select organization_id, organization_name, role from dossier.my_invitations() $$, $$ values (tests.id('alpha'), 'New', 'owner') $$, 'the user sees the invitation');
select is(tests.outcomes($$ select from dossier.my_invitations() $$), 'owner 0, admin 0, member 0, viewer 0, other 0, nobody 0, anon 42501, service 0', 'and nobody else does');
select is(tests.outcomes($$ select dossier.accept_invitation(tests.id('alpha')) $$),
  'owner PT404, admin PT404, member PT404, viewer PT404, other PT404, nobody 42501, anon 42501, service 42501', 'or accepts it');
select is(tests.outcomes($$ select dossier.decline_invitation(tests.id('alpha')) $$),
  'owner PT404, admin PT404, member PT404, viewer PT404, other PT404, nobody 42501, anon 42501, service 42501', 'or declines it');
select tests.login('beta-member');
select lives_ok($$ select dossier.decline_invitation(tests.id('alpha')) $$, 'the user declines');
select tests.refuses($$ select dossier.accept_invitation(tests.id('alpha')) $$, 'PT404', 'Invitation not found', 'and it is gone');
select tests.login('alpha-owner');
select from dossier.add_member(tests.id('alpha'), 'beta-member', 'viewer');
select is((dossier.set_member_role(tests.id('alpha'), 'beta-member', 'member')).accepted_at, null, 'a changed role is still an invitation');
select tests.login('beta-member');
select is((dossier.accept_invitation(tests.id('alpha'))).accepted_at, now(), 'the user accepts');
select isnt_empty($$ select from dossier.search('planted') $$, 'from then on the other organization is searched');
select tests.refuses($$ select dossier.create_session('x') $$, 'PT400', 'organization_id is missing', 'and has to be told apart');
select tests.login(null, 'service_role');
select isnt((dossier.add_member(tests.id('beta'), 'alpha-member')).accepted_at, null, 'a service adds a member at once');
select tests.logout();
select is((select string_agg(action || ' ' || coalesce(user_id, '-'), ', ' order by id) from dossier.audit_log where object_id = 'beta-member' and organization_id = tests.id('alpha')),
  'member.invited alpha-owner, member.removed beta-member, member.invited alpha-owner, member.role_changed alpha-owner, member.added beta-member', 'the audit log names who invited and who accepted');
delete from dossier.organization_members where (organization_id, user_id) in ((tests.id('alpha'), 'beta-member'), (tests.id('beta'), 'alpha-member'));
update dossier.document_pages set text = 'hello' where document_id = tests.id('alpha document');

-- An app that manages its organizations.

select dossier.use_claims_membership(uuid_keys => true);
select tests.login('user');
select set_config('request.jwt.claims', jsonb_build_object('sub', 'user', 'role', 'authenticated', 'app_metadata',
  jsonb_build_object('organizations', jsonb_build_object(tests.id('alpha'), 'admin', tests.id('theirs'), 'viewer')))::text, true);
select results_eq($$ select dossier.organization_record(o) ->> 'name', dossier.organization_record(o) ->> 'role', o.created_at is null from dossier.list_organizations() as o order by 2 $$,
  $$ select * from (values ('New', 'admin', false), (tests.id('theirs')::text, 'viewer', true)) as t order by 2 $$, 'an organization that Dossier has not stored yet is listed under its id');
select is((select dossier.organization_record(o) ->> 'role' from dossier.list_organizations(tests.id('theirs')) as o), 'viewer', 'and can be read');
select tests.refuses(statement, 'PT409', 'The app manages its organizations and members', statement)
from unnest(array[$$ select dossier.list_members(tests.id('alpha')) $$, $$ select dossier.add_member(tests.id('alpha'), 'x') $$,
  $$ select dossier.set_member_role(tests.id('alpha'), 'x', 'viewer') $$, $$ select dossier.remove_member(tests.id('alpha'), 'x') $$]) as statement;
select is((dossier.rename_organization(tests.id('alpha'), 'Renamed')).name, 'Renamed', 'a name is Dossier''s own');
select set_config('request.jwt.claims', jsonb_build_object('sub', 'user', 'role', 'authenticated', 'app_metadata',
  jsonb_build_object('organizations', jsonb_build_object(tests.id('theirs'), 'admin')))::text, true);
select tests.refuses($$ select dossier.rename_organization(tests.id('theirs'), 'Mine') $$, 'PT404', 'Organization not found', 'one that is not stored cannot be renamed');
select tests.refuses($$ select dossier.list_members(tests.id('alpha')) $$, 'PT404', 'Organization not found', 'one that the token does not name is not found');
select tests.logout();

select * from finish();
rollback;
