-- What the doctor finds in the catalogue: roles, logins, rights, and what is switched off. Rules that hold anywhere are the
-- linter's (doctor/lint.sql); what has changed since the installation, doctor/schema.sql compares.

create function dossier_private.catalogue_findings() returns table (check_name text, status text, finding text)
language plpgsql stable security definer set search_path = '' rows 20
as $$
-- Definer: reads settings of roles.
#variable_conflict use_column
begin
  return query
    with ours as (
      select c.oid, c.relkind, n.nspname as schema, c.oid::regclass::text as name
      from pg_catalog.pg_class as c
      join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
      where n.nspname in ('dossier', 'dossier_private') and c.relkind in ('r', 'S', 'v')
    ), functions as (
      select p.oid, p.proacl, p.proowner, p.oid::regprocedure::text as name
      from pg_catalog.pg_proc as p
      join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
      where n.nspname in ('dossier', 'dossier_private')
    ), api_roles as (
      select r.*, r.rolname::text as name
      from pg_catalog.pg_roles as r
      where r.rolname in ('anon', 'authenticated', 'service_role')
    )
    select 'version', 'ok', format('Dossier %s, %s, PostgreSQL %s', dossier.version(),
      case when exists (select from pg_catalog.pg_extension as x where x.extname = 'dossier') then 'native' else 'hosted' end,
      current_setting('server_version'))
    union all
    select 'version', 'warning', format('PostgreSQL %s is older than the tests run on', current_setting('server_version'))
    where current_setting('server_version_num')::integer < 150000
    union all
    select 'version', 'warning', format('version %s is installed on the server, and %s in this database', a.default_version, a.installed_version)
    from pg_catalog.pg_available_extensions as a
    where a.name = 'dossier' and a.default_version <> a.installed_version

    union all
    select 'roles', 'error', format('role %s is missing', wanted.name)
    from unnest(array['anon', 'authenticated', 'service_role']) as wanted (name)
    where not exists (select from api_roles as r where r.name = wanted.name)
    union all
    select 'roles', 'error', format('role %s passes by row level security', r.name)
    from api_roles as r
    where r.name <> 'service_role' and (r.rolbypassrls or r.rolsuper)
    union all
    select 'roles', 'error', 'role service_role is bound by row level security'
    from api_roles as r
    where r.name = 'service_role' and not (r.rolbypassrls or r.rolsuper)
    union all
    select 'roles', 'error', format('role %s may become %s', r.name, other.name)
    from api_roles as r
    join api_roles as other on other.name <> r.name and not r.rolsuper and pg_has_role(r.oid, other.oid, 'member')
    union all
    select 'ownership', 'error', format('%s belongs to %s: alter %s %s owner to %s', one.name, one.owner::regrole, one.kind, one.name, home.nspowner::regrole)
    from pg_catalog.pg_namespace as home
    cross join lateral (
      select 'schema' as kind, s.nspname::text as name, s.nspowner as owner
      from pg_catalog.pg_namespace as s
      where s.nspname = 'dossier'
      union all
      select case c.relkind when 'S' then 'sequence' when 'v' then 'view' when 'm' then 'materialized view' else 'table' end,
        c.oid::regclass::text, c.relowner
      from pg_catalog.pg_class as c
      where c.relkind in ('r', 'p', 'S', 'v', 'm') and c.relnamespace in (home.oid, 'dossier'::regnamespace)
      union all
      select 'function', p.oid::regprocedure::text, p.proowner
      from pg_catalog.pg_proc as p
      where p.pronamespace in (home.oid, 'dossier'::regnamespace)
    ) as one
    where home.nspname = 'dossier_private' and one.owner <> home.nspowner
    union all
    select 'login', 'warning', 'role authenticator is missing'
    where not exists (select from pg_catalog.pg_roles as r where r.rolname = 'authenticator')
    union all
    select 'login', 'error', format('authenticator cannot become %s', r.name)
    from api_roles as r
    join pg_catalog.pg_roles as login on login.rolname = 'authenticator'
    where not pg_has_role(login.oid, r.oid, 'member')
    union all
    select 'login', 'error', format('authenticator has the rights of %s before a request has said who asks', r.name)
    from api_roles as r
    join pg_catalog.pg_roles as login on login.rolname = 'authenticator'
    where login.rolsuper or pg_has_role(login.oid, r.oid, 'usage')

    union all
    select 'rights', 'error', format('%s may %s %s', r.name, p.privilege, t.name)
    from ours as t
    cross join api_roles as r
    cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) as p (privilege)
    where t.relkind <> 'S' and has_table_privilege(r.oid, t.oid, p.privilege)
      and (r.name = 'anon' or t.schema = 'dossier_private'
        or p.privilege in ('truncate', 'references', 'trigger')
        or (r.name = 'authenticated' and p.privilege in ('insert', 'update')))
    union all
    select 'rights', 'error', format('%s may not select from %s', r.name, t.name)
    from ours as t
    cross join api_roles as r
    where t.relkind = 'r' and t.schema = 'dossier' and r.name <> 'anon' and not has_table_privilege(r.oid, t.oid, 'select')
    union all
    select 'rights', 'error', format('%s may name what is in schema dossier_private', r.name)
    from api_roles as r
    where has_schema_privilege(r.oid, 'dossier_private', 'usage')
    union all
    select 'rights', 'error', format('%s may not name what is in schema dossier', r.name)
    from api_roles as r
    where not has_schema_privilege(r.oid, 'dossier', 'usage')
    union all
    select 'rights', 'error', format('%s may make things in schema dossier', r.name)
    from api_roles as r
    where has_schema_privilege(r.oid, 'dossier', 'create')
    union all
    select 'rights', 'error', format('everybody may execute %s', f.name)
    from functions as f
    where exists (
      select from aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) as granted where granted.grantee = 0)
    union all
    select 'rights', 'error', format('anon may execute %s', f.name)
    from functions as f
    join api_roles as r on r.name = 'anon'
    where has_function_privilege(r.oid, f.oid, 'execute')
      and f.name not in ('dossier.limits()', 'dossier_private.limits()')
    union all
    select 'rights', 'error', format('%s may not execute %s', r.name, f.name)
    from functions as f
    join api_roles as r on r.name <> 'anon'
    where f.name ~ '^dossier\.(limits|create_session|save_context|begin_upload|append_upload|finish_upload|read_content|search)\('
      and not has_function_privilege(r.oid, f.oid, 'execute')

    union all
    select rules.rule, rules.status, broken.finding
    from dossier_private.lint(array['dossier', 'dossier_private']) as broken
    join dossier_private.lint_rules() as rules on rules.rule = broken.rule
    union all
    select 'constraints', 'error', format('%I of %s was never validated', c.conname, t.name)
    from pg_catalog.pg_constraint as c
    join ours as t on t.oid = c.conrelid
    where not c.convalidated
    union all
    select 'triggers', 'error', format('%I of %s is switched off', g.tgname, t.name)
    from pg_catalog.pg_trigger as g
    join ours as t on t.oid = g.tgrelid
    where g.tgenabled = 'D'

    union all
    select distinct 'views', 'error', format('%s shows %s to %s past row level security', v.oid::regclass, t.name, r.name)
    from pg_catalog.pg_class as v
    join pg_catalog.pg_rewrite as w on w.ev_class = v.oid
    join pg_catalog.pg_depend as d
      on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = w.oid and d.refclassid = 'pg_catalog.pg_class'::regclass
    join ours as t on t.oid = d.refobjid and t.relkind = 'r'
    join api_roles as r on r.name <> 'service_role'
    where v.relkind in ('v', 'm')
      and has_schema_privilege(r.oid, v.relnamespace, 'usage') and has_any_column_privilege(r.oid, v.oid, 'select')
      and not coalesce(v.reloptions && array['security_invoker=true', 'security_invoker=on', 'security_invoker=1'], false)
    union all
    select 'dumps', 'error', format('pg_dump leaves out the rows of %s', t.name)
    from ours as t
    join pg_catalog.pg_depend as d on d.classid = 'pg_catalog.pg_class'::regclass and d.objid = t.oid and d.deptype = 'e'
    join pg_catalog.pg_extension as x on x.oid = d.refobjid and x.extname = 'dossier'
    where t.relkind in ('r', 'S') and not coalesce(t.oid = any (x.extconfig), false)
    union all
    select 'api', case when s.setting ~ '[=, ]dossier_private\M' then 'error' when s.setting ~ '[=, ]dossier\M' then 'ok' else 'warning' end,
      format('pgrst.db_schemas of %s is %s', coalesce(r.rolname, 'the database'), substring(s.setting from '=(.*)$'))
    from pg_catalog.pg_db_role_setting as g
    cross join lateral unnest(g.setconfig) as s (setting)
    left join pg_catalog.pg_roles as r on r.oid = g.setrole
    where s.setting like 'pgrst.db_schemas=%'
      and g.setdatabase in (0, (select d.oid from pg_catalog.pg_database as d where d.datname = current_database()));
end
$$;
comment on function dossier_private.catalogue_findings() is
  'What roles, rights, policies, indexes and functions are like: not as this version has them, mostly.';

revoke all on function dossier_private.catalogue_findings from public, anon, authenticated, service_role;
