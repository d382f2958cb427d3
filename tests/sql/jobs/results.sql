-- Results: what complete_job() and fail_job() store of a worker's report. See ../setup.sql for how to run this.

begin;
select plan(41);
select tests.fixture();
update dossier_private.jobs set run_at = 'infinity' where status = 'queued';
update dossier_private.jobs set lease_expires_at = 'infinity' where status = 'running';

-- run(details): a whole extraction of alpha's document, as a worker reports it.
create function pg_temp.run(details jsonb, pages jsonb default '[{"page":1,"text":"x"}]') returns boolean language plpgsql as $$
declare
  job record;
begin
  perform tests.login(null, 'service_role');
  perform dossier.request_extraction(tests.id('alpha document'));
  select * into job from dossier.claim_jobs('w');
  return dossier.complete_job(job.job_id, job.attempt, pages, details => details);
end
$$;
create function pg_temp.fail(error_code text) returns boolean language plpgsql as $$
declare
  job record;
begin
  perform tests.login(null, 'service_role');
  perform dossier.request_extraction(tests.id('alpha document'));
  select * into job from dossier.claim_jobs('w');
  return dossier.fail_job(job.job_id, job.attempt, error_code, 'Why it is so.');
end
$$;
create function pg_temp.document() returns dossier.documents language sql as $$
  select * from dossier.documents where id = tests.id('alpha document')
$$;

-- The language that a user names counts more than the one that is detected.

create function pg_temp.run_in(language text) returns text language plpgsql as $$
declare
  job record;
begin
  perform tests.login(null, 'service_role');
  perform dossier.request_extraction(tests.id('alpha document'), language => run_in.language);
  select * into job from dossier.claim_jobs('w');
  perform dossier.complete_job(job.job_id, job.attempt, '[{"page":1,"text":"x"}]', details => '{"language": "eng"}');
  return (select d.language from dossier.documents as d where d.id = tests.id('alpha document'));
end
$$;
select is(pg_temp.run_in('deu'), 'deu', 'a language that is named');
select is(pg_temp.run_in(null), 'eng', 'the next extraction detects it again');

-- Pages.

select ok(pg_temp.run('{}', '[{"page":1,"text":"Gut","engine":"hayro","quality":0.98,"reason":"first choice"},
  {"page":2,"text":"12","source":"ocr","engine":"tesseract","confidence":0.91,"quality":null}]'), 'pages say how they were read');
select results_eq($$ select page, source, engine, confidence, quality, reason, token_count from dossier.document_pages
    where document_id = tests.id('alpha document') order by page $$,
  $$ values (1, 'text', 'hayro', null::real, 0.98::real, 'first choice', 1), (2, 'ocr', 'tesseract', 0.91, null, null, 2) $$, 'which is kept');
select is((pg_temp.document()).token_count, 3::bigint, 'the document''s tokens are its pages''');
select throws_ok($$ select pg_temp.run('{}', '[{"page":1,"text":"x","quality":1.5}]') $$, '23514', null, 'no quality above 1');
select ok(pg_temp.run('{}', jsonb_build_array(jsonb_build_object('page', 1, 'text', 'x', 'engine', repeat('e', 9999), 'reason', repeat('r', 9999)))), 'a talkative worker');
select results_eq($$ select char_length(engine), char_length(reason) from dossier.document_pages where document_id = tests.id('alpha document') $$,
  $$ values (100, 500) $$, 'is cut short');

-- The file's own metadata.

select ok(pg_temp.run('{"language":"deu","metadata":{"title":"Bericht","author":"A. Noether","created":"2024-05-01T10:00:00Z",
  "page_labels":["i"],"outline":[{"level":1,"title":"Anfang","page":1}],"attachments":["a.csv"]}}'), 'a file that says much of itself');
select is((pg_temp.document()).language, 'deu', 'its language is kept');
select is((pg_temp.document()).file_metadata, '{"title":"Bericht","author":"A. Noether","created":"2024-05-01T10:00:00Z",
  "page_labels":["i"],"outline":[{"level":1,"title":"Anfang","page":1}],"attachments":["a.csv"]}', 'and what it says');
select is((pg_temp.document()).metadata, '{}', 'apart from what the app says');
select ok(pg_temp.run('{"language":"<script>","metadata":{"title":"","author":7,"subject":["x"],"outline":"none","page_labels":[],"evil":"x"}}'), 'a file that says nonsense');
select is((pg_temp.document()).language, null, 'an invalid language is ignored');
select is((pg_temp.document()).file_metadata, '{}', 'and what nobody expects is dropped');
select ok(pg_temp.run(jsonb_build_object('metadata', jsonb_build_object('title', repeat('é', 100000)))), 'a title of 100000 letters');
select is(char_length((pg_temp.document()).file_metadata ->> 'title'), 1000, 'is cut to 1000');
select ok(pg_temp.run(jsonb_build_object('metadata', jsonb_build_object('title', 'Long',
  'page_labels', (select jsonb_agg('label ' || n) from generate_series(1, 10000) as n),
  'outline', jsonb_build_array(jsonb_build_object('level', 1, 'title', 'One'))))), 'ten thousand page labels');
select is((pg_temp.document()).file_metadata, '{"title":"Long","outline":[{"level":1,"title":"One"}]}', 'go, the rest stays');
select ok(pg_temp.run(jsonb_build_object('metadata', jsonb_build_object('title', 'Long', 'attachments', array[repeat('a', 70000)], 'outline', array[repeat('o', 70000)]))), 'lists of huge strings');
select is((pg_temp.document()).file_metadata, '{"title":"Long"}', 'are dropped');
select ok(pg_temp.run('{"metadata":[1]}'), 'metadata that is not an object');
select is((pg_temp.document()).file_metadata, '{}', 'becomes an empty object');
select ok(pg_temp.run('{"metadata":{"outline":[1e131071]}}'), 'a number of a hundred thousand digits');
select is((pg_temp.document()).file_metadata, '{}', 'is not written out');
select tests.refuses($$ select pg_temp.run('[]') $$, 'PT400', 'pages must be a JSON array, and details a JSON object', 'details that are not an object');
select ok(pg_temp.run(null), 'no details at all');

-- Pages that are images.

select ok(pg_temp.run('{"needs_ocr":[2,3,4,9],"ocr":{"outcome":"missing","reason":"Install Tesseract."}}'), 'a mixed file, and no OCR');
select results_eq($$ select status, error_code, error_message from pg_temp.document() $$,
  $$ values ('ready', 'needs_ocr', 'Pages 2-4, 9: words in images were not read. Install Tesseract.') $$, 'is ready, with a notice that names the pages');
select ok(pg_temp.run('{"needs_ocr":[7],"ocr":{"outcome":"incomplete","pages":3,"reason":"Too slow."}}'), 'a page that OCR gave up');
select results_eq($$ select status, error_code, error_message from pg_temp.document() $$,
  $$ values ('ready', 'ocr_incomplete', 'Page 7: words in images were not read. Too slow.') $$, 'is named as well');
select ok(pg_temp.run('{"ocr":{"outcome":"complete","pages":4}}'), 'OCR that read everything');
select results_eq($$ select status, error_code, error_message from pg_temp.document() $$,
  $$ values ('ready', null::text, null::text) $$, 'leaves no notice');
select tests.logout();
select is(dossier_private.page_list((select jsonb_agg(2 * n) from generate_series(1, 500) as n)), 'Pages 2, 4, 6, 8, 10, 12, 14, 16, 18, 20 and more', 'a long list is cut');
select is(dossier_private.page_list('["x", {}, -1]'), 'Some pages', 'a malformed list has a general text');

-- Hints.

select is(dossier_private.with_advice(code, 'It is so'), said, code)
from (values
  ('encrypted', 'It is so. Remove the password and upload the file again.'), ('needs_ocr', 'It is so.'),
  ('anything', 'It is so. Request its extraction again. If it fails again, the operator finds the cause in the log.')
) as t (code, said);

-- A file that contains only images.

select ok(pg_temp.fail('needs_ocr'), 'a scan, and no OCR');
select results_eq($$ select status, error_code, error_message from pg_temp.document() $$,
  $$ values ('unsupported', 'needs_ocr', 'Why it is so.') $$, 'is unsupported, and says why');
select tests.logout();
select is_empty($$ select from dossier_private.jobs where document_id = tests.id('alpha document') and status = 'queued' $$, 'and is not tried again');

select * from finish();
rollback;
