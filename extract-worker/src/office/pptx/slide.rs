//! One slide, its notes and its comments.

use super::place::{Layout, Placeholder, Tracker};
use crate::office::drawingml::{self, Usual, Words};
use crate::office::reading_order::{Place, reading_order};
use crate::office::xml::{Element, Node, Xml};
use crate::output::markup::{Block, Markup};
use dossier_extract::TextFormat;

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

impl Holds {
    /// The default kind of its paragraphs.
    fn usual(self) -> Usual {
        match self {
            Self::Title => Usual::Title,
            Self::Content => Usual::Bulleted,
            Self::Margin | Self::Other => Usual::Plain,
        }
    }
}

/// Writes a slide's text: the title, then the other shapes in reading order. `layout` provides the positions that
/// placeholders inherit.
pub(super) fn write(xml: &str, layout: &Layout, markup: &mut Markup) {
    write_shapes(xml, markup, |holds| holds == Holds::Title);
    let mut shapes = shapes(xml, layout, markup.format());
    // A shape without a position follows the one listed before it.
    let mut last = Place::default();
    let places: Vec<Place> = shapes
        .iter()
        .map(|shape| *shape.place.as_ref().inspect(|place| last = **place).unwrap_or(&last))
        .collect();
    for index in reading_order(&places) {
        markup.append(&std::mem::take(&mut shapes[index].text));
    }
}

/// A shape that contains text.
struct Shape {
    place: Option<Place>,
    text: String,
}

/// All shapes of a slide that contain text, except titles, in file order.
fn shapes(xml: &str, layout: &Layout, format: TextFormat) -> Vec<Shape> {
    let mut shapes = Vec::new();
    let (mut reader, mut words, mut tracker) = (Xml::new(xml), Words::default(), Tracker::default());
    let mut markup = Markup::new(format);
    let (mut holds, mut place, mut inherited) = (Holds::Other, None, None);
    let mut end = |markup: &mut Markup, place: Option<Place>| {
        drawingml::end(markup);
        if !markup.is_blank() {
            shapes.push(Shape { place, text: std::mem::replace(markup, Markup::new(format)).finish() });
        }
    };
    while let Some(node) = reader.next() {
        if let Node::Start(element) = &node
            && element.space == "p"
        {
            match element.name() {
                "sp" | "graphicFrame" | "pic" | "cxnSp" => {
                    end(&mut markup, place.take().or(inherited.take()));
                    holds = Holds::Other;
                    words.start_shape();
                }
                "ph" => {
                    holds = placeholder(element);
                    words.usual = holds.usual();
                    inherited = layout.place(&Placeholder::new(element));
                }
                _ => {}
            }
        }
        if let Some(found) = tracker.node(&node) {
            place = Some(found);
        }
        if holds != Holds::Title {
            words.node(&node, &mut markup);
        }
    }
    end(&mut markup, place.or(inherited));
    shapes
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
                    words.usual = holds.usual();
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
