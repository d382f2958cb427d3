//! Fields: their results are text, their codes are not.
//!
//! A field is delimited by marks in the text: begin, code, separate, result, end. Fields may be nested.

use crate::office::xml::{Element, Xml};

/// The open fields, outermost first.
#[derive(Debug, Default)]
pub(super) struct Fields {
    open: Vec<Field>,
    /// How many of them are currently in their code.
    coding: usize,
    /// Treat page numbers as code: in a header, which is written once for many pages.
    pub(super) hides_page_numbers: bool,
}

#[derive(Debug, Default)]
struct Field {
    code: String,
    is_code: bool,
    is_link: bool,
}

/// What a field mark requires of the caller.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Nothing,
    /// A check box or drop-down list, which has no separate result.
    Text(String),
    StartLink(String),
    EndLink,
}

/// How much of a code is kept: enough for a hyperlink.
const LONGEST_CODE: usize = 4096;

impl Fields {
    /// Whether the current text belongs to a code.
    pub(super) fn is_code(&self) -> bool {
        self.coding > 0
    }

    /// Appends to the code of the innermost field.
    pub(super) fn code(&mut self, text: &str) {
        if let Some(field) = self.open.last_mut()
            && field.code.len() + text.len() <= LONGEST_CODE
        {
            field.code.push_str(text);
        }
    }

    /// Reads an open `w:fldChar` to its end.
    pub(super) fn mark(&mut self, element: &Element<'_>, xml: &mut Xml<'_>) -> Effect {
        let form_value = form_value(xml);
        match element.attribute("fldCharType").unwrap_or_default().as_str() {
            "begin" => {
                self.open.push(Field { is_code: true, ..Field::default() });
                self.coding += 1;
                form_value.map_or(Effect::Nothing, Effect::Text)
            }
            "separate" => {
                let Some(field) = self.open.last_mut() else { return Effect::Nothing };
                if self.hides_page_numbers && is_page_number(&field.code) {
                    return Effect::Nothing;
                }
                self.coding -= usize::from(std::mem::take(&mut field.is_code));
                let url = link_of(&field.code);
                field.is_link = url.is_some();
                url.map_or(Effect::Nothing, Effect::StartLink)
            }
            "end" => {
                let Some(field) = self.open.pop() else { return Effect::Nothing };
                self.coding -= usize::from(field.is_code);
                if field.is_link { Effect::EndLink } else { Effect::Nothing }
            }
            _ => Effect::Nothing,
        }
    }

    /// Whether the content of a `w:fldSimple` should be hidden.
    pub(super) fn hides(&self, element: &Element<'_>) -> bool {
        self.hides_page_numbers && element.attribute("instr").is_some_and(|code| is_page_number(&code))
    }

    /// Ends any open code: a code never extends beyond its paragraph, so its end mark must be missing.
    pub(super) fn end_paragraph(&mut self) {
        if std::mem::take(&mut self.coding) > 0 {
            self.open.iter_mut().for_each(|field| field.is_code = false);
        }
    }
}

fn is_page_number(code: &str) -> bool {
    let name = code.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
    matches!(name.as_str(), "PAGE" | "NUMPAGES" | "SECTIONPAGES")
}

/// The target of `HYPERLINK "…"`.
fn link_of(code: &str) -> Option<String> {
    let (name, rest) = code.trim().split_once(char::is_whitespace)?;
    let is_place = name.eq_ignore_ascii_case("HYPERLINK") && !rest.trim_start().starts_with('\\');
    let url = if let Some((_, quoted)) = rest.split_once('"') {
        quoted.split('"').next()
    } else {
        rest.split_whitespace().next()
    };
    url.filter(|_| is_place).map(str::to_owned)
}

/// The visible value of a form field: `☒`, or the selected entry of a list.
fn form_value(xml: &mut Xml<'_>) -> Option<String> {
    let (mut is_checked, mut entries, mut chosen) = (None, Vec::new(), 0_usize);
    xml.children(|xml, data| {
        if !data.is("w", "ffData") {
            return;
        }
        xml.children(|xml, control| match control.name() {
            "checkBox" => {
                is_checked = Some(false);
                // The current state comes after the default.
                xml.children(|_, state| {
                    if matches!(state.name(), "default" | "checked") {
                        is_checked = Some(state.flag("val").unwrap_or(true));
                    }
                });
            }
            "ddList" => xml.children(|_, entry| match entry.name() {
                "default" | "result" => chosen = entry.number("val").unwrap_or_default(),
                "listEntry" => entries.push(entry.attribute("val").unwrap_or_default()),
                _ => {}
            }),
            _ => {}
        });
    });
    match is_checked {
        Some(true) => Some("☒".to_owned()),
        Some(false) => Some("☐".to_owned()),
        None => entries.into_iter().nth(chosen),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_fields() {
        let link = |code| link_of(code).unwrap_or_default();
        assert_eq!(link(r#" HYPERLINK "https://a.example/" \o "tip" "#), "https://a.example/");
        assert_eq!(link("hyperlink https://a.example/"), "https://a.example/");
        assert_eq!(link(r#" HYPERLINK \l "place" "#), "");
        assert_eq!(link(" PAGE "), "");
    }
}
