-- The newest sessions over all organizations of the caller; documents/list_documents.sql does the same.
--
-- A select from sessions or documents that names no organization sorts all that the caller may see: no index gives
-- the rows of several organizations in one order, nor does Postgres know that there is but one. Here each
-- organization gives its newest, by its index, and the newest of these are the answer.
--
-- Bitmap scans are off: the planner thinks little of an organization's rows, since both the policy and the condition
-- name it, and would at times rather read and sort them all.
-- The rows come from PL/pgSQL, which keeps its plans: to plan took longer than to read. The plan is the one for any cursor,
-- since for some the planner would sort an organization's rows as well. Rows are passed on whole: a * would be those columns
-- for ever that the table has today.
-- The cursor is made of variables: a coalesce within the condition does not count as leakproof, and under row level
-- security only what is leakproof reaches an index.

create function dossier_private.newest_sessions(organization_id uuid, limit_count integer, before timestamptz, before_id uuid)
returns setof dossier.sessions
language plpgsql stable security invoker set search_path = '' set enable_bitmapscan = off set plan_cache_mode = force_generic_plan rows 50
as $$
declare
  earlier_than constant timestamptz := coalesce(before, 'infinity');
  earlier_than_id constant uuid := coalesce(before_id, '00000000-0000-0000-0000-000000000000');
begin
  return query
    select newest.*
    from dossier.organizations as organization
    cross join lateral (
      select session.*
      from dossier.sessions as session
      where session.organization_id = organization.id and (session.created_at, session.id) < (earlier_than, earlier_than_id)
      order by session.created_at desc, session.id desc
      limit limit_count
    ) as newest
    where newest_sessions.organization_id is null or organization.id = newest_sessions.organization_id
    order by newest.created_at desc, newest.id desc
    limit limit_count;
end
$$;
comment on function dossier_private.newest_sessions(uuid, integer, timestamptz, uuid) is
  'The rows of list_sessions(): as the caller, by a plan that a connection makes once.';

create function dossier.list_sessions(
  organization_id uuid default null,
  limit_count integer default 50,
  before timestamptz default null,
  before_id uuid default null
) returns setof dossier.sessions
language sql stable security invoker set search_path = '' rows 50
begin atomic
  select dossier_private.newest_sessions(organization_id, dossier_private.check_limit(limit_count, 1000), before, before_id);
end;
comment on function dossier.list_sessions(uuid, integer, timestamptz, uuid) is
  'Sessions of an organization, or of all that the caller belongs to, newest first. For the next ones send created_at and '
  'id of the last as before and before_id; at most 1000 at once. Quicker than the table where no organization is named.';

revoke all on function
  dossier.list_sessions, dossier_private.newest_sessions
  from public, anon, authenticated, service_role;
grant execute on function dossier.list_sessions, dossier_private.newest_sessions to authenticated, service_role;
