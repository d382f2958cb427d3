//! Text in the forms that XML and Word accept.

use docx_rs::{BreakType, Paragraph, Run};
use serde_json::Value;

/// `text` without the characters that XML forbids.
pub(super) fn valid(text: &str) -> String {
    text.chars()
        .filter(|c| matches!(c, '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..))
        .collect()
}

/// `text` as the content of an XML element.
pub(super) fn escaped(text: &str) -> String {
    valid(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The paragraphs of `text`, which blank lines separate. Line breaks within them are kept.
pub(super) fn paragraphs(text: &str) -> impl Iterator<Item = Paragraph> {
    let text = valid(&text.replace("\r\n", "\n").replace(['\r', '\u{c}', '\u{2028}', '\u{2029}'], "\n"));
    let mut paragraphs = Vec::new();
    let mut lines: Option<Run> = None;
    for line in text.lines().chain([""]) {
        if line.trim().is_empty() {
            paragraphs.extend(lines.take());
        } else {
            let run = lines.take().map_or_else(Run::new, |run| run.add_break(BreakType::TextWrapping));
            lines = Some(tabbed(run, line.trim_end()));
        }
    }
    paragraphs.into_iter().map(|run| Paragraph::new().add_run(run))
}

fn tabbed(run: Run, line: &str) -> Run {
    line.split('\t').enumerate().fold(run, |run, (at, text)| {
        let run = if at > 0 { run.add_tab() } else { run };
        if text.is_empty() { run } else { run.add_text(text) }
    })
}

/// The values of a JSON object by their paths, in the order of the object. `None`: there are more than `most`.
pub(super) fn rows(value: &Value, most: usize) -> Option<Vec<(String, String)>> {
    fn collect(path: &str, value: &Value, most: usize, rows: &mut Vec<(String, String)>) {
        let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        match value {
            _ if rows.len() > most => {}
            Value::Object(members) if !members.is_empty() => {
                members.iter().for_each(|(key, value)| collect(&below(key), value, most, rows));
            }
            Value::Array(items) if !items.is_empty() => {
                let numbered = items.iter().enumerate();
                numbered.for_each(|(at, item)| collect(&format!("{path}[{at}]"), item, most, rows));
            }
            Value::String(text) => rows.push((path.to_owned(), text.clone())),
            other => rows.push((path.to_owned(), other.to_string())),
        }
    }
    let mut rows = Vec::new();
    if value.as_object().is_none_or(|members| !members.is_empty()) {
        collect("", value, most, &mut rows);
    }
    (rows.len() <= most).then_some(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn characters_that_xml_forbids_are_removed() {
        assert_eq!(
            valid("a\u{0}b\u{8}\u{b}\u{1f}\u{fffe}\u{ffff}c\t\n\u{7f}é\u{fffd}😀"),
            "abc\t\n\u{7f}é\u{fffd}😀"
        );
    }

    #[test]
    fn blank_lines_separate_paragraphs_and_line_breaks_stay() {
        let texts = |text| paragraphs(text).map(|paragraph| paragraph.raw_text()).collect::<Vec<_>>();
        assert_eq!(texts("\n\none\ntwo\r\n \r\nthree\u{c}\rfour\n\n\n").len(), 3);
        assert!(texts(" \n\t\n").is_empty());
    }

    #[test]
    fn metadata_is_listed_by_path() {
        let value = json!({"a": {"b": [1, {"c": null}]}, "d": "x", "e": [], "f": {}});
        let expected = [("a.b[0]", "1"), ("a.b[1].c", "null"), ("d", "x"), ("e", "[]"), ("f", "{}")];
        let expected: Vec<_> = expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        assert_eq!(rows(&value, 5), Some(expected));
        assert_eq!(rows(&value, 4), None);
        assert_eq!(rows(&json!({}), 4), Some(vec![]));
    }
}
