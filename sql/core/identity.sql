-- Identity: who calls, and how new keys are made.
--
-- Small helpers that many statements call are PL/pgSQL, which keeps its plans for the session. A SQL
-- function with a pinned search_path cannot be inlined and is planned anew by every statement up to
-- Postgres 17: in append_upload() that was a third of the time.

create function dossier_private.caller_id() returns text
language plpgsql stable parallel safe security invoker set search_path = ''
as $$
begin
  return nullif(nullif(current_setting('request.jwt.claims', true), '')::json ->> 'sub', '');
end
$$;
comment on function dossier_private.caller_id() is
  'Subject of the request''s token as PostgREST and the edge set it, or null: anon and service keys have none. '
  'Text, since a third-party issuer''s subject is no uuid.';

create function dossier_private.require_caller() returns text
language plpgsql stable security invoker set search_path = ''
as $$
declare
  caller constant text := dossier_private.caller_id();
begin
  if caller is null then
    raise exception using
      errcode = '42501',
      message = 'This needs a signed-in user',
      detail = 'The token has no sub claim: anonymous and service keys name no user.',
      hint = 'Call with a user''s token.';
  end if;
  if char_length(caller) > 255 then
    raise exception using
      errcode = 'PT400',
      message = 'The id of the user is longer than 255 characters',
      detail = format('The token''s sub claim has %s.', char_length(caller)),
      hint = 'Have the issuer of the tokens use shorter ids.';
  end if;
  return caller;
end
$$;
comment on function dossier_private.require_caller() is 'The caller, or a refusal: there is none (42501), or none that rows could name (PT400).';

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
  'True when the request runs as a role that row level security does not bind (service_role, a superuser). '
  'Reads the role setting and not current_user, which inside a definer function is always the owner.';

revoke all on function
  dossier_private.caller_id, dossier_private.require_caller, dossier_private.is_service
  from public, anon, authenticated, service_role;
-- Column defaults and policies run as the caller.
grant execute on function dossier_private.caller_id to authenticated, service_role;
