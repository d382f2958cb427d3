//! Decides the reading order of a page's segments and writes them as plain text. For Markdown, `structure::order` then
//! corrects the order of blocks.

use super::columns;
use super::lines::Segment;
use super::spacing::WORD_GAP;

/// The text: lines end with `\n`, cells of a row are separated by tabs, paragraphs by an empty line.
pub(in crate::pdf) fn text(segments: &[Segment]) -> String {
    let mut text = String::new();
    for mut frame in frames(segments) {
        put_margins_in_place(&mut frame);
        keep_words_whole(&mut frame);
        let mut last: Option<&Segment> = None;
        for segment in frame {
            if let Some(last) = last {
                text.push_str(separator(last, segment));
            }
            text.push_str(&segment.text);
            last = Some(segment);
        }
        text.push('\n');
    }
    text
}

/// Segments in the order in which they are drawn, or in reading order where that cannot be it; each direction of text by
/// itself. Margins may be out of place.
pub(in crate::pdf) fn frames(segments: &[Segment]) -> Vec<Vec<&Segment>> {
    let mut frames: Vec<u16> = Vec::new();
    for segment in segments {
        if !frames.contains(&segment.frame) {
            frames.push(segment.frame);
        }
    }
    let letters = |frame: u16| -> usize {
        segments.iter().filter(|segment| segment.frame == frame).map(|segment| segment.text.len()).sum()
    };
    // First the main text direction, then text that runs across it.
    frames.sort_by_key(|frame| std::cmp::Reverse(letters(*frame)));
    let ordered = frames.into_iter().map(|frame| {
        let mut these: Vec<&Segment> = segments.iter().filter(|segment| segment.frame == frame).collect();
        // The drawing order is usually the reading order, unless a program drew the page by fonts or
        // layers.
        if !columns::is_natural(&these) {
            these = columns::order(&these);
        }
        these
    });
    ordered.collect()
}

/// Moves a header that was drawn last to the front, and a footer that was drawn first to the end.
fn put_margins_in_place(segments: &mut Vec<&Segment>) {
    const MOST_IN_MARGINS: usize = 8;
    let most = MOST_IN_MARGINS.min(segments.len() / 4);
    let body = segments[most..segments.len() - most].iter().map(|segment| segment.v);
    let (top, bottom) = body.fold((f32::MAX, f32::MIN), |(top, bottom), v| (top.min(v), bottom.max(v)));
    let tail = segments.split_off(segments.len() - most);
    let (headers, last): (Vec<&Segment>, Vec<_>) = tail.iter().partition(|s| s.v < top - 1.5 * s.size);
    let body = segments.split_off(most);
    let (footers, first): (Vec<&Segment>, Vec<_>) =
        segments.iter().partition(|s| s.v > bottom + 1.5 * s.size);
    segments.clear();
    segments.extend([headers, first, body, last, footers].into_iter().flatten());
}

/// Keeps the halves of a hyphenated word together: a line number or margin note is often drawn between them.
/// It is moved after the second half.
fn keep_words_whole(segments: &mut [&Segment]) {
    const MOST_BETWEEN: usize = 3;
    for at in 0..segments.len().saturating_sub(2) {
        let half = segments[at];
        if !half.text.strip_suffix('-').is_some_and(|word| word.ends_with(char::is_alphabetic)) {
            continue;
        }
        let goes_on = |next: &Segment| {
            let down = (next.v - half.v) / half.size;
            (0.7..2.0).contains(&down)
                && (next.start - half.start).abs() < 4.0 * half.size
                && (next.size - half.size).abs() < 0.2 * half.size
                && next.text.starts_with(char::is_lowercase)
        };
        let ahead = &segments[at + 1..segments.len().min(at + 2 + MOST_BETWEEN)];
        if let Some(between @ 1..) = ahead.iter().position(|next| goes_on(next)) {
            segments[at + 1..=at + 1 + between].rotate_right(1);
        }
    }
}

/// The separator between two consecutive segments.
fn separator(last: &Segment, next: &Segment) -> &'static str {
    let size = last.size.max(next.size);
    let down = next.v - last.v;
    let one_size = last.size.min(next.size) > 0.85 * size;
    if down.abs() < size * if one_size { 0.3 } else { 0.5 } {
        let gap = if last.right_to_left || next.right_to_left {
            (last.start - next.end).max(next.start - last.end)
        } else {
            next.start - last.end
        };
        match gap / size {
            gap if gap < -0.6 => {}
            gap if gap < WORD_GAP => return "",
            gap if gap < 1.5 => return " ",
            _ => return "\t",
        }
    }
    if down > 1.9 * size { "\n\n" } else { "\n" }
}
