-- Gives the current database to the role project, which may do there what `postgres` may in a hosted Supabase
-- project: make roles and databases, pass over row level security, become the API roles, and no more. It is no
-- superuser. Run as a superuser; run again at will.

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
