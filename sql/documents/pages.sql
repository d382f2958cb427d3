-- Pages: the extracted text of documents.

create table dossier.document_pages (
  document_id uuid not null,
  page integer not null,
  organization_id uuid not null,
  text text not null,
  source text not null default 'text',
  engine text,
  confidence real,
  quality real,
  reason text,
  structure jsonb,
  token_count integer not null generated always as (dossier.estimate_tokens(text)) stored,
  constraint document_pages_pkey primary key (organization_id, document_id, page),
  constraint document_pages_document_fkey foreign key (organization_id, document_id)
    references dossier.documents (organization_id, id) on delete cascade,
  constraint document_pages_page_check check (page between 1 and 1000000),
  constraint document_pages_source_check check (source in ('text', 'ocr')),
  constraint document_pages_confidence_check check (confidence between 0 and 1),
  constraint document_pages_quality_check check (quality between 0 and 1),
  constraint document_pages_reason_check check (char_length(reason) <= 500),
  constraint document_pages_structure_check check (jsonb_typeof(structure) = 'object')
);
comment on table dossier.document_pages is 'Extracted text by page. Written only by complete_job(), store_ocr_page() and imports.';
comment on column dossier.document_pages.document_id is 'The document.';
comment on column dossier.document_pages.page is 'Number of the page, from 1.';
comment on column dossier.document_pages.organization_id is 'Organization of the document.';
comment on column dossier.document_pages.text is 'Text of the page.';
comment on column dossier.document_pages.source is 'text: contained in the file; ocr: recognized in an image.';
comment on column dossier.document_pages.engine is 'Engine that extracted the text.';
comment on column dossier.document_pages.confidence is 'Confidence of OCR in its words, from 0 to 1; null if source is text.';
comment on column dossier.document_pages.quality is 'How good the text looks, from 0 to 1; null if the engine does not rate it.';
comment on column dossier.document_pages.reason is 'Why this engine was used, if there was a choice.';
comment on column dossier.document_pages.structure is
  'What was detected on a page of a PDF: {headings: [{level, text}], running_heads: [text], tables, markdown}. For tables see '
  'list_tables(), for markdown page_markdown(). Null if nothing was detected, and for text from OCR.';
comment on column dossier.document_pages.token_count is 'Estimated tokens of the text: see estimate_tokens().';

-- For reads that do not name the organization, such as those of a service.
create index document_pages_document_id_page_idx on dossier.document_pages (document_id, page);
create statistics dossier.document_pages_document_id_stats (dependencies)
  on document_id, organization_id from dossier.document_pages;
comment on statistics dossier.document_pages_document_id_stats is
  'A document has one organization: see documents_session_id_stats.';

-- Shapes: how documents and their pages appear in responses and bundles.

create function dossier.document_record(document dossier.documents) returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return jsonb_build_object(
    'id', document.id, 'session_id', document.session_id, 'organization_id', document.organization_id,
    'name', document.name, 'media_type', document.media_type, 'size_bytes', document.size_bytes, 'sha256', document.sha256,
    'status', document.status, 'error_code', document.error_code, 'error_message', document.error_message,
    'page_count', document.page_count, 'token_count', document.token_count, 'language', document.language,
    'ocr_status', document.ocr_status, 'ocr_page', document.ocr_page, 'ocr_pages', document.ocr_pages,
    'metadata', document.metadata, 'file_metadata', document.file_metadata,
    'created_at', document.created_at, 'updated_at', document.updated_at);
end
$$;
comment on function dossier.document_record(dossier.documents) is
  'A document as JSON: {id, session_id, organization_id, name, media_type, size_bytes, sha256, status, error_code, error_message, '
  'page_count, token_count, language, ocr_status, ocr_page, ocr_pages, metadata, file_metadata, created_at, updated_at}.';

create function dossier.page_record(page dossier.document_pages) returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return jsonb_build_object(
    'page', page.page, 'text', page.text, 'source', page.source, 'confidence', page.confidence, 'engine', page.engine,
    'quality', page.quality, 'reason', page.reason, 'token_count', page.token_count,
    'structure', case when page.structure is not null then jsonb_build_object(
      'headings', coalesce(page.structure -> 'headings', '[]'),
      'running_heads', coalesce(page.structure -> 'running_heads', '[]'),
      'tables', coalesce((
        select jsonb_agg(found.value - 'cells' order by found.place)
        from jsonb_array_elements(page.structure -> 'tables') with ordinality as found (value, place)), '[]')) end);
end
$$;
comment on function dossier.page_record(dossier.document_pages) is
  'A page as JSON: {page, text, source, confidence, engine, quality, reason, token_count, structure}. structure is null, or '
  '{headings, running_heads, tables}; list_tables() returns the cells of the tables.';

revoke all on function dossier.document_record, dossier.page_record from public, anon, authenticated, service_role;
grant execute on function dossier.document_record, dossier.page_record to authenticated, service_role;

alter table dossier.document_pages enable row level security;

create policy document_pages_select_viewer on dossier.document_pages
  for select to authenticated
  using (
    organization_id = any (array(select dossier_private.my_organizations()))
    and exists (select from dossier.documents as document where document.id = document_id)
  );

revoke all on dossier.document_pages from public, anon, authenticated, service_role;
grant select on dossier.document_pages to authenticated, service_role;
