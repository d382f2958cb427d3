//! The levels of headings: the outline's where it has the heading, otherwise one for each look, the largest first.
//!
//! Bookmarks of one level are one level, however they look, and headings that look like them join it. A look of headings with
//! section numbers of several depths is several levels.
//!
//! Invariant: a heading of the outline is never above one that the outline places higher.

use super::headings::Rank;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// Sizes that differ by less are the same.
const ONE_SIZE: f32 = 0.04;
/// Maximum number of looks. Headings of further looks are at the lowest level.
const MOST_LOOKS: usize = 200;

/// The looks of a document's headings.
#[derive(Debug, Default)]
pub(super) struct Levels {
    looks: Vec<Look>,
    classes: Vec<Class>,
}

/// Headings that look alike.
#[derive(Debug)]
struct Look {
    rank: Rank,
    /// Number of its headings at each level of the outline, from 1.
    bookmarked: [u32; 6],
    /// The depths of their section numbers.
    depths: BTreeSet<u8>,
}

impl Look {
    /// The level that most of its bookmarks have.
    fn outline(&self) -> Option<u8> {
        let most = (1..=6).rev().max_by_key(|level| self.bookmarked[usize::from(*level) - 1])?;
        (self.bookmarked[usize::from(most) - 1] > 0).then_some(most)
    }
}

/// Headings of one level, or of consecutive levels if their section numbers have several depths.
#[derive(Debug)]
struct Class {
    /// The largest look.
    rank: Rank,
    outline: Option<u8>,
    depths: BTreeSet<u8>,
}

impl Levels {
    /// Adds the headings of more pages.
    pub(super) fn add(&mut self, ranks: impl Iterator<Item = Rank>) {
        for rank in ranks {
            let known = self.looks.iter().position(|look| is_same(look.rank, rank));
            let index = known.unwrap_or(self.looks.len());
            if known.is_none() && self.looks.len() < MOST_LOOKS {
                self.looks.push(Look { rank, bookmarked: [0; 6], depths: BTreeSet::new() });
            }
            let Some(look) = self.looks.get_mut(index) else { continue };
            if let Some(level) = rank.outline {
                look.bookmarked[usize::from(level.clamp(1, 6)) - 1] += 1;
            }
            look.depths.extend(rank.depth);
        }
        self.classify();
    }

    fn classify(&mut self) {
        self.classes.clear();
        // Every bookmark's level needs a class, also where most headings of its look have another one.
        for level in 1..=6 {
            let bookmarked = self.looks.iter().filter(|look| look.bookmarked[usize::from(level) - 1] > 0);
            let largest = bookmarked.map(|look| look.rank).reduce(|largest, rank| {
                if compare(rank, largest) == Ordering::Less { rank } else { largest }
            });
            if let Some(rank) = largest {
                self.classes.push(Class { rank, outline: Some(level), depths: BTreeSet::new() });
            }
        }
        for look in self.looks.iter().filter(|look| look.outline().is_none()) {
            let class = Class { rank: look.rank, outline: None, depths: look.depths.clone() };
            let is_larger = |other: &Class| compare(class.rank, other.rank) == Ordering::Less;
            let at = self.classes.iter().position(is_larger).unwrap_or(self.classes.len());
            self.classes.insert(at, class);
        }
    }

    /// The level of a heading, from 1 to 6.
    pub(super) fn level(&self, rank: Rank) -> u8 {
        let look = self.looks.iter().find(|look| is_same(look.rank, rank));
        let outline = rank.outline.map(|level| level.clamp(1, 6)).or_else(|| look?.outline());
        let is_of = |class: &Class| match outline {
            Some(_) => class.outline == outline,
            None => class.outline.is_none() && is_same(class.rank, rank),
        };
        let mut level = 1;
        for class in &self.classes {
            if is_of(class) {
                let higher = rank.depth.map_or(0, |depth| class.depths.range(..depth).count());
                return u8::try_from(level + higher).unwrap_or(6).min(6);
            }
            level += class.depths.len().max(1);
        }
        u8::try_from(level).unwrap_or(6).min(6)
    }
}

/// The order of headings by their looks alone: the largest, boldest and most capital first.
fn compare(one: Rank, other: Rank) -> Ordering {
    let size = if (one.size - other.size).abs() < ONE_SIZE * one.size {
        Ordering::Equal
    } else {
        other.size.total_cmp(&one.size)
    };
    size.then(other.is_bold.cmp(&one.is_bold)).then(other.is_capital.cmp(&one.is_capital))
}

fn is_same(one: Rank, other: Rank) -> bool {
    (one.size - other.size).abs() < ONE_SIZE * one.size
        && one.is_bold == other.is_bold
        && one.is_capital == other.is_capital
}
