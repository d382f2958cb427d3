-- The doctor's checks of everything that Dossier works with: the table of members, extraction, Supabase Realtime.

create function dossier_private.doctor_membership() returns table (status text, finding text)
language plpgsql stable security invoker set search_path = '' rows 5
as $$
declare
  config constant jsonb := (select s.value from dossier_private.settings as s where s.name = 'membership');
  source constant regclass := pg_catalog.to_regclass(config ->> 'table');
begin
  if config is null then
    return;
  end if;
  return query values ('ok', case config ->> 'mode'
    when 'table' then format('membership is read from %s', config ->> 'table')
    when 'claims' then format('membership is read from the claim %s of tokens', config ->> 'claim')
    else 'membership is read from organization_members' end);
  return query
    select 'error', 'my_memberships() does not match the setting membership'
    where not exists (
      select from pg_catalog.pg_proc as p
      where p.oid = pg_catalog.to_regprocedure('dossier_private.my_memberships()')
        and p.prosrc = dossier_private.membership_body(config));
  if config ->> 'mode' is distinct from 'table' then
    return;
  elsif source is null then
    return query values ('error', format('%s, from which membership is read, does not exist', config ->> 'table'));
    return;
  end if;

  return query
    select 'error', case
        when a.attname is null then format('%s, from which membership is read, has no column %I', source, needed.name)
        else format('%s, the owner of Dossier, may not read the column %I of %s', reader.proowner::regrole, needed.name, source)
      end
    from unnest(array[config ->> 'organization_column', config ->> 'user_column', config ->> 'role_column']) as needed (name)
    cross join pg_catalog.pg_proc as reader
    left join pg_catalog.pg_attribute as a on a.attrelid = source and a.attname = needed.name and not a.attisdropped
    where reader.oid = 'dossier_private.my_memberships()'::regprocedure and needed.name is not null
      and not coalesce(has_column_privilege(reader.proowner, source, a.attnum, 'select'), false)
    union all
    select 'warning', format('every member of %s is a viewer, so no member may write', source)
    where config ->> 'role_column' is null and config ->> 'other_role' = 'viewer'
    union all
    select 'warning', format('no index of %s begins with %I, so every statement reads the whole table', source, config ->> 'user_column')
    from pg_catalog.pg_class as members
    where members.oid = source and members.relkind in ('r', 'p', 'm')
      and not exists (
        select from pg_catalog.pg_index as i
        join pg_catalog.pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        where i.indrelid = source and i.indisvalid and i.indpred is null and a.attname = config ->> 'user_column');
end
$$;
comment on function dossier_private.doctor_membership() is 'Check: where membership is read from, and whether it can be read.';

create function dossier_private.doctor_reader() returns table (status text, finding text)
language plpgsql stable security invoker set search_path = '' rows 1
as $$
declare
  read_text text;
begin
  if pg_catalog.to_regproc('dossier.extract_text') is null then
    return query values ('ok', 'edges extract files, not the database: dossier-edge check tries one');
    return;
  end if;

  begin
    -- Dynamic: hosted installs do not have the function.
    execute 'select dossier.extract_text($1)' into read_text using 'The doctor was here.'::bytea;
    return query select case when read_text ~ '^The doctor was here\.\s*$' then 'ok' else 'error' end,
      format('the text of a one-line file is %L', read_text);
  exception when others then
    return query values ('error', format('a text file cannot be extracted: %s', sqlerrm));
  end;
end
$$;
comment on function dossier_private.doctor_reader() is
  'Check: the database can extract a file. It extracts one line in its worker.';

create function dossier_private.doctor_sandbox() returns table (status text, finding text)
language plpgsql stable security invoker set search_path = '' rows 3
as $$
declare
  isolation jsonb;
begin
  if pg_catalog.to_regprocedure('dossier_private.worker_isolation()') is not null then
    begin
      -- Dynamic: hosted installs do not have the function.
      execute 'select dossier_private.worker_isolation()' into isolation;
    exception when others then
      return query values ('error', format('the worker reports no sandbox: %s', sqlerrm));
    end;
  end if;
  return query
    select 'warning', format('a sandbox layer is missing: %s', layer.reason)
    from jsonb_array_elements_text(isolation -> 'missing') as layer (reason)
    union all
    select 'ok', concat_ws('; ', format('every sandbox layer is active, and further ones: %s', further.layers), 'not on this host: ' || unavailable.layers)
    from (select string_agg(value, ', ') from jsonb_array_elements_text(isolation -> 'further')) as further (layers),
      (select string_agg(value, ', ') from jsonb_array_elements_text(isolation -> 'unavailable')) as unavailable (layers)
    where isolation -> 'missing' = '[]';
  return query
    select 'warning', 'dossier.sandbox is accept_missing: files are extracted even if the kernel lacks a sandbox layer'
    where current_setting('dossier.sandbox', true) = 'accept_missing';
end
$$;
comment on function dossier_private.doctor_sandbox() is
  'Check: files are extracted only with every sandbox layer. For edges, dossier-edge check reports the layers.';

create function dossier_private.doctor_limits() returns table (status text, finding text)
language plpgsql stable security invoker set search_path = '' rows 1
as $$
begin
  return query
    select 'warning', format('max_file_bytes is %s, but dossier.extract_input is %s: larger files are stored but never extracted',
      s.value, current_setting('dossier.extract_input'))
    from dossier_private.settings as s
    where s.name = 'max_file_bytes' and s.value::bigint > pg_size_bytes(current_setting('dossier.extract_input', true));
end
$$;
comment on function dossier_private.doctor_limits() is 'Check: no file can be uploaded that is too large to extract.';

create function dossier_private.doctor_realtime() returns table (status text, finding text)
language plpgsql stable security invoker set search_path = '' rows 1
as $$
begin
  return query select 'ok', case
    when pg_catalog.to_regprocedure('realtime.send(jsonb, text, text, boolean)') is null then 'Supabase Realtime is not installed'
    when exists (
      select from pg_catalog.pg_policy as p
      where p.polrelid = pg_catalog.to_regclass('realtime.messages') and p.polname = 'dossier_sessions_select')
      then 'users may subscribe to their sessions'
    else 'users may not subscribe: dossier.enable_realtime() has not been called' end;
end
$$;
comment on function dossier_private.doctor_realtime() is 'Check: browsers can follow documents through Supabase Realtime.';

revoke all on function
  dossier_private.doctor_membership, dossier_private.doctor_reader, dossier_private.doctor_sandbox,
  dossier_private.doctor_limits, dossier_private.doctor_realtime
  from public, anon, authenticated, service_role;
