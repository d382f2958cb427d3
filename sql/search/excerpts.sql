-- Excerpts: the words around a match, as HTML.
--
-- The configuration of the text finds the matches in its folded form, and the marks are carried over to the original.

create function dossier_private.escape_html(text text) returns text
language sql immutable parallel safe security invoker set search_path = ''
begin atomic
  select replace(replace(replace(replace(text, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;');
end;
comment on function dossier_private.escape_html(text) is 'Escapes a text for HTML.';

create function dossier_private.join_pairs(terms tsquery) returns tsquery
language plpgsql stable parallel safe security invoker set search_path = ''
as $$
declare
  letter constant text := dossier_private.unspaced();
  run record;
begin
  if terms::text !~ letter then
    return terms;
  end if;
  -- Longest first: one run may be the beginning of another.
  for run in
    select found.pairs, string_agg("left"(pair.letters[1], 1), '' order by pair.place)
      || (array_agg(substr(pair.letters[1], 2) order by pair.place desc))[1] as letters
    from (select distinct match[1] as pairs
      from regexp_matches(terms::text, format('(''%1$s{2}''(?: <-> ''%1$s{2}'')*)(?!:)', letter), 'g') as match) as found
    cross join regexp_matches(found.pairs, format('%s+', letter), 'g') with ordinality as pair (letters, place)
    group by found.pairs
    order by char_length(found.pairs) desc
  loop
    terms := ts_rewrite(terms, run.pairs::tsquery, dossier_private.lexeme_terms(run.letters, true));
  end loop;
  return terms;
end
$$;
comment on function dossier_private.join_pairs(tsquery) is
  'Joins the pairs of each run of letters in terms to one word again, as a prefix.';

create function dossier_private.unfold_terms(config text, original text, terms tsquery) returns tsquery
language plpgsql stable security invoker set search_path = ''
as $$
declare
  lexemes constant text[] := array(select term[1] from regexp_matches(terms::text, '''([^'']+)''', 'g') as term);
begin
  return terms || dossier_private.any_terms(array(
    select dossier_private.lexeme_terms(known.lexeme)
    from unnest(to_tsvector(('pg_catalog.' || config)::regconfig, original)) as known (lexeme)
    where dossier_private.fold_letters(known.lexeme) = any (lexemes)));
end
$$;
comment on function dossier_private.unfold_terms(text, text, tsquery) is
  'Extends terms by the stems of an original text that equal them except for accents.';

create function dossier_private.written_terms(config text, folded text, terms tsquery) returns tsquery
language plpgsql stable security invoker set search_path = ''
as $$
declare
  configuration constant regconfig := 'pg_catalog.' || config;
  lexeme text;
  written text;
begin
  for lexeme in
    select distinct term[1] from regexp_matches(terms::text, '''([^'']+)''', 'g') as term limit 50
  loop
    if lexeme like '~%' then -- the last part of compounds
      terms := terms || dossier_private.any_terms(array(
        select dossier_private.lexeme_terms(known.stem)
        from unnest(tsvector_to_array(to_tsvector(configuration, folded))) as known (stem)
        where starts_with(dossier_private.ending_lexeme(known.stem), lexeme)));
    elsif lexeme like '% %' then -- a pair of stop words
      terms := ts_rewrite(terms, dossier_private.lexeme_terms(lexeme), phraseto_tsquery('pg_catalog.simple', lexeme));
    elsif lexeme ~ '^[[:alnum:]]{4,50}$' then -- a number or compound that is written in parts: letters with or without a gap
      written := substring(folded from format('(?i)\m(%s[[:alnum:]]*)\M', regexp_replace(lexeme, '(.)(?=.)', '\1[ ,''’\u00a0\u202f]?', 'g')));
      if written ~ '[^[:alnum:]]' then
        terms := ts_rewrite(terms, dossier_private.lexeme_terms(lexeme), phraseto_tsquery(configuration, written));
      end if;
    end if;
  end loop;
  return terms;
end
$$;
comment on function dossier_private.written_terms(text, text, tsquery) is
  'Replaces terms that are written in another way in a folded text: parts of compounds, joined numbers, pairs of stop words.';

create function dossier_private.excerpt(config text, folded text, query tsquery, whole boolean default false) returns text
language plpgsql stable parallel safe security invoker set search_path = ''
as $$
declare
  configuration constant regconfig := 'pg_catalog.' || config;
  -- Two private-use characters mark matches until the text is escaped.
  marks constant text := format('StartSel=%s, StopSel=%s, HighlightAll=%s', U&'\E000', U&'\E001', whole);
  letter constant text := dossier_private.unspaced();
  joined tsquery;
  wanted text;
begin
  if octet_length(folded) = char_length(folded) or folded !~ letter then
    return ts_headline(configuration, folded, query, marks || ', MaxWords=36, MinWords=18, ShortWord=3');
  end if;
  -- In runs without spaces, the matches become words. The rest is cut into words of four letters.
  joined := dossier_private.join_pairs(query);
  wanted := (select string_agg(run[1], '|') from regexp_matches(joined::text, format('''(%s+)''', letter), 'g') as run);
  folded := regexp_replace(folded, coalesce(wanted, E'\x1f'), E'\x1f\\&\x1f', 'g');
  folded := regexp_replace(folded, format(E'\x1f[^\x1f]*\x1f|%s{1,4}', letter), E'\x1f\\&\x1f', 'g');
  return replace(
    translate(
      ts_headline(configuration, folded, joined, marks || ', MaxWords=24, MinWords=12, ShortWord=2'),
      E'\x1f', ''),
    U&'\E001\E000', '');
end
$$;
comment on function dossier_private.excerpt(text, text, tsquery, boolean) is
  'Returns some words around the first match in a folded text, or the whole text, with U+E000 and U+E001 around each match. '
  'Without a match, returns words without marks.';

create function dossier_private.unfold(excerpt text, folded text, original text) returns text
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
declare
  -- A letter that fold() writes as two has an empty second position here.
  padded constant text := case when char_length(folded) = char_length(original) then original
    else regexp_replace(original, '[ßẞæÆœŒþÞ]', E'\\&\x1e', 'g') end;
  place integer := position(translate(excerpt, U&'\E000\E001', '') in folded);
  originals text[];
  letter text;
  result text := '';
begin
  if char_length(folded) <> char_length(padded) or place = 0 then
    return excerpt;
  end if;
  originals := string_to_array(substr(padded, place, char_length(excerpt)), null);
  place := 1;
  foreach letter in array string_to_array(excerpt, null) loop
    if letter not in (U&'\E000', U&'\E001') then
      letter := originals[place];
      place := place + 1;
    end if;
    result := result || letter;
  end loop;
  return translate(result, E'\x1e', '');
end
$$;
comment on function dossier_private.unfold(text, text, text) is
  'Restores an excerpt of a folded text to the original characters, and keeps the marks.';

create function dossier_private.beginning(text text) returns text
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  return case when char_length(text) > 240 then regexp_replace("left"(text, 240), '\s+\S{0,40}$', '') else text end;
end
$$;
comment on function dossier_private.beginning(text) is 'Returns the first words of a text, at most 240 characters.';

create function dossier_private.highlight(config text, text text, query tsquery) returns text
language plpgsql stable parallel safe security invoker set search_path = ''
as $$
declare
  window_size constant integer := 20000;
  original text;
  folded text;
  excerpt text;
begin
  for start in 0 .. 4 loop
    original := substr(text, start * window_size + 1, window_size);
    exit when original = '';
    if octet_length(original) <> char_length(original) then
      original := dossier_private.join_lines(normalize(translate(original, U&'\E000\E001\001E\001F', '    '), nfc));
    end if;
    folded := dossier_private.fold(original);
    excerpt := dossier_private.excerpt(config, folded, query);
    exit when position(U&'\E000' in excerpt) > 0;
    excerpt := dossier_private.excerpt(config, folded, dossier_private.written_terms(config, folded, query));
    exit when position(U&'\E000' in excerpt) > 0;
    if dossier_private.stems_by_accents(config, original) then
      folded := dossier_private.part_words(original);
      excerpt := dossier_private.excerpt(config, folded, dossier_private.unfold_terms(config, folded, query));
      exit when position(U&'\E000' in excerpt) > 0;
    end if;
  end loop;
  if coalesce(position(U&'\E000' in excerpt), 0) = 0 then -- the match spans windows, or is the absence of a word
    excerpt := dossier_private.beginning(translate(text, U&'\E000\E001', '  '));
  elsif folded <> original then
    excerpt := dossier_private.unfold(excerpt, folded, original);
    excerpt := regexp_replace(excerpt, U&'\E001([+/\\@_.:&-])\E000', '\1', 'g');
  end if;

  return replace(replace(dossier_private.escape_html(excerpt), U&'\E000', '<mark>'), U&'\E001', '</mark>');
end
$$;
comment on function dossier_private.highlight(text, text, tsquery) is
  'Returns some words around the first match as HTML: the text escaped, matches in <mark>. Reads at most 100000 characters.';

create function dossier_private.show_hit(
  kind text, session_id uuid, document_id uuid, page integer, name text, config text, terms tsquery
) returns text
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: called by definer functions for their hits.
#variable_conflict use_variable
declare
  said text;
  marked text;
  whole text;
begin
  if kind = 'name' then
    return dossier_private.escape_html(name);
  elsif kind = 'page' then
    select p.text into said
    from dossier.documents as d
    join dossier.document_pages as p on p.document_id = d.id and p.organization_id = d.organization_id
    where d.id = document_id and p.page = page;
  else
    select dossier_private.context_words(c.text_context, c.context_metadata) into said
    from dossier.session_context as c
    where c.session_id = session_id;
  end if;
  if terms is null then
    return dossier_private.escape_html(dossier_private.beginning(said));
  end if;
  marked := dossier_private.highlight(config, said, terms);
  if config <> 'simple' and position('<mark>' in marked) = 0 then -- stop words, in a text of unknown language
    whole := dossier_private.highlight('simple', said, terms);
    return case when position('<mark>' in whole) > 0 then whole else marked end;
  end if;
  return marked;
end
$$;
comment on function dossier_private.show_hit(text, uuid, uuid, integer, text, text, tsquery) is
  'Returns the snippet of a hit: the name, an excerpt around the terms or, without terms, the beginning.';

revoke all on function
  dossier_private.escape_html, dossier_private.join_pairs, dossier_private.unfold_terms,
  dossier_private.written_terms, dossier_private.excerpt,
  dossier_private.unfold, dossier_private.beginning, dossier_private.highlight, dossier_private.show_hit
  from public, anon, authenticated, service_role;
