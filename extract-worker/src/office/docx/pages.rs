//! Assembles pages: headers, text, notes, footers.

use super::notes::Notes;
use super::page_breaks::{Source, Span, Stretch};
use super::section::Pages;
use crate::output::markup::{Heading, Markup};
use dossier_extract::TextFormat;
use std::collections::{HashMap, HashSet};

/// Text outside the body.
#[derive(Debug, Default)]
pub(super) struct Beside {
    pub(super) footnotes: Notes,
    pub(super) endnotes: Notes,
    pub(super) comments: Notes,
    /// Headers and footers, by relationship id.
    pub(super) margins: HashMap<String, String>,
}

/// The components of a page, in reading order.
#[derive(Debug, Default)]
struct Page {
    headers: Vec<String>,
    stretches: Vec<String>,
    notes: Vec<String>,
    footers: Vec<String>,
}

/// Assembles the pages. The positions of headings change from stretches to pages.
pub(super) fn bind(
    stretches: Vec<Stretch>,
    sections: &[Span],
    mut beside: Beside,
    format: TextFormat,
    headings: &mut [Heading],
) -> Vec<String> {
    let mut pages: Vec<Page> = Vec::new();
    // The page of each stretch, from 0.
    let mut page_of = Vec::with_capacity(stretches.len());
    let mut endnotes = Vec::new();
    for stretch in stretches {
        if !stretch.goes_on || pages.is_empty() {
            pages.push(Page::default());
        }
        page_of.push(pages.len() - 1);
        let Some(page) = pages.last_mut() else { continue };
        page.stretches.push(stretch.text);
        for call in stretch.references {
            let mark = call.mark.as_deref();
            match call.source {
                Source::Footnote => page.notes.extend(beside.footnotes.say(&call.id, mark, format)),
                Source::Comment => page.notes.extend(beside.comments.say(&call.id, mark, format)),
                Source::Endnote => endnotes.extend(beside.endnotes.say(&call.id, mark, format)),
            }
        }
    }
    place_margins(&mut pages, &page_of, sections, &beside.margins);
    if let Some(last) = pages.last_mut() {
        last.notes.extend(endnotes);
        let rest = [&mut beside.footnotes, &mut beside.endnotes, &mut beside.comments];
        last.notes.extend(rest.into_iter().flat_map(|notes| notes.rest(format)));
    }
    let mut starts = Vec::with_capacity(page_of.len());
    let texts = pages.into_iter().map(|page| page.write(format, &mut starts)).collect();
    for Heading { entry, at } in headings {
        let stretch = entry.page.map_or(0, |stretch| stretch as usize - 1);
        entry.page = page_of.get(stretch).and_then(|page| u32::try_from(page + 1).ok());
        *at += starts.get(stretch).copied().unwrap_or_default();
    }
    texts
}

/// Writes each header and footer once, on the first page that shows it. Text that several sections repeat is
/// written once.
fn place_margins(
    pages: &mut [Page],
    page_of: &[usize],
    sections: &[Span],
    margins: &HashMap<String, String>,
) {
    let mut said: HashSet<(bool, &str)> = HashSet::new();
    for span in sections {
        let (Some(&first), Some(&last)) = (page_of.get(span.first), page_of.get(span.last)) else { continue };
        let section = &span.section;
        for margin in &section.margins {
            let Some(text) = margins.get(&margin.id) else { continue };
            if !said.insert((margin.is_header, text.trim())) {
                continue;
            }
            let place = match margin.pages {
                Pages::First => first,
                // Page numbers start at 1, indexes at 0.
                Pages::Even => first + usize::from(first % 2 == 0),
                Pages::Others => first + usize::from(section.has_first_page),
            };
            if let Some(page) = pages.get_mut(place.min(last)) {
                let side = if margin.is_header { &mut page.headers } else { &mut page.footers };
                side.push(text.clone());
            }
        }
    }
}

impl Page {
    /// The text of the page; records where each stretch starts in it.
    fn write(self, format: TextFormat, starts: &mut Vec<usize>) -> String {
        let mut markup = Markup::new(format);
        for text in &self.headers {
            markup.append(text);
        }
        starts.extend(self.stretches.iter().map(|text| markup.append(text)));
        for text in [self.notes, self.footers].iter().flatten() {
            markup.append(text);
        }
        markup.finish()
    }
}
