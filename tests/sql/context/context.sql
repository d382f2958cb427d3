-- Context and its versions. See ../setup.sql for how to run this.

begin;
select plan(64);
select tests.fixture();

-- Rows: read by members, written only by functions.

select is(tests.outcomes($$ select from dossier.session_context where session_id = tests.id('alpha session') $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service 1', 'callers that see a context');
select is(tests.outcomes($$ insert into dossier.session_context (session_id, organization_id) values (tests.id('alpha session'), tests.id('alpha')) $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', 'no user may insert one');
select is(tests.outcomes($$ update dossier.session_context set text_context = 'x' where session_id = tests.id('alpha session') $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', 'no user may change one without a version');
select is(tests.outcomes($$ delete from dossier.session_context where session_id = tests.id('alpha session') $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', 'no user may delete one');
select is(tests.outcomes($$ select from dossier.session_context_versions where session_id = tests.id('alpha session') $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service 1', 'callers that see versions');
select is(tests.outcomes($$ insert into dossier.session_context_versions select session_id, organization_id, '', '{}', 9, '', now() from dossier.session_context $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', 'no user may insert a version');
select is(tests.outcomes($$ update dossier.session_context_versions set text_context = 'x' where session_id = tests.id('alpha session') $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', 'no user may change one');
select is(tests.outcomes($$ delete from dossier.session_context_versions where session_id = tests.id('alpha session') $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', 'no user may delete one');
select throws_ok($$ update dossier.session_context set organization_id = tests.id('beta') where session_id = tests.id('alpha session') $$,
  '23503', null, 'a context stays in its session''s organization for every caller');

-- save_context.

select is(tests.outcomes($$ select from dossier.save_context(tests.id('alpha session'), 'x') $$),
  'owner 1, admin 1, member 1, viewer 42501, other PT404, nobody PT404, anon 42501, service 1', 'callers that save a context');

select tests.login('alpha-member');
select results_eq($$ select text_context, context_metadata, version, updated_by from dossier.save_context(tests.id('alpha session'), 'second', '{"n":2}', 1) $$,
  $$ values ('second', '{"n":2}'::jsonb, 2, 'alpha-member') $$, 'a save makes the next version');
select results_eq($$ select text_context, context_metadata, version from dossier.save_context(tests.id('alpha session'), text_context => 'third') $$,
  $$ values ('third', '{"n":2}'::jsonb, 3) $$, 'null metadata keeps what is there');
select results_eq($$ select text_context, context_metadata, version from dossier.save_context(tests.id('alpha session'), context_metadata => '{"n":4}') $$,
  $$ values ('third', '{"n":4}'::jsonb, 4) $$, 'null text keeps what is there');
select results_eq($$ select text_context, context_metadata, version from dossier.save_context(tests.id('alpha session'), '', '{}') $$,
  $$ values ('', '{}'::jsonb, 5) $$, 'empty is not null');
select tests.login('alpha-owner');
select results_eq($$ select version, updated_by from dossier.save_context(tests.id('alpha session')) $$,
  $$ values (6, 'alpha-owner') $$, 'saving nothing is still a save');
select tests.login(null, 'service_role');
select results_eq($$ select version, updated_by from dossier.save_context(tests.id('alpha session'), 'summary') $$,
  $$ values (7, null::text) $$, 'a service saves in nobody''s name');
select tests.login('alpha-viewer');
select results_eq($$ select version, text_context, context_metadata, updated_by from dossier.session_context_versions where session_id = tests.id('alpha session') order by version $$,
  $$ values (1, 'alpha context', '{}'::jsonb, 'alpha-member'), (2, 'second', '{"n":2}', 'alpha-member'), (3, 'third', '{"n":2}', 'alpha-member'),
    (4, 'third', '{"n":4}', 'alpha-member'), (5, '', '{}', 'alpha-member'), (6, '', '{}', 'alpha-owner'), (7, 'summary', '{}', null) $$,
  'every version is kept');
select results_eq($$ select v.* from dossier.session_context_versions v join dossier.session_context c using (session_id, version) $$,
  $$ select * from dossier.session_context $$, 'the last one is the one in force');

-- expected_version.

select tests.login('alpha-member');
select tests.refuses($$ select dossier.save_context(tests.id('alpha session'), 'x', null, 6) $$, 'PT409', 'The context has changed since you read it', 'a stale version');
select tests.refuses($$ select dossier.save_context(tests.id('alpha session'), 'x', null, 8) $$, 'PT409', 'The context has changed since you read it', 'a version to come');
select tests.refuses($$ select dossier.save_context(tests.id('alpha session'), 'x', null, 0) $$, 'PT409', 'The context has changed since you read it', 'a context that must not be there yet');
select tests.refuses($$ select dossier.save_context(tests.id('alpha session'), 'x', null, -1) $$, 'PT409', 'The context has changed since you read it', 'a negative version');
select tests.refuses($$ select dossier.save_context(tests.id('alpha session'), 'x', null, 2147483647) $$, 'PT409', 'The context has changed since you read it', 'a huge version');

select is(tests.detail($$ select dossier.save_context(tests.id('alpha session'), 'x', null, 6) $$)::jsonb, '{"current_version":7,"expected_version":6}', 'the detail names both versions');
select is(tests.detail($$ select dossier.save_context((dossier.create_session('fresh')).id, 'x', null, 3) $$)::jsonb, '{"current_version":0,"expected_version":3}', 'none yet counts as 0');
select is((select version from dossier.session_context where session_id = tests.id('alpha session')), 7, 'a refusal saves nothing');
select is((select count(*)::integer from dossier.session_context_versions where session_id = tests.id('alpha session')), 7, 'and records nothing');

select lives_ok($$ select dossier.create_session('first') $$, 'a session without context');
select results_eq($$ select text_context, context_metadata, version from dossier.save_context((select id from dossier.sessions where title = 'first'), expected_version => 0) $$,
  $$ values ('', '{}'::jsonb, 1) $$, 'expected_version 0 makes the first version, empty where nothing is given');
select is((dossier.save_context((select id from dossier.sessions where title = 'first'), 'x', null, 1)).version, 2, 'and 1 the second');

-- Limits.

select is((dossier.save_context(tests.id('alpha session'), repeat('x', 1048576))).version, 8, 'a text of a mebibyte is saved');
select tests.refuses($$ select dossier.save_context(tests.id('alpha session'), repeat('x', 1048577)) $$, 'PT413', 'The text of the context is larger than 1048576 bytes', 'a byte more is too much');
select tests.refuses($$ select dossier.save_context(tests.id('alpha session'), repeat('é', 524289)) $$, 'PT413', 'The text of the context is larger than 1048576 bytes', 'bytes count, not characters');
select tests.refuses($$ select dossier.save_context(tests.id('alpha session'), null, jsonb_build_object('x', repeat('x', 1048576))) $$, 'PT413', 'The metadata of the context is larger than 1048576 bytes', 'metadata has the same limit');
select tests.refuses($$ select dossier.save_context(tests.id('alpha session'), null, '{"n": 1e131071}') $$, 'PT413', 'The metadata of the context is larger than 1048576 bytes', 'a number that would fill a page when written out');
select tests.refuses($$ select dossier.save_context(tests.id('alpha session'), null, '{"n": [1e-16000]}') $$, 'PT413', 'The metadata of the context is larger than 1048576 bytes', 'and one that is as long behind its point');
select tests.refuses($$ select dossier.save_context(tests.id('alpha session'), null, '[1]') $$, 'PT400', 'context_metadata must be a JSON object', 'metadata that is an array');
select tests.refuses($$ select dossier.save_context(tests.id('alpha session'), null, 'null') $$, 'PT400', 'context_metadata must be a JSON object', 'metadata that is JSON null');

-- Merging.

select tests.logout();
select is(dossier_private.merge_json(target, patch), expected, format('%s merged into %s', patch, target))
from (values -- the examples of RFC 7396
  ('{"a":"b"}'::jsonb, '{"a":"c"}'::jsonb, '{"a":"c"}'::jsonb),
  ('{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'),
  ('{"a":"b"}', '{"a":null}', '{}'),
  ('{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'),
  ('{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'),
  ('{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'),
  ('{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'),
  ('{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'),
  ('["a","b"]', '["c","d"]', '["c","d"]'),
  ('{"a":"b"}', '["c"]', '["c"]'),
  ('{"e":null}', '{"a":1}', '{"e":null,"a":1}'),
  ('[1,2]', '{"a":"b","c":null}', '{"a":"b"}'),
  ('{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'),
  ('{"a":1}', null, '{"a":1}')
) as t (target, patch, expected);

select tests.login('alpha-member');
select is((dossier.save_context(tests.id('alpha session'), context_metadata => '{"a":{"b":1},"c":2}')).context_metadata, '{"a":{"b":1},"c":2}', 'metadata is replaced');
select is((dossier.save_context(tests.id('alpha session'), context_metadata => '{"a":{"d":3},"c":null}', merge_metadata => true)).context_metadata,
  '{"a":{"b":1,"d":3}}', 'or merged, when asked to');
select is((dossier.save_context(tests.id('alpha session'), 'text alone', merge_metadata => true)).context_metadata, '{"a":{"b":1,"d":3}}', 'merging nothing keeps what is there');
select is((dossier.save_context((dossier.create_session('merge')).id, null, '{"a":1,"b":null}', 0, true)).context_metadata, '{"a":1}', 'a first merge meets an empty object');
select tests.refuses($$ select dossier.save_context(tests.id('alpha session'), null, '[1]', merge_metadata => true) $$, 'PT400', 'context_metadata must be a JSON object', 'merging an array');
select from dossier.save_context(tests.id('alpha session'), null, jsonb_build_object('x', repeat('x', 600000)));
select tests.refuses($$ select dossier.save_context(tests.id('alpha session'), null, jsonb_build_object('y', repeat('y', 600000)), merge_metadata => true) $$,
  'PT413', 'The metadata of the context is larger than 1048576 bytes', 'two halves that are too large together');
select tests.refuses($$ select dossier.save_context(tests.id('alpha session'), null, (repeat('{"a":', 65) || '1' || repeat('}', 65))::jsonb, merge_metadata => true) $$,
  'PT400', 'The metadata to merge is nested too deeply', 'an object that is too deep to merge');
select tests.logout();

-- Sessions out of reach.

select tests.login('alpha-member');
select tests.refuses($$ select dossier.save_context(tests.id('beta session'), 'x') $$, 'PT404', 'Session not found', 'another tenant''s session');
select tests.refuses($$ select dossier.save_context(tests.id('nothing'), 'x') $$, 'PT404', 'Session not found', 'a session that does not exist');
select tests.refuses($$ select dossier.save_context(null, 'x') $$, 'PT404', 'Session not found', 'no session');
select tests.login('alpha-viewer');
select tests.refuses($$ select dossier.save_context(tests.id('alpha session'), 'x') $$, '42501', 'You may not write in this organization', 'a viewer');
select is(tests.attempt($$ select from dossier.save_context(tests.id('alpha session'), 'x') $$, 'alpha-viewer', 'service_role'), '1', 'a service that acts for a viewer is still a service');
select tests.logout();

select * from finish();
rollback;
