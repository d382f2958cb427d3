-- At least one row in every table of Dossier, created like users, services and the owner create them. A table that this
-- leaves empty fails the tests: add a row here. Run as the owner of an empty installation.

begin;

create function pg_temp.become(claims json) returns void
language plpgsql as $$
begin
  perform set_config('role', coalesce(claims ->> 'role', 'none'), true);
  perform set_config('request.jwt.claims', coalesce(claims::text, ''), true);
end
$$;
create temporary table made (organization_id uuid, session_id uuid, document_id uuid) on commit drop;
create temporary table claimed on commit drop as select * from dossier.claim_jobs('durability', 1);
grant all on made, claimed to public;

-- The owner: a limit, a type of conversation.
update dossier_private.settings set value = '20971520' where name = 'max_file_bytes';
insert into dossier.conversation_types (slug, label) values ('field_visit', 'Field visit');

-- A user: an organization, contexts in two versions, a document of two chunks.
select pg_temp.become('{"sub": "11111111-1111-4111-8111-111111111111", "role": "authenticated"}');
insert into made (organization_id) select id from dossier.create_organization('Durable Ltd');
insert into dossier.organization_members (organization_id, user_id, role)
select organization_id, '22222222-2222-4222-8222-222222222222', 'viewer' from made;
select from made, dossier.set_context_retention(organization_id, keep_versions => 50);
update made set session_id = (
  select id from dossier.create_session('A visit', 'field_visit', organization_id, '{"text_context": "They measured the greenhouse."}'));
select from made, dossier.set_trash_retention(organization_id, keep_days => 90);
select from made, dossier.create_session('A mistake', 'field_visit', organization_id) as mistake, dossier.delete_sessions(array[mistake.id]);
select from made, dossier.save_context(session_id, 'They measured the greenhouse, twice.', '{"stage": "café"}', 1);
update made set document_id = (select id from dossier.begin_upload(session_id, 'plan ü.pdf', 'application/pdf', metadata => '{"a": [1, null]}'));
create temporary table file (bytes) on commit drop as
  select convert_to('%PDF-1.7 ', 'utf8') || decode(repeat('00ff5c', 100000), 'hex');
select from made, file, dossier.append_upload(document_id, 0, substring(bytes for 262144));
select from made, file, dossier.append_upload(document_id, 1, substring(bytes from 262145));
select from made, file, dossier.finish_upload(document_id, length(bytes), encode(sha256(bytes), 'hex'));

-- An unfinished upload whose size is not known, one that can be resumed, and an unfinished import.
select from made, dossier.begin_upload(session_id, 'arriving.txt') as upload, dossier.append_upload(upload.id, 0, 'a part');
select from made, dossier.begin_resumable_upload(session_id, 'resumable.txt', client_metadata => 'filename cmVzdW1hYmxl') as upload,
  dossier.hold_upload(upload.id, '77777777-7777-4777-8777-777777777777', 0),
  dossier.resume_upload(upload.id, '77777777-7777-4777-8777-777777777777', 0, 'a part');
select from made, dossier.append_import(dossier.begin_import(organization_id), 1, '[{"type": "bundle", "format": "dossier", "version": 1}]');

-- A service: quotas, the text, the thumbnail, a forgotten user.
select pg_temp.become('{"role": "service_role"}');
select from made, dossier.set_quota(organization_id, max_bytes => 1000000, max_documents_a_day => 10);
insert into claimed select * from dossier.claim_jobs('durability', 1);
select from claimed, dossier.complete_job(job_id, attempt,
  '[{"page": 1, "text": "Tomatoes grow in the greenhouse."}, {"page": 2, "text": "Page two", "source": "ocr", "confidence": 0.5}]',
  'application/pdf', '{"language": "eng", "metadata": {"title": "Plan"}}');
truncate claimed;
insert into claimed select * from dossier.claim_jobs('durability', 1);
select from claimed, dossier.complete_thumbnail(job_id, attempt, 'image/webp', 512, 300, '\x00ff00ff');
select from dossier.forget_user('33333333-3333-4333-8333-333333333333');

-- A document that a worker is reading.
select pg_temp.become('{"sub": "11111111-1111-4111-8111-111111111111", "role": "authenticated"}');
create temporary table under_way (id) on commit drop as
  select upload.id from made, dossier.begin_upload(session_id, 'under way.txt', 'text/plain') as upload;
select from under_way, dossier.append_upload(id, 0, 'Onions'), dossier.finish_upload(id, 6, encode(sha256('Onions'), 'hex'));
select pg_temp.become('{"role": "service_role"}');
truncate claimed;
insert into claimed select * from dossier.claim_jobs('durability', lease_seconds => 3600);
select from claimed, dossier.stage_pages(job_id, attempt, '[{"page": 1, "text": "Onions"}]', 'eng');
select pg_temp.become(null);

-- Bytes in an external store that are no longer needed.
insert into dossier.documents (session_id, organization_id, user_id, name, media_type, storage, storage_key)
select session_id, organization_id, 'nobody', 'elsewhere.txt', 'text/plain', 'elsewhere', 'key' from made;
delete from dossier.documents where storage = 'elsewhere';

-- Embeddings, if pgvector is installed.
do $$
begin
  if exists (select from pg_catalog.pg_extension where extname = 'vector') then
    perform dossier.enable_embeddings(3);
    perform pg_temp.become('{"role": "service_role"}');
    perform dossier.save_embeddings(jsonb_build_array(
      jsonb_build_object('document_id', made.document_id, 'page', 1, 'embedding', '[1, 0, 0]'::jsonb),
      jsonb_build_object('document_id', made.document_id, 'page', 2, 'embedding', '[0, 1, 0]'::jsonb)), 'model') from made;
    perform pg_temp.become(null);
  end if;
end
$$;

-- From now on the app's table defines memberships.
create schema app;
create table app.team_members (team_id uuid, user_id uuid, role text, primary key (team_id, user_id));
create index on app.team_members (user_id);
insert into app.team_members select organization_id, user_id::uuid, role from dossier.organization_members;
select from dossier.use_membership('app.team_members', organization_column => 'team_id', role_column => 'role');

commit;
