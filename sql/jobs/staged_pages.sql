-- Pages that a worker has read while it is still reading others. complete_job() moves them to the document, all at once.
--
-- Invariant: nobody reads these rows, and they end with the attempt that wrote them (clock_job()). So a fault in the middle of a file
-- leaves no partial text, and a document that is extracted again keeps its pages until all new ones are there.
-- Invariant: a crash of Postgres may empty the table, which is not logged. complete_job() counts the rows.

create unlogged table dossier_private.staged_pages (
  organization_id uuid not null,
  document_id uuid not null,
  page integer not null,
  attempt integer not null,
  text text not null,
  source text not null,
  engine text,
  confidence real,
  quality real,
  reason text,
  structure jsonb,
  config text not null,
  search tsvector not null,
  constraint staged_pages_pkey primary key (organization_id, document_id, page),
  constraint staged_pages_document_fkey foreign key (organization_id, document_id)
    references dossier.documents (organization_id, id) on delete cascade
);
comment on table dossier_private.staged_pages is 'Pages of running extractions, written by stage_pages() and moved by complete_job(). Not logged.';
comment on column dossier_private.staged_pages.organization_id is 'Organization of the document.';
comment on column dossier_private.staged_pages.document_id is 'The document.';
comment on column dossier_private.staged_pages.page is 'Number of the page, from 1.';
comment on column dossier_private.staged_pages.attempt is 'The attempt of the job that read it.';
comment on column dossier_private.staged_pages.text is 'As in document_pages.';
comment on column dossier_private.staged_pages.source is 'As in document_pages.';
comment on column dossier_private.staged_pages.engine is 'As in document_pages.';
comment on column dossier_private.staged_pages.confidence is 'As in document_pages.';
comment on column dossier_private.staged_pages.quality is 'As in document_pages.';
comment on column dossier_private.staged_pages.reason is 'As in document_pages.';
comment on column dossier_private.staged_pages.structure is 'As in document_pages.';
comment on column dossier_private.staged_pages.config is 'Text search configuration of search, or two as in search_entries.';
comment on column dossier_private.staged_pages.search is 'The words of the page, as in search_entries.';

-- A vector is written twice and read once, so compressing it would cost more than it saves.
alter table dossier_private.staged_pages alter column search set storage external;

create function dossier_private.found_pages(pages jsonb)
returns table (page integer, text text, source text, engine text, confidence real, quality real, reason text, structure jsonb)
language plpgsql immutable security invoker set search_path = '' rows 100
as $$
#variable_conflict use_column
begin
  return query
    select found.page, coalesce(found.text, ''), coalesce(found.source, 'text'), left(found.engine, 100), found.confidence, found.quality,
      left(found.reason, 500), dossier_private.tidy_structure(found.structure)
    from jsonb_to_recordset(pages) as found (
      page integer, text text, source text, engine text, confidence real, quality real, reason text, structure jsonb);
end
$$;
comment on function dossier_private.found_pages(jsonb) is 'Returns pages as a worker reports them, ready to be stored.';

create function dossier.stage_pages(job_id bigint, attempt integer, pages jsonb, language text default null) returns boolean
language plpgsql security definer set search_path = ''
as $$
-- Definer: workers have no rights on the tables. Granted to service_role alone.
declare
  document dossier.documents;
  job dossier_private.jobs;
  config text;
begin
  -- In the order of all locks: document, job. Waits for a statement that ends the attempt, and makes it wait. Several batches may be
  -- staged at the same time.
  select d.* into document
  from dossier.documents as d
  where d.id = (select j.document_id from dossier_private.jobs as j where j.id = stage_pages.job_id)
  for key share;
  select j.* into job
  from dossier_private.jobs as j
  where j.id = stage_pages.job_id and j.attempts = stage_pages.attempt and j.status = 'running'
  for share;
  if not found then
    return false;
  end if;
  perform dossier_private.check_job_kind(job, 'extract');
  if jsonb_typeof(pages) is distinct from 'array' then
    raise exception using
      errcode = 'PT400',
      message = 'pages must be a JSON array',
      detail = format('It is a JSON %s.', coalesce(jsonb_typeof(pages), 'nothing')),
      hint = 'Send pages [{"page": 1, "text": "…", "source": "text", "engine": "…"}].';
  end if;

  -- As document_config() will, when complete_job() knows the language of the whole document.
  language := coalesce(job.options ->> 'language', substring(language from '^[a-z]{2,3}$'));
  config := case when language is null then dossier_private.guessed_config(document.organization_id, document.session_id)
    else dossier_private.search_config(language) end;
  insert into dossier_private.staged_pages (
    organization_id, document_id, page, attempt, text, source, engine, confidence, quality, reason, structure, config, search)
  select job.organization_id, job.document_id, found.page, job.attempts, found.text, found.source, found.engine, found.confidence,
    found.quality, found.reason, found.structure, config,
    dossier_private.search_vector(config, found.text, array[document.organization_id, document.session_id])
  from dossier_private.found_pages(pages) as found;
  return true;
end
$$;
comment on function dossier.stage_pages(bigint, integer, jsonb, text) is
  'Prepares pages ([{page, text, source, engine, confidence, quality, reason, structure}]) while a worker still reads others: complete_job() '
  'then stores them. Their words are indexed now, in this language (ISO 639-3; null if it is unknown). Returns false if the worker '
  'no longer owns the job. Services only.';

alter table dossier_private.staged_pages enable row level security;
create policy staged_pages_all_nobody on dossier_private.staged_pages for all to authenticated using (false);

revoke all on dossier_private.staged_pages from public, anon, authenticated, service_role;
revoke all on function dossier_private.found_pages, dossier.stage_pages from public, anon, authenticated, service_role;
grant execute on function dossier.stage_pages to service_role;
