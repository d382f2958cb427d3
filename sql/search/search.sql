-- Search: pages, contexts and names that the caller may see, in one ranking.
--
-- search/find.sql finds pages and contexts, search/names.sql names, and search/excerpts.sql shows them.

create function dossier_private.searchable_organizations(session_id uuid, organization_id uuid) returns uuid[]
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: reads membership. Repeats the conditions of the policies of pages and contexts.
declare
  owning_organization_id uuid;
  mine uuid[];
begin
  if session_id is not null then
    owning_organization_id := dossier_private.session_organization(session_id);
    if owning_organization_id <> organization_id then
      owning_organization_id := null;
    end if;
    perform dossier_private.require_role(owning_organization_id, 'viewer', 'session', session_id);
    return array[owning_organization_id];
  elsif organization_id is not null then
    perform dossier_private.require_role(
      dossier_private.known_organization(organization_id), 'viewer', 'organization', organization_id);
    return array[organization_id];
  end if;

  mine := array(select dossier_private.my_organizations());
  if mine = '{}' and dossier_private.is_service() then
    raise exception using
      errcode = 'PT400',
      message = 'organization_id or session_id is missing',
      detail = 'A service is not a member of any organization.',
      hint = 'Send the parameter organization_id or session_id.';
  end if;
  return mine;
end
$$;
comment on function dossier_private.searchable_organizations(uuid, uuid) is
  'Returns the organizations to search: the given one, the session''s, or all of the caller''s. PT404 if it is invisible.';

create function dossier_private.find_hits(
  query text, organizations uuid[], in_session uuid, of_type text, since timestamptz, until timestamptz
) returns table (
  kind text, session_id uuid, document_id uuid, name text, page integer, rank real, config text, terms tsquery,
  contained text[], missing text[], corrected jsonb, key text
)
language plpgsql stable security definer set search_path = '' rows 1000
as $$
-- Definer: see find_entries.
#variable_conflict use_column
begin
  return query
    select case when found.document_id is null then 'context' else 'page' end,
      found.session_id, found.document_id, null, found.page, found.rank, found.config, found.terms,
      found.contained, found.missing, found.corrected,
      case when found.document_id is null
        then format('context %s', found.session_id)
        else format('page %s %s', found.document_id, found.page)
      end
    from dossier_private.find_entries(query, organizations, in_session, of_type, since, until) as found
    union all
    select 'name', named.session_id, named.document_id, named.name, null, named.rank, null, null, null, null, null,
      format('name %s', named.document_id)
    from dossier_private.find_names(query, organizations, in_session, of_type, since, until) as named;
end
$$;
comment on function dossier_private.find_hits(text, uuid[], uuid, text, timestamptz, timestamptz) is
  'Returns the pages, contexts and names that match a query, each with a key.';

create function dossier_private.check_query(query text) returns void
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  if coalesce(char_length(query) > 1000 or query !~ '\S', true) then
    raise exception using
      errcode = 'PT400',
      message = 'The query must have 1 to 1000 characters',
      detail = format('It has %s.', coalesce(char_length(query), 0)),
      hint = 'Send words, "a phrase", or, -not, a prefix*.';
  end if;
end
$$;
comment on function dossier_private.check_query(text) is 'Refuses (PT400) a query that is blank or too long.';

create function dossier_private.search(
  query text, in_session uuid, in_organization uuid, limit_count integer, after text,
  of_type text, since timestamptz, until timestamptz
) returns table (
  kind text, session_id uuid, document_id uuid, document_name text, page integer, rank real, snippet text, cursor text,
  missing text[], contained text[], corrected jsonb, heading text
)
-- A cursor contains a rank. With fewer digits the next page would repeat rows, or omit some.
language plpgsql stable security definer set search_path = '' set extra_float_digits = 1
as $$
-- Definer: API roles cannot read entries. searchable_organizations() restricts the search to what the caller may see.
#variable_conflict use_column
declare
  most constant integer := dossier_private.check_limit(limit_count, 100);
  organizations constant uuid[] := dossier_private.searchable_organizations(in_session, in_organization);
  after_rank real;
  after_key text;
begin
  perform dossier_private.check_query(query);
  of_type := dossier_private.check_media_pattern(of_type);
  if after is not null then
    -- Its first part is a real, and has no more digits than a real.
    if after !~ '^[0-9](\.[0-9]{1,9})?(e-[0-3][0-9])? [a-z]+ [0-9a-f-]{36}( [0-9]{1,10})?$' then
      raise exception using
        errcode = 'PT400',
        message = 'after is not a valid cursor',
        detail = format('It is %L.', left(after, 80)),
        hint = 'Send the cursor of the last row of the previous page, or omit it.';
    end if;
    after_rank := split_part(after, ' ', 1)::real;
    after_key := substring(after from ' (.*)$');
  end if;

  return query
    with wanted as materialized (
      select hit.*, hit.key collate "C" as place
      from dossier_private.find_hits(query, organizations, in_session, of_type, since, until) as hit
      where after is null or hit.rank < after_rank or (hit.rank = after_rank and hit.key collate "C" > after_key)
      order by hit.rank desc, place
      limit most
    )
    select wanted.kind, wanted.session_id, wanted.document_id, document.name, wanted.page, wanted.rank,
      shown.snippet,
      format('%s %s', wanted.rank, wanted.key), wanted.missing, wanted.contained, wanted.corrected,
      case when wanted.kind = 'page' then dossier_private.nearest_heading(wanted.document_id, wanted.page, shown.snippet) end
    from wanted
    cross join lateral dossier_private.show_hit(
      wanted.kind, wanted.session_id, wanted.document_id, wanted.page, wanted.name, wanted.config, wanted.terms) as shown (snippet)
    left join dossier.documents as document on document.id = wanted.document_id
    order by wanted.rank desc, wanted.place;
end
$$;
comment on function dossier_private.search(text, uuid, uuid, integer, text, text, timestamptz, timestamptz) is
  'Runs dossier.search() with its owner''s rights.';

create function dossier.search(
  query text,
  session_id uuid default null,
  organization_id uuid default null,
  limit_count integer default 20,
  after text default null,
  media_type text default null,
  since timestamptz default null,
  until timestamptz default null
) returns table (
  kind text, session_id uuid, document_id uuid, document_name text, page integer, rank real, snippet text, cursor text,
  missing text[], contained text[], corrected jsonb, heading text
)
language sql stable security invoker set search_path = ''
begin atomic
  select hit.kind, hit.session_id, hit.document_id, hit.document_name, hit.page, hit.rank, hit.snippet, hit.cursor,
    hit.missing, hit.contained, hit.corrected, hit.heading
  from dossier_private.search(query, session_id, organization_id, limit_count, after, media_type, since, until) as hit;
end;
comment on function dossier.search(text, uuid, uuid, integer, text, text, timestamptz, timestamptz) is
  'Searches pages (kind page), contexts (context) and names of documents (name) in a session, an organization, or all of the '
  'caller''s. Matches words in the language of each text, "a phrase", or, -not, prefix*. Accents do not matter. In scripts '
  'without spaces, matches any sequence of letters. Without these operators, texts that contain all words come first, then '
  'those with most of them and the rarest; contained and missing list the words that a text contains and lacks (null with '
  'operators). If no text contains a word, searches for a similar one: corrected is then {"typed": "searched"}. Best first. '
  'snippet is HTML with the matches in <mark>, and heading the one that its first match stands under (PDFs only), as text. media_type may be a wildcard (image/*). since and until refer to when a document''s upload began or a context was saved. For the next rows send '
  'the last cursor as after. Of more than a thousand matches, ranks the newest thousand; of more than fifty thousand, any '
  'thousand.';

revoke all on function
  dossier_private.searchable_organizations, dossier_private.find_hits, dossier_private.check_query,
  dossier_private.search, dossier.search
  from public, anon, authenticated, service_role;
grant execute on function dossier.search, dossier_private.search to authenticated, service_role;
