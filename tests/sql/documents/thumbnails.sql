-- Thumbnails: queueing, writing, visibility, waiting. See ../setup.sql for how to run this.

begin;
select plan(41);
select tests.fixture();
update dossier_private.jobs set run_at = 'infinity' where status = 'queued';
update dossier_private.jobs set lease_expires_at = 'infinity' where status = 'running';

create temporary table claimed (job_id bigint, document_id uuid, organization_id uuid, media_type text, size_bytes bigint, sha256 text, ocr text, attempt integer, kind text, language text, worked_seconds real);
grant all on claimed to public;
create function pg_temp.claim() returns text language sql as $$
  delete from claimed;
  insert into claimed select * from dossier.claim_jobs('w');
  select kind from claimed
$$;
create function pg_temp.job() returns bigint language sql as $$ select job_id from claimed $$;
create function pg_temp.thumbnail(bytes bytea, media_type text default 'image/webp', width integer default 512, height integer default 300) returns boolean
language sql as $$
  select dossier.complete_thumbnail(job_id, attempt, thumbnail.media_type, width, height, bytes) from claimed
$$;

-- Queued after extraction, for PDFs, images and office files.

select tests.login('alpha-member');
select dossier.request_extraction(tests.id('alpha document'));
select tests.login(null, 'service_role');
select is(pg_temp.claim(), 'extract', 'a text is extracted');
select ok(dossier.complete_job(pg_temp.job(), 1, '[{"page":1,"text":"x"}]'), 'and found to be one');
select is(pg_temp.claim(), null, 'a text has no thumbnail');
select tests.login('alpha-viewer');
select ok(not dossier.thumbnail_pending(tests.id('alpha document')), 'and nobody waits for one');
select tests.login('alpha-member');
select dossier.request_extraction(tests.id('alpha document'));
select tests.login(null, 'service_role');
select pg_temp.claim();
select ok(dossier.complete_job(pg_temp.job(), 1, '[{"page":1,"text":"x"}]', 'image/svg+xml'), 'an SVG is read as text');
select is(pg_temp.claim(), null, 'and has none either, because no worker draws it');
select tests.login('alpha-member');
select dossier.request_extraction(tests.id('alpha document'));
select tests.login(null, 'service_role');
select pg_temp.claim();
select tests.refuses($$ select pg_temp.thumbnail('x') $$, 'PT400', 'This job is of kind extract', 'a thumbnail instead of text');
select ok(dossier.complete_job(pg_temp.job(), 1, '[{"page":1,"text":"x"}]', 'application/pdf'), 'a PDF, as its bytes tell');
select is(pg_temp.claim(), 'thumbnail', 'has one');
select is((select status from dossier.documents where id = tests.id('alpha document')), 'ready', 'and is ready before');
select tests.refuses($$ select dossier.complete_job(pg_temp.job(), 1, '[]') $$, 'PT400', 'This job is of kind thumbnail', 'text instead of a thumbnail');
select is(tests.outcomes($$ select where dossier.thumbnail_pending(tests.id('alpha document')) $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service 1', 'callers that learn that a thumbnail is pending');

-- Writing it.

select is(tests.outcomes($$ select where not dossier.complete_thumbnail(-1, 1, 'image/webp', 1, 1, 'x') $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 1', 'callers that report thumbnails');
select tests.login(null, 'service_role');
select throws_ok($$ select pg_temp.thumbnail('') $$, '23514', null, 'an empty picture');
select throws_ok($$ select pg_temp.thumbnail(convert_to(repeat('x', 1048577), 'utf8')) $$, '23514', null, 'one of more than a mebibyte');
select throws_ok($$ select pg_temp.thumbnail('x', 'text/html') $$, '23514', null, 'one that is a page');
select throws_ok($$ select pg_temp.thumbnail('x', 'image/webp', 0) $$, '23514', null, 'one without width');
select throws_ok($$ select pg_temp.thumbnail('x', 'image/webp', 5000) $$, '23514', null, 'an oversized thumbnail');
select throws_ok($$ select pg_temp.thumbnail(null) $$, '23502', null, 'none');
select ok(not dossier.complete_thumbnail(pg_temp.job(), 2, 'image/webp', 1, 1, 'x'), 'another attempt''s');
select ok(pg_temp.thumbnail('picture'), 'its worker''s is taken');
select ok(not pg_temp.thumbnail('picture'), 'once');
select results_eq($$ select media_type, width, height, bytes, sha256 from dossier.document_thumbnails where document_id = tests.id('alpha document') $$,
  $$ values ('image/webp', 512, 300, 'picture'::bytea, encode(sha256('picture'), 'hex')) $$, 'with its digest');
select ok(not dossier.thumbnail_pending(tests.id('alpha document')), 'it is no longer pending');

-- Seeing it.

select tests.logout();
select is(tests.outcomes($$ select from dossier.document_thumbnails where document_id = tests.id('alpha document') $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service 1', 'callers that see it');
select is(tests.outcomes($$ insert into dossier.document_thumbnails (document_id, organization_id, media_type, width, height, bytes)
    values (tests.id('alpha document'), tests.id('alpha'), 'image/webp', 1, 1, 'x') $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', 'no user may insert one');
select is(tests.outcomes($$ update dossier.document_thumbnails set bytes = 'x' $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', 'no user may change one');
select is(tests.outcomes($$ delete from dossier.document_thumbnails $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', 'no user may delete one');
select throws_ok($$ update dossier.document_thumbnails set organization_id = tests.id('beta') $$, '23503', null, 'it stays in its document''s organization');

-- Once is enough, because bytes never change.

select tests.login(null, 'service_role');
select dossier.request_extraction(tests.id('alpha document'), 'force');
select is(pg_temp.claim(), 'extract', 'extracted again');
select ok(dossier.complete_job(pg_temp.job(), 1, '[]'), 'the PDF');
select is(pg_temp.claim(), null, 'keeps the thumbnail it has');

-- One that cannot be generated.

select tests.logout();
delete from dossier.document_thumbnails;
select tests.login(null, 'service_role');
select dossier.request_extraction(tests.id('alpha document'));
select pg_temp.claim();
select ok(dossier.fail_job(pg_temp.job(), 1, 'needs_ocr', 'No Tesseract.'), 'an image without OCR');
select is(pg_temp.claim(), 'thumbnail', 'has a thumbnail all the same');
select ok(dossier.fail_job(pg_temp.job(), 1, 'malformed', 'No picture.', false), 'which cannot be made');
select results_eq($$ select status, error_code from dossier.documents where id = tests.id('alpha document') $$,
  $$ values ('unsupported', 'needs_ocr') $$, 'the document says what it said');
select ok(not dossier.thumbnail_pending(tests.id('alpha document')), 'and nobody waits for it');
select dossier.request_extraction(tests.id('alpha document'));
select pg_temp.claim();
select ok(dossier.fail_job(pg_temp.job(), 1, 'encrypted', 'It has a password.', false), 'a file under a password');
select is(pg_temp.claim(), null, 'is not tried');

-- Which files have one.

create function pg_temp.next_job(media_type text) returns text
language plpgsql as $$
-- The kind of job that follows the extraction of a file of this type; it fails, so that the next one is new.
declare
  kind text;
begin
  perform dossier.request_extraction(tests.id('alpha document'));
  perform pg_temp.claim();
  perform dossier.complete_job(pg_temp.job(), 1, '[{"page":1,"text":"x"}]', media_type);
  kind := pg_temp.claim();
  if kind is not null then
    perform dossier.fail_job(pg_temp.job(), 1, 'malformed', 'No picture.', false);
  end if;
  return kind;
end
$$;
select results_eq($$ select type, pg_temp.next_job(type) from unnest(array[
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    'application/vnd.openxmlformats-officedocument.presentationml.presentation',
    'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    'application/vnd.oasis.opendocument.text', 'application/rtf', 'image/png', 'text/plain', 'message/rfc822']) as type $$,
  $$ select type, case when type not in ('text/plain', 'message/rfc822') then 'thumbnail' end from unnest(array[
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    'application/vnd.openxmlformats-officedocument.presentationml.presentation',
    'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    'application/vnd.oasis.opendocument.text', 'application/rtf', 'image/png', 'text/plain', 'message/rfc822']) as type $$,
  'images, PDFs and office files have thumbnails, other texts do not');

-- It is deleted with its document.

select tests.logout();
insert into dossier.document_thumbnails (document_id, organization_id, media_type, width, height, bytes)
values (tests.id('alpha document'), tests.id('alpha'), 'image/webp', 1, 1, 'x');
delete from dossier.documents where id = tests.id('alpha document');
select is_empty($$ select from dossier.document_thumbnails $$, 'a deleted document leaves no picture');

select * from finish();
rollback;
