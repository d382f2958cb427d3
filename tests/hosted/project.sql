-- Gives the current database to the role project, with the rights that `postgres` has in a hosted Supabase
-- project: create roles and databases, bypass row level security, become the API roles, and no more. It is not a
-- superuser. Run as a superuser. It can be repeated.

do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'project') then
    create role project login nosuperuser createdb createrole replication bypassrls;
  end if;
  grant anon, authenticated, service_role, authenticator to project;
  execute format('alter database %I owner to project', current_database());
end
$$;
comment on role project is 'Tests of Dossier: what the role postgres is in a hosted Supabase project.';
