-- What an organization stores, counted as it changes: the only measure of the quotas max_bytes and max_documents, and of usage().
--
-- Adding up all rows of an organization for each chunk of an upload would take longer with every document. So triggers record
-- each change as a row of stored_amounts. Rows are added and never changed: no request waits for another. One change in a hundred
-- merges the rows of its organization, and sweep() merges the others, so that their sum is always cheap.
--
-- Invariant: an amount depends only on the row that is counted, so that a deletion subtracts exactly what the insertion added.
-- Invariant: workers are not refused. Extracted text and thumbnails count, and if they exceed a quota, the next upload is refused.
-- The search index is not counted, nor are embeddings, which only services save.

create table dossier_private.stored_amounts (
  id bigint not null generated always as identity,
  organization_id uuid not null,
  kind text not null,
  amount bigint not null,
  merged boolean not null default false,
  constraint stored_amounts_pkey primary key (id),
  constraint stored_amounts_kind_check check (kind in ('documents', 'files', 'text', 'contexts', 'metadata', 'thumbnails', 'imports'))
);
comment on table dossier_private.stored_amounts is
  'Changes of what organizations store. The sum of an organization''s rows of a kind is what it stores of that kind.';
comment on column dossier_private.stored_amounts.id is 'Key.';
comment on column dossier_private.stored_amounts.organization_id is
  'The organization. No foreign key: deleting an organization must not wait for everyone who writes in it.';
comment on column dossier_private.stored_amounts.kind is
  'documents: their number. Otherwise bytes: files, text (extracted or imported), contexts, metadata (names, titles, metadata), '
  'thumbnails, imports (staged records).';
comment on column dossier_private.stored_amounts.amount is 'The change; negative if less is stored.';
comment on column dossier_private.stored_amounts.merged is 'Whether other rows have been merged into this one.';

create index stored_amounts_organization_id_kind_idx on dossier_private.stored_amounts (organization_id, kind) include (amount);
-- For the sweeper.
create index stored_amounts_changes_idx on dossier_private.stored_amounts (id) where not merged;

create table dossier_private.arriving_uploads (
  organization_id uuid not null,
  document_id uuid not null,
  bytes bigint not null,
  constraint arriving_uploads_pkey primary key (organization_id, document_id),
  constraint arriving_uploads_document_fkey foreign key (organization_id, document_id)
    references dossier.documents (organization_id, id) on delete cascade
);
comment on table dossier_private.arriving_uploads is
  'Bytes that have arrived of unfinished uploads whose size was not declared. Once an upload is finished, the document counts.';
comment on column dossier_private.arriving_uploads.organization_id is 'Organization of the document.';
comment on column dossier_private.arriving_uploads.document_id is 'The document.';
comment on column dossier_private.arriving_uploads.bytes is 'Bytes of its chunks.';

create function dossier_private.value_bytes(value jsonb) returns bigint
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  return case when value is null or value = '{}' then 0 else octet_length(value::text) end;
end
$$;
comment on function dossier_private.value_bytes(jsonb) is 'Returns the bytes of a JSON value as text; 0 for an empty object.';

create function dossier_private.measures() returns table (relation text, kind text, columns text[], amount text)
language plpgsql immutable parallel safe security invoker set search_path = '' rows 10
as $$
begin
  return query values
    ('dossier.sessions', 'metadata', array['title'], 'coalesce(octet_length(counted.title), 0)'),
    ('dossier.session_context', 'contexts', array['text_context', 'context_metadata'],
      'octet_length(counted.text_context) + dossier_private.value_bytes(counted.context_metadata)'),
    ('dossier.session_context_versions', 'contexts', array['text_context', 'context_metadata'],
      'octet_length(counted.text_context) + dossier_private.value_bytes(counted.context_metadata)'),
    ('dossier.documents', 'documents', '{}', '1'),
    ('dossier.documents', 'files', array['size_bytes', 'storage'], 'case counted.storage when ''none'' then 0 else coalesce(counted.size_bytes, 0) end'),
    ('dossier.documents', 'metadata', array['name', 'metadata'], 'octet_length(counted.name) + dossier_private.value_bytes(counted.metadata)'),
    ('dossier.documents', 'text', array['file_metadata'], 'dossier_private.value_bytes(counted.file_metadata)'),
    ('dossier.document_pages', 'text', array['text', 'structure'],
      'octet_length(counted.text) + dossier_private.value_bytes(counted.structure)'),
    ('dossier.document_thumbnails', 'thumbnails', array['bytes'], 'octet_length(counted.bytes)'),
    ('dossier_private.resumable_uploads', 'metadata', array['client_metadata'], 'octet_length(counted.client_metadata)'),
    ('dossier_private.imports', 'imports', array['bytes'], 'counted.bytes');
end
$$;
comment on function dossier_private.measures() is
  'Returns what is counted: for each table and kind of amount, the columns it depends on, and the amount of a row as SQL. A document without its bytes (storage '
  'none) has only text and metadata.';

create function dossier_private.note_amounts(organizations uuid[], kinds text[], amounts bigint[]) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles cannot write the table.
declare
  growth record;
begin
  for growth in
    with noted as (
      insert into dossier_private.stored_amounts (organization_id, kind, amount)
      select change.organization_id, change.kind, change.amount
      from unnest(organizations, kinds, amounts) as change (organization_id, kind, amount)
      -- Not while the organization itself is being deleted.
      where change.amount <> 0 and exists (select from dossier.organizations as o where o.id = change.organization_id)
      returning id, organization_id, kind, amount
    )
    select noted.organization_id, bool_or(noted.id % 100 = 0) as merge,
      coalesce(sum(noted.amount) filter (where noted.kind in ('metadata', 'contexts', 'imports')), 0)::bigint as bytes
    from noted
    group by noted.organization_id
  loop
    -- At a higher isolation level, two mergers would fail to serialize.
    if growth.merge and current_setting('transaction_isolation') = 'read committed' then
      perform dossier_private.merge_amounts(10000, growth.organization_id);
    end if;
    if growth.bytes > 0 then
      perform dossier_private.check_stored(growth.organization_id, growth.bytes);
    end if;
  end loop;
end
$$;
comment on function dossier_private.note_amounts(uuid[], text[], bigint[]) is
  'Records changes of what organizations store. Refuses (PT403) names, titles, metadata, contexts and staged records that exceed '
  'max_bytes. Files are checked before they arrive.';

-- One trigger function per table, written from measures(): with SQL made at run time, planning took most of the time of a save.
do $$
declare
  counted record;
  rows_of constant text := 'perform dossier_private.note_amounts(array_agg(change.organization_id), array_agg(change.kind), '
    'array_agg(change.amount)) from (select counted.organization_id, item.kind, sum(%s * item.amount)::bigint as amount from %s as counted '
    'cross join lateral (values %s) as item (kind, amount) group by counted.organization_id, item.kind) as change;';
begin
  for counted in
    select m.relation, split_part(m.relation, '.', 2) as name, 'count_' || split_part(m.relation, '.', 2) as counter,
      string_agg(format('(%L, (%s)::bigint)', m.kind, m.amount), ', ' order by m.kind) as amounts,
      (select string_agg(format('old.%1$I is distinct from new.%1$I', c.name), ' or ')
        from dossier_private.measures() as n cross join unnest(n.columns) as c (name) where n.relation = m.relation) as changed
    from dossier_private.measures() as m
    group by m.relation
  loop
    execute format(E'create function dossier_private.%I() returns trigger language plpgsql security definer set search_path = \'\' as %L',
      counted.counter, format(E'\n-- Definer: API roles cannot write stored_amounts.\nbegin\n'
        '  if tg_op = ''INSERT'' then\n    if not dossier_private.is_restoring() then\n      %s\n    end if;\n'
        '  elsif tg_op = ''DELETE'' then\n    %s\n  else\n    %s\n  end if;\n  return null;\nend\n',
        format(rows_of, '1', 'new_rows', counted.amounts),
        format(rows_of, '-1', 'old_rows', counted.amounts),
        format(rows_of, 'counted.sign', '(select 1 as sign, new.* union all select -1, old.*)', counted.amounts)));
    execute format('comment on function dossier_private.%I() is %L', counted.counter,
      format('Trigger: records how a change of %s changes what organizations store, by measures().', counted.relation));
    execute format('revoke all on function dossier_private.%I from public, anon, authenticated, service_role', counted.counter);

    execute format('create trigger %I after insert on %s referencing new table as new_rows for each statement '
      'execute function dossier_private.%I()', counted.name || '_count_inserted', counted.relation, counted.counter);
    -- By row: most updates change only a status, and the condition is cheaper than two tables of rows.
    execute format('create trigger %I after update on %s for each row when (%s) '
      'execute function dossier_private.%I()', counted.name || '_count_updated', counted.relation, counted.changed, counted.counter);
    execute format('create trigger %I after delete on %s referencing old table as old_rows for each statement '
      'execute function dossier_private.%I()', counted.name || '_count_deleted', counted.relation, counted.counter);
  end loop;
end
$$;

create function dossier_private.forget_amounts() returns trigger
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles cannot write the table.
begin
  delete from dossier_private.stored_amounts as stored_amount where stored_amount.organization_id = old.id;
  return null;
end
$$;
comment on function dossier_private.forget_amounts() is 'Trigger: removes the amounts of a deleted organization.';

create trigger organizations_forget_amounts
  after delete on dossier.organizations
  for each row execute function dossier_private.forget_amounts();

create function dossier_private.merge_amounts(most integer, in_organization uuid default null) returns integer
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles cannot write the table.
declare
  merged_rows integer;
begin
  with change as (
    select c.id, c.organization_id, c.kind
    from dossier_private.stored_amounts as c
    where not c.merged and (in_organization is null or c.organization_id = in_organization)
    order by c.id
    limit most
    for update skip locked
  ), sums as (
    select m.id
    from dossier_private.stored_amounts as m
    where m.merged and (m.organization_id, m.kind) in (select change.organization_id, change.kind from change)
    for update skip locked
  ), gone as (
    delete from dossier_private.stored_amounts as removed
    where removed.id in (select change.id from change union all select sums.id from sums)
    returning removed.organization_id, removed.kind, removed.amount, removed.merged
  ), kept as (
    insert into dossier_private.stored_amounts (organization_id, kind, amount, merged)
    select gone.organization_id, gone.kind, sum(gone.amount), true
    from gone
    where exists (select from dossier.organizations as o where o.id = gone.organization_id)
    group by gone.organization_id, gone.kind
    having sum(gone.amount) <> 0
  )
  select count(*) filter (where not gone.merged) into merged_rows from gone;
  return merged_rows;
end
$$;
comment on function dossier_private.merge_amounts(integer, uuid) is
  'Merges up to this many rows of stored_amounts, of all organizations or of one, with others of their organization and kind. '
  'Returns how many. Part of dossier.sweep().';

create function dossier_private.count_again(organization_id uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
-- Definer: reads the rows of all tables, and writes stored_amounts.
declare
  counted record;
  amount bigint;
  amounts jsonb := '{}';
begin
  for counted in select m.relation, m.kind, m.amount from dossier_private.measures() as m loop
    execute format('select coalesce(sum((%s)::bigint), 0) from %s as counted where counted.organization_id = $1', counted.amount, counted.relation)
    into amount
    using organization_id;
    amounts := amounts || jsonb_build_object(counted.kind, coalesce((amounts ->> counted.kind)::bigint, 0) + amount);
  end loop;

  delete from dossier_private.stored_amounts as stored_amount where stored_amount.organization_id = count_again.organization_id;
  insert into dossier_private.stored_amounts (organization_id, kind, amount, merged)
  select count_again.organization_id, kind.key, kind.value::bigint, true
  from jsonb_each_text(amounts) as kind
  where kind.value <> '0';
  return amounts;
end
$$;
comment on function dossier_private.count_again(uuid) is
  'Counts what an organization stores from its rows, and replaces the recorded amounts. Returns them by kind. For the owner, after '
  'rows were changed with triggers disabled; at the isolation level repeatable read, so that no concurrent change is lost.';

alter table dossier_private.stored_amounts enable row level security;
alter table dossier_private.arriving_uploads enable row level security;
create policy stored_amounts_all_nobody on dossier_private.stored_amounts for all to authenticated using (false);
create policy arriving_uploads_all_nobody on dossier_private.arriving_uploads for all to authenticated using (false);

revoke all on dossier_private.stored_amounts, dossier_private.arriving_uploads from public, anon, authenticated, service_role;
revoke all on sequence dossier_private.stored_amounts_id_seq from public, anon, authenticated, service_role;
revoke all on function
  dossier_private.value_bytes, dossier_private.measures, dossier_private.note_amounts, dossier_private.forget_amounts,
  dossier_private.merge_amounts, dossier_private.count_again
  from public, anon, authenticated, service_role;
