//! Office files with a damaged or missing part: the rest is read, and the pages that it concerns say so.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use common::extract;
use std::io::{Cursor, Read, Write};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/fixtures/office/", $name))
    };
}

/// What happens to a part.
#[derive(Debug, Clone, Copy)]
enum Harm {
    Missing,
    /// The second half is lost.
    Cut,
    /// Something else is in its place.
    Foreign,
    /// An end tag in the middle belongs to no element.
    Unbalanced,
    /// Bytes of the compressed data are changed.
    Scratched,
}

const EVERY: [Harm; 5] = [Harm::Missing, Harm::Cut, Harm::Foreign, Harm::Unbalanced, Harm::Scratched];

/// The file with that part harmed.
fn harmed(file: &[u8], part: &str, harm: Harm) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(Cursor::new(file)).unwrap();
    let mut written = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let name = entry.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        if name == part {
            let middle = bytes.len() / 2;
            match harm {
                Harm::Missing => continue,
                Harm::Cut => bytes.truncate(middle),
                Harm::Foreign => bytes = b"This is not XML at all.".to_vec(),
                Harm::Unbalanced => {
                    let at = middle + bytes[middle..].iter().position(|byte| *byte == b'<').unwrap();
                    drop(bytes.splice(at..at, *b"</unopened>"));
                }
                Harm::Scratched => {}
            }
        }
        written.start_file(&*name, options).unwrap();
        written.write_all(&bytes).unwrap();
    }
    let mut bytes = written.finish().unwrap().into_inner();
    if matches!(harm, Harm::Scratched) {
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes.clone())).unwrap();
        let entry = archive.by_name(part).unwrap();
        let (start, length) = (entry.data_start().unwrap(), entry.compressed_size());
        let at = usize::try_from(start + length / 2).unwrap();
        bytes[at..at + 8].fill(0x55);
    }
    bytes
}

/// The text and the reason of each page.
fn pages(file: &[u8]) -> Vec<(String, Option<String>)> {
    extract(file).unwrap().pages.into_iter().map(|page| (page.text, page.reason)).collect()
}

#[track_caller]
fn assert_names(reason: Option<&String>, part: &str, harm: Harm) {
    let expected = format!("damaged or missing in the file: {part}");
    assert_eq!(reason, Some(&expected), "{part} {harm:?}");
}

#[test]
fn a_slide() {
    let whole = pages(fixture!("slides.pptx"));
    assert!(whole.iter().all(|(_, reason)| reason.is_none()), "{whole:?}");
    for harm in EVERY {
        let part = "ppt/slides/slide2.xml";
        let read = pages(&harmed(fixture!("slides.pptx"), part, harm));
        assert_eq!(read.len(), whole.len(), "{harm:?}");
        assert_eq!(read[0], whole[0], "{harm:?}");
        assert_names(read[1].1.as_ref(), part, harm);
    }
}

#[test]
fn the_notes_of_a_slide() {
    for harm in EVERY {
        let part = "ppt/notesSlides/notesSlide1.xml";
        let read = pages(&harmed(fixture!("slides.pptx"), part, harm));
        assert_names(read[0].1.as_ref(), part, harm);
        assert_eq!(read[1].1, None, "{harm:?}");
    }
}

#[test]
fn the_styles_of_every_other_format() {
    let files: [(&[u8], &str, &str); 4] = [
        (fixture!("formats.xlsx"), "xl/styles.xml", "xl/styles.xml"),
        (fixture!("hidden.docx"), "word/numbering.xml", "word/numbering.xml"),
        (fixture!("frame.odt"), "styles.xml", "styles.xml"),
        (fixture!("slides.odp"), "styles.xml", "styles.xml"),
    ];
    for (file, part, name) in files {
        for harm in [Harm::Cut, Harm::Foreign, Harm::Unbalanced] {
            for (text, reason) in pages(&harmed(file, part, harm)) {
                assert!(!text.trim().is_empty(), "{part} {harm:?}");
                assert_names(reason.as_ref(), name, harm);
            }
        }
    }
}

#[test]
fn a_header_that_is_named_but_missing() {
    let body = format!(
        "{}<w:sectPr><w:headerReference w:type=\"default\" xmlns:r=\"http://schemas.openxmlformats.org/\
         officeDocument/2006/relationships\" r:id=\"header1.xml\"/></w:sectPr>",
        common::paragraph("The body stays.")
    );
    let file = common::docx_with(&body, &[("header", "header1.xml", "<w:hdr/>")]);
    let read = pages(&harmed(&file, "word/header1.xml", Harm::Missing));
    assert_eq!(read[0].0.trim(), "The body stays.");
    assert_names(read[0].1.as_ref(), "word/header1.xml", Harm::Missing);
}

#[test]
fn a_text_that_ends_early_says_so() {
    let long: String = (1..=50).map(|number| common::paragraph(&format!("Paragraph {number}."))).collect();
    let files = [(fixture!("frame.odt").to_vec(), "content.xml"), (common::docx(&long), "word/document.xml")];
    for (file, part) in files {
        let read = pages(&harmed(&file, part, Harm::Unbalanced));
        assert_names(read[0].1.as_ref(), part, Harm::Unbalanced);
    }
}

#[test]
fn metadata_is_not_missed() {
    let read = pages(&harmed(fixture!("hidden.docx"), "docProps/core.xml", Harm::Foreign));
    assert_eq!(read, pages(fixture!("hidden.docx")));
}
