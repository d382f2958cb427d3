//! OCR, the second step of an extraction, at once or later: other workers run OCR on pages that show images, and the recognised
//! text replaces the text that the file itself contains.
//!
//! Invariant: the text worker never waits for OCR, and a file without such pages costs nothing extra.
//! Invariant: a page on which OCR fails keeps the text it has, and its reason says why.

use crate::client::{Patience, Tick};
use crate::ocr_slice::Slice;
use crate::recognized_page::{OcrProgress, OcrTask, RecognizedPage, is_blank, keep, merge};
use crate::replies::Replies;
use crate::{
    ExtractError, Extraction, Extractor, Invocation, Languages, Limits, Ocr, OcrOutcome, Page, Recognition,
    Request, Source, Task,
};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How many workers one file may use: every one except the last has died on a page.
const MOST_WORKERS: usize = 4;

/// What is read, and until when.
struct Reading<'a> {
    source: &'a Source,
    request: &'a Request,
    /// See [`OcrTask::language`].
    language: Option<String>,
    deadline: Option<Instant>,
}

/// What OCR says about pages.
enum Answer {
    Read(Page),
    /// These pages keep the text they have.
    GivenUp(Vec<u32>, ExtractError),
}

impl Extractor {
    /// Runs OCR on pages for one slice of time, and calls `each` for every page as soon as it is finished. [`Tick::Stop`] from
    /// `each` or `tick` ends it with [`ExtractError::Cancelled`]; further pages can be read later.
    ///
    /// [`ExtractError::NeedsOcr`]: OCR is not available on this machine. If not a single page can be read, the error is that of
    /// the first one.
    pub fn recognize(
        &self,
        source: &Source,
        task: OcrTask,
        mut each: impl FnMut(RecognizedPage) -> Tick,
        mut tick: impl FnMut() -> Tick,
    ) -> Result<OcrProgress, ExtractError> {
        let OcrTask { media_type, pages, is_forced, language, slice, spent } = task;
        let slice = Slice::new(slice, pages.len());
        let numbers: Vec<u32> = pages.iter().map(|page| page.page).collect();
        let written = pages.iter().map(|page| page.text.len() as u64).sum();
        let mut waiting: BTreeMap<u32, Page> = pages.into_iter().map(|page| (page.page, page)).collect();
        let (mut missing, mut trouble, mut recognized_any) = (None, None, false);
        let mut each = |page| {
            slice.answer();
            each(page)
        };
        let mut take = |answer| match answer {
            Answer::Read(recognized) => {
                recognized_any = true;
                let Some(mut page) = waiting.remove(&recognized.page) else { return Tick::Continue };
                merge(&mut page, recognized, is_forced);
                each(RecognizedPage { page, is_read: true })
            }
            Answer::GivenUp(_, error @ ExtractError::NeedsOcr { .. }) => {
                missing = Some(error);
                Tick::Stop
            }
            Answer::GivenUp(numbers, error) => {
                for number in numbers {
                    let Some(mut page) = waiting.remove(&number) else { continue };
                    keep(&mut page, &error);
                    if each(RecognizedPage { page, is_read: false }) == Tick::Stop {
                        return Tick::Stop;
                    }
                }
                trouble.get_or_insert(error);
                Tick::Continue
            }
        };
        let request = Request { media_type, ..Request::default() };
        let left = self.ocr.limits.wall.saturating_sub(spent);
        let deadline = Instant::now().checked_add(left.max(SHORTEST));
        let job = Reading { source, request: &request, language, deadline };
        let mut tick = || if slice.is_over() { Tick::Stop } else { tick() };
        let outcome = if left.is_zero() {
            let limits = Limits { wall: self.ocr.limits.wall, ..self.limits };
            take(Answer::GivenUp(numbers, ExtractError::Timeout { limits }));
            Ok(None)
        } else {
            self.read_pages(&job, &numbers, written, &mut take, &mut tick)
        };
        match (missing, trouble) {
            (Some(error), _) => Err(error),
            (None, Some(error)) if outcome.is_ok() && !recognized_any => Err(error),
            (None, _) => match outcome {
                Err(ExtractError::Cancelled) if slice.has_ended() => Ok(OcrProgress::Paused),
                outcome => outcome.map(|language| OcrProgress::Finished { language }),
            },
        }
    }

    /// Which of `count` pages OCR should read.
    pub(crate) fn plan_ocr(&self, extraction: &Extraction, count: usize, ocr: Ocr) -> OcrOutcome {
        let mut pages = wanted(extraction, count, ocr);
        if pages.is_empty() {
            return OcrOutcome::NotNeeded;
        }
        if ocr == Ocr::Never {
            return OcrOutcome::NotAsked;
        }
        let limit = self.ocr.limits.pages as usize;
        let beyond = pages.split_off(limit.min(pages.len()));
        let reason = (!beyond.is_empty()).then(|| BEYOND.to_string());
        OcrOutcome::Pending { pages, beyond, reason }
    }

    /// Runs OCR on the pages that `extraction` and the request call for.
    pub(crate) fn recognize_all(
        &self,
        source: &Source,
        request: &Request,
        extraction: &mut Extraction,
        tick: &mut dyn FnMut() -> Tick,
    ) -> Result<(), ExtractError> {
        let (pages, beyond) = match self.plan_ocr(extraction, extraction.pages.len(), request.ocr) {
            OcrOutcome::Pending { pages, beyond, .. } => (pages, beyond),
            outcome => {
                extraction.ocr = outcome;
                return Ok(());
            }
        };
        let written = extraction.pages.iter().map(|page| page.text.len() as u64).sum();
        let is_forced = request.ocr == Ocr::Force;
        let mut merger = Merger { extraction, is_forced, recognized: 0, trouble: None };
        let mut take = |answer| {
            merger.take(answer);
            Tick::Continue
        };
        let deadline = Instant::now().checked_add(self.ocr.limits.wall);
        let job = Reading { source, request, language: None, deadline };
        let language = self.read_pages(&job, &pages, written, &mut take, tick)?;
        merger.language(language);
        if !beyond.is_empty() && !merger.is_missing() {
            merger.give_up(&beyond, BEYOND);
        }
        let wanted: Vec<u32> = pages.into_iter().chain(beyond).collect();
        merger.finish(&wanted)
    }

    /// One worker reads all the pages. If it dies or hangs, we give up on the page it was reading and start
    /// another worker for the pages after it.
    fn read_pages(
        &self,
        job: &Reading<'_>,
        mut pages: &[u32],
        mut written: u64,
        take: &mut dyn FnMut(Answer) -> Tick,
        tick: &mut dyn FnMut() -> Tick,
    ) -> Result<Option<String>, ExtractError> {
        let patience = Patience {
            deadline: job.deadline,
            silence: Some(self.ocr.limits.page_time.saturating_add(GRACE)),
        };
        for _ in 0..MOST_WORKERS {
            if pages.is_empty() {
                return Ok(None);
            }
            let invocation = self.recognition(job, pages, written);
            let mut replies = Replies::new(&invocation);
            let mut deliver = |replies: &mut Replies| {
                for page in replies.pages.drain(..) {
                    written += page.text.len() as u64;
                    if take(Answer::Read(page)) == Tick::Stop {
                        return Tick::Stop;
                    }
                }
                let unread = replies.unread.drain(..);
                unread
                    .map(|(page, error)| take(Answer::GivenUp(vec![page], error)))
                    .fold(Tick::Continue, either)
            };
            let outcome = self.run_each(job.source, &invocation, patience, &mut replies, &mut deliver, tick);
            // What arrived together with the violation that ended it.
            if deliver(&mut replies) == Tick::Stop {
                return Err(ExtractError::Cancelled);
            }
            pages = &pages[replies.answered()..];
            match outcome {
                Ok(done) => return Ok(done.language),
                Err(error) if error.is_transient() => return Err(error),
                Err(
                    error @ (ExtractError::Crashed { .. }
                    | ExtractError::LimitExceeded { limit: "memory_bytes" | "ocr_page_time" }),
                ) if !pages.is_empty() => {
                    if take(Answer::GivenUp(vec![pages[0]], error)) == Tick::Stop {
                        return Err(ExtractError::Cancelled);
                    }
                    pages = &pages[1..];
                }
                Err(error) => {
                    take(Answer::GivenUp(pages.to_vec(), error));
                    return Ok(None);
                }
            }
        }
        if !pages.is_empty() {
            let error = ExtractError::Crashed { how: "too many crashes".to_owned() };
            take(Answer::GivenUp(pages.to_vec(), error));
        }
        Ok(None)
    }

    fn recognition(&self, job: &Reading<'_>, pages: &[u32], written: u64) -> Invocation {
        let settings = &self.ocr;
        Invocation {
            task: Task::Recognize(Recognition {
                pages: pages.to_vec(),
                languages: settings.languages.clone(),
                preferred: job.language.as_deref().and_then(Languages::of_text),
                tessdata: settings.tessdata.clone(),
                page_time: settings.limits.page_time,
            }),
            request: job.request.clone(),
            limits: Limits {
                output_bytes: self.limits.output_bytes.saturating_sub(written),
                memory_bytes: settings.limits.memory_bytes,
                cpu_seconds: settings.limits.cpu_seconds,
                wall: settings.limits.wall,
                ..self.limits
            },
            sandbox: self.sandbox,
        }
    }
}

/// How much longer than a page's time a worker gets to start, to render the page and to report a timeout
/// itself. After that the worker is killed and the page is given up.
const GRACE: Duration = Duration::from_secs(10);

/// The least time for a slice: in less, a worker may not even have started.
const SHORTEST: Duration = Duration::from_secs(1);

/// Why OCR does not read further pages.
const BEYOND: ExtractError = ExtractError::LimitExceeded { limit: "ocr_pages" };

/// The pages that need OCR.
fn wanted(extraction: &Extraction, count: usize, ocr: Ocr) -> Vec<u32> {
    if ocr == Ocr::Force && can_be_rendered(&extraction.media_type) {
        (1..=u32::try_from(count).unwrap_or(u32::MAX)).collect()
    } else {
        extraction.needs_ocr.clone()
    }
}

/// Whether the worker can render files of this type as images. It reads SVG as text.
fn can_be_rendered(media_type: &str) -> bool {
    media_type == "application/pdf" || (media_type.starts_with("image/") && media_type != "image/svg+xml")
}

/// Merges recognised pages into the extraction.
struct Merger<'e> {
    extraction: &'e mut Extraction,
    /// Whether OCR was requested for every page, whatever text it has.
    is_forced: bool,
    recognized: u32,
    /// The first thing that went wrong.
    trouble: Option<ExtractError>,
}

impl Merger<'_> {
    fn take(&mut self, answer: Answer) {
        match answer {
            Answer::Read(page) => {
                self.recognized += 1;
                self.extraction.needs_ocr.retain(|needs| *needs != page.page);
                let is_forced = self.is_forced;
                if let Some(old) = self.page(page.page) {
                    merge(old, page, is_forced);
                }
            }
            Answer::GivenUp(pages, error) => self.give_up(&pages, error),
        }
    }

    /// Sets the language of the recognised text, unless the file's own text already determined it.
    fn language(&mut self, language: Option<String>) {
        let known = &mut self.extraction.language;
        *known = known.take().or(language);
    }

    /// Records that these pages keep the text they have, and why.
    fn give_up(&mut self, pages: &[u32], error: ExtractError) {
        for number in pages {
            if let Some(page) = self.page(*number) {
                keep(page, &error);
            }
        }
        self.trouble.get_or_insert(error);
    }

    fn page(&mut self, number: u32) -> Option<&mut Page> {
        self.extraction.pages.get_mut((number as usize).checked_sub(1)?)
    }

    fn is_missing(&self) -> bool {
        matches!(self.trouble, Some(ExtractError::NeedsOcr { .. }))
    }

    /// Sets the outcome. An extraction with neither text nor a recognised page fails with the OCR error.
    fn finish(self, wanted: &[u32]) -> Result<(), ExtractError> {
        let has_text = !self.extraction.pages.iter().all(is_blank);
        let pages = self.recognized;
        let Some(error) = self.trouble else {
            self.extraction.ocr = OcrOutcome::Complete { pages };
            return Ok(());
        };
        if !has_text && pages == 0 {
            return Err(match error {
                ExtractError::NeedsOcr { reason } => {
                    ExtractError::NeedsOcr { reason: format!("{}: {reason}", listed(wanted)) }
                }
                other => other,
            });
        }
        self.extraction.ocr = match error {
            ExtractError::NeedsOcr { reason } => OcrOutcome::Missing { reason },
            other => OcrOutcome::Incomplete { pages, reason: other.to_string() },
        };
        Ok(())
    }
}

fn either(a: Tick, b: Tick) -> Tick {
    if a == Tick::Stop { a } else { b }
}

/// `page 3`, `pages 1, 3 and 17 more`.
fn listed(pages: &[u32]) -> String {
    const NAMED: usize = 5;
    let named: Vec<String> = pages.iter().take(NAMED).map(u32::to_string).collect();
    let plural = if pages.len() == 1 { "" } else { "s" };
    let more = pages.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("page{plural} {}{more}", named.join(", "))
}
