//! The worker enforces its own limits.

mod common;

use common::{at, extractor, pdf_of_pages};
use dossier_extract::{ExtractError, Extraction, Extractor, Limits, Request, Source, Tick};

fn run(bytes: &[u8], limits: Limits) -> Result<Extraction, ExtractError> {
    let source = Source::from_bytes(bytes).unwrap_or_else(|error| panic!("no source: {error}"));
    Extractor { limits, ..extractor() }.extract(&source, &Request::default(), || Tick::Continue)
}

#[test]
fn pages() {
    let page = at(72, 700, "page");
    let file = pdf_of_pages(&[&page, &page, &page], "", &[]);
    assert!(run(&file, Limits { pages: 3, ..Limits::default() }).is_ok());
    let outcome = run(&file, Limits { pages: 2, ..Limits::default() });
    assert!(matches!(outcome, Err(ExtractError::LimitExceeded { limit: "pages" })), "{outcome:?}");
}

#[test]
fn output() {
    let file = "many words ".repeat(10_000);
    assert!(run(file.as_bytes(), Limits { output_bytes: 200_000, ..Limits::default() }).is_ok());
    let outcome = run(file.as_bytes(), Limits { output_bytes: 100_000, ..Limits::default() });
    assert!(matches!(outcome, Err(ExtractError::LimitExceeded { limit: "output_bytes" })), "{outcome:?}");
}

#[test]
fn memory() {
    // There are several copies of the text while it is decoded and sent.
    let file = "x".repeat(40_000_000);
    let limits = Limits { memory_bytes: 200_000_000, output_bytes: 100_000_000, ..Limits::default() };
    let outcome = run(file.as_bytes(), limits);
    assert!(matches!(outcome, Err(ExtractError::LimitExceeded { limit: "memory_bytes" })), "{outcome:?}");
}

#[test]
fn a_worker_without_memory_for_its_stack_reports_it() {
    let outcome = run(b"text", Limits { memory_bytes: 32 * 1024 * 1024, ..Limits::default() });
    assert!(matches!(outcome, Err(ExtractError::SandboxUnavailable { .. })), "{outcome:?}");
}
