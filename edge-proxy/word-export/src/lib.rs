//! Writes one session as a Word document: its title and context, and every document with its properties and its text by
//! page.
//!
//! The records are those of a bundle, the JSON objects that an export writes. [`WordExport::build`] blocks.
//! Invariant: knows neither HTTP nor Postgres.
//! Invariant: `docx-rs` builds in memory and needs a multiple of the text. So text is counted as it is added, and a
//! session with too much of it is refused before it is built.

mod layout;
mod structure;
mod text;

use serde::Deserialize;
use serde_json::value::RawValue;
use structure::Structure;

/// What a line break or a tab counts, in bytes of text: each becomes an element of its own.
const ELEMENT_BYTES: usize = 40;

/// The session, gathered from its records.
#[derive(Default)]
struct Story {
    session: Option<Session>,
    /// The current version.
    context: Option<Context>,
    documents: Vec<(Document, Vec<Page>)>,
    /// The size of the records so far, and of the current context.
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
    structure: Option<Structure>,
}

/// Why a Word document could not be built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The session has more text than the limit.
    #[error("the session has more than {limit} bytes of text")]
    TooLong {
        /// In bytes.
        limit: usize,
    },
    /// A record does not have the shape that a bundle defines.
    #[error("a record is malformed: {0}")]
    Record(#[from] serde_json::Error),
    /// The document could not be packed.
    #[error("packing the document failed: {0}")]
    Pack(#[from] std::io::Error),
}

/// Gathers a session, of at most `limit` bytes of text, for a Word document.
pub struct WordExport {
    story: Story,
    limit: usize,
}

impl WordExport {
    /// Starts with nothing.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { story: Story::default(), limit }
    }

    /// Adds the session itself.
    pub fn session(&mut self, record: &str) -> Result<(), Error> {
        self.story.session = Some(serde_json::from_str(record)?);
        Ok(())
    }

    /// Adds a version of its context. The last one added is the current one.
    pub fn context_version(&mut self, record: &str) -> Result<(), Error> {
        self.story.context_bytes = weight(record);
        self.story.context = Some(serde_json::from_str(record)?);
        self.check()
    }

    /// Adds a document.
    pub fn document(&mut self, record: &str) -> Result<(), Error> {
        self.story.bytes += weight(record);
        self.story.documents.push((serde_json::from_str(record)?, Vec::new()));
        self.check()
    }

    /// Adds a page of the document that was added last.
    pub fn page(&mut self, record: &str) -> Result<(), Error> {
        let page: Page = serde_json::from_str(record)?;
        self.story.bytes += match &page.structure {
            Some(structure) => weight(structure.markdown.as_ref().unwrap_or(&page.text)) + structure.weight(),
            None => weight(&page.text),
        };
        if let Some((_, pages)) = self.story.documents.last_mut() {
            pages.push(page);
        }
        self.check()
    }

    /// Builds the Word document.
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

/// The size of a text, or of a record as JSON. Line breaks and tabs count more, see [`ELEMENT_BYTES`].
fn weight(text: &str) -> usize {
    let breaks = ["\n", "\t", "\\n", "\\t"].map(|mark| text.matches(mark).count());
    text.len() + ELEMENT_BYTES * breaks.iter().sum::<usize>()
}
