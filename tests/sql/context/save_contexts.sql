-- Many contexts in one call. See ../setup.sql for how to run this.

begin;
select plan(34);
select tests.fixture();
insert into dossier.sessions (id, organization_id, user_id, title)
select tests.id('s' || n), tests.id('alpha'), 'alpha-member', 's' || n from generate_series(1, 3) as n;

create function pg_temp.items(variadic items text[]) returns jsonb
language sql as $$ select jsonb_agg(jsonb_build_object('session_id', tests.id(split_part(i, '=', 1))) || substring(i from '=(.*)')::jsonb) from unnest(items) as i $$;
create function pg_temp.detail(items jsonb) returns jsonb
language sql as $$ select tests.detail(format('select dossier.save_contexts(%L)', items))::jsonb -> 'items' $$;

select is(tests.outcomes($$ select from dossier.save_contexts(pg_temp.items('s1={"text":"a"}', 's2={"text":"b"}')) $$),
  'owner 2, admin 2, member 2, viewer 42501, other PT404, nobody PT404, anon 42501, service 2', 'callers that save many contexts');

select tests.login('alpha-member');
select results_eq($$ select session_id, text_context, context_metadata, version, updated_by
    from dossier.save_contexts(pg_temp.items('s3={"text":"c","expected_version":0}', 's1={"text_context":"a","context_metadata":{"n":1}}', 's2={"metadata":{"n":2}}')) $$,
  $$ values (tests.id('s3'), 'c', '{}'::jsonb, 1, 'alpha-member'), (tests.id('s1'), 'a', '{"n":1}', 1, 'alpha-member'), (tests.id('s2'), '', '{"n":2}', 1, 'alpha-member') $$,
  'the new versions, in the order of the items');
select results_eq($$ select version, context_metadata from dossier.save_contexts(pg_temp.items('s1={"metadata":{"m":1,"n":null},"merge_metadata":true,"expected_version":1}')) $$,
  $$ values (2, '{"m":1}'::jsonb) $$, 'an item may merge');
select is((select count(*)::integer from dossier.session_context_versions where session_id in (tests.id('s1'), tests.id('s2'), tests.id('s3'))), 4, 'every save is recorded');

-- All or nothing.

select tests.refuses($$ select dossier.save_contexts(pg_temp.items('s1={"text":"x","expected_version":1}', 's2={"text":"x"}')) $$, 'PT409', '1 of 2 contexts cannot be saved, so none was saved', 'one conflict');
select is((select text_context || version from dossier.session_context where session_id = tests.id('s2')), '1', 'saves nothing');
select is(pg_temp.detail(pg_temp.items('s3={"text":"x","expected_version":7}', 's2={"text":"x"}', 's1={"text":"x","expected_version":0}')),
  jsonb_build_array(
    jsonb_build_object('index', 0, 'session_id', tests.id('s3'), 'code', 'PT409', 'message', 'The context has changed since you read it', 'current_version', 1, 'expected_version', 7),
    jsonb_build_object('index', 2, 'session_id', tests.id('s1'), 'code', 'PT409', 'message', 'The context has changed since you read it', 'current_version', 2, 'expected_version', 0)),
  'every conflict is named');
select is((select string_agg(concat_ws(' ', p ->> 'index', p ->> 'code'), ', ') from jsonb_array_elements(pg_temp.detail(
    pg_temp.items('s1={"text":"x"}', 'beta session={"text":"x"}', 's2={"metadata":[]}', 'nothing={"text":"x"}') || '[7, {"session_id":"x"}]')) as p),
  '1 PT404, 2 PT400, 3 PT404, 4 PT400, 5 PT400', 'so is everything else that is wrong');
select ok((select bool_and(p ? 'details' and p ? 'hint' and p ->> 'message' <> '') from jsonb_array_elements(pg_temp.detail(
    pg_temp.items('beta session={"text":"x"}', 's2={"metadata":[]}'))) as p), 'with details and a hint');
select tests.refuses($$ select dossier.save_contexts(pg_temp.items('s1={"text":"x","expected_version":9}', 'beta session={"text":"x"}')) $$, 'PT409', '2 of 2 contexts cannot be saved, so none was saved', 'the first problem gives the code');
select tests.refuses($$ select dossier.save_contexts(pg_temp.items('beta session={"text":"x"}', 's1={"text":"x","expected_version":9}')) $$, 'PT404', '2 of 2 contexts cannot be saved, so none was saved', 'whichever it is');
select tests.refuses($$ select dossier.save_contexts(pg_temp.items('s1={"text":"x"}', 's1={"text":"y"}')) $$, 'PT400', '2 of 2 contexts cannot be saved, so none was saved', 'a session named twice');
select is((select jsonb_agg(p - array['index', 'session_id', 'details', 'hint']) from jsonb_array_elements(pg_temp.detail(pg_temp.items('s1={"text":"x"}', 's1={"text":"y"}'))) as p),
  (select jsonb_agg(jsonb_build_object('code', 'PT400', 'message', 'Several items name this session')) from generate_series(1, 2)), 'which both items hear');

-- Arguments.

select tests.logout();
select tests.refuses($$ select dossier_private.save_context_item('7') $$, 'PT400', 'Invalid context item', 'an item gets its own error');
select tests.login('alpha-member');

select tests.refuses(format('select dossier.save_contexts(%L)', items), 'PT400', 'items must be a JSON array of 1 to 1000 contexts', what)
from (values (null, 'no items'), ('null', 'JSON null'), ('{}', 'an object'), ('"x"', 'a string'), ('[]', 'an empty array')) as t (items, what);
select tests.refuses(format('select dossier.save_contexts(%L)', items), 'PT400', '1 of 1 contexts cannot be saved, so none was saved', what)
from (values
  ('[[]]', 'an array of arrays'), ('[null]', 'a null item'), ('[{}]', 'an item without session'),
  ('[{"session_id":"x"}]', 'a session id that is not a uuid'), ('[{"session_id":{}}]', 'a session that is an object')
) as t (items, what);
select tests.refuses(format($$ select dossier.save_contexts(pg_temp.items(%L)) $$, 's1=' || item), 'PT400', '1 of 1 contexts cannot be saved, so none was saved', item)
from (values
  ('{"txt":"typo"}'), ('{"text":1}'), ('{"text":{}}'), ('{"expected_version":-1}'), ('{"expected_version":1.5}'), ('{"expected_version":"x"}'), ('{"merge_metadata":1}')
) as t (item);
select tests.refuses($$ select dossier.save_contexts((select jsonb_agg(jsonb_build_object('session_id', tests.id('s1'))) from generate_series(1, 1001))) $$, 'PT400', 'items must be a JSON array of 1 to 1000 contexts', 'more than a thousand items');
select tests.refuses($$ select dossier.save_contexts(pg_temp.items('s1={}') || jsonb_build_array(jsonb_build_object('session_id', tests.id('s2'), 'text', repeat('x', 1048577)))) $$, 'PT413', '1 of 2 contexts cannot be saved, so none was saved', 'a text over the limit');
select is((select version from dossier.session_context where session_id = tests.id('s1')), 2, 'after all these refusals nothing has changed');
select tests.logout();

select * from finish();
rollback;
