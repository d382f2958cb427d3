-- The functions of the library as pg-extension/sql/native.sql declares them, compared with the library's symbols and its
-- source. Run from the root of the repository, with nm. See ../../setup.sql on how to run this.

begin;
select plan(5);

select setting || '/dossier.so' as library from pg_config() where name = 'PKGLIBDIR' \gset
\setenv DOSSIER_LIBRARY :library
\set symbols `nm --dynamic --defined-only "$DOSSIER_LIBRARY"`
\set source `cat pg-extension/src/*.rs`

create temporary table declared as
  select p.proname as name, p.prosrc as symbol, p.pronargs::bigint as arguments, p.proisstrict as strict, p.proretset as set_returning,
    concat(p.provolatile, p.proparallel) as marks
  from pg_proc as p
  join pg_language as l on l.oid = p.prolang
  where l.lanname = 'c' and p.pronamespace in ('dossier'::regnamespace, 'dossier_private'::regnamespace);

-- A function of the source, from its attribute to its body or its where clause.
create temporary table written as
  select parts[1] || '_wrapper' as symbol,
    (select count(*) from regexp_matches(parts[2], '\w+: ', 'g')) as arguments,
    -- Where no argument can be null, pgrx raises an error for a null, unless Postgres does not call the function at all.
    parts[2] !~ ': Option<' as strict,
    parts[3] ~ '^\s*-> *(TableIterator|SetOfIterator)<' as set_returning
  from regexp_matches(:'source', '#\[pg_extern[^\n]*\n(?:#[^\n]*\n)*[^\n]*?\mfn (\w+)\(([^)]*)\)([^{]*)', 'g') as parts;

select isnt_empty('select from declared', 'the extension has functions of the library');
select set_eq(
  'select symbol from declared',
  $$ select parts[1] from regexp_matches($$ || quote_literal(:'symbols') || $$, '\mpg_finfo_(\w+)', 'g') as parts $$,
  'each function that the library offers is declared, and no other');
select set_eq(
  $$ select parts[1] from regexp_matches($$ || quote_literal(:'symbols') || $$, '\m(\w+_wrapper)\M', 'g') as parts where parts[1] !~ '^pg_finfo_' $$,
  'select symbol from declared',
  'each of them is in the library, and no other');
select set_eq(
  'select symbol, arguments, strict, set_returning from declared',
  'select symbol, arguments, strict, set_returning from written',
  'each takes as many arguments as it is written with, is strict where none of them can be null, and returns rows where it is written so');
select is_empty($$
  select name, marks from declared where marks <> 'vu'
$$, 'none is folded or run in a parallel worker: each starts a process and waits for a slot');

select * from finish();
rollback;
