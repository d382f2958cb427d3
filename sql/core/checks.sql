-- Checks of arguments that functions of several subjects share.

create function dossier_private.check_limit(limit_count integer, most integer) returns integer
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  if coalesce(limit_count not between 1 and most, true) then
    raise exception using
      errcode = 'PT400',
      message = format('limit_count must be between 1 and %s', most),
      detail = format('It is %s.', coalesce(limit_count::text, 'null')),
      hint = 'Request fewer rows, and the next ones with the key of the last row.';
  end if;
  return limit_count;
end
$$;
comment on function dossier_private.check_limit(integer, integer) is
  'Returns the requested number of rows, or refuses it (PT400).';

create function dossier_private.check_choice(parameter text, value text, choices text[]) returns text
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  if value <> all (choices) then
    raise exception using
      errcode = 'PT400',
      message = format('%s is not a valid filter', parameter),
      detail = format('It is %L.', left(value, 80)),
      hint = format('Send one of %s, or omit it.', array_to_string(choices, ', '));
  end if;
  return value;
end
$$;
comment on function dossier_private.check_choice(text, text, text[]) is
  'Returns the value of a filter, or refuses it (PT400) if it is not one of the choices.';

create function dossier_private.check_media_pattern(of_type text) returns text
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  if of_type !~* '^[a-z0-9!#$&^_.+*-]+/[a-z0-9!#$&^_.+*-]+$' then
    raise exception using
      errcode = 'PT400',
      message = 'media_type is not a valid filter',
      detail = format('It is %L.', left(of_type, 80)),
      hint = 'Send a media type such as application/pdf, or a wildcard such as image/*.';
  end if;
  return lower(of_type);
end
$$;
comment on function dossier_private.check_media_pattern(text) is
  'Returns a media type or wildcard to filter by, or refuses it (PT400).';

create function dossier_private.check_lease(lease_seconds integer) returns interval
language plpgsql immutable security invoker set search_path = ''
as $$
begin
  if coalesce(lease_seconds not between 1 and 3600, true) then
    raise exception using
      errcode = 'PT400',
      message = 'lease_seconds must be between 1 and 3600',
      detail = format('It is %s.', coalesce(lease_seconds::text, 'null')),
      hint = 'Request a short lease, and extend it while the work continues.';
  end if;
  return make_interval(secs => lease_seconds);
end
$$;
comment on function dossier_private.check_lease(integer) is 'Returns the length of a lease, or refuses it (PT400).';

revoke all on function
  dossier_private.check_limit, dossier_private.check_choice, dossier_private.check_media_pattern,
  dossier_private.check_lease
  from public, anon, authenticated, service_role;
grant execute on function dossier_private.check_limit, dossier_private.check_choice, dossier_private.check_media_pattern
  to authenticated, service_role;
