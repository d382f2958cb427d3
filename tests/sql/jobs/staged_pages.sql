-- Pages that a worker stages while it still reads others: nobody sees them before complete_job(), and they end with their attempt.
-- See ../setup.sql for how to run this.

begin;
select plan(46);
select tests.fixture();
update dossier_private.jobs set run_at = 'infinity' where status = 'queued';
update dossier_private.jobs set lease_expires_at = 'infinity' where status = 'running';

select is(tests.outcomes(statement), 'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 1', statement)
from (values ($$ select dossier.stage_pages(-1, 1, '[]') $$)) as t (statement);

create temporary table claimed (job_id bigint, document_id uuid, organization_id uuid, media_type text, size_bytes bigint, sha256 text, ocr text, attempt integer, kind text, language text, worked_seconds real);
grant all on claimed to public;
create function pg_temp.claim() returns integer language sql as $$
  delete from claimed;
  insert into claimed select * from dossier.claim_jobs('w');
  select attempt from claimed
$$;
-- Requests the text of alpha's document again and claims the job.
create function pg_temp.begin(language text default null) returns integer language plpgsql as $$
begin
  perform tests.login(null, 'service_role');
  perform dossier.request_extraction(tests.id('alpha document'), language => begin.language);
  return pg_temp.claim();
end
$$;
create function pg_temp.stage(pages jsonb, detected text default 'eng') returns boolean language sql as $$
  select dossier.stage_pages(c.job_id, c.attempt, pages, detected) from claimed as c
$$;
create function pg_temp.complete(pages jsonb, staged integer, detected text default 'eng') returns boolean language sql as $$
  select dossier.complete_job(c.job_id, c.attempt, pages, details => jsonb_build_object('language', detected, 'staged_pages', staged)) from claimed as c
$$;
create function pg_temp.pages() returns text language sql security definer as $$
  select string_agg(concat_ws(' ', p.page, p.text), ', ' order by p.page) from dossier.document_pages as p where p.document_id = tests.id('alpha document')
$$;
create function pg_temp.staged() returns bigint language sql security definer as $$ select count(*) from dossier_private.staged_pages $$;
create function pg_temp.found(word text) returns bigint language sql as $$
  select tests.attempt(format($q$ select from dossier.search(%L) $q$, word), 'alpha-viewer')::bigint
$$;

-- Nobody sees a staged page, and complete_job() stores all of them.

select pg_temp.begin();
select pg_temp.complete('[{"page":1,"text":"Earlier words"}]', 0);
select pg_temp.begin();
select ok(pg_temp.stage('[{"page":1,"text":"Greenhouses, heated","engine":"hayro","quality":0.9,"reason":"first choice",
  "structure":{"headings":[{"level":1,"text":"Greenhouses"}]}},{"page":2,"text":"Tomatoes"}]'), 'pages are staged');
select ok(pg_temp.stage('[{"page":3,"text":"Cucumbers"}]', null), 'and more, whose language is not known');
select is(pg_temp.pages(), '1 Earlier words', 'the document has its earlier pages');
select is(pg_temp.found('earlier'), 1::bigint, 'which are found');
select is(pg_temp.found('tomato'), 0::bigint, 'and not the staged ones');
select is(tests.attempt($$ select from dossier.document_pages where text ~ 'Tomato' $$, 'alpha-owner'), '0', 'which not even an owner sees');
select is(tests.attempt($$ select from dossier_private.staged_pages $$, 'alpha-owner'), '42501', 'or may read');
select is(tests.attempt($$ select from dossier_private.staged_pages $$, null, 'service_role'), '42501', 'nor may a service');
select ok(pg_temp.complete('[{"page":4,"text":"Lamps"}]', 3), 'the rest comes with the end');
select is(pg_temp.pages(), '1 Greenhouses, heated, 2 Tomatoes, 3 Cucumbers, 4 Lamps', 'all pages are there');
select results_eq($$ select d.status, d.page_count, d.language from dossier.documents as d where d.id = tests.id('alpha document') $$,
  $$ values ('ready', 4, 'eng') $$, 'and counted');
select tests.logout();
select results_eq($$ select source, engine, quality, reason, structure -> 'headings' from dossier.document_pages where document_id = tests.id('alpha document') and page = 1 $$,
  $$ values ('text', 'hayro', 0.9::real, 'first choice', '[{"level": 1, "text": "Greenhouses"}]'::jsonb) $$, 'a staged page is complete');
select is(pg_temp.found(word), 1::bigint, 'found: ' || word) from unnest(array['greenhouse', 'tomato', 'cucumber', 'lamp']) as word;
select is(pg_temp.found('earlier'), 0::bigint, 'the earlier words are gone');
select is(pg_temp.staged(), 0::bigint, 'nothing remains staged');
select is_empty($$
  select page from dossier_private.search_entries as entry join dossier.document_pages as p using (organization_id, document_id, page)
  where document_id = tests.id('alpha document') and (entry.config <> 'english'
    or entry.search <> dossier_private.search_vector('english', p.text, array[entry.organization_id, entry.session_id]))
$$, 'the words are those of pages that were not staged');

-- Words staged for one language are not those of another.

select pg_temp.begin();
select ok(pg_temp.stage('[{"page":1,"text":"Häuser im Garten"}]', 'eng'), 'a first guess');
select ok(pg_temp.complete('[]', 1, 'deu'), 'which was wrong');
select is(pg_temp.found('Haus'), 1::bigint, 'the words are indexed in the language of the document');
select pg_temp.begin('deu');
select ok(pg_temp.stage('[{"page":1,"text":"Bäume im Garten"}]', 'eng'), 'a language that was requested');
select tests.logout();
select is((select config from dossier_private.staged_pages), 'german', 'counts more than a detected one');
select tests.login(null, 'service_role');
select ok(pg_temp.complete('[]', 1), 'it ends');
select is(pg_temp.found('Baum'), 1::bigint, 'in that language');

-- Only the worker that owns the job stages its pages, and what it staged ends with its attempt.

select pg_temp.begin();
select ok(pg_temp.stage('[{"page":1,"text":"Half of a file"}]'), 'a worker stages a page');
select ok(not (select dossier.stage_pages(job_id, attempt + 1, '[]') from claimed), 'another attempt does not');
select is(pg_temp.staged(), 1::bigint, 'it is staged');
select ok((select dossier.release_job(job_id, attempt) from claimed), 'the worker stops');
select is(pg_temp.staged(), 0::bigint, 'nothing remains of a released attempt');
select ok(not pg_temp.stage('[{"page":2,"text":"Late"}]'), 'which stages nothing more');
select pg_temp.claim();
select pg_temp.stage('[{"page":1,"text":"Half of a file"}]');
select ok((select dossier.fail_job(job_id, attempt, 'x', 'Why it is so.') from claimed), 'the next one fails');
select is(pg_temp.staged(), 0::bigint, 'nothing remains of a failed attempt');
select tests.logout();
update dossier_private.jobs set run_at = now() where document_id = tests.id('alpha document') and status = 'queued';
select tests.login(null, 'service_role');
select pg_temp.claim();
select pg_temp.stage('[{"page":1,"text":"Half of a file"}]');
select tests.logout();
update dossier_private.jobs set lease_expires_at = now() where document_id = tests.id('alpha document') and status = 'running';
select is(dossier_private.recover_jobs(), 1, 'the worker of the third is killed');
select is(pg_temp.staged(), 0::bigint, 'nothing remains of a lost attempt');
select pg_temp.begin();
select pg_temp.stage('[{"page":1,"text":"Half of a file"}]');
select dossier.request_extraction(tests.id('alpha document'));
select is(pg_temp.staged(), 0::bigint, 'nothing remains of an attempt that another request ends');
select is(pg_temp.pages(), '1 Bäume im Garten', 'the document never had half its pages');

-- Refusals.

select pg_temp.claim();
select tests.refuses($$ select pg_temp.stage('{}') $$, 'PT400', 'pages must be a JSON array', 'pages that are not an array');
select throws_ok($$ select pg_temp.stage('[{"page":1,"text":"a"},{"page":1,"text":"b"}]') $$, '23505', null, 'a page is staged once');
select pg_temp.stage('[{"page":1,"text":"Half of a file"}]');
select tests.refuses($$ select pg_temp.complete('[]', 2) $$, 'PT409', 'Staged pages are missing', 'pages that a crash has emptied');
select is(pg_temp.pages(), '1 Bäume im Garten', 'then the document keeps what it has');
select ok((select dossier.fail_job(job_id, attempt, 'x', 'Why it is so.', false) from claimed), 'and the attempt fails');
select tests.logout();
update dossier.documents set media_type = 'application/pdf' where id = tests.id('alpha document');
select dossier_private.queue_thumbnail(tests.id('alpha document'));
select tests.login(null, 'service_role');
select pg_temp.claim();
select tests.refuses($$ select pg_temp.stage('[]') $$, 'PT400', 'This job is of kind thumbnail', 'a thumbnail has no pages');

-- A deletion.

select pg_temp.begin();
select pg_temp.stage('[{"page":1,"text":"Half of a file"}]');
select tests.logout();
delete from dossier.documents where id = tests.id('alpha document');
select is(pg_temp.staged(), 0::bigint, 'staged pages end with their document');

select * from finish();
rollback;
