//! Detects the format of a file from its bytes, never from its name.

mod format;
mod magic;
mod media_types;
mod text_kinds;

use crate::formats::mail;
use crate::input::charset::Charset;
use crate::input::encoding;
use dossier_extract::Limits;
use dossier_extract::protocol::Failure;
pub(crate) use format::Format;
use format::UNKNOWN;
use media_types::from_media_type;

/// The format to read a file as, given the media type that was declared for it.
///
/// The declaration decides between kinds of text, because nothing in the bytes does. All other formats are
/// detected from the bytes. A binary file is rejected if it is declared as text.
pub(crate) fn declared(media_type: &str, bytes: &[u8], limits: &Limits) -> Result<Format, Failure> {
    let declared = from_media_type(media_type);
    // Mail can contain anything. Its reader rejects files without headers.
    if declared == Format::Mail {
        return Ok(declared);
    }
    let found = detect(bytes, limits);
    let is_text = found.is_textual() || found == Format::Mail;
    let is_unknown = matches!(&found, Format::Other(found) if found == UNKNOWN);
    if declared.is_textual() {
        // XML in which a program has stored a document.
        if matches!(found, Format::Odt | Format::Ods | Format::Odp) && !bytes.starts_with(b"PK") {
            return Ok(found);
        }
        // Some encodings look like binary data to everyone who does not know their name.
        let charset = Charset::of_media_type(media_type).filter(|_| is_unknown);
        let is_text =
            is_text || charset.is_some_and(|said| encoding::decode_said(bytes, Some(said)).is_some());
        let found = if is_unknown { "binary data" } else { found.media_type() };
        return if is_text { Ok(declared) } else { Err(not_as_declared(found, media_type)) };
    }
    let stays = match declared {
        // There is no reader for the declared type, but there may be one for the detected type.
        Format::Other(_) => is_unknown,
        // The reader reports the damage, or recovers what it can.
        _ => is_text || matches!(found, Format::Other(_)),
    };
    Ok(if stays { declared } else { found })
}

fn not_as_declared(found: &str, declared: &str) -> Failure {
    Failure::Malformed { reason: format!("it was declared as {declared}, but contains {found}") }
}

/// The kind of a text that has no declared type.
pub(crate) fn detect_text(text: &str) -> Format {
    text_kinds::detect(text)
}

/// The format of these bytes.
pub(crate) fn detect(bytes: &[u8], limits: &Limits) -> Format {
    if bytes.is_empty() {
        return Format::Text;
    }
    if let Some(format) = magic::binary(bytes, limits) {
        return format;
    }
    // The parts of a mail may have different encodings, but its headers show what it is.
    if mail::is_mail(bytes) {
        return Format::Mail;
    }
    match encoding::decode_if_text(bytes) {
        Some(decoded) => text_kinds::detect(&decoded),
        None => Format::Other(UNKNOWN.to_owned()),
    }
}
