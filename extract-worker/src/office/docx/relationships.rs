//! The relationships of a part: links, charts and diagrams, other parts.

use super::chunk;
use super::section::{Margin, Pages, Section};
use crate::office::drawingml::{self, Chart};
use crate::office::package::Parts;
use crate::output::markup::Markup;
use dossier_extract::TextFormat;
use dossier_extract::protocol::Failure;
use std::collections::HashMap;

/// Targets by relationship id.
#[derive(Debug, Default)]
pub(super) struct Relationships {
    links: HashMap<String, String>,
    /// The text of charts and diagrams.
    figures: HashMap<String, String>,
    /// The text of documents embedded in this one (`w:altChunk`).
    chunks: HashMap<String, String>,
    /// The names of other parts.
    parts: HashMap<String, String>,
    /// The name of the first part of each kind.
    kinds: HashMap<String, String>,
    margins: Vec<Margin>,
}

impl Relationships {
    pub(super) fn read(parts: &mut Parts<'_>, part: &str, format: TextFormat) -> Result<Self, Failure> {
        let mut relationships = Self::default();
        // Plain text output does not include link targets.
        if format == TextFormat::Markdown {
            relationships.links = parts.links(part)?;
        }
        for to in parts.relationships(part)? {
            let kind = to.kind.as_str();
            if kind == "aFChunk" {
                let text = chunk::read(parts, &to.target, format)?;
                relationships.chunks.insert(to.id, text);
                continue;
            }
            if !matches!(kind, "chart" | "diagramData") {
                if matches!(kind, "header" | "footer") {
                    let is_header = kind == "header";
                    relationships.margins.push(Margin { is_header, pages: Pages::Others, id: to.id.clone() });
                }
                relationships.kinds.entry(to.kind).or_insert_with(|| to.target.clone());
                relationships.parts.insert(to.id, to.target);
                continue;
            }
            if let Some(xml) = parts.read_named(&to.target)? {
                let mut markup = Markup::new(TextFormat::Text);
                match kind {
                    "chart" => drawingml::write_chart(&xml, Chart::Whole, &mut markup),
                    _ => drawingml::write(&xml, &mut markup),
                }
                relationships.figures.insert(to.id, markup.finish());
            }
        }
        Ok(relationships)
    }

    pub(super) fn link(&self, id: &str) -> Option<&str> {
        self.links.get(id).map(String::as_str)
    }

    pub(super) fn figure(&self, id: &str) -> Option<&str> {
        self.figures.get(id).map(String::as_str)
    }

    /// The text of an embedded document.
    pub(super) fn chunk(&self, id: &str) -> Option<&str> {
        self.chunks.get(id).map(String::as_str)
    }

    /// The part that an id stands for.
    pub(super) fn part(&self, id: &str) -> Option<&str> {
        self.parts.get(id).map(String::as_str)
    }

    /// All headers and footers, as if they belonged to one section.
    pub(super) fn margins(&self) -> Section {
        Section { margins: self.margins.clone(), ..Section::default() }
    }

    /// The first part of a kind.
    pub(super) fn part_of_kind(&self, kind: &str) -> Option<&str> {
        self.kinds.get(kind).map(String::as_str)
    }
}
