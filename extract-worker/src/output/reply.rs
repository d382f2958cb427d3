//! Sends replies: each page as soon as it is ready, cleaned, numbered, and within the output limit.

use crate::output::language::Sample;
use crate::output::markup::Heading;
use crate::output::pagination::{self, Cut};
use dossier_extract::protocol::{Done, Failure, Page, PageSource, Reply, is_clean};
use dossier_extract::{Isolation, Metadata, PageStructure, Thumbnail};
use std::borrow::Cow;
use std::io::{self, Write};

/// The pages that a reader sends.
#[derive(Debug)]
pub(crate) struct Pages<W> {
    out: W,
    count: u32,
    limit: u32,
    bytes_left: u64,
    /// For the structure of pages, apart from their text.
    structure_bytes_left: u64,
    needs_ocr: Vec<u32>,
    sample: Sample,
    /// Whether the language was sent. Later text does not change it.
    is_language_sent: bool,
    /// Why the next pages may be incomplete: the reason of a page that has no other.
    pub(crate) caveat: Option<String>,
    /// The file's metadata; readers fill in what they find.
    pub(crate) metadata: Metadata,
}

/// The OCR result of a page.
#[derive(Debug, Clone)]
pub(crate) struct Recognized {
    pub(crate) text: String,
    /// Mean confidence, 0 to 1; `None` without words.
    pub(crate) confidence: Option<f32>,
    /// What was done to the page, if anything notable.
    pub(crate) reason: Option<String>,
}

/// Space reserved for the final reply.
const LAST_REPLY_BYTES: u64 = 4096;

impl<W: Write> Pages<W> {
    pub(crate) fn new(out: W, pages: u32, bytes: u64) -> Self {
        let bytes_left = bytes.saturating_sub(LAST_REPLY_BYTES);
        Self {
            out,
            count: 0,
            limit: pages,
            bytes_left,
            structure_bytes_left: bytes_left,
            needs_ocr: Vec::new(),
            sample: Sample::default(),
            is_language_sent: false,
            caveat: None,
            metadata: Metadata::default(),
        }
    }

    /// Sends the next page.
    pub(crate) fn push(&mut self, engine: &str, text: &str) -> Result<(), Failure> {
        self.push_with(engine, text, None, None)
    }

    /// Sends a text without page marks, split into pages that are short enough to find and quote.
    pub(crate) fn push_long(&mut self, engine: &str, text: &str, cut: Cut) -> Result<(), Failure> {
        self.push_long_with(engine, text, cut, None)
    }

    /// The same, with the reason why this engine was used.
    pub(crate) fn push_long_with(
        &mut self,
        engine: &str,
        text: &str,
        cut: Cut,
        reason: Option<&str>,
    ) -> Result<(), Failure> {
        pagination::pages(text, cut, self.left())
            .try_for_each(|(_, page)| self.push_with(engine, page, None, reason.map(str::to_owned)))
    }

    /// The same for a text with headings: they become the outline, each with its page number.
    pub(crate) fn push_headed(
        &mut self,
        engine: &str,
        text: &str,
        headings: Vec<Heading>,
    ) -> Result<(), Failure> {
        let starts: Vec<usize> =
            pagination::pages(text, Cut::BetweenWords, self.left()).map(|(start, _)| start).collect();
        self.metadata.outline = pagination::place(headings, text, &starts);
        self.push_long(engine, text, Cut::BetweenWords)
    }

    /// Sends the next page with its quality and the reason why this engine was used.
    pub(crate) fn push_with(
        &mut self,
        engine: &str,
        text: &str,
        quality: Option<f32>,
        reason: Option<String>,
    ) -> Result<(), Failure> {
        self.push_structured(engine, text, quality, reason, None)
    }

    /// The same with the structure of the page. If its own limit is reached, the page is sent without it.
    pub(crate) fn push_structured(
        &mut self,
        engine: &str,
        text: &str,
        quality: Option<f32>,
        reason: Option<String>,
        structure: Option<PageStructure>,
    ) -> Result<(), Failure> {
        if self.count == self.limit {
            return Err(Failure::LimitExceeded { limit: "pages".to_owned() });
        }
        self.count += 1;
        let text = clean(text).into_owned();
        self.sample.add(&text);
        self.send_language()?;
        let mut page = Page {
            page: self.count,
            text,
            source: PageSource::Text,
            confidence: None,
            engine: engine.to_owned(),
            quality,
            reason: reason.or_else(|| self.caveat.clone()),
            structure: None,
        };
        if structure.is_none() {
            return self.reply(&Reply::Page(page));
        }
        let plain = line(&Reply::Page(page.clone()));
        page.structure = structure;
        let whole = line(&Reply::Page(page));
        let added = (whole.len() - plain.len()) as u64;
        self.take(plain.len() as u64)?;
        let left = self.structure_bytes_left.checked_sub(added);
        self.structure_bytes_left = left.unwrap_or(self.structure_bytes_left);
        self.send(if left.is_some() { &whole } else { &plain });
        Ok(())
    }

    /// Sends the language once it is certain, so that the pages can be stored while others are read.
    fn send_language(&mut self) -> Result<(), Failure> {
        if self.is_language_sent || !self.sample.is_full() {
            return Ok(());
        }
        self.is_language_sent = true;
        let language = self.sample.language();
        self.reply(&Reply::Language { language })
    }

    /// Sends the OCR result of a page.
    pub(crate) fn push_recognized(&mut self, page: u32, recognized: Recognized) -> Result<(), Failure> {
        let text = clean(&recognized.text).into_owned();
        self.sample.add(&text);
        self.reply(&Reply::Page(Page {
            page,
            text,
            source: PageSource::Ocr,
            confidence: recognized.confidence,
            engine: "tesseract".to_owned(),
            quality: None,
            reason: recognized.reason,
            structure: None,
        }))
    }

    /// Reports that OCR failed on a page.
    pub(crate) fn push_unread(&mut self, page: u32, failure: Failure) -> Result<(), Failure> {
        self.reply(&Reply::Unread { page, failure })
    }

    /// Reports how this process is isolated.
    pub(crate) fn report_isolation(&mut self, isolation: Isolation) -> Result<(), Failure> {
        self.reply(&Reply::Isolated(isolation))
    }

    /// Sends the thumbnail.
    pub(crate) fn push_thumbnail(&mut self, thumbnail: Thumbnail) -> Result<(), Failure> {
        self.reply(&Reply::Thumbnail(thumbnail))
    }

    /// Sends any reply except the final one.
    fn reply(&mut self, reply: &Reply) -> Result<(), Failure> {
        let line = line(reply);
        self.take(line.len() as u64)?;
        self.send(&line);
        Ok(())
    }

    /// Counts bytes of text.
    fn take(&mut self, bytes: u64) -> Result<(), Failure> {
        self.bytes_left = self
            .bytes_left
            .checked_sub(bytes)
            .ok_or_else(|| Failure::LimitExceeded { limit: "output_bytes".to_owned() })?;
        Ok(())
    }

    /// Marks the last page as one that shows an image and has no usable text.
    pub(crate) fn last_needs_ocr(&mut self) {
        self.needs_ocr.push(self.count);
    }

    /// The number of pages that may still be sent.
    fn left(&self) -> usize {
        self.limit.saturating_sub(self.count) as usize
    }

    /// Sends the final reply.
    pub(crate) fn finish(mut self, outcome: Result<String, Failure>) {
        let reply = match outcome {
            Ok(media_type) => Reply::Done(Box::new(Done {
                media_type,
                metadata: self.fitting_metadata(),
                language: self.sample.language(),
                needs_ocr: std::mem::take(&mut self.needs_ocr),
            })),
            Err(failure) => Reply::Failed(failure),
        };
        self.send(&line(&reply));
    }

    /// The metadata, without its lists if the pages have left no room for them.
    fn fitting_metadata(&mut self) -> Metadata {
        let metadata = std::mem::take(&mut self.metadata);
        let length = serde_json::to_vec(&metadata).map_or(u64::MAX, |json| json.len() as u64);
        if length <= self.bytes_left {
            return metadata;
        }
        Metadata { page_labels: Vec::new(), outline: Vec::new(), attachments: Vec::new(), ..metadata }
    }

    fn send(&mut self, line: &[u8]) {
        let sent = self.out.write_all(line).and_then(|()| self.out.flush());
        if let Err(error) = sent {
            // The parent has closed the pipe, so there is nothing left to do.
            let quiet = error.kind() == io::ErrorKind::BrokenPipe;
            std::process::exit(i32::from(!quiet));
        }
    }
}

pub(crate) fn line(reply: &Reply) -> Vec<u8> {
    let mut line = serde_json::to_vec(reply).unwrap_or_default();
    line.push(b'\n');
    line
}

/// Removes control characters that a page must not contain; line endings become `\n`.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_clean) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' if characters.peek() == Some(&'\n') => {}
            '\r' | '\u{b}' | '\u{85}' => cleaned.push('\n'),
            character if is_clean(character) => cleaned.push(character),
            _ => {}
        }
    }
    Cow::Owned(cleaned)
}
