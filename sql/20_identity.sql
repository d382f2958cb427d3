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

create function dossier_private.uuid_v7() returns uuid
language plpgsql volatile parallel safe security invoker set search_path = ''
as $$
declare
  microseconds constant bigint := floor(extract(epoch from clock_timestamp()) * 1000000);
begin
  return encode(
    substring(int8send(microseconds / 1000) from 3)
      || int2send((28672 + microseconds % 1000 * 4096 / 1000)::smallint)
      || substring(uuid_send(gen_random_uuid()) from 9),
    'hex'
  )::uuid;
end
$$;
comment on function dossier_private.uuid_v7() is
  'New key (RFC 9562, version 7): milliseconds, twelve bits below them, 62 random bits. Ascending keys keep inserts in one place of an index.';

create function dossier_private.json_bytes(value jsonb) returns integer
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  -- 1e131071 is eight letters that Postgres would write out as 131072 digits: looked for before writing.
  if jsonb_path_exists(value, '$.** ? (@.type() == "number"
    && (@ > 1e308 || @ < -1e308 || (@ > -1e-308 && @ < 1e-308 && @ != 0)))')
  then
    return 2147483647;
  end if;
  return octet_length(value::text);
end
$$;
comment on function dossier_private.json_bytes(jsonb) is
  'Bytes of a JSON value as text. Numbers beyond double precision''s range, which would cost gigabytes to write out, make it the largest integer.';

create function dossier_private.say_json_bytes(value jsonb) returns text
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  return case dossier_private.json_bytes(value)
    when 2147483647 then 'It holds a number beyond double precision, which would be long when written out.'
    else format('As text it has %s bytes.', dossier_private.json_bytes(value))
  end;
end
$$;
comment on function dossier_private.say_json_bytes(jsonb) is 'The size of a JSON value, for the detail of an error.';

create function dossier_private.touch() returns trigger
language plpgsql security invoker set search_path = ''
as $$
begin
  new.updated_at := now();
  return new;
end
$$;
comment on function dossier_private.touch() is 'Trigger: keeps updated_at.';

revoke all on function
  dossier_private.caller_id, dossier_private.require_caller, dossier_private.is_service,
  dossier_private.uuid_v7, dossier_private.json_bytes, dossier_private.say_json_bytes, dossier_private.touch
  from public, anon, authenticated, service_role;
-- Column defaults and policies run as the caller.
grant execute on function dossier_private.caller_id, dossier_private.uuid_v7, dossier_private.json_bytes to authenticated, service_role;
