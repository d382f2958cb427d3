//! Text as Markdown (`CommonMark` with GitHub's tables). Characters that would be markup are escaped, so that
//! a renderer shows the original text. Nothing else is escaped, so that the source stays readable.
//!
//! Invariant: the cost is linear in the length of the text.

use std::fmt::Write as _;
use std::ops::Range;

/// A link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// The position of its words in the text.
    pub(crate) words: Range<usize>,
    pub(crate) url: String,
}

/// Allowed schemes, because a program that shows the text may follow a link.
const SCHEMES: [&str; 5] = ["http://", "https://", "mailto:", "ftp://", "tel:"];
/// Longer addresses are data rather than links.
const LONGEST_URL: usize = 2048;
/// Maximum length of the name in `&name;`.
const LONGEST_ENTITY: usize = 32;
/// Characters that may start inline markup.
const INLINE: [char; 10] = ['\\', '`', '*', '_', '~', '[', ']', '<', '&', '|'];

/// Where inline text is placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Paragraph,
    /// A table cell, where `|` separates cells.
    Cell,
}

/// Writes the text of a paragraph: escapes inline markup and marks links. Links are in order and do not
/// overlap.
pub(crate) fn inline(text: &str, links: &[Link], place: Place) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for link in links.iter().filter(|link| is_worth_marking(text, link)) {
        escape(&mut out, text, at..link.words.start, place, false);
        // An exclamation mark before a link would turn it into an image.
        if out.ends_with('!') {
            out.insert(out.len() - 1, '\\');
        }
        out.push('[');
        escape(&mut out, text, link.words.clone(), place, true);
        out.push_str("](");
        destination(&mut out, &link.url);
        out.push(')');
        at = link.words.end;
    }
    escape(&mut out, text, at..text.len(), place, false);
    out
}

/// Escapes a line of inline text so that it does not start a block.
pub(crate) fn line(out: &mut String, line: &str) {
    let line = line.trim();
    let at = block_mark(line).unwrap_or(line.len());
    out.push_str(&line[..at]);
    if at < line.len() {
        out.push('\\');
    }
    out.push_str(&line[at..]);
}

/// Escapes the text of a heading so that a trailing `#` is kept.
pub(crate) fn heading(out: &mut String, words: &str) {
    let words = words.trim();
    match words.strip_suffix('#') {
        Some(before) if !before.ends_with('\\') => {
            out.push_str(before);
            out.push_str("\\#");
        }
        _ => out.push_str(words),
    }
}

/// A code fence that no line of `text` closes.
pub(crate) fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    "`".repeat(longest.max(2) + 1)
}

fn is_worth_marking(text: &str, link: &Link) -> bool {
    let Some(words) = text.get(link.words.clone()) else { return false };
    let is_place = link.url.len() <= LONGEST_URL
        && SCHEMES.iter().any(|scheme| {
            link.url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        });
    // A bare URL is a link without markup.
    let is_said = words == link.url || link.url.strip_prefix("mailto:") == Some(words);
    is_place && !is_said && !words.trim().is_empty() && !words.contains('\n')
}

fn destination(out: &mut String, url: &str) {
    for character in url.chars() {
        match character {
            ' ' | '(' | ')' | '<' | '>' | '\\' | '|' | '`' | '*' | '[' | ']' => {
                let _ = write!(out, "%{:02X}", u32::from(character));
            }
            character if character.is_control() || character.is_whitespace() => {}
            character => out.push(character),
        }
    }
}

fn escape(out: &mut String, text: &str, range: Range<usize>, place: Place, in_link: bool) {
    let mut at = range.start;
    while let Some(found) = text[at..range.end].find(INLINE) {
        let special = at + found;
        out.push_str(&text[at..special]);
        let rest = &text[special..];
        let character = rest.chars().next().unwrap_or_default();
        // A run of the same sign is one delimiter.
        let run = match character {
            '*' | '_' | '~' => {
                rest[..range.end - special].bytes().take_while(|b| *b == rest.as_bytes()[0]).count()
            }
            _ => 1,
        };
        let after = &rest[run..];
        // At the edge of a link the neighbour is a bracket, which counts like a letter.
        let before = if special == range.start && special > 0 {
            Some(']')
        } else {
            text[..special].chars().next_back()
        };
        let escapes = match character {
            '`' => true,
            '|' => place == Place::Cell,
            '\\' => {
                after.starts_with(|next: char| next.is_ascii_punctuation() || next == '\n')
                    || after.is_empty()
            }
            // A delimiter that cannot close emphasis has no effect. If none can close it, none can open it.
            '*' | '~' => before.is_some_and(|before| !before.is_whitespace()),
            '_' => {
                before.is_some_and(|before| !before.is_whitespace())
                    && !after.starts_with(|next: char| next.is_alphanumeric())
            }
            '[' => in_link,
            ']' => in_link || after.starts_with(['(', '[']),
            '<' => {
                after.starts_with(|next: char| next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?'))
            }
            '&' => is_entity(after),
            _ => false,
        };
        for sign in rest[..run].chars() {
            if escapes {
                out.push('\\');
            }
            out.push(sign);
        }
        at = special + run;
    }
    out.push_str(&text[at..range.end]);
}

/// Whether the text after an `&` makes it a character reference.
fn is_entity(after: &str) -> bool {
    let name =
        after.bytes().take(LONGEST_ENTITY).take_while(|b| b.is_ascii_alphanumeric() || *b == b'#').count();
    name > 0 && after[name..].starts_with(';')
}

/// Position of the character that would make a line a heading, list item, quotation, rule or definition.
fn block_mark(line: &str) -> Option<usize> {
    let first = line.chars().next()?;
    let ends_word = |at: usize| line[at..].chars().next().is_none_or(char::is_whitespace);
    let is_ruler = || line.chars().all(|c| matches!(c, '-' | '=' | '*' | '_' | ':' | '|' | ' ' | '\t'));
    let marks = match first {
        '>' => true,
        '#' => {
            let signs = line.bytes().take_while(|byte| *byte == b'#').count();
            signs <= 6 && ends_word(signs)
        }
        '-' | '+' | '*' => ends_word(1) || is_ruler(),
        '=' | '_' | ':' | '|' => is_ruler(),
        '~' => line.starts_with("~~~"),
        // Readers write notes (`[^1]: …`) like this on purpose.
        '[' => !line.starts_with("[^") && line.find(']').is_some_and(|end| line[end..].starts_with("]:")),
        '0'..='9' => {
            let digits = line.bytes().take_while(u8::is_ascii_digit).count();
            let is_item = digits <= 9 && line[digits..].starts_with(['.', ')']) && ends_word(digits + 1);
            return is_item.then_some(digits);
        }
        _ => false,
    };
    marks.then_some(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::markup::{Block, Markup};
    use dossier_extract::TextFormat;
    use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

    fn written(text: &str) -> String {
        let mut out = String::new();
        line(&mut out, &inline(text, &[], Place::Paragraph));
        out
    }

    #[test]
    fn markup_is_escaped() {
        for (text, expected) in [
            ("*stars* and _lines_", "*stars\\* and _lines\\_"),
            ("`code`", "\\`code\\`"),
            ("[a](b)", "[a\\](b)"),
            ("<b> &lt; \\*", "\\<b> \\&lt; \\\\\\*"),
            ("# one", "\\# one"),
            ("- one", "\\- one"),
            ("3. one", "3\\. one"),
            ("---", "\\---"),
            ("> said", "\\> said"),
            ("[a]: b", "\\[a]: b"),
            ("|---|", "\\|---|"),
        ] {
            assert_eq!(written(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_markup_stays_as_it_is() {
        for text in
            ["snake_case_name", "2 * 3", "a [1] b", "a < b & c", "#tag", "1.5", "-3", "~5", "a|b", "C:\\dir"]
        {
            assert_eq!(written(text), text);
        }
    }

    #[test]
    fn links_lead_to_places_alone() {
        let link = |url: &str| Link { words: 4..8, url: url.to_owned() };
        let with = |url: &str| inline("see this!", &[link(url)], Place::Paragraph);
        assert_eq!(with("https://a.example/b c(d)"), "see [this](https://a.example/b%20c%28d%29)!");
        assert_eq!(with("javascript:alert(1)"), "see this!");
        assert_eq!(with("#place"), "see this!");
        let whole = Link { words: 0..16, url: "https://a.exampl".to_owned() };
        assert_eq!(inline("https://a.exampl", &[whole], Place::Paragraph), "https://a.exampl");
    }

    /// The text that a Markdown parser shows, cells separated by blanks; `None` if it finds any other markup.
    fn shown(markdown: &str) -> Option<String> {
        let mut shown = String::new();
        let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
        for event in Parser::new_ext(markdown, options) {
            match event {
                Event::Text(text) => shown.push_str(&text),
                Event::SoftBreak | Event::HardBreak => shown.push('\n'),
                Event::End(TagEnd::TableCell) => shown.push(' '),
                Event::Start(
                    Tag::Paragraph
                    | Tag::Heading { .. }
                    | Tag::List(_)
                    | Tag::Item
                    | Tag::Table(_)
                    | Tag::TableHead
                    | Tag::TableRow
                    | Tag::TableCell,
                )
                | Event::End(_) => {}
                _ => return None,
            }
        }
        Some(shown.trim().to_owned())
    }

    /// Random combinations of words and markup.
    fn scramble(seed: u64) -> String {
        const PIECES: [&str; 40] = [
            "a", "b", "é", " ", " ", " ", "\n", "*", "**", "_", "__", "`", "``", "~", "~~", "[", "]", "](",
            "(", ")", "<", "<b>", "</i>", ">", "!", "&amp;", "&", ";", "#", "##", "\\", "|", "-", "---", "+",
            "1.", "2)", "=", ":", "[x]",
        ];
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state >> 33).unwrap_or_default()
        };
        (0..next() % 14).map(|_| PIECES[next() % PIECES.len()]).collect()
    }

    #[test]
    fn whatever_a_text_says_is_shown_as_it_is() {
        for seed in 0..20_000 {
            let text = scramble(seed);
            let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
            let (text, flat) = (lines.join("\n"), lines.join(" "));
            let item = Block::Item { depth: 0, marker: "•".to_owned() };
            for (block, expected) in [(Block::Plain, &text), (Block::Heading(2), &flat), (item, &text)] {
                let mut markup = Markup::new(TextFormat::Markdown);
                markup.text(&text);
                markup.end_paragraph(&block);
                let written = markup.finish();
                assert_eq!(shown(&written).as_ref(), Some(expected), "seed {seed}, {block:?}: {written}");
            }
            let mut markup = Markup::new(TextFormat::Markdown);
            markup.start_table();
            for cell in [&flat, "next"] {
                markup.text(cell);
                markup.end_cell();
            }
            markup.end_row();
            markup.end_table();
            let written = markup.finish();
            let expected = format!("{flat} next");
            assert_eq!(shown(&written).as_deref(), Some(expected.trim()), "seed {seed}: {written}");
        }
    }

    #[test]
    fn a_fence_is_longer_than_any_within() {
        assert_eq!(fence("a"), "```");
        assert_eq!(fence("a\n````\n"), "`````");
    }
}
