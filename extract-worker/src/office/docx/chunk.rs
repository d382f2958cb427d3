//! Alternative chunks: documents in other formats, embedded in the text of a document by programs that merge files or
//! write only HTML.

use crate::detection::{self, Format};
use crate::formats::part::contained;
use crate::formats::{html, mail, rtf};
use crate::office::package::Parts;
use crate::output::markup::{Block, Markup};
use dossier_extract::protocol::Failure;
use dossier_extract::{Metadata, TextFormat};

/// The text of a chunk, or nothing if it cannot be read.
pub(super) fn read(parts: &mut Parts<'_>, part: &str, format: TextFormat) -> Result<String, Failure> {
    let Some(bytes) = parts.read_bytes(part)? else {
        parts.miss(part);
        return Ok(String::new());
    };
    if bytes.starts_with(b"PK") {
        let Some(inner) = parts.open_inner(&bytes) else { return Ok(String::new()) };
        let bound = inner.and_then(|mut inner| Ok((super::bound(&mut inner, format)?, inner.take_damage())));
        return match bound {
            Ok(((pages, _), damage)) => {
                if !damage.is_empty() {
                    parts.miss(part);
                }
                Ok(pages.concat())
            }
            Err(failure @ Failure::LimitExceeded { .. }) => Err(failure),
            Err(_) => {
                parts.miss(part);
                Ok(String::new())
            }
        };
    }
    if rtf::is_rtf(&bytes) {
        return Ok(contained(|| rtf::text_of(&bytes, format)).unwrap_or_default());
    }
    let name = part.to_ascii_lowercase();
    if mail::is_archived_page(&bytes) {
        return Ok(mail::archived_page(&bytes, format));
    }
    let Some(page) = html::decode(&bytes, None) else { return Ok(String::new()) };
    let is_page = [".htm", ".html", ".xhtml"].iter().any(|end| name.ends_with(end));
    if is_page || detection::detect_text(&page) == Format::Html {
        let text = contained(|| html::text_of(&page, format, &mut Metadata::default()).0);
        return Ok(text.unwrap_or_default());
    }
    let mut markup = Markup::new(format);
    for line in page.lines() {
        markup.text(line);
        markup.end_paragraph(&Block::Plain);
    }
    Ok(markup.finish())
}
