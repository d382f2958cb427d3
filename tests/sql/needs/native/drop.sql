-- Dropping the extension is refused while there is data. See ../../setup.sql for how to run this.

begin;
select plan(12);
select tests.fixture();

select tests.refuses(statement, '2BP01', 'Dossier contains % organizations and % documents', statement)
from (values
  ('drop extension dossier'),
  ('DROP  EXTENSION "dossier" RESTRICT'),
  ('drop extension if exists dossier'),
  ('drop extension pgtap, dossier')
) as t (statement);
select throws_ok('drop extension missing', '42704', null, 'other extensions are none of its business');
select throws_ok('drop schema dossier cascade', '2BP01', null, 'the schema cannot be dropped without the extension');
select is((select count(*) from dossier.organizations where name in ('alpha', 'beta')), 2::bigint, 'nothing is lost');

-- So is dropping it through other objects.

create function pg_temp.survives(statement text) returns text
language plpgsql as $$
declare
  kept boolean;
begin
  begin
    execute statement;
    kept := exists (select from pg_extension where extname = 'dossier');
    raise exception using errcode = 'UNDO0';
  exception when sqlstate 'UNDO0' then
    return ok(kept, statement);
  end;
end
$$;
set local client_min_messages = error;
select pg_temp.survives('drop schema public cascade');
create table public.dossier_tests_members (organization_id uuid, user_id uuid, role text);
select lives_ok($$ select dossier.use_membership('public.dossier_tests_members', role_column => 'role') $$, 'members of an app''s');
select pg_temp.survives('drop table public.dossier_tests_members cascade');

savepoint before;
select lives_ok('drop extension dossier cascade', 'with cascade it goes');
rollback to before;

delete from dossier.organizations;
select lives_ok('drop extension dossier', 'and where nothing is kept, as it is');

select * from finish();
rollback;
