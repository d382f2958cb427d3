//! One slide, its notes and its comments.

use crate::office::drawingml::{self, Usual, Words};
use crate::office::xml::{Element, Node, Xml};
use crate::output::markup::{Block, Markup};

/// The role of a shape on a slide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Title,
    /// The body, which most masters format as a list.
    Content,
    /// The slide number, date, header or footer; on a notes page also the image of the slide.
    Margin,
    Other,
}

/// Writes a slide's text, the title first.
pub(super) fn write(xml: &str, markup: &mut Markup) {
    write_shapes(xml, markup, |holds| holds == Holds::Title);
    write_shapes(xml, markup, |holds| holds != Holds::Title);
}

/// Writes the notes of a notes page.
pub(super) fn write_notes(xml: &str, markup: &mut Markup) {
    write_shapes(xml, markup, |holds| matches!(holds, Holds::Content | Holds::Other));
}

/// Writes comments in PowerPoint's old and new formats.
pub(super) fn write_comments(xml: &str, markup: &mut Markup) {
    let (mut reader, mut words) = (Xml::new(xml), Words::default());
    while let Some(node) = reader.next() {
        match node {
            Node::Start(element) if element.is("p", "text") => {
                markup.text(&reader.text());
                markup.end_paragraph(&Block::Plain);
            }
            node => words.node(&node, markup),
        }
    }
}

fn write_shapes(xml: &str, markup: &mut Markup, is_wanted: impl Fn(Holds) -> bool) {
    let (mut reader, mut words) = (Xml::new(xml), Words::default());
    let mut holds = Holds::Other;
    while let Some(node) = reader.next() {
        if let Node::Start(element) = &node
            && element.space == "p"
        {
            match element.name() {
                "sp" | "graphicFrame" | "pic" | "cxnSp" => {
                    holds = Holds::Other;
                    words.start_shape();
                }
                "ph" => {
                    holds = placeholder(element);
                    words.usual = match holds {
                        Holds::Title => Usual::Title,
                        Holds::Content => Usual::Bulleted,
                        Holds::Margin | Holds::Other => Usual::Plain,
                    };
                }
                _ => {}
            }
        }
        if is_wanted(holds) {
            words.node(&node, markup);
        }
    }
    drawingml::end(markup);
}

fn placeholder(element: &Element<'_>) -> Holds {
    match element.attribute("type").as_deref() {
        Some("title" | "ctrTitle") => Holds::Title,
        None | Some("obj") => Holds::Content,
        Some("sldNum" | "dt" | "ftr" | "hdr" | "sldImg") => Holds::Margin,
        Some(_) => Holds::Other,
    }
}
