-- Dropping the extension: not by accident. See ../00_setup.sql on how to run this.

begin;
select plan(9);
select tests.fixture();

select tests.refuses(statement, '2BP01', 'Dossier holds % organizations and % documents', statement)
from (values
  ('drop extension dossier'),
  ('DROP  EXTENSION "dossier" RESTRICT'),
  ('drop extension if exists dossier'),
  ('drop extension pgtap, dossier')
) as t (statement);
select throws_ok('drop extension missing', '42704', null, 'other extensions are none of its business');
select throws_ok('drop schema dossier cascade', '2BP01', null, 'nor does the schema go without the extension');
select is((select count(*) from dossier.organizations where name in ('alpha', 'beta')), 2::bigint, 'nothing is lost');

savepoint before;
set local client_min_messages = error;
select lives_ok('drop extension dossier cascade', 'with cascade it goes');
rollback to before;

delete from dossier.organizations;
select lives_ok('drop extension dossier', 'and where nothing is kept, as it is');

select * from finish();
rollback;
