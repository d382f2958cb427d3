//! Puts a worker's replies together, and believes none of them unchecked.
//!
//! A worker that has been taken over by the file it read can write anything. The worst it can do is to
//! lie about that one file's text: everything else is bounded, checked and turned into an error here.

use crate::protocol::{Failure, Page, Reply, is_clean};
use crate::worker::End;
use crate::{ExtractError, Extraction, Limits};
use std::os::unix::process::ExitStatusExt;

/// Longest reason, media type or engine name that is taken over, in characters.
const LONGEST_NAME: usize = 100;
const LONGEST_REASON: usize = 300;

/// The replies of one worker so far.
#[derive(Debug)]
pub(crate) struct Replies {
    limits: Limits,
    bytes: u64,
    line: Vec<u8>,
    pages: Vec<Page>,
    last: Option<Result<String, ExtractError>>,
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
            Some(Ok(media_type)) => Ok(Extraction { media_type, pages: self.pages }),
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
            Ok(Reply::Done { media_type }) => {
                self.last = Some(Ok(name(media_type)?));
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
        if page.confidence.is_some_and(|confidence| !(0.0..=1.0).contains(&confidence)) {
            return Err(rubbish("an impossible confidence"));
        }
        let engine = name(page.engine)?;
        self.pages.push(Page { engine, ..page });
        Ok(())
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

fn readable(reason: &str) -> String {
    reason.chars().filter(|c| !c.is_control()).take(LONGEST_REASON).collect()
}
