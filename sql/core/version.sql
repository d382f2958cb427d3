-- The version of the schema. A release sets it here, and its upgrade script sets it in databases that exist.

create function dossier.version() returns text
language sql immutable parallel safe security invoker set search_path = ''
begin atomic
  select '0.1.0';
end;
comment on function dossier.version() is
  'Version of Dossier''s schema in this database, in both install modes; a migration to the next one checks it.';

revoke all on function dossier.version from public, anon, authenticated, service_role;
grant execute on function dossier.version to authenticated, service_role;
