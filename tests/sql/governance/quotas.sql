-- Quotas and usage. See ../setup.sql for how to run this. concurrency.sh proves that two uploads cannot take one place.

begin;
select plan(48);
select tests.fixture();

-- Setting and reading them.

select is(tests.outcomes($$ select from dossier.set_quota(tests.id('alpha'), 1) $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 1', 'callers that set quotas');
select is(tests.outcomes(statement), 'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', 'nobody does by hand: ' || statement)
from (values
  ($$ insert into dossier.quotas (organization_id) values (tests.id('alpha')) $$),
  ($$ update dossier.quotas set max_bytes = 1 $$),
  ($$ delete from dossier.quotas $$)
) as t (statement);
select is(tests.outcomes($$ select from dossier.usage(tests.id('alpha')) $$),
  'owner 1, admin 1, member 1, viewer 1, other PT404, nobody PT404, anon 42501, service 1', 'callers that see usage');
select tests.login(null, 'service_role');
select tests.refuses($$ select dossier.set_quota(tests.id('nothing'), 1) $$, 'PT404', 'Organization not found', 'an organization that does not exist');
select tests.refuses($$ select dossier.set_quota(null, 1) $$, 'PT404', 'Organization not found', 'no organization');
select tests.refuses($$ select dossier.set_quota(tests.id('alpha'), -1) $$, 'PT400', 'A quota must not be negative', 'negative bytes');
select tests.refuses($$ select dossier.set_quota(tests.id('alpha'), 1, 1, 1, -1) $$, 'PT400', 'A quota must not be negative', 'negative seconds');
select results_eq($$ select max_bytes, max_documents, max_documents_a_day, max_extraction_seconds_a_day from dossier.set_quota(tests.id('alpha'), 100, 4, 3, 60) $$,
  $$ values (100::bigint, 4::bigint, 3::bigint, 60::bigint) $$, 'quotas are set');
select is(tests.outcomes($$ select from dossier.quotas where organization_id = tests.id('alpha') $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service 1', 'callers that see quotas');
select tests.login('alpha-viewer');
select results_eq($$ select * from dossier.usage(tests.id('alpha')) $$,
  $$ values (5::bigint, 2::bigint, 0::bigint, 0::double precision, 100::bigint, 4::bigint, 3::bigint, 60::bigint, 0::bigint, 0::bigint) $$, 'usage reports stored and used amounts');
select tests.login('beta-viewer');
select results_eq($$ select documents, max_bytes, max_documents from dossier.usage(tests.id('beta')) $$, $$ values (2::bigint, null::bigint, null::bigint) $$, 'without quotas nothing is limited');
select tests.refuses($$ select from dossier.usage(tests.id('nothing')) $$, 'PT404', 'Organization not found', 'usage of no organization');

-- Bytes.

select tests.login('alpha-member');
select is(tests.attempt($$ select from dossier.begin_upload(tests.id('alpha session'), 'x.txt', size_bytes => 95) $$, 'alpha-member'), '1', 'an upload of exactly the remaining bytes passes');
select tests.login('alpha-member');
select tests.refuses($$ select dossier.begin_upload(tests.id('alpha session'), 'x.txt', size_bytes => 96) $$, 'PT403', 'The quota of the organization is exhausted: 5 of 100 bytes stored', 'a byte more');
select is(tests.detail($$ select dossier.begin_upload(tests.id('alpha session'), 'x.txt', size_bytes => 96) $$)::jsonb,
  '{"quota": "max_bytes", "limit": 100, "used": 5, "needed": 96}', 'the detail is for programs');
select lives_ok($$ select dossier.begin_upload(tests.id('alpha session'), 'declared.txt', size_bytes => 90) $$, 'declared bytes are taken at once');
select tests.refuses($$ select dossier.begin_upload(tests.id('alpha session'), 'x.txt', size_bytes => 6) $$, 'PT403', 'The quota of the organization is exhausted: 95 of 100 bytes stored', 'which leaves fewer');
select tests.refuses($$ select dossier.append_upload(tests.id('alpha upload'), 0, '123456') $$, 'PT403', 'The quota of the organization is exhausted: 95 of 100 bytes stored', 'an upload of unknown size cannot exceed the quota');
select ok(dossier.abort_upload((select id from dossier.documents where name = 'declared.txt')), 'an upload that is aborted');
select lives_ok($$ select dossier.append_upload(tests.id('alpha upload'), 0, '123456') $$, 'gives its bytes back');
select is((select bytes from dossier.usage(tests.id('alpha'))), 11::bigint, 'bytes count as they arrive');
select tests.refuses($$ select dossier.begin_upload(tests.id('alpha session'), 'x.txt', size_bytes => 90) $$, 'PT403', 'The quota of the organization is exhausted: 11 of 100 bytes stored', 'for who begins, too');
select tests.login(null, 'service_role');
select from dossier.set_quota(tests.id('alpha'), 10);
select tests.login('alpha-member');
select tests.refuses($$ select dossier.finish_upload(tests.id('alpha upload'), 6, repeat('ab', 32)) $$, 'PT403', 'The quota of the organization is exhausted: 5 of 10 bytes stored', 'no upload ends above the quota');
select tests.login(null, 'service_role');
select from dossier.set_quota(tests.id('alpha'), 11);
select tests.login('alpha-member');
select is((dossier.finish_upload(tests.id('alpha upload'), 6, repeat('ab', 32))).status, 'stored', 'one does that has room');
select tests.refuses($$ select dossier.begin_upload(tests.id('alpha session'), 'x.txt') $$, 'PT403', 'The quota of the organization is exhausted: 11 of 11 bytes stored', 'nothing left: not even for a size that is not known');
select is((select max_documents from dossier.usage(tests.id('alpha'))), null, 'omitted quotas are removed');

-- Documents, in total and today.

select tests.login(null, 'service_role');
select from dossier.set_quota(tests.id('alpha'), max_documents => 3);
select tests.login('alpha-member');
select lives_ok($$ select dossier.begin_upload(tests.id('alpha session'), 'third.txt') $$, 'the last document');
select tests.refuses($$ select dossier.begin_upload(tests.id('alpha session'), 'x.txt') $$, 'PT403', 'The quota of the organization is exhausted: 3 of 3 documents stored', 'one too many');
select ok(dossier.delete_document(tests.id('alpha document')), 'a document is deleted');
select lives_ok($$ select dossier.begin_upload(tests.id('alpha session'), 'x.txt') $$, 'and gives its place back');
select tests.login(null, 'service_role');
select from dossier.set_quota(tests.id('alpha'), max_documents_a_day => 4);
select tests.login('alpha-member');
select is((select documents_today from dossier.usage(tests.id('alpha'))), 3::bigint, 'uploads of today, also those that are gone');
select lives_ok($$ select dossier.begin_upload(tests.id('alpha session'), 'x.txt') $$, 'the last one of the day');
select tests.refuses($$ select dossier.begin_upload(tests.id('alpha session'), 'x.txt') $$, 'PT429', 'The quota of the organization is exhausted: 4 of 4 documents uploaded today', 'one too many for the day');
select tests.logout();
update dossier_private.usage_events set created_at = created_at - interval '1 day' where organization_id = tests.id('alpha');
select tests.login('alpha-member');
select lives_ok($$ select dossier.begin_upload(tests.id('alpha session'), 'x.txt') $$, 'tomorrow is another day');

-- Seconds of extraction.

select tests.logout();
update dossier_private.jobs set run_at = 'infinity' where status = 'queued' and organization_id <> tests.id('alpha');
select tests.login(null, 'service_role');
create temporary table claimed as select * from dossier.claim_jobs('w', 1);
select is((select document_id from claimed), tests.id('alpha upload'), 'a worker has a job');
select tests.logout();
select isnt((select started_at from dossier_private.jobs where id = (select job_id from claimed)), null, 'its start is noted');
update dossier_private.jobs set started_at = started_at - interval '90 seconds' where id = (select job_id from claimed);
select is((dossier_private.used_today(tests.id('alpha'), 'extraction')), 0::double precision, 'while it is at work nothing counts');
select ok(dossier.complete_job((select job_id from claimed), 1, '[]'), 'it is done');
select ok(dossier_private.used_today(tests.id('alpha'), 'extraction') between 90 and 100, 'its time counts');
select tests.login(null, 'service_role');
select from dossier.set_quota(tests.id('alpha'), max_extraction_seconds_a_day => 60);
select tests.login('alpha-member');
select tests.refuses($$ select dossier.begin_upload(tests.id('alpha session'), 'x.txt') $$, 'PT429', 'The quota of the organization is exhausted: 90 of 60 seconds of extraction today', 'an upload after the seconds are used up');
select tests.refuses($$ select dossier.request_extraction(tests.id('alpha upload')) $$, 'PT429', 'The quota of the organization is exhausted: 90 of 60 seconds of extraction today', 'a file cannot be extracted again, either');
select tests.login(null, 'service_role');
select from dossier.set_quota(tests.id('alpha'));
select tests.logout();
select from dossier.request_extraction(tests.id('alpha upload'));
select from dossier.claim_jobs('w', 1, 10);
update dossier_private.jobs set started_at = now() - interval '60 seconds', lease_expires_at = now() - interval '20 seconds' where document_id = tests.id('alpha upload') and status = 'running';
select is((dossier.sweep() ->> 'jobs')::integer, 1, 'a worker that is lost');
select ok(dossier_private.used_today(tests.id('alpha'), 'extraction') between 130 and 140, 'counts until its lease ran out');

-- Usage records are deleted after a month.

update dossier_private.usage_events set created_at = now() - interval '33 days' where organization_id = tests.id('alpha') and kind = 'extraction';
select is((dossier.sweep() ->> 'usage_events')::integer, 2, 'old records are swept');
select is((dossier.sweep() ->> 'usage_events')::integer, 0, 'once');
delete from dossier.organizations where id = tests.id('alpha');
select is_empty($$ select from dossier_private.usage_events where organization_id = tests.id('alpha') $$, 'and all of them with the organization');

select * from finish();
rollback;
