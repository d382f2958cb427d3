-- Names: finds documents by their names.

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
  -- A word of one or two letters is a part of too many others.
  patterns constant text[] := array(
    select format(case when char_length(w.word) < 3 and w.word !~ dossier_private.unspaced() then '%% %s %%' else '%%%s%%' end, w.word) from unnest(words) as w (word));
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
  -- Dynamic because the schema of pg_trgm is not known, and because a condition for sessions must not be there for organizations.
  -- For the query "contrcat 2024" in organizations, with pg_trgm in the schema extensions, the two gaps are filled like this:
  --
  --   case when not $2 then (to_tsvector(…) @@ $8)::integer::real * $11                     -- $2 true: no operators
  --     when candidate.folded like all ($1) then 1::real                                     -- $1 {%contrcat%,%2024%}
  --     else (case when candidate.folded like all ($9)                                       -- $9 {%2024%}
  --       then extensions.word_similarity($10, candidate.folded) else 0 end / 4)::real end   -- $10 'contrcat'
  --   …
  --   where d.organization_id = place.organization_id and …
  --
  -- So "Contract 2024.pdf" has the rank .14 by similarity, and "Contract 2023.pdf" none.
  return query execute format($query$
    select named.session_id, named.id, named.name, named.rank
    from (
      select candidate.session_id, candidate.id, candidate.name,
        case when not $2 then (to_tsvector('pg_catalog.simple',
            dossier_private.pair_letters(regexp_replace(candidate.folded, '[^[:alnum:]]+', ' ', 'g'))) @@ $8)::integer::real * $11
          when candidate.folded like all ($1) then 1::real
          else (%s / 4)::real end as rank
      from (
        select document.session_id, document.id, document.name, format(' %%s ', translate(lower(case
            when octet_length(document.name) = char_length(document.name) then document.name -- ASCII: folding is slow
            else dossier_private.fold(document.name)
          end), '._-/\:@&()[]{},;+#!''', repeat(' ', 20))) as folded
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

revoke all on function dossier_private.find_names from public, anon, authenticated, service_role;
