-- Records: how rows appear in responses and bundles. See ../setup.sql for how to run this.

begin;
select plan(18);
select tests.fixture();

create function pg_temp.keys(record jsonb) returns text
language sql as $$ select string_agg(key, ' ' order by key) from jsonb_object_keys(record) as key $$;

-- Permissions: all callers see their own rows.

select is(tests.outcomes($$ select dossier.session_record(s) from dossier.sessions as s where s.id = tests.id('alpha session') $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service 1', 'sessions');
select is(tests.outcomes($$ select dossier.context_record(c) from dossier.session_context as c where c.session_id = tests.id('alpha session') $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service 1', 'contexts');
select is(tests.outcomes($$ select dossier.context_version_record(v) from dossier.session_context_versions as v where v.session_id = tests.id('alpha session') $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service 1', 'versions of contexts');
select is(tests.outcomes($$ select dossier.document_record(d) from dossier.documents as d where d.id = tests.id('alpha document') $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service 1', 'documents');
select is(tests.outcomes($$ select dossier.page_record(p) from dossier.document_pages as p where p.document_id = tests.id('alpha document') $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service 1', 'pages');
select is(tests.outcomes($$ select dossier.bundle_session(s) from dossier.sessions as s where s.id = tests.id('alpha session') $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service 1', 'sessions of bundles');
select is(tests.outcomes($$ select dossier.bundle_document(d) from dossier.documents as d where d.id = tests.id('alpha document') $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service 1', 'documents of bundles');
select is(tests.outcomes($$ select dossier.bundle_page(p) from dossier.document_pages as p where p.document_id = tests.id('alpha document') $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service 1', 'pages of bundles');

-- What they hold.

select is(dossier.session_record(s, with_context => true) #- '{created_at}' #- '{updated_at}' #- '{context,updated_at}', jsonb_build_object(
    'id', tests.id('alpha session'), 'organization_id', tests.id('alpha'), 'user_id', 'alpha-member', 'title', 'alpha session',
    'conversation_type', 'meeting', 'status', 'active', 'context', '{"text_context": "alpha context", "context_metadata": {}, "version": 1,
    "updated_by": "alpha-member"}'::jsonb), 'a session with its context')
from dossier.sessions as s where s.id = tests.id('alpha session');
delete from dossier.session_context where session_id = tests.id('beta session');
select is(dossier.session_record(s, with_context => true) -> 'context', 'null', 'a session without one')
from dossier.sessions as s where s.id = tests.id('beta session');
select ok(not dossier.session_record(s) ? 'context', 'the context comes only when asked for')
from dossier.sessions as s where s.id = tests.id('alpha session');
select is(pg_temp.keys(dossier.document_record(d)),
  'created_at error_code error_message file_metadata id language media_type metadata name ocr_page ocr_pages ocr_status organization_id page_count session_id sha256 size_bytes status token_count updated_at',
  'a document')
from dossier.documents as d where d.id = tests.id('alpha document');
select is(dossier.page_record(p), '{"page": 1, "text": "hello", "source": "text", "confidence": null, "engine": null, "quality": null,
  "reason": null, "token_count": 2, "structure": null}', 'a page')
from dossier.document_pages as p where p.document_id = tests.id('alpha document');
update dossier.documents set status = 'extracting' where id = tests.id('alpha document');
select is(dossier.bundle_document(d) ->> 'status', 'stored', 'what is being extracted is exported as stored')
from dossier.documents as d where d.id = tests.id('alpha document');

-- An import takes what an export makes.

select is(pg_temp.keys(dossier.bundle_session(s)), pg_temp.keys(dossier_private.bundle_shape('session')), 'a session of a bundle has the keys that an import takes')
from dossier.sessions as s where s.id = tests.id('alpha session');
select is(pg_temp.keys(dossier.context_version_record(v)), pg_temp.keys(dossier_private.bundle_shape('context_version')), 'so has a version')
from dossier.session_context_versions as v where v.session_id = tests.id('alpha session');
select is(pg_temp.keys(dossier.bundle_document(d)), pg_temp.keys(dossier_private.bundle_shape('document')), 'a document')
from dossier.documents as d where d.id = tests.id('alpha document');
select is(pg_temp.keys(dossier.bundle_page(p)), pg_temp.keys(dossier_private.bundle_shape('page')), 'and a page')
from dossier.document_pages as p where p.document_id = tests.id('alpha document');

select * from finish();
rollback;
