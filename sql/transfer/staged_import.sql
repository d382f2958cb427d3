-- Import in steps, for bundles of any length: begin_import(), append_import() with some records at a time, finish_import().
--
-- The records are those of an NDJSON export, one JSON object each: {"type": "bundle"} first, {"type": "end"} last, and between
-- them sessions, context versions, documents, pages and bytes that name their parents. They are only staged until the end.

create function dossier_private.import_bytes() returns bigint
language sql immutable parallel safe security invoker set search_path = ''
begin atomic
  select 1073741824;
end;
comment on function dossier_private.import_bytes() is 'Returns the largest size of the staged records of one import, 1 GiB.';

create function dossier_private.import_lines() returns integer
language sql immutable parallel safe security invoker set search_path = ''
begin atomic
  select 1000000;
end;
comment on function dossier_private.import_lines() is 'Returns the largest number of staged records of one import, a million.';

alter table dossier_private.settings add constraint settings_max_imports_a_user_check
  check (name <> 'max_imports_a_user' or (jsonb_typeof(value) = 'number' and value between '1' and '1000'));
insert into dossier_private.settings (name, value, default_value, description) values
  ('max_imports_a_user', '4', '4',
    'Imports that a user may have in progress, in all organizations together.');

create table dossier_private.imports (
  id uuid not null default dossier_private.uuid_v7(),
  organization_id uuid not null,
  user_id text,
  keep_ids boolean not null,
  lines integer not null default 0,
  sessions integer not null default 0,
  documents integer not null default 0,
  complete boolean not null default false,
  bytes bigint not null default 0,
  created_at timestamptz not null default now(),
  constraint imports_pkey primary key (id),
  constraint imports_organization_id_id_key unique (organization_id, id),
  constraint imports_organization_id_fkey
    foreign key (organization_id) references dossier.organizations (id) on delete cascade
);
comment on table dossier_private.imports is 'Imports in progress. sweep() removes abandoned ones.';
comment on column dossier_private.imports.id is 'Key (uuid v7).';
comment on column dossier_private.imports.organization_id is 'Organization that receives the sessions.';
comment on column dossier_private.imports.user_id is 'User who began it and alone may continue it; null: a service.';
comment on column dossier_private.imports.keep_ids is 'Whether to keep the ids of the bundle.';
comment on column dossier_private.imports.lines is 'Number of staged records.';
comment on column dossier_private.imports.sessions is 'Number of sessions among them.';
comment on column dossier_private.imports.documents is 'Number of documents among them.';
comment on column dossier_private.imports.complete is 'Whether the last of them is an end record.';
comment on column dossier_private.imports.bytes is 'Approximate size of the staged records.';
comment on column dossier_private.imports.created_at is 'When it began.';
create index imports_user_id_idx on dossier_private.imports (user_id, organization_id);
create index imports_created_at_idx on dossier_private.imports (created_at);

-- Unlogged: a crash loses these rows, and their imports then fail as truncated.
create unlogged table dossier_private.import_records (
  import_id uuid not null,
  organization_id uuid not null,
  line integer not null,
  type text not null,
  parent_id text,
  place text not null,
  record jsonb not null,
  constraint import_records_pkey primary key (organization_id, import_id, line),
  constraint import_records_import_fkey foreign key (organization_id, import_id)
    references dossier_private.imports (organization_id, id) on delete cascade,
  constraint import_records_type_check
    check (type in ('bundle', 'session', 'context_version', 'document', 'page', 'bytes', 'file', 'end'))
);
comment on table dossier_private.import_records is 'Staged records of imports in progress.';
comment on column dossier_private.import_records.import_id is 'The import.';
comment on column dossier_private.import_records.organization_id is 'Organization of the import.';
comment on column dossier_private.import_records.line is 'Position, from 1.';
comment on column dossier_private.import_records.type is 'Type of the record.';
comment on column dossier_private.import_records.parent_id is
  'Id, in the bundle, of the session or document that the record belongs to.';
comment on column dossier_private.import_records.place is
  'Place in the request, for errors: line 7, or sessions[0].documents[1].';
comment on column dossier_private.import_records.record is 'The other members. Stored external: bytes in base64 hardly compress.';
alter table dossier_private.import_records alter column record set storage external;
create index import_records_parent_id_idx on dossier_private.import_records (import_id, parent_id, type, line);
-- Without these statistics the planner considers the table's other indexes as good for bytes, which they are not.
create index import_records_bytes_idx on dossier_private.import_records (import_id, parent_id, line) where type = 'bytes';

create function dossier_private.check_keep_ids(keep_ids boolean) returns void
language plpgsql stable security invoker set search_path = ''
as $$
begin
  if keep_ids and not dossier_private.is_service() then
    raise exception using
      errcode = '42501',
      message = 'Only services may keep the ids of a bundle',
      detail = 'Ids are unique in the whole database. A refused id would reveal that another organization has it.',
      hint = 'Import with new ids, which the result lists with the old ones, or import with a service key.';
  end if;
end
$$;
comment on function dossier_private.check_keep_ids(boolean) is 'Refuses (42501) users that want to keep the ids of a bundle.';

create function dossier_private.begin_import(organization_id uuid, keep_ids boolean) returns uuid
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles write the table only through functions.
declare
  caller constant text := dossier_private.caller_id();
  most constant bigint := dossier_private.setting('max_imports_a_user')::bigint;
  under_way bigint;
  import_id uuid;
begin
  perform dossier_private.require_role(
    (select o.id from dossier.organizations as o where o.id = begin_import.organization_id),
    'member', 'organization', organization_id);
  perform dossier_private.check_keep_ids(keep_ids);
  -- Organizations are easily created, so a user's imports in all of them count. Those of services count in each. One at a time, or
  -- several would count the same free place.
  perform pg_advisory_xact_lock(hashtextextended(format('dossier imports %s', coalesce(caller, organization_id::text)), 0));
  select count(*) into under_way
  from dossier_private.imports as import
  where import.user_id = caller or (caller is null and import.user_id is null and import.organization_id = begin_import.organization_id);
  if under_way >= most then
    raise exception using
      errcode = 'PT429',
      message = 'Too many imports are in progress',
      detail = format('You have %s open imports. The database allows %s (max_imports_a_user).', under_way, most),
      hint = 'Finish or abort one of them. The database removes abandoned imports after an hour.';
  end if;

  insert into dossier_private.imports (organization_id, user_id, keep_ids)
  values (begin_import.organization_id, caller, begin_import.keep_ids)
  returning id into import_id;
  return import_id;
end
$$;
comment on function dossier_private.begin_import(uuid, boolean) is 'Runs dossier.begin_import() with its owner''s rights.';

create function dossier_private.require_import(import_id uuid) returns dossier_private.imports
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles cannot read the table.
declare
  import dossier_private.imports;
begin
  select i.* into import
  from dossier_private.imports as i
  where i.id = require_import.import_id and i.user_id is not distinct from dossier_private.caller_id()
  for update;
  -- The caller's role may have changed since the import began.
  perform dossier_private.require_writer(import.organization_id, 'import', import_id);
  return import;
end
$$;
comment on function dossier_private.require_import(uuid) is
  'Returns an import of the caller, and locks it. PT404 if it does not exist, 42501 if the caller may no longer write.';

create function dossier_private.record_parent(type text) returns text
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  return case when type in ('context_version', 'document') then 'session_id' when type in ('page', 'bytes', 'file') then 'document_id' end;
end
$$;
comment on function dossier_private.record_parent(text) is
  'Returns the member with which a record of this type names the session or document that it belongs to, or null.';

create function dossier_private.check_staged(import dossier_private.imports, records jsonb) returns void
language plpgsql stable security invoker set search_path = ''
as $$
declare
  given record;
  place text;
  said text;
begin
  if import.lines + jsonb_array_length(records) > dossier_private.import_lines() then
    raise exception using
      errcode = 'PT413',
      message = format('The bundle has more than %s records', dossier_private.import_lines()),
      detail = format('It has at least %s. This is the limit of the database for one bundle.', import.lines + jsonb_array_length(records)),
      hint = 'Export fewer sessions per bundle.';
  end if;
  if import.lines = 0 then
    perform dossier_private.check_header(case when records #>> '{0,type}' = 'bundle' then (records -> 0) - 'type' end);
  end if;

  for given in
    select r.record, r.record ->> 'type' as type, import.lines + r.position as line, r.position
    from jsonb_array_elements(records) with ordinality as r (record, position)
    order by r.position
  loop
    place := format('line %s', given.line);
    if import.complete or (given.type = 'bundle') <> (given.line = 1)
      or (given.type = 'end' and given.position < jsonb_array_length(records))
    then
      raise exception using
        errcode = 'PT400',
        message = 'Malformed bundle',
        detail = format('Line %s is in the wrong place.', given.line),
        hint = 'Send the records of an NDJSON export unchanged.';
    end if;
    perform dossier_private.check_shape(place, given.record - 'type' - coalesce(dossier_private.record_parent(given.type), 'type'),
      dossier_private.bundle_shape(given.type));
  end loop;
exception when data_exception then
  get stacked diagnostics said = message_text;
  perform dossier_private.refuse_at(place, '22000', said, null, null);
end
$$;
comment on function dossier_private.check_staged(dossier_private.imports, jsonb) is
  'Refuses records of an import as they arrive: a wrong shape or place (PT400), or too many (PT413).';

create function dossier_private.stage_records(import_id uuid, first_line integer, records jsonb) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles write the tables only through functions.
declare
  import constant dossier_private.imports := dossier_private.require_import(import_id);
  waiting constant bigint := import.bytes + pg_column_size(records);
  all_sessions integer;
  new_documents integer;
  wrong text;
begin
  if first_line is distinct from import.lines + 1 then
    raise exception using
      errcode = 'PT409',
      message = format('The next line of this import is %s', import.lines + 1),
      detail = format('The records begin with line %s.', coalesce(first_line::text, 'null')),
      hint = 'Send every record once, in order.';
  end if;
  if waiting > dossier_private.import_bytes() then
    raise exception using
      errcode = 'PT413',
      message = format('The bundle is larger than %s bytes', dossier_private.import_bytes()),
      detail = format('Up to line %s it has %s bytes. This is the limit of the database for one bundle.', first_line, waiting),
      hint = 'Export fewer sessions per bundle, or omit the bytes.';
  end if;
  if jsonb_typeof(records) is distinct from 'array' or jsonb_array_length(records) not between 1 and 10000 then
    wrong := format('Line %s does not begin an array of 1 to 10000 records', first_line);
  else
    select format('Line %s is not a record of a known type', first_line + given.position - 1)
    into wrong
    from jsonb_array_elements(records) with ordinality as given (record, position)
    where coalesce(given.record ->> 'type' not in ('bundle', 'session', 'context_version', 'document', 'page', 'bytes', 'file', 'end'), true)
    order by given.position
    limit 1;
  end if;
  if wrong is not null then
    raise exception using
      errcode = 'PT400',
      message = 'Malformed bundle',
      detail = wrong || '.',
      hint = 'Send the records of an NDJSON export unchanged.';
  end if;

  -- Check now, before all bytes of a document that is too large have arrived.
  perform dossier_private.check_size(dossier_private.said_bytes(given.record)::bigint, format('line %s', first_line + given.position - 1))
  from jsonb_array_elements(records) with ordinality as given (record, position)
  where given.record ->> 'type' = 'document';
  perform dossier_private.check_staged(import, records);
  select import.sessions + count(*) filter (where given.record ->> 'type' = 'session'),
    count(*) filter (where given.record ->> 'type' = 'document')
  into all_sessions, new_documents
  from jsonb_array_elements(records) as given (record);
  if all_sessions > 0 then
    perform dossier_private.check_count(all_sessions);
  end if;
  if new_documents > 0 then
    perform dossier_private.check_quota(quota_name, import.organization_id, 0, import.documents + new_documents)
    from unnest(array['max_documents', 'max_documents_a_day']) as quota_name;
  end if;

  insert into dossier_private.import_records (import_id, organization_id, line, type, parent_id, place, record)
  select import.id, import.organization_id, first_line + given.position - 1, given.record ->> 'type', parent.id,
    format('line %s', first_line + given.position - 1),
    given.record - array['type', parent.key]
  from jsonb_array_elements(records) with ordinality as given (record, position)
  cross join lateral (
    select coalesce(dossier_private.record_parent(given.record ->> 'type'), 'type')
  ) as member (key)
  cross join lateral (
    select member.key, case when member.key <> 'type' then coalesce(given.record ->> member.key, '') end
  ) as parent (key, id);
  update dossier_private.imports as i
  set lines = import.lines + jsonb_array_length(records), bytes = waiting,
    sessions = all_sessions, documents = import.documents + new_documents, complete = records #>> '{-1,type}' = 'end'
  where i.id = import.id;
end
$$;
comment on function dossier_private.stage_records(uuid, integer, jsonb) is
  'Runs dossier.append_import() with its owner''s rights.';

create function dossier_private.abort_import(import_id uuid) returns boolean
language plpgsql security definer set search_path = ''
as $$
-- Definer: removes the caller's own import, even if the caller has left the organization.
begin
  delete from dossier_private.imports as import
  where import.id = abort_import.import_id and import.user_id is not distinct from dossier_private.caller_id();
  return found;
end
$$;
comment on function dossier_private.abort_import(uuid) is 'Runs dossier.abort_import() with its owner''s rights.';

create function dossier.begin_import(organization_id uuid, keep_ids boolean default false) returns uuid
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.begin_import(organization_id, coalesce(keep_ids, false));
end;
comment on function dossier.begin_import(uuid, boolean) is
  'Begins an import into an organization where the caller is at least member. Returns its id. Sessions and documents get new '
  'ids, or keep those of the bundle with keep_ids, which only services may send.';

create function dossier.append_import(import_id uuid, first_line integer, records jsonb) returns void
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.stage_records(import_id, first_line, records);
end;
comment on function dossier.append_import(uuid, integer, jsonb) is
  'Stages records of an NDJSON export, an array of objects. The first one is line first_line of the bundle, counted from 1. '
  'Refuses at once a record of a wrong shape or in the wrong place (PT400), more than a thousand sessions (PT400) or a million '
  'records (PT413), and more documents than a quota allows. '
  'Refuses (PT413) a document that declares more than max_file_bytes before its bytes arrive.';

create function dossier.abort_import(import_id uuid) returns boolean
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.abort_import(import_id);
end;
comment on function dossier.abort_import(uuid) is
  'Removes an unfinished import of the caller with its staged records. Returns false if it does not exist.';

alter table dossier_private.imports enable row level security;
alter table dossier_private.import_records enable row level security;
create policy imports_all_nobody on dossier_private.imports for all to authenticated using (false);
create policy import_records_all_nobody on dossier_private.import_records for all to authenticated using (false);

revoke all on dossier_private.imports, dossier_private.import_records from public, anon, authenticated, service_role;
revoke all on function
  dossier_private.import_bytes, dossier_private.import_lines, dossier_private.check_keep_ids, dossier_private.begin_import, dossier_private.record_parent,
  dossier_private.check_staged, dossier_private.require_import, dossier_private.stage_records,
  dossier_private.abort_import,
  dossier.begin_import, dossier.append_import, dossier.abort_import
  from public, anon, authenticated, service_role;
grant execute on function
  dossier.begin_import, dossier_private.begin_import, dossier.append_import, dossier_private.stage_records,
  dossier.abort_import, dossier_private.abort_import
  to authenticated, service_role;
