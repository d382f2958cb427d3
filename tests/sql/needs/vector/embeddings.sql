-- Embeddings: enabled, saved, queried, deleted with their pages. Needs pgvector. See ../../setup.sql for how to run this.

begin;
select plan(60);
select tests.fixture();
-- Databases with pgvector may already have embeddings.
select dossier.disable_embeddings(discard => true);

-- Enabling.

select tests.refuses($$ select from dossier.match_pages('{1,0,0}', organization_id => tests.id('alpha')) $$, 'PT501', 'Embeddings are not enabled', 'not before they are enabled');
select tests.refuses($$ select dossier.save_embeddings('[]') $$, 'PT501', 'Embeddings are not enabled', 'embeddings cannot be saved, either');
select tests.refuses($$ select from dossier.pages_without_embedding() $$, 'PT501', 'Embeddings are not enabled', 'pages without embedding cannot be listed, either');
select tests.refuses(format('select dossier.enable_embeddings(%s)', n), 'PT400', 'dimensions must be between 1 and 4000', n || ' dimensions')
from unnest(array['0', '4001', 'null', '-1']) as n;
select is(dossier.enable_embeddings(3000), '{"dimensions": 3000, "type": "halfvec"}', 'long ones have half precision');
select is(dossier.disable_embeddings(), true, 'an empty table goes without asking');
select is(dossier.enable_embeddings(3), '{"dimensions": 3, "type": "vector"}', 'enabled');
select is(dossier.enable_embeddings(3), '{"dimensions": 3, "type": "vector"}', 'enabled again');
select tests.refuses($$ select dossier.enable_embeddings(4) $$, 'PT409', 'Embeddings already have 3 dimensions', 'other dimensions');
select is(tests.outcomes($$ select dossier.enable_embeddings(3) $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', 'callers that enable');
select is(tests.outcomes($$ select dossier.disable_embeddings(true) $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', 'callers that disable');

select is_empty($$ select * from dossier.doctor() as d left join dossier_private.doctor_checks() as c on c.name = d.check_name
  where d.status <> 'ok' and coalesce(c.area, 'linter') in ('catalogue', 'linter') $$, 'the doctor finds nothing wrong with the table');
select is_empty($$ select * from dossier_private.doctor_schema() $$, 'or with the schema');
select is_empty($$
  select attname from pg_attribute where attrelid = 'dossier.page_embeddings'::regclass and attnum > 0 and col_description(attrelid, attnum) is null
$$, 'its columns have comments');
select is((select relowner from pg_class where oid = 'dossier.page_embeddings'::regclass),
  (select nspowner from pg_namespace where nspname = 'dossier'), 'it belongs to the owner of Dossier');

-- Saving.

create function pg_temp.item(document text, page integer, embedding text, digest text default null) returns jsonb
language sql as $$
  select jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
    'document_id', tests.id(document), 'page', page, 'embedding', embedding::jsonb, 'digest', digest)))
$$;
select is(tests.outcomes($$ select dossier.save_embeddings(pg_temp.item('alpha document', 1, '[1, 0, 0]')) $$),
  'owner 1, admin 1, member 1, viewer 42501, other PT404, nobody PT404, anon 42501, service 1', 'callers that save');
select tests.login('alpha-member');
select is(dossier.save_embeddings(pg_temp.item('alpha document', 1, '[1, 0, 0.5]'), 'model-a'), 1, 'one is saved');
select results_eq($$ select document_id, page, organization_id, embedding::text, model from dossier.page_embeddings $$,
  $$ values (tests.id('alpha document'), 1, tests.id('alpha'), '[1,0,0.5]', 'model-a') $$, 'the embedding is stored as it was sent');
select is(dossier.save_embeddings(pg_temp.item('alpha document', 1, '[0, 1, 0]') || pg_temp.item('alpha document', 1, '[0, 0, 1]')), 1, 'again, twice at once');
select results_eq($$ select embedding::text, model from dossier.page_embeddings $$, $$ values ('[0,0,1]', '') $$, 'the last one counts');
select is(dossier.save_embeddings(pg_temp.item('alpha document', 1, '[1, 1, 1]', md5('another text'))), 0, 'one of an older text is ignored');
select is(dossier.save_embeddings(pg_temp.item('alpha document', 9, '[1, 1, 1]', md5('x'))), 0, 'so is one of a page that is gone');
select is(dossier.save_embeddings(pg_temp.item('alpha document', 1, '[1, 1, 1]', md5('hello'))), 1, 'one of this text is not');

select tests.refuses(format('select dossier.save_embeddings(%s)', given), code, message, given)
from (values
  ('null', 'PT400', 'embeddings must be a JSON array of 1 to 1000 objects'),
  ('''{}''', 'PT400', 'embeddings must be a JSON array of 1 to 1000 objects'),
  ('''[]''', 'PT400', 'embeddings must be a JSON array of 1 to 1000 objects'),
  ('(select jsonb_agg(1) from generate_series(1, 1001))', 'PT400', 'embeddings must be a JSON array of 1 to 1000 objects'),
  ('''[1]''', 'PT400', 'An embedding must be an array of 3 numbers, not all of them zero'),
  ($$pg_temp.item('alpha document', 1, '[1, 0]')$$, 'PT400', 'An embedding must be an array of 3 numbers%'),
  ($$pg_temp.item('alpha document', 1, '[1, 0, "x"]')$$, 'PT400', 'An embedding must be an array of 3 numbers%'),
  ($$pg_temp.item('alpha document', 1, '[1, 0, null]')$$, 'PT400', 'An embedding must be an array of 3 numbers%'),
  ($$pg_temp.item('alpha document', 1, '[1, 0, 1e39]')$$, 'PT400', 'An embedding must be an array of 3 numbers%'),
  ($$pg_temp.item('alpha document', 1, '[1, 0, 1e-9999]')$$, 'PT400', 'An embedding must be an array of 3 numbers%'),
  ($$pg_temp.item('alpha document', 1, '[0, 0, 0]')$$, 'PT400', 'An embedding must be an array of 3 numbers%'),
  ($$pg_temp.item('alpha document', 2, '[1, 0, 0]')$$, 'PT404', 'Page not found'),
  ($$pg_temp.item('nothing', 1, '[1, 0, 0]')$$, 'PT404', 'Document not found'),
  ($$pg_temp.item('alpha document', 1, '[1, 0, 0]') || pg_temp.item('beta document', 1, '[1, 0, 0]')$$, 'PT404', 'Document not found'),
  ($$pg_temp.item('alpha document', 1, '[1, 0, 0]'), repeat('x', 201)$$, 'PT400', 'The name of a model must have at most 200 characters')
) as t (given, code, message);

-- Reading.

select is(tests.outcomes($$ select from dossier.page_embeddings $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service 1', 'callers that read embeddings');
select is(tests.outcomes($$ insert into dossier.page_embeddings (document_id, page, organization_id, embedding) values (tests.id('beta document'), 1, tests.id('beta'), '[1,2,3]') $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', 'callers that insert them without the function');
select is(tests.outcomes($$ update dossier.page_embeddings set model = 'x' $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', 'callers that change them');
select is(tests.outcomes($$ delete from dossier.page_embeddings $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', 'callers that delete them');

-- Pages without an embedding, and deleted embeddings.

select tests.logout();
select is(tests.outcomes($$ select from dossier.pages_without_embedding(organization_id => tests.id('beta')) $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 1', 'only services can list the remaining pages');
select tests.login(null, 'service_role');
select results_eq($$ select * from dossier.pages_without_embedding(organization_id => tests.id('beta')) $$,
  $$ values (tests.id('beta document'), 1, 'hello', md5('hello')) $$, 'a page without embedding');
select is_empty($$ select from dossier.pages_without_embedding(organization_id => tests.id('alpha')) $$, 'none where all have one');
select isnt_empty($$ select from dossier.pages_without_embedding(model => 'model-b', organization_id => tests.id('alpha')) $$, 'unless it is of another model');
select tests.refuses($$ select from dossier.pages_without_embedding(0) $$, 'PT400', 'limit_count must be between 1 and 1000', 'no pages');
-- The trash.

select from dossier.delete_sessions(array[tests.id('alpha session')]);
select is(tests.outcomes($$ select from dossier.page_embeddings $$),
  'owner 0, admin 0, member 0, viewer 0, other 0, nobody 0, anon 42501, service 1', 'embeddings of what is in the trash are not there');
select is(tests.outcomes($$ select dossier.save_embeddings(pg_temp.item('alpha document', 1, '[1, 0, 0]')) $$),
  'owner PT404, admin PT404, member PT404, viewer PT404, other PT404, nobody PT404, anon 42501, service PT404', 'embeddings cannot be saved, either');
select is_empty($$ select from dossier.pages_without_embedding(model => 'model-b', organization_id => tests.id('alpha')) $$, 'pages without embedding cannot be listed, either');
select from dossier.restore_session(tests.id('alpha session'));
select tests.logout();
update dossier.document_pages set text = ' ' where document_id = tests.id('beta document');
select is_empty($$ select from dossier.pages_without_embedding(organization_id => tests.id('beta')) $$, 'a blank page needs none');

select tests.refuses($$ select dossier.disable_embeddings() $$, 'PT409', 'There are embeddings of pages', 'they are not dropped by accident');
update dossier_private.jobs set status = 'running', attempts = 1, lease_expires_at = now() + interval '1 minute', worker = 'test' where document_id = tests.id('alpha document');
select ok(dossier.complete_job((select id from dossier_private.jobs where document_id = tests.id('alpha document') and kind = 'extract'), 1,
  '[{"page": 1, "text": "hello again"}]'), 'a document is read again');
select is_empty($$ select from dossier.page_embeddings $$, 'and its embeddings are gone');
select is(dossier.disable_embeddings(), true, 'disabled');
select hasnt_table('dossier', 'page_embeddings', 'the table is gone');
select is_empty($$ select * from dossier_private.doctor_schema() $$, 'and not missed');

select * from finish();
rollback;
