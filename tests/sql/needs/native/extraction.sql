-- The native functions: text from bytes, permissions, and jobs run inside the database.
-- Run on a database with `create extension dossier`, after tests/sql/setup.sql; see ../../setup.sql.

begin;
select plan(95);

create function pg_temp.white_image() returns bytea language sql as $$
  -- A BMP of 64 by 64 pixels, 24 bits each: sizes, offsets, one plane, no compression, 300 dots per inch.
  select '\x424d36300000000000003600000028000000400000004000000001001800000000000030000023'::bytea
    || '\x2e0000232e00000000000000000000'::bytea || decode(repeat('ff', 64 * 64 * 3), 'hex')
$$;

-- Text and types.

select is(dossier.extract_text(convert_to('Good morning', 'utf8'), 'text/plain'), 'Good morning', 'text is text');
select is(dossier.extract_text('\xfffe48006900'::bytea), 'Hi', 'UTF-16 is recognised by its mark');
select is(dossier.extract_text(null), null, 'no bytes, no text');
select results_eq(
  $$ select page, text, source, confidence from dossier.extract_pages(convert_to('One page', 'utf8')) $$,
  $$ values (1, 'One page', 'text', null::real) $$,
  'a plain text is one page');
select results_eq(
  $$ select text, source, engine, quality, reason from dossier.extract_pages('[["a", "b"], ["1", "2"]]', 'application/json', ocr => 'never') $$,
  $$ select dossier.extract_text('[["a", "b"], ["1", "2"]]', 'application/json'), 'text', 'json', null::real, null $$,
  'a page says what read it');
select is(dossier.extract_text('<h1>Title</h1><p>Words</p>', 'text/html', 'markdown') like '# Title%', true, 'a heading in Markdown is marked');
select is(dossier.extract_text('<h1>Title</h1><p>Words</p>', 'text/html') like 'Title%', true, 'and in plain text is not');
select is(dossier.extract_text(convert_to('a', 'utf8'), null, null, null), 'a', 'null is the default');
select is(dossier.detect_media_type(convert_to('%PDF-1.7' || E'\n%', 'utf8')), 'application/pdf', 'a PDF is known by its header');
select is(dossier.detect_media_type('\x89504e470d0a1a0a0000000d49484452'), 'image/png', 'a PNG by its signature');
select is(dossier.detect_media_type('{"a": [1, 2]}'), 'application/json', 'JSON by its syntax');
select is(dossier.detect_media_type('\x0001020380c1feff07'), 'application/octet-stream', 'anything else is bytes');

-- A PDF with a table of three rows and columns, written by hand: lines around cells, a word in each.

create function pg_temp.pdf_with_table() returns bytea language sql as $$
  with drawn as (
    select string_agg(format('72 %s m 312 %s l S %s 700 m %s 640 l S', 700 - 20 * n, 700 - 20 * n, 72 + 80 * n, 72 + 80 * n), E'\n') as lines
    from generate_series(0, 3) as n
  ), written as (
    select string_agg(format('BT /F 10 Tf %s %s Td (%s) Tj ET', 76 + 80 * ((n - 1) % 3), 686 - 20 * ((n - 1) / 3), word), E'\n') as words
    from unnest(array['Day', 'High', 'Low', 'Mon', '4.8', '1.1', 'Tue', '4.6', '1.3']) with ordinality as t (word, n)
  ), content as (select concat_ws(E'\n', '0.5 w', lines, words, '') as stream from drawn, written)
  select convert_to(format(E'%%PDF-1.4\n1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj\n2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj\n'
    '3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 400 800]/Contents 4 0 R/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>> endobj\n'
    '4 0 obj <</Length %s>> stream\n%sendstream endobj\ntrailer <</Root 1 0 R>>\n', octet_length(stream), stream), 'utf8')
  from content
$$;
select results_eq(
  $$ select page, number, rows, columns, header_rows, evidence, confidence > 0.5, cells -> 4 ->> 'text' from dossier.extract_tables(pg_temp.pdf_with_table()) $$,
  $$ values (1, 1, 3, 3, 1, 'grid', true, '4.8') $$, 'the tables of a PDF');
select is_empty($$ select from dossier.extract_tables(null) $$, 'no bytes, no tables');

-- SQL detects the type of uploads, and the worker that of files. Both derive the same type from the first bytes.

select is(dossier_private.sniff_media_type(head, null, 'x'), dossier.detect_media_type(head), format('%s… is %s', left(encode(head, 'hex'), 16), dossier.detect_media_type(head)))
from (values
  ('%PDF-1.7'::bytea), ('\x89504e470d0a1a0a00'), ('\xffd8ffe000104a46'), ('GIF89a\100\000\100\000'), ('GIF89a is a format'), ('RIFF\001\002\003\004WEBPVP8 '),
  ('\x49492a0008000000'), ('\x4d4d002a00000008'), ('\x49492b0008000000'), ('\x4d4d002b00000008'), (pg_temp.white_image()), ('BMW cars are fast'),
  ('{\\rtf1 hello}'), (E'\n {\\\\rtf1 hello}'), ('\x789f3e220100'), ('\x7f454c46020101'), ('\xcffaedfe07000001'), ('\xcefaedfe07000001'), ('\x0061736d01000000'),
  (decode('4d5a' || repeat('00', 58) || '40000000' || '50450000', 'hex')), ('MZ is a country code'),
  ('\x1f8b0800'), ('\x377abcaf271c0004'), ('\x526172211a070100'), ('\xfd377a585a000004'), ('\x28b52ffd0458'), ('\x425a68393141592653590000'), ('BZh9 is a word'),
  ('OggS\000\002'), ('fLaC\000\000'), ('fLaC is a format'), ('ID3\003\000'), ('ID3 is a tag'), ('RIFF\001\002\003\004WAVEfmt '), ('\x0000001866747970'),
  ('%!PS-Adobe-3.0'), ('SQLite format 3\000\020\000'), ('\x0001020380c1feff07'),
  ('\xd0cf11e0a1b11ae100'), ('\xd0cf11e0a1b11ae1'::bytea || decode('57006f007200640044006f00630075006d0065006e007400', 'hex')),
  ('\xd0cf11e0a1b11ae1'::bytea || decode('57006f0072006b0062006f006f006b00', 'hex')),
  ('\xd0cf11e0a1b11ae1'::bytea || decode('45006e0063007200790070007400650064005000610063006b00610067006500', 'hex')),
  ('PK\003\004 nothing'), ('Plain words.')
) as sample (head);

-- Refusals.

select throws_ok($$ select dossier.extract_text('\x1f8b0800000000000003') $$, '0A000', null, 'a type without text is unsupported');
select throws_ok($$ select dossier.extract_text('x', format => 'html') $$, '22023', 'format cannot be ''html''', 'an unknown format');
select throws_ok($$ select * from dossier.extract_pages('x', ocr => 'yes') $$, '22023', 'ocr cannot be ''yes''', 'an unknown value of ocr');
select throws_ok(
  $$ set local dossier.ocr_languages = '../eng'; select dossier.extract_text('x') $$,
  '22023', null, 'languages that lead out of their folder');
reset dossier.ocr_languages;
select throws_ok(
  $$ set local dossier.tessdata = '/nonexistent'; select dossier.extract_text(pg_temp.white_image(), ocr => 'force') $$,
  '0A000', null, 'a picture, where OCR has no data');
reset dossier.tessdata;
select throws_ok($$ select dossier.extract_text('%PDF-1.7 and nothing else') $$, '38000', null, 'a broken PDF is an error of the file');
select throws_ok(
  $$ set local dossier.extract_input = '1MB'; select dossier.extract_text(convert_to(repeat('x', 1048577), 'utf8')) $$,
  '54000', null, 'a byte over the limit is too much');
select throws_ok(
  $$ set local dossier.worker_path = '/nonexistent/worker'; select dossier.extract_text('x') $$,
  '58000', null, 'a missing worker is the system''s fault, and says so');
reset dossier.worker_path;
reset dossier.extract_input;

-- Permissions.

-- Users cannot spend the server's time on arbitrary bytes.
select is(tests.outcomes(statement), 'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 1', statement)
from (values
  ($$ select from dossier.extract_text('x') $$),
  ($$ select from dossier.extract_pages('x') $$),
  ($$ select from (select count(*) from dossier.extract_tables('x')) as counted $$),
  ($$ select from dossier.detect_media_type('x') $$),
  ($$ select from dossier.job_outcome(1, 1) $$)
) as t (statement);
select is(tests.outcomes($$ call dossier.run_job(1, 1) $$), 'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 0', 'callers that run jobs');
set local role authenticated;
select throws_ok($$ set dossier.worker_path = '/tmp/worker' $$, '42501', null, 'users may not choose the worker');
select throws_ok($$ set dossier.sandbox = 'accept_missing' $$, '42501', null, 'users may not open the sandbox');
select throws_ok($$ set dossier.tessdata = '/tmp' $$, '42501', null, 'users may not choose OCR''s data');
select throws_ok($$ show dossier.tessdata $$, '42501', null, 'users may not see its path');
select throws_ok($$ set dossier.ocr_languages = 'eng+deu+fra' $$, '42501', null, 'users may not choose languages, which cost time');
select throws_ok($$ set dossier.extract_memory = '64GB' $$, '42501', null, 'users may not raise limits');
set local role service_role;
select is(dossier.extract_text('x'), 'x', 'service_role may extract');
select lives_ok($$ call dossier.run_job(1, 1) $$, 'an attempt that owns no job changes nothing');
select lives_ok($$ call dossier.run_job(null, null) $$, 'nor does a null');
reset role;

-- A job from the upload to its pages, and one that fails with a reason.

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

create function pg_temp.run(document uuid, wanted text default 'extract') returns text
language plpgsql as $$
declare
  job record;
  result text;
begin
  perform set_config('role', 'service_role', true);
  -- Other jobs may be waiting too. The rollback releases them.
  for job in select c.* from dossier.claim_jobs('native-test', 100) c where c.document_id = document loop
    if job.kind = wanted then
      call dossier.run_job(job.job_id, job.attempt);
      result := dossier.job_outcome(job.job_id, job.attempt);
    else
      perform dossier.release_job(job.job_id, job.attempt);
    end if;
  end loop;
  return result;
end
$$;

select set_config('request.jwt.claims', '{"sub": "native-test", "role": "authenticated"}', true);
set local role authenticated;
select isnt((dossier.create_organization('Native test')).id, null, 'an organization to upload to');
select isnt((dossier.create_session('Native test')).id, null, 'and a session');
reset role;

select is(pg_temp.run(pg_temp.upload('note.txt', convert_to('Call me back', 'utf8'))), 'ready', 'a text is ready');
reset role;
select is(pg_temp.run(pg_temp.upload('picture.png', '\x89504e470d0a1a0a0000000d49484452')), 'failed', 'a picture that is cut off is said to be broken');
reset role;

-- An image: without OCR it is unsupported, with a reason. Its thumbnail is generated all the same.

set local dossier.tessdata = '/nonexistent';
create temporary table picture as select pg_temp.upload('white.bmp', pg_temp.white_image()) as id;
select is(pg_temp.run((select id from picture)), 'extracting', 'a picture waits for OCR');
reset role;
select is(pg_temp.run((select id from picture), 'ocr'), 'unsupported', 'and is unsupported on a host without OCR');
reset role;
select results_eq($$ select error_code, error_message ~* 'install|tesseract' from dossier.documents where id = (select id from picture) $$,
  $$ values ('needs_ocr', true) $$, 'and says what to install');
select is(pg_temp.run((select id from picture), 'thumbnail'), 'made', 'its thumbnail is made');
reset role;
select results_eq($$ select media_type, width, height, substring(bytes for 4) from dossier.document_thumbnails where document_id = (select id from picture) $$,
  $$ values ('image/webp', 64, 64, 'RIFF'::bytea) $$, 'a WebP as large as it');
select is((select error_code from dossier.documents where id = (select id from picture)), 'needs_ocr', 'the document is as it was');

-- Pages that cannot be rendered.

create temporary table broken as select pg_temp.upload('broken.png', '\x89504e470d0a1a0a0000000d49484452') as id;
select isnt(pg_temp.run((select id from broken)), 'ready', 'a broken picture has no text');
reset role;
create temporary table ended as select status, error_code from dossier.documents where id = (select id from broken);
select is(pg_temp.run((select id from broken), 'thumbnail'), 'failed', 'a thumbnail cannot be made, either');
reset role;
select results_eq($$ select status, error_code from dossier.documents where id = (select id from broken) $$, $$ select * from ended $$, 'which does not fail the document');
select is(pg_temp.run(pg_temp.upload('swapped.txt', 'abc', repeat('0', 64))), 'failed', 'bytes that differ from their checksum are not read');

select * from finish();
rollback;
