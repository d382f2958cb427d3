-- Schemas, and the roles they are granted to.
--
-- The files of sql/ load in the order of manifest.txt, inside `create extension` or through psql in one transaction. They
-- contain no transaction control and no psql commands, and need no superuser. Inside a `begin atomic` body the letters "end"
-- may appear only as its last word: the Supabase CLI splits a migration into statements, and takes any "end" for the last.
--
-- A public function and the definer function behind it share a name: dossier.begin_upload() calls
-- dossier_private.begin_upload(). Three cannot, because their public names contain "end": append_upload() calls
-- store_chunks(), append_import() calls stage_records(), and thumbnail_pending() calls awaits_thumbnail().

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
      detail = 'Every Supabase project has these roles. A plain Postgres cluster does not.',
      hint = 'Run docker/roles.sql on this cluster as a superuser, then retry.';
  end if;
end
$$;

create schema dossier;
comment on schema dossier is
  'Context and documents of conversations. PostgREST exposes this schema. Row level security guards it.';

create schema dossier_private;
comment on schema dossier_private is
  'Dossier''s helpers, file bytes, jobs and settings. Never exposed: no API role has usage on it. Policies, defaults and '
  'begin-atomic bodies can refer to it, since Postgres resolves their names when they are created.';

revoke all on schema dossier, dossier_private from public, anon, authenticated, service_role;
grant usage on schema dossier to anon, authenticated, service_role;
