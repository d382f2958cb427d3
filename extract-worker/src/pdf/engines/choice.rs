//! Chooses the engine for each page.
//!
//! The first engine reads every page. If the text looks bad ([`Quality`]), the other engine reads the page as
//! well, and the better reading is used. Pages and engines are independent: after a panic only that engine's
//! reading of that page is lost.

use super::engine::{Engine, Reading, malformed};
use super::quality::Quality;
use super::{hayro, pdf_extract};
use crate::input::Input;
use crate::pdf::content::draw_outcome::DrawOutcome;
use crate::pdf::content::notes::Note;
use crate::pdf::structure::Layout;
use crate::sandbox::Crew;
use dossier_extract::protocol::Failure;
use dossier_extract::{Metadata, PageStructure, PdfEngine};
use std::sync::Arc;

/// After this many pages without an improvement, a second engine is no longer tried.
const MOST_IN_VAIN: u32 = 16;

/// The engines in the order in which they are tried. Each is opened when it is first needed.
pub(in crate::pdf) struct Engines {
    input: Arc<Input>,
    /// Whether the layout of pages is needed for their structure.
    needs_layout: bool,
    slots: Vec<Slot>,
}

struct Slot {
    name: PdfEngine,
    /// `None` if it has not been opened; `Some(Err)` if it cannot read this file.
    engine: Option<Result<Box<dyn Engine>, Failure>>,
    in_vain: u32,
}

/// A page to send.
pub(in crate::pdf) struct Routed {
    pub(in crate::pdf) engine: PdfEngine,
    pub(in crate::pdf) text: String,
    /// Comments on the page, which follow its text.
    pub(in crate::pdf) notes: Vec<Note>,
    /// `None` for a page without text.
    pub(in crate::pdf) quality: Option<f32>,
    pub(in crate::pdf) reason: String,
    pub(in crate::pdf) needs_ocr: bool,
    /// Whether the page draws endlessly.
    pub(in crate::pdf) is_endless: bool,
    /// The layout of the page, if it is needed and the engine provides it.
    pub(in crate::pdf) layout: Option<Layout>,
    /// What was detected on the page, once that is decided.
    pub(in crate::pdf) structure: Option<PageStructure>,
}

impl Engines {
    pub(in crate::pdf) fn new(input: Arc<Input>, first: Option<PdfEngine>, needs_layout: bool) -> Self {
        let rest = PdfEngine::ALL.into_iter().filter(|engine| Some(*engine) != first);
        let slot = |name| Slot { name, engine: None, in_vain: 0 };
        Self { input, needs_layout, slots: first.into_iter().chain(rest).map(slot).collect() }
    }

    fn open(&mut self, slot: usize) -> Result<&mut Box<dyn Engine>, &Failure> {
        let Slot { name, engine, .. } = &mut self.slots[slot];
        let (input, needs_layout) = (&self.input, self.needs_layout);
        engine.get_or_insert_with(|| open(*name, input, needs_layout)).as_mut().map_err(|failure| &*failure)
    }

    /// The page count of the first engine that can open the file. That engine then becomes the first.
    pub(in crate::pdf) fn page_count(&mut self) -> Result<usize, Failure> {
        let mut first_failure = None;
        for slot in 0..self.slots.len() {
            match self.open(slot).map(|engine| engine.page_count()) {
                Ok(0) => {}
                Ok(count) => {
                    self.slots.swap(0, slot);
                    return Ok(count);
                }
                Err(Failure::Encrypted) => return Err(Failure::Encrypted),
                Err(failure) => drop(first_failure.get_or_insert_with(|| failure.clone())),
            }
        }
        Err(first_failure.unwrap_or_else(|| malformed("it contains no pages")))
    }

    /// The file's metadata from the first engine.
    pub(in crate::pdf) fn metadata(&mut self) -> Metadata {
        self.open(0).map(|engine| engine.metadata()).unwrap_or_default()
    }

    /// Announces that every page will be read, in order.
    pub(in crate::pdf) fn read_ahead(&mut self, crew: &Crew) {
        if let Ok(engine) = self.open(0) {
            engine.read_ahead(crew);
        }
    }

    /// The best reading of a page.
    pub(in crate::pdf) fn read(&mut self, index: usize) -> Routed {
        let mut best: Option<Candidate> = None;
        let mut said = Vec::new();
        for slot in 0..self.slots.len() {
            let (name, in_vain) = (self.slots[slot].name, self.slots[slot].in_vain);
            let Ok(engine) = self.open(slot) else { continue };
            if in_vain > MOST_IN_VAIN {
                continue;
            }
            let candidate = Candidate::new(name, engine.page(index));
            let is_good = candidate.quality.is_good();
            said.push(candidate.says());
            match &best {
                Some(best) if !candidate.quality.beats(&best.quality) => {
                    self.slots[slot].in_vain += 1;
                }
                _ => best = Some(candidate.after(best)),
            }
            if is_good || best.as_ref().is_some_and(Candidate::is_endless) {
                break;
            }
        }
        best.map_or_else(Routed::unread, |best| best.routed(&said))
    }
}

/// One engine's reading of a page, and its quality.
struct Candidate {
    engine: PdfEngine,
    reading: Reading,
    quality: Quality,
}

impl Candidate {
    fn new(engine: PdfEngine, reading: Reading) -> Self {
        Self { engine, quality: Quality::of(&reading), reading }
    }

    /// Takes over what another engine has seen on the page, because it is the same page.
    fn after(mut self, other: Option<Self>) -> Self {
        if let Some(other) = other {
            self.reading.seen = self.reading.seen.or(other.reading.seen);
            self.reading.notes = other.reading.notes;
        }
        self
    }

    /// Whether the page draws endlessly. Not every engine would return from that.
    fn is_endless(&self) -> bool {
        self.reading.seen.is_some_and(|seen| matches!(seen.end, DrawOutcome::TooDeep | DrawOutcome::TooMuch))
    }

    fn says(&self) -> String {
        format!("{}: {}", self.engine.name(), self.quality.says())
    }

    fn routed(self, said: &[String]) -> Routed {
        let quality = self.quality;
        let end = self.reading.seen.map_or(DrawOutcome::Reached, |seen| seen.end);
        // If there was no choice, the name of the engine is redundant.
        let mut reason = if said.len() > 1 { said.join("; ") } else { quality.says() };
        if let Some(cut) = end.says() {
            reason = format!("{reason}; {cut}");
        }
        Routed {
            engine: self.engine,
            quality: (!quality.is_empty()).then(|| quality.score()),
            // Another engine may have seen what this one cannot see.
            needs_ocr: if said.len() > 1 { Quality::of(&self.reading) } else { quality }.needs_ocr(),
            is_endless: self.is_endless(),
            text: self.reading.text,
            layout: self.reading.layout,
            structure: None,
            notes: self.reading.notes,
            reason,
        }
    }
}

impl Routed {
    fn unread() -> Self {
        Self {
            engine: PdfEngine::Hayro,
            text: String::new(),
            notes: Vec::new(),
            quality: None,
            reason: "no engine can read the page".to_owned(),
            needs_ocr: false,
            is_endless: false,
            layout: None,
            structure: None,
        }
    }
}

/// Opens the file with that engine.
fn open(name: PdfEngine, input: &Arc<Input>, needs_layout: bool) -> Result<Box<dyn Engine>, Failure> {
    match name {
        PdfEngine::Hayro => hayro::open(input, needs_layout),
        PdfEngine::PdfExtract => pdf_extract::open(input),
    }
}
