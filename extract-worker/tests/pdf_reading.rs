//! Classes of PDF that read badly elsewhere, from files that other programs wrote (`tests/fixtures/pdf`).

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use common::{at, detect, extractor, pdf_of_pages, stream};
use dossier_extract::{Extraction, Ocr, Request, Source, TextFormat, Tick};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/fixtures/pdf/", $name))
    };
}

fn read_with(file: &[u8], request: &Request) -> Extraction {
    extractor().extract(&Source::from_bytes(file).unwrap(), request, || Tick::Continue).unwrap()
}

/// The file's own text.
fn read(file: &[u8]) -> Extraction {
    read_with(file, &Request { ocr: Ocr::Never, ..Request::default() })
}

fn text(file: &[u8]) -> String {
    read(file).pages[0].text.trim().to_owned()
}

#[test]
fn text_that_is_printed_twice_is_said_once_and_words_that_are_there_twice_are_kept() {
    let sentence = "They had had enough, and that that was true; bye bye ..... !!!!!";
    let expected = ["Minutes of the meeting", "Annual report", "Central station", "All illness"];
    let text = text(fixture!("overprinted.pdf"));
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(lines, [&expected[..], &[sentence, sentence]].concat());
}

#[test]
fn copies_are_found_however_they_are_cut_up_and_whatever_their_direction() {
    let upright = |x: f32, y: f32, text: &str| format!("BT /F1 12 Tf {x} {y} Td ({text}) Tj ET\n");
    let upwards = |x: f32, text: &str| format!("BT /F1 12 Tf 0 1 -1 0 {x} 100 Tm ({text}) Tj ET\n");
    for (content, expected) in [
        (
            [upright(72.0, 700.0, "Map label"), upright(72.3, 700.3, "Map"), upright(99.3, 700.3, "label")]
                .concat(),
            "Map label",
        ),
        ([upwards(50.0, "On the spine"), upwards(51.5, "On the spine")].concat(), "On the spine"),
        (
            [upright(72.0, 700.0, "Row"), upright(72.0, 688.0, "Row"), upright(72.0, 676.0, "Row")].concat(),
            "Row\nRow\nRow",
        ),
        ([upright(72.0, 700.0, "Net"), upright(74.0, 700.0, "Gross")].concat(), "Net\nGross"),
    ] {
        assert_eq!(text(&pdf_of_pages(&[&content], "", &[])), expected, "{content}");
    }
}

/// The page says that it is to be recognised, and does not pretend to be read.
fn is_left_to_ocr(extraction: &Extraction) {
    let page = &extraction.pages[0];
    assert_eq!(extraction.needs_ocr, [1], "{:?} {}", page.reason, page.text);
    assert!(page.quality.is_none_or(|quality| quality < 0.5), "{:?} {}", page.quality, page.text);
}

#[test]
fn fonts_without_a_map_or_with_a_wrong_one_are_left_to_ocr() {
    for file in [
        &fixture!("no-map.pdf")[..],
        fixture!("shifted-map.pdf"),
        fixture!("one-letter-map.pdf"),
        fixture!("private-map.pdf"),
    ] {
        is_left_to_ocr(&read(file));
    }
}

#[test]
fn codes_and_names_that_say_nothing_are_left_to_ocr() {
    // Glyphs of a Type 3 font by number: what is A for others is anything here.
    let codes: Vec<String> =
        b"gwqz xkj vpq zzr tgb nhy mju jik lop qaz wsx edc rfv xcv bnm dfg hjk wrt psd fgh jkl zxc vbn mqw"
            .iter()
            .map(|code| format!("{code:02x}"))
            .collect();
    let names: Vec<String> = (33..127).map(|code| format!("/g{code}")).collect();
    let shapes: Vec<String> = (33..127).map(|code| format!("/g{code} 7 0 R")).collect();
    let font = format!(
        "<< /Type /Font /Subtype /Type3 /FontBBox [0 0 600 700] /FontMatrix [0.001 0 0 0.001 0 0] /FirstChar 32 \
         /LastChar 126 /Widths [{}] /Encoding << /Differences [33 {}] >> /CharProcs << {} >> >>",
        "500 ".repeat(95),
        names.concat(),
        shapes.join(" ")
    );
    let content = format!("BT /F2 12 Tf 72 700 Td <{}> Tj ET", codes.concat());
    let objects = [font.into_bytes(), stream("", b"500 0 d0 0 0 400 700 re f")];
    is_left_to_ocr(&read(&pdf_of_pages(&[&content], "/Font << /F1 3 0 R /F2 6 0 R >>", &objects)));
}

#[test]
fn text_of_many_kinds_is_not_taken_for_nonsense() {
    let tables = "1,284.50 2,311.00 -4.5% 12/31/2023 17:45 +49 30 1234567";
    let parts = "AB-1234 XK-99 QZ-0001 BN-12 REF-77 PCX-9 HDMI USB NVMe DDR5";
    let key = "mQENBFHjkT0BCADc8oIXbkrj3XlNZc7WqPzQvKxRjTgHbFwYs8Lm2Pq9Rt4Vw";
    let code = "for (i = 0; i < n; i++) { total += prices[i] * 2; }";
    let genes = "ACGTTGCAAC GTAGCTAGCT AGGCTATTGA CCAGTAACGT ACGATTACCA GT";
    let welsh = "Mae'r tenant yn talu rhent y fflat ar y diwrnod cyntaf o bob mis";
    for line in [tables, parts, key, code, genes, welsh] {
        let line = line.replace('(', "\\(").replace(')', "\\)");
        let content: String = (0..20).map(|n| at(40, 740 - 14 * n, &line)).collect();
        let extraction = read(&pdf_of_pages(&[&content], "", &[]));
        assert_eq!(extraction.pages[0].quality, Some(1.0), "{:?}", extraction.pages[0].reason);
        assert!(extraction.needs_ocr.is_empty());
    }
}

#[test]
fn a_scan_with_lines_of_real_text_is_left_to_ocr_and_one_that_was_read_is_not() {
    for file in
        [&fixture!("scan-bates.pdf")[..], fixture!("scan-received.pdf"), fixture!("scan-watermark.pdf")]
    {
        let extraction = read(file);
        assert_eq!(extraction.needs_ocr, [1], "{}", extraction.pages[0].text);
    }
    let extraction = read(fixture!("scan-read.pdf"));
    assert!(extraction.needs_ocr.is_empty());
    assert!(extraction.pages[0].text.contains("The tenant shall pay the rent"));
}

#[test]
fn a_stamp_stays_when_the_scan_is_recognised() {
    let extraction = read_with(fixture!("scan-bates.pdf"), &Request::default());
    let text = &extraction.pages[0].text;
    assert!(extraction.needs_ocr.is_empty(), "{:?}", extraction.pages[0].reason);
    for line in [
        "NORTHERN-MILLS-0004711",
        "Case 1:21-cv-01234-ABC",
        "Report of the harbour master",
        "The tenant shall pay the rent of the flat on the first day of each month.",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert_eq!(text.matches("NORTHERN-MILLS").count(), 1, "{text}");
}

#[test]
fn a_poster_in_curves_is_left_to_ocr_and_a_chart_is_not() {
    let poster = read(fixture!("poster.pdf"));
    assert_eq!(poster.needs_ocr, [1], "{:?}", poster.pages[0].reason);
    assert_eq!(poster.pages[0].text.trim(), "Free entry");
    let chart = read(fixture!("chart.pdf"));
    assert_eq!((chart.pages[0].text.trim(), chart.needs_ocr.len()), ("Sunny days", 0));
}

#[test]
fn letters_that_are_set_apart_are_words_where_that_makes_words() {
    let text = text(fixture!("letter-spaced.pdf"));
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    let expected = [
        "ANNUAL REPORT",
        "published monthly",
        "SUMMARY",
        "A B C D E F G",
        "M T W T F S S",
        "x y z a b",
        "The rest is set as usual.",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn type_3_fonts_keep_their_words_apart() {
    assert_eq!(
        text(fixture!("type3-vector.pdf")),
        "Average number of illnesses per village\n\nMillimetres of rainfall in still hills"
    );
    assert_eq!(
        text(fixture!("type3-bitmap.pdf")).split_whitespace().take(12).collect::<Vec<_>>().join(" "),
        "The minimum of mill will be milling still, and AVAWAY it will:"
    );
}

#[test]
fn a_soft_hyphen_is_said_where_it_can_be_seen() {
    let map = "begincmap 1 begincodespacerange <00> <ff> endcodespacerange \
               2 beginbfchar <2d> <00ad> <7e> <00ad> endbfchar endcmap";
    let font =
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding << /BaseEncoding /WinAnsiEncoding \
                 /Differences [126 /space] >> /ToUnicode 7 0 R >>";
    let objects = [font.to_vec(), stream("", map.as_bytes())];
    let content =
        "BT /F2 12 Tf 72 700 Td (these ~distributions are well-known and divi-) Tj 0 -14 Td (ded) Tj ET";
    let file = pdf_of_pages(&[content], "/Font << /F1 3 0 R /F2 6 0 R >>", &objects);
    assert_eq!(text(&file), "these distributions are well-known and divi-\nded");
    // No word begins with one, even where it is drawn.
    let file = pdf_of_pages(&[&content.replace('~', "-")], "/Font << /F1 3 0 R /F2 6 0 R >>", &objects);
    assert_eq!(text(&file), "these distributions are well-known and divi-\nded");
}

#[test]
fn lines_before_the_header_do_not_hide_a_pdf() {
    let file = pdf_of_pages(&[&at(72, 700, "Inside the file")], "", &[]);
    let http = "HTTP/1.1 200 OK\r\nDate: Mon, 27 Jul 2009 12:28:53 GMT\r\nServer: Apache\r\nContent-Type: application/pdf\r\nContent-Length: 815\r\n\r\n";
    let mail = "Received: from mail.example.org by mx.example.org; Mon, 27 Jul 2009\r\nFrom: Ada <ada@example.org>\r\n\
        Subject: The report\r\nMIME-Version: 1.0\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: binary\r\n\r\n";
    let form = "------WebKitFormBoundary7MA4YWxk\r\nContent-Disposition: form-data; name=\"file\"; filename=\"report.pdf\"\r\n\
        Content-Type: application/pdf\r\n\r\n";
    let banner =
        "This printer driver is licensed to the city of Northern Mills. All rights reserved.\n".repeat(30);
    for before in [http, mail, form, &banner, "\u{feff}", "\0\0\0 any bytes\n", "\n\n"] {
        let file = [before.as_bytes(), &file].concat();
        assert_eq!(detect(&file), "application/pdf", "{before}");
        assert_eq!(text(&file), "Inside the file", "{before}");
        let declared = Request { media_type: Some("application/pdf".to_owned()), ..Request::default() };
        assert_eq!(read_with(&file, &declared).pages[0].text.trim(), "Inside the file", "{before}");
    }
    let end = [form.as_bytes(), &file, b"\r\n------WebKitFormBoundary7MA4YWxk--\r\n"].concat();
    assert_eq!(text(&end), "Inside the file");
}

#[test]
fn an_essay_about_pdf_and_mail_with_a_pdf_are_what_they_are() {
    let essay = "A file in this format starts with a line that names the version, for example\n\n%PDF-1.7\n\nand \
        then come objects, each between a line such as 1 0 obj and the line endobj. The last line is %%EOF.\n";
    assert_eq!(detect(essay.as_bytes()), "text/plain");
    let file = pdf_of_pages(&[&at(72, 700, "Inside the file")], "", &[]);
    let example = [
        b"# The smallest file\n\nIt takes no more than these few lines, which a program wrote:\n\n```\n",
        &file[..],
        b"\n```\n\nOpen it.\n",
    ]
    .concat();
    assert_ne!(detect(&example), "application/pdf");
    let mail = "From: Ada <ada@example.org>\r\nTo: Bert <bert@example.org>\r\nSubject: The report\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nPlease read the report.\r\n--b\r\n\
        Content-Type: application/pdf\r\nContent-Transfer-Encoding: binary\r\n\r\n";
    let mail = [mail.as_bytes(), &file, b"\r\n--b--\r\n"].concat();
    assert_eq!(detect(&mail), "message/rfc822");
}

#[test]
fn notes_are_said_behind_the_page_with_their_answers() {
    let plain = "The rent is due on the first day of the month.\n\nTyped on the page\n\n\
        [Which month is meant?]\n[Every month, as before.]\n[Better: the third working day]";
    assert_eq!(text(fixture!("notes.pdf")), plain);
    let request = Request { format: TextFormat::Markdown, ..Request::default() };
    let markdown = read_with(fixture!("notes.pdf"), &request).pages[0].text.clone();
    for note in [
        "[Ada: Which month is meant?]\n[Bert: Every month, as before.]",
        "[Bert: Better: the third working day]",
    ] {
        assert!(markdown.contains(note), "{markdown}");
    }
    assert!(!markdown.contains("Nobody"));
}
