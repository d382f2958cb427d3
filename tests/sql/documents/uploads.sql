-- Uploads: the happy path, and every refusal. See ../setup.sql for how to run this.

begin;
select plan(231);
select tests.fixture();

-- Types from declarations, names and bytes.

select is(dossier_private.declared_media_type(media_type, name), expected, format('declared %L, name %L', media_type, name))
from (values
  ('application/pdf', 'x', 'application/pdf'),
  ('Text/Plain; charset=UTF-8', 'x.csv', 'text/plain'),
  (null, 'x.PDF', 'application/pdf'),
  ('', 'x.md', 'text/markdown'),
  ('application/octet-stream', 'x.docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'),
  (null, 'x.xyz', 'application/octet-stream'),
  (null, 'pdf', 'application/octet-stream'),
  (null, null, 'application/octet-stream'),
  ('image/jpg', 'x', 'image/jpeg'),
  ('application/vnd.ms-excel', 'x.csv', 'text/csv'),
  ('application/vnd.ms-excel', 'x.xls', 'application/vnd.ms-excel'),
  ('application/x-zip-compressed', 'x.docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'),
  ('application/zip', 'x.zip', 'application/zip'),
  ('application/vnd.ms-word.document.macroEnabled.12', 'x.docm', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'),
  ('application/vnd.openxmlformats-officedocument.presentationml.slideshow', 'x.ppsx', 'application/vnd.openxmlformats-officedocument.presentationml.presentation'),
  ('application/vnd.ms-excel.sheet.macroEnabled.12', 'x.xlsm', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'),
  ('application/vnd.ms-excel.sheet.binary.macroEnabled.12', 'x.xlsb', 'application/vnd.ms-excel.sheet.binary.macroenabled.12'),
  ('application/vnd.oasis.opendocument.text-template', 'x.ott', 'application/vnd.oasis.opendocument.text'),
  ('application/vnd.oasis.opendocument.presentation-flat-xml', 'x', 'application/vnd.oasis.opendocument.presentation'),
  (null, 'x.ods', 'application/vnd.oasis.opendocument.spreadsheet'),
  (null, 'x.fodt', 'application/vnd.oasis.opendocument.text'),
  ('application/jsonl', 'x', 'application/x-ndjson')
) as t (media_type, name, expected);

select is(dossier_private.declared_charset(media_type), expected, format('the charset of %L', media_type))
from (values
  ('text/plain; charset=ISO-8859-5', 'iso-8859-5'), ('text/csv;header=present; Charset = "KOI8-R"', 'koi8-r'), ('text/plain;charset=utf-8;format=flowed', 'utf-8'),
  ('text/plain', null), (null, null), ('text/plain; charset=', null), ('text/plain; charset="a b"', null), ('text/plain; charset=' || repeat('x', 41), null),
  ('text/plain; charset=u' || chr(1), null), ('text/plain; xcharset=big5', null)
) as t (media_type, expected);

select is(dossier_private.sniff_media_type(head, declared, name), expected, format('%s declared as %L, named %L', left(encode(head, 'hex'), 24), declared, name))
from (values
  ('%PDF-1.7'::bytea, 'text/plain', 'x.txt', 'application/pdf'),
  ('junk %PDF-1.7', 'application/pdf', 'x', 'application/pdf'),
  ('In markdown %PDF-1.7 is a header', 'text/markdown', 'x.md', 'text/markdown'),
  ('\x89504e470d0a1a0a00', 'application/pdf', 'x.pdf', 'image/png'),
  ('\xffd8ffe000104a46', null, 'x', 'image/jpeg'),
  ('GIF89a\100\000\100\000', null, 'x', 'image/gif'),
  ('GIF89a is a format', null, 'x', 'text/plain'),
  ('GIF89a\377\377\377\377\360\000\000', null, 'x', 'image/gif'),
  ('RIFF\001\002\003\004WEBPVP8 ', null, 'x', 'image/webp'),
  ('RIFF\001\002\003\004WAVEfmt ', 'text/plain', 'x', 'audio/wav'),
  ('\x49492a0008000000', null, 'x', 'image/tiff'),
  ('\x4d4d002a00000008', null, 'x', 'image/tiff'),
  ('\x424d36300000000000003600000028000000', null, 'x', 'image/bmp'),
  ('BMW cars are fast', 'text/plain', 'x.txt', 'text/plain'),
  ('\x789f3e220100', 'application/octet-stream', 'winmail.dat', 'application/vnd.ms-tnef'),
  ('\x7f454c46020101', 'text/plain', 'x.txt', 'application/x-executable'),
  ('MZ\220\000\003\000PE\000\000', 'application/pdf', 'x.pdf', 'application/vnd.microsoft.portable-executable'),
  ('\x4d5a90000300', 'application/pdf', 'x.pdf', 'application/octet-stream'),
  ('MZ is a country code', 'text/plain', 'x.txt', 'text/plain'),
  ('\xcffaedfe07', null, 'x', 'application/x-mach-binary'),
  ('%!PS-Adobe-3.0', 'text/plain', 'x.txt', 'application/postscript'),
  (E'\n{\\\\rtf1 hello}', null, 'x', 'application/rtf'),
  ('{\\rtf1 hello}', 'application/msword', 'x.doc', 'application/rtf'),
  ('\xd0cf11e0a1b11ae100', null, 'locked.xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'),
  ('{"a": 1}', 'application/x-ndjson', 'x', 'application/x-ndjson'),
  ('<svg/>', null, 'x.svg', 'image/svg+xml'),
  ('<?xml version="1.0"?><office:document xmlns:office="x">', null, 'x.fods', 'application/vnd.oasis.opendocument.spreadsheet'),
  ('<?xml version="1.0"?><office:document xmlns:office="x">', 'application/xml', 'x.fodp', 'application/vnd.oasis.opendocument.presentation'),
  ('<?xml version="1.0"?><office:document xmlns:office="x">', 'application/xml', 'x.xml', 'application/xml'),
  ('<?xml version="1.0"?><other/>', null, 'x.fodt', 'text/plain'),
  ('BEGIN:VCALENDAR', 'text/calendar', 'x.ics', 'text/calendar'),
  (decode('504b03041400000000000000000000000000000000000000000008000000', 'hex') || 'mimetypeapplication/vnd.oasis.opendocument.spreadsheet', null, 'x', 'application/vnd.oasis.opendocument.spreadsheet'),
  ('\xd0cf11e0a1b11ae100', 'text/plain', 'x.doc', 'application/x-ole-storage'),
  ('\xd0cf11e0a1b11ae100'::bytea || decode('57006f007200640044006f00630075006d0065006e007400', 'hex'), null, 'renamed.docx', 'application/msword'),
  ('\x1f8b0800', null, 'x.csv', 'application/gzip'),
  ('PK\003\004 [Content_Types].xml … word/document.xml', null, 'x', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'),
  ('PK\003\004 [Content_Types].xml … xl/workbook.xml', null, 'x.docx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'),
  ('PK\003\004 [Content_Types].xml … ppt/slides', null, 'x', 'application/vnd.openxmlformats-officedocument.presentationml.presentation'),
  ('PK\003\004 [Content_Types].xml …', null, 'x.docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'),
  ('PK\003\004 [Content_Types].xml …', null, 'x', 'application/zip'),
  ('PK\003\004 malware.exe', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'x.docx', 'application/zip'),
  ('PK\003\004'::bytea || decode(repeat('00', 26), 'hex') || 'mimetypeapplication/vnd.oasis.opendocument.text'::bytea, null, 'x', 'application/vnd.oasis.opendocument.text'),
  ('plain', 'text/csv', 'x.txt', 'text/csv'),
  ('plain', null, 'x.csv', 'text/csv'),
  ('{"a":1}', 'application/json', 'x', 'application/json'),
  ('plain', 'application/pdf', 'x.pdf', 'text/plain'),
  ('plain', 'image/png', 'x.md', 'text/markdown'),
  ('plain\000text', 'text/plain', 'x.txt', 'application/octet-stream'),
  ('\xfffe680069000a00', 'text/plain', 'x.txt', 'text/plain'),
  ('#!/bin/sh', 'text/plain', 'x', 'text/plain')
) as t (head, declared, name, expected);

-- begin_upload.

select is(tests.outcomes($$ select from dossier.begin_upload(tests.id('alpha session'), 'x.txt') $$),
  'owner 1, admin 1, member 1, viewer 42501, other PT404, nobody 42501, anon 42501, service 42501', 'callers that may begin an upload');

select tests.login('alpha-member');
select results_eq($$ select session_id, organization_id, user_id, name, media_type, size_bytes, sha256, status, metadata, storage
    from dossier.begin_upload(tests.id('alpha session'), 'Report 2024 – Köln.pdf', 'application/pdf', 100, '{"a":1}') $$,
  $$ values (tests.id('alpha session'), tests.id('alpha'), 'alpha-member', 'Report 2024 – Köln.pdf', 'application/pdf', 100::bigint, null::text, 'uploading', '{"a":1}'::jsonb, 'postgres') $$,
  'an upload begins with what is declared');
select is((dossier.begin_upload(tests.id('alpha session'), 'x.txt', 'Text/Plain; charset=KOI8-R')).charset, 'koi8-r', 'and its charset');
select is((dossier.begin_upload(tests.id('alpha session'), 'x', size_bytes => 10485760)).size_bytes, 10485760::bigint, '10 MiB may be declared');
select tests.refuses($$ select dossier.begin_upload(tests.id('alpha session'), 'x', size_bytes => 10485761) $$, 'PT413', 'The file is larger than 10485760 bytes', '10 MiB and a byte may not');
select tests.refuses($$ select dossier.begin_upload(tests.id('alpha session'), 'x', size_bytes => 9223372036854775807) $$, 'PT413', 'The file is larger than 10485760 bytes', 'the largest integer is refused, too');
select tests.refuses($$ select dossier.begin_upload(tests.id('alpha session'), 'x', size_bytes => -1) $$, 'PT400', 'size_bytes must not be negative', 'a negative size');
select tests.refuses(format('select dossier.begin_upload(tests.id(''alpha session''), %L)', name), 'PT400', 'Invalid document name', 'a name: ' || what)
from (values
  (null, 'null'), ('', 'empty'), ('   ', 'blank'), ('.', 'dot'), ('..', 'dot dot'), ('a/b', 'slash'), ('a\b', 'backslash'), ('/etc/passwd', 'path'),
  (E'a\nb', 'line feed'), (E'a\tb', 'tab'), (E'a\u0001b', 'control'), (E'a\u007fb', 'delete'), (E'a\u0085b', 'C1 control'),
  (E'fdp.\u202eexe', 'right-to-left override'), (E'a\u202ab', 'embedding'), (E'a\u2066b', 'isolate'), (E'a\u2028b', 'line separator'),
  (E'a\u200b.txt', 'zero width space'), (E'a\u200d.txt', 'zero width joiner'), (E'a\u200db.txt', 'a joiner between Latin letters'), (E'ab\u200c.txt', 'a non-joiner'),
  (E'می\u200c\u200cخواهم.txt', 'two non-joiners'), (E'می\u200d\u200cخواهم.txt', 'both'), (E'ه\u200d\u200d.txt', 'two joiners at the end'), (E'می\u200c.txt', 'a non-joiner at the end of a word'), (E'\u200cمی.txt', 'at its beginning'),
  (E'र\u094d\u200d\u200dय.txt', 'two joiners in Devanagari'), (E'र\u200d.txt', 'a joiner after a letter that has its vowel'),
  (E'\U0001F469\u200d.txt', 'an emoji that nothing joins'), (E'\U0001F469\u200d\u200d\U0001F4BB.txt', 'emoji joined twice'), (E'\u2764\ufe0f\ufe0f.txt', 'two variation selectors'), (E'a\ufe0f.txt', 'a variation selector after a letter'), (E'1\ufe0f.txt', 'a digit without a keycap'),
  (E'\U0001F3F4\U000E0067\U000E007F.txt', 'tag characters'), (E'a\u00ad.txt', 'soft hyphen'), (E'\ufeffa.txt', 'byte order mark'),
  (E'a\ufe0f.txt', 'variation selector'), (E'a\u3164.txt', 'Hangul filler'), (E'a\U000e0041.txt', 'tag'), (E'a\u061c.txt', 'Arabic letter mark'),
  (E'\u00a0\u3000', 'spaces of other scripts'), (E'\u2800', 'a blank pattern of Braille'), (E' \u0301 ', 'a lone accent'),
  (repeat('x', 256), '256 characters')
) as t (name, what);
select is(tests.detail(format('select dossier.begin_upload(tests.id(''alpha session''), %L)', name)), detail, 'the reason: ' || detail)
from (values (E'می\u200cخواهم a\u200d.txt', 'It contains the control or invisible character U+200D at position 11.'), (E'x\U000E0067', 'It contains the control or invisible character U+E0067 at position 2.'),
  ('a\b', 'It contains \ at position 2.'), ('..', '".." stands for a folder.'), (' ', 'It contains no visible character.'), (repeat('x', 300), 'It has 300 characters, of at most 255.'), ('', 'It is empty.')) as t (name, detail);
select is((dossier.begin_upload(tests.id('alpha session'), name)).name, name, 'a good name: ' || what)
from (values (E'می\u200cخواهم.pdf', 'Persian with a non-joiner'), (E'گفت\u200cو\u200cگو.txt', 'Persian, after a letter that never joins'), (E'۱۴۰۳ه\u200d.txt', 'a heh that stays open at the end of a word'),
  (E'श्री-र\u094d\u200dय.txt', 'Marathi') , (E'র\u200d\u09cdয\u09beব.txt', 'Bengali'), (E'ශ\u0dca\u200dරී.txt', 'Sinhala'), (E'സോഫ്\u200cറ്റ്\u200cവെയർ.odt', 'Malayalam'), (E'ന\u0d4d\u200d.txt', 'a chillu as it was once written'),
  (E'\U0001F469\u200d\U0001F4BB.png', 'a woman at a computer'), (E'\U0001F3F3\ufe0f\u200d\U0001F308.png', 'the rainbow flag'), (E'\U0001F468\U0001F3FD\u200d\U0001F33E \u2764\ufe0f 1\ufe0f\u20e3.txt', 'emoji with a skin colour, a heart, a keycap'),
  (repeat('é', 255), '255 characters'), ('...', 'three dots'), ('C:file "x" <y>|*?.txt', 'ugly'), ('عربى שלום 日本語 👍.txt', 'scripts'), (E'e\u0301te\u0301.txt', 'decomposed accents'), ('日　本', 'an ideographic space'), ('a; drop table x;--', 'SQL')) as t (name, what);
select tests.refuses(format('select dossier.begin_upload(tests.id(''alpha session''), ''x'', %L)', media_type), code, message, 'a type: ' || regexp_replace(left(media_type, 40), '[\r\n]', ' ', 'g'))
from (values
  ('application/x-msdownload', 'PT415', 'Files of type application/x-msdownload are not accepted'),
  ('application/zip', 'PT415', 'Files of type application/zip are not accepted'),
  ('image/svg+xml', 'PT415', 'Files of type image/svg+xml are not accepted'),
  ('video/mp4', 'PT415', 'Files of type video/mp4 are not accepted'),
  ('nonsense', 'PT400', 'media_type is not a valid media type'), ('text/', 'PT400', 'media_type is not a valid media type'),
  (E'text/plain\r\nx-evil: 1', 'PT400', 'media_type is not a valid media type'), ('text/' || repeat('x', 200), 'PT400', 'media_type is not a valid media type')
) as t (media_type, code, message);
select tests.refuses($$ select dossier.begin_upload(tests.id('alpha session'), 'x', metadata => '[]') $$, 'PT400', 'metadata must be a JSON object of at most 65536 bytes', 'metadata that is an array');
select tests.refuses($$ select dossier.begin_upload(tests.id('alpha session'), 'x', metadata => jsonb_build_object('x', repeat('x', 65536))) $$, 'PT400', 'metadata must be a JSON object of at most 65536 bytes', 'metadata that is large');
select is((dossier.begin_upload(tests.id('alpha session'), 'x', null, null, null)).metadata, '{}', 'null metadata becomes an empty object');
select tests.refuses($$ select dossier.begin_upload(tests.id('beta session'), 'x') $$, 'PT404', 'Session not found', 'another tenant''s session');
select tests.refuses($$ select dossier.begin_upload(tests.id('nothing'), 'x') $$, 'PT404', 'Session not found', 'no such session');
select tests.refuses($$ select dossier.begin_upload(null, 'x') $$, 'PT404', 'Session not found', 'no session');
select tests.login('alpha-viewer');
select tests.refuses($$ select dossier.begin_upload(tests.id('alpha session'), 'x') $$, '42501', 'You may not write in this organization', 'a viewer');
select tests.logout();

-- append_upload: the fixture's upload is the member's.

create function pg_temp.full_chunk(head bytea default '') returns bytea language sql immutable
as $$ select head || convert_to(repeat('x', 262144 - octet_length(head)), 'utf8') $$;

select is(tests.outcomes($$ select dossier.append_upload(tests.id('alpha upload'), 0, 'hello') $$),
  'owner 42501, admin 42501, member 1, viewer 42501, other PT404, nobody 42501, anon 42501, service 42501', 'only who began an upload continues it');
select tests.login('alpha-owner');
select tests.refuses($$ select dossier.append_upload(tests.id('alpha upload'), 0, 'hello') $$, '42501', 'This upload belongs to another user', 'another member');
select tests.login('beta-owner');
select tests.refuses($$ select dossier.append_upload(tests.id('alpha upload'), 0, 'hello') $$, 'PT404', 'Document not found', 'another tenant');
select tests.login('alpha-member');
select tests.refuses($$ select dossier.append_upload(tests.id('alpha upload'), -1, 'x') $$, 'PT400', 'A chunk must have a number from 0, and 1 to 1048576 bytes', 'a negative number');
select tests.refuses($$ select dossier.append_upload(tests.id('alpha upload'), null, 'x') $$, 'PT400', 'A chunk must have a number from 0, and 1 to 1048576 bytes', 'no number');
select tests.refuses($$ select dossier.append_upload(tests.id('alpha upload'), 0, null) $$, 'PT400', 'A chunk must have a number from 0, and 1 to 1048576 bytes', 'no bytes');
select tests.refuses($$ select dossier.append_upload(tests.id('alpha upload'), 0, '') $$, 'PT400', 'A chunk must have a number from 0, and 1 to 1048576 bytes', 'empty bytes');
select tests.refuses($$ select dossier.append_upload(tests.id('alpha upload'), 0, convert_to(repeat('x', 1048577), 'utf8')) $$, 'PT400', 'A chunk must have a number from 0, and 1 to 1048576 bytes', 'a byte too many');
select tests.refuses($$ select dossier.append_upload(tests.id('alpha upload'), 40, 'x') $$, 'PT413', 'The file is larger than 10485760 bytes', 'the first byte over 10 MiB');
select tests.refuses($$ select dossier.append_upload(tests.id('alpha upload'), 2147483647, 'x') $$, 'PT413', 'The file is larger than 10485760 bytes', 'a huge number');
select tests.refuses($$ select dossier.append_upload(tests.id('nothing'), 0, 'x') $$, 'PT404', 'Document not found', 'no such upload');
select tests.refuses($$ select dossier.append_upload(null, 0, 'x') $$, 'PT404', 'Document not found', 'no upload');
select tests.refuses($$ select dossier.append_upload(tests.id('alpha document'), 1, 'x') $$, 'PT409', 'This upload is already finished', 'a document that is finished');
select tests.refuses($$ select dossier.append_upload(tests.id('alpha upload'), 0, '\x7f454c460201') $$, 'PT415', 'Files of type application/x-executable are not accepted', 'a program declared as text');
select lives_ok($$ select dossier.append_upload(tests.id('alpha upload'), 0, 'hello') $$, 'a chunk');
select tests.refuses($$ select dossier.append_upload(tests.id('alpha upload'), 0, 'HELLO') $$, 'PT409', 'Chunk 0 is already stored', 'the same chunk again');
select tests.logout();
select is((select bytes from dossier_private.document_chunks where document_id = tests.id('alpha upload')), 'hello', 'which replaces nothing');
update dossier.organization_members set role = 'viewer' where user_id = 'alpha-member';
select tests.login('alpha-member');
select tests.refuses($$ select dossier.append_upload(tests.id('alpha upload'), 1, 'x') $$, '42501', 'You may not write in this organization', 'a member who has become a viewer');
select tests.logout();
delete from dossier.organization_members where user_id = 'alpha-member';
select tests.login('alpha-member');
select tests.refuses($$ select dossier.finish_upload(tests.id('alpha upload'), 5, repeat('a', 64)) $$, 'PT404', 'Document not found', 'a member who has left');
select ok(dossier.abort_upload(tests.id('alpha upload')), 'callers that may still abort');
select tests.logout();
insert into dossier.organization_members values (tests.id('alpha'), 'alpha-member', 'member');

-- finish_upload, after 10 MiB in 40 chunks.

create temporary table upload as select tests.id('none') as id;
grant select, update on upload to public;
create function pg_temp.upload(name text, media_type text default null, size_bytes bigint default null) returns void language sql
as $$ update upload set id = (dossier.begin_upload(tests.id('alpha session'), name, media_type, size_bytes)).id $$;
create function pg_temp.append(seq integer, bytes bytea) returns void language sql
as $$ select dossier.append_upload((select id from upload), seq, bytes) $$;
create function pg_temp.finish(size_bytes bigint, sha256 text default repeat('ab', 32)) returns dossier.documents language sql
as $$ select dossier.finish_upload((select id from upload), size_bytes, sha256) $$;

select tests.login('alpha-member');
select pg_temp.upload('ten.pdf');
select pg_temp.append(0, pg_temp.full_chunk('%PDF-1.7'));
select pg_temp.append(seq, pg_temp.full_chunk()) from generate_series(39, 1, -1) as seq;
select tests.refuses($$ select pg_temp.append(39, pg_temp.full_chunk() || 'x') $$, 'PT413', 'The file is larger than 10485760 bytes', 'the byte after 10 MiB, behind a chunk that fits');
select tests.refuses($$ select pg_temp.append(40, 'x') $$, 'PT413', 'The file is larger than 10485760 bytes', 'the byte after 10 MiB');
select tests.refuses($$ select pg_temp.finish(10485761) $$, 'PT400', 'The upload is incomplete', 'a size that did not arrive');
select results_eq($$ select name, media_type, size_bytes, sha256, status from pg_temp.finish(10485760, repeat('AB', 32)) $$,
  $$ values ('ten.pdf', 'application/pdf', 10485760::bigint, repeat('ab', 32), 'stored') $$, '10 MiB are stored, in whatever order they came');
select tests.refuses($$ select pg_temp.finish(10485760) $$, 'PT409', 'This upload is already finished', 'finishing twice');
select tests.refuses($$ select pg_temp.append(1, 'x') $$, 'PT409', 'This upload is already finished', 'a chunk after the end');
select ok(not dossier.abort_upload((select id from upload)), 'nothing to abort any more');
select is(octet_length(dossier.read_content((select id from upload), 10485760 - 100, 1000)), 100, 'the bytes can be read');
select tests.logout();
select results_eq($$ select kind, status, attempts, max_attempts, options, organization_id from dossier_private.jobs where document_id = (select id from upload) $$,
  $$ values ('extract', 'queued', 0, 3, '{"ocr": "auto"}'::jsonb, tests.id('alpha')) $$, 'and the extraction is queued');

-- Several chunks in one call.

select tests.login('alpha-member');
select pg_temp.upload('run.pdf');
select pg_temp.append(0, '%PDF' || pg_temp.full_chunk('-') || pg_temp.full_chunk('b') || pg_temp.full_chunk('c'));
select tests.refuses($$ select pg_temp.append(2, pg_temp.full_chunk() || 'x') $$, 'PT409', 'Some of the chunks 2 to 3 are already stored', 'chunks of which one is here');
select tests.refuses($$ select pg_temp.append(3, 'x') $$, 'PT409', 'Chunk 3 is already stored', 'the last of four, which was short');
select pg_temp.finish(3 * 262144 + 4);
select is(dossier.read_content((select id from upload), 0, 1048576),
  '%PDF' || pg_temp.full_chunk('-') || pg_temp.full_chunk('b') || pg_temp.full_chunk('c'), 'chunks that come together are stored in their order');
select is((select media_type from dossier.documents where id = (select id from upload)), 'application/pdf', 'and the first bytes decide the type');
select tests.logout();
select results_eq($$ select seq, octet_length(bytes) from dossier_private.document_chunks where document_id = (select id from upload) order by seq $$,
  $$ values (0, 262144), (1, 262144), (2, 262144), (3, 4) $$, 'each as a row');
select tests.login('alpha-member');
select pg_temp.upload('x.txt');
select tests.refuses($$ select pg_temp.append(0, pg_temp.full_chunk() || pg_temp.full_chunk() || pg_temp.full_chunk() || pg_temp.full_chunk() || 'x') $$,
  'PT400', 'A chunk must have a number from 0, and 1 to 1048576 bytes', 'five chunks at once');
select tests.logout();

select tests.login('alpha-member');
select pg_temp.upload('x.txt');
select tests.refuses($$ select pg_temp.finish(0) $$, 'PT400', 'The file is empty', 'an empty file');
select pg_temp.append(1, 'tail');
select tests.refuses($$ select pg_temp.finish(262148) $$, 'PT400', 'The upload is incomplete', 'a missing chunk');
select pg_temp.append(0, 'short');
select tests.refuses($$ select pg_temp.finish(9) $$, 'PT400', 'The upload is incomplete', 'a short chunk that is not the last');

select pg_temp.upload('photo', 'text/plain');
select pg_temp.append(0, '\x89504e470d0a1a0a');
select tests.refuses($$ select pg_temp.finish(7) $$, 'PT400', 'The upload is incomplete', 'fewer bytes than arrived');
select tests.refuses($$ select pg_temp.finish(null) $$, 'PT400', 'The upload is incomplete', 'no size');
select tests.refuses($$ select pg_temp.finish(-8) $$, 'PT400', 'The upload is incomplete', 'a negative size at the end');
select tests.refuses($$ select pg_temp.finish(8, null) $$, 'PT400', 'The upload is incomplete', 'no digest');
select tests.refuses($$ select pg_temp.finish(8, repeat('g', 64)) $$, 'PT400', 'The upload is incomplete', 'an invalid digest');
select is((pg_temp.finish(8)).media_type, 'image/png', 'the bytes decide the type');

select pg_temp.upload('x.txt', null, 10);
select tests.refuses($$ select pg_temp.append(0, '12345678901') $$, 'PT400', 'More bytes were sent than declared', 'more bytes than declared');
select pg_temp.append(0, '12345');
select tests.refuses($$ select pg_temp.finish(5) $$, 'PT400', 'The upload is incomplete', 'fewer bytes than declared');

select pg_temp.upload('five.txt');
select pg_temp.append(0, '12345');
select is(tests.outcomes($$ select from dossier.finish_upload((select id from upload), 5, repeat('ab', 32)) $$),
  'owner 42501, admin 42501, member 1, viewer 42501, other PT404, nobody 42501, anon 42501, service 42501', 'callers that may finish an upload');

-- abort_upload.

select is(tests.outcomes($$ select where dossier.abort_upload((select id from upload)) $$),
  'owner 0, admin 0, member 1, viewer 0, other 0, nobody 42501, anon 42501, service 42501', 'callers that may abort an upload');
select tests.login('alpha-member');
select ok(dossier.abort_upload((select id from upload)), 'an upload is aborted once');
select ok(not dossier.abort_upload((select id from upload)), 'but not twice');
select ok(not dossier.abort_upload(null), 'null aborts nothing');
select tests.logout();
select is_empty($$ select from dossier_private.document_chunks where document_id = (select id from upload) $$, 'its bytes are gone');

-- Settings.

update dossier_private.settings set value = '10' where name in ('max_file_bytes', 'max_name_length');
insert into dossier_private.settings (name, value) values ('allowed_media_types', '["text/plain"]');
select tests.login('alpha-member');
select is(dossier.limits(), '{"max_file_bytes": 10, "chunk_bytes": 262144, "allowed_media_types": ["text/plain"], "max_name_length": 10, "max_context_bytes": 1048576, "max_pack_tokens": 1000000}',
  'limits() tells what the owner has set; inserting a setting changes it');
select tests.refuses($$ select pg_temp.upload('x.txt', null, 11) $$, 'PT413', 'The file is larger than 10 bytes', 'a size over a lowered limit');
select tests.refuses($$ select pg_temp.upload('eleven__.txt') $$, 'PT400', 'Invalid document name', 'a name over a lowered limit');
select tests.refuses($$ select pg_temp.upload('x.csv') $$, 'PT415', 'Files of type text/csv are not accepted', 'a type that is no longer allowed');
select tests.logout();
select throws_ok($$ update dossier_private.settings set value = '"many"' where name = 'max_file_bytes' $$, '23514', null, 'a limit is a number');
delete from dossier_private.settings where name = 'max_file_bytes';
select tests.login('alpha-member');
select tests.refuses($$ select pg_temp.upload('x.txt', null, 1) $$, 'PT500', 'The setting max_file_bytes is missing', 'a missing limit is an error, not no limit');
select tests.logout();

select * from finish();
rollback;
