//! The glyphs that a page draws: which characters, where, how large, in which direction.

mod collector;

use super::characters::{Characters, Kind};
use super::end::End;
use super::fonts::Named;
use super::frame::Frame;
use super::guesses::Guesses;
use super::pictures::Coverage;
use super::placed::unknown;
use super::unicode;
pub(super) use collector::Collector;
use hayro_interpret::font::Glyph as Drawn;
use hayro_interpret::hayro_cmap::BfString;

/// One glyph. Coordinates are in the frame of its direction: `u` runs along the text, `v` from line to line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Glyph {
    /// Where it starts, and where the next would.
    pub(super) u: f32,
    pub(super) end: f32,
    /// Its baseline.
    pub(super) v: f32,
    /// Font size on the page.
    pub(super) size: f32,
    characters: Characters,
    /// Index into [`Glyphs::frames`].
    pub(super) frame: u16,
    /// Which drawing call showed it.
    pub(super) run: u32,
}

impl Glyph {
    pub(super) fn middle(&self) -> f32 {
        f32::midpoint(self.u, self.end)
    }

    pub(super) fn kind(&self) -> Kind {
        self.characters.kind
    }

    pub(super) fn is_space(&self) -> bool {
        self.characters.kind == Kind::Space
    }
}

/// All glyphs of a page, in the order in which they are drawn.
#[derive(Debug, Default)]
pub(super) struct Glyphs {
    pub(super) list: Vec<Glyph>,
    text: String,
    /// The directions in which text runs.
    pub(super) frames: Vec<Frame>,
    /// Glyphs that are drawn, known or not.
    pub(super) shown: usize,
    /// Whether the page was drawn to its end, and what kept it from that.
    pub(super) end: End,
    /// The part of the page that pictures cover.
    pub(super) pictures: Coverage,
}

impl Glyphs {
    pub(super) fn text(&self, glyph: &Glyph) -> &str {
        glyph.characters.of(&self.text)
    }

    /// Adds the characters of a glyph.
    fn push(
        &mut self,
        glyph: &Drawn<'_>,
        named: Option<Named>,
        guesses: &mut Guesses,
        has_no_width: bool,
    ) -> Characters {
        let start = self.text.len();
        let known = match named {
            Some(Named::Surely(BfString::Char(character))) => unicode::push(&mut self.text, character),
            Some(Named::Surely(BfString::String(string))) => {
                string.chars().fold(false, |known, c| unicode::push(&mut self.text, c) | known)
            }
            Some(Named::Perhaps(character)) => {
                guesses.add(start, glyph, character);
                self.text.push(character);
                true
            }
            None => false,
        };
        if !known {
            // A blank without width is a mark between letters, of kerning for example.
            self.text.extend(Some(unknown(glyph)).filter(|c| *c != ' ' || !has_no_width));
        }
        Characters::since(start, &self.text)
    }
}
