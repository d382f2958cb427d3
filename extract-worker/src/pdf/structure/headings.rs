//! Detects headings: short lines that are larger or bolder than the running text, or numbered, with space around them.
//!
//! Size alone is sufficient if it is well above that of the running text. A smaller difference also needs weight, a number or
//! capitals, and space above. Lines that end like sentences, captions, list items and entries of a table of contents are
//! never headings.

use super::line::Line;
use super::lists;
use super::paragraphs::Group;
use super::statistics::Statistics;

/// Maximum length of a heading, in characters and lines.
const LONGEST: usize = 200;
const MOST_LINES: usize = 5;
/// Maximum length if only the weight distinguishes it.
const LONGEST_BOLD: usize = 110;
/// Maximum length of a plain heading that ends with a colon.
const LONGEST_INTRODUCED: usize = 55;
/// Ratios to the size of the running text: sufficient alone, and sufficient with another sign.
const LARGE: f32 = 1.13;
const LARGER: f32 = 1.035;
/// Sufficient in the margins of a page, where running heads are.
const LARGE_IN_MARGIN: f32 = 1.25;

/// The look of a heading. Headings with the same look have the same level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rank {
    pub(super) size: f32,
    pub(super) is_bold: bool,
    pub(super) is_capital: bool,
    /// Number of parts of its section number: 3 for `3.2.1`.
    pub(super) depth: Option<u8>,
    /// The level of its bookmark in the outline.
    pub(super) outline: Option<u8>,
}

/// What is known of the page that a group is on.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Surroundings {
    /// The number of the page, from 1.
    pub(super) page: u32,
    /// Whether the page is a table of contents.
    pub(super) is_contents: bool,
    /// Share of the page's letters that are larger than the running text, and that are bold.
    pub(super) large: f32,
    pub(super) bold: f32,
    /// The inner ends of the margins at the top and bottom of the page.
    pub(super) top: f32,
    pub(super) bottom: f32,
}

/// The rank of a group, if it is a heading. `outline` is the level of the bookmark that has its text.
pub(super) fn rank(
    group: &Group,
    outline: Option<u8>,
    around: Surroundings,
    statistics: &Statistics,
) -> Option<Rank> {
    let text = group.text();
    let text = text.trim();
    let line = group.first();
    let characters = text.chars().count();
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    if !line.is_upright
        || characters > LONGEST
        || group.lines.len() > MOST_LINES
        || letters < 2
        || characters < 3
    {
        return None;
    }
    if is_leader(text) || letters * 2 < text.chars().filter(|c| !c.is_whitespace()).count() {
        return None;
    }
    let marker = lists::marker(text);
    let is_note = text.starts_with(['*', '†', '‡', '§']);
    if marker.is_some_and(|(marker, _)| lists::is_bullet(marker))
        || text.starts_with(char::is_lowercase)
        || is_note
    {
        return None;
    }
    let is_bold = group.lines.iter().all(|line| statistics.is_bold(line));
    let is_capital = is_capital(text);
    let depth = number(text);
    let found = Rank { size: group.size(), is_bold, is_capital, depth, outline };
    if outline.is_some() && !is_numbered_caption(text) {
        return Some(found);
    }
    let ratio = group.size() / statistics.body;
    let has_space = has_space_above(group, statistics);
    let ends = text.chars().next_back().unwrap_or_default();
    // A long line with a colon introduces what follows.
    let is_introduction = ends == ':' && characters > LONGEST_INTRODUCED && !is_bold;
    let is_sentence = (matches!(ends, '.' | ',' | ';' | '!') && !is_abbreviated(text)) || is_introduction;
    let is_large = ratio >= LARGE && around.large < 0.5 && !is_numbered_caption(text);
    let is_marginal = line.v < around.top || line.v > around.bottom;
    if is_marginal && ratio < LARGE_IN_MARGIN {
        return None;
    }
    if is_large && !is_introduction && !(is_sentence && characters > if is_bold { 150 } else { 90 }) {
        return Some(found);
    }
    if around.is_contents {
        return is_contents_title(text).then_some(found);
    }
    if is_caption(text) || is_numbered_caption(text) {
        return None;
    }
    let is_other_face = line.look.face != statistics.look.face && line.is_uniform;
    if (LARGER..LARGE).contains(&ratio) && around.large < 0.5 && has_space && !is_sentence {
        let has_sign = is_bold || depth.is_some() || is_capital || is_other_face;
        if has_sign && characters <= LONGEST_BOLD {
            return Some(found);
        }
    }
    if ratio < 0.93 {
        return None;
    }
    let is_short = characters <= LONGEST_BOLD && group.lines.len() <= 2;
    let is_rare = around.bold < 0.5;
    if is_bold && is_rare && is_short && has_space && !is_sentence {
        return Some(found);
    }
    let has_own_look =
        is_bold || line.look.is_italic != statistics.look.is_italic || is_other_face || is_capital;
    if depth.is_some()
        && has_own_look
        && is_short
        && has_space
        && has_space_below(group, statistics)
        && !is_sentence
    {
        return Some(found);
    }
    let has_words = text.split_whitespace().filter(|word| word.chars().count() > 2).count() >= 1;
    let is_title = is_capital && letters >= 5 && has_words && characters <= 80 && group.lines.len() == 1;
    (is_title && has_space && has_space_below(group, statistics) && !is_sentence && ratio > 0.95)
        .then_some(found)
}

/// Whether the distance above is larger than between lines.
fn has_space_above(group: &Group, statistics: &Statistics) -> bool {
    group.above.is_none_or(|above| above > 1.2 * statistics.pitch(group.size().max(statistics.body)))
}

fn has_space_below(group: &Group, statistics: &Statistics) -> bool {
    group.below.is_none_or(|below| below > 1.1 * statistics.pitch(group.size()))
}

/// Number of parts of a section number: 2 for `3.2 Methods`, 1 for `4. Entropy` and `Chapter 4`.
fn number(text: &str) -> Option<u8> {
    let first = text.split_whitespace().next()?;
    let digits = first.trim_end_matches(['.', ')']);
    let rest = text[first.len()..].trim_start();
    let is_number = !digits.is_empty()
        && digits.len() <= 12
        && digits
            .split('.')
            .all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()));
    if is_number && rest.starts_with(char::is_alphabetic) {
        return u8::try_from(digits.split('.').count()).ok();
    }
    let is_named =
        ["Chapter", "CHAPTER", "Section", "SECTION", "Part", "PART", "Appendix", "APPENDIX", "Kapitel"]
            .contains(&first);
    let is_numbered = rest.split_whitespace().next().is_some_and(|word| {
        let word = word.trim_end_matches(['.', ':']);
        !word.is_empty()
            && word.len() <= 5
            && word.chars().all(|c| c.is_ascii_digit() || "IVXABC".contains(c))
    });
    (is_named && is_numbered).then_some(1)
}

fn is_capital(text: &str) -> bool {
    let mut letters = text.chars().filter(|c| c.is_alphabetic()).peekable();
    letters.peek().is_some() && letters.all(char::is_uppercase)
}

/// Whether the last word ends with a full stop that does not end a sentence: `2.`, `e.g.`, `U.S.`
fn is_abbreviated(text: &str) -> bool {
    let last = text.split_whitespace().next_back().unwrap_or_default();
    let inner = last.trim_end_matches('.');
    inner.chars().count() <= 1 || inner.contains('.') || inner.chars().all(|c| c.is_ascii_digit())
}

/// Whether dots lead from a title to its page.
pub(super) fn is_leader(text: &str) -> bool {
    text.contains(".....") || text.contains(". . . .") || text.contains("…………")
}

/// Whether a page is a table of contents: dots lead to page numbers, or there is a title and lines end with ascending
/// numbers.
pub(super) fn is_contents(lines: &[&Line]) -> bool {
    if lines.iter().filter(|line| is_leader(&line.text)).count() >= 4 {
        return true;
    }
    let last = |line: &Line| line.text.split_whitespace().next_back()?.parse::<u32>().ok();
    let pages: Vec<u32> =
        lines.iter().filter(|line| line.letters < 80).filter_map(|line| last(line)).collect();
    let grow = pages.windows(2).filter(|pair| pair[0] <= pair[1]).count();
    pages.len() >= 5
        && grow * 10 >= pages.len() * 8
        && lines.iter().any(|line| is_contents_title(line.text.trim()))
}

/// Whether this is the title of a table of contents.
fn is_contents_title(text: &str) -> bool {
    const TITLES: [&str; 8] = [
        "contents",
        "table of contents",
        "inhalt",
        "inhaltsverzeichnis",
        "sommaire",
        "table des matières",
        "índice",
        "indice",
    ];
    TITLES.contains(&text.to_lowercase().as_str())
}

/// Whether a text is only the label of a figure or a table: `Figure 4`.
pub(super) fn is_label(text: &str) -> bool {
    text.split_whitespace().count() <= 2 && is_caption(text)
}

/// Whether a text is certainly a caption: only captions begin with `Figure 4` or `Table:`, however large they are. `Box 4` may
/// be the title of a section.
fn is_numbered_caption(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or_default().to_lowercase();
    let name = first.trim_end_matches(['.', ':']);
    let is_name = ["figure", "fig", "table", "diagram", "abbildung", "abb", "tabelle"].contains(&name);
    let is_numbered = words.next().is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    is_name && (first.ends_with(':') || is_numbered)
}

/// Whether a text starts with the label of a figure or a table.
pub(super) fn is_caption(text: &str) -> bool {
    const NAMES: [&str; 16] = [
        "figure",
        "fig",
        "table",
        "diagram",
        "chart",
        "plate",
        "exhibit",
        "box",
        "image",
        "photo",
        "graph",
        "map",
        "source",
        "abbildung",
        "tabelle",
        "scheme",
    ];
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or_default();
    let name = first.trim_end_matches(['.', ':']).to_lowercase();
    if !NAMES.contains(&name.as_str()) {
        return false;
    }
    let is_named = first.ends_with(':') && name == "source";
    is_named
        || words
            .next()
            .is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit() || "IVXABS".contains(c)))
}
