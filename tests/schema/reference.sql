-- The generated part of docs/sql.md: everything users and services may call and read, from the comments. Native
-- functions exist only in some installs and are described there by hand. Run like snapshot.sql.

set search_path = '';

with callers (place, title, role) as (
  values
    (1, 'Functions for users', 'authenticated'),
    (2, 'Functions for services', 'service_role'),
    (3, 'Functions for the owner of the database', 'the owner')
), functions as (
  select p.oid, p.proname,
    -- Like people write it: without the casts that Postgres adds.
    replace(replace(
      pg_catalog.regexp_replace(pg_catalog.pg_get_function_arguments(p.oid), '(NULL|''[^'']*'')::[a-z ]+(\[\])?', '\1', 'g'),
      'DEFAULT ', 'default '), 'default NULL', 'default null') as arguments,
    replace(replace(pg_catalog.pg_get_function_result(p.oid), 'TABLE(', 'table ('), 'SETOF ', 'setof ') as result,
    pg_catalog.obj_description(p.oid, 'pg_proc') as comment,
    case
      when pg_catalog.has_function_privilege('authenticated', p.oid, 'execute') then 'authenticated'
      when pg_catalog.has_function_privilege('service_role', p.oid, 'execute') then 'service_role'
      else 'the owner'
    end as role
  from pg_catalog.pg_proc as p
  join pg_catalog.pg_language as l on l.oid = p.prolang
  where p.pronamespace = 'dossier'::regnamespace and l.lanname <> 'c' and p.proname <> 'job_outcome'
), tables as (
  select c.oid, c.relname, pg_catalog.obj_description(c.oid, 'pg_class') as comment
  from pg_catalog.pg_class as c
  where c.relnamespace = 'dossier'::regnamespace and c.relkind in ('r', 'p', 'v')
), lines (place, name, line_number, line) as (
  select callers.place, '', 0, format(E'\n## %s', callers.title) from callers
  union all
  select callers.place, f.proname, 1, format(E'\n### %s\n\n```sql\ndossier.%s(%s)\n  returns %s\n```\n\n%s',
    f.proname, f.proname,
    case when length(f.arguments) > 90 then format(E'\n  %s\n', replace(f.arguments, ', ', E',\n  ')) else f.arguments end,
    case when length(f.result) > 100 then replace(replace(replace(f.result, ', ', E',\n    '), 'table (', E'table (\n    '), ')', E'\n  )')
      else f.result end,
    pg_catalog.regexp_replace(f.comment, '[*<]', '\\\&', 'g'))
  from functions as f
  join callers using (role)
  union all
  select 4, '', 0, E'\n## Tables'
  union all
  select 4, t.relname, 1, format(E'\n### Table %s\n\n%s\n\n| column | type | is |\n|---|---|---|', t.relname, pg_catalog.regexp_replace(t.comment, '[*<]', '\\\&', 'g')) from tables as t
  union all
  select 4, t.relname, 1 + a.attnum, format('| `%s` | %s%s | %s |', a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
    case when a.attnotnull then '' else ', nullable' end,
    pg_catalog.regexp_replace(pg_catalog.col_description(t.oid, a.attnum), '[*<|]', '\\\&', 'g'))
  from tables as t
  join pg_catalog.pg_attribute as a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
)
select line from lines order by place, name collate "C", line_number;
