//! Tells kinds of text apart: by what they are called, or by how they begin.
//!
//! Invariant: a kind is told only where the whole beginning speaks for it; anything else is plain text.

use crate::format::Format;
use crate::{csv, json, mail};

/// The kind of text that a media type names (lower case, without parameters); `None`: it names no text.
pub(crate) fn named(media_type: &str) -> Option<Format> {
    Some(match media_type {
        "text/html" | "application/xhtml+xml" => Format::Html,
        "image/svg+xml" => Format::Svg,
        "application/json" | "text/json" => Format::Json,
        "application/x-ndjson"
        | "application/ndjson"
        | "application/jsonl"
        | "application/x-jsonlines"
        | "application/json-lines" => Format::Ndjson,
        "text/csv" | "application/csv" | "text/tab-separated-values" => Format::Csv,
        "text/markdown" | "text/x-markdown" => Format::Markdown,
        "text/plain" => Format::Text,
        _ if media_type.starts_with("text/") || is_source(media_type) => {
            Format::Source(media_type.to_owned())
        }
        _ => return None,
    })
}

/// Kinds of text that are not called so.
fn is_source(media_type: &str) -> bool {
    let Some(kind) = media_type.strip_prefix("application/") else { return false };
    let kinds = [
        "xml",
        "xml-dtd",
        "yaml",
        "x-yaml",
        "toml",
        "javascript",
        "x-javascript",
        "ecmascript",
        "typescript",
        "sql",
        "x-sh",
        "x-shellscript",
        "x-httpd-php",
        "x-tex",
        "x-latex",
        "x-bibtex",
        "x-subrip",
        "graphql",
        "x-perl",
        "x-python",
        "x-ruby",
        "x-log",
    ];
    kinds.contains(&kind) || kind.ends_with("+xml") || kind.ends_with("+json") || kind.ends_with("+yaml")
}

/// The kind of a text that has no name.
pub(crate) fn detect(text: &str) -> Format {
    let source = |media_type: &str| Format::Source(media_type.to_owned());
    let markup = Markup::of(text);
    match () {
        () if json::is_json(text) => Format::Json,
        () if json::is_ndjson(text) => Format::Ndjson,
        () if markup == Some(Markup::Html) => Format::Html,
        () if markup == Some(Markup::Svg) => Format::Svg,
        () if markup == Some(Markup::Xml) => source("application/xml"),
        () if starts_with(text, "BEGIN:VCARD") => source("text/vcard"),
        () if starts_with(text, "BEGIN:VCALENDAR") => source("text/calendar"),
        () if mail::is_mail(text) => Format::Mail,
        () if csv::looks_like_csv(text) => Format::Csv,
        () => Format::Text,
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Markup {
    Html,
    Svg,
    Xml,
}

/// Elements that a fragment of a web page begins with.
const FRAGMENTS: [&str; 14] =
    ["p", "div", "table", "h1", "h2", "h3", "ul", "ol", "span", "a", "b", "br", "font", "center"];

impl Markup {
    /// What markup a text is, by its first element.
    fn of(text: &str) -> Option<Self> {
        let has_prolog = starts_with(text, "<?xml");
        let rest = skip_prolog(text);
        let is = |name: &str| {
            let after = rest.get(name.len()..).unwrap_or_default();
            starts_with(rest, name) && !after.starts_with(|c: char| c.is_ascii_alphanumeric())
        };
        if ["<!doctype html", "<html", "<head", "<body", "<title", "<meta"].into_iter().any(is) {
            return Some(Self::Html);
        }
        if ["<svg", "<!doctype svg", "<svg:svg"].into_iter().any(is) {
            return Some(Self::Svg);
        }
        if has_prolog {
            return Some(Self::Xml);
        }
        // Markdown may begin with an element; it does not end with one.
        let is_fragment = FRAGMENTS.iter().any(|name| is(&format!("<{name}")));
        (is_fragment && rest.trim_end().ends_with('>')).then_some(Self::Html)
    }
}

/// A text without what may stand before its first element: blanks, processing instructions, comments.
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

/// Whether a text starts so, whatever its letters' case.
fn starts_with(text: &str, start: &str) -> bool {
    text.trim_start().get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}
