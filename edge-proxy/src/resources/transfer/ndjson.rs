//! One record per line, so that no line grows with the export. `{"type": "bundle"}` comes first, `{"type": "end"}` last, and
//! each record in between names its parent.
//!
//! Invariant: an export without its end record was cut off. The end record counts the lines before it.

use super::session_reader::Piece;
use crate::db::CHUNK_BYTES;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use uuid::Uuid;

/// The bytes of a document per line: one stored chunk.
pub(super) const PIECE_BYTES: u64 = CHUNK_BYTES as u64;

/// Writes lines.
#[derive(Debug, Default)]
pub(super) struct Ndjson {
    lines: u64,
}

impl Ndjson {
    pub(super) fn write(&mut self, piece: &Piece) -> String {
        match piece {
            Piece::Begin => self.line(r#""type": "bundle", "format": "dossier", "version": 1}"#),
            Piece::Session { record, .. } => self.line(&format!(r#""type": "session", {}"#, fields(record))),
            Piece::Version { session, record } => {
                self.part("context_version", "session_id", *session, record)
            }
            Piece::Document(document) => {
                self.part("document", "session_id", document.session, &document.record)
            }
            Piece::Pages { document, records } => {
                records.iter().map(|record| self.part("page", "document_id", *document, record)).collect()
            }
            Piece::Bytes { document, bytes } => {
                let record = format!(r#"{{"base64": "{}"}}"#, BASE64_STANDARD.encode(bytes));
                self.part("bytes", "document_id", *document, &record)
            }
            Piece::Documents | Piece::DocumentEnd | Piece::SessionEnd => String::new(),
            Piece::End => self.line(&format!(r#""type": "end", "lines": {}}}"#, self.lines)),
        }
    }

    /// A record that belongs to a parent. Also the line that names the path of a file in an archive.
    pub(super) fn part(&mut self, kind: &str, parent: &str, id: Uuid, record: &str) -> String {
        self.line(&format!(r#""type": "{kind}", "{parent}": "{id}", {}"#, fields(record)))
    }

    fn line(&mut self, rest: &str) -> String {
        self.lines += 1;
        format!("{{{rest}\n")
    }
}

/// A JSON object without its opening brace.
fn fields(object: &str) -> &str {
    object.strip_prefix('{').unwrap_or(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_names_its_type_and_its_parent() {
        let id = Uuid::nil();
        let mut lines = Ndjson::default();
        let text: String = [
            Piece::Begin,
            Piece::Session { id, record: r#"{"id": 1}"#.to_owned(), title: None },
            Piece::Version { session: id, record: r#"{"version": 1}"#.to_owned() },
            Piece::Documents,
            Piece::Pages {
                document: id,
                records: vec![r#"{"page": 1}"#.to_owned(), r#"{"page": 2}"#.to_owned()],
            },
            Piece::Bytes { document: id, bytes: b"abcd".to_vec() },
            Piece::SessionEnd,
            Piece::End,
        ]
        .iter()
        .map(|piece| lines.write(piece))
        .collect();
        let read: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(
            read,
            [
                serde_json::json!({"type": "bundle", "format": "dossier", "version": 1}),
                serde_json::json!({"type": "session", "id": 1}),
                serde_json::json!({"type": "context_version", "session_id": id, "version": 1}),
                serde_json::json!({"type": "page", "document_id": id, "page": 1}),
                serde_json::json!({"type": "page", "document_id": id, "page": 2}),
                serde_json::json!({"type": "bytes", "document_id": id, "base64": "YWJjZA=="}),
                serde_json::json!({"type": "end", "lines": 6}),
            ]
        );
    }
}
