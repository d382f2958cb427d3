-- Differences between two versions of a context. See ../setup.sql for how to run this.

begin;
select plan(28);
select tests.fixture();
insert into dossier.sessions (id, organization_id, user_id) values (tests.id('bare'), tests.id('alpha'), 'alpha-member');

select tests.login('alpha-member');
select from dossier.save_context(tests.id('alpha session'), E'one\ntwo\nthree', '{"stage":"discovery","n":1}');
select tests.login('alpha-owner');
select from dossier.save_context(tests.id('alpha session'), context_metadata => '{"stage":"closing","who":"x"}');
select from dossier.save_context(tests.id('alpha session'), E'one\n2\nthree\nfour');
select tests.logout();

select is(tests.outcomes($$ select from dossier.diff_context(tests.id('alpha session'), 2, 4) $$),
  'owner 9, admin 9, member 9, viewer 9, other PT404, nobody PT404, anon 42501, service 9', 'callers that compare');
select tests.login('alpha-viewer');
select results_eq($$ select * from dossier.diff_context(tests.id('alpha session'), 2, 4) $$, $$ values
  ('text', 1, 'same', 1, 1, 'one'), ('text', 1, 'removed', 2, null, 'two'), ('text', 1, 'added', null, 2, '2'),
  ('text', 1, 'same', 3, 3, 'three'), ('text', 1, 'added', null, 4, 'four'),
  ('metadata', null, 'removed', null, null, '"n": 1'), ('metadata', null, 'removed', null, null, '"stage": "discovery"'),
  ('metadata', null, 'added', null, null, '"stage": "closing"'), ('metadata', null, 'added', null, null, '"who": "x"') $$,
  'lines, then keys');
select results_eq($$ select * from dossier.diff_context(tests.id('alpha session'), 2, 4, 0) $$, $$ values
  ('text', 1, 'removed', 2, null::integer, 'two'), ('text', 1, 'added', null, 2, '2'), ('text', 2, 'added', null, 4, 'four'),
  ('metadata', null, 'removed', null, null, '"n": 1'), ('metadata', null, 'removed', null, null, '"stage": "discovery"'),
  ('metadata', null, 'added', null, null, '"stage": "closing"'), ('metadata', null, 'added', null, null, '"who": "x"') $$,
  'without the lines around them');
select results_eq($$ select part, change, line from dossier.diff_context(tests.id('alpha session'), 0, 1) $$,
  $$ values ('text', 'added', 'alpha context') $$, 'version 0 is before the first');
select results_eq($$ select change, line from dossier.diff_context(tests.id('alpha session'), 3, context_lines => 0) where part = 'text' $$,
  $$ values ('removed', 'two'), ('added', '2'), ('added', 'four') $$, 'the second version is the one in force unless named');
select is_empty($$ select from dossier.diff_context(tests.id('alpha session'), 4, 4) $$, 'equal versions differ in nothing');
select results_eq($$ select change, line from dossier.diff_context(tests.id('alpha session'), 4, 3, 0) $$,
  $$ values ('removed', '2'), ('added', 'two'), ('removed', 'four') $$, 'backwards, too');
select tests.refuses($$ select from dossier.diff_context(tests.id('alpha session'), 9, 1) $$, 'PT404', 'The context has no version 9', 'a first version that is not there');
select tests.refuses($$ select from dossier.diff_context(tests.id('alpha session'), 1, 9) $$, 'PT404', 'The context has no version 9', 'a second version that is not there');
select tests.refuses($$ select from dossier.diff_context(tests.id('bare'), 0) $$, 'PT404', 'The session has no context yet', 'nothing to compare');
select tests.refuses($$ select from dossier.diff_context(tests.id('alpha session'), null, 1) $$, 'PT404', 'The context has no version null', 'no first version');
select tests.refuses($$ select from dossier.diff_context(tests.id('alpha session'), 1, 2, -1) $$, 'PT400', 'context_lines must be between 0 and 1000000', 'negative context');
select tests.refuses($$ select from dossier.diff_context(tests.id('alpha session'), 1, 2, null) $$, 'PT400', 'context_lines must be between 0 and 1000000', 'null context');
select tests.refuses($$ select from dossier.diff_context(tests.id('beta session'), 1, 1) $$, 'PT404', 'Session not found', 'another tenant''s session to compare');
select tests.logout();

-- The lines of a difference.

create function pg_temp.diff(from_text text, to_text text, context_lines integer default 3) returns text
language sql as $$
  select string_agg(format('%s%s%s', hunk, case change when 'same' then ' ' when 'removed' then '-' else '+' end, line), '|')
  from dossier_private.diff_text(from_text, to_text, context_lines)
$$;
select is(pg_temp.diff(from_text, to_text, 1), expected, what)
from (values
  ('', '', null, 'nothing and nothing'),
  ('a', 'a', null, 'the same'),
  ('', 'a', '1+a', 'all new'),
  ('a', '', '1-a', 'all gone'),
  ('a', E'a\n', '1 a|1+', 'a line feed at the end is a line'),
  (E'a\nb\nc', E'a\nx\nc', '1 a|1-b|1+x|1 c', 'removed before added'),
  (E'1\n2\n3\n4', E'0\n1\n2\n3\n4\n5', '1+0|1 1|2 4|2+5', 'changes far apart are two hunks'),
  (E'1\n2', E'0\n1\n2\n3', '1+0|1 1|1 2|1+3', 'near ones are one'),
  (E'a\n}\n\nb\n}', E'a\n}\n\nx\n}\n\nb\n}', '1 |1+x|1+}|1+|1 b', 'lines that repeat do not mislead'),
  (E'b\na\nb\na', E'a\nb\na\nb', '1-b|1 a|2 a|2+b', 'texts whose lines all repeat are compared'),
  (E'one\ntwo\nthree\nfour\nfive', E'three\nfour\nfive\none\ntwo', '1-one|1-two|1 three|2 five|2+one|2+two', 'a line that moved is removed and added')
) as t (from_text, to_text, expected, what);

-- For any two texts: kept and removed lines are the first, kept and added lines the second, each once and in order.
create function pg_temp.random_text(seed integer) returns text
language sql as $$
  select string_agg(chr(97 + (hashint8(seed * 1000 + n) & 65535) % (2 + seed % 12)), E'\n' order by n)
  from generate_series(1, (hashint4(seed) & 65535) % 30) as n
$$;
select is_empty($$
  with pairs as (
    select n, coalesce(pg_temp.random_text(n), '') as from_text, coalesce(pg_temp.random_text(n + 500), '') as to_text from generate_series(1, 400) as n
  )
  select n from pairs
  left join lateral (
    select
      string_agg(d.line, E'\n' order by d.from_line) filter (where d.change <> 'added') as read_from,
      string_agg(d.line, E'\n' order by d.to_line) filter (where d.change <> 'removed') as read_to,
      array_agg(d.from_line order by d.place) filter (where d.from_line is not null) as from_lines,
      array_agg(d.to_line order by d.place) filter (where d.to_line is not null) as to_lines
    from (select *, row_number() over () as place from dossier_private.diff_text(from_text, to_text, 1000)) as d
  ) as diff on true
  where from_text <> to_text and (
    coalesce(read_from, '') <> from_text or coalesce(read_to, '') <> to_text
    or from_lines <> array(select generate_series(1, cardinality(from_lines)))
    or to_lines <> array(select generate_series(1, cardinality(to_lines))))
$$, 'four hundred differences say how to get from the one text to the other');

-- Texts of the maximum size that are slow to compare: a quadratic comparison would take hours.
set local statement_timeout = '60s';
select is((select count(*)::integer from dossier_private.diff_text(repeat(E'\n', 1048576), repeat(E'x\n', 524288), 3)), 1572865, 'empty lines against equal lines');
select ok((
  with lines as (select lpad(to_hex(n), 5, '0') as line from generate_series(1, 150000) as n),
    texts as (select string_agg(line, E'\n' order by md5(line)) as one, string_agg(line, E'\n' order by md5(line || '!')) as other from lines)
  select count(*) > 150000 from texts, dossier_private.diff_text(one, other, 3)
), 'a hundred and fifty thousand lines in another order');
reset statement_timeout;

select * from finish();
rollback;
