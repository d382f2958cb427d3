//! Comments on a page: sticky notes, notes on marked words and shapes, and the replies to them. They follow the
//! text of the page, as comments of other formats do.
//!
//! Invariant: free text, fields and appearances belong to the page itself and are not repeated here.

use crate::pdf::unicode;
use hayro_interpret::hayro_syntax::object::{Array, Dict, Name, ObjectIdentifier, String as PdfString};
use hayro_interpret::hayro_syntax::page::Page;

/// Maximum number of annotations per page, and maximum length of a note in characters.
const MOST: usize = 5000;
const LONGEST: usize = 10_000;
/// Maximum depth of replies to replies.
const DEEPEST: usize = 16;

const HIDDEN: u32 = 1 << 1;
const NO_VIEW: u32 = 1 << 5;

/// The annotations that may have a note.
const KINDS: [&[u8]; 15] = [
    b"Text",
    b"Highlight",
    b"Underline",
    b"Squiggly",
    b"StrikeOut",
    b"Caret",
    b"Ink",
    b"Line",
    b"Square",
    b"Circle",
    b"Polygon",
    b"PolyLine",
    b"Stamp",
    b"FileAttachment",
    b"Popup",
];

/// A note and its author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pdf) struct Note {
    pub(in crate::pdf) author: Option<String>,
    pub(in crate::pdf) text: String,
}

struct Found {
    id: Option<ObjectIdentifier>,
    answers: Option<ObjectIdentifier>,
    note: Option<Note>,
}

/// The notes of a page in file order, each followed by the replies to it.
pub(in crate::pdf) fn of(page: &Page<'_>) -> Vec<Note> {
    let Some(annotations) = page.raw().get::<Array<'_>>(b"Annots") else { return Vec::new() };
    let mut found: Vec<Found> =
        annotations.iter::<Dict<'_>>().take(MOST).map(|annotation| Found::new(&annotation)).collect();
    if found.iter().all(|found| found.note.is_none()) {
        return Vec::new();
    }
    let mut notes = Vec::new();
    for index in 0..found.len() {
        let answered = found[index].answers;
        let is_answer = answered.is_some_and(|to| found.iter().any(|found| found.id == Some(to)));
        if !is_answer {
            say(index, &mut found, DEEPEST, &mut notes);
        }
    }
    // Replies to one another, and to annotations that are missing.
    notes.extend(found.into_iter().filter_map(|found| found.note));
    notes
}

fn say(index: usize, found: &mut [Found], depth: usize, notes: &mut Vec<Note>) {
    notes.extend(found[index].note.take());
    let Some(id) = found[index].id.filter(|_| depth > 0) else { return };
    let answers: Vec<usize> = (0..found.len())
        .filter(|answer| found[*answer].answers == Some(id) && found[*answer].note.is_some())
        .collect();
    for answer in answers {
        say(answer, found, depth - 1, notes);
    }
}

impl Found {
    fn new(annotation: &Dict<'_>) -> Self {
        let answers = annotation.get_ref(b"IRT").map(ObjectIdentifier::from);
        Self { id: annotation.obj_id(), answers, note: note(annotation) }
    }
}

fn note(annotation: &Dict<'_>) -> Option<Note> {
    let kind = annotation.get::<Name<'_>>(b"Subtype")?;
    let is_seen = annotation.get::<u32>(b"F").unwrap_or(0) & (HIDDEN | NO_VIEW) == 0;
    // A review state ("accepted") has generated words. A pop-up is the window of another annotation.
    let is_state = annotation.contains_key(b"StateModel");
    let is_window = kind.as_ref() == b"Popup" && annotation.contains_key(b"Parent");
    if !KINDS.contains(&kind.as_ref()) || !is_seen || is_state || is_window {
        return None;
    }
    let text = |key: &[u8]| annotation.get::<PdfString<'_>>(key).map(|text| unicode::decode(text.as_bytes()));
    let plain = text(b"Contents").filter(|plain| !plain.trim().is_empty());
    let said = plain.or_else(|| text(b"RC").map(|rich| without_tags(&rich)))?;
    let said: String = said.replace("\r\n", "\n").replace('\r', "\n").trim().chars().take(LONGEST).collect();
    let author = text(b"T").map(|author| author.trim().to_owned()).filter(|author| !author.is_empty());
    (!said.is_empty()).then_some(Note { author, text: said })
}

/// The text of an XHTML fragment.
fn without_tags(rich: &str) -> String {
    let mut text = String::new();
    for piece in rich.split('<') {
        let (tag, words) = piece.split_once('>').unwrap_or(("", piece));
        if matches!(tag, "/p" | "br/" | "br /" | "br" | "/div" | "/li") {
            text.push('\n');
        }
        text.push_str(words);
    }
    let entities =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#xD;", "\n"), ("&amp;", "&")];
    entities.iter().fold(text, |text, (entity, character)| text.replace(entity, character))
}
