-- The language of texts that do not show it themselves. See ../setup.sql for how to run this.

begin;
select plan(22);
set local default_text_search_config = 'pg_catalog.english';
select tests.fixture();
insert into dossier.documents (id, session_id, organization_id, user_id, name, media_type, size_bytes, sha256, status)
values (tests.id('list'), tests.id('alpha session'), tests.id('alpha'), 'alpha-member', 'list', 'text/plain', 1, repeat('a', 64), 'extracting');
insert into dossier.document_pages (document_id, organization_id, page, text) values (tests.id('list'), tests.id('alpha'), 1, 'Häuser, Gärten, Mieterinnen');
update dossier.documents set status = 'ready' where id = tests.id('list');
select tests.login('alpha-member');
select from dossier.save_context(tests.id('alpha session'), 'Sie suchen neue Wohnungen.');
create function pg_temp.found(query text) returns text
language sql as $$
  select string_agg(hit.kind, ', ' order by hit.kind) from dossier.search(query, organization_id => tests.id('alpha')) as hit where hit.corrected is null
$$;

select is(pg_temp.found('Haus'), null, 'a list is stemmed in the language of the database');
select is(pg_temp.found('Wohnung'), null, 'so is a context');
select is(dossier.set_language('deu', session_id => tests.id('alpha session')), '{"indexed": 2, "remaining": false}', 'a session gets a language');
select is(pg_temp.found('Haus'), 'page', 'its list is stemmed in it');
select is(pg_temp.found('Wohnung'), 'context', 'its context, too');
select from dossier.save_context(tests.id('alpha session'), 'Sie suchen neue Zimmer und Läden.');
select is(pg_temp.found('Laden'), 'context', 'and what is saved later');
select is(dossier.set_language('deu', session_id => tests.id('alpha session')), '{"indexed": 0, "remaining": false}', 'setting it again indexes nothing');
select is(dossier.set_language('eng', document_id => tests.id('list')), '{"indexed": 1, "remaining": false}', 'a document gets a language of its own');
select is(pg_temp.found('Haus'), null, 'which comes first');
select is(dossier.set_language(null, document_id => tests.id('list')), '{"indexed": 1, "remaining": false}', 'and loses it');
select is(pg_temp.found('Haus'), 'page', 'so the session decides');
select is(dossier.set_language(null, session_id => tests.id('alpha session')), '{"indexed": 2, "remaining": false}', 'a session loses its language');
select is(pg_temp.found('Haus'), null, 'so the database decides');
select tests.login('alpha-admin');
select is(dossier.set_language('deu', organization_id => tests.id('alpha')), '{"indexed": 2, "remaining": false}', 'an organization gets one');
select is(pg_temp.found('Haus'), 'page', 'for all its sessions');
select tests.logout();
select is((select language from dossier.organizations where id = tests.id('beta')), null, 'and no other organization');

select is(tests.outcomes($$ select from dossier.set_language('deu', session_id => tests.id('alpha session')) $$),
  'owner 1, admin 1, member 1, viewer 42501, other PT404, nobody PT404, anon 42501, service 1', 'callers that may set a session''s');
select is(tests.outcomes($$ select from dossier.set_language('deu', organization_id => tests.id('alpha')) $$),
  'owner 1, admin 1, member 42501, viewer 42501, other PT404, nobody PT404, anon 42501, service 1', 'callers that may set an organization''s');
select is(tests.outcomes($$ select from dossier.set_language('deu', document_id => tests.id('list')) $$),
  'owner 1, admin 1, member 1, viewer 42501, other PT404, nobody PT404, anon 42501, service 1', 'callers that may set a document''s');
select tests.login('alpha-member');
select tests.refuses(statement, code, message, what)
from (values
  ($$ select dossier.set_language('german', session_id => tests.id('alpha session')) $$, 'PT400', 'language is not a valid code', 'a name of a language'),
  ($$ select dossier.set_language('deu') $$, 'PT400', 'Exactly one of document_id, session_id and organization_id is required', 'no object'),
  ($$ select dossier.set_language('deu', session_id => tests.id('alpha session'), organization_id => tests.id('alpha')) $$, 'PT400', 'Exactly one of document_id, session_id and organization_id is required', 'two objects')
) as t (statement, code, message, what);
select tests.logout();

select * from finish();
rollback;
