//! One JSON object, like `dossier.export_sessions` returns.

use super::session_reader::Piece;
use crate::db::CHUNK_BYTES;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// The bytes of a document per piece: slightly less than a stored chunk, a multiple of three, so that the base64 of
/// consecutive pieces can be joined.
pub(super) const PIECE_BYTES: u64 = CHUNK_BYTES as u64 / 3 * 3;

/// Writes a bundle.
#[derive(Debug, Default)]
pub(super) struct Json {
    /// Whether the list of sessions has an item, and whether the open list in the last session has one.
    sessions: bool,
    items: bool,
    document: Inside,
}

/// The part of a document that is being written.
#[derive(Debug, Default, PartialEq, Eq)]
enum Inside {
    #[default]
    Facts,
    Pages,
    Bytes,
}

impl Json {
    pub(super) fn write(&mut self, piece: &Piece) -> String {
        match piece {
            Piece::Begin => r#"{"format": "dossier", "version": 1, "sessions": ["#.to_owned(),
            Piece::Session { record, .. } => {
                self.items = false;
                format!("{}{}", comma(&mut self.sessions), opened(record, "context_versions"))
            }
            Piece::Version { record, .. } => format!("{}{record}", comma(&mut self.items)),
            Piece::Documents => {
                self.items = false;
                r#"], "documents": ["#.to_owned()
            }
            Piece::Document(document) => {
                self.document = Inside::Facts;
                format!("{}{}", comma(&mut self.items), opened(&document.record, "pages"))
            }
            Piece::Pages { records, .. } => {
                let before = if self.document == Inside::Pages { ", " } else { "" };
                self.document = Inside::Pages;
                format!("{before}{}", records.join(", "))
            }
            Piece::Bytes { bytes, .. } => {
                let before = if self.document == Inside::Bytes { "" } else { r#"], "bytes": ""# };
                self.document = Inside::Bytes;
                format!("{before}{}", BASE64_STANDARD.encode(bytes))
            }
            Piece::DocumentEnd => if self.document == Inside::Bytes { "\"}" } else { "]}" }.to_owned(),
            Piece::SessionEnd => "]}".to_owned(),
            Piece::End => "]}\n".to_owned(),
        }
    }
}

/// The separator before an item: none before the first.
fn comma(begun: &mut bool) -> &'static str {
    if std::mem::replace(begun, true) { ", " } else { "" }
}

/// A JSON object that continues with a list named `list`.
fn opened(object: &str, list: &str) -> String {
    let fields = object.strip_suffix('}').unwrap_or(object);
    format!("{fields}, \"{list}\": [")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::transfer::session_reader::Document;
    use uuid::Uuid;

    #[test]
    fn lists_are_separated_by_commas_and_bytes_are_one_string() {
        let id = Uuid::nil();
        let object = || r#"{"a" : 1}"#.to_owned();
        let document = || {
            Piece::Document(Document {
                id,
                session: id,
                record: object(),
                name: String::new(),
                stored: 4,
                created: Vec::new(),
            })
        };
        let session = || Piece::Session { id, record: object(), title: None };
        let bytes = |bytes: &[u8]| Piece::Bytes { document: id, bytes: bytes.to_vec() };
        let pages = |count| Piece::Pages { document: id, records: vec![object(); count] };
        let version = || Piece::Version { session: id, record: object() };
        let mut json = Json::default();
        let text: String = [
            Piece::Begin,
            session(),
            version(),
            version(),
            Piece::Documents,
            document(),
            pages(2),
            pages(1),
            bytes(b"abc"),
            bytes(b"d"),
            Piece::DocumentEnd,
            document(),
            Piece::DocumentEnd,
            Piece::SessionEnd,
            session(),
            Piece::Documents,
            Piece::SessionEnd,
            Piece::End,
        ]
        .iter()
        .map(|piece| json.write(piece))
        .collect();
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            read,
            serde_json::json!({"format": "dossier", "version": 1, "sessions": [
                {"a": 1, "context_versions": [{"a": 1}, {"a": 1}], "documents": [
                    {"a": 1, "pages": [{"a": 1}, {"a": 1}, {"a": 1}], "bytes": "YWJjZA=="},
                    {"a": 1, "pages": []},
                ]},
                {"a": 1, "context_versions": [], "documents": []},
            ]})
        );
    }
}
