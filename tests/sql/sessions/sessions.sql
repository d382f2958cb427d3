-- Sessions and their types. See ../setup.sql for how to run this.

begin;
select plan(73);
select tests.fixture();

-- Types.

select is(tests.outcomes($$ select from dossier.conversation_types where slug in ('sales_call', 'interview', 'meeting', 'consultation') $$),
  'owner 4, admin 4, member 4, viewer 4, other 4, nobody 4, anon 42501, service 4', 'callers that see the types');
select is(tests.outcomes($$ insert into dossier.conversation_types (slug, label) values ('therapy', 'Therapy') $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 1', 'callers that register one');
select is(tests.outcomes($$ update dossier.conversation_types set label = 'x' where slug = 'meeting' $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 1', 'callers that rename one');
select is(tests.outcomes($$ delete from dossier.conversation_types where slug = 'consultation' and not exists (select from dossier.sessions where conversation_type = 'consultation') $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service '
  || (not exists (select from dossier.sessions where conversation_type = 'consultation'))::integer, 'callers that remove one');
select is(tests.attempt($$ insert into dossier.conversation_types (slug, label) values ('Bad Slug', 'x') $$, null, 'service_role'), '23514', 'a slug is a slug');

-- Rows.

select is(tests.outcomes($$ select from dossier.sessions where id = tests.id('alpha session') $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service 1', 'callers that see a session');
select is(tests.outcomes($$ insert into dossier.sessions (organization_id, title) values (tests.id('alpha'), 'x') $$),
  'owner 1, admin 1, member 1, viewer 42501, other 42501, nobody 42501, anon 42501, service 23502', 'callers that insert one; a service must name its user');
select is(tests.outcomes($$ insert into dossier.sessions (organization_id, user_id) values (tests.id('alpha'), 'alpha-owner') $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 1', 'only a service may insert one for another user');
select is(tests.outcomes($$ update dossier.sessions set title = 'x', status = 'archived', conversation_type = 'interview' where id = tests.id('alpha session') $$),
  'owner 1, admin 1, member 1, viewer 0, other 0, nobody 0, anon 42501, service 1', 'callers that change one');
select is(tests.outcomes($$ update dossier.sessions set organization_id = tests.id('beta') where id = tests.id('alpha session') $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', 'a session never moves');
select is(tests.outcomes($$ update dossier.sessions set user_id = 'x' where id = tests.id('alpha session') $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', 'or change its creator');
select is(tests.outcomes($$ delete from dossier.sessions where id = tests.id('alpha session') $$),
  'owner 1, admin 1, member 1, viewer 0, other 0, nobody 0, anon 42501, service 1', 'callers that delete one');
select is(tests.attempt($$ select from dossier.sessions $$, 'alpha-viewer'), '1', 'a member sees no other organization''s sessions');
select throws_ok($$ update dossier.sessions set organization_id = tests.id('beta') where id = tests.id('alpha session') $$, '23503', null, 'not even the owner of the database moves a session from under its documents');

-- create_session.

select is(tests.outcomes($$ select from dossier.create_session('x', 'meeting', tests.id('alpha')) $$),
  'owner 1, admin 1, member 1, viewer 42501, other PT404, nobody 42501, anon 42501, service 42501', 'callers that may create a session');
select is(tests.outcomes($$ select from dossier.create_session_record('x', 'meeting', tests.id('alpha')) $$),
  'owner 1, admin 1, member 1, viewer 42501, other PT404, nobody 42501, anon 42501, service 42501', 'the same callers receive its record');

select tests.login('alpha-member');
select results_eq($$ select organization_id, user_id, title, conversation_type, status from dossier.create_session() $$,
  $$ values (tests.id('alpha'), 'alpha-member', null::text, 'meeting', 'active') $$, 'everything has a default');
select results_eq($$ select c.text_context, c.context_metadata, c.version, c.updated_by
  from dossier.create_session('Call', 'sales_call', null, '{"text_context":"hello","context_metadata":{"a":1}}') s join dossier.session_context c on c.session_id = s.id $$,
  $$ select null::text, null::jsonb, null::integer, null::text where false $$, 'the statement that makes a context does not see it yet');
select results_eq($$ select c.text_context, c.context_metadata, c.version, c.updated_by from dossier.session_context c join dossier.sessions s on s.id = c.session_id where s.title = 'Call' $$,
  $$ values ('hello', '{"a":1}'::jsonb, 1, 'alpha-member') $$, 'the next one does');
select lives_ok($$ select dossier.create_session('Short', context => '{"text":"hi","metadata":{"b":2}}') $$, 'the short names do too');
select results_eq($$ select c.text_context, c.context_metadata, v.version from dossier.session_context c join dossier.sessions s on s.id = c.session_id
  join dossier.session_context_versions v on v.session_id = s.id where s.title = 'Short' $$,
  $$ values ('hi', '{"b":2}'::jsonb, 1) $$, 'and are recorded as version 1');
select is(dossier.create_session_record('Whole', context => '{"text":"hi"}') #> '{context,text_context}', '"hi"', 'the record of a new session has its context');
select is(dossier.create_session_record('Bare') -> 'context', 'null', 'or has none');
select lives_ok($$ select dossier.create_session('None', context => 'null') $$, 'JSON null means no context');
select lives_ok($$ select dossier.create_session('Empty', context => '{}') $$, 'an empty object is an empty context');
select results_eq($$ select s.title, c.text_context, c.context_metadata from dossier.sessions s left join dossier.session_context c on c.session_id = s.id where s.title in ('None', 'Empty') order by 1 $$,
  $$ values ('Empty', '', '{}'::jsonb), ('None', null, null) $$, 'which is a difference');

select tests.refuses($$ select dossier.create_session('Bad', 'nonsense') $$, 'PT400', 'Unknown conversation type ''nonsense''', 'an unknown type');
select is((dossier.create_session('Null', null)).conversation_type, 'meeting', 'a null type is the default');
select tests.refuses($$ select dossier.create_session(repeat('x', 501)) $$, 'PT400', 'The title is longer than 500 characters', 'a long title');
select tests.refuses($$ select dossier.create_session('Bad', context => '{"txt":"typo"}') $$, 'PT400', 'context must be an object with text_context and context_metadata', 'an unknown key of context');
select tests.refuses($$ select dossier.create_session('Bad', context => '"text"') $$, 'PT400', 'context must be an object with text_context and context_metadata', 'a context that is a string');
select tests.refuses($$ select dossier.create_session('Bad', context => '[]') $$, 'PT400', 'context must be an object with text_context and context_metadata', 'a context that is an array');
select is(tests.detail(format($$ select dossier.create_session(context => %L) $$, context)), said, 'the reason: ' || context)
from (values
  ('[]', 'It is a JSON array.'), ('{"txt":"typo"}', 'It has the key ''txt''.'), ('{"text":5}', 'Its text is not a string.'), ('{"text_context":{"a":1}}', 'Its text is not a string.')
) as t (context, said);
select tests.refuses($$ select dossier.create_session('Bad', context => '{"metadata":[1]}') $$, 'PT400', 'context_metadata must be a JSON object', 'metadata that is an array');
select tests.refuses($$ select dossier.create_session('Bad', context => jsonb_build_object('text', repeat('x', 1048577))) $$, 'PT413', 'The text of the context is larger than 1048576 bytes', 'a text over the limit');
select is_empty($$ select from dossier.sessions where title = 'Bad' $$, 'a refused context leaves no session');
select tests.refuses($$ select dossier.create_session(organization_id => tests.id('beta')) $$, 'PT404', 'Organization not found', 'another tenant''s organization');
select tests.refuses($$ select dossier.create_session(organization_id => tests.id('nothing')) $$, 'PT404', 'Organization not found', 'an organization that does not exist, in the same words');

select tests.login('stranger');
select tests.refuses($$ select dossier.create_session() $$, '42501', 'You are not a member of any organization', 'a user without an organization');
select tests.login('alpha-viewer');
select tests.refuses($$ select dossier.create_session() $$, '42501', 'You may not write in this organization', 'a viewer, whose organization is the default');
select tests.logout();
insert into dossier.organization_members (organization_id, user_id, role) values (tests.id('alpha'), 'both', 'member'), (tests.id('beta'), 'both', 'viewer');
select tests.login('both');
select is((dossier.create_session()).organization_id, tests.id('alpha'), 'organizations with read access only are not candidates');
select is((dossier.create_session(organization_id => tests.id('alpha'))).organization_id, tests.id('alpha'), 'and may');
select tests.refuses($$ select dossier.create_session(organization_id => tests.id('beta')) $$, '42501', 'You may not write in this organization', 'but only where a member');
select tests.logout();
update dossier.organization_members set role = 'member' where user_id = 'both';
select tests.login('both');
select tests.refuses($$ select dossier.create_session() $$, 'PT400', 'organization_id is missing', 'a user with two organizations must choose');
select tests.logout();

-- update_session.

select is(tests.outcomes($$ select dossier.update_session(tests.id('alpha session'), '{"title": "new"}') $$),
  'owner 1, admin 1, member 1, viewer 42501, other PT404, nobody PT404, anon 42501, service 1', 'callers that change a session');
select tests.login('alpha-member');
select results_eq($$ select s.title, s.conversation_type, s.status from dossier.update_session(tests.id('alpha session'), '{"title": "Call", "status": "archived"}') as s $$,
  $$ values ('Call', 'meeting', 'archived') $$, 'given fields change, omitted ones do not');
select results_eq($$ select s.title, s.conversation_type, s.status from dossier.update_session(tests.id('alpha session'), '{"title": null, "conversation_type": "interview"}') as s $$,
  $$ values (null, 'interview', 'archived') $$, 'a title can be removed');
select is((dossier.update_session(tests.id('alpha session'), '{}')).status, 'archived', 'nothing changes nothing');
select tests.refuses(format('select dossier.update_session(tests.id(%L), %L)', 'alpha session', changes), 'PT400', 'changes must be an object with title, conversation_type or status', changes)
from unnest(array['[]', 'null', '"title"', '{"user_id": "me"}', '{"organization_id": null}', '{"title": 7}', '{"status": "gone"}', '{"status": null}', '{"conversation_type": null}', '{"title": "x", "deleted_at": null}']) as changes;
select tests.refuses($$ select dossier.update_session(tests.id('alpha session'), null) $$, 'PT400', 'changes must be an object with title, conversation_type or status', 'null');
select tests.refuses($$ select dossier.update_session(tests.id('alpha session'), '{"conversation_type": "seance"}') $$, 'PT400', 'Unknown conversation type ''seance''', 'a type that is not registered');
select tests.refuses($$ select dossier.update_session(tests.id('alpha session'), jsonb_build_object('title', repeat('x', 501))) $$, 'PT400', 'The title is longer than 500 characters', 'a title over the limit');
select tests.refuses($$ select dossier.update_session(tests.id('beta session'), '{}') $$, 'PT404', 'Session not found', 'another tenant''s');
select from dossier.delete_sessions(array[tests.id('alpha session')]);
select tests.refuses($$ select dossier.update_session(tests.id('alpha session'), '{"title": "x"}') $$, 'PT404', 'Session not found', 'one in the trash');
select tests.logout();

-- Personal organizations.

update dossier_private.settings set value = 'true' where name = 'personal_organizations';
select tests.login('stranger');
select tests.refuses($$ select dossier.create_session(organization_id => tests.id('alpha')) $$, 'PT404', 'Organization not found', 'an organization that is named is not replaced');
select is((dossier.create_session('mine')).user_id, 'stranger', 'a user without an organization gets one');
select results_eq($$ select o.name, m.role, s.title from dossier.organizations o join dossier.organization_members m on m.organization_id = o.id join dossier.sessions s on s.organization_id = o.id $$,
  $$ values ('Personal', 'owner', 'mine') $$, 'and owns it');
select is((dossier.create_session('mine, too')).organization_id, (select id from dossier.organizations), 'and has it from then on');
select tests.login('alpha-viewer');
select isnt((dossier.create_session()).organization_id, tests.id('alpha'), 'so does who may only read elsewhere: nobody takes that away by a membership');
select tests.login(null, 'service_role');
select tests.refuses($$ select dossier.create_session() $$, '42501', 'This function requires a signed-in user', 'a request without a user gets none');
select tests.logout();
select throws_ok($$ update dossier_private.settings set value = '"yes"' where name = 'personal_organizations' $$, '23514', null, 'the setting is true or false');

select * from finish();
rollback;
