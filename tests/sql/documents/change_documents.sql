-- Changing documents, and finding those that a session has. See ../setup.sql for how to run this.

begin;
select plan(45);
select tests.fixture();

-- update_document.

select is(tests.outcomes($$ select dossier.update_document(tests.id('alpha document'), '{"name": "new.txt"}') $$),
  'owner 1, admin 1, member 1, viewer 42501, other PT404, nobody PT404, anon 42501, service 1', 'callers that change a document');
select tests.login('alpha-member');
select results_eq($$ select d.name, d.metadata, d.language from dossier.update_document(tests.id('alpha document'), '{"name": "Plan.txt", "metadata": {"a": 1}}') as d $$,
  $$ values ('Plan.txt', '{"a": 1}'::jsonb, null::text) $$, 'given fields change, omitted ones do not');
select results_eq($$ select d.name, d.metadata, d.language from dossier.update_document(tests.id('alpha document'), '{"metadata": {"b": 2}, "language": "deu"}') as d $$,
  $$ values ('Plan.txt', '{"b": 2}'::jsonb, 'deu') $$, 'metadata is replaced');
select is((dossier.update_document(tests.id('alpha document'), '{"language": null}')).language, null, 'a language can be unknown');
select is((dossier.update_document(tests.id('alpha document'), '{}')).name, 'Plan.txt', 'nothing changes nothing');
select tests.refuses(format('select dossier.update_document(tests.id(%L), %L)', 'alpha document', changes), 'PT400', 'changes must be an object with name, metadata or language', changes)
from unnest(array['[]', 'null', '"name"', '{"status": "ready"}', '{"sha256": null}', '{"name": 7}', '{"name": null}', '{"language": "de"}', '{"language": "DEU"}', '{"language": 7}', '{"name": "x", "id": null}']) as changes;
select tests.refuses($$ select dossier.update_document(tests.id('alpha document'), null) $$, 'PT400', 'changes must be an object with name, metadata or language', 'null');
select tests.refuses(format('select dossier.update_document(tests.id(''alpha document''), %L)', jsonb_build_object('name', name)), 'PT400', 'Invalid document name', 'the name ' || left(name, 10))
from unnest(array['', '../x', E'a\tb', repeat('x', 256)]) as name;
select tests.refuses(format('select dossier.update_document(tests.id(''alpha document''), %L)', jsonb_build_object('metadata', metadata)), 'PT400', 'metadata must be a JSON object of at most 65536 bytes', 'the metadata ' || left(metadata::text, 10))
from unnest(array['[]', 'null', '"x"', jsonb_build_object('x', repeat('x', 65536))]::jsonb[]) as metadata;
select is((select name from dossier.documents where id = tests.id('alpha document')), 'Plan.txt', 'a refused change changes nothing');
select tests.refuses($$ select dossier.update_document(tests.id('beta document'), '{}') $$, 'PT404', 'Document not found', 'another tenant''s');
select tests.refuses($$ select dossier.update_document(null, '{}') $$, 'PT404', 'Document not found', 'no document');
select tests.logout();

-- The language decides how a text is searched.

update dossier.document_pages set text = 'Die Häuser wurden gestern verkauft.' where document_id = tests.id('alpha document');
select dossier_private.index_document(tests.id('alpha document'));
select tests.login('alpha-member');
select is((select count(*)::integer from dossier.search('Haus')), 0, 'in an unknown language words are matched whole');
select is((dossier.update_document(tests.id('alpha document'), '{"language": "deu"}')).language, 'deu', 'the language becomes known');
select is(array(select h.document_id from dossier.search('haus') as h), array[tests.id('alpha document')], 'a known language is stemmed');
select is((dossier.update_document(tests.id('alpha document'), '{"language": null}')).language, null, 'the language is forgotten');
select is((select count(*)::integer from dossier.search('haus')), 0, 'and with it the stems');

-- One in the trash.

select from dossier.delete_sessions(array[tests.id('alpha session')]);
select tests.refuses($$ select dossier.update_document(tests.id('alpha document'), '{"name": "x"}') $$, 'PT404', 'Document not found', 'a document in the trash');
select from dossier.restore_session(tests.id('alpha session'));
select tests.logout();

-- known_documents.

select is(tests.outcomes($$ select from dossier.known_documents(tests.id('alpha session'), array[encode(sha256('hello'), 'hex')]) $$),
  'owner 1, admin 1, member 1, viewer 1, other PT404, nobody PT404, anon 42501, service 1', 'callers that find documents by their digests');
select tests.login('alpha-viewer');
select is(array(select d.id from dossier.known_documents(tests.id('alpha session'), array[repeat('0', 64), upper(encode(sha256('hello'), 'hex'))]) as d),
  array[tests.id('alpha document')], 'only those that exist, in either case');
select is_empty($$ select from dossier.known_documents(tests.id('alpha session'), array[repeat('0', 64)]) $$, 'none is known');
select tests.logout();
insert into dossier.documents (id, session_id, organization_id, user_id, name, media_type, size_bytes, sha256, status, error_code, error_message, created_at)
select tests.id(status), tests.id('alpha session'), tests.id('alpha'), 'x', 'again.txt', 'text/plain', 5, encode(sha256('hello'), 'hex'), status, 'x', 'x', now() + after
from (values ('ready', interval '1 minute'), ('failed', interval '2 minutes')) as t (status, after);
select tests.login('alpha-viewer');
select is(array(select d.id from dossier.known_documents(tests.id('alpha session'), array[encode(sha256('hello'), 'hex')]) as d), array[tests.id('ready')], 'of several the newest that did not fail');
select tests.login(null, 'service_role');
select is((select count(*)::integer from dossier.known_documents(tests.id('alpha session'), array[repeat('1', 64), encode(sha256('hello'), 'hex')])), 1, 'one for each digest');
select tests.login('alpha-viewer');
select tests.refuses(format('select from dossier.known_documents(tests.id(''alpha session''), %L)', sha256), 'PT400', 'sha256 must have 1 to 1000 digests of 64 hexadecimal digits', 'the digests ' || coalesce(left(sha256::text, 20), 'null'))
from (values (null), ('{}'), ('{abc}'), (format('{%s,NULL}', repeat('a', 64))), (array_fill(repeat('a', 64), array[1001])::text)) as t (sha256);
select tests.refuses($$ select from dossier.known_documents(tests.id('beta session'), array[repeat('a', 64)]) $$, 'PT404', 'Session not found', 'another tenant''s session');
select tests.logout();

select * from finish();
rollback;
