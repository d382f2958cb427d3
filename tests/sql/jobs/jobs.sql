-- Jobs: claims, leases, fencing, back-off, lost workers, sweeping. See ../setup.sql for how to run this.

begin;
select plan(82);
select tests.fixture();
-- Other jobs and uploads, if any, are put out of the way until the rollback.
update dossier_private.jobs set run_at = 'infinity' where status = 'queued';
update dossier_private.jobs set lease_expires_at = 'infinity' where status = 'running';
update dossier.documents set created_at = 'infinity' where status = 'uploading';

select is(tests.outcomes(statement), 'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service ' || rows, statement)
from (values
  ($$ select from dossier.claim_jobs('w') $$, 0),
  ($$ select dossier.extend_lease(1, 1) $$, 1),
  ($$ select dossier.release_job(-1, 1) $$, 1),
  ($$ select dossier.complete_job(-1, 1, '[]') $$, 1),
  ($$ select dossier.fail_job(-1, 1, 'x', 'x') $$, 1),
  ($$ select dossier.sweep() $$, 1)
) as t (statement, rows);

-- request_extraction.

select is(tests.outcomes($$ select from dossier.request_extraction(tests.id('alpha document')) $$),
  'owner 1, admin 1, member 1, viewer 42501, other PT404, nobody PT404, anon 42501, service 1', 'callers that may ask for extraction');
select tests.login('alpha-member');
select tests.refuses($$ select dossier.request_extraction(tests.id('alpha document'), 'force') $$, 'PT422', 'OCR does not apply to files of type text/plain', 'a text has nothing for OCR');
select tests.refuses($$ select dossier.request_extraction(tests.id('alpha document'), 'maybe') $$, 'PT400', 'ocr must be auto, force or never', 'a mode of OCR that does not exist');
select tests.refuses(format('select dossier.request_extraction(tests.id(''alpha document''), language => %L)', language), 'PT400', 'language must be a code of three letters (ISO 639-3)', 'the language ' || language)
from unnest(array['de', 'deu; drop', '']) as language;
select tests.refuses($$ select dossier.request_extraction(tests.id('alpha document'), null) $$, 'PT400', 'ocr must be auto, force or never', 'or none');
select tests.logout();
update dossier.documents set media_type = 'image/svg+xml' where id = tests.id('alpha document');
select tests.login('alpha-member');
select tests.refuses($$ select dossier.request_extraction(tests.id('alpha document'), 'force') $$, 'PT422', 'OCR does not apply to files of type image/svg+xml', 'nor has an SVG, which no worker draws');
select tests.logout();
update dossier.documents set media_type = 'application/pdf' where id = tests.id('alpha document');
select tests.login('alpha-member');
select results_eq($$ select id, status, page_count from dossier.request_extraction(tests.id('alpha document'), 'force') $$,
  $$ values (tests.id('alpha document'), 'stored', 1) $$, 'the document waits, its pages stay');
select tests.logout();
update dossier.documents set media_type = 'text/plain', charset = 'koi8-r' where id = tests.id('alpha document');
select tests.login('alpha-member');
select tests.refuses($$ select dossier.request_extraction(tests.id('alpha upload')) $$, 'PT409', 'The document is still being uploaded', 'an upload is not extracted');
select tests.refuses($$ select dossier.request_extraction(tests.id('beta document')) $$, 'PT404', 'Document not found', 'another tenant''s document');
select tests.refuses($$ select dossier.request_extraction(null) $$, 'PT404', 'Document not found', 'no document');
select tests.logout();

-- The life of a job.

create temporary table claimed (job_id bigint, document_id uuid, organization_id uuid, media_type text, size_bytes bigint, sha256 text, ocr text, attempt integer, kind text, language text, worked_seconds real);
grant all on claimed to public;
create function pg_temp.claim(worker text default 'w') returns bigint language sql as $$
  delete from claimed;
  insert into claimed select * from dossier.claim_jobs(worker);
  select count(*) from claimed
$$;
create function pg_temp.job() returns bigint language sql as $$ select job_id from claimed $$;
create function pg_temp.status() returns text language sql as $$ select status from dossier.documents where id = tests.id('alpha document') $$;

select tests.login(null, 'service_role');
select is(pg_temp.claim('edge-1'), 1::bigint, 'a job is claimed');
select results_eq($$ select document_id, organization_id, media_type, size_bytes, sha256, ocr, attempt, kind from claimed $$,
  $$ values (tests.id('alpha document'), tests.id('alpha'), 'text/plain; charset=koi8-r', 5::bigint, encode(sha256('hello'), 'hex'), 'force', 1, 'extract') $$, 'with all that a worker needs');
select is(pg_temp.status(), 'extracting', 'the document is being extracted');
select is_empty($$ select from dossier.claim_jobs('edge-2') $$, 'no other worker gets it');
select ok(dossier.extend_lease(pg_temp.job(), 1, 600), 'its worker keeps it');
select ok(not dossier.extend_lease(pg_temp.job(), 2), 'another worker does not');
select ok(not dossier.complete_job(pg_temp.job(), 2, '[]'), 'or complete it');
select ok(not dossier.fail_job(pg_temp.job(), 0, 'x', 'x'), 'or fail it');
select is(pg_temp.status(), 'extracting', 'which changes nothing');
select tests.logout();
select results_eq($$ select status, attempts, worker, lease_expires_at from dossier_private.jobs where id = pg_temp.job() $$,
  $$ values ('running', 1, 'edge-1', now() + interval '10 minutes') $$, 'the lease is as extended');
select tests.login(null, 'service_role');
select tests.refuses($$ select dossier.complete_job(pg_temp.job(), 1, '{}') $$, 'PT400', 'pages must be a JSON array, and details a JSON object', 'pages that are not an array');
select tests.refuses($$ select dossier.complete_job(pg_temp.job(), 1, null) $$, 'PT400', 'pages must be a JSON array, and details a JSON object', 'no pages');
select throws_ok($$ select dossier.complete_job(pg_temp.job(), 1, '[{"page":0,"text":"x"}]') $$, '23514', null, 'pages count from 1');
select throws_ok($$ select dossier.complete_job(pg_temp.job(), 1, '[{"page":1,"text":"x"},{"page":1,"text":"y"}]') $$, '23505', null, 'no page twice');
select ok(dossier.complete_job(pg_temp.job(), 1,
  '[{"page":1,"text":"Guten Tag","source":"text","engine":"hayro"},{"page":2,"text":"héé","source":"ocr","confidence":0.9},{"page":3,"text":null}]'), 'its worker completes it');
select results_eq($$ select page, text, source, engine, confidence, organization_id from dossier.document_pages where document_id = tests.id('alpha document') order by page $$,
  $$ values (1, 'Guten Tag', 'text', 'hayro', null::real, tests.id('alpha')), (2, 'héé', 'ocr', null, 0.9::real, tests.id('alpha')), (3, '', 'text', null, null, tests.id('alpha')) $$,
  'the old page is replaced by the new ones');
select results_eq($$ select status, page_count, token_count, media_type, error_code from dossier.documents where id = tests.id('alpha document') $$,
  $$ values ('ready', 3, 5::bigint, 'text/plain', null::text) $$, 'the document is ready; its tokens are the sum of its pages''');
select ok(not dossier.complete_job(pg_temp.job(), 1, '[]'), 'a job is completed once');
select ok(not dossier.fail_job(pg_temp.job(), 1, 'x', 'x'), 'and does not fail afterwards');
select is(tests.attempt($$ select from dossier.search('tag') $$, 'alpha-viewer'), '1', 'the words can be searched');

-- A page can contain more different words than a search vector.

select dossier.request_extraction(tests.id('alpha document'));
select pg_temp.claim();
select ok(dossier.complete_job(pg_temp.job(), 1, (
  select jsonb_build_array(jsonb_build_object('page', 1, 'text', string_agg(md5(n::text), ' '))) from generate_series(1, 60000) as n)), 'a page of two megabytes is taken');

-- A second request supersedes the first, even a running one.

select lives_ok($$ select dossier.request_extraction(tests.id('alpha document')) $$, 'a service asks for extraction');
select is(pg_temp.claim(), 1::bigint, 'a worker takes it');
select tests.logout();
update dossier.documents set media_type = 'application/pdf' where id = tests.id('alpha document');
select lives_ok($$ select dossier.request_extraction(tests.id('alpha document'), 'force') $$, 'and is asked for again');
update dossier.documents set media_type = 'text/plain' where id = tests.id('alpha document');
select tests.login(null, 'service_role');
select ok(not dossier.complete_job(pg_temp.job(), 1, '[{"page":1,"text":"late"}]'), 'the first worker is late');
select is(pg_temp.claim(), 1::bigint, 'the second job is there');
select results_eq($$ select ocr, attempt from claimed $$, $$ values ('force', 1) $$, 'with its own options');
select dossier.request_extraction(tests.id('alpha document'), 'never');
select pg_temp.claim();
select is((select ocr from claimed), 'never', 'a document can be extracted again without OCR');

-- Failures: back-off, then the final failure.

select ok(dossier.fail_job(pg_temp.job(), 1, 'out_of_memory', 'It took too much memory.'), 'a first failure');
select is(pg_temp.status(), 'stored', 'the document waits');
select is(pg_temp.claim(), 0::bigint, 'and not to be claimed at once');
select tests.logout();
create temporary table failed as select * from dossier_private.jobs where document_id = tests.id('alpha document') and status = 'queued';
select ok((select run_at - now() between interval '2.5 seconds' and interval '5 seconds' from failed), 'the first back-off takes some seconds');
select is((select last_error from failed), 'out_of_memory: It took too much memory.', 'the reason is kept');
update dossier_private.jobs set run_at = now() where id = (select id from failed);
select tests.login(null, 'service_role');
select is(pg_temp.claim(), 1::bigint, 'a second attempt');
select is((select attempt from claimed), 2, 'which has its own number');
select ok(not dossier.complete_job(pg_temp.job(), 1, '[]'), 'that fences off the first');
select ok(dossier.fail_job(pg_temp.job(), 2, 'out_of_memory', 'It took too much memory.'), 'a second failure');
select tests.logout();
select ok((select run_at - now() between interval '5 seconds' and interval '10 seconds' from dossier_private.jobs where id = (select id from failed)), 'the back-off doubles');
update dossier_private.jobs set run_at = now() where id = (select id from failed);
select tests.login(null, 'service_role');
select is(pg_temp.claim(), 1::bigint, 'a third attempt');
select ok(dossier.fail_job(pg_temp.job(), 3, 'out_of_memory', 'It took too much memory.'), 'the last failure');
select results_eq($$ select status, error_code, error_message from dossier.documents where id = tests.id('alpha document') $$,
  $$ values ('failed', 'out_of_memory', 'It took too much memory. Request its extraction again. If it fails again, the operator finds the cause in the log.') $$, 'the document has failed and says why, and what to do');

select dossier.request_extraction(tests.id('alpha document'));
select pg_temp.claim();
select ok(dossier.fail_job(pg_temp.job(), 1, 'encrypted', 'The file is protected by a password.', false), 'a failure not worth a retry');
select is(pg_temp.status(), 'failed', 'is final at once');
select dossier.request_extraction(tests.id('alpha document'));
select results_eq($$ select status, error_code, error_message from dossier.documents where id = tests.id('alpha document') $$,
  $$ values ('stored', null::text, null::text) $$, 'a new request forgets the error');
select pg_temp.claim();
select ok(dossier.fail_job(pg_temp.job(), 1, 'unsupported', ''), 'an unsupported type, reported without a message');
select results_eq($$ select status, error_code, error_message from dossier.documents where id = tests.id('alpha document') $$,
  $$ values ('unsupported', 'unsupported', 'The file could not be read. The file is stored and can be downloaded. To make its text searchable, upload it as PDF or text.') $$, 'unsupported is not a failure, is not retried, and always has a message');

-- Lost workers.

select dossier.request_extraction(tests.id('alpha document'));
create function pg_temp.lose() returns void language plpgsql as $$
begin
  perform tests.logout();
  update dossier_private.jobs set lease_expires_at = now() - interval '1 second' where id = pg_temp.job();
  perform tests.login(null, 'service_role');
end
$$;
select pg_temp.claim('lost');
select pg_temp.lose();
select is(pg_temp.claim('finder'), 1::bigint, 'the job of a lost worker is claimed again');
select is((select attempt from claimed), 2, 'it is a new attempt');
select is(pg_temp.status(), 'extracting', 'the document never stops being extracted');
select ok(not dossier.complete_job(pg_temp.job(), 1, '[]'), 'the lost worker comes too late');
select pg_temp.lose();
select pg_temp.claim();
select pg_temp.lose();
select is(pg_temp.claim(), 0::bigint, 'three lost workers are enough');
select results_eq($$ select status, error_code, error_message <> '' from dossier.documents where id = tests.id('alpha document') $$,
  $$ values ('failed', 'worker_lost', true) $$, 'the document has failed and says that its workers were lost');
select dossier.request_extraction(tests.id('alpha document'));
select pg_temp.claim();
select pg_temp.lose();
select ok(dossier.complete_job(pg_temp.job(), 1, '[]'), 'a late worker that nobody has replaced still completes');

-- Arguments.

select tests.refuses($$ select dossier.claim_jobs('') $$, 'PT400', 'worker must have a name, and limit_count must be between 1 and 100', 'a worker has a name');
select tests.refuses($$ select dossier.claim_jobs(null) $$, 'PT400', 'worker must have a name, and limit_count must be between 1 and 100', 'which is not null');
select tests.refuses($$ select dossier.claim_jobs('w', 0) $$, 'PT400', 'worker must have a name, and limit_count must be between 1 and 100', 'no jobs are too few');
select tests.refuses($$ select dossier.claim_jobs('w', 1, -1) $$, 'PT400', 'lease_seconds must be between 1 and 3600', 'a lease is not negative');
select ok(not dossier.extend_lease(null, null), 'no job is nobody''s');
select tests.refuses($$ select dossier.sweep(null) $$, 'PT400', 'upload_max_age must not be negative', 'a sweep needs an age');

-- The sweeper.

select is(dossier.sweep() -> 'uploads', '0', 'young uploads stay');
select tests.logout();
update dossier.documents set created_at = now() - interval '2 hours' where id = tests.id('alpha upload');
select tests.login(null, 'service_role');
select is(dossier.sweep(), '{"uploads": 1, "imports": 0, "jobs": 0, "versions": 0, "usage_events": 0, "sessions": 0, "more": true}', 'old ones go');
select tests.logout();
select results_eq($$ select id = tests.id('alpha upload') from dossier.documents where id in (tests.id('alpha upload'), tests.id('beta upload')) $$, array[false], 'only they');

-- Notifications are queued in the statement's own transaction. Their triggers prove it.

select has_trigger('dossier', 'documents', 'documents_announce', 'a new status is announced');
select has_trigger('dossier', 'documents', 'documents_announce_deleted', 'and so is its end');

select * from finish();
rollback;
