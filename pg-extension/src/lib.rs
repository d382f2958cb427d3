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
extension_sql_file!("../../sql/core/schemas.sql", name = "schemas", bootstrap);
extension_sql_file!("../../sql/core/version.sql", name = "version", requires = ["schemas"]);
extension_sql_file!("../../sql/core/settings.sql", name = "settings", requires = ["version"]);
extension_sql_file!("../../sql/core/identity.sql", name = "identity", requires = ["settings"]);
extension_sql_file!("../../sql/core/rows.sql", name = "rows", requires = ["identity"]);
extension_sql_file!("../../sql/core/json.sql", name = "json", requires = ["rows"]);
extension_sql_file!("../../sql/core/checks.sql", name = "checks", requires = ["json"]);
extension_sql_file!("../../sql/core/tokens.sql", name = "tokens", requires = ["checks"]);
extension_sql_file!("../../sql/tenancy/organizations.sql", name = "organizations", requires = ["tokens"]);
extension_sql_file!("../../sql/sessions/sessions.sql", name = "sessions", requires = ["organizations"]);
extension_sql_file!("../../sql/sessions/trash.sql", name = "trash", requires = ["sessions"]);
extension_sql_file!("../../sql/tenancy/membership.sql", name = "membership", requires = ["trash"]);
extension_sql_file!(
    "../../sql/tenancy/use_membership.sql",
    name = "use_membership",
    requires = ["membership"]
);
extension_sql_file!("../../sql/context/context.sql", name = "context", requires = ["use_membership"]);
extension_sql_file!("../../sql/context/versions.sql", name = "versions", requires = ["context"]);
extension_sql_file!("../../sql/context/diff_context.sql", name = "diff_context", requires = ["versions"]);
extension_sql_file!(
    "../../sql/context/save_contexts.sql",
    name = "save_contexts",
    requires = ["diff_context"]
);
extension_sql_file!("../../sql/documents/documents.sql", name = "documents", requires = ["save_contexts"]);
extension_sql_file!("../../sql/sessions/list_sessions.sql", name = "list_sessions", requires = ["documents"]);
extension_sql_file!(
    "../../sql/documents/list_documents.sql",
    name = "list_documents",
    requires = ["list_sessions"]
);
extension_sql_file!(
    "../../sql/documents/store_deletions.sql",
    name = "store_deletions",
    requires = ["list_documents"]
);
extension_sql_file!("../../sql/governance/quotas.sql", name = "quotas", requires = ["store_deletions"]);
extension_sql_file!("../../sql/documents/media_types.sql", name = "media_types", requires = ["quotas"]);
extension_sql_file!("../../sql/documents/uploads.sql", name = "uploads", requires = ["media_types"]);
extension_sql_file!(
    "../../sql/documents/explain_upload.sql",
    name = "explain_upload",
    requires = ["uploads"]
);
extension_sql_file!("../../sql/documents/pages.sql", name = "pages", requires = ["explain_upload"]);
extension_sql_file!("../../sql/documents/facts.sql", name = "facts", requires = ["pages"]);
extension_sql_file!("../../sql/search/words.sql", name = "words", requires = ["facts"]);
extension_sql_file!("../../sql/search/entries.sql", name = "entries", requires = ["words"]);
extension_sql_file!("../../sql/search/search.sql", name = "search", requires = ["entries"]);
extension_sql_file!("../../sql/search/embeddings.sql", name = "embeddings", requires = ["search"]);
extension_sql_file!("../../sql/search/match_pages.sql", name = "match_pages", requires = ["embeddings"]);
extension_sql_file!("../../sql/context/pack_context.sql", name = "pack_context", requires = ["match_pages"]);
extension_sql_file!("../../sql/transfer/export.sql", name = "export", requires = ["pack_context"]);
extension_sql_file!("../../sql/transfer/import.sql", name = "import", requires = ["export"]);
extension_sql_file!("../../sql/transfer/import_parts.sql", name = "import_parts", requires = ["import"]);
extension_sql_file!(
    "../../sql/transfer/staged_import.sql",
    name = "staged_import",
    requires = ["import_parts"]
);
extension_sql_file!(
    "../../sql/transfer/staged_write.sql",
    name = "staged_write",
    requires = ["staged_import"]
);
extension_sql_file!("../../sql/jobs/jobs.sql", name = "jobs", requires = ["staged_write"]);
extension_sql_file!("../../sql/jobs/results.sql", name = "results", requires = ["jobs"]);
extension_sql_file!("../../sql/documents/realtime.sql", name = "realtime", requires = ["results"]);
extension_sql_file!("../../sql/documents/thumbnails.sql", name = "thumbnails", requires = ["realtime"]);
extension_sql_file!("../../sql/governance/audit.sql", name = "audit", requires = ["thumbnails"]);
extension_sql_file!("../../sql/governance/erasure.sql", name = "erasure", requires = ["audit"]);
extension_sql_file!("../../sql/doctor/catalogue.sql", name = "catalogue", requires = ["erasure"]);
extension_sql_file!("../../sql/doctor/lint.sql", name = "lint", requires = ["catalogue"]);
extension_sql_file!("../../sql/doctor/schema.sql", name = "schema", requires = ["lint"]);
extension_sql_file!("../../sql/doctor/doctor.sql", name = "doctor", requires = ["schema"]);
extension_sql_file!("../../sql/doctor/record.sql", name = "record", requires = ["doctor"]);

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
