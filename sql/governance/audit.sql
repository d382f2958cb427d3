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
  'Address of the client: the first one in X-Forwarded-For, as PostgREST or the edge passed it on; for a direct connection to the '
  'database, its address. Null if unknown. The edge sets the header itself; elsewhere it is as reliable as the proxy in front.';
comment on column dossier.audit_log.action is
  'Action as object.event: organization.created, .renamed, .deleted; member.invited, .added, .role_changed, .removed; session.trashed, '
  '.restored, .deleted, .purged (from the trash, by the sweeper or a service), .imported; document.stored, .deleted; quota.set; '
  'retention.set; trash_retention.set.';
comment on column dossier.audit_log.object_id is 'Key of the object.';
comment on column dossier.audit_log.details is 'Changed values.';
comment on column dossier.audit_log.created_at is 'When it happened.';

create index audit_log_organization_id_created_at_idx on dossier.audit_log (organization_id, created_at desc, id desc);

create function dossier_private.client_address() returns text
language plpgsql stable security invoker set search_path = ''
as $$
declare
  headers constant text := nullif(current_setting('request.headers', true), '');
  first text;
begin
  if headers is null then
    -- With claims, the connection is that of PostgREST or of the edge, which works for a client unknown here.
    return case when nullif(current_setting('request.jwt.claims', true), '') is null then host(inet_client_addr()) end;
  end if;
  first := btrim(split_part(headers::json ->> 'x-forwarded-for', ',', 1));
  -- Some proxies add the port.
  first := coalesce(substring(first from '^\[([^\]]+)\](?::[0-9]+)?$'), substring(first from '^([0-9.]+):[0-9]+$'), first);
  return host(first::inet);
exception when invalid_text_representation then
  -- Callers of SQL can set request.headers to anything, and some proxies write "unknown".
  return null;
end
$$;
comment on function dossier_private.client_address() is
  'Returns the address of the client, or null if it is unknown. The only place that reads it.';

create function dossier_private.log_event(organization_id uuid, action text, object_id text, details jsonb) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles add events only through this function.
begin
  insert into dossier.audit_log (organization_id, user_id, role, origin, action, object_id, details)
  values (
    log_event.organization_id, dossier_private.caller_id(),
    coalesce(nullif(current_setting('role', true), 'none'), session_user),
    dossier_private.client_address(), log_event.action, log_event.object_id, coalesce(log_event.details, '{}'));
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
  -- tg_op: a row with an empty column is not "not null".
  before constant jsonb := case when tg_op = 'UPDATE'
    then nullif(to_jsonb(old) -> tg_argv[2], to_jsonb(new) -> tg_argv[2]) end;
begin
  if old is null and dossier_private.is_restoring() then
    return null;
  end if;

  -- Rows that are deleted along with their parent are not listed.
  if new is null and (
    (this ? 'organization_id' and not exists (select from dossier.organizations as o where o.id = (this ->> 'organization_id')::uuid))
    or (this ? 'session_id' and not exists (
      select from dossier.sessions as s where s.id = (this ->> 'session_id')::uuid and s.purged_at is null)))
  then
    return null;
  end if;

  if action = 'session.deleted' and to_jsonb(old) ->> 'deleted_at' is not null and dossier_private.caller_id() is null then
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
  for each row when (new.accepted_at is not null)
  execute function dossier_private.audit('member.added', 'user_id', 'role');
create trigger organization_members_audit_invited
  after insert on dossier.organization_members
  for each row when (new.accepted_at is null)
  execute function dossier_private.audit('member.invited', 'user_id', 'role');
create trigger organization_members_audit_accepted
  after update of accepted_at on dossier.organization_members
  for each row when (old.accepted_at is null and new.accepted_at is not null)
  execute function dossier_private.audit('member.added', 'user_id', 'role');
create trigger organization_members_audit_changed
  after update of role on dossier.organization_members
  for each row when (old.role <> new.role)
  execute function dossier_private.audit('member.role_changed', 'user_id', 'role');
create trigger organization_members_audit_removed
  after delete on dossier.organization_members
  for each row execute function dossier_private.audit('member.removed', 'user_id', 'role');

create trigger sessions_audit_trashed
  after update of deleted_at on dossier.sessions
  for each row when (old.deleted_at is null and new.deleted_at is not null and new.purged_at is null)
  execute function dossier_private.audit('session.trashed', 'id', 'title');
create trigger sessions_audit_restored
  after update of deleted_at on dossier.sessions
  for each row when (old.deleted_at is not null and new.deleted_at is null)
  execute function dossier_private.audit('session.restored', 'id', 'title');
-- Users and the sweeper delete a session by setting purged_at. Its row is removed later, without another event.
create trigger sessions_audit_purged
  after update of purged_at on dossier.sessions
  for each row when (old.purged_at is null and new.purged_at is not null)
  execute function dossier_private.audit('session.deleted', 'id', 'title');
create trigger sessions_audit_deleted
  after delete on dossier.sessions
  for each row when (old.purged_at is null)
  execute function dossier_private.audit('session.deleted', 'id', 'title');

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

revoke all on function dossier_private.client_address, dossier_private.log_event, dossier_private.audit
  from public, anon, authenticated, service_role;
