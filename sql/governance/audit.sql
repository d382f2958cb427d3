-- The audit log: who changed members, limits, sessions and documents, when, and from where. Only triggers add rows. Rows that
-- are deleted along with their parent (the documents of a session) are not listed.
--
-- session_context_versions records the changes of contexts.

create table dossier.audit_log (
  id uuid not null default dossier_private.uuid_v7(),
  organization_id uuid not null,
  user_id text,
  role text not null,
  origin text,
  action text not null,
  object_id text not null,
  details jsonb not null default '{}',
  created_at timestamptz not null default now(),
  constraint audit_log_pkey primary key (id),
  constraint audit_log_action_check check (action ~ '^[a-z_]+\.[a-z_]+$')
);
comment on table dossier.audit_log is
  'Events of organizations, for their admins. Append-only: API roles cannot change it, and only forget_user() and '
  'forget_organization() remove anything.';
comment on column dossier.audit_log.id is 'Key (uuid v7), in the order of events.';
comment on column dossier.audit_log.organization_id is 'The organization. No foreign key, since its deletion is an event, too.';
comment on column dossier.audit_log.user_id is 'User: subject of the user''s token; null for a service.';
comment on column dossier.audit_log.role is 'Database role of the request, such as authenticated or service_role.';
comment on column dossier.audit_log.origin is
  'Address of the client: the first address in X-Forwarded-For as PostgREST or the edge passed it on, otherwise the address of '
  'the connection. Only as reliable as the proxy in front.';
comment on column dossier.audit_log.action is
  'Action as object.event: organization.created, .renamed, .deleted; member.added, .role_changed, .removed; session.trashed, '
  '.restored, .deleted, .purged (from the trash, by the sweeper or a service), .imported; document.stored, .deleted; quota.set; '
  'retention.set; trash_retention.set.';
comment on column dossier.audit_log.object_id is 'Key of the object.';
comment on column dossier.audit_log.details is 'Changed values.';
comment on column dossier.audit_log.created_at is 'When it happened.';

create index audit_log_organization_id_created_at_idx on dossier.audit_log (organization_id, created_at desc, id desc);

create function dossier_private.request_origin() returns text
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return left(coalesce(
    btrim(split_part(nullif(current_setting('request.headers', true), '')::json ->> 'x-forwarded-for', ',', 1)),
    host(inet_client_addr())), 100);
end
$$;
comment on function dossier_private.request_origin() is 'Returns the address of the client, if known.';

create function dossier_private.log_event(organization_id uuid, action text, object_id text, details jsonb) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles add events only through this function.
begin
  insert into dossier.audit_log (organization_id, user_id, role, origin, action, object_id, details)
  values (
    log_event.organization_id, dossier_private.caller_id(),
    coalesce(nullif(current_setting('role', true), 'none'), session_user),
    dossier_private.request_origin(), log_event.action, log_event.object_id, coalesce(log_event.details, '{}'));
end
$$;
comment on function dossier_private.log_event(uuid, text, text, jsonb) is 'Adds an event of the current request.';

create function dossier_private.audit() returns trigger
language plpgsql security definer set search_path = ''
as $$
-- Definer: see log_event.
declare
  action text := tg_argv[0];
  -- The current row or, if it was deleted, the old one.
  this constant jsonb := to_jsonb(coalesce(new, old));
  -- For a changed row, also note the previous value of its first detail.
  before constant jsonb := case when new is not null and old is not null then to_jsonb(old) -> tg_argv[2] end;
begin
  -- pg_restore inserts existing events with row_security off, as the owner of Dossier. Any role may switch row_security off.
  if old is null and not current_setting('row_security')::boolean
    and pg_has_role(coalesce(nullif(current_setting('role', true), 'none'), session_user), current_user, 'member')
  then
    return null;
  end if;

  -- Rows that are deleted along with their parent are not listed.
  if new is null and (
    (this ? 'organization_id' and not exists (select from dossier.organizations as o where o.id = (this ->> 'organization_id')::uuid))
    or (this ? 'session_id' and not exists (select from dossier.sessions as s where s.id = (this ->> 'session_id')::uuid)))
  then
    return null;
  end if;

  if action = 'session.deleted' and this ->> 'deleted_at' is not null and dossier_private.caller_id() is null then
    action := 'session.purged';
  end if;
  perform dossier_private.log_event(
    coalesce(this ->> 'organization_id', this ->> 'id')::uuid, action, this ->> tg_argv[1],
    (select jsonb_object_agg(detail.name, this -> detail.name) from unnest(tg_argv[2:]) as detail (name))
      || case when before is null then '{}' else jsonb_build_object('from', before) end);
  return null;
end
$$;
comment on function dossier_private.audit() is
  'Trigger: adds an event for a row that was created, changed or deleted. Arguments: the action, the column that identifies the '
  'object, and the columns to record as details.';

create trigger organizations_audit_created
  after insert on dossier.organizations
  for each row execute function dossier_private.audit('organization.created', 'id', 'name');
create trigger organizations_audit_renamed
  after update of name on dossier.organizations
  for each row when (old.name <> new.name)
  execute function dossier_private.audit('organization.renamed', 'id', 'name');
create trigger organizations_audit_deleted
  after delete on dossier.organizations
  for each row execute function dossier_private.audit('organization.deleted', 'id', 'name');

create trigger organization_members_audit_added
  after insert on dossier.organization_members
  for each row execute function dossier_private.audit('member.added', 'user_id', 'role');
create trigger organization_members_audit_changed
  after update of role on dossier.organization_members
  for each row when (old.role <> new.role)
  execute function dossier_private.audit('member.role_changed', 'user_id', 'role');
create trigger organization_members_audit_removed
  after delete on dossier.organization_members
  for each row execute function dossier_private.audit('member.removed', 'user_id', 'role');

create trigger sessions_audit_trashed
  after update of deleted_at on dossier.sessions
  for each row when (old.deleted_at is null and new.deleted_at is not null)
  execute function dossier_private.audit('session.trashed', 'id', 'title');
create trigger sessions_audit_restored
  after update of deleted_at on dossier.sessions
  for each row when (old.deleted_at is not null and new.deleted_at is null)
  execute function dossier_private.audit('session.restored', 'id', 'title');
create trigger sessions_audit_deleted
  after delete on dossier.sessions
  for each row execute function dossier_private.audit('session.deleted', 'id', 'title');

create trigger documents_audit_stored
  after update of status on dossier.documents
  for each row when (old.status = 'uploading' and new.status = 'stored')
  execute function dossier_private.audit('document.stored', 'id', 'name', 'session_id', 'size_bytes', 'sha256');
create trigger documents_audit_deleted
  after delete on dossier.documents
  for each row when (old.status <> 'uploading')
  execute function dossier_private.audit('document.deleted', 'id', 'name', 'session_id', 'size_bytes', 'sha256');

create trigger quotas_audit
  after insert or update of max_bytes on dossier.quotas
  for each row execute function dossier_private.audit('quota.set', 'organization_id',
    'max_bytes', 'max_documents', 'max_documents_a_day', 'max_extraction_seconds_a_day');
create trigger context_retention_audit
  after insert or update of keep_versions on dossier.context_retention
  for each row execute function dossier_private.audit('retention.set', 'organization_id', 'keep_versions', 'keep_days');
create trigger trash_retention_audit
  after insert or update of keep_days on dossier.trash_retention
  for each row execute function dossier_private.audit('trash_retention.set', 'organization_id', 'keep_days');

alter table dossier.audit_log enable row level security;
create policy audit_log_select_admin on dossier.audit_log
  for select to authenticated
  using (organization_id = any (array(select dossier_private.my_organizations('admin'))));

revoke all on dossier.audit_log from public, anon, authenticated, service_role;
grant select on dossier.audit_log to authenticated, service_role;

revoke all on function dossier_private.request_origin, dossier_private.log_event, dossier_private.audit
  from public, anon, authenticated, service_role;
