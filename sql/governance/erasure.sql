-- Erasure of a user or an organization with everything in it, including the trash.

create table dossier_private.erasure_receipts (
  id uuid not null default dossier_private.uuid_v7(),
  kind text not null,
  subject_sha256 text not null,
  erased jsonb not null,
  created_at timestamptz not null default now(),
  constraint erasure_receipts_pkey primary key (id),
  constraint erasure_receipts_kind_check check (kind in ('user', 'organization')),
  constraint erasure_receipts_erased_check check (jsonb_typeof(erased) = 'object')
);
comment on table dossier_private.erasure_receipts is
  'Proof that something was erased, without naming it. Anyone who knows the key can compute its digest.';
comment on column dossier_private.erasure_receipts.id is 'Key (uuid v7), as in the receipt.';
comment on column dossier_private.erasure_receipts.kind is 'user or organization.';
comment on column dossier_private.erasure_receipts.subject_sha256 is
  'Hexadecimal digest of the user_id, or of the organization''s id as text.';
comment on column dossier_private.erasure_receipts.erased is
  'How many rows of each kind were deleted, or lost the user''s id. Still to be deleted were: sessions_pending, by sweep(); '
  'store_deletions_pending, files in external stores.';
comment on column dossier_private.erasure_receipts.created_at is 'When it was erased.';

create function dossier_private.write_receipt(kind text, subject text, erased jsonb) returns jsonb
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles write receipts only through functions.
declare
  receipt dossier_private.erasure_receipts;
begin
  insert into dossier_private.erasure_receipts (kind, subject_sha256, erased)
  values (write_receipt.kind, encode(sha256(convert_to(subject, 'UTF8')), 'hex'), write_receipt.erased)
  returning * into receipt;
  return jsonb_build_object('receipt_id', receipt.id, 'kind', receipt.kind, 'subject_sha256', receipt.subject_sha256,
    'erased', receipt.erased, 'erased_at', receipt.created_at);
end
$$;
comment on function dossier_private.write_receipt(text, text, jsonb) is
  'Stores a receipt and returns it: {receipt_id, kind, subject_sha256, erased, erased_at}.';

create function dossier_private.erase_organizations(organizations uuid[]) returns jsonb
language plpgsql security definer set search_path = ''
as $$
-- Definer: deletes rows that API roles may not.
declare
  sessions bigint;
  deletions bigint;
begin
  -- From here on nobody sees them. Without members, their last owners may go as well.
  update dossier.organizations as o set erased_at = now(), name = 'erased' where o.id = any (organizations);
  delete from dossier.organization_members as member where member.organization_id = any (organizations);
  delete from dossier.audit_log as event where event.organization_id = any (organizations);
  update dossier_private.imports as import set created_at = '-infinity' where import.organization_id = any (organizations);

  -- Little is removed at once. The rest is left to the sweeper.
  perform dossier_private.purge_imports('100 years', 200);
  perform dossier_private.purge_organizations(200, organizations);
  select count(*) into sessions from dossier.sessions as s where s.organization_id = any (organizations);
  if sessions > 0 or exists (select from dossier.organizations as o where o.id = any (organizations)) then
    perform pg_notify('dossier_sweep', '');
  end if;

  update dossier_private.store_deletions as deletion
  set organization_id = dossier_private.no_organization()
  where deletion.organization_id = any (organizations);
  get diagnostics deletions = row_count;
  return jsonb_build_object('sessions_pending', sessions, 'store_deletions_pending', deletions);
end
$$;
comment on function dossier_private.erase_organizations(uuid[]) is
  'Erases organizations: at once for everyone who could see them, and their rows in steps. Returns what is pending: {sessions_pending, '
  'store_deletions_pending}.';

create function dossier.forget_user(user_id text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
-- Definer: crosses tenants, and writes tables that no API role may. Granted to service_role alone.
declare
  nobody constant text := 'forgotten';
  alone uuid[];
  affected bigint;
  pending bigint;
  erased jsonb := '{}';
begin
  if coalesce(btrim(forget_user.user_id), '') in ('', nobody) then
    raise exception using
      errcode = 'PT400',
      message = 'user_id must identify a user',
      detail = format('It is %s.', quote_nullable(forget_user.user_id)),
      hint = 'Send the subject of the user''s token.';
  end if;

  -- In order, as two users who own the same organizations may be erased at once. Owners who leave wait for this lock.
  perform from dossier.organizations as organization
  where organization.id in (select mine.organization_id from dossier.organization_members as mine where mine.user_id = forget_user.user_id)
  order by organization.id
  for no key update;

  -- Organizations without other members are the user's own. If an app manages the members, Dossier cannot know them.
  alone := array(
    select mine.organization_id
    from dossier.organization_members as mine
    where mine.user_id = forget_user.user_id and dossier_private.membership_mode() = 'own'
      and mine.accepted_at is not null
      and not exists (
        select from dossier.organization_members as other
        where other.organization_id = mine.organization_id and other.user_id <> mine.user_id and other.accepted_at is not null));

  -- Others need an owner. Nobody can prevent an erasure by making the user the last one.
  with heirs as (
    select distinct on (heir.organization_id) heir.organization_id, heir.user_id
    from dossier.organization_members as mine
    join dossier.organization_members as heir on heir.organization_id = mine.organization_id and heir.user_id <> mine.user_id
    where mine.user_id = forget_user.user_id and mine.role = 'owner' and mine.accepted_at is not null
      and mine.organization_id <> all (alone)
      and heir.accepted_at is not null
      and not exists (
        select from dossier.organization_members as other
        where other.organization_id = mine.organization_id and other.user_id <> mine.user_id
          and other.role = 'owner' and other.accepted_at is not null)
    order by heir.organization_id, array_position(array['admin', 'member', 'viewer'], heir.role), heir.accepted_at, heir.user_id
  )
  update dossier.organization_members as member
  set role = 'owner'
  from heirs
  where member.organization_id = heirs.organization_id and member.user_id = heirs.user_id;
  get diagnostics affected = row_count;
  erased := jsonb_build_object('owners_appointed', affected);
  erased := erased || jsonb_build_object(
    'organizations_deleted', cardinality(alone),
    'sessions_deleted', (select count(*) from dossier.sessions as s where s.organization_id = any (alone)),
    'documents_deleted', (select count(*) from dossier.documents as d where d.organization_id = any (alone)),
    'bytes_deleted', (select coalesce(sum(d.size_bytes), 0) from dossier.documents as d where d.organization_id = any (alone)));
  erased := erased || dossier_private.erase_organizations(alone);

  with uploads as (
    delete from dossier.documents as document
    where document.user_id = forget_user.user_id and document.status = 'uploading'
    returning document.storage_key
  ), imports as (
    delete from dossier_private.imports as begun where begun.user_id = forget_user.user_id returning begun.id
  ), memberships as (
    delete from dossier.organization_members as member where member.user_id = forget_user.user_id returning member.user_id
  )
  select erased || jsonb_build_object(
      'uploads_deleted', (select count(*) from uploads),
      'imports_deleted', (select count(*) from imports),
      'memberships_deleted', (select count(*) from memberships)),
    (erased ->> 'store_deletions_pending')::bigint + (select count(storage_key) from uploads)
  into erased, pending;

  -- Rows of the user in other organizations belong to those organizations. Only the user's id is removed.
  with sessions as (
    update dossier.sessions as s
    set user_id = case s.user_id when forget_user.user_id then nobody else s.user_id end,
      deleted_by = case s.deleted_by when forget_user.user_id then nobody else s.deleted_by end
    where s.user_id = forget_user.user_id or s.deleted_by = forget_user.user_id
    returning s.id
  ), documents as (
    update dossier.documents as d set user_id = nobody where d.user_id = forget_user.user_id returning d.id
  ), contexts as (
    update dossier.session_context as c set updated_by = nobody where c.updated_by = forget_user.user_id returning c.session_id
  ), context_versions as (
    update dossier.session_context_versions as v set updated_by = nobody
    where v.updated_by = forget_user.user_id
    returning v.session_id
  )
  select erased || jsonb_build_object(
    'sessions_renamed', (select count(*) from sessions),
    'documents_renamed', (select count(*) from documents),
    'contexts_renamed', (select count(*) from contexts),
    'context_versions_renamed', (select count(*) from context_versions),
    'store_deletions_pending', pending)
  into erased;

  -- Last, since the deletions above have added events, too.
  update dossier.audit_log as event
  set user_id = case event.user_id when forget_user.user_id then nobody else event.user_id end,
    origin = case when event.user_id is distinct from forget_user.user_id then event.origin end,
    object_id = case event.object_id when forget_user.user_id then nobody else event.object_id end
  where event.user_id = forget_user.user_id or (event.object_id = forget_user.user_id and event.action like 'member.%');
  get diagnostics affected = row_count;
  erased := erased || jsonb_build_object('events_renamed', affected);

  return dossier_private.write_receipt('user', forget_user.user_id, erased);
end
$$;
comment on function dossier.forget_user(text) is
  'Erases a user: memberships, invitations, unfinished uploads and imports, organizations without other members and everything in '
  'them. Everywhere else the user''s id becomes forgotten. If the user is the last owner of an organization, its oldest admin, or else '
  'member or viewer, becomes owner (erased.owners_appointed). If the app manages the members (use_membership()), deletes no '
  'organization. Returns a receipt: {receipt_id, kind, subject_sha256, erased, erased_at}. Services only.';

create function dossier_private.forget_organization(organization_id uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
-- Definer: counts and deletes rows that API roles may not.
declare
  erased jsonb;
begin
  perform dossier_private.require_role(
    (select o.id from dossier.organizations as o
      where o.id = forget_organization.organization_id and o.erased_at is null for no key update),
    'owner', 'organization', organization_id);

  select jsonb_build_object(
    'members', (select count(*) from dossier.organization_members as t where t.organization_id = forget_organization.organization_id),
    'sessions', (select count(*) from dossier.sessions as t where t.organization_id = forget_organization.organization_id),
    'contexts', (select count(*) from dossier.session_context as t where t.organization_id = forget_organization.organization_id),
    'context_versions', (select count(*) from dossier.session_context_versions as t where t.organization_id = forget_organization.organization_id),
    'documents', count(*),
    'bytes', coalesce(sum(document.size_bytes), 0),
    'pages', (select count(*) from dossier.document_pages as t where t.organization_id = forget_organization.organization_id),
    'events', (select count(*) from dossier.audit_log as t where t.organization_id = forget_organization.organization_id))
  into erased
  from dossier.documents as document
  where document.organization_id = forget_organization.organization_id;

  erased := erased || dossier_private.erase_organizations(array[organization_id]);
  return dossier_private.write_receipt('organization', organization_id::text, erased);
end
$$;
comment on function dossier_private.forget_organization(uuid) is 'Runs dossier.forget_organization() with its owner''s rights.';

create function dossier.forget_organization(organization_id uuid) returns jsonb
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.forget_organization(organization_id);
end;
comment on function dossier.forget_organization(uuid) is
  'Erases an organization with everything in it, including its audit log. This cannot be undone. Returns a receipt with the '
  'numbers of rows: {receipt_id, kind, subject_sha256, erased, erased_at}. Nobody sees anything of it any more. If it is large, '
  'sweep() removes its rows in steps: erased.sessions_pending is the number of sessions that remained. '
  'erased.store_deletions_pending is the number of files in external stores that a worker has yet to delete. Owners and services only.';

alter table dossier_private.erasure_receipts enable row level security;
create policy erasure_receipts_all_nobody on dossier_private.erasure_receipts for all to authenticated using (false);

revoke all on dossier_private.erasure_receipts from public, anon, authenticated, service_role;
revoke all on function
  dossier_private.write_receipt, dossier_private.erase_organizations, dossier.forget_user, dossier_private.forget_organization, dossier.forget_organization
  from public, anon, authenticated, service_role;
grant execute on function dossier.forget_organization, dossier_private.forget_organization to authenticated, service_role;
grant execute on function dossier.forget_user to service_role;
