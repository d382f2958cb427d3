-- The newest documents of all organizations of the caller. sessions/list_sessions.sql explains why it is written in this way.

create function dossier_private.newest_documents(organization_id uuid, limit_count integer, before timestamptz, before_id uuid)
returns setof dossier.documents
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
      select document.*
      from dossier.documents as document
      where document.organization_id = organization.id and (document.created_at, document.id) < (earlier_than, earlier_than_id)
      order by document.created_at desc, document.id desc
      limit limit_count
    ) as newest
    where newest_documents.organization_id is null or organization.id = newest_documents.organization_id
    order by newest.created_at desc, newest.id desc
    limit limit_count;
end
$$;
comment on function dossier_private.newest_documents(uuid, integer, timestamptz, uuid) is
  'Returns the rows of list_documents() as the caller, with a plan that each connection makes once.';

create function dossier.list_documents(
  organization_id uuid default null,
  limit_count integer default 50,
  before timestamptz default null,
  before_id uuid default null
) returns setof dossier.documents
language sql stable security invoker set search_path = '' rows 50
begin atomic
  select dossier_private.newest_documents(organization_id, dossier_private.check_limit(limit_count, 1000), before, before_id);
end;
comment on function dossier.list_documents(uuid, integer, timestamptz, uuid) is
  'Returns the documents of an organization, or of all organizations of the caller, newest first. At most 1000 at once. For the '
  'next ones send created_at and id of the last as before and before_id. Faster than the table if no organization is named.';

revoke all on function
  dossier.list_documents, dossier_private.newest_documents
  from public, anon, authenticated, service_role;
grant execute on function dossier.list_documents, dossier_private.newest_documents to authenticated, service_role;
