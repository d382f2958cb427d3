//! OpenDocument texts, spreadsheets and presentations.

mod common;

use common::{detect, extract, markdown, text, zip};
use dossier_extract::{ExtractError, Request, Source, TextFormat, Tick};

/// The namespaces of the standard with unusual prefixes.
fn names() -> String {
    let spaces = ["office", "text", "table", "drawing", "style", "meta", "presentation", "manifest"];
    let one = |space: &&str| {
        format!("xmlns:{}=\"urn:oasis:names:tc:opendocument:xmlns:{space}:1.0\" ", &space[..2])
    };
    let fo = "xmlns:fo=\"urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0\" ";
    spaces.iter().map(one).collect::<String>() + fo + "xmlns:dc=\"http://purl.org/dc/elements/1.1/\""
}

/// A file of this kind with this body and these additional parts.
fn open_document(kind: &str, styles: &str, body: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let media_type = format!("application/vnd.oasis.opendocument.{kind}");
    let content = format!(
        "<of:document-content {}><of:automatic-styles>{styles}</of:automatic-styles>\
         <of:body><of:{kind}>{body}</of:{kind}></of:body></of:document-content>",
        names()
    );
    let mut parts: Vec<(&str, &[u8])> =
        vec![("mimetype", media_type.as_bytes()), ("content.xml", content.as_bytes())];
    parts.extend(more.iter().map(|(name, xml)| (*name, xml.as_bytes())));
    zip(&parts)
}

fn odt(body: &str) -> Vec<u8> {
    open_document("text", "", body, &[])
}

#[test]
fn formulas_without_a_result_are_shown() {
    let body = "<ta:table ta:name=\"S\"><ta:table-row><ta:table-cell ta:formula=\"of:=SUM([.A1:.A2])\"/>\
        <ta:table-cell ta:formula=\"of:=[.A1]\" of:value-type=\"float\" of:value=\"7\"/></ta:table-row></ta:table>";
    assert_eq!(text(&open_document("spreadsheet", "", body, &[])), "S\n=SUM(A1:A2)  7");
}

#[test]
fn a_text_with_everything() {
    let styles = "<te:list-style st:name=\"L1\"><te:list-level-style-number te:level=\"1\" st:num-format=\"A\" \
                  st:num-suffix=\")\" te:start-value=\"2\"/><te:list-level-style-bullet te:level=\"2\"/></te:list-style>\
                  <st:style st:name=\"P9\"><st:paragraph-properties fo:break-before=\"page\"/></st:style>";
    let body = "<te:tracked-changes><te:p>deleted</te:p></te:tracked-changes>\
        <te:h te:outline-level=\"2\">The  \n harbour</te:h>\
        <te:p>one<te:s te:c=\"3\"/>two<te:tab/>three<te:line-break/><te:span>four</te:span>\
        <te:note><te:note-citation>1</te:note-citation><te:note-body><te:p>A note.</te:p></te:note-body></te:note>\
        <of:annotation><dc:creator>Rosalind</dc:creator><te:p>A remark.</te:p></of:annotation>\
        <dr:frame><dr:text-box><te:p>boxed</te:p></dr:text-box></dr:frame> five</te:p>\
        <te:list te:style-name=\"L1\"><te:list-item><te:p>first</te:p><te:p>more</te:p>\
        <te:list><te:list-item><te:p>inner</te:p></te:list-item></te:list></te:list-item>\
        <te:list-item><te:p>second</te:p></te:list-item></te:list>\
        <ta:table><ta:table-row><ta:table-cell><te:p>a</te:p></ta:table-cell>\
        <ta:table-cell ta:number-columns-repeated=\"2\"/><ta:table-cell><te:p>b</te:p></ta:table-cell></ta:table-row>\
        </ta:table><te:p te:style-name=\"P9\">next <te:soft-page-break/>page</te:p>";
    let look = format!(
        "<of:document-styles {}><st:master-page><st:header><te:p>Head</te:p></st:header>\
         <st:footer><te:p>Foot</te:p></st:footer><st:footer-left><te:p>Foot</te:p></st:footer-left>\
         </st:master-page></of:document-styles>",
        names()
    );
    let about = format!(
        "<of:document-meta {}><of:meta><dc:title>Minutes</dc:title><me:initial-creator>Ada</me:initial-creator>\
         <dc:creator>Bob</dc:creator><me:keyword>x</me:keyword><me:keyword>y</me:keyword>\
         <dc:date>2024-05-01T09:00:00.5</dc:date></of:meta></of:document-meta>",
        names()
    );
    let file = open_document("text", styles, body, &[("styles.xml", &look), ("meta.xml", &about)]);
    assert_eq!(detect(&file), "application/vnd.oasis.opendocument.text");
    let expected = "Head\nThe harbour\none   two\tthree\nfour[1] five\nboxed\nB) first\nmore\n  • inner\nC) second\n\
                    a      b\x0cnext\x0cpage\n[1] A note.\nA remark.\nFoot";
    assert_eq!(text(&file), expected);
    let metadata = extract(&file).unwrap().metadata;
    assert_eq!(metadata.title.as_deref(), Some("Minutes"));
    assert_eq!(metadata.author.as_deref(), Some("Ada"));
    assert_eq!(metadata.keywords.as_deref(), Some("x, y"));
    assert_eq!(metadata.modified.as_deref(), Some("2024-05-01T09:00:00.5Z"));
    assert_eq!(metadata.outline[0].title, "The harbour");
}

#[test]
fn headings_are_numbered_and_notes_are_marked() {
    let look = format!(
        "<of:document-styles {}><te:outline-style st:name=\"Outline\">\
         <te:outline-level-style te:level=\"1\" st:num-format=\"I\" st:num-suffix=\".\"/>\
         <te:outline-level-style te:level=\"2\" st:num-format=\"1\" te:display-levels=\"2\"/>\
         <te:outline-level-style te:level=\"3\" st:num-format=\"\"/></te:outline-style>\
         <st:style st:name=\"None\" st:list-style-name=\"\"/>\
         <st:header><te:p>Page <te:page-number>7</te:page-number> of <te:page-count>9</te:page-count></te:p>\
         </st:header></of:document-styles>",
        names()
    );
    let heading = |level: u8, more: &str, words: &str| {
        format!("<te:h te:outline-level=\"{level}\" {more}>{words}</te:h>")
    };
    let note = |mark: &str, words: &str| {
        format!(
            "<te:note><te:note-citation>{mark}</te:note-citation><te:note-body><te:p>{words}</te:p>\
             </te:note-body></te:note>"
        )
    };
    let body = [
        heading(1, "", "One"),
        heading(2, "", "Inner"),
        heading(2, "", "Second"),
        heading(3, "", "Bare"),
        heading(1, "te:style-name=\"None\"", "Preface"),
        heading(1, "te:is-list-header=\"true\"", "Aside"),
        heading(1, "", ""),
        heading(1, "", "Last"),
        heading(2, "", &format!("Its{}", note("1", "First."))),
        format!("<te:p>a{} b{}</te:p>", note("†", "Starred."), note("", "Unmarked.")),
        "<ta:table><ta:table-header-rows><ta:table-row><ta:table-cell><te:p>Name</te:p></ta:table-cell>\
         </ta:table-row></ta:table-header-rows><te:soft-page-break/><ta:table-row><ta:table-cell><te:p>Ada</te:p>\
         </ta:table-cell></ta:table-row></ta:table>"
            .to_owned(),
    ];
    let file = open_document("text", "", &body.concat(), &[("styles.xml", &look)]);
    let expected = "Page of\nI. One\nI.1 Inner\nI.2 Second\nBare\nPreface\nAside\n\nIII. Last\nIII.1 Its[1]\n\
                    a[†] b\nName\nAda\n[1] First.\n[†] Starred.\nUnmarked.";
    assert_eq!(text(&file), expected);
    assert_eq!(extract(&file).unwrap().metadata.outline[1].title, "I.1 Inner");
    let read = markdown(&file);
    assert!(read.starts_with("Page of\n\n# I. One\n\n## I.1 Inner\n\n"), "{read}");
    assert!(read.ends_with("[^1]: First.\n\n[^†]: Starred.\n\nUnmarked.\n"), "{read}");
}

#[test]
fn a_spreadsheet_with_everything() {
    let body = "<ta:table ta:name=\"Fees\"><ta:table-row>\
        <ta:table-cell of:value-type=\"string\"><te:p>Vessel</te:p><te:p>kind</te:p></ta:table-cell>\
        <ta:covered-table-cell><te:p>covered</te:p></ta:covered-table-cell>\
        <ta:table-cell of:value-type=\"date\" of:date-value=\"2024-05-01\"><te:p>01.05.24</te:p></ta:table-cell>\
        <ta:table-cell ta:number-columns-repeated=\"16381\"/></ta:table-row>\
        <ta:table-row ta:number-rows-repeated=\"1048570\"><ta:table-cell ta:number-columns-repeated=\"16384\"/>\
        </ta:table-row>\
        <ta:table-row ta:number-rows-repeated=\"2\"><ta:table-cell of:value-type=\"float\" of:value=\"7\"/>\
        <ta:table-cell/><ta:table-cell of:value-type=\"percentage\" of:value=\"0.5\"><te:p>50 %</te:p>\
        <of:annotation><dc:creator>Bob</dc:creator><te:p>half</te:p></of:annotation></ta:table-cell>\
        <ta:table-cell ta:number-columns-repeated=\"2\" of:value-type=\"time\" of:time-value=\"PT25H30M00S\">\
        <te:p>1:30</te:p></ta:table-cell></ta:table-row></ta:table><ta:table ta:name=\"Void\"/>";
    let file = open_document("spreadsheet", "", body, &[]);
    assert_eq!(detect(&file), "application/vnd.oasis.opendocument.spreadsheet");
    let row = "7            50 %  25:30:00  25:30:00\n";
    assert_eq!(text(&file), format!("Fees\nVessel kind  2024-05-01\n{row}{row}half\x0cVoid"));
    assert_eq!(extract(&file).unwrap().metadata.page_labels, ["Fees", "Void"]);
}

#[test]
fn slides_are_pages() {
    let body = "<dr:page dr:name=\"one\"><dr:frame pr:class=\"title\"><dr:text-box><te:p>Welcome</te:p></dr:text-box>\
        </dr:frame><dr:custom-shape><te:p>shape</te:p></dr:custom-shape><pr:notes><dr:frame><dr:text-box>\
        <te:p>Speak up.</te:p></dr:text-box></dr:frame></pr:notes></dr:page><dr:page/>";
    let file = open_document("presentation", "", body, &[]);
    assert_eq!(text(&file), "Welcome\nshape\n\nSpeak up.\x0c");
    let request = Request { format: TextFormat::Markdown, ..Request::default() };
    let source = Source::from_bytes(&file).unwrap();
    let pages = common::extractor().extract(&source, &request, || Tick::Continue).unwrap().pages;
    assert!(pages[0].text.starts_with("# Welcome\n\nshape\n"), "{}", pages[0].text);
}

#[test]
fn a_password_protected_file_is_reported() {
    let manifest = format!(
        "<ma:manifest {}><ma:file-entry ma:full-path=\"content.xml\"><ma:encryption-data/></ma:file-entry></ma:manifest>",
        names()
    );
    let file = open_document("text", "", "<te:p>x</te:p>", &[("META-INF/manifest.xml", &manifest)]);
    assert!(matches!(extract(&file), Err(ExtractError::Encrypted)));
}

#[test]
fn a_cell_repeated_everywhere_hits_the_limits() {
    let body = format!(
        "<ta:table><ta:table-row ta:number-rows-repeated=\"99999999999\"><ta:table-cell \
         ta:number-columns-repeated=\"4294967295\" of:value-type=\"string\"><te:p>{}</te:p></ta:table-cell>\
         </ta:table-row></ta:table>",
        "again ".repeat(100)
    );
    let outcome = extract(&open_document("spreadsheet", "", &body, &[]));
    assert!(matches!(outcome, Err(ExtractError::LimitExceeded { limit: "output_bytes" })), "{outcome:?}");
}

#[test]
fn repeats_blanks_and_depth_are_bounded() {
    let blanks = "<te:p>a<te:s te:c=\"4000000000\"/>b</te:p>";
    assert!(text(&odt(blanks)).len() < 200);
    let row = "<ta:table-row><ta:table-cell ta:number-columns-repeated=\"4000000000\"/>\
               <ta:table-cell><te:p>x</te:p></ta:table-cell></ta:table-row>";
    let table = format!("<ta:table>{}</ta:table>", row.repeat(1000));
    assert_eq!(text(&odt(&table)).matches('x').count(), 1000);
    let deep = format!("<te:p>{}deep", "<dr:frame><dr:text-box><te:p><te:list><te:list-item>".repeat(10_000));
    assert!(text(&odt(&deep)).contains("deep"));
}

#[test]
fn truncated_files_keep_the_text_before_the_cut() {
    assert_eq!(
        text(&odt("<te:p>whole</te:p><ta:table><ta:table-row><ta:table-cell><te:p>half</te:q>")),
        "whole\nhalf"
    );
    let missing = zip(&[("mimetype", b"application/vnd.oasis.opendocument.text")]);
    assert!(matches!(extract(&missing), Err(ExtractError::Malformed { .. })));
}
