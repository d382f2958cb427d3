//! Collects the glyphs of a page from hayro's drawing calls.
//!
//! Invariant: bounded. A page that draws endlessly (for example a form that draws itself twice) is stopped at
//! [`MOST_CALLS`] and keeps what it has drawn.

use super::characters::{Characters, Kind};
use super::doubles;
use super::frame::Frame;
use super::glyph_cache::GlyphCache;
use super::glyphs::{Glyph, Glyphs};
use super::placed_glyph::{self, PlacedGlyph};
use super::stretches::Stretches;
use super::type3_sizes::Type3Sizes;
use crate::pdf::content::draw_outcome::{DrawOutcome, END_OF_PAGE};
use crate::pdf::fonts::Fonts;
use crate::pdf::fonts::glyph_guesses::{self, Guesses};
use crate::pdf::fonts::styles::{PageFaces, Style};
use crate::pdf::unicode;
use hayro_interpret::font::{Glyph as Drawn, GlyphRun, PositionedGlyph};
use hayro_interpret::hayro_cmap::WritingMode;
use hayro_interpret::hayro_syntax::object::Dict;
use hayro_interpret::hayro_syntax::page::Resources;
use hayro_interpret::kurbo::{Affine, BezPath, Rect};
use hayro_interpret::{BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageDrawProps, SoftMask};

/// Maximum number of drawing calls per page. Real maps and plots make a few hundred thousand.
const MOST_CALLS: u32 = 2_000_000;
/// Maximum number of glyphs per page.
const MOST_GLYPHS: usize = 1_000_000;
/// hayro draws nested forms down to this depth and silently skips deeper ones. Each form is a clip, so the
/// depth of clips reveals this.
const DEEPEST: u32 = 50;

/// A run of at least this many glyphs is not one letter repeated.
const FEWEST_OF_ONE: usize = 8;

/// The device that hayro draws on.
pub(in crate::pdf) struct Collector<'f> {
    bounds: Rect,
    resources: &'f Resources<'f>,
    fonts: &'f mut Fonts,
    /// If set, the look of letters, rules and boxes are collected, too.
    faces: Option<&'f mut PageFaces>,
    /// The style of the open run.
    style: u16,
    glyphs: Glyphs,
    guesses: Guesses,
    calls: u32,
    clips: u32,
    is_too_deep: bool,
    /// Whether the current run is visible.
    is_visible: bool,
    type3_sizes: Type3Sizes,
    /// The last filled run. Stroking the same run again adds no text.
    filled: Option<(Affine, Affine, usize)>,
    /// Open marked content; `Some` holds its replacement text and the index of its first glyph.
    marked: Vec<Option<(String, usize)>>,
    stretches: Stretches,
    /// The last requested angle and writing mode, and their frame.
    last_frame: ((f32, bool), u16),
    /// Widths and characters, by character code.
    widths: GlyphCache<f32>,
    characters: GlyphCache<Characters>,
}

impl<'f> Collector<'f> {
    pub(in crate::pdf) fn new(
        bounds: Rect,
        resources: &'f Resources<'f>,
        fonts: &'f mut Fonts,
        faces: Option<&'f mut PageFaces>,
    ) -> Self {
        Self {
            bounds: bounds.inflate(1.0, 1.0),
            resources,
            fonts,
            faces,
            style: 0,
            glyphs: Glyphs::default(),
            guesses: Guesses::default(),
            calls: 0,
            clips: 0,
            is_too_deep: false,
            is_visible: true,
            type3_sizes: Type3Sizes::default(),
            filled: None,
            marked: Vec::new(),
            stretches: Stretches::default(),
            last_frame: ((f32::NAN, false), 0),
            widths: GlyphCache::new(),
            characters: GlyphCache::new(),
        }
    }

    pub(in crate::pdf) fn finish(mut self) -> Glyphs {
        while !self.marked.is_empty() {
            self.close_marked();
        }
        self.drop_wrong_guesses();
        self.type3_sizes.correct(&mut self.glyphs.list);
        doubles::leave_out(&mut self.glyphs);
        if self.is_too_deep && self.glyphs.end == DrawOutcome::Reached {
            self.glyphs.end = DrawOutcome::TooDeep;
        }
        self.glyphs
    }

    /// Replaces implausible guesses by the replacement character.
    fn drop_wrong_guesses(&mut self) {
        if self.guesses.is_empty() {
            return;
        }
        let mut last: Option<&Glyph> = None;
        let shown = self.glyphs.list.iter().map(|glyph| {
            let goes_on = last.is_some_and(|last| {
                let gap = glyph.u - last.end;
                last.frame == glyph.frame
                    && last.v.total_cmp(&glyph.v).is_eq()
                    && gap.abs() < 0.15 * glyph.size
            });
            last = Some(glyph);
            (glyph.characters.start(), goes_on)
        });
        let wrong = std::mem::take(&mut self.guesses).wrong(shown);
        if wrong.is_empty() {
            return;
        }
        let unknown = self.unknown();
        for glyph in &mut self.glyphs.list {
            if wrong.contains(&glyph.characters.start()) {
                glyph.characters = unknown;
            }
        }
    }

    fn unknown(&mut self) -> Characters {
        let start = self.glyphs.text.len();
        self.glyphs.text.push(char::REPLACEMENT_CHARACTER);
        Characters::since(start, &self.glyphs.text)
    }

    /// Ignores a `ToUnicode` map that maps every code of a run to the same character.
    fn forget_map(&mut self, run: &GlyphRun<'_, '_>, from: usize) {
        let shown = &self.glyphs.list[from.min(self.glyphs.list.len())..];
        let Some(first) = shown.first().filter(|_| shown.len() >= FEWEST_OF_ONE) else { return };
        let text = self.glyphs.text(first);
        if shown.len() != run.glyphs().len() || shown.iter().any(|glyph| self.glyphs.text(glyph) != text) {
            return;
        }
        let mut codes: Vec<u32> = run.glyphs().iter().map(|glyph| glyph.char_code()).collect();
        codes.sort_unstable();
        codes.dedup();
        if codes.len() < FEWEST_OF_ONE / 2 {
            return;
        }
        let unknown = self.unknown();
        for (index, glyph) in run.glyphs().iter().enumerate() {
            let named = self.fonts.name_without_map(glyph, self.resources);
            let characters = match named {
                Some(named) => self.glyphs.push(glyph, Some(named), &mut self.guesses, false),
                None => unknown,
            };
            self.glyphs.list[from + index].characters = characters;
        }
    }

    /// Adds an upright letter that the page does not draw; its width is half its height.
    pub(in crate::pdf) fn write(&mut self, u: f32, v: f32, size: f32, letter: char) {
        self.count();
        let frame = self.frame(0.0, false);
        let start = self.glyphs.text.len();
        unicode::push(&mut self.glyphs.text, letter);
        let characters = Characters::since(start, &self.glyphs.text);
        if !characters.is_empty() {
            let end = u + 0.5 * size;
            let (style, is_visible) = (self.style, true);
            self.glyphs.list.push(Glyph {
                u,
                end,
                v,
                size,
                characters,
                frame,
                style,
                run: self.calls,
                is_visible,
            });
            self.glyphs.shown += 1;
        }
    }

    /// Counts a drawing call. When the budget is exhausted, it unwinds out of the interpreter silently.
    fn count(&mut self) {
        self.calls += 1;
        if self.calls > MOST_CALLS || self.glyphs.list.len() > MOST_GLYPHS {
            self.glyphs.end = DrawOutcome::TooMuch;
            std::panic::resume_unwind(Box::new("drawing budget"));
        }
    }

    fn clip(&mut self) {
        self.count();
        self.clips += 1;
        self.is_too_deep |= self.clips >= DEEPEST;
    }

    fn run(&mut self, run: &GlyphRun<'_, '_>, transform: Affine) {
        let vertical = run.writing_mode() == WritingMode::Vertical;
        let place = |glyph: &PositionedGlyph<'_>| {
            let width = self.widths.get(self.calls, glyph.char_code(), || placed_glyph::width(glyph));
            PlacedGlyph::new(glyph, transform, width)
        };
        let mut placed: Vec<PlacedGlyph> = run.glyphs().iter().map(place).collect();
        let stretch = self.stretches.of(&placed);
        if glyph_guesses::is_of_lost_font(run.glyphs()) {
            for (glyphs, placed) in run.glyphs().chunks_exact(2).zip(placed.chunks_exact_mut(2)) {
                placed[0].width = glyph_guesses::lost_width(glyphs);
                self.glyph(&glyphs[1], &placed[0], true, stretch, vertical);
            }
            return;
        }
        for (glyph, placed) in run.glyphs().iter().zip(&placed) {
            self.glyph(glyph, placed, false, stretch, vertical);
        }
    }

    fn glyph(
        &mut self,
        glyph: &Drawn<'_>,
        placed: &PlacedGlyph,
        is_lost: bool,
        stretch: Option<f32>,
        vertical: bool,
    ) {
        let PlacedGlyph { origin, size, .. } = *placed;
        let usable = origin.is_finite() && size.is_finite() && size > 0.0 && placed.angle.is_finite();
        if !usable || !self.bounds.contains(origin) {
            return;
        }
        self.glyphs.shown += 1;
        let advance = placed.width * size * stretch.unwrap_or(placed.ratio);
        let frame = self.frame(placed.angle, vertical);
        let (u, v) = self.glyphs.frames[usize::from(frame)].turn(origin);
        // A vertical glyph hangs from its position, which hayro has already moved to its bottom left.
        let (u, end) = match placed.mirrored {
            _ if vertical => (u - 0.88 * size, u + 0.12 * size),
            true => (u - advance, u),
            false => (u, u + advance),
        };
        let characters = self.characters.get(self.calls, glyph.char_code(), || {
            let named = if is_lost {
                Some(glyph_guesses::lost(glyph))
            } else {
                self.fonts.name(glyph, self.resources)
            };
            let characters = self.glyphs.push(glyph, named, &mut self.guesses, advance <= 0.1 * size);
            if let Some(faces) = &mut self.faces {
                let face = self.glyphs.styles.get(self.style).face;
                faces.measure(face, glyph, characters.of(&self.glyphs.text));
            }
            characters
        });
        if characters.is_empty() {
            return;
        }
        // Place a mark by its ink; its origin may be on either side of its letter.
        let ink = (characters.kind == Kind::Mark).then(|| placed.ink(glyph)).flatten();
        let (u, end) = ink.map_or((u, end), |ink| {
            let middle = self.glyphs.frames[usize::from(frame)].turn(ink).0;
            (middle, middle)
        });
        if matches!(glyph, Drawn::Type3(_)) && characters.kind.is_word() {
            self.type3_sizes.note(self.glyphs.list.len(), size, advance);
        }
        let (style, is_visible) = (self.style, self.is_visible);
        self.glyphs.list.push(Glyph {
            u,
            end,
            v,
            size,
            characters,
            frame,
            style,
            run: self.calls,
            is_visible,
        });
    }

    /// Letters that are filled and then stroked are bold.
    fn thicken(&mut self) {
        let Some(run) = self.glyphs.list.last().map(|glyph| glyph.run) else { return };
        let style = Style { is_stroked: true, ..self.glyphs.styles.get(self.style) };
        let style = self.glyphs.styles.number(style);
        let glyphs = self.glyphs.list.iter_mut().rev();
        glyphs.take_while(|glyph| glyph.run == run).for_each(|glyph| glyph.style = style);
    }

    /// The index of the frame for a direction.
    fn frame(&mut self, angle: f32, vertical: bool) -> u16 {
        if self.last_frame.0 == (angle, vertical) {
            return self.last_frame.1;
        }
        let frame = Frame::new(angle, vertical);
        let known = self.glyphs.frames.iter().position(|known| *known == frame);
        let index = known.unwrap_or_else(|| {
            self.glyphs.frames.push(frame);
            self.glyphs.frames.len() - 1
        });
        self.last_frame = ((angle, vertical), u16::try_from(index).unwrap_or(0));
        self.last_frame.1
    }

    /// Ends marked content. If it has an actual text, that replaces its glyphs.
    fn close_marked(&mut self) {
        if let Some(Some((actual, from))) = self.marked.pop() {
            self.glyphs.replace(from, &actual);
        }
    }
}

impl<'a> Device<'a> for Collector<'_> {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, mode: &DrawMode) {
        self.count();
        let Some(first) = run.glyphs().first() else { return };
        let this = (props.transform, first.transform(), run.glyphs().len());
        if matches!(mode, DrawMode::Stroke(_)) && self.filled == Some(this) {
            return self.thicken();
        }
        self.filled = Some(this);
        if let Some(faces) = &mut self.faces {
            self.style = self.glyphs.styles.number(faces.style(first, &props));
        }
        self.is_visible = !matches!(mode, DrawMode::Invisible);
        let from = self.glyphs.list.len();
        self.run(run, props.transform);
        self.forget_map(run, from);
    }

    fn draw_path(&mut self, path: &BezPath, props: DrawProps<'a>, mode: &DrawMode) {
        self.count();
        if matches!(mode, DrawMode::Fill(_)) {
            self.glyphs.outlines.add(path, props.transform, self.bounds);
        }
        if self.faces.is_some() {
            self.glyphs.drawing.path(path, props.transform, mode, &props.paint);
        }
    }

    fn draw_rect(&mut self, rectangle: &Rect, props: DrawProps<'a>, mode: &DrawMode) {
        self.count();
        if self.faces.is_some() {
            self.glyphs.drawing.rectangle(*rectangle, props.transform, mode, &props.paint);
        }
    }

    fn push_clip_path(&mut self, _: &ClipPath) {
        self.clip();
    }

    fn push_clip_rect(&mut self, _: &Rect) {
        self.clip();
    }

    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {
        self.count();
    }

    fn draw_image(&mut self, image: Image<'a, '_>, props: ImageDrawProps<'a>) {
        self.count();
        let pixels = Rect::new(0.0, 0.0, image.width().into(), image.height().into());
        self.glyphs.images.add(props.transform.transform_rect_bbox(pixels), self.bounds);
    }

    fn pop_clip(&mut self) {
        self.clips = self.clips.saturating_sub(1);
    }

    fn pop_transparency_group(&mut self) {}

    fn begin_marked_content(&mut self, tag: &[u8], properties: Option<&Dict<'_>>) {
        self.count();
        if tag == END_OF_PAGE.as_bytes() {
            self.glyphs.end = DrawOutcome::Reached;
            return;
        }
        let actual = properties.and_then(unicode::actual_text);
        self.marked.push(actual.map(|text| (text, self.glyphs.list.len())));
    }

    fn end_marked_content(&mut self) {
        self.close_marked();
    }
}
