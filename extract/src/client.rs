//! One extraction from spawn to answer: feed, wait, classify.

use crate::protocol::Done;
use crate::replies::{Replies, protocol_violation};
use crate::worker::{End, Event, Worker};
use crate::{
    ExtractError, Extraction, Invocation, Limits, OcrOutcome, OcrSettings, Request, Sandbox, Source, Task,
    Thumbnail, ThumbnailRequest,
};
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

/// How long a worker is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// It must have ended by then.
    pub(crate) deadline: Option<Instant>,
    /// Longest silence between two replies, where one bad page must not use up the time of all.
    pub(crate) silence: Option<Duration>,
}

/// Runs extractions, each in a worker of its own.
#[derive(Debug, Clone)]
pub struct Extractor {
    /// The executable `dossier-extract-worker`.
    pub worker: PathBuf,
    /// What one extraction may cost; what OCR may cost on top is in `ocr`.
    pub limits: Limits,
    /// How words are recognised in pictures.
    pub ocr: OcrSettings,
    /// What to do where the kernel lacks a layer.
    pub sandbox: Sandbox,
}

impl Extractor {
    /// The name of the worker's executable.
    pub const WORKER: &str = "dossier-extract-worker";

    /// An extractor with default limits and every layer of the sandbox.
    #[must_use]
    pub fn new(worker: impl Into<PathBuf>) -> Self {
        Self {
            worker: worker.into(),
            limits: Limits::default(),
            ocr: OcrSettings::default(),
            sandbox: Sandbox::default(),
        }
    }

    /// Where the worker is by default: beside the current executable.
    pub fn default_worker() -> io::Result<PathBuf> {
        Ok(std::env::current_exe()?.with_file_name(Self::WORKER))
    }

    /// The text of `source`, page by page. Blocks; `tick` is asked on the calling thread.
    ///
    /// Pages whose words are in pictures are given to a second worker ([`Request::ocr`]). Where this
    /// machine cannot recognise words, [`Extraction::ocr`] says so; the error
    /// [`ExtractError::NeedsOcr`] is for files that have no other text.
    pub fn extract(
        &self,
        source: &Source,
        request: &Request,
        mut tick: impl FnMut() -> Tick,
    ) -> Result<Extraction, ExtractError> {
        let invocation = self.invocation(Task::Extract, request.clone());
        let mut replies = Replies::new(&invocation);
        let done = self.run(source, &invocation, self.patience(), &mut replies, &mut tick)?;
        let mut extraction = Extraction {
            media_type: done.media_type,
            pages: replies.pages,
            metadata: done.metadata,
            language: done.language,
            needs_ocr: done.needs_ocr,
            ocr: OcrOutcome::default(),
        };
        self.recognize(source, request, &mut extraction, &mut tick)?;
        Ok(extraction)
    }

    /// What the bytes of `source` are, as a media type; `application/octet-stream` when unknown.
    pub fn detect(&self, source: &Source, mut tick: impl FnMut() -> Tick) -> Result<String, ExtractError> {
        let invocation = self.invocation(Task::Detect, Request::default());
        let mut replies = Replies::new(&invocation);
        self.run(source, &invocation, self.patience(), &mut replies, &mut tick).map(|done| done.media_type)
    }

    /// A small picture of the first page of a PDF or an image; of anything else
    /// [`ExtractError::Unsupported`].
    pub fn thumbnail(
        &self,
        source: &Source,
        request: &ThumbnailRequest,
        mut tick: impl FnMut() -> Tick,
    ) -> Result<Thumbnail, ExtractError> {
        let side = request.side.clamp(1, Thumbnail::MAX_SIDE);
        let of = Request { media_type: request.media_type.clone(), ..Request::default() };
        let invocation = self.invocation(Task::Thumbnail { side }, of);
        let mut replies = Replies::new(&invocation);
        self.run(source, &invocation, self.patience(), &mut replies, &mut tick)?;
        replies.thumbnail.ok_or_else(|| protocol_violation("no thumbnail"))
    }

    fn invocation(&self, task: Task, request: Request) -> Invocation {
        Invocation { task, request, limits: self.limits, sandbox: self.sandbox }
    }

    fn patience(&self) -> Patience {
        Patience { deadline: Instant::now().checked_add(self.limits.wall), silence: None }
    }

    /// One worker, from spawn to end. What it replied until then is in `replies`, even after an error.
    pub(crate) fn run(
        &self,
        source: &Source,
        invocation: &Invocation,
        patience: Patience,
        replies: &mut Replies,
        tick: &mut dyn FnMut() -> Tick,
    ) -> Result<Done, ExtractError> {
        let (size, limit) = (source.len(), invocation.limits.input_bytes);
        if size > limit {
            return Err(ExtractError::InputTooLarge { size, limit });
        }
        let mut worker =
            Worker::spawn(&self.worker, invocation, source).map_err(|error| self.unavailable(&error))?;
        let end = self.wait(&mut worker, replies, patience, &invocation.limits, tick)?;
        replies.finish(&end)
    }

    /// Reads the worker's replies until it is gone, asking `tick` and the clock in between. Leaving
    /// early, by whatever error, drops the worker, and that kills it.
    fn wait(
        &self,
        worker: &mut Worker,
        replies: &mut Replies,
        patience: Patience,
        limits: &Limits,
        tick: &mut dyn FnMut() -> Tick,
    ) -> Result<End, ExtractError> {
        let next_reply = || patience.silence.and_then(|silence| Instant::now().checked_add(silence));
        let mut reply_due = next_reply();
        loop {
            if tick() == Tick::Stop {
                return Err(ExtractError::Cancelled);
            }
            let left =
                |due: Option<Instant>| due.map_or(TICK, |due| due.saturating_duration_since(Instant::now()));
            let (until_end, until_reply) = (left(patience.deadline), left(reply_due));
            if until_end.is_zero() {
                return Err(ExtractError::Timeout { limits: *limits });
            }
            if until_reply.is_zero() {
                return Err(ExtractError::LimitExceeded { limit: "ocr_page_time" });
            }
            let pause = TICK.min(until_end).min(until_reply);
            match worker.next(pause).map_err(|error| self.unavailable(&error))? {
                Event::Nothing => {}
                Event::Output(bytes) => {
                    replies.feed(bytes)?;
                    reply_due = next_reply();
                }
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
