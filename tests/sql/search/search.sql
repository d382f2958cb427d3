-- Search: what is found, with which words, by whom. See ../setup.sql for how to run this.

begin;
select plan(95);
set local default_text_search_config = 'pg_catalog.english';
select tests.fixture();

-- A document of each tenant, indexed as complete_job() leaves it.
create function pg_temp.document(name text, tenant text, pages text[], media_type text default 'text/plain') returns void
language plpgsql as $$
#variable_conflict use_variable
begin
  insert into dossier.documents (id, session_id, organization_id, user_id, name, media_type, size_bytes, sha256, status)
  values (tests.id(name), tests.id(tenant || ' session'), tests.id(tenant), tenant || '-member', name, media_type, 1, repeat('a', 64), 'extracting');
  insert into dossier.document_pages (document_id, organization_id, page, text)
  select tests.id(name), tests.id(tenant), n, t from unnest(pages) with ordinality as p (t, n);
  update dossier.documents set status = 'ready' where id = tests.id(name);
end
$$;
create function pg_temp.found(query text, after text default null) returns text
language sql as $$
  select string_agg(concat_ws(' ', hit.kind, coalesce(hit.document_name, (select title from dossier.sessions s where s.id = hit.session_id)), hit.page), ', ')
  from dossier.search(query, after => after) as hit
$$;
select pg_temp.document('contract.pdf', 'alpha', array[
  'The running horses of Zürich are a sight to behold.', 'A café in the old town. The contract is void.',
  'Terms: payment within thirty days after the invoice.'], 'application/pdf');
select pg_temp.document('contract.pdf of beta', 'beta', array['The contract of beta, a café in Zürich.']);
select tests.login('alpha-member');
select from dossier.save_context(tests.id('alpha session'), 'They want the horses by Friday.', '{"customer": {"name": "Initech"}, "n": 7}');
select tests.logout();

select is(tests.outcomes($$ select from dossier.search('contract') $$),
  'owner 2, admin 2, member 2, viewer 2, other 2, nobody 0, anon 42501, service PT400', 'callers that find pages');
select is(tests.outcomes($$ select from dossier.search('contract', organization_id => tests.id('alpha')) $$),
  'owner 2, admin 2, member 2, viewer 2, other PT404, nobody PT404, anon 42501, service 2', 'callers that search an organization');
select is(tests.outcomes($$ select from dossier.search('contract', tests.id('alpha session')) $$),
  'owner 2, admin 2, member 2, viewer 2, other PT404, nobody PT404, anon 42501, service 2', 'callers that search a session');
select tests.login('alpha-viewer');
select results_eq($$ select kind, session_id, document_id, document_name, page, snippet from dossier.search('contract') $$, $$ values
  ('name', tests.id('alpha session'), tests.id('contract.pdf'), 'contract.pdf', null, 'contract.pdf'),
  ('page', tests.id('alpha session'), tests.id('contract.pdf'), 'contract.pdf', 2, 'A café in the old town. The <mark>contract</mark> is void.') $$,
  'the columns of a hit');
select results_eq($$ select kind, session_id, document_id, document_name, page, snippet from dossier.search('initech') $$,
  $$ values ('context', tests.id('alpha session'), null::uuid, null, null::integer, E'They want the horses by Friday.\nname: <mark>Initech</mark>') $$,
  'a context is found, by its metadata too');
select is(pg_temp.found('hello'), null, 'a document that never became ready is not found');

-- Words.

select is(pg_temp.found(query), expected, format('%s finds %s', query, coalesce(expected, 'nothing')))
from (values
  ('CAFE', 'page contract.pdf 2'),
  ('café', 'page contract.pdf 2'),
  ('Zurich', 'page contract.pdf 1'),
  ('cafe -contract', null),
  ('"old town"', 'page contract.pdf 2'),
  ('"town old"', null),
  ('invoice or zürich', 'page contract.pdf 1, page contract.pdf 3'),
  ('pay* invo*', 'page contract.pdf 3'),
  ('"within thir*"', 'page contract.pdf 3'),
  ('pa*', null), -- two letters count as a word
  ('horse', 'context alpha session, page contract.pdf 1'), -- as in English, the language of the database
  ('horse*', 'context alpha session, page contract.pdf 1'),
  ('&|!()<->:*''"\', null),
  ('zq1zq*', null)
) as t (query, expected);
select tests.logout();
select ok((select bool_and(entry.config = 'simple+english') from dossier_private.search_entries as entry where entry.organization_id = tests.id('alpha')), 'no language: whole words, and the language of the database');
select is(dossier_private.search_config('eng') || dossier_private.search_config('deu') || dossier_private.search_config('jpn') || dossier_private.search_config(null),
  'englishgermansimplesimple', 'languages have configurations');
select is_empty($$
  select language from unnest(array['ara','cat','dan','deu','ell','eng','eus','fin','fra','gle','hin','hun','hye','ind','ita','lit','nep','nld','nno','nob','nor','por','ron','rus','spa','srp','swe','tam','tur','yid','xxx']) as language
  where not exists (select from pg_ts_config where cfgnamespace = 'pg_catalog'::regnamespace and cfgname = dossier_private.search_config(language))
$$, 'which all exist');
update dossier.documents set status = 'extracting' where id = tests.id('contract.pdf');
update dossier.documents set status = 'ready', language = 'eng' where id = tests.id('contract.pdf');
select tests.login('alpha-viewer');
select is(pg_temp.found('horse'), 'page contract.pdf 1, context alpha session', 'English: any form of a word');
select is(pg_temp.found('the horses'), 'page contract.pdf 1, context alpha session', 'each text in its own language');
select is(pg_temp.found('horses -friday'), 'page contract.pdf 1', 'excluded words, too');
select is(pg_temp.found('horses,sight;behold'), 'page contract.pdf 1, context alpha session', 'a comma is a space');
select is(pg_temp.found('the'), 'context alpha session', 'where a word is a stop word it finds nothing');
select is((select snippet from dossier.search('runs')), 'The <mark>running</mark> horses of Zürich are a sight to behold.', 'the form that is there is marked');

-- Excerpts.

select tests.logout();
select is(dossier_private.context_words('Said.', '{"stage": "won", "people": [{"name": "Ada"}, "Bo"], "n": 7, "empty": {}, "none": null}'), E'Said.\nstage: won\nname: Ada\npeople: Bo', 'strings of metadata with their keys');
select is(dossier_private.highlight('simple', text, dossier_private.parse_search('simple', query)), expected, query || ' in ' || left(text, 30))
from (values
  ('a <b>bold</b> & "new" word', 'bold', 'a &lt;b&gt;<mark>bold</mark>&lt;/b&gt; &amp; &quot;new&quot; word'),
  ('<mark>x</mark> y', 'y', '&lt;mark&gt;x&lt;/mark&gt; <mark>y</mark>'),
  (U&'Zu\0308rich und Ölmühle', 'olmuhle', 'Zürich und <mark>Ölmühle</mark>'),
  (U&'private \E000 marks \E001 vanish', 'marks', 'private   <mark>marks</mark>   vanish'),
  (repeat('word ', 10000) || 'needle here', 'needle', repeat('word ', 16) || '<mark>needle</mark> here'),
  ('nothing of it', 'else', 'nothing of it'),
  (repeat('whole words ', 30), 'else', rtrim(repeat('whole words ', 20))),
  ('', 'x', '')
) as t (text, query, expected);

-- Pages of results.

select pg_temp.document('many', 'alpha', array(select 'paging ' || repeat('paging ', n % 3) || n from generate_series(1, 50) as n));
select tests.login('alpha-viewer');
create function pg_temp.page_through(size integer) returns text[]
language plpgsql as $$
declare
  hit record;
  seen text[] := '{}';
  before integer;
begin
  loop
    before := cardinality(seen);
    for hit in select * from dossier.search('paging', limit_count => size, after => seen[cardinality(seen)]) loop
      seen := seen || hit.cursor;
    end loop;
    exit when cardinality(seen) = before or before > 1000;
  end loop;
  return seen;
end
$$;
select is(pg_temp.page_through(7), pg_temp.page_through(100), 'page by page as in one go');
select is(cardinality(pg_temp.page_through(7)), 50, 'all of them');
select is((select count(distinct c)::integer from unnest(pg_temp.page_through(3)) as c), 50, 'each once');
set local extra_float_digits = 0;
select is(cardinality(pg_temp.page_through(3)), 50, 'also if the connection prints numbers with fewer digits');
reset extra_float_digits;
select is((select count(*)::integer from dossier.search('paging')), 20, 'twenty unless more are asked for');
select ok((select bool_and(later <= earlier) from (select rank as later, lag(rank) over () as earlier from dossier.search('paging', limit_count => 100)) as r), 'best first');

-- Names.

select tests.logout();
select pg_temp.document('outlook-economic_2026.txt', 'beta', array['nothing']);
select pg_temp.document('linguex.doc', 'beta', array['nothing']);
select tests.login('beta-viewer');
select is((select string_agg(hit.document_name, ', ') from dossier.search(query) as hit where hit.kind = 'name'), expected, format('names with %s', query))
from (values
  ('economic outlook', 'outlook-economic_2026.txt'), ('econ look', 'outlook-economic_2026.txt'), ('"economic outlook"', null),
  ('"outlook economic"', 'outlook-economic_2026.txt'), ('linguex -doc', null), ('linguex -pdf', 'linguex.doc'), ('linguex or polyglossia', 'linguex.doc'),
  ('"', null), ('-', null)
) as t (query, expected);
select tests.login('alpha-viewer');

-- Filters.

select is((select count(*)::integer from dossier.search(query, media_type => of_type, since => from_time, until => to_time)), expected,
  concat_ws(' ', query, of_type, from_time > now(), to_time > now()))
from (values
  ('contract', 'application/pdf', null::timestamptz, null::timestamptz, 2), ('contract', 'application/*', null, null, 2), ('contract', 'text/plain', null, null, 0),
  ('contract', 'application/p_f', null, null, 0), ('contract', 'Application/PDF', null, null, 2), ('contract', '*/pdf', null, null, 2), ('contract', null, now() - interval '1 day', null, 2), ('contract', null, now() + interval '1 day', null, 0),
  ('contract', null, null, now() - interval '1 day', 0), ('contract', null, null, now() + interval '1 day', 2),
  ('initech', null, now() - interval '1 day', now() + interval '1 day', 1), ('initech', null, now() + interval '1 day', null, 0), ('initech', 'text/*', null, null, 0)
) as t (query, of_type, from_time, to_time, expected);

-- Refusals.

select tests.refuses(statement, code, message, what)
from (values
  ($$ select from dossier.search(null) $$, 'PT400', 'The query must have 1 to 1000 characters', 'no query'),
  ($$ select from dossier.search(E' \n') $$, 'PT400', 'The query must have 1 to 1000 characters', 'a blank query'),
  ($$ select from dossier.search(repeat('x', 1001)) $$, 'PT400', 'The query must have 1 to 1000 characters', 'a long query'),
  ($$ select from dossier.search('x', limit_count => 0) $$, 'PT400', 'limit_count must be between 1 and 100', 'no rows'),
  ($$ select from dossier.search('x', limit_count => 101) $$, 'PT400', 'limit_count must be between 1 and 100', 'too many rows'),
  ($$ select from dossier.search('x', after => 'x') $$, 'PT400', 'after is not a valid cursor', 'a malformed cursor'),
  ($$ select from dossier.search('x', after => '1 page ''') $$, 'PT400', 'after is not a valid cursor', 'a hostile cursor'),
  ($$ select from dossier.search('x', after => '1e-99 page ' || tests.id('x')) $$, 'PT400', 'after is not a valid cursor', 'a rank out of range'),
  ($$ select from dossier.search('x', after => repeat('9', 400) || ' page ' || tests.id('x')) $$, 'PT400', 'after is not a valid cursor', 'a rank with too many digits'),
  ($$ select from dossier.search('x', media_type => 'pdf') $$, 'PT400', 'media_type is not a valid filter', 'half a type'),
  ($$ select from dossier.search('x', media_type => 'text/%') $$, 'PT400', 'media_type is not a valid filter', 'another wildcard'),
  ($$ select from dossier.search('x', media_type => '\') $$, 'PT400', 'media_type is not a valid filter', 'a backslash')
) as t (statement, code, message, what);
select tests.refuses($$ select from dossier.search('x', tests.id('nothing')) $$, 'PT404', 'Session not found', 'a session that does not exist');
select tests.refuses($$ select from dossier.search('x', tests.id('alpha session'), tests.id('beta')) $$, 'PT404', 'Session not found', 'a session of another organization than named');
select tests.login(null, 'service_role');
select tests.refuses($$ select from dossier.search('x') $$, 'PT400', 'organization_id or session_id is missing', 'a service that does not say where');
select tests.refuses($$ select from dossier.search('x', organization_id => tests.id('nothing')) $$, 'PT404', 'Organization not found', 'an organization that does not exist');

-- Changes.

select tests.logout();
update dossier.document_pages set text = 'unsearched' where document_id = tests.id('many');
update dossier.documents set status = 'extracting' where id = tests.id('many');
update dossier.documents set status = 'ready' where id = tests.id('many');
select tests.login('alpha-viewer');
select is(pg_temp.found('paging'), null, 'a document that is read again loses its old words');
select is((select count(*)::integer from dossier.search('unsearched', limit_count => 100)), 50, 'and has the new ones');
select tests.login('alpha-member');
select from dossier.save_context(tests.id('alpha session'), 'No animals.');
select is(pg_temp.found('friday'), null, 'a context that is saved loses its old words');
select is(pg_temp.found('animals'), 'context alpha session', 'and has the new ones');
select ok(dossier.delete_document(tests.id('contract.pdf')), 'a document is deleted');
select is(pg_temp.found('invoice'), null, 'and its words with it');
delete from dossier.sessions where id = tests.id('alpha session');
select is(pg_temp.found('animals or unsearched'), null, 'and a session''s');
select tests.logout();
select is_empty($$ select from dossier_private.search_entries where organization_id = tests.id('alpha') $$, 'nothing is left of them');

-- An entry with false lexemes still belongs to its own organization.

update dossier_private.search_entries set search = dossier_private.search_vector(config, 'smuggled', array[tests.id('alpha')]) where organization_id = tests.id('beta');
insert into dossier.sessions (id, organization_id, user_id) values (tests.id('new'), tests.id('alpha'), 'alpha-member');
select tests.login('alpha-member');
select from dossier.save_context(tests.id('new'), 'x');
select is(pg_temp.found('smuggled'), null, 'the column decides, not the lexeme');
select tests.logout();

-- New words wait in the index's pending list. They are found all the same, as everything above proves.

select is(tests.outcomes($$ select from dossier.index_pending_words() $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 1', 'callers that may merge pending words');
select pg_temp.document('late.txt', 'beta', array['One more.']);
select tests.login(null, 'service_role');
select cmp_ok(dossier.index_pending_words(), '>', 0::bigint, 'a worker does');
select is(dossier.index_pending_words(), 0::bigint, 'once');
select tests.logout();
select pg_temp.document('later.txt', 'beta', array['And another.']);
select tests.login(null, 'service_role');
select from dossier.sweep();
select is(dossier.index_pending_words(), 0::bigint, 'so does a sweep');
select tests.logout();

select * from finish();
rollback;
