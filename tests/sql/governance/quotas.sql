-- Quotas and usage. See ../setup.sql for how to run this. concurrency.sh proves that two uploads cannot take one place.

begin;
select plan(86);
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
select results_eq($$ select max_bytes, max_documents, max_documents_a_day, max_extraction_seconds_a_day from dossier.set_quota(tests.id('alpha'), 165, 4, 3, 60) $$,
  $$ values (165::bigint, 4::bigint, 3::bigint, 60::bigint) $$, 'quotas are set');
select is(tests.outcomes($$ select from dossier.quotas where organization_id = tests.id('alpha') $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service 1', 'callers that see quotas');
select tests.login('alpha-viewer');
select results_eq($$ select * from dossier.usage(tests.id('alpha')) $$,
  $$ values (65::bigint, 2::bigint, 0::bigint, 0::double precision, 165::bigint, 4::bigint, 3::bigint, 60::bigint, 0::bigint, 0::bigint,
    5::bigint, 5::bigint, 26::bigint, 29::bigint, 0::bigint, 0::bigint) $$, 'usage reports stored and used amounts, and the parts of all bytes');
select tests.login('beta-viewer');
select results_eq($$ select documents, max_bytes, max_documents from dossier.usage(tests.id('beta')) $$, $$ values (2::bigint, null::bigint, null::bigint) $$, 'without quotas nothing is limited');
select tests.refuses($$ select from dossier.usage(tests.id('nothing')) $$, 'PT404', 'Organization not found', 'usage of no organization');

-- Bytes.

select tests.login('alpha-member');
select is(tests.attempt($$ select from dossier.begin_upload(tests.id('alpha session'), 'x.txt', size_bytes => 95) $$, 'alpha-member'), '1', 'an upload of exactly the remaining bytes, with its name, passes');
select tests.login('alpha-member');
select tests.refuses($$ select dossier.begin_upload(tests.id('alpha session'), 'x.txt', size_bytes => 96) $$, 'PT403', 'The quota of the organization is exhausted: 65 of 165 bytes stored', 'a byte more');
select is(tests.detail($$ select dossier.begin_upload(tests.id('alpha session'), 'x.txt', size_bytes => 96) $$)::jsonb,
  '{"quota": "max_bytes", "limit": 165, "used": 65, "needed": 101}', 'the detail is for programs');
select lives_ok($$ select dossier.begin_upload(tests.id('alpha session'), 'declared.txt', size_bytes => 78) $$, 'declared bytes are taken at once');
select tests.refuses($$ select dossier.begin_upload(tests.id('alpha session'), 'x.txt', size_bytes => 6) $$, 'PT403', 'The quota of the organization is exhausted: 155 of 165 bytes stored', 'which leaves fewer');
select tests.refuses($$ select dossier.append_upload(tests.id('alpha upload'), 0, '12345678901') $$, 'PT403', 'The quota of the organization is exhausted: 155 of 165 bytes stored', 'an upload of unknown size cannot exceed the quota');
select ok(dossier.abort_upload((select id from dossier.documents where name = 'declared.txt')), 'an upload that is aborted');
select lives_ok($$ select dossier.append_upload(tests.id('alpha upload'), 0, '12345678901') $$, 'gives its bytes back');
select is((select bytes from dossier.usage(tests.id('alpha'))), 76::bigint, 'bytes count as they arrive');
select tests.refuses($$ select dossier.begin_upload(tests.id('alpha session'), 'x.txt', size_bytes => 90) $$, 'PT403', 'The quota of the organization is exhausted: 76 of 165 bytes stored', 'for who begins, too');
select tests.login(null, 'service_role');
select from dossier.set_quota(tests.id('alpha'), 75);
select tests.login('alpha-member');
select tests.refuses($$ select dossier.finish_upload(tests.id('alpha upload'), 11, repeat('ab', 32)) $$, 'PT403', 'The quota of the organization is exhausted: 65 of 75 bytes stored', 'no upload ends above the quota');
select tests.login(null, 'service_role');
select from dossier.set_quota(tests.id('alpha'), 76);
select tests.login('alpha-member');
select is((dossier.finish_upload(tests.id('alpha upload'), 11, repeat('ab', 32))).status, 'stored', 'one does that has room');
select tests.refuses($$ select dossier.begin_upload(tests.id('alpha session'), 'x.txt') $$, 'PT403', 'The quota of the organization is exhausted: 76 of 76 bytes stored', 'nothing left: not even for a size that is not known');
select is((select max_documents from dossier.usage(tests.id('alpha'))), null, 'omitted quotas are removed');

-- Everything that is kept counts, by one measure, and only for its own organization.

create function pg_temp.parts(of_tenant text default 'alpha') returns text
language sql security definer as $$
  select concat_ws(' ', u.file_bytes, u.text_bytes, u.context_bytes, u.metadata_bytes, u.thumbnail_bytes, u.import_bytes)
    || case when u.bytes = u.file_bytes + u.text_bytes + u.context_bytes + u.metadata_bytes + u.thumbnail_bytes + u.import_bytes
      then '' else ' is not their sum' end
  from dossier.usage(tests.id(of_tenant)) as u
$$;
select tests.login(null, 'service_role');
select from dossier.set_quota(tests.id('alpha'), 200);
select tests.login('alpha-member');
select is(pg_temp.parts(), '16 5 26 29 0 0', 'before');
select tests.refuses($$ select dossier.save_context(tests.id('alpha session'), repeat('x', 100)) $$, 'PT403', 'The quota of the organization is exhausted: % of 200 bytes stored', 'a context that is too much');
select lives_ok($$ select dossier.save_context(tests.id('alpha session'), 'twenty bytes of text', '{"a": 1}') $$, 'one that fits');
select is(pg_temp.parts(), '16 5 69 29 0 0', 'counts with its old version');
select tests.refuses($$ select dossier.create_session(repeat('x', 300), organization_id => tests.id('alpha')) $$, 'PT403', 'The quota of the organization is exhausted: 119 of 200 bytes stored', 'a title that is too much');
select is(tests.detail($$ update dossier.sessions set title = repeat('x', 300) $$)::jsonb, '{"quota": "max_bytes", "limit": 200, "used": 119, "needed": 287}', 'also written by hand');
select is(tests.detail(format('insert into dossier.sessions (organization_id, title) values (%L, %L)', tests.id('alpha'), repeat('x', 82)))::jsonb ->> 'needed', '82', 'or inserted');
select tests.refuses($$ update dossier.documents set metadata = '{"a": "a long value, longer than all the bytes that are left in this organization of the test"}' $$, 'PT403', 'The quota of the organization is exhausted: 119 of 200 bytes stored', 'metadata that is too much');
select tests.refuses($$ select dossier.begin_upload(tests.id('alpha session'), 'x.txt', size_bytes => 1, metadata => '{"a": "a long value, longer than all the bytes that are left in this organization of the test"}') $$, 'PT403', 'The quota of the organization is exhausted: 119 of 200 bytes stored', 'with an upload, too');
create temporary table begun as select dossier.begin_import(tests.id('alpha')) as id;
select tests.refuses(format($$ select dossier.append_import((select id from begun), 1, %L) $$, jsonb_build_array(
  '{"type": "bundle", "format": "dossier", "version": 1}'::jsonb, jsonb_build_object('type', 'bytes', 'document_id', 'x', 'base64', repeat('x', 100)))),
  'PT403', 'The quota of the organization is exhausted: 119 of 200 bytes stored', 'records of an import, when they are staged');
select tests.login(null, 'service_role');
select from dossier.set_quota(tests.id('alpha'), 100000);
select tests.login('alpha-member');
select lives_ok(format($$ select dossier.append_import((select id from begun), 1, %L) $$, jsonb_build_array('{"type": "bundle", "format": "dossier", "version": 1}'::jsonb)), 'those that fit');
select cmp_ok((select import_bytes from dossier.usage(tests.id('alpha'))), '>', 0::bigint, 'count');
select dossier.abort_import((select id from begun));
select tests.logout();
insert into dossier.document_thumbnails (document_id, organization_id, media_type, width, height, bytes)
values (tests.id('alpha document'), tests.id('alpha'), 'image/webp', 1, 1, 'thumbnail');
select dossier_private.queue_job(tests.id('alpha document'), tests.id('alpha'), 'auto');
update dossier_private.jobs set status = 'running', attempts = 1, worker = 'w', lease_expires_at = now() + interval '1 hour' where document_id = tests.id('alpha document') and status = 'queued';
select from dossier.set_quota(tests.id('alpha'), 1);
select ok(dossier.complete_job((select id from dossier_private.jobs where document_id = tests.id('alpha document') and status = 'running'), 1,
  '[{"page": 1, "text": "fifteen letters"}, {"page": 2, "text": "ü"}]', null, '{"metadata": {"title": "T"}}'), 'a worker stores text above the quota');
select is(pg_temp.parts(), '16 31 69 29 9 0', 'text and thumbnails count');
select is(dossier_private.count_again(tests.id('alpha')), (dossier_private.stored(tests.id('alpha'))).amounts || '{"imports": 0}', 'a count of all rows says the same');
select is(pg_temp.parts(), '16 31 69 29 9 0', 'and replaces what was recorded');
select is(pg_temp.parts('beta'), '5 5 24 28 0 0', 'another tenant''s numbers do not change');
select cmp_ok(dossier_private.merge_amounts(1000), '>=', 1, 'recorded changes are merged');
select is(pg_temp.parts() || '; ' || pg_temp.parts('beta'), '16 31 69 29 9 0; 5 5 24 28 0 0', 'which changes no sum');
select is((select count(*)::integer from dossier_private.stored_amounts where organization_id = tests.id('beta')), 5, 'but leaves one row for each kind');
select from dossier.set_quota(tests.id('alpha'));
-- An import counts in the same way before and afterwards, and cannot bring more than fits.
select tests.login('alpha-member');
create temporary table bundle as select jsonb_set(dossier.export_sessions(array[tests.id('alpha session')]), '{sessions,0,documents}', (
  select jsonb_agg(jsonb_set(d, '{pages}', jsonb_build_array(jsonb_build_object('page', 1, 'text', repeat('x', 5000), 'source', 'text')))) from jsonb_array_elements(
    dossier.export_sessions(array[tests.id('alpha session')]) #> '{sessions,0,documents}') as d)) as value;
grant select on bundle to public;
select tests.logout();
select from dossier.set_quota(tests.id('beta'), 5000);
select tests.login('beta-member');
select tests.refuses($$ select dossier.import_sessions((select value from bundle), tests.id('beta')) $$, 'PT403', 'The quota of the organization is exhausted: 62 of 5000 bytes stored', 'imported text that is too much, whatever size its documents claim');
select tests.logout();
select from dossier.set_quota(tests.id('beta'), (select 62 + 2 * 5000 + 69 + 13 + 2 * 8 + 14 from bundle));
select tests.login('beta-member');
select lives_ok($$ select dossier.import_sessions((select value from bundle), tests.id('beta')) $$, 'exactly as much as fits');
select is((select bytes - max_bytes from dossier.usage(tests.id('beta'))), 0::bigint, 'all of it counts afterwards');
select tests.login('beta-owner');
select dossier.delete_sessions(array(select id from dossier.sessions where id <> tests.id('beta session')), permanently => true);
select is(pg_temp.parts('beta'), '5 5 24 28 0 0', 'and nothing when it is deleted');
select tests.logout();

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
select is((dossier.sweep() ->> 'usage_events')::integer, 3, 'old records are swept');
select is((dossier.sweep() ->> 'usage_events')::integer, 0, 'once');
delete from dossier.organizations where id = tests.id('alpha');
select is_empty($$ select from dossier_private.usage_events where organization_id = tests.id('alpha') $$, 'and all of them with the organization');

-- A used-up quota is not escaped with another organization.

update dossier_private.settings set value = '{"max_documents": 1, "max_bytes": 100}' where name = 'default_quotas';
update dossier_private.settings set value = '2' where name = 'max_organizations_a_user';
select tests.login('squatter');
select from dossier.create_organization('One');
select is((select concat_ws(' ', q.max_documents, q.max_bytes, q.max_documents_a_day) from dossier.quotas as q), '1 100', 'a new organization has the default quotas');
select lives_ok($$ select dossier.create_organization('Two') $$, 'the last one that the user may create');
select tests.refuses($$ select dossier.create_organization('Three') $$, 'PT403', 'You own too many organizations to create another', 'one too many');
select tests.logout();
insert into dossier.organization_members (organization_id, user_id, role) values (tests.id('beta'), 'squatter', 'viewer');
select tests.login('squatter');
delete from dossier.organizations where name = 'Two';
select lives_ok($$ select dossier.create_organization('Three') $$, 'those of others do not count, nor those that are gone');
select tests.login('beta-owner');
select is((select max_documents from dossier.usage(tests.id('beta'))), null, 'older organizations keep their quotas');
select tests.logout();
select throws_ok(format($$ update dossier_private.settings set value = %L where name = 'default_quotas' $$, value), '23514', null, value)
from unnest(array['[]', '{"max_byte": 1}', '{"max_bytes": -1}', '{"max_bytes": "1"}', '{"max_bytes": 1e30}']) as value;

-- What a client stores with a resumable upload counts while the upload is open.

update dossier_private.settings set value = '{}' where name = 'default_quotas';
select tests.login(null, 'service_role');
select dossier.set_quota(tests.id('beta'), max_bytes => 10000) \g /dev/null
select tests.login('beta-member');
select tests.refuses($$ select dossier.begin_resumable_upload(tests.id('beta session'), 'small.txt', size_bytes => 1, client_metadata => repeat('m', 20000)) $$,
  'PT403', 'The quota of the organization is exhausted: %', 'a file of a byte with 20 kB of its own');
create temporary table usage_before as select bytes from dossier.usage(tests.id('beta'));
select (dossier.begin_resumable_upload(tests.id('beta session'), 'small.txt', size_bytes => 1, client_metadata => repeat('m', 5000))).id as small \gset
select is((select now.bytes - before.bytes from dossier.usage(tests.id('beta')) as now, usage_before as before), 5010::bigint, '5 kB, the name and the file count');
select dossier.abort_upload(:'small') \g /dev/null
select is((select bytes from dossier.usage(tests.id('beta'))), (select bytes from usage_before), 'until the upload ends');
select tests.logout();

-- A chunk costs the same however many have arrived: a quota counts neither their rows nor the versions of one. In one transaction
-- nothing is pruned. Chunks of 1.8 kB, four to a page.

select dossier.set_quota(tests.id('beta'), max_bytes => 1000000000) \g /dev/null
create function pg_temp.blocks(statement text) returns bigint language plpgsql as $$
declare
  plan jsonb;
begin
  execute 'explain (analyze, buffers, format json) ' || statement into plan;
  return (plan #> '{0,Plan}' ->> 'Shared Hit Blocks')::bigint + (plan #> '{0,Plan}' ->> 'Shared Read Blocks')::bigint;
end
$$;
update dossier_private.settings set value = '1000000000' where name = 'max_file_bytes';
select tests.login('beta-member');
select (dossier.begin_upload(tests.id('beta session'), 'many.txt')).id as many \gset
create temporary table costs as
  select number, pg_temp.blocks(format('select dossier.append_upload(%L, %s, convert_to(repeat(md5(%L), 56), ''utf8''))', :'many', number, number)) as blocks
  from generate_series(0, 400) as number;
select ok(last.blocks <= first.blocks + 25, format('%s blocks for the tenth chunk, %s for the last of four hundred', first.blocks, last.blocks))
from costs as first, costs as last
where first.number = 10 and last.number = 400;

select * from finish();
rollback;
