//! The outline: bookmarks and the pages that they point to.

use super::super::unicode;
use super::line;
use super::trees::{Tree, Value};
use dossier_extract::OutlineEntry;
use hayro_interpret::hayro_syntax::Pdf;
use hayro_interpret::hayro_syntax::object::{
    Array, Dict, MaybeRef, Name, Object, ObjectIdentifier, String as PdfString,
};
use std::collections::{HashMap, HashSet};

/// Maximum number and level of bookmarks.
const MOST: usize = 10_000;
const DEEPEST: usize = 32;
/// Maximum total length of all titles, in characters.
const MOST_CHARACTERS: usize = 500_000;

/// The bookmarks in order.
pub(super) fn of<'a>(pdf: &'a Pdf, catalog: &Dict<'a>) -> Vec<OutlineEntry> {
    let Some(root) = catalog.get::<Dict<'_>>(b"Outlines") else { return Vec::new() };
    let mut targets = Targets::new(pdf, catalog);
    let (mut entries, mut characters) = (Vec::new(), 0);
    let mut seen = HashSet::new();
    // The current path: the next bookmark of each level.
    let mut open: Vec<Option<ObjectIdentifier>> = vec![next(&root, b"First")];
    while let Some(level) = open.last_mut() {
        let item = level.take().filter(|id| entries.len() < MOST && seen.insert(*id));
        let Some(item) = item.and_then(|id| pdf.xref().get::<Dict<'_>>(id)) else {
            open.pop();
            continue;
        };
        *level = next(&item, b"Next");
        let title =
            item.get::<PdfString<'_>>(b"Title").and_then(|title| line(&unicode::decode(title.as_bytes())));
        let title = title.unwrap_or_default();
        characters += title.len();
        if characters > MOST_CHARACTERS {
            break;
        }
        let depth = open.len();
        entries.push(OutlineEntry {
            level: u8::try_from(depth).unwrap_or(u8::MAX),
            title,
            page: targets.page(&item),
        });
        if depth < DEEPEST {
            open.push(next(&item, b"First"));
        }
    }
    entries
}

fn next(item: &Dict<'_>, key: &[u8]) -> Option<ObjectIdentifier> {
    item.get_ref(key).map(Into::into)
}

/// Resolves the targets of bookmarks.
struct Targets<'a, 'c> {
    pdf: &'a Pdf,
    catalog: &'c Dict<'a>,
    /// Page numbers from 1, by page object.
    pages: HashMap<ObjectIdentifier, u32>,
    /// Named destinations, read on first use.
    names: Option<HashMap<Vec<u8>, Value<'a>>>,
}

impl<'a, 'c> Targets<'a, 'c> {
    fn new(pdf: &'a Pdf, catalog: &'c Dict<'a>) -> Self {
        let ids =
            pdf.pages().iter().zip(1..).filter_map(|(page, number)| Some((page.raw().obj_id()?, number)));
        Self { pdf, catalog, pages: ids.collect(), names: None }
    }

    /// The page that a bookmark points to.
    fn page(&mut self, item: &Dict<'a>) -> Option<u32> {
        let action = || {
            let action = item.get::<Dict<'a>>(b"A")?;
            (action.get::<Name<'_>>(b"S").as_deref() == Some(b"GoTo")).then_some(())?;
            action.get::<Object<'a>>(b"D")
        };
        let destination = item.get::<Object<'a>>(b"Dest").or_else(action)?;
        let target = self.array(destination)?.raw_iter().next()?;
        match target {
            MaybeRef::Ref(page) => self.pages.get(&page.into()).copied(),
            // Page numbers (from 0) are not allowed in this place, but common.
            MaybeRef::NotRef(Object::Number(index)) => u32::try_from(index.as_i64() + 1).ok(),
            MaybeRef::NotRef(_) => None,
        }
    }

    /// Resolves a destination that may be given by name.
    fn array(&mut self, destination: Object<'a>) -> Option<Array<'a>> {
        let found = match destination {
            Object::Array(array) => return Some(array),
            Object::Name(name) => self.catalog.get::<Dict<'a>>(b"Dests")?.get::<Object<'a>>(&*name)?,
            Object::String(name) => self.by_name(name.as_bytes())?,
            _ => return None,
        };
        match found {
            Object::Array(array) => Some(array),
            Object::Dict(dict) => dict.get(b"D"),
            _ => None,
        }
    }

    fn by_name(&mut self, name: &[u8]) -> Option<Object<'a>> {
        let (xref, catalog) = (self.pdf.xref(), self.catalog);
        let names = self.names.get_or_insert_with(|| {
            let root = catalog.get::<Dict<'a>>(b"Names").and_then(|names| names.get::<Dict<'a>>(b"Dests"));
            let entries = root.into_iter().flat_map(|root| Tree::names(xref, root));
            entries.map(|(name, value)| (name.as_bytes().to_vec(), value)).collect()
        });
        names.get(name)?.resolve(xref)
    }
}
