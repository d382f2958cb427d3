//! The running text of a document: its size, its weight and the distance of its lines.

use super::line::{Line, Look};

/// Sizes are counted in tenths of a point, up to this many.
const LARGEST: usize = 1000;
/// Minimum number of letters in a line of prose.
const PROSE: u32 = 20;
/// Maximum number of looks that are counted.
const MOST_FACES: usize = 500;
/// A larger size with this share of the most common size's letters is the running text. Footnotes may have more.
const STRONG: f32 = 0.7;
/// Strokes are bold if they are thicker than those of the running text by this factor.
const BOLDER: f32 = 1.28;
/// The factor for fonts with a bold name. A bold font of a thin family may be thinner than another plain font.
const NAMED: f32 = 0.85;

/// The usual values of a document.
#[derive(Debug, Clone)]
pub(super) struct Statistics {
    /// Number of letters of each size.
    sizes: Vec<u32>,
    faces: Vec<(Look, u32)>,
    /// Size and look of the running text.
    pub(super) body: f32,
    pub(super) look: Look,
    /// Whether almost all letters have the same width. Otherwise monospaced lines are program text.
    pub(super) is_typewritten: bool,
    /// Distances between lines in ems.
    gaps: Vec<f32>,
    leading: f32,
}

impl Default for Statistics {
    fn default() -> Self {
        Self {
            sizes: vec![0; LARGEST],
            faces: Vec::new(),
            body: 10.0,
            look: Look::default(),
            is_typewritten: false,
            gaps: Vec::new(),
            leading: 1.25,
        }
    }
}

impl Statistics {
    /// Counts the lines of a page.
    pub(super) fn count<'l>(&mut self, lines: impl Iterator<Item = &'l Line>) {
        let mut last: Option<&Line> = None;
        for line in lines {
            if let Some(last) = last
                && (last.size - line.size).abs() < 0.05 * line.size
                && (0.8..2.6).contains(&((line.v - last.v) / line.size))
                && self.gaps.len() < 50_000
                && line.letters > 20
            {
                self.gaps.push((line.v - last.v) / line.size);
            }
            // A chart has many short labels.
            let letters = if line.letters >= PROSE { line.letters } else { line.letters / 4 };
            if line.is_upright {
                self.count_letters(line.size, &line.look, letters);
            }
            last = Some(line);
        }
    }

    /// Counts letters of a size and look.
    pub(super) fn count_letters(&mut self, size: f32, look: &Look, letters: u32) {
        self.sizes[bin(size)] += letters;
        let is_full = self.faces.len() >= MOST_FACES;
        match self.faces.iter_mut().find(|(known, _)| known == look) {
            Some((_, count)) => *count += letters,
            None if is_full => {}
            None => self.faces.push((*look, letters)),
        }
    }

    /// Computes the usual values.
    pub(super) fn settle(&mut self) {
        let around =
            |at: usize| -> u32 { self.sizes[at.saturating_sub(1)..(at + 2).min(LARGEST)].iter().sum() };
        let Some(most) = (0..LARGEST).max_by_key(|at| self.sizes[*at]) else { return };
        let larger = (most + 3..(most * 3 / 2).min(LARGEST))
            .filter(|at| around(*at) as f32 > STRONG * around(most) as f32)
            .max_by_key(|at| self.sizes[*at]);
        self.body = larger.unwrap_or(most) as f32 / 10.0;
        let letters = |is_counted: fn(&Look) -> bool| -> u64 {
            let counted = self.faces.iter().filter(|(look, _)| is_counted(look));
            counted.map(|(_, count)| u64::from(*count)).sum()
        };
        self.is_typewritten = letters(|look| look.is_monospace) * 10 > letters(|_| true) * 9;
        let running = self.faces.iter().filter(|(look, _)| self.is_typewritten || !look.is_monospace);
        if let Some((look, _)) = running.max_by_key(|(_, count)| *count) {
            self.look = *look;
        }
        if !self.gaps.is_empty() {
            let middle = self.gaps.len() / 2;
            self.leading = *self.gaps.select_nth_unstable_by(middle, f32::total_cmp).1;
        }
    }

    /// The usual distance between lines of a size. Large type is set more tightly.
    pub(super) fn pitch(&self, size: f32) -> f32 {
        let leading = if size > 1.15 * self.body { self.leading.min(1.3) } else { self.leading };
        leading.max(1.1) * size
    }

    /// Whether a whole line is bolder than the running text.
    pub(super) fn is_bold(&self, line: &Line) -> bool {
        line.letters > 0 && self.is_bold_look(&line.thinnest)
    }

    pub(super) fn is_bold_look(&self, look: &Look) -> bool {
        if self.look.thickness > 0.0 && look.thickness > 0.0 {
            let ratio = look.thickness / self.look.thickness;
            return ratio > BOLDER || (look.is_named_bold && !self.look.is_named_bold && ratio > NAMED);
        }
        look.is_named_bold && !self.look.is_named_bold
    }

    /// Whether two lines have the same center.
    #[expect(clippy::unused_self, reason = "called like the other statistics")]
    pub(super) fn is_centered(&self, one: &Line, other: &Line) -> bool {
        let middle = |line: &Line| f32::midpoint(line.place.left, line.place.right);
        (middle(one) - middle(other)).abs() < 0.5 * other.size
    }
}

fn bin(size: f32) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let bin = (size * 10.0).round().clamp(0.0, (LARGEST - 1) as f32) as usize;
    bin
}
