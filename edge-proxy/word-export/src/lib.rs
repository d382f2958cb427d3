//! One session as a Word document: its title and context, and every document with its facts and its text, page by page.
//!
//! Records are those of a bundle: the JSON objects that an export writes. Invariant: knows neither HTTP nor Postgres.
//! Invariant: the library builds in memory, a multiple of the text. So what is added is counted, and what is too long is
//! refused before it is built. [`WordExport::build`] blocks.

mod layout;
mod text;

use serde::Deserialize;
use serde_json::value::RawValue;

const SHORT_LINE: usize = 40;

/// A session, as its records say it.
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

/// Why there is no Word document.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The session has more text than the limit.
    #[error("the session has more than {limit} bytes of text, too much for a Word document")]
    TooLong {
        /// In bytes.
        limit: usize,
    },
    /// A record has not the shape of a bundle's.
    #[error("a record cannot be read: {0}")]
    Record(#[from] serde_json::Error),
    /// The document could not be packed.
    #[error("the document cannot be packed: {0}")]
    Pack(#[from] std::io::Error),
}

/// A Word document being gathered, of at most `limit` bytes of text.
pub struct WordExport {
    story: Story,
    limit: usize,
}

impl WordExport {
    /// An empty document.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { story: Story::default(), limit }
    }

    /// The session itself.
    pub fn session(&mut self, record: &str) -> Result<(), Error> {
        self.story.session = Some(serde_json::from_str(record)?);
        Ok(())
    }

    /// A version of its context; the last one is in force.
    pub fn context_version(&mut self, record: &str) -> Result<(), Error> {
        self.story.context_bytes = weight(record);
        self.story.context = Some(serde_json::from_str(record)?);
        self.check()
    }

    /// A document.
    pub fn document(&mut self, record: &str) -> Result<(), Error> {
        self.story.bytes += weight(record);
        self.story.documents.push((serde_json::from_str(record)?, Vec::new()));
        self.check()
    }

    /// A page of the document that was added last.
    pub fn page(&mut self, record: &str) -> Result<(), Error> {
        self.story.bytes += weight(record);
        if let Some((_, pages)) = self.story.documents.last_mut() {
            pages.push(serde_json::from_str(record)?);
        }
        self.check()
    }

    /// The bytes of the document.
    pub fn build(self) -> Result<Vec<u8>, Error> {
        Ok(layout::packed(self.story)?)
    }

    fn check(&self) -> Result<(), Error> {
        if self.story.bytes + self.story.context_bytes > self.limit {
            return Err(Error::TooLong { limit: self.limit });
        }
        Ok(())
    }
}

/// A record's size. A line and a tab are elements of their own, and count as short lines, however short they are.
fn weight(record: &str) -> usize {
    record.len() + SHORT_LINE * (record.matches("\\n").count() + record.matches("\\t").count())
}
