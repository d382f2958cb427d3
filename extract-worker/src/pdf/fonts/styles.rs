//! The look of letters: their font, the thickness of its strokes, and their colour.
//!
//! Font names are unreliable, and hayro does not expose those of Type 1 fonts. The thickness of strokes is therefore
//! measured in the outlines of a few letters, as twice the area divided by the perimeter. It is compared with the thickness
//! of the document's running text.
//!
//! Invariant: the faces of a file do not depend on the order of reading. Each page lists the letters that it shows of a font
//! ([`SeenFace`]), and the file takes them from its pages in order ([`Faces::add`]).

use hayro_interpret::font::{Glyph, GlyphIdentifier};
use hayro_interpret::kurbo::{BezPath, PathEl, Point, flatten};
use hayro_interpret::{DrawProps, Paint};
use std::collections::HashMap;
use std::hash::{Hash, Hasher};

/// Number of letters of a font that are measured.
const MOST_MEASURED: usize = 10;
/// Minimum number of equally wide letters in a monospaced font.
const FEWEST_EVEN: usize = 6;
/// Maximum number of fonts that are distinguished.
const MOST_FACES: usize = 4096;
/// Maximum number of styles of a page that are distinguished.
const MOST_STYLES: usize = 1024;
/// Accuracy of flattened outlines, in thousandths of an em.
const TOLERANCE: f64 = 4.0;

/// The look of a run of letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(in crate::pdf) struct Style {
    /// Index into the faces of the page, and later into [`Faces`].
    pub(in crate::pdf) face: u16,
    /// Red, green, blue.
    pub(in crate::pdf) color: u32,
    /// Whether the filled letters are also stroked, which makes them bolder.
    pub(in crate::pdf) is_stroked: bool,
}

/// The styles of a page.
#[derive(Debug, Default)]
pub(in crate::pdf) struct Styles {
    list: Vec<Style>,
    known: HashMap<Style, u16>,
    last: u16,
}

impl Styles {
    /// The index of a style.
    pub(in crate::pdf) fn number(&mut self, style: Style) -> u16 {
        if self.list.get(usize::from(self.last)) == Some(&style) {
            return self.last;
        }
        self.last = match self.known.get(&style) {
            Some(known) => *known,
            None if self.list.len() >= MOST_STYLES => self.last,
            None => {
                self.list.push(style);
                let number = u16::try_from(self.list.len() - 1).unwrap_or(0);
                self.known.insert(style, number);
                number
            }
        };
        self.last
    }

    pub(in crate::pdf) fn get(&self, number: u16) -> Style {
        self.list.get(usize::from(number)).copied().unwrap_or_default()
    }

    /// Replaces each face of the page by that of the file.
    fn renumber(&mut self, faces: &[u16]) {
        self.known.clear();
        for style in &mut self.list {
            style.face = faces.get(usize::from(style.face)).copied().unwrap_or(0);
        }
    }
}

/// The faces of a file's fonts.
#[derive(Debug, Default)]
pub(in crate::pdf) struct Faces {
    known: HashMap<u128, u16>,
    list: Vec<Face>,
}

/// One font.
#[expect(clippy::struct_excessive_bools, reason = "independent properties")]
#[derive(Debug, Clone, Default)]
pub(in crate::pdf) struct Face {
    measured: Vec<u32>,
    thickness: f32,
    /// The width of the last measured letter, and whether all had the same.
    width: Option<f32>,
    is_even: bool,
    named_bold: bool,
    pub(in crate::pdf) italic: bool,
    monospace: bool,
}

impl Face {
    /// Thickness of strokes in ems; `None` if no letter was measured.
    pub(in crate::pdf) fn thickness(&self) -> Option<f32> {
        (!self.measured.is_empty()).then(|| self.thickness / self.measured.len() as f32)
    }

    /// Whether all letters have the same width.
    pub(in crate::pdf) fn is_monospace(&self) -> bool {
        self.monospace || (self.is_even && self.measured.len() >= FEWEST_EVEN)
    }

    /// Counts a letter, if few have been counted.
    fn measure(&mut self, letter: Letter) {
        if self.measured.len() >= MOST_MEASURED || self.measured.contains(&letter.glyph) {
            return;
        }
        self.is_even = letter.width.is_some()
            && (self.measured.is_empty() || (self.is_even && self.width == letter.width));
        self.width = letter.width;
        self.measured.push(letter.glyph);
        self.thickness += letter.thickness;
    }

    /// Whether the font has a bold name or weight.
    pub(in crate::pdf) fn is_named_bold(&self) -> bool {
        self.named_bold
    }
}

impl Faces {
    pub(in crate::pdf) fn get(&self, face: u16) -> Option<&Face> {
        self.list.get(usize::from(face))
    }

    /// Adds what the next page has seen. Its styles then name the faces of the file.
    pub(in crate::pdf) fn add(&mut self, seen: Vec<SeenFace>, styles: &mut Styles) {
        let faces: Vec<u16> = seen.into_iter().map(|seen| self.face(seen)).collect();
        styles.renumber(&faces);
    }

    fn face(&mut self, SeenFace { key, declared, letters }: SeenFace) -> u16 {
        let number = self.known.get(&key).copied().unwrap_or_else(|| {
            if self.list.len() < MOST_FACES {
                self.list.push(declared);
            }
            u16::try_from(self.list.len() - 1).unwrap_or(0)
        });
        self.known.insert(key, number);
        let face = &mut self.list[usize::from(number)];
        for letter in letters {
            face.measure(letter);
        }
        number
    }
}

/// A font that a page shows.
#[derive(Debug, Clone)]
pub(in crate::pdf) struct SeenFace {
    key: u128,
    /// What the font says of itself.
    declared: Face,
    /// The first letters of the page.
    letters: Vec<Letter>,
}

/// A measured letter.
#[derive(Debug, Clone, Copy)]
struct Letter {
    glyph: u32,
    thickness: f32,
    width: Option<f32>,
}

/// The fonts of the page that is being read.
#[derive(Debug, Default)]
pub(in crate::pdf) struct PageFaces {
    known: HashMap<u128, u16>,
    list: Vec<SeenFace>,
    /// What fonts of earlier pages say of themselves, and the measures of their letters.
    declared: HashMap<u128, Face>,
    measured: HashMap<(u128, u32), Option<Letter>>,
}

impl PageFaces {
    /// The faces of the page that has been read.
    pub(in crate::pdf) fn take(&mut self) -> Vec<SeenFace> {
        self.known.clear();
        std::mem::take(&mut self.list)
    }

    /// The style of a glyph.
    pub(in crate::pdf) fn style(&mut self, glyph: &Glyph<'_>, props: &DrawProps<'_>) -> Style {
        Style { face: self.face(glyph), color: color(&props.paint), is_stroked: false }
    }

    fn face(&mut self, glyph: &Glyph<'_>) -> u16 {
        // The glyphs of a Type 3 font are small drawings. All such fonts count as one.
        let key = match glyph {
            Glyph::Outline(outline) => program(&outline.identifier()),
            Glyph::Type3(_) => 0,
        };
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        if self.list.len() < MOST_FACES {
            let declared = self.declared.entry(key).or_insert_with(|| described(glyph)).clone();
            self.list.push(SeenFace { key, declared, letters: Vec::new() });
        }
        let face = u16::try_from(self.list.len() - 1).unwrap_or(0);
        self.known.insert(key, face);
        face
    }

    /// Measures a letter if only few letters of the font have been seen on this page.
    pub(in crate::pdf) fn measure(&mut self, face: u16, glyph: &Glyph<'_>, text: &str) {
        let Some(face) = self.list.get_mut(usize::from(face)) else { return };
        if face.letters.len() >= MOST_MEASURED || !text.starts_with(char::is_alphabetic) {
            return;
        }
        let Glyph::Outline(outline) = glyph else { return };
        let number = outline.glyph_id().to_u32();
        if face.letters.iter().any(|known| known.glyph == number) {
            return;
        }
        let measured = self.measured.entry((face.key, number)).or_insert_with(|| {
            let thickness = thickness(&outline.outline())?;
            Some(Letter { glyph: number, thickness, width: outline.advance_width() })
        });
        face.letters.extend(*measured);
    }
}

/// The properties that a font declares.
fn described(glyph: &Glyph<'_>) -> Face {
    let Glyph::Outline(outline) = glyph else { return Face::default() };
    let Some(data) = outline.font_data() else { return Face::default() };
    let name = data.postscript_name.as_deref().unwrap_or_default().to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    Face {
        named_bold: has(&["bold", "black", "heavy", "demi"])
            || data.weight.is_some_and(|weight| weight >= 600),
        italic: data.is_italic || has(&["italic", "oblique"]),
        monospace: data.is_monospace,
        ..Face::default()
    }
}

/// Red, green and blue of a paint; black for a pattern.
pub(in crate::pdf) fn color(paint: &Paint<'_>) -> u32 {
    match paint {
        Paint::Color(color) => {
            let [red, green, blue, _] = color.to_rgba().to_rgba8();
            u32::from_be_bytes([0, red, green, blue])
        }
        Paint::Pattern(_) => 0,
    }
}

/// A key of the glyph's font program: the first number that the identifier's hash writes.
fn program(identifier: &GlyphIdentifier) -> u128 {
    let mut first = First(None);
    identifier.hash(&mut first);
    first.0.unwrap_or_default()
}

/// Keeps the first 128-bit number that is hashed.
struct First(Option<u128>);

impl Hasher for First {
    fn write(&mut self, _: &[u8]) {}

    fn write_u128(&mut self, number: u128) {
        self.0.get_or_insert(number);
    }

    fn finish(&self) -> u64 {
        0
    }
}

/// Twice the area of an outline divided by its perimeter, in ems.
fn thickness(outline: &BezPath) -> Option<f32> {
    let (mut area, mut perimeter) = (0.0, 0.0);
    let (mut start, mut at) = (Point::ZERO, Point::ZERO);
    let mut line = |from: Point, to: Point| {
        area += from.x * to.y - from.y * to.x;
        perimeter += from.distance(to);
    };
    flatten(outline.elements().iter().copied(), TOLERANCE, |element| match element {
        PathEl::MoveTo(to) => {
            line(at, start);
            (start, at) = (to, to);
        }
        PathEl::LineTo(to) => {
            line(at, to);
            at = to;
        }
        _ => {
            line(at, start);
            at = start;
        }
    });
    line(at, start);
    let thickness = area.abs() / perimeter / 1000.0;
    #[expect(clippy::cast_possible_truncation, reason = "thousandths of an em")]
    (thickness.is_finite() && perimeter > 0.0).then_some(thickness as f32)
}
