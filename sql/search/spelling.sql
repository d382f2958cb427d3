-- Spelling: corrects a word that no text of the searched organizations contains to one that some do.
--
-- The index is asked for every word that is one slip away: two letters swapped, one missing, one too many, or a wrong one. A word
-- that is not in the index costs it a few microseconds, so no list of words has to be maintained, and no extension is needed.
--
-- Invariant: a word is only corrected to one that texts of the searched organizations contain.

create function dossier_private.spelling_variants(word text) returns text[]
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
declare
  -- Alphabets are not mixed.
  alphabet constant text := case
    when word ~ '^[a-z]+$' then 'abcdefghijklmnopqrstuvwxyz'
    when word ~ '^[а-яё]+$' then 'абвгдеёжзийклмнопрстуфхцчшщъыьэюя'
    when word ~ '^[α-ως]+$' then 'αβγδεζηθικλμνξοπρστυφχψως'
    else '' end;
begin
  -- The likeliest slips first.
  return array(
    select made.variant
    from (
      select 1 as slip, concat("left"(word, place - 1), substr(word, place + 1, 1), substr(word, place, 1), substr(word, place + 2)) as variant
      from generate_series(1, char_length(word) - 1) as place
      union all
      select 2, concat("left"(word, place - 1), substr(word, place + 1))
      from generate_series(1, char_length(word)) as place
      union all
      select slips.slip, concat("left"(word, place - 1), letter.letter, substr(word, place + slips.skipped))
      from (values (3, 0), (4, 1)) as slips (slip, skipped)
      cross join generate_series(1, char_length(word) + 1) as place
      cross join regexp_split_to_table(alphabet, '') as letter (letter)
      where slips.skipped = 0 or place <= char_length(word)
    ) as made
    where made.variant <> word
    group by made.variant
    order by min(made.slip), made.variant
  );
end
$$;
comment on function dossier_private.spelling_variants(text) is
  'Returns the words that are one slip away from a lower-case word: swapped, extra, missing and wrong letters, in this order.';

create function dossier_private.letter_lexemes_terms(lexemes text[]) returns tsquery
language sql immutable parallel safe security invoker set search_path = ''
begin atomic
  -- Hundreds of operators would copy the terms hundreds of times.
  select string_agg(l.lexeme, ' | ')::tsquery from unnest(lexemes) as l (lexeme) where l.lexeme ~ '^[[:alpha:]]+$';
end;
comment on function dossier_private.letter_lexemes_terms(text[]) is
  'Returns terms that match any of many lexemes, of which only those of letters alone count.';

create function dossier_private.correct_word(word text, languages text[], organizations uuid[], in_session uuid) returns text
language plpgsql stable security definer set search_path = '' set client_min_messages = 'warning'
as $$
-- Definer: API roles cannot read entries.
#variable_conflict use_variable
declare
  typed constant text := lower(dossier_private.fold_letters(word));
  variants text[];
  lexemes text[];
  places integer[]; -- for each lexeme: the first variant that has it as its stem
  best record;
begin
  if typed !~ '^[[:alpha:]]{4,30}$' then
    return null;
  end if;
  variants := typed || dossier_private.spelling_variants(typed);
  select array_agg(stem.lexeme), array_agg(stem.place) into lexemes, places
  from (
    select known.lexeme, min(said.place) as place
    from unnest(languages) as l (config)
    cross join unnest(to_tsvector(('pg_catalog.' || l.config)::regconfig, array_to_string(variants, ' '))) as known (lexeme, places)
    cross join unnest(known.places) as said (place)
    group by known.lexeme
  ) as stem;

  select variants[l.place] as word, l.place into best
  from dossier_private.fetch_entries(
    array[dossier_private.letter_lexemes_terms(lexemes) && dossier_private.any_terms(array(
      select dossier_private.scope_terms(organizations, in_session, l.config) from unnest(languages) as l (config)))],
    array[null::tsquery], organizations, in_session, null, null, null, 100) as hit
  cross join lateral (select e.search from dossier_private.search_entries as e where e.id = hit.id limit 1) as entry
  cross join unnest(tsvector_to_array(entry.search)) as said (lexeme)
  join unnest(lexemes, places) as l (lexeme, place) on l.lexeme = said.lexeme
  group by l.place
  order by l.place = 1 desc, count(*) desc, l.place
  limit 1;
  -- If it is the word itself, that is not misspelt, but filtered out.
  return case when best.place > 1 then best.word end;
end
$$;
comment on function dossier_private.correct_word(text, text[], uuid[], uuid) is
  'Returns the word, one slip away, that most of the texts of these organizations contain; null without one, or if they '
  'contain the word itself.';

revoke all on function dossier_private.spelling_variants, dossier_private.letter_lexemes_terms, dossier_private.correct_word
  from public, anon, authenticated, service_role;
