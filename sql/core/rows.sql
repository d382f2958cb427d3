-- Columns that most tables have: a key that grows with time, and the time of the last change.

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
  'Returns a new key (RFC 9562, version 7): milliseconds, 12 bits of finer time, 62 random bits. Ascending keys keep inserts in '
  'one place of an index.';

create function dossier_private.touch() returns trigger
language plpgsql security invoker set search_path = ''
as $$
begin
  new.updated_at := now();
  return new;
end
$$;
comment on function dossier_private.touch() is 'Trigger: sets updated_at.';

revoke all on function
  dossier_private.uuid_v7, dossier_private.touch
  from public, anon, authenticated, service_role;
-- Column defaults run as the caller.
grant execute on function dossier_private.uuid_v7 to authenticated, service_role;
