-- Lists over all organizations of the caller, newest first.
--
-- A select from sessions or documents that names no organization sorts all that the caller may see: no index gives
-- the rows of several organizations in one order, nor does Postgres know that there is but one. Here each
-- organization gives its newest, by its index, and the newest of these are the answer.
--
-- Bitmap scans are off: the planner thinks little of an organization's rows, since both the policy and the condition
-- name it, and would at times rather read and sort them all.
-- A coalesce is inside of a (select …): Postgres does not count it as leakproof, and under row level security only what
-- is leakproof reaches an index.

create function dossier.list_sessions(
  organization_id uuid default null,
  limit_count integer default 50,
  before timestamptz default null,
  before_id uuid default null
) returns setof dossier.sessions
language sql stable security invoker set search_path = '' set enable_bitmapscan = off rows 50
begin atomic
  select newest.*
  from dossier.organizations as organization
  cross join lateral (
    select session.*
    from dossier.sessions as session
    where session.organization_id = organization.id
      and (session.created_at, session.id)
        < ((select coalesce(before, 'infinity')), (select coalesce(before_id, '00000000-0000-0000-0000-000000000000')))
    order by session.created_at desc, session.id desc
    limit dossier_private.check_limit(limit_count, 1000)
  ) as newest
  where list_sessions.organization_id is null or organization.id = list_sessions.organization_id
  order by newest.created_at desc, newest.id desc
  limit dossier_private.check_limit(limit_count, 1000);
end;
comment on function dossier.list_sessions(uuid, integer, timestamptz, uuid) is
  'Sessions of an organization, or of all that the caller belongs to, newest first. For the next ones send created_at and '
  'id of the last as before and before_id; at most 1000 at once. Quicker than the table where no organization is named.';

create function dossier.list_documents(
  organization_id uuid default null,
  limit_count integer default 50,
  before timestamptz default null,
  before_id uuid default null
) returns setof dossier.documents
language sql stable security invoker set search_path = '' set enable_bitmapscan = off rows 50
begin atomic
  select newest.*
  from dossier.organizations as organization
  cross join lateral (
    select document.*
    from dossier.documents as document
    where document.organization_id = organization.id
      and (document.created_at, document.id)
        < ((select coalesce(before, 'infinity')), (select coalesce(before_id, '00000000-0000-0000-0000-000000000000')))
    order by document.created_at desc, document.id desc
    limit dossier_private.check_limit(limit_count, 1000)
  ) as newest
  where list_documents.organization_id is null or organization.id = list_documents.organization_id
  order by newest.created_at desc, newest.id desc
  limit dossier_private.check_limit(limit_count, 1000);
end;
comment on function dossier.list_documents(uuid, integer, timestamptz, uuid) is
  'Documents of an organization, or of all that the caller belongs to, newest first. For the next ones send created_at and '
  'id of the last as before and before_id; at most 1000 at once. Quicker than the table where no organization is named.';

revoke all on function dossier.list_sessions, dossier.list_documents from public, anon, authenticated, service_role;
grant execute on function dossier.list_sessions, dossier.list_documents to authenticated, service_role;
