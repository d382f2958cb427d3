//! One request, straight down: the file, what it is, its pages, the last reply.

use crate::format::{self, Format};
use crate::input::Input;
use crate::reply::Pages;
use crate::{csv, docx, html, json, mail, odf, pdf, pptx, rtf, text, xlsx};
use dossier_extract::protocol::Failure;
use dossier_extract::{Invocation, Task};
use std::io::Write;

/// Reads the file on standard input and writes replies. Call it in the sandbox.
pub fn serve(invocation: &Invocation, output: impl Write) {
    let limits = &invocation.limits;
    let mut pages = Pages::new(output, limits.pages, limits.output_bytes);
    let outcome = read(invocation, &mut pages);
    pages.finish(outcome);
}

/// Replies with a failure alone.
pub fn refuse(output: impl Write, failure: Failure) {
    Pages::new(output, 0, 0).finish(Err(failure));
}

fn read<W: Write>(invocation: &Invocation, pages: &mut Pages<W>) -> Result<String, Failure> {
    let limits = &invocation.limits;
    let input = Input::open(limits.input_bytes)?;
    let format = match &invocation.request.media_type {
        Some(media_type) if invocation.task != Task::Detect => format::declared(media_type, &input, limits)?,
        _ => format::detect(&input, limits),
    };
    let media_type = format.media_type().to_owned();
    match invocation.task {
        Task::Extract => {}
        Task::Detect => return Ok(media_type),
        Task::Recognize(_) => {
            return Err(Failure::NeedsOcr { reason: "this worker has no OCR yet".to_owned() });
        }
        Task::Thumbnail { .. } => return Err(Failure::Unsupported { media_type }),
    }
    match format {
        Format::Pdf => pdf::read(input, invocation.request.pdf_engine, limits, pages)?,
        Format::Docx => docx::read(&input, invocation.request.format, limits, pages)?,
        Format::Pptx => pptx::read(&input, invocation.request.format, limits, pages)?,
        Format::Xlsx => xlsx::read(&input, invocation.request.format, limits, pages)?,
        Format::Odt => odf::read(&input, odf::Kind::Text, invocation.request.format, limits, pages)?,
        Format::Ods => odf::read(&input, odf::Kind::Sheets, invocation.request.format, limits, pages)?,
        Format::Odp => odf::read(&input, odf::Kind::Slides, invocation.request.format, limits, pages)?,
        Format::Rtf => rtf::read(&input, invocation.request.format, pages)?,
        Format::Html | Format::Svg => html::read(&input, invocation.request.format, pages)?,
        Format::Mail => mail::read(&input, invocation.request.format, pages)?,
        Format::Json => json::read(&input, pages)?,
        Format::Ndjson => json::read_ndjson(&input, pages)?,
        Format::Csv => csv::read(&input, invocation.request.format, pages)?,
        Format::Text | Format::Markdown | Format::Source(_) => text::read(&input, pages)?,
        Format::Other(of) if of == format::ENCRYPTED_OFFICE => return Err(Failure::Encrypted),
        Format::Other(_) => return Err(Failure::Unsupported { media_type }),
    }
    Ok(media_type)
}
