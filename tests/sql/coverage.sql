-- Gaps of the other tests: functions and tables that some kind of caller has not tried, and errors that no test has
-- provoked. Found by reading their text, so it is run from the root of the repository. See setup.sql.

begin;
select plan(4);

\set product `scripts/schema-files | xargs -d "\n" cat && cat pg-extension/sql/*.sql`
\set tests `cat tests/sql/*/*.sql tests/sql/needs/*/*.sql`

-- Every kind of caller.

create temporary table tried as
  select lower(quoted.parts[1]) as statement
  from regexp_matches(:'tests', 'tests\.outcomes\(.*?;\n', 'g') as assertion (parts),
    regexp_matches(assertion.parts[1], '\$\$([^$]*)\$\$', 'g') as quoted (parts);

select is_empty($$
  select distinct p.proname
  from pg_proc p
  where p.pronamespace = 'dossier'::regnamespace
    and not exists (select from tried where statement ~ format('\mdossier\.%s\(', p.proname))
$$, 'every function is called by every kind of caller');

select is_empty($$
  select c.relname, command.name
  from pg_class c
  cross join (values
    ('select', '^\s*(with|select)\M.*\mfrom dossier\.%s\M'), ('insert', '\minsert into dossier\.%s\M'),
    ('update', '\mupdate dossier\.%s\M'), ('delete', '\mdelete from dossier\.%s\M')
  ) as command (name, pattern)
  where c.relnamespace = 'dossier'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
    and not exists (select from tried where statement ~ format(command.pattern, c.relname))
$$, 'every table is read, inserted into, updated and deleted from by every kind of caller');

-- Every error. A message may be one of several, or be composed: its fixed part counts.

create temporary table raised as
  select parts[1] as codes, parts[2] as messages
  from regexp_matches(:'product', 'raise exception using\s+?errcode = (.*?),\n\s+?message = (.*?),\n\s+?detail = .*?,\n\s+?hint = ', 'g') as parts;
create temporary table messages as
  select distinct code.parts[1] as code, replace(message.parts[1], '''''', '''') as message
  from raised
  left join lateral regexp_matches(raised.codes, '''(\w{5})''', 'g') as code (parts) on true -- otherwise a condition name, or another error's code
  cross join lateral regexp_matches(raised.messages, '''((?:[^'']|'''')*)''', 'g') as message (parts)
  where message.parts[1] ~ '[[:alpha:]%].* ';
create temporary table asserted as
  select parts[1] as code, replace(parts[2], '''''', '''') as message
  from regexp_matches(:'tests', '''(\w{5})'',\s*(?:''message'', )?''((?:[^'']|'''')*)''', 'g') as parts;

select is((select count(*) from raised), (select nullif(count(*), 0) from regexp_matches(:'product', 'raise exception', 'g')),
  'every error has a code, a message, a detail and a hint');
select is_empty($$
  select messages.code, messages.message
  from messages
  where not exists (
    select from asserted
    where asserted.code = coalesce(messages.code, asserted.code)
      and asserted.message like regexp_replace(replace(messages.message, '_', '\_'), '%[sIL]', '%', 'g'))
$$, 'every error is provoked, with its code and its message');

select * from finish();
rollback;
