-- The doctor's checks of the catalogue, one function per check: roles, logins, rights, and disabled objects. Rules that apply to
-- any schema are in the linter (doctor/lint.sql). doctor/schema.sql compares the schema with the installed one.

create function dossier_private.api_roles() returns table (
  oid oid, name text, rolsuper boolean, rolbypassrls boolean
)
language sql stable security invoker set search_path = '' rows 3
begin atomic
  select r.oid, r.rolname::text, r.rolsuper, r.rolbypassrls
  from pg_catalog.pg_roles as r
  where r.rolname in ('anon', 'authenticated', 'service_role');
end;
comment on function dossier_private.api_roles() is 'Returns the roles that requests run as.';

create function dossier_private.our_relations() returns table (oid oid, relkind "char", schema text, name text)
language sql stable security invoker set search_path = '' rows 50
begin atomic
  select c.oid, c.relkind, n.nspname::text, c.oid::regclass::text
  from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  where n.nspname in ('dossier', 'dossier_private') and c.relkind in ('r', 'S', 'v');
end;
comment on function dossier_private.our_relations() is 'Returns the tables, sequences and views of Dossier.';

create function dossier_private.our_functions() returns table (oid oid, proacl aclitem[], proowner oid, name text)
language sql stable security invoker set search_path = '' rows 300
begin atomic
  select p.oid, p.proacl, p.proowner, p.oid::regprocedure::text
  from pg_catalog.pg_proc as p
  join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
  where n.nspname in ('dossier', 'dossier_private');
end;
comment on function dossier_private.our_functions() is 'Returns the functions of Dossier.';

create function dossier_private.doctor_version() returns table (status text, finding text)
language plpgsql stable security invoker set search_path = '' rows 5
as $$
#variable_conflict use_column
begin
  return query
    select 'ok', format('Dossier %s, %s, PostgreSQL %s', dossier.version(),
      case when exists (select from pg_catalog.pg_extension as x where x.extname = 'dossier') then 'native' else 'hosted' end,
      current_setting('server_version'))
    union all
    select 'warning', format('PostgreSQL %s is older than the tested versions', current_setting('server_version'))
    where current_setting('server_version_num')::integer < 150000
    union all
    select 'warning', format('the server has version %s, but this database has %s', a.default_version, a.installed_version)
    from pg_catalog.pg_available_extensions as a
    where a.name = 'dossier' and a.default_version <> a.installed_version;
end
$$;
comment on function dossier_private.doctor_version() is 'Check: the versions of Dossier and PostgreSQL.';

create function dossier_private.doctor_roles() returns table (status text, finding text)
language plpgsql stable security invoker set search_path = '' rows 5
as $$
#variable_conflict use_column
begin
  return query
    select 'error', format('role %s is missing', wanted.name)
    from unnest(array['anon', 'authenticated', 'service_role']) as wanted (name)
    where not exists (select from dossier_private.api_roles() as r where r.name = wanted.name)
    union all
    select 'error', format('role %s bypasses row level security', r.name)
    from dossier_private.api_roles() as r
    where r.name <> 'service_role' and (r.rolbypassrls or r.rolsuper)
    union all
    select 'error', 'role service_role is bound by row level security'
    from dossier_private.api_roles() as r
    where r.name = 'service_role' and not (r.rolbypassrls or r.rolsuper)
    union all
    select 'error', format('role %s may become %s', r.name, other.name)
    from dossier_private.api_roles() as r
    join dossier_private.api_roles() as other on other.name <> r.name and not r.rolsuper and pg_has_role(r.oid, other.oid, 'member');
end
$$;
comment on function dossier_private.doctor_roles() is
  'Check: the API roles exist, and row level security binds them as it should.';

create function dossier_private.doctor_ownership() returns table (status text, finding text)
language plpgsql stable security invoker set search_path = '' rows 5
as $$
#variable_conflict use_column
begin
  return query
    select 'error', format('%s belongs to %s: alter %s %s owner to %s', one.name, one.owner::regrole, one.kind, one.name, home.nspowner::regrole)
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
    where home.nspname = 'dossier_private' and one.owner <> home.nspowner;
end
$$;
comment on function dossier_private.doctor_ownership() is 'Check: everything in the schemas belongs to their owner.';

create function dossier_private.doctor_login() returns table (status text, finding text)
language plpgsql stable security invoker set search_path = '' rows 5
as $$
#variable_conflict use_column
begin
  return query
    select 'warning', 'role authenticator is missing'
    where not exists (select from pg_catalog.pg_roles as r where r.rolname = 'authenticator')
    union all
    select 'error', format('authenticator cannot become %s', r.name)
    from dossier_private.api_roles() as r
    join pg_catalog.pg_roles as login on login.rolname = 'authenticator'
    where not pg_has_role(login.oid, r.oid, 'member')
    union all
    select 'error', format('authenticator has the rights of %s before a request sets its role', r.name)
    from dossier_private.api_roles() as r
    join pg_catalog.pg_roles as login on login.rolname = 'authenticator'
    where login.rolsuper or pg_has_role(login.oid, r.oid, 'usage');
end
$$;
comment on function dossier_private.doctor_login() is
  'Check: authenticator can become the API roles, and has no rights of its own.';

create function dossier_private.doctor_rights() returns table (status text, finding text)
language plpgsql stable security invoker set search_path = '' rows 5
as $$
#variable_conflict use_column
begin
  return query
    select 'error', format('%s may %s %s', r.name, p.privilege, t.name)
    from dossier_private.our_relations() as t
    cross join dossier_private.api_roles() as r
    cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) as p (privilege)
    where t.relkind <> 'S' and has_table_privilege(r.oid, t.oid, p.privilege)
      and (r.name = 'anon' or t.schema = 'dossier_private'
        or p.privilege in ('truncate', 'references', 'trigger')
        or (r.name = 'authenticated' and p.privilege in ('insert', 'update')))
    union all
    select 'error', format('%s may not select from %s', r.name, t.name)
    from dossier_private.our_relations() as t
    cross join dossier_private.api_roles() as r
    where t.relkind = 'r' and t.schema = 'dossier' and r.name <> 'anon' and not has_table_privilege(r.oid, t.oid, 'select')
    union all
    select 'error', format('%s has usage on the schema dossier_private', r.name)
    from dossier_private.api_roles() as r
    where has_schema_privilege(r.oid, 'dossier_private', 'usage')
    union all
    select 'error', format('%s has no usage on the schema dossier', r.name)
    from dossier_private.api_roles() as r
    where not has_schema_privilege(r.oid, 'dossier', 'usage')
    union all
    select 'error', format('%s may create objects in the schema dossier', r.name)
    from dossier_private.api_roles() as r
    where has_schema_privilege(r.oid, 'dossier', 'create')
    union all
    select 'error', format('public may execute %s', f.name)
    from dossier_private.our_functions() as f
    where exists (
      select from aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) as granted where granted.grantee = 0)
    union all
    select 'error', format('anon may execute %s', f.name)
    from dossier_private.our_functions() as f
    join dossier_private.api_roles() as r on r.name = 'anon'
    where has_function_privilege(r.oid, f.oid, 'execute')
      and f.name not in ('dossier.limits()', 'dossier_private.limits()')
    union all
    select 'error', format('%s may not execute %s', r.name, f.name)
    from dossier_private.our_functions() as f
    join dossier_private.api_roles() as r on r.name <> 'anon'
    where f.name ~ '^dossier\.(limits|create_session|save_context|begin_upload|append_upload|finish_upload|read_content|search)\('
      and not has_function_privilege(r.oid, f.oid, 'execute');
end
$$;
comment on function dossier_private.doctor_rights() is 'Check: the API roles have the rights that they need, and no others.';

create function dossier_private.doctor_constraints() returns table (status text, finding text)
language plpgsql stable security invoker set search_path = '' rows 5
as $$
#variable_conflict use_column
begin
  return query
    select 'error', format('the constraint %I of %s was never validated', c.conname, t.name)
    from pg_catalog.pg_constraint as c
    join dossier_private.our_relations() as t on t.oid = c.conrelid
    where not c.convalidated;
end
$$;
comment on function dossier_private.doctor_constraints() is 'Check: all constraints are validated.';

create function dossier_private.doctor_triggers() returns table (status text, finding text)
language plpgsql stable security invoker set search_path = '' rows 5
as $$
#variable_conflict use_column
begin
  return query
    select 'error', format('the trigger %I of %s is disabled', g.tgname, t.name)
    from pg_catalog.pg_trigger as g
    join dossier_private.our_relations() as t on t.oid = g.tgrelid
    where g.tgenabled = 'D';
end
$$;
comment on function dossier_private.doctor_triggers() is 'Check: no trigger is disabled.';

create function dossier_private.doctor_views() returns table (status text, finding text)
language plpgsql stable security invoker set search_path = '' rows 5
as $$
#variable_conflict use_column
begin
  return query
    select distinct 'error', format('%s shows %s to %s and bypasses row level security', v.oid::regclass, t.name, r.name)
    from pg_catalog.pg_class as v
    join pg_catalog.pg_rewrite as w on w.ev_class = v.oid
    join pg_catalog.pg_depend as d
      on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = w.oid and d.refclassid = 'pg_catalog.pg_class'::regclass
    join dossier_private.our_relations() as t on t.oid = d.refobjid and t.relkind = 'r'
    join dossier_private.api_roles() as r on r.name <> 'service_role'
    where v.relkind in ('v', 'm')
      and has_schema_privilege(r.oid, v.relnamespace, 'usage') and has_any_column_privilege(r.oid, v.oid, 'select')
      and not coalesce(v.reloptions && array['security_invoker=true', 'security_invoker=on', 'security_invoker=1'], false);
end
$$;
comment on function dossier_private.doctor_views() is 'Check: no view bypasses row level security.';

create function dossier_private.doctor_dumps() returns table (status text, finding text)
language plpgsql stable security invoker set search_path = '' rows 5
as $$
#variable_conflict use_column
begin
  return query
    select 'error', format('pg_dump omits the rows of %s', t.name)
    from dossier_private.our_relations() as t
    join pg_catalog.pg_depend as d on d.classid = 'pg_catalog.pg_class'::regclass and d.objid = t.oid and d.deptype = 'e'
    join pg_catalog.pg_extension as x on x.oid = d.refobjid and x.extname = 'dossier'
    where t.relkind in ('r', 'S') and not coalesce(t.oid = any (x.extconfig), false);
end
$$;
comment on function dossier_private.doctor_dumps() is 'Check: pg_dump includes all tables.';

create function dossier_private.doctor_api() returns table (status text, finding text)
language plpgsql stable security invoker set search_path = '' rows 5
as $$
#variable_conflict use_column
begin
  return query
    select case when s.setting ~ '[=, ]dossier_private\M' then 'error' when s.setting ~ '[=, ]dossier\M' then 'ok' else 'warning' end,
      format('pgrst.db_schemas of %s is %s', coalesce(r.rolname, 'the database'), substring(s.setting from '=(.*)$'))
    from pg_catalog.pg_db_role_setting as g
    cross join lateral unnest(g.setconfig) as s (setting)
    left join pg_catalog.pg_roles as r on r.oid = g.setrole
    where s.setting like 'pgrst.db_schemas=%'
      and g.setdatabase in (0, (select d.oid from pg_catalog.pg_database as d where d.datname = current_database()));
end
$$;
comment on function dossier_private.doctor_api() is 'Check: PostgREST exposes the right schemas.';

revoke all on function
  dossier_private.api_roles, dossier_private.our_relations, dossier_private.our_functions,
  dossier_private.doctor_version,
  dossier_private.doctor_roles,
  dossier_private.doctor_ownership,
  dossier_private.doctor_login,
  dossier_private.doctor_rights,
  dossier_private.doctor_constraints,
  dossier_private.doctor_triggers,
  dossier_private.doctor_views,
  dossier_private.doctor_dumps,
  dossier_private.doctor_api
  from public, anon, authenticated, service_role;
