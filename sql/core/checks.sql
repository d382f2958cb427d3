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
  dossier_private.check_limit, dossier_private.check_lease
  from public, anon, authenticated, service_role;
grant execute on function dossier_private.check_limit to authenticated, service_role;
