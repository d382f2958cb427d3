//! Detects the kind of a text from how it begins.
//!
//! Invariant: a kind is chosen only if the beginning clearly shows it. Anything else is plain text.

use super::format::Format;
use crate::formats::{csv, json};
use crate::office::odf::{self, flat};

/// The kind of a text whose media type was not declared.
pub(super) fn detect(text: &str) -> Format {
    let source = |media_type: &str| Format::Source(media_type.to_owned());
    if json::is_json(text) {
        Format::Json
    } else if json::is_ndjson(text) {
        Format::Ndjson
    } else if let Some(format) = markup(text) {
        format
    } else if starts_with(text, "BEGIN:VCARD") {
        source("text/vcard")
    } else if starts_with(text, "BEGIN:VCALENDAR") {
        source("text/calendar")
    } else if csv::looks_like_csv(text) {
        Format::Csv
    } else {
        Format::Text
    }
}

/// Elements that a fragment of a web page may begin with.
const FRAGMENTS: [&str; 14] =
    ["p", "div", "table", "h1", "h2", "h3", "ul", "ol", "span", "a", "b", "br", "font", "center"];

/// The kind of markup, judged by the first element.
fn markup(text: &str) -> Option<Format> {
    let has_prolog = starts_with(text, "<?xml");
    let rest = skip_prolog(text);
    let is = |name: &str| {
        let after = rest.get(name.len()..).unwrap_or_default();
        starts_with(rest, name) && !after.starts_with(|c: char| c.is_ascii_alphanumeric())
    };
    if ["<!doctype html", "<html", "<head", "<body", "<title", "<meta"].into_iter().any(is) {
        return Some(Format::Html);
    }
    if ["<svg", "<!doctype svg", "<svg:svg"].into_iter().any(is) {
        return Some(Format::Svg);
    }
    if rest.starts_with('<')
        && let Some(kind) = flat::kind(text)
    {
        return Some(match kind {
            odf::Kind::Text => Format::Odt,
            odf::Kind::Sheets => Format::Ods,
            odf::Kind::Slides => Format::Odp,
        });
    }
    if has_prolog {
        return Some(Format::Source("application/xml".to_owned()));
    }
    // Markdown may begin with an element, but it does not end with one.
    let is_fragment = FRAGMENTS.iter().any(|name| is(&format!("<{name}")));
    (is_fragment && rest.trim_end().ends_with('>')).then_some(Format::Html)
}

/// Skips everything that may precede the first element: whitespace, processing instructions, comments.
fn skip_prolog(text: &str) -> &str {
    let mut rest = text.trim_start();
    for (start, end) in [("<?", "?>"), ("<!--", "-->")].into_iter().cycle().take(16) {
        if rest.starts_with(start)
            && let Some((_, after)) = rest.split_once(end)
        {
            rest = after.trim_start();
        }
    }
    rest
}

/// Whether a text starts with `start`, ignoring ASCII case.
fn starts_with(text: &str, start: &str) -> bool {
    text.trim_start().get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}
