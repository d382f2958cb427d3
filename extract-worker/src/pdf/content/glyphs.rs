//! The glyphs that a page draws, with their characters, positions, sizes and directions.

use super::characters::{Characters, Kind};
use super::drawing::Drawing;
use super::frame::Frame;
use super::image_coverage::Coverage;
use super::outlines::Outlines;
use super::placed_glyph::{is_blank, unknown};
use crate::pdf::content::draw_outcome::DrawOutcome;
use crate::pdf::fonts::Named;
use crate::pdf::fonts::glyph_guesses::Guesses;
use crate::pdf::fonts::styles::Styles;
use crate::pdf::unicode;
use hayro_interpret::font::Glyph as Drawn;
use hayro_interpret::hayro_cmap::BfString;

/// One glyph. Coordinates are in the frame of its direction: `u` runs along the text, `v` from line to line.
#[derive(Debug, Clone, Copy)]
pub(in crate::pdf) struct Glyph {
    /// Its start, and the start of the next glyph.
    pub(in crate::pdf) u: f32,
    pub(in crate::pdf) end: f32,
    /// Its baseline.
    pub(in crate::pdf) v: f32,
    /// Font size on the page.
    pub(in crate::pdf) size: f32,
    pub(super) characters: Characters,
    /// Index into [`Glyphs::frames`].
    pub(in crate::pdf) frame: u16,
    /// Index into [`Glyphs::styles`].
    pub(in crate::pdf) style: u16,
    /// The drawing call that showed it.
    pub(in crate::pdf) run: u32,
    /// Whether it is visible. The text layer that OCR adds to a scan is not.
    pub(super) is_visible: bool,
}

impl Glyph {
    pub(in crate::pdf) fn middle(&self) -> f32 {
        f32::midpoint(self.u, self.end)
    }

    pub(in crate::pdf) fn kind(&self) -> Kind {
        self.characters.kind
    }

    pub(in crate::pdf) fn is_space(&self) -> bool {
        self.characters.kind == Kind::Space
    }
}

/// All glyphs of a page in drawing order.
#[derive(Debug, Default)]
pub(in crate::pdf) struct Glyphs {
    pub(in crate::pdf) list: Vec<Glyph>,
    pub(super) text: String,
    /// The directions in which text runs.
    pub(in crate::pdf) frames: Vec<Frame>,
    /// Number of drawn glyphs, decoded or not.
    pub(in crate::pdf) shown: usize,
    /// Whether the page was drawn completely, and if not, why.
    pub(in crate::pdf) end: DrawOutcome,
    /// The part of the page that images cover.
    pub(in crate::pdf) images: Coverage,
    /// The look of letters, and the rules and boxes. Only collected for Markdown.
    pub(in crate::pdf) styles: Styles,
    pub(in crate::pdf) drawing: Drawing,
    /// Shapes that may be letters.
    pub(in crate::pdf) outlines: Outlines,
}

impl Glyphs {
    pub(in crate::pdf) fn text(&self, glyph: &Glyph) -> &str {
        glyph.characters.of(&self.text)
    }

    /// Adds the characters of a glyph.
    pub(super) fn push(
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
            let character = unknown(glyph);
            // A blank without width is not a space but, for example, a kerning mark between letters.
            if (character != ' ' || !has_no_width) && !unicode::push(&mut self.text, character) {
                self.text.push(char::REPLACEMENT_CHARACTER);
            }
            // Codes usually are characters, but a font may have codes of its own.
            if !matches!(character, ' ' | char::REPLACEMENT_CHARACTER | '\u{fb00}'..='\u{fb04}') {
                guesses.add(start, glyph, character);
            }
        }
        // An invisible soft hyphen is not a hyphen.
        if self.text[start..] == *"\u{ad}" && is_blank(glyph) {
            self.text.truncate(start);
        }
        Characters::since(start, &self.text)
    }

    /// Replaces the glyphs from an index on by the text that they stand for.
    pub(super) fn replace(&mut self, from: usize, actual: &str) {
        let Some((first, rest)) = self.list.get(from..).and_then(<[Glyph]>::split_first) else {
            return;
        };
        let mut whole = *first;
        // A text over several lines cannot be placed, so the characters of the glyphs stay.
        let apart = |glyph: &Glyph| glyph.frame != whole.frame || (glyph.v - whole.v).abs() > whole.size;
        if rest.iter().any(apart) || actual.chars().count() > 4 * (rest.len() + 1) + 8 {
            return;
        }
        for glyph in rest {
            whole.u = whole.u.min(glyph.u);
            whole.end = whole.end.max(glyph.end);
        }
        let start = self.text.len();
        for character in actual.chars() {
            unicode::push(&mut self.text, character);
        }
        whole.characters = Characters::since(start, &self.text);
        self.list.truncate(from);
        if !whole.characters.is_empty() {
            self.list.push(whole);
        }
    }
}
