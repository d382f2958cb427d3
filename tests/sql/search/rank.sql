-- Plain queries: texts with all words first, then those with most of them. See ../setup.sql for how to run this.

begin;
select plan(102);
set local default_text_search_config = 'pg_catalog.english';
select tests.fixture();

create function pg_temp.document(name text, tenant text, pages text[], language text default 'eng') returns void
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
create function pg_temp.found(query text, most integer default 20) returns text
language sql as $$
  select string_agg(concat_ws(' ', case when hit.kind <> 'page' then hit.kind end, hit.document_name, hit.page), ', ')
  from dossier.search(query, organization_id => tests.id('alpha'), limit_count => most) as hit
$$;
select pg_temp.document('lease', 'alpha', array[
  'The tenant pays a monthly rent of 900 euros. Pets are allowed in the apartment.',
  'The landlord may terminate the lease with a notice period of three months.',
  'The tenant terminates the lease in writing.']);
select pg_temp.document('insurance', 'alpha', array[
  'The insurance covers water damage in the apartment, and broken glass.',
  'A claim is reported within a notice period of two weeks.']);
select pg_temp.document('filler', 'alpha', array(select 'The report of week ' || n || ' has a table.' from generate_series(1, 30) as n));

-- Which words are asked, and whether they must match.

select is(dossier_private.has_operators(query), operators, format('%s: %s', query, case when operators then 'exact' else 'plain' end))
from (values
  ('which notice period?', false), ('"notice period"', true), ('“notice period”', true), ('„Kündigungsfrist“', true), ('« délai »', true),
  ('lease or rent', true), ('lease OR rent', true), ('orchard fork', false), ('or', false), ('lease -rent', true), ('-rent', true),
  ('follow-up', false), ('Leeds - Cork', false), ('Leeds -', false), ('rent*', true), ('the landlord’s', false), ('', false)
) as t (query, operators);
select is(dossier_private.query_words(query), words::text[], 'the words of ' || query)
from (values
  ('Which notice, which period?', '{"Which","notice,","which","period?"}'), ('rent;lease,notice', '{rent,lease,notice}'), ('rent rent', '{rent}'),
  ('client/server - 1,000 ?', '{client/server,"1,000",1000}'), ('東京都庁', '{東京都庁}'), ('契約の更新はいつ ですか', '{契約,約の,の更,更新,新は,ですか}'), (' ', '{}')
) as t (query, words);
select is(cardinality(dossier_private.query_words((select string_agg('w' || n, ' ') from generate_series(1, 200) as n))), 40, 'at most forty');

-- The order.

select tests.login('alpha-viewer');
select is(pg_temp.found('what is the notice period to terminate the lease?', 3), 'lease 2, lease 3, insurance 2', 'all words first, then most of them, or the rarest');
select is((select string_agg(concat_ws(' ', hit.document_name, hit.page, hit.missing), ', ' order by hit.rank desc) from dossier.search('notice period to terminate the lease', limit_count => 3) as hit),
  'lease 2 {}, lease 3 {notice,period}, insurance 2 {terminate,lease}', 'each says what it lacks');
select ok((select bool_and((hit.rank > 0.5) = (hit.missing = '{}')) from dossier.search('notice period to terminate the lease') as hit where hit.kind = 'page'), 'all words rank above a half, others below');
select is(pg_temp.found('may my cat or dog stay, are pets allowed'), null, 'a sentence with "or" has an operator');
select is(pg_temp.found('are pets allowed for my goldfish'), 'lease 1', 'a question with words that nobody wrote');
select is((select hit.snippet from dossier.search('goldfish pets allowed') as hit),
  'The tenant pays a monthly rent of 900 euros. <mark>Pets</mark> are <mark>allowed</mark> in the apartment.', 'the words that are there are marked');
select is(pg_temp.found('glass report', 1), 'insurance 1', 'of one word each, the page with the rare one first');
select is(pg_temp.found('glass report week', 1), 'insurance 1', 'which is worth more than two common ones');
select is(pg_temp.found('xyzzy plugh'), null, 'no words, no results');
select is(pg_temp.found('the of'), null, 'stop words alone are nothing');
select tests.logout();

select pg_temp.document('near', 'alpha', array[
  'Quartz is a mineral. ' || repeat('Nothing else matters here. ', 10) || 'Some people collect feldspar.',
  'Quartz and feldspar are minerals. ' || repeat('Nothing else matters here. ', 10) || 'Some people collect.']);
select pg_temp.document('long', 'alpha', array[
  'Basalt with gneiss. ' || (select string_agg('word' || n, ' ') from generate_series(1, 300) as n), 'Basalt with gneiss. And a bit more.',
  'Basalt, gneiss, basalt, gneiss, basalt. And a bit more.']);
select tests.login('alpha-viewer');
select is(pg_temp.found('feldspar quartz'), 'near 2, near 1', 'closer together is better');
select is(pg_temp.found('gneiss basalt'), 'long 3, long 2, long 1', 'so are more occurrences, and a shorter page');

-- Operators match as they say.

select is(pg_temp.found(query), expected, format('%s finds %s', query, coalesce(expected, 'nothing')))
from (values
  ('"notice period" lease', 'lease 2'), ('“notice period” lease', 'lease 2'), ('“period notice”', null), ('goldfish pet*', null),
  ('lease -landlord', 'name lease, lease 3'), ('goldfish -landlord pets', null), ('the tenant’s pets', 'lease 1, lease 3')
) as t (query, expected);

-- Names.

select tests.logout();
select pg_temp.document('apartment.txt', 'alpha', array['Nothing.']);
select tests.login('alpha-viewer');
select is(pg_temp.found('apartment pets goldfish', 1), 'lease 1', 'a word of a name does not outrank a page');
select is(pg_temp.found('apartment or pets', 1), 'lease 1', 'even as an alternative');
select ok(pg_temp.found('apartment or pets') like '%name apartment.txt', 'which it is');
select is(pg_temp.found('apartment txt', 1), 'name apartment.txt', 'all words of a name do');

-- Packs and filters.

select is(dossier.pack_context(tests.id('alpha session'), 'are pets allowed for my goldfish') #>> '{quotes,0,text}',
  'The tenant pays a monthly rent of 900 euros. Pets are allowed in the apartment.', 'a pack answers a question, too');
select is((select count(*)::integer from dossier.search('pets goldfish', media_type => of_type, since => from_time)), expected, concat_ws(' ', 'filtered by', of_type, from_time > now()))
from (values ('text/*', null::timestamptz, 1), ('image/*', null, 0), (null, now() + interval '1 day', 0), (null, now() - interval '1 day', 1)) as t (of_type, from_time, expected);

-- Languages: a question is read in that of each text.

select tests.logout();
select pg_temp.document('Mietvertrag', 'alpha', array['Die Kündigungen des Vertrags müssen schriftlich erfolgen.'], 'deu');
select pg_temp.document('予定', 'alpha', array['ハルデンとの契約は四月に更新されます。'], 'jpn');
select tests.login('alpha-viewer');
select is(pg_temp.found('Wie ist eine Kündigung möglich', 1), 'Mietvertrag 1', 'a German question');
select is(pg_temp.found('契約の更新はいつですか', 1), '予定 1', 'a Japanese question without spaces');

select tests.logout();
insert into dossier.sessions (id, organization_id, user_id, title)
select tests.id(name), tests.id('alpha'), 'alpha-member', name from unnest(array['German session', 'other session']) as name;
update dossier.documents set session_id = tests.id('German session') where id = tests.id('Mietvertrag');
insert into dossier.organizations (id, name) values (tests.id('gamma'), 'gamma');
insert into dossier.sessions (id, organization_id, user_id) values (tests.id('gamma session'), tests.id('gamma'), 'alpha-member');
select is(dossier_private.guessed_config(tests.id(organization), tests.id(session)), config, format('an unknown language in %s of %s', session, organization))
from (values
  ('alpha', 'German session', 'simple+german'), ('alpha', 'alpha session', 'simple+english'), ('alpha', 'other session', 'simple+english'), ('gamma', 'gamma session', 'simple+english')
) as t (organization, session, config);
set local default_text_search_config = 'pg_catalog.simple';
select is(dossier_private.guessed_config(tests.id('gamma'), tests.id('gamma session')), 'simple', 'the database may stem nothing');
set local default_text_search_config = 'pg_catalog.english';
select tests.login('alpha-member');
select from dossier.save_context(tests.id('German session'), 'Die Mängel der Heizungen und was sonst kaputt ist.');
select from dossier.save_context(tests.id('other session'), 'To be or not to be: they like running horses.');
create function pg_temp.context(query text) returns text
language sql as $$
  select string_agg(s.title || ': ' || hit.snippet, ', ')
  from dossier.search(query, organization_id => tests.id('alpha')) as hit
  join dossier.sessions as s on s.id = hit.session_id
  where hit.kind = 'context' and s.title like '% session'
$$;
select is(pg_temp.context(query), found, query || ' in contexts')
from (values
  ('Heizung', 'German session: Die Mängel der <mark>Heizungen</mark> und was sonst kaputt ist.'),
  ('Mangel', 'German session: Die <mark>Mängel</mark> der Heizungen und was sonst kaputt ist.'),
  ('horse run', 'other session: To be or not to be: they like <mark>running</mark> <mark>horses</mark>.'),
  ('the horse of a runner', 'other session: To be or not to be: they like running <mark>horses</mark>.'),
  ('"running horse"', 'other session: To be or not to be: they like <mark>running</mark> <mark>horses</mark>.'),
  ('"not to be"', 'other session: <mark>To</mark> <mark>be</mark> or <mark>not</mark> <mark>to</mark> <mark>be</mark>: they like running horses.'),
  ('horses -running', null)
) as t (query, found);

-- When enough have all words, no others are searched.

select tests.logout();
select pg_temp.document('many', 'alpha', array(select 'Marble and granite ' || n from generate_series(1, 100) as n) || array['Only granite']);
select tests.login('alpha-viewer');
select ok((select bool_and(hit.missing = '{}') from dossier.search('granite marble', limit_count => 100) as hit where hit.kind = 'page'), 'a hundred pages with all words');
create function pg_temp.page_through(query text, size integer) returns text[]
language plpgsql as $$
declare
  hit record;
  seen text[] := '{}';
  before integer;
begin
  loop
    before := cardinality(seen);
    for hit in select * from dossier.search(query, limit_count => size, after => seen[cardinality(seen)]) loop
      seen := seen || hit.cursor;
    end loop;
    exit when cardinality(seen) = before;
  end loop;
  return seen;
end
$$;
select is(pg_temp.page_through('week table goldfish', 7), pg_temp.page_through('week table goldfish', 100), 'page by page as in one go');
select is(cardinality(pg_temp.page_through('week table goldfish', 7)), 31, 'all of them, with "weeks", too');

-- Numbers and codes, with and without separators.

select tests.logout();
select is(dossier_private.joined_numbers(dossier_private.part_words(text)), joined::text[], 'joined: ' || text)
from (values
  ('due: 12,345.67 euros', '{12345,1234567}'), ('12''345', '{12345}'), ('12.345,67', '{12345,1234567}'), (U&'12\202F345', '{12345}'), ('DE89 3704-0044', '{de8937040044}'),
  ('1 2 3', '{}'), ('in May 2024 there were 12 of them', '{}'), ('2024-03-01', '{20240301}'), (repeat('1234 ', 20), '{}')
) as t (text, joined);
select pg_temp.document('invoices', 'alpha', array['Total: 48,375.50 euros to FR76 3000 6000 0112.', 'Total: 91250 euros to FR7610107001015.', 'Total: 600 of 112.',
  'Order PQ-2025-4134: the follow-ups of the R&D visit by AT&T.', 'An ebook by courier.', 'Call +44 20 7946 0100.']);
select tests.login('alpha-viewer');
select is(pg_temp.found(query, 1), found, format('%s finds %s', query, coalesce(found, 'nothing')))
from (values
  ('48375', 'invoices 1'), ('48 375', 'invoices 1'), ('48.375,50', 'invoices 1'), ('FR76300060000112', 'invoices 1'), ('FR76-3000-6000-0112', 'invoices 1'),
  ('PQ20254134', 'invoices 4'), ('pq-2025-4134', 'invoices 4'), ('PQ 2025 4134', 'invoices 4'), ('followup', 'invoices 4'), ('follow-up', 'invoices 4'), ('follow up', 'invoices 4'),
  ('AT&T', 'invoices 4'), ('R&D', 'invoices 4'), ('e-book', 'invoices 5'), ('"e-book"', null), ('+442079460100', 'invoices 6'), ('20 7946 0100', 'invoices 6'), ('+44 20', 'invoices 6'),
  ('91,250', 'invoices 2'), ('fr76 1010 7001 015', 'invoices 2'), ('8375', null)
) as t (query, found);

-- Only the texts of the caller's organizations count.

create temporary table before as select hit.cursor from dossier.search('notice period to terminate the lease', organization_id => tests.id('alpha')) as hit;
select tests.logout();
select pg_temp.document('flood', 'beta', array(select 'A notice period, a notice, a lease ' || n from generate_series(1, 300) as n));
select tests.login('alpha-viewer');
select results_eq($$ select hit.cursor from dossier.search('notice period to terminate the lease', organization_id => tests.id('alpha')) as hit $$,
  $$ select * from before $$, 'another organization''s words change no rank');
select is(pg_temp.found('flood'), null, 'and are not found');
select tests.logout();

select * from finish();
rollback;
