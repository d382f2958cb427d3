//! What a file is, told by its bytes and never by a name.

mod format;
mod magic;
mod media_types;
mod text_kinds;

use crate::input::encoding;
use dossier_extract::Limits;
use dossier_extract::protocol::Failure;
pub(crate) use format::Format;
use format::UNKNOWN;
use media_types::from_media_type;

/// The format to read a file as that is declared to be of a media type.
///
/// Text is told apart by nothing but what it is called, so a declaration decides between kinds of text; other
/// formats are told by their bytes. A binary file that is declared to be text is no text.
pub(crate) fn declared(media_type: &str, bytes: &[u8], limits: &Limits) -> Result<Format, Failure> {
    let declared = from_media_type(media_type);
    // Mail may hold anything, and its reader refuses what has no headers.
    if declared == Format::Mail {
        return Ok(declared);
    }
    let found = detect(bytes, limits);
    let is_text = found.is_textual() || found == Format::Mail;
    let is_unknown = matches!(&found, Format::Other(found) if found == UNKNOWN);
    if declared.is_textual() {
        let found = if is_unknown { "no text" } else { found.media_type() };
        return if is_text { Ok(declared) } else { Err(not_as_declared(found, media_type)) };
    }
    let stays = match declared {
        // Nothing reads what it is called; what it is may be read.
        Format::Other(_) => is_unknown,
        // Its reader says what is wrong, or finds what is left.
        _ => is_text || matches!(found, Format::Other(_)),
    };
    Ok(if stays { declared } else { found })
}

fn not_as_declared(found: &str, declared: &str) -> Failure {
    Failure::Malformed { reason: format!("it is declared to be {declared}, and is {found}") }
}

/// What the bytes are.
pub(crate) fn detect(bytes: &[u8], limits: &Limits) -> Format {
    if bytes.is_empty() {
        return Format::Text;
    }
    if let Some(format) = magic::binary(bytes, limits) {
        return format;
    }
    match encoding::decode_if_text(bytes) {
        Some(decoded) => text_kinds::detect(&decoded),
        None => Format::Other(UNKNOWN.to_owned()),
    }
}
