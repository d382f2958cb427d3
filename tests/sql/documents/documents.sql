-- Documents, their pages and bytes: reading, changing and deleting them. See ../setup.sql for how to run this.

begin;
select plan(56);
select tests.fixture();

-- Documents.

select is(tests.outcomes($$ select from dossier.documents where session_id = tests.id('alpha session') $$),
  'owner 2, admin 2, member 2, viewer 2, other 0, nobody 0, anon 42501, service 2', 'callers that see documents');
select is(tests.outcomes($$ insert into dossier.documents (session_id, organization_id, user_id, name, media_type)
    values (tests.id('alpha session'), tests.id('alpha'), 'x', 'x', 'text/plain') $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', 'no user may insert one without the checks');
select is(tests.outcomes($$ update dossier.documents set name = 'new.txt', metadata = '{"a":1}' where id = tests.id('alpha document') $$),
  'owner 1, admin 1, member 1, viewer 0, other 0, nobody 0, anon 42501, service 1', 'callers that rename one');
select is(tests.outcomes(format('update dossier.documents set %I = %I where id = tests.id(''alpha document'')', c, c)),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', 'nobody sets ' || c)
from unnest(array['id', 'session_id', 'organization_id', 'user_id', 'media_type', 'size_bytes', 'sha256', 'status',
  'error_code', 'error_message', 'page_count', 'token_count', 'language', 'file_metadata', 'storage', 'storage_key', 'created_at', 'updated_at']) as c;
select is(tests.outcomes($$ delete from dossier.documents where id = tests.id('alpha document') $$),
  'owner 1, admin 1, member 1, viewer 0, other 0, nobody 0, anon 42501, service 1', 'callers that delete one');
select is(tests.attempt($$ select from dossier.documents $$, 'alpha-viewer'), '2', 'a member sees no other organization''s documents');
select is(tests.attempt($$ update dossier.documents set name = '../etc/passwd' where id = tests.id('alpha document') $$, 'alpha-member'), '23514', 'a document is not renamed to a path');
select is(tests.attempt($$ update dossier.documents set metadata = '[]' where id = tests.id('alpha document') $$, 'alpha-member'), '23514', 'metadata is an object');
select is(tests.attempt($$ update dossier.documents set metadata = jsonb_build_object('x', repeat('x', 65536)) where id = tests.id('alpha document') $$, 'alpha-member'), '23514', 'of at most 64 KiB');
select throws_ok($$ update dossier.documents set organization_id = tests.id('beta') where id = tests.id('alpha document') $$, '23503', null, 'a document stays in its session''s organization for every caller');
select throws_ok($$ update dossier.documents set status = 'failed' where id = tests.id('alpha document') $$, '23514', null, 'no document fails without a reason');

-- Pages.

select is(tests.outcomes($$ select from dossier.document_pages where document_id = tests.id('alpha document') $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service 1', 'callers that see pages');
select is(tests.outcomes($$ insert into dossier.document_pages (document_id, organization_id, page, text) values (tests.id('alpha document'), tests.id('alpha'), 2, '') $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', 'no user may insert one');
select is(tests.outcomes($$ update dossier.document_pages set text = 'x' where document_id = tests.id('alpha document') $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', 'no user may change one');
select is(tests.outcomes($$ delete from dossier.document_pages where document_id = tests.id('alpha document') $$),
  'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', 'no user may delete one');

-- The private tables have no grants, and their policies would allow nothing anyway.

select is(tests.outcomes(format('%s', statement)), 'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', statement)
from unnest(array['select from dossier_private.document_chunks', 'delete from dossier_private.document_chunks',
  'select from dossier_private.jobs', 'update dossier_private.jobs set run_at = now()', 'select from dossier_private.settings']) as statement;

-- read_content.

select is(tests.outcomes($$ select from dossier.documents where id = tests.id('alpha document') and dossier.read_content(id) = 'hello' $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service 1', 'callers that read bytes of visible documents');
select is(tests.outcomes($$ select where dossier.read_content(tests.id('alpha document')) = 'hello' $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service 1', 'callers that read bytes by id');
insert into dossier.documents (id, session_id, organization_id, user_id, name, media_type, size_bytes, sha256, status)
values (tests.id('big'), tests.id('alpha session'), tests.id('alpha'), 'x', 'x', 'text/plain', 3 * 262144 + 100, repeat('0', 64), 'stored'),
  (tests.id('bigger'), tests.id('alpha session'), tests.id('alpha'), 'x', 'x', 'text/plain', 5 * 262144, repeat('0', 64), 'stored');
insert into dossier_private.document_chunks (document_id, organization_id, seq, bytes)
select tests.id('big'), tests.id('alpha'), seq, convert_to(repeat(chr(97 + seq), case seq when 3 then 100 else 262144 end), 'utf8') from generate_series(0, 3) as seq
union all
select tests.id('bigger'), tests.id('alpha'), seq, convert_to(repeat('x', 262144), 'utf8') from generate_series(0, 4) as seq;
select tests.login('alpha-viewer');
select is(octet_length(dossier.read_content(tests.id('big'))), 262144, 'a chunk by default');
select is(dossier.read_content(tests.id('big'), 262142, 4), 'aabb', 'across a border');
select is(dossier.read_content(tests.id('big'), 3 * 262144 + 98, 1000), 'dd', 'up to the end');
select is(dossier.read_content(tests.id('big'), 3 * 262144 + 100), '', 'nothing at the end');
select is(dossier.read_content(tests.id('big'), 9223372036854775807, 2147483647), '', 'nothing far beyond it');
select is(dossier.read_content(tests.id('big'), 5, 0), '', 'nothing when asked for nothing');
select is(octet_length(dossier.read_content(tests.id('bigger'), 0, 2147483647)), 1048576, 'a mebibyte at most');
select is(dossier.read_content(tests.id('alpha upload')), null, 'nothing of an upload');
select is(dossier.read_content(null), null, 'nothing of nothing');
select tests.refuses($$ select dossier.read_content(tests.id('big'), -1) $$, 'PT400', 'offset_bytes and length_bytes must not be negative', 'a negative offset');
select tests.refuses($$ select dossier.read_content(tests.id('big'), 0, null) $$, 'PT400', 'offset_bytes and length_bytes must not be negative', 'a null length');
select tests.logout();

-- delete_document.

select is(tests.outcomes($$ select where dossier.delete_document(tests.id('alpha document')) $$),
  'owner 1, admin 1, member 1, viewer 42501, other 0, nobody 0, anon 42501, service 1', 'callers that delete a document');
select tests.login('alpha-member');
select ok(dossier.delete_document(tests.id('alpha document')), 'a document is deleted once');
select ok(not dossier.delete_document(tests.id('alpha document')), 'but not twice');
select ok(not dossier.delete_document(null), 'null deletes nothing');
select tests.login('alpha-viewer');
select tests.refuses($$ select dossier.delete_document(tests.id('big')) $$, '42501', 'You may not write in this organization', 'a viewer learns why not');
select tests.logout();
select is(
  (select count(*)::integer from dossier_private.document_chunks where document_id = tests.id('alpha document'))
  + (select count(*)::integer from dossier_private.jobs where document_id = tests.id('alpha document'))
  + (select count(*)::integer from dossier.document_pages where document_id = tests.id('alpha document')),
  0, 'bytes, jobs and pages go with it');

select * from finish();
rollback;
