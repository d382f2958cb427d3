-- The SQL of dossier.run_job(): what it does before and after a worker has the file. Hosted installs omit this: there the edge
-- extracts files.
--
-- Invariant: job_task() writes nothing and locks no row, because its transaction stays open while the worker reads.

create function dossier_private.job_task(job_id bigint, attempt integer)
returns jsonb
language sql
stable
security invoker
set search_path = ''
as $$
  select jsonb_build_object(
    'kind', j.kind,
    'document_id', d.id,
    'media_type', concat_ws('; charset=', d.media_type, case j.kind when 'extract' then d.charset end),
    'sha256', coalesce(d.sha256, ''),
    'ocr', coalesce(j.options ->> 'ocr', 'auto'),
    'language', j.options ->> 'language',
    'worked_seconds', j.worked_seconds,
    'pages', case j.kind when 'ocr' then dossier.ocr_pages(j.id, j.attempts) else '[]' end)
  from dossier_private.jobs as j
  join dossier.documents as d on d.id = j.document_id and d.organization_id = j.organization_id
  where j.id = job_task.job_id and j.attempts = job_task.attempt and j.status = 'running'
$$;
comment on function dossier_private.job_task(bigint, integer) is
  'Returns what a worker needs to know for a job, or null if the attempt no longer owns it. For dossier.run_job().';

create function dossier_private.store_result(job_id bigint, attempt integer, kind text, result jsonb)
returns void
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
  finished jsonb;
begin
  if result ? 'error' then
    perform dossier.fail_job(
      job_id, attempt, result #>> '{error,code}', result #>> '{error,message}', (result #>> '{error,transient}')::boolean);
  elsif kind = 'thumbnail' then
    perform dossier.complete_thumbnail(
      job_id, attempt, result ->> 'media_type', (result ->> 'width')::integer, (result ->> 'height')::integer,
      decode(result ->> 'bytes', 'base64'));
  elsif kind = 'ocr' then
    for finished in select f.value from jsonb_array_elements(result -> 'pages') as f loop
      perform dossier.store_ocr_page(job_id, attempt, finished -> 'page', (finished ->> 'is_read')::boolean);
    end loop;
    if (result ->> 'is_over')::boolean then
      perform dossier.release_job(job_id, attempt);
    else
      perform dossier.finish_ocr(job_id, attempt, result ->> 'language');
    end if;
  else
    perform dossier.complete_job(job_id, attempt, result -> 'pages', result ->> 'media_type', result - 'pages');
  end if;
end
$$;
comment on function dossier_private.store_result(bigint, integer, text, jsonb) is
  'Stores what a worker has found, or why it failed. Changes nothing if the attempt no longer owns the job. For dossier.run_job().';

-- Definer: reads jobs and documents, which API roles may not. Granted to service_role alone.
create function dossier.job_outcome(job_id bigint, attempt integer)
returns text
language sql
stable
security definer
set search_path = ''
as $$
  select case
      when j.kind = 'thumbnail' then case j.status when 'done' then 'made' else j.status end
      when j.kind = 'ocr' and j.status = 'queued' and j.run_at <= now() then 'to be continued'
      else d.status
    end
  from dossier_private.jobs as j
  join dossier.documents as d on d.id = j.document_id and d.organization_id = j.organization_id
  where j.id = job_outcome.job_id and j.attempts = job_outcome.attempt and j.status <> 'running'
$$;
comment on function dossier.job_outcome(bigint, integer) is
  'Returns how an attempt ended: the document''s status; for a thumbnail made, queued or failed; for OCR to be continued, if pages '
  'remain. Null if it has not ended, or the job belongs to another attempt. Services only.';

revoke execute on function dossier_private.job_task(bigint, integer) from public;
revoke execute on function dossier_private.store_result(bigint, integer, text, jsonb) from public;
revoke execute on function dossier.job_outcome(bigint, integer) from public;
grant execute on function dossier.job_outcome(bigint, integer) to service_role;
