-- JSON: how large a value is, and how a patch is merged into one.

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

create function dossier_private.merge_json(target jsonb, patch jsonb, depth integer default 1) returns jsonb
language plpgsql immutable security invoker set search_path = ''
as $$
begin
  if patch is null then
    return target;
  elsif jsonb_typeof(patch) <> 'object' then
    return patch;
  end if;
  -- Each level copies what is below it: without a bound a deep patch would cost its size squared.
  if depth > 64 then
    raise exception using
      errcode = 'PT400',
      message = 'The metadata to merge is nested too deeply',
      detail = 'Objects are merged to a depth of 64.',
      hint = 'Merge a flatter object, or save the whole metadata without merge_metadata.';
  end if;
  return (
    select coalesce(jsonb_object_agg(merged.key, merged.value), '{}')
    from (
      select kept.key, kept.value
      from jsonb_each(case when jsonb_typeof(target) = 'object' then target else '{}' end) as kept
      where not patch ? kept.key
      union all
      select given.key, dossier_private.merge_json(target -> given.key, given.value, depth + 1)
      from jsonb_each(patch) as given
      where given.value <> 'null'
    ) as merged
  );
end
$$;
comment on function dossier_private.merge_json(jsonb, jsonb, integer) is
  'JSON merge patch (RFC 7396): objects are merged key by key, null removes a key, anything else replaces what was there. No patch changes nothing.';

revoke all on function
  dossier_private.json_bytes, dossier_private.say_json_bytes, dossier_private.merge_json
  from public, anon, authenticated, service_role;
-- Check constraints run as the caller.
grant execute on function dossier_private.json_bytes to authenticated, service_role;
