-- Names similar to the words of a query, with pg_trgm. See ../../setup.sql for how to run this.

begin;
select plan(12);
select tests.fixture();
update dossier.documents set name = 'Signed contract 2026.pdf' where id in (tests.id('alpha document'), tests.id('alpha upload'));
update dossier.documents set name = 'Łódź Straße.txt' where id = tests.id('beta document');

create function pg_temp.named(query text) returns text
language sql as $$ select string_agg(hit.document_name, ', ') from dossier.search(query) as hit where hit.kind = 'name' $$;

select tests.login('alpha-viewer');
select is(pg_temp.named(query), found, format('%s finds %s', query, coalesce(found, 'nothing')))
from (values
  ('contract', 'Signed contract 2026.pdf'), ('contrcat', 'Signed contract 2026.pdf'), ('CONTRAKT', 'Signed contract 2026.pdf'),
  ('signd contract', 'Signed contract 2026.pdf'), ('contraception', null), ('invoice', null), ('2027', null)
) as t (query, found);
select is((select rank from dossier.search('contract') where kind = 'name'), 1::real, 'all words rank first');
select ok((select rank from dossier.search('contrcat') where kind = 'name') between 0.125 and 0.25, 'a similar name ranks below pages with all words');
select is(tests.outcomes($$ select from dossier.search('contrcat') $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service PT400', 'callers that find it');
select tests.login('beta-viewer');
select is(pg_temp.named('lodz strase'), 'Łódź Straße.txt', 'accents do not matter');
select is(pg_temp.named('contrcat'), null, 'another organization''s name');
select tests.logout();

select * from finish();
rollback;
