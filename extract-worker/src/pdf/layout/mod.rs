//! From glyphs to text: lines, words, columns and reading order.

mod accents;
mod bidi;
mod columns;
mod letter_spacing;
pub(in crate::pdf) mod lines;
pub(in crate::pdf) mod reading_order;
mod spacing;
pub(in crate::pdf) mod words;
