-- What a document's row says that its reader found out: the file's own metadata, and why it failed.

create function dossier_private.tidy_file_metadata(claims jsonb) returns jsonb
language plpgsql immutable security invoker set search_path = ''
as $$
declare
  tidy jsonb;
  list text;
begin
  select coalesce(jsonb_object_agg(member.key, case jsonb_typeof(member.value)
      when 'string' then to_jsonb(left(member.value #>> '{}', 1000))
      else member.value
    end), '{}')
  into tidy
  from jsonb_each(case jsonb_typeof(claims) when 'object' then claims else '{}' end) as member
  where (jsonb_typeof(member.value) = 'string' and member.value <> '""'
      and member.key in ('title', 'author', 'subject', 'keywords', 'producer', 'created', 'modified'))
    or (jsonb_typeof(member.value) = 'array' and member.value <> '[]'
      and member.key in ('page_labels', 'outline', 'attachments'));

  foreach list in array array['page_labels', 'outline', 'attachments'] loop
    exit when dossier_private.json_bytes(tidy) <= 65536;
    tidy := tidy - list;
  end loop;
  return tidy;
end
$$;
comment on function dossier_private.tidy_file_metadata(jsonb) is
  'What a file says of itself, cut to the members that documents.file_metadata has, to 1000 characters a value and to 64 KiB: '
  'of what is longer first the page labels go, then the outline, then the names of attachments.';

create function dossier_private.with_advice(error_code text, reason text) returns text
language plpgsql immutable security invoker set search_path = ''
as $$
declare
  advice constant text := case error_code
    when 'unsupported' then 'The file is kept and can be downloaded; its text can be searched when it is uploaded as PDF or text.'
    when 'encrypted' then 'Upload the file without its password.'
    when 'needs_ocr' then '' -- the reason says what to install
    when 'malformed' then 'Save it anew in the program that made it, and upload that.'
    when 'too_large' then 'Upload it in parts, or have the operator raise the limit.'
    when 'limit_exceeded' then 'Upload it in parts, or have the operator raise the limit.'
    when 'timeout' then 'Upload it in parts, or have the operator raise the limit.'
    when 'crashed' then 'Save it anew in the program that made it, or as PDF, and upload that.'
    when 'checksum_mismatch' then 'Upload the file again.'
    when 'no_bytes' then 'Upload the file, or import it together with its bytes.'
    else 'Ask for its extraction again; the operator finds the cause in the log.'
  end;
begin
  return rtrim(format('%s%s %s', reason, case when reason ~ '[.!?]$' then '' else '.' end, advice));
end
$$;
comment on function dossier_private.with_advice(text, text) is
  'Why a document failed, and what its people can do about it: the one table of that, by error_code.';

revoke all on function
  dossier_private.tidy_file_metadata, dossier_private.with_advice
  from public, anon, authenticated, service_role;
