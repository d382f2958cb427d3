-- Names of documents: which characters they may contain, and where.

create function dossier_private.forbidden_characters() returns text
language sql immutable parallel safe security invoker set search_path = ''
begin atomic
  select '[\u0001-\u001f\u007f-\u009f/\\\u2028\u2029' -- control characters, path separators, line separators
    -- Unicode 16: format characters (class Cf), and those that are not shown (Default_Ignorable_Code_Point).
    '\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f'
    '\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f'
    '\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]';
end;
comment on function dossier_private.forbidden_characters() is
  'Returns the characters that names of documents may not contain, as a class of a regular expression. spell_joiners() knows the '
  'exceptions.';

create function dossier_private.joiners_in_use() returns text
language sql immutable parallel safe security invoker set search_path = ''
begin atomic
  -- Letters and marks. Cursive: Arabic, Syriac, N'Ko, Mandaic, Mongolian, Hanifi Rohingya, Adlam. Indic: Devanagari to Sinhala,
  -- Myanmar, Khmer, Balinese, Javanese. Emoji: the blocks of symbols that contain them.
  select concat(
    '(?<=[', script.cursive, script.indic, '])[\u200c\u200d](?=[', script.cursive, script.indic, '])',
    '|(?<=[', script.cursive, script.virama, '])\u200d(?![\u200c\u200d])',
    '|(?<=[', script.emoji, ']\ufe0f?)\u200d(?=[', script.emoji, '])',
    '|(?<=[', script.emoji, '])[\ufe0e\ufe0f]',
    '|(?<=[0-9#*])\ufe0f(?=\u20e3)')
  from (values (
    '\u0610-\u061a\u0620-\u063f\u0641-\u065f\u066e-\u06d3\u06d5-\u06dc\u06df-\u06e8\u06ea-\u06ef\u06fa-\u06fc\u06ff\u0710-\u077f'
    '\u07ca-\u07f5\u07fa-\u07fd\u0840-\u085b\u0860-\u0887\u0889-\u088f\u0897-\u08e1\u08e3-\u08ff\u1820-\u18aa'
    '\U00010d00-\U00010d27\U00010ec2-\U00010ec7\U00010efa-\U00010eff\U0001e900-\U0001e94b',
    '\u0900-\u0963\u0971-\u09e3\u09f0\u09f1\u09fc\u09fe-\u0a5e\u0a70-\u0a75\u0a81-\u0ae3\u0af9-\u0b63\u0b71\u0b82-\u0bd7'
    '\u0c00-\u0c63\u0c80-\u0c83\u0c85-\u0ce3\u0cf1-\u0d4e\u0d54-\u0d57\u0d5f-\u0d63\u0d7a-\u0ddf\u0df2\u0df3'
    '\u1000-\u103f\u1050-\u108f\u109a-\u109d\u1780-\u17d3\u17d7\u17dc\u17dd\u1b00-\u1b4c\u1b6b-\u1b73'
    '\ua8e0-\ua8f7\ua8fb\ua8fd-\ua8ff\ua980-\ua9c0\ua9e0-\ua9ef\ua9fa-\ua9fe\uaa60-\uaa76\uaa7a-\uaa7f',
    '\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca\u17d2\u1b44\ua9c0',
    '\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf\u2934\u2935\u2b00-\u2bff\u3030\u303d'
    '\u3297\u3299\U0001f000-\U0001faff'
  )) as script (cursive, indic, virama, emoji);
end;
comment on function dossier_private.joiners_in_use() is
  'Returns a regular expression for joiners (U+200C, U+200D) and variation selectors (U+FE0E, U+FE0F) where they change how the '
  'characters around them are written: between letters of scripts that use them, a U+200D also at the end of a word, and in emoji.';

create function dossier_private.spell_joiners(name text) returns text
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  if name ~ '[\u200c\u200d\ufe0e\ufe0f]' then
    return regexp_replace(name, dossier_private.joiners_in_use(), 'x', 'g');
  end if;
  return name;
end
$$;
comment on function dossier_private.spell_joiners(text) is
  'Returns the name with a letter in place of each joiner that is in use. The others remain, for forbidden_characters().';

create function dossier_private.name_problem(name text) returns text
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
declare
  spelt constant text := dossier_private.spell_joiners(name);
  wrong constant text := (regexp_match(spelt, dossier_private.forbidden_characters()))[1];
begin
  return case
    when coalesce(name, '') = '' then 'It is empty'
    when char_length(name) > 255 then format('It has %s characters, of at most 255', char_length(name))
    when name in ('.', '..') then format('%s stands for a folder', to_json(name))
    when wrong in ('/', '\') then format('It contains %s at position %s', wrong, strpos(spelt, wrong))
    when wrong is not null then
      format('It contains the control or invisible character U+%s at position %s',
        upper(lpad(to_hex(ascii(wrong)), greatest(4, length(to_hex(ascii(wrong)))), '0')), strpos(spelt, wrong))
    -- A character other than a space, or a mark that needs another character.
    when name !~ '[^\s\u00a0\u0300-\u036f\u1680\u2000-\u200a\u202f\u205f\u2800\u3000]' then 'It contains no visible character'
  end;
end
$$;
comment on function dossier_private.name_problem(text) is
  'Returns why a document may not have this name, or null. Refuses control characters, path and line separators, format characters '
  'and others that are not shown, such as those that reverse the reading direction, and names without a visible character.';

create function dossier_private.is_safe_name(name text) returns boolean
language sql immutable parallel safe security invoker set search_path = ''
begin atomic
  select dossier_private.name_problem(name) is null;
end;
comment on function dossier_private.is_safe_name(text) is 'Returns whether a document may have this name. Used by a constraint.';

revoke all on function
  dossier_private.forbidden_characters, dossier_private.joiners_in_use, dossier_private.spell_joiners, dossier_private.name_problem,
  dossier_private.is_safe_name
  from public, anon, authenticated, service_role;
grant execute on function
  dossier_private.forbidden_characters, dossier_private.joiners_in_use, dossier_private.spell_joiners, dossier_private.name_problem,
  dossier_private.is_safe_name
  to authenticated, service_role;
