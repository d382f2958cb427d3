-- External stores: bytes to delete there, recorded in the transaction that makes them unused.
--
-- No external store exists yet: every document has storage postgres or none. A store will rely on this.
-- Invariant: if a document with a storage_key is deleted in any way, or its bytes move, a row here outlives it until a worker
-- reports that the bytes are gone. A key is never reused, so a deletion may be attempted twice.

alter table dossier.documents
  add constraint documents_storage_key_check check ((storage in ('postgres', 'none')) = (storage_key is null));
create unique index documents_storage_key_idx on dossier.documents (storage_key, storage) where storage_key is not null;

create table dossier_private.store_deletions (
  id bigint not null generated always as identity,
  storage text not null,
  storage_key text not null,
  organization_id uuid not null,
  attempts integer not null default 0,
  next_attempt_at timestamptz not null default now(),
  last_error text,
  created_at timestamptz not null default now(),
  constraint store_deletions_pkey primary key (id),
  constraint store_deletions_attempts_check check (attempts >= 0)
);
comment on table dossier_private.store_deletions is
  'Bytes in external stores that no document refers to: an outbox that the workers of each store empty.';
comment on column dossier_private.store_deletions.id is 'Key.';
comment on column dossier_private.store_deletions.storage is 'The store, from documents.storage.';
comment on column dossier_private.store_deletions.storage_key is 'Key of the bytes there.';
comment on column dossier_private.store_deletions.organization_id is
  'The organization that owned them; no_organization() once it is erased. No foreign key: the bytes outlive the organization.';
comment on column dossier_private.store_deletions.attempts is 'How many times it was claimed.';
comment on column dossier_private.store_deletions.next_attempt_at is
  'Cannot be claimed before: the end of a lease, or of the pause after a failure.';
comment on column dossier_private.store_deletions.last_error is 'Why the last attempt failed.';
comment on column dossier_private.store_deletions.created_at is 'When the bytes became unused.';

create index store_deletions_storage_next_attempt_at_idx on dossier_private.store_deletions (storage, next_attempt_at);
create index store_deletions_organization_id_idx on dossier_private.store_deletions (organization_id);

create function dossier_private.no_organization() returns uuid
language sql immutable parallel safe security invoker set search_path = ''
begin atomic
  select '00000000-0000-0000-0000-000000000000'::uuid;
end;
comment on function dossier_private.no_organization() is
  'Returns the id that stands for an organization that has been erased. The column is part of every key, so it is never null.';

create function dossier_private.queue_store_deletion() returns trigger
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles cannot write this table.
begin
  insert into dossier_private.store_deletions (storage, storage_key, organization_id)
  values (old.storage, old.storage_key, old.organization_id);
  perform pg_notify('dossier_store_deletions', '');
  return null;
end
$$;
comment on function dossier_private.queue_store_deletion() is
  'Trigger: records that a document''s bytes in an external store are to be deleted, and wakes a worker.';

create trigger documents_queue_store_deletion
  after delete on dossier.documents
  for each row when (old.storage_key is not null)
  execute function dossier_private.queue_store_deletion();
create trigger documents_queue_store_deletion_moved
  after update of storage, storage_key on dossier.documents
  for each row when (old.storage_key is not null and (old.storage, old.storage_key) is distinct from (new.storage, new.storage_key))
  execute function dossier_private.queue_store_deletion();

create function dossier.claim_store_deletions(storage text, limit_count integer default 100, lease_seconds integer default 120)
returns table (deletion_id bigint, storage_key text, attempt integer)
language plpgsql security definer set search_path = ''
as $$
-- Definer: workers have no rights on the table. Granted to service_role alone.
#variable_conflict use_column
declare
  lease constant interval := dossier_private.check_lease(lease_seconds);
  most constant integer := dossier_private.check_limit(limit_count, 1000);
begin
  return query
    update dossier_private.store_deletions as deletion
    set attempts = deletion.attempts + 1, next_attempt_at = now() + lease
    from (
      select due.id
      from dossier_private.store_deletions as due
      where due.storage = claim_store_deletions.storage and due.next_attempt_at <= now()
      order by due.next_attempt_at
      limit most
      for no key update skip locked
    ) as taken
    where deletion.id = taken.id
    returning deletion.id, deletion.storage_key, deletion.attempts;
end
$$;
comment on function dossier.claim_store_deletions(text, integer, integer) is
  'Leases bytes in an external store to a worker, which deletes them. No two workers hold the same lease. The worker then calls '
  'complete_store_deletions() or fail_store_deletion(). Bytes that are already gone count as deleted. Services only.';

create function dossier.complete_store_deletions(deletion_ids bigint[]) returns integer
language plpgsql security definer set search_path = ''
as $$
-- Definer: workers have no rights on the table. Granted to service_role alone.
declare
  removed integer;
begin
  -- The bytes are gone, whichever worker deleted them.
  delete from dossier_private.store_deletions as deletion where deletion.id = any (deletion_ids);
  get diagnostics removed = row_count;
  return removed;
end
$$;
comment on function dossier.complete_store_deletions(bigint[]) is
  'Reports that these bytes are gone. Returns how many of the deletions were still pending. Services only.';

create function dossier.fail_store_deletion(deletion_id bigint, attempt integer, error_message text) returns boolean
language plpgsql security definer set search_path = ''
as $$
-- Definer: workers have no rights on the table. Granted to service_role alone.
begin
  -- Ten seconds, doubled by every attempt up to six hours. Half of it is random, so that failures at the same time spread.
  update dossier_private.store_deletions as deletion
  set next_attempt_at = now() + least(interval '10 seconds' * 2 ^ least(deletion.attempts - 1, 20), interval '6 hours') * (0.5 + random() / 2),
    last_error = left(coalesce(nullif(btrim(error_message), ''), 'No reason was given.'), 2000)
  where deletion.id = fail_store_deletion.deletion_id and deletion.attempts = fail_store_deletion.attempt;
  return found;
end
$$;
comment on function dossier.fail_store_deletion(bigint, integer, text) is
  'Reports that an attempt to delete bytes failed. It is retried later, without a limit. doctor() lists deletions that keep '
  'failing. Returns false if another attempt has begun, or the bytes are gone. Services only.';

alter table dossier_private.store_deletions enable row level security;
create policy store_deletions_all_nobody on dossier_private.store_deletions for all to authenticated using (false);

revoke all on dossier_private.store_deletions from public, anon, authenticated, service_role;
revoke all on sequence dossier_private.store_deletions_id_seq from public, anon, authenticated, service_role;
revoke all on function
  dossier_private.no_organization, dossier_private.queue_store_deletion, dossier.claim_store_deletions, dossier.complete_store_deletions, dossier.fail_store_deletion
  from public, anon, authenticated, service_role;
grant execute on function
  dossier.claim_store_deletions, dossier.complete_store_deletions, dossier.fail_store_deletion
  to service_role;
