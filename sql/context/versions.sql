-- Versions of a context: retention, history, and restoring one.

-- Retention.

create table dossier.context_retention (
  organization_id uuid not null,
  keep_versions integer,
  keep_days integer,
  swept_until timestamptz not null default '-infinity',
  constraint context_retention_pkey primary key (organization_id),
  constraint context_retention_organization_id_fkey
    foreign key (organization_id) references dossier.organizations (id) on delete cascade,
  constraint context_retention_keep_versions_check check (keep_versions between 1 and 1000000),
  constraint context_retention_keep_days_check check (keep_days between 1 and 36500)
);
comment on table dossier.context_retention is
  'Which versions of contexts an organization keeps; without a row, all. Written only by set_context_retention().';
comment on column dossier.context_retention.organization_id is 'The organization.';
comment on column dossier.context_retention.keep_versions is
  'How many of the newest versions of each context to keep; null: any number.';
comment on column dossier.context_retention.keep_days is 'For how many days to keep versions; null: of any age.';
comment on column dossier.context_retention.swept_until is
  'The sweeper has checked all versions saved until then against the current rule.';

-- For the sweeper.
create index session_context_versions_organization_id_updated_at_idx
  on dossier.session_context_versions (organization_id, updated_at);

create trigger context_retention_adopt_organization
  before insert on dossier.context_retention
  for each row execute function dossier_private.adopt_organization();

create function dossier_private.may_go(
  keep_versions integer, keep_days integer, version integer, current_version integer, updated_at timestamptz
) returns boolean
language plpgsql stable parallel safe security invoker set search_path = ''
as $$
begin
  return version < current_version
    and coalesce(version <= current_version - keep_versions, keep_days is not null)
    and coalesce(updated_at <= now() - make_interval(days => keep_days), keep_versions is not null);
end
$$;
comment on function dossier_private.may_go(integer, integer, integer, integer, timestamptz) is
  'Returns whether a retention rule allows removing a version. Every part of the rule that is set must allow it. The current '
  'version is never removed.';

-- The three functions that remove versions skip locked ones: another transaction is already removing them.

create function dossier_private.prune_versions(organization_id uuid, session_id uuid, current_version integer) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles delete versions only through functions.
declare
  rule dossier.context_retention;
begin
  select r.* into rule from dossier.context_retention as r where r.organization_id = prune_versions.organization_id;
  if not found then
    return;
  end if;

  with stale as (
    select old.session_id, old.version
    from dossier.session_context_versions as old
    where old.session_id = prune_versions.session_id and old.organization_id = prune_versions.organization_id
      and dossier_private.may_go(rule.keep_versions, rule.keep_days, old.version, current_version, old.updated_at)
    for update skip locked
  )
  delete from dossier.session_context_versions as old
  using stale
  where old.session_id = stale.session_id and old.organization_id = prune_versions.organization_id and old.version = stale.version;
end
$$;
comment on function dossier_private.prune_versions(uuid, uuid, integer) is
  'Removes versions that a session''s organization no longer keeps. Called when a version is saved.';

create function dossier_private.prune_organization(
  organization_id uuid, keep_versions integer, keep_days integer, saved_after timestamptz, saved_until timestamptz
) returns integer
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles delete versions only through functions.
declare
  removed integer;
begin
  with stale as (
    select old.session_id, old.version
    from dossier.session_context_versions as old
    join dossier.session_context as current_context
      on current_context.session_id = old.session_id and current_context.organization_id = old.organization_id
    where old.organization_id = prune_organization.organization_id
      and old.updated_at > saved_after and old.updated_at <= saved_until
      and dossier_private.may_go(keep_versions, keep_days, old.version, current_context.version, old.updated_at)
    for update of old skip locked
  )
  delete from dossier.session_context_versions as old
  using stale
  where old.session_id = stale.session_id and old.organization_id = prune_organization.organization_id
    and old.version = stale.version;

  get diagnostics removed = row_count;
  return removed;
end
$$;
comment on function dossier_private.prune_organization(uuid, integer, integer, timestamptz, timestamptz) is
  'Removes versions saved in a span of time that an organization no longer keeps. Returns how many.';

create function dossier_private.sweep_versions() returns integer
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles delete versions only through functions.
declare
  rule dossier.context_retention;
  aged_until timestamptz;
  removed integer := 0;
begin
  -- Versions grow old without being changed. Every other change happens in a save, which prunes. So each sweep checks only
  -- the versions that have reached keep_days since the last one.
  for rule in
    select due.*
    from dossier.context_retention as due
    where due.keep_days is not null and due.swept_until < now() - make_interval(days => due.keep_days, hours => 1)
    order by due.swept_until
    limit 100
    for no key update skip locked
  loop
    aged_until := now() - make_interval(days => rule.keep_days);
    removed := removed + dossier_private.prune_organization(
      rule.organization_id, rule.keep_versions, rule.keep_days, rule.swept_until, aged_until);
    update dossier.context_retention as r set swept_until = aged_until where r.organization_id = rule.organization_id;
  end loop;
  return removed;
end
$$;
comment on function dossier_private.sweep_versions() is
  'Removes versions older than keep_days, at most an hour late. Returns how many. Part of dossier.sweep().';

create function dossier_private.set_context_retention(organization_id uuid, keep_versions integer, keep_days integer)
returns dossier.context_retention
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles write the table only through this function.
declare
  rule dossier.context_retention;
begin
  perform dossier_private.require_admin(set_context_retention.organization_id);
  if keep_versions not between 1 and 1000000 or keep_days not between 1 and 36500 then
    raise exception using
      errcode = 'PT400',
      message = 'keep_versions must be 1 to 1000000 and keep_days 1 to 36500',
      detail = format('They are %s and %s.', coalesce(keep_versions::text, 'null'), coalesce(keep_days::text, 'null')),
      hint = 'Omit both to keep every version.';
  end if;

  insert into dossier.context_retention as r (organization_id, keep_versions, keep_days, swept_until)
  values (
    set_context_retention.organization_id,
    set_context_retention.keep_versions,
    set_context_retention.keep_days,
    now() - make_interval(days => coalesce(set_context_retention.keep_days, 0)))
  on conflict on constraint context_retention_pkey do update set
    keep_versions = excluded.keep_versions, keep_days = excluded.keep_days, swept_until = excluded.swept_until
  returning * into rule;

  perform dossier_private.prune_organization(rule.organization_id, rule.keep_versions, rule.keep_days, '-infinity', 'infinity');
  return rule;
end
$$;
comment on function dossier_private.set_context_retention(uuid, integer, integer) is
  'Runs dossier.set_context_retention() with its owner''s rights.';

create function dossier.set_context_retention(
  organization_id uuid,
  keep_versions integer default null,
  keep_days integer default null
) returns dossier.context_retention
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.set_context_retention(organization_id, keep_versions, keep_days);
end;
comment on function dossier.set_context_retention(uuid, integer, integer) is
  'Sets which versions of contexts an organization keeps: the newest keep_versions, or those of the last keep_days. With both, '
  'keeps a version that either keeps. Removes older ones at once and from then on, but never the current version. Admins only.';

-- History.

create function dossier.context_history(session_id uuid, before_version integer default null, limit_count integer default 20)
returns table (
  version integer, updated_at timestamptz, updated_by text,
  text_changed boolean, metadata_changed boolean, text_bytes integer, text_start text
)
language sql stable security invoker set search_path = ''
begin atomic
  select saved.version, saved.updated_at, saved.updated_by,
    saved.text_context is distinct from previous.text_context,
    saved.context_metadata is distinct from previous.context_metadata,
    octet_length(saved.text_context),
    left(saved.text_context, 200)
  from dossier.session_context_versions as saved
  left join lateral (
    select p.text_context, p.context_metadata
    from dossier.session_context_versions as p
    where p.session_id = saved.session_id and p.organization_id = saved.organization_id and p.version < saved.version
    order by p.version desc
    limit 1
  ) as previous on true
  where saved.session_id = context_history.session_id
    and saved.organization_id = (select s.organization_id from dossier.sessions as s where s.id = context_history.session_id)
    and (before_version is null or saved.version < before_version)
  order by saved.version desc
  limit dossier_private.check_limit(limit_count, 100);
end;
comment on function dossier.context_history(uuid, integer, integer) is
  'Returns the versions of a session''s context, newest first: who saved each and when, whether its text or metadata changed, '
  'its size and its first 200 characters. At most 100 at once. For the next ones send the last version as before_version. For a '
  'whole version call read_context_version().';

-- Restore.

create function dossier_private.read_context_version(session_id uuid, version integer) returns dossier.session_context_versions
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: called by definer functions. Repeats the condition of session_context_versions_select_viewer.
declare
  owning_organization_id constant uuid := dossier_private.session_organization(session_id);
  found_version dossier.session_context_versions;
  kept record;
begin
  perform dossier_private.require_role(owning_organization_id, 'viewer', 'session', session_id);

  select v.* into found_version
  from dossier.session_context_versions as v
  where v.session_id = read_context_version.session_id and v.organization_id = owning_organization_id and v.version = read_context_version.version;

  if not found then
    select min(v.version) as oldest, max(v.version) as newest into kept
    from dossier.session_context_versions as v
    where v.session_id = read_context_version.session_id and v.organization_id = owning_organization_id;

    raise exception using
      errcode = 'PT404',
      message = case when kept.newest is null
        then 'The session has no context yet'
        else format('The context has no version %s', coalesce(version::text, 'null'))
      end,
      detail = case when kept.newest is null
        then 'Nothing has been saved.'
        else format('Versions %s to %s are kept.', kept.oldest, kept.newest)
      end,
      hint = 'Call context_history() for the versions that are kept.';
  end if;
  return found_version;
end
$$;
comment on function dossier_private.read_context_version(uuid, integer) is
  'Returns a version of a context that the caller can see. PT404 if the session is invisible or the version is not kept.';

create function dossier.read_context_version(session_id uuid, version integer) returns dossier.session_context_versions
language sql stable security invoker set search_path = ''
begin atomic
  select dossier_private.read_context_version(session_id, version);
end;
comment on function dossier.read_context_version(uuid, integer) is
  'Returns a version of a session''s context. Refuses (PT404) one that is not kept, and names the versions that are.';

create function dossier_private.restore_context(session_id uuid, version integer, expected_version integer)
returns dossier.session_context
language plpgsql security definer set search_path = ''
as $$
-- Definer: see write_context.
declare
  owning_organization_id constant uuid := dossier_private.lock_session(session_id);
  old constant dossier.session_context_versions := dossier_private.read_context_version(session_id, version);
begin
  return dossier_private.write_context(
    session_id, owning_organization_id, old.text_context, old.context_metadata, expected_version);
end
$$;
comment on function dossier_private.restore_context(uuid, integer, integer) is
  'Runs dossier.restore_context() with its owner''s rights.';

create function dossier.restore_context(session_id uuid, version integer, expected_version integer default null)
returns dossier.session_context
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.restore_context(session_id, version, expected_version);
end;
comment on function dossier.restore_context(uuid, integer, integer) is
  'Saves the text and metadata of an old version as a new version. Keeps all versions in between. Refuses a stale '
  'expected_version as save_context() does.';

alter table dossier.context_retention enable row level security;
create policy context_retention_select_viewer on dossier.context_retention
  for select to authenticated
  using (organization_id = any (array(select dossier_private.my_organizations())));

revoke all on dossier.context_retention from public, anon, authenticated, service_role;
grant select on dossier.context_retention to authenticated, service_role;

revoke all on function
  dossier_private.may_go, dossier_private.prune_versions, dossier_private.prune_organization,
  dossier_private.sweep_versions, dossier_private.set_context_retention, dossier.set_context_retention,
  dossier.context_history, dossier.read_context_version, dossier_private.read_context_version,
  dossier_private.restore_context, dossier.restore_context
  from public, anon, authenticated, service_role;
grant execute on function
  dossier.set_context_retention, dossier_private.set_context_retention, dossier.context_history,
  dossier.read_context_version, dossier_private.read_context_version, dossier.restore_context, dossier_private.restore_context
  to authenticated, service_role;
