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
  token_count integer not null generated always as (dossier.estimate_tokens(text)) stored,
  constraint document_pages_pkey primary key (organization_id, document_id, page),
  constraint document_pages_document_fkey foreign key (organization_id, document_id)
    references dossier.documents (organization_id, id) on delete cascade,
  constraint document_pages_page_check check (page between 1 and 1000000),
  constraint document_pages_source_check check (source in ('text', 'ocr')),
  constraint document_pages_confidence_check check (confidence between 0 and 1),
  constraint document_pages_quality_check check (quality between 0 and 1),
  constraint document_pages_reason_check check (char_length(reason) <= 500)
);
comment on table dossier.document_pages is 'Extracted text by page. Written only by complete_job() and imports.';
comment on column dossier.document_pages.document_id is 'The document.';
comment on column dossier.document_pages.page is 'Number of the page, from 1.';
comment on column dossier.document_pages.organization_id is 'Organization of the document.';
comment on column dossier.document_pages.text is 'Text of the page.';
comment on column dossier.document_pages.source is 'text: contained in the file; ocr: recognized in an image.';
comment on column dossier.document_pages.engine is 'Engine that extracted the text.';
comment on column dossier.document_pages.confidence is 'Confidence of OCR in its words, from 0 to 1; null if source is text.';
comment on column dossier.document_pages.quality is 'How good the text looks, from 0 to 1; null if the engine does not rate it.';
comment on column dossier.document_pages.reason is 'Why this engine was used, if there was a choice.';
comment on column dossier.document_pages.token_count is 'Estimated tokens of the text: see estimate_tokens().';

-- For reads that do not name the organization, such as those of a service.
create index document_pages_document_id_page_idx on dossier.document_pages (document_id, page);
create statistics dossier.document_pages_document_id_stats (dependencies)
  on document_id, organization_id from dossier.document_pages;
comment on statistics dossier.document_pages_document_id_stats is
  'A document has one organization: see documents_session_id_stats.';

alter table dossier.document_pages enable row level security;

create policy document_pages_select_viewer on dossier.document_pages
  for select to authenticated
  using (
    organization_id = any (array(select dossier_private.my_organizations()))
    and exists (select from dossier.documents as document where document.id = document_id)
  );

revoke all on dossier.document_pages from public, anon, authenticated, service_role;
grant select on dossier.document_pages to authenticated, service_role;
