-- Every example of docs/search.md. See ../setup.sql for how to run this.

begin;
select plan(54);
set local default_text_search_config = 'pg_catalog.english';
select tests.fixture();

\set docs `cat docs/search.md`

create function pg_temp.page(name text, content text, language text) returns void
language plpgsql as $$
#variable_conflict use_variable
begin
  insert into dossier.documents (id, session_id, organization_id, user_id, name, media_type, size_bytes, sha256, status, language)
  values (tests.id(name), tests.id('alpha session'), tests.id('alpha'), 'alpha-member', name, 'text/plain', 1, repeat('a', 64), 'extracting', language);
  insert into dossier.document_pages (document_id, organization_id, page, text) values (tests.id(name), tests.id('alpha'), 1, content);
  update dossier.documents set status = 'ready' where id = tests.id(name);
end
$$;

-- A query of the documentation, a text that it finds, and one that it does not find.
create temporary table examples (place serial, query text, language text, found text, other text);
insert into examples (query, language, found, other) values
  ('cafe contract', 'eng', 'Contracts of the Cafés.', 'A tea house.'),
  ('how long is the notice period?', 'eng', 'A notice period of three months.', 'A lease of flats.'),
  ('"old town"', 'eng', 'In the old town.', 'The town is old.'),
  ('invoice or bill', 'eng', 'Pay the bill.', 'Pay the rent.'),
  ('contract -draft', 'eng', 'The contract.', 'The draft of the contract.'),
  ('hors*', 'eng', 'Her horsemanship.', 'His house.'),
  ('read/write', 'eng', 'A read/write head.', 'Write, then read.'),
  ('report.pdf', 'eng', 'See report.pdf there.', 'A pdf of the report.'),
  ('e-mai*', 'eng', 'By e-mail.', 'By mail, e.'),
  ('東京都', 'jpn', '東京都庁', '京都の東'),
  ('서울', 'kor', '서울에서', '부산에서'),
  ('กรุงเทพ', 'tha', 'อยู่ที่กรุงเทพมหานคร', 'เชียงใหม่'),
  ('lodz', 'pol', 'Łódź', 'Radom'), ('strasse', 'deu', 'Straße', 'Gasse'), ('aegir', 'isl', 'Ægir', 'Njord'),
  ('12345', 'eng', '12,345 pieces', '1,234 pieces'), ('12,345', 'eng', '12345 pieces', '1234 pieces'),
  ('DE89370400440532013000', 'eng', 'to DE89 3704 0044 0532 0130 00', 'to DE89 3704 0044 0532 0130 01'),
  ('DE89 3704 0044 0532 0130 00', 'eng', 'to DE89370400440532013000', 'to nobody'),
  ('follow-up', 'eng', 'The followup.', 'The fellowship.'), ('followup', 'eng', 'The follow-up.', 'The fellowship.'),
  ('PO-2025-4134', 'eng', 'Order PO20254134', 'Order 99'), ('PO20254134', 'eng', 'Order PO-2025-4134', 'Order PO-2025-4135'),
  ('AT&T', 'eng', 'Calls by AT&T.', 'At tea.'),
  ('The Who', 'eng', 'The Who play.', 'Who plays?'), ('will.i.am', 'eng', 'A song by will.i.am.', 'I am here and will sing.'), ('to be or not to be', 'eng', 'To be or not to be, he said.', 'To have.'), ('IT', 'eng', 'IT helps.', 'It helps.'),
  ('Pumpe', 'deu', 'Die Umwälzpumpe.', 'Der Filter.');

select ok(position('`' || e.query || '`' in :'docs') > 0, 'the documentation has ' || e.query) from examples as e
where e.place between 1 and 12 order by e.place;
select is_empty(format($$
  select example.query
  from regexp_matches(%L, '\n\| (`[^|]+`) \| [^|\n]+ \|', 'g') as line (cells)
  cross join regexp_matches(line.cells[1], '`([^`]+)`', 'g') as example (query)
  where line.cells[1] not like '%%pgvector%%' and example.query[1] not in (select e.query from examples as e)
$$, split_part(:'docs', '## Limits', 1)), 'and no other in its table');

create function pg_temp.finds(example examples) returns text[]
language plpgsql as $$
declare
  names text[];
begin
  perform pg_temp.page('found', example.found, example.language), pg_temp.page('other', example.other, example.language);
  perform tests.login('alpha-viewer');
  select array_agg(distinct hit.document_name order by hit.document_name) into names
  from dossier.search(example.query, organization_id => tests.id('alpha')) as hit
  where hit.kind = 'page' and hit.corrected is null;
  perform tests.logout();
  delete from dossier.documents where id in (tests.id('found'), tests.id('other'));
  return names;
end
$$;
select is(pg_temp.finds(e), '{found}', format('%s finds %s, not %s', e.query, e.found, e.other)) from examples as e order by e.place;

-- The rest of what the rows of the table say.

select pg_temp.page('parts', 'A read/write head. See report.pdf, sent by e-mail. The horse.', 'eng');
select pg_temp.page('all', 'The notice period is how long?', 'eng');
select pg_temp.page('most', 'A period of rest, long.', 'eng');
select pg_temp.page('letters', E'東京\n都庁 ＧＰＵ', 'jpn');
create function pg_temp.found(query text) returns text[] language sql as $$
  select array_agg(hit.document_name order by hit.rank desc) from dossier.search(query) as hit where hit.kind = 'page'
$$;
select tests.login('alpha-viewer');
select is(pg_temp.found(part), '{parts}', 'a part of a compound alone: ' || part) from unnest(array['read', 'write', 'report', 'pdf', 'mail']) as part;
select is(pg_temp.found('hor*'), '{parts}', 'three letters of a prefix');
select is(pg_temp.found('ho*'), null, 'two are too few');
select is(pg_temp.found('how long is the notice period?'), '{all,most}', 'texts with all words, then those with most');
select is(array(select pg_temp.found(query)::text from unnest(array['東京都', '京', 'GPU']) as query), array['{letters}', '{letters}', '{letters}'],
  'letters across a line break, a single one, and full-width ones');
select tests.logout();
delete from dossier.documents where id in (tests.id('parts'), tests.id('all'), tests.id('most'), tests.id('letters'));

select pg_temp.page('contract', 'A contract.', 'eng');
select tests.login('alpha-viewer');
select is((select array[hit.rank > 0.5, hit.missing = '{}'] from dossier.search('the contract of a') as hit where hit.kind = 'page'), '{t,t}', 'all words rank above a half');
select is((select array[hit.rank < 0.5, hit.missing = '{lease}'] from dossier.search('lease contract') as hit where hit.kind = 'page'), '{t,t}', 'others below');
select is((select hit.corrected from dossier.search('contrcat') as hit where hit.kind = 'page'), '{"contrcat": "contract"}', 'what is corrected is reported');
select tests.logout();

select * from finish();
rollback;
