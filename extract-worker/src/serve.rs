//! One request, straight down: the file, what it is, its pages, the last reply.

use crate::format::{self, Format};
use crate::input::Input;
use crate::reply::Pages;
use crate::{csv, docx, json, pdf, text};
use dossier_extract::protocol::Failure;
use dossier_extract::{Invocation, Task};
use std::io::{self, Write};

/// Reads the file on standard input and replies on standard output. Call it in the sandbox.
pub fn serve(invocation: &Invocation) {
    let limits = &invocation.limits;
    let mut pages = Pages::new(io::stdout(), limits.pages, limits.output_bytes);
    let outcome = read(invocation, &mut pages);
    pages.finish(outcome);
}

fn read<W: Write>(invocation: &Invocation, pages: &mut Pages<W>) -> Result<String, Failure> {
    let limits = &invocation.limits;
    let input = Input::open(limits.input_bytes)?;
    let format = match &invocation.request.media_type {
        Some(media_type) if invocation.task == Task::Extract => format::from_media_type(media_type),
        _ => format::detect(&input, limits),
    };
    let media_type = format.media_type().to_owned();
    if invocation.task == Task::Detect {
        return Ok(media_type);
    }
    match format {
        Format::Pdf => pdf::read(input, invocation.request.pdf_engine, limits, pages)?,
        Format::Docx => docx::read(&input, limits, pages)?,
        Format::Json => json::read(&input, pages)?,
        Format::Csv => csv::read(&input, pages)?,
        Format::Text | Format::Markdown => text::read(&input, pages)?,
        Format::Other(_) => return Err(Failure::Unsupported { media_type }),
    }
    Ok(media_type)
}
