//! The structure of a PDF's pages: headings, paragraphs, lists, tables, captions, notes, running heads.
//!
//! There are two steps. The layout of a page ([`Layout`]) comes from what it draws: tables first ([`grid_table`],
//! [`rule_table`], [`aligned_table`]), then lines of the remaining words. The meaning of lines ([`headings`], [`paragraphs`],
//! [`lists`], [`running_heads`]) depends on what is usual in the document ([`statistics`]), so many pages are decided
//! together.
//!
//! Invariant: when in doubt, text stays plain. A wrong table is worse than lines.
//! Invariant: every word is written exactly once, except for the header of a table that continues ([`continued`]).

mod aligned_table;
mod blocks;
mod columns;
mod continued;
mod grid;
mod grid_table;
mod headings;
mod initials;
mod levels;
mod line;
mod lists;
mod markdown;
mod order;
mod outline;
mod paragraphs;
mod pieces;
mod record;
mod regions;
mod rule_table;
mod rules;
mod running_heads;
mod statistics;

use crate::pdf::content::frame::Frame;
use crate::pdf::content::glyphs::Glyphs;
use crate::pdf::fonts::styles::Faces;
use crate::pdf::layout::lines::{Segment, Segments};
use crate::pdf::layout::reading_order;
use blocks::{Block, Item, Place, Table};
use dossier_extract::{OutlineEntry, PageStructure};
use hayro_interpret::kurbo::{Point, Rect};
use headings::{Rank, Surroundings};
use levels::Levels;
use line::{Line, Look};
use outline::Outline;
use paragraphs::Group;
use pieces::Source;
use regions::Regions;
use rules::Rules;
use statistics::Statistics;
use std::collections::HashMap;

/// Tables are not looked for on pages with more segments.
const MOST_SEGMENTS: usize = 20_000;
/// Footnotes are at most this large, relative to the running text.
const SMALL: f32 = 0.94;
/// Height of the margins at the top and bottom, as a share of the page's height.
const MARGIN: f32 = 0.085;

/// The parts of a page in reading order.
#[derive(Debug, Default)]
pub(super) struct Layout {
    place: Place,
    parts: Vec<Part>,
    /// Size, look and number of letters in tables.
    in_tables: Vec<(f32, Look, u32)>,
}

#[derive(Debug)]
enum Part {
    Line(Line),
    Table(Table),
}

impl Part {
    fn line(&self) -> Option<&Line> {
        match self {
            Self::Line(line) => Some(line),
            Self::Table(_) => None,
        }
    }

    fn place(&self) -> &Place {
        match self {
            Self::Line(line) => &line.place,
            Self::Table(table) => &table.place,
        }
    }
}

impl Layout {
    /// Number of lines and tables of the page.
    pub(super) fn lines(&self) -> usize {
        self.parts.len()
    }

    /// The layout of a page, from that page alone.
    pub(super) fn of(glyphs: &Glyphs, segments: &Segments, faces: &Faces, bounds: Rect) -> Self {
        let source = Source { glyphs, segments };
        let frames = reading_order::frames(&segments.list);
        let Some(main) = frames.first() else { return Self::default() };
        let index = |segment: &&Segment| {
            segments.list.partition_point(|other| other.items.start < segment.items.start)
        };
        let main: Vec<usize> = main.iter().map(index).collect();
        let frame = source.segment(main[0]).frame;
        let frame = glyphs.frames[usize::from(frame)];
        let place = turned(bounds, &frame);
        // A page with this many segments is a drawing.
        let is_drawing = segments.list.len() > MOST_SEGMENTS;
        let rules = if is_drawing { Rules::default() } else { Rules::of(&glyphs.drawing, &frame, &place) };
        let mut free = vec![!is_drawing; segments.list.len()];
        let others: Vec<Vec<usize>> =
            frames[1..].iter().map(|frame| frame.iter().map(index).collect()).collect();
        let turned = turned_words(&others, &source, &frame);
        let (mut tables, regions) = grid_table::find(&rules, &source, &mut free, &main, &turned);
        let regions = Regions::new(segments.list.len(), regions);
        tables.extend(rule_table::find(&rules, &source, &regions, &mut free, &main));
        tables.extend(aligned_table::find(&source, &mut free, &main));
        if is_drawing {
            free.fill(true);
        }
        let parts = with_tables(&regions.gathered(&main), &free, tables, &source, faces, &regions);
        let mut parts = order::ordered(parts, &regions, &place);
        for mut others in others {
            others.retain(|index| free[*index]);
            parts.extend(line::lines(&others, &source, faces, &regions, false).into_iter().map(Part::Line));
        }
        let taken: Vec<usize> = main.iter().copied().filter(|index| !free[*index]).collect();
        let lines = line::lines(&taken, &source, faces, &regions, true);
        let in_tables = lines.iter().map(|line| (line.size, line.look, line.letters)).collect();
        Self { place, parts, in_tables }
    }
}

fn turned(bounds: Rect, frame: &Frame) -> Place {
    let (u1, v1) = frame.turn(Point::new(bounds.x0, bounds.y0));
    let (u2, v2) = frame.turn(Point::new(bounds.x1, bounds.y1));
    Place { left: u1.min(u2), top: v1.min(v2), right: u1.max(u2), bottom: v1.max(v2) }
}

/// Segments of other directions, and their middles in the frame of the main one. Cells of tables may contain them.
fn turned_words(others: &[Vec<usize>], source: &Source<'_>, main: &Frame) -> Vec<(usize, (f32, f32))> {
    let middle = |index: &usize| {
        let segment = source.segment(*index);
        let frame = source.glyphs.frames[usize::from(segment.frame)];
        let (u, v) = (f32::midpoint(segment.start, segment.end), segment.v - 0.3 * segment.size);
        // Back to the page: the frame turns a point by the angle of its text.
        let (cos, minus_sin) = frame.turn(Point::new(1.0, 0.0));
        let point = Point::new(f64::from(u * cos + v * minus_sin), f64::from(v * cos - u * minus_sin));
        (frame.is_right() && !frame.vertical).then_some((*index, main.turn(point)))
    };
    others.iter().flatten().filter_map(middle).collect()
}

/// Lines, with each table at the position of its first word.
fn with_tables(
    ordered: &[usize],
    free: &[bool],
    mut tables: Vec<Table>,
    source: &Source<'_>,
    faces: &Faces,
    regions: &Regions,
) -> Vec<Part> {
    let mut parts = Vec::new();
    for run in ordered.chunk_by(|a, b| free[*a] == free[*b]) {
        if free[run[0]] {
            parts.extend(line::lines(run, source, faces, regions, true).into_iter().map(Part::Line));
            continue;
        }
        for index in run {
            let place = pieces::place(source.segment(*index));
            let (u, v) = (f32::midpoint(place.left, place.right), f32::midpoint(place.top, place.bottom));
            let around = Place { left: u, top: v, right: u, bottom: v };
            let holds = |table: &Table| table.place.around(&around) == table.place;
            if let Some(found) = tables.iter().position(holds) {
                parts.push(Part::Table(tables.remove(found)));
            }
        }
    }
    parts.extend(tables.into_iter().map(Part::Table));
    parts
}

/// Writes a document's pages as Markdown.
#[derive(Debug, Default)]
pub(super) struct Document {
    statistics: Statistics,
    outline: Outline,
    levels: Levels,
    /// Number of pages that have been written.
    pages: u32,
}

impl Document {
    /// A document with these bookmarks.
    pub(super) fn new(outline: &[OutlineEntry]) -> Self {
        Self { outline: Outline::of(outline), ..Self::default() }
    }

    /// The Markdown of consecutive pages and the record of what was detected; `None` for a page without a layout.
    pub(super) fn markdown(&mut self, pages: Vec<Option<Layout>>) -> Vec<Option<(String, PageStructure)>> {
        let first = self.pages + 1;
        self.pages += u32::try_from(pages.len()).unwrap_or(0);
        let numbers: Vec<Option<u32>> =
            pages.iter().zip(first..).map(|(page, number)| page.as_ref().map(|_| number)).collect();
        let pages: Vec<Layout> = pages.into_iter().flatten().collect();
        for page in &pages {
            self.statistics.count(page.parts.iter().filter_map(Part::line));
            page.in_tables.iter().for_each(|(size, look, letters)| {
                self.statistics.count_letters(*size, look, letters / 2);
            });
        }
        self.statistics.settle();
        let heads = running_heads::find(&pages);
        let known = numbers.iter().flatten();
        let drafts: Vec<Vec<Draft>> = pages
            .into_iter()
            .zip(heads)
            .zip(known)
            .map(|((page, heads), number)| self.drafts(page, *number, &heads))
            .collect();
        self.levels.add(drafts.iter().flatten().filter_map(Draft::rank));
        let mut pages: Vec<Vec<Block>> =
            drafts.into_iter().map(|page| finished(page, &self.levels)).collect();
        let known: Vec<u32> = numbers.iter().copied().flatten().collect();
        for at in 1..pages.len() {
            let (above, below) = pages.split_at_mut(at);
            if known[at] == known[at - 1] + 1 {
                continued::join(&mut above[at - 1], &mut below[0]);
            }
        }
        let mut written = pages.into_iter().map(|blocks| (markdown::write(&blocks), record::of(&blocks)));
        numbers.into_iter().map(|number| number.and_then(|_| written.next())).collect()
    }

    /// Decides what the parts of a page are.
    fn drafts(&self, page: Layout, number: u32, heads: &HashMap<usize, bool>) -> Vec<Draft> {
        let around = Surroundings { page: number, ..self.surroundings(&page) };
        let mut drafts = Vec::new();
        let mut lines: Vec<Line> = Vec::new();
        for (index, part) in page.parts.into_iter().enumerate() {
            match part {
                Part::Line(line) => match heads.get(&index) {
                    Some(is_at_top) => {
                        self.draft_lines(std::mem::take(&mut lines), around, &mut drafts);
                        let head = Block::RunningHead { is_at_top: *is_at_top, text: line.text };
                        drafts.push(Draft::Block(head));
                    }
                    None => lines.push(line),
                },
                Part::Table(table) => {
                    self.draft_lines(std::mem::take(&mut lines), around, &mut drafts);
                    drafts.push(Draft::Block(Block::Table(table)));
                }
            }
        }
        self.draft_lines(lines, around, &mut drafts);
        drafts
    }

    fn surroundings(&self, page: &Layout) -> Surroundings {
        let lines = || page.parts.iter().filter_map(Part::line);
        let letters = |of: &dyn Fn(f32, &Look) -> bool| -> u32 {
            let in_lines = lines().map(|line| (&line.size, &line.thinnest, &line.letters));
            let in_tables = page.in_tables.iter().map(|(size, look, letters)| (size, look, letters));
            in_lines
                .chain(in_tables)
                .filter(|(size, look, _)| of(**size, look))
                .map(|(.., letters)| letters)
                .sum()
        };
        let all = letters(&|_, _| true).max(1) as f32;
        Surroundings {
            page: 0,
            is_contents: headings::is_contents(&lines().collect::<Vec<_>>()),
            large: letters(&|size, _| size > 1.1 * self.statistics.body) as f32 / all,
            bold: letters(&|_, look| self.statistics.is_bold_look(look)) as f32 / all,
            top: page.place.top + MARGIN * page.place.height(),
            bottom: page.place.bottom - MARGIN * page.place.height(),
        }
    }

    fn draft_lines(&self, lines: Vec<Line>, around: Surroundings, drafts: &mut Vec<Draft>) {
        let mut groups = paragraphs::groups(lines, &self.statistics).into_iter().peekable();
        while let Some(mut group) = groups.next() {
            // In a box, the label of a figure may be in a cell of its own.
            let is_label = |group: &Group| group.first().cell > 0 && headings::is_label(&group.text());
            let owner = |group: &Group| group.first().cell;
            if is_label(&group)
                && let Some(words) = groups.next_if(|next| owner(next) == owner(&group) + 1)
            {
                group.lines.extend(words.lines);
            }
            drafts.push(self.draft(&group, around));
        }
    }

    fn draft(&self, group: &Group, around: Surroundings) -> Draft {
        let outline = self.outline.level(around.page, &group.text());
        if let Some(rank) = headings::rank(group, outline, around, &self.statistics) {
            return Draft::Heading(rank, group.text());
        }
        if !self.statistics.is_typewritten
            && group.lines.iter().all(|line| line.look.is_monospace)
            && group.lines.len() > 1
        {
            return Draft::Block(Block::Code(code(&group.lines)));
        }
        let text = group.text();
        if let Some((marker, rest)) = lists::marker(&text) {
            let item = Item { depth: 0, marker: marker.to_owned(), text: rest.to_owned() };
            return Draft::Item(item, group.first().place.left);
        }
        let is_note = group.size() < SMALL * self.statistics.body && lists::is_note(&text);
        Draft::Block(if headings::is_caption(&text) {
            Block::Caption(text)
        } else if is_note {
            Block::Footnote(text)
        } else {
            Block::Paragraph(text)
        })
    }
}

/// Lines of program text with their indentation.
fn code(lines: &[Line]) -> Vec<String> {
    let left = lines.iter().map(|line| line.place.left).fold(f32::MAX, f32::min);
    let indented = |line: &Line| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let letters = ((line.place.left - left) / (0.6 * line.size)).round().clamp(0.0, 80.0) as usize;
        format!("{}{}", " ".repeat(letters), line.text)
    };
    lines.iter().map(indented).collect()
}

/// A block before levels and lists are known.
#[derive(Debug)]
enum Draft {
    Block(Block),
    Heading(Rank, String),
    /// An item and its left end.
    Item(Item, f32),
}

impl Draft {
    fn rank(&self) -> Option<Rank> {
        match self {
            Self::Heading(rank, _) => Some(*rank),
            _ => None,
        }
    }
}

/// Adds levels and gathers list items.
fn finished(drafts: Vec<Draft>, levels: &Levels) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut indents: Vec<f32> = Vec::new();
    for draft in drafts {
        match draft {
            Draft::Block(block) => blocks.push(block),
            Draft::Heading(rank, text) => blocks.push(Block::Heading { level: levels.level(rank), text }),
            Draft::Item(mut item, left) => {
                if !matches!(blocks.last(), Some(Block::List(_))) {
                    indents.clear();
                }
                while indents.last().is_some_and(|last| left < last - 4.0) {
                    indents.pop();
                }
                if indents.last().is_none_or(|last| left > last + 4.0) {
                    indents.push(left);
                }
                item.depth = u8::try_from(indents.len() - 1).unwrap_or(0);
                match blocks.last_mut() {
                    Some(Block::List(items)) => items.push(item),
                    _ => blocks.push(Block::List(vec![item])),
                }
            }
        }
    }
    blocks
}
