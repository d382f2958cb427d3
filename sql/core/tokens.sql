-- Tokens: an estimate of how much of a language model's window a text takes, without a tokenizer.

create function dossier.estimate_tokens(text text) returns integer
language plpgsql immutable strict parallel safe security invoker set search_path = ''
as $$
declare
  characters constant integer := char_length(text);
  bytes constant integer := octet_length(text);
  -- translate() would be shorter, but takes four times as long.
  digits constant integer := bytes - octet_length(
    replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(text,
      '0', ''), '1', ''), '2', ''), '3', ''), '4', ''), '5', ''), '6', ''), '7', ''), '8', ''), '9', ''));
begin
  return ceil((characters - digits) / 3.5 + digits * 0.75 + (bytes - characters) * 0.35);
end
$$;
comment on function dossier.estimate_tokens(text) is
  'Estimates the tokens of a text, erring high: 2/7 per character, 3/4 per digit, and 0.35 per further byte of a character in '
  'UTF-8. docs/tokens.md compares it with real tokenizers.';

revoke all on function dossier.estimate_tokens from public, anon, authenticated, service_role;
grant execute on function dossier.estimate_tokens to authenticated, service_role;
