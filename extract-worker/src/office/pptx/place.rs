//! The positions of shapes on a slide, in the units of the slide.

use crate::office::reading_order::Place;
use crate::office::xml::{Element, Node, Xml};
use std::collections::HashMap;

/// Identifies a placeholder of the layout.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Placeholder {
    kind: String,
    index: String,
}

impl Placeholder {
    pub(super) fn new(element: &Element<'_>) -> Self {
        let kind = match element.attribute("type").as_deref() {
            Some("ctrTitle") => "title".to_owned(),
            Some("obj" | "subTitle") | None => "body".to_owned(),
            Some(kind) => kind.to_owned(),
        };
        Self { kind, index: element.attribute("idx").unwrap_or_default() }
    }
}

/// The positions of a layout's placeholders.
#[derive(Debug, Default)]
pub(super) struct Layout {
    by_index: HashMap<String, Place>,
    by_kind: HashMap<String, Place>,
}

impl Layout {
    pub(super) fn read(xml: &str) -> Self {
        let mut layout = Self::default();
        let mut tracker = Tracker::default();
        let mut placeholder = None;
        let mut reader = Xml::new(xml);
        while let Some(node) = reader.next() {
            if let Node::Start(element) = &node
                && element.space == "p"
            {
                match element.name() {
                    "sp" | "pic" | "graphicFrame" => placeholder = None,
                    "ph" => placeholder = Some(Placeholder::new(element)),
                    _ => {}
                }
            }
            if let Some(place) = tracker.node(&node)
                && let Some(Placeholder { kind, index }) = placeholder.take()
            {
                if !index.is_empty() {
                    layout.by_index.entry(index).or_insert(place);
                }
                layout.by_kind.entry(kind).or_insert(place);
            }
        }
        layout
    }

    /// The position that a slide's placeholder inherits. Masters define positions only for kinds.
    pub(super) fn place(&self, placeholder: &Placeholder) -> Option<Place> {
        let by_index = self.by_index.get(&placeholder.index).filter(|_| !placeholder.index.is_empty());
        by_index.or_else(|| self.by_kind.get(&placeholder.kind)).copied()
    }

    /// Adds the positions that this layout inherits from its master.
    pub(super) fn inherit(&mut self, master: &Self) {
        for (kind, place) in &master.by_kind {
            self.by_kind.entry(kind.clone()).or_insert(*place);
        }
    }
}

/// Follows the nodes of a part and computes the positions of shapes, including nested groups.
#[derive(Debug, Default)]
pub(super) struct Tracker {
    groups: Vec<Group>,
    /// The open `a:xfrm` of a shape or a group.
    frame: Option<Frame>,
}

/// The transform from the units of a group to those of the slide.
#[derive(Debug, Clone, Copy)]
struct Group {
    scale: [f64; 2],
    shift: [f64; 2],
}

#[derive(Debug, Default)]
struct Frame {
    is_group: bool,
    offset: Option<[f64; 2]>,
    size: Option<[f64; 2]>,
    inner_offset: Option<[f64; 2]>,
    inner_size: Option<[f64; 2]>,
}

/// Groups nested deeper than this use the transform of the deepest one.
const DEEPEST_GROUP: usize = 1000;

impl Tracker {
    /// Handles the next node; returns the position of a shape at the end of its definition.
    pub(super) fn node(&mut self, node: &Node<'_>) -> Option<Place> {
        match node {
            Node::Start(element) => {
                self.start(element);
                None
            }
            Node::End(end) if end.name() == "xfrm" => self.end_frame(),
            Node::End(end) if end.is("p", "grpSp") => {
                if self.groups.len() > 1 {
                    self.groups.pop();
                }
                None
            }
            Node::End(_) | Node::Text(_) => None,
        }
    }

    fn start(&mut self, element: &Element<'_>) {
        let pair = |first: &str, second: &str| {
            Some([element.number::<f64>(first)?, element.number::<f64>(second)?])
                .filter(|pair| pair.iter().all(|number| number.is_finite()))
        };
        match (element.space, element.name()) {
            ("p", "grpSp") if self.groups.len() < DEEPEST_GROUP => {
                self.groups.push(self.groups.last().copied().unwrap_or_default());
            }
            ("p" | "a", "xfrm") => {
                let is_group = self.frame.as_ref().is_some_and(|frame| frame.is_group);
                self.frame = Some(Frame { is_group, ..Frame::default() });
            }
            ("p", "grpSpPr") => self.frame = Some(Frame { is_group: true, ..Frame::default() }),
            ("p", "spPr") => self.frame = None,
            ("a", name) => {
                let Some(frame) = &mut self.frame else { return };
                match name {
                    "off" => frame.offset = pair("x", "y"),
                    "ext" => frame.size = pair("cx", "cy"),
                    "chOff" => frame.inner_offset = pair("x", "y"),
                    "chExt" => frame.inner_size = pair("cx", "cy"),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn end_frame(&mut self) -> Option<Place> {
        let frame = self.frame.take()?;
        let (offset, size) = (frame.offset?, frame.size?);
        let around = self.groups.last().copied().unwrap_or_default();
        if !frame.is_group {
            return Some(around.place(offset, size));
        }
        let (inner_offset, inner_size) =
            (frame.inner_offset.unwrap_or(offset), frame.inner_size.unwrap_or(size));
        let scale =
            [0, 1].map(|axis| if inner_size[axis] > 0.0 { size[axis] / inner_size[axis] } else { 1.0 });
        let inner = Group {
            scale: [0, 1].map(|axis| around.scale[axis] * scale[axis]),
            shift: [0, 1].map(|axis| {
                around.shift[axis] + around.scale[axis] * (offset[axis] - inner_offset[axis] * scale[axis])
            }),
        };
        if let Some(group) = self.groups.last_mut() {
            *group = inner;
        }
        None
    }
}

impl Default for Group {
    fn default() -> Self {
        Self { scale: [1.0; 2], shift: [0.0; 2] }
    }
}

impl Group {
    fn place(&self, offset: [f64; 2], size: [f64; 2]) -> Place {
        let [left, top] = [0, 1].map(|axis| self.shift[axis] + self.scale[axis] * offset[axis]);
        let [width, height] = [0, 1].map(|axis| self.scale[axis] * size[axis]);
        Place { left, top, right: left + width, bottom: top + height }
    }
}
