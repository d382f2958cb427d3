-- The functions of the library. Their names there end with _wrapper, as the attribute #[pg_extern] in src/ has it; a test
-- compares what is declared here with the library and its source.
--
-- Volatile and parallel unsafe: each starts a worker process and waits for a slot.

create function dossier.extract_text(content bytea, media_type text default null, format text default 'text', ocr text default 'auto')
returns text
language c volatile parallel unsafe
as 'MODULE_PATHNAME', 'extract_text_wrapper';

create function dossier.extract_pages(content bytea, media_type text default null, format text default 'text', ocr text default 'auto')
returns table (page integer, text text, source text, confidence real, engine text, quality real, reason text)
language c volatile parallel unsafe rows 100
as 'MODULE_PATHNAME', 'extract_pages_wrapper';

create function dossier.detect_media_type(content bytea)
returns text
language c volatile strict parallel unsafe
as 'MODULE_PATHNAME', 'detect_media_type_wrapper';

create function dossier_private.extract_stored(document_id uuid, media_type text, sha256 text, force_ocr boolean)
returns jsonb
language c volatile strict parallel unsafe
as 'MODULE_PATHNAME', 'extract_stored_wrapper';

create function dossier_private.draw_stored(document_id uuid, media_type text, sha256 text)
returns jsonb
language c volatile strict parallel unsafe
as 'MODULE_PATHNAME', 'draw_stored_wrapper';

comment on function dossier.extract_text(bytea, text, text, text) is
  'The text of a file, its pages separated by form feeds. media_type: what to read the bytes as; null: what they are. format: text, or markdown for headings, lists and tables. ocr: auto reads pictures where a page has no text, force every page, never none.';
comment on function dossier.extract_pages(bytea, text, text, text) is
  'The text of a file, a row a page; arguments as of extract_text(). source is text or ocr, confidence (0 to 1) of ocr only; engine read the page, for the reason given, and quality (0 to 1) says how good the text looks.';
comment on function dossier.detect_media_type(bytea) is
  'What the bytes are, by themselves; application/octet-stream when unknown.';
comment on function dossier_private.extract_stored(uuid, text, text, boolean) is
  'The text of a stored document as JSON, for dossier.run_job.';
comment on function dossier_private.draw_stored(uuid, text, text) is
  'A thumbnail of a stored document as JSON, for dossier.run_job.';

revoke execute on function dossier.extract_text(bytea, text, text, text) from public;
revoke execute on function dossier.extract_pages(bytea, text, text, text) from public;
revoke execute on function dossier.detect_media_type(bytea) from public;
revoke execute on function dossier_private.extract_stored(uuid, text, text, boolean) from public;
revoke execute on function dossier_private.draw_stored(uuid, text, text) from public;

grant execute on function dossier.extract_text(bytea, text, text, text) to service_role;
grant execute on function dossier.extract_pages(bytea, text, text, text) to service_role;
grant execute on function dossier.detect_media_type(bytea) to service_role;
