-- Search: finds and ranks pages, contexts and names that the caller may see.
--
-- Row level security cannot use a full text index: the operator @@ is not leakproof, so Postgres evaluates the policy on
-- every row of the tenant first. So find_entries() runs as a definer, and queries the index for the words together with the
-- tenant's lexeme (see search/entries.sql). search/words.sql parses queries.
--
-- A query with operators, or of one word, is matched exactly. Other queries are ranked: see search/rank.sql.
--
-- Invariant: a lexeme narrows the search, but the column organization_id decides. Every entry is checked against it.

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

create function dossier_private.search_configs(organizations uuid[]) returns text[]
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: API roles cannot read entries.
begin
  -- The recursion hops from one configuration to the next by the index, however many entries each has.
  return array(
    select distinct c.config
    from unnest(organizations) as mine (id)
    cross join lateral (
      with recursive hops (config) as (
        (select e.config from dossier_private.search_entries as e
          where e.organization_id = mine.id order by e.config limit 1)
        union all
        select (select e.config from dossier_private.search_entries as e
          where e.organization_id = mine.id and e.config > hops.config order by e.config limit 1)
        from hops
        where hops.config is not null
      )
      select hops.config from hops where hops.config is not null
    ) as used
    cross join unnest(string_to_array(used.config, '+')) as c (config)
    order by c.config
  );
end
$$;
comment on function dossier_private.search_configs(uuid[]) is
  'Returns the text search configurations of the entries of these organizations.';

create function dossier_private.is_small(organizations uuid[], in_session uuid) returns boolean
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: API roles cannot read entries.
begin
  return (
    select count(*) <= 3000
    from (
      select
      from dossier_private.search_entries as entry
      where entry.organization_id = any (organizations) and (in_session is null or entry.session_id = in_session)
      limit 3001
    ) as counted
  );
end
$$;
comment on function dossier_private.is_small(uuid[], uuid) is
  'Returns whether these organizations, or a session of them, have few entries.';

create function dossier_private.fetch_entries(
  needles tsquery[], terms tsquery[], organizations uuid[], in_session uuid, of_type text, since timestamptz, until timestamptz,
  most integer default 1000
) returns table (place integer, id bigint)
language plpgsql stable security definer set search_path = '' rows 1000
as $$
-- Definer: API roles cannot read entries; see the head of this file.
#variable_conflict use_column
begin
  return query
    select asked.place::integer, newest.id
    -- One by one: a single needle for all of them costs the index several times as much.
    from unnest(needles, terms) with ordinality as asked (needle, terms, place)
    cross join lateral (
      select checked.id
      from (
        select entry.id, entry.search
        -- By the index alone: with the tenant's column in the condition, the planner could read all vectors of the tenant.
        from (
          select e.id, e.organization_id, e.session_id, e.document_id, e.search
          from dossier_private.search_entries as e
          where e.search @@ asked.needle
          limit 50000
        ) as entry
        where entry.organization_id = any (organizations)
          and entry.session_id = coalesce(in_session, entry.session_id)
          and entry.session_id not in (select dossier_private.trashed_sessions(organizations))
          and (coalesce(of_type, since::text, until::text) is null
            or exists (
              select from dossier.documents as document
              where document.id = entry.document_id and document.organization_id = entry.organization_id
                and (of_type is null or document.media_type like replace(replace(of_type, '_', '\_'), '*', '%'))
                and (since is null or document.created_at >= since)
                and (until is null or document.created_at < until))
            or (of_type is null and entry.document_id is null and exists (
              select from dossier.session_context as context
              where context.session_id = entry.session_id and context.organization_id = entry.organization_id
                and (since is null or context.updated_at >= since)
                and (until is null or context.updated_at < until))))
        order by entry.id desc
        limit case when asked.terms is null then most else 10000 end
      ) as checked
      where asked.terms is null or checked.search @@ asked.terms
      order by checked.id desc
      limit most
    ) as newest;
end
$$;
comment on function dossier_private.fetch_entries(tsquery[], tsquery[], uuid[], uuid, text, timestamptz, timestamptz, integer) is
  'Returns for each needle the newest entries in these organizations, or in a session of them, that contain it. If the terms '
  'beside a needle are not null, entries must match them, too.';

create function dossier_private.scope_terms(organizations uuid[], in_session uuid, config text) returns tsquery
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  return (
    select string_agg(quote_literal(dossier_private.scope_lexeme(within.id, config)), ' | ')::tsquery
    from unnest(case when in_session is null then organizations else array[in_session] end) as within (id)
  );
end
$$;
comment on function dossier_private.scope_terms(uuid[], uuid, text) is
  'Returns the terms that restrict a needle to organizations, or to a session, and to a text search configuration.';

create function dossier_private.match_entries(
  query text, organizations uuid[], in_session uuid, of_type text, since timestamptz, until timestamptz
) returns table (id bigint, config text, terms tsquery)
language plpgsql stable security definer set search_path = '' rows 1000
as $$
-- Definer: see fetch_entries.
#variable_conflict use_column
declare
  readings tsquery[] := '{}';
  languages text[] := '{}'; -- for each reading: the first configuration that has it
  scopes tsquery[] := '{}'; -- for each reading: where its languages are searched
  needles tsquery[] := '{}'; -- for each reading: what the index is queried for
  checks tsquery[] := '{}'; -- for each reading whose needle matches too much: what the entries must match
  reading tsquery;
  scope tsquery;
  language text;
  place integer;
begin
  foreach language in array dossier_private.search_configs(organizations) loop
    reading := dossier_private.parse_search(language, query);
    continue when numnode(reading) = 0;
    scope := dossier_private.scope_terms(organizations, in_session, language);
    place := array_position(readings, reading);
    if place is null then
      readings := readings || reading;
      languages := languages || language;
      scopes := scopes || scope;
    else
      scopes[place] := scopes[place] || scope;
    end if;
  end loop;
  for place in 1 .. cardinality(readings) loop
    reading := readings[place];
    if reading::text ~ ':\*' and dossier_private.is_small(organizations, in_session) then
      -- The index collects the matches of a prefix from all organizations. Reading a few entries is faster.
      needles := needles || scopes[place];
      checks := checks || reading;
    elsif reading::text ~ '<' and reading::text !~ '!' then
      -- The index knows words, but not their order.
      needles := needles || (dossier_private.drop_order(reading) && scopes[place]);
      checks := checks || reading;
    else
      needles := needles || (reading && scopes[place]);
      checks := checks || null::tsquery;
    end if;
  end loop;

  return query
    -- A text of unknown language may match in both of its readings.
    select distinct on (found.id) found.id, languages[found.place], readings[found.place]
    from dossier_private.fetch_entries(needles, checks, organizations, in_session, of_type, since, until) as found
    order by found.id desc, languages[found.place] = 'simple'
    -- Ranking reads whole vectors, so rank only the newest thousand.
    limit 1000;
end
$$;
comment on function dossier_private.match_entries(text, uuid[], uuid, text, timestamptz, timestamptz) is
  'Returns the newest thousand entries in these organizations, or in a session of them, that match all of a query.';

create function dossier_private.shown_config(config text, matched text) returns text
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  return case
    when position('+' in config) = 0 then config
    when matched = 'simple' then matched
    else split_part(config, '+', -1)
  end;
end
$$;
comment on function dossier_private.shown_config(text, text) is
  'Returns the configuration with which to mark the matches in an entry with this one, given the one that matched.';

create function dossier_private.find_entries(
  query text, organizations uuid[], in_session uuid, of_type text, since timestamptz, until timestamptz
) returns table (session_id uuid, document_id uuid, page integer, config text, terms tsquery, rank real, missing text[])
language plpgsql stable security definer set search_path = '' rows 1000
as $$
-- Definer: see fetch_entries.
#variable_conflict use_column
declare
  words constant text[] := case when not dossier_private.has_operators(query) then dossier_private.query_words(query) end;
begin
  if cardinality(words) > 1 then
    return query
      select found.* from dossier_private.find_words(query, words, organizations, in_session, of_type, since, until) as found;
  else
    return query
      select entry.session_id, entry.document_id, entry.page, dossier_private.shown_config(entry.config, matched.config), matched.terms,
        ts_rank_cd(entry.search, matched.terms, 1 | 32), null::text[]
      from dossier_private.match_entries(query, organizations, in_session, of_type, since, until) as matched
      -- One by one: for a join the planner may read the keys of all tenants.
      cross join lateral (select e.* from dossier_private.search_entries as e where e.id = matched.id limit 1) as entry;
  end if;
end
$$;
comment on function dossier_private.find_entries(text, uuid[], uuid, text, timestamptz, timestamptz) is
  'Returns at most a thousand entries in these organizations, or in a session of them, for a query, ranked from 0 to 1. A query '
  'with operators, or of one word, must match. Otherwise entries may lack words, which are returned as missing.';

create function dossier_private.find_names(
  query text, organizations uuid[], in_session uuid, of_type text, since timestamptz, until timestamptz
) returns table (session_id uuid, document_id uuid, name text, rank real)
-- The planner assumes that every organization has average size. In a large one it would sort all documents.
language plpgsql stable security definer set search_path = '' set enable_bitmapscan = off rows 10
as $$
-- Definer: see find_entries.
#variable_conflict use_column
declare
  wanted constant text := lower(dossier_private.fold(query));
  -- Plain words may match parts of words in a name. Operators and quotation marks match whole words, as in texts.
  plain constant boolean := query !~* '"|(^|\s)(-|or(\s|$))';
  words constant text[] := array(select distinct word[1] from regexp_matches(wanted, '[[:alnum:]]+', 'g') as word limit 20);
  patterns constant text[] := array(select format('%%%s%%', w.word) from unnest(words) as w (word));
  terms constant tsquery := case when not plain then dossier_private.parse_search('simple', query) end;
  -- One of several alternatives in a name is worth less than a page.
  matched_rank constant real := case when query ~* '\sor\s' then 0.01 else 1 end;
  -- A number that is similar to another is a different number.
  numbers constant text[] := array(select p.pattern from unnest(patterns) as p (pattern) where p.pattern ~ '[0-9]');
  letters constant text := nullif(concat_ws(' ', variadic array(select w.word from unnest(words) as w (word) where w.word !~ '[0-9]')), '');
  trigrams constant text := (
    select namespace.nspname
    from pg_catalog.pg_extension as extension
    join pg_catalog.pg_namespace as namespace on namespace.oid = extension.extnamespace
    where extension.extname = 'pg_trgm'
  );
begin
  if patterns = '{}' then
    return;
  end if;
  return query execute format($query$
    select named.session_id, named.id, named.name, named.rank
    from (
      select candidate.session_id, candidate.id, candidate.name,
        case when not $2 then (to_tsvector('pg_catalog.simple',
            dossier_private.pair_letters(regexp_replace(candidate.folded, '[^[:alnum:]]+', ' ', 'g'))) @@ $8)::integer::real * $11
          when candidate.folded like all ($1) then 1::real
          else (%s / 4)::real end as rank
      from (
        select document.session_id, document.id, document.name, lower(case
            when octet_length(document.name) = char_length(document.name) then document.name -- ASCII: folding is slow
            else dossier_private.fold(document.name)
          end) as folded
        from unnest($3) as place (organization_id)
        -- One by one: only then does the index of each organization return its newest first.
        cross join lateral (
          select d.session_id, d.id, d.name
          from dossier.documents as d
          where %s
            and d.session_id not in (select dossier_private.trashed_sessions($3))
            and d.status <> 'uploading'
            and ($5 is null or d.media_type like replace(replace($5, '_', '\_'), '*', '%%'))
            and ($6 is null or d.created_at >= $6)
            and ($7 is null or d.created_at < $7)
          order by d.created_at desc, d.id desc
          limit 2000 / greatest(cardinality($3), 1) + 1
        ) as document
      ) as candidate
    ) as named
    where named.rank > case when $2 then 0.125 else 0 end
    order by named.rank desc, named.id desc
    limit 100
    $query$,
    case when trigrams is null or letters is null then '0::real'
      else format('case when candidate.folded like all ($9) then %I.word_similarity($10, candidate.folded) else 0 end', trigrams) end,
    -- Only one of them: with both, the planner may read a large organization to find the rows of a session.
    case when in_session is null then 'd.organization_id = place.organization_id' else 'd.session_id = $4' end)
  using patterns, plain, organizations, in_session, of_type, since, until, terms, numbers, letters, matched_rank;
end
$$;
comment on function dossier_private.find_names(text, uuid[], uuid, text, timestamptz, timestamptz) is
  'Returns documents whose names contain all words of a query, or match its operators and phrases. Searches the newest two '
  'thousand, an equal share of each organization. With pg_trgm, also returns similar names, below pages with all words.';

create function dossier_private.find_hits(
  query text, organizations uuid[], in_session uuid, of_type text, since timestamptz, until timestamptz
) returns table (
  kind text, session_id uuid, document_id uuid, name text, page integer, rank real, config text, terms tsquery, missing text[],
  key text
)
language plpgsql stable security definer set search_path = '' rows 1000
as $$
-- Definer: see find_entries.
#variable_conflict use_column
begin
  return query
    select case when found.document_id is null then 'context' else 'page' end,
      found.session_id, found.document_id, null, found.page, found.rank, found.config, found.terms, found.missing,
      case when found.document_id is null
        then format('context %s', found.session_id)
        else format('page %s %s', found.document_id, found.page)
      end
    from dossier_private.find_entries(query, organizations, in_session, of_type, since, until) as found
    union all
    select 'name', named.session_id, named.document_id, named.name, null, named.rank, null, null, null,
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

create function dossier_private.check_media_pattern(of_type text) returns text
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  if of_type !~* '^[a-z0-9!#$&^_.+*-]+/[a-z0-9!#$&^_.+*-]+$' then
    raise exception using
      errcode = 'PT400',
      message = 'media_type is not a valid filter',
      detail = format('It is %L.', left(of_type, 80)),
      hint = 'Send a media type such as application/pdf, or a wildcard such as image/*.';
  end if;
  return lower(of_type);
end
$$;
comment on function dossier_private.check_media_pattern(text) is
  'Returns a media type or wildcard to filter by, or refuses it (PT400).';

create function dossier_private.search(
  query text, in_session uuid, in_organization uuid, limit_count integer, after text,
  of_type text, since timestamptz, until timestamptz
) returns table (
  kind text, session_id uuid, document_id uuid, document_name text, page integer, rank real, snippet text, cursor text,
  missing text[]
)
language plpgsql stable security definer set search_path = ''
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
      dossier_private.show_hit(
        wanted.kind, wanted.session_id, wanted.document_id, wanted.page, wanted.name, wanted.config, wanted.terms),
      format('%s %s', wanted.rank, wanted.key), wanted.missing
    from wanted
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
  missing text[]
)
language sql stable security invoker set search_path = ''
begin atomic
  select hit.kind, hit.session_id, hit.document_id, hit.document_name, hit.page, hit.rank, hit.snippet, hit.cursor, hit.missing
  from dossier_private.search(query, session_id, organization_id, limit_count, after, media_type, since, until) as hit;
end;
comment on function dossier.search(text, uuid, uuid, integer, text, text, timestamptz, timestamptz) is
  'Searches pages (kind page), contexts (context) and names of documents (name) in a session, an organization, or all of the '
  'caller''s. Matches words in the language of each text, "a phrase", or, -not, prefix*. Accents do not matter. In scripts '
  'without spaces, matches any sequence of letters. Without these operators, texts that contain all words come first, then '
  'those with most of them and the rarest; missing lists the words that a text lacks. Best first. snippet is HTML with the matches in <mark>. media_type may be a '
  'wildcard (image/*). since and until refer to when a document''s upload began or a context was saved. For the next rows send '
  'the last cursor as after. Of more than a thousand matches, ranks the newest thousand; of more than fifty thousand, any '
  'thousand.';

revoke all on function
  dossier_private.searchable_organizations, dossier_private.search_configs, dossier_private.is_small,
  dossier_private.fetch_entries, dossier_private.scope_terms, dossier_private.match_entries, dossier_private.shown_config,
  dossier_private.find_entries,
  dossier_private.find_names, dossier_private.find_hits, dossier_private.check_query,
  dossier_private.check_media_pattern, dossier_private.search, dossier.search
  from public, anon, authenticated, service_role;
grant execute on function dossier.search, dossier_private.search to authenticated, service_role;
