-- The roles of Supabase, for a plain Postgres cluster. Run as a superuser. It can be repeated.
--
--   psql -f docker/roles.sql                                      authenticator gets no password
--   psql -v authenticator_password=secret -f docker/roles.sql     …or this one
--
-- The password is set only if given, so a second run without it keeps the first one.

\set ON_ERROR_STOP on

do $$
begin
  -- A request without a token.
  if not exists (select from pg_catalog.pg_roles where rolname = 'anon') then
    create role anon;
  end if;
  -- A request with a user's token.
  if not exists (select from pg_catalog.pg_roles where rolname = 'authenticated') then
    create role authenticated;
  end if;
  -- A back end with the service key, and Dossier's workers: row level security does not apply to it.
  if not exists (select from pg_catalog.pg_roles where rolname = 'service_role') then
    create role service_role;
  end if;
  -- The login of PostgREST and the edge. It has no rights of its own, and becomes one of the above.
  if not exists (select from pg_catalog.pg_roles where rolname = 'authenticator') then
    create role authenticator;
  end if;
end
$$;

alter role anon nologin noinherit nosuperuser nocreatedb nocreaterole nobypassrls;
alter role authenticated nologin noinherit nosuperuser nocreatedb nocreaterole nobypassrls;
alter role service_role nologin noinherit nosuperuser nocreatedb nocreaterole bypassrls;
alter role authenticator login noinherit nosuperuser nocreatedb nocreaterole nobypassrls;
-- Since 16, inheritance is a property of each grant, and does not follow a change of the role.
select current_setting('server_version_num')::int >= 160000 as grants_inherit \gset
\if :grants_inherit
grant anon, authenticated, service_role to authenticator with inherit false;
\else
grant anon, authenticated, service_role to authenticator;
\endif

\if :{?authenticator_password}
alter role authenticator password :'authenticator_password';
\endif

comment on role anon is 'API role: a request without a token.';
comment on role authenticated is 'API role: a request with a user''s token.';
comment on role service_role is 'API role: a back end with the service key; bypasses row level security.';
comment on role authenticator is 'Signs in for PostgREST and dossier-edge, then becomes anon, authenticated or service_role.';
