-- explain_upload(): the result of each check of begin_upload(), from the same code.

create function dossier_private.explain_upload(
  session_id uuid, name text, media_type text, size_bytes bigint, metadata jsonb
) returns table (check_name text, passed boolean, concerns text, code text, message text, detail text, hint text)
language plpgsql stable security definer set search_path = '' rows 12
as $$
-- Definer: see check_upload.
declare
  one record;
  writable boolean := true;
begin
  for one in select * from dossier_private.upload_checks() loop
    check_name := one.name;
    concerns := one.concerns;
    if one.concerns like 'quota %' and not writable then
      passed := null;
      code := null;
      message := 'Not checked';
      detail := 'Only members who can write to the session can see its quotas.';
      hint := 'Fix the failed checks of caller and session first.';
      return next;
      continue;
    end if;
    begin
      perform dossier_private.check_upload(one.name, session_id, name, media_type, size_bytes, metadata);
      passed := true;
      code := null;
      message := null;
      detail := null;
      hint := null;
    exception
      -- Dossier's own refusals. Anything else is a fault, which must not be explained away.
      when sqlstate 'PT400' or sqlstate 'PT403' or sqlstate 'PT404' or sqlstate 'PT413' or sqlstate 'PT415' or sqlstate 'PT429'
        or insufficient_privilege then
        get stacked diagnostics
          code = returned_sqlstate, message = message_text, detail = pg_exception_detail, hint = pg_exception_hint;
        passed := false;
        writable := writable and one.name not in ('caller', 'session');
    end;
    return next;
  end loop;
end
$$;
comment on function dossier_private.explain_upload(uuid, text, text, bigint, jsonb) is
  'Runs dossier.explain_upload() with its owner''s rights.';

create function dossier.explain_upload(
  session_id uuid,
  name text,
  media_type text default null,
  size_bytes bigint default null,
  metadata jsonb default '{}'
) returns table (check_name text, passed boolean, concerns text, code text, message text, detail text, hint text)
language sql stable security invoker set search_path = '' rows 12
begin atomic
  select tried.check_name, tried.passed, tried.concerns, tried.code, tried.message, tried.detail, tried.hint
  from dossier_private.explain_upload(session_id, name, media_type, size_bytes, metadata) as tried;
end;
comment on function dossier.explain_upload(uuid, text, text, bigint, jsonb) is
  'Returns one row per check of begin_upload(), in its order, for the same arguments: what it concerns (a claim, a role, a '
  'setting, a quota), whether it passes and, if not, what to do. Does not begin an upload.';

revoke all on function dossier_private.explain_upload, dossier.explain_upload from public, anon, authenticated, service_role;
grant execute on function dossier.explain_upload, dossier_private.explain_upload to authenticated, service_role;
