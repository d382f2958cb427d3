-- JSON: the size of a value, and merging a patch into a value.

create function dossier_private.json_bytes(value jsonb) returns integer
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  -- 1e131071 has eight characters, but Postgres would write it out as 131072 digits. So check before writing.
  if jsonb_path_exists(value, '$.** ? (@.type() == "number"
    && (@ > 1e308 || @ < -1e308 || (@ > -1e-308 && @ < 1e-308 && @ != 0)))')
  then
    return 2147483647;
  end if;
  return octet_length(value::text);
end
$$;
comment on function dossier_private.json_bytes(jsonb) is
  'Returns the size of a JSON value as text. For numbers beyond the range of double precision, which could take gigabytes to '
  'write out, returns the largest integer.';

create function dossier_private.say_json_bytes(value jsonb) returns text
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  return case dossier_private.json_bytes(value)
    when 2147483647 then 'It contains a number beyond the range of double precision.'
    else format('Written as text it has %s bytes.', dossier_private.json_bytes(value))
  end;
end
$$;
comment on function dossier_private.say_json_bytes(jsonb) is 'Describes the size of a JSON value, for the detail of an error.';

create function dossier_private.merge_json(target jsonb, patch jsonb, depth integer default 1) returns jsonb
language plpgsql immutable security invoker set search_path = ''
as $$
begin
  if patch is null then
    return target;
  elsif jsonb_typeof(patch) <> 'object' then
    return patch;
  end if;
  -- Each level copies everything below it. Without a bound, a deep patch would cost the square of its size.
  if depth > 64 then
    raise exception using
      errcode = 'PT400',
      message = 'The metadata to merge is nested too deeply',
      detail = 'The database merges objects to a depth of 64.',
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
  'Applies a JSON merge patch (RFC 7396): merges objects key by key, removes a key whose value is null, and replaces anything '
  'else. A null patch changes nothing.';

revoke all on function
  dossier_private.json_bytes, dossier_private.say_json_bytes, dossier_private.merge_json
  from public, anon, authenticated, service_role;
-- Check constraints run as the caller.
grant execute on function dossier_private.json_bytes to authenticated, service_role;
