-- Embeddings without pgvector: the refusals. With it: ../needs/vector/. See ../setup.sql for how to run this.

begin;
select plan(13);
select tests.fixture();
select exists (select from pg_extension where extname = 'vector') as has_vector \gset
\if :has_vector
select skip('pgvector is installed here', 13);
\else

select is(tests.outcomes($$ select from dossier.match_pages('{1,0}', organization_id => tests.id('alpha')) $$),
  'owner PT501, admin PT501, member PT501, viewer PT501, other PT404, nobody PT404, anon 42501, service PT501', 'callers that match pages');
select is(tests.outcomes($$ select from dossier.hybrid_search('x', '{1,0}', organization_id => tests.id('alpha')) $$),
  'owner PT501, admin PT501, member PT501, viewer PT501, other PT404, nobody PT404, anon 42501, service PT501', 'callers that search both ways');
select is(tests.outcomes($$ select dossier.save_embeddings('[]') $$),
  'owner PT501, admin PT501, member PT501, viewer PT501, other PT501, nobody PT501, anon 42501, service PT501', 'callers that save embeddings');
select is(tests.outcomes($$ select from dossier.pages_without_embedding() $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service PT501', 'only services can list the remaining pages');
select is(tests.outcomes($$ select dossier.enable_embeddings(3) $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', 'none of them enables embeddings');
select is(tests.outcomes($$ select dossier.disable_embeddings() $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', 'or disables them');

select tests.refuses($$ select dossier.enable_embeddings(3) $$, 'PT501', 'pgvector 0.8 or later is not installed in this database', 'the owner receives the requirement');
select is(dossier.disable_embeddings(), false, 'there is nothing to disable');
select tests.login('alpha-viewer');
select tests.refuses($$ select from dossier.match_pages('{1,0}') $$, 'PT501', 'pgvector 0.8 or later is not installed in this database', 'so is who matches pages');
select tests.refuses($$ select from dossier.hybrid_search('x', '{1,0}') $$, 'PT501', 'pgvector 0.8 or later is not installed in this database', 'or searches both ways');
select tests.refuses($$ select from dossier.hybrid_search(' ', '{1,0}') $$, 'PT400', 'The query must have 1 to 1000 characters', 'a blank query is one anyway');
select tests.refuses($$ select from dossier.match_pages('{1,0}', limit_count => 0) $$, 'PT400', 'limit_count must be between 1 and 100', 'no rows');
select is((select count(*)::integer from dossier.search('hello')) >= 0, true, 'search needs none of it');
\endif

select * from finish();
rollback;
