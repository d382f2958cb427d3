//! Assembles a worker's replies and checks every one of them.
//!
//! A worker that was compromised by the file it read can write anything. The worst it can do is lie about
//! the text of that one file: everything else is bounded, checked and turned into an error here.

use crate::protocol::{self, Done, Failure, Isolation, Metadata, Page, Reply, is_clean};
use crate::structure::PageStructure;
use crate::worker::End;
use crate::{ExtractError, Invocation, LanguageSoFar, Limits, Task, Thumbnail};
use std::os::unix::process::ExitStatusExt;

/// Longest media type or engine name that is accepted, and longest reason that is kept, in characters.
const LONGEST_NAME: usize = 100;
const LONGEST_REASON: usize = 300;
/// How much of a file's metadata is kept: characters per value, and entries per list.
const LONGEST_VALUE: usize = 1000;
const MOST_ENTRIES: usize = 10_000;
/// How many layers of isolation are kept.
const MOST_LAYERS: usize = 16;
/// Deepest level of a bookmark.
const DEEPEST_BOOKMARK: u8 = 32;

/// What a worker may write. The structure of pages has the same limit as their text, each on its own: a file whose text
/// fits must not fail because of its tables.
fn most_bytes(invocation: &Invocation) -> u64 {
    let limit = invocation.limits.output_bytes;
    if invocation.request.structure { limit.saturating_mul(2) } else { limit }
}

/// The replies of one worker so far.
#[derive(Debug)]
pub(crate) struct Replies {
    task: Task,
    limits: Limits,
    most_bytes: u64,
    bytes: u64,
    line: Vec<u8>,
    is_greeted: bool,
    last: Option<Result<Done, ExtractError>>,
    answered: usize,
    /// How the worker is isolated. `None` if it has not said.
    pub(crate) isolation: Option<Isolation>,
    /// The pages with their text that nobody has taken yet.
    pub(crate) pages: Vec<Page>,
    /// The pages on which OCR failed that nobody has taken yet, and why.
    pub(crate) unread: Vec<(u32, ExtractError)>,
    /// The thumbnail.
    pub(crate) thumbnail: Option<Thumbnail>,
    /// What the worker has said of the language.
    pub(crate) language: LanguageSoFar,
}

impl Replies {
    /// For a worker started with `invocation`.
    pub(crate) fn new(invocation: &Invocation) -> Self {
        Self {
            task: invocation.task.clone(),
            limits: invocation.limits,
            most_bytes: most_bytes(invocation),
            bytes: 0,
            line: Vec::new(),
            is_greeted: false,
            isolation: None,
            answered: 0,
            last: None,
            pages: Vec::new(),
            unread: Vec::new(),
            thumbnail: None,
            language: LanguageSoFar::Undecided,
        }
    }

    /// Whether the worker has greeted in this version of the protocol. Before that, nothing is the file's fault.
    pub(crate) fn is_greeted(&self) -> bool {
        self.is_greeted
    }

    /// How many pages have been answered, successfully or not.
    pub(crate) fn answered(&self) -> usize {
        self.answered
    }

    /// Consumes the next bytes of the worker's output. They are counted line by line, so that a greeting counts even if too
    /// much follows it in the same read.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<(), ExtractError> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.bytes += part.len() as u64;
            if self.bytes > self.most_bytes {
                return Err(ExtractError::LimitExceeded { limit: "output_bytes" });
            }
            match part.strip_suffix(b"\n") {
                Some(end) => {
                    self.line.extend_from_slice(end);
                    let line = std::mem::take(&mut self.line);
                    self.reply(&line)?;
                }
                None => self.line.extend_from_slice(part),
            }
        }
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
        let reply = serde_json::from_slice(line).map_err(|_| protocol_violation("a malformed reply"))?;
        if !self.is_greeted {
            return self.greeting(&reply);
        }
        match reply {
            Reply::Hello { .. } => Err(protocol_violation("a second greeting")),
            Reply::Isolated(isolation) => self.isolated(isolation),
            Reply::Language { language } => self.language(language),
            Reply::Page(page) => self.page(page),
            Reply::Unread { page, failure } => self.unread(page, failure),
            Reply::Thumbnail(thumbnail) => self.thumbnail(thumbnail),
            Reply::Done(done) => {
                self.last = Some(Ok(self.done(*done)?));
                Ok(())
            }
            Reply::Failed(failure) => {
                self.last = Some(Err(self.failure(failure)?));
                Ok(())
            }
        }
    }

    fn greeting(&mut self, reply: &Reply) -> Result<(), ExtractError> {
        match reply {
            Reply::Hello { protocol: protocol::VERSION } => {
                self.is_greeted = true;
                Ok(())
            }
            Reply::Hello { protocol } => Err(protocol_violation(&format!("version {protocol}"))),
            _ => Err(protocol_violation("no greeting")),
        }
    }

    fn isolated(&mut self, isolation: Isolation) -> Result<(), ExtractError> {
        if self.isolation.is_some() || self.answered() > 0 {
            return Err(protocol_violation("a second report of the sandbox"));
        }
        let layers = |layers: Vec<String>| {
            layers.iter().take(MOST_LAYERS).map(|layer| readable(layer)).collect::<Vec<_>>()
        };
        self.isolation = Some(Isolation {
            missing: layers(isolation.missing),
            further: layers(isolation.further),
            unavailable: layers(isolation.unavailable),
        });
        Ok(())
    }

    fn language(&mut self, language: Option<String>) -> Result<(), ExtractError> {
        if self.task != Task::Extract || self.language != LanguageSoFar::Undecided {
            return Err(protocol_violation("a language that was not requested"));
        }
        self.language = LanguageSoFar::Decided(language.map(name).transpose()?);
        Ok(())
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
        self.answered += 1;
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
        if self.task == Task::Extract && self.answered >= self.limits.pages as usize {
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
        self.answered += 1;
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
        let is_page = |page: &u32| (1..=self.answered).contains(&(*page as usize));
        if !done.needs_ocr.iter().all(is_page) || !done.needs_ocr.is_sorted_by(|a, b| a < b) {
            return Err(protocol_violation("page numbers that do not exist"));
        }
        Ok(Done {
            media_type: name(done.media_type)?,
            metadata: checked(done.metadata, self.answered),
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
        // The worker handles none of these and sends none to itself. A worker whose CPU time is used up gets SIGXCPU first.
        Some(signal @ (libc::SIGKILL | libc::SIGTERM | libc::SIGHUP | libc::SIGINT | libc::SIGQUIT)) => {
            ExtractError::WorkerKilled { how: format!("signal {signal}") }
        }
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
