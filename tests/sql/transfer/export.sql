-- Export and import. See ../setup.sql for how to run this.

begin;
select plan(84);
select tests.fixture();

-- The content of exports and imports: several versions, a file of several chunks, pages with every field.
create temporary table file (bytes) as select convert_to(repeat('All work and no play. ', 30000), 'UTF8');
grant select on file to public;
update dossier.documents set
  media_type = 'application/pdf', charset = 'iso-8859-5', status = 'ready', ocr_status = 'unavailable', error_code = 'needs_ocr', error_message = 'Page 2: words in images were not read.',
  metadata = '{"source": "crm", "n": 1.50}', language = 'eng', file_metadata = '{"title": "Note", "outline": [{"title": "One", "page": 1}]}'
where id = tests.id('alpha document');
insert into dossier.document_pages (document_id, organization_id, page, text, source, engine, confidence, quality, reason)
values (tests.id('alpha document'), tests.id('alpha'), 2, E'ünï "codé"\t\\', 'ocr', 'tesseract', 0.91, 0.1, 'a picture');
insert into dossier.documents (id, session_id, organization_id, user_id, name, media_type, size_bytes, sha256, status, created_at)
select tests.id('alpha work'), tests.id('alpha session'), tests.id('alpha'), 'alpha-member', 'work.txt', 'text/plain',
  octet_length(bytes), encode(sha256(bytes), 'hex'), 'extracting', '2024-02-29 12:00:00.123456+05'
from file;
select dossier_private.store_bytes(tests.id('alpha work'), tests.id('alpha'), bytes) from file;
update dossier_private.document_chunks set bytes = '%PDF-' where document_id = tests.id('alpha document');
update dossier.documents set sha256 = encode(sha256('%PDF-'), 'hex') where id = tests.id('alpha document');
select tests.login('alpha-member');
select from dossier.save_context(tests.id('alpha session'), 'second', '{"deep": {"er": [1, null, "x"]}}');
select tests.logout();

create function pg_temp.bundle(include_bytes boolean default true) returns jsonb
language sql as $$ select dossier.export_sessions(array[tests.id('alpha session')], include_bytes) $$;
create function pg_temp.said(statement text) returns text
language plpgsql as $$
declare
  detail text;
begin
  execute statement;
  return 'was not refused';
exception when others then
  get stacked diagnostics detail = pg_exception_detail;
  return sqlstate || ' ' || detail;
end
$$;

-- export_sessions.

select is(tests.outcomes($$ select from dossier.export_sessions(array[tests.id('alpha session')]) $$),
  'owner 1, admin 1, member 1, viewer 1, other PT404, nobody PT404, anon 42501, service 1', 'callers that export');
select tests.login('alpha-viewer');
select is(pg_temp.bundle(false) - 'sessions', '{"format": "dossier", "version": 1}', 'a bundle says what it is');
select is((pg_temp.bundle(false) #> '{sessions,0}') - array['documents', 'context_versions', 'created_at', 'updated_at'],
  jsonb_build_object('id', tests.id('alpha session'), 'user_id', 'alpha-member', 'title', 'alpha session', 'conversation_type', 'meeting', 'status', 'active'),
  'the session');
select is(jsonb_path_query_array(pg_temp.bundle(false), '$.sessions[0].context_versions[*].text_context'), '["alpha context", "second"]', 'all versions of its context');
select is(jsonb_path_query_array(pg_temp.bundle(false), '$.sessions[0].documents[*].name'), '["work.txt", "note.txt"]', 'its documents, but for an upload under way');
select is(pg_temp.bundle(false) #>> '{sessions,0,documents,0,status}', 'stored', 'one that is being read is one that will be');
select is(pg_temp.bundle(false) #>> '{sessions,0,documents,0,created_at}', '2024-02-29T07:00:00.123456+00:00', 'times in UTC');
select is(pg_temp.bundle(false) #> '{sessions,0,documents,1,pages,1}',
  '{"page": 2, "text": "ünï \"codé\"\t\\", "source": "ocr", "engine": "tesseract", "confidence": 0.91, "quality": 0.1, "reason": "a picture",
    "structure": null}', 'a page');
select ok(not jsonb_path_exists(pg_temp.bundle(false), '$.**.bytes'), 'bytes only when asked for');
select is(decode(pg_temp.bundle() #>> '{sessions,0,documents,0,bytes}', 'base64'), (select bytes from file), 'bytes');
set local timezone = 'Asia/Tokyo';
select is(pg_temp.bundle() #>> '{sessions,0,documents,0,created_at}', '2024-02-29T07:00:00.123456+00:00', 'in every time zone');
select tests.login('alpha-member');
select (dossier.create_session('Nothing in it')).id as empty \gset
select is((dossier.export_sessions(array[:'empty']::uuid[], include_bytes) #> '{sessions,0}') - array['id', 'created_at', 'updated_at'],
  jsonb_build_object('title', 'Nothing in it', 'user_id', 'alpha-member', 'status', 'active', 'conversation_type', 'meeting',
    'context_versions', '[]'::jsonb, 'documents', '[]'::jsonb), 'a session with nothing in it, include_bytes ' || include_bytes)
from unnest(array[false, true]) as include_bytes;
select (dossier.begin_upload(:'empty', 'x.txt')).id is not null as begun \gset
select is(dossier.export_sessions(array[:'empty']::uuid[]) #> '{sessions,0,documents}', '[]', 'or with an unfinished upload alone');
select tests.login('alpha-viewer');
select tests.refuses($$ select dossier.export_sessions(array[tests.id('alpha session'), tests.id('beta session'), tests.id('nothing')]) $$, 'PT404', 'Some of the sessions were not found', 'another tenant''s');
select is(pg_temp.said($$ select dossier.export_sessions(array[tests.id('alpha session'), tests.id('beta session'), tests.id('nothing')]) $$),
  format('PT404 Not visible to you: %s, %s.', tests.id('beta session'), tests.id('nothing')), 'named like one that is not there');
select tests.refuses($$ select dossier.export_sessions(array[null]::uuid[]) $$, 'PT404', 'Some of the sessions were not found', 'a null');
select tests.refuses($$ select dossier.export_sessions('{}') $$, 'PT400', 'session_ids must name 1 to 1000 sessions', 'no session');
select tests.refuses($$ select dossier.export_sessions(null) $$, 'PT400', 'session_ids must name 1 to 1000 sessions', 'null');
select tests.refuses($$ select dossier.export_sessions(array_fill(tests.id('alpha session'), array[1001])) $$, 'PT400', 'session_ids must name 1 to 1000 sessions', 'too many');
select tests.logout();
select tests.refuses($$ select dossier_private.export_sessions(array[tests.id('alpha session')], true, 100000) $$, 'PT413', 'The bundle would be larger than 100000 bytes', 'more than a bundle holds');
select lives_ok($$ select dossier_private.export_sessions(array[tests.id('alpha session')], false, 100000) $$, 'without bytes it would fit');
select tests.refuses($$ select dossier_private.export_sessions(array[tests.id('alpha session')], false, 500) $$, 'PT413', 'The bundle would be larger than 500 bytes', 'also when only its form makes it too large');

-- import_sessions: permissions and ids.

create temporary table exported (whole jsonb, light jsonb);
grant select on exported to public;
insert into exported select pg_temp.bundle(), pg_temp.bundle(false);
insert into dossier.organizations (id, name) values (tests.id('gamma'), 'gamma');
insert into dossier.organization_members (organization_id, user_id, role) values (tests.id('gamma'), 'gamma-owner', 'owner');

-- Corrupted bytes are omitted from the export. The rest is exported.
create function pg_temp.spoilt() returns text
language plpgsql as $$
declare
  became text;
begin
  begin
    update dossier.documents set status = 'failed', error_code = 'checksum_mismatch', sha256 = repeat('0', 64) where id = tests.id('alpha document');
    perform dossier.import_sessions(pg_temp.bundle(), tests.id('gamma'));
    select concat_ws(' ', d.status, d.error_code, d.storage) into became from dossier.documents as d where d.organization_id = tests.id('gamma') and d.sha256 = repeat('0', 64);
    raise exception using errcode = 'UNDO0';
  exception when sqlstate 'UNDO0' then
    return became;
  end;
end
$$;
select is(pg_temp.spoilt(), 'failed checksum_mismatch none', 'a document with other bytes than were uploaded is exported as what it is');

select is(tests.outcomes($$ select from dossier.import_sessions((select whole from exported), tests.id('alpha')) $$),
  'owner 1, admin 1, member 1, viewer 42501, other PT404, nobody PT404, anon 42501, service 1', 'callers that import');
select tests.login('service', 'service_role');
select tests.refuses($$ select dossier.import_sessions((select whole from exported), tests.id('nothing')) $$, 'PT404', 'Organization not found', 'an organization that is not there');
select tests.refuses($$ select dossier.import_sessions((select whole from exported), null) $$, 'PT404', 'Organization not found', 'no organization');

select tests.login('alpha-member');
create temporary table imported as select dossier.import_sessions((select whole from exported), tests.id('alpha')) as ids;
select is((select array_agg(key::uuid) from imported, jsonb_object_keys(ids -> 'sessions') as key), array[tests.id('alpha session')], 'the old ids are reported');
select is((select count(*)::integer from imported, jsonb_each_text(ids -> 'documents') as d join dossier.documents as document on document.id = d.value::uuid where d.key <> d.value), 2, 'with the new ones');
select is(
  regexp_replace((select dossier.export_sessions(array(select value::uuid from jsonb_each_text(ids -> 'sessions')), true)::text from imported), '"id": "[^"]*"', '"id"', 'g'),
  regexp_replace((select whole::text from exported), '"id": "[^"]*"', '"id"', 'g'), 'a copy is equal but for its ids');
select is(pg_temp.bundle(), (select whole from exported), 'the exported sessions have not changed');
select is((select page_count || ' ' || token_count from dossier.documents, imported where id = (ids -> 'documents' ->> tests.id('alpha document')::text)::uuid),
  (select 2 || ' ' || sum(token_count) from dossier.document_pages where document_id = tests.id('alpha document')), 'pages and tokens are counted again');
select is((select dossier.read_content((ids -> 'documents' ->> tests.id('alpha work')::text)::uuid, 262000, 1000) from imported), (select substring(bytes from 262001 for 1000) from file), 'bytes can be read across chunks');
select is((select count(*)::integer from dossier.search('tesseract'), imported), 0, 'absent text is not found');
select ok(exists (select from dossier.search('code') as hit, imported where hit.document_id = (ids -> 'documents' ->> tests.id('alpha document')::text)::uuid), 'pages can be found');
select tests.login('alpha-admin');
select is((select user_id || ' ' || (details ->> 'documents') || ' ' || (details ->> 'from') from dossier.audit_log where action = 'session.imported'),
  format('alpha-member 2 %s', tests.id('alpha session')), 'the audit log says who imported what');
select tests.logout();
select set_eq($$ select kind, status from dossier_private.jobs, imported where document_id = (ids -> 'documents' ->> tests.id('alpha work')::text)::uuid $$,
  $$ values ('extract', 'queued') $$, 'a document not extracted yet is queued');
select set_eq($$ select kind, status from dossier_private.jobs, imported where document_id = (ids -> 'documents' ->> tests.id('alpha document')::text)::uuid $$,
  $$ values ('thumbnail', 'queued') $$, 'and so is the thumbnail of what was');

-- Only services keep ids: whether an id is free would tell users what other tenants have.
select tests.login('gamma-owner');
select tests.refuses($$ select dossier.import_sessions((select whole from exported), tests.id('gamma'), true) $$, '42501', 'Only services may keep the ids of a bundle', 'not those that another tenant has');
select is(tests.detail($$ select dossier.import_sessions((select whole from exported), tests.id('gamma'), true) $$),
  tests.detail(format($$ select dossier.import_sessions(replace((select whole from exported)::text, %L, %L)::jsonb, tests.id('gamma'), true) $$, tests.id('alpha session'), gen_random_uuid())),
  'which are refused like those that nobody has');
select tests.login('service', 'service_role');
select tests.refuses($$ select dossier.import_sessions((select whole from exported), tests.id('gamma'), true) $$, 'PT409', 'An id of the bundle already exists', 'ids that another tenant has');
select is(pg_temp.said($$ select dossier.import_sessions((select whole from exported), tests.id('gamma'), true) $$),
  format('PT409 sessions[0].id %s exists in this database, or twice in the bundle.', tests.id('alpha session')), 'nothing is said of whose they are');
select is(pg_temp.said(format($$ select dossier.import_sessions(jsonb_set((select whole from exported), '{sessions,0,id}', '"%s"'), tests.id('gamma'), true) $$, gen_random_uuid())),
  format('PT409 sessions[0].documents[0].id %s exists in this database, or twice in the bundle.', tests.id('alpha work')), 'also a document''s');
select tests.login('gamma-owner');
select is((select count(*)::integer from dossier.sessions), 0, 'and then nothing is written');
select tests.login('alpha-member');
select is(pg_temp.bundle(), (select whole from exported), 'or overwritten');
select tests.login('service', 'service_role');
select tests.refuses($$ select dossier.import_sessions((select whole from exported), tests.id('alpha'), true) $$, 'PT409', 'An id of the bundle already exists', 'ids of the same organization');
select tests.login('alpha-member');
select tests.refuses($$ select dossier.import_sessions(jsonb_set(whole, '{sessions,1}', whole #> '{sessions,0}'), tests.id('alpha')) from exported $$, 'PT400', 'Malformed bundle', 'the same session twice');

select tests.logout();
select tests.refuses($$ select dossier_private.refuse_at('line 2', '40P01', 'deadlock detected', '', '') $$, 'PT409', 'Another import of the same ids is in progress', 'ids that cross those of another import (in concurrency.sh they do)');
delete from dossier.sessions where id = tests.id('alpha session');
select tests.login('service', 'service_role');
select is(dossier.import_sessions((select whole from exported), tests.id('gamma'), true) -> 'sessions', jsonb_build_object(tests.id('alpha session'), tests.id('alpha session')), 'ids are kept when asked');
select tests.login('gamma-owner');
select is(pg_temp.bundle(), (select whole from exported), 'the round trip is equal, in another organization too');
select is((select text_context || ' ' || version from dossier.session_context where session_id = tests.id('alpha session')), 'second 2', 'the last version is in force');
select is((select version from dossier.save_context(tests.id('alpha session'), 'third', expected_version => 2)), 3, 'and goes on');
select is(tests.attempt($$ select from dossier.export_sessions(array[tests.id('alpha session')]) $$, 'alpha-member'), 'PT404', 'the former organization no longer has it');
select tests.login('gamma-owner');
select from dossier.delete_sessions(array[tests.id('alpha session')], permanently => true);

-- Without bytes.

select tests.login('service', 'service_role');
select from dossier.import_sessions((select light from exported), tests.id('gamma'), true);
select tests.login('gamma-owner');
select results_eq($$ select name, status, error_code, storage from dossier.documents order by name $$,
  $$ values ('note.txt', 'ready', 'needs_ocr', 'none'), ('work.txt', 'failed', 'no_bytes', 'none') $$, 'documents without bytes');
select is(pg_temp.bundle(false) #> '{sessions,0,documents,1}', (select light #> '{sessions,0,documents,1}' from exported), 'are exported as they were');
select is(pg_temp.bundle(true), pg_temp.bundle(false), 'also when bytes are asked for');
select tests.refuses($$ select dossier.read_content(tests.id('alpha document')) $$, 'PT410', 'The bytes of this document are not stored', 'their bytes cannot be read');
select tests.refuses($$ select dossier.request_extraction(tests.id('alpha document')) $$, 'PT410', 'The bytes of this document are not stored', 'their text cannot be extracted again, either');
select tests.logout();
select is_empty($$ select from dossier_private.jobs where organization_id = tests.id('gamma') $$, 'no job is queued for them');

-- Quotas.

select from dossier.set_quota(tests.id('gamma'), max_documents => 3);
select tests.login('gamma-owner');
select tests.refuses($$ select dossier.import_sessions((select light from exported), tests.id('gamma')) $$, 'PT403', 'The quota of the organization is exhausted: 2 of 3 documents stored', 'documents beyond the quota');
select tests.logout();
select from dossier.set_quota(tests.id('gamma'), max_bytes => (select bytes + 3 from dossier.usage(tests.id('gamma'))));
select tests.login('gamma-owner');
select tests.refuses($$ select dossier.import_sessions((select light from exported), tests.id('gamma')) $$, 'PT403', 'The quota of the organization is exhausted: % bytes stored', 'bytes beyond the quota');
select tests.refuses($$ select dossier.import_sessions(jsonb_set(light, '{sessions,0,documents}', jsonb_build_array(jsonb_set(light #> '{sessions,0,documents,1}', '{pages,0,text}', to_jsonb(repeat('x', 6))))), tests.id('gamma')) from exported $$,
  'PT403', 'The quota of the organization is exhausted: % bytes stored', 'a text is no smaller for what its size is said to be');
select tests.logout();
select from dossier.set_quota(tests.id('gamma'), max_documents_a_day => 7);
select tests.login('gamma-owner');
select tests.refuses($$ select dossier.import_sessions((select light from exported), tests.id('gamma')) from generate_series(1, 2) $$, 'PT429', 'The quota of the organization is exhausted: 6 of 7 documents uploaded today', 'uploads beyond the day''s quota');
select is((select documents_today from dossier.usage(tests.id('gamma'))), 4::bigint, 'which imports count towards');
select tests.logout();
select from dossier.set_quota(tests.id('gamma'));

-- OCR that had not ended.

create function pg_temp.pending(bundle jsonb) returns jsonb
language sql as $$ select jsonb_set(bundle, '{sessions,0,documents}', jsonb_build_array(bundle #> '{sessions,0,documents,1}' || '{"ocr_status": "pending"}')) $$;
select tests.login('gamma-owner');
select is(pg_temp.said($$ select dossier.import_sessions(jsonb_set(light, '{sessions,0,documents,1,ocr_status}', '"running"'), tests.id('gamma')) from exported $$),
  'PT400 sessions[0].documents[1].ocr_status is ''running''.', 'no OCR runs in a bundle');
select from dossier.import_sessions(pg_temp.pending((select light from exported)), tests.id('gamma'));
select results_eq($$ select status, ocr_status, error_code, error_message from dossier.documents where status = 'ready' and ocr_status = 'incomplete' $$,
  $$ values ('ready', 'incomplete', 'ocr_incomplete', 'The document was imported without its bytes, before the words in its images were read. Upload the file, or import it together with its bytes.') $$,
  'without bytes, its images are never read');
select from dossier.import_sessions(pg_temp.pending((select whole from exported)), tests.id('gamma'));
select results_eq($$ select status, ocr_status, media_type, charset from dossier.documents where storage = 'postgres' $$,
  $$ values ('stored', 'none', 'application/pdf', 'iso-8859-5') $$, 'with bytes, they are');
select tests.logout();
select is((select array_agg(kind) from dossier_private.jobs where organization_id = tests.id('gamma')), '{extract}', 'by another extraction');
delete from dossier.sessions where organization_id = tests.id('gamma') and id <> tests.id('alpha session');

-- Invalid bundles.

create function pg_temp.with(path text, value jsonb) returns text
language sql as $$
  select pg_temp.said(format('select dossier.import_sessions(jsonb_set(whole, %L, %L), tests.id(''gamma'')) from exported', path, value))
$$;
select tests.login('gamma-owner');
select tests.refuses($$ select dossier.import_sessions(null, tests.id('gamma')) $$, 'PT400', 'Not a Dossier bundle', 'null');
select tests.refuses($$ select dossier.import_sessions('[]', tests.id('gamma')) $$, 'PT400', 'Not a Dossier bundle', 'an array');
select tests.refuses($$ select dossier.import_sessions('{"format": "dossier", "version": 2}', tests.id('gamma')) $$, 'PT400', 'Unsupported bundle version', 'another version');
select tests.refuses($$ select dossier.import_sessions('{"format": "dossier", "version": 1, "sessions": []}', tests.id('gamma')) $$, 'PT400', 'A bundle must contain 1 to 1000 sessions', 'no sessions');
select tests.refuses($$ select dossier.import_sessions(jsonb_set(whole, '{sessions,0,title}', to_jsonb(repeat('x', 67108864))), tests.id('gamma')) from exported $$, 'PT413', 'The bundle is larger than 67108864 bytes', 'a bundle that is too large');
select tests.refuses($$ select dossier.import_sessions(jsonb_set(whole, '{sessions,0,conversation_type}', '"seance"'), tests.id('gamma')) from exported $$, 'PT400', 'Unknown conversation type ''seance''', 'an unknown conversation type');
select is((select string_agg(pg_temp.with(wrong.path, wrong.value::jsonb), E'\n' order by wrong.place) from (values
    (1, '{sessions,0}', '7'), (2, '{sessions,0,title}', '7'), (3, '{sessions,0,owner}', '"me"'),
    (4, '{sessions,0,documents}', '{}'), (5, '{sessions,0,documents,0,pages,0}', 'null'),
    (6, '{sessions,0,created_at}', '"2999-01-01"'), (6, '{sessions,0,created_at}', '"tomorrow"'), (6, '{sessions,0,created_at}', '"2026-02-31"'), (6, '{sessions,0,created_at}', '"2026-02-01 12:00 Nowhere"'), (7, '{sessions,0,documents,0,status}', '"uploading"'),
    (8, '{sessions,0,context_versions,1,version}', '1'), (10, '{sessions,0,context_versions,1,version}', '2147483647'), (9, '{sessions,0,context_versions,0,context_metadata}', '[]'),
    (11, '{sessions,0,documents,1,pages,0,page}', '0'), (12, '{sessions,0,documents,1,pages,0,page}', '2147483647'),
    (13, '{sessions,0,documents,1,language}', '"english"'), (14, '{sessions,0,documents,1,pages,1,confidence}', '5'), (15, '{sessions,0,documents,1,pages,1,page}', '1')
  ) as wrong (place, path, value)),
  'PT400 sessions[0] must be an object, but is a JSON number.
PT400 sessions[0].title must be string, but is a JSON number.
PT400 sessions[0] has the unknown member ''owner''.
PT400 sessions[0].documents must be array, but is a JSON object.
PT400 sessions[0].documents[0].pages[0] must be an object, but is a JSON null.
PT400 sessions[0].created_at must be a time between 1970 and now.
PT400 sessions[0].created_at must be a time between 1970 and now.
PT400 sessions[0].created_at must be a time between 1970 and now.
PT400 sessions[0].created_at must be a time between 1970 and now.
PT400 sessions[0].documents[0].status is ''uploading''.
PT400 sessions[0].context_versions[1].version must be greater than the one before, and between 1 and 1000000000.
PT400 sessions[0].context_versions[0].context_metadata must be object, but is a JSON array.
PT400 sessions[0].context_versions[1].version must be greater than the one before, and between 1 and 1000000000.
PT400 sessions[0].documents[1].pages[0].page is not between 1 and 1000000.
PT400 sessions[0].documents[1].pages[0].page is not between 1 and 1000000.
PT400 sessions[0].documents[1]: language has a value that is not allowed.
PT400 sessions[0].documents[1]: confidence has a value that is not allowed.
PT400 sessions[0].documents[1]: it repeats an id or a number of the bundle.', 'errors name their place');
select is((select string_agg(substring(pg_temp.with(wrong.path, wrong.value::jsonb) from '^\w+ [^: ]+'), E'\n' order by wrong.place) from (values
    (1, '{sessions,0,id}', '"x"'), (2, '{sessions,0,status}', '"open"'), (3, '{sessions,0,updated_at}', '"soon"'),
    (4, '{sessions,0,context_versions,0,version}', '1e10'), (5, '{sessions,0,documents,1,pages,1,page}', '1'),
    (6, '{sessions,0,documents,1,pages,1,quality}', '2'), (7, '{sessions,0,documents,1,size_bytes}', '1e300'),
    (8, '{sessions,0,documents,0,bytes}', '"?"'), (9, '{sessions,0,documents,0,sha256}', '"x"'),
    (10, '{sessions,0,documents,0,language}', '"English"'), (11, '{sessions,0,documents,0,name}', '"../x"'),
    (12, '{sessions,0,documents,0,bytes}', '"QUJD"'), (13, '{sessions,0,documents,0,media_type}', '"application/x-executable"'),
    (14, '{sessions,0,documents,0,size_bytes}', '99999999999')
  ) as wrong (place, path, value)),
  'PT400 sessions[0]
PT400 sessions[0]
PT400 sessions[0].updated_at
PT400 sessions[0]
PT400 sessions[0].documents[1]
PT400 sessions[0].documents[1]
PT413 sessions[0].documents[1]
PT400 sessions[0].documents[0]
PT400 sessions[0].documents[0].bytes
PT400 sessions[0].documents[0]
PT400 sessions[0].documents[0]
PT400 sessions[0].documents[0].bytes
PT415 sessions[0].documents[0]
PT413 sessions[0].documents[0]', 'and so is what cannot be stored');
select is((select count(*)::integer from dossier.sessions), 1, 'of all of these nothing was written');
select tests.logout();

-- Bytes decide the type here, too.
create function pg_temp.disguised(bytes bytea) returns jsonb
language sql as $$
  select jsonb_set(whole, '{sessions,0,documents,0}', whole #> '{sessions,0,documents,0}' || jsonb_build_object(
    'size_bytes', octet_length(bytes), 'sha256', encode(sha256(bytes), 'hex'), 'bytes', encode(bytes, 'base64')))
  from exported
$$;
select tests.login('gamma-owner');
select tests.refuses($$ select dossier.import_sessions(pg_temp.disguised('\x7f454c46'), tests.id('gamma')) $$, 'PT415', 'Files of type application/x-executable are not accepted', 'a program that is called a text');
select tests.refuses($$ select dossier.import_sessions(pg_temp.disguised(''), tests.id('gamma')) $$, 'PT400', 'The bundle contains a value that cannot be stored', 'an empty file');
select tests.refuses($$ select dossier.import_sessions(jsonb_set(whole, '{sessions,0,documents,0,bytes}', '"QUJD"'), tests.id('gamma')) from exported $$,
  'PT400', 'Document content does not match its declared size or digest', 'other bytes than were exported');
select lives_ok($$ select dossier.import_sessions(pg_temp.disguised('%PDF-1.7'), tests.id('gamma')) $$, 'a PDF that is called a text');
select ok(exists (select from dossier.documents where name = 'work.txt' and media_type = 'application/pdf'), 'is a PDF');
select tests.refuses($$ select dossier.import_sessions(jsonb_set(whole, '{sessions,0,context_versions,0,context_metadata,n}',
  (repeat('[', 3000) || repeat(']', 3000))::jsonb), tests.id('alpha')) from exported $$, 'PT404', 'Organization not found', 'deep metadata, where one may not write');
select lives_ok($$ select dossier.import_sessions(jsonb_set(whole, '{sessions,0,context_versions,0,context_metadata,n}',
  (repeat('[', 3000) || repeat(']', 3000))::jsonb), tests.id('gamma')) from exported $$, 'deep metadata');
select tests.logout();
select * from finish();
rollback;
