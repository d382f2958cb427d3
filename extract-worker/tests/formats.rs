//! The text of each format, extracted by the real worker in its sandbox.

mod common;

use common::{at, detect, docx, docx_with, extract, extract_as, paragraph, pdf_of_pages, text, zip};
use dossier_extract::{ExtractError, Extractor, PdfEngine, Request, Source, Tick};

#[test]
fn formats_are_detected_from_their_bytes() {
    let elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0";
    for (bytes, expected) in [
        (&pdf_of_pages(&[""], "", &[])[..], "application/pdf"),
        (&docx("")[..], "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (&zip(&[("a.txt", b"a")])[..], "application/zip"),
        (&zip(&[("mimetype", b"application/epub+zip")])[..], "application/epub+zip"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
        (b"GIF89a\x01\0\x01\0", "image/gif"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
        (b"II*\0\x08\0\0\0", "image/tiff"),
        (elf, "application/x-executable"),
        (b"{\"a\": [1, 2, {}]}", "application/json"),
        (b"{not json", "text/plain"),
        (b"a,b,c\n1,2,3\n4,5,6\n", "text/csv"),
        (b"a;b\n\"x;y\";2\n3;4\n", "text/csv"),
        (b"Dear Sir, dear Madam,\nthis is, alas, prose.\nYours\n", "text/plain"),
        (b"<!DOCTYPE html><p>x", "text/html"),
        (b"\0\x01\x02\x03\x04binary\x05\x06\x07", "application/octet-stream"),
        (b"", "text/plain"),
    ] {
        assert_eq!(detect(bytes), expected, "{}", String::from_utf8_lossy(&bytes[..bytes.len().min(20)]));
    }
}

#[test]
fn a_format_without_a_reader_is_unsupported_and_not_malformed() {
    let Err(ExtractError::Unsupported { media_type }) = extract(b"\x1f\x8b\x08\0\0\0\0\0") else { panic!() };
    assert_eq!(media_type, "application/gzip");
}

#[test]
fn a_declaration_decides_between_text_formats_but_never_turns_a_binary_file_into_text() {
    let csv = b"a,b\n1,2\n";
    assert_eq!(extract_as(csv, Some("text/plain")).unwrap().pages[0].text, "a,b\n1,2\n");
    let read = extract_as(csv, Some("text/csv; charset=utf-8")).unwrap();
    assert_eq!((read.media_type.as_str(), read.pages[0].text.as_str()), ("text/csv", "a\tb\n1\t2\n"));
    let disguised = extract_as(&pdf_of_pages(&[""], "", &[]), Some("text/plain"));
    assert!(matches!(disguised, Err(ExtractError::Malformed { .. })), "{disguised:?}");
    let broken = extract_as(b"hello", Some("application/pdf"));
    assert!(matches!(broken, Err(ExtractError::Malformed { .. })), "{broken:?}");
}

#[test]
fn if_the_declared_type_has_no_reader_the_bytes_decide() {
    let rtf = b"{\\rtf1\\ansi Read me}";
    for declared in
        ["application/msword", "application/octet-stream", "application/x-unheard-of", "video/mp4"]
    {
        let read = extract_as(rtf, Some(declared)).unwrap();
        assert_eq!((read.media_type.as_str(), read.pages[0].text.trim()), ("application/rtf", "Read me"));
        let read = extract_as(b"Only words.", Some(declared)).unwrap();
        assert_eq!((read.media_type.as_str(), read.pages[0].text.as_str()), ("text/plain", "Only words."));
        let unknown = extract_as(b"\0\x01\x02\x03\x04binary\x05\x06", Some(declared));
        assert!(matches!(unknown, Err(ExtractError::Unsupported { media_type }) if media_type == declared));
        let known = extract_as(b"\x1f\x8b\x08\0\0\0\0\0", Some(declared));
        assert!(
            matches!(known, Err(ExtractError::Unsupported { media_type }) if media_type == "application/gzip")
        );
    }
    // A binary file may also be declared as another binary format.
    let word = extract_as(&docx(&paragraph("Words")), Some("application/pdf")).unwrap();
    assert_eq!(word.pages[0].text.trim(), "Words");
}

#[test]
fn text_that_starts_like_a_binary_file_is_text() {
    for words in [
        "BZh is how it starts",
        "ID3 tags, explained",
        "OggS, the page mark",
        "The ftyp box",
        "see ftyp",
        "BMW and others, a test of many words",
        "GIF89a is a format",
        "fLaC and others",
        "MZ was an engineer",
    ] {
        assert_eq!(detect(words.as_bytes()), "text/plain", "{words}");
        assert_eq!(extract_as(words.as_bytes(), Some("text/markdown")).unwrap().pages[0].text, words);
    }
    for (bytes, expected) in [
        (&b"BZh91AY&SY\x01\x02\xff"[..], "application/x-bzip2"),
        (b"ID3\x04\0\0\0\0", "audio/mpeg"),
        (b"OggS\0\x02\0\0", "application/ogg"),
        (b"\0\0\0\x18ftypmp42", "video/mp4"),
        (b"GIF87a\x01\0\x01\0", "image/gif"),
    ] {
        assert_eq!(detect(bytes), expected);
    }
}

#[test]
fn text_of_any_encoding() {
    let utf16: Vec<u8> = "\u{feff}Grüße".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let unmarked: Vec<u8> = "plain words".encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(text("Grüße".as_bytes()), "Grüße");
    assert_eq!(text(b"\xef\xbb\xbfmarked"), "marked");
    assert_eq!(text(&utf16), "Grüße");
    assert_eq!(text(&unmarked), "plain words");
    assert_eq!(text(b"Die Gr\xfc\xdfe aus M\xfcnchen sind sch\xf6n"), "Die Grüße aus München sind schön");
    assert_eq!(text(b"a\r\nb\rc\x1b[31m"), "a\nb\nc[31m");
}

#[test]
fn form_feeds_separate_the_pages_of_a_text() {
    let pages = extract(b"one\n\x0ctwo\n\x0c").unwrap().pages;
    let found: Vec<_> = pages.iter().map(|page| (page.page, page.text.as_str())).collect();
    assert_eq!(found, [(1, "one\n"), (2, "two\n")]);
}

#[test]
fn records_become_lines() {
    assert_eq!(
        text(b"name,note\nA,\"x, \"\"y\"\"\"\nB,\"two\nlines\"\n"),
        "name\tnote\nA\tx, \"y\"\nB\ttwo lines"
    );
}

#[test]
fn json_is_laid_out_in_its_original_order() {
    let expected = "{\n  \"b\": [\n    1,\n    \"é\"\n  ],\n  \"a\": {},\n  \"c\": []\n}";
    assert_eq!(text(br#"{"b":[1,"\u00e9"],"a":{},"c":[]}"#), expected);
}

#[test]
fn malformed_json_is_read_as_text_with_a_reason() {
    for broken in ["{\"a\":}", "[1,]", "[1 2]", "{\"a\" 1}", "[01]", "[\"\\x\"]", "[1]]", "[tru]", "[\"a]"] {
        let found = extract_as(broken.as_bytes(), Some("application/json")).unwrap();
        let page = &found.pages[0];
        assert_eq!((page.text.as_str(), page.engine.as_str()), (broken, "text"));
        assert!(page.reason.as_deref().unwrap().contains("malformed JSON at byte"), "{page:?}");
    }
}

#[test]
fn a_document_with_everything() {
    let table = "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a1</w:t></w:r></w:p><w:p><w:r><w:t>more</w:t></w:r></w:p></w:tc>\
                 <w:tc><w:p/></w:tc><w:tc><w:p><w:r><w:t>a3</w:t></w:r></w:p></w:tc></w:tr>\
                 <w:tr><w:tc><w:p><w:r><w:t>b1</w:t></w:r></w:p></w:tc></w:tr></w:tbl>";
    let body = [
        &paragraph("Fish &amp; chips&#33;")[..],
        "<w:p><w:r><w:t>in</w:t></w:r><w:ins><w:r><w:t>serted</w:t></w:r></w:ins>\
         <w:del><w:r><w:delText>deleted</w:delText></w:r></w:del>\
         <w:moveFrom><w:r><w:t>moved</w:t></w:r></w:moveFrom></w:p>",
        "<w:p><w:pPr><w:tabs><w:tab w:val=\"left\"/></w:tabs></w:pPr>\
         <w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t></w:r></w:p>",
        "<w:p><w:r><mc:AlternateContent><mc:Choice Requires=\"wps\"><w:txbxContent><w:p><w:r><w:t>box</w:t></w:r>\
         </w:p></w:txbxContent></mc:Choice><mc:Fallback><w:txbxContent><w:p><w:r><w:t>box</w:t></w:r></w:p>\
         </w:txbxContent></mc:Fallback></mc:AlternateContent><w:t>around</w:t></w:r></w:p>",
        table,
        "<w:p><w:r><w:instrText>PAGEREF x</w:instrText><w:t>12</w:t></w:r></w:p>",
    ]
    .concat();
    let part = |name: &str, inner: &str| format!("<x:{name} xmlns:x=\"{}\">{inner}</x:{name}>", common::WORD);
    let said = |text: &str| format!("<x:p><x:r><x:t>{text}</x:t></x:r></x:p>");
    let header = part("hdr", &said("Head"));
    let footer = part("ftr", &said("Foot"));
    let notes = part(
        "footnotes",
        &format!(
            "<x:footnote x:type=\"separator\">{}</x:footnote><x:footnote>{}</x:footnote>",
            said("----"),
            said("Note")
        ),
    );
    let comments = part("comments", &format!("<x:comment>{}</x:comment>", said("Remark")));
    let file = docx_with(
        &body,
        &[
            ("header", "header1.xml", &header),
            ("header", "header2.xml", &header),
            ("footnotes", "footnotes.xml", &notes),
            ("comments", "comments.xml", &comments),
            ("footer", "footer1.xml", &footer),
        ],
    );
    let expected =
        "Head\nFish & chips!\ninserted\na\tb\nc\naround\nbox\na1 more    a3\nb1\n12\nNote\nRemark\nFoot";
    assert_eq!(text(&file), expected);
}

#[test]
fn a_document_is_split_at_its_page_breaks() {
    let file = docx(&format!(
        "{}<w:p><w:r><w:br w:type=\"page\"/><w:lastRenderedPageBreak/><w:t>two</w:t></w:r></w:p>{}",
        paragraph("one"),
        "<w:p><w:r><w:lastRenderedPageBreak/><w:t>three</w:t></w:r></w:p>"
    ));
    assert_eq!(text(&file), "one\x0ctwo\x0cthree");
}

#[test]
fn each_engine_can_be_the_first() {
    let source = Source::from_bytes(&pdf_of_pages(&[&at(72, 700, "Hello engines")], "", &[])).unwrap();
    for engine in PdfEngine::ALL {
        let request = Request { pdf_engine: Some(engine), ..Request::default() };
        let extractor: Extractor = common::extractor();
        let extraction = extractor.extract(&source, &request, || Tick::Continue).unwrap();
        let page = &extraction.pages[0];
        assert_eq!((page.text.trim(), page.engine.as_str()), ("Hello engines", engine.name()));
    }
}
