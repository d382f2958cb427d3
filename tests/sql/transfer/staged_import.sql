-- Import in steps. See ../setup.sql for how to run this.

begin;
select plan(57);
select tests.fixture();

create temporary table file (bytes) as select convert_to(repeat('All work and no play. ', 13000), 'UTF8');
grant select on file to public;
update dossier.documents set
  media_type = 'text/plain', status = 'ready', metadata = '{"n": 1.50}', language = 'eng', file_metadata = '{"title": "Note"}',
  size_bytes = octet_length(bytes), sha256 = encode(sha256(bytes), 'hex')
from file where id = tests.id('alpha document');
delete from dossier_private.document_chunks where document_id = tests.id('alpha document');
select dossier_private.store_bytes(tests.id('alpha document'), tests.id('alpha'), bytes) from file;
insert into dossier.document_pages (document_id, organization_id, page, text, source, confidence)
values (tests.id('alpha document'), tests.id('alpha'), 2, E'ünï "codé"\t\\', 'ocr', 0.91);
insert into dossier.sessions (id, organization_id, user_id, title) values (tests.id('other session'), tests.id('alpha'), 'alpha-owner', null);
insert into dossier.organizations (id, name) values (tests.id('gamma'), 'gamma');
insert into dossier.organization_members (organization_id, user_id, role)
values (tests.id('gamma'), 'gamma-owner', 'owner'), (tests.id('gamma'), 'gamma-member', 'member');

create temporary table exported as
  select dossier.export_sessions(array[tests.id('alpha session'), tests.id('other session')], true) as whole;
grant select on exported to public;

-- The records of a bundle, like those of GET /api/export?format=ndjson; bytes in pieces of 100000.
create function pg_temp.records(bundle jsonb, with_bytes boolean default true) returns jsonb
language sql as $$
  with lines as (
    select array[0] as place, '{"type": "bundle", "format": "dossier", "version": 1}'::jsonb as record
    union all
    select array[1, s.n], s.value - array['context_versions', 'documents'] || '{"type": "session"}'
    from jsonb_array_elements(bundle -> 'sessions') with ordinality as s (value, n)
    union all
    select array[1, s.n, 0, v.n], v.value || jsonb_build_object('type', 'context_version', 'session_id', s.value -> 'id')
    from jsonb_array_elements(bundle -> 'sessions') with ordinality as s (value, n),
      jsonb_array_elements(s.value -> 'context_versions') with ordinality as v (value, n)
    union all
    select array[1, s.n, 1, d.n] || part.place, part.record
    from jsonb_array_elements(bundle -> 'sessions') with ordinality as s (value, n),
      jsonb_array_elements(s.value -> 'documents') with ordinality as d (value, n),
      lateral (
        select '{}'::bigint[] as place, d.value - array['pages', 'bytes'] || jsonb_build_object('type', 'document', 'session_id', s.value -> 'id') as record
        union all
        select array[0, p.n], p.value || jsonb_build_object('type', 'page', 'document_id', d.value -> 'id')
        from jsonb_array_elements(d.value -> 'pages') with ordinality as p (value, n)
        union all
        select array[1, b.n], jsonb_build_object('type', 'bytes', 'document_id', d.value -> 'id', 'base64',
          encode(substring(decode(d.value ->> 'bytes', 'base64') from b.n + 1 for 100000), 'base64'))
        from generate_series(0, octet_length(decode(d.value ->> 'bytes', 'base64')) - 1, 100000) as b (n)
        where with_bytes
      ) as part
  )
  select jsonb_agg(record order by place) || jsonb_build_object('type', 'end', 'lines', count(*)) from lines
$$;
create temporary table bundles as
  select whole, pg_temp.records(whole) as records, pg_temp.records(whole, false) as light from exported;
grant select on bundles to public;
create function pg_temp.import(records jsonb, keep_ids boolean default false, into_organization uuid default tests.id('gamma')) returns jsonb
language plpgsql as $$
declare
  import_id constant uuid := dossier.begin_import(into_organization, keep_ids);
begin
  perform dossier.append_import(import_id, 1, records);
  return dossier.finish_import(import_id);
end
$$;
create function pg_temp.with(path text, value jsonb) returns jsonb
language sql as $$ select jsonb_set(records, path::text[], value) from bundles $$;
create function pg_temp.without(line integer) returns jsonb
language sql as $$
  select jsonb_set(rest, '{-1,lines}', to_jsonb(jsonb_array_length(rest) - 1))
  from bundles, lateral (select records - (line - 1)) as cut (rest)
$$;
create temporary table begun (id uuid);
grant all on begun to public;

-- Permissions.

select is(tests.outcomes($$ select from dossier.begin_import(tests.id('alpha')) $$),
  'owner 1, admin 1, member 1, viewer 42501, other PT404, nobody PT404, anon 42501, service 1', 'callers that begin');
select tests.login('alpha-member');
insert into begun select dossier.begin_import(tests.id('alpha'));
select is(tests.outcomes($$ select from dossier.append_import((select id from begun), 1, '[{"type": "bundle", "format": "dossier", "version": 1}]') $$),
  'owner PT404, admin PT404, member 1, viewer PT404, other PT404, nobody PT404, anon 42501, service PT404', 'callers that continue: only the user who began it');
select is(tests.outcomes($$ select from dossier.finish_import((select id from begun)) $$),
  'owner PT404, admin PT404, member PT400, viewer PT404, other PT404, nobody PT404, anon 42501, service PT404', 'callers that finish: the same');
select is(tests.outcomes($$ select 1 where dossier.abort_import((select id from begun)) $$),
  'owner 0, admin 0, member 1, viewer 0, other 0, nobody 0, anon 42501, service 0', 'callers that abort: the same');
select tests.login('alpha-member');
select ok(dossier.abort_import((select id from begun)), 'an import is aborted');
select ok(not dossier.abort_import((select id from begun)), 'once');
select tests.refuses($$ select dossier.finish_import((select id from begun)) $$, 'PT404', 'Import not found', 'and is gone');
select tests.refuses($$ select dossier.begin_import(null) $$, 'PT404', 'Organization not found', 'no organization');
select tests.logout();
update dossier.organization_members set role = 'member' where organization_id = tests.id('gamma') and user_id = 'gamma-member';
select tests.login('gamma-member');
truncate begun;
insert into begun select dossier.begin_import(tests.id('gamma'));
select tests.logout();
update dossier.organization_members set role = 'viewer' where organization_id = tests.id('gamma') and user_id = 'gamma-member';
select tests.login('gamma-member');
select tests.refuses($$ select dossier.append_import((select id from begun), 1, '[{"type": "bundle"}]') $$, '42501', 'You may not write in this organization', 'a role that changed meanwhile');
select tests.login('alpha-member');
select is((select count(*)::integer from generate_series(1, 4) where dossier.begin_import(tests.id('alpha')) is not null), 4, 'four at once');
select tests.refuses($$ select dossier.begin_import(tests.id('alpha')) $$, 'PT429', 'Too many imports are in progress', 'and no more');
select from dossier.create_organization('Another');
select tests.refuses($$ select dossier.begin_import((select id from dossier.organizations where name = 'Another')) $$, 'PT429', 'Too many imports are in progress', 'in another organization, either');
select is(tests.attempt($$ select from dossier.begin_import(tests.id('beta')) $$, 'beta-member'), '1', 'which does not concern others');
select tests.login('service', 'service_role');
select ok((dossier.sweep('0') ->> 'imports')::integer >= 5, 'abandoned imports are swept');
select tests.logout();
select is_empty($$ select from dossier_private.import_records $$, 'with its records');

-- Round trips.

select tests.login('gamma-owner');
create temporary table imported as select pg_temp.import(records) as ids from bundles;
select is(
  (select regexp_replace(dossier.export_sessions(array(select value::uuid from jsonb_each_text(ids -> 'sessions')), true)::text, '"id": "[^"]*"', '"id"', 'g') from imported),
  (select regexp_replace(whole::text, '"id": "[^"]*"', '"id"', 'g') from bundles), 'a copy is equal but for its ids');
select is((select ids - array['sessions', 'documents'] from imported), jsonb_build_object('organization_id', tests.id('gamma')), 'the organization is reported');
select is((select array_agg(old order by old) from imported, jsonb_object_keys(ids -> 'sessions') as old),
  (select array_agg(id order by id) from unnest(array[tests.id('alpha session')::text, tests.id('other session')::text]) as id), 'and the old ids with the new ones');
select ok(exists (select from dossier.search('code') as hit, imported where hit.document_id = (ids -> 'documents' ->> tests.id('alpha document')::text)::uuid), 'pages can be found');
select tests.logout();
select is_empty($$ select from dossier_private.imports $$, 'nothing waits any more');
select is((select count(*)::integer from dossier.audit_log where organization_id = tests.id('gamma') and action = 'session.imported'), 2, 'the audit log names each session');
select tests.login('gamma-owner');
select tests.refuses($$ select dossier.begin_import(tests.id('gamma'), true) $$, '42501', 'Only services may keep the ids of a bundle', 'an owner does not keep ids');
select tests.login('service', 'service_role');
select tests.refuses($$ select pg_temp.import(records, true) from bundles $$, 'PT409', 'An id of the bundle already exists', 'kept ids that are taken');
select tests.logout();
delete from dossier.sessions where organization_id = tests.id('alpha');
select tests.login('service', 'service_role');
select lives_ok($$ select pg_temp.import(records, true) from bundles $$, 'kept ids');
select tests.login('gamma-owner');
select is(dossier.export_sessions(array[tests.id('alpha session'), tests.id('other session')], true), (select whole from bundles), 'the round trip is equal');
select dossier.delete_sessions(array[tests.id('alpha session'), tests.id('other session')]);
select tests.logout();
delete from dossier.sessions where id = any (array[tests.id('alpha session'), tests.id('other session')]);
select tests.login('service', 'service_role');
select lives_ok($$ select pg_temp.import(light, true) from bundles $$, 'without bytes');
select tests.login('gamma-owner');
select is(dossier.export_sessions(array[tests.id('alpha session'), tests.id('other session')], true),
  (select whole #- '{sessions,1,documents,0,bytes}' from bundles), 'equal but for them');

-- In steps.

truncate begun;
insert into begun select dossier.begin_import(tests.id('gamma'));
select dossier.append_import((select id from begun), record.line::integer, jsonb_build_array(record.value))
from bundles, jsonb_array_elements(records) with ordinality as record (value, line);
select lives_ok($$ select dossier.finish_import((select id from begun)) $$, 'a record at a time');
truncate begun;
insert into begun select dossier.begin_import(tests.id('gamma'));
select dossier.append_import((select id from begun), 1, '[{"type": "bundle", "format": "dossier", "version": 1}]');
select tests.refuses($$ select dossier.append_import((select id from begun), 1, '[{"type": "end"}]') $$, 'PT409', 'The next line of this import is 2', 'the same line twice');
select tests.refuses($$ select dossier.append_import((select id from begun), null, '[{"type": "end"}]') $$, 'PT409', 'The next line of this import is 2', 'no line');
select tests.refuses(format($$ select dossier.append_import((select id from begun), 2, %L) $$, records), 'PT400', 'Malformed bundle', records)
from unnest(array['{}', '[]', '[7]', '[{"type": "end"}, {"type": "evil"}]', '[{"no": "type"}]', '[{"type": null}]']) as records;
select is(tests.detail($$ select dossier.append_import((select id from begun), 2, '[{"type": "end"}, {"type": "evil"}]') $$), 'Line 3 is not a record of a known type.', 'its line is named');
select tests.refuses(format($$ select dossier.append_import((select id from begun), 2, '[{"type": "session"}, {"type": "document", "size_bytes": %s}]') $$, size),
  'PT413', 'The file is larger than 10485760 bytes', format('a document of %s bytes, before they arrive', size))
from unnest(array['10485761', '1e300']) as size;
select is(tests.detail($$ select dossier.append_import((select id from begun), 2, '[{"type": "session"}, {"type": "document", "size_bytes": 10485761}]') $$),
  'line 3: It has at least 10485761 bytes. This is a limit of the database (max_file_bytes).', 'by its line');
select is((select string_agg(tests.detail(format('select dossier.append_import((select id from begun), 2, %L)', wrong.records)), E'\n' order by wrong.place) from (values
    (1, '[{"type": "page"}]'), (2, '[{"type": "bytes", "document_id": "x", "base64": "YQ==", "more": 1}]'), (3, '[{"type": "end", "lines": 1}, {"type": "file", "path": "x"}]'),
    (4, '[{"type": "bundle", "format": "dossier", "version": 1}]'), (5, '[{"type": "context_version", "session_id": "x", "version": 1, "text_context": "", "context_metadata": {}, "updated_at": "2026-99-99"}]'),
    (6, '[{"type": "file", "path": "x"}, {"type": "page", "document_id": "x", "page": "1", "text": "", "source": "text"}]')
  ) as wrong (place, records)),
  'line 2.page is missing.
line 2 has the unknown member ''more''.
Line 2 is in the wrong place.
Line 2 is in the wrong place.
line 2.updated_at must be a time between 1970 and now.
line 3.page must be number, but is a JSON string.', 'each record is checked as it arrives, not only at the end');
create function pg_temp.sessions(most integer) returns jsonb
language sql as $$
  select jsonb_agg((records -> 1) || jsonb_build_object('id', tests.id(n::text))) from bundles, generate_series(1, most) as n
$$;
select lives_ok($$ select dossier.append_import((select id from begun), 2, pg_temp.sessions(600)) $$, 'sessions are counted');
select tests.refuses($$ select dossier.append_import((select id from begun), 602, pg_temp.sessions(401)) $$, 'PT400', 'A bundle must contain 1 to 1000 sessions', 'in all calls together');
select tests.logout();
update dossier_private.imports set lines = dossier_private.import_lines();
select tests.login('gamma-owner');
select tests.refuses($$ select dossier.append_import((select id from begun), 1000001, '[{"type": "end", "lines": 1000000}]') $$, 'PT413', 'The bundle has more than 1000000 records', 'records, too');
select tests.logout();
update dossier_private.imports set lines = 601;
select from dossier.set_quota(tests.id('gamma'), max_documents => 3);
select tests.login('gamma-owner');
select tests.refuses(format($$ select dossier.append_import((select id from begun), 602, (select jsonb_agg(bundle_record.value) from bundles, jsonb_array_elements(records) as bundle_record, generate_series(1, 4)
  where bundle_record.value ->> 'type' = 'document')) $$), 'PT403', 'The quota of the organization is exhausted: % documents stored', 'and documents, by the quota');
select tests.logout();
select from dossier.set_quota(tests.id('gamma'));
update dossier_private.imports set bytes = dossier_private.import_bytes();
select tests.login('gamma-owner');
select tests.refuses($$ select dossier.append_import((select id from begun), 602, '[{"type": "end"}]') $$, 'PT413', 'The bundle is larger than 1073741824 bytes', 'more than may wait');
select dossier.abort_import((select id from begun));

-- Invalid bundles.

select tests.refuses($$ select pg_temp.import(pg_temp.without(1)) $$, 'PT400', 'Not a Dossier bundle', 'no header');
select tests.refuses($$ select pg_temp.import(pg_temp.with('{0,version}', '2')) $$, 'PT400', 'Unsupported bundle version', 'another version');
select tests.refuses($$ select pg_temp.import('[{"type": "bundle", "format": "dossier", "version": 1}, {"type": "end", "lines": 1}]') $$, 'PT400', 'A bundle must contain 1 to 1000 sessions', 'no sessions');
select tests.refuses($$ select pg_temp.import(records - -1) from bundles $$, 'PT400', 'The bundle is truncated', 'no end');
select tests.refuses($$ select pg_temp.import(pg_temp.with('{-1,lines}', '5')) $$, 'PT400', 'The bundle is truncated', 'an end that counts otherwise');
select tests.refuses($$ select pg_temp.import(pg_temp.with('{8,base64}', '"QUJD"')) $$, 'PT400', 'Document content does not match its declared size or digest', 'other bytes');
select tests.refuses($$ select pg_temp.import(pg_temp.with('{8,base64}', to_jsonb(repeat('QUJD', 300000)))) $$, 'PT400', 'Document content does not match its declared size or digest', 'more bytes');
select is((select string_agg(tests.detail(format('select pg_temp.import(%s)', wrong.records)), E'\n' order by wrong.place) from (values
    (1, $$ pg_temp.with('{2,title}', '7') $$), (2, $$ pg_temp.with('{3,session_id}', '"x"') $$), (3, $$ pg_temp.with('{5,document_id}', '"x"') $$),
    (4, $$ pg_temp.with('{4,status}', '"uploading"') $$), (5, $$ pg_temp.with('{6,page}', '1') $$), (6, $$ pg_temp.with('{1,conversation_type}', '"seance"') $$),
    (7, $$ pg_temp.with('{3}', '{"type": "bundle"}') $$), (8, $$ pg_temp.with('{1,id}', '"x"') $$)
  ) as wrong (place, records)),
  'line 3.title must be string, but is a JSON number.
Line 4 refers to an object that is missing from the bundle.
Line 6 refers to an object that is missing from the bundle.
line 5.status is ''uploading''.
line 5: it repeats an id or a number of the bundle.
line 2: The registered types are: consultation, interview, meeting, sales_call.
Line 4 is in the wrong place.
line 2: invalid input syntax for type uuid: "x".', 'errors name their line');
select is(tests.detail($$ select pg_temp.import(jsonb_set(light, '{6}',
  jsonb_build_object('type', 'file', 'path', 'a', 'document_id', tests.id('alpha document')))) from bundles $$),
  'Line 7 refers to "a", which is missing from the archive.', 'a file of an archive, without the archive');
select is((select count(*)::integer from dossier.sessions where organization_id = tests.id('gamma')), 4 + 2, 'of all of these nothing was written');

-- Quotas.

select tests.logout();
select from dossier.set_quota(tests.id('gamma'), max_bytes => 1);
select tests.login('gamma-owner');
select tests.refuses($$ select pg_temp.import(records) from bundles $$, 'PT403', 'The quota of the organization is exhausted: %', 'bytes beyond the quota');
select * from finish();
rollback;
