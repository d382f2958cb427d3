-- The trash: deleted sessions that can still be restored.
--
-- Invariant: a session is in the trash if its deleted_at is set. The rows that belong to it do not change. Policies exclude
-- trashed_sessions() and functions call session_organization(), so users see neither the session nor its rows. All of it
-- still takes space and counts in quotas.
-- Invariant: a session whose purged_at is set leaves the trash only by being removed: see sessions/purge.sql.

create table dossier.trash_retention (
  organization_id uuid not null,
  keep_days integer not null,
  constraint trash_retention_pkey primary key (organization_id),
  constraint trash_retention_organization_id_fkey
    foreign key (organization_id) references dossier.organizations (id) on delete cascade,
  constraint trash_retention_keep_days_check check (keep_days between 0 and 36500)
);
comment on table dossier.trash_retention is
  'How long deleted sessions of an organization can be restored. Without a row, the setting trash_days applies. Written only by '
  'set_trash_retention().';
comment on column dossier.trash_retention.organization_id is 'The organization.';
comment on column dossier.trash_retention.keep_days is 'Days that a session stays in the trash. With 0, it is deleted at once.';

alter table dossier_private.settings add constraint settings_trash_days_check
  check (name <> 'trash_days' or (jsonb_typeof(value) = 'number' and value between '0' and '36500'));
insert into dossier_private.settings (name, value, default_value, description) values
  ('trash_days', '30', '30',
    'Days that a deleted session can be restored, unless its organization sets its own number. 0 disables the trash.');

create function dossier_private.trash_days(organization_id uuid) returns integer
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: reads a setting.
begin
  return coalesce(
    (select r.keep_days from dossier.trash_retention as r where r.organization_id = trash_days.organization_id),
    dossier_private.setting('trash_days')::integer);
end
$$;
comment on function dossier_private.trash_days(uuid) is 'Returns how many days a session of an organization stays in the trash.';

create function dossier_private.trashed_sessions(organizations uuid[] default null) returns setof uuid
language plpgsql stable parallel safe security definer set search_path = '' rows 10
as $$
-- Definer: the caller cannot see these sessions.
begin
  organizations := coalesce(organizations, array(select dossier_private.my_organizations()));
  return query
    select session.id
    from dossier.sessions as session
    where session.organization_id = any (organizations) and session.deleted_at is not null;
end
$$;
comment on function dossier_private.trashed_sessions(uuid[]) is
  'Returns the sessions in the trash of these organizations, or of the caller''s. Policies use it as session_id not in (select '
  'dossier_private.trashed_sessions()), which builds one hash table per statement.';

create function dossier_private.hold_jobs() returns trigger
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles may write jobs only through functions.
begin
  if new.deleted_at is not null then
    -- A worker is claiming the locked jobs at this moment. They run like those under way, in vain unless the session is
    -- restored.
    update dossier_private.jobs as job
    set run_at = 'infinity'
    from (
      select waiting.id
      from dossier.documents as document
      join dossier_private.jobs as waiting
        on waiting.document_id = document.id and waiting.organization_id = document.organization_id
      where document.session_id = new.id and document.organization_id = new.organization_id and waiting.status = 'queued'
      for no key update of waiting skip locked
    ) as held
    where job.id = held.id;
  else
    update dossier_private.jobs as job
    set run_at = now()
    from dossier.documents as document
    where document.session_id = new.id and document.organization_id = new.organization_id
      and job.document_id = document.id and job.organization_id = document.organization_id and job.status = 'queued' and job.run_at = 'infinity';
    if found then
      perform pg_notify('dossier_jobs', '');
    end if;
  end if;
  return null;
end
$$;
comment on function dossier_private.hold_jobs() is
  'Trigger: holds back the jobs of a session that moves to the trash, and releases them when it is restored.';

create trigger sessions_hold_jobs
  after update of deleted_at on dossier.sessions
  for each row when ((old.deleted_at is null) <> (new.deleted_at is null))
  execute function dossier_private.hold_jobs();

-- Retention.

create function dossier_private.set_trash_retention(organization_id uuid, keep_days integer) returns dossier.trash_retention
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles write the table only through this function.
declare
  rule dossier.trash_retention;
begin
  perform dossier_private.require_admin(set_trash_retention.organization_id);
  if keep_days not between 0 and 36500 then
    raise exception using
      errcode = 'PT400',
      message = 'keep_days must be 0 to 36500',
      detail = format('It is %s.', keep_days),
      hint = 'Send 0 to disable the trash, or omit it to use the trash_days default.';
  end if;

  if keep_days is null then
    delete from dossier.trash_retention as r where r.organization_id = set_trash_retention.organization_id;
    rule.organization_id := set_trash_retention.organization_id;
    rule.keep_days := dossier_private.trash_days(rule.organization_id);
    return rule;
  end if;
  insert into dossier.trash_retention as r (organization_id, keep_days)
  values (set_trash_retention.organization_id, set_trash_retention.keep_days)
  on conflict on constraint trash_retention_pkey do update set keep_days = excluded.keep_days
  returning * into rule;
  return rule;
end
$$;
comment on function dossier_private.set_trash_retention(uuid, integer) is
  'Runs dossier.set_trash_retention() with its owner''s rights.';

create function dossier.set_trash_retention(organization_id uuid, keep_days integer default null) returns dossier.trash_retention
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.set_trash_retention(organization_id, keep_days);
end;
comment on function dossier.set_trash_retention(uuid, integer) is
  'Sets how many days deleted sessions of an organization can be restored. 0 disables its trash. Omit keep_days to use the '
  'setting trash_days. Applies also to sessions that are already in the trash. Returns the resulting rule. Admins only.';

-- Delete: move to the trash, or delete permanently.

create function dossier_private.delete_sessions(session_ids uuid[], permanently boolean) returns setof uuid
language plpgsql security definer set search_path = ''
as $$
-- Definer: a viewer gets an error (42501). Under row level security, the deletion would silently find no row.
declare
  session record;
  purged uuid[] := '{}';
begin
  if coalesce(cardinality(session_ids) not between 1 and 1000, true) then
    raise exception using
      errcode = 'PT400',
      message = 'session_ids must name 1 to 1000 sessions',
      detail = format('It names %s.', coalesce(cardinality(session_ids), 0)),
      hint = 'Delete more sessions in several calls.';
  end if;

  -- Sort first: two calls that lock in the same order cannot deadlock.
  for session in
    select s.id, s.organization_id
    from dossier.sessions as s
    where s.id = any (session_ids) and (permanently or s.deleted_at is null) and s.purged_at is null
      and dossier_private.my_role(s.organization_id) is not null
    order by s.id
  loop
    perform dossier_private.require_writer(session.organization_id, 'session', session.id);
    if permanently or dossier_private.trash_days(session.organization_id) = 0 then
      update dossier.sessions as s
      set deleted_at = coalesce(s.deleted_at, now()), purged_at = now(),
        deleted_by = case when s.deleted_at is null then dossier_private.caller_id() else s.deleted_by end
      where s.id = session.id and s.purged_at is null;
      if found then
        purged := purged || session.id;
      end if;
    else
      update dossier.sessions as s
      set deleted_at = now(), deleted_by = dossier_private.caller_id()
      where s.id = session.id and s.deleted_at is null;
    end if;
    if found then
      return next session.id;
    end if;
  end loop;

  -- Little is removed at once. The rest, which could take longer than a request may, is left to the sweeper.
  if purged <> '{}' then
    perform dossier_private.purge_sessions(200, purged);
    if exists (select from dossier.sessions as s where s.id = any (purged)) then
      perform pg_notify('dossier_sweep', '');
    end if;
  end if;
end
$$;
comment on function dossier_private.delete_sessions(uuid[], boolean) is
  'Runs dossier.delete_sessions() with its owner''s rights.';

create function dossier.delete_sessions(session_ids uuid[], permanently boolean default false) returns setof uuid
language sql volatile security invoker set search_path = '' rows 10
begin atomic
  select dossier_private.delete_sessions(session_ids, coalesce(permanently, false));
end;
comment on function dossier.delete_sessions(uuid[], boolean) is
  'Moves up to 1000 sessions to the trash, all or none. Users no longer see them or anything that belongs to them. '
  'restore_session() restores one until its retention ends. With permanently, or in an organization without a trash, deletes '
  'them with their contexts, documents and bytes, even if they are already in the trash. If that is much, the sweeper removes '
  'the rest in the background, which counts in quotas until then. Returns the ids of the sessions that were deleted. Sessions that the caller cannot see are ignored. A session that the caller may only read is refused (42501).';

-- Restore.

create function dossier_private.restore_session(session_id uuid) returns dossier.sessions
language plpgsql security definer set search_path = ''
as $$
-- Definer: the caller cannot see the session.
declare
  session dossier.sessions;
begin
  select s.* into session
  from dossier.sessions as s
  where s.id = restore_session.session_id and s.deleted_at is not null and s.purged_at is null and dossier_private.my_role(s.organization_id) is not null;
  if session.id is not null then
    perform dossier_private.require_writer(session.organization_id, 'session', session_id);
    update dossier.sessions as s
    set deleted_at = null, deleted_by = null
    where s.id = session.id and s.deleted_at is not null and s.purged_at is null -- otherwise it was purged or restored in the meantime
    returning * into session;
  end if;
  if session.id is null then
    raise exception using
      errcode = 'PT404',
      message = 'Session not found in the trash',
      detail = format('No session %s in the trash is visible to you. It may have been purged.',
        coalesce(session_id::text, '(null)')),
      hint = 'Call deleted_sessions() for the sessions that can be restored.';
  end if;

  return session;
end
$$;
comment on function dossier_private.restore_session(uuid) is 'Runs dossier.restore_session() with its owner''s rights.';

create function dossier.restore_session(session_id uuid) returns dossier.sessions
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.restore_session(session_id);
end;
comment on function dossier.restore_session(uuid) is
  'Restores a session from the trash, with everything that belongs to it. Pending extractions continue. PT404 if it is not in '
  'the trash or not visible; 42501 if the caller may not write there.';

create function dossier_private.deleted_sessions(in_organization uuid, limit_count integer, before timestamptz, before_id uuid)
returns table (
  id uuid, organization_id uuid, user_id text, title text, conversation_type text,
  deleted_at timestamptz, deleted_by text, purge_at timestamptz
)
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: the caller cannot see these sessions. Repeats the condition of sessions_select_viewer.
#variable_conflict use_column
declare
  organizations uuid[] := array[in_organization];
begin
  if in_organization is not null then
    perform dossier_private.require_role(
      dossier_private.known_organization(in_organization), 'viewer', 'organization', in_organization);
  else
    organizations := case when dossier_private.is_service()
      then array(select o.id from dossier.organizations as o)
      else array(select dossier_private.my_organizations())
    end;
  end if;

  return query
    select session.id, session.organization_id, session.user_id, session.title, session.conversation_type,
      session.deleted_at, session.deleted_by,
      session.deleted_at + make_interval(days => dossier_private.trash_days(session.organization_id))
    from dossier.sessions as session
    where session.organization_id = any (organizations) and session.deleted_at is not null and session.purged_at is null
      and (session.deleted_at, session.id)
        < (coalesce(before, 'infinity'), coalesce(before_id, '00000000-0000-0000-0000-000000000000'))
    order by session.deleted_at desc, session.id desc
    limit dossier_private.check_limit(limit_count, 1000);
end
$$;
comment on function dossier_private.deleted_sessions(uuid, integer, timestamptz, uuid) is
  'Runs dossier.deleted_sessions() with its owner''s rights.';

create function dossier.deleted_sessions(
  organization_id uuid default null,
  limit_count integer default 50,
  before timestamptz default null,
  before_id uuid default null
) returns table (
  id uuid, organization_id uuid, user_id text, title text, conversation_type text,
  deleted_at timestamptz, deleted_by text, purge_at timestamptz
)
language sql stable security invoker set search_path = ''
begin atomic
  select t.id, t.organization_id, t.user_id, t.title, t.conversation_type, t.deleted_at, t.deleted_by, t.purge_at
  from dossier_private.deleted_sessions(organization_id, limit_count, before, before_id) as t;
end;
comment on function dossier.deleted_sessions(uuid, integer, timestamptz, uuid) is
  'Returns the sessions in the trash of an organization, or of all organizations of the caller, last deleted first: who deleted '
  'each session and when, and when it is due for purging (purge_at). At most 1000 at once. For the next ones send deleted_at '
  'and id of the last as before and before_id.';

-- The end of retention.

create function dossier_private.sweep_trash() returns integer
language plpgsql security definer set search_path = ''
as $$
-- Definer: changes rows that no user can see.
declare
  standard_days constant integer := dossier_private.setting('trash_days')::integer;
  removed integer;
begin
  with due as (
    select session.id
    from dossier.sessions as session
    left join dossier.trash_retention as rule on rule.organization_id = session.organization_id
    where session.deleted_at <= now() - make_interval(days => coalesce(rule.keep_days, standard_days))
      and session.purged_at is null
    order by session.deleted_at
    limit 100
    for no key update of session skip locked -- locked ones are being restored or deleted
  )
  update dossier.sessions as session set purged_at = now() from due where session.id = due.id;

  get diagnostics removed = row_count;
  return removed;
end
$$;
comment on function dossier_private.sweep_trash() is
  'Marks the oldest hundred sessions whose retention in the trash has ended, so that purge_sessions() removes them. Returns how '
  'many. Part of dossier.sweep().';

alter table dossier.trash_retention enable row level security;
create policy trash_retention_select_viewer on dossier.trash_retention
  for select to authenticated
  using (organization_id = any (array(select dossier_private.my_organizations())));

revoke all on dossier.trash_retention from public, anon, authenticated, service_role;
grant select on dossier.trash_retention to authenticated, service_role;

revoke all on function
  dossier_private.trash_days, dossier_private.trashed_sessions, dossier_private.hold_jobs,
  dossier_private.set_trash_retention, dossier.set_trash_retention, dossier_private.delete_sessions, dossier.delete_sessions,
  dossier_private.restore_session, dossier.restore_session, dossier_private.deleted_sessions, dossier.deleted_sessions,
  dossier_private.sweep_trash
  from public, anon, authenticated, service_role;
-- Policies run as the caller.
grant execute on function dossier_private.trashed_sessions to authenticated;
grant execute on function
  dossier.set_trash_retention, dossier_private.set_trash_retention, dossier.delete_sessions, dossier_private.delete_sessions,
  dossier.restore_session, dossier_private.restore_session, dossier.deleted_sessions, dossier_private.deleted_sessions
  to authenticated, service_role;
