-- Which job is next: fairness between organizations, text before thumbnails, and released jobs.
-- See ../setup.sql for how to run this.

begin;
select plan(37);
select tests.fixture();
-- Other jobs, if any, are put out of the way until the rollback.
update dossier_private.jobs set run_at = 'infinity' where status = 'queued';
update dossier_private.jobs set lease_expires_at = 'infinity' where status = 'running';

create function pg_temp.document(tenant text, number integer, media_type text default 'text/plain') returns uuid language sql as $$
  insert into dossier.documents (id, session_id, organization_id, user_id, name, media_type, size_bytes, sha256, status)
  values (tests.id(tenant || number), tests.id(tenant || ' session'), tests.id(tenant), tenant || '-member',
    tenant || number, media_type, 1, repeat('0', 64), 'stored')
  returning id
$$;
create function pg_temp.queue(tenant text, number integer, kind text default 'extract', age interval default '0') returns void language sql as $$
  insert into dossier_private.jobs (document_id, organization_id, kind, run_at)
  values (tests.id(tenant || number), tests.id(tenant), kind, now() - age)
$$;
create function pg_temp.claim(count integer default 1) returns setof text language plpgsql as $$
begin
  return query
  with claimed as materialized (select * from dossier.claim_jobs('w', count))
  select document.name || case claimed.kind when 'thumbnail' then ' thumbnail' else '' end
  from claimed join dossier.documents as document on document.id = claimed.document_id;
end
$$;

-- Alpha queues a burst of ten, an hour before beta's one.

select pg_temp.document('alpha', n), pg_temp.queue('alpha', n, 'extract', make_interval(mins => 70 - n)) from generate_series(1, 10) as n;
select pg_temp.document('beta', 1), pg_temp.queue('beta', 1);
select tests.login(null, 'service_role');
select results_eq($$ select pg_temp.claim() $$, array['alpha1'], 'the oldest of all is first');
select results_eq($$ select pg_temp.claim() $$, array['beta1'], 'then who has nothing under way, however late');
select results_eq($$ select pg_temp.claim(3) $$, array['alpha2', 'alpha3', 'alpha4'], 'without other waiting jobs, the burst continues in order');
select tests.logout();
select pg_temp.document('beta', n), pg_temp.queue('beta', n) from generate_series(2, 4) as n;
select tests.login(null, 'service_role');
select results_eq($$ select pg_temp.claim(4) $$, array['beta2', 'beta3', 'beta4', 'alpha5'], 'the one behind catches up, until both have as many');
select tests.logout();

-- Jobs that are not due, or whose document is locked, are skipped.

update dossier_private.jobs set run_at = now() + interval '1 minute' where document_id = tests.id('alpha6');
select tests.login(null, 'service_role');
select results_eq($$ select pg_temp.claim() $$, array['alpha7'], 'a job that is not due waits');
select tests.logout();

-- Thumbnails come after text.

select pg_temp.document('beta', 5, 'image/png'), pg_temp.queue('beta', 5, 'thumbnail', '1 day');
select pg_temp.document('beta', 6), pg_temp.queue('beta', 6);
update dossier_private.jobs set run_at = 'infinity' where organization_id = tests.id('alpha') and status = 'queued';
select tests.login(null, 'service_role');
select results_eq($$ select pg_temp.claim(3) $$, array['beta6', 'beta5 thumbnail'], 'text first, then a thumbnail, though older');
select tests.logout();
select is((select status from dossier.documents where id = tests.id('beta6')), 'extracting', 'a document with a running extraction is extracting');
select is((select status from dossier.documents where id = tests.id('beta5')), 'stored', 'a document with a running thumbnail is not');

-- Releasing.

create temporary table job as select * from dossier_private.jobs where document_id = tests.id('beta6') and status = 'running';
grant select on job to public;
select tests.login(null, 'service_role');
select ok(not dossier.release_job((select id from job), 2), 'another attempt hands nothing back');
select ok(dossier.release_job((select id from job), 1), 'its worker does');
select ok(not dossier.release_job((select id from job), 1), 'once');
select ok(not dossier.complete_job((select id from job), 1, '[]'), 'and has no more to say about it');
select tests.logout();
select is((select status from dossier.documents where id = tests.id('beta6')), 'stored', 'the document waits again');
select results_eq($$ select j.status, j.run_at <= now(), j.max_attempts - j.failures, j.lease_expires_at is null
    from dossier_private.jobs as j where j.id = (select id from job) $$,
  $$ values ('queued', true, 3, true) $$, 'to be claimed at once, with as many attempts left as before');
select tests.login(null, 'service_role');
select results_eq($$ select job_id, attempt from dossier.claim_jobs('w') $$, $$ select id, 2 from job $$, 'by a new attempt');
select tests.logout();

create temporary table picture as select * from dossier_private.jobs where document_id = tests.id('beta5');
grant select on picture to public;
select tests.login(null, 'service_role');
select ok(dossier.release_job((select id from picture), 1), 'a thumbnail is handed back');
select tests.logout();
select is((select status from dossier.documents where id = tests.id('beta5')), 'stored', 'and its document is left alone');

-- A job that was handed back very often.

update dossier_private.jobs set status = 'running', attempts = 1000, failures = 1, worker = 'w', lease_expires_at = now() + interval '1 minute'
where id = (select id from picture);
select ok(dossier.fail_job((select id from picture), 1000, 'x', 'x'), 'a job that was claimed a thousand times can fail');
select results_eq($$ select status, failures, run_at - now() between interval '5 seconds' and interval '10 seconds' from dossier_private.jobs where id = (select id from picture) $$,
  $$ values ('queued', 2, true) $$, 'only its failures count, and set the back-off');

-- A worker lost during a thumbnail.

update dossier_private.jobs set status = 'running', attempts = max_attempts, failures = max_attempts - 1, worker = 'w', lease_expires_at = now() - interval '1 second'
where id = (select id from picture);
select tests.login(null, 'service_role');
select is_empty($$ select dossier.claim_jobs('w') $$, 'a thumbnail whose workers are always lost is given up');
select tests.logout();
select results_eq($$ select j.status, document.status, document.error_code from dossier_private.jobs as j
    join dossier.documents as document on document.id = j.document_id where j.id = (select id from picture) $$,
  $$ values ('failed', 'stored', null::text) $$, 'its document is unaffected');

-- OCR: a share per organization, and turns between organizations that wait.

update dossier_private.jobs set status = 'failed', lease_expires_at = null where organization_id in (tests.id('alpha'), tests.id('beta')) and status in ('queued', 'running');
select pg_temp.document('alpha', n, 'image/tiff'), pg_temp.queue('alpha', n, 'ocr', make_interval(mins => 300 - n)) from generate_series(21, 25) as n;
create function pg_temp.release(document text) returns boolean language sql as $$
  select dossier.release_job(j.id, j.attempts) from dossier_private.jobs as j where j.document_id = tests.id(document) and j.status = 'running'
$$;
create function pg_temp.ocr_running() returns bigint language sql as $$
  select count(*) from dossier_private.jobs as j where j.kind = 'ocr' and j.status = 'running' and j.organization_id = tests.id('alpha')
$$;
select results_eq($$ select pg_temp.claim(5) $$, array['alpha21', 'alpha22'], 'an organization has two OCR jobs at once, however many wait');
select is_empty($$ select pg_temp.claim() $$, 'and gets no third');
update dossier_private.settings set value = '3' where name = 'ocr_jobs_per_organization';
select results_eq($$ select pg_temp.claim(5) $$, array['alpha23'], 'unless the setting allows it');
select pg_temp.document('alpha', 26), pg_temp.queue('alpha', 26);
select results_eq($$ select pg_temp.claim() $$, array['alpha26'], 'its text does not wait for its OCR');
select throws_ok($$ update dossier_private.settings set value = '0' where name = 'ocr_jobs_per_organization' $$, '23514', null, 'no share at all would be no OCR');

select pg_temp.document('beta', 21, 'image/tiff'), pg_temp.queue('beta', 21, 'ocr');
select results_eq($$ select pg_temp.claim() $$, array['beta21'], 'another organization has a share of its own');
update dossier_private.jobs set status = 'failed', lease_expires_at = null where document_id = tests.id('alpha26') and kind = 'extract';
update dossier_private.settings set value = '1' where name = 'ocr_jobs_per_organization';
select ok(pg_temp.release('alpha21') and pg_temp.release('alpha22') and pg_temp.release('alpha23') and pg_temp.release('beta21'), 'all are released, as after a slice of time');
-- One worker takes turns: alpha's jobs are older, and there are more of them.
update dossier_private.jobs set run_at = now() - interval '1 hour' where organization_id = tests.id('alpha') and status = 'queued';
create function pg_temp.turn() returns text language plpgsql as $$
declare
  document text := pg_temp.claim();
begin
  perform pg_temp.release(document);
  return left(document, -2);
end
$$;
select is((select string_agg(pg_temp.turn(), ' ') from generate_series(1, 6)), 'alpha beta alpha beta alpha beta', 'a single worker alternates between organizations, however many jobs one has');
select is((select count(*) from dossier_private.jobs where kind = 'ocr' and worked_seconds > 0 and organization_id in (tests.id('alpha'), tests.id('beta'))), 4::bigint, 'the time of each attempt is added up');
select ok((select bool_or(worked_seconds > 0) from dossier.claim_jobs('w', 2)), 'and reported to the next worker');
update dossier_private.jobs set status = 'failed', lease_expires_at = null where organization_id in (tests.id('alpha'), tests.id('beta')) and status in ('queued', 'running');

-- The same for text: a burst, and one worker.

select pg_temp.document('alpha', n), pg_temp.queue('alpha', n, 'extract', make_interval(mins => 300 - n)) from generate_series(31, 34) as n;
select pg_temp.document('beta', n), pg_temp.queue('beta', n) from generate_series(31, 32) as n;
create function pg_temp.done() returns text language plpgsql as $$
declare
  document text := pg_temp.claim();
begin
  update dossier_private.jobs set status = 'done', lease_expires_at = null where document_id = tests.id(document);
  return left(document, -2);
end
$$;
select is((select string_agg(pg_temp.done(), ' ') from generate_series(1, 6)), 'alpha beta alpha beta alpha alpha', 'text takes turns, too');

-- The language that a request names is that of its OCR.

update dossier.documents set media_type = 'application/pdf' where id = tests.id('alpha1');
select lives_ok($$ select dossier.request_extraction(tests.id('alpha1'), 'auto', 'deu') $$, 'a request names a language');
create temporary table asked as select * from dossier.claim_jobs('w') where document_id = tests.id('alpha1');
select is((select language from asked), 'deu', 'its worker learns it');
select dossier.complete_job(job_id, attempt, '[{"page":1,"text":"typed"},{"page":2,"text":""}]', 'application/pdf', '{"ocr":{"outcome":"pending","pages":[2]}}') from asked;
select results_eq($$ select kind, language from dossier.claim_jobs('w', 2) where kind = 'ocr' $$, $$ values ('ocr', 'deu') $$, 'and so does the one that runs OCR');

-- At most one live job per kind.

select lives_ok($$ select pg_temp.queue('beta', 5, 'extract') $$, 'text and thumbnail may wait side by side');
select throws_ok($$ select pg_temp.queue('beta', 5, 'extract') $$, '23505', null, 'but no kind twice');

select * from finish();
rollback;
