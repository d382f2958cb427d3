-- Native install only: marks every table as user data, so that pg_dump saves its rows although the tables belong to the
-- extension.

select pg_catalog.pg_extension_config_dump('dossier.organizations', '');
select pg_catalog.pg_extension_config_dump('dossier.organization_members', '');
select pg_catalog.pg_extension_config_dump('dossier.sessions', '');
select pg_catalog.pg_extension_config_dump('dossier.trash_retention', '');
select pg_catalog.pg_extension_config_dump('dossier.session_context', '');
select pg_catalog.pg_extension_config_dump('dossier.session_context_versions', '');
select pg_catalog.pg_extension_config_dump('dossier.context_retention', '');
select pg_catalog.pg_extension_config_dump('dossier.documents', '');
select pg_catalog.pg_extension_config_dump('dossier_private.store_deletions', '');
select pg_catalog.pg_extension_config_dump('dossier_private.store_deletions_id_seq', '');
select pg_catalog.pg_extension_config_dump('dossier.document_pages', '');
select pg_catalog.pg_extension_config_dump('dossier.quotas', '');
select pg_catalog.pg_extension_config_dump('dossier_private.stored_amounts', '');
select pg_catalog.pg_extension_config_dump('dossier_private.stored_amounts_id_seq', '');
select pg_catalog.pg_extension_config_dump('dossier_private.arriving_uploads', '');
select pg_catalog.pg_extension_config_dump('dossier_private.resumable_uploads', '');
select pg_catalog.pg_extension_config_dump('dossier_private.usage_events', '');
select pg_catalog.pg_extension_config_dump('dossier_private.usage_events_id_seq', '');
select pg_catalog.pg_extension_config_dump('dossier_private.search_entries', '');
select pg_catalog.pg_extension_config_dump('dossier_private.search_entries_id_seq', '');
select pg_catalog.pg_extension_config_dump('dossier.document_thumbnails', '');
select pg_catalog.pg_extension_config_dump('dossier_private.document_chunks', '');
select pg_catalog.pg_extension_config_dump('dossier_private.imports', '');
select pg_catalog.pg_extension_config_dump('dossier_private.import_records', '');
select pg_catalog.pg_extension_config_dump('dossier_private.jobs', '');
select pg_catalog.pg_extension_config_dump('dossier_private.jobs_id_seq', '');
select pg_catalog.pg_extension_config_dump('dossier_private.staged_pages', '');
select pg_catalog.pg_extension_config_dump('dossier.audit_log', '');
select pg_catalog.pg_extension_config_dump('dossier_private.erasure_receipts', '');

-- create extension adds rows to these two. Only added and changed rows are saved. When a changed setting is restored, the
-- trigger settings_replace_seeded changes the existing row.
select pg_catalog.pg_extension_config_dump('dossier.conversation_types', 'where not built_in');
select pg_catalog.pg_extension_config_dump('dossier_private.settings', 'where value is distinct from default_value');
-- create extension adds all rows of this one, except those of enable_embeddings(). A dump would contain the schema of
-- another version.
select pg_catalog.pg_extension_config_dump('dossier_private.installed_schema', $$where object = 'dossier.page_embeddings'$$);
