-- Words: how search reads the words of a text. search/queries.sql reads queries, search/excerpts.sql shows matches.
--
-- Han, kana, Hangul, Thai and similar scripts are written without spaces between words (or, in Korean, with endings attached
-- to them). The parser of text search takes a whole run for one word. So a run is indexed as its pairs of letters: 東京都庁 as
-- 東京, 京都, 都庁 and 庁, each at its own position. A query for 京都庁 is the phrase 京都, 都庁.
--
-- Invariant: the lexeme at each letter's position begins with that letter, so that a single letter is found as a prefix.
-- Invariant: nothing here depends on an extension, so an index means the same whatever is installed later.

create function dossier_private.search_config(language text) returns text
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  return case language
    when 'ara' then 'arabic' when 'cat' then 'catalan' when 'dan' then 'danish' when 'deu' then 'german'
    when 'ell' then 'greek' when 'eng' then 'english' when 'eus' then 'basque' when 'fin' then 'finnish'
    when 'fra' then 'french' when 'gle' then 'irish' when 'hin' then 'hindi' when 'hun' then 'hungarian'
    when 'hye' then 'armenian' when 'ind' then 'indonesian' when 'ita' then 'italian' when 'lit' then 'lithuanian'
    when 'nep' then 'nepali' when 'nld' then 'dutch' when 'nno' then 'norwegian' when 'nob' then 'norwegian'
    when 'nor' then 'norwegian' when 'por' then 'portuguese' when 'ron' then 'romanian' when 'rus' then 'russian'
    when 'spa' then 'spanish' when 'srp' then 'serbian' when 'swe' then 'swedish' when 'tam' then 'tamil'
    when 'tur' then 'turkish' when 'yid' then 'yiddish'
    else 'simple'
  end;
end
$$;
comment on function dossier_private.search_config(text) is
  'Returns the text search configuration in pg_catalog for a language (ISO 639-3). For other languages, simple, which compares '
  'whole words.';

create function dossier_private.fold_letters(text text) returns text
language plpgsql immutable strict parallel safe security invoker set search_path = ''
as $$
begin
  -- Nothing to fold in ASCII, and in punctuation such as quotes, dashes and bullets.
  if octet_length(text) = char_length(text) or text !~ '[^\u0001-\u007f\u00a0-\u00bf\u2010-\u2027\u2030-\u205e]' then
    return text;
  end if;

  text := normalize(text, nfd);
  if text ~ '[øØłŁđĐðÐħĦŧŦıſ]' then -- Latin letters with a stroke, which is not a combining mark
    text := translate(text, 'øØłŁđĐðÐħĦŧŦıſ', 'oOlLdDdDhHtTis');
  end if;
  if text ~ '[ßẞæÆœŒþÞ]' then
    text := replace(replace(replace(replace(text, 'ß', 'ss'), 'ẞ', 'SS'), 'æ', 'ae'), 'Æ', 'AE');
    text := replace(replace(replace(replace(text, 'œ', 'oe'), 'Œ', 'OE'), 'þ', 'th'), 'Þ', 'TH');
  end if;
  if text ~ '[\uff10-\uff5a]' then -- full-width forms, in East Asian texts
    text := translate(text,
      '０１２３４５６７８９ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ',
      '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz');
  end if;
  -- Only after Latin letters. Elsewhere a mark makes another letter, as in Cyrillic.
  return normalize(regexp_replace(text, '([A-Za-z])[\u0300-\u036f]+', '\1', 'g'), nfc);
end
$$;
comment on function dossier_private.fold_letters(text) is
  'Removes the accents of Latin letters, so that cafe finds café and strasse finds Straße. In a text in NFC each character '
  'stays one character, except [ßẞæÆœŒþÞ], which become two.';

create function dossier_private.part_words(text text) returns text
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  -- The parser of text search would take each of client/server, report.pdf and a@b.example for one word, and skip a tag.
  -- It would read +44 as another number than 44. translate() takes five times as long.
  return regexp_replace(text, '[-+<>/\\@_.:&]', ' ', 'g');
end
$$;
comment on function dossier_private.part_words(text) is 'Separates the parts of compounds, so that each is a word.';

create function dossier_private.fold(text text) returns text
language plpgsql immutable strict parallel safe security invoker set search_path = ''
as $$
begin
  return dossier_private.fold_letters(dossier_private.part_words(text));
end
$$;
comment on function dossier_private.fold(text) is 'Normalizes a text for search: part_words() and fold_letters().';

create function dossier_private.joined_numbers(text text) returns text[]
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  -- Groups of digits, each with at most four letters before them: DE89 3704 0044, 12 345,67. Then the thousands alone: 12 345.
  -- Longer runs are rows of a table.
  if text !~ '[0-9][ ,''’\u00a0\u202f][A-Za-z]{0,4}[0-9]' then
    return '{}';
  end if;
  return array(
    select distinct joined.number
    from (
      select regexp_matches(text, '\m([A-Za-z]{0,4}[0-9]+(?:[ ,''’\u00a0\u202f][A-Za-z]{0,4}[0-9]+)+)\M', 'g') as run
      union all
      select regexp_matches(text, '\m([0-9]{1,3}(?:[ ,''’\u00a0\u202f][0-9]{3})+)\M', 'g')
    ) as found
    cross join lateral (select lower(regexp_replace(found.run[1], '[^[:alnum:]]', '', 'g')) as number) as joined
    where char_length(found.run[1]) <= 50 and char_length(joined.number) >= 4
  );
end
$$;
comment on function dossier_private.joined_numbers(text) is
  'Returns the numbers and codes in a text that are written in groups, without their separators. part_words() comes first.';

create function dossier_private.joined_compounds(text text) returns text
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  if text !~ '[-&]' then
    return null;
  end if;
  -- follow-up and PO-2025-4134. With an ampersand only short ones: AT&T, R&D, but not Marks&Spencer.
  return (
    select string_agg(distinct regexp_replace(compound.match[1], '[-&]', '', 'g'), ' ')
    from regexp_matches(text, '\m([[:alnum:]]+(?:-[[:alnum:]]+)+|[[:alnum:]]{1,3}(?:&[[:alnum:]]{1,3})+)\M', 'g') as compound (match)
    where char_length(compound.match[1]) <= 50);
end
$$;
comment on function dossier_private.joined_compounds(text) is
  'Returns the compounds in a text that are written with hyphens, without them, as further words: followup, PO20254134.';

create function dossier_private.stems_by_accents(config text, text text) returns boolean
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  return config not in ('simple', 'english') and octet_length(text) <> char_length(text) and dossier_private.fold_letters(text) <> text;
end
$$;
comment on function dossier_private.stems_by_accents(text, text) is
  'Returns whether the stems of a text may depend on its accents (información has the stem inform, but informacion has not).';

create function dossier_private.has_compounds(config text) returns boolean
language sql immutable parallel safe security invoker set search_path = ''
begin atomic
  select config in ('german', 'dutch', 'swedish', 'danish', 'norwegian');
end;
comment on function dossier_private.has_compounds(text) is
  'Returns whether the language of a text search configuration writes compounds as one word.';

create function dossier_private.ending_lexeme(stem text) returns text
language sql immutable parallel safe security invoker set search_path = ''
begin atomic
  select '~' || reverse(stem);
end;
comment on function dossier_private.ending_lexeme(text) is
  'Returns the lexeme by whose prefixes compounds are found by their last part: a stem backwards. No word begins with a tilde.';

create function dossier_private.stop_lexemes(config text, folded text, words tsvector) returns text[]
language plpgsql stable parallel safe security invoker set search_path = ''
as $$
declare
  configuration constant regconfig := 'pg_catalog.' || config;
  -- Whether a word is a stop word is looked up once for each, not for each of its places. Rows only for stop words: unnest() of
  -- all words took longer than parsing them.
  stops constant tsvector := ts_delete(words, array(
    select word from unnest(tsvector_to_array(words)) as word where to_tsvector(configuration, word) <> ''));
begin
  -- The last place that a vector can store is shared by all words after it. A set in a select list takes half the time of a
  -- lateral join.
  return array(
    with stop as materialized (
      select known.lexeme, unnest(known.positions) as place from unnest(stops) as known
    )
    select distinct stop.lexeme || ' ' || next.lexeme
    from stop
    join stop as next on next.place = stop.place + 1
    where next.place < 16383
  ) || array(
    -- In capitals, among words that are not: IT, WHO.
    select distinct capitals.match[1]
    from (select where folded ~ '[a-z]' or folded !~ '\s') as with_others
    cross join lateral regexp_matches(folded, '\m([A-Z]{2,5})\M', 'g') as capitals (match)
    where to_tsvector(configuration, capitals.match[1]) = '');
end
$$;
comment on function dossier_private.stop_lexemes(text, text, tsvector) is
  'Returns the lexemes by which names of stop words are found: pairs of adjacent ones, and those in capitals. words are those of '
  'the text in the configuration simple.';

create function dossier_private.unspaced() returns text
language sql immutable parallel safe security invoker set search_path = ''
begin atomic
  -- Thai, Lao, Myanmar, Hangul, Khmer, Han and its marks, kana, Bopomofo, without digits and punctuation.
  select '[\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ebd\u0ec0-\u0ece\u0edc-\u0edf\u1000-\u103f\u1050-\u108f\u1100-\u11ff'
    '\u1780-\u17d3\u2e80-\u2fd5\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3041-\u3096\u3099-\u309f\u30a1-\u30fa'
    '\u30fc-\u30ff\u3105-\u312f\u3131-\u318e\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97c'
    '\uac00-\ud7fb\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003134f]';
end;
comment on function dossier_private.unspaced() is
  'Returns a regular expression for the letters of scripts that are indexed in pairs of letters.';

create function dossier_private.join_lines(text text, mark text default '') returns text
language plpgsql immutable strict parallel safe security invoker set search_path = ''
as $$
begin
  return regexp_replace(text, format(
    '(?<=%1$s)(?<![\u1100-\u11ff\u3131-\u318e\ua960-\ud7fb])[ \t\r]*\n[ \t\r]*(?=%1$s)', dossier_private.unspaced()), mark, 'g');
end
$$;
comment on function dossier_private.join_lines(text, text) is
  'Removes line breaks within words of scripts without spaces, or replaces each by a mark. Keeps them in Korean, which has spaces.';

create function dossier_private.pair_letters(text text) returns text
language plpgsql immutable strict parallel safe security invoker set search_path = ''
as $$
declare
  letter constant text := dossier_private.unspaced();
begin
  if octet_length(text) = char_length(text) or text !~ letter then
    return text;
  end if;
  text := regexp_replace(dossier_private.join_lines(text), format('%s+', letter), ' \& ', 'g');
  return regexp_replace(text, format('(?<=%1$s)%1$s', letter), '\& \&', 'g');
end
$$;
comment on function dossier_private.pair_letters(text) is
  'Prepares a text for the index: replaces each run of letters without spaces by its pairs and its last letter.';

revoke all on function
  dossier_private.search_config, dossier_private.fold_letters, dossier_private.part_words, dossier_private.fold,
  dossier_private.joined_numbers, dossier_private.joined_compounds, dossier_private.stems_by_accents,
  dossier_private.has_compounds, dossier_private.ending_lexeme, dossier_private.stop_lexemes, dossier_private.unspaced, dossier_private.join_lines,
  dossier_private.pair_letters
  from public, anon, authenticated, service_role;
