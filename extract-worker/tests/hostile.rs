//! Files made to hurt. Each must end within the limits, as text or as an error that says why; the worker
//! may die of it, the caller never.

mod common;

use common::{Random, at, docx, docx_with, extractor, paragraph, pdf, pdf_of_pages, stream, zip};
use dossier_extract::{ExtractError, Extraction, Extractor, Limits, Request, Source, Tick};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, Instant};

const MIB: usize = 1024 * 1024;

/// Tight limits, so that a bomb goes off soon.
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
    let source = Source::from_bytes(bytes).unwrap_or_else(|error| panic!("no source: {error}"));
    tight().extract(&source, &request, || Tick::Continue)
}

/// Text, or an error of the file: the worker was there, and said or showed why there is none.
#[track_caller]
fn survives(what: &str, bytes: &[u8]) -> Result<Extraction, ExtractError> {
    let outcome = run(bytes, None);
    match &outcome {
        Err(error) if error.is_transient() => panic!("{what}: {error}"),
        Err(ExtractError::Timeout { .. }) => panic!("{what}: nothing ended it but the deadline"),
        Ok(_) | Err(_) => {}
    }
    outcome
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
fn a_page_that_inflates_without_end() {
    // 2 GiB of blanks, deflated twice over: 10 KB.
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
    assert!(survives("deep JSON", json.as_bytes()).is_ok());
    assert!(survives("deep open JSON", &b"[".repeat(DEPTH)).is_ok(), "it is text at least");
    let nested = |depth| {
        docx(&format!("{}{}{}", "<w:sdt>".repeat(depth), paragraph("deep"), "</w:sdt>".repeat(depth)))
    };
    let document = survives("deep XML", &nested(60_000)).unwrap();
    assert_eq!(document.pages[0].text.trim(), "deep");
    let deeper = survives("deeper XML", &nested(DEPTH));
    assert!(matches!(deeper, Err(ExtractError::Malformed { .. })), "{deeper:?}");
    let tables = "<w:tbl><w:tr><w:tc>".repeat(20_000);
    let _ = survives("deep tables", &docx(&tables));
    let boxes = "<w:txbxContent>".repeat(60_000);
    let _ = survives("deep boxes", &docx(&boxes));
    let _ = survives("deep PDF arrays", &pdf_of_pages(&["[".repeat(DEPTH).as_str()], "", &[]));
    let _ = survives(
        "deep PDF dictionaries",
        &pdf(&[b"<< /Type /Catalog /Pages ".to_vec(), b"<</A".repeat(DEPTH)]),
    );
    let _ = survives("deep PDF states", &pdf_of_pages(&["q ".repeat(DEPTH).as_str()], "", &[]));
    let _ = survives("deep PDF content", &pdf_of_pages(&["/Span BMC ".repeat(DEPTH).as_str()], "", &[]));
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
fn page_trees_that_loop_or_lie() {
    let catalog = b"<< /Type /Catalog /Pages 2 0 R >>".to_vec();
    for pages in [
        "<< /Type /Pages /Kids [2 0 R] /Count 1 >>",
        "<< /Type /Pages /Kids [3 0 R 3 0 R] /Count 1000000000 >>",
        "<< /Type /Pages /Kids 2 0 R /Count -1 >>",
        "<< /Type /Pages /Parent 2 0 R /Kids [] /Count 0 >>",
        "2 0 R",
    ] {
        let page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 1e39 nan] /Contents 3 0 R >>".to_vec();
        let _ = survives(pages, &pdf(&[catalog.clone(), pages.as_bytes().to_vec(), page]));
    }
}

#[test]
fn operands_beyond_all_measure() {
    for content in [
        "BT /F1 1e38 Tf 1e38 0 0 1e38 1e38 1e38 Tm (x) Tj ET",
        "BT /F1 0 Tf 0 0 0 0 0 0 Tm (x) Tj ET",
        "BT /F1 12 Tf -1e308 Tc (xyz) Tj 99999999999999999999 Tw (x y) Tj ET",
        "0 0 0 0 0 0 cm BT /F1 12 Tf 72 700 Td (flat) Tj ET",
        "BT /F1 12 Tf 72 700 Td [(a) 1e30 (b) -1e30 (c)] TJ ET",
        "Q Q Q ET BT BT /F9 12 Tf (no font) Tj EMC EMC",
        "/Span << /ActualText (x) >> BDC BT /F1 12 Tf 72 700 Td (y) Tj",
        "BI /W 100000 /H 100000 /BPC 8 /CS /RGB ID x EI",
    ] {
        let _ = survives(content, &pdf_of_pages(&[content], "", &[]));
    }
}

#[test]
fn a_broken_page_costs_only_itself() {
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
fn nothing_and_nonsense() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let noise: Vec<u8> = (0..100_000).map(|_| random.next().to_le_bytes()[0]).collect();
    assert!(matches!(survives("noise", &noise), Err(ExtractError::Unsupported { .. })));
    assert_eq!(survives("nothing", b"").unwrap().pages[0].text, "");
    for media_type in ["application/pdf", "application/json", "text/csv", "text/plain"] {
        for bytes in [&b""[..], &noise, b"\0"] {
            let outcome = run(bytes, Some(media_type));
            assert!(!outcome.is_err_and(|error| error.is_transient()), "{media_type}");
        }
    }
}

#[test]
fn every_prefix_of_a_file() {
    for whole in [pdf_of_pages(&[&at(72, 700, "cut short")], "", &[]), docx(&paragraph("cut short"))] {
        for length in (0..whole.len()).step_by(whole.len() / 40) {
            let _ = survives("prefix", &whole[..length]);
        }
    }
}

/// For a few seconds, files that are nearly right.
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
        let outcome = survives("mutation", &file);
        assert!(!matches!(outcome, Err(ExtractError::Crashed { .. })), "mutation {tried}: {outcome:?}");
        tried += 1;
    }
    println!("{tried} mutations");
}
