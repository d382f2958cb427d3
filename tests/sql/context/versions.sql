-- Versions of a context: history, restoring, comparing, retention. See ../setup.sql for how to run this.

begin;
select plan(49);
select tests.fixture();

select tests.login('alpha-member');
select from dossier.save_context(tests.id('alpha session'), E'one\ntwo\nthree', '{"stage":"discovery","n":1}');
select tests.login('alpha-owner');
select from dossier.save_context(tests.id('alpha session'), context_metadata => '{"stage":"closing","who":"x"}');
select from dossier.save_context(tests.id('alpha session'), E'one\n2\nthree\nfour');
select tests.logout();

-- context_history.

select is(tests.outcomes($$ select from dossier.context_history(tests.id('alpha session')) $$),
  'owner 4, admin 4, member 4, viewer 4, other 0, nobody 0, anon 42501, service 4', 'callers that see the history');
select tests.login('alpha-viewer');
select results_eq($$ select version, updated_by, text_changed, metadata_changed, text_bytes, text_start from dossier.context_history(tests.id('alpha session')) $$,
  $$ values (4, 'alpha-owner', true, false, 16, E'one\n2\nthree\nfour'), (3, 'alpha-owner', false, true, 13, E'one\ntwo\nthree'),
    (2, 'alpha-member', true, true, 13, E'one\ntwo\nthree'), (1, 'alpha-member', true, true, 13, 'alpha context') $$,
  'newest first, with who changed what');
select results_eq($$ select version from dossier.context_history(tests.id('alpha session'), limit_count => 2) $$, array[4, 3], 'a page of it');
select results_eq($$ select version from dossier.context_history(tests.id('alpha session'), 3, 2) $$, array[2, 1], 'the next page');
select is_empty($$ select from dossier.context_history(tests.id('alpha session'), 1) $$, 'and then nothing');
select is_empty($$ select from dossier.context_history(null) $$, 'no session has no history');
select tests.refuses($$ select from dossier.context_history(tests.id('alpha session'), null, 0) $$, 'PT400', 'limit_count must be between 1 and 100', 'no rows');
select tests.refuses($$ select from dossier.context_history(tests.id('alpha session'), null, 101) $$, 'PT400', 'limit_count must be between 1 and 100', 'too many rows');
select tests.refuses($$ select from dossier.context_history(tests.id('alpha session'), null, null) $$, 'PT400', 'limit_count must be between 1 and 100', 'a null limit');

-- read_context_version.

select is(tests.outcomes($$ select from dossier.read_context_version(tests.id('alpha session'), 1) $$),
  'owner 1, admin 1, member 1, viewer 1, other PT404, nobody PT404, anon 42501, service 1', 'callers that read a version');
select is((dossier.read_context_version(tests.id('alpha session'), 1)).text_context, 'alpha context', 'the text of a version');
select tests.refuses($$ select dossier.read_context_version(tests.id('alpha session'), 99) $$, 'PT404', 'The context has no version 99', 'a version that is not kept');

-- restore_context.

select is(tests.outcomes($$ select from dossier.restore_context(tests.id('alpha session'), 2) $$),
  'owner 1, admin 1, member 1, viewer 42501, other PT404, nobody PT404, anon 42501, service 1', 'callers that restore');
select tests.login('alpha-admin');
select results_eq($$ select text_context, context_metadata, version, updated_by from dossier.restore_context(tests.id('alpha session'), 2) $$,
  $$ values (E'one\ntwo\nthree', '{"stage":"discovery","n":1}'::jsonb, 5, 'alpha-admin') $$, 'text and metadata come back, as a new version');
select results_eq($$ select text_context, context_metadata, version from dossier.session_context where session_id = tests.id('alpha session') $$,
  $$ values (E'one\ntwo\nthree', '{"stage":"discovery","n":1}'::jsonb, 5) $$, 'which is in force');
select is((select text_context from dossier.session_context_versions where session_id = tests.id('alpha session') and version = 4), E'one\n2\nthree\nfour', 'nothing in between is lost');
select is((dossier.restore_context(tests.id('alpha session'), 4, 5)).version, 6, 'with the version that is expected');
select tests.refuses($$ select dossier.restore_context(tests.id('alpha session'), 1, 5) $$, 'PT409', 'The context has changed since you read it', 'a stale version');
select tests.refuses($$ select dossier.restore_context(tests.id('alpha session'), 7) $$, 'PT404', 'The context has no version 7', 'a version to come');
select tests.refuses($$ select dossier.restore_context(tests.id('alpha session'), 0) $$, 'PT404', 'The context has no version 0', 'version 0');
select tests.refuses($$ select dossier.restore_context(tests.id('alpha session'), null) $$, 'PT404', 'The context has no version null', 'no version');
select tests.refuses($$ select dossier.restore_context(tests.id('beta session'), 1) $$, 'PT404', 'Session not found', 'another tenant''s session');
select tests.refuses($$ select dossier.restore_context(null, 1) $$, 'PT404', 'Session not found', 'no session');
select tests.refuses($$ select dossier.restore_context((dossier.create_session('bare')).id, 1) $$, 'PT404', 'The session has no context yet', 'a session without context');
select tests.login('alpha-viewer');
select tests.refuses($$ select dossier.restore_context(tests.id('alpha session'), 1) $$, '42501', 'You may not write in this organization', 'a viewer');

-- Retention.

select is(tests.outcomes($$ select from dossier.set_context_retention(tests.id('alpha'), 2) $$),
  'owner 1, admin 1, member 42501, viewer 42501, other PT404, nobody PT404, anon 42501, service 1', 'callers that set the retention');
select is(tests.outcomes(statement), 'owner 42501, admin 42501, member 42501, viewer 42501, other 42501, nobody 42501, anon 42501, service 42501', 'nobody does by hand: ' || statement)
from (values
  ($$ insert into dossier.context_retention values (tests.id('alpha')) $$),
  ($$ update dossier.context_retention set keep_days = 1 $$),
  ($$ delete from dossier.context_retention $$)
) as t (statement);
select tests.login('alpha-admin');
select tests.refuses($$ select dossier.set_context_retention(tests.id('alpha'), 0) $$, 'PT400', 'keep_versions must be 1 to 1000000 and keep_days 1 to 36500', 'keeping none');
select tests.refuses($$ select dossier.set_context_retention(tests.id('alpha'), keep_days => 0) $$, 'PT400', 'keep_versions must be 1 to 1000000 and keep_days 1 to 36500', 'keeping for no day');
select tests.refuses($$ select dossier.set_context_retention(tests.id('alpha'), keep_days => 36501) $$, 'PT400', 'keep_versions must be 1 to 1000000 and keep_days 1 to 36500', 'keeping for more than a century');
select tests.refuses($$ select dossier.set_context_retention(tests.id('nothing'), 1) $$, 'PT404', 'Organization not found', 'an organization that does not exist');
select tests.login(null, 'service_role');
select tests.refuses($$ select dossier.set_context_retention(tests.id('nothing'), 1) $$, 'PT404', 'Organization not found', 'not even for a service');
select tests.logout();

create function pg_temp.kept() returns text
language sql as $$
  select string_agg(version::text, ' ' order by version) from dossier.session_context_versions where session_id = tests.id('alpha session')
$$;
create function pg_temp.age(version integer, age interval) returns void
language sql as $$
  update dossier.session_context_versions as v set updated_at = now() - age
  where v.session_id = tests.id('alpha session') and v.version = age.version
$$;
select tests.login('alpha-admin');
select results_eq($$ select keep_versions, keep_days from dossier.set_context_retention(tests.id('alpha'), 3) $$, $$ values (3, null::integer) $$, 'keep three versions');
select is(pg_temp.kept(), '4 5 6', 'older ones go at once');
select from dossier.save_context(tests.id('alpha session'), 'seventh');
select is(pg_temp.kept(), '5 6 7', 'and with every save');
select tests.refuses($$ select dossier.restore_context(tests.id('alpha session'), 4) $$, 'PT404', 'The context has no version 4', 'a removed version cannot be restored');
select is((dossier.restore_context(tests.id('alpha session'), 5)).version, 8, 'the oldest that is kept is');
select is(pg_temp.kept(), '6 7 8', 'and may go by that');
select is(tests.outcomes($$ select from dossier.context_retention where organization_id = tests.id('alpha') $$),
  'owner 1, admin 1, member 1, viewer 1, other 0, nobody 0, anon 42501, service 1', 'retention is visible to members and services');

select tests.logout();
select pg_temp.age(v, (20 - v) * interval '1 day') from generate_series(6, 8) as v;
select is(dossier_private.sweep_versions(), 0, 'a number alone leaves nothing to a sweep');
select tests.login('alpha-admin');
select from dossier.set_context_retention(tests.id('alpha'), keep_days => 13);
select is(pg_temp.kept(), '8', 'days: what is older goes');
select from dossier.save_context(tests.id('alpha session'), 'ninth');
select from dossier.save_context(tests.id('alpha session'), 'tenth');
select is(pg_temp.kept(), '8 9 10', 'younger versions stay, however many');
select tests.logout();
update dossier.context_retention set swept_until = '-infinity' where organization_id = tests.id('alpha');
select pg_temp.age(8, '14 days'), pg_temp.age(9, '2 days'), pg_temp.age(10, '20 days');
select is(dossier_private.sweep_versions(), 1, 'a sweep removes what has come of age');
select is(pg_temp.kept(), '9 10', 'but not the version in force');
select is(dossier_private.sweep_versions(), 0, 'the next one has nothing to do');
select tests.login('alpha-admin');
select from dossier.set_context_retention(tests.id('alpha'), 2, 1);
select from dossier.save_context(tests.id('alpha session'), 'eleventh');
select is(pg_temp.kept(), '10 11', 'both: what either keeps stays');
select from dossier.set_context_retention(tests.id('alpha'));
select count(dossier.save_context(tests.id('alpha session'), n::text)) from generate_series(12, 15) as n;
select is(pg_temp.kept(), '10 11 12 13 14 15', 'without a rule everything stays');
select tests.logout();

select * from finish();
rollback;
