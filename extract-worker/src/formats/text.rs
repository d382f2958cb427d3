//! Plain text.

use crate::input::encoding;
use crate::output::pagination::Cut;
use crate::output::reply::Pages;
use dossier_extract::protocol::Failure;
use std::io::Write;

/// Sends a text file; a form feed ends a page (RFCs, `pr`), and long texts are cut.
pub(crate) fn read<W: Write>(bytes: &[u8], pages: &mut Pages<W>) -> Result<(), Failure> {
    let text = encoding::decode(bytes)?;
    pages.push_long("text", &text, Cut::BetweenWords)
}
