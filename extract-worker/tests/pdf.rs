//! What a PDF's pages and its document information come out as, by the real worker in its sandbox.

mod common;

use common::{at, extract, pdf_of_pages, stream};
use dossier_extract::Extraction;

fn read(file: &[u8]) -> Extraction {
    extract(file).unwrap_or_else(|error| panic!("{error}"))
}

/// The reason that the first page gives.
fn reason(extraction: &Extraction) -> &str {
    extraction.pages[0].reason.as_deref().unwrap_or_default()
}

/// A page that shows a picture of one pixel, as large as the page or smaller, and then `content`.
fn with_picture(width: u32, height: u32, content: &str) -> Vec<u8> {
    let pixel =
        "/Type /XObject /Subtype /Image /Width 1 /Height 1 /BitsPerComponent 8 /ColorSpace /DeviceGray";
    let content = format!("q {width} 0 0 {height} 0 0 cm /I Do Q {content}");
    pdf_of_pages(&[&content], "/XObject << /I 6 0 R >>", &[stream(pixel, b"x")])
}

#[test]
fn good_text_says_so() {
    let extraction = read(&pdf_of_pages(&[&at(72, 700, "Good text")], "", &[]));
    assert_eq!((extraction.pages[0].quality, reason(&extraction)), (Some(1.0), "its text looks good"));
    assert!(extraction.needs_ocr.is_empty());
}

#[test]
fn an_empty_page_needs_nothing() {
    let extraction = read(&pdf_of_pages(&[""], "", &[]));
    assert_eq!((extraction.pages[0].quality, reason(&extraction)), (None, "the page has no text"));
    assert!(extraction.needs_ocr.is_empty());
}

#[test]
fn a_picture_without_text_needs_to_be_read() {
    let hidden = format!(
        "3 Tr {}",
        at(72, 700, "what a scanner has already read on this page, word for word, to the very end")
    );
    for (width, height, content, needs_ocr) in [
        (612, 792, String::new(), true),
        (612, 792, at(72, 20, "Page 1 of 9"), true),
        (612, 792, hidden, false),
        (300, 200, String::new(), true),
        (300, 200, at(72, 700, "A caption"), false),
        (60, 60, String::new(), false),
    ] {
        let extraction = read(&with_picture(width, height, &content));
        assert_eq!(!extraction.needs_ocr.is_empty(), needs_ocr, "{width} x {height}, {content}");
        assert_eq!(reason(&extraction).starts_with("a picture covers"), needs_ocr, "{}", reason(&extraction));
    }
}

#[test]
fn strips_of_a_picture_add_up() {
    let strips: Vec<String> = (0..8).map(|n| format!("q 612 0 0 99 0 {} cm /I Do Q\n", 99 * n)).collect();
    assert_eq!(read(&with_picture(1, 1, &strips.concat())).needs_ocr, [1]);
    let same = "q 612 0 0 250 0 0 cm /I Do Q\n".repeat(3);
    let extraction = read(&with_picture(1, 1, &[&same, &at(72, 700, "Text")[..]].concat()));
    assert_eq!(extraction.needs_ocr, [0; 0], "{}", reason(&extraction));
}

#[test]
fn a_page_that_is_cut_off_says_so_and_keeps_what_comes_before() {
    let nested = |open: &str| format!("{}{}", at(72, 700, "before"), open.repeat(1_000_000));
    let form = stream("/Type /XObject /Subtype /Form /BBox [0 0 612 792]", b"/X Do");
    let recursing = format!("{}/X Do", at(72, 700, "before"));
    for (file, why) in [
        (pdf_of_pages(&[&nested("[")], "", &[]), "broken"),
        (pdf_of_pages(&[&nested("<<")], "", &[]), "broken"),
        (pdf_of_pages(&[&recursing], "/XObject << /X 6 0 R >>", &[form]), "draw themselves"),
    ] {
        let extraction = read(&file);
        assert_eq!(extraction.pages[0].text.trim(), "before");
        assert!(
            reason(&extraction).contains("cut off") && reason(&extraction).contains(why),
            "{}",
            reason(&extraction)
        );
    }
}
