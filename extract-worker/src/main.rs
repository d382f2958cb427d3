//! The extraction worker: closes the sandbox, then reads the file on its standard input.
//!
//! Started by `dossier_extract::Extractor` and by nobody else; the arguments are
//! `dossier_extract::Invocation`.

use dossier_extract::Invocation;
use dossier_extract::protocol::Failure;
use dossier_extract_worker::{refuse, sandbox, serve};
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    let invocation = match Invocation::from_arguments(std::env::args_os().skip(1)) {
        Ok(invocation) => invocation,
        Err(error) => return complain(&error),
    };
    let output = match sandbox::take_output() {
        Ok(output) => Arc::new(output),
        Err(error) => return complain(&error.to_string()),
    };
    let limits = invocation.limits;
    let replies = Arc::clone(&output);
    match sandbox::enter(&limits, invocation.sandbox, move || serve(&invocation, &*replies)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Fails closed: the parent learns which layer is missing; no byte of the file has been read.
            refuse(&*output, Failure::SandboxUnavailable { reason: error.to_string() });
            ExitCode::FAILURE
        }
    }
}

fn complain(error: &str) -> ExitCode {
    eprintln!("dossier-extract-worker: {error} (it is started by dossier-extract, not by hand)");
    ExitCode::from(2)
}
