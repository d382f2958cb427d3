//! One request from start to finish: the file, its format, its pages, the final reply.

use crate::detection::{self, Format};
use crate::formats::{csv, html, json, mail, rtf, text};
use crate::images::ocr::{self, Tesseract};
use crate::images::page_image::PageImages;
use crate::images::text_page::{self, Look};
use crate::images::{image_file, thumbnail};
use crate::input::Input;
use crate::input::charset::Charset;
use crate::office::carried_thumbnail::carried_thumbnail;
use crate::office::{compound_file, docx, odf, pptx, xlsx};
use crate::output::reply::{Pages, line};
use crate::pdf;
use crate::sandbox::Crew;
use dossier_extract::protocol::{self, Failure, Reply};
use dossier_extract::{Invocation, Isolation, Task};
use image::DynamicImage;
use std::io::{self, Write};

/// Reads the file on standard input and writes replies. Call it inside the sandbox; OCR needs `tesseract`.
///
/// `output` is not generic: the readers are, and would be compiled again for the program that names the type.
pub fn serve(
    invocation: &Invocation,
    tesseract: Option<Tesseract>,
    isolation: Isolation,
    crew: &Crew,
    output: &mut dyn Write,
) {
    let limits = &invocation.limits;
    let mut pages = Pages::new(output, limits.pages, limits.output_bytes);
    let outcome =
        pages.report_isolation(isolation).and_then(|()| read(invocation, tesseract, crew, &mut pages));
    pages.finish(outcome);
}

/// Sends the first line. Call it before anything can fail.
pub fn greet(mut output: impl Write) -> io::Result<()> {
    output.write_all(&line(&Reply::Hello { protocol: protocol::VERSION }))?;
    output.flush()
}

/// Sends only a failure.
pub fn refuse(output: impl Write, failure: Failure) {
    Pages::new(output, 0, 0).finish(Err(failure));
}

fn read<W: Write>(
    invocation: &Invocation,
    tesseract: Option<Tesseract>,
    crew: &Crew,
    pages: &mut Pages<W>,
) -> Result<String, Failure> {
    let limits = &invocation.limits;
    let input = Input::open(limits.input_bytes)?;
    let format = match &invocation.request.media_type {
        Some(media_type) if invocation.task != Task::Detect => {
            detection::declared(media_type, &input, limits)?
        }
        _ => detection::detect(&input, limits),
    };
    match &invocation.task {
        Task::Extract => extract(invocation, input, &format, crew, pages)?,
        Task::Detect => {}
        Task::Recognize(recognition) => {
            let mut images = PageImages::open(input, &format, limits)?;
            let mut tesseract = tesseract.ok_or_else(|| ocr::missing("it was not loaded"))?;
            ocr::recognize(&mut tesseract, recognition, &mut images, limits, pages)?;
        }
        Task::Thumbnail { side } => {
            let small = match look(&format) {
                Some(look) => office_thumbnail(invocation, input, &format, look, *side)?,
                None => PageImages::open(input, &format, limits)?.small(*side, limits)?,
            };
            pages.push_thumbnail(thumbnail::encode(&small)?)?;
        }
    }
    Ok(format.media_type().to_owned())
}

/// How to draw the first page of an office file without a thumbnail; `None` for other formats.
fn look(format: &Format) -> Option<Look> {
    match format {
        Format::Docx | Format::Odt | Format::Rtf => Some(Look::DOCUMENT),
        Format::Pptx | Format::Odp => Some(Look::SLIDE),
        Format::Xlsx | Format::Ods => Some(Look::SHEET),
        _ => None,
    }
}

/// The thumbnail stored in the file unless it is blank, or else a drawing of the first page's text.
fn office_thumbnail(
    invocation: &Invocation,
    input: Input,
    format: &Format,
    look: Look,
    side: u32,
) -> Result<DynamicImage, Failure> {
    let limits = &invocation.limits;
    let carried = if *format == Format::Rtf { None } else { carried_thumbnail(&input, limits)? };
    let picture = carried.and_then(|bytes| thumbnail::of_image(&bytes, side, limits));
    match picture {
        Some(picture) => Ok(picture),
        None => text_page::draw(&first_page(invocation, input, format)?, look, side, limits),
    }
}

/// The text of the first page.
fn first_page(invocation: &Invocation, input: Input, format: &Format) -> Result<String, Failure> {
    let mut replies = Vec::new();
    let mut pages = Pages::new(&mut replies, 1, invocation.limits.output_bytes);
    let outcome = extract(invocation, input, format, &Crew::default(), &mut pages);
    let first = replies.split(|byte| *byte == b'\n').next().map(serde_json::from_slice);
    match (first, outcome) {
        (Some(Ok(Reply::Page(page))), _) => Ok(page.text),
        (_, Err(failure)) => Err(failure),
        (_, Ok(())) => Ok(String::new()),
    }
}

fn extract<W: Write>(
    invocation: &Invocation,
    input: Input,
    format: &Format,
    crew: &Crew,
    pages: &mut Pages<W>,
) -> Result<(), Failure> {
    let limits = &invocation.limits;
    let said = invocation.request.media_type.as_deref().and_then(Charset::of_media_type);
    match format {
        Format::Image(kind) => image_file::read(&input, *kind, limits, pages),
        Format::Pdf => {
            let request = &invocation.request;
            let written = pdf::Written { format: request.format, has_structure: request.structure };
            pdf::read(input, request.pdf_engine, written, limits, crew, pages)
        }
        Format::Docx => docx::read(&input, invocation.request.format, limits, pages),
        Format::Pptx => pptx::read(&input, invocation.request.format, limits, pages),
        Format::Xlsx => xlsx::read(&input, invocation.request.format, limits, pages),
        Format::Odt => odf::read(&input, odf::Kind::Text, invocation.request.format, limits, pages),
        Format::Ods => odf::read(&input, odf::Kind::Sheets, invocation.request.format, limits, pages),
        Format::Odp => odf::read(&input, odf::Kind::Slides, invocation.request.format, limits, pages),
        Format::Rtf => rtf::read(&input, invocation.request.format, pages),
        Format::Html | Format::Svg => html::read(&input, said, invocation.request.format, pages),
        Format::Mail => mail::read(&input, invocation.request.format, pages),
        Format::Tnef => mail::read_tnef(&input, invocation.request.format, pages),
        Format::Json => json::read(&input, pages),
        Format::Ndjson => json::read_ndjson(&input, pages),
        Format::Csv => csv::read(&input, said, invocation.request.format, pages),
        Format::Text | Format::Markdown | Format::Source(_) => text::read(&input, said, pages),
        Format::Other(of) if of == compound_file::ENCRYPTED_OFFICE => Err(Failure::Encrypted),
        Format::Other(_) => Err(Failure::Unsupported { media_type: format.media_type().to_owned() }),
    }
}
