-- Search over a million pages of a thousand organizations, as their members; one of them has a hundred
-- thousand pages, one twenty thousand. Words are made up, as frequent as in a language (Zipf's law).
--
--   psql -d DATABASE -f bench/search.sql     an empty database with Dossier and Supabase's roles; as its owner
--
-- Prints milliseconds of whole calls of dossier.search(), 20 rows with their excerpts, and the plan of the
-- index scan in them. Making the rows takes some minutes and four gigabytes.

\set ON_ERROR_STOP on
\set QUIET on
set client_min_messages = warning;
set synchronous_commit = off;
set maintenance_work_mem = '1GB';
set work_mem = '256MB';

create temporary table vocabulary as
  select n, (array['ba', 'ko', 'ri', 'ten', 'mu', 'sal', 'or', 'vi', 'den', 'po', 'qua', 'lis', 'fer', 'ni', 'tho'])[1 + n % 15]
    || (array['la', 'men', 'tor', 'gi', 'ran', 'pe', 'so', 'ul', 'ker', 'din', 'ax', 'yo', 'bre', 'nt', 'cha'])[1 + n / 15 % 15]
    || (array['s', 'ing', 'er', 'ment', 'al', '', 'tion', 'ly', 'ed', 'y'])[1 + n / 225 % 10]
    || case when n >= 2250 then (n / 2250)::text else '' end as word
  from generate_series(0, 49999) as n;
create index on vocabulary (n);
-- Ten thousand different pages of 220 words each; a million are made of them.
create temporary table bodies as
  select b as n, string_agg(word.word, ' ') as text
  from generate_series(0, 9999) as b
  cross join generate_series(1, 220) as w
  cross join lateral (select floor(exp(random() * ln(50000)) + 0 * (b + w))::integer - 1 as n) as rank
  join vocabulary as word on word.n = rank.n
  group by b;
create temporary table tenants as
  select n, md5('organization ' || n)::uuid as id,
    case n when 1 then 100000 when 2 then 20000 else 880 end as pages
  from generate_series(1, 1000) as n;

insert into dossier.organizations (id, name) select id, 'Bench ' || n from tenants;
insert into dossier.organization_members (organization_id, user_id, role) select id, 'bench-' || n, 'member' from tenants;
insert into dossier.sessions (id, organization_id, user_id)
select md5(id || ' session ' || s)::uuid, id, 'bench-' || n from tenants, generate_series(0, (pages - 1) / 200) as s;
insert into dossier.documents (id, session_id, organization_id, user_id, name, media_type, size_bytes, sha256, status, page_count)
select md5(id || ' document ' || d)::uuid, md5(id || ' session ' || d / 10)::uuid, id, 'bench-' || n,
  format('report %s.pdf', d), 'application/pdf', 1, repeat('0', 64), 'ready', 20
from tenants, generate_series(0, (pages - 1) / 20) as d;
insert into dossier.document_pages (document_id, organization_id, page, text)
select md5(id || ' document ' || p / 20)::uuid, id, p % 20 + 1, body.text
from tenants cross join generate_series(0, pages - 1) as p join bodies as body on body.n = (p * 7919 + tenants.n) % 10000;

-- What index_document() writes, with each body's vector made once.
create temporary table vectors as select n, to_tsvector('pg_catalog.english', text) as vector from bodies;
drop index dossier_private.search_entries_search_idx;
insert into dossier_private.search_entries (organization_id, session_id, document_id, page, config, search)
select id, session_id, document_id, page, 'english',
  vector || array_to_tsvector(array[dossier_private.scope_lexeme(id, 'english'), dossier_private.scope_lexeme(session_id, 'english')])
from (
  select id, md5(id || ' session ' || p / 200)::uuid as session_id, md5(id || ' document ' || p / 20)::uuid as document_id,
    p % 20 + 1 as page, (p * 7919 + tenants.n) % 10000 as body
  from tenants, generate_series(0, pages - 1) as p
) as made
join vectors on vectors.n = made.body;
create index search_entries_search_idx on dossier_private.search_entries using gin (search) with (gin_pending_list_limit = 512);
vacuum analyze dossier.documents, dossier.document_pages, dossier_private.search_entries;

create function pg_temp.measure(tenant integer, kind text, times integer)
returns table (median_ms numeric, p95_ms numeric, rows_found numeric)
language plpgsql as $$
declare
  nth integer;
  word text;
  other text;
  query text;
  started timestamptz;
  found bigint;
  milliseconds numeric[] := '{}';
  total bigint := 0;
begin
  for i in 1 .. times loop
    nth := case kind when 'a frequent word' then floor(random() * 20) when 'a rare word' then 3000 + floor(random() * 20000)
      else floor(exp(random() * ln(50000))) - 1 end;
    word := (select v.word from vocabulary as v where v.n = nth);
    nth := floor(exp(random() * ln(50000))) - 1;
    other := (select v.word from vocabulary as v where v.n = nth);
    query := case kind
      when 'two words' then word || ' ' || other
      when 'a phrase' then format('"%s %s"', word, other)
      when 'one or other' then word || ' or ' || other
      when 'a prefix' then left(word, 4) || '*'
      else word
    end;
    perform set_config('request.jwt.claims', json_build_object('sub', 'bench-' || tenant)::text, true);
    perform set_config('role', 'authenticated', true);
    started := clock_timestamp();
    select count(*) into found from dossier.search(query);
    milliseconds := milliseconds || (extract(epoch from clock_timestamp() - started) * 1000)::numeric;
    perform set_config('role', 'none', true);
    total := total + found;
  end loop;
  return query
    select round(percentile_cont(0.5) within group (order by m)::numeric, 1),
      round(percentile_cont(0.95) within group (order by m)::numeric, 1), round(total::numeric / times, 1)
    from unnest(milliseconds) as m;
end
$$;

select tenant.pages as pages_of_tenant, kind, measured.*
from (values (500, 880), (2, 20000), (1, 100000)) as tenant (n, pages)
cross join unnest(array['a word', 'a rare word', 'a frequent word', 'two words', 'one or other', 'a phrase', 'a prefix']) as kind
cross join lateral pg_temp.measure(tenant.n, kind, 60) as measured;

explain (analyze, buffers, costs off)
select entry.id
from dossier_private.search_entries as entry
where entry.search @@ (select dossier_private.parse_search('english', word.word || ' ' || other.word)
    && quote_literal(dossier_private.scope_lexeme(tenant.id, 'english'))::tsquery
  from vocabulary as word, vocabulary as other, tenants as tenant where word.n = 3 and other.n = 40 and tenant.n = 500)
limit 50000;
