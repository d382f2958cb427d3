-- Thumbnails: a small image of the first page of each PDF, image and office file, made after its text.

create table dossier.document_thumbnails (
  document_id uuid not null,
  organization_id uuid not null,
  media_type text not null,
  width integer not null,
  height integer not null,
  bytes bytea not null,
  sha256 text not null generated always as (encode(sha256(bytes), 'hex')) stored,
  created_at timestamptz not null default now(),
  constraint document_thumbnails_pkey primary key (organization_id, document_id),
  constraint document_thumbnails_document_fkey foreign key (organization_id, document_id)
    references dossier.documents (organization_id, id) on delete cascade,
  constraint document_thumbnails_media_type_check check (media_type in ('image/webp', 'image/png', 'image/jpeg')),
  constraint document_thumbnails_size_check check (width between 1 and 4096 and height between 1 and 4096),
  constraint document_thumbnails_bytes_check check (octet_length(bytes) between 1 and 1048576)
);
comment on table dossier.document_thumbnails is
  'Small images of the first pages of PDFs, images and office files. Written only by complete_thumbnail(). Not every document has one.';
comment on column dossier.document_thumbnails.document_id is 'The document.';
comment on column dossier.document_thumbnails.organization_id is 'Organization of the document.';
comment on column dossier.document_thumbnails.media_type is 'Media type of the thumbnail: image/webp.';
comment on column dossier.document_thumbnails.width is 'Width in pixels.';
comment on column dossier.document_thumbnails.height is 'Height in pixels.';
comment on column dossier.document_thumbnails.bytes is
  'The thumbnail, at most 1 MiB. Encoded from pixels, so that it contains nothing else of the file.';
comment on column dossier.document_thumbnails.sha256 is 'Hexadecimal digest of the thumbnail. Serves as its ETag.';
comment on column dossier.document_thumbnails.created_at is 'When it was made.';
alter table dossier.document_thumbnails alter column bytes set storage external;

create function dossier_private.queue_thumbnail(document_id uuid) returns void
language plpgsql security definer set search_path = ''
as $$
-- Definer: called by definer functions, which have locked the document.
begin
  insert into dossier_private.jobs (document_id, organization_id, kind, max_attempts)
  select document.id, document.organization_id, 'thumbnail', dossier_private.setting('job_max_attempts')::integer
  from dossier.documents as document
  where document.id = queue_thumbnail.document_id
    and dossier_private.has_thumbnail(document.media_type)
    and document.error_code is distinct from 'encrypted'
    and not exists (select from dossier.document_thumbnails as made where made.document_id = document.id and made.organization_id = document.organization_id)
  on conflict do nothing; -- already queued

  if found then
    perform pg_notify('dossier_jobs', '');
  end if;
end
$$;
comment on function dossier_private.queue_thumbnail(uuid) is
  'Queues the thumbnail of a document that can have one but does not. Bytes never change, so it is made only once.';

create function dossier.complete_thumbnail(
  job_id bigint, attempt integer, media_type text, width integer, height integer, bytes bytea
) returns boolean
language plpgsql security definer set search_path = ''
as $$
-- Definer: workers have no rights on the tables. Granted to service_role alone.
declare
  job constant dossier_private.jobs := dossier_private.own_job(job_id, attempt);
begin
  if job.id is null then
    return false;
  end if;
  perform dossier_private.check_job_kind(job, 'thumbnail');

  insert into dossier.document_thumbnails (document_id, organization_id, media_type, width, height, bytes)
  values (job.document_id, job.organization_id, media_type, width, height, bytes)
  on conflict on constraint document_thumbnails_pkey do update
  set media_type = excluded.media_type, width = excluded.width, height = excluded.height, bytes = excluded.bytes, created_at = now();

  update dossier_private.jobs as j
  set status = 'done', lease_expires_at = null, last_error = null
  where j.id = job.id;
  return true;
end
$$;
comment on function dossier.complete_thumbnail(bigint, integer, text, integer, integer, bytea) is
  'Stores the result of a thumbnail job. Returns false, and changes nothing, if the worker no longer owns the job. Services '
  'only.';

create function dossier_private.awaits_thumbnail(document_id uuid) returns boolean
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: API roles cannot read jobs. Repeats the condition of documents_select_viewer.
begin
  return exists (
    select
    from dossier.documents as document
    where document.id = awaits_thumbnail.document_id
      and dossier_private.my_role(document.organization_id) is not null
      and dossier_private.session_organization(document.session_id) is not null
      and dossier_private.has_thumbnail(document.media_type)
      and not exists (select from dossier.document_thumbnails as made where made.document_id = document.id and made.organization_id = document.organization_id)
      and (document.status in ('uploading', 'stored', 'extracting') or exists (
        select from dossier_private.jobs as job
        where job.document_id = document.id and job.organization_id = document.organization_id and job.kind = 'thumbnail' and job.status in ('queued', 'running')))
  );
end
$$;
comment on function dossier_private.awaits_thumbnail(uuid) is 'Runs dossier.thumbnail_pending() with its owner''s rights.';

create function dossier.thumbnail_pending(document_id uuid) returns boolean
language sql stable security invoker set search_path = ''
begin atomic
  select dossier_private.awaits_thumbnail(document_id);
end;
comment on function dossier.thumbnail_pending(uuid) is
  'Returns whether the thumbnail of a document is still being made. False also if the caller cannot see the document.';

alter table dossier.document_thumbnails enable row level security;

create policy document_thumbnails_select_viewer on dossier.document_thumbnails
  for select to authenticated
  using (
    organization_id = any (array(select dossier_private.my_organizations()))
    and exists (select from dossier.documents as document where document.id = document_id)
  );

revoke all on dossier.document_thumbnails from public, anon, authenticated, service_role;
grant select on dossier.document_thumbnails to authenticated, service_role;
revoke all on function
  dossier_private.queue_thumbnail, dossier.complete_thumbnail, dossier_private.awaits_thumbnail, dossier.thumbnail_pending
  from public, anon, authenticated, service_role;
grant execute on function dossier.thumbnail_pending, dossier_private.awaits_thumbnail to authenticated, service_role;
grant execute on function dossier.complete_thumbnail to service_role;
