-- The doctor: what is wrong with an installation, and how to mend it.
--
-- The checks of the catalogue are those of Supabase's database linter, on Dossier's own schemas. They find what
-- was changed by hand, by another migration, or by a restore that went half-way; a fresh install has none of it.

create function dossier_private.catalogue_findings() returns table (check_name text, finding text)
language plpgsql stable security definer set search_path = '' rows 10
as $$
-- Definer: reads settings of roles.
#variable_conflict use_column
begin
  return query
    with ours as (
      select c.oid, format('%s.%s', n.nspname, c.relname) as name, c.relrowsecurity as guarded
      from pg_catalog.pg_class as c
      join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
      where n.nspname in ('dossier', 'dossier_private') and c.relkind = 'r'
    ), functions as (
      select p.oid, p.prosecdef, p.proconfig, n.nspname as schema, p.oid::regprocedure::text as name
      from pg_catalog.pg_proc as p
      join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
      where n.nspname in ('dossier', 'dossier_private')
    )
    select 'roles', format('role %s is missing', wanted.name)
    from unnest(array['anon', 'authenticated', 'service_role']) as wanted (name)
    where not exists (select from pg_catalog.pg_roles as r where r.rolname = wanted.name)
    union all
    select 'roles', format('role %s passes by row level security', r.rolname)
    from pg_catalog.pg_roles as r
    where r.rolname in ('anon', 'authenticated') and (r.rolbypassrls or r.rolsuper)
    union all
    select 'roles', 'role service_role is bound by row level security'
    from pg_catalog.pg_roles as r
    where r.rolname = 'service_role' and not (r.rolbypassrls or r.rolsuper)

    union all
    select 'row_level_security', format('it is off on %s', t.name) from ours as t where not t.guarded
    union all
    select 'row_level_security', format('%s has no policy', t.name)
    from ours as t
    where not exists (select from pg_catalog.pg_policy as p where p.polrelid = t.oid)
    union all
    select 'policies', format('%s has several permissive policies for one command and role', t.name)
    from pg_catalog.pg_policy as p
    join ours as t on t.oid = p.polrelid
    cross join lateral unnest(p.polroles) as r (role)
    where p.polpermissive
    group by t.name, p.polcmd, r.role
    having count(*) > 1
    union all
    select 'policies', format('%s of %s is evaluated for every row', p.polname, t.name)
    from pg_catalog.pg_policy as p
    join ours as t on t.oid = p.polrelid
    cross join lateral (
      select concat(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
    ) as e (expression)
    where regexp_replace(e.expression, '\(\s*select [a-z_]+\.\w+\(', '', 'gi') ~ 'dossier_private\.|auth\.\w+\(|current_setting'

    union all
    select 'rights', format('%s may %s %s', r.role, p.privilege, t.name)
    from ours as t
    cross join unnest(array['anon', 'authenticated']) as r (role)
    cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) as p (privilege)
    where pg_catalog.to_regrole(r.role) is not null
      and has_table_privilege(r.role, t.oid, p.privilege)
      and (r.role = 'anon' or t.name like 'dossier\_private.%' or p.privilege not in ('select', 'delete'))
    union all
    select 'rights', format('%s may name what is in schema dossier_private', r.role)
    from unnest(array['anon', 'authenticated', 'service_role']) as r (role)
    where pg_catalog.to_regrole(r.role) is not null and has_schema_privilege(r.role, 'dossier_private', 'usage')
    union all
    select 'rights', format('anon may execute %s', f.name)
    from functions as f
    where pg_catalog.to_regrole('anon') is not null
      and has_function_privilege('anon', f.oid, 'execute')
      and f.name not in ('dossier.limits()', 'dossier_private.read_limits()')
    union all
    select 'definer_functions', format('users may execute %s, which runs as its owner', f.name)
    from functions as f
    where f.prosecdef and f.schema = 'dossier'
      and pg_catalog.to_regrole('authenticated') is not null
      and has_function_privilege('authenticated', f.oid, 'execute')
    union all
    select 'search_paths', format('%s has no fixed search_path', f.name)
    from functions as f
    where not coalesce(f.proconfig @> array['search_path=""'], false)
      and not exists ( -- functions of the native library have no names to look up
        select from pg_catalog.pg_proc as p
        join pg_catalog.pg_language as l on l.oid = p.prolang
        where p.oid = f.oid and l.lanname = 'c')

    union all
    select 'indexes', format('foreign key %s of %s has no index', c.conname, t.name)
    from pg_catalog.pg_constraint as c
    join ours as t on t.oid = c.conrelid
    where c.contype = 'f' and not exists (
      select from pg_catalog.pg_index as i
      where i.indrelid = c.conrelid and i.indisvalid and i.indpred is null
        and (string_to_array(i.indkey::text, ' ')::smallint[])[1:cardinality(c.conkey)] = c.conkey)
    union all
    select 'indexes', format('%s has no primary key', t.name)
    from ours as t
    where not exists (select from pg_catalog.pg_constraint as c where c.conrelid = t.oid and c.contype = 'p')
    union all
    select 'indexes', format('%s is not valid', i.indexrelid::regclass)
    from pg_catalog.pg_index as i
    join ours as t on t.oid = i.indrelid
    where not i.indisvalid
    union all
    select 'constraints', format('%s of %s was never validated', c.conname, t.name)
    from pg_catalog.pg_constraint as c
    join ours as t on t.oid = c.conrelid
    where not c.convalidated
    union all
    select 'triggers', format('%s of %s is switched off', g.tgname, t.name)
    from pg_catalog.pg_trigger as g
    join ours as t on t.oid = g.tgrelid
    where g.tgenabled = 'D'

    union all
    select 'dumps', format('pg_dump leaves out the rows of %s', t.name)
    from ours as t
    join pg_catalog.pg_depend as d on d.classid = 'pg_catalog.pg_class'::regclass and d.objid = t.oid and d.deptype = 'e'
    join pg_catalog.pg_extension as x on x.oid = d.refobjid and x.extname = 'dossier'
    where not coalesce(t.oid = any (x.extconfig), false)
    union all
    select 'api', format('pgrst.db_schemas of %s is %s', coalesce(r.rolname, 'the database'), substring(s.setting from '=(.*)$'))
    from pg_catalog.pg_db_role_setting as g
    cross join lateral unnest(g.setconfig) as s (setting)
    left join pg_catalog.pg_roles as r on r.oid = g.setrole
    where s.setting like 'pgrst.db_schemas=%' and s.setting !~ '[=, ]dossier\M';
end
$$;
comment on function dossier_private.catalogue_findings() is 'What is wrong with roles, rights, policies, indexes and functions.';

create function dossier_private.data_findings() returns table (check_name text, finding text)
language plpgsql stable security definer set search_path = '' rows 10
as $$
-- Definer: counts over all tenants.
#variable_conflict use_column
begin
  return query
    select 'settings', format('%s is missing', wanted.name)
    from unnest(array['max_file_bytes', 'max_name_length', 'max_context_bytes', 'job_max_attempts',
      'allowed_media_types', 'personal_organizations']) as wanted (name)
    where not exists (select from dossier_private.settings as s where s.name = wanted.name)
    union all
    select 'workers', format('%s jobs have been waiting for more than ten minutes', count(*))
    from dossier_private.jobs as job
    where job.status = 'queued' and job.run_at < now() - interval '10 minutes'
    having count(*) > 0
    union all
    select 'workers', format('%s jobs are of workers that were lost more than ten minutes ago', count(*))
    from dossier_private.jobs as job
    where job.status = 'running' and job.lease_expires_at < now() - interval '10 minutes'
    having count(*) > 0
    union all
    select 'uploads', format('%s uploads were begun more than a day ago', count(*))
    from dossier.documents as document
    where document.status = 'uploading' and document.created_at < now() - interval '1 day'
    having count(*) > 0
    union all
    select 'jobs', format('%s documents wait for an extraction that is not queued', count(*))
    from dossier.documents as document
    where document.status in ('stored', 'extracting')
      and not exists (
        select from dossier_private.jobs as job
        where job.document_id = document.id and job.status in ('queued', 'running'))
    having count(*) > 0
    union all
    select 'search', format('%s pages of documents that are ready cannot be searched', count(*))
    from dossier.document_pages as page
    join dossier.documents as document on document.id = page.document_id and document.status = 'ready'
    where not exists (
      select from dossier_private.search_entries as entry
      where entry.document_id = page.document_id and entry.page = page.page)
    having count(*) > 0
    union all
    select 'search', format('%s contexts cannot be searched', count(*))
    from dossier.session_context as context
    where not exists (
      select from dossier_private.search_entries as entry
      where entry.session_id = context.session_id and entry.document_id is null)
    having count(*) > 0
    union all
    select 'owners', format('%s organizations have members and no owner', count(*))
    from dossier.organizations as organization
    where exists (select from dossier.organization_members as m where m.organization_id = organization.id)
      and not exists (
        select from dossier.organization_members as m
        where m.organization_id = organization.id and m.role = 'owner')
    having count(*) > 0
    union all
    select 'durability', format('%s is off', s.name)
    from pg_catalog.pg_settings as s
    where s.name in ('fsync', 'full_page_writes') and s.setting = 'off';
end
$$;
comment on function dossier_private.data_findings() is 'What is wrong with settings and rows.';

create function dossier.doctor() returns table (check_name text, passed boolean, findings text[], mend text)
language plpgsql stable security definer set search_path = '' rows 20
as $$
-- Definer: reads what no role may. Granted to service_role alone.
#variable_conflict use_column
begin
  return query
    with found as materialized (
      select f.check_name, f.finding from dossier_private.catalogue_findings() as f
      union all
      select f.check_name, f.finding from dossier_private.data_findings() as f
    )
    select known.name, count(found.finding) = 0,
      coalesce(array_agg(found.finding order by found.finding) filter (where found.finding is not null), '{}'),
      nullif(known.mend, case when count(found.finding) = 0 then known.mend else '' end)
    from (values
      (1, 'roles', 'Run docker/roles.sql as a superuser; on Supabase restore the attributes that the roles came with.'),
      (2, 'row_level_security', 'alter table … enable row level security; policies are in the SQL of this version.'),
      (3, 'policies', 'Drop what was added to Dossier''s tables; wrap calls in (select …) so that they run once a statement.'),
      (4, 'rights', 'Revoke what is named: revoke … on … from …. Grants to public or default privileges may be the source.'),
      (5, 'definer_functions', 'revoke execute on function … from public, anon, authenticated.'),
      (6, 'search_paths', 'alter function … set search_path = ''''.'),
      (7, 'indexes', 'reindex what is not valid; create what is missing as the SQL of this version has it.'),
      (8, 'constraints', 'alter table … validate constraint …'),
      (9, 'triggers', 'alter table … enable trigger …'),
      (10, 'dumps', 'As a superuser: select pg_extension_config_dump(…) within an upgrade script, or reinstall this version.'),
      (11, 'api', 'Add dossier to the schemas that PostgREST exposes.'),
      (12, 'settings', 'insert into dossier_private.settings (name, value) values (…), as the owner of the database.'),
      (13, 'workers', 'Start an edge with EXTRACT_WORKERS above 0, and look at its log.'),
      (14, 'uploads', 'Call dossier.sweep(); a running edge does so every few minutes.'),
      (15, 'jobs', 'Call dossier.request_extraction() on them.'),
      (16, 'search', 'select dossier_private.index_document(id) from dossier.documents; save contexts again.'),
      (17, 'owners', 'Insert an owner into dossier.organization_members.'),
      (18, 'durability', 'Switch it on: without it a crash of the machine loses what was answered as stored.')
    ) as known (place, name, mend)
    left join found on found.check_name = known.name
    group by known.place, known.name, known.mend
    order by known.place;
end
$$;
comment on function dossier.doctor() is
  'Looks over the installation: a row for each check, with what was found and how to mend it. Services and the owner of the '
  'database only. Counts over all rows, so not for every minute.';

revoke all on function dossier_private.catalogue_findings, dossier_private.data_findings, dossier.doctor
  from public, anon, authenticated, service_role;
grant execute on function dossier.doctor to service_role;
