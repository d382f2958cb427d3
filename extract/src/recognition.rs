//! The second step of an extraction: other workers run OCR on pages that show images, and the recognised
//! text replaces the text that the file itself contains.
//!
//! Invariant: the text worker never waits for OCR, and a file without such pages costs nothing extra.
//! Invariant: a page on which OCR fails keeps the text it has, and its reason says why.

use crate::client::{Patience, Tick};
use crate::protocol::PageSource;
use crate::recognized_text::with_own_lines;
use crate::replies::Replies;
use crate::{
    ExtractError, Extraction, Extractor, Invocation, Limits, Ocr, OcrOutcome, Page, Recognition, Request,
    Source, Task,
};
use std::time::{Duration, Instant};

/// How many workers one file may use: every one except the last has died on a page.
const MOST_WORKERS: usize = 4;

impl Extractor {
    /// Runs OCR on the pages that `extraction` and the request call for.
    pub(crate) fn recognize(
        &self,
        source: &Source,
        request: &Request,
        extraction: &mut Extraction,
        tick: &mut dyn FnMut() -> Tick,
    ) -> Result<(), ExtractError> {
        let wanted = wanted(extraction, request.ocr);
        if wanted.is_empty() {
            return Ok(());
        }
        if request.ocr == Ocr::Never {
            extraction.ocr = OcrOutcome::NotAsked;
            return Ok(());
        }
        let limit = self.ocr.limits.pages as usize;
        let (asked, beyond) = wanted.split_at(limit.min(wanted.len()));
        let is_forced = request.ocr == Ocr::Force;
        let mut merger = Merger { extraction, is_forced, recognized: 0, trouble: None };
        self.recognize_pages(source, request, asked, &mut merger, tick)?;
        if !beyond.is_empty() && !merger.is_missing() {
            merger.give_up(beyond, ExtractError::LimitExceeded { limit: "ocr_pages" });
        }
        merger.finish(&wanted)
    }

    /// One worker reads all the pages. If it dies or hangs, we give up on the page it was reading and start
    /// another worker for the pages after it.
    fn recognize_pages(
        &self,
        source: &Source,
        request: &Request,
        mut pages: &[u32],
        merger: &mut Merger<'_>,
        tick: &mut dyn FnMut() -> Tick,
    ) -> Result<(), ExtractError> {
        let patience = Patience {
            deadline: Instant::now().checked_add(self.ocr.limits.wall),
            silence: Some(self.ocr.limits.page_time.saturating_add(GRACE)),
        };
        for _ in 0..MOST_WORKERS {
            if pages.is_empty() {
                break;
            }
            let invocation = self.recognition(request, pages, merger);
            let mut replies = Replies::new(&invocation);
            let outcome = self.run(source, &invocation, patience, &mut replies, tick);
            pages = &pages[replies.answered()..];
            replies.pages.into_iter().for_each(|page| merger.take(page));
            replies.unread.into_iter().for_each(|(page, error)| merger.give_up(&[page], error));
            match outcome {
                Ok(done) => {
                    merger.language(done.language);
                    break;
                }
                Err(error) if error.is_transient() => return Err(error),
                Err(
                    error @ (ExtractError::Crashed { .. }
                    | ExtractError::LimitExceeded { limit: "memory_bytes" | "ocr_page_time" }),
                ) if !pages.is_empty() => {
                    merger.give_up(&pages[..1], error);
                    pages = &pages[1..];
                }
                Err(error) => {
                    merger.give_up(pages, error);
                    return Ok(());
                }
            }
        }
        if !pages.is_empty() {
            merger.give_up(pages, ExtractError::Crashed { how: "too many crashes".to_owned() });
        }
        Ok(())
    }

    fn recognition(&self, request: &Request, pages: &[u32], merger: &Merger<'_>) -> Invocation {
        let settings = &self.ocr;
        let written: u64 = merger.extraction.pages.iter().map(|page| page.text.len() as u64).sum();
        Invocation {
            task: Task::Recognize(Recognition {
                pages: pages.to_vec(),
                languages: settings.languages.clone(),
                tessdata: settings.tessdata.clone(),
                page_time: settings.limits.page_time,
            }),
            request: request.clone(),
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

/// The pages that need OCR.
fn wanted(extraction: &Extraction, ocr: Ocr) -> Vec<u32> {
    if ocr == Ocr::Force && can_be_rendered(&extraction.media_type) {
        extraction.pages.iter().map(|page| page.page).collect()
    } else {
        extraction.needs_ocr.clone()
    }
}

/// Whether the worker can render files of this type as images. It reads SVG as text.
fn can_be_rendered(media_type: &str) -> bool {
    media_type == "application/pdf" || (media_type.starts_with("image/") && media_type != "image/svg+xml")
}

/// Text of lower quality is replaced by the recognized text.
const LEGIBLE: f32 = 0.5;

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
    /// Takes over a recognised page. If OCR found no words, the page keeps the text that the file has.
    fn take(&mut self, mut page: Page) {
        self.recognized += 1;
        self.extraction.needs_ocr.retain(|needs| *needs != page.page);
        let asked = self.is_forced.then(|| "OCR was requested".to_owned());
        let Some(old) = self.page(page.page) else { return };
        if is_blank(&page) && !is_blank(old) {
            add_reason(old, "OCR found no words");
            return;
        }
        let own_reason = page.reason.take();
        // The file has the exact wording of what is stamped on a scan.
        if asked.is_none()
            && old.source == PageSource::Text
            && old.quality.is_none_or(|quality| quality >= LEGIBLE)
        {
            page.text = with_own_lines(&old.text, &page.text);
        }
        page.reason = asked.or(old.reason.take());
        *old = page;
        if let Some(own_reason) = own_reason {
            add_reason(old, &own_reason);
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
                add_reason(page, &format!("OCR failed: {error}"));
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

fn is_blank(page: &Page) -> bool {
    page.text.trim().is_empty()
}

fn add_reason(page: &mut Page, reason: &str) {
    page.reason = Some(match page.reason.take() {
        Some(first) => format!("{first}; {reason}"),
        None => reason.to_owned(),
    });
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
