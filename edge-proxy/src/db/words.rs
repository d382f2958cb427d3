//! Refusals of SQL in the words of HTTP.
//!
//! Every rule and its sentence are in SQL, which names functions and arguments as clients of `PostgREST` call them. A client of
//! the edge knows routes and parameters instead. Invariant: a refusal names nothing that its reader cannot send. Functions that
//! only operators call stay as they are, and a test reads `sql/` for others.

use std::borrow::Cow;

/// What SQL says, and what HTTP says instead.
const WORDS: [(&str, &str); 18] = [
    ("limit_count", "limit"),
    ("with the key of the last row", "with the value of next"),
    ("changes must be an object", "The body must be an object"),
    ("keep_ids => false", "keep_ids=false"),
    ("This function requires", "This request requires"),
    ("The function requires", "The request requires"),
    ("as export_sessions() returns it", "as GET /api/export returns it"),
    ("Call context_history() for", "Request GET /api/sessions/{id}/context/versions for"),
    ("Call deleted_sessions() for", "Request GET /api/sessions?deleted=true for"),
    ("Call my_invitations() for", "Request GET /api/invitations for"),
    ("with set_member_role()", "with PATCH /api/organizations/{id}/members/{user_id}"),
    ("with add_member()", "with POST /api/organizations/{id}/members"),
    ("Call create_organization()", "Send POST /api/organizations"),
    ("with begin_resumable_upload()", "with POST /api/uploads"),
    ("with upload_state(), hold the upload again,", "with HEAD /api/uploads/{id},"),
    ("upload_state() returns", "HEAD /api/uploads/{id} returns"),
    (
        "Call hold_upload() and resume_upload(), or send PATCH /api/uploads/{id} to the edge",
        "Send PATCH /api/uploads/{id}",
    ),
    ("limits().chunk_bytes", "chunk_bytes (see GET /api/limits)"),
];

/// `text` for a client of HTTP.
pub(super) fn of_http(text: Cow<'static, str>) -> Cow<'static, str> {
    WORDS.iter().fold(
        text,
        |text, (sql, http)| {
            if text.contains(sql) { text.replace(sql, http).into() } else { text }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    /// Functions that refusals may name: those of operators, and those whose callers speak SQL, as workers do.
    const SPOKEN: [&str; 17] = [
        "set_quota",
        "enable_embeddings",
        "disable_embeddings",
        "use_membership",
        "use_own_membership",
        "read_content",
        "pages_without_embedding",
        "complete_job",
        "fail_job",
        "complete_thumbnail",
        "finish_ocr",
        "claim_jobs",
        "ocr_pages",
        "store_ocr_page",
        "release_job",
        "topic", // realtime.topic and realtime.send
        "send",
    ];

    /// The literals of a statement that raises an error.
    fn literals(statement: &str) -> impl Iterator<Item = &str> {
        statement.split('\'').skip(1).step_by(2)
    }

    /// The functions that `text` names: identifiers before `(`.
    fn functions(text: &str) -> impl Iterator<Item = &str> {
        text.match_indices('(').filter_map(|(at, _)| {
            let name = text[..at].rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()?;
            (!name.is_empty()).then_some(name)
        })
    }

    fn files(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "sql") {
                found.push(fs::read_to_string(path).unwrap());
            }
        }
    }

    #[test]
    fn no_refusal_names_a_function_or_argument_of_sql() {
        let mut sql = Vec::new();
        files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../sql"), &mut sql);
        let statements: Vec<_> = sql
            .iter()
            .flat_map(|text| text.split("raise exception using").skip(1))
            .filter_map(|rest| rest.split(";\n").next())
            .collect();
        assert!(statements.len() > 100, "found {} refusals", statements.len());
        for text in statements.iter().flat_map(|statement| literals(statement)) {
            let said = of_http(text.to_owned().into());
            for name in functions(&said) {
                assert!(SPOKEN.contains(&name), "{said:?} names the function {name}");
            }
            assert!(!said.contains("limit_count") && !said.contains("keep_ids =>"), "{said:?}");
        }
        for (word, _) in WORDS {
            let used = statements.iter().any(|statement| statement.contains(word));
            assert!(used, "no refusal says {word:?} any more");
        }
    }
}
