//! A page after OCR: what was recognized, merged with the text that the file has there.

use crate::protocol::PageSource;
use crate::recognized_text::with_own_lines;
use crate::{ExtractError, Page};
use std::time::Duration;

/// Pages that wait for OCR.
#[derive(Debug, Clone, PartialEq)]
pub struct OcrTask {
    /// The media type of the file, as it was found when its text was extracted.
    pub media_type: Option<String>,
    /// The pages as they are so far, in ascending order.
    pub pages: Vec<Page>,
    /// Whether OCR was requested for every page, whatever text it has.
    pub is_forced: bool,
    /// The main language of the pages (ISO 639-3), if the caller knows it. It is read first, if its data is installed.
    pub language: Option<String>,
    /// After this time and at least one page, OCR pauses, so that others have their turn.
    pub slice: Duration,
    /// How much of [`crate::OcrLimits::wall`] earlier slices have used.
    pub spent: Duration,
}

/// How a slice of OCR ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OcrProgress {
    /// Every page was answered.
    Finished {
        /// The language of the recognized text.
        language: Option<String>,
    },
    /// The slice is over, and pages remain.
    Paused,
}

/// A page that OCR has answered.
#[derive(Debug, Clone, PartialEq)]
pub struct RecognizedPage {
    /// The page. If it was not read, it has the text that it had before, and a reason.
    pub page: Page,
    /// Whether OCR has read it, with or without finding words.
    pub is_read: bool,
}

/// Text of lower quality is replaced by the recognized text.
const LEGIBLE: f32 = 0.5;
/// Recognized text of lower confidence is a guess. It does not replace characters that the file has.
const SURE: f32 = 0.5;

/// Replaces `old` by a recognized page. If OCR found no words, or can only guess them, the page keeps the text that the
/// file has.
pub(crate) fn merge(old: &mut Page, mut recognized: Page, is_forced: bool) {
    let asked = is_forced.then(|| "OCR was requested".to_owned());
    if is_blank(&recognized) && !is_blank(old) {
        add_reason(old, "OCR found no words");
        return;
    }
    if !is_forced && is_guess(&recognized, old) {
        add_reason(old, "OCR is unsure of the words, so the file's own characters stay");
        return;
    }
    let own_reason = recognized.reason.take();
    // The file has the exact wording of what is stamped on a scan.
    if asked.is_none()
        && old.source == PageSource::Text
        && old.quality.is_none_or(|quality| quality >= LEGIBLE)
    {
        recognized.text = with_own_lines(&old.text, &recognized.text);
    }
    recognized.reason = asked.or(old.reason.take());
    *old = recognized;
    if let Some(own_reason) = own_reason {
        add_reason(old, &own_reason);
    }
}

/// Whether the recognized text would replace a page of characters by a guess. Characters that look like no language may be
/// right all the same: a font that maps Latin letters to Greek ones shows Greek letters. OCR replaces what cannot be
/// decoded even by a guess, and adds to stamps, which are legible.
fn is_guess(recognized: &Page, old: &Page) -> bool {
    let is_unsure = recognized.confidence.is_some_and(|confidence| confidence < SURE);
    let is_illegible = old.source == PageSource::Text && old.quality.is_some_and(|quality| quality < LEGIBLE);
    let letters = |text: &str| text.chars().filter(|letter| letter.is_alphanumeric()).count();
    let lost = old.text.matches(char::REPLACEMENT_CHARACTER).count();
    let own = letters(&old.text);
    is_unsure && is_illegible && own > lost && 2 * own >= letters(&recognized.text)
}

/// Records that a page keeps the text it has, and why.
pub(crate) fn keep(page: &mut Page, error: &ExtractError) {
    add_reason(page, &format!("OCR failed: {error}"));
}

pub(crate) fn is_blank(page: &Page) -> bool {
    page.text.trim().is_empty()
}

fn add_reason(page: &mut Page, reason: &str) {
    page.reason = Some(match page.reason.take() {
        Some(first) => format!("{first}; {reason}"),
        None => reason.to_owned(),
    });
}
