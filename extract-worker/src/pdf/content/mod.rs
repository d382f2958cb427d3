//! What the content of a page draws: glyphs with their positions, and the area covered by images.

pub(in crate::pdf) mod annotations;
pub(in crate::pdf) mod characters;
mod collector;
mod doubles;
pub(in crate::pdf) mod draw_outcome;
pub(in crate::pdf) mod drawing;
pub(in crate::pdf) mod forms;
pub(in crate::pdf) mod frame;
mod glyph_cache;
pub(in crate::pdf) mod glyphs;
mod image_coverage;
pub(in crate::pdf) mod notes;
mod outlines;
mod placed_glyph;
pub(in crate::pdf) mod stamps;
mod stretches;
mod type3_sizes;

pub(in crate::pdf) use collector::Collector;
