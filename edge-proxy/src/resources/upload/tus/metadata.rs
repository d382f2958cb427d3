//! `Upload-Metadata`: what a client declares about a file, in Base64.

use super::super::refusal::invalid_session_id;
use super::protocol::UPLOAD_METADATA;
use crate::http::{Problem, check_json};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use uuid::Uuid;

/// The keys that Dossier knows. Others are accepted, because clients send more, and are returned by HEAD.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Declared {
    pub(super) filename: Option<String>,
    pub(super) filetype: Option<String>,
    pub(super) session_id: Option<Uuid>,
    /// A JSON object.
    pub(super) metadata: Option<String>,
    /// The header as it was sent.
    pub(super) sent: String,
}

impl Declared {
    pub(super) fn from_headers(headers: &HeaderMap) -> Result<Self, Problem> {
        let lines: Option<Vec<_>> =
            headers.get_all(UPLOAD_METADATA).iter().map(|value| value.to_str().ok()).collect();
        Self::parse(&lines.ok_or_else(malformed)?.join(","))
    }

    fn parse(sent: &str) -> Result<Self, Problem> {
        let mut read = Self { sent: sent.to_owned(), ..Self::default() };
        let mut keys: Vec<&str> = Vec::new();
        for pair in sent.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
            if keys.contains(&key) {
                return Err(malformed());
            }
            keys.push(key);
            let known = matches!(key, "filename" | "filetype" | "session_id" | "metadata");
            let value = STANDARD.decode(value.trim()).map_err(|_| malformed())?;
            if !known {
                continue;
            }
            let value = String::from_utf8(value).map_err(|_| not_text(key))?;
            match key {
                "filename" => read.filename = Some(value),
                "filetype" => read.filetype = Some(value).filter(|value| !value.is_empty()),
                "session_id" => {
                    read.session_id = Some(value.trim().parse().map_err(|_| invalid_session_id())?);
                }
                _ if value.is_empty() => {}
                _ => {
                    check_json("The value of metadata in Upload-Metadata", &value)?;
                    read.metadata = Some(value);
                }
            }
        }
        Ok(read)
    }
}

fn malformed() -> Problem {
    Problem::bad_request("Malformed Upload-Metadata")
        .details("It is a list of pairs, joined by commas: a key, a space, and the value in Base64. Each key occurs once.")
        .hint("Let a client of tus write the header.")
}

fn not_text(key: &str) -> Problem {
    Problem::bad_request(format!("The value of {key} in Upload-Metadata is not valid UTF-8"))
        .hint("Encode the text in UTF-8 and then in Base64.")
}

pub(super) fn no_session() -> Problem {
    Problem::bad_request("The key session_id is missing in Upload-Metadata")
        .details("The keys are session_id, filename, filetype and metadata, a JSON object.")
        .hint("Send the id of a session as POST /api/sessions returns it.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_keys_are_decoded_and_others_accepted() {
        // printf 'Köln.pdf' | base64, and so on.
        let sent = "filename S8O2bG4ucGRm,filetype YXBwbGljYXRpb24vcGRm, relativePath bnVsbA==,empty,\
                    session_id MDEyMzQ1NjctODlhYi1jZGVmLTAxMjMtNDU2Nzg5YWJjZGVm,metadata eyJhIjoxfQ==";
        let read = Declared::parse(sent).unwrap();
        assert_eq!(read.filename.as_deref(), Some("Köln.pdf"));
        assert_eq!(read.filetype.as_deref(), Some("application/pdf"));
        assert_eq!(read.session_id, "01234567-89ab-cdef-0123-456789abcdef".parse().ok());
        assert_eq!(read.metadata.as_deref(), Some(r#"{"a":1}"#));
        assert_eq!(read.sent, sent);
        assert_eq!(Declared::parse("").unwrap(), Declared::default());
    }

    #[test]
    fn malformed_metadata_is_refused() {
        for sent in [
            "filename x",
            "filename S8O2bG4ucGRm=",
            "filename ====",
            "a,a",
            "filename YQ==,filename Yg==",
            "filename /w==",
            "session_id YQ==",
        ] {
            assert!(Declared::parse(sent).is_err(), "{sent}");
        }
        let deep = STANDARD.encode("[".repeat(5000));
        assert!(Declared::parse(&format!("metadata {deep}")).is_err());
    }
}
