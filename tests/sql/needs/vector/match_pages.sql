-- Matching by embedding, and hybrid search. Needs pgvector. See ../../setup.sql for how to run this.

begin;
select plan(49);
select tests.fixture();
select dossier.disable_embeddings(discard => true);
select dossier.enable_embeddings(3);

create function pg_temp.document(name text, tenant text, pages text[], embeddings text[], media_type text default 'text/plain') returns void
language plpgsql as $$
#variable_conflict use_variable
begin
  insert into dossier.documents (id, session_id, organization_id, user_id, name, media_type, size_bytes, sha256, status)
  values (tests.id(name), tests.id(tenant || ' session'), tests.id(tenant), tenant || '-member', name, media_type, 1, repeat('a', 64), 'extracting');
  insert into dossier.document_pages (document_id, organization_id, page, text)
  select tests.id(name), tests.id(tenant), n, t from unnest(pages) with ordinality as p (t, n);
  update dossier.documents set status = 'ready' where id = tests.id(name);
  perform dossier.save_embeddings((
    select jsonb_agg(jsonb_build_object('document_id', tests.id(name), 'page', n, 'embedding', e::jsonb))
    from unnest(embeddings) with ordinality as p (e, n)));
end
$$;
select pg_temp.document('animals.pdf', 'alpha',
  array['Horses & <mares> run.', 'A stallion in the stable.', 'Invoices of the stable.', 'Taxes.'],
  array['[1, 0, 0]', '[0.9, 0.1, 0]', '[0, 1, 0]', '[0, 0, 1]'], 'application/pdf');
select pg_temp.document('beta.txt', 'beta', array['Horses of beta.'], array['[1, 0, 0]']);
insert into dossier.sessions (id, organization_id, user_id) values (tests.id('alpha other'), tests.id('alpha'), 'alpha-member');

create function pg_temp.matched(embedding real[], session_id uuid default null, limit_count integer default 20, media_type text default null,
  since timestamptz default null, until timestamptz default null, min_similarity real default null) returns text
language sql as $$
  select string_agg(format('%s %s %s', hit.document_name, hit.page, round(hit.similarity::numeric, 2)), ', ')
  from dossier.match_pages(embedding, session_id, null, limit_count, media_type, since, until, min_similarity) as hit
$$;

-- Permissions.

select is(tests.outcomes($$ select from dossier.match_pages('{1,0,0}') $$),
  'owner 4, admin 4, member 4, viewer 4, other 1, nobody 0, anon 42501, service PT400', 'callers that match pages');
select is(tests.outcomes($$ select from dossier.match_pages('{1,0,0}', organization_id => tests.id('alpha')) $$),
  'owner 4, admin 4, member 4, viewer 4, other PT404, nobody PT404, anon 42501, service 4', 'callers that match in an organization');
select is(tests.outcomes($$ select from dossier.match_pages('{1,0,0}', tests.id('alpha session')) $$),
  'owner 4, admin 4, member 4, viewer 4, other PT404, nobody PT404, anon 42501, service 4', 'callers that match in a session');
select is(tests.outcomes($$ select from dossier.hybrid_search('horses', '{1,0,0}') $$),
  'owner 4, admin 4, member 4, viewer 4, other 1, nobody 0, anon 42501, service PT400', 'callers that search both ways');
select is(tests.outcomes($$ select from dossier.hybrid_search('horses', '{1,0,0}', tests.id('alpha session')) $$),
  'owner 4, admin 4, member 4, viewer 4, other PT404, nobody PT404, anon 42501, service 4', 'callers that search a session both ways');

-- Nearest.

select tests.login('alpha-viewer');
select is(pg_temp.matched('{1,0,0}'), 'animals.pdf 1 1.00, animals.pdf 2 0.99, animals.pdf 3 0.00, animals.pdf 4 0.00', 'nearest first, ties in their order');
select is(pg_temp.matched('{100,0,0}'), pg_temp.matched('{1,0,0}'), 'it is the angle that counts');
select is(pg_temp.matched('{-1,0,0}', limit_count => 3), 'animals.pdf 3 0.00, animals.pdf 4 0.00, animals.pdf 2 -0.99', 'the other way round');
select is(pg_temp.matched('{1,0,0}', min_similarity => 0.5), 'animals.pdf 1 1.00, animals.pdf 2 0.99', 'near enough');
select results_eq($$ select * from dossier.match_pages('{1,0,0}', limit_count => 1) $$,
  $$ values (tests.id('alpha session'), tests.id('animals.pdf'), 'animals.pdf', 1, 1::real, 'Horses &amp; &lt;mares&gt; run.', null::text) $$, 'the columns of a match');
select is(pg_temp.matched('{1,0,0}', tests.id('alpha other')), null, 'another session has none');
select is(pg_temp.matched('{1,0,0}', limit_count => 1, media_type => of_type, since => from_time, until => to_time), expected, concat_ws(' ', of_type, from_time, to_time))
from (values
  ('application/pdf', null::timestamptz, null::timestamptz, 'animals.pdf 1 1.00'), ('APPLICATION/*', null, null, 'animals.pdf 1 1.00'), ('text/*', null, null, null),
  (null, now() - interval '1 day', null, 'animals.pdf 1 1.00'), (null, now() + interval '1 day', null, null), (null, null, now() - interval '1 day', null)
) as t (of_type, from_time, to_time, expected);

-- The form that PostgREST sends: a JSON array.
select results_eq($$ select hit.page from json_to_record('{"embedding": [0, 0.5, 1e-3], "limit_count": 1}') as body (embedding real[], limit_count integer),
  dossier.match_pages(body.embedding, limit_count => body.limit_count) as hit $$, array[3], 'an embedding may be JSON');

-- Fused: the sum of 1 / (60 + rank).

create function pg_temp.fused(query text, embedding real[], limit_count integer default 20) returns text
language sql as $$
  select string_agg(format('%s %s %s %s/%s', hit.kind, hit.document_name, coalesce(hit.page::text, ''), coalesce(hit.text_place::text, '-'), coalesce(hit.embedding_place::text, '-')), ', ')
  from dossier.hybrid_search(query, embedding, limit_count => limit_count) as hit
$$;
select is(pg_temp.fused('stable', '{1,0,0}'),
  'page animals.pdf 2 1/2, page animals.pdf 3 2/3, page animals.pdf 1 -/1, page animals.pdf 4 -/4', 'a page that both searches find comes first');
select is(pg_temp.fused('horses', '{1,0,0}', 2), 'page animals.pdf 1 1/1, page animals.pdf 2 -/2', 'the limit applies');
select is(pg_temp.fused('unheard', '{0,0,1}', 1), 'page animals.pdf 4 -/1', 'words that nothing has');
select is(pg_temp.fused('animals', '{0,0,1}', 2), 'name animals.pdf  1/-, page animals.pdf 4 -/1', 'names take part, equal ranks in the order of kinds');
select results_eq($$ select rank, snippet from dossier.hybrid_search('stable', '{1,0,0}', limit_count => 3) $$, $$ values
  ((1 / 61.0 + 1 / 62.0)::real, 'A stallion in the <mark>stable</mark>.'), ((1 / 62.0 + 1 / 63.0)::real, 'Invoices of the <mark>stable</mark>.'),
  ((1 / 61.0)::real, 'Horses &amp; &lt;mares&gt; run.') $$, 'rank and snippet');
select is_empty($$ select from dossier.hybrid_search('stable', '{1,0,0}', media_type => 'text/*') $$, 'filters hold for both');

select is(dossier.pack_context(tests.id('alpha session'), max_tokens => 30, embedding => '{0,0,1}') #> '{quotes,0}' ->> 'text', 'Taxes.', 'a pack by embedding quotes the nearest page');
select is((select jsonb_build_array(q -> 'first_page', q -> 'last_page', q -> 'contained') from jsonb_array_elements(
    dossier.pack_context(tests.id('alpha session'), 'stable', embedding => '{1,0,0}') -> 'quotes') as q where q ->> 'document_name' = 'animals.pdf'),
  '[1, 4, ["stable"]]', 'and by both');
select tests.refuses($$ select dossier.pack_context(tests.id('alpha session'), embedding => '{1,0}') $$, 'PT400', 'The embedding must have 3 numbers%', 'a pack checks its embedding');

-- Refusals.

select tests.refuses(statement, code, message, statement)
from (values
  ($$ select from dossier.match_pages(null) $$, 'PT400', 'The embedding must have 3 numbers, not all of them zero'),
  ($$ select from dossier.match_pages('{}') $$, 'PT400', 'The embedding must have 3 numbers%'),
  ($$ select from dossier.match_pages('{1,0}') $$, 'PT400', 'The embedding must have 3 numbers%'),
  ($$ select from dossier.match_pages('{1,0,NaN}') $$, 'PT400', 'The embedding must have 3 numbers%'),
  ($$ select from dossier.match_pages('{1,0,Infinity}') $$, 'PT400', 'The embedding must have 3 numbers%'),
  ($$ select from dossier.match_pages('{1,0,NULL}') $$, 'PT400', 'The embedding must have 3 numbers%'),
  ($$ select from dossier.match_pages('{0,0,0}') $$, 'PT400', 'The embedding must have 3 numbers%'),
  ($$ select from dossier.match_pages('{1,0,0}', limit_count => 101) $$, 'PT400', 'limit_count must be between 1 and 100'),
  ($$ select from dossier.match_pages('{1,0,0}', media_type => '\') $$, 'PT400', 'media_type is not a valid filter'),
  ($$ select from dossier.hybrid_search('x', '{1,0}') $$, 'PT400', 'The embedding must have 3 numbers%'),
  ($$ select from dossier.hybrid_search(null, '{1,0,0}') $$, 'PT400', 'The query must have 1 to 1000 characters'),
  ($$ select from dossier.hybrid_search('x', '{1,0,0}', limit_count => 0) $$, 'PT400', 'limit_count must be between 1 and 100'),
  ($$ select from dossier.hybrid_search('x', '{1,0,0}', media_type => '%') $$, 'PT400', 'media_type is not a valid filter')
) as t (statement, code, message);

-- The trash is not searched.

select tests.login('alpha-member');
select from dossier.delete_sessions(array[tests.id('alpha session')]);
select is(tests.outcomes($$ select from dossier.match_pages('{1,0,0}', organization_id => tests.id('alpha')) $$),
  'owner 0, admin 0, member 0, viewer 0, other PT404, nobody PT404, anon 42501, service 0', 'trashed sessions are not matched');
select is_empty($$ select from dossier.hybrid_search('horses', '{1,0,0}') $$, 'and said by nobody');
select from dossier.restore_session(tests.id('alpha session'));

-- Many: the index is used, and if it gives up, they are compared one by one.

select tests.logout();
select pg_temp.document(name, tenant, array(select 'page' from generate_series(1, 500)),
  array(select format('[%s, %s, %s]', sin(n * seed), sin(n * seed * 2), cos(n * seed)) from generate_series(1, 500) as n))
from (values ('many.txt', 'alpha', 1.7), ('more.txt', 'beta', 2.9)) as t (name, tenant, seed);
create function pg_temp.nearest(tenant text, few integer, most integer default 20, of_type text default null) returns text[]
language sql as $$
  select array_agg(format('%s %s', document_id, page) order by near.similarity desc, document_id, page)
  from dossier_private.nearest_pages('{0.3, 0.2, 0.9}', array[tests.id(tenant)], null, of_type, null, null, most, few) as near
$$;
select is(pg_temp.nearest('alpha', 0), pg_temp.nearest('alpha', 20000), 'the index finds what comparing finds');
select is(cardinality(pg_temp.nearest('beta', 0, 501)), 501, 'all, however many are wanted');
select is(pg_temp.nearest('alpha', 0, 20, 'application/pdf'), pg_temp.nearest('alpha', 20000, 20, 'application/pdf'), 'filtered, too');
select is(cardinality(pg_temp.nearest('alpha', 0, 20, 'application/pdf')), 4, 'to the last');
select is(pg_temp.nearest('nothing', 0), null, 'none of another organization');
select is(current_setting('hnsw.iterative_scan') || current_setting('hnsw.ef_search'), 'off40', 'settings are as they were');
set local enable_seqscan = off;
set local enable_sort = off;
select is(pg_temp.nearest('beta', 0), pg_temp.nearest('beta', 20000), 'with every plan');

select * from finish();
rollback;
