-- Every row and sequence of Dossier: one line per table, with the number of rows and a digest of all. Run with psql -At.

set search_path = '';
set bytea_output = hex;
set timezone = 'UTC';

select format($query$
    select format('%%s rows in %1$I.%2$I %%s', count(*), md5(string_agg(md5(t::text), '' order by md5(t::text)))) from %1$I.%2$I as t
  $query$, n.nspname, c.relname)
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where n.nspname in ('dossier', 'dossier_private') and c.relkind = 'r'
order by n.nspname, c.relname
\gexec

select format('select format(''%%s is where %1$I.%2$I stands'', last_value) from %1$I.%2$I', n.nspname, c.relname)
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where n.nspname in ('dossier', 'dossier_private') and c.relkind = 'S'
order by n.nspname, c.relname
\gexec
