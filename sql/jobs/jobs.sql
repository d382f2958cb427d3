-- Jobs: extractions, OCR and thumbnails. They are queued in the transaction that requires them, and leased by workers.
-- jobs/results.sql has the results that workers report. The file is long because all changes of a job's state are here.
--
-- Invariant: a worker owns a job while the job is running and its attempts equal the number that the worker received. Every
-- claim raises that number, so a late report of a lost worker changes nothing.
-- Invariant: locks are taken in the order session, document, job, or skip locked rows.
-- Invariant: OCR takes long, so it has fewer workers than text (claim_jobs() without with_ocr), a share of them per organization,
-- and takes turns: a worker releases an OCR job after some seconds.

create table dossier_private.jobs (
  id bigint not null generated always as identity,
  document_id uuid not null,
  organization_id uuid not null,
  kind text not null default 'extract',
  -- The order among kinds, in an index.
  priority integer not null generated always as (case kind when 'extract' then 1 when 'thumbnail' then 2 else 3 end) stored,
  options jsonb not null default '{}',
  status text not null default 'queued',
  attempts integer not null default 0,
  failures integer not null default 0,
  max_attempts integer not null default 3,
  run_at timestamptz not null default now(),
  lease_expires_at timestamptz,
  started_at timestamptz,
  worked_seconds real not null default 0,
  worker text,
  last_error text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint jobs_pkey primary key (id),
  constraint jobs_document_fkey foreign key (organization_id, document_id)
    references dossier.documents (organization_id, id) on delete cascade,
  constraint jobs_kind_check check (kind in ('extract', 'ocr', 'thumbnail')),
  constraint jobs_options_check check (jsonb_typeof(options) = 'object'),
  constraint jobs_status_check check (status in ('queued', 'running', 'done', 'failed')),
  constraint jobs_attempts_check check (attempts >= 0 and failures between 0 and attempts and max_attempts >= 1),
  constraint jobs_lease_check check (status <> 'running' or (lease_expires_at is not null and worker is not null))
);
comment on table dossier_private.jobs is
  'Extractions, OCR and thumbnails: queued, running and finished. At most one job per kind and document is queued or running.';
comment on column dossier_private.jobs.id is 'Key.';
comment on column dossier_private.jobs.document_id is 'The document.';
comment on column dossier_private.jobs.organization_id is 'Organization of the document.';
comment on column dossier_private.jobs.kind is
  'extract: extract the text. thumbnail: draw the thumbnail. ocr: read pages whose text is in images, a few at a time.';
comment on column dossier_private.jobs.priority is 'Within an organization, text comes first, then thumbnails, then OCR.';
comment on column dossier_private.jobs.options is
  'For an extraction {"ocr": text, "language": text}, as in request_extraction(). For OCR also "pages", the numbers of the remaining '
  'pages, "unread", those that could not be read, and "reason", why.';
comment on column dossier_private.jobs.status is 'queued, running, done or failed.';
comment on column dossier_private.jobs.attempts is 'How many times it was claimed. Fencing token of its worker.';
comment on column dossier_private.jobs.failures is
  'Number of attempts that failed, or whose worker was lost. Released attempts do not count.';
comment on column dossier_private.jobs.max_attempts is 'After this many failures the job fails.';
comment on column dossier_private.jobs.run_at is 'Cannot be claimed before.';
comment on column dossier_private.jobs.started_at is 'When it was last claimed.';
comment on column dossier_private.jobs.worked_seconds is 'How long workers have had it until now, without the running attempt.';
comment on column dossier_private.jobs.lease_expires_at is 'When the lease expires. Afterwards its worker counts as lost.';
comment on column dossier_private.jobs.worker is 'Name of the worker that owns or last owned it.';
comment on column dossier_private.jobs.last_error is 'Why the last attempt failed.';
comment on column dossier_private.jobs.created_at is 'When it was queued.';
comment on column dossier_private.jobs.updated_at is 'When the row last changed.';

create index jobs_organization_id_document_id_idx on dossier_private.jobs (organization_id, document_id);
create unique index jobs_live_document_id_kind_idx on dossier_private.jobs (organization_id, document_id, kind)
  where status in ('queued', 'running');
create index jobs_queued_idx on dossier_private.jobs (organization_id, priority, run_at, id) where status = 'queued';
create index jobs_running_idx on dossier_private.jobs (lease_expires_at) where status = 'running';
create index jobs_started_idx on dossier_private.jobs (organization_id, started_at) where started_at is not null;

create trigger jobs_touch
  before update on dossier_private.jobs
  for each row execute function dossier_private.touch();

alter table dossier_private.settings add constraint settings_job_max_attempts_check
  check (name <> 'job_max_attempts' or (jsonb_typeof(value) = 'number' and value between '1' and '100'));
alter table dossier_private.settings add constraint settings_ocr_jobs_per_organization_check
  check (name <> 'ocr_jobs_per_organization' or (jsonb_typeof(value) = 'number' and value between '1' and '1000'));
insert into dossier_private.settings (name, value, default_value, description) values
  ('job_max_attempts', '3', '3',
    'Failed attempts at an extraction before its document fails.'),
  ('ocr_jobs_per_organization', '2', '2',
    'OCR jobs of one organization that run at the same time, on all workers together.');

create function dossier_private.clock_job() returns trigger
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles may record usage only through functions, and cannot write pages.
declare
  seconds numeric;
begin
  if new.status = 'running' then
    new.started_at := clock_timestamp();
  else
    seconds := greatest(extract(epoch from least(clock_timestamp(), old.lease_expires_at) - old.started_at), 0);
    new.worked_seconds := old.worked_seconds + seconds;
    insert into dossier_private.usage_events (organization_id, kind, amount) values (new.organization_id, 'extraction', seconds);
    if new.kind = 'extract' then
      delete from dossier_private.staged_pages as staged
      where staged.organization_id = new.organization_id and staged.document_id = new.document_id;
    end if;
  end if;
  return new;
end
$$;
comment on function dossier_private.clock_job() is
  'Trigger: records when a worker takes a job and, when the job ends or is lost, how long the worker had it. Then also deletes '
  'the pages that the worker has staged.';

create trigger jobs_clock
  before update of status on dossier_private.jobs
  for each row when ((new.status = 'running') <> (old.status = 'running'))
  execute function dossier_private.clock_job();

create function dossier_private.queue_job(document_id uuid, organization_id uuid, ocr text, language text default null) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: called by definer functions, which have locked the document.
begin
  update dossier_private.jobs as job
  set status = 'failed', last_error = 'Superseded by a new request.', lease_expires_at = null
  where job.document_id = queue_job.document_id and job.organization_id = queue_job.organization_id
    and job.kind in ('extract', 'ocr') and job.status in ('queued', 'running');

  insert into dossier_private.jobs (document_id, organization_id, options, max_attempts)
  values (
    queue_job.document_id, queue_job.organization_id,
    jsonb_strip_nulls(jsonb_build_object('ocr', queue_job.ocr, 'language', queue_job.language)),
    dossier_private.setting('job_max_attempts')::integer
  );
  perform pg_notify('dossier_jobs', '');
end
$$;
comment on function dossier_private.queue_job(uuid, uuid, text, text) is
  'Queues an extraction and wakes a worker. Cancels one that is queued or running, and its OCR.';

create function dossier_private.request_extraction(document_id uuid, ocr text, language text) returns dossier.documents
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles change a document's status only through functions.
declare
  document dossier.documents := dossier_private.require_document(document_id);
begin
  if coalesce(ocr not in ('auto', 'force', 'never'), true) then
    raise exception using
      errcode = 'PT400',
      message = 'ocr must be auto, force or never',
      detail = format('It is %s.', coalesce(quote_literal(left(ocr, 50)), 'null')),
      hint = 'Use auto for pages without text, force for every page, and never to read only the text in the file.';
  end if;
  if language !~ '^[a-z]{3}$' then
    raise exception using
      errcode = 'PT400',
      message = 'language must be a code of three letters (ISO 639-3)',
      detail = format('It is %L.', left(language, 50)),
      hint = 'Send a code such as deu, or omit it to detect the language.';
  end if;
  if document.status = 'uploading' then
    raise exception using
      errcode = 'PT409',
      message = 'The document is still being uploaded',
      detail = 'Its extraction is queued when the upload is finished.',
      hint = 'Finish the upload first.';
  end if;
  perform dossier_private.require_bytes(document.id, document.storage);
  if ocr = 'force' and not dossier_private.has_pictures(document.media_type) then
    raise exception using
      errcode = 'PT422',
      message = format('OCR does not apply to files of type %s', document.media_type),
      detail = 'OCR reads pages of PDFs, and images. Other files contain their text.',
      hint = 'Omit ocr to extract the file again.';
  end if;
  perform dossier_private.check_quota('max_extraction_seconds_a_day', document.organization_id, 0);

  update dossier.documents as d
  set status = 'stored', error_code = null, error_message = null, ocr_status = 'none', ocr_page = null, ocr_pages = null
  where d.id = document.id
  returning * into document;

  perform dossier_private.queue_job(document.id, document.organization_id, request_extraction.ocr, request_extraction.language);
  return document;
end
$$;
comment on function dossier_private.request_extraction(uuid, text, text) is
  'Runs dossier.request_extraction() with its owner''s rights.';

create function dossier.request_extraction(document_id uuid, ocr text default 'auto', language text default null)
returns dossier.documents
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.request_extraction(document_id, ocr, language);
end;
comment on function dossier.request_extraction(uuid, text, text) is
  'Extracts a document again. ocr is auto (OCR for pages without text), force (OCR for every page of a PDF or an image) or never. '
  'language (ISO 639-3) is then the language of the document, and OCR reads it first; without it, the language is detected. Its pages stay until the new '
  'ones are stored.';

create function dossier_private.recover_jobs() returns integer
language plpgsql security definer set search_path = ''
as $$
-- Definer: workers have no rights on the tables.
declare
  recovered integer;
begin
  with lost as (
    select job.id
    from dossier_private.jobs as job
    join dossier.documents as document on document.id = job.document_id and document.organization_id = job.organization_id
    where job.status = 'running' and job.lease_expires_at <= now()
    order by job.lease_expires_at
    limit 100
    for no key update of job, document skip locked
  ), taken_back as (
    update dossier_private.jobs as job
    set status = case when job.failures + 1 >= job.max_attempts then 'failed' else 'queued' end,
      failures = job.failures + 1,
      run_at = now(), lease_expires_at = null,
      last_error = format('Worker %s was lost in attempt %s.', job.worker, job.attempts)
    from lost
    where job.id = lost.id
    returning job.document_id, job.kind, job.status, job.failures
  ), given_up as (
    update dossier.documents as document
    set status = 'failed', error_code = 'worker_lost',
      error_message = dossier_private.with_advice('worker_lost',
        format('Extraction failed %s times. The last time, its worker was lost.', taken_back.failures))
    from taken_back
    where document.id = taken_back.document_id and taken_back.status = 'failed' and taken_back.kind = 'extract'
  ), without_ocr as (
    select dossier_private.give_up_ocr(taken_back.document_id, 'worker_lost',
      format('OCR failed %s times. The last time, its worker was lost.', taken_back.failures))
    from taken_back
    where taken_back.status = 'failed' and taken_back.kind = 'ocr'
  )
  select count(*) + 0 * (select count(*) from without_ocr) into recovered from taken_back;
  return recovered;
end
$$;
comment on function dossier_private.recover_jobs() is
  'Recovers jobs whose lease has expired. Queues them again or, if no attempts remain, fails them and the documents of '
  'extractions.';

create function dossier_private.has_ocr_place(organization_id uuid, share bigint) returns boolean
language plpgsql volatile security definer set search_path = ''
as $$
-- Definer: called by lease_next_job(). One claim at a time may count, or several would count the same free place.
begin
  return pg_try_advisory_xact_lock(hashtextextended(format('dossier OCR %s', has_ocr_place.organization_id), 0)) and (
    select count(*) < share
    from dossier_private.jobs as j
    where j.organization_id = has_ocr_place.organization_id and j.status = 'running' and j.kind = 'ocr');
end
$$;
comment on function dossier_private.has_ocr_place(uuid, bigint) is
  'Returns whether an organization has less than its share of running OCR jobs. False also if another worker claims one right now.';

create function dossier_private.lease_next_job(worker text, lease interval, with_ocr boolean) returns dossier_private.jobs
language plpgsql security definer set search_path = ''
as $$
-- Definer: called by claim_jobs().
declare
  ocr_share constant bigint := dossier_private.setting('ocr_jobs_per_organization')::bigint;
  waiting record;
  job dossier_private.jobs;
begin
  -- Take organizations with due jobs in the order of their running jobs, then of their last turn, so that a burst of one does
  -- not delay the others, whatever the number of workers is. An organization that has its share of OCR has only its other jobs.
  -- The recursion hops from one organization to the next by the index, however many jobs each has.
  for waiting in
    with recursive organizations (id) as (
      (select j.organization_id from dossier_private.jobs as j where j.status = 'queued' order by j.organization_id limit 1)
      union all
      select (
        select j.organization_id from dossier_private.jobs as j
        where j.status = 'queued' and j.organization_id > organizations.id
        order by j.organization_id limit 1)
      from organizations
      where organizations.id is not null
    ), under_way as (
      select j.organization_id, count(*) as jobs, count(*) filter (where j.kind = 'ocr') as ocr_jobs
      from dossier_private.jobs as j where j.status = 'running' group by j.organization_id
    )
    select organizations.id, may.have_ocr
    from organizations
    left join under_way on under_way.organization_id = organizations.id
    cross join lateral (select with_ocr and coalesce(under_way.ocr_jobs, 0) < ocr_share) as may (have_ocr)
    cross join lateral (
      select j.priority, j.run_at, j.id from dossier_private.jobs as j
      where j.organization_id = organizations.id and j.status = 'queued' and j.run_at <= now() and (may.have_ocr or j.kind <> 'ocr')
      order by j.priority, j.run_at, j.id
      limit 1
    ) as next
    cross join lateral (
      select max(j.started_at) as at from dossier_private.jobs as j where j.organization_id = organizations.id
    ) as turn
    order by coalesce(under_way.jobs, 0), turn.at nulls first, next.priority, next.run_at, next.id
  loop
    select j.* into job
    from dossier_private.jobs as j
    join dossier.documents as document on document.id = j.document_id and document.organization_id = j.organization_id
    where j.organization_id = waiting.id and j.status = 'queued' and j.run_at <= now() and (waiting.have_ocr or j.kind <> 'ocr')
    order by j.priority, j.run_at, j.id
    limit 1
    for no key update of j, document skip locked;

    continue when not found;
    continue when job.kind = 'ocr' and not dossier_private.has_ocr_place(job.organization_id, ocr_share);
    update dossier_private.jobs as j
    set status = 'running', attempts = j.attempts + 1, worker = left(lease_next_job.worker, 200), lease_expires_at = now() + lease
    where j.id = job.id
    returning j.* into job;
    return job;
  end loop;
  return null;
end
$$;
comment on function dossier_private.lease_next_job(text, interval, boolean) is
  'Leases the next job to a worker, or returns null. Chooses the organization with the fewest running jobs, and among those the one '
  'whose last job started first; of its jobs, text before thumbnails before OCR, then the oldest. Workers that claim at the same '
  'moment do not see each other''s choice.';

create function dossier.claim_jobs(worker text, limit_count integer default 1, lease_seconds integer default 120, with_ocr boolean default true)
returns table (
  job_id bigint, document_id uuid, organization_id uuid, media_type text,
  size_bytes bigint, sha256 text, ocr text, attempt integer, kind text, language text, worked_seconds real
)
language plpgsql security definer set search_path = ''
as $$
-- Definer: workers have no rights on the tables. Granted to service_role alone.
#variable_conflict use_column
declare
  lease constant interval := dossier_private.check_lease(lease_seconds);
  job dossier_private.jobs;
begin
  if coalesce(btrim(claim_jobs.worker) = '' or limit_count not between 1 and 100, true) then
    raise exception using
      errcode = 'PT400',
      message = 'worker must have a name, and limit_count must be between 1 and 100',
      detail = format('They are %L and %s.', claim_jobs.worker, coalesce(limit_count::text, 'null')),
      hint = 'Name the worker after its host and process, such as edge-1/4711.';
  end if;

  perform dossier_private.recover_jobs();

  for place in 1 .. claim_jobs.limit_count loop
    job := dossier_private.lease_next_job(claim_jobs.worker, lease, coalesce(with_ocr, true));
    exit when job.id is null;

    if job.kind = 'extract' then
      update dossier.documents as document set status = 'extracting' where document.id = job.document_id;
    elsif job.kind = 'ocr' then
      update dossier.documents as document set ocr_status = 'running' where document.id = job.document_id;
    end if;
    return query
    select job.id, document.id, document.organization_id,
      document.media_type || coalesce('; charset=' || case job.kind when 'extract' then document.charset end, ''), document.size_bytes, document.sha256,
      coalesce(job.options ->> 'ocr', 'auto'), job.attempts, job.kind, job.options ->> 'language', job.worked_seconds
    from dossier.documents as document
    where document.id = job.document_id;
  end loop;
end
$$;
comment on function dossier.claim_jobs(text, integer, integer, boolean) is
  'Leases due jobs to a worker. No two workers hold the same job. Each time, the organization with the fewest running jobs '
  'comes first, and among several the one that has waited longest for a turn. with_ocr => false leaves OCR, which takes long, to '
  'other workers. media_type of an extraction has the charset that was declared. language is the one that was requested, and worked_seconds the time of earlier attempts. Before that, recovers '
  'the jobs of lost workers. Services only.';

create function dossier.extend_lease(job_id bigint, attempt integer, lease_seconds integer default 120) returns boolean
language plpgsql security definer set search_path = ''
as $$
-- Definer: workers have no rights on the tables. Granted to service_role alone.
declare
  lease constant interval := dossier_private.check_lease(lease_seconds);
begin
  update dossier_private.jobs as job
  set lease_expires_at = now() + lease
  where job.id = extend_lease.job_id and job.attempts = extend_lease.attempt and job.status = 'running';
  return found;
end
$$;
comment on function dossier.extend_lease(bigint, integer, integer) is
  'Extends the lease of a job. Returns false if the worker no longer owns the job and should stop. Services only.';

create function dossier.release_job(job_id bigint, attempt integer) returns boolean
language plpgsql security definer set search_path = ''
as $$
-- Definer: workers have no rights on the tables. Granted to service_role alone.
declare
  job constant dossier_private.jobs := dossier_private.own_job(job_id, attempt);
begin
  if job.id is null then
    return false;
  end if;

  -- The number of an attempt is never reused: it fences off late reports of this worker.
  update dossier_private.jobs as j
  set status = 'queued', run_at = now(), lease_expires_at = null
  where j.id = job.id;

  if job.kind = 'extract' then
    update dossier.documents as document set status = 'stored' where document.id = job.document_id;
  end if;
  perform pg_notify('dossier_jobs', '');
  return true;
end
$$;
comment on function dossier.release_job(bigint, integer) is
  'Releases a job that its worker cannot finish because it shuts down. Another worker can claim it at once, and the attempt '
  'does not count. Returns false if the worker no longer owns the job. Services only.';

alter table dossier_private.jobs enable row level security;
create policy jobs_all_nobody on dossier_private.jobs for all to authenticated using (false);

revoke all on dossier_private.jobs from public, anon, authenticated, service_role;
revoke all on sequence dossier_private.jobs_id_seq from public, anon, authenticated, service_role;
revoke all on function
  dossier_private.clock_job, dossier_private.queue_job, dossier_private.request_extraction, dossier.request_extraction,
  dossier_private.recover_jobs, dossier_private.has_ocr_place, dossier_private.lease_next_job, dossier.claim_jobs,
  dossier.extend_lease, dossier.release_job
  from public, anon, authenticated, service_role;
grant execute on function dossier.request_extraction, dossier_private.request_extraction to authenticated, service_role;
grant execute on function
  dossier.claim_jobs, dossier.extend_lease, dossier.release_job
  to service_role;
