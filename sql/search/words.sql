-- Words: how search parses texts and queries, and shows what it found.
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
  if octet_length(text) = char_length(text) then
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
language sql immutable parallel safe security invoker set search_path = ''
begin atomic
  -- The parser of text search would take each of client/server, report.pdf and a@b.example for one word, and skip a tag.
  -- translate() takes five times as long.
  select regexp_replace(text, '[-<>/\\@_.:&]', ' ', 'g');
end;
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
language sql immutable parallel safe security invoker set search_path = ''
begin atomic
  -- Groups of digits, each with at most four letters before them: DE89 3704 0044, 12 345,67. Then the thousands alone: 12 345.
  -- Longer runs are rows of a table.
  select array(
    select distinct joined.number
    from (
      select regexp_matches(text, '\m([A-Za-z]{0,4}[0-9]+(?:[ ,''’\u00a0\u202f][A-Za-z]{0,4}[0-9]+)+)\M', 'g') as run
      union all
      select regexp_matches(text, '\m([0-9]{1,3}(?:[ ,''’\u00a0\u202f][0-9]{3})+)\M', 'g')
    ) as found
    cross join lateral (select lower(regexp_replace(found.run[1], '[^[:alnum:]]', '', 'g')) as number) as joined
    where char_length(found.run[1]) <= 50 and char_length(joined.number) >= 4
  );
end;
comment on function dossier_private.joined_numbers(text) is
  'Returns the numbers and codes in a text that are written in groups, without their separators. part_words() comes first.';

create function dossier_private.stems_by_accents(config text, text text) returns boolean
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  return config not in ('simple', 'english') and octet_length(text) <> char_length(text) and dossier_private.fold_letters(text) <> text;
end
$$;
comment on function dossier_private.stems_by_accents(text, text) is
  'Returns whether the stems of a text may depend on its accents (información has the stem inform, but informacion has not).';

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

create function dossier_private.join_lines(text text) returns text
language plpgsql immutable strict parallel safe security invoker set search_path = ''
as $$
begin
  return regexp_replace(text, format(
    '(?<=%1$s)(?<![\u1100-\u11ff\u3131-\u318e\ua960-\ud7fb])[ \t\r]*\n[ \t\r]*(?=%1$s)', dossier_private.unspaced()), '', 'g');
end
$$;
comment on function dossier_private.join_lines(text) is
  'Removes line breaks within words of scripts without spaces. Keeps them in Korean, which has spaces.';

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

create function dossier_private.read_pairs(typed text) returns text
language plpgsql immutable strict parallel safe security invoker set search_path = ''
as $$
declare
  letter constant text := dossier_private.unspaced();
begin
  if octet_length(typed) = char_length(typed) or typed !~ letter then
    return typed;
  end if;
  -- websearch_to_tsquery() makes a phrase of parts joined by an equals sign, even outside quotation marks: GPU=を使=使う=う.
  typed := regexp_replace(regexp_replace(typed, format('(%s)\*', letter), '\1', 'g'), format('%s+', letter), '=\&=', 'g');
  typed := regexp_replace(typed, format('(?<=%1$s)%1$s', letter), '\&=\&', 'g');
  -- The last letter matters only if another word follows in the phrase. Otherwise the pair before covers it.
  typed := regexp_replace(typed, format('(%1$s%1$s)=%1$s=(?=\s*(%2$s|$))', letter,
    case when position('"' in typed) > 0 then '"' else '\s' end), '\1=', 'g');
  return regexp_replace(typed, format('(?<==)%s(?==)', letter), '\&*', 'g');
end
$$;
comment on function dossier_private.read_pairs(text) is
  'Replaces runs of letters without spaces in a query by phrases of their pairs. A single letter becomes a prefix.';

create function dossier_private.read_compounds(typed text) returns text
language plpgsql immutable strict parallel safe security invoker set search_path = ''
as $$
begin
  -- A minus before a word excludes it. Within a word it separates parts, as in texts.
  typed := regexp_replace(translate(typed, '<>', '  '), '(?<=[^\s"])[-/\\@_.:&'']+(?=[^\s"])', '=', 'g');
  return regexp_replace(translate(typed, '/\@_.:&', '       '), '-+(?=\s|$)', ' ', 'g');
end
$$;
comment on function dossier_private.read_compounds(text) is
  'Replaces a compound in a query (client/server, e-mail) by the phrase of its parts.';

create function dossier_private.read_terms(config text, folded text) returns tsquery
-- Suppress the notice about a query of stop words alone.
language plpgsql stable security invoker set search_path = '' set client_min_messages = 'warning'
as $$
declare
  configuration constant regconfig := 'pg_catalog.' || config;
  readable text := dossier_private.read_pairs(dossier_private.read_compounds(folded));
  prefix constant text := format('([[:alnum:]]{3,}|(?<==)[[:alnum:]]{2}|%s)\*', dossier_private.unspaced());
  parsed text;
  word text;
  stem text;
  stand_ins integer := 0;
begin
  -- A word with a star is a prefix, which websearch_to_tsquery() does not support. A stand-in takes its place among operators
  -- and quotation marks. No configuration stems it, since it contains a digit.
  loop
    word := substring(readable from prefix);
    exit when word is null;
    stand_ins := stand_ins + 1;
    readable := regexp_replace(readable, prefix, format('zq%szq', stand_ins));
    parsed := concat_ws(E'\n', parsed, lower(word));
  end loop;

  readable := websearch_to_tsquery(configuration, readable)::text;
  for i in 1 .. stand_ins loop
    word := split_part(parsed, E'\n', i);
    stem := plainto_tsquery(configuration, word)::text;
    readable := replace(readable, format('''zq%szq''', i),
      case when stem in ('', format('''%s''', word)) then format('''%s'':*', word) else format('( ''%s'':* | %s )', word, stem) end);
  end loop;
  return readable::tsquery;
exception when program_limit_exceeded then -- the word is longer than any in the index
  return ''::tsquery;
end
$$;
comment on function dossier_private.read_terms(text, text) is 'Returns the terms of a query, stemmed as they are written.';

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

create function dossier_private.parse_search(config text, query text) returns tsquery
language plpgsql stable security invoker set search_path = ''
as $$
declare
  terms tsquery;
  composed text;
begin
  query := dossier_private.plain_quotes(query);
  -- A comma between letters stands for a space. The parser would make it part of a compound, and the compound a phrase.
  query := regexp_replace(query, '(?<=[[:alpha:]])[,;]+(?=[[:alpha:]])', ' ', 'g');
  terms := dossier_private.read_terms(config, dossier_private.fold_letters(query));
  if dossier_private.stems_by_accents(config, query) then
    composed := dossier_private.fold_letters(dossier_private.read_terms(config, normalize(query, nfc))::text);
    if composed <> terms::text then
      return composed::tsquery || terms;
    end if;
  end if;
  return terms;
end
$$;
comment on function dossier_private.parse_search(text, text) is
  'Parses a query as users type it: words, "a phrase", or, -not, and prefixes with a star, of three letters or more (two in a '
  'compound). As in the index, a word has its stem and the stem of its form without accents.';

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
  readable text := terms::text;
  before text;
begin
  if readable !~ letter then
    return terms;
  end if;
  loop
    before := readable;
    readable := regexp_replace(readable, format('''(%1$s+)(%1$s)'' <-> ''\2(%1$s+)''', letter), '''\1\2\3''', 'g');
    exit when readable = before;
  end loop;
  readable := regexp_replace(readable, format('''(%1$s+)(%1$s)'' <-> ''\2'':\*', letter), '''\1\2''', 'g');
  return regexp_replace(readable, format('''(%s+)''(?!:)', letter), '''\1'':*', 'g')::tsquery;
end
$$;
comment on function dossier_private.join_pairs(tsquery) is
  'Joins each phrase of pairs of letters in a query to one word again, as a prefix.';

create function dossier_private.unfold_terms(config text, original text, query tsquery) returns tsquery
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return concat_ws(' | ', format('( %s )', query), (
    select string_agg(format('''%s''', known.lexeme), ' | ')
    from unnest(to_tsvector(('pg_catalog.' || config)::regconfig, original)) as known (lexeme)
    where dossier_private.fold_letters(known.lexeme) in (select term[1] from regexp_matches(query::text, '''([^'']+)''', 'g') as term)
  ))::tsquery;
end
$$;
comment on function dossier_private.unfold_terms(text, text, tsquery) is
  'Extends a query by the stems of an original text that equal its terms except for accents.';

create function dossier_private.excerpt(config text, folded text, query tsquery) returns text
language plpgsql stable parallel safe security invoker set search_path = ''
as $$
declare
  configuration constant regconfig := 'pg_catalog.' || config;
  -- Two private-use characters mark matches until the text is escaped.
  marks constant text := format('StartSel=%s, StopSel=%s', U&'\E000', U&'\E001');
  letter constant text := dossier_private.unspaced();
  whole tsquery;
  wanted text;
begin
  if octet_length(folded) = char_length(folded) or folded !~ letter then
    return ts_headline(configuration, folded, query, marks || ', MaxWords=36, MinWords=18, ShortWord=3');
  end if;
  -- In runs without spaces, the matches become words. The rest is cut into words of four letters.
  whole := dossier_private.join_pairs(query);
  wanted := (select string_agg(run[1], '|') from regexp_matches(whole::text, format('''(%s+)''', letter), 'g') as run);
  folded := regexp_replace(folded, coalesce(wanted, E'\x1f'), E'\x1f\\&\x1f', 'g');
  folded := regexp_replace(folded, format(E'\x1f[^\x1f]*\x1f|%s{1,4}', letter), E'\x1f\\&\x1f', 'g');
  return replace(
    translate(
      ts_headline(configuration, folded, whole, marks || ', MaxWords=24, MinWords=12, ShortWord=2'),
      E'\x1f', ''),
    U&'\E001\E000', '');
end
$$;
comment on function dossier_private.excerpt(text, text, tsquery) is
  'Returns some words around the first match in a folded text, with U+E000 and U+E001 around each match. Without a match, '
  'returns words without marks.';

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
    if dossier_private.stems_by_accents(config, original) then
      folded := dossier_private.part_words(original);
      excerpt := dossier_private.excerpt(config, folded, dossier_private.unfold_terms(config, folded, query));
      exit when position(U&'\E000' in excerpt) > 0;
    end if;
  end loop;
  if coalesce(position(U&'\E000' in excerpt), 0) = 0 then -- the match spans windows, or is the absence of a word
    excerpt := "left"(translate(text, U&'\E000\E001', '  '), 240);
  elsif folded <> original then
    excerpt := dossier_private.unfold(excerpt, folded, original);
    excerpt := regexp_replace(excerpt, U&'\E001([/\\@_.:&-])\E000', '\1', 'g');
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
    return dossier_private.escape_html("left"(said, 240));
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
  dossier_private.search_config, dossier_private.fold_letters, dossier_private.part_words, dossier_private.fold,
  dossier_private.joined_numbers, dossier_private.stems_by_accents, dossier_private.unspaced, dossier_private.join_lines, dossier_private.pair_letters,
  dossier_private.read_pairs, dossier_private.read_compounds, dossier_private.read_terms, dossier_private.plain_quotes,
  dossier_private.has_operators, dossier_private.parse_search,
  dossier_private.escape_html, dossier_private.join_pairs, dossier_private.unfold_terms, dossier_private.excerpt,
  dossier_private.unfold, dossier_private.highlight, dossier_private.show_hit
  from public, anon, authenticated, service_role;
