//! OCR of page images.
//!
//! Invariant: Tesseract and its data are loaded before the sandbox is entered, and the file is read after. No
//! byte of the file is in memory while paths can still be opened, and vice versa.
//! Invariant: a page that fails does not affect other pages.
//! Invariant: an image that several pages show is read once.

mod copies;
mod install;
mod tesseract;

use crate::images::page_image::{PageImages, Scan};
use crate::output::reply::{Pages, Recognized};
use copies::Copies;
use dossier_extract::protocol::Failure;
use dossier_extract::{Limits, Recognition};
pub(crate) use install::missing;
use std::io::Write;
use std::time::{Duration, Instant};
pub use tesseract::Tesseract;
use tesseract::Words;

/// Below this mean confidence the page may be rotated.
const DOUBTFUL: f32 = 0.7;
/// Below this mean confidence the words are noise, as Tesseract finds in photographs.
const NOISE: f32 = 0.3;

/// Loads Tesseract with the requested languages. Call it before entering the sandbox, while the process is
/// single-threaded.
pub fn load(recognition: &Recognition) -> Result<Tesseract, Failure> {
    let folder = install::folder(recognition)?;
    let (languages, notice) = install::languages(recognition, &folder);
    let mut tesseract = Tesseract::load(&folder, languages.as_str()).map_err(install::missing)?;
    tesseract.notice = notice;
    Ok(tesseract)
}

/// Sends a reply for each requested page.
pub(crate) fn recognize<W: Write>(
    tesseract: &mut Tesseract,
    recognition: &Recognition,
    images: &mut PageImages,
    limits: &Limits,
    pages: &mut Pages<W>,
) -> Result<(), Failure> {
    let mut copies = Copies::default();
    for page in &recognition.pages {
        let index = (*page as usize).saturating_sub(1);
        let deadline = Deadline::after(recognition.page_time);
        let outcome = images
            .scan(index, limits)
            .and_then(|scan| copies.read_once(*page, &scan, || read(tesseract, &scan, &deadline)));
        match outcome {
            Ok(recognized) => pages.push_recognized(*page, recognized)?,
            Err(failure) => pages.push_unread(*page, failure)?,
        }
    }
    Ok(())
}

/// The words of a page in any orientation.
fn read(tesseract: &mut Tesseract, scan: &Scan, deadline: &Deadline) -> Result<Recognized, Failure> {
    let mut words = tesseract.read(scan, deadline.left()?)?;
    let mut reason = tesseract.notice.clone();
    // `None` is less than any confidence.
    if words.confidence < Some(DOUBTFUL)
        && let Some(turned) = turned_upright(tesseract, scan)
        && let Ok(upright) = deadline.left().and_then(|left| tesseract.read(&turned.scan, left))
        && upright.confidence > words.confidence
    {
        words = upright;
        let turned = format!("rotated by {} degrees", turned.degrees);
        reason = Some(reason.map_or_else(|| turned.clone(), |notice| format!("{notice}; {turned}")));
    }
    if words.confidence < Some(NOISE) {
        words = Words::default();
    }
    Ok(Recognized { text: words.text, confidence: words.confidence, reason })
}

struct Turned {
    scan: Scan,
    degrees: u32,
}

/// The scan rotated upright, if Tesseract finds that it is not.
fn turned_upright(tesseract: &mut Tesseract, scan: &Scan) -> Option<Turned> {
    let degrees = tesseract.orientation(scan)?;
    let image = match degrees {
        90 => image::imageops::rotate90(&scan.image),
        180 => image::imageops::rotate180(&scan.image),
        270 => image::imageops::rotate270(&scan.image),
        _ => return None,
    };
    Some(Turned { scan: Scan { image, resolution: scan.resolution }, degrees })
}

/// The time limit of a page.
struct Deadline(Instant, Duration);

impl Deadline {
    fn after(time: Duration) -> Self {
        Self(Instant::now(), time)
    }

    fn left(&self) -> Result<Duration, Failure> {
        match self.1.checked_sub(self.0.elapsed()) {
            Some(left) if !left.is_zero() => Ok(left),
            _ => Err(out_of_time()),
        }
    }
}

fn out_of_time() -> Failure {
    Failure::LimitExceeded { limit: "ocr_page_time".to_owned() }
}
