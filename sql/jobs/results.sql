-- Results that workers report for the jobs they lease. Nothing that a file contains is stored unchecked.

create function dossier_private.own_job(job_id bigint, attempt integer) returns dossier_private.jobs
language plpgsql security definer set search_path = ''
as $$
-- Definer: called by definer functions.
declare
  job dossier_private.jobs;
begin
  -- Lock the session first, as a deletion does: the text goes into the search index, which refers to the session.
  perform from dossier.sessions as session
  where session.id = (
    select document.session_id
    from dossier_private.jobs as j
    join dossier.documents as document on document.id = j.document_id and document.organization_id = j.organization_id
    where j.id = own_job.job_id)
  for key share;
  perform from dossier.documents as document
  where document.id = (select j.document_id from dossier_private.jobs as j where j.id = own_job.job_id)
  for no key update;

  select j.* into job
  from dossier_private.jobs as j
  where j.id = own_job.job_id and j.attempts = own_job.attempt and j.status = 'running'
  for no key update;
  return job;
end
$$;
comment on function dossier_private.own_job(bigint, integer) is
  'Returns a running job that this attempt owns, and locks it after its session and document. Otherwise returns null.';

create function dossier_private.check_job_kind(job dossier_private.jobs, expected text) returns void
language plpgsql immutable security invoker set search_path = ''
as $$
begin
  if job.kind <> expected then
    raise exception using
      errcode = 'PT400',
      message = format('This job is of kind %s', job.kind),
      detail = format('The result is of kind %s.', expected),
      hint = 'Finish an extract job with complete_job(), an ocr job with finish_ocr(), and a thumbnail job with complete_thumbnail(). claim_jobs() returns the kind.';
  end if;
end
$$;
comment on function dossier_private.check_job_kind(dossier_private.jobs, text) is
  'Refuses (PT400) a result of another kind than the job.';

create function dossier_private.page_list(pages jsonb) returns text
language plpgsql immutable security invoker set search_path = ''
as $$
declare
  ranges text[];
begin
  select array_agg(case when spans.first = spans.last then spans.first::text else spans.first || '-' || spans.last end order by spans.first)
  into ranges
  from (
    select min(numbered.page) as first, max(numbered.page) as last
    from (
      select page.number::integer as page, page.number::integer - row_number() over (order by page.number::integer) as island
      from jsonb_array_elements_text(case jsonb_typeof(pages) when 'array' then pages else '[]' end) as page (number)
      where page.number ~ '^[0-9]{1,8}$'
    ) as numbered
    group by numbered.island
  ) as spans;

  return case
    when ranges is null then 'Some pages'
    when cardinality(ranges) = 1 and ranges[1] !~ '-' then 'Page ' || ranges[1]
    when cardinality(ranges) <= 10 then 'Pages ' || array_to_string(ranges, ', ')
    else format('Pages %s and more', array_to_string(ranges[:10], ', '))
  end;
end
$$;
comment on function dossier_private.page_list(jsonb) is
  'Formats page numbers in order ([1, 2, 3, 7]) for people: "Pages 1-3, 7".';

create function dossier_private.count_items(list jsonb) returns integer
language plpgsql immutable parallel safe security invoker set search_path = ''
as $$
begin
  return case jsonb_typeof(list) when 'array' then jsonb_array_length(list) else 0 end;
end
$$;
comment on function dossier_private.count_items(jsonb) is 'Returns the length of a JSON array, and 0 for anything else.';

create function dossier.complete_job(
  job_id bigint, attempt integer, pages jsonb, media_type text default null, details jsonb default '{}'
) returns boolean
language plpgsql security definer set search_path = ''
as $$
-- Definer: workers have no rights on the tables. Granted to service_role alone.
declare
  job constant dossier_private.jobs := dossier_private.own_job(job_id, attempt);
  outcome constant text := details #>> '{ocr,outcome}';
  notice constant text := case outcome when 'missing' then 'needs_ocr' when 'incomplete' then 'ocr_incomplete' end;
  wanted constant integer := case when outcome = 'pending' then dossier_private.count_items(details #> '{ocr,pages}') end;
  expected constant integer := coalesce((details ->> 'staged_pages')::integer, 0);
  staged integer;
begin
  if job.id is null then
    return false;
  end if;
  perform dossier_private.check_job_kind(job, 'extract');
  if jsonb_typeof(pages) is distinct from 'array' or jsonb_typeof(coalesce(details, '{}')) <> 'object' then
    raise exception using
      errcode = 'PT400',
      message = 'pages must be a JSON array, and details a JSON object',
      detail = format('They are a JSON %s and a JSON %s.', coalesce(jsonb_typeof(pages), 'nothing'), coalesce(jsonb_typeof(details), 'nothing')),
      hint = 'Send pages [{"page": 1, "text": "…", "source": "text", "engine": "…"}] and details {"language": "eng", "metadata": {"title": "…"}}.';
  end if;

  delete from dossier.document_pages as old
  where old.document_id = job.document_id and old.organization_id = job.organization_id;

  -- Storing text and words is most of the work, and stage_pages() has done it for these pages while the file was read.
  if expected > 0 then
    insert into dossier.document_pages (document_id, organization_id, page, text, source, engine, confidence, quality, reason, structure)
    select page.document_id, page.organization_id, page.page, page.text, page.source, page.engine, page.confidence, page.quality,
      page.reason, page.structure
    from dossier_private.staged_pages as page
    where page.organization_id = job.organization_id and page.document_id = job.document_id and page.attempt = job.attempts
    order by page.page;
    get diagnostics staged = row_count;
    if staged <> expected then
      raise exception using
        errcode = 'PT409',
        message = 'Staged pages are missing',
        detail = format('%s pages were staged, and %s of them are there.', expected, staged),
        hint = 'Extract the document again: report this attempt with fail_job() and retry => true.';
    end if;
  end if;
  insert into dossier.document_pages (document_id, organization_id, page, text, source, engine, confidence, quality, reason, structure)
  select job.document_id, job.organization_id, found.page, found.text, found.source, found.engine, found.confidence, found.quality,
    found.reason, found.structure
  from dossier_private.found_pages(pages) as found;

  -- A file in which every page is an image has no text before OCR has read its first page.
  update dossier.documents as document
  set status = case when wanted > 0 and extracted.is_blank then 'extracting' else 'ready' end,
    ocr_status = case outcome when 'pending' then 'pending' when 'complete' then 'done' when 'incomplete' then 'incomplete'
      when 'missing' then 'unavailable' else 'none' end,
    ocr_page = case when wanted is not null then 0 end, ocr_pages = wanted,
    error_code = notice,
    error_message = case when notice is not null then format('%s: words in images were not read. %s',
      dossier_private.page_list(details -> 'needs_ocr'),
        left(coalesce(details #>> '{ocr,reason}', 'The reason is unknown.'), 1000)) end,
    media_type = coalesce(complete_job.media_type, document.media_type),
    language = coalesce(job.options ->> 'language', substring(details ->> 'language' from '^[a-z]{2,3}$')),
    file_metadata = dossier_private.tidy_file_metadata(details -> 'metadata'),
    page_count = extracted.pages, token_count = extracted.tokens
  from (
    select count(*)::integer as pages, coalesce(sum(page.token_count), 0)::bigint as tokens,
      coalesce(bool_and(page.text !~ '\S'), true) as is_blank
    from dossier.document_pages as page
    where page.document_id = job.document_id and page.organization_id = job.organization_id
  ) as extracted
  where document.id = job.document_id;

  update dossier_private.jobs as j
  set status = 'done', lease_expires_at = null, last_error = null
  where j.id = job.id;

  perform dossier_private.queue_thumbnail(job.document_id);
  if wanted is not null then
    perform dossier_private.queue_ocr(job.document_id, job.options, details -> 'ocr');
  end if;
  return true;
end
$$;
comment on function dossier.complete_job(bigint, integer, jsonb, text, jsonb) is
  'Stores the pages of a document ([{page, text, source, engine, confidence, quality, reason, structure}]) and makes it ready. Optional '
  'members of details: metadata (from the file), language (ISO 639-3), needs_ocr (numbers of pages that are images), ocr '
  '({outcome, reason, pages, beyond}). The outcome pending queues OCR of these pages; beyond are those above the limit. The outcome '
  'missing or incomplete leaves the notice needs_ocr or ocr_incomplete in error_code. staged_pages is the number of pages that '
  'stage_pages() has received; pages are then the others. Returns false, and changes nothing, if the worker no longer owns the job. Services only.';

create function dossier.fail_job(
  job_id bigint, attempt integer, error_code text, error_message text, retry boolean default true
) returns boolean
language plpgsql security definer set search_path = ''
as $$
-- Definer: workers have no rights on the tables. Granted to service_role alone.
declare
  job constant dossier_private.jobs := dossier_private.own_job(job_id, attempt);
  code constant text := coalesce(nullif(left(btrim(error_code), 100), ''), 'extraction_failed');
  reason constant text := coalesce(nullif(left(btrim(error_message), 2000), ''), 'The file could not be read.');
  unreadable constant boolean := code in ('unsupported', 'needs_ocr');
  again constant boolean := coalesce(retry, true) and not unreadable and job.failures + 1 < job.max_attempts;
begin
  if job.id is null then
    return false;
  end if;

  -- Five seconds, doubled by every failure up to ten minutes. Half of it is random, so that failures at the same time spread.
  update dossier_private.jobs as j
  set status = case when again then 'queued' else 'failed' end,
    failures = j.failures + 1,
    run_at = now() + least(interval '5 seconds' * 2 ^ least(job.failures, 7), interval '10 minutes') * (0.5 + random() / 2),
    lease_expires_at = null,
    last_error = format('%s: %s', code, reason)
  where j.id = job.id;

  -- A document is complete without a thumbnail.
  if job.kind = 'ocr' then
    if again then
      update dossier.documents as document set ocr_status = 'pending' where document.id = job.document_id;
    else
      perform dossier_private.give_up_ocr(job.document_id, code, reason);
    end if;
  elsif job.kind = 'extract' then
    update dossier.documents as document
    set status = case when again then 'stored' when unreadable then 'unsupported' else 'failed' end,
      error_code = case when not again then code end,
      error_message = case when not again then dossier_private.with_advice(code, reason) end
    where document.id = job.document_id;

    if not again then
      perform dossier_private.queue_thumbnail(job.document_id);
    end if;
  end if;
  return true;
end
$$;
comment on function dossier.fail_job(bigint, integer, text, text, boolean) is
  'Reports that an attempt failed. If attempts remain and retry is true, the job is retried later. Otherwise the document is '
  'failed, or unsupported if error_code is unsupported or needs_ocr (all its text is in images). Failed OCR leaves a document '
  'ready that has other text, and a failed thumbnail does not change it. Returns false if the worker no longer owns the job. Services only.';

revoke all on function
  dossier_private.own_job, dossier_private.check_job_kind, dossier_private.page_list, dossier_private.count_items, dossier.complete_job, dossier.fail_job
  from public, anon, authenticated, service_role;
grant execute on function dossier.complete_job, dossier.fail_job to service_role;
