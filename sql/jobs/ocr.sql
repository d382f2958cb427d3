-- OCR: a job of its own after the extraction. A worker reads the remaining pages one by one and stores each. After some time
-- it releases the job, so that the text of other documents does not wait behind a long scan.
--
-- Invariant: a page keeps its text until a better one is stored, and says why if it was not read.

create function dossier_private.queue_ocr(document_id uuid, requested jsonb, plan jsonb) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: called by definer functions, which have locked the document.
begin
  insert into dossier_private.jobs (document_id, organization_id, kind, options, max_attempts)
  select document.id, document.organization_id, 'ocr',
    jsonb_build_object('ocr', coalesce(requested ->> 'ocr', 'auto'), 'language', requested -> 'language', 'pages', plan -> 'pages', 'unread', coalesce(nullif(plan -> 'beyond', 'null'), '[]'))
      || case when dossier_private.count_items(plan -> 'beyond') > 0 then jsonb_build_object('reason', plan ->> 'reason') else '{}' end,
    dossier_private.setting('job_max_attempts')::integer
  from dossier.documents as document
  where document.id = queue_ocr.document_id;
  perform pg_notify('dossier_jobs', '');
end
$$;
comment on function dossier_private.queue_ocr(uuid, jsonb, jsonb) is
  'Queues OCR of the pages of a plan: {pages, beyond, reason}, as complete_job() receives it. requested are the options of the '
  'extraction.';

create function dossier_private.give_up_ocr(document_id uuid, code text, reason text) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: called by definer functions, which have locked the document.
declare
  missing constant boolean := code = 'needs_ocr';
  given_up dossier.documents;
begin
  update dossier.documents as document
  set ocr_status = case when missing then 'unavailable' else 'incomplete' end,
    status = case when document.status <> 'extracting' then document.status when missing or code = 'unsupported' then 'unsupported' else 'failed' end,
    error_code = case when document.status = 'extracting' then code when missing then 'needs_ocr' else 'ocr_incomplete' end,
    error_message = case when document.status = 'extracting' then dossier_private.with_advice(code, reason)
      else format('%s: words in images were not read. %s', dossier_private.page_list(
        (select (job.options -> 'unread') || (job.options -> 'pages')
          from dossier_private.jobs as job
          where job.document_id = document.id and job.organization_id = document.organization_id and job.kind = 'ocr'
          order by job.id desc limit 1)),
        left(reason, 1000)) end
  where document.id = give_up_ocr.document_id
  returning * into given_up;
  -- Nothing was read, so its pages are blank. Like any other file that cannot be read, it has none.
  if given_up.status <> 'ready' then
    delete from dossier.document_pages as page
    where page.organization_id = given_up.organization_id and page.document_id = given_up.id;
  end if;
end
$$;
comment on function dossier_private.give_up_ocr(uuid, text, text) is
  'Records that OCR of a document failed. If the document has no other text, it fails, too, and has no pages.';

create function dossier.ocr_pages(job_id bigint, attempt integer) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: workers have no rights on the tables. Granted to service_role alone. Locks nothing: a native worker reads the pages
-- in the same transaction, while others extend its lease.
declare
  job dossier_private.jobs;
begin
  select j.* into job
  from dossier_private.jobs as j
  where j.id = ocr_pages.job_id and j.attempts = ocr_pages.attempt and j.status = 'running';
  if not found then
    return null;
  end if;
  perform dossier_private.check_job_kind(job, 'ocr');
  return (
    select coalesce(jsonb_agg(dossier.page_record(p) - array['token_count', 'structure']
      || jsonb_build_object('engine', coalesce(p.engine, 'unknown')) order by p.page), '[]')
    from dossier.document_pages as p
    where p.document_id = job.document_id and p.organization_id = job.organization_id
      and p.page = any (array(select jsonb_array_elements_text(job.options -> 'pages')::integer))
  );
end
$$;
comment on function dossier.ocr_pages(bigint, integer) is
  'Returns the pages that an OCR job still has to read, as they are now. Null if the worker no longer owns the job. Services only.';

create function dossier.store_ocr_page(job_id bigint, attempt integer, page jsonb, is_read boolean) returns boolean
language plpgsql security definer set search_path = ''
as $$
-- Definer: workers have no rights on the tables. Granted to service_role alone.
declare
  job constant dossier_private.jobs := dossier_private.own_job(job_id, attempt);
  found constant jsonb := store_ocr_page.page;
  number constant integer := (store_ocr_page.page ->> 'page')::integer;
  before bigint;
  after bigint;
  document dossier.documents;
begin
  if job.id is null then
    return false;
  end if;
  perform dossier_private.check_job_kind(job, 'ocr');
  if not coalesce(job.options -> 'pages' @> to_jsonb(number), false) then
    raise exception using
      errcode = 'PT400',
      message = format('Page %s does not wait for OCR', coalesce(number::text, 'null')),
      detail = format('The remaining pages are %s.', job.options -> 'pages'),
      hint = 'Store each page of ocr_pages() once.';
  end if;

  select p.token_count into before
  from dossier.document_pages as p
  where p.document_id = job.document_id and p.organization_id = job.organization_id and p.page = number;
  update dossier.document_pages as p
  set text = coalesce(found ->> 'text', ''), source = coalesce(found ->> 'source', 'text'), engine = left(found ->> 'engine', 100),
    confidence = (found ->> 'confidence')::real, quality = (found ->> 'quality')::real, reason = left(found ->> 'reason', 500),
    structure = case when p.text = coalesce(found ->> 'text', '') then p.structure end
  where p.document_id = job.document_id and p.organization_id = job.organization_id and p.page = number
  returning p.token_count into after;

  update dossier_private.jobs as j
  set options = j.options || jsonb_build_object(
    'pages', coalesce((select jsonb_agg(n.value) from jsonb_array_elements(j.options -> 'pages') as n where n.value <> to_jsonb(number)), '[]'),
    'unread', (j.options -> 'unread') || case when is_read then '[]' else to_jsonb(number) end,
    'reason', coalesce(j.options -> 'reason', case when is_read then 'null' else to_jsonb(found ->> 'reason') end))
  where j.id = job.id;

  -- The first page that was read makes the document ready, which indexes all of its pages.
  update dossier.documents as d
  set status = case when is_read and d.status = 'extracting' then 'ready' else d.status end,
    ocr_page = least(d.ocr_page + 1, d.ocr_pages),
    token_count = d.token_count + coalesce(after, 0) - coalesce(before, 0)
  where d.id = job.document_id
  returning * into document;
  if document.status = 'ready' then
    perform dossier_private.index_page(document.id, number);
  end if;
  return true;
end
$$;
comment on function dossier.store_ocr_page(bigint, integer, jsonb, boolean) is
  'Stores a page that OCR has read, merged with the text it had, or, if is_read is false, the reason why it was not read. The '
  'first page that was read makes a document ready that has no other text. Returns false, and changes nothing, if the worker no '
  'longer owns the job. Services only.';

create function dossier.finish_ocr(job_id bigint, attempt integer, language text default null) returns boolean
language plpgsql security definer set search_path = ''
as $$
-- Definer: workers have no rights on the tables. Granted to service_role alone.
declare
  job constant dossier_private.jobs := dossier_private.own_job(job_id, attempt);
  reason constant text := coalesce(job.options ->> 'reason', 'The reason is unknown.');
  document dossier.documents;
begin
  if job.id is null then
    return false;
  end if;
  perform dossier_private.check_job_kind(job, 'ocr');
  if dossier_private.count_items(job.options -> 'pages') > 0 then
    raise exception using
      errcode = 'PT409',
      message = 'Pages still wait for OCR',
      detail = format('The remaining pages are %s.', job.options -> 'pages'),
      hint = 'Store them with store_ocr_page(), or hand the job back with release_job().';
  end if;

  update dossier_private.jobs as j
  set status = 'done', lease_expires_at = null, last_error = null
  where j.id = job.id;
  if dossier_private.count_items(job.options -> 'unread') > 0 then
    perform dossier_private.give_up_ocr(job.document_id, 'ocr_incomplete', reason);
  end if;
  update dossier.documents as d
  set status = case when d.status = 'extracting' then 'ready' else d.status end,
    ocr_status = case when d.ocr_status = 'running' then 'done' else d.ocr_status end,
    language = coalesce(d.language, substring(finish_ocr.language from '^[a-z]{2,3}$'))
  where d.id = job.document_id
  returning * into document;
  -- The pages were indexed as a text of unknown language.
  if document.status = 'ready' and document.language is not null and finish_ocr.language is not null then
    perform dossier_private.index_document(document.id);
  end if;
  return true;
end
$$;
comment on function dossier.finish_ocr(bigint, integer, text) is
  'Ends an OCR job without remaining pages: the document''s ocr_status is done, or incomplete with a notice if pages could not be '
  'read. language is that of the recognized text. Returns false if the worker no longer owns the job. Services only.';

revoke all on function
  dossier_private.queue_ocr, dossier_private.give_up_ocr, dossier.ocr_pages, dossier.store_ocr_page, dossier.finish_ocr
  from public, anon, authenticated, service_role;
grant execute on function dossier.ocr_pages, dossier.store_ocr_page, dossier.finish_ocr to service_role;
