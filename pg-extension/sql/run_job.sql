-- Native extraction of a job, in one statement. Not part of hosted installs, where the edge extracts.

-- Definer: reads chunks and jobs, which no role may; only service_role may call it.
create function dossier.run_job(job_id bigint, attempt integer)
returns text
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  document dossier.documents;
  result jsonb;
begin
  select d.*
  into document
  from dossier_private.jobs j
  join dossier.documents d on d.id = j.document_id
  where j.id = run_job.job_id
    and j.attempts = run_job.attempt
    and j.status = 'running';
  if not found then
    return null;
  end if;

  result := dossier_private.extract_stored(document.id, document.media_type, coalesce(document.sha256, ''));
  if result ? 'error' then
    perform dossier.fail_job(
      run_job.job_id,
      run_job.attempt,
      result #>> '{error,code}',
      result #>> '{error,message}',
      (result #>> '{error,transient}')::boolean);
  else
    perform dossier.complete_job(run_job.job_id, run_job.attempt, result -> 'pages', result ->> 'media_type');
  end if;
  return (select d.status from dossier.documents d where d.id = document.id);
end
$$;

comment on function dossier.run_job(bigint, integer) is
  'Extracts the document of a claimed job in a worker of its own and writes the result down; returns the document''s status, or null when the attempt no longer owns the job. Workers only.';

comment on function dossier.extract_text(bytea, text) is
  'The text of a file, its pages separated by form feeds. media_type: what to read the bytes as; null: what they are.';
comment on function dossier.extract_pages(bytea, text) is
  'The text of a file, a row a page. source is text or ocr; confidence (0 to 1) is of ocr only.';
comment on function dossier.detect_media_type(bytea) is
  'What the bytes are, by themselves; application/octet-stream when unknown.';
comment on function dossier_private.extract_stored(uuid, text, text) is
  'The text of a stored document as JSON, for dossier.run_job.';

revoke execute on function dossier.run_job(bigint, integer) from public;
revoke execute on function dossier.extract_text(bytea, text) from public;
revoke execute on function dossier.extract_pages(bytea, text) from public;
revoke execute on function dossier.detect_media_type(bytea) from public;
revoke execute on function dossier_private.extract_stored(uuid, text, text) from public;

grant execute on function dossier.run_job(bigint, integer) to service_role;
grant execute on function dossier.extract_text(bytea, text) to service_role;
grant execute on function dossier.extract_pages(bytea, text) to service_role;
grant execute on function dossier.detect_media_type(bytea) to service_role;
