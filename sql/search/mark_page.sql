-- A whole page with the words of a query marked, as search finds and shows them.
--
-- ts_headline() marks words in the folded text of the page. Their places are then marked in the original. A letter that
-- fold_letters() writes as two (ß, æ) counts as two in both, and line breaks within words of scripts without spaces are put
-- back.

create function dossier_private.mark_terms(config text, query text) returns tsquery
language plpgsql stable security invoker set search_path = ''
as $$
begin
  if dossier_private.has_operators(query) then
    -- Without excluded words. T: the query excludes words only.
    return coalesce(nullif(nullif(querytree(dossier_private.parse_search(config, query)), 'T'), '')::tsquery, dossier_private.no_terms());
  end if;
  return dossier_private.any_terms(array(
    select dossier_private.parse_search(config, w.word) || dossier_private.compound_terms(config, w.word)
    from unnest(dossier_private.query_words(query)) as w (word)));
end
$$;
comment on function dossier_private.mark_terms(text, text) is
  'Returns the words of a query that are marked in a text.';

create function dossier_private.doubled_letters() returns text
language sql immutable parallel safe security invoker set search_path = ''
begin atomic
  select '[ßẞæÆœŒþÞ]';
end;
comment on function dossier_private.doubled_letters() is
  'Returns a regular expression for the letters that fold_letters() writes as two.';

create function dossier_private.part_places(text text, separator text) returns table (part integer, starts integer, stops integer)
language sql immutable security invoker set search_path = '' rows 100
begin atomic
  select sized.place::integer, (sum(sized.size) over before - sized.size)::integer, (sum(sized.size) over before)::integer
  from (
    select split.place,
      2 * char_length(split.part) - char_length(regexp_replace(split.part, dossier_private.doubled_letters(), '', 'g')) as size
    from regexp_split_to_table(text, separator) with ordinality as split (part, place)
  ) as sized
  window before as (order by sized.place);
end;
comment on function dossier_private.part_places(text, text) is
  'Returns where the parts of a text between separators start and stop, without the separators, in letters of the folded text.';

create function dossier_private.marked_places(marked text) returns int4multirange
language sql immutable security invoker set search_path = ''
begin atomic
  select coalesce(range_agg(int4range(p.starts, p.stops)), '{}')
  from dossier_private.part_places(marked, '[' || U&'\E000\E001' || ']') as p
  where p.part % 2 = 0;
end;
comment on function dossier_private.marked_places(text) is
  'Returns the places between U+E000 and U+E001 in a text, in letters of the folded text.';

create function dossier_private.stop_word_places(config text, folded text, query text) returns int4multirange
-- Suppress the notice about long words.
language plpgsql stable security invoker set search_path = '' set client_min_messages = 'warning'
as $$
declare
  asked constant text := dossier_private.fold(dossier_private.plain_quotes(query));
  stems constant tsvector := to_tsvector(('pg_catalog.' || config)::regconfig, asked);
begin
  -- ts_headline() never marks a stop word. Among other words, "is the" would be marked in each line, but IT is a name.
  return coalesce((
    select range_agg(place.place)
    from (
      select format('\m%s\M', regexp_replace(regexp_replace(stop.lexeme, '([^[:alnum:] ])', '\\\1', 'g'), ' ', '\\M\\W+\\m')) as pattern,
        case when stop.lexeme ~ '^[A-Z]+$' then 'g' else 'gi' end as flags
      from unnest(dossier_private.stop_lexemes(config, asked, to_tsvector('pg_catalog.simple', asked))) as stop (lexeme)
      where stop.lexeme ~ '^[A-Z]+$' or stems = ''
      order by stop.lexeme
      limit 20
    ) as name
    cross join unnest(dossier_private.marked_places(
      regexp_replace(folded, name.pattern, U&'\E000\\&\E001', name.flags))) as place (place)), '{}');
end
$$;
comment on function dossier_private.stop_word_places(text, text, text) is
  'Returns where a folded text has the names of stop words of a query ("The Who", or IT among other words), in its letters.';

create function dossier_private.mark_text(config text, text text, query text) returns text
language plpgsql stable security invoker set search_path = ''
as $$
declare
  most constant integer := 100000; -- as much as the index contains
  shown text := translate("left"(text, most), U&'\E000\E001\001D\001E\001F', '     ');
  rest constant text := substr(text, most + 1);
  broken text; -- with U+001D for each line break within a word
  original text;
  folded text;
  padded text;
  language text;
  terms tsquery;
  places int4multirange := '{}';
  marked text;
begin
  if octet_length(shown) = char_length(shown) then
    broken := shown;
  else
    broken := dossier_private.join_lines(normalize(shown, nfc), E'\x1d');
    -- Letters with a mark for which Unicode has no single letter would lose it when folded.
    broken := regexp_replace(broken, '([A-Za-z])[\u0300-\u036f]+', '\1', 'g');
  end if;
  original := translate(broken, E'\x1d', '');
  folded := dossier_private.fold(original);
  padded := case when char_length(folded) = char_length(original) then original
    else regexp_replace(original, dossier_private.doubled_letters(), E'\\&\x1e', 'g') end;
  if char_length(padded) <> char_length(folded) then
    return dossier_private.escape_html(text);
  end if;

  foreach language in array string_to_array(config, '+') loop
    places := places + dossier_private.stop_word_places(language, folded, query);
    terms := dossier_private.written_terms(language, folded, dossier_private.mark_terms(language, query));
    continue when numnode(terms) = 0;
    places := places + dossier_private.marked_places(dossier_private.excerpt(language, folded, terms, whole => true));
    if dossier_private.stems_by_accents(language, original) then
      places := places + dossier_private.marked_places(dossier_private.excerpt(
        language, dossier_private.part_words(original),
        dossier_private.unfold_terms(language, dossier_private.part_words(original), terms), whole => true));
    end if;
  end loop;

  -- All letters and what is put between them, sorted once: cutting a long text at each mark would copy it each time.
  select string_agg(item.letter, '' order by item.place, item.rank)
  into marked
  from (
    select upper(range.place) as place, 1 as rank, U&'\E001' as letter from unnest(places) as range (place)
    union all
    select p.starts, 2, E'\n' from dossier_private.part_places(broken, E'\x1d') as p where p.part > 1
    union all
    select lower(range.place), 3, U&'\E000' from unnest(places) as range (place)
    union all
    select l.place - 1, 4, l.letter from string_to_table(padded, null) with ordinality as l (letter, place) where l.letter <> E'\x1e'
  ) as item;

  -- The parts of a compound are one word.
  marked := regexp_replace(marked, U&'\E001([/\\@_.:&-])\E000', '\1', 'g');
  return replace(replace(
    dossier_private.escape_html(coalesce(marked, '')), U&'\E000', '<mark>'), U&'\E001', '</mark>')
    || dossier_private.escape_html(rest);
end
$$;
comment on function dossier_private.mark_text(text, text, text) is
  'Returns a text as HTML: escaped, with the words of a query in <mark>. Marks words in the first 100000 characters.';

create function dossier_private.page_corrections(config text, words tsvector, query text, organization_id uuid) returns text
language plpgsql stable security invoker set search_path = '' set client_min_messages = 'warning'
as $$
declare
  languages constant text[] := string_to_array(config, '+');
  configuration constant regconfig := 'pg_catalog.' || languages[cardinality(languages)];
begin
  if dossier_private.has_operators(query) then
    return '';
  end if;
  -- correct_word() asks the index for hundreds of words. So it is only asked about what the page could correct.
  return coalesce((
    select string_agg(known.word, ' ')
    from (
      select dossier_private.correct_word(typed.word, dossier_private.search_configs(array[organization_id]), array[organization_id], null) as word
      from unnest(dossier_private.query_words(query)) as typed (word)
      where numnode(dossier_private.mark_terms(config => languages[cardinality(languages)], query => typed.word)) > 0
        and not words @@ dossier_private.mark_terms(languages[cardinality(languages)], typed.word)
        and tsvector_to_array(to_tsvector(configuration,
          array_to_string(dossier_private.spelling_variants(lower(dossier_private.fold_letters(typed.word))), ' '))) && tsvector_to_array(words)
    ) as known), '');
end
$$;
comment on function dossier_private.page_corrections(text, tsvector, text, uuid) is
  'Returns the words of a page (given as its search vector) to which search corrects the words of a plain query.';

create function dossier_private.mark_page(document_id uuid, page integer, query text) returns text
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: API roles cannot read entries. Repeats the condition of document_pages_select_viewer.
declare
  owning_organization_id constant uuid := dossier_private.document_organization(document_id);
  content text;
  config text;
  words tsvector;
begin
  perform dossier_private.require_role(owning_organization_id, 'viewer', 'document', document_id);
  perform dossier_private.check_query(query);

  select p.text, coalesce(entry.config, dossier_private.search_config(d.language)), entry.search into content, config, words
  from dossier.document_pages as p
  join dossier.documents as d on d.id = p.document_id and d.organization_id = p.organization_id
  left join dossier_private.search_entries as entry
    on entry.organization_id = p.organization_id and entry.document_id = p.document_id and entry.page = p.page
  where p.document_id = mark_page.document_id and p.organization_id = owning_organization_id and p.page = mark_page.page;

  if not found then
    return null;
  end if;
  return dossier_private.mark_text(
    config, content, concat_ws(' ', query, nullif(dossier_private.page_corrections(config, words, query, owning_organization_id), '')));
end
$$;
comment on function dossier_private.mark_page(uuid, integer, text) is 'Runs dossier.mark_page() with its owner''s rights.';

create function dossier.mark_page(document_id uuid, page integer, query text) returns text
language sql stable security invoker set search_path = ''
begin atomic
  select dossier_private.mark_page(document_id, page, query);
end;
comment on function dossier.mark_page(uuid, integer, text) is
  'Returns the text of a page as HTML: escaped, with the words of a query in <mark>, in all forms in which search finds them. '
  'A misspelt word marks what search corrects it to. Excluded words are not marked. Without a match, nothing is marked. Null if the document has no such page.';

revoke all on function
  dossier_private.mark_terms, dossier_private.doubled_letters, dossier_private.part_places, dossier_private.marked_places,
  dossier_private.stop_word_places, dossier_private.mark_text, dossier_private.page_corrections,
  dossier_private.mark_page, dossier.mark_page
  from public, anon, authenticated, service_role;
grant execute on function dossier.mark_page, dossier_private.mark_page to authenticated, service_role;
