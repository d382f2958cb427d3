//! Workbooks: sheets as pages.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use common::{detect, extract, extract_as, text, zip};
use dossier_extract::{ExtractError, Request, Source, TextFormat, Tick};
use std::fmt::Write as _;

const SHEETS: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const STRICT: &str = "http://purl.oclc.org/ooxml/spreadsheetml/main";
const MAIN: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml";

fn part(name: &str, inner: &str) -> String {
    format!(
        "<s:{name} xmlns:s=\"{SHEETS}\" \
         xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\">{inner}</s:{name}>"
    )
}

fn relationships(of: &[(&str, &str)]) -> String {
    let one = |(kind, target): &(&str, &str)| {
        format!("<Relationship Id=\"{target}\" Type=\"http://x/{kind}\" Target=\"{target}\"/>")
    };
    format!("<Relationships>{}</Relationships>", of.iter().map(one).collect::<String>())
}

/// A workbook with these sheets and additional parts.
fn xlsx(sheets: &[(&str, &str)], more: &[(&str, &str)]) -> Vec<u8> {
    let types = format!("<Types><Override PartName=\"/xl/workbook.xml\" ContentType=\"{MAIN}\"/></Types>");
    let root = relationships(&[("officeDocument", "xl/workbook.xml")]);
    let mut list = String::new();
    let mut related = vec![("sharedStrings", "strings.xml"), ("styles", "styles.xml")];
    let names: Vec<String> = (1..=sheets.len()).map(|number| format!("sheet{number}.xml")).collect();
    for ((name, _), part) in sheets.iter().zip(&names) {
        write!(list, "<s:sheet name=\"{name}\" sheetId=\"1\" state=\"hidden\" r:id=\"{part}\"/>").unwrap();
        related.push(("worksheet", part));
    }
    let workbook = part("workbook", &format!("<s:sheets>{list}</s:sheets>"));
    let related = relationships(&related);
    let paths: Vec<String> = names.iter().map(|name| format!("xl/{name}")).collect();
    let bodies: Vec<String> = sheets
        .iter()
        .map(|(_, rows)| part("worksheet", &format!("<s:sheetData>{rows}</s:sheetData>")))
        .collect();
    let mut parts: Vec<(&str, &[u8])> = vec![
        ("[Content_Types].xml", types.as_bytes()),
        ("_rels/.rels", root.as_bytes()),
        ("xl/workbook.xml", workbook.as_bytes()),
        ("xl/_rels/workbook.xml.rels", related.as_bytes()),
    ];
    parts.extend(paths.iter().zip(&bodies).map(|(path, body)| (path.as_str(), body.as_bytes())));
    parts.extend(more.iter().map(|(name, xml)| (*name, xml.as_bytes())));
    zip(&parts)
}

fn sample() -> Vec<u8> {
    let strings = part(
        "sst",
        "<s:si><s:t>Vessel</s:t></s:si><s:si><s:r><s:t>Since</s:t></s:r><s:r><s:t> when</s:t></s:r>\
         <s:rPh><s:t>no</s:t></s:rPh></s:si>",
    );
    let styles = part(
        "styleSheet",
        "<s:numFmts><s:numFmt numFmtId=\"170\" formatCode=\"dd/mm/yyyy\"/></s:numFmts>\
         <s:cellStyleXfs><s:xf numFmtId=\"9\"/></s:cellStyleXfs>\
         <s:cellXfs><s:xf numFmtId=\"0\"/><s:xf numFmtId=\"170\"/><s:xf numFmtId=\"10\"/></s:cellXfs>",
    );
    let rows = "<s:row r=\"1\"><s:c r=\"A1\" t=\"s\"><s:v>0</s:v></s:c><s:c r=\"C1\" t=\"s\"><s:v>1</s:v></s:c>\
                <s:c r=\"D1\" t=\"inlineStr\"><s:is><s:t>Share</s:t></s:is></s:c></s:row>\
                <s:row r=\"2\"><s:c r=\"A2\"/></s:row>\
                <s:row r=\"5\"><s:c r=\"A5\" t=\"str\"><s:f>UPPER(\"ferry\")</s:f><s:v>FERRY</s:v></s:c>\
                <s:c r=\"C5\" s=\"1\"><s:v>45413</s:v></s:c><s:c r=\"D5\" s=\"2\"><s:v>0.125</s:v></s:c></s:row>\
                <s:row><s:c t=\"b\"><s:v>1</s:v></s:c><s:c/><s:c t=\"e\"><s:v>#DIV/0!</s:v></s:c>\
                <s:c t=\"s\"><s:v>99</s:v></s:c></s:row>";
    let comments = part(
        "comments",
        "<s:commentList><s:comment ref=\"C5\"><s:text><s:t>Check this.</s:t></s:text></s:comment></s:commentList>",
    );
    xlsx(
        &[("Fees &amp; dues", rows), ("Empty", "")],
        &[
            ("xl/strings.xml", &strings),
            ("xl/styles.xml", &styles),
            ("xl/_rels/sheet1.xml.rels", &relationships(&[("comments", "../xl/comments1.xml")])),
            ("xl/comments1.xml", &comments),
        ],
    )
}

#[test]
fn cells_are_read_as_displayed() {
    let file = sample();
    assert_eq!(detect(&file), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
    let expected = "Fees & dues\nVessel  Since when  Share\nFERRY   2024-05-01  12.5%\nTRUE    #DIV/0!\n\
                    C5: Check this.\x0cEmpty";
    assert_eq!(text(&file), expected);
    assert_eq!(extract(&file).unwrap().metadata.page_labels, ["Fees & dues", "Empty"]);
}

#[test]
fn sheets_as_markdown() {
    let request = Request { format: TextFormat::Markdown, ..Request::default() };
    let source = Source::from_bytes(&sample()).unwrap();
    let pages = common::extractor().extract(&source, &request, || Tick::Continue).unwrap().pages;
    let expected = "# Fees & dues\n\n| Vessel | Since when | Share |\n| --- | --- | --- |\n";
    assert!(pages[0].text.starts_with(expected), "{}", pages[0].text);
}

#[test]
fn strict_open_xml_is_read_the_same() {
    let strict =
        part("worksheet", "<s:row><s:c t=\"inlineStr\"><s:is><s:t>strictly</s:t></s:is></s:c></s:row>");
    let more = strict.replace(SHEETS, STRICT);
    let file = xlsx(&[], &[("xl/one.xml", &more)]);
    // A workbook that lists no sheets is malformed.
    assert!(matches!(extract(&file), Err(ExtractError::Malformed { .. })));
    let types = format!("<Types><Override ContentType=\"{MAIN}\"/></Types>");
    let workbook = part("workbook", "<s:sheets><s:sheet name=\"One\" r:id=\"one.xml\"/></s:sheets>");
    let file = zip(&[
        ("[Content_Types].xml", types.as_bytes()),
        ("xl/workbook.xml", workbook.replace(SHEETS, STRICT).as_bytes()),
        ("xl/_rels/workbook.xml.rels", relationships(&[("worksheet", "one.xml")]).as_bytes()),
        ("xl/one.xml", more.as_bytes()),
    ]);
    assert_eq!(text(&file), "One\nstrictly");
}

#[test]
fn far_corners_cost_nothing() {
    let cell = |address: &str| format!("<s:c r=\"{address}\"><s:v>1</s:v></s:c>");
    let rows = format!(
        "<s:dimension ref=\"A1:XFD1048576\"/><s:row>{}</s:row><s:row r=\"1048576\">{}{}</s:row>",
        cell("A1"),
        cell("XFD1048576"),
        cell("ZZZZZZZZZZ99999999999")
    );
    assert_eq!(text(&xlsx(&[("Corners", &rows)], &[])), "Corners\n1\n  1  1");
}

#[test]
fn a_sparse_diagonal_is_not_aligned() {
    let mut rows = String::new();
    for row in 0..16_000_u32 {
        let mut column = row + 1;
        let mut letters = Vec::new();
        while column > 0 {
            letters.insert(0, char::from(b'A' + u8::try_from((column - 1) % 26).unwrap()));
            column = (column - 1) / 26;
        }
        let letters: String = letters.into_iter().collect();
        write!(rows, "<s:row><s:c r=\"{letters}{row}\"><s:v>7</s:v></s:c></s:row>").unwrap();
    }
    let read = text(&xlsx(&[("Diagonal", &rows)], &[]));
    assert_eq!(read.matches('7').count(), 16_000);
    assert!(read.len() < 100_000, "{}", read.len());
}

#[test]
fn one_string_shown_everywhere_hits_the_limits() {
    let strings = part("sst", &format!("<s:si><s:t>{}</s:t></s:si>", "long ".repeat(20_000)));
    let rows = "<s:row><s:c t=\"s\"><s:v>0</s:v></s:c></s:row>".repeat(100_000);
    let outcome = extract(&xlsx(&[("Echo", &rows)], &[("xl/strings.xml", &strings)]));
    assert!(matches!(outcome, Err(ExtractError::LimitExceeded { limit: "output_bytes" })), "{outcome:?}");
}

#[test]
fn millions_of_empty_cells_are_ignored() {
    let rows = format!("<s:row>{}</s:row>", "<s:c s=\"3\"/>".repeat(2_000_000));
    assert_eq!(text(&xlsx(&[("Blank", &rows)], &[])), "Blank");
}

#[test]
fn macro_workbooks_are_read_and_binary_workbooks_are_unsupported() {
    let macros = Some("application/vnd.ms-excel.sheet.macroEnabled.12");
    assert!(extract_as(&sample(), macros).unwrap().pages[0].text.starts_with("Fees & dues\n"));
    let binary =
        "<Types><Override ContentType=\"application/vnd.ms-excel.sheet.binary.macroEnabled.main\"/></Types>";
    let outcome = extract(&zip(&[("[Content_Types].xml", binary.as_bytes())]));
    assert!(matches!(outcome, Err(ExtractError::Unsupported { .. })), "{outcome:?}");
}
