-- Resumable uploads: offsets, holds, checksums, sizes that become known later, expiry. See ../setup.sql for how to run this.

begin;
select plan(106);
select tests.fixture();

create temporary table uploads (name text primary key, id uuid);
grant all on uploads to public;
create function pg_temp.upload(name text) returns uuid language sql as $$ select u.id from uploads as u where u.name = upload.name $$;
create function pg_temp.key(number integer) returns uuid language sql immutable as $$ select tests.id('holder ' || number) $$;
-- Bytes that differ everywhere, so that no two pieces of them can be mistaken for each other.
create function pg_temp.part(first integer, length integer) returns bytea language sql immutable as $$
  select convert_to(substring(string_agg(encode(sha256(int4send(block)), 'hex'), '' order by block) from first % 64 + 1 for length), 'utf8')
  from generate_series(first / 64, (first + length - 1) / 64) as block $$;
create function pg_temp.offset_of(name text) returns bigint language sql as $$ select stored_bytes from dossier.upload_state(pg_temp.upload(name)) $$;
create function pg_temp.hold(name text, key integer, start bigint, size bigint default null, verify boolean default false) returns text
language sql as $$ select h::text from (select stored_bytes, size_bytes from dossier.hold_upload(pg_temp.upload(name), pg_temp.key(key), start, size, verify)) as h $$;
create function pg_temp.send(name text, key integer, first integer, length integer) returns void
language sql as $$ select dossier.resume_upload(pg_temp.upload(name), pg_temp.key(key), first, pg_temp.part(first, length)) $$;
create function pg_temp.stored(name text) returns text language sql security definer as $$
  select coalesce(string_agg(octet_length(bytes)::text, ' ' order by seq), 'nothing') from dossier_private.document_chunks where document_id = (select u.id from uploads as u where u.name = stored.name) $$;

-- Beginning.

select tests.login('alpha-member');
insert into uploads select 'report', id from dossier.begin_resumable_upload(tests.id('alpha session'), 'report.txt', 'text/plain', 600000, '{"a": 1}', client_metadata => 'filename cmVwb3J0');
select results_eq($$ select session_id, name, media_type, metadata, size_bytes, stored_bytes, expires_at = now() + interval '24 hours', client_metadata from dossier.upload_state(pg_temp.upload('report')) $$,
  $$ values (tests.id('alpha session'), 'report.txt', 'text/plain', '{"a": 1}'::jsonb, 600000::bigint, 0::bigint, true, 'filename cmVwb3J0') $$,
  'an upload begins empty, and lives for a day');
select is((dossier.begin_resumable_upload(tests.id('alpha session'), 'x', expires_in => '30 days')).status, 'uploading', 'at most 30 days');
select tests.refuses(format('select dossier.begin_resumable_upload(tests.id(''alpha session''), ''x'', expires_in => %L)', expires_in), 'PT400',
  'expires_in must be between one second and 30 days', 'an expiry of ' || coalesce(expires_in, 'null'))
from (values ('0 seconds'), ('-1 day'), ('31 days'), (null)) as t (expires_in);
select tests.refuses($$ select dossier.begin_resumable_upload(tests.id('alpha session'), 'x', client_metadata => repeat('x', 131073)) $$, 'PT400',
  'client_metadata is longer than 131072 bytes', 'too much metadata of the client');
select tests.refuses($$ select dossier.begin_resumable_upload(tests.id('alpha session'), 'x', size_bytes => 0) $$, 'PT400', 'The file is empty', 'an empty file');
select tests.refuses($$ select dossier.begin_resumable_upload(tests.id('alpha session'), 'x', size_bytes => 10485761) $$, 'PT413',
  'The file is larger than 10485760 bytes', 'a file that is too large is refused before its first byte');
select tests.refuses($$ select dossier.begin_resumable_upload(tests.id('alpha session'), '../x') $$, 'PT400', 'Invalid document name', 'the name is checked as for forms');

-- Pieces of any size become full chunks.

select is(pg_temp.hold('report', 1, 0), '(0,600000)', 'a hold returns offset and size');
select lives_ok($$ select pg_temp.send('report', 1, 0, 100) $$, 'a short piece');
select is(dossier.release_upload(pg_temp.upload('report'), pg_temp.key(1)), 100::bigint, 'it counts');
select is(pg_temp.hold('report', 2, 100), '(100,600000)', 'another request continues there');
select lives_ok($$ select pg_temp.send('report', 2, 100, 300000) $$, 'a piece that fills the chunk and begins another');
select is(pg_temp.stored('report'), '262144 37956', 'chunks are full except the last');
select is(pg_temp.offset_of('report'), 300100::bigint, 'the offset follows while the upload is held');
select tests.refuses($$ select pg_temp.send('report', 2, 300200, 100) $$, 'PT409', 'The bytes before these are not stored, or these already are', 'a piece behind a gap in its chunk');
select tests.refuses($$ select pg_temp.send('report', 2, 262144, 100) $$, 'PT409', 'Chunk 1 is already stored', 'a piece that is already stored');
select tests.refuses($$ select pg_temp.send('report', 2, 300100, 299901) $$, 'PT400', 'More bytes were sent than declared', 'a byte more than declared');
select tests.refuses($$ select pg_temp.send('report', 2, -1, 5) $$, 'PT400', 'An offset must be 0 or more, with 1 to 1048576 bytes', 'a negative offset');
select tests.refuses($$ select dossier.resume_upload(pg_temp.upload('report'), pg_temp.key(2), 300100, '') $$, 'PT400', 'An offset must be 0 or more, with 1 to 1048576 bytes', 'no bytes');
select tests.refuses($$ select dossier.append_upload(pg_temp.upload('report'), 2, 'x') $$, 'PT409', 'This upload is resumable', 'its bytes cannot be sent as numbered chunks');
select lives_ok($$ select pg_temp.send('report', 2, 524288, 75712) $$, 'a later piece may be stored first');
select is(pg_temp.offset_of('report'), 300100::bigint, 'but does not count before the gap is filled');
select lives_ok($$ select pg_temp.send('report', 2, 300100, 224188) $$, 'the piece between them');
select is(pg_temp.offset_of('report'), 600000::bigint, 'now both count');
select is(md5(dossier.read_upload(pg_temp.upload('report'), 262144, 1048576)), md5(pg_temp.part(262144, 337856)), 'the bytes can be read for a digest');
select is(dossier.read_upload(pg_temp.upload('report'), 0, 10), pg_temp.part(0, 10), 'a part of them');
select is(dossier.read_upload(pg_temp.upload('report'), 786432), null, 'nothing behind the last one');
select tests.refuses($$ select dossier.read_upload(pg_temp.upload('report'), 1) $$, 'PT400', 'Bytes are read from the start of a chunk, 1 to 1048576 at once', 'from within a chunk');
select is((dossier.finish_upload(pg_temp.upload('report'), 600000, encode(sha256(pg_temp.part(0, 600000)), 'hex'))).status, 'stored', 'the upload finishes');
select results_eq($$ select size_bytes, stored_bytes, expires_at from dossier.upload_state(pg_temp.upload('report')) $$,
  $$ values (600000::bigint, 600000::bigint, null::timestamptz) $$, 'a finished upload is complete, for a client that missed the response');
select tests.refuses($$ select pg_temp.hold('report', 3, 600000) $$, 'PT409', 'This upload is already finished', 'it cannot be continued');
select is(md5(dossier.read_content(pg_temp.upload('report'), 0, 600000)), md5(pg_temp.part(0, 600000)), 'the document has the bytes that were sent');

-- Holds.

insert into uploads select 'held', id from dossier.begin_resumable_upload(tests.id('alpha session'), 'held.txt');
select tests.refuses($$ select pg_temp.hold('held', 1, 1) $$, 'PT409', 'The offset is not where the stored bytes end', 'an offset beyond the stored bytes');
select tests.refuses($$ select pg_temp.hold('held', 1, null) $$, 'PT409', 'The offset is not where the stored bytes end', 'no offset');
select tests.refuses($$ select dossier.hold_upload(pg_temp.upload('held'), null, 0) $$, 'PT400', 'holder must not be null', 'no holder');
select tests.refuses($$ select pg_temp.send('held', 1, 0, 5) $$, 'PT423', 'This request no longer holds the upload', 'bytes without a hold');
select is(pg_temp.hold('held', 1, 0), '(0,)', 'a hold on an upload of unknown size');
select tests.refuses($$ select pg_temp.hold('held', 2, 0) $$, 'PT423', 'Another request is sending this upload', 'a second request has to wait');
select lives_ok($$ select pg_temp.send('held', 1, 0, 5) $$, 'the first one sends');
select tests.logout();
update dossier_private.resumable_uploads set held_until = clock_timestamp() + interval '1 second' where document_id = pg_temp.upload('held');
select tests.login('alpha-member');
select lives_ok($$ select dossier.renew_upload(pg_temp.upload('held'), pg_temp.key(1)) $$, 'a hold is renewed');
select tests.logout();
select ok(held_until > clock_timestamp() + interval '4 seconds', 'for as long as before') from dossier_private.resumable_uploads where document_id = pg_temp.upload('held');
update dossier_private.resumable_uploads set held_until = clock_timestamp() + interval '1 second' where document_id = pg_temp.upload('held');
select tests.login('alpha-member');
select lives_ok($$ select pg_temp.send('held', 1, 5, 5) $$, 'bytes arrive');
select tests.logout();
select ok(held_until > clock_timestamp() + interval '4 seconds', 'and renew the hold') from dossier_private.resumable_uploads where document_id = pg_temp.upload('held');
update dossier_private.resumable_uploads set held_until = now() where document_id = pg_temp.upload('held');
select tests.login('alpha-member');
select lives_ok($$ select pg_temp.send('held', 1, 10, 5) $$, 'a late request may still send while no other has asked');
select tests.logout();
update dossier_private.resumable_uploads set held_until = now() where document_id = pg_temp.upload('held');
select tests.login('alpha-member');
select is(pg_temp.hold('held', 2, 15), '(15,)', 'another request takes over');
select tests.refuses($$ select pg_temp.send('held', 1, 15, 5) $$, 'PT423', 'This request no longer holds the upload', 'the first one has lost the upload');
select tests.refuses($$ select dossier.renew_upload(pg_temp.upload('held'), pg_temp.key(1)) $$, 'PT423', 'This request no longer holds the upload', 'and cannot renew its hold');
select tests.refuses($$ select dossier.release_upload(pg_temp.upload('held'), pg_temp.key(1)) $$, 'PT423', 'This request no longer holds the upload', 'nor end that of the other');
select lives_ok($$ select pg_temp.send('held', 2, 262144, 5) $$, 'a piece behind a gap');
select tests.logout();
update dossier_private.resumable_uploads set held_until = now() where document_id = pg_temp.upload('held');
select tests.login('alpha-member');
select is(pg_temp.hold('held', 3, 15), '(15,)', 'does not count for the next request');
select is(pg_temp.stored('held'), '15', 'and is removed by it');

-- Checksums.

select is(dossier.release_upload(pg_temp.upload('held'), pg_temp.key(3)), 15::bigint, 'released');
select is(pg_temp.hold('held', 4, 15, verify => true), '(15,)', 'a request whose bytes have a checksum');
select lives_ok($$ select pg_temp.send('held', 4, 15, 300000) $$, 'its bytes arrive');
select is(pg_temp.offset_of('held'), 15::bigint, 'but do not count yet');
select is(dossier.release_upload(pg_temp.upload('held'), pg_temp.key(4), 15), 15::bigint, 'the checksum is wrong: they are dropped');
select is(pg_temp.stored('held'), '15', 'what was there before stays');
select tests.logout();
select is((dossier_private.stored(tests.id('alpha'))).arriving_bytes, 15::bigint, 'the quota counts what is stored');
select tests.login('alpha-member');
select is(pg_temp.hold('held', 5, 15, verify => true), '(15,)', 'the same again');
select lives_ok($$ select pg_temp.send('held', 5, 15, 300000) $$, 'its bytes arrive');
select tests.logout();
update dossier_private.resumable_uploads set held_until = now() where document_id = pg_temp.upload('held');
select tests.login('alpha-member');
select is(pg_temp.hold('held', 6, 15, verify => true), '(15,)', 'its edge was lost: bytes that nobody has verified are dropped');
select lives_ok($$ select pg_temp.send('held', 6, 15, 300000) $$, 'they are sent again');
select is(dossier.release_upload(pg_temp.upload('held'), pg_temp.key(6)), 300015::bigint, 'the checksum is right');

-- A size that becomes known later.

select tests.refuses($$ select pg_temp.hold('held', 7, 300015, 300014) $$, 'PT400', 'The size of this upload cannot be changed like this', 'smaller than what is stored');
select tests.refuses($$ select pg_temp.hold('held', 7, 300015, 10485761) $$, 'PT413', 'The file is larger than 10485760 bytes', 'larger than the limit');
select is(pg_temp.hold('held', 7, 300015, 300020), '(300015,300020)', 'the size becomes known');
select is(pg_temp.hold('held', 7, 300015, 300020), '(300015,300020)', 'and may be repeated');
select tests.refuses($$ select pg_temp.hold('held', 7, 300015, 300021) $$, 'PT400', 'The size of this upload cannot be changed like this', 'but not changed');
select tests.logout();
select is((dossier_private.stored(tests.id('alpha'))).arriving_bytes, 0::bigint, 'a declared size counts once');
select tests.login(null, 'service_role');
select lives_ok($$ select dossier.set_quota(tests.id('alpha'), max_bytes => 2000000) $$, 'the organization has a quota');
select tests.login('alpha-member');
insert into uploads select 'counted', id from dossier.begin_resumable_upload(tests.id('alpha session'), 'counted.txt');
select tests.refuses($$ select pg_temp.hold('counted', 1, 0, 1900000) $$, 'PT403', 'The quota of the organization is exhausted: % of 2000000 bytes stored', 'a size beyond the quota');

-- Types are detected from the first chunk, in however many pieces it comes.

insert into uploads select 'typed', id from dossier.begin_resumable_upload(tests.id('alpha session'), 'typed.txt', 'text/plain');
select is(pg_temp.hold('typed', 1, 0), '(0,)', 'held');
select lives_ok($$ select dossier.resume_upload(pg_temp.upload('typed'), pg_temp.key(1), 0, '%P') $$, 'two bytes');
select lives_ok($$ select dossier.resume_upload(pg_temp.upload('typed'), pg_temp.key(1), 2, 'DF-1.7') $$, 'and the rest');
select is((dossier.finish_upload(pg_temp.upload('typed'), 8, encode(sha256('%PDF-1.7'), 'hex'))).media_type, 'application/pdf', 'of a PDF');
insert into uploads select 'program', id from dossier.begin_resumable_upload(tests.id('alpha session'), 'typed.txt', 'text/plain', 300000);
select is(pg_temp.hold('program', 1, 0), '(0,300000)', 'held');
select lives_ok($$ select dossier.resume_upload(pg_temp.upload('program'), pg_temp.key(1), 0, '\x7f45') $$, 'two bytes of a program');
select tests.refuses($$ select dossier.resume_upload(pg_temp.upload('program'), pg_temp.key(1), 2, '\x4c46020101' || pg_temp.part(7, 299993)) $$, 'PT415',
  'Files of type application/x-executable are not accepted', 'it is refused once the first chunk is complete');

-- Callers.

select tests.logout();
insert into uploads select 'mine', tests.id('alpha upload');
select is(tests.outcomes($$ select from dossier.begin_resumable_upload(tests.id('alpha session'), 'x.txt') $$),
  'owner 1, admin 1, member 1, viewer 42501, other PT404, nobody 42501, anon 42501, service 42501', 'callers that may begin an upload');
select is(tests.outcomes($$ select from dossier.upload_state(pg_temp.upload('counted')) $$),
  'owner 42501, admin 42501, member 1, viewer 42501, other PT404, nobody 42501, anon 42501, service 42501', 'callers that may read its state');
select is(tests.outcomes($$ select from dossier.hold_upload(pg_temp.upload('counted'), pg_temp.key(1), 0) $$),
  'owner 42501, admin 42501, member 1, viewer 42501, other PT404, nobody 42501, anon 42501, service 42501', 'callers that may hold it');
select tests.login('alpha-member');
select is(pg_temp.hold('counted', 1, 0), '(0,)', 'held');
select tests.logout();
select is(tests.outcomes($$ select from dossier.resume_upload(pg_temp.upload('counted'), pg_temp.key(1), 0, 'x') $$),
  'owner 42501, admin 42501, member 1, viewer 42501, other PT404, nobody 42501, anon 42501, service 42501', 'callers that may send bytes, even if they know the key');
select is(tests.outcomes($$ select from dossier.renew_upload(pg_temp.upload('counted'), pg_temp.key(1)) $$),
  'owner 42501, admin 42501, member 1, viewer 42501, other PT404, nobody 42501, anon 42501, service 42501', 'callers that may renew the hold');
select is(tests.outcomes($$ select from dossier.read_upload(pg_temp.upload('counted'), 0) $$),
  'owner 42501, admin 42501, member 1, viewer 42501, other PT404, nobody 42501, anon 42501, service 42501', 'callers that may read its bytes');
select is(tests.outcomes($$ select from dossier.release_upload(pg_temp.upload('counted'), pg_temp.key(1)) $$),
  'owner 42501, admin 42501, member 1, viewer 42501, other PT404, nobody 42501, anon 42501, service 42501', 'callers that may release it');
select is(tests.outcomes($$ select from dossier.list_uploads(tests.id('alpha session')) where name in ('counted.txt', 'held.txt') $$),
  'owner 0, admin 0, member 2, viewer 0, other 0, nobody 42501, anon 42501, service 42501', 'everyone sees only their own uploads');
select tests.login('alpha-member');
select tests.refuses($$ select dossier.upload_state(tests.id('alpha upload')) $$, 'PT404', 'This upload cannot be resumed', 'an ordinary upload');
select set_eq($$ select name, size_bytes, stored_bytes from dossier.list_uploads() where name in ('typed.txt', 'counted.txt') $$,
  $$ values ('typed.txt', 300000::bigint, 2::bigint), ('counted.txt', null::bigint, 0::bigint) $$, 'unfinished uploads are listed, with their sizes and offsets');
select results_eq($$ select id from dossier.list_uploads() $$,
  $$ select d.id from dossier.documents as d where d.id in (select id from dossier.list_uploads()) order by d.created_at desc, d.id desc $$, 'newest first');
select results_eq($$ select next.id from dossier.list_uploads(limit_count => 1) as first, dossier.list_uploads(null, 1, first.created_at, first.id) as next $$,
  $$ select id from dossier.list_uploads(limit_count => 2) offset 1 $$, 'the next ones follow the last one');
select is((select count(*) from dossier.list_uploads(tests.id('beta session'))), 0::bigint, 'none in a session of others');

-- Expiry.

select tests.logout();
select is((dossier_private.purge_uploads('0', 1000)).uploads >= 1, true, 'an ordinary upload is removed after the age that the sweeper has');
select ok(exists (select from dossier.documents where id = pg_temp.upload('counted')), 'a resumable one is not');
update dossier_private.resumable_uploads set expires_at = now() - interval '1 second', held_until = clock_timestamp() + interval '1 minute', holder = pg_temp.key(1)
where document_id = pg_temp.upload('counted');
select ok((select count(*) from dossier_private.purge_uploads('0', 1000)) = 1 and exists (select from dossier.documents where id = pg_temp.upload('counted')),
  'nor one that has expired while a request sends it');
select tests.login('alpha-member');
select tests.refuses($$ select pg_temp.hold('counted', 2, 0) $$, 'PT410', 'The upload has expired', 'but no other request may continue it');
select tests.refuses($$ select dossier.upload_state(pg_temp.upload('counted')) $$, 'PT410', 'The upload has expired', 'nor is there a state');
select is((select count(*) from dossier.list_uploads() where name = 'counted.txt'), 0::bigint, 'it is not listed any more');
select tests.logout();
update dossier_private.resumable_uploads set held_until = now() where document_id = pg_temp.upload('counted');
select ok((dossier_private.purge_uploads('1 hour', 1000)).uploads >= 1, 'the sweeper removes it afterwards');
select ok(not exists (select from dossier.documents where id = pg_temp.upload('counted')), 'completely');
select tests.login('alpha-member');
select ok(dossier.abort_upload(pg_temp.upload('held')), 'its owner may end an upload');
select tests.refuses($$ select dossier.upload_state(pg_temp.upload('held')) $$, 'PT404', 'Document not found', 'then it is gone');
select is(pg_temp.stored('held'), 'nothing', 'with its bytes');

select * from finish();
rollback;
