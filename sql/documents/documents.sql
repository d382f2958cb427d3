-- Documents: the rows, their bytes in chunks, reading and deleting.

create table dossier.documents (
  id uuid not null default dossier_private.uuid_v7(),
  session_id uuid not null,
  organization_id uuid not null,
  user_id text not null,
  name text not null,
  media_type text not null,
  charset text,
  size_bytes bigint,
  sha256 text,
  status text not null default 'uploading',
  error_code text,
  error_message text,
  page_count integer,
  token_count bigint,
  ocr_status text not null default 'none',
  ocr_page integer,
  ocr_pages integer,
  storage text not null default 'postgres',
  storage_key text,
  metadata jsonb not null default '{}',
  language text,
  file_metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint documents_pkey primary key (id),
  constraint documents_organization_id_id_key unique (organization_id, id),
  constraint documents_session_fkey foreign key (organization_id, session_id)
    references dossier.sessions (organization_id, id) on delete cascade,
  constraint documents_user_id_check check (char_length(user_id) between 1 and 255),
  constraint documents_name_check check (dossier_private.is_safe_name(name)),
  constraint documents_media_type_check check (media_type ~ '^[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+$' and char_length(media_type) <= 127),
  constraint documents_charset_check check (char_length(charset) between 1 and 40),
  constraint documents_size_bytes_check check (size_bytes >= 0),
  constraint documents_sha256_check check (sha256 ~ '^[0-9a-f]{64}$'),
  constraint documents_status_check check (status in ('uploading', 'stored', 'extracting', 'ready', 'failed', 'unsupported')),
  constraint documents_facts_check check (status = 'uploading' or (size_bytes is not null and sha256 is not null)),
  constraint documents_error_check check (
    status not in ('failed', 'unsupported') or (error_code is not null and error_message is not null)
  ),
  constraint documents_page_count_check check (page_count >= 0),
  constraint documents_token_count_check check (token_count >= 0),
  constraint documents_ocr_status_check check (ocr_status in ('none', 'pending', 'running', 'done', 'incomplete', 'unavailable')),
  constraint documents_ocr_page_check check (ocr_page between 0 and ocr_pages and (ocr_page is null) = (ocr_pages is null)),
  constraint documents_metadata_check check (jsonb_typeof(metadata) = 'object' and dossier_private.json_bytes(metadata) <= 65536),
  constraint documents_language_check check (language ~ '^[a-z]{2,3}$'),
  constraint documents_file_metadata_check check (
    jsonb_typeof(file_metadata) = 'object' and dossier_private.json_bytes(file_metadata) <= 65536
  )
);
comment on table dossier.documents is
  'Uploaded files. Created only by begin_upload() and imports, so that every row passes their checks. Name and metadata may be '
  'changed later.';
comment on column dossier.documents.id is 'Key (uuid v7).';
comment on column dossier.documents.session_id is 'The session. Never changes.';
comment on column dossier.documents.organization_id is 'Organization of the session.';
comment on column dossier.documents.user_id is 'Uploader: subject of that user''s token.';
comment on column dossier.documents.name is 'File name, without a path or control characters.';
comment on column dossier.documents.media_type is 'Media type, detected from the bytes if possible, otherwise as declared.';
comment on column dossier.documents.charset is
  'The charset that was declared with the media type, or null. Extraction trusts it unless the bytes contradict it.';
comment on column dossier.documents.size_bytes is 'Size. While uploading: the declared size, or null.';
comment on column dossier.documents.sha256 is 'Hexadecimal digest of the bytes, computed by the uploader.';
comment on column dossier.documents.status is 'uploading, stored, extracting, ready, failed or unsupported.';
comment on column dossier.documents.error_code is
  'Why it failed or is unsupported, for programs. With status ready it is a notice: needs_ocr and ocr_incomplete mean that '
  'words in images were not extracted.';
comment on column dossier.documents.error_message is 'The same for people. Never null if it failed or is unsupported.';
comment on column dossier.documents.page_count is 'Number of pages of extracted text.';
comment on column dossier.documents.token_count is 'Estimated tokens of the text for a language model: the sum over its pages.';
comment on column dossier.documents.ocr_status is
  'OCR of pages whose text is in images, which follows the extraction: none (nothing to do), pending, running, done, incomplete '
  '(some pages could not be read) or unavailable (not installed).';
comment on column dossier.documents.ocr_page is 'How many pages OCR has finished, of ocr_pages. Null without OCR.';
comment on column dossier.documents.ocr_pages is 'How many pages OCR reads. Null without OCR.';
comment on column dossier.documents.storage is
  'Where the bytes are. postgres: in dossier_private.document_chunks. none: imported without bytes. Any other value names an '
  'external store; none exists yet.';
comment on column dossier.documents.storage_key is 'Key of the bytes in an external store. Never reused.';
comment on column dossier.documents.metadata is 'JSON object defined by the app, at most 64 KiB.';
comment on column dossier.documents.language is 'Detected language of most of the text: an ISO 639-3 code, or null.';
comment on column dossier.documents.file_metadata is
  'Metadata in the file: title, author, subject, keywords, producer, created, modified, page_labels, outline and attachments, '
  'if present. At most 64 KiB.';
comment on column dossier.documents.created_at is 'When the upload began.';
comment on column dossier.documents.updated_at is 'When the row last changed.';

create index documents_organization_id_session_id_idx on dossier.documents (organization_id, session_id);
create index documents_organization_id_created_at_idx on dossier.documents (organization_id, created_at desc, id desc);
create index documents_session_id_created_at_idx on dossier.documents (session_id, created_at desc, id desc);
-- For the sweeper.
create index documents_uploading_idx on dossier.documents (created_at) where status = 'uploading';
create statistics dossier.documents_session_id_stats (dependencies)
  on session_id, organization_id from dossier.documents;
comment on statistics dossier.documents_session_id_stats is
  'A session has one organization. Without this fact the planner overestimates how much the policy filters, reads all documents '
  'of a session and sorts them, instead of reading them in the order of the index.';

create table dossier_private.document_chunks (
  document_id uuid not null,
  organization_id uuid not null,
  seq integer not null,
  bytes bytea not null,
  constraint document_chunks_pkey primary key (organization_id, document_id, seq),
  constraint document_chunks_document_fkey foreign key (organization_id, document_id)
    references dossier.documents (organization_id, id) on delete cascade,
  constraint document_chunks_seq_check check (seq >= 0),
  constraint document_chunks_bytes_check check (octet_length(bytes) between 1 and 262144)
);
comment on table dossier_private.document_chunks is
  'Bytes of documents, in rows of chunk_bytes() each except the last. API roles read them only through read_content().';
comment on column dossier_private.document_chunks.document_id is 'The document.';
comment on column dossier_private.document_chunks.organization_id is 'Organization of the document.';
comment on column dossier_private.document_chunks.seq is 'Position, from 0.';
comment on column dossier_private.document_chunks.bytes is
  'The bytes. Stored external: most files are compressed already, and compressing them again costs more than writing them.';
alter table dossier_private.document_chunks alter column bytes set storage external;

create trigger documents_touch
  before update on dossier.documents
  for each row execute function dossier_private.touch();

create function dossier_private.announce_documents(organization_id uuid, session_id uuid, status text, document_ids uuid[])
returns void
language plpgsql security invoker set search_path = ''
as $$
begin
  perform pg_notify('dossier_documents', json_build_object(
    'document_ids', document_ids[first:first + 99], 'session_id', session_id, 'organization_id', organization_id,
    'status', status)::text)
  from generate_series(1, cardinality(document_ids), 100) as first;
end
$$;
comment on function dossier_private.announce_documents(uuid, uuid, text, uuid[]) is
  'Notifies dossier_documents of documents of one session with a new status, or with the status deleted: {document_ids, '
  'session_id, organization_id, status}.';

-- A commit that notifies waits for every other one that does, and a list of listeners has a limited length. So a statement
-- announces all of its documents together, a hundred to a notification: their ids must fit into 8000 bytes.

create function dossier_private.announce_status() returns trigger
language plpgsql security definer set search_path = ''
as $$
-- Definer: users who change documents may not call announce_documents().
begin
  perform dossier_private.announce_documents(changed.organization_id, changed.session_id, changed.status, changed.ids)
  from (
    select new_row.organization_id, new_row.session_id, new_row.status, array_agg(new_row.id order by new_row.id) as ids
    from new_rows as new_row
    join old_rows as old_row on old_row.id = new_row.id
    where old_row.status is distinct from new_row.status
    group by new_row.organization_id, new_row.session_id, new_row.status
  ) as changed;
  -- Other changes that a list shows, such as the progress of OCR. Listeners of dossier_documents need not hear of them.
  perform dossier_private.announce_sessions(array(
    select distinct new_row.session_id
    from new_rows as new_row
    join old_rows as old_row on old_row.id = new_row.id
    where old_row.status = new_row.status
      and (old_row.name, old_row.page_count, old_row.ocr_status, old_row.ocr_page, old_row.ocr_pages, old_row.error_code, old_row.error_message)
        is distinct from (new_row.name, new_row.page_count, new_row.ocr_status, new_row.ocr_page, new_row.ocr_pages, new_row.error_code, new_row.error_message)
    order by new_row.session_id));
  return null;
end
$$;
comment on function dossier_private.announce_status() is
  'Trigger: announces the documents whose status a statement has changed, and the sessions of documents that it has changed otherwise.';

create function dossier_private.announce_deleted() returns trigger
language plpgsql security definer set search_path = ''
as $$
-- Definer: see announce_status.
begin
  perform dossier_private.announce_documents(deleted.organization_id, deleted.session_id, 'deleted', deleted.ids)
  from (
    select old_row.organization_id, old_row.session_id, array_agg(old_row.id order by old_row.id) as ids
    from old_rows as old_row
    group by old_row.organization_id, old_row.session_id
  ) as deleted;
  return null;
end
$$;
comment on function dossier_private.announce_deleted() is
  'Trigger: announces deleted documents, so that workers stop reading them.';

create trigger documents_announce
  after update on dossier.documents
  referencing old table as old_rows new table as new_rows
  for each statement execute function dossier_private.announce_status();

create trigger documents_announce_deleted
  after delete on dossier.documents
  referencing old table as old_rows
  for each statement execute function dossier_private.announce_deleted();

create function dossier_private.document_organization(document_id uuid) returns uuid
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: called by definer functions, which row level security does not bind.
begin
  return (
    select session.organization_id
    from dossier.documents as document
    join dossier.sessions as session on session.id = document.session_id
    where document.id = document_organization.document_id and session.deleted_at is null
  );
end
$$;
comment on function dossier_private.document_organization(uuid) is
  'Returns the organization of a document; null if the document does not exist or its session is in the trash. See '
  'session_organization().';

create function dossier_private.require_document(document_id uuid) returns dossier.documents
language plpgsql volatile security definer set search_path = ''
as $$
-- Definer: called by definer functions, which row level security does not bind.
declare
  document dossier.documents;
begin
  -- Check rights first: a caller that may not write the document may not lock it either. Its organization never changes.
  perform dossier_private.require_writer(dossier_private.document_organization(document_id), 'document', document_id);

  select d.* into document from dossier.documents as d where d.id = require_document.document_id for no key update;
  if not found then -- deleted while this call waited
    perform dossier_private.require_writer(null, 'document', document_id);
  end if;
  return document;
end
$$;
comment on function dossier_private.require_document(uuid) is
  'Returns a document that the caller may write, and locks it. PT404 if it is invisible, 42501 if it is read-only.';

create function dossier_private.delete_document(document_id uuid) returns boolean
language plpgsql volatile security definer set search_path = ''
as $$
-- Definer: a viewer gets an error (42501). Under row level security, the deletion would silently find no row.
declare
  document dossier.documents;
begin
  document := dossier_private.require_document(document_id);
  delete from dossier.documents as d where d.id = document.id;
  return found;
exception when sqlstate 'PT404' then
  return false;
end
$$;
comment on function dossier_private.delete_document(uuid) is 'Runs dossier.delete_document() with its owner''s rights.';

create function dossier.delete_document(document_id uuid) returns boolean
language sql volatile security invoker set search_path = ''
begin atomic
  select dossier_private.delete_document(document_id);
end;
comment on function dossier.delete_document(uuid) is
  'Deletes a document with its bytes, pages and jobs. Returns false if the caller cannot see such a document.';

create function dossier_private.require_bytes(document_id uuid, storage text) returns void
language plpgsql immutable security invoker set search_path = ''
as $$
begin
  if storage = 'none' then
    raise exception using
      errcode = 'PT410',
      message = 'The bytes of this document are not stored',
      detail = format('Document %s was imported without its bytes.', document_id),
      hint = 'Read its pages. To store the bytes, upload the file or export its session again with include_bytes.';
  elsif storage <> 'postgres' then
    raise exception using
      errcode = 'PT410',
      message = 'The bytes of this document are not in the database',
      detail = format('The bytes of document %s are in the store %s.', document_id, storage),
      hint = 'Read them there with the storage_key of the document.';
  end if;
end
$$;
comment on function dossier_private.require_bytes(uuid, text) is
  'Refuses (PT410) a document whose bytes are not in this database.';

create function dossier_private.read_content(document_id uuid, offset_bytes bigint, length_bytes integer) returns bytea
language plpgsql stable security definer set search_path = ''
as $$
-- Definer: API roles cannot read the chunks. Repeats the condition of documents_select_viewer.
declare
  chunk_bytes constant bigint := dossier_private.chunk_bytes();
  document record;
  first_byte bigint;
  past_byte bigint;
begin
  select d.id, d.organization_id, d.status, d.size_bytes, d.storage, session.deleted_at into document
  from dossier.documents as d
  join dossier.sessions as session on session.id = d.session_id
  where d.id = read_content.document_id;

  if not found or document.status = 'uploading' or dossier_private.my_role(document.organization_id) is null
    -- A service may continue: a worker may have begun to read before the session was moved to the trash.
    or (document.deleted_at is not null and not dossier_private.is_service())
  then
    return null;
  end if;
  perform dossier_private.require_bytes(document.id, document.storage);
  if coalesce(offset_bytes < 0 or length_bytes < 0, true) then
    raise exception using
      errcode = 'PT400',
      message = 'offset_bytes and length_bytes must not be negative',
      detail = format('They are %s and %s.', coalesce(offset_bytes::text, 'null'), coalesce(length_bytes::text, 'null')),
      hint = 'Count bytes from 0. One call returns at most 1048576 bytes.';
  end if;

  first_byte := least(offset_bytes, document.size_bytes);
  past_byte := least(first_byte + least(length_bytes, 1048576), document.size_bytes);

  return (
    select coalesce(string_agg(
      substring(chunk.bytes
        from greatest(first_byte - chunk.seq * chunk_bytes, 0)::integer + 1
        for (least(past_byte - chunk.seq * chunk_bytes, chunk_bytes)
          - greatest(first_byte - chunk.seq * chunk_bytes, 0))::integer),
      ''::bytea order by chunk.seq), ''::bytea)
    from dossier_private.document_chunks as chunk
    where chunk.document_id = document.id and chunk.organization_id = document.organization_id
      and past_byte > first_byte
      and chunk.seq between (first_byte / chunk_bytes)::integer and ((past_byte - 1) / chunk_bytes)::integer
  );
end
$$;
comment on function dossier_private.read_content(uuid, bigint, integer) is
  'Runs dossier.read_content() with its owner''s rights.';

create function dossier.read_content(document_id uuid, offset_bytes bigint default 0, length_bytes integer default 262144)
returns bytea
language sql stable security invoker set search_path = ''
begin atomic
  select dossier_private.read_content(document_id, offset_bytes, length_bytes);
end;
comment on function dossier.read_content(uuid, bigint, integer) is
  'Returns bytes of a document, at most 1 MiB at once, and fewer at its end. Null if the caller cannot see it or it is still '
  'uploading.';

alter table dossier.documents enable row level security;
alter table dossier_private.document_chunks enable row level security;

create policy documents_select_viewer on dossier.documents
  for select to authenticated
  using (
    organization_id = any (array(select dossier_private.my_organizations()))
    and session_id not in (select dossier_private.trashed_sessions())
  );
create policy documents_update_member on dossier.documents
  for update to authenticated
  using (
    organization_id = any (array(select dossier_private.my_organizations('member')))
    and session_id not in (select dossier_private.trashed_sessions())
  )
  with check (organization_id = any (array(select dossier_private.my_organizations('member'))));
create policy documents_delete_member on dossier.documents
  for delete to authenticated
  using (
    organization_id = any (array(select dossier_private.my_organizations('member')))
    and session_id not in (select dossier_private.trashed_sessions())
  );
create policy document_chunks_all_nobody on dossier_private.document_chunks
  for all to authenticated using (false);

revoke all on dossier.documents, dossier_private.document_chunks from public, anon, authenticated, service_role;
grant select, update (name, metadata), delete on dossier.documents to authenticated, service_role;

revoke all on function
  dossier_private.announce_documents, dossier_private.announce_status,
  dossier_private.announce_deleted, dossier_private.document_organization,
  dossier_private.require_document,
  dossier_private.require_bytes, dossier_private.delete_document, dossier.delete_document, dossier_private.read_content, dossier.read_content
  from public, anon, authenticated, service_role;
-- The check on a name runs as the user who changes it.
grant execute on function
  dossier.delete_document, dossier_private.delete_document, dossier.read_content, dossier_private.read_content
  to authenticated, service_role;
