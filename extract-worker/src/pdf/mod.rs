//! PDF text, page by page, from the engine that reads the page best.
//!
//! The first engine reads every page; a page whose text looks bad ([`quality`]) is shown to the others,
//! and the best of the readings is sent. Each page and each engine stands alone: a panic costs that
//! engine's reading of that page.
//!
//! Invariant: page numbers are the file's own; a page that nobody can read is sent empty.

mod accents;
mod bidi;
mod columns;
mod engine;
mod fonts;
mod forms;
mod glyphs;
mod hayro;
mod lines;
mod order;
mod pdf_extract;
mod placed;
mod quality;
mod spacing;
mod unicode;

use crate::input::Input;
use crate::reply::Pages;
use dossier_extract::protocol::Failure;
use dossier_extract::{Limits, PdfEngine};
use engine::{Engine, Reading};
use std::io::Write;
use std::sync::Arc;

/// Sends a PDF's pages.
pub(crate) fn read<W: Write>(
    input: Input,
    first: Option<PdfEngine>,
    limits: &Limits,
    pages: &mut Pages<W>,
) -> Result<(), Failure> {
    let mut engines = Engines::new(Arc::new(input), first);
    let count = engines.page_count()?;
    if count > limits.pages as usize {
        return Err(Failure::LimitExceeded { limit: "pages".to_owned() });
    }
    let (mut has_text, mut is_cut_off) = (false, false);
    for index in 0..count {
        let (engine, reading) = engines.best(index);
        has_text |= !reading.text.trim().is_empty();
        is_cut_off |= reading.is_cut_off;
        pages.push(engine.name(), &reading.text)?;
    }
    // An empty page has no text; one that draws itself for ever has none that can be had.
    if is_cut_off && !has_text {
        return Err(Failure::LimitExceeded { limit: "drawing".to_owned() });
    }
    Ok(())
}

/// The engines in the order they are asked, each opened when it is first needed.
struct Engines {
    input: Arc<Input>,
    slots: Vec<Slot>,
}

struct Slot {
    name: PdfEngine,
    /// `None`: not opened yet. `Some(Err)`: cannot read this file.
    engine: Option<Result<Box<dyn Engine>, Failure>>,
}

impl Engines {
    fn new(input: Arc<Input>, first: Option<PdfEngine>) -> Self {
        let rest = PdfEngine::ALL.into_iter().filter(|engine| Some(*engine) != first);
        let slots = first.into_iter().chain(rest).map(|name| Slot { name, engine: None }).collect();
        Self { input, slots }
    }

    fn open(&mut self, slot: usize) -> Result<&mut Box<dyn Engine>, &Failure> {
        let Slot { name, engine } = &mut self.slots[slot];
        let input = &self.input;
        engine.get_or_insert_with(|| engine::open(*name, input)).as_mut().map_err(|failure| &*failure)
    }

    /// The page count of the first engine that can open the file; that one then goes first.
    fn page_count(&mut self) -> Result<usize, Failure> {
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
        Err(first_failure.unwrap_or_else(|| Failure::Malformed { reason: "it has no pages".to_owned() }))
    }

    /// The best reading of a page, and whose it is.
    fn best(&mut self, index: usize) -> (PdfEngine, Reading) {
        let mut best: Option<(PdfEngine, Reading, f32)> = None;
        for slot in 0..self.slots.len() {
            let name = self.slots[slot].name;
            let Ok(engine) = self.open(slot) else { continue };
            let reading = engine.page(index);
            let good = quality::is_good(&reading);
            if good && best.is_none() {
                return (name, reading);
            }
            let score = quality::score(&reading);
            if best.as_ref().is_none_or(|(_, _, least)| score > *least) {
                best = Some((name, reading, score));
            }
            if good {
                break;
            }
        }
        best.map_or((PdfEngine::Hayro, Reading::default()), |(name, reading, _)| (name, reading))
    }
}
