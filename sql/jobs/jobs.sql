-- Jobs: extractions and thumbnails. They are queued in the transaction that requires them, and leased by workers.
-- jobs/results.sql has the results that workers report.
--
-- Invariant: a worker owns a job while the job is running and its attempts equal the number that the worker received. Every
-- claim raises that number, so a late report of a lost worker changes nothing.
-- Invariant: locks are taken in the order session, document, job, or skip locked rows.

create table dossier_private.jobs (
  id bigint not null generated always as identity,
  document_id uuid not null,
  organization_id uuid not null,
  kind text not null default 'extract',
  options jsonb not null default '{}',
  status text not null default 'queued',
  attempts integer not null default 0,
  failures integer not null default 0,
  max_attempts integer not null default 3,
  run_at timestamptz not null default now(),
  lease_expires_at timestamptz,
  started_at timestamptz,
  worker text,
  last_error text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint jobs_pkey primary key (id),
  constraint jobs_document_fkey foreign key (organization_id, document_id)
    references dossier.documents (organization_id, id) on delete cascade,
  constraint jobs_kind_check check (kind in ('extract', 'thumbnail')),
  constraint jobs_options_check check (jsonb_typeof(options) = 'object'),
  constraint jobs_status_check check (status in ('queued', 'running', 'done', 'failed')),
  constraint jobs_attempts_check check (attempts >= 0 and failures between 0 and attempts and max_attempts >= 1),
  constraint jobs_lease_check check (status <> 'running' or (lease_expires_at is not null and worker is not null))
);
comment on table dossier_private.jobs is
  'Extractions and thumbnails: queued, running and finished. At most one job per kind and document is queued or running.';
comment on column dossier_private.jobs.id is 'Key.';
comment on column dossier_private.jobs.document_id is 'The document.';
comment on column dossier_private.jobs.organization_id is 'Organization of the document.';
comment on column dossier_private.jobs.kind is
  'extract: extract the text. thumbnail: draw the thumbnail. Within an organization, text comes first.';
comment on column dossier_private.jobs.options is 'For an extraction {"ocr": boolean}: whether to use OCR on every page.';
comment on column dossier_private.jobs.status is 'queued, running, done or failed.';
comment on column dossier_private.jobs.attempts is 'How many times it was claimed. Fencing token of its worker.';
comment on column dossier_private.jobs.failures is
  'Number of attempts that failed, or whose worker was lost. Released attempts do not count.';
comment on column dossier_private.jobs.max_attempts is 'After this many failures the job fails.';
comment on column dossier_private.jobs.run_at is 'Cannot be claimed before.';
comment on column dossier_private.jobs.started_at is 'When it was last claimed.';
comment on column dossier_private.jobs.lease_expires_at is 'When the lease expires. Afterwards its worker counts as lost.';
comment on column dossier_private.jobs.worker is 'Name of the worker that owns or last owned it.';
comment on column dossier_private.jobs.last_error is 'Why the last attempt failed.';
comment on column dossier_private.jobs.created_at is 'When it was queued.';
comment on column dossier_private.jobs.updated_at is 'When the row last changed.';

create index jobs_organization_id_document_id_idx on dossier_private.jobs (organization_id, document_id);
create unique index jobs_live_document_id_kind_idx on dossier_private.jobs (organization_id, document_id, kind)
  where status in ('queued', 'running');
create index jobs_queued_idx on dossier_private.jobs (organization_id, kind, run_at, id) where status = 'queued';
create index jobs_running_idx on dossier_private.jobs (lease_expires_at) where status = 'running';

create trigger jobs_touch
  before update on dossier_private.jobs
  for each row execute function dossier_private.touch();

alter table dossier_private.settings add constraint settings_job_max_attempts_check
  check (name <> 'job_max_attempts' or (jsonb_typeof(value) = 'number' and value between '1' and '100'));
insert into dossier_private.settings (name, value, default_value, description) values
  ('job_max_attempts', '3', '3',
    'Failed attempts at an extraction before its document fails.');

create function dossier_private.clock_job() returns trigger
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles may record usage only through functions.
begin
  if new.status = 'running' then
    new.started_at := clock_timestamp();
  else
    insert into dossier_private.usage_events (organization_id, kind, amount)
    select new.organization_id, 'extraction',
      greatest(extract(epoch from least(clock_timestamp(), old.lease_expires_at) - old.started_at), 0);
  end if;
  return new;
end
$$;
comment on function dossier_private.clock_job() is
  'Trigger: records when a worker takes a job and, when the job ends or is lost, how long the worker had it.';

create trigger jobs_clock
  before update of status on dossier_private.jobs
  for each row when ((new.status = 'running') <> (old.status = 'running'))
  execute function dossier_private.clock_job();

create function dossier_private.queue_job(document_id uuid, organization_id uuid, ocr boolean) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: called by definer functions, which have locked the document.
begin
  update dossier_private.jobs as job
  set status = 'failed', last_error = 'Superseded by a new request.', lease_expires_at = null
  where job.document_id = queue_job.document_id and job.organization_id = queue_job.organization_id
    and job.kind = 'extract' and job.status in ('queued', 'running');

  insert into dossier_private.jobs (document_id, organization_id, options, max_attempts)
  values (
    queue_job.document_id, queue_job.organization_id,
    jsonb_build_object('ocr', queue_job.ocr),
    dossier_private.setting('job_max_attempts')::integer
  );
  perform pg_notify('dossier_jobs', '');
end
$$;
comment on function dossier_private.queue_job(uuid, uuid, boolean) is
  'Queues an extraction and wakes a worker. Cancels one that is queued or running.';

create function dossier_private.request_extraction(document_id uuid, ocr boolean) returns dossier.documents
language plpgsql security definer set search_path = ''
as $$
-- Definer: API roles change a document's status only through functions.
declare
  document dossier.documents := dossier_private.require_document(document_id);
begin
  if document.status = 'uploading' then
    raise exception using
      errcode = 'PT409',
      message = 'The document is still being uploaded',
      detail = 'Its extraction is queued when the upload is finished.',
      hint = 'Finish the upload first.';
  end if;
  perform dossier_private.require_bytes(document.id, document.storage);
  if ocr and not dossier_private.has_pictures(document.media_type) then
    raise exception using
      errcode = 'PT422',
      message = format('OCR does not apply to files of type %s', document.media_type),
      detail = 'OCR reads pages of PDFs, and images. Other files contain their text.',
      hint = 'Omit ocr to extract the file again.';
  end if;
  perform dossier_private.check_quota('max_extraction_seconds_a_day', document.organization_id, 0);

  update dossier.documents as d
  set status = 'stored', error_code = null, error_message = null
  where d.id = document.id
  returning * into document;

  perform dossier_private.queue_job(document.id, document.organization_id, coalesce(request_extraction.ocr, false));
  return document;
end
$$;
comment on function dossier_private.request_extraction(uuid, boolean) is
  'Runs dossier.request_extraction() with its owner''s rights.';

create function dossier.request_extraction(document_id uuid, ocr boolean default false) returns dossier.documents
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.request_extraction(document_id, ocr);
end;
comment on function dossier.request_extraction(uuid, boolean) is
  'Extracts a document again, optionally with OCR (PDFs and images only). Its pages stay until the new ones are stored.';

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
  )
  select count(*) into recovered from taken_back;
  return recovered;
end
$$;
comment on function dossier_private.recover_jobs() is
  'Recovers jobs whose lease has expired. Queues them again or, if no attempts remain, fails them and the documents of '
  'extractions.';

create function dossier_private.lease_next_job(worker text, lease interval) returns dossier_private.jobs
language plpgsql security definer set search_path = ''
as $$
-- Definer: called by claim_jobs().
declare
  waiting record;
  job dossier_private.jobs;
begin
  -- Take organizations with due jobs in the order of their running jobs, so that a burst of one does not delay the others.
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
      select j.organization_id, count(*) as jobs from dossier_private.jobs as j where j.status = 'running' group by j.organization_id
    )
    select organizations.id
    from organizations
    left join under_way on under_way.organization_id = organizations.id
    cross join lateral (
      select j.kind, j.run_at, j.id from dossier_private.jobs as j
      where j.organization_id = organizations.id and j.status = 'queued' and j.run_at <= now()
      order by j.kind, j.run_at, j.id
      limit 1
    ) as next
    order by coalesce(under_way.jobs, 0), next.kind, next.run_at, next.id
  loop
    select j.* into job
    from dossier_private.jobs as j
    join dossier.documents as document on document.id = j.document_id and document.organization_id = j.organization_id
    where j.organization_id = waiting.id and j.status = 'queued' and j.run_at <= now()
    order by j.kind, j.run_at, j.id
    limit 1
    for no key update of j, document skip locked;

    continue when not found;
    update dossier_private.jobs as j
    set status = 'running', attempts = j.attempts + 1, worker = left(lease_next_job.worker, 200), lease_expires_at = now() + lease
    where j.id = job.id
    returning j.* into job;
    return job;
  end loop;
  return null;
end
$$;
comment on function dossier_private.lease_next_job(text, interval) is
  'Leases the next job to a worker, or returns null. Chooses the organization with the fewest running jobs, text before '
  'thumbnails, then the oldest job. Workers that claim at the same moment do not see each other''s choice.';

create function dossier.claim_jobs(worker text, limit_count integer default 1, lease_seconds integer default 120)
returns table (
  job_id bigint, document_id uuid, organization_id uuid, media_type text,
  size_bytes bigint, sha256 text, ocr boolean, attempt integer, kind text
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
    job := dossier_private.lease_next_job(claim_jobs.worker, lease);
    exit when job.id is null;

    if job.kind = 'extract' then
      update dossier.documents as document set status = 'extracting' where document.id = job.document_id;
    end if;
    return query
    select job.id, document.id, document.organization_id, document.media_type, document.size_bytes, document.sha256,
      coalesce((job.options ->> 'ocr')::boolean, false), job.attempts, job.kind
    from dossier.documents as document
    where document.id = job.document_id;
  end loop;
end
$$;
comment on function dossier.claim_jobs(text, integer, integer) is
  'Leases due jobs to a worker. No two workers hold the same job. Each time, the organization with the fewest running jobs '
  'comes first. Before that, recovers the jobs of lost workers. Services only.';

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

create function dossier.sweep(upload_max_age interval default '1 hour') returns jsonb
language plpgsql security definer set search_path = ''
as $$
-- Definer: workers have no rights on the tables. Granted to service_role alone.
declare
  uploads integer;
begin
  if upload_max_age is null or upload_max_age < interval '0' then
    raise exception using
      errcode = 'PT400',
      message = 'upload_max_age must not be negative',
      detail = format('It is %s.', coalesce(upload_max_age::text, 'null')),
      hint = 'Omit it for one hour.';
  end if;

  -- Do this first, since it takes time and no row is locked yet.
  perform dossier.index_pending_words();

  with abandoned as (
    select document.id
    from dossier.documents as document
    where document.status = 'uploading' and document.created_at <= now() - upload_max_age
    for update skip locked
  ), removed as (
    delete from dossier.documents as document using abandoned where document.id = abandoned.id returning document.id
  )
  select count(*) into uploads from removed;

  return jsonb_build_object(
    'uploads', uploads,
    'imports', dossier_private.sweep_imports(upload_max_age),
    'jobs', dossier_private.recover_jobs(),
    'versions', dossier_private.sweep_versions(),
    'usage_events', dossier_private.sweep_usage(),
    'sessions', dossier_private.sweep_trash());
end
$$;
comment on function dossier.sweep(interval) is
  'Removes uploads and imports that are unfinished after upload_max_age, versions of contexts and records of usage that are no '
  'longer kept, and purges the trash. Recovers the jobs of lost workers, and adds pending words to the search index. Returns '
  'how many of each: {"uploads", "imports", "jobs", "versions", "usage_events", "sessions"}. Services only.';

alter table dossier_private.jobs enable row level security;
create policy jobs_all_nobody on dossier_private.jobs for all to authenticated using (false);

revoke all on dossier_private.jobs from public, anon, authenticated, service_role;
revoke all on sequence dossier_private.jobs_id_seq from public, anon, authenticated, service_role;
revoke all on function
  dossier_private.clock_job, dossier_private.queue_job, dossier_private.request_extraction, dossier.request_extraction,
  dossier_private.recover_jobs, dossier_private.lease_next_job, dossier.claim_jobs, dossier.extend_lease,
  dossier.release_job, dossier.sweep
  from public, anon, authenticated, service_role;
grant execute on function dossier.request_extraction, dossier_private.request_extraction to authenticated, service_role;
grant execute on function
  dossier.claim_jobs, dossier.extend_lease, dossier.release_job, dossier.sweep
  to service_role;
