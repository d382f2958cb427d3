-- Import in steps, the last step: finish_import() writes all staged records in one transaction, or none.

create function dossier_private.check_records(import dossier_private.imports) returns void
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: API roles cannot read the table.
declare
  last_line dossier_private.import_records;
  wrong text;
begin
  perform dossier_private.check_header((
    select first.record - 'type' from dossier_private.import_records as first
    where first.organization_id = import.organization_id and first.import_id = import.id
      and first.line = 1 and first.type = 'bundle'));
  perform dossier_private.check_count((
    select count(*) from dossier_private.import_records as session
    where session.organization_id = import.organization_id and session.import_id = import.id
      and session.type = 'session'));

  select last.* into last_line
  from dossier_private.import_records as last
  where last.organization_id = import.organization_id and last.import_id = import.id
    and last.line = import.lines;
  if last_line.type is distinct from 'end' or last_line.record -> 'lines' is distinct from to_jsonb(import.lines - 1) then
    raise exception using
      errcode = 'PT400',
      message = 'The bundle is truncated',
      detail = format('Received %s lines, but the last is not an end record with a matching count.', import.lines),
      hint = 'Export the sessions again and send the complete bundle.';
  end if;

  -- `not in` builds one hash table of ids, however little the planner knows about a table that was just filled.
  select format('Line %s refers to an object that is missing from the bundle', orphan.line) into wrong
  from dossier_private.import_records as orphan
  where orphan.organization_id = import.organization_id and orphan.import_id = import.id and case
    when orphan.type in ('context_version', 'document') then orphan.parent_id not in (
      select session.record ->> 'id' from dossier_private.import_records as session
      where session.organization_id = import.organization_id and session.import_id = import.id
        and session.type = 'session' and session.record ->> 'id' is not null)
    when orphan.type in ('page', 'bytes', 'file') then orphan.parent_id not in (
      select document.record ->> 'id' from dossier_private.import_records as document
      where document.organization_id = import.organization_id and document.import_id = import.id
        and document.type = 'document' and document.record ->> 'id' is not null)
    else false
  end
  order by orphan.line
  limit 1;
  if wrong is null then
    select format('Line %s is in the wrong place', stray.line) into wrong
    from dossier_private.import_records as stray
    where stray.organization_id = import.organization_id and stray.import_id = import.id
      and stray.type in ('bundle', 'end') and stray.line not in (1, import.lines)
    order by stray.line
    limit 1;
  end if;
  if wrong is null then
    select format('Line %s refers to %s, which is missing from the archive',
      named.line, to_json(left(named.record ->> 'path', 500))) into wrong
    from dossier_private.import_records as named
    where named.organization_id = import.organization_id and named.import_id = import.id
      and named.type = 'file' and named.parent_id not in (
      select piece.parent_id from dossier_private.import_records as piece
      where piece.organization_id = import.organization_id and piece.import_id = import.id
        and piece.type = 'bytes' and piece.parent_id is not null)
    order by named.line
    limit 1;
  end if;
  if wrong is not null then
    raise exception using
      errcode = 'PT400',
      message = 'Malformed bundle',
      detail = wrong || '.',
      hint = 'Send the records of an NDJSON export unchanged.';
  end if;
end
$$;
comment on function dossier_private.check_records(dossier_private.imports) is
  'Refuses (PT400) an incomplete bundle: without a header, an end record with a matching count, or a parent of a record.';

create function dossier_private.staged_list(import_id uuid, type text, parent_id text) returns jsonb
language sql stable security definer set search_path = ''
-- Definer: API roles cannot read the table.
begin atomic
  select coalesce(jsonb_agg(item.record order by item.line), '[]')
  from dossier_private.import_records as item
  where item.import_id = staged_list.import_id and item.parent_id = staged_list.parent_id and item.type = staged_list.type;
end;
comment on function dossier_private.staged_list(uuid, text, text) is
  'Returns the staged records of a type that belong to a session or a document.';

create function dossier_private.staged_bytes(import_id uuid, document jsonb) returns bytea
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: API roles cannot read the table.
declare
  said constant numeric := dossier_private.said_bytes(document);
  arrived numeric;
begin
  -- Four characters encode three bytes, or one at the end. There may be line ends between them.
  select sum(octet_length(piece.record ->> 'base64') * 7 / 10 - 2) into arrived
  from dossier_private.import_records as piece
  where piece.import_id = staged_bytes.import_id and piece.parent_id = document ->> 'id' and piece.type = 'bytes';
  -- Check before joining the pieces: a document that is too large might not fit in memory.
  if arrived > said then
    raise exception using
      errcode = 'PT400',
      message = 'Document content does not match its declared size or digest',
      detail = format('It declares %s bytes, but at least %s arrived.', said, arrived),
      hint = 'Export the session again. The bundle was changed or truncated.';
  elsif arrived is not null then
    perform dossier_private.check_size(said::bigint);
  end if;
  return (
    select string_agg(decode(piece.record ->> 'base64', 'base64'), ''::bytea order by piece.line)
    from dossier_private.import_records as piece
    where piece.import_id = staged_bytes.import_id and piece.parent_id = document ->> 'id' and piece.type = 'bytes');
end
$$;
comment on function dossier_private.staged_bytes(uuid, jsonb) is 'Returns the staged bytes of a document, or null without any.';

create function dossier_private.write_import(import_id uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
-- Definer: writes tables that API roles write only through functions.
declare
  import dossier_private.imports;
  held_before bigint;
  place text := 'bundle';
  session record;
  document record;
  new_id uuid;
  old_sessions uuid[] := '{}';
  new_sessions uuid[] := '{}';
  old_documents uuid[] := '{}';
  new_documents uuid[] := '{}';
  code text;
  said text;
  why text;
  advice text;
begin
  select i.* into import from dossier_private.imports as i where i.id = write_import.import_id;
  -- From here on the written rows count instead of the staged ones. Refuse early what is known to be too much: the declared
  -- size of documents that came with their bytes, and the text of pages.
  update dossier_private.imports as i set bytes = 0 where i.id = import.id;
  held_before := (dossier_private.stored(import.organization_id)).bytes;
  perform dossier_private.reserve_import(import.organization_id, count(*) filter (where item.type = 'document'), sum(
    case item.type
      when 'page' then octet_length(item.record ->> 'text')
      when 'document' then case when exists (
          select from dossier_private.import_records as piece
          where piece.import_id = import.id and piece.parent_id = item.record ->> 'id' and piece.type = 'bytes')
        then dossier_private.said_bytes(item.record) end
    end))
  from dossier_private.import_records as item
  where item.organization_id = import.organization_id and item.import_id = import.id and item.type in ('document', 'page');

  for session in
    select s.place, s.record from dossier_private.import_records as s
    where s.organization_id = import.organization_id and s.import_id = import.id and s.type = 'session'
    order by s.line
  loop
    place := session.place;
    old_sessions := old_sessions || (session.record ->> 'id')::uuid;
    new_id := case when import.keep_ids then (session.record ->> 'id')::uuid else dossier_private.uuid_v7() end;
    new_sessions := new_sessions || new_id;
    perform dossier_private.import_session(place, new_id, import.organization_id, session.record,
      dossier_private.staged_list(import.id, 'context_version', session.record ->> 'id'));

    for document in
      select d.place, d.record from dossier_private.import_records as d
      where d.organization_id = import.organization_id and d.import_id = import.id
        and d.parent_id = session.record ->> 'id' and d.type = 'document'
      order by d.line
    loop
      place := document.place;
      old_documents := old_documents || (document.record ->> 'id')::uuid;
      new_documents := new_documents
        || case when import.keep_ids then (document.record ->> 'id')::uuid else dossier_private.uuid_v7() end;
      perform dossier_private.import_document(
        place, new_documents[cardinality(new_documents)], new_id, import.organization_id, document.record,
        dossier_private.staged_list(import.id, 'page', document.record ->> 'id'),
        dossier_private.staged_bytes(import.id, document.record));
    end loop;

    perform dossier_private.log_event(import.organization_id, 'session.imported', new_id::text, jsonb_build_object(
      'title', session.record -> 'title', 'from', session.record -> 'id', 'documents', (
        select count(*) from dossier_private.import_records as d
        where d.organization_id = import.organization_id and d.import_id = import.id
          and d.parent_id = session.record ->> 'id' and d.type = 'document')));
  end loop;

  place := 'bundle';
  delete from dossier_private.imports as i where i.id = import.id;
  perform dossier_private.check_stored(import.organization_id, (dossier_private.stored(import.organization_id)).bytes - held_before);
  return dossier_private.import_result(import.organization_id, old_sessions, new_sessions, old_documents, new_documents);

exception when data_exception or integrity_constraint_violation or deadlock_detected
  or sqlstate 'PT400' or sqlstate 'PT413' or sqlstate 'PT415' then
  get stacked diagnostics
    code = returned_sqlstate, said = message_text, why = pg_exception_detail, advice = pg_exception_hint;
  perform dossier_private.refuse_at(place, code, said, why, advice);
end
$$;
comment on function dossier_private.write_import(uuid) is
  'Writes the staged records of an import into its organization and ends the import. An error names the place of the record.';

create function dossier_private.finish_import(import_id uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles cannot read the records.
begin
  perform dossier_private.check_records(dossier_private.require_import(import_id));
  return dossier_private.write_import(import_id);
end
$$;
comment on function dossier_private.finish_import(uuid) is 'Runs dossier.finish_import() with its owner''s rights.';

create function dossier.finish_import(import_id uuid) returns jsonb
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.finish_import(import_id);
end;
comment on function dossier.finish_import(uuid) is
  'Writes the staged records, all or nothing, by the rules of import_sessions(), and ends the import. An error names its line. '
  'Returns {organization_id, sessions: {old id: new id}, documents: {old id: new id}}.';

revoke all on function
  dossier_private.check_records, dossier_private.staged_list, dossier_private.staged_bytes, dossier_private.write_import,
  dossier_private.finish_import,
  dossier.finish_import
  from public, anon, authenticated, service_role;
grant execute on function dossier.finish_import, dossier_private.finish_import to authenticated, service_role;
