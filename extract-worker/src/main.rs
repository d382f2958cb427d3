//! The extraction worker: enters the sandbox, then reads the file on its standard input. For OCR it loads
//! Tesseract first.
//!
//! Only `dossier_extract::Extractor` starts it; the arguments are `dossier_extract::Invocation`.

use dossier_extract::protocol::Failure;
use dossier_extract::{Invocation, Task};
use dossier_extract_worker::sandbox::{self, ForeignLibrary, SandboxError};
use dossier_extract_worker::{greet, ocr, refuse, serve};
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    if greet(io::stdout()).is_err() {
        // Nothing reads this.
        return ExitCode::FAILURE;
    }
    let mut invocation = match Invocation::from_arguments(std::env::args_os().skip(1)) {
        Ok(invocation) => invocation,
        Err(error) => {
            eprintln!(
                "dossier-extract-worker: {error} (run dossier-extract instead; it starts this program)"
            );
            return ExitCode::from(2);
        }
    };
    let output = match sandbox::take_output(invocation.sandbox) {
        Ok(output) => Arc::new(output),
        Err(error) => return fail_closed(io::stdout(), &error),
    };
    let tesseract = match &invocation.task {
        Task::Recognize(recognition) => match ocr::load(recognition) {
            Ok(tesseract) => Some(tesseract),
            Err(failure) => {
                refuse(&*output, failure);
                return ExitCode::FAILURE;
            }
        },
        _ => None,
    };
    let library = if tesseract.is_some() { ForeignLibrary::Tesseract } else { ForeignLibrary::None };
    if invocation.task != Task::Extract {
        // Only pages of text are read by several threads.
        invocation.limits.threads = 1;
    }
    let limits = invocation.limits;
    let replies = Arc::clone(&output);
    match sandbox::enter(&limits, invocation.sandbox, library, move |isolation, crew| {
        serve(&invocation, tesseract, isolation, &crew, &mut &*replies);
    }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail_closed(&*output, &error),
    }
}

/// Tells the parent which layer is missing. No byte of the file has been read.
fn fail_closed(output: impl Write, error: &SandboxError) -> ExitCode {
    refuse(output, Failure::SandboxUnavailable { reason: error.to_string() });
    ExitCode::FAILURE
}
