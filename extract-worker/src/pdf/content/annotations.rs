//! The text of annotations that hayro does not draw: form fields and free text without an appearance stream.
//!
//! Invariant: text shown by an appearance is not repeated. An appearance that draws text, or a form that
//! may, is trusted, even if the field's value differs.

use super::Collector;
use crate::pdf::unicode;
use hayro_interpret::hayro_syntax::object::{Array, Dict, Name, Number, Object, Rect, Stream};
use hayro_interpret::hayro_syntax::page::Page;
use hayro_interpret::kurbo;

/// Maximum number of annotations per page, and of ancestors of a field.
const MOST: usize = 5000;
const FARTHEST: usize = 8;
/// Maximum length of a value, in characters.
const LONGEST: usize = 10_000;

const HIDDEN: u32 = 1 << 1;
const NO_VIEW: u32 = 1 << 5;
const PASSWORD: i64 = 1 << 13;

/// The positions and texts of such annotations.
pub(in crate::pdf) fn texts(page: &Page<'_>) -> Vec<(Rect, String)> {
    let Some(annotations) = page.raw().get::<Array<'_>>(b"Annots") else { return Vec::new() };
    let text = |annotation: Dict<'_>| {
        let is_seen = annotation.get::<u32>(b"F").unwrap_or(0) & (HIDDEN | NO_VIEW) == 0;
        let text = Some(&annotation).filter(|_| is_seen).and_then(words)?;
        let text: String = text.trim().chars().take(LONGEST).collect();
        let is_told = text.is_empty() || draws_text(&annotation);
        (!is_told).then_some((annotation.get(b"Rect")?, text))
    };
    annotations.iter::<Dict<'_>>().take(MOST).filter_map(text).collect()
}

/// Writes text into an empty box on the page.
pub(in crate::pdf) fn write(text: &str, within: kurbo::Rect, page: &mut Collector<'_>) {
    #[expect(clippy::cast_possible_truncation, reason = "page coordinates")]
    let (left, top, height) = (within.x0 as f32, within.y0 as f32, within.height() as f32);
    let size = (0.7 * height / text.lines().count().max(1) as f32).clamp(4.0, 12.0);
    for (line, baseline) in text.lines().zip(1_u16..) {
        for (letter, at) in line.chars().zip(0_u16..) {
            page.write(
                left + 0.5 * size * f32::from(at),
                top + 1.2 * size * f32::from(baseline),
                size,
                letter,
            );
        }
    }
}

/// The text that an annotation shows on the page. Notes that open on a click show none.
fn words(annotation: &Dict<'_>) -> Option<String> {
    match annotation.get::<Name<'_>>(b"Subtype").as_deref()? {
        b"FreeText" => text(annotation.get(b"Contents")?),
        b"Widget" => match inherited::<Name<'_>>(annotation, b"FT").as_deref()? {
            b"Tx" => {
                let is_password = inherited::<Number>(annotation, b"Ff")
                    .is_some_and(|flags| flags.as_i64() & PASSWORD != 0);
                text(inherited::<Object<'_>>(annotation, b"V").filter(|_| !is_password)?)
            }
            b"Ch" => Some(choices(annotation, inherited::<Object<'_>>(annotation, b"V")?).join("\n")),
            _ => None,
        },
        _ => None,
    }
}

/// The display text of the selected choices.
fn choices(field: &Dict<'_>, value: Object<'_>) -> Vec<String> {
    let values: Vec<String> = match value {
        Object::Array(values) => values.iter::<Object<'_>>().take(MOST).filter_map(text).collect(),
        value => text(value).into_iter().collect(),
    };
    let shown = |value: String| {
        let options = inherited::<Array<'_>>(field, b"Opt")?;
        let mut pairs = options.iter::<Array<'_>>().take(MOST).map(|pair| pair.iter::<Object<'_>>());
        pairs.find_map(|mut pair| (text(pair.next()?)? == value).then(|| text(pair.next()?)).flatten())
    };
    values.into_iter().map(|value| shown(value.clone()).unwrap_or(value)).collect()
}

fn text(value: Object<'_>) -> Option<String> {
    match value {
        Object::String(text) => Some(unicode::decode(text.as_bytes())),
        Object::Stream(text) => Some(unicode::decode(&text.decoded_data().ok()?)),
        _ => None,
    }
}

/// An entry of a field or of one of its ancestors.
fn inherited<'a, T: TryFrom<Object<'a>>>(field: &Dict<'a>, key: &[u8]) -> Option<T> {
    let mut field = field.clone();
    for _ in 0..FARTHEST {
        if let Some(value) = field.get::<Object<'a>>(key) {
            return value.try_into().ok();
        }
        field = field.get(b"Parent")?;
    }
    None
}

/// Whether the normal appearance draws text, or a form that may.
fn draws_text(annotation: &Dict<'_>) -> bool {
    let appearance = annotation.get::<Dict<'_>>(b"AP").and_then(|all| all.get::<Stream<'_>>(b"N"));
    let content = appearance.and_then(|stream| stream.decoded_data().ok()).unwrap_or_default();
    [&b"Tj"[..], b"TJ", b" Do"].iter().any(|operator| memchr::memmem::find(&content, operator).is_some())
}
