-- The linter: Supabase's database linter as a function, so that it runs wherever Dossier does. The doctor runs it on Dossier's
-- own schemas, and so finds changes by hand, by other migrations, or by an incomplete restore.

create function dossier_private.lint_rules() returns table (rule text, status text, fix text)
language plpgsql immutable parallel safe security invoker set search_path = '' rows 20
as $$
begin
  return query values
    ('rls_disabled', 'error', 'alter table … enable row level security'),
    ('policy_exists_rls_disabled', 'error', 'alter table … enable row level security'),
    ('rls_enabled_no_policy', 'error', 'Create the policies of the table from the SQL of this version.'),
    ('rls_references_user_metadata', 'error', 'drop policy … on …: users can change their own user_metadata.'),
    ('multiple_permissive_policies', 'warning', 'drop policy … on …: each policy allows what another refuses.'),
    ('auth_rls_initplan', 'warning', 'Wrap the call in (select …), so that it runs once per statement instead of once per row.'),
    ('definer_function_executable', 'error',
      'If the schema is private, as dossier_private is: revoke usage on schema … from anon, authenticated. '
      'Otherwise: revoke execute on function … from public, anon, authenticated.'),
    ('function_search_path_mutable', 'error', 'alter function … set search_path = '''''),
    ('security_definer_view', 'error', 'drop view …, or alter view … set (security_invoker = true)'),
    ('auth_users_exposed', 'error', 'drop view …: it exposes the users of all tenants.'),
    ('materialized_view_in_api', 'error', 'revoke select on … from anon, authenticated: no policy guards a materialized view.'),
    ('foreign_table_in_api', 'error', 'revoke select on … from anon, authenticated: no policy guards a foreign table.'),
    ('foreign_key_to_auth', 'warning', 'alter table … drop constraint …: it prevents deleting users. forget_user() erases them.'),
    ('no_primary_key', 'warning', 'alter table … add primary key (…)'),
    ('unindexed_foreign_keys', 'warning', 'create index on … (…)'),
    ('duplicate_index', 'warning', 'drop index … for one of them'),
    ('invalid_index', 'warning', 'reindex index …'),
    ('unsupported_reg_types', 'warning', 'alter table … alter column … type text: pg_upgrade refuses columns of these types.');
end
$$;
comment on function dossier_private.lint_rules() is
  'Returns the rules of the linter, with the names that Supabase''s linter uses, how severe a violation is, and how to fix it.';

create function dossier_private.lint(schemas text[]) returns table (rule text, finding text)
language plpgsql stable security invoker set search_path = '' rows 10
as $$
#variable_conflict use_column
begin
  return query
    with spaces as (
      select n.oid, exists (
        select from pg_catalog.pg_roles as r
        where r.rolname in ('anon', 'authenticated') and has_schema_privilege(r.oid, n.oid, 'usage')
      ) as exposed
      from pg_catalog.pg_namespace as n
      where n.nspname = any (schemas)
    ), relations as (
      select c.*, c.oid::regclass::text as name,
        s.exposed and exists (
          select from pg_catalog.pg_roles as r
          where r.rolname in ('anon', 'authenticated') and has_any_column_privilege(r.oid, c.oid, 'select')
        ) as readable
      from pg_catalog.pg_class as c
      join spaces as s on s.oid = c.relnamespace
    ), tables as (
      select * from relations where relkind in ('r', 'p')
    ), policies as (
      select p.*, t.name as of, t.relrowsecurity,
        concat(pg_get_expr(p.polqual, p.polrelid), ' ', pg_get_expr(p.polwithcheck, p.polrelid)) as expression
      from pg_catalog.pg_policy as p
      join tables as t on t.oid = p.polrelid
    ), functions as (
      select p.*, s.exposed, p.oid::regprocedure::text as name
      from pg_catalog.pg_proc as p
      join spaces as s on s.oid = p.pronamespace
    ), indexes as (
      select i.*, t.name as of
      from pg_catalog.pg_index as i
      join tables as t on t.oid = i.indrelid
    ), foreign_keys as (
      select c.*, t.name as of
      from pg_catalog.pg_constraint as c
      join tables as t on t.oid = c.conrelid
      where c.contype = 'f'
    )
    select 'rls_disabled', t.name from tables as t where not t.relrowsecurity
    union all
    select distinct 'policy_exists_rls_disabled', p.of from policies as p where not p.relrowsecurity
    union all
    select 'rls_enabled_no_policy', t.name
    from tables as t
    where t.relrowsecurity and not exists (select from policies as p where p.polrelid = t.oid)
    union all
    select 'rls_references_user_metadata', format('%I on %s', p.polname, p.of)
    from policies as p
    where p.expression ~ 'user_metadata'
    union all
    select distinct 'multiple_permissive_policies', format('%s on %s', string_agg(quote_ident(p.polname), ', ' order by p.polname), p.of)
    from policies as p
    -- A policy for public (role 0) applies to every role that another policy of the table names.
    join lateral (
      select distinct named.role
      from policies as any_policy cross join lateral unnest(any_policy.polroles) as named (role)
      where any_policy.polrelid = p.polrelid
    ) as r on r.role = any (p.polroles) or 0 = any (p.polroles)
    cross join lateral unnest(case p.polcmd when '*' then array['r', 'a', 'w', 'd'] else array[p.polcmd::text] end) as c (command)
    where p.polpermissive
    group by p.of, c.command, r.role
    having count(*) > 1
    union all
    select 'auth_rls_initplan', format('%I on %s', p.polname, p.of)
    from policies as p
    where regexp_replace(p.expression, '\(\s*select (\w+\.)?\w+\(', '', 'gi') ~ '\m(auth|dossier_private)\.\w+\(|\mcurrent_setting\('

    union all
    select distinct 'definer_function_executable', format('%s, by %s', f.name, r.rolname)
    from functions as f
    join pg_catalog.pg_roles as r on r.rolname in ('anon', 'authenticated')
    where f.exposed and f.prosecdef and has_function_privilege(r.oid, f.oid, 'execute')
    union all
    select 'function_search_path_mutable', f.name
    from functions as f
    join pg_catalog.pg_language as l on l.oid = f.prolang
    where l.lanname not in ('c', 'internal') -- these do not look up names
      and not coalesce(f.proconfig @> array['search_path=""'], false)

    union all
    select 'security_definer_view', v.name
    from relations as v
    where v.relkind = 'v' and v.readable
      and not coalesce(v.reloptions && array['security_invoker=true', 'security_invoker=on', 'security_invoker=1'], false)
    union all
    select distinct 'auth_users_exposed', v.name
    from relations as v
    join pg_catalog.pg_rewrite as w on w.ev_class = v.oid
    join pg_catalog.pg_depend as d on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = w.oid
    where v.readable and d.refobjid = pg_catalog.to_regclass('auth.users')
    union all
    select 'materialized_view_in_api', v.name from relations as v where v.relkind = 'm' and v.readable
    union all
    select 'foreign_table_in_api', v.name from relations as v where v.relkind = 'f' and v.readable

    union all
    select 'foreign_key_to_auth', format('%I of %s', c.conname, c.of)
    from foreign_keys as c
    join pg_catalog.pg_class as target on target.oid = c.confrelid
    join pg_catalog.pg_namespace as n on n.oid = target.relnamespace
    where n.nspname = 'auth'
    union all
    select 'no_primary_key', t.name
    from tables as t
    where not exists (select from indexes as i where i.indrelid = t.oid and i.indisprimary)
    union all
    select 'unindexed_foreign_keys', format('%I of %s', c.conname, c.of)
    from foreign_keys as c
    where not exists (
      select from indexes as i
      where i.indrelid = c.conrelid and i.indisvalid and i.indpred is null
        and (string_to_array(i.indkey::text, ' ')::smallint[])[1:cardinality(c.conkey)] @> c.conkey)
    union all
    select 'duplicate_index', format('%s of %s', string_agg(i.indexrelid::regclass::text, ', ' order by i.indexrelid), i.of)
    from indexes as i
    group by i.of, i.indkey::text, i.indclass::text, i.indoption::text, i.indcollation::text,
      coalesce(pg_get_expr(i.indpred, i.indrelid), ''), coalesce(pg_get_expr(i.indexprs, i.indrelid), '')
    having count(*) > 1
    union all
    select 'invalid_index', i.indexrelid::regclass::text from indexes as i where not i.indisvalid
    union all
    select 'unsupported_reg_types', format('%I of %s', a.attname, t.name)
    from pg_catalog.pg_attribute as a
    join tables as t on t.oid = a.attrelid
    where a.attnum > 0 and not a.attisdropped
      and a.atttypid in ('regcollation'::regtype, 'regconfig'::regtype, 'regdictionary'::regtype, 'regnamespace'::regtype,
        'regoper'::regtype, 'regoperator'::regtype, 'regproc'::regtype, 'regprocedure'::regtype);
end
$$;
comment on function dossier_private.lint(text[]) is
  'Returns violations of the rules in these schemas. A schema is exposed if anon or authenticated have usage on it.';

revoke all on function dossier_private.lint_rules, dossier_private.lint from public, anon, authenticated, service_role;
