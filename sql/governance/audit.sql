-- The audit log: who changed members, limits and the existence of things, when, from where. Rows are added by
-- triggers and by nobody else. What goes because something above it went (a session's documents) is not named.
--
-- Versions of contexts are their own log: see session_context_versions.

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
  'What happened in an organization; read by its admins. Append-only: no role of the API may change it, and only forget_user() and '
  'forget_organization() take something away.';
comment on column dossier.audit_log.id is 'Key (uuid v7): the order of events.';
comment on column dossier.audit_log.organization_id is 'The organization. No foreign key: its deletion is an event, too.';
comment on column dossier.audit_log.user_id is 'Who: subject of the user''s token; null for a service.';
comment on column dossier.audit_log.role is 'Role of the database that did it, such as authenticated or service_role.';
comment on column dossier.audit_log.origin is
  'From where: first address of X-Forwarded-For as PostgREST or the edge passed it on, else the address of the connection. '
  'Only as true as the proxy in front makes it.';
comment on column dossier.audit_log.action is
  'What, as object.event: organization.created, .renamed, .deleted; member.added, .role_changed, .removed; session.trashed, .restored, .deleted, .purged '
  '(by a sweep, or a service, out of the trash), .imported; document.stored, .deleted; quota.set; retention.set; trash_retention.set.';
comment on column dossier.audit_log.object_id is 'Key of what it happened to.';
comment on column dossier.audit_log.details is 'What changed.';
comment on column dossier.audit_log.created_at is 'When.';

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
comment on function dossier_private.request_origin() is 'Address that the request came from, as far as it is known.';

create function dossier_private.log_event(organization_id uuid, action text, object_id text, details jsonb) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: nobody may insert events but through here.
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
  -- The row as it is, or was before it went.
  this constant jsonb := to_jsonb(coalesce(new, old));
  -- A changed row also tells what its first detail was before.
  before constant jsonb := case when new is not null and old is not null then to_jsonb(old) -> tg_argv[2] end;
begin
  -- pg_restore inserts what is in the log already: with row_security off, as the owner of Dossier. Anybody may switch that off.
  if old is null and not current_setting('row_security')::boolean
    and pg_has_role(coalesce(nullif(current_setting('role', true), 'none'), session_user), current_user, 'member')
  then
    return null;
  end if;

  -- A row that goes because something above it went is not named.
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
  'Trigger: adds an event for a row that was made, changed or deleted. Arguments: the action, the column that names the object, '
  'and the columns to note as details.';

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
