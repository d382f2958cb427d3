//! Plain text.

use crate::input::charset::Charset;
use crate::input::encoding;
use crate::output::pagination::Cut;
use crate::output::reply::Pages;
use dossier_extract::protocol::Failure;
use std::io::Write;

/// Sends a text file. A form feed ends a page (as in RFCs and `pr` output), and long texts are split.
pub(crate) fn read<W: Write>(
    bytes: &[u8],
    said: Option<Charset>,
    pages: &mut Pages<W>,
) -> Result<(), Failure> {
    let text = encoding::decode(bytes, said.or_else(|| encoding::said_by_xml(bytes)))?;
    pages.push_long("text", &text, Cut::BetweenWords)
}
