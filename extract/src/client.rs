//! One extraction from spawn to result: run the worker, wait, classify its exit.

use crate::protocol::{self, Done};
use crate::replies::{Replies, protocol_violation};
use crate::worker::{End, Event, Worker};
use crate::{
    ExtractError, Extraction, Invocation, Limits, OcrOutcome, OcrSettings, PagesRead, Request, Sandbox,
    Source, Task, Thumbnail, ThumbnailRequest,
};
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The longest pause between two calls to `tick`.
const TICK: Duration = Duration::from_millis(20);

/// The caller's answer when it is asked whether to continue: at least every 20 ms, and immediately when a
/// signal arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tick {
    /// Keep waiting for the worker.
    Continue,
    /// Kill the worker; the extraction ends with [`ExtractError::Cancelled`].
    Stop,
}

/// How long to wait for a worker.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// When the worker must have exited.
    pub(crate) deadline: Option<Instant>,
    /// Longest time between two replies, so that one bad page cannot use up the time of all.
    pub(crate) silence: Option<Duration>,
}

/// Runs extractions, each in its own worker process.
#[derive(Debug, Clone)]
pub struct Extractor {
    /// Path of the executable `dossier-extract-worker`.
    pub worker: PathBuf,
    /// The limits of one extraction; `ocr` has the limits for OCR.
    pub limits: Limits,
    /// How OCR runs.
    pub ocr: OcrSettings,
    /// What to do if the kernel lacks a sandbox layer.
    pub sandbox: Sandbox,
}

impl Extractor {
    /// The file name of the worker's executable.
    pub const WORKER: &str = "dossier-extract-worker";

    /// An extractor with default limits that requires every sandbox layer.
    #[must_use]
    pub fn new(worker: impl Into<PathBuf>) -> Self {
        Self {
            worker: worker.into(),
            limits: Limits::default(),
            ocr: OcrSettings::default(),
            sandbox: Sandbox::default(),
        }
    }

    /// The default path of the worker: next to the current executable.
    pub fn default_worker() -> io::Result<PathBuf> {
        Ok(std::env::current_exe()?.with_file_name(Self::WORKER))
    }

    /// Extracts the text of `source`, page by page. Blocks; `tick` is called on the calling thread.
    ///
    /// A second worker runs OCR on pages whose text is in images ([`Request::ocr`]). If OCR is not available
    /// on this machine, [`Extraction::ocr`] says so; [`ExtractError::NeedsOcr`] is returned only for files
    /// that have no other text.
    pub fn extract(
        &self,
        source: &Source,
        request: &Request,
        mut tick: impl FnMut() -> Tick,
    ) -> Result<Extraction, ExtractError> {
        let mut extraction = self.read_text(source, request, &mut tick)?;
        self.recognize_all(source, request, &mut extraction, &mut tick)?;
        Ok(extraction)
    }

    /// Extracts only the text that the file itself contains. [`Extraction::ocr`] then lists the pages that
    /// [`Extractor::recognize`] should read.
    pub fn extract_text(
        &self,
        source: &Source,
        request: &Request,
        mut tick: impl FnMut() -> Tick,
    ) -> Result<Extraction, ExtractError> {
        let mut extraction = self.read_text(source, request, &mut tick)?;
        extraction.ocr = self.plan_ocr(&extraction, extraction.pages.len(), request.ocr);
        Ok(extraction)
    }

    /// The same, but calls `each` with pages as soon as the worker has read them, instead of keeping them:
    /// [`Extraction::pages`] is empty. If the extraction fails, the pages that were passed on are not to be used.
    pub fn extract_text_each(
        &self,
        source: &Source,
        request: &Request,
        mut each: impl FnMut(PagesRead) -> Tick,
        mut tick: impl FnMut() -> Tick,
    ) -> Result<Extraction, ExtractError> {
        let invocation = self.invocation(Task::Extract, request.clone());
        let mut replies = Replies::new(&invocation);
        let mut deliver = |replies: &mut Replies| match std::mem::take(&mut replies.pages) {
            none if none.is_empty() => Tick::Continue,
            pages => each(PagesRead { pages, language: replies.language.clone() }),
        };
        let done =
            self.run_each(source, &invocation, self.patience(), &mut replies, &mut deliver, &mut tick)?;
        let count = replies.answered();
        let mut extraction = extraction(done, replies);
        extraction.ocr = self.plan_ocr(&extraction, count, request.ocr);
        Ok(extraction)
    }

    fn read_text(
        &self,
        source: &Source,
        request: &Request,
        tick: &mut dyn FnMut() -> Tick,
    ) -> Result<Extraction, ExtractError> {
        let invocation = self.invocation(Task::Extract, request.clone());
        let mut replies = Replies::new(&invocation);
        let done = self.run(source, &invocation, self.patience(), &mut replies, tick)?;
        Ok(extraction(done, replies))
    }

    /// Detects the media type of `source`; `application/octet-stream` if it is unknown.
    pub fn detect(&self, source: &Source, mut tick: impl FnMut() -> Tick) -> Result<String, ExtractError> {
        let invocation = self.invocation(Task::Detect, Request::default());
        let mut replies = Replies::new(&invocation);
        self.run(source, &invocation, self.patience(), &mut replies, &mut tick).map(|done| done.media_type)
    }

    /// Makes a small image of the first page of a PDF or an image. For any other file the result is
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

    /// Runs one worker from spawn to exit. `replies` holds what it sent, even after an error.
    pub(crate) fn run(
        &self,
        source: &Source,
        invocation: &Invocation,
        patience: Patience,
        replies: &mut Replies,
        tick: &mut dyn FnMut() -> Tick,
    ) -> Result<Done, ExtractError> {
        self.run_each(source, invocation, patience, replies, &mut |_| Tick::Continue, tick)
    }

    /// The same, and calls `each` whenever replies have arrived. If it returns [`Tick::Stop`], the worker is killed, and the
    /// result is [`ExtractError::Cancelled`].
    pub(crate) fn run_each(
        &self,
        source: &Source,
        invocation: &Invocation,
        patience: Patience,
        replies: &mut Replies,
        each: &mut dyn FnMut(&mut Replies) -> Tick,
        tick: &mut dyn FnMut() -> Tick,
    ) -> Result<Done, ExtractError> {
        let (size, limit) = (source.len(), invocation.limits.input_bytes);
        if size > limit {
            return Err(ExtractError::InputTooLarge { size, limit });
        }
        let mut worker =
            Worker::spawn(&self.worker, invocation, source).map_err(|error| self.unavailable(&error))?;
        let end = self.wait(&mut worker, replies, patience, &invocation.limits, each, tick);
        end.and_then(|end| replies.finish(&end)).map_err(|error| self.blame_host(replies, error))
    }

    /// Until the worker has greeted, it has not seen the file: whatever went wrong is the host's fault.
    fn blame_host(&self, replies: &Replies, error: ExtractError) -> ExtractError {
        if replies.is_greeted() || error.is_transient() {
            return error;
        }
        let reason = format!(
            "it does not speak version {} of the protocol ({error}); install the dossier-extract-worker of the same \
             release as this program",
            protocol::VERSION
        );
        ExtractError::WorkerUnavailable { path: self.worker.clone(), reason }
    }

    /// Reads the worker's replies until it exits, checking `tick` and the clock in between. Any early return
    /// drops the worker, which kills it.
    fn wait(
        &self,
        worker: &mut Worker,
        replies: &mut Replies,
        patience: Patience,
        limits: &Limits,
        each: &mut dyn FnMut(&mut Replies) -> Tick,
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
                    if each(replies) == Tick::Stop {
                        return Err(ExtractError::Cancelled);
                    }
                    reply_due = next_reply();
                }
                Event::Ended(end) => return Ok(end),
            }
        }
    }

    fn unavailable(&self, error: &io::Error) -> ExtractError {
        let advice = match error.kind() {
            io::ErrorKind::NotFound => {
                "; install dossier-extract-worker there, or set the worker path to its location"
            }
            io::ErrorKind::PermissionDenied => "; the user that runs this process must be able to execute it",
            _ => "",
        };
        ExtractError::WorkerUnavailable { path: self.worker.clone(), reason: format!("{error}{advice}") }
    }
}

/// The result of a worker, before OCR.
fn extraction(done: Done, replies: Replies) -> Extraction {
    Extraction {
        media_type: done.media_type,
        pages: replies.pages,
        metadata: done.metadata,
        language: done.language,
        needs_ocr: done.needs_ocr,
        ocr: OcrOutcome::default(),
        isolation: replies.isolation.unwrap_or_default(),
    }
}
