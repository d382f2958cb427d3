-- The functions of the library. In the library their names end with _wrapper, which the attribute #[pg_extern] in src/ adds.
-- A test compares these declarations with the library and its source.
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

create function dossier.extract_tables(content bytea, media_type text default null)
returns table (
  page integer, number integer, rows integer, columns integer, header_rows integer, evidence text, confidence real, box real[], cells jsonb
)
language c volatile parallel unsafe rows 10
as 'MODULE_PATHNAME', 'extract_tables_wrapper';

create function dossier.detect_media_type(content bytea)
returns text
language c volatile strict parallel unsafe
as 'MODULE_PATHNAME', 'detect_media_type_wrapper';

-- Definer: reads chunks and jobs, which API roles may not. Granted to service_role alone. A procedure, because `call` can do
-- without a snapshot for a while, and a function cannot.
create procedure dossier.run_job(job_id bigint, attempt integer)
language c security definer set search_path = ''
as 'MODULE_PATHNAME', 'run_job_wrapper';

create function dossier_private.worker_isolation()
returns jsonb
language c volatile strict parallel unsafe
as 'MODULE_PATHNAME', 'worker_isolation_wrapper';

comment on function dossier.extract_text(bytea, text, text, text) is
  'Returns the text of a file, with form feeds between its pages. If media_type is null, the bytes decide. format is text, or '
  'markdown for headings, lists and tables. ocr is auto (pages without text), force (every page) or never. Services only.';
comment on function dossier.extract_pages(bytea, text, text, text) is
  'Returns the text of a file, one row per page, with the arguments of extract_text(). source is text or ocr, and confidence (0 to '
  '1) is for ocr only. engine extracted the page, reason says why this one, and quality (0 to 1) rates the text. Services only.';
comment on function dossier.extract_tables(bytea, text) is
  'Returns the tables of a PDF, with the columns of list_tables(). Other files have none. Services only.';
comment on function dossier.detect_media_type(bytea) is
  'Returns the media type of the bytes alone, or application/octet-stream. Services only.';
comment on procedure dossier.run_job(bigint, integer) is
  'Runs a claimed job, text, OCR or thumbnail, in its own worker process and stores the result. job_outcome() then returns how it '
  'ended. While the worker reads, a call that is a statement of its own holds no snapshot and no row, so vacuum is not held '
  'back; a call inside a function, or in a transaction with another isolation level than read committed, holds one. Services only.';
comment on function dossier_private.worker_isolation() is
  'Returns the sandbox layers of a worker on this host: {missing, further, unavailable}, for dossier.doctor().';

revoke execute on function dossier.extract_text(bytea, text, text, text) from public;
revoke execute on function dossier.extract_pages(bytea, text, text, text) from public;
revoke execute on function dossier.extract_tables(bytea, text) from public;
revoke execute on function dossier.detect_media_type(bytea) from public;
revoke execute on procedure dossier.run_job(bigint, integer) from public;
revoke execute on function dossier_private.worker_isolation() from public;

grant execute on function dossier.extract_text(bytea, text, text, text) to service_role;
grant execute on function dossier.extract_pages(bytea, text, text, text) to service_role;
grant execute on function dossier.extract_tables(bytea, text) to service_role;
grant execute on function dossier.detect_media_type(bytea) to service_role;
grant execute on procedure dossier.run_job(bigint, integer) to service_role;
