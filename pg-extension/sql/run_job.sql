-- Runs a job natively, in one statement. Hosted installs omit this: there the edge extracts files.

-- Definer: reads chunks and jobs, which API roles may not. Granted to service_role alone.
create function dossier.run_job(job_id bigint, attempt integer)
returns text
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  kind text;
  ocr text;
  language text;
  worked_seconds real;
  document dossier.documents;
  result jsonb;
  finished jsonb;
begin
  select j.kind, coalesce(j.options ->> 'ocr', 'auto'), j.options ->> 'language', j.worked_seconds
  into kind, ocr, language, worked_seconds
  from dossier_private.jobs j
  where j.id = run_job.job_id;

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

  result := case kind
    when 'ocr' then dossier_private.recognize_stored(
      document.id, document.media_type, coalesce(document.sha256, ''), dossier.ocr_pages(run_job.job_id, run_job.attempt), ocr = 'force', language, worked_seconds)
    when 'thumbnail' then dossier_private.draw_stored(document.id, document.media_type, coalesce(document.sha256, ''))
    else dossier_private.extract_stored(
      document.id, concat_ws('; charset=', document.media_type, document.charset), coalesce(document.sha256, ''), ocr)
  end;
  if result is null then
    return null;
  elsif result ? 'error' then
    perform dossier.fail_job(
      run_job.job_id,
      run_job.attempt,
      result #>> '{error,code}',
      result #>> '{error,message}',
      (result #>> '{error,transient}')::boolean);
  elsif kind = 'thumbnail' then
    perform dossier.complete_thumbnail(
      run_job.job_id,
      run_job.attempt,
      result ->> 'media_type',
      (result ->> 'width')::integer,
      (result ->> 'height')::integer,
      decode(result ->> 'bytes', 'base64'));
  elsif kind = 'ocr' then
    for finished in select f.value from jsonb_array_elements(result -> 'pages') as f loop
      perform dossier.store_ocr_page(run_job.job_id, run_job.attempt, finished -> 'page', (finished ->> 'is_read')::boolean);
    end loop;
    if (result ->> 'is_over')::boolean then
      perform dossier.release_job(run_job.job_id, run_job.attempt);
      return 'to be continued';
    end if;
    perform dossier.finish_ocr(run_job.job_id, run_job.attempt, result ->> 'language');
  else
    perform dossier.complete_job(
      run_job.job_id, run_job.attempt, result -> 'pages', result ->> 'media_type', result - 'pages');
  end if;

  if kind = 'thumbnail' then
    return (select case j.status when 'done' then 'made' else j.status end from dossier_private.jobs j where j.id = run_job.job_id);
  end if;
  return (select d.status from dossier.documents d where d.id = document.id);
end
$$;

comment on function dossier.run_job(bigint, integer) is
  'Runs a claimed job, text, OCR or thumbnail, in its own worker process and stores the result. Returns the document''s status '
  '(for a thumbnail: made, queued or failed; for OCR to be continued, if pages remain), or null if the attempt no longer owns the job. Services only.';

revoke execute on function dossier.run_job(bigint, integer) from public;
grant execute on function dossier.run_job(bigint, integer) to service_role;
