-- The version of the schema. A release sets it here. Its upgrade script sets it in existing databases.

create function dossier.version() returns text
language sql immutable parallel safe security invoker set search_path = ''
begin atomic
  select '0.1.0';
end;
comment on function dossier.version() is
  'Returns the version of Dossier''s schema in this database, in both install modes. Migrations check it.';

revoke all on function dossier.version from public, anon, authenticated, service_role;
grant execute on function dossier.version to authenticated, service_role;
