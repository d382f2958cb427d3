//! The extraction worker: closes the sandbox, then reads the file on its standard input.
//!
//! Started by `dossier_extract::Extractor` and by nobody else; the arguments are
//! `dossier_extract::Invocation`.

use dossier_extract::Invocation;
use dossier_extract::protocol::Failure;
use dossier_extract_worker::sandbox::{self, SandboxError};
use dossier_extract_worker::{refuse, serve};
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    let invocation = match Invocation::from_arguments(std::env::args_os().skip(1)) {
        Ok(invocation) => invocation,
        Err(error) => {
            eprintln!("dossier-extract-worker: {error} (it is started by dossier-extract, not by hand)");
            return ExitCode::from(2);
        }
    };
    let output = match sandbox::take_output(invocation.sandbox) {
        Ok(output) => Arc::new(output),
        Err(error) => return fail_closed(io::stdout(), &error),
    };
    let limits = invocation.limits;
    let replies = Arc::clone(&output);
    match sandbox::enter(&limits, invocation.sandbox, move || serve(&invocation, &*replies)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail_closed(&*output, &error),
    }
}

/// The parent learns which layer is missing; no byte of the file has been read.
fn fail_closed(output: impl Write, error: &SandboxError) -> ExitCode {
    refuse(output, Failure::SandboxUnavailable { reason: error.to_string() });
    ExitCode::FAILURE
}
