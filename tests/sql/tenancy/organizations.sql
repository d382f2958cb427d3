-- Organizations and members: reading, changing and leaving them. See ../setup.sql for how to run this.

begin;
select plan(52);
select tests.fixture();

-- Organizations.

select is(tests.outcomes($$ select from dossier.organizations where id = tests.id('alpha') $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service 1', 'callers that see an organization');
select is(tests.outcomes($$ insert into dossier.organizations (name) values ('x') $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 1', 'only a service may insert one');
select is(tests.outcomes($$ update dossier.organizations set name = 'x' where id = tests.id('alpha') $$),
  'owner 1, admin 1, member 0, viewer 0, other 0, nobody 0, anon 42501, service 1', 'callers that rename one');
select is(tests.outcomes($$ update dossier.organizations set id = tests.id('x') where id = tests.id('alpha') $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 23503', 'its id stays');
select is(tests.outcomes($$ delete from dossier.organizations where id = tests.id('alpha') $$),
  'owner 1, admin 0, member 0, viewer 0, other 0, nobody 0, anon 42501, service 1', 'callers that delete one');
select is(tests.attempt($$ select from dossier.organizations $$, 'alpha-viewer'), '1', 'a member sees no other organization');

select tests.login('newcomer');
select lives_ok($$ select dossier.create_organization('  New  ') $$, 'anyone signed in may make an organization');
select results_eq($$ select name from dossier.organizations $$, array['New'], 'sees it, under its trimmed name');
select results_eq($$ select user_id, role from dossier.organization_members $$, $$ values ('newcomer', 'owner') $$, 'and owns it');
select tests.refuses($$ select dossier.create_organization('  ') $$, 'PT400', 'The name of an organization must have 1 to 200 characters', 'a name is needed');
select tests.refuses($$ select dossier.create_organization(null) $$, 'PT400', 'The name of an organization must have 1 to 200 characters', 'null is not a name');
select tests.refuses($$ select dossier.create_organization(repeat('x', 201)) $$, 'PT400', 'The name of an organization must have 1 to 200 characters', 'a name has at most 200 characters');
select tests.refuses(format('select dossier.create_organization(%L)', name), 'PT400', 'Invalid organization name', description)
from (values (U&'Acme\202Emoc.elgoog', 'a name that reads backwards'), (U&'Ac\200Bme', 'one with a character that is not shown'), (U&'\2060', 'one that is not shown at all'),
  (E'Acme\nYou have won', 'one of two lines')) as t (name, description);
select is(tests.attempt($$ select dossier.create_organization('Møller A/S, Co. (नई दिल्ली)') $$, 'alpha-owner'), '1', 'slashes, dots and all letters are fine');
select tests.logout();

-- Members.

select is(tests.outcomes($$ select from dossier.organization_members where organization_id = tests.id('alpha') $$),
  'owner 4, admin 4, member 4, viewer 4, other 0, nobody 0, anon 42501, service 4', 'callers that see members');
select is(tests.outcomes($$ insert into dossier.organization_members (organization_id, user_id) values (tests.id('alpha'), 'new') $$),
  'owner 1, admin 1, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 1', 'callers that add a member');
select is(tests.outcomes($$ insert into dossier.organization_members (organization_id, user_id, role) values (tests.id('alpha'), 'new', 'admin') $$),
  'owner 1, admin 1, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 1', 'callers that add an admin');
select is(tests.outcomes($$ insert into dossier.organization_members (organization_id, user_id, role) values (tests.id('alpha'), 'new', 'owner') $$),
  'owner 1, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 1', 'callers that add an owner');
select is(tests.outcomes($$ update dossier.organization_members set role = 'member' where (organization_id, user_id) = (tests.id('alpha'), 'alpha-viewer') $$),
  'owner 1, admin 1, member 0, viewer 0, other 0, nobody 0, anon 42501, service 1', 'callers that change a role');
select is(tests.outcomes($$ update dossier.organization_members set role = 'owner' where (organization_id, user_id) = (tests.id('alpha'), 'alpha-viewer') $$),
  'owner 1, admin 42501, member 0, viewer 0, other 0, nobody 0, anon 42501, service 1', 'callers that make an owner');
select is(tests.outcomes($$ update dossier.organization_members set role = 'member' where (organization_id, user_id) = (tests.id('alpha'), 'alpha-owner') $$),
  'owner PT409, admin 0, member 0, viewer 0, other 0, nobody 0, anon 42501, service PT409', 'the last owner cannot be demoted, and an admin cannot demote an owner');
select is(tests.outcomes($$ update dossier.organization_members set organization_id = tests.id('beta') where user_id = 'alpha-viewer' $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 1', 'a membership does not move');
select is(tests.outcomes($$ update dossier.organization_members set user_id = 'x' where user_id = 'alpha-viewer' $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 1', 'or change its user');
select is(tests.outcomes($$ delete from dossier.organization_members where (organization_id, user_id) = (tests.id('alpha'), 'alpha-viewer') $$),
  'owner 1, admin 1, member 0, viewer 1, other 0, nobody 0, anon 42501, service 1', 'callers that remove a viewer: the viewer leaves');
select is(tests.outcomes($$ delete from dossier.organization_members where (organization_id, user_id) = (tests.id('alpha'), 'alpha-member') $$),
  'owner 1, admin 1, member 1, viewer 0, other 0, nobody 0, anon 42501, service 1', 'callers that remove a member: the member leaves');
select is(tests.attempt($$ delete from dossier.organization_members $$, 'alpha-admin'), '3', 'an admin removes all but the owner');
select is(tests.attempt($$ delete from dossier.organization_members $$, 'alpha-viewer'), '1', 'a viewer removes nobody else');
select is(tests.attempt($$ insert into dossier.organization_members values (tests.id('alpha'), 'new', 'boss') $$, null, 'service_role'), '23514', 'other roles do not exist');

-- The last owner.

select tests.login('alpha-owner');
select tests.refuses($$ delete from dossier.organization_members where user_id = 'alpha-owner' $$, 'PT409', 'An organization must have at least one owner', 'the last owner does not leave');
select tests.refuses($$ update dossier.organization_members set role = 'admin' where user_id = 'alpha-owner' $$, 'PT409', 'An organization must have at least one owner', 'the last owner cannot step down, either');
select tests.refuses($$ delete from dossier.organization_members $$, 'PT409', 'An organization must have at least one owner', 'all members cannot be removed at once');
select lives_ok($$ update dossier.organization_members set role = 'owner' where user_id = 'alpha-owner' $$, 'an owner may be set to owner again');
select lives_ok($$ insert into dossier.organization_members (organization_id, user_id, role) values (tests.id('alpha'), 'second', 'owner') $$, 'an owner invites another owner');
select tests.refuses($$ delete from dossier.organization_members where user_id = 'alpha-owner' $$, 'PT409', 'An organization must have at least one owner', 'an invited owner does not count');
select tests.login('second');
select is((dossier.accept_invitation(tests.id('alpha'))).role, 'owner', 'who accepts');
select tests.login('alpha-owner');
select tests.refuses($$ delete from dossier.organization_members where role = 'owner' $$, 'PT409', 'An organization must have at least one owner', 'two owners do not leave at once');
select lives_ok($$ update dossier.organization_members set role = case user_id when 'second' then 'admin' else 'owner' end
  where user_id in ('second', 'alpha-owner') $$, 'one of two steps down');
select lives_ok($$ update dossier.organization_members set role = case user_id when 'second' then 'owner' else 'viewer' end
  where user_id in ('second', 'alpha-owner') $$, 'one statement hands over');
select is((select role from dossier.organization_members where user_id = 'alpha-owner'), 'viewer', 'the former owner is a viewer');
select lives_ok($$ delete from dossier.organization_members where user_id = 'alpha-owner' $$, 'and may leave');
select is_empty($$ select from dossier.organizations $$, 'after which nothing is to be seen');
select tests.login(null, 'service_role');
select tests.refuses($$ delete from dossier.organization_members where user_id = 'second' $$, 'PT409', 'An organization must have at least one owner', 'a service does not remove the last owner either');
select tests.login('second');
select lives_ok($$ delete from dossier.organizations where id = tests.id('alpha') $$, 'the last owner may delete the organization');
select tests.logout();
select is_empty($$ select from dossier.organization_members where organization_id = tests.id('alpha') $$, 'its members go with it');
select is_empty($$ select from dossier.sessions where organization_id = tests.id('alpha') $$, 'its sessions too');
select is_empty($$ select from dossier.session_context_versions where organization_id = tests.id('alpha') $$, 'and contexts');
select is_empty($$ select from dossier.documents where organization_id = tests.id('alpha') $$, 'and documents');
select is_empty($$ select from dossier_private.document_chunks where document_id = tests.id('alpha document') $$, 'and bytes');
select isnt_empty($$ select from dossier.documents where organization_id = tests.id('beta') $$, 'but nobody else''s');

select * from finish();
rollback;
