//! Draws text on a page, for thumbnails of files without a page layout.
//!
//! The page is written as a PDF and rendered like any other. Characters missing from the standard fonts are drawn as
//! grey boxes: at this size, people recognize a page by its shape.

use crate::input::Input;
use crate::pdf::Renderer;
use dossier_extract::Limits;
use dossier_extract::protocol::Failure;
use encoding_rs::WINDOWS_1252;
use image::DynamicImage;
use std::fmt::Write as _;
use unicode_width::UnicodeWidthChar;

/// The shape of a page and its type sizes, in points.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    width: f64,
    height: f64,
    margin: f64,
    /// The first line is the title.
    title: f64,
    body: f64,
    /// Use a monospaced font, so that columns line up.
    is_monospaced: bool,
}

impl Look {
    /// A4 portrait.
    pub(crate) const DOCUMENT: Self =
        Self { width: 595.0, height: 842.0, margin: 56.0, title: 26.0, body: 17.0, is_monospaced: false };
    pub(crate) const SLIDE: Self =
        Self { width: 960.0, height: 540.0, margin: 60.0, title: 48.0, body: 30.0, is_monospaced: false };
    /// A4 landscape.
    pub(crate) const SHEET: Self =
        Self { width: 842.0, height: 595.0, margin: 40.0, title: 24.0, body: 18.0, is_monospaced: true };
}

/// Line height, relative to the type size.
const LEADING: f64 = 1.35;
/// Longer lines are cut off before they are wrapped, because no page has room for more.
const LONGEST_LINE: usize = 4000;
const TAB: &str = "    ";

/// Draws the beginning of `text`; the longest side of the image has `side` pixels.
pub(crate) fn draw(text: &str, look: Look, side: u32, limits: &Limits) -> Result<DynamicImage, Failure> {
    let pdf = pdf(&content(text, look), look);
    let scale = f64::from(side) / look.width.max(look.height);
    let drawn = Renderer::open(Input::Copied(pdf))?.draw(0, scale, limits.pixels)?;
    Ok(drawn.picture)
}

/// The content stream of the page.
fn content(text: &str, look: Look) -> String {
    let mut content = String::from("0.15 g\n");
    let mut top = look.height - look.margin;
    let mut size = look.title;
    for line in text.lines() {
        let line: String = line.chars().take(LONGEST_LINE).collect::<String>().replace('\t', TAB);
        if line.trim().is_empty() {
            // No space above the title.
            if size < look.title {
                top -= size * LEADING / 2.0;
            }
            continue;
        }
        for row in wrapped(&line, size, look) {
            top -= size * LEADING;
            if top < look.margin / 2.0 {
                return content;
            }
            write_row(&mut content, row, size, top, look);
        }
        size = look.body;
    }
    content
}

/// Wraps a line to rows that fit between the margins.
fn wrapped(line: &str, size: f64, look: Look) -> Vec<&str> {
    let room = (look.width - 2.0 * look.margin) / size;
    let mut rows = Vec::new();
    let (mut start, mut blank, mut width) = (0, None, 0.0);
    for (at, character) in line.char_indices() {
        let advance = advance(character, look);
        if width + advance > room && at > start {
            // Rows of a sheet are cut off at the margin.
            if look.is_monospaced {
                return vec![&line[..at]];
            }
            let end = blank.unwrap_or(at);
            rows.push(line[start..end].trim_end());
            start = end;
            blank = None;
            width = line[start..at].chars().map(|c| self::advance(c, look)).sum();
        }
        if character == ' ' {
            blank = Some(at + 1);
        }
        width += advance;
    }
    rows.push(line[start..].trim_end());
    rows
}

/// Writes a row: text for characters in the fonts, boxes for others.
fn write_row(content: &mut String, row: &str, size: f64, base: f64, look: Look) {
    let font = if size > look.body { "/F2" } else { "/F1" };
    let mut left = look.margin;
    let mut run = String::new();
    let mut run_left = left;
    let flush = |content: &mut String, run: &mut String, left: f64| {
        if !run.is_empty() {
            // Writing to a string cannot fail.
            let _ = writeln!(content, "BT {font} {size} Tf 1 0 0 1 {left:.1} {base:.1} Tm <{run}> Tj ET");
            run.clear();
        }
    };
    for character in row.chars() {
        let advance = advance(character, look) * size;
        if let Some(byte) = standard(character) {
            if run.is_empty() {
                run_left = left;
            }
            let _ = write!(run, "{byte:02x}");
        } else {
            flush(content, &mut run, run_left);
            let (width, height) = (advance * 0.8, size * 0.6);
            let _ = writeln!(content, "q 0.45 g {left:.1} {base:.1} {width:.1} {height:.1} re f Q");
        }
        left += advance;
    }
    flush(content, &mut run, run_left);
}

/// The code of a character in the standard fonts.
fn standard(character: char) -> Option<u8> {
    let mut utf8 = [0; 4];
    let (bytes, _, is_unknown) = WINDOWS_1252.encode(character.encode_utf8(&mut utf8));
    match (is_unknown, &*bytes) {
        (false, [byte]) if *byte >= 0x20 => Some(*byte),
        _ => None,
    }
}

/// The approximate width of a character, relative to the type size.
fn advance(character: char, look: Look) -> f64 {
    match character {
        _ if look.is_monospaced && character.is_ascii() => 0.6,
        ' ' | 'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | 'f' | 't' | '/' => 0.28,
        'r' | '(' | ')' | '-' | '[' | ']' | '"' => 0.34,
        'm' | 'M' | 'w' | 'W' | '@' | '%' | '—' => 0.86,
        'A'..='Z' => 0.68,
        _ if character.is_ascii() => 0.55,
        _ => match character.width() {
            Some(0) | None => 0.0,
            Some(1) => 0.58,
            Some(_) => 1.0,
        },
    }
}

/// A PDF of one page.
fn pdf(content: &str, look: Look) -> Vec<u8> {
    let (regular, bold) =
        if look.is_monospaced { ("Courier", "Courier-Bold") } else { ("Helvetica", "Helvetica-Bold") };
    let font = |name: &str| format!("<</Type/Font/Subtype/Type1/BaseFont/{name}/Encoding/WinAnsiEncoding>>");
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 {} {}]/Contents 6 0 R/Resources<</Font<</F1 4 0 R/F2 5 0 R>>>>>>",
            look.width, look.height
        ),
        font(regular),
        font(bold),
        format!("<</Length {}>>\nstream\n{content}\nendstream", content.len()),
    ];
    let mut file = String::from("%PDF-1.7\n");
    let mut offsets = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        offsets.push(file.len());
        let _ = writeln!(file, "{} 0 obj\n{object}\nendobj", index + 1);
    }
    let table = file.len();
    let _ = write!(file, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for offset in offsets {
        let _ = writeln!(file, "{offset:010} 00000 n ");
    }
    let _ = write!(file, "trailer\n<</Size {}/Root 1 0 R>>\nstartxref\n{table}\n%%EOF", objects.len() + 1);
    file.into_bytes()
}
