//! The extraction worker: closes the sandbox, then reads the file on its standard input.
//!
//! Started by `dossier_extract::Extractor` and by nobody else; the arguments are
//! `dossier_extract::Invocation`.

use dossier_extract::Invocation;
use dossier_extract::protocol::{Failure, Reply};
use dossier_extract_worker::{sandbox, serve};
use std::process::ExitCode;

fn main() -> ExitCode {
    let invocation = match Invocation::from_arguments(std::env::args_os().skip(1)) {
        Ok(invocation) => invocation,
        Err(error) => {
            eprintln!("dossier-extract-worker: {error}; it is started by dossier-extract, not by hand");
            return ExitCode::from(2);
        }
    };
    let limits = invocation.limits;
    match sandbox::enter(&limits, invocation.sandbox, move || serve(&invocation)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(&error),
    }
}

/// Fails closed: the parent learns which layer is missing, and no byte of the file has been read.
fn refuse(error: &sandbox::SandboxError) -> ExitCode {
    let reply = Reply::Failed(Failure::SandboxUnavailable { reason: error.to_string() });
    match serde_json::to_string(&reply) {
        Ok(line) => println!("{line}"),
        Err(error) => eprintln!("dossier-extract-worker: {error}"),
    }
    ExitCode::FAILURE
}
