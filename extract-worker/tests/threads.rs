//! The pages of a PDF are read by several threads. Nobody can tell from the result.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use common::{at, extractor, pdf_of_pages, stream};
use dossier_extract::{ExtractError, Extraction, Extractor, Limits, Request, Source, TextFormat, Tick};

/// Files below 96 KiB are read by one thread.
const LARGE: usize = 200 * 1024;

/// A large file with these pages.
fn large(pages: &[String], resources: &str, more: &[Vec<u8>]) -> Vec<u8> {
    let pages: Vec<&str> = pages.iter().map(String::as_str).collect();
    let more: Vec<Vec<u8>> = more.iter().cloned().chain([stream("", &vec![b' '; LARGE])]).collect();
    pdf_of_pages(&pages, resources, &more)
}

/// A page of several lines in two sizes, some of them in columns.
fn page(number: i32) -> String {
    let mut content = at(72, 740, &format!("Heading of page {number}"));
    for line in 0..40 {
        content.push_str(&at(
            72,
            700 - 14 * line,
            &format!("Page {number} says on line {line} what it says."),
        ));
        if number % 3 == 0 {
            content.push_str(&at(400, 700 - 14 * line, &format!("{}", number * 1000 + line)));
        }
    }
    content
}

fn read(bytes: &[u8], request: &Request, limits: Limits) -> Result<Extraction, ExtractError> {
    let source = Source::from_bytes(bytes).unwrap();
    Extractor { limits, ..extractor() }.extract(&source, request, || Tick::Continue)
}

/// What every number of threads makes of the file.
fn by_any_number(bytes: &[u8], request: &Request) -> Extraction {
    let by = |threads| read(bytes, request, Limits { threads, ..Limits::default() }).unwrap();
    let alone = by(1);
    for threads in [2, 3] {
        let together = by(threads);
        assert_eq!(together.pages, alone.pages, "{threads} threads");
        assert_eq!(together.needs_ocr, alone.needs_ocr);
        assert_eq!(together.language, alone.language);
    }
    alone
}

#[test]
fn the_result_does_not_depend_on_the_threads() {
    let pages: Vec<String> = (1..=150).map(page).collect();
    let file = large(&pages, "", &[]);
    for (format, structure) in
        [(TextFormat::Text, false), (TextFormat::Text, true), (TextFormat::Markdown, false)]
    {
        let read = by_any_number(&file, &Request { format, structure, ..Request::default() });
        assert_eq!(read.pages.len(), 150);
        for (page, number) in read.pages.iter().zip(1..) {
            assert_eq!(page.page, number);
            assert!(page.text.contains(&format!("Page {number} says on line 39")), "{}", page.text);
        }
    }
}

#[test]
fn a_page_that_draws_endlessly_is_cut_off_alone() {
    // Each form draws the next one twice, and the last one draws a thousand lines: four million in all.
    let form = |number: u32, content: &str| {
        let next = format!("/Resources << /XObject << /X {} 0 R >> >>", number + 1);
        stream(&format!("/Type /XObject /Subtype /Form /BBox [0 0 612 792] {next}"), content.as_bytes())
    };
    let mut forms: Vec<Vec<u8>> = (84..96).map(|number| form(number, "/X Do /X Do")).collect();
    forms.push(form(96, &"0 0 m 9 9 l S ".repeat(1000)));
    let pages: Vec<String> = (1..=40)
        .map(|number| {
            let text = at(72, 700, &format!("page {number}"));
            if number == 20 { format!("{text}/X Do") } else { text }
        })
        .collect();
    let read = by_any_number(&large(&pages, "/XObject << /X 84 0 R >>", &forms), &Request::default());
    for (page, number) in read.pages.iter().zip(1..) {
        assert_eq!(page.text.trim(), format!("page {number}"));
        let is_cut = page.reason.as_deref().is_some_and(|reason| reason.contains("draws too many objects"));
        assert_eq!(is_cut, number == 20, "page {number}: {:?}", page.reason);
    }
}

#[test]
fn pages_arrive_in_order_while_others_are_read() {
    let pages: Vec<String> = (1..=400).map(page).collect();
    let source = Source::from_bytes(&large(&pages, "", &[])).unwrap();
    let (mut arrived, mut portions) = (0, 0);
    let each = |read: dossier_extract::PagesRead| {
        for page in read.pages {
            arrived += 1;
            assert_eq!(page.page, arrived);
        }
        portions += 1;
        Tick::Continue
    };
    extractor().extract_text_each(&source, &Request::default(), each, || Tick::Continue).unwrap();
    assert_eq!(arrived, 400);
    assert!(portions > 1, "all pages arrived at once");
}

#[test]
fn all_threads_share_the_limits() {
    let busy = "q 1 0 0 1 0 0 cm Q 0 0 m 9 9 l S ".repeat(20_000);
    let pages: Vec<String> = (0..400).map(|_| busy.clone()).collect();
    let file = large(&pages[..20], "", &[]);
    assert!(read(&file, &Request::default(), Limits::default()).is_ok());
    let all = large(&pages, "", &[]);
    let outcome =
        read(&all, &Request::default(), Limits { cpu_seconds: 1, input_bytes: 1 << 30, ..Limits::default() });
    assert!(matches!(outcome, Err(ExtractError::LimitExceeded { limit: "cpu_seconds" })), "{outcome:?}");
}
