-- Misspelt words, parts of compounds, and names of stop words. See ../setup.sql for how to run this.

begin;
select plan(54);
set local default_text_search_config = 'pg_catalog.english';
select tests.fixture();

create function pg_temp.document(name text, tenant text, pages text[], language text) returns void
language plpgsql as $$
#variable_conflict use_variable
begin
  insert into dossier.documents (id, session_id, organization_id, user_id, name, media_type, size_bytes, sha256, status, language)
  values (tests.id(name), tests.id(tenant || ' session'), tests.id(tenant), tenant || '-member', name, 'text/plain', 1, repeat('a', 64), 'extracting', language);
  insert into dossier.document_pages (document_id, organization_id, page, text)
  select tests.id(name), tests.id(tenant), n, t from unnest(pages) with ordinality as p (t, n);
  update dossier.documents set status = 'ready' where id = tests.id(name);
end
$$;
create function pg_temp.found(query text, most integer default 1) returns text
language sql as $$
  select string_agg(concat_ws(' ', hit.document_name, hit.page), ', ')
  from dossier.search(query, organization_id => tests.id('alpha'), limit_count => most) as hit
  where hit.kind = 'page'
$$;

select pg_temp.document('report', 'alpha', array[
  'The technicians replaced the heating of the warehouse.', 'The subsidence of the ramp was measured by additional surveyors.', 'All invoices were paid.'], 'eng');
select pg_temp.document('Anleitung', 'alpha', array[
  'Die Umwälzpumpe und der Schmutzfilter werden monatlich gereinigt.', 'Die Kaution ist bei der Schlüsselübergabe fällig.', 'Der Schlüssel der Pumpe liegt bereit.'], 'deu');
select pg_temp.document('hyresavtal', 'alpha', array['Cykelförrådet hålls låst, och hemförsäkringen betalas av hyresgästen.'], 'swe');
select pg_temp.document('polis', 'alpha', array['Verzekeringspolissen worden jaarlijks getoond.'], 'nld');
select pg_temp.document('отчёт', 'alpha', array['Подрядчики заменили отопление склада.'], 'rus');
select pg_temp.document('secrets', 'beta', array['The zeppelin is moored in Vladivostok, says xylophonist Zebediah.'], 'eng');

-- Misspelt words.

select tests.login('alpha-viewer');
select is(pg_temp.found(query), found, format('%s finds %s', query, coalesce(found, 'nothing')))
from (values
  ('susbidence', 'report 2'), ('subsidnce', 'report 2'), ('subsiidence', 'report 2'), ('subsodence', 'report 2'), ('ubsidence', 'report 2'),
  ('tecnicians', 'report 1'), ('tecnician', 'report 1'), ('additonal', 'report 2'), ('Umwälzpumppe', 'Anleitung 1'), ('umwalzpumppe', 'Anleitung 1'),
  ('отоплние', 'отчёт 1'), ('wharehouse heatng', 'report 1'), ('which surveyers measured the subsidnce?', 'report 2'),
  ('subsdnce', null), ('4837', null), ('"susbidence"', null), ('susbidence -ramp', null), ('zepelin', null), ('Vladivostock', null)
) as t (query, found);
select is((select to_jsonb(hit) - 'cursor' - 'rank' - 'session_id' - 'document_id' - 'snippet' from dossier.search('wharehouse heatng') as hit where hit.page = 1 limit 1),
  '{"kind": "page", "document_name": "report", "page": 1, "heading": null, "missing": [], "contained": ["warehouse", "heating"], "corrected": {"wharehouse": "warehouse", "heatng": "heating"}}',
  'a result says what was searched instead');
select is((select hit.snippet from dossier.search('susbidence') as hit), 'The <mark>subsidence</mark> of the ramp was measured by additional surveyors.', 'and marks it');
select is((select hit.corrected from dossier.search('subsidence') as hit), null, 'a word that is there is not corrected');
select is((select hit.corrected from dossier.search('heating with additional pumps') as hit where hit.page = 1 and hit.document_name = 'report'), null, 'nor is a stop word of another language');
select is_empty($$ select from dossier.search('subsidence', media_type => 'image/*') $$, 'nor one that a filter excludes');
select is(pg_temp.found('susbidence', 5), 'report 2', 'nothing but the corrected word is searched');
select is(dossier.pack_context(tests.id('alpha session'), 'susbidence') #>> '{quotes,0,text}', 'The subsidence of the ramp was measured by additional surveyors.', 'a pack corrects, too');
select tests.logout();
select is((dossier_private.spelling_variants('ab'))[1:3], '{ba,a,b}', 'letters swapped, and one too many');
select ok(dossier_private.spelling_variants('ab') @> '{xab,axb,abx,xb,ax}', 'one missing, and a wrong one');
select is(cardinality(dossier_private.spelling_variants('ab')), 1 + 2 + 76 + 50, 'each slip once');
select is(dossier_private.spelling_variants('a1'), '{1a,1,a}', 'no letters of any alphabet');

-- Parts of compounds.

select tests.login('alpha-viewer');
select is(pg_temp.found(query), found, format('%s finds %s', query, coalesce(found, 'nothing')))
from (values
  ('Filter', 'Anleitung 1'), ('filter monatlich', 'Anleitung 1'), ('Übergabe', 'Anleitung 2'), ('Schlüssel Übergabe', 'Anleitung 2'), ('Übergabe des Schlüssels', 'Anleitung 2'),
  ('Pumpe', 'Anleitung 3'), ('Pumpe gereinigt', 'Anleitung 1'), ('cykel', 'hyresavtal 1'), ('hyra', null), ('försäkring', 'hyresavtal 1'), ('polissen', 'polis 1'),
  ('"Filter"', null), ('ware', null)
) as t (query, found);
select is(pg_temp.found('Pumpe', 5), 'Anleitung 3, Anleitung 1', 'the word itself comes first');
select is((select hit.snippet from dossier.search('Filter') as hit), 'Die Umwälzpumpe und der <mark>Schmutzfilter</mark> werden monatlich gereinigt.', 'the compound is marked');
select tests.logout();

-- Names of stop words.

select pg_temp.document('programme', 'alpha', array['The Who play at the arena.', 'IT repairs the printers.', 'To be or not to be is a comedy.', 'We asked who it was, and the man said that it was not to be.', 'The band plays a concert. The Who are on stage.', 'A concert of the band.'], 'eng');
select tests.login('alpha-viewer');
select is(pg_temp.found(query), found, format('%s finds %s', query, coalesce(found, 'nothing')))
from (values
  ('The Who', 'programme 1'), ('"the who"', 'programme 1'), ('IT', 'programme 2'), ('to be or not to be', 'programme 3'), ('it', null), ('the who concert', 'programme 5'), ('who are', 'programme 5')
) as t (query, found);
select is((select hit.snippet from dossier.search('The Who') as hit where hit.page = 1), '<mark>The</mark> <mark>Who</mark> play at <mark>the</mark> arena.', 'they are marked');
select tests.logout();
select is(array(select l collate "C" from unnest(dossier_private.stop_lexemes('english', 'IT was THE BEST of it', to_tsvector('simple', 'IT was THE BEST of it'))) as l order by 1), '{IT,THE,"it was","of it","was the"}'::text[], 'which the index has');

select * from finish();
rollback;
