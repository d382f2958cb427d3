-- The newest sessions of all organizations of the caller. documents/list_documents.sql works in the same way.
--
-- A select from sessions or documents that does not name an organization sorts everything that the caller may see: no index
-- returns the rows of several organizations in one order, and Postgres does not know when there is only one. This function
-- takes the newest rows of each organization from its index, and returns the newest of these.
--
-- Bitmap scans are off. Both the policy and the condition name the organization, so the planner underestimates its rows, and
-- would sometimes read and sort them all.
-- The rows come from PL/pgSQL, which keeps its plans, because planning took longer than reading. The plan is generic, since
-- for some cursors the planner would also sort an organization's rows. Rows are passed on whole, because * would be fixed to
-- the columns that the table has today.
-- The cursor is in variables. A coalesce in the condition is not leakproof, and under row level security only leakproof
-- conditions can use an index.

create function dossier_private.newest_sessions(
  organization_id uuid, limit_count integer, before timestamptz, before_id uuid, of_status text, of_type text
) returns setof dossier.sessions
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
        and (of_status is null or session.status = of_status)
        and (of_type is null or session.conversation_type = of_type)
      order by session.created_at desc, session.id desc
      limit limit_count
    ) as newest
    where newest_sessions.organization_id is null or organization.id = newest_sessions.organization_id
    order by newest.created_at desc, newest.id desc
    limit limit_count;
end
$$;
comment on function dossier_private.newest_sessions(uuid, integer, timestamptz, uuid, text, text) is
  'Returns the rows of list_sessions() as the caller, with a plan that each connection makes once.';

create function dossier.list_sessions(
  organization_id uuid default null,
  limit_count integer default 50,
  before timestamptz default null,
  before_id uuid default null,
  status text default null,
  conversation_type text default null
) returns setof dossier.sessions
language sql stable security invoker set search_path = '' rows 50
begin atomic
  select dossier_private.newest_sessions(
    organization_id, dossier_private.check_limit(limit_count, 1000), before, before_id,
    dossier_private.check_choice('status', status, '{active,archived}'), conversation_type);
end;
comment on function dossier.list_sessions(uuid, integer, timestamptz, uuid, text, text) is
  'Returns the sessions of an organization, or of all organizations of the caller, newest first, and only those with this status '
  '(active, archived) or conversation_type if they are given. At most 1000 at once. For the next ones send created_at and id of '
  'the last as before and before_id. Faster than the table if no organization is named.';

revoke all on function
  dossier.list_sessions, dossier_private.newest_sessions
  from public, anon, authenticated, service_role;
grant execute on function dossier.list_sessions, dossier_private.newest_sessions to authenticated, service_role;
