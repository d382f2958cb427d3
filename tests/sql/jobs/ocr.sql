-- OCR as a job of its own: what it makes of a document, page by page. See ../setup.sql for how to run this.

begin;
select plan(56);
select tests.fixture();
update dossier_private.jobs set run_at = 'infinity' where status = 'queued';
update dossier_private.jobs set lease_expires_at = 'infinity' where status = 'running';
update dossier.documents set media_type = 'application/pdf' where id = tests.id('alpha document');
delete from dossier.document_thumbnails where document_id = tests.id('alpha document');
insert into dossier.document_thumbnails (document_id, organization_id, media_type, width, height, bytes)
values (tests.id('alpha document'), tests.id('alpha'), 'image/webp', 1, 1, 'x');

select is(tests.outcomes(statement), 'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 1', statement)
from (values
  ($$ select dossier.ocr_pages(-1, 1) $$),
  ($$ select dossier.store_ocr_page(-1, 1, '{}', true) $$),
  ($$ select dossier.finish_ocr(-1, 1) $$)
) as t (statement);

create temporary table claimed (job_id bigint, document_id uuid, organization_id uuid, media_type text, size_bytes bigint, sha256 text, ocr text, attempt integer, kind text, language text, worked_seconds real);
grant all on claimed to public;
create function pg_temp.claim() returns text language sql as $$
  delete from claimed;
  insert into claimed select * from dossier.claim_jobs('w');
  select kind from claimed
$$;
-- Extracts a document of these pages, of which OCR should read some.
create function pg_temp.extracted(pages jsonb, plan jsonb, mode text default 'auto') returns text language plpgsql as $$
begin
  perform dossier.request_extraction(tests.id('alpha document'), mode);
  perform pg_temp.claim();
  perform dossier.complete_job(c.job_id, c.attempt, pages, 'application/pdf', jsonb_build_object('ocr', plan)) from claimed as c;
  return pg_temp.claim();
end
$$;
create function pg_temp.store(page integer, text text, is_read boolean default true, reason text default null) returns boolean language sql as $$
  select dossier.store_ocr_page(c.job_id, c.attempt, jsonb_build_object('page', page, 'text', text, 'source', 'ocr', 'engine', 'tesseract', 'confidence', 0.9, 'reason', reason), is_read)
  from claimed as c
$$;
create function pg_temp.state() returns text language sql as $$
  select concat_ws(' ', d.status, d.ocr_status, d.ocr_page || '/' || d.ocr_pages, d.error_code) from dossier.documents as d where d.id = tests.id('alpha document')
$$;
create function pg_temp.found(word text) returns bigint language sql as $$
  select tests.attempt(format($q$ select from dossier.search(%L) $q$, word), 'alpha-viewer')::bigint
$$;

-- A file with text is ready at once; its images follow.

select tests.login(null, 'service_role');
select is(pg_temp.extracted('[{"page":1,"text":"Typed words"},{"page":2,"text":""},{"page":3,"text":"stamp"}]', '{"outcome":"pending","pages":[2,3]}'), 'ocr', 'OCR is a job');
select is(pg_temp.state(), 'ready running 0/2', 'of a document that is ready');
select is(pg_temp.found('typed'), 1::bigint, 'and can be found');
select is((select jsonb_path_query_array(dossier.ocr_pages(job_id, attempt), '$[*].page') from claimed), '[2, 3]'::jsonb, 'a worker learns which pages remain');
select is((select dossier.ocr_pages(job_id, attempt) -> 1 ->> 'text' from claimed), 'stamp', 'with the text they have');
select is((select dossier.ocr_pages(job_id, attempt + 1) from claimed), null, 'another attempt learns nothing');
select ok(not (select dossier.store_ocr_page(job_id, attempt + 1, '{"page":2,"text":"x"}', true) from claimed), 'and stores nothing');
select tests.refuses($$ select pg_temp.store(1, 'x') $$, 'PT400', 'Page 1 does not wait for OCR', 'a page that has text');
select tests.refuses($$ select dossier.finish_ocr(job_id, attempt) from claimed $$, 'PT409', 'Pages still wait for OCR', 'it is not finished yet');
select tests.refuses($$ select dossier.complete_job(job_id, attempt, '[]') from claimed $$, 'PT400', 'This job is of kind ocr', 'nor by a text');
select ok(pg_temp.store(2, 'Scanned words'), 'a page is read');
select is(pg_temp.state(), 'ready running 1/2', 'which counts');
select is(pg_temp.found('scanned'), 1::bigint, 'and can be found at once');
select results_eq($$ select text, source, engine, confidence from dossier.document_pages where document_id = tests.id('alpha document') and page = 2 $$,
  $$ values ('Scanned words', 'ocr', 'tesseract', 0.9::real) $$, 'it says how it was read');
select is((select sum(token_count) from dossier.document_pages where document_id = tests.id('alpha document')),
  (select token_count from dossier.documents where id = tests.id('alpha document')), 'the tokens are the sum of the pages');
select tests.refuses($$ select pg_temp.store(2, 'again') $$, 'PT400', 'Page 2 does not wait for OCR', 'a page is stored once');

-- A worker may hand it back, and another goes on with the rest.

select ok((select dossier.release_job(job_id, attempt) from claimed), 'a worker makes room');
select is(pg_temp.state(), 'ready running 1/2', 'the document keeps what was read');
select is_empty($$ select from dossier.claim_jobs('w', with_ocr => false) $$, 'a worker that takes no OCR gets nothing');
select is(pg_temp.claim(), 'ocr', 'another worker goes on');
select is((select jsonb_path_query_array(dossier.ocr_pages(job_id, attempt), '$[*].page') from claimed), '[3]'::jsonb, 'with the rest');
select ok(pg_temp.store(3, 'stamp and letters'), 'which it reads');
select ok((select dossier.finish_ocr(job_id, attempt, 'eng') from claimed), 'it is finished');
select is(pg_temp.state(), 'ready done 2/2', 'and done');
select is(pg_temp.found('letters'), 1::bigint, 'with all words found');
select is((select language from dossier.documents where id = tests.id('alpha document')), 'eng', 'in the language of the recognized text');
select ok(not (select dossier.finish_ocr(job_id, attempt) from claimed), 'a job is finished once');

-- A file of images only has no text before its first page is read.

select is(pg_temp.extracted('[{"page":1,"text":" "},{"page":2,"text":""}]', '{"outcome":"pending","pages":[1,2]}'), 'ocr', 'a scan');
select is(pg_temp.state(), 'extracting running 0/2', 'is not ready');
select ok(pg_temp.store(1, '', false, 'OCR failed: too slow'), 'a page that could not be read');
select is(pg_temp.state(), 'extracting running 1/2', 'does not make it ready');
select ok(pg_temp.store(2, 'Portrait'), 'but one that was read');
select is(pg_temp.state(), 'ready running 2/2', 'does');
select is(pg_temp.found('portrait'), 1::bigint, 'and can be found');
select ok((select dossier.finish_ocr(job_id, attempt) from claimed), 'it is finished');
select results_eq($$ select pg_temp.state(), error_message from dossier.documents where id = tests.id('alpha document') $$,
  $$ values ('ready incomplete 2/2 ocr_incomplete', 'Page 1: words in images were not read. OCR failed: too slow') $$, 'and names the page that was not read');

-- Pages beyond the limit are known from the start.

select pg_temp.extracted('[{"page":1,"text":"a"},{"page":2,"text":""},{"page":3,"text":""}]', '{"outcome":"pending","pages":[2],"beyond":[3],"reason":"The limit is one page."}');
select pg_temp.store(2, 'b');
select dossier.finish_ocr(job_id, attempt) from claimed;
select results_eq($$ select pg_temp.state(), error_message from dossier.documents where id = tests.id('alpha document') $$,
  $$ values ('ready incomplete 1/1 ocr_incomplete', 'Page 3: words in images were not read. The limit is one page.') $$, 'pages beyond the limit are named');

-- Without OCR on the host.

select pg_temp.extracted('[{"page":1,"text":"typed"},{"page":2,"text":""}]', '{"outcome":"pending","pages":[2]}');
select ok((select dossier.fail_job(job_id, attempt, 'needs_ocr', 'Install Tesseract.', true) from claimed), 'OCR that is not installed');
select results_eq($$ select pg_temp.state(), error_message from dossier.documents where id = tests.id('alpha document') $$,
  $$ values ('ready unavailable 0/1 needs_ocr', 'Page 2: words in images were not read. Install Tesseract.') $$, 'leaves a document with its text, and a notice');
select pg_temp.extracted('[{"page":1,"text":""}]', '{"outcome":"pending","pages":[1]}');
select dossier.fail_job(job_id, attempt, 'needs_ocr', 'Install Tesseract.', true) from claimed;
select results_eq($$ select pg_temp.state(), error_message from dossier.documents where id = tests.id('alpha document') $$,
  $$ values ('unsupported unavailable 0/1 needs_ocr', 'Install Tesseract.') $$, 'a scan has no text at all');

-- Failures of the host are retried, and do not lose the pages that were read.

select pg_temp.extracted('[{"page":1,"text":"typed"},{"page":2,"text":""},{"page":3,"text":""}]', '{"outcome":"pending","pages":[2,3]}');
select pg_temp.store(2, 'kept');
select ok((select dossier.fail_job(job_id, attempt, 'worker_killed', 'Out of memory.', true) from claimed), 'a worker that was killed');
select is(pg_temp.state(), 'ready pending 1/2', 'is replaced later');
select tests.logout();
update dossier_private.jobs set run_at = now(), failures = 2, attempts = 2 where document_id = tests.id('alpha document') and kind = 'ocr' and status = 'queued';
select tests.login(null, 'service_role');
select is(pg_temp.claim(), 'ocr', 'the last attempt');
select tests.logout();
update dossier_private.jobs set lease_expires_at = now() - interval '1 second' where id = (select job_id from claimed);
select tests.login(null, 'service_role');
select is(pg_temp.claim(), null, 'whose worker is lost');
select is(pg_temp.state(), 'ready incomplete 1/2 ocr_incomplete', 'leaves the document as it is');
select is(pg_temp.found('kept'), 1::bigint, 'with the page that was read');

-- A new request forgets OCR, also one that runs.

select pg_temp.extracted('[{"page":1,"text":"typed"},{"page":2,"text":""}]', '{"outcome":"pending","pages":[2]}', 'force');
select is((select ocr from claimed), 'force', 'a worker learns that OCR was requested');
select dossier.request_extraction(tests.id('alpha document'), 'never');
select is(pg_temp.state(), 'stored none', 'a document that is extracted again');
select ok(not pg_temp.store(2, 'late'), 'takes no page of the OCR before');
select is(pg_temp.claim(), 'extract', 'and only its text is extracted');
select ok((select dossier.complete_job(job_id, attempt, '[{"page":1,"text":"typed"}]', 'application/pdf', '{"ocr":{"outcome":"not_asked"}}') from claimed), 'without OCR');
select is(pg_temp.state(), 'ready none', 'nothing more follows');
select is(pg_temp.claim(), null, 'and no job');
select tests.logout();

select * from finish();
rollback;
