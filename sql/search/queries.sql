-- Queries: how search reads what users type. The syntax is that of websearch_to_tsquery(), with prefixes and with scripts
-- without spaces; see search/words.sql for how texts are read.
--
-- Invariant: terms are built by operators and functions from lexemes. The text of a tsquery is never edited.
-- Invariant: a phrase counts positions as the index does: a stop word keeps its place, and each letter of a run has one.

create function dossier_private.no_terms() returns tsquery
-- Suppress the notice about it. Plans keep the value: the function is immutable.
language plpgsql immutable parallel safe security invoker set search_path = '' set client_min_messages = 'warning'
as $$
begin
  return '';
end
$$;
comment on function dossier_private.no_terms() is 'Returns empty terms, which match nothing.';

create function dossier_private.lexeme_terms(lexeme text, prefix boolean default false) returns tsquery
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  if octet_length(lexeme) > 2046 then -- longer than any in the index
    return dossier_private.no_terms();
  end if;
  return format('''%s''%s', replace(replace(lexeme, '\', '\\'), '''', ''''''), case when prefix then ':*' end)::tsquery;
end
$$;
comment on function dossier_private.lexeme_terms(text, boolean) is 'Returns a single lexeme, or the words that begin with it, as terms.';

create function dossier_private.any_terms(alternatives tsquery[]) returns tsquery
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
declare
  alternative tsquery;
  result tsquery := dossier_private.no_terms();
begin
  foreach alternative in array coalesce(alternatives, '{}') loop
    result := result || alternative;
  end loop;
  return result;
end
$$;
comment on function dossier_private.any_terms(tsquery[]) is 'Returns terms that match if one of the alternatives does.';

create function dossier_private.all_terms(parts tsquery[]) returns tsquery
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
declare
  part tsquery;
  result tsquery := dossier_private.no_terms();
begin
  foreach part in array coalesce(parts, '{}') loop
    result := result && part;
  end loop;
  return result;
end
$$;
comment on function dossier_private.all_terms(tsquery[]) is 'Returns terms that match if all of the parts do.';

create function dossier_private.has_phrase(terms tsquery) returns boolean
language sql immutable parallel safe security invoker set search_path = ''
begin atomic
  select position('<' in terms::text) > 0;
end;
comment on function dossier_private.has_phrase(tsquery) is
  'Returns whether terms need words in an order. True also if a lexeme contains <.';

create function dossier_private.letters_terms(letters text, ordered boolean) returns tsquery
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
declare
  result tsquery := dossier_private.lexeme_terms("left"(letters, 2), char_length(letters) = 1);
  pair tsquery;
begin
  for start in 2 .. char_length(letters) - 1 loop
    pair := dossier_private.lexeme_terms(substr(letters, start, 2));
    result := case when ordered then result <-> pair else result && pair end;
  end loop;
  return result;
end
$$;
comment on function dossier_private.letters_terms(text, boolean) is
  'Returns the terms of a run of letters without spaces: its pairs, or the pairs that begin with a single letter.';

create function dossier_private.word_terms(config text, words text, unaccented boolean) returns table (place integer, terms tsquery)
language plpgsql stable security invoker set search_path = '' rows 5
as $$
begin
  return query
    select w.place::integer, dossier_private.lexeme_terms(
      case when unaccented then dossier_private.fold_letters(known.lexeme) else known.lexeme end)
    from unnest(to_tsvector(('pg_catalog.' || config)::regconfig, words)) as known (lexeme, positions)
    cross join unnest(known.positions) as w (place)
    order by w.place;
end
$$;
comment on function dossier_private.word_terms(text, text, boolean) is
  'Returns the stems of words, each with its place among them. Their accents are removed afterwards if unaccented.';

create function dossier_private.prefix_terms(config text, word text, unaccented boolean) returns tsquery
language plpgsql stable security invoker set search_path = ''
as $$
declare
  beginning constant text := lower(case when unaccented then dossier_private.fold_letters(word) else word end);
  stem constant tsquery := dossier_private.any_terms(array(
    select w.terms from dossier_private.word_terms(config, word, unaccented) as w));
begin
  return dossier_private.lexeme_terms(beginning, true)
    || case when stem <> dossier_private.lexeme_terms(beginning) then stem else dossier_private.no_terms() end;
end
$$;
comment on function dossier_private.prefix_terms(text, text, boolean) is
  'Returns the terms of a prefix: the words that begin with it, and the word itself, whose stem may be another.';

create function dossier_private.phrase_terms(config text, phrase text, ordered boolean, unaccented boolean) returns tsquery
language plpgsql stable security invoker set search_path = ''
as $$
declare
  configuration constant regconfig := 'pg_catalog.' || config;
  letter constant text := dossier_private.unspaced();
  spaced constant text := format('(?:(?!%s)[[:alnum:]])', letter); -- a letter or digit of a word between spaces
  -- A run of letters without spaces, else a prefix, else anything up to the next of these.
  pieces constant text := format('(%1$s+)\*?|(%2$s{3,}|(?<==)%2$s{2})\*|((?:(?!%1$s|%2$s{3,}\*|(?<==)%2$s{2}\*).)+)', letter, spaced);
  matches text[];
  piece text[];
  places integer[];
  parts tsquery[];
  result tsquery := dossier_private.no_terms();
  reached integer := 0; -- place of the last word in the result
  before integer := 0; -- place of the last word before the piece, even if it is a stop word
begin
  if position('*' in phrase) > 0 or octet_length(phrase) > char_length(phrase) and phrase ~ letter then
    matches := array(select match.match from regexp_matches(phrase, pieces, 'g') as match (match));
  elsif unaccented then
    matches := array[array[null, null, phrase]];
  elsif ordered then
    return phraseto_tsquery(configuration, phrase);
  else
    return plainto_tsquery(configuration, phrase);
  end if;

  foreach piece slice 1 in array matches loop
    if piece[1] is not null then
      places := '{1}';
      parts := array[dossier_private.letters_terms(piece[1], ordered)];
    elsif piece[2] is not null then
      places := '{1}';
      parts := array[dossier_private.prefix_terms(config, piece[2], unaccented)];
    else
      select array_agg(w.place), array_agg(w.terms) into places, parts
      from dossier_private.word_terms(config, piece[3], unaccented) as w;
    end if;
    for number in 1 .. coalesce(cardinality(parts), 0) loop
      result := case when ordered then tsquery_phrase(result, parts[number], before + places[number] - reached)
        else result && parts[number] end;
      reached := before + places[number];
    end loop;
    if piece[1] is not null then
      before := before + char_length(piece[1]);
      reached := greatest(reached, before - 1); -- the last pair begins one place before the last letter
    elsif piece[2] is not null then
      before := before + 1;
    elsif cardinality(matches) > 3 then -- another piece may follow
      before := before + coalesce((select max(w.place) from dossier_private.word_terms('simple', piece[3], false) as w), 0);
    end if;
  end loop;
  return result;
end
$$;
comment on function dossier_private.phrase_terms(text, text, boolean, boolean) is
  'Returns the words of a phrase next to each other or, unless ordered, in any order. A word with a star is a prefix, of three '
  'letters or more (two in a compound).';

create function dossier_private.mark_compounds(typed text) returns text
language plpgsql immutable strict parallel safe security invoker set search_path = ''
as $$
begin
  -- A minus before a word excludes it. Within a word it separates parts, as in texts.
  typed := regexp_replace(translate(typed, '<>', '  '), '(?<=[^\s"])[-+/\\@_.:&'']+(?=[^\s"])', '=', 'g');
  return regexp_replace(translate(typed, '+/\@_.:&', '        '), '-+(?=\s|$)', ' ', 'g');
end
$$;
comment on function dossier_private.mark_compounds(text) is
  'Joins the parts of a compound in a query (client/server, e-mail) by equals signs, which separate the words of a phrase.';

create function dossier_private.read_terms(config text, typed text, ordered boolean, unaccented boolean) returns tsquery
-- Suppress the notices about stop words and long words.
language plpgsql stable security invoker set search_path = '' set client_min_messages = 'warning'
as $$
declare
  marked constant text := dossier_private.mark_compounds(typed);
  units text[]; -- of each: its minus signs, and the phrase in quotation marks, or the word
  phrase text;
  terms tsquery;
  alternative tsquery := dossier_private.no_terms(); -- the words since the last or
  result tsquery := dossier_private.no_terms();
  awaits_word boolean := true;
begin
  -- Only words, each a single one for the parser: nothing else needs the order of its parts.
  if marked !~* '[-"=!|()]|\mor\M|[[:alnum:]][^\s[:alnum:]]+[[:alnum:]]'
    and (octet_length(marked) = char_length(marked) or marked !~ dossier_private.unspaced()) then
    return dossier_private.phrase_terms(config, marked, false, unaccented);
  end if;

  units := array(
    select u.match from regexp_matches(marked, '(-*)(?:"([^"]*)"?|([^\s"!|()]+))', 'g') with ordinality as u (match, place) order by u.place);
  for number in 1 .. coalesce(array_length(units, 1), 0) loop
    phrase := coalesce(units[number][2], units[number][3]);
    if not awaits_word and number < array_length(units, 1) and units[number][1] = '' and units[number][3] ~* '^or$' then
      result := result || alternative;
      alternative := dossier_private.no_terms();
      awaits_word := true;
    else
      terms := dossier_private.phrase_terms(config, phrase, ordered, unaccented);
      if units[number][3] ~ '^[[:alnum:]]+(=[[:alnum:]]+)+$' then
        terms := terms || dossier_private.phrase_terms(config, replace(phrase, '=', ''), ordered, unaccented);
      end if;
      alternative := alternative && case when char_length(units[number][1]) % 2 = 1 then !!terms else terms end;
      awaits_word := false;
    end if;
  end loop;
  return result || alternative;
end
$$;
comment on function dossier_private.read_terms(text, text, boolean, boolean) is
  'Returns the terms of a query. Unless ordered, phrases match in any order. Stems lose their accents if unaccented.';

create function dossier_private.plain_quotes(query text) returns text
language sql immutable parallel safe security invoker set search_path = ''
begin atomic
  select translate(query, U&'\201C\201D\201E\201F\00AB\00BB\FF02\2018\2019\02BC', '"""""""''''''');
end;
comment on function dossier_private.plain_quotes(text) is
  'Replaces typographic quotation marks by plain ones, and typographic apostrophes by plain ones.';

create function dossier_private.has_operators(query text) returns boolean
language sql immutable parallel safe security invoker set search_path = ''
begin atomic
  select dossier_private.plain_quotes(query) ~* '"|\*|(^|\s)-+[^\s-]|\sor\s';
end;
comment on function dossier_private.has_operators(text) is
  'Returns whether a query has a phrase in quotation marks, or, -not, or a prefix*. Such a query is matched exactly.';

create function dossier_private.stop_terms(config text, words text) returns tsquery
-- Suppress the notice about long words.
language plpgsql stable security invoker set search_path = '' set client_min_messages = 'warning'
as $$
declare
  folded constant text := dossier_private.fold(words);
begin
  -- Of more than one stop word, each pair must be there.
  if config = 'simple' or to_tsvector(('pg_catalog.' || config)::regconfig, folded) <> '' then
    return dossier_private.no_terms();
  end if;
  return dossier_private.all_terms(array(
    select dossier_private.lexeme_terms(stop.lexeme)
    from unnest(dossier_private.stop_lexemes(config, folded, to_tsvector('pg_catalog.simple', folded))) as stop (lexeme)));
end
$$;
comment on function dossier_private.stop_terms(text, text) is
  'Returns the terms of a query of stop words alone, such as "The Who" or IT; otherwise, none.';

create function dossier_private.compound_terms(config text, word text) returns tsquery
language plpgsql stable security invoker set search_path = ''
as $$
declare
  stem text;
begin
  if not dossier_private.has_compounds(config) or word !~ '^[[:alpha:]]+$' then
    return dossier_private.no_terms();
  end if;
  stem := (tsvector_to_array(to_tsvector(('pg_catalog.' || config)::regconfig, dossier_private.fold_letters(word))))[1];
  if coalesce(char_length(stem), 0) < 4 then
    return dossier_private.no_terms();
  end if;
  -- A word may lose an ending that it keeps within a compound: förråd is förr, but cykelförrådet is cykelförråd.
  return dossier_private.lexeme_terms(stem, true)
    || dossier_private.lexeme_terms(dossier_private.ending_lexeme(stem), true)
    || dossier_private.lexeme_terms(dossier_private.ending_lexeme(lower(dossier_private.fold_letters(word))), true);
end
$$;
comment on function dossier_private.compound_terms(text, text) is
  'Returns the terms of the compounds that begin or end with a word, in languages that write them as one word.';

create function dossier_private.parse_search(config text, query text, ordered boolean default true) returns tsquery
language plpgsql stable security invoker set search_path = ''
as $$
declare
  terms tsquery;
  composed tsquery;
begin
  query := dossier_private.plain_quotes(query);
  -- A comma between letters stands for a space. The parser would make it part of a compound, and the compound a phrase.
  query := regexp_replace(query, '(?<=[[:alpha:]])[,;]+(?=[[:alpha:]])', ' ', 'g');
  terms := dossier_private.read_terms(config, dossier_private.fold_letters(query), ordered, false);
  if dossier_private.stems_by_accents(config, query) then
    composed := dossier_private.read_terms(config, normalize(query, nfc), ordered, true);
    if composed <> terms then
      return composed || terms;
    end if;
  end if;
  -- A single term may be a compound of stop words without its dots: will.i.am. Texts have it joined only at - and &.
  if numnode(terms) = 0 or numnode(terms) = 1 and query !~ '[-&]' then
    return terms || dossier_private.stop_terms(config, query);
  end if;
  return terms;
end
$$;
comment on function dossier_private.parse_search(text, text, boolean) is
  'Parses a query as users type it: words, "a phrase", or, -not, and prefixes with a star, of three letters or more (two in a '
  'compound). As in the index, a word has its stem and the stem of its form without accents. Unless ordered, phrases match in '
  'any order.';

revoke all on function
  dossier_private.no_terms, dossier_private.lexeme_terms, dossier_private.any_terms, dossier_private.all_terms, dossier_private.has_phrase,
  dossier_private.letters_terms, dossier_private.word_terms,
  dossier_private.prefix_terms, dossier_private.phrase_terms, dossier_private.mark_compounds, dossier_private.read_terms, dossier_private.plain_quotes,
  dossier_private.has_operators,
  dossier_private.stop_terms, dossier_private.compound_terms, dossier_private.parse_search
  from public, anon, authenticated, service_role;
