-- Keys and tenants: a row can never belong to another organization's row, and the schema could be partitioned or
-- distributed by organization. See ../setup.sql on how to run this.

begin;
select plan(8);

create function pg_temp.columns(table_id oid, numbers smallint[]) returns name[]
language sql as $$
  select array_agg(a.attname order by n.place)
  from unnest(numbers) with ordinality as n (number, place)
  join pg_attribute a on a.attrelid = table_id and a.attnum = n.number
$$;
create temporary view tables as
  select c.oid, c.relname as name, exists (
    select from pg_attribute a where a.attrelid = c.oid and a.attname = 'organization_id') as of_tenants
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname in ('dossier', 'dossier_private') and c.relkind in ('r', 'p');
create temporary view references_to_tenants as
  select t.name, k.conname, pg_temp.columns(k.conrelid, k.conkey) as columns,
    pg_temp.columns(k.confrelid, k.confkey) as referenced, p.name as parent
  from pg_constraint k
  join tables t on t.oid = k.conrelid
  join tables p on p.oid = k.confrelid and (p.of_tenants or p.name = 'organizations')
  where k.contype = 'f';
create temporary view keys as
  select t.oid, t.name, c.relname as index, pg_temp.columns(i.indrelid, i.indkey[:i.indnkeyatts - 1]) as columns,
    i.indisunique, i.indisprimary, pg_get_expr(i.indpred, i.indrelid) as predicate, i.indexrelid, i.indrelid
  from pg_index i join tables t on t.oid = i.indrelid join pg_class c on c.oid = i.indexrelid
  where t.of_tenants;

select cmp_ok((select count(*) from tables where of_tenants), '>=', 17::bigint, 'there are tables of tenants to look at');
select is_empty($$
  select name from references_to_tenants r
  where not exists (select from tables t where t.name = r.name and t.of_tenants)
$$, 'a table that refers to a tenant''s row has an organization');
select is_empty($$
  select t.name from tables t join pg_attribute a on a.attrelid = t.oid and a.attname = 'organization_id'
  where not a.attnotnull
$$, 'and never without one');
select is_empty($$
  select name, conname from references_to_tenants
  where parent <> 'organizations'
    and array_position(columns, 'organization_id') is distinct from array_position(referenced, 'organization_id')
    or parent <> 'organizations' and array_position(columns, 'organization_id') is null
$$, 'a foreign key refers to a row of the same organization');
select is_empty($$
  select name, index from keys
  where indisunique and not 'organization_id' = any (columns)
    -- Ids are unique in all organizations, and so is what a store calls its bytes.
    and not (indisprimary and columns = array['id']::name[])
    and index <> 'documents_storage_key_idx'
$$, 'every unique key includes the organization');
select is_empty($$
  select name from keys where indisprimary and columns = array['id']::name[]
    and exists (select from references_to_tenants r where r.parent = keys.name)
    and not exists (select from keys other where other.name = keys.name and other.indisunique
      and other.columns @> array['id', 'organization_id']::name[] and cardinality(other.columns) = 2)
$$, 'every referenced table has a key of id and organization');
select is_empty($$
  select shorter.index, longer.index
  from keys as shorter join keys as longer on longer.indrelid = shorter.indrelid and longer.indexrelid <> shorter.indexrelid
  where not shorter.indisunique
    and pg_get_indexdef(longer.indexrelid) ilike '%using btree%' and shorter.predicate is not distinct from longer.predicate
    and longer.columns[:cardinality(shorter.columns)] = shorter.columns
    and pg_get_indexdef(shorter.indexrelid) not ilike '%include%'
$$, 'no index is the beginning of another');

-- The keys at work.

select tests.fixture();
select throws_ok(
  $$ insert into dossier.document_pages (organization_id, document_id, page, text) values (tests.id('beta'), tests.id('alpha document'), 2, 'x') $$,
  '23503', null, 'a page of one organization cannot belong to a document of another');

select * from finish();
rollback;
