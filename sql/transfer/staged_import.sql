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

create table dossier_private.imports (
  id uuid not null default dossier_private.uuid_v7(),
  organization_id uuid not null,
  user_id text,
  keep_ids boolean not null,
  lines integer not null default 0,
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
comment on column dossier_private.imports.bytes is 'Approximate size of the staged records.';
comment on column dossier_private.imports.created_at is 'When it began.';
create index imports_organization_id_idx on dossier_private.imports (organization_id, user_id);
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

create function dossier_private.begin_import(organization_id uuid, keep_ids boolean) returns uuid
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles write the table only through functions.
declare
  under_way bigint;
  import_id uuid;
begin
  perform dossier_private.require_role(
    (select o.id from dossier.organizations as o where o.id = begin_import.organization_id),
    'member', 'organization', organization_id);
  select count(*) into under_way
  from dossier_private.imports as import
  where import.organization_id = begin_import.organization_id
    and import.user_id is not distinct from dossier_private.caller_id();
  if under_way >= 4 then
    raise exception using
      errcode = 'PT429',
      message = 'Too many imports are in progress',
      detail = format('You have %s open imports in this organization. The database allows 4.', under_way),
      hint = 'Finish or abort one of them. The database removes abandoned imports after an hour.';
  end if;

  insert into dossier_private.imports (organization_id, user_id, keep_ids)
  values (begin_import.organization_id, dossier_private.caller_id(), begin_import.keep_ids)
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

create function dossier_private.stage_records(import_id uuid, first_line integer, records jsonb) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles write the tables only through functions.
declare
  import constant dossier_private.imports := dossier_private.require_import(import_id);
  waiting constant bigint := import.bytes + pg_column_size(records);
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

  insert into dossier_private.import_records (import_id, organization_id, line, type, parent_id, place, record)
  select import.id, import.organization_id, first_line + given.position - 1, given.record ->> 'type', parent.id,
    format('line %s', first_line + given.position - 1),
    given.record - array['type', parent.key]
  from jsonb_array_elements(records) with ordinality as given (record, position)
  cross join lateral (
    select case when given.record ->> 'type' in ('context_version', 'document') then 'session_id'
      when given.record ->> 'type' in ('page', 'bytes', 'file') then 'document_id' else 'type' end
  ) as member (key)
  cross join lateral (
    select member.key, case when member.key <> 'type' then coalesce(given.record ->> member.key, '') end
  ) as parent (key, id);
  update dossier_private.imports as i
  set lines = import.lines + jsonb_array_length(records), bytes = waiting
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

create function dossier_private.sweep_imports(max_age interval) returns integer
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles delete imports only through functions.
declare
  removed integer;
begin
  with abandoned as (
    select import.id from dossier_private.imports as import where import.created_at <= now() - max_age for update skip locked
  )
  delete from dossier_private.imports as import using abandoned where import.id = abandoned.id;
  get diagnostics removed = row_count;
  return removed;
end
$$;
comment on function dossier_private.sweep_imports(interval) is
  'Removes abandoned imports. Returns how many. Part of dossier.sweep().';

create function dossier.begin_import(organization_id uuid, keep_ids boolean default false) returns uuid
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.begin_import(organization_id, coalesce(keep_ids, false));
end;
comment on function dossier.begin_import(uuid, boolean) is
  'Begins an import into an organization where the caller is at least member. Returns its id. Sessions and documents get new '
  'ids, or keep those of the bundle with keep_ids.';

create function dossier.append_import(import_id uuid, first_line integer, records jsonb) returns void
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.stage_records(import_id, first_line, records);
end;
comment on function dossier.append_import(uuid, integer, jsonb) is
  'Stages records of an NDJSON export, an array of objects. The first one is line first_line of the bundle, counted from 1. '
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
  dossier_private.import_bytes, dossier_private.begin_import, dossier_private.require_import, dossier_private.stage_records,
  dossier_private.abort_import, dossier_private.sweep_imports,
  dossier.begin_import, dossier.append_import, dossier.abort_import
  from public, anon, authenticated, service_role;
grant execute on function
  dossier.begin_import, dossier_private.begin_import, dossier.append_import, dossier_private.stage_records,
  dossier.abort_import, dossier_private.abort_import
  to authenticated, service_role;
