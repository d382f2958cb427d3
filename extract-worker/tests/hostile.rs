//! Hostile files. Each has one correct outcome within the limits: a text, or an error code. The worker may
//! die, but never the caller.

mod common;

use common::{Random, at, docx, docx_with, extractor, paragraph, pdf, pdf_of_pages, stream, zip};
use dossier_extract::{ExtractError, Extraction, Extractor, Limits, Request, Source, Tick};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, Instant};

const MIB: usize = 1024 * 1024;

/// Tight limits, so that bombs exceed them soon.
fn tight() -> Extractor {
    let limits = Limits {
        memory_bytes: 512 * MIB as u64,
        inflate_bytes: 32 * MIB as u64,
        cpu_seconds: 5,
        wall: Duration::from_secs(20),
        ..Limits::default()
    };
    Extractor { limits, ..extractor() }
}

fn run(bytes: &[u8], media_type: Option<&str>) -> Result<Extraction, ExtractError> {
    let request = Request { media_type: media_type.map(str::to_owned), ..Request::default() };
    let source =
        Source::from_bytes(bytes).unwrap_or_else(|error| panic!("cannot create the source: {error}"));
    tight().extract(&source, &request, || Tick::Continue)
}

/// A text, or an error caused by the file: never by the host, and never only by the deadline.
#[track_caller]
fn survives(what: &str, bytes: &[u8]) -> Result<Extraction, ExtractError> {
    let outcome = run(bytes, None);
    match &outcome {
        Err(error) if error.is_transient() => panic!("{what}: {error}"),
        Err(ExtractError::Timeout { .. }) => panic!("{what}: only the deadline ended it"),
        Ok(_) | Err(_) => {}
    }
    outcome
}

/// The texts of the pages, or the code of the error.
#[track_caller]
fn outcome(what: &str, bytes: &[u8]) -> Result<Vec<String>, &'static str> {
    match survives(what, bytes) {
        Ok(extraction) => Ok(extraction.pages.iter().map(|page| page.text.trim().to_owned()).collect()),
        Err(error) => Err(error.code()),
    }
}

#[track_caller]
fn assert_outcome(what: &str, bytes: &[u8], expected: Result<&[&str], &str>) {
    let expected: Result<Vec<String>, &str> =
        expected.map(|pages| pages.iter().map(|page| (*page).to_owned()).collect());
    assert_eq!(outcome(what, bytes), expected, "{what}");
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).unwrap_or_default()
}

#[test]
fn a_form_that_draws_itself() {
    let form = stream(
        "/Type /XObject /Subtype /Form /BBox [0 0 612 792] /Resources << /XObject << /X 6 0 R >> >>",
        b"/X Do",
    );
    let content = format!("{}/X Do", at(72, 700, "before the loop"));
    let file = pdf_of_pages(&[&content], "/XObject << /X 6 0 R >>", &[form]);
    let extraction = survives("self-drawing form", &file).unwrap();
    assert_eq!(extraction.pages[0].text.trim(), "before the loop");
}

#[test]
fn a_form_that_draws_itself_twice() {
    let form = stream(
        "/Type /XObject /Subtype /Form /BBox [0 0 612 792] /Resources << /XObject << /X 8 0 R >> >>",
        b"/X Do /X Do",
    );
    let content = format!("{}/X Do", at(72, 700, "before the tree"));
    let file = pdf_of_pages(
        &[&content, &at(72, 700, "the page after")],
        "/XObject << /X 8 0 R >>",
        std::slice::from_ref(&form),
    );
    let extraction = survives("tree of forms", &file).unwrap();
    let texts: Vec<&str> = extraction.pages.iter().map(|page| page.text.trim()).collect();
    assert_eq!(texts, ["before the tree", "the page after"]);
}

#[test]
fn a_page_that_inflates_to_a_gigabyte() {
    // 64 MiB of blanks, deflated twice, then drawn 16 times: a gigabyte from a few hundred bytes.
    let blanks = deflated(&vec![b' '; 64 * MIB]);
    let bomb: Vec<u8> = deflated(&blanks.repeat(1));
    let objects = vec![
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents [4 0 R 4 0 R 4 0 R 4 0 R 4 0 R 4 0 R \
          4 0 R 4 0 R 4 0 R 4 0 R 4 0 R 4 0 R 4 0 R 4 0 R 4 0 R 4 0 R] >>"
            .to_vec(),
        stream("/Filter [/FlateDecode /FlateDecode]", &bomb),
    ];
    let error = survives("deflate bomb", &pdf(&objects)).unwrap_err();
    assert_eq!(error.code(), "limit_exceeded", "{error}");
}

#[test]
fn a_zip_bomb() {
    let mut body = String::from("<w:p><w:r><w:t>");
    body.push_str(&" ".repeat(64 * MIB));
    body.push_str("</w:t></w:r></w:p>");
    let outcome = survives("zip bomb", &docx(&body));
    assert!(matches!(outcome, Err(ExtractError::LimitExceeded { limit: "inflate_bytes" })), "{outcome:?}");
}

#[test]
fn one_budget_for_all_parts() {
    let part = format!("<w:hdr xmlns:w=\"{}\"><!--{}--></w:hdr>", common::WORD, "x".repeat(12 * MIB));
    let names: Vec<String> = (0..4).map(|n| format!("header{n}.xml")).collect();
    let parts: Vec<(&str, &str, &str)> =
        names.iter().map(|name| ("header", name.as_str(), part.as_str())).collect();
    let outcome = survives("many parts", &docx_with(&paragraph("small"), &parts));
    assert!(matches!(outcome, Err(ExtractError::LimitExceeded { limit: "inflate_bytes" })), "{outcome:?}");
}

#[test]
fn a_million_levels() {
    const DEPTH: usize = 1_000_000;
    let json = format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
    let text = outcome("deep JSON", json.as_bytes()).unwrap().concat();
    assert_eq!(text.matches('[').count(), DEPTH);
    let text = outcome("unclosed JSON, which is plain text", &b"[".repeat(DEPTH)).unwrap().concat();
    assert_eq!(text, "[".repeat(DEPTH));
    let nested = |depth| {
        docx(&format!("{}{}{}", "<w:sdt>".repeat(depth), paragraph("deep"), "</w:sdt>".repeat(depth)))
    };
    assert_outcome("deep XML", &nested(60_000), Ok(&["deep"]));
    assert_outcome("deeper XML", &nested(DEPTH), Err("malformed"));
    let tables = docx(&"<w:tbl><w:tr><w:tc>".repeat(20_000));
    assert_outcome("deep tables", &tables, Err("malformed"));
    let boxes = docx(&"<w:txbxContent>".repeat(60_000));
    assert_outcome("deep text boxes", &boxes, Err("malformed"));
    let arrays = pdf_of_pages(&["[".repeat(DEPTH).as_str()], "", &[]);
    assert_outcome("deep PDF arrays", &arrays, Ok(&[""]));
    let dictionaries = pdf(&[b"<< /Type /Catalog /Pages ".to_vec(), b"<</A".repeat(DEPTH)]);
    assert_outcome("deep PDF dictionaries", &dictionaries, Err("malformed"));
    let states = pdf_of_pages(&["q ".repeat(DEPTH).as_str()], "", &[]);
    assert_outcome("deep PDF states", &states, Ok(&[""]));
    let marked = pdf_of_pages(&["/Span BMC ".repeat(DEPTH).as_str()], "", &[]);
    assert_outcome("deep PDF marked content", &marked, Ok(&[""]));
}

#[test]
fn entities_are_not_expanded() {
    let mut doctype = String::from("<!DOCTYPE d [<!ENTITY e0 \"lol\">");
    for level in 1..12 {
        let _ = write!(doctype, "<!ENTITY e{level} \"{}\">", format!("&e{};", level - 1).repeat(10));
    }
    doctype.push_str("<!ENTITY file SYSTEM \"file:///etc/passwd\">]>");
    let document = format!(
        "{doctype}<w:document xmlns:w=\"{}\"><w:body>{}</w:body></w:document>",
        common::WORD,
        paragraph("a&e11;b&file;c")
    );
    let types = "<Types><Override ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/></Types>";
    let file = zip(&[("[Content_Types].xml", types.as_bytes()), ("word/document.xml", document.as_bytes())]);
    assert_eq!(survives("entities", &file).unwrap().pages[0].text.trim(), "abc");
}

#[test]
fn page_trees_with_loops_or_false_counts() {
    let catalog = b"<< /Type /Catalog /Pages 2 0 R >>".to_vec();
    for pages in [
        "<< /Type /Pages /Kids [2 0 R] /Count 1 >>",
        "<< /Type /Pages /Kids [3 0 R 3 0 R] /Count 1000000000 >>",
        "<< /Type /Pages /Kids 2 0 R /Count -1 >>",
        "<< /Type /Pages /Parent 2 0 R /Kids [] /Count 0 >>",
        "2 0 R",
    ] {
        let page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 1e39 nan] /Contents 3 0 R >>".to_vec();
        let file = pdf(&[catalog.clone(), pages.as_bytes().to_vec(), page]);
        assert_outcome(pages, &file, Err("malformed"));
    }
}

#[test]
fn operands_out_of_range() {
    let cases: [(&str, Result<&[&str], &str>); 8] = [
        ("BT /F1 1e38 Tf 1e38 0 0 1e38 1e38 1e38 Tm (x) Tj ET", Ok(&["x"])),
        ("BT /F1 0 Tf 0 0 0 0 0 0 Tm (x) Tj ET", Ok(&[""])),
        ("BT /F1 12 Tf -1e308 Tc (xyz) Tj 99999999999999999999 Tw (x y) Tj ET", Ok(&["xyzx"])),
        ("0 0 0 0 0 0 cm BT /F1 12 Tf 72 700 Td (flat) Tj ET", Ok(&[""])),
        ("BT /F1 12 Tf 72 700 Td [(a) 1e30 (b) -1e30 (c)] TJ ET", Ok(&[""])),
        ("Q Q Q ET BT BT /F9 12 Tf (no font) Tj EMC EMC", Ok(&["no font"])),
        ("/Span << /ActualText (x) >> BDC BT /F1 12 Tf 72 700 Td (y) Tj", Ok(&["x"])),
        ("BI /W 100000 /H 100000 /BPC 8 /CS /RGB ID x EI", Ok(&[""])),
    ];
    for (content, expected) in cases {
        assert_outcome(content, &pdf_of_pages(&[content], "", &[]), expected);
    }
}

#[test]
fn a_broken_page_does_not_affect_other_pages() {
    let mut file = pdf_of_pages(&[&at(72, 700, "first"), "broken", &at(72, 700, "third")], "", &[]);
    let text = String::from_utf8_lossy(&file).into_owned();
    if let Some(place) = text.find("broken") {
        file[place - 12..place + 6].fill(0xff);
    }
    let pages = survives("broken page", &file).unwrap().pages;
    let texts: Vec<&str> = pages.iter().map(|page| page.text.trim()).collect();
    assert_eq!(texts, ["first", "", "third"]);
}

#[test]
fn empty_files_and_random_bytes() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let noise: Vec<u8> = (0..100_000).map(|_| random.next().to_le_bytes()[0]).collect();
    assert!(matches!(survives("noise", &noise), Err(ExtractError::Unsupported { .. })));
    assert_eq!(survives("nothing", b"").unwrap().pages[0].text, "");
    for media_type in ["application/pdf", "application/json", "text/csv", "text/plain"] {
        let code = |bytes: &[u8]| run(bytes, Some(media_type)).map_err(|error| error.code());
        match code(b"") {
            Ok(extraction) => assert_eq!(extraction.pages[0].text.trim(), "", "{media_type}"),
            Err(code) => assert_eq!((media_type, code), ("application/pdf", "malformed")),
        }
        assert_eq!(code(&noise).unwrap_err(), "malformed", "{media_type}");
        assert_eq!(code(b"\0").unwrap_err(), "malformed", "{media_type}");
    }
}

#[test]
fn every_prefix_of_a_file() {
    for whole in [pdf_of_pages(&[&at(72, 700, "cut short")], "", &[]), docx(&paragraph("cut short"))] {
        for length in (0..whole.len()).step_by(whole.len() / 40) {
            match outcome("prefix", &whole[..length]) {
                Ok(pages) => {
                    let text = pages.concat();
                    // The first few bytes of a PDF are plain text.
                    let is_prefix = "cut short".starts_with(&text) || whole.starts_with(text.as_bytes());
                    assert!(is_prefix, "{length} bytes: {text}");
                }
                Err(code) => assert!(matches!(code, "malformed" | "unsupported"), "{length} bytes: {code}"),
            }
        }
    }
}

/// For a few seconds, files with small defects.
#[test]
fn mutations() {
    let content = "q 1 0 0 1 0 0 cm BT /F1 12 Tf 72 700 Td [(Mut) -20 (ated)] TJ T* (text) ' ET Q";
    let seeds = [
        pdf_of_pages(&[content, content], "/ExtGState << /G << /ca .5 >> >>", &[]),
        docx(&[paragraph("one"), paragraph("two &amp; three")].concat()),
        br#"{"a": [1, -2.5e3, "x\u00e9\n", true, null, {"b": {}}]}"#.to_vec(),
        b"a,\"b\"\"c\",d\r\n1,\"2\n3\",4\r\n5,6,7\r\n".to_vec(),
    ];
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let end = Instant::now() + Duration::from_secs(6);
    let mut tried = 0;
    while Instant::now() < end && tried < 2000 {
        let mut file = seeds[tried % seeds.len()].clone();
        for _ in 0..=random.below(6) {
            let (at, to) = (random.below(file.len()), random.below(file.len()));
            match random.below(4) {
                0 => file[at] = random.next().to_le_bytes()[0],
                1 => file[at] ^= 1 << random.below(8),
                2 => drop(file.drain(at.min(to)..(at.min(to) + random.below(30)).min(at.max(to)))),
                _ => {
                    let piece = file[at.min(to)..at.max(to)].to_vec();
                    file.splice(at..at, piece.into_iter().take(200));
                }
            }
            if file.is_empty() {
                file.push(b'x');
            }
        }
        if let Err(code) = outcome("mutation", &file) {
            let is_named = matches!(code, "malformed" | "unsupported" | "encrypted" | "limit_exceeded");
            assert!(is_named, "mutation {tried}: {code}");
        }
        tried += 1;
    }
    println!("{tried} mutations");
}
