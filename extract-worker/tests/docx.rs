//! The text of Word documents, extracted by the real worker in its sandbox.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use common::{WORD, docx, docx_with, extract, extractor, paragraph, text, zip};
use dossier_extract::{ExtractError, Extraction, Request, Source, TextFormat, Tick};

fn read(bytes: &[u8], format: TextFormat) -> Extraction {
    let request = Request { format, ..Request::default() };
    extractor().extract(&Source::from_bytes(bytes).unwrap(), &request, || Tick::Continue).unwrap()
}

fn markdown(bytes: &[u8]) -> String {
    let pages = read(bytes, TextFormat::Markdown).pages;
    pages.iter().map(|page| page.text.trim_end()).collect::<Vec<_>>().join("\x0c")
}

/// A `WordprocessingML` part with this root.
fn part(root: &str, inner: &str) -> String {
    format!("<w:{root} xmlns:w=\"{WORD}\" xmlns:r=\"urn:r\">{inner}</w:{root}>")
}

fn styled(style: &str, words: &str) -> String {
    format!("<w:p><w:pPr><w:pStyle w:val=\"{style}\"/></w:pPr><w:r><w:t>{words}</w:t></w:r></w:p>")
}

fn item(list: u32, level: u8, words: &str) -> String {
    format!(
        "<w:p><w:pPr><w:numPr><w:ilvl w:val=\"{level}\"/><w:numId w:val=\"{list}\"/></w:numPr></w:pPr>\
         <w:r><w:t>{words}</w:t></w:r></w:p>"
    )
}

fn level(at: u8, format: &str, pattern: &str, more: &str) -> String {
    format!(
        "<w:lvl w:ilvl=\"{at}\"><w:start w:val=\"1\"/><w:numFmt w:val=\"{format}\"/>\
         <w:lvlText w:val=\"{pattern}\"/>{more}</w:lvl>"
    )
}

fn numbered(body: &str, numbering: &str) -> Vec<u8> {
    docx_with(body, &[("numbering", "numbering.xml", &part("numbering", numbering))])
}

#[test]
fn lists_are_numbered_as_word_shows_them() {
    let numbering = [
        "<w:abstractNum w:abstractNumId=\"7\">",
        &level(0, "decimal", "%1.", ""),
        &level(1, "lowerLetter", "%2)", ""),
        &level(2, "decimal", "%1.%2.%3", "<w:isLgl/>"),
        "</w:abstractNum><w:abstractNum w:abstractNumId=\"8\">",
        &level(0, "bullet", "\u{f0b7}", "<w:rPr><w:rFonts w:ascii=\"Symbol\"/></w:rPr>"),
        &level(1, "bullet", "o", "<w:rPr><w:rFonts w:ascii=\"Courier New\"/></w:rPr>"),
        &level(2, "bullet", "–", ""),
        "</w:abstractNum>",
        "<w:num w:numId=\"1\"><w:abstractNumId w:val=\"7\"/></w:num>",
        "<w:num w:numId=\"2\"><w:abstractNumId w:val=\"8\"/></w:num>",
        "<w:num w:numId=\"3\"><w:abstractNumId w:val=\"7\"/>\
         <w:lvlOverride w:ilvl=\"0\"><w:startOverride w:val=\"5\"/></w:lvlOverride></w:num>",
    ]
    .concat();
    let body = [
        item(1, 0, "one"),
        item(1, 1, "a"),
        item(1, 1, "b"),
        item(1, 2, "deep"),
        item(1, 0, "two"),
        item(1, 1, "again a"),
        item(2, 0, "dot"),
        item(2, 1, "circle"),
        item(2, 2, "dash"),
        item(3, 0, "five"),
        item(3, 0, "six"),
        item(0, 0, "no item"),
    ]
    .concat();
    let file = numbered(&body, &numbering);
    assert_eq!(
        text(&file),
        "1. one\n  a) a\n  b) b\n    1.2.1 deep\n2. two\n  a) again a\n• dot\n  • circle\n    – dash\n5. five\n\
         6. six\nno item"
    );
    assert_eq!(
        markdown(&file),
        "1. one\n   - a) a\n   - b) b\n     - 1.2.1 deep\n2. two\n   - a) again a\n- dot\n  - circle\n    - dash\n\
         5. five\n6. six\n\nno item"
    );
}

#[test]
fn headings_come_from_styles_in_any_language_and_are_numbered() {
    let styles = part(
        "styles",
        "<w:style w:type=\"paragraph\" w:styleId=\"berschrift1\"><w:name w:val=\"heading 1\"/>\
         <w:pPr><w:numPr><w:numId w:val=\"1\"/></w:numPr></w:pPr></w:style>\
         <w:style w:type=\"paragraph\" w:styleId=\"Mine\"><w:name w:val=\"Mine\"/><w:basedOn w:val=\"Other\"/></w:style>\
         <w:style w:type=\"paragraph\" w:styleId=\"Other\"><w:basedOn w:val=\"Mine\"/>\
         <w:pPr><w:outlineLvl w:val=\"1\"/></w:pPr></w:style>",
    );
    let numbering = part(
        "numbering",
        &[
            "<w:abstractNum w:abstractNumId=\"1\">",
            &level(0, "upperRoman", "%1.", "<w:pStyle w:val=\"berschrift1\"/>"),
            "</w:abstractNum><w:num w:numId=\"1\"><w:abstractNumId w:val=\"1\"/></w:num>",
        ]
        .concat(),
    );
    let body = [
        styled("berschrift1", "Anfang"),
        styled("Mine", "Second"),
        "<w:p><w:r><w:br w:type=\"page\"/></w:r></w:p>".to_owned(),
        styled("Heading3", "No style of that name"),
        styled("berschrift1", "Ende"),
    ]
    .concat();
    let file =
        docx_with(&body, &[("styles", "styles.xml", &styles), ("numbering", "numbering.xml", &numbering)]);
    assert_eq!(markdown(&file), "# I. Anfang\n\n## Second\x0c### No style of that name\n\n# II. Ende");
    let outline = read(&file, TextFormat::Text).metadata.outline;
    let found: Vec<_> = outline.iter().map(|one| (one.level, one.title.as_str(), one.page)).collect();
    assert_eq!(
        found,
        [
            (1, "I. Anfang", Some(1)),
            (2, "Second", Some(1)),
            (3, "No style of that name", Some(2)),
            (1, "II. Ende", Some(2))
        ]
    );
}

#[test]
fn tables_are_aligned_in_text_and_tables_in_markdown() {
    let cell = |words: &str, properties: &str| {
        format!("<w:tc><w:tcPr>{properties}</w:tcPr>{}</w:tc>", paragraph(words))
    };
    let table = [
        "<w:tbl><w:tr>",
        &cell("Fees | 2024", "<w:gridSpan w:val=\"2\"/>"),
        &cell("Note", ""),
        "</w:tr><w:tr>",
        &cell("Rowing boat", ""),
        &cell("4.20", ""),
        &cell("*", ""),
        "</w:tr></w:tbl>",
    ]
    .concat();
    let file = docx(&[table, paragraph("After")].concat());
    assert_eq!(text(&file), "Fees | 2024        Note\nRowing boat  4.20  *\nAfter");
    assert_eq!(
        markdown(&file),
        "| Fees \\| 2024 |  | Note |\n| --- | --- | --- |\n| Rowing boat | 4.20 | * |\n\nAfter"
    );
}

#[test]
fn a_table_continues_over_pages_row_by_row() {
    let turn = "<w:lastRenderedPageBreak/>";
    let row = |first: &str, second: &str| {
        format!(
            "<w:tr><w:tc><w:p><w:r>{first}</w:r></w:p></w:tc><w:tc><w:p><w:r>{second}</w:r></w:p></w:tc></w:tr>"
        )
    };
    let words = |words: &str| format!("<w:t>{words}</w:t>");
    let body = format!(
        "<w:tbl>{}{}{}</w:tbl>{}",
        row(&words("a"), &words("b")),
        row(&format!("{turn}{}", words("c")), &format!("{turn}{}", words("d"))),
        row(&format!("{}{turn}{}", words("e"), words("f")), &format!("{}{turn}{}", words("g"), words("h"))),
        paragraph("end")
    );
    assert_eq!(text(&docx(&body)), "a  b\x0cc   d\nef  gh\x0cend");
}

#[test]
fn notes_come_at_the_end_of_the_page_that_references_them() {
    let note = |kind: &str, id: u32, words: &str| {
        format!("<w:{kind} w:id=\"{id}\" w:author=\"Rosalind\">{}</w:{kind}>", paragraph(words))
    };
    let call =
        |kind: &str, id: u32| format!("<w:p><w:r><w:t>x</w:t><w:{kind}Reference w:id=\"{id}\"/></w:r></w:p>");
    let body = [
        call("footnote", 2),
        call("endnote", 1),
        call("comment", 0),
        "<w:p><w:r><w:br w:type=\"page\"/></w:r></w:p>".to_owned(),
        call("footnote", 3),
    ]
    .concat();
    let footnotes =
        part("footnotes", &[note("footnote", 3, "second"), note("footnote", 2, "first")].concat());
    let endnotes = part("endnotes", &note("endnote", 1, "at the end"));
    let comments = part("comments", &note("comment", 0, "a remark"));
    let file = docx_with(
        &body,
        &[
            ("footnotes", "footnotes.xml", &footnotes),
            ("endnotes", "endnotes.xml", &endnotes),
            ("comments", "comments.xml", &comments),
        ],
    );
    assert_eq!(text(&file), "x[1]\nx[i]\nx\n[1] first\n[a remark]\x0cx[2]\n[2] second\n[i] at the end");
    assert_eq!(
        markdown(&file),
        "x[^1]\n\nx[^i]\n\nx\n\n[^1]: first\n\n[Rosalind: a remark]\x0cx[^2]\n\n[^2]: second\n\n[^i]: at the end"
    );
}

#[test]
fn headers_and_footers_are_written_once_where_they_first_appear() {
    let margin = |root: &str, words: &str| part(root, &paragraph(words));
    let section = |inner: &str| format!("<w:sectPr xmlns:r=\"urn:r\">{inner}</w:sectPr>");
    let reference = |side: &str, kind: &str, part: &str| {
        format!("<w:{side}Reference w:type=\"{kind}\" r:id=\"{part}\"/>")
    };
    let first = section(
        &[
            reference("header", "first", "h1.xml"),
            reference("header", "default", "h2.xml"),
            reference("footer", "default", "f1.xml"),
            "<w:titlePg/>".to_owned(),
        ]
        .concat(),
    );
    let second = section(
        &[reference("header", "default", "h3.xml"), "<w:type w:val=\"continuous\"/>".to_owned()].concat(),
    );
    let turn = "<w:p><w:r><w:br w:type=\"page\"/></w:r></w:p>";
    let body = format!(
        "{}{turn}{}<w:p><w:pPr>{first}</w:pPr></w:p>{}{second}",
        paragraph("one"),
        paragraph("two"),
        paragraph("still two")
    );
    let page = "<w:p><w:r><w:t>Page </w:t></w:r><w:fldSimple w:instr=\" PAGE \"><w:r><w:t>7</w:t></w:r></w:fldSimple></w:p>";
    let file = docx_with(
        &body,
        &[
            ("header", "h1.xml", &margin("hdr", "Cover")),
            ("header", "h2.xml", &margin("hdr", "Inside")),
            ("header", "h3.xml", &margin("hdr", "Cover")),
            ("footer", "f1.xml", &part("ftr", page)),
        ],
    );
    assert_eq!(text(&file), "Cover\none\x0cInside\ntwo\n\nstill two\nPage");
}

#[test]
fn fields_show_their_results_and_links_keep_their_targets() {
    let mark = |kind: &str| format!("<w:r><w:fldChar w:fldCharType=\"{kind}\"/></w:r>");
    let code = |code: &str| format!("<w:r><w:instrText>{code}</w:instrText></w:r>");
    let run = |words: &str| format!("<w:r><w:t xml:space=\"preserve\">{words}</w:t></w:r>");
    let inner = [mark("begin"), code("MERGEFIELD a"), mark("separate"), run("hidden"), mark("end")].concat();
    let body = [
        "<w:p>",
        &[mark("begin"), code("IF "), inner, mark("separate"), run("shown "), mark("end")].concat(),
        &[
            mark("begin"),
            code("HYPERLINK \"https://a.example/\""),
            mark("separate"),
            run("there"),
            mark("end"),
        ]
        .concat(),
        &run(" and "),
        "<w:hyperlink xmlns:r=\"urn:r\" r:id=\"far\"><w:r><w:t>far away</w:t></w:r></w:hyperlink>",
        &run(" "),
        "<w:r><w:fldChar w:fldCharType=\"begin\"><w:ffData><w:checkBox><w:default w:val=\"0\"/><w:checked/>\
         </w:checkBox></w:ffData></w:fldChar></w:r>",
        &mark("end"),
        "</w:p>",
    ]
    .concat();
    let links = "<Relationships><Relationship Id=\"far\" Type=\"http://x/relationships/hyperlink\" \
                 Target=\"https://b.example/\" TargetMode=\"External\"/></Relationships>";
    let document = part("document", &format!("<w:body>{body}</w:body>"));
    let types = "<Types><Override ContentType=\"application/vnd.openxmlformats-officedocument.\
                 wordprocessingml.document.main+xml\"/></Types>";
    let file = zip(&[
        ("[Content_Types].xml", types.as_bytes()),
        ("word/document.xml", document.as_bytes()),
        ("word/_rels/document.xml.rels", links.as_bytes()),
    ]);
    assert_eq!(text(&file), "shown there and far away ☒");
    assert_eq!(markdown(&file), "shown [there](https://a.example/) and [far away](https://b.example/) ☒");
}

#[test]
fn boxes_formulas_symbols_and_hyphens() {
    let body = "<w:p><w:r><w:t>co\u{ad}op</w:t><w:noBreakHyphen/><w:t>ed </w:t><w:softHyphen/>\
         <w:sym w:font=\"Wingdings\" w:char=\"F0FC\"/></w:r>\
         <w:r><w:rPr><w:rFonts w:ascii=\"Symbol\" w:hAnsi=\"Symbol\"/></w:rPr><w:t>\u{f061}</w:t></w:r>\
         <m:oMath xmlns:m=\"http://schemas.openxmlformats.org/officeDocument/2006/math\">\
         <m:f><m:num><m:r><m:t>a+b</m:t></m:r></m:num><m:den><m:r><m:t>2</m:t></m:r></m:den></m:f></m:oMath>\
         <w:r><w:pict xmlns:v=\"urn:schemas-microsoft-com:vml\"><v:shape><v:textbox><w:txbxContent>\
         <w:p><w:r><w:t>old box</w:t></w:r></w:p></w:txbxContent></v:textbox>\
         <v:textpath string=\"Draft\"/></v:shape></w:pict></w:r>\
         <w:r><w:drawing xmlns:wp=\"http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing\">\
         <wp:inline><wp:docPr descr=\"A heron\"/></wp:inline><wp:inline><wp:docPr descr=\"heron.png\"/></wp:inline>\
         </w:drawing></w:r></w:p>";
    assert_eq!(text(&docx(body)), "coop-ed ✔α(a+b)/2[A heron]\nold box\nDraft");
}

#[test]
fn a_paragraph_with_a_deleted_mark_continues_in_the_next() {
    let body = "<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr><w:r><w:t>one</w:t></w:r></w:p>\
                <w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:moveTo><w:r><w:t>two</w:t></w:r></w:moveTo></w:p>";
    assert_eq!(text(&docx(body)), "one two");
}

#[test]
fn strict_documents_and_utf16_parts() {
    let document = "<x:document xmlns:x=\"http://purl.oclc.org/ooxml/wordprocessingml/main\"><x:body><x:p>\
                    <x:r><x:t>Grüße</x:t></x:r></x:p></x:body></x:document>";
    let utf16: Vec<u8> = format!("\u{feff}<?xml version=\"1.0\" encoding=\"UTF-16\"?>{document}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let types =
        "<Types><Override ContentType=\"application/vnd.ms-word.document.macroEnabled.main+xml\"/></Types>";
    let file = zip(&[("[Content_Types].xml", types.as_bytes()), ("word/document.xml", &utf16)]);
    assert_eq!(text(&file), "Grüße");
}

#[test]
fn the_metadata_of_a_document() {
    let core = "<c:coreProperties xmlns:c=\"http://schemas.openxmlformats.org/package/2006/metadata/core-properties\" \
                xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:t=\"http://purl.org/dc/terms/\">\
                <dc:title>Minutes</dc:title><dc:creator>Rosalind</dc:creator>\
                <t:created>2024-05-01T09:00:00Z</t:created></c:coreProperties>";
    let rels = "<Relationships><Relationship Id=\"a\" Type=\"http://x/officeDocument\" Target=\"word/document.xml\"/>\
                <Relationship Id=\"b\" Type=\"http://x/core-properties\" Target=\"core.xml\"/></Relationships>";
    let types = "<Types><Override ContentType=\"application/vnd.openxmlformats-officedocument.\
                 wordprocessingml.template.main+xml\"/></Types>";
    let document = part("document", &paragraph("words"));
    let file = zip(&[
        ("[Content_Types].xml", types.as_bytes()),
        ("_rels/.rels", rels.as_bytes()),
        ("core.xml", core.as_bytes()),
        ("word/document.xml", document.as_bytes()),
    ]);
    let metadata = extract(&file).unwrap().metadata;
    assert_eq!(metadata.title.as_deref(), Some("Minutes"));
    assert_eq!(metadata.author.as_deref(), Some("Rosalind"));
    assert_eq!(metadata.created.as_deref(), Some("2024-05-01T09:00:00Z"));
}

#[test]
fn a_truncated_document_keeps_the_text_before_the_cut() {
    let mut random = common::Random(7);
    let words: String = (0..5000).map(|_| format!("w{} ", random.below(1_000_000))).collect();
    let file = docx(&[paragraph("The beginning"), paragraph(&words)].concat());
    let cut = extract(&file[..file.len() / 2]).unwrap();
    assert!(cut.pages[0].text.starts_with("The beginning\nw"), "{}", &cut.pages[0].text[..40]);
    let start = &file[..file.windows(17).position(|name| name == b"word/document.xml").unwrap() + 10];
    let outcome = extract(start);
    assert!(matches!(outcome, Err(ExtractError::Malformed { .. })), "{outcome:?}");
}

#[test]
fn hostile_lists() {
    let loops = "<w:style w:type=\"numbering\" w:styleId=\"A\"><w:pPr><w:numPr><w:numId w:val=\"1\"/></w:numPr></w:pPr></w:style>";
    let numbering = [
        "<w:abstractNum w:abstractNumId=\"1\"><w:numStyleLink w:val=\"A\"/></w:abstractNum>\
         <w:abstractNum w:abstractNumId=\"2\">",
        "<w:lvl w:ilvl=\"0\"><w:start w:val=\"4294967295\"/><w:numFmt w:val=\"lowerLetter\"/><w:lvlText w:val=\"",
        &"%1".repeat(100_000),
        "\"/></w:lvl><w:lvl w:ilvl=\"99999\"/></w:abstractNum>\
         <w:num w:numId=\"1\"><w:abstractNumId w:val=\"1\"/></w:num>\
         <w:num w:numId=\"2\"><w:abstractNumId w:val=\"2\"/></w:num>",
    ]
    .concat();
    let body = [item(1, 0, "loop"), item(2, 0, "large"), item(2, 0, "larger"), item(2, 255, "deep")].concat();
    let styles = part("styles", loops);
    let file = docx_with(
        &body,
        &[("numbering", "numbering.xml", &part("numbering", &numbering)), ("styles", "styles.xml", &styles)],
    );
    let text = text(&file);
    assert!(text.len() < 5000 && text.contains("larger") && text.ends_with("deep"), "{} bytes", text.len());
}
