//! One extraction from spawn to answer: feed, wait, classify.

use crate::replies::Replies;
use crate::worker::{End, Event, Worker};
use crate::{ExtractError, Extraction, Invocation, Limits, Request, Sandbox, Source, Task};
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The longest pause between two calls of `tick`.
const TICK: Duration = Duration::from_millis(20);

/// A caller's answer each time it is asked whether to go on (at most 20 ms apart, and at once when a
/// signal arrives).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tick {
    /// Keep waiting for the worker.
    Continue,
    /// Kill it; the extraction ends with [`ExtractError::Cancelled`].
    Stop,
}

/// Runs extractions, each in a worker of its own.
#[derive(Debug, Clone)]
pub struct Extractor {
    /// The executable `dossier-extract-worker`.
    pub worker: PathBuf,
    /// What one extraction may cost.
    pub limits: Limits,
    /// What to do where the kernel lacks a layer.
    pub sandbox: Sandbox,
}

impl Extractor {
    /// The name of the worker's executable.
    pub const WORKER: &str = "dossier-extract-worker";

    /// An extractor with default limits and every layer of the sandbox.
    #[must_use]
    pub fn new(worker: impl Into<PathBuf>) -> Self {
        Self { worker: worker.into(), limits: Limits::default(), sandbox: Sandbox::default() }
    }

    /// Where the worker is by default: beside the current executable.
    pub fn default_worker() -> io::Result<PathBuf> {
        Ok(std::env::current_exe()?.with_file_name(Self::WORKER))
    }

    /// The text of `source`, page by page. Blocks; `tick` is asked on the calling thread.
    pub fn extract(
        &self,
        source: &Source,
        request: &Request,
        tick: impl FnMut() -> Tick,
    ) -> Result<Extraction, ExtractError> {
        self.run(source, Task::Extract, request, tick)
    }

    /// What the bytes of `source` are, as a media type; `application/octet-stream` when unknown.
    pub fn detect(&self, source: &Source, tick: impl FnMut() -> Tick) -> Result<String, ExtractError> {
        self.run(source, Task::Detect, &Request::default(), tick).map(|extraction| extraction.media_type)
    }

    fn run(
        &self,
        source: &Source,
        task: Task,
        request: &Request,
        tick: impl FnMut() -> Tick,
    ) -> Result<Extraction, ExtractError> {
        let (size, limit) = (source.len(), self.limits.input_bytes);
        if size > limit {
            return Err(ExtractError::InputTooLarge { size, limit });
        }
        let deadline = Instant::now().checked_add(self.limits.wall);
        let invocation =
            Invocation { task, request: request.clone(), limits: self.limits, sandbox: self.sandbox };
        let mut worker =
            Worker::spawn(&self.worker, &invocation, source).map_err(|error| self.unavailable(&error))?;
        let mut replies = Replies::new(&self.limits);
        let end = self.wait(&mut worker, &mut replies, deadline, tick)?;
        replies.finish(&end)
    }

    /// Reads the worker's replies until it is gone, asking `tick` and the clock in between. Leaving
    /// early, by whatever error, drops the worker, and that kills it.
    fn wait(
        &self,
        worker: &mut Worker,
        replies: &mut Replies,
        deadline: Option<Instant>,
        mut tick: impl FnMut() -> Tick,
    ) -> Result<End, ExtractError> {
        loop {
            if tick() == Tick::Stop {
                return Err(ExtractError::Cancelled);
            }
            let left = deadline.map_or(TICK, |deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Err(ExtractError::Timeout { limits: self.limits });
            }
            match worker.next(left.min(TICK)).map_err(|error| self.unavailable(&error))? {
                Event::Nothing => {}
                Event::Output(bytes) => replies.feed(bytes)?,
                Event::Ended(end) => return Ok(end),
            }
        }
    }

    fn unavailable(&self, error: &io::Error) -> ExtractError {
        let advice = match error.kind() {
            io::ErrorKind::NotFound => {
                "; install dossier-extract-worker there, or set the path of the worker to where it is"
            }
            io::ErrorKind::PermissionDenied => "; it must be executable by the user that runs this process",
            _ => "",
        };
        ExtractError::WorkerUnavailable { path: self.worker.clone(), reason: format!("{error}{advice}") }
    }
}
