-- Search by meaning: pages with the nearest embeddings, alone or fused with full text search.
--
-- An index of vectors does not know tenants. It walks from the nearest to farther vectors of all tenants and drops the rows of
-- others, which takes long for a small tenant. So a small set is compared one by one, and the index serves only larger sets.
-- If the index gives up before it has found enough, all are compared.
--
-- Invariant: every row belongs to an organization from searchable_organizations(), however it was found.

create function dossier_private.check_embedding(embedding real[], dimensions integer) returns real[]
language plpgsql immutable security invoker set search_path = ''
as $$
begin
  if coalesce(cardinality(embedding) <> dimensions, true)
    or exists (select from unnest(embedding) as e (number) where coalesce(e.number in ('NaN', 'Infinity', '-Infinity'), true))
    or not exists (select from unnest(embedding) as e (number) where abs(e.number) > 1e-30)
  then
    raise exception using
      errcode = 'PT400',
      message = format('The embedding must have %s numbers, not all of them zero', dimensions),
      detail = case when cardinality(embedding) = dimensions then 'It contains null, NaN or infinity, or only zeros.'
        else format('It has %s.', coalesce(cardinality(embedding), 0)) end,
      hint = 'Use the model that made the embeddings of the pages.';
  end if;
  return embedding;
end
$$;
comment on function dossier_private.check_embedding(real[], integer) is 'Returns a valid embedding, or refuses it (PT400).';

create function dossier_private.nearest_pages(
  embedding real[], organizations uuid[], in_session uuid, of_type text, since timestamptz, until timestamptz, most integer,
  few integer default 10000
) returns table (session_id uuid, document_id uuid, page integer, similarity real)
language plpgsql stable security definer set search_path = '' rows 100
as $$
-- Definer: as in full text search, the policy would prevent the planner from using the index; see search/search.sql.
#variable_conflict use_column
declare
  kept constant record := dossier_private.require_embeddings();
  probe constant real[] := dossier_private.check_embedding(embedding, kept.dimensions);
  settings constant text[] := array[current_setting('hnsw.iterative_scan', true), current_setting('hnsw.ef_search', true)];
  nearest constant text := format($query$
    select array_agg(hit.session_id), array_agg(hit.document_id), array_agg(hit.page), array_agg(1 - hit.distance)
    from (
      select document.session_id, entry.document_id, entry.page, entry.embedding operator(%1$I.<=>) $1::%1$I.%2$I as distance
      from dossier.page_embeddings as entry
      join dossier.documents as document
        on document.id = entry.document_id and document.organization_id = entry.organization_id
      where entry.organization_id = any ($2)
        and ($3 is null or document.session_id = $3)
        and document.session_id not in (select dossier_private.trashed_sessions($2))
        and ($4 is null or document.media_type like replace(replace($4, '_', '\_'), '*', '%%'))
        and ($5 is null or document.created_at >= $5)
        and ($6 is null or document.created_at < $6)
      order by (entry.embedding operator(%1$I.<=>) $1::%1$I.%2$I)
    $query$, kept.type_schema, kept.type_name);
  one_by_one boolean := in_session is not null;
  sessions uuid[];
  documents uuid[];
  pages integer[];
  similarities real[];
begin
  if not one_by_one then
    execute 'select count(*) <= $2 from (select from dossier.page_embeddings as e where e.organization_id = any ($1) limit $2 + 1) as mine'
    into one_by_one
    using organizations, few;
  end if;
  if not one_by_one then
    perform set_config('hnsw.iterative_scan', 'strict_order', true), set_config('hnsw.ef_search', '200', true);
    execute nearest || ' limit $7) as hit' into sessions, documents, pages, similarities
    using probe, organizations, in_session, of_type, since, until, most;
    perform set_config('hnsw.iterative_scan', coalesce(settings[1], 'off'), true),
      set_config('hnsw.ef_search', coalesce(settings[2], '40'), true);
    one_by_one := coalesce(cardinality(pages), 0) < most;
  end if;
  if one_by_one then -- adding 0 prevents the planner from using the index
    execute nearest || ' + 0, entry.document_id, entry.page limit $7) as hit' into sessions, documents, pages, similarities
    using probe, organizations, in_session, of_type, since, until, most;
  end if;
  return query select * from unnest(sessions, documents, pages, similarities);
end
$$;
comment on function dossier_private.nearest_pages(real[], uuid[], uuid, text, timestamptz, timestamptz, integer, integer) is
  'Returns the pages in these organizations, or in a session of them, with the nearest embeddings by cosine. If the '
  'organizations have at most few embeddings, compares them one by one.';

create function dossier_private.match_pages(
  embedding real[], in_session uuid, in_organization uuid, limit_count integer,
  of_type text, since timestamptz, until timestamptz, min_similarity real
) returns table (session_id uuid, document_id uuid, document_name text, page integer, similarity real, snippet text, heading text)
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: see nearest_pages.
#variable_conflict use_column
declare
  most constant integer := dossier_private.check_limit(limit_count, 100);
  media_type constant text := dossier_private.check_media_pattern(of_type);
  organizations constant uuid[] := dossier_private.searchable_organizations(in_session, in_organization);
begin
  return query
    select near.session_id, near.document_id, document.name, near.page, near.similarity,
      shown.snippet, dossier_private.nearest_heading(near.document_id, near.page, shown.snippet)
    from dossier_private.nearest_pages(embedding, organizations, in_session, media_type, since, until, most) as near
    join dossier.documents as document on document.id = near.document_id
    cross join lateral dossier_private.show_hit('page', near.session_id, near.document_id, near.page, null, null, null) as shown (snippet)
    where min_similarity is null or near.similarity >= min_similarity
    order by near.similarity desc, near.document_id, near.page;
end
$$;
comment on function dossier_private.match_pages(real[], uuid, uuid, integer, text, timestamptz, timestamptz, real) is
  'Runs dossier.match_pages() with its owner''s rights.';

create function dossier.match_pages(
  embedding real[],
  session_id uuid default null,
  organization_id uuid default null,
  limit_count integer default 20,
  media_type text default null,
  since timestamptz default null,
  until timestamptz default null,
  min_similarity real default null
) returns table (session_id uuid, document_id uuid, document_name text, page integer, similarity real, snippet text, heading text)
language sql stable security invoker set search_path = ''
begin atomic
  select hit.session_id, hit.document_id, hit.document_name, hit.page, hit.similarity, hit.snippet, hit.heading
  from dossier_private.match_pages(embedding, session_id, organization_id, limit_count, media_type, since, until, min_similarity) as hit;
end;
comment on function dossier.match_pages(real[], uuid, uuid, integer, text, timestamptz, timestamptz, real) is
  'Returns the pages with the nearest embeddings in a session, an organization, or all of the caller''s, nearest first. '
  'similarity is the cosine, from -1 to 1, and at least min_similarity. snippet is the beginning of the page as HTML, and heading the one that it stands under. '
  'media_type, since and until are as in search(). Requires enable_embeddings().';

create function dossier_private.hybrid_search(
  query text, embedding real[], in_session uuid, in_organization uuid, limit_count integer,
  of_type text, since timestamptz, until timestamptz
) returns table (
  kind text, session_id uuid, document_id uuid, document_name text, page integer, rank real,
  text_place integer, embedding_place integer, snippet text,
  missing text[], contained text[], corrected jsonb, heading text
)
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: see find_entries and nearest_pages.
#variable_conflict use_column
declare
  most constant integer := dossier_private.check_limit(limit_count, 100);
  media_type constant text := dossier_private.check_media_pattern(of_type);
  organizations constant uuid[] := dossier_private.searchable_organizations(in_session, in_organization);
  of_each constant integer := 100;
  k constant integer := 60;
begin
  perform dossier_private.check_query(query);
  return query
    with said as materialized (
      select hit.*, row_number() over (order by hit.rank desc, hit.key collate "C")::integer as place
      from dossier_private.find_hits(query, organizations, in_session, media_type, since, until) as hit
      order by place
      limit of_each
    ), meant as materialized (
      select near.*, format('page %s %s', near.document_id, near.page) as key,
        row_number() over (order by near.similarity desc, near.document_id, near.page)::integer as place
      from dossier_private.nearest_pages(embedding, organizations, in_session, media_type, since, until, of_each) as near
    ), fused as materialized (
      select coalesce(said.kind, 'page') as kind, coalesce(said.session_id, meant.session_id) as session_id,
        coalesce(said.document_id, meant.document_id) as document_id, coalesce(said.page, meant.page) as page,
        said.name, said.config, said.terms, said.missing, said.contained, said.corrected, said.place as text_place, meant.place as embedding_place,
        coalesce(1.0 / (k + said.place), 0) + coalesce(1.0 / (k + meant.place), 0) as score,
        coalesce(said.key, meant.key) collate "C" as key
      from said
      full join meant on meant.key = said.key
      order by score desc, key
      limit most
    )
    select fused.kind, fused.session_id, fused.document_id, document.name, fused.page, fused.score::real,
      fused.text_place, fused.embedding_place,
      shown.snippet,
      fused.missing, fused.contained, fused.corrected,
      case when fused.kind = 'page' then dossier_private.nearest_heading(fused.document_id, fused.page, shown.snippet) end
    from fused
    cross join lateral dossier_private.show_hit(
      fused.kind, fused.session_id, fused.document_id, fused.page, fused.name, fused.config, fused.terms) as shown (snippet)
    left join dossier.documents as document on document.id = fused.document_id
    order by fused.score desc, fused.key;
end
$$;
comment on function dossier_private.hybrid_search(text, real[], uuid, uuid, integer, text, timestamptz, timestamptz) is
  'Runs dossier.hybrid_search() with its owner''s rights.';

create function dossier.hybrid_search(
  query text,
  embedding real[],
  session_id uuid default null,
  organization_id uuid default null,
  limit_count integer default 20,
  media_type text default null,
  since timestamptz default null,
  until timestamptz default null
) returns table (
  kind text, session_id uuid, document_id uuid, document_name text, page integer, rank real,
  text_place integer, embedding_place integer, snippet text,
  missing text[], contained text[], corrected jsonb, heading text
)
language sql stable security invoker set search_path = ''
begin atomic
  select hit.kind, hit.session_id, hit.document_id, hit.document_name, hit.page, hit.rank,
    hit.text_place, hit.embedding_place, hit.snippet, hit.missing, hit.contained, hit.corrected, hit.heading
  from dossier_private.hybrid_search(query, embedding, session_id, organization_id, limit_count, media_type, since, until) as hit;
end;
comment on function dossier.hybrid_search(text, real[], uuid, uuid, integer, text, timestamptz, timestamptz) is
  'Searches by words and by embedding, and merges both by reciprocal rank fusion of the best hundred of each: rank is the sum '
  'of 1 / (60 + place). text_place and embedding_place are the places in each, or null. missing, contained, corrected, heading and the other arguments are as in search(). '
  'Requires enable_embeddings().';

revoke all on function
  dossier_private.check_embedding, dossier_private.nearest_pages, dossier_private.match_pages, dossier.match_pages,
  dossier_private.hybrid_search, dossier.hybrid_search
  from public, anon, authenticated, service_role;
grant execute on function
  dossier.match_pages, dossier_private.match_pages, dossier.hybrid_search, dossier_private.hybrid_search
  to authenticated, service_role;
