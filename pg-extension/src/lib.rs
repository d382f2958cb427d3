//! The Postgres extension: installs `sql/` and binds the extract client as SQL functions.
//!
//! Read this file as a table of contents: first the schema, file by file, then the native functions.
//!
//! Invariant: nothing in `sql/` calls a native function; hosted Supabase installs it without this library.
//! Invariant: no byte of a user's file is parsed in a backend; see [`extraction`].

mod errors;
mod extraction;
mod functions;
mod settings;
mod slots;
mod stored;

use pgrx::prelude::*;

::pgrx::pg_module_magic!(name, version);

// What every install has, in load order.
extension_sql_file!("../../sql/00_schemas.sql", name = "schemas", bootstrap);
extension_sql_file!("../../sql/05_version.sql", name = "version", requires = ["schemas"]);
extension_sql_file!("../../sql/10_settings.sql", name = "settings", requires = ["version"]);
extension_sql_file!("../../sql/20_identity.sql", name = "identity", requires = ["settings"]);
extension_sql_file!("../../sql/25_tokens.sql", name = "tokens", requires = ["identity"]);
extension_sql_file!("../../sql/30_organizations.sql", name = "organizations", requires = ["tokens"]);
extension_sql_file!("../../sql/40_sessions.sql", name = "sessions", requires = ["organizations"]);
extension_sql_file!("../../sql/41_trash.sql", name = "trash", requires = ["sessions"]);
extension_sql_file!("../../sql/45_membership.sql", name = "membership", requires = ["trash"]);
extension_sql_file!("../../sql/46_use_membership.sql", name = "use_membership", requires = ["membership"]);
extension_sql_file!("../../sql/50_context.sql", name = "context", requires = ["use_membership"]);
extension_sql_file!("../../sql/51_context_versions.sql", name = "context_versions", requires = ["context"]);
extension_sql_file!("../../sql/52_diff_context.sql", name = "diff_context", requires = ["context_versions"]);
extension_sql_file!("../../sql/53_save_contexts.sql", name = "save_contexts", requires = ["diff_context"]);
extension_sql_file!("../../sql/60_documents.sql", name = "documents", requires = ["save_contexts"]);
extension_sql_file!("../../sql/62_lists.sql", name = "lists", requires = ["documents"]);
extension_sql_file!("../../sql/64_store_deletions.sql", name = "store_deletions", requires = ["lists"]);
extension_sql_file!("../../sql/65_quotas.sql", name = "quotas", requires = ["store_deletions"]);
extension_sql_file!("../../sql/68_media_types.sql", name = "media_types", requires = ["quotas"]);
extension_sql_file!("../../sql/70_uploads.sql", name = "uploads", requires = ["media_types"]);
extension_sql_file!("../../sql/75_explain_upload.sql", name = "explain_upload", requires = ["uploads"]);
extension_sql_file!("../../sql/80_pages.sql", name = "pages", requires = ["explain_upload"]);
extension_sql_file!("../../sql/83_search_words.sql", name = "search_words", requires = ["pages"]);
extension_sql_file!("../../sql/84_search_entries.sql", name = "search_entries", requires = ["search_words"]);
extension_sql_file!("../../sql/85_search.sql", name = "search", requires = ["search_entries"]);
extension_sql_file!("../../sql/86_embeddings.sql", name = "embeddings", requires = ["search"]);
extension_sql_file!("../../sql/87_match_pages.sql", name = "match_pages", requires = ["embeddings"]);
extension_sql_file!("../../sql/88_pack_context.sql", name = "pack_context", requires = ["match_pages"]);
extension_sql_file!("../../sql/89_export.sql", name = "export", requires = ["pack_context"]);
extension_sql_file!("../../sql/89_import.sql", name = "import", requires = ["export"]);
extension_sql_file!("../../sql/89_import_parts.sql", name = "import_parts", requires = ["import"]);
extension_sql_file!("../../sql/89_staged_import.sql", name = "staged_import", requires = ["import_parts"]);
extension_sql_file!("../../sql/89_staged_write.sql", name = "staged_write", requires = ["staged_import"]);
extension_sql_file!("../../sql/90_jobs.sql", name = "jobs", requires = ["staged_write"]);
extension_sql_file!("../../sql/92_results.sql", name = "results", requires = ["jobs"]);
extension_sql_file!("../../sql/94_realtime.sql", name = "realtime", requires = ["results"]);
extension_sql_file!("../../sql/95_thumbnails.sql", name = "thumbnails", requires = ["realtime"]);
extension_sql_file!("../../sql/96_audit.sql", name = "audit", requires = ["thumbnails"]);
extension_sql_file!("../../sql/97_erasure.sql", name = "erasure", requires = ["audit"]);
extension_sql_file!("../../sql/98_lint.sql", name = "lint", requires = ["erasure"]);
extension_sql_file!("../../sql/98_catalogue.sql", name = "catalogue", requires = ["lint"]);
extension_sql_file!("../../sql/98_schema.sql", name = "schema", requires = ["catalogue"]);
extension_sql_file!("../../sql/99_doctor.sql", name = "doctor", requires = ["schema"]);
extension_sql_file!("../../sql/99_record.sql", name = "record", requires = ["doctor"]);

// What only this library brings.
extension_sql_file!("../sql/config_dump.sql", name = "config_dump", requires = ["record"]);
extension_sql_file!("../sql/guard_drop.sql", name = "guard_drop", requires = ["config_dump"]);
extension_sql_file!(
    "../sql/run_job.sql",
    name = "run_job",
    requires = [
        "erasure",
        functions::extract_text,
        functions::extract_pages,
        functions::detect_media_type,
        stored::extract_stored,
        stored::draw_stored
    ]
);

#[pg_guard]
extern "C-unwind" fn _PG_init() {
    settings::define();
}
