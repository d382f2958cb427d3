-- Media types: suggested by the name, declared, detected from the bytes, and accepted.

create function dossier_private.extension_media_type(name text) returns text
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  return (
    select known.media_type
    from (values
      ('pdf', 'application/pdf'),
      ('docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'),
      ('docm', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'),
      ('dotx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'),
      ('pptx', 'application/vnd.openxmlformats-officedocument.presentationml.presentation'),
      ('pptm', 'application/vnd.openxmlformats-officedocument.presentationml.presentation'),
      ('ppsx', 'application/vnd.openxmlformats-officedocument.presentationml.presentation'),
      ('potx', 'application/vnd.openxmlformats-officedocument.presentationml.presentation'),
      ('xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'),
      ('xlsm', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'),
      ('xltx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'),
      ('odt', 'application/vnd.oasis.opendocument.text'), ('ott', 'application/vnd.oasis.opendocument.text'),
      ('ods', 'application/vnd.oasis.opendocument.spreadsheet'), ('odp', 'application/vnd.oasis.opendocument.presentation'),
      ('fodt', 'application/vnd.oasis.opendocument.text'), ('fods', 'application/vnd.oasis.opendocument.spreadsheet'),
      ('fodp', 'application/vnd.oasis.opendocument.presentation'),
      ('rtf', 'application/rtf'), ('json', 'application/json'), ('eml', 'message/rfc822'),
      ('ndjson', 'application/x-ndjson'), ('jsonl', 'application/x-ndjson'),
      ('xml', 'application/xml'), ('yaml', 'application/yaml'), ('yml', 'application/yaml'),
      ('txt', 'text/plain'), ('text', 'text/plain'), ('log', 'text/plain'), ('srt', 'text/plain'),
      ('md', 'text/markdown'), ('markdown', 'text/markdown'), ('csv', 'text/csv'), ('tsv', 'text/tab-separated-values'),
      ('html', 'text/html'), ('htm', 'text/html'), ('xhtml', 'text/html'), ('vtt', 'text/vtt'),
      ('ics', 'text/calendar'), ('vcf', 'text/vcard'), ('svg', 'image/svg+xml'),
      ('png', 'image/png'), ('jpg', 'image/jpeg'), ('jpeg', 'image/jpeg'), ('gif', 'image/gif'),
      ('webp', 'image/webp'), ('tif', 'image/tiff'), ('tiff', 'image/tiff'), ('bmp', 'image/bmp')
    ) as known (extension, media_type)
    where known.extension = lower(substring(name from '\.([^.]+)$'))
  );
end
$$;
comment on function dossier_private.extension_media_type(text) is
  'Returns the media type that the extension of a name suggests, or null.';

create function dossier_private.declared_media_type(media_type text, name text) returns text
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
declare
  declared text := lower(btrim(split_part(media_type, ';', 1)));
  suggested constant text := dossier_private.extension_media_type(name);
begin
  declared := case declared
    when 'application/x-pdf' then 'application/pdf'
    when 'image/jpg' then 'image/jpeg'
    when 'image/x-ms-bmp' then 'image/bmp'
    when 'text/json' then 'application/json'
    when 'text/rtf' then 'application/rtf'
    when 'application/x-rtf' then 'application/rtf'
    when 'message/global' then 'message/rfc822'
    when 'text/x-markdown' then 'text/markdown'
    when 'text/comma-separated-values' then 'text/csv'
    when 'application/csv' then 'text/csv'
    when 'application/xhtml+xml' then 'text/html'
    when 'application/ndjson' then 'application/x-ndjson'
    when 'application/jsonl' then 'application/x-ndjson'
    when 'application/x-jsonlines' then 'application/x-ndjson'
    when 'application/json-lines' then 'application/x-ndjson'
    when 'text/xml' then 'application/xml'
    when 'application/x-yaml' then 'application/yaml'
    else declared
  end;
  -- Templates, slide shows, files with macros and flat files are extracted like the documents that they are.
  declared := case
    when declared ~ '^application/vnd\.(ms-word\.|openxmlformats-officedocument\.wordprocessingml\.template)'
      then 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'
    when declared ~ '^application/vnd\.(ms-powerpoint\..*\.macroenabled\.12|openxmlformats-officedocument\.presentationml\.(slideshow|template))$'
      then 'application/vnd.openxmlformats-officedocument.presentationml.presentation'
    when declared ~ '^application/vnd\.(ms-excel\.(sheet|template)\.macroenabled\.12|openxmlformats-officedocument\.spreadsheetml\.template)$'
      then 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'
    else regexp_replace(declared, '^(application/vnd\.oasis\.opendocument\.[a-z]+)-(template|flat-xml)$', '\1')
  end;
  return case
    when coalesce(declared, '') in ('', 'application/octet-stream', 'binary/octet-stream')
      then coalesce(suggested, 'application/octet-stream')
    -- Windows declares a CSV file by the program that opens it, and a DOCX file by its container.
    when declared = 'application/vnd.ms-excel' and suggested = 'text/csv' then suggested
    when declared in ('application/zip', 'application/x-zip-compressed') and suggested ~ '^application/vnd\.o' then suggested
    else declared
  end;
end
$$;
comment on function dossier_private.declared_media_type(text, text) is
  'Returns the media type that an upload declares, in lower case, without parameters, with aliases resolved. If none is '
  'declared, the one that the extension suggests, or application/octet-stream if only the bytes can tell.';

create function dossier_private.declared_charset(media_type text) returns text
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  return lower(substring(media_type from '(?i);\s*charset\s*=\s*"?([a-z0-9][a-z0-9_.:()+-]{0,39})"?\s*(?:;|$)') collate "C");
end
$$;
comment on function dossier_private.declared_charset(text) is
  'Returns the charset parameter of a media type in lower case, or null. An unreadable one is ignored, since the bytes usually tell.';

create function dossier_private.magic_media_type(head bytea) returns text
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
declare
  lead constant text := encode(substring(head from 1 for 16), 'hex');
begin
  return case
    -- The width and height of an image contain bytes that text does not. If they are too large for that, the bytes after them do.
    when lead ~ '^47494638(37|39)61(..){0,3}(0[0-8bef]|1.|7f)' then 'image/gif' -- GIF87a, GIF89a
    when lead ~ '^47494638(37|39)61' and position('\x00'::bytea in head) > 0 then 'image/gif'
    when lead ~ '^424d.{8}0{8}.{8}(0c|28|34|38|40|6c|7c)' then 'image/bmp' -- BM, size, zeros, offset, size of a header
    when lead ~ '^(09|0a|0c|0d|20)*7b5c727466' then 'application/rtf' -- {\rtf
    when starts_with(lead, '4d5a') and position('PE\000\000'::bytea in head) > 0 then 'application/vnd.microsoft.portable-executable'
    else (
      select known.media_type
      from (values
        ('255044462d%', 'application/pdf'), -- %PDF-
        ('89504e470d0a1a0a%', 'image/png'),
        ('ffd8ff%', 'image/jpeg'),
        ('52494646________57454250%', 'image/webp'), -- RIFF….WEBP
        ('49492a00%', 'image/tiff'), ('4d4d002a%', 'image/tiff'), ('49492b00%', 'image/tiff'), ('4d4d002b%', 'image/tiff'),
        ('d0cf11e0a1b11ae1%', 'application/x-ole-storage'),
        ('789f3e22%', 'application/vnd.ms-tnef'), -- winmail.dat
        ('7f454c46%', 'application/x-executable'), -- ELF
        ('cffaedfe%', 'application/x-mach-binary'), ('cefaedfe%', 'application/x-mach-binary'),
        ('0061736d%', 'application/wasm'),
        ('1f8b%', 'application/gzip'),
        ('377abcaf271c%', 'application/x-7z-compressed'),
        ('526172211a07%', 'application/vnd.rar'),
        ('fd377a585a00%', 'application/x-xz'),
        ('28b52ffd%', 'application/zstd'),
        ('425a683_314159265359%', 'application/x-bzip2'), ('425a683_177245385090%', 'application/x-bzip2'),
        ('4f67675300%', 'application/ogg'),
        ('664c614300%', 'audio/flac'), -- fLaC
        ('49443302%', 'audio/mpeg'), ('49443303%', 'audio/mpeg'), ('49443304%', 'audio/mpeg'), -- ID3
        ('52494646________57415645%', 'audio/wav'), -- RIFF….WAVE
        ('00______66747970%', 'video/mp4'), -- ….ftyp
        ('25215053%', 'application/postscript'), -- %!PS
        ('53514c69746520666f726d6174203300', 'application/vnd.sqlite3')
      ) as known (pattern, media_type)
      where lead like known.pattern
    )
  end;
end
$$;
comment on function dossier_private.magic_media_type(bytea) is
  'Returns the media type that the first bytes of a file reveal, or null. extract-worker/src/detection/magic.rs detects the '
  'same.';

create function dossier_private.compound_media_type(head bytea) returns text
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  -- The names of its parts are in UTF-16.
  return coalesce((
    select known.media_type
    from (values
      (1, 'EncryptedPackage', 'application/vnd.ms-office.encrypted'),
      (2, 'WordDocument', 'application/msword'),
      (3, 'Workbook', 'application/vnd.ms-excel'),
      (4, 'PowerPoint Document', 'application/vnd.ms-powerpoint')
    ) as known (place, part, media_type)
    where position(decode(regexp_replace(encode(known.part::bytea, 'hex'), '(..)', '\100', 'g'), 'hex') in head) > 0
    order by known.place
    limit 1
  ), 'application/x-ole-storage');
end
$$;
comment on function dossier_private.compound_media_type(bytea) is
  'Returns the type of a compound file: an old Office format, an encrypted new one, or something else.';

create function dossier_private.sniff_media_type(head bytea, declared text, name text) returns text
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
declare
  claimed constant text := dossier_private.declared_media_type(declared, name);
  suggested constant text := dossier_private.extension_media_type(name);
  office constant text := 'application/vnd.openxmlformats-officedocument.';
  textual constant text[] := array[
    'application/json', 'application/x-ndjson', 'application/xml', 'application/yaml', 'message/rfc822', 'image/svg+xml'
  ];
  lead constant text := encode(substring(head from 1 for 16), 'hex');
  told text;
begin
  told := dossier_private.magic_media_type(head);
  if told = 'application/x-ole-storage' then
    told := dossier_private.compound_media_type(head);
    -- Encrypted Office files are compound files, whatever they contain. In a large file the name comes too late to be seen here.
    return case
      when told in ('application/x-ole-storage', 'application/vnd.ms-office.encrypted') and starts_with(claimed, office) then claimed
      else told
    end;
  elsif told is not null then
    return told;
  end if;

  -- A PDF may have up to a kilobyte before its header, but only if its name or declaration says that it is a PDF.
  if 'application/pdf' in (claimed, suggested)
    and position('%PDF-'::bytea in substring(head from 1 for 1024)) > 0
  then
    return 'application/pdf';
  end if;

  -- ZIP: the names of its entries, in their headers, reveal its type.
  if lead ~ '^504b(0304|0506|0708)' then
    return case
      when position('mimetypeapplication/vnd.oasis.opendocument.text'::bytea in head) = 31 then 'application/vnd.oasis.opendocument.text'
      when position('mimetypeapplication/vnd.oasis.opendocument.spreadsheet'::bytea in head) = 31 then 'application/vnd.oasis.opendocument.spreadsheet'
      when position('mimetypeapplication/vnd.oasis.opendocument.presentation'::bytea in head) = 31 then 'application/vnd.oasis.opendocument.presentation'
      -- Its own text may be compressed.
      when position('mimetype'::bytea in head) = 31 and claimed ~ '^application/vnd\.oasis\.' then claimed
      when position('mimetype'::bytea in head) = 31 and suggested ~ '^application/vnd\.oasis\.' then suggested
      when position('[Content_Types].xml'::bytea in head) = 0 and position('_rels/.rels'::bytea in head) = 0 then 'application/zip'
      when position('word/'::bytea in head) > 0 then office || 'wordprocessingml.document'
      when position('ppt/'::bytea in head) > 0 then office || 'presentationml.presentation'
      when position('xl/'::bytea in head) > 0 then office || 'spreadsheetml.sheet'
      when starts_with(claimed, office) then claimed
      when starts_with(suggested, office) then suggested
      else 'application/zip'
    end;
  end if;

  -- The rest is text or unknown. Only UTF-16 and UTF-32 with a byte order mark contain zeros.
  if position('\x00'::bytea in head) > 0 and lead !~ '^(fffe|feff|0000feff)' then
    return 'application/octet-stream';
  end if;
  return case
    -- A flat file is XML.
    when position('<office:document'::bytea in head) > 0 and claimed ~ '^application/vnd\.oasis\.' then claimed
    when position('<office:document'::bytea in head) > 0 and suggested ~ '^application/vnd\.oasis\.' then suggested
    when claimed like 'text/%' or claimed = any (textual) then claimed
    when suggested like 'text/%' or suggested = any (textual) then suggested
    else 'text/plain'
  end;
end
$$;
comment on function dossier_private.sniff_media_type(bytea, text, text) is
  'Returns the media type by the first bytes of a file. Bytes override the declaration. Among kinds of text the declaration '
  'decides.';

create function dossier_private.has_pictures(media_type text) returns boolean
language sql immutable parallel safe security invoker set search_path = ''
begin atomic
  -- No worker draws SVG. Its text is read as markup.
  select media_type = 'application/pdf' or (media_type like 'image/%' and media_type <> 'image/svg+xml');
end;
comment on function dossier_private.has_pictures(text) is
  'Returns whether files of this type are images, or have pages that can be drawn. OCR can read such files.';

create function dossier_private.has_thumbnail(media_type text) returns boolean
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  return dossier_private.has_pictures(media_type)
    or media_type like 'application/vnd.openxmlformats-officedocument.%'
    or media_type like 'application/vnd.oasis.opendocument.%'
    or media_type = 'application/rtf';
end
$$;
comment on function dossier_private.has_thumbnail(text) is
  'Returns whether files of this type have thumbnails: images, PDFs and office files.';

alter table dossier_private.settings add constraint settings_allowed_media_types_check
  check (name <> 'allowed_media_types' or jsonb_typeof(value) = 'array');
insert into dossier_private.settings (name, value, default_value, description)
select 'allowed_media_types', allowed.types, allowed.types,
  'Media types that may be uploaded. text/* stands for every kind of text.'
from (values ('[
  "application/pdf",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  "application/vnd.openxmlformats-officedocument.presentationml.presentation",
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  "application/vnd.oasis.opendocument.text",
  "application/vnd.oasis.opendocument.spreadsheet",
  "application/vnd.oasis.opendocument.presentation",
  "application/rtf", "application/json", "application/x-ndjson", "application/xml", "application/yaml", "message/rfc822",
  "application/vnd.ms-tnef",
  "text/*",
  "image/png", "image/jpeg", "image/gif", "image/webp", "image/tiff", "image/bmp"
]'::jsonb)) as allowed (types);

create function dossier_private.check_media_type(media_type text) returns void
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: reads a setting.
declare
  allowed constant jsonb := dossier_private.setting('allowed_media_types');
begin
  if not allowed ?| array[media_type, split_part(media_type, '/', 1) || '/*'] then
    raise exception using
      errcode = 'PT415',
      message = format('Files of type %s are not accepted', media_type),
      detail = 'The type is detected from the bytes if possible, whatever was declared. '
        'This is a limit of the database (allowed_media_types).',
      hint = format('Send one of these types: %s.', (
        select string_agg(t, ', ' order by t) from jsonb_array_elements_text(allowed) as t
      ));
  end if;
end
$$;
comment on function dossier_private.check_media_type(text) is
  'Refuses (PT415) a media type that allowed_media_types lists neither itself nor by a wildcard such as text/*.';

revoke all on function
  dossier_private.extension_media_type, dossier_private.declared_media_type, dossier_private.declared_charset, dossier_private.magic_media_type,
  dossier_private.compound_media_type, dossier_private.sniff_media_type, dossier_private.has_pictures, dossier_private.has_thumbnail,
  dossier_private.check_media_type
  from public, anon, authenticated, service_role;
