-- Facts that extraction finds out about a document: the file's own metadata, and why it failed.

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
  'Cuts the metadata of a file to the members that documents.file_metadata has, to 1000 characters per value and to 64 KiB. If '
  'it is longer, drops first the page labels, then the outline, then the names of attachments.';

create function dossier_private.advice(error_code text) returns text
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  return case error_code
    when 'unsupported' then 'The file is stored and can be downloaded. To make its text searchable, upload it as PDF or text.'
    when 'encrypted' then 'Remove the password and upload the file again.'
    when 'needs_ocr' then '' -- the reason already says what to install
    when 'malformed' then 'Re-save the file in the original application and upload it again.'
    when 'too_large' then 'Upload it in parts, or ask the operator to raise the limit.'
    when 'limit_exceeded' then 'Upload it in parts, or ask the operator to raise the limit.'
    when 'timeout' then 'Upload it in parts, or ask the operator to raise the limit.'
    when 'crashed' then 'Re-save the file in the original application or as PDF, and upload it again.'
    when 'checksum_mismatch' then 'Upload the file again.'
    when 'no_bytes' then 'Upload the file, or import it together with its bytes.'
    when 'ocr_incomplete' then '' -- some of its pages have text
    else case when error_code is not null then 'Request its extraction again. If it fails again, the operator finds the cause in the log.' end
  end;
end
$$;
comment on function dossier_private.advice(text) is
  'Returns what to do about a document with this error_code: null without an error. The only table of advice.';

create function dossier_private.with_advice(error_code text, reason text) returns text
language plpgsql immutable security invoker set search_path = ''
as $$
begin
  return rtrim(format('%s%s %s', reason, case when reason ~ '[.!?]$' then '' else '.' end, dossier_private.advice(error_code)));
end
$$;
comment on function dossier_private.with_advice(text, text) is
  'Adds advice to the reason why a document failed.';

revoke all on function
  dossier_private.tidy_file_metadata, dossier_private.advice, dossier_private.with_advice
  from public, anon, authenticated, service_role;
