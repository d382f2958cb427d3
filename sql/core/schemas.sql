-- Schemas, and the roles they are granted to.
--
-- The files of sql/ load in the order of manifest.txt, inside `create extension` or through psql
-- in one transaction. They hold no transaction control and no psql commands, and they need no
-- superuser. Inside a `begin atomic` body the letters of "end" appear only as its last word:
-- the Supabase CLI, which splits a migration into statements, takes any others for its end.
--
-- dossier.begin_upload() runs dossier_private.begin_upload(), and so on: a public function and the definer function behind
-- it share a name. For the CLI's sake three cannot: store_chunks() behind append_upload(), stage_records() behind
-- append_import(), and awaits_thumbnail() behind thumbnail_pending().

do $$
declare
  missing text;
begin
  select string_agg(wanted.name, ', ' order by wanted.name) into missing
  from unnest(array['anon', 'authenticated', 'service_role']) as wanted (name)
  where not exists (select from pg_catalog.pg_roles where rolname = wanted.name);

  if missing is not null then
    raise exception using
      errcode = 'undefined_object',
      message = format('Dossier grants its API to roles that do not exist: %s', missing),
      detail = 'Supabase has these roles; a plain Postgres cluster does not.',
      hint = 'Run docker/roles.sql on this cluster as a superuser, then try again.';
  end if;
end
$$;

create schema dossier;
comment on schema dossier is
  'Dossier: context and documents of conversations. Exposed to PostgREST; guarded by row level security.';

create schema dossier_private;
comment on schema dossier_private is
  'Dossier''s helpers, bytes, jobs and settings. Never exposed: no API role has usage on it. Policies, '
  'defaults and begin-atomic bodies reach it because they name it when they are made, not when they run.';

revoke all on schema dossier, dossier_private from public, anon, authenticated, service_role;
grant usage on schema dossier to anon, authenticated, service_role;
