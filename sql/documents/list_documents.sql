-- The newest documents of all organizations of the caller. sessions/list_sessions.sql explains why it is written in this way.

create function dossier_private.newest_documents(
  organization_id uuid, limit_count integer, before timestamptz, before_id uuid, in_session uuid, of_status text, of_type text
) returns setof dossier.documents
language plpgsql stable security invoker set search_path = '' set enable_bitmapscan = off set plan_cache_mode = force_generic_plan rows 50
as $$
declare
  earlier_than constant timestamptz := coalesce(before, 'infinity');
  earlier_than_id constant uuid := coalesce(before_id, '00000000-0000-0000-0000-000000000000');
begin
  if in_session is not null then
    return query
      select document.*
      from dossier.documents as document
      where document.session_id = in_session and (document.created_at, document.id) < (earlier_than, earlier_than_id)
        and (newest_documents.organization_id is null or document.organization_id = newest_documents.organization_id)
        and (of_status is null or document.status = of_status)
        and (of_type is null or document.media_type like replace(replace(of_type, '_', '\_'), '*', '%'))
      order by document.created_at desc, document.id desc
      limit limit_count;
    return;
  end if;
  return query
    select newest.*
    from dossier.organizations as organization
    cross join lateral (
      select document.*
      from dossier.documents as document
      where document.organization_id = organization.id and (document.created_at, document.id) < (earlier_than, earlier_than_id)
        and (of_status is null or document.status = of_status)
        and (of_type is null or document.media_type like replace(replace(of_type, '_', '\_'), '*', '%'))
      order by document.created_at desc, document.id desc
      limit limit_count
    ) as newest
    where newest_documents.organization_id is null or organization.id = newest_documents.organization_id
    order by newest.created_at desc, newest.id desc
    limit limit_count;
end
$$;
comment on function dossier_private.newest_documents(uuid, integer, timestamptz, uuid, uuid, text, text) is
  'Returns the rows of list_documents() as the caller, with a plan that each connection makes once.';

create function dossier.list_documents(
  organization_id uuid default null,
  limit_count integer default 50,
  before timestamptz default null,
  before_id uuid default null,
  session_id uuid default null,
  status text default null,
  media_type text default null
) returns setof dossier.documents
language sql stable security invoker set search_path = '' rows 50
begin atomic
  select dossier_private.newest_documents(
    organization_id, dossier_private.check_limit(limit_count, 1000), before, before_id, session_id,
    dossier_private.check_choice('status', status, '{uploading,stored,extracting,ready,failed,unsupported}'),
    dossier_private.check_media_pattern(media_type));
end;
comment on function dossier.list_documents(uuid, integer, timestamptz, uuid, uuid, text, text) is
  'Returns the documents of a session, of an organization, or of all organizations of the caller, newest first, and only those '
  'with this status or media_type (application/pdf, or a wildcard such as image/*) if they are given. At most 1000 at once. For '
  'the next ones send created_at and id of the last as before and before_id. Faster than the table if no organization is named.';

revoke all on function
  dossier.list_documents, dossier_private.newest_documents
  from public, anon, authenticated, service_role;
grant execute on function dossier.list_documents, dossier_private.newest_documents to authenticated, service_role;
