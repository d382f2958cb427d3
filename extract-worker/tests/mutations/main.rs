//! Reads slightly damaged files of every format for a limited time. Each must end with a text or a clear
//! error, within the limits, and never with a crash.
//!
//! ```text
//! DOSSIER_MUTATION_SECONDS=600    how long for each format (default 2)
//! DOSSIER_MUTATION_SEED=7         seed of the random numbers (default 1): the same seed gives the same files
//! ```
//!
//! A file that fails is kept with the test's other temporary files, and the message names it.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "../common/mod.rs"]
mod common;
mod harness;

use common::{at, docx, paragraph, pdf_of_pages};
use harness::{Seed, extract, extract_markdown, survive, thumbnail};
use image::{DynamicImage, GrayImage, ImageFormat, Luma};
use std::fmt::Write as _;
use std::io::Cursor;

#[test]
fn pdf() {
    let words = &[
        "<<", ">>", "[", "]", "(", ")", "q ", "BT ", "1 0 R", "/F1 ", " Tf ", " cm ", " Do ", "stream\n",
        "endobj\n", "/Kids", "/Length ",
    ];
    let content = "q 1 0 0 1 0 0 cm BT /F1 12 Tf 72 700 Td [(Mut) -20 (ated)] TJ T* (text) ' ET Q /X Do";
    let form = common::stream(
        "/Type/XObject/Subtype/Form/BBox[0 0 99 99]/Resources<</Font<</F1 3 0 R>>>>",
        at(1, 1, "form").as_bytes(),
    );
    let labelled =
        String::from_utf8(pdf_of_pages(&[content, content], "/XObject<</X 8 0 R>>", &[form])).unwrap();
    let labelled = labelled.replacen(
        "/Type /Catalog",
        "/Type /Catalog /PageLabels<</Nums[0<</S/r>>]>> /Outlines<</First 9 0 R>> /AcroForm<</Fields[]>>",
        1,
    );
    survive("pdf", None, extract, &[Seed::file(labelled, words)]);
}

#[test]
fn pdf_structure() {
    let words = &[
        " re S ",
        " re f ",
        " m ",
        " l S ",
        "0 0 1 rg ",
        " Tf ",
        " Tm ",
        "-1 ",
        "1e9 ",
        "0 ",
        "/F1 99 Tf ",
        " 2 Tr ",
        "(- ) Tj ",
        "0 1 -1 0 300 300 Tm ",
    ];
    let row = |y: i32| [at(80, y, "alder"), at(180, y, "1.5"), at(240, y, "2.5"), at(300, y, "3.5")].concat();
    let mut content = String::from("BT /F1 20 Tf 72 740 Td (1 Trees) Tj ET 1 w 72 600 300 120 re S ");
    content += "172 600 m 172 720 l S 72 700 m 372 700 l S 400 600 100 50 re f 72 560 m 372 560 l S 72 500 m 372 500 l S ";
    for y in [704, 680, 650, 545, 530, 510] {
        content += &row(y);
    }
    for y in [440, 425, 410, 60] {
        content += &at(72, y, "Prose that goes on for a line, and then for an-");
    }
    survive(
        "pdf_structure",
        None,
        extract_markdown,
        &[Seed::file(pdf_of_pages(&[&content, &content], "", &[]), words)],
    );
}

#[test]
fn docx_parts() {
    let words = &[
        "<w:p>",
        "</w:p>",
        "<w:tbl><w:tr><w:tc>",
        "</w:tc></w:tr></w:tbl>",
        "<w:t>",
        "&amp;",
        "&#x0;",
        "<!--",
        "<![CDATA[",
        "w:val=\"9\"",
        "<w:numPr><w:ilvl w:val=\"8\"/><w:numId w:val=\"1\"/></w:numPr>",
    ];
    let body = [
        paragraph("one &amp; two"),
        "<w:p><w:pPr><w:pStyle w:val=\"Heading1\"/><w:numPr><w:ilvl w:val=\"0\"/><w:numId w:val=\"1\"/></w:numPr></w:pPr><w:r><w:t>three</w:t></w:r></w:p>".to_owned(),
        "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>cell</w:t></w:r></w:p></w:tc></w:tr></w:tbl>".to_owned(),
    ]
    .concat();
    let document = format!("<w:document xmlns:w=\"{0}\"><w:body>{body}</w:body></w:document>", common::WORD);
    let numbering = format!(
        "<w:numbering xmlns:w=\"{0}\"><w:abstractNum w:abstractNumId=\"0\"><w:lvl w:ilvl=\"0\"><w:start w:val=\"3\"/>\
         <w:numFmt w:val=\"lowerRoman\"/><w:lvlText w:val=\"%1.\"/></w:lvl></w:abstractNum>\
         <w:num w:numId=\"1\"><w:abstractNumId w:val=\"0\"/></w:num></w:numbering>",
        common::WORD
    );
    let styles = format!(
        "<w:styles xmlns:w=\"{0}\"><w:style w:styleId=\"Heading1\"><w:name w:val=\"heading 1\"/><w:basedOn w:val=\"Heading1\"/>\
         <w:pPr><w:outlineLvl w:val=\"0\"/></w:pPr></w:style></w:styles>",
        common::WORD
    );
    let related = related(&[("styles", "styles.xml"), ("numbering", "numbering.xml")]);
    let parts = [
        ("[Content_Types].xml", &*types("word/document.xml", "wordprocessingml.document")),
        ("_rels/.rels", &*self::related(&[("officeDocument", "word/document.xml")])),
        ("word/_rels/document.xml.rels", &*related),
        ("word/styles.xml", &*styles),
        ("word/numbering.xml", &*numbering),
        ("word/document.xml", &*document),
    ];
    survive("docx", None, extract, &[Seed::package(&parts, words)]);
}

#[test]
fn zip_files() {
    let words = &["PK\x03\x04", "PK\x01\x02", "PK\x05\x06"];
    survive("zip", None, extract, &[Seed::file(docx(&paragraph("whole")), words)]);
}

#[test]
fn xlsx() {
    let words =
        &["<row>", "</row>", "<c t=\"s\"><v>0</v></c>", "r=\"XFD1048576\"", "<v>", "<is><t>", "s=\"1\""];
    let spreadsheet = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let book = format!(
        "<workbook xmlns=\"{spreadsheet}\" xmlns:r=\"{relation}\"><sheets><sheet name=\"One\" sheetId=\"1\" r:id=\"id0\"/></sheets></workbook>"
    );
    let sheet = format!(
        "<worksheet xmlns=\"{spreadsheet}\"><dimension ref=\"A1:C2\"/><sheetData><row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" s=\"1\"><v>43831.5</v></c></row><row r=\"2\"><c r=\"C2\" t=\"inlineStr\"><is><t>in line</t></is></c><c t=\"b\"><v>1</v></c></row></sheetData><mergeCells><mergeCell ref=\"A1:B2\"/></mergeCells></worksheet>"
    );
    let strings =
        format!("<sst xmlns=\"{spreadsheet}\"><si><t>shared</t></si><si><r><t>rich</t></r></si></sst>");
    let styles = format!(
        "<styleSheet xmlns=\"{spreadsheet}\"><numFmts><numFmt numFmtId=\"164\" formatCode=\"yyyy-mm-dd\"/></numFmts><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"164\"/></cellXfs></styleSheet>"
    );
    let parts = [
        ("[Content_Types].xml", &*types("xl/workbook.xml", "spreadsheetml.sheet")),
        ("_rels/.rels", &*related(&[("officeDocument", "xl/workbook.xml")])),
        (
            "xl/_rels/workbook.xml.rels",
            &*related(&[
                ("worksheet", "sheet1.xml"),
                ("sharedStrings", "strings.xml"),
                ("styles", "styles.xml"),
            ]),
        ),
        ("xl/workbook.xml", &*book),
        ("xl/sheet1.xml", &*sheet),
        ("xl/strings.xml", &*strings),
        ("xl/styles.xml", &*styles),
    ];
    survive("xlsx", None, extract, &[Seed::package(&parts, words)]);
}

#[test]
fn pptx() {
    let words = &["<p:sp>", "</p:sp>", "<a:p>", "<a:t>", "<a:tbl><a:tr><a:tc>", "<p:grpSp>", "r:id=\"id0\""];
    let (slide, drawing) = (
        "http://schemas.openxmlformats.org/presentationml/2006/main",
        "http://schemas.openxmlformats.org/drawingml/2006/main",
    );
    let relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let show = format!(
        "<p:presentation xmlns:p=\"{slide}\" xmlns:r=\"{relation}\"><p:sldIdLst><p:sldId id=\"1\" r:id=\"id0\"/></p:sldIdLst></p:presentation>"
    );
    let page = |root: &str, text: &str| {
        format!(
            "<p:{root} xmlns:p=\"{slide}\" xmlns:a=\"{drawing}\"><p:cSld><p:spTree><p:sp><p:nvSpPr><p:nvPr><p:ph type=\"title\"/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp></p:spTree></p:cSld></p:{root}>"
        )
    };
    let parts = [
        ("[Content_Types].xml", &*types("ppt/presentation.xml", "presentationml.presentation")),
        ("_rels/.rels", &*related(&[("officeDocument", "ppt/presentation.xml")])),
        ("ppt/_rels/presentation.xml.rels", &*related(&[("slide", "slides/slide1.xml")])),
        ("ppt/slides/_rels/slide1.xml.rels", &*related(&[("notesSlide", "../notes.xml")])),
        ("ppt/presentation.xml", &*show),
        ("ppt/slides/slide1.xml", &*page("sld", "slide")),
        ("ppt/notes.xml", &*page("notes", "note")),
    ];
    survive("pptx", None, extract, &[Seed::package(&parts, words)]);
}

#[test]
fn open_document() {
    let words = &[
        "<text:p>",
        "</text:p>",
        "<text:list><text:list-item>",
        "<table:table><table:table-row><table:table-cell>",
        "text:c=\"9\"",
        "table:number-rows-repeated=\"9\"",
    ];
    let content = |body: &str| {
        format!(
            "<office:document-content xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" \
         xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" \
         xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\"><office:body>{body}</office:body></office:document-content>"
        )
    };
    let table = "<table:table table:name=\"T\"><table:table-row table:number-rows-repeated=\"2\"><table:table-cell table:number-columns-repeated=\"2\"><text:p>cell</text:p></table:table-cell></table:table-row></table:table>";
    let text = content(&format!(
        "<office:text><text:h text:outline-level=\"1\">head</text:h><text:p>a<text:s text:c=\"3\"/>b<text:tab/></text:p>{table}</office:text>"
    ));
    let sheet = content(&format!("<office:spreadsheet>{table}</office:spreadsheet>"));
    survive(
        "odf",
        None,
        extract,
        &[
            Seed::package(
                &[("mimetype", "application/vnd.oasis.opendocument.text"), ("content.xml", &text)],
                words,
            ),
            Seed::package(
                &[("mimetype", "application/vnd.oasis.opendocument.spreadsheet"), ("content.xml", &sheet)],
                words,
            ),
        ],
    );
}

#[test]
fn rtf() {
    let words = &[
        "{",
        "}",
        "\\par ",
        "\\'e9",
        "\\u8364 ?",
        "\\uc9 ",
        "\\bin9 ",
        "\\cell ",
        "\\row ",
        "{\\fonttbl",
        "{\\*\\x",
    ];
    let text = "{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0\\fcharset128 MS;}}{\\info{\\title T}}\\f0 a\\'82\\'a0\\u8364 ?\\par\\trowd b\\cell c\\cell\\row{\\field{\\*\\fldinst X}{\\fldrslt d}}{\\pict\\bin3 abc}}";
    survive("rtf", None, extract, &[Seed::file(text, words)]);
}

#[test]
fn html() {
    let words = &[
        "<table><tr><td>",
        "</td>",
        "<ul><li>",
        "<pre>",
        "<script>",
        "</script>",
        "<!--",
        "&amp;",
        "&#9;",
        "<a href=\"x\">",
        "<title>",
        "hidden",
    ];
    let text = "<!doctype html><html><head><meta charset=utf-8><title>T</title><style>x</style></head><body><h1>a</h1><p>b &eacute;<br><ul><li>c<ol><li>d</ol></ul><table><tr><th>e<td>f<table><tr><td>g</table></table><pre> h\n i</pre>";
    survive("html", Some("text/html"), extract, &[Seed::file(text, words)]);
}

#[test]
fn mail() {
    let words = &[
        "\n\n",
        "--b\n",
        "--b--\n",
        "Content-Type: message/rfc822\n\n",
        "Content-Transfer-Encoding: base64\n",
        "=?utf-8?b?w6k=?=",
        "; charset=x",
        "boundary=b",
    ];
    let text = "From: a@x.example\nTo: b@x.example\nSubject: =?utf-8?q?caf=C3=A9?=\nDate: Fri, 21 Nov 1997 09:55:06 -0600\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nBonjour =E9t=E9\n--b\nContent-Type: text/html\n\n<p>hello\n--b\nContent-Type: application/pdf; name=x.pdf\nContent-Disposition: attachment; filename=x.pdf\nContent-Transfer-Encoding: base64\n\nJVBERi0=\n--b--\n";
    survive("eml", Some("message/rfc822"), extract, &[Seed::file(text, words)]);
}

#[test]
fn records() {
    let words = &["{", "}", "[", "]", "\"", ",", ":", "\\u", "\n", "\t", ";"];
    survive(
        "json",
        Some("application/json"),
        extract,
        &[Seed::file(&br#"{"a": [1, -2.5e3, "x\u00e9\n", true, null, {"b": {}}]}"#[..], words)],
    );
    survive(
        "csv",
        Some("text/csv"),
        extract,
        &[Seed::file(&b"a,\"b\"\"c\",d\r\n1,\"2\n3\",4\r\n5,6,7\r\n"[..], words)],
    );
}

#[test]
fn plain_text() {
    let words = &["\u{feff}", "\x0c", "\r", "\x1b$B", "\u{202e}", "\u{1f600}"];
    let mut wide = vec![0xff, 0xfe];
    wide.extend("wide text, twice\n".encode_utf16().flat_map(u16::to_le_bytes));
    let shift_jis = b"\x82\xb1\x82\xea\x82\xcd\x95\xb6\x8f\xcd\x82\xc5\x82\xb7\x81B".repeat(4);
    survive(
        "text",
        Some("text/plain"),
        extract,
        &[
            Seed::file("A line.\nAnother, of naïve café words.\n", words),
            Seed::file(wide, words),
            Seed::file(shift_jis, words),
        ],
    );
}

/// Images are decoded for their thumbnails.
#[test]
fn pictures() {
    let picture = GrayImage::from_fn(24, 16, |x, y| Luma([u8::try_from(x * 9 + y).unwrap()]));
    let formats = [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::Gif,
        ImageFormat::Bmp,
        ImageFormat::Tiff,
        ImageFormat::WebP,
    ];
    let seeds: Vec<Seed> = formats
        .into_iter()
        .map(|format| {
            let mut bytes = Cursor::new(Vec::new());
            DynamicImage::from(picture.clone()).to_rgb8().write_to(&mut bytes, format).unwrap();
            Seed::file(bytes.into_inner(), &["IDAT", "IHDR", "VP8L", "\u{1}\0\0\0"])
        })
        .collect();
    survive("pictures", None, thumbnail, &seeds);
}

fn types(part: &str, kind: &str) -> String {
    format!(
        "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Override PartName=\"/{part}\" ContentType=\"application/vnd.openxmlformats-officedocument.{kind}.main+xml\"/></Types>"
    )
}

fn related(targets: &[(&str, &str)]) -> String {
    let relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let mut all = String::from(
        "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">",
    );
    for (index, (kind, target)) in targets.iter().enumerate() {
        write!(all, "<Relationship Id=\"id{index}\" Type=\"{relation}/{kind}\" Target=\"{target}\"/>")
            .unwrap();
    }
    all + "</Relationships>"
}
