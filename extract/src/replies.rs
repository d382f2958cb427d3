//! Assembles a worker's replies and checks every one of them.
//!
//! A worker that was compromised by the file it read can write anything. The worst it can do is lie about
//! the text of that one file: everything else is bounded, checked and turned into an error here.

use crate::protocol::{Done, Failure, Metadata, Page, Reply, is_clean};
use crate::structure::PageStructure;
use crate::worker::End;
use crate::{ExtractError, Invocation, Limits, Task, Thumbnail};
use std::os::unix::process::ExitStatusExt;

/// Longest media type or engine name that is accepted, and longest reason that is kept, in characters.
const LONGEST_NAME: usize = 100;
const LONGEST_REASON: usize = 300;
/// How much of a file's metadata is kept: characters per value, and entries per list.
const LONGEST_VALUE: usize = 1000;
const MOST_ENTRIES: usize = 10_000;
/// Deepest level of a bookmark.
const DEEPEST_BOOKMARK: u8 = 32;

/// The replies of one worker so far.
#[derive(Debug)]
pub(crate) struct Replies {
    task: Task,
    limits: Limits,
    bytes: u64,
    line: Vec<u8>,
    last: Option<Result<Done, ExtractError>>,
    /// The pages with their text.
    pub(crate) pages: Vec<Page>,
    /// The pages on which OCR failed, and why.
    pub(crate) unread: Vec<(u32, ExtractError)>,
    /// The thumbnail.
    pub(crate) thumbnail: Option<Thumbnail>,
}

impl Replies {
    /// For a worker started with `invocation`.
    pub(crate) fn new(invocation: &Invocation) -> Self {
        Self {
            task: invocation.task.clone(),
            limits: invocation.limits,
            bytes: 0,
            line: Vec::new(),
            last: None,
            pages: Vec::new(),
            unread: Vec::new(),
            thumbnail: None,
        }
    }

    /// How many pages have been answered, successfully or not.
    pub(crate) fn answered(&self) -> usize {
        self.pages.len() + self.unread.len()
    }

    /// Consumes the next bytes of the worker's output.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) -> Result<(), ExtractError> {
        self.bytes += bytes.len() as u64;
        if self.bytes > self.limits.output_bytes {
            return Err(ExtractError::LimitExceeded { limit: "output_bytes" });
        }
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.line.extend_from_slice(&bytes[..end]);
            bytes = &bytes[end + 1..];
            let line = std::mem::take(&mut self.line);
            self.reply(&line)?;
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    /// The final reply of a worker that has exited.
    pub(crate) fn finish(&mut self, end: &End) -> Result<Done, ExtractError> {
        if !self.line.is_empty() {
            return Err(classify(end));
        }
        self.last.take().unwrap_or_else(|| Err(classify(end)))
    }

    fn reply(&mut self, line: &[u8]) -> Result<(), ExtractError> {
        if self.last.is_some() {
            return Err(protocol_violation("a reply after the final one"));
        }
        match serde_json::from_slice(line) {
            Ok(Reply::Page(page)) => self.page(page),
            Ok(Reply::Unread { page, failure }) => self.unread(page, failure),
            Ok(Reply::Thumbnail(thumbnail)) => self.thumbnail(thumbnail),
            Ok(Reply::Done(done)) => {
                self.last = Some(Ok(self.done(*done)?));
                Ok(())
            }
            Ok(Reply::Failed(failure)) => {
                self.last = Some(Err(self.failure(failure)?));
                Ok(())
            }
            Err(_) => Err(protocol_violation("a malformed reply")),
        }
    }

    /// Checks the number of the next page: extracted pages count from 1, OCR answers come in the order in
    /// which the pages were requested.
    fn expect(&self, page: u32) -> Result<(), ExtractError> {
        let expected = match &self.task {
            Task::Extract => u32::try_from(self.answered() + 1).ok(),
            Task::Recognize(recognition) => recognition.pages.get(self.answered()).copied(),
            Task::Detect | Task::Thumbnail { .. } => None,
        };
        if expected == Some(page) { Ok(()) } else { Err(protocol_violation("pages out of order")) }
    }

    fn unread(&mut self, page: u32, failure: Failure) -> Result<(), ExtractError> {
        if !matches!(self.task, Task::Recognize(_)) {
            return Err(protocol_violation("a page that was not requested"));
        }
        self.expect(page)?;
        let error = self.failure(failure)?;
        self.unread.push((page, error));
        Ok(())
    }

    fn thumbnail(&mut self, thumbnail: Thumbnail) -> Result<(), ExtractError> {
        let Task::Thumbnail { side } = self.task else {
            return Err(protocol_violation("a thumbnail that was not requested"));
        };
        let is_side = |length: u32| (1..=side).contains(&length);
        let fits = thumbnail.media_type == Thumbnail::MEDIA_TYPE
            && is_side(thumbnail.width)
            && is_side(thumbnail.height)
            && thumbnail.bytes.len() <= Thumbnail::MAX_BYTES
            && is_webp(&thumbnail.bytes);
        if !fits || self.thumbnail.is_some() {
            return Err(protocol_violation("an invalid thumbnail"));
        }
        self.thumbnail = Some(thumbnail);
        Ok(())
    }

    fn page(&mut self, page: Page) -> Result<(), ExtractError> {
        if self.task == Task::Extract && self.pages.len() >= self.limits.pages as usize {
            return Err(ExtractError::LimitExceeded { limit: "pages" });
        }
        self.expect(page.page)?;
        if !page.text.chars().all(is_clean) {
            return Err(protocol_violation("control characters in a page"));
        }
        let is_share = |share: Option<f32>| share.is_none_or(|share| (0.0..=1.0).contains(&share));
        if !is_share(page.confidence) || !is_share(page.quality) {
            return Err(protocol_violation("an invalid confidence"));
        }
        if !page.structure.as_ref().is_none_or(PageStructure::is_valid) {
            return Err(protocol_violation("an invalid structure of a page"));
        }
        let engine = name(page.engine)?;
        let reason = page.reason.as_deref().map(readable);
        self.pages.push(Page { engine, reason, ..page });
        Ok(())
    }

    fn done(&self, done: Done) -> Result<Done, ExtractError> {
        let is_unfinished = match &self.task {
            Task::Recognize(recognition) => self.answered() != recognition.pages.len(),
            Task::Thumbnail { .. } => self.thumbnail.is_none(),
            Task::Extract | Task::Detect => false,
        };
        if is_unfinished {
            return Err(protocol_violation("a final reply before all answers"));
        }
        let is_page = |page: &u32| (1..=self.pages.len()).contains(&(*page as usize));
        if !done.needs_ocr.iter().all(is_page) || !done.needs_ocr.is_sorted_by(|a, b| a < b) {
            return Err(protocol_violation("page numbers that do not exist"));
        }
        Ok(Done {
            media_type: name(done.media_type)?,
            metadata: checked(done.metadata, self.pages.len()),
            language: done.language.map(name).transpose()?,
            needs_ocr: done.needs_ocr,
        })
    }

    fn failure(&self, failure: Failure) -> Result<ExtractError, ExtractError> {
        Ok(match failure {
            Failure::Unsupported { media_type } => {
                ExtractError::Unsupported { media_type: name(media_type)? }
            }
            Failure::Encrypted => ExtractError::Encrypted,
            Failure::NeedsOcr { reason } => ExtractError::NeedsOcr { reason: readable(&reason) },
            Failure::Malformed { reason } => ExtractError::Malformed { reason: readable(&reason) },
            Failure::TooLarge { size } => {
                ExtractError::InputTooLarge { size, limit: self.limits.input_bytes }
            }
            Failure::LimitExceeded { limit } => Limits::NAMES
                .into_iter()
                .find(|name| *name == limit)
                .map(|limit| ExtractError::LimitExceeded { limit })
                .ok_or_else(|| protocol_violation("an unknown limit"))?,
            Failure::SandboxUnavailable { reason } => {
                ExtractError::SandboxUnavailable { reason: readable(&reason) }
            }
        })
    }
}

/// Why a worker ended without a final reply. Its standard error is only used to choose the label.
fn classify(end: &End) -> ExtractError {
    let crashed = |how: &str| ExtractError::Crashed { how: how.to_owned() };
    let stderr_has = |what: &str| end.stderr.contains(what);
    let Some(status) = end.status else { return crashed("its exit status is unknown") };
    match status.signal() {
        Some(libc::SIGXCPU) => ExtractError::LimitExceeded { limit: "cpu_seconds" },
        Some(libc::SIGSYS) => crashed("forbidden system call"),
        Some(libc::SIGABRT | libc::SIGSEGV) if stderr_has("overflowed its stack") => {
            crashed("stack overflow")
        }
        // The last one is from C++, that is, from Tesseract.
        Some(libc::SIGABRT)
            if stderr_has("memory allocation of")
                || stderr_has("out of memory")
                || stderr_has("bad_alloc") =>
        {
            ExtractError::LimitExceeded { limit: "memory_bytes" }
        }
        Some(libc::SIGSEGV | libc::SIGBUS) => crashed("memory fault"),
        Some(libc::SIGKILL) => crashed("killed by another process"),
        Some(signal) => crashed(&format!("signal {signal}")),
        None if stderr_has("panicked at") => crashed("panic"),
        None => crashed(&format!("no reply, exit status {}", status.code().unwrap_or_default())),
    }
}

/// Whether these bytes are one complete WebP file, judging by the container header.
fn is_webp(bytes: &[u8]) -> bool {
    let size = bytes.get(4..8).and_then(|size| size.try_into().ok()).map(u32::from_le_bytes);
    let is_whole = size.and_then(|size| usize::try_from(size).ok()) == bytes.len().checked_sub(8);
    bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") && is_whole
}

/// The worker sent something that the protocol does not allow.
pub(crate) fn protocol_violation(what: &str) -> ExtractError {
    ExtractError::Crashed { how: format!("protocol violation: {what}") }
}

/// A media type or engine name: short, printable ASCII without spaces.
fn name(name: String) -> Result<String, ExtractError> {
    let fits = (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(name) } else { Err(protocol_violation("an invalid name")) }
}

/// Metadata that is consistent with the pages, with short values and no control characters.
fn checked(mut metadata: Metadata, pages: usize) -> Metadata {
    let values = [
        &mut metadata.title,
        &mut metadata.author,
        &mut metadata.subject,
        &mut metadata.keywords,
        &mut metadata.producer,
        &mut metadata.created,
        &mut metadata.modified,
    ];
    for value in values {
        *value = value.take().map(|value| short(&value)).filter(|value| !value.is_empty());
    }
    if metadata.page_labels.len() != pages {
        metadata.page_labels.clear();
    }
    metadata.outline.truncate(MOST_ENTRIES);
    metadata.attachments.truncate(MOST_ENTRIES);
    for text in metadata.page_labels.iter_mut().chain(&mut metadata.attachments) {
        *text = short(text);
    }
    for entry in &mut metadata.outline {
        entry.title = short(&entry.title);
        entry.level = entry.level.clamp(1, DEEPEST_BOOKMARK);
        entry.page = entry.page.filter(|page| (1..=pages).contains(&(*page as usize)));
    }
    metadata
}

fn short(value: &str) -> String {
    let mut value: String = value.chars().filter(|c| !c.is_control()).take(LONGEST_VALUE).collect();
    value.truncate(value.trim_end().len());
    value.drain(..value.len() - value.trim_start().len());
    value
}

fn readable(reason: &str) -> String {
    reason.chars().filter(|c| !c.is_control()).take(LONGEST_REASON).collect()
}
