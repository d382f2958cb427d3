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
  -- The row as it is, or was before it went.
  this constant jsonb := to_jsonb(case lower(tg_op) when 'delete' then old else new end);
  before constant jsonb := case lower(tg_op) when 'update' then to_jsonb(old) end;
begin
  -- pg_restore inserts what is in the log already: with row_security off, as who owns Dossier. Anybody may switch that off.
  if lower(tg_op) = 'insert' and not current_setting('row_security')::boolean
    and pg_has_role(coalesce(nullif(current_setting('role', true), 'none'), session_user), current_user, 'member')
  then
    return null;
  end if;

  -- What goes because something above it went is not named.
  if lower(tg_op) = 'delete' and (
    (tg_table_name in ('organization_members', 'sessions')
      and not exists (select from dossier.organizations as o where o.id = (this ->> 'organization_id')::uuid))
    or (tg_table_name = 'documents' and not exists (select from dossier.sessions as s where s.id = (this ->> 'session_id')::uuid)))
  then
    return null;
  end if;

  case tg_table_name
    when 'organizations' then
      perform dossier_private.log_event(
        (this ->> 'id')::uuid,
        'organization.' || case lower(tg_op) when 'insert' then 'created' when 'update' then 'renamed' else 'deleted' end,
        this ->> 'id',
        jsonb_strip_nulls(jsonb_build_object('name', this -> 'name', 'from', before -> 'name')));
    when 'organization_members' then
      perform dossier_private.log_event(
        (this ->> 'organization_id')::uuid,
        'member.' || case lower(tg_op) when 'insert' then 'added' when 'update' then 'role_changed' else 'removed' end,
        this ->> 'user_id',
        jsonb_strip_nulls(jsonb_build_object('role', this -> 'role', 'from', before -> 'role')));
    when 'sessions' then
      perform dossier_private.log_event(
        (this ->> 'organization_id')::uuid,
        'session.' || case
          when lower(tg_op) = 'update' then case when this ->> 'deleted_at' is null then 'restored' else 'trashed' end
          when this ->> 'deleted_at' is not null and dossier_private.caller_id() is null then 'purged'
          else 'deleted'
        end,
        this ->> 'id', jsonb_build_object('title', this -> 'title'));
    when 'documents' then
      perform dossier_private.log_event(
        (this ->> 'organization_id')::uuid,
        'document.' || case lower(tg_op) when 'update' then 'stored' else 'deleted' end,
        this ->> 'id',
        jsonb_build_object('name', this -> 'name', 'session_id', this -> 'session_id',
          'size_bytes', this -> 'size_bytes', 'sha256', this -> 'sha256'));
    when 'quotas' then
      perform dossier_private.log_event(
        (this ->> 'organization_id')::uuid, 'quota.set', this ->> 'organization_id', this - 'organization_id' - 'reserved_at');
    when 'context_retention' then
      perform dossier_private.log_event(
        (this ->> 'organization_id')::uuid, 'retention.set', this ->> 'organization_id', this - 'organization_id' - 'swept_until');
    when 'trash_retention' then
      perform dossier_private.log_event(
        (this ->> 'organization_id')::uuid, 'trash_retention.set', this ->> 'organization_id', this - 'organization_id');
  end case;
  return null;
end
$$;
comment on function dossier_private.audit() is 'Trigger: adds an event for a row that was made, changed or deleted.';

create trigger organizations_audit
  after insert or delete on dossier.organizations
  for each row execute function dossier_private.audit();
create trigger organizations_audit_renamed
  after update of name on dossier.organizations
  for each row when (old.name <> new.name)
  execute function dossier_private.audit();
create trigger organization_members_audit
  after insert or delete on dossier.organization_members
  for each row execute function dossier_private.audit();
create trigger organization_members_audit_changed
  after update of role on dossier.organization_members
  for each row when (old.role <> new.role)
  execute function dossier_private.audit();
create trigger sessions_audit
  after delete on dossier.sessions
  for each row execute function dossier_private.audit();
create trigger sessions_audit_trash
  after update of deleted_at on dossier.sessions
  for each row when ((old.deleted_at is null) <> (new.deleted_at is null))
  execute function dossier_private.audit();
create trigger documents_audit
  after delete on dossier.documents
  for each row when (old.status <> 'uploading')
  execute function dossier_private.audit();
create trigger documents_audit_stored
  after update of status on dossier.documents
  for each row when (old.status = 'uploading' and new.status = 'stored')
  execute function dossier_private.audit();
create trigger quotas_audit
  after insert or update of max_bytes on dossier.quotas
  for each row execute function dossier_private.audit();
create trigger context_retention_audit
  after insert or update of keep_versions on dossier.context_retention
  for each row execute function dossier_private.audit();

create trigger trash_retention_audit
  after insert or update of keep_days on dossier.trash_retention
  for each row execute function dossier_private.audit();

alter table dossier.audit_log enable row level security;
create policy audit_log_select_admin on dossier.audit_log
  for select to authenticated
  using (organization_id = any (array(select dossier_private.my_organizations('admin'))));

revoke all on dossier.audit_log from public, anon, authenticated, service_role;
grant select on dossier.audit_log to authenticated, service_role;

revoke all on function dossier_private.request_origin, dossier_private.log_event, dossier_private.audit
  from public, anon, authenticated, service_role;
