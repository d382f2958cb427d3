-- A million documents and a million pages of a thousand organizations, the same rows every time.
--
--   psql -v rows=1000000 -d DATABASE -f bench/data.sql    an empty database with Dossier; as a superuser
--
-- Organization 1 has a tenth of the documents, 2 and 3 a fiftieth each, the others 860 (out of a million; fewer
-- out of fewer). Of 25 documents one is a PDF of 20 pages, five are texts of one page, the rest images; one in ten is
-- German. Ten documents per session on average, the first sessions have more; each session has a context. Rows are
-- stored in order of time, all organizations mixed. Words are made up except for the stop words, and as
-- frequent as in a language (Zipf's law).
--
-- User bench-<n> is a member of organization n, with fifty colleagues; bench-many of twenty: 1, 2, and small ones.
-- The temporary tables vocabulary, bodies and tenants remain for scripts that include this file.

\set ON_ERROR_STOP on
set client_min_messages = warning;
set synchronous_commit = off;
set maintenance_work_mem = '1GB';
set work_mem = '256MB';
set jit = off;
-- The rows are consistent by construction; foreign keys would look up four million.
set session_replication_role = replica;

-- From 0 to 1, derived from the number of a row and a purpose.
create function pg_temp.chance(n bigint, purpose bigint) returns double precision
language sql immutable
return (hashint8extended(n, purpose) & 4503599627370495) / 4503599627370496.0::double precision;

create function pg_temp.key(made timestamptz, name text) returns uuid
language sql immutable
return (lpad(to_hex((extract(epoch from made) * 1000)::bigint), 12, '0') || '7' || substr(md5(name), 14, 3) || 'a' || substr(md5(name), 18))::uuid;

create temporary table vocabulary as
  select n, coalesce(
    (array['the', 'of', 'and', 'to', 'in', 'a', 'is', 'that', 'for', 'it', 'as', 'was', 'with', 'be', 'by', 'on', 'not', 'he', 'his', 'but',
      'at', 'are', 'this', 'have', 'from', 'or', 'had', 'an', 'they', 'which'])[1 + n],
    (array['ba', 'ko', 'ri', 'ten', 'mu', 'sal', 'or', 'vi', 'den', 'po', 'qua', 'lis', 'fer', 'ni', 'tho'])[1 + n % 15]
      || (array['la', 'men', 'tor', 'gi', 'ran', 'pe', 'so', 'ul', 'ker', 'din', 'ax', 'yo', 'bre', 'nt', 'cha'])[1 + n / 15 % 15]
      || (array['s', 'ing', 'er', 'ment', 'al', '', 'tion', 'ly', 'ed', 'y'])[1 + n / 225 % 10]
      || case when n >= 2250 then (n / 2250)::text else '' end) as word
  from generate_series(0, 49999) as n;
create index on vocabulary (n);

-- Distinct pages, a hundredth of all; all pages are copies of them. 220 words each (out of a million; fewer out of fewer).
select greatest(1000, :rows / 100) as different, least(220, :rows / 1000) as words \gset
create temporary table bodies as
  select b as n, string_agg(word.word, ' ' order by w) as text
  from generate_series(0, :different - 1) as b
  cross join generate_series(1, :words) as w
  join vocabulary as word on word.n = floor(exp(pg_temp.chance(b * :words + w, 1) * ln(50000)))::integer - 1
  group by b;
create temporary table contexts as
  select n, array_to_string((string_to_array(text, ' '))[1:60], ' ') as text, '{"stage": "won"}'::jsonb as metadata from bodies;

create temporary table tenants as
  select n, md5('organization ' || n)::uuid as id,
    case n when 1 then :rows / 10 when 2 then :rows / 50 when 3 then :rows / 50 else small.size end as size
  from (select greatest(25, least(860, :rows / 100))) as small (size)
  cross join generate_series(1, 3 + (:rows - :rows / 10 - 2 * (:rows / 50)) / small.size) as n;

create temporary table made_sessions as
  select tenants.n, s, tenants.id as organization_id, pg_temp.key(at.time, format('session %s %s', tenants.n, s)) as id, at.time as created_at
  from tenants
  cross join generate_series(0, tenants.size / 10 - 1) as s
  cross join lateral (
    select '2025-01-01 00:00 UTC'::timestamptz + (s + pg_temp.chance(tenants.n * 1000000::bigint + s, 2)) * interval '365 days' / (tenants.size / 10)
  ) as at (time);
create index on made_sessions (n, s);

create temporary table made_documents as
  select tenants.n, d, session.organization_id, session.id as session_id,
    pg_temp.key(at.time, format('document %s %s', tenants.n, d)) as id, at.time as created_at,
    case when d % 25 = 0 then 20 when d % 25 <= 5 then 1 else 0 end as pages,
    case when d % 10 = 5 then 'deu' else 'eng' end as language
  from tenants
  cross join generate_series(0, tenants.size - 1) as d
  cross join lateral (
    select '2025-01-01 00:00 UTC'::timestamptz + (d + pg_temp.chance(tenants.n * 1000000::bigint + d, 3)) * interval '365 days' / tenants.size
  ) as at (time)
  join made_sessions as session on session.n = tenants.n
    and session.s = floor(pg_temp.chance(tenants.n * 1000000::bigint + d, 4) ^ 2 * (tenants.size / 10))::integer;
analyze made_sessions, made_documents;

-- Non-unique indexes are built after the rows are inserted.
create temporary table indexes as
  select indexes.schemaname, indexes.indexname, indexes.indexdef
  from pg_catalog.pg_indexes as indexes
  join pg_catalog.pg_index as entry on entry.indexrelid = format('%I.%I', indexes.schemaname, indexes.indexname)::regclass
  where (indexes.schemaname, indexes.tablename) in (
      ('dossier', 'documents'), ('dossier', 'document_pages'), ('dossier_private', 'search_entries'))
    and not entry.indisunique;
select format('drop index %I.%I', schemaname, indexname) from indexes \gexec

insert into dossier.organizations (id, name, created_at) select id, 'Bench ' || n, '2025-01-01' from tenants;
insert into dossier.organization_members (organization_id, user_id, role, accepted_at) select id, 'bench-' || n, 'member', '2025-01-01' from tenants;
insert into dossier.organization_members (organization_id, user_id, role, accepted_at)
select id, 'bench-many', 'member', '2025-01-01' from tenants where n in (1, 2) or n between 4 and 21;
insert into dossier.organization_members (organization_id, user_id, role, accepted_at)
select id, format('colleague-%s-%s', n, m), 'viewer', '2025-01-01' from tenants cross join generate_series(1, 50) as m;

insert into dossier.sessions (id, organization_id, user_id, title, created_at)
select id, organization_id, 'bench-' || n, 'Session ' || s, created_at from made_sessions order by created_at;
insert into dossier.session_context (session_id, organization_id, text_context, context_metadata, updated_by, updated_at)
select made.id, made.organization_id, context.text, context.metadata, 'bench-' || made.n, made.created_at
from made_sessions as made join contexts as context on context.n = (made.s * 31 + made.n) % :different order by made.created_at;
insert into dossier.session_context_versions (session_id, organization_id, text_context, context_metadata, version, updated_by, updated_at)
select session_id, organization_id, text_context, context_metadata, version, updated_by, updated_at from dossier.session_context order by updated_at;

insert into dossier.documents
  (id, session_id, organization_id, user_id, name, media_type, size_bytes, sha256, status, page_count, token_count, language, created_at)
select id, session_id, organization_id, 'bench-' || n,
  case pages when 20 then format('report %s.pdf', d) when 1 then format('note %s.txt', d) else format('photo %s.png', d) end,
  case pages when 20 then 'application/pdf' when 1 then 'text/plain' else 'image/png' end,
  1000 + d, repeat('0', 64), 'ready', pages, pages * 300, case when pages > 0 then language end, created_at
from made_documents order by created_at;
insert into dossier.document_pages (document_id, organization_id, page, text)
select made.id, made.organization_id, page, body.text
from made_documents as made
cross join generate_series(1, made.pages) as page
join bodies as body on body.n = (made.d * 7919 + page * 31 + made.n) % :different
order by made.created_at, page;

-- The result of index_document() and index_context(), with one vector per distinct text.
create temporary table vectors as
  select n, config, dossier_private.search_vector(config, text, '{}') as vector from bodies cross join unnest(array['english', 'german']) as config
  union all
  select n, 'simple+english', dossier_private.search_vector('simple+english', dossier_private.context_words(text, metadata), '{}') from contexts;
create index on vectors (n, config);
analyze vectors;
insert into dossier_private.search_entries (organization_id, session_id, document_id, page, config, search)
select made.organization_id, made.session_id, made.document_id, made.page, made.config, vectors.vector || array_to_tsvector(array(
  select dossier_private.scope_lexeme(scope.id, part.config)
  from unnest(array[made.organization_id, made.session_id]) as scope (id)
  cross join unnest(string_to_array(made.config, '+')) as part (config)))
from (
  select organization_id, session_id, id as document_id, page, created_at,
    case language when 'deu' then 'german' else 'english' end as config, (d * 7919 + page * 31 + n) % :different as body
  from made_documents cross join generate_series(1, pages) as page
  union all
  select organization_id, id, null, null, created_at, 'simple+english', (s * 31 + n) % :different from made_sessions
) as made
join vectors on vectors.n = made.body and vectors.config = made.config
order by made.created_at, made.page;

set session_replication_role = origin;
select indexdef from indexes order by indexname \gexec
drop table made_documents, made_sessions, vectors, indexes;
-- Vacuum marks pages as all-visible, for index-only scans, only if their commits are on disk.
checkpoint;
vacuum (analyze) dossier.organizations, dossier.organization_members, dossier.sessions, dossier.session_context,
  dossier.session_context_versions, dossier.documents, dossier.document_pages, dossier_private.search_entries;
