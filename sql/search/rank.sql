-- Ranking of plain queries: several words without operators, such as a question.
--
-- An entry does not need all words. Those that contain all come first, then those with the rarest and most. Each word weighs
-- as much as it is rare in what is searched, estimated from a sample of its entries and from the index. Within that, the rank is
-- that of BM25, and words that stand close together count more.
--
-- Common words would make the index return half of a tenant. So only rare words nominate entries, and common ones
-- only rank them.
--
-- Invariant: every number comes from entries of the organizations that are searched, never from another tenant's.

create function dossier_private.query_words(query text) returns text[]
language plpgsql immutable strict parallel safe security invoker set search_path = ''
as $$
declare
  letter constant text := dossier_private.unspaced();
  words text := regexp_replace(dossier_private.plain_quotes(query), '(?<=[[:alpha:]])[,;]+(?=[[:alpha:]])', ' ', 'g');
begin
  if octet_length(words) <> char_length(words) and words ~ format('%s{5}', letter) then
    -- A long run without spaces has several words, but not where they begin. So each pair of letters counts as one, except
    -- hiragana, which are endings and particles.
    words := regexp_replace(words, format('%1$s{5,}', letter), E' \x1f\\&\x1f ', 'g');
    words := (
      select string_agg(case when parts.place % 2 = 1 then parts.part else (
          select string_agg(pair.letters, ' ' order by pair.start)
          from generate_series(1, char_length(parts.part) - 1) as start
          cross join lateral (select start, substr(parts.part, start, 2) as letters) as pair
          where pair.letters !~ '^[\u3041-\u309f]+$') end, ' ' order by parts.place)
      from regexp_split_to_table(words, E'\x1f') with ordinality as parts (part, place));
  end if;
  return array(
    select w.word
    from (
      select split.word, split.place
      from regexp_split_to_table(words, '\s+') with ordinality as split (word, place)
      where split.word ~ '[[:alnum:]]'
      union all
      -- A number in groups is also one word, as in the index.
      select joined.number, 1001 from unnest(dossier_private.joined_numbers(dossier_private.part_words(query))) as joined (number)
    ) as w (word, place)
    group by w.word
    order by min(w.place), w.word
    limit 40
  );
end
$$;
comment on function dossier_private.query_words(text) is
  'Returns the first forty different words of a plain query. A compound such as client/server is one word. A number in groups '
  '(12 345) comes a second time without its separators.';

create function dossier_private.drop_order(terms tsquery) returns tsquery
language sql immutable parallel safe security invoker set search_path = ''
begin atomic
  select regexp_replace(terms::text, '<(-|\d+)>', '&', 'g')::tsquery;
end;
comment on function dossier_private.drop_order(tsquery) is 'Replaces phrases in terms by their words in any order.';

create type dossier_private.query_word as (word integer, config text, terms tsquery, weight double precision);
comment on type dossier_private.query_word is
  'A word of a query by its number: its terms in a text search configuration, and how much it weighs.';

create function dossier_private.find_words(
  query text, words text[], organizations uuid[], in_session uuid, of_type text, since timestamptz, until timestamptz
) returns table (session_id uuid, document_id uuid, page integer, config text, terms tsquery, rank real, missing text[])
-- Starting parallel workers takes longer than ranking.
language plpgsql stable security definer set search_path = '' set max_parallel_workers_per_gather = 0 rows 1000
as $$
-- Definer: see fetch_entries.
#variable_conflict use_column
declare
  enough constant integer := 100; -- entries with all words: then no others are searched
  k constant double precision := 1.2; -- BM25: how soon further occurrences of a word stop to count
  b constant double precision := 0.6; -- BM25: how much the length of a page counts
  scopes jsonb := '{}';
  units dossier_private.query_word[] := '{}';
  language text;
  entries integer; -- how many are searched, at most 5001
  mean_length double precision;
  shares double precision[]; -- for each word: which part of the entries contains it
  full_ids bigint[];
  full_terms tsquery[];
  full_configs text[];
  chosen integer[]; -- the words that nominate entries
  needles tsquery[];
  checks tsquery[];
  needle_words integer[];
  partial_ids bigint[] := '{}';
begin
  foreach language in array dossier_private.search_configs(organizations) loop
    units := units || array(
      select row(w.place, language, parsed.terms, 1)::dossier_private.query_word
      from unnest(words) with ordinality as w (word, place)
      cross join lateral (select dossier_private.parse_search(language, w.word) as terms) as parsed
      where numnode(parsed.terms) > 0
    );
    scopes := scopes || jsonb_build_object(language, dossier_private.scope_terms(organizations, in_session, language)::text);
  end loop;

  select array_agg(matched.id), array_agg(matched.terms), array_agg(matched.config) into full_ids, full_terms, full_configs
  from dossier_private.match_entries(query, organizations, in_session, of_type, since, until) as matched;

  -- How common each word is, by a sample. The planner reads it by the index on the organization.
  with sample as materialized (
    select string_to_array(entry.config, '+') as configs, entry.search || ''::tsvector as search -- read from storage once
    from unnest(organizations) as place (organization_id)
    cross join lateral (
      select e.config, e.search
      from dossier_private.search_entries as e
      where e.organization_id = place.organization_id and (in_session is null or e.session_id = in_session)
      limit 200 / greatest(cardinality(organizations), 1) + 1
    ) as entry
  ), size as (
    select count(*) as entries, coalesce(avg(length(sample.search)), 1) as mean_length from sample
  )
  select size.mean_length, array_agg((
      select (count(*) + 0.5) / (size.entries + 1)
      from sample
      where exists (
        select from unnest(units) as unit
        where unit.word = w.place and unit.config = any (sample.configs) and sample.search @@ unit.terms)
    ) order by w.place)
  into mean_length, shares
  from size
  cross join generate_series(1, cardinality(words)) as w (place)
  group by size.mean_length, size.entries;

  if coalesce(cardinality(full_ids), 0) < enough then
    select count(*) into entries
    from (
      select from dossier_private.search_entries as e
      where e.organization_id = any (organizations) and (in_session is null or e.session_id = in_session)
      limit 5001
    ) as counted;

    -- Rare words nominate: in many entries only those that few contain. If all are common, the two rarest do.
    chosen := array(
      select ranked.word
      from (
        select s.word, s.share, row_number() over (order by s.share, s.word) as place
        from unnest(shares) with ordinality as s (share, word)
        where exists (select from unnest(units) as unit where unit.word = s.word)
      ) as ranked
      where ranked.place <= 2
        or (ranked.place <= 12 and ranked.share * entries <= case when entries > 5000 then 250 else 3000 end)
    );
    select array_agg(asked.needle), array_agg(asked.terms), array_agg(asked.word) into needles, checks, needle_words
    from (
      select unit.word,
        dossier_private.drop_order(unit.terms) && string_agg(format('(%s)', scopes ->> unit.config), ' | ')::tsquery as needle,
        case when unit.terms::text ~ '<' then unit.terms end as terms
      from unnest(units) as unit
      where unit.word = any (chosen)
      group by unit.word, unit.terms
    ) as asked;

    with fetched as materialized (
      select distinct needle_words[found.place] as word, found.id
      from dossier_private.fetch_entries(needles, checks, organizations, in_session, of_type, since, until) as found
    ), counted as materialized (
      select c.word, count(fetched.id) as entries
      from unnest(chosen) as c (word)
      left join fetched on fetched.word = c.word
      group by c.word
    ), known as materialized (
      -- Below a thousand the index has counted exactly, unless a filter has left some out.
      select s.word, case when coalesce(of_type, since::text, until::text) is null and counted.entries < 1000
        -- Of more than five thousand entries only the sample knows the share, but it does not know the rarest words.
        then least((counted.entries + 0.5) / (greatest(entries, 1) + 1), case when entries > 5000 then s.share end)
        else s.share end as share
      from unnest(shares) with ordinality as s (share, word)
      left join counted on counted.word = s.word
    )
    select array_agg(known.share order by known.word), (
      select array_agg(nominated.id)
      from (
        select fetched.id
        from fetched
        join known on known.word = fetched.word
        group by fetched.id
        order by sum(ln(1 + 1 / known.share)) desc, fetched.id desc
        limit 300
      ) as nominated)
    into shares, partial_ids
    from known;
  end if;

  units := array(
    select row(unit.word, unit.config, unit.terms, ln(1 + 1 / shares[unit.word]))::dossier_private.query_word
    from unnest(units) as unit
  );

  return query
    select entry.session_id, entry.document_id, entry.page, dossier_private.shown_config(entry.config, candidate.config),
      coalesce(candidate.terms, scored.terms),
      ((case when candidate.terms is null then 0 else 0.5 end)
        + 0.5 * scored.score * (0.9 + 0.1 * ts_rank_cd('{1,1,1,1}', read.search, scored.terms, 32)))::real,
      case when candidate.terms is null then scored.missing else '{}' end
    from (
      select ids.id, ids.terms, ids.config from unnest(full_ids, full_terms, full_configs) as ids (id, terms, config)
      union all
      select ids.id, null, null from unnest(partial_ids) as ids (id) where ids.id <> all (coalesce(full_ids, '{}'))
    ) as candidate
    -- One by one: for a join the planner may read the keys of all tenants.
    cross join lateral (select e.* from dossier_private.search_entries as e where e.id = candidate.id limit 1) as entry
    cross join lateral (select entry.search || ''::tsvector as search offset 0) as read -- from storage once, not for each word
    cross join lateral (
      select
        -- The saturated number of occurrences of each word, in relation to the length of the page.
        sum(unit.weight * unit.occurrences / (unit.occurrences + k * (1 - b + b * length(read.search) / mean_length)))
          filter (where unit.contained) / sum(unit.weight) as score,
        string_agg(format('(%s)', unit.matched), ' & ') filter (where unit.contained)::tsquery as terms,
        coalesce(array_agg(words[unit.word] order by unit.word) filter (where not unit.contained), '{}') as missing
      from (
        select u.word, max(u.weight) as weight, bool_or(hit.contained) as contained,
          bool_or(u.config = split_part(entry.config, '+', -1)) as stemmed,
          string_agg(u.terms::text, ' | ') filter (where hit.contained) as matched,
          -- ts_rank() of a word that occurs n times is 6/π² (1 + 1/4 + … + 1/n²), from which n follows.
          max(greatest(1, 1 / (1.6449341 * (1.000001 - least(1, ts_rank('{1,1,1,1}', read.search, u.terms)))) - 0.5)) as occurrences
        from unnest(units) as u
        cross join lateral (select read.search @@ u.terms as contained) as hit
        where u.config = any (string_to_array(entry.config, '+'))
        group by u.word
      ) as unit
      -- A stop word of the guessed language may be missing.
      where unit.contained or unit.stemmed
    ) as scored
    where scored.terms is not null;
end
$$;
comment on function dossier_private.find_words(text, text[], uuid[], uuid, text, timestamptz, timestamptz) is
  'Returns entries with all or some words of a plain query, ranked from 0 to 1: above 0.5 with all, below with some.';

revoke all on function
  dossier_private.query_words, dossier_private.drop_order, dossier_private.find_words
  from public, anon, authenticated, service_role;
