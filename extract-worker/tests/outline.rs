//! Outlines of files without pages, after their text has been split into pages.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use common::{WORD, docx_with, extractor, zip};
use dossier_extract::{Request, Source, TextFormat, Tick};

const CHAPTERS: usize = 40;

/// A text of chapters, each with a heading and a paragraph in the given notation.
fn book(heading: impl Fn(&str) -> String, paragraph: impl Fn(&str) -> String) -> String {
    let words = "Words that fill a page, and more of them. ".repeat(30);
    (0..CHAPTERS).map(|at| heading(&format!("Chapter {at}.")) + &paragraph(&words)).collect()
}

/// Every heading is on the page that the outline names.
fn assert_outline_leads_to_headings(bytes: &[u8]) {
    for format in [TextFormat::Text, TextFormat::Markdown] {
        let request = Request { format, ..Request::default() };
        let source = Source::from_bytes(bytes).unwrap();
        let read = extractor().extract(&source, &request, || Tick::Continue).unwrap();
        assert!(read.pages.len() > 4, "{} pages", read.pages.len());
        assert_eq!(read.metadata.outline.len(), CHAPTERS);
        for entry in &read.metadata.outline {
            let page = &read.pages[entry.page.unwrap() as usize - 1];
            assert!(page.text.contains(&entry.title), "{} is not on page {}", entry.title, page.page);
        }
    }
}

#[test]
fn of_word() {
    let styles = format!(
        "<w:styles xmlns:w=\"{WORD}\"><w:style w:type=\"paragraph\" w:styleId=\"H\"><w:pPr>\
         <w:outlineLvl w:val=\"0\"/></w:pPr></w:style></w:styles>"
    );
    let notes = format!(
        "<w:footnotes xmlns:w=\"{WORD}\"><w:footnote w:id=\"1\"><w:p><w:r><w:t>Note</w:t></w:r></w:p>\
         </w:footnote></w:footnotes>"
    );
    let heading = |words: &str| {
        format!("<w:p><w:pPr><w:pStyle w:val=\"H\"/></w:pPr><w:r><w:t>{words}</w:t></w:r></w:p>")
    };
    let paragraph = |words: &str| format!("<w:p><w:r><w:t>{words}</w:t></w:r></w:p>");
    // Continuous sections make a page of several stretches.
    let section = "<w:p><w:pPr><w:sectPr><w:type w:val=\"continuous\"/></w:sectPr></w:pPr></w:p>";
    let called = "<w:p><w:r><w:t>x</w:t><w:footnoteReference w:id=\"1\"/></w:r></w:p>";
    let body = [&paragraph("before"), section, called, &book(heading, paragraph), section].concat();
    let parts = [("styles", "styles.xml", &styles[..]), ("footnotes", "footnotes.xml", &notes)];
    assert_outline_leads_to_headings(&docx_with(&body, &parts));
}

#[test]
fn of_open_document() {
    let name = "urn:oasis:names:tc:opendocument:xmlns";
    let names = format!(
        "xmlns:o=\"{name}:office:1.0\" xmlns:t=\"{name}:text:1.0\" xmlns:s=\"{name}:style:1.0\" version=\"1\""
    );
    let body = book(|words| format!("<t:h>{words}</t:h>"), |words| format!("<t:p>{words}</t:p>"));
    let content =
        format!("<o:document-content {names}><o:body><o:text>{body}</o:text></o:body></o:document-content>");
    let header = "The header. ".repeat(100);
    let styles =
        format!("<o:document-styles {names}><s:header><t:p>{header}</t:p></s:header></o:document-styles>");
    assert_outline_leads_to_headings(&zip(&[
        ("mimetype", b"application/vnd.oasis.opendocument.text"),
        ("content.xml", content.as_bytes()),
        ("styles.xml", styles.as_bytes()),
    ]));
}

#[test]
fn of_the_web() {
    let body = book(|words| format!("<h2>{words}</h2>"), |words| format!("<p>{words}</p>"));
    assert_outline_leads_to_headings(format!("<!DOCTYPE html><title>Book</title>{body}").as_bytes());
}

#[test]
fn of_rich_text() {
    let body = book(|words| format!("{{\\s1 {words}\\par}}\\pard "), |words| format!("{words}\\par \\page "));
    let file = format!(
        "{{\\rtf1\\ansi{{\\stylesheet{{\\s1 heading 1;}}}}{{\\header The header\\par}}\\pard {body}}}"
    );
    assert_outline_leads_to_headings(file.as_bytes());
}
