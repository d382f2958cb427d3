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

create type dossier_private.query_word as (
  word integer, config text, terms tsquery, loose tsquery, optional boolean, weight double precision
);
comment on type dossier_private.query_word is
  'A word of a query by its number: its terms in a text search configuration, the same with phrases in any order, whether texts '
  'need not contain it, and how much it weighs.';

create function dossier_private.read_words(query text, words text[], languages text[]) returns dossier_private.query_word[]
-- Suppress the notices about stop words.
language plpgsql stable security invoker set search_path = '' set client_min_messages = 'warning'
as $$
declare
  folded constant text := dossier_private.fold(dossier_private.plain_quotes(query));
  units dossier_private.query_word[] := '{}';
  configuration regconfig;
  language text;
begin
  foreach language in array languages loop
    configuration := 'pg_catalog.' || language;
    units := units || array(
      select row(w.place, language, parsed.terms, case when dossier_private.has_phrase(parsed.terms)
        then dossier_private.parse_search(language, w.word, ordered => false) else parsed.terms end, false, 1)::dossier_private.query_word
      from unnest(words) with ordinality as w (word, place)
      cross join lateral (
        select case when w.word ~ '^[A-Za-z0-9]+[?!.,;:]*$' then plainto_tsquery(configuration, w.word)
          else dossier_private.parse_search(language, w.word) end as terms
        offset 0
      ) as parsed
      where numnode(parsed.terms) > 0
    );
    if language <> 'simple' then
      units := units || array(
        select row(0, language, parsed.terms, parsed.terms, true, 1)::dossier_private.query_word
        from unnest(dossier_private.stop_lexemes(language, folded, to_tsvector('pg_catalog.simple', folded))) as stop (lexeme)
        cross join lateral (select dossier_private.lexeme_terms(stop.lexeme) as terms offset 0) as parsed
      );
    end if;
  end loop;
  -- The names of stop words continue the numbers.
  return array(
    select row(case when unit.optional then cardinality(words) + dense_rank() over (partition by unit.optional order by unit.terms::text)
      else unit.word end, unit.config, unit.terms, unit.loose, unit.optional, 1)::dossier_private.query_word
    from unnest(units) as unit);
end
$$;
comment on function dossier_private.read_words(text, text[], text[]) is
  'Returns the terms of the words of a query in each of these text search configurations. Then pairs of stop words, and stop '
  'words in capitals, which are optional and have further numbers.';

create function dossier_private.fetch_words(
  units dossier_private.query_word[], organizations uuid[], in_session uuid, of_type text, since timestamptz, until timestamptz
) returns table (word integer, id bigint)
language plpgsql stable security definer set search_path = '' rows 1000
as $$
-- Definer: see fetch_entries.
#variable_conflict use_column
declare
  needles tsquery[];
  checks tsquery[];
  needle_words integer[];
begin
  select array_agg(asked.needle), array_agg(asked.terms), array_agg(asked.word) into needles, checks, needle_words
  from (
    select unit.word, unit.loose && dossier_private.any_terms(array_agg(scope.terms)) as needle,
      case when unit.loose <> unit.terms then unit.terms end as terms
    from unnest(units) as unit
    join (
      select used.config, dossier_private.scope_terms(organizations, in_session, used.config) as terms
      from (select distinct u.config from unnest(units) as u) as used
      offset 0 -- once for each
    ) as scope on scope.config = unit.config
    group by unit.word, unit.terms, unit.loose
  ) as asked;
  return query
    select distinct needle_words[found.place], found.id
    from dossier_private.fetch_entries(needles, checks, organizations, in_session, of_type, since, until) as found;
end
$$;
comment on function dossier_private.fetch_words(dossier_private.query_word[], uuid[], uuid, text, timestamptz, timestamptz) is
  'Returns the newest entries in these organizations, or in a session of them, for each of these words.';

create function dossier_private.sample_shares(
  units dossier_private.query_word[], organizations uuid[], in_session uuid,
  out mean_length double precision, out shares double precision[]
)
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: see fetch_entries.
#variable_conflict use_column
begin
  -- The planner reads the sample by the index on the organization.
  with sample as materialized (
    select string_to_array(entry.config, '+') as configs, entry.search || ''::tsvector as search -- read from storage once
    from unnest(organizations) as place (organization_id)
    cross join lateral (
      select e.config, e.search
      from dossier_private.search_entries as e
      where e.organization_id = place.organization_id and (in_session is null or e.session_id = in_session)
      limit 200 / greatest(cardinality(organizations), 1) + 1
    ) as entry
  ), measured as (
    select count(*) as entries, coalesce(avg(length(sample.search)), 1) as mean_length from sample
  )
  select measured.mean_length, array_agg((
      select (count(*) + 0.5) / (measured.entries + 1)
      from sample
      where exists (
        select from unnest(units) as unit
        where unit.word = w.place and unit.config = any (sample.configs) and sample.search @@ unit.terms)
    ) order by w.place)
  into mean_length, shares
  from measured
  cross join generate_series(1, (select max(unit.word) from unnest(units) as unit)) as w (place)
  group by measured.mean_length, measured.entries;
end
$$;
comment on function dossier_private.sample_shares(dossier_private.query_word[], uuid[], uuid) is
  'Returns the mean length of two hundred entries, and for each word the share of them that contain it.';

create function dossier_private.find_words(
  query text, words text[], organizations uuid[], in_session uuid, of_type text, since timestamptz, until timestamptz,
  corrections jsonb default null
) returns table (
  session_id uuid, document_id uuid, page integer, config text, terms tsquery, rank real, contained text[], missing text[], corrected jsonb
)
-- Starting parallel workers takes longer than ranking.
language plpgsql stable security definer set search_path = '' set max_parallel_workers_per_gather = 0 rows 1000
as $$
-- Definer: see fetch_entries.
#variable_conflict use_column
declare
  enough constant integer := 100; -- entries with all words: then no others are searched
  few constant integer := 20; -- entries with a word: then compounds that contain it are searched
  k constant double precision := 1.2; -- BM25: how soon further occurrences of a word stop to count
  b constant double precision := 0.75; -- BM25: how much the length of a page counts
  languages constant text[] := dossier_private.search_configs(organizations);
  units dossier_private.query_word[] := dossier_private.read_words(query, words, languages);
  compounds dossier_private.query_word[];
  size integer; -- how many entries are searched, at most 5001
  mean_length double precision;
  shares double precision[]; -- for each word: which part of the entries contains it
  full_ids bigint[];
  full_terms tsquery[];
  full_configs text[];
  chosen integer[]; -- the words that nominate entries
  fetched_words integer[]; -- the words of nominated entries
  fetched_ids bigint[]; -- and the entries
  counts jsonb; -- for each chosen word: how many entries it nominates
  better jsonb; -- unknown words, and what they are corrected to
  partial_ids bigint[] := '{}';
begin
  select array_agg(matched.id), array_agg(matched.terms), array_agg(matched.config) into full_ids, full_terms, full_configs
  from dossier_private.match_entries(query, organizations, in_session, of_type, since, until) as matched;
  select sampled.mean_length, sampled.shares into mean_length, shares
  from dossier_private.sample_shares(units, organizations, in_session) as sampled;

  if coalesce(cardinality(full_ids), 0) < enough then
    select count(*) into size
    from (
      select from dossier_private.search_entries as e
      where e.organization_id = any (organizations) and (in_session is null or e.session_id = in_session)
      limit 5001
    ) as counted;

    -- Rare words nominate: in many entries only those that few contain. If all are common, the two rarest do.
    chosen := array(
      select ranked.word
      from (
        select asked.word, asked.optional, s.share, row_number() over (order by asked.optional, s.share, asked.word) as place
        from (select unit.word, bool_and(unit.optional) as optional from unnest(units) as unit group by unit.word) as asked
        join unnest(shares) with ordinality as s (share, word) on s.word = asked.word
      ) as ranked
      where (ranked.place <= 2 and not ranked.optional)
        or (ranked.place <= 12 and ranked.share * size <= case when size > 5000 then 250 else 3000 end)
    );
    select array_agg(found.word), array_agg(found.id) into fetched_words, fetched_ids
    from dossier_private.fetch_words(
      array(select unit from unnest(units) as unit where unit.word = any (chosen)), organizations, in_session, of_type, since, until) as found;

    -- A word that few texts contain may be a part of compounds.
    select jsonb_object_agg(c.word, (select count(*) from unnest(fetched_words) as f (word) where f.word = c.word)) into counts
    from unnest(chosen) as c (word);
    compounds := array(
      select row(unit.word, unit.config, parsed.terms, parsed.terms, false, 1)::dossier_private.query_word
      from unnest(units) as unit
      cross join lateral (select dossier_private.compound_terms(unit.config, words[unit.word]) as terms offset 0) as parsed
      where not unit.optional and (counts ->> unit.word::text)::integer < few and numnode(parsed.terms) > 0);
    if compounds <> '{}' then
      select fetched_words || array_agg(found.word), fetched_ids || array_agg(found.id) into fetched_words, fetched_ids
      from dossier_private.fetch_words(compounds, organizations, in_session, of_type, since, until) as found;
      units := array(
        select row(unit.word, unit.config, unit.terms || coalesce(compound.terms, dossier_private.no_terms()),
          unit.loose, unit.optional, unit.weight)::dossier_private.query_word
        from unnest(units) as unit
        left join unnest(compounds) as compound on compound.word = unit.word and compound.config = unit.config and not unit.optional);
    end if;

    -- A word that no text contains may be misspelt. Then all begins again.
    if corrections is null then
      select jsonb_object_agg(unknown.typed, unknown.known) into better
      from (
        select words[c.word] as typed, dossier_private.correct_word(words[c.word], languages, organizations, in_session) as known
        from unnest(chosen) as c (word)
        where c.word <= cardinality(words) and c.word <> all (coalesce(fetched_words, '{}'))
          -- not a stop word of any language
          and (select count(*) from unnest(units) as unit where unit.word = c.word) = cardinality(languages)
        offset 0 -- the conditions first
      ) as unknown
      where unknown.known is not null;
      if better is not null then
        words := array(select coalesce(better ->> w.word, w.word) from unnest(words) with ordinality as w (word, place) order by w.place);
        return query
          select found.* from dossier_private.find_words(
            array_to_string(words, ' '), words, organizations, in_session, of_type, since, until, better) as found;
        return;
      end if;
    end if;

    with fetched as materialized (
      select distinct f.word, f.id from unnest(fetched_words, fetched_ids) as f (word, id)
    ), counted as materialized (
      select c.word, count(fetched.id) as entries
      from unnest(chosen) as c (word)
      left join fetched on fetched.word = c.word
      group by c.word
    ), known as materialized (
      -- Below a thousand the index has counted exactly, unless a filter has left some out.
      select s.word, case when coalesce(of_type, since::text, until::text) is null and counted.entries < 1000
        -- Of more than five thousand entries only the sample knows the share, but it does not know the rarest words.
        then least((counted.entries + 0.5) / (greatest(size, 1) + 1), case when size > 5000 then s.share end)
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
        order by sum(0.02 - ln(known.share)) desc, fetched.id desc
        limit 300
      ) as nominated)
    into shares, partial_ids
    from known;
  end if;

  units := array(
    select row(unit.word, unit.config, unit.terms, unit.loose, unit.optional, 0.02 - ln(shares[unit.word]))::dossier_private.query_word
    from unnest(units) as unit
  );

  return query
    select entry.session_id, entry.document_id, entry.page, dossier_private.shown_config(entry.config, candidate.config),
      coalesce(candidate.terms, scored.terms),
      (case when candidate.terms is null and scored.missing <> '{}' then 0 else 0.5 end
        + 0.5 * scored.score * (0.9 + 0.1 * ts_rank_cd('{1,1,1,1}', read.search, scored.terms, 32)))::real,
      scored.contained, case when candidate.terms is null then scored.missing else '{}' end, corrections
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
        coalesce(sum(unit.weight * unit.occurrences / (unit.occurrences + k * (1 - b + b * length(read.search) / mean_length)))
          filter (where unit.contained) / nullif(sum(unit.weight), 0), 0) as score,
        dossier_private.all_terms(array_agg(unit.matched order by unit.word) filter (where unit.contained)) as terms,
        coalesce(array_agg(words[unit.word] order by unit.word) filter (where unit.contained and not unit.optional), '{}') as contained,
        coalesce(array_agg(words[unit.word] order by unit.word) filter (where not unit.contained and not unit.optional), '{}') as missing
      from (
        select u.word, bool_or(hit.contained) as contained, bool_or(u.optional) as optional,
          bool_or(u.config = split_part(entry.config, '+', -1)) as stemmed,
          -- A stop word of the guessed language hardly counts, and a pair of stop words less than a word.
          max(u.weight) * case when bool_or(u.optional) then 0.5 when bool_or(u.config = split_part(entry.config, '+', -1)) then 1 else 0.1 end as weight,
          dossier_private.any_terms(array_agg(u.terms) filter (where hit.contained)) as matched,
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
    where numnode(scored.terms) > 0;
end
$$;
comment on function dossier_private.find_words(text, text[], uuid[], uuid, text, timestamptz, timestamptz, jsonb) is
  'Returns entries with all or some words of a plain query, ranked from 0 to 1: above 0.5 with all, below with some. If no text '
  'contains a word, searches for a similar one, which is returned as corrected.';

revoke all on function
  dossier_private.query_words, dossier_private.read_words, dossier_private.fetch_words, dossier_private.sample_shares,
  dossier_private.find_words
  from public, anon, authenticated, service_role;
