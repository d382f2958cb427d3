//! One session as a Word document: its title and context, and every document with its facts and its text, page by page.
//!
//! Invariant: the library builds in memory, a multiple of the text. So what is read is counted, what is too long is
//! refused before it is built, and few documents are built at once, each on a blocking thread.

mod layout;
mod text;

use super::walk::{Piece, Walk};
use crate::config;
use crate::error::{ApiError, Problem};
use http::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

static PLACES: Semaphore = Semaphore::const_new(2);

const SHORT_LINE: usize = 40;

/// A session, as the walk reads it.
#[derive(Default)]
struct Story {
    session: Option<Session>,
    /// The version in force.
    context: Option<Context>,
    documents: Vec<(Document, Vec<Page>)>,
    /// What the records read so far, and the context in force, have as text.
    bytes: usize,
    context_bytes: usize,
}

#[derive(Deserialize)]
struct Session {
    id: String,
    title: Option<String>,
    conversation_type: String,
    status: String,
    created_at: String,
    updated_at: String,
}

#[derive(Deserialize)]
struct Context {
    version: i32,
    #[serde(rename = "text_context")]
    text: String,
    #[serde(rename = "context_metadata")]
    metadata: Box<RawValue>,
    updated_by: Option<String>,
    updated_at: String,
}

#[derive(Deserialize)]
struct Document {
    name: String,
    media_type: String,
    size_bytes: u64,
    sha256: String,
    status: String,
    error_message: Option<String>,
    language: Option<String>,
    created_at: String,
    metadata: Box<RawValue>,
    file_metadata: Box<RawValue>,
}

#[derive(Deserialize)]
struct Page {
    #[serde(rename = "page")]
    number: usize,
    text: String,
    source: String,
}

/// The session of a walk as the bytes of a Word document.
pub(super) async fn written(mut walk: Walk, limits: config::Transfer) -> Result<Vec<u8>, ApiError> {
    let _place = PLACES.acquire().await.map_err(ApiError::internal)?;
    let mut story = Story::default();
    while let Some(piece) = walk.next().await? {
        story.add(&piece).map_err(ApiError::internal)?;
        if story.weight() > limits.docx_max_bytes {
            return Err(too_long(limits.docx_max_bytes).into());
        }
    }
    spawn_blocking(move || layout::packed(story))
        .await
        .map_err(ApiError::internal)?
        .map_err(ApiError::internal)
}

fn too_long(limit: usize) -> Problem {
    let message = format!("the session has more than {limit} bytes of text, too much for a Word document");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, message)
        .hint("Export it with format=zip or ndjson, or have the operator raise EXPORT_DOCX_MAX_BYTES.")
}

impl Story {
    fn add(&mut self, piece: &Piece) -> serde_json::Result<()> {
        match piece {
            Piece::Session { record, .. } => self.session = Some(serde_json::from_str(record)?),
            Piece::Version { record, .. } => {
                self.context_bytes = weight(record);
                self.context = Some(serde_json::from_str(record)?);
            }
            Piece::Document(document) => {
                self.bytes += weight(&document.record);
                self.documents.push((serde_json::from_str(&document.record)?, Vec::new()));
            }
            Piece::Pages { records, .. } => {
                if let Some((_, pages)) = self.documents.last_mut() {
                    for record in records {
                        self.bytes += weight(record);
                        pages.push(serde_json::from_str(record)?);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn weight(&self) -> usize {
        self.bytes + self.context_bytes
    }
}

/// A record's size. A line and a tab are elements of their own, and count as short lines, however short they are.
fn weight(record: &str) -> usize {
    record.len() + SHORT_LINE * (record.matches("\\n").count() + record.matches("\\t").count())
}
