-- The native functions: text from bytes, who may call them, and jobs done inside the database.
-- Run on a database with `create extension dossier`, after tests/sql/00_setup.sql; see ../00_setup.sql.

begin;
select plan(23);

-- Text and types.

select is(dossier.extract_text(convert_to('Good morning', 'utf8'), 'text/plain'), 'Good morning', 'text is text');
select is(dossier.extract_text('\xfffe48006900'::bytea), 'Hi', 'UTF-16 is recognised by its mark');
select is(dossier.extract_text(null), null, 'no bytes, no text');
select results_eq(
  $$ select page, text, source, confidence from dossier.extract_pages(convert_to('One page', 'utf8')) $$,
  $$ values (1, 'One page', 'text', null::real) $$,
  'a plain text is one page');
select is(dossier.detect_media_type(convert_to('%PDF-1.7' || E'\n%', 'utf8')), 'application/pdf', 'a PDF is known by its header');
select is(dossier.detect_media_type('\x89504e470d0a1a0a0000000d49484452'), 'image/png', 'a PNG by its signature');
select is(dossier.detect_media_type('{"a": [1, 2]}'), 'application/json', 'JSON by its syntax');
select is(dossier.detect_media_type('\x0001020380c1feff07'), 'application/octet-stream', 'anything else is bytes');

-- Refusals.

select throws_ok($$ select dossier.extract_text('\x89504e470d0a1a0a0000000d49484452') $$, '0A000', null, 'a type without text is unsupported');
select throws_ok($$ select dossier.extract_text('%PDF-1.7 and nothing else') $$, '38000', null, 'a broken PDF is an error of the file');
select throws_ok(
  $$ set local dossier.extract_input = '1MB'; select dossier.extract_text(convert_to(repeat('x', 1048577), 'utf8')) $$,
  '54000', null, 'a byte over the limit is too much');
select throws_ok(
  $$ set local dossier.worker_path = '/nonexistent/worker'; select dossier.extract_text('x') $$,
  '58000', null, 'a missing worker is the system''s fault, and says so');
reset dossier.worker_path;
reset dossier.extract_input;

-- Who may.

set local role authenticated;
select throws_ok($$ select dossier.extract_text('x') $$, '42501', null, 'users may not spend the server''s time on bytes of their own');
select throws_ok($$ select dossier.run_job(1, 1) $$, '42501', null, 'users may not run jobs');
select throws_ok($$ set dossier.worker_path = '/tmp/worker' $$, '42501', null, 'users may not choose the worker');
select throws_ok($$ set dossier.sandbox = 'accept_missing' $$, '42501', null, 'users may not open the sandbox');
select throws_ok($$ set dossier.extract_memory = '64GB' $$, '42501', null, 'users may not raise limits');
set local role service_role;
select is(dossier.extract_text('x'), 'x', 'service_role may extract');
reset role;

-- A job from the upload to its pages, and one that ends in a reason.

create function pg_temp.upload(name text, content bytea, claimed_sha256 text default null) returns uuid
language plpgsql as $$
declare
  id uuid;
begin
  perform set_config('request.jwt.claims', '{"sub": "native-test", "role": "authenticated"}', true);
  perform set_config('role', 'authenticated', true);
  id := (dossier.begin_upload((select s.id from dossier.sessions s where s.user_id = 'native-test'), name)).id;
  perform dossier.append_upload(id, 0, content);
  perform dossier.finish_upload(id, octet_length(content), coalesce(claimed_sha256, encode(sha256(content), 'hex')));
  perform set_config('role', 'none', true);
  return id;
end
$$;

create function pg_temp.run(document uuid) returns text
language plpgsql as $$
declare
  job record;
begin
  perform set_config('role', 'service_role', true);
  -- Others' jobs may be waiting too; they are handed back by the rollback.
  select c.* into job from dossier.claim_jobs('native-test', 100) c where c.document_id = document;
  return dossier.run_job(job.job_id, job.attempt);
end
$$;

select set_config('request.jwt.claims', '{"sub": "native-test", "role": "authenticated"}', true);
set local role authenticated;
select isnt((dossier.create_organization('Native test')).id, null, 'an organization to upload to');
select isnt((dossier.create_session('Native test')).id, null, 'and a session');
reset role;

select is(pg_temp.run(pg_temp.upload('note.txt', convert_to('Call me back', 'utf8'))), 'ready', 'a text is ready');
reset role;
select is(pg_temp.run(pg_temp.upload('picture.png', '\x89504e470d0a1a0a0000000d49484452')), 'unsupported', 'a picture is unsupported, not an error');
reset role;
select is(pg_temp.run(pg_temp.upload('swapped.txt', 'abc', repeat('0', 64))), 'failed', 'bytes that differ from their checksum are not read');

select * from finish();
rollback;
