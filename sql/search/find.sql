-- Finding: the entries of pages and contexts that match a query.
--
-- Row level security cannot use a full text index: the operator @@ is not leakproof, so Postgres evaluates the policy on
-- every row of the tenant first. So find_entries() runs as a definer, and queries the index for the words together with the
-- tenant's lexeme (see search/entries.sql). search/queries.sql parses queries.
--
-- A query with operators, or of one word, is matched exactly. Other queries are ranked: see search/rank.sql.
--
-- Invariant: a lexeme narrows the search, but the column organization_id decides. Every entry is checked against it.

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
    select dossier_private.any_terms(array_agg(dossier_private.lexeme_terms(dossier_private.scope_lexeme(within.id, config))))
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
    elsif dossier_private.has_phrase(reading) and reading::text !~ '!' then
      -- The index knows words, but not their order.
      needles := needles || (dossier_private.parse_search(languages[place], query, ordered => false) && scopes[place]);
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

create function dossier_private.match_compounds(
  word text, organizations uuid[], in_session uuid, of_type text, since timestamptz, until timestamptz
) returns table (id bigint, config text, terms tsquery)
language plpgsql stable security definer set search_path = '' rows 100
as $$
-- Definer: see fetch_entries.
#variable_conflict use_column
declare
  languages constant text[] := array(
    select l.config from unnest(dossier_private.search_configs(organizations)) as l (config)
    where numnode(dossier_private.compound_terms(l.config, word)) > 0);
begin
  return query
    select found.id, languages[found.place], dossier_private.compound_terms(languages[found.place], word)
    from dossier_private.fetch_entries(
      array(select dossier_private.compound_terms(l.config, word) && dossier_private.scope_terms(organizations, in_session, l.config)
        from unnest(languages) as l (config)),
      array_fill(null::tsquery, array[cardinality(languages)]), organizations, in_session, of_type, since, until, 100) as found;
end
$$;
comment on function dossier_private.match_compounds(text, uuid[], uuid, text, timestamptz, timestamptz) is
  'Returns the newest entries in these organizations, or in a session of them, with compounds that begin or end with a word.';

create function dossier_private.find_word(
  query text, word text, organizations uuid[], in_session uuid, of_type text, since timestamptz, until timestamptz
) returns table (
  session_id uuid, document_id uuid, page integer, config text, terms tsquery, rank real, contained text[], missing text[], corrected jsonb
)
language plpgsql stable security definer set search_path = '' rows 1000
as $$
-- Definer: see fetch_entries.
#variable_conflict use_column
declare
  few constant integer := 20; -- entries with a word: then compounds that contain it are searched
  ids bigint[];
  configs text[];
  readings tsquery[];
  exact integer; -- how many contain the word, or match the operators; the others contain it in compounds
  better text;
begin
  for attempt in 1 .. 2 loop
    select array_agg(matched.id), array_agg(matched.config), array_agg(matched.terms) into ids, configs, readings
    from dossier_private.match_entries(coalesce(better, query), organizations, in_session, of_type, since, until) as matched;
    exact := coalesce(cardinality(ids), 0);
    exit when word is null or exact >= few or attempt = 2;
    select ids || array_agg(found.id), configs || array_agg(found.config), readings || array_agg(found.terms) into ids, configs, readings
    from dossier_private.match_compounds(word, organizations, in_session, of_type, since, until) as found
    where found.id <> all (coalesce(ids, '{}'));
    exit when cardinality(ids) > 0;
    better := dossier_private.correct_word(word, dossier_private.search_configs(organizations), organizations, in_session);
    exit when better is null;
  end loop;

  return query
    select entry.session_id, entry.document_id, entry.page, dossier_private.shown_config(entry.config, matched.config), matched.terms,
      -- Lexemes without a place, such as joined numbers, have no rank of their own. Compounds come last.
      (case when matched.place > exact then 0.01
        else coalesce(nullif(ts_rank_cd(entry.search, matched.terms, 1 | 32), 0), 0.1) end)::real,
      case when word is not null then array[coalesce(better, word)] end, case when word is not null then '{}'::text[] end,
      case when better is not null then jsonb_build_object(word, better) end
    from unnest(ids, configs, readings) with ordinality as matched (id, config, terms, place)
    -- One by one: for a join the planner may read the keys of all tenants.
    cross join lateral (select e.* from dossier_private.search_entries as e where e.id = matched.id limit 1) as entry;
end
$$;
comment on function dossier_private.find_word(text, text, uuid[], uuid, text, timestamptz, timestamptz) is
  'Returns entries that match a query with operators (word is null) or of one word. If few contain the word, also those with '
  'compounds of it; if none, those with a similar word, which is returned as corrected.';

create function dossier_private.find_entries(
  query text, organizations uuid[], in_session uuid, of_type text, since timestamptz, until timestamptz
) returns table (
  session_id uuid, document_id uuid, page integer, config text, terms tsquery, rank real, contained text[], missing text[], corrected jsonb
)
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
      select found.* from dossier_private.find_word(query, words[1], organizations, in_session, of_type, since, until) as found;
  end if;
end
$$;
comment on function dossier_private.find_entries(text, uuid[], uuid, text, timestamptz, timestamptz) is
  'Returns at most a thousand entries in these organizations, or in a session of them, for a query, ranked from 0 to 1, with the '
  'words that each contains and lacks (null if the query has operators), and corrected words.';

revoke all on function
  dossier_private.search_configs, dossier_private.is_small, dossier_private.fetch_entries, dossier_private.scope_terms,
  dossier_private.match_entries, dossier_private.shown_config,
  dossier_private.match_compounds, dossier_private.find_word, dossier_private.find_entries
  from public, anon, authenticated, service_role;
