//! The shapes of a slide, which a file lists in drawing order.

use crate::office::reading_order::{Place, reading_order};
use crate::office::xml::Element;
use crate::output::markup::Markup;

/// The shapes of the open slide.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    /// The open shape, and its depth in the XML.
    open: Option<(Shape, usize)>,
    done: Vec<Shape>,
    /// The shapes that follow are those of the notes.
    is_arranged: bool,
}

#[derive(Debug, Default)]
struct Shape {
    is_title: bool,
    /// A shape without a position follows the one before it.
    place: Option<Place>,
    text: String,
}

/// Elements of drawings that are not shapes.
const OTHERS: [&str; 5] = ["page", "g", "a", "layer-set", "page-thumbnail"];

impl Shapes {
    /// An element of a drawing begins, at this depth. Shapes within a shape are parts of it.
    pub(super) fn start(&mut self, element: &Element<'_>, depth: usize, markup: &mut Markup) {
        if element.name() == "page" {
            self.is_arranged = false;
        }
        if self.is_arranged || self.open.is_some() || OTHERS.contains(&element.name()) {
            return;
        }
        self.put_aside(Shape::default(), markup);
        let is_title = element.attribute("class").is_some_and(|class| class == "title");
        self.open = Some((Shape { is_title, place: place(element), text: String::new() }, depth));
    }

    /// An element ended; this is the depth now.
    pub(super) fn end(&mut self, depth: usize, markup: &mut Markup) {
        if let Some((shape, _)) = self.open.take_if(|(_, start)| depth < *start) {
            self.put_aside(shape, markup);
        }
    }

    fn put_aside(&mut self, mut shape: Shape, markup: &mut Markup) {
        if !markup.is_blank() {
            shape.text = markup.take_blocks();
            self.done.push(shape);
        }
    }

    /// Writes the titles, then the other shapes in reading order.
    pub(super) fn arrange(&mut self, markup: &mut Markup) {
        if std::mem::replace(&mut self.is_arranged, true) {
            return;
        }
        let open = self.open.take().map(|(shape, _)| shape).unwrap_or_default();
        self.put_aside(open, markup);
        let (titles, mut others): (Vec<Shape>, Vec<Shape>) =
            std::mem::take(&mut self.done).into_iter().partition(|shape| shape.is_title);
        for title in titles {
            markup.append(&title.text);
        }
        let mut last = Place::default();
        let places: Vec<Place> = others
            .iter()
            .map(|shape| *shape.place.as_ref().inspect(|place| last = **place).unwrap_or(&last))
            .collect();
        for index in reading_order(&places) {
            markup.append(&std::mem::take(&mut others[index].text));
        }
    }
}

/// Where a shape stands, in points.
fn place(element: &Element<'_>) -> Option<Place> {
    let given = |name: &str| points(&element.attribute(name)?);
    if let (Some(left), Some(top), Some(right), Some(bottom)) =
        (given("x1"), given("y1"), given("x2"), given("y2"))
    {
        let (left, right) = (left.min(right), left.max(right));
        return Some(Place { left, top: top.min(bottom), right, bottom: top.max(bottom) });
    }
    // Shapes that are turned have no position of their own.
    let moved = || translation(&element.attribute("transform")?);
    let [left, top] = given("x").zip(given("y")).map(<[f64; 2]>::from).or_else(moved)?;
    let (width, height) = (given("width").unwrap_or_default(), given("height").unwrap_or_default());
    Some(Place { left, top, right: left + width, bottom: top + height })
}

/// `rotate (1.57) translate (2cm 3cm)`
fn translation(transform: &str) -> Option<[f64; 2]> {
    let (_, arguments) = transform.split_once("translate")?;
    let (arguments, _) = arguments.trim_start().strip_prefix('(')?.split_once(')')?;
    let mut lengths = arguments.split([' ', ',']).filter(|length| !length.is_empty()).map(points);
    Some([lengths.next()??, lengths.next()??])
}

/// A length with its unit, in points.
fn points(length: &str) -> Option<f64> {
    let length = length.trim();
    let unit = length.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = length.split_at(unit);
    let points = match unit {
        "cm" => 72.0 / 2.54,
        "mm" => 72.0 / 25.4,
        "in" | "inch" => 72.0,
        "pt" => 1.0,
        "pc" => 12.0,
        "px" => 0.75,
        _ => return None,
    };
    number.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| number * points)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_translations_are_in_points() {
        assert_eq!(points("2.54cm"), Some(72.0));
        assert_eq!(points("-1in"), Some(-72.0));
        assert_eq!(points("12"), None);
        assert_eq!(translation("rotate (1.5707) translate (1in 10pt)"), Some([72.0, 10.0]));
        assert_eq!(translation("translate(1in,2in)"), Some([72.0, 144.0]));
        assert_eq!(translation("rotate (1)"), None);
    }
}
