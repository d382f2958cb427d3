//! Puts a worker's replies together, and believes none of them unchecked.
//!
//! A worker that has been taken over by the file it read can write anything. The worst it can do is to
//! lie about that one file's text: everything else is bounded, checked and turned into an error here.

use crate::protocol::{Done, Failure, Metadata, Page, Reply, is_clean};
use crate::worker::End;
use crate::{ExtractError, Extraction, Limits};
use std::os::unix::process::ExitStatusExt;

/// Longest reason, media type or engine name that is taken over, in characters.
const LONGEST_NAME: usize = 100;
const LONGEST_REASON: usize = 300;
/// What is kept of a file's metadata: characters of a value, and entries of a list.
const LONGEST_VALUE: usize = 1000;
const MOST_ENTRIES: usize = 10_000;
/// Deepest level of a bookmark.
const DEEPEST_BOOKMARK: u8 = 32;

/// The replies of one worker so far.
#[derive(Debug)]
pub(crate) struct Replies {
    limits: Limits,
    bytes: u64,
    line: Vec<u8>,
    pages: Vec<Page>,
    last: Option<Result<Done, ExtractError>>,
}

impl Replies {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { limits: *limits, bytes: 0, line: Vec::new(), pages: Vec::new(), last: None }
    }

    /// Takes the next bytes of the worker's output.
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

    /// What the worker, now gone, has said in the end.
    pub(crate) fn finish(self, end: &End) -> Result<Extraction, ExtractError> {
        if !self.line.is_empty() || self.last.is_none() {
            return Err(classify(end));
        }
        match self.last {
            Some(Ok(done)) => Ok(Extraction {
                media_type: done.media_type,
                pages: self.pages,
                metadata: done.metadata,
                language: done.language,
                needs_ocr: done.needs_ocr,
            }),
            Some(Err(error)) => Err(error),
            None => Err(classify(end)),
        }
    }

    fn reply(&mut self, line: &[u8]) -> Result<(), ExtractError> {
        if self.last.is_some() {
            return Err(rubbish("a reply after the last"));
        }
        match serde_json::from_slice(line) {
            Ok(Reply::Page(page)) => self.page(page),
            Ok(Reply::Done(done)) => {
                self.last = Some(Ok(self.done(*done)?));
                Ok(())
            }
            Ok(Reply::Failed(failure)) => {
                self.last = Some(Err(self.failure(failure)?));
                Ok(())
            }
            Err(_) => Err(rubbish("a reply that is none")),
        }
    }

    fn page(&mut self, page: Page) -> Result<(), ExtractError> {
        let expected = self.pages.len() + 1;
        if expected > self.limits.pages as usize {
            return Err(ExtractError::LimitExceeded { limit: "pages" });
        }
        if usize::try_from(page.page) != Ok(expected) {
            return Err(rubbish("pages out of order"));
        }
        if !page.text.chars().all(is_clean) {
            return Err(rubbish("control characters in a page"));
        }
        let is_share = |share: Option<f32>| share.is_none_or(|share| (0.0..=1.0).contains(&share));
        if !is_share(page.confidence) || !is_share(page.quality) {
            return Err(rubbish("an impossible confidence"));
        }
        let engine = name(page.engine)?;
        let reason = page.reason.as_deref().map(readable);
        self.pages.push(Page { engine, reason, ..page });
        Ok(())
    }

    fn done(&self, done: Done) -> Result<Done, ExtractError> {
        let is_page = |page: &u32| (1..=self.pages.len()).contains(&(*page as usize));
        if !done.needs_ocr.iter().all(is_page) || !done.needs_ocr.is_sorted_by(|a, b| a < b) {
            return Err(rubbish("pages that are none"));
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
            Failure::Malformed { reason } => ExtractError::Malformed { reason: readable(&reason) },
            Failure::TooLarge { size } => {
                ExtractError::InputTooLarge { size, limit: self.limits.input_bytes }
            }
            Failure::LimitExceeded { limit } => Limits::NAMES
                .into_iter()
                .find(|name| *name == limit)
                .map(|limit| ExtractError::LimitExceeded { limit })
                .ok_or_else(|| rubbish("an unknown limit"))?,
            Failure::SandboxUnavailable { reason } => {
                ExtractError::SandboxUnavailable { reason: readable(&reason) }
            }
        })
    }
}

/// Why a worker ended without a last reply. What it wrote to its standard error only ever picks the label.
fn classify(end: &End) -> ExtractError {
    let crashed = |how: &str| ExtractError::Crashed { how: how.to_owned() };
    let complains = |what: &str| end.complaint.contains(what);
    let Some(status) = end.status else { return crashed("it ended unobserved") };
    match status.signal() {
        Some(libc::SIGXCPU) => ExtractError::LimitExceeded { limit: "cpu_seconds" },
        Some(libc::SIGSYS) => crashed("forbidden system call"),
        Some(libc::SIGABRT | libc::SIGSEGV) if complains("overflowed its stack") => crashed("stack overflow"),
        Some(libc::SIGABRT) if complains("memory allocation of") || complains("out of memory") => {
            ExtractError::LimitExceeded { limit: "memory_bytes" }
        }
        Some(libc::SIGSEGV | libc::SIGBUS) => crashed("memory fault"),
        Some(libc::SIGKILL) => crashed("killed from outside"),
        Some(signal) => crashed(&format!("signal {signal}")),
        None if complains("panicked at") => crashed("panic"),
        None => crashed(&format!("no reply, exit status {}", status.code().unwrap_or_default())),
    }
}

fn rubbish(what: &str) -> ExtractError {
    ExtractError::Crashed { how: format!("it sent {what}") }
}

/// A media type or engine name: short, printable ASCII without spaces.
fn name(name: String) -> Result<String, ExtractError> {
    let fits = (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(name) } else { Err(rubbish("an impossible name")) }
}

/// Metadata that fits its pages, each value short and without control characters.
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
