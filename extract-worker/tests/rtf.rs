//! The text of RTF files.

mod common;

use common::{detect, extract, extract_as, markdown, text};
use dossier_extract::ExtractError;

fn rtf(inner: &str) -> Vec<u8> {
    format!("{{\\rtf1\\ansi\\ansicpg1252\\deff0{inner}}}").into_bytes()
}

#[test]
fn rtf_is_detected_from_its_first_bytes() {
    assert_eq!(detect(&rtf("")), "application/rtf");
    assert_eq!(detect(b"\n{\\rtf1 x}"), "application/rtf");
    let other = extract_as(b"hello", Some("text/rtf"));
    assert!(matches!(other, Err(ExtractError::Malformed { .. })), "{other:?}");
}

#[test]
fn characters_in_all_notations() {
    let file = rtf("\\uc1 Z\\'fcrich \\u8364? \\u-10240?\\u-8385? {\\uc2\\u12354\\'82\\'a0}a\\~b\\_c\\-d \
         \\lquote q\\rquote\\emdash \\{x\\}\\line\nnext\\tab end\\\nlast");
    assert_eq!(text(&file), "Zürich € 𐌿 あa b-cd ‘q’—{x}\nnext\tend\nlast");
}

#[test]
fn bytes_are_decoded_by_the_charset_of_their_font() {
    let fonts = "{\\fonttbl{\\f0\\fcharset0 A;}{\\f1\\fcharset204{\\*\\falt X}B;}{\\f2\\fcharset128 C;}{\\f3\\cpg936 D;}}";
    let file = rtf(&format!(
        "{fonts}\\f1\\'ec\\'e8\\'f0\\plain  \\'e4 {{\\f2\\'93\\'fa\\'96{{}}}}\\f2 \\'93\\'fa\\f3 \\'d6\\'d0"
    ));
    assert_eq!(text(&file).replace('\u{fffd}', ""), "мир ä 日日中");
    let latin2 = b"{\\rtf1\\ansi\\ansicpg1250 za\\'bf\\'f3\\'b3\\'e6}";
    assert_eq!(text(latin2), "zażółć");
}

#[test]
fn invisible_text_is_omitted() {
    let file = rtf("{\\fonttbl{\\f0 Font;}}{\\colortbl;\\red0;}{\\stylesheet{Normal;}}{\\*\\unknown gone}\
         a{\\v hidden}{\\deleted gone}{\\pict\\bin4 }}}}ffff}\\bin3 }}} b\
         {\\field{\\*\\fldinst HYPERLINK \"x\"}{\\fldrslt link}}{\\xe{\\v index}}{\\nonshppict x}{\\*\\bkmkstart m}");
    assert_eq!(text(&file), "a blink");
}

#[test]
fn headers_notes_boxes_and_footers_have_their_places() {
    let file = rtf("{\\footer foot\\par}{\\header head\\par}{\\headerf head\\par}\\pard Body\\chftn \
         {\\footnote\\pard {\\super\\chftn}Note}goes on.{\\*\\annotation Remark}\
         {\\shp{\\*\\shpinst{\\sp{\\sn n}{\\sv 1}}{\\shptxt Box\\par}}{\\shprslt Box}}\\par Next.\\par");
    assert_eq!(text(&file), "head\nBody[1]goes on.\nBox\nNext.\n[1] Note\nRemark\nfoot");
}

#[test]
fn tables_lists_and_headings() {
    let file = rtf("{\\stylesheet{\\s1 heading 1;}{\\s2 Body;}}{\\s1 Title\\par}\\pard\\s2\n\
         {\\listtext\\'b7\\tab}\\ilvl0 one\\par{\\pntext 2.\\tab}\\ilvl1 two\\par\\pard\
         \\trowd\\cellx1\\cellx2\\pard\\intbl Name\\cell Sum\\cell\\row\\trowd\\pard\\intbl a\\par b\\cell 1\\cell\\row\\pard after\\par");
    assert_eq!(text(&file), "Title\n• one\n  2. two\nName  Sum\na b   1\nafter");
    assert_eq!(
        markdown(&file),
        "# Title\n\n- one\n  2. two\n\n| Name | Sum |\n| --- | --- |\n| a<br>b | 1 |\n\nafter\n"
    );
}

#[test]
fn page_breaks_and_metadata() {
    let file = rtf(
        "{\\info{\\title A \\'dcber}{\\author Zo\\'eb}{\\creatim\\yr2024\\mo2\\dy9\\hr8\\min5}}one\\par\\page two",
    );
    let read = extract(&file).unwrap();
    let pages: Vec<_> = read.pages.iter().map(|page| page.text.trim()).collect();
    assert_eq!(pages, ["one", "two"]);
    assert_eq!(read.metadata.title.as_deref(), Some("A Über"));
    assert_eq!(read.metadata.author.as_deref(), Some("Zoë"));
    assert_eq!(read.metadata.created.as_deref(), Some("2024-02-09T08:05:00Z"));
}

#[test]
fn hostile_files_terminate() {
    let many = 1_000_000;
    let deep =
        [&b"{\\rtf1 top"[..], &b"{".repeat(many), b"bottom", &b"}".repeat(many + 9), b"after"].concat();
    assert_eq!(text(&deep), "topbottomafter");
    assert!(extract(&[&b"{\\rtf1 "[..], &b"{".repeat(many)].concat()).is_ok());
    assert_eq!(text(&rtf("a\\bin2000000000 b\\bin-5 c\\u999999999 ?d\\uc99999 \\u8364 ?")), "abcd€");
    // One row with as many cells as all the others have together.
    let table = rtf(&format!(
        "\\trowd {}\\row {}",
        "a\\cell ".repeat(many),
        "\\trowd b\\cell\\row ".repeat(many / 2)
    ));
    assert!(markdown(&table).len() < 64 * many);
}
