-- A job done natively, in one statement. Not part of hosted installs, where the edge reads the files.

-- Definer: reads chunks and jobs, which no role may; only service_role may call it.
create function dossier.run_job(job_id bigint, attempt integer)
returns text
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  kind text;
  force_ocr boolean;
  document dossier.documents;
  result jsonb;
begin
  select j.kind, coalesce((j.options ->> 'ocr')::boolean, false)
  into kind, force_ocr
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
    when 'thumbnail' then dossier_private.draw_stored(document.id, document.media_type, coalesce(document.sha256, ''))
    else dossier_private.extract_stored(document.id, document.media_type, coalesce(document.sha256, ''), force_ocr)
  end;
  if result ? 'error' then
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
  'Does a claimed job, text or thumbnail, in a worker of its own and writes the result down. Returns the document''s status (of a thumbnail: made, queued again, or failed), or null when the attempt no longer owns the job. Workers only.';

revoke execute on function dossier.run_job(bigint, integer) from public;
grant execute on function dossier.run_job(bigint, integer) to service_role;
