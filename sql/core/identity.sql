-- Identity: the caller of a request.
--
-- Small helpers that many statements call are written in PL/pgSQL, which keeps its plans for the session. A SQL function
-- with a pinned search_path cannot be inlined, and up to Postgres 17 every statement plans it again. In append_upload()
-- that took a third of the time.

create function dossier_private.caller_id() returns text
language plpgsql stable parallel safe security invoker set search_path = ''
as $$
begin
  return nullif(nullif(current_setting('request.jwt.claims', true), '')::json ->> 'sub', '');
end
$$;
comment on function dossier_private.caller_id() is
  'Returns the subject of the request''s token, as PostgREST and the edge set it. Null for anon and service keys, which have no '
  'subject. The type is text, since third-party issuers do not always use UUIDs.';

create function dossier_private.require_caller() returns text
language plpgsql stable security invoker set search_path = ''
as $$
declare
  caller constant text := dossier_private.caller_id();
begin
  if caller is null then
    raise exception using
      errcode = '42501',
      message = 'This function requires a signed-in user',
      detail = 'The token has no sub claim. Anonymous keys and service keys do not identify a user.',
      hint = 'Send the access token of a user.';
  end if;
  if char_length(caller) > 255 then
    raise exception using
      errcode = 'PT400',
      message = 'The user id is longer than 255 characters',
      detail = format('The sub claim of the token has %s characters.', char_length(caller)),
      hint = 'Configure the issuer of the tokens to use shorter ids.';
  end if;
  return caller;
end
$$;
comment on function dossier_private.require_caller() is
  'Returns the caller. Refuses a request without a user (42501), and an id that is too long to store (PT400).';

create function dossier_private.is_service() returns boolean
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return (
    select role.rolbypassrls or role.rolsuper
    from pg_catalog.pg_roles as role
    where role.rolname = coalesce(nullif(current_setting('role', true), 'none'), session_user)
  );
end
$$;
comment on function dossier_private.is_service() is
  'Returns true if the request runs as a role that bypasses row level security (service_role, a superuser). Reads the setting '
  'role instead of current_user, which is the owner inside every definer function.';

create function dossier_private.is_restoring() returns boolean
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: current_user is the owner of Dossier. pg_restore inserts rows with row_security off, as this owner. Any role may
-- switch row_security off.
begin
  return not current_setting('row_security')::boolean
    and pg_has_role(coalesce(nullif(current_setting('role', true), 'none'), session_user), current_user, 'member');
end
$$;
comment on function dossier_private.is_restoring() is
  'Returns whether pg_restore is inserting rows. Triggers then add none of their own, since the dump contains them.';

revoke all on function
  dossier_private.is_restoring, dossier_private.caller_id, dossier_private.require_caller, dossier_private.is_service
  from public, anon, authenticated, service_role;
-- Column defaults and policies run as the caller.
grant execute on function dossier_private.caller_id to authenticated, service_role;
