-- The plans of one statement of bench/statements, and of every statement inside the functions that it calls.
--
--   psql -v file=bench/statements/NAME.sql -d DATABASE -f bench/plans.sql    a database filled by bench/data.sql; as a superuser
--
-- auto_explain prints them as notices, for a member of the organization Bench 2.

\set ON_ERROR_STOP on
\set QUIET on
\set query banding
select o.id as organization,
  (select s.id from dossier.sessions as s where s.organization_id = o.id and s.title = 'Session 0') as session,
  (select d.id from dossier.documents as d where d.organization_id = o.id and d.name = 'report 0.pdf') as document
from dossier.organizations as o where o.name = 'Bench 2' \gset

load 'auto_explain';
set auto_explain.log_nested_statements = on;
set auto_explain.log_level = notice;
set jit = off;
\o /dev/null
begin;
select set_config('request.jwt.claims', '{"sub": "bench-2"}', true);
set auto_explain.log_min_duration = 0;
set local role authenticated;
\i :file
rollback;
