//! Files by other programs (`tests/fixtures/office/generate.py` names them), and what they read as.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use common::{detect, extract, extract_as, markdown, text};
use std::path::Path;

fn file(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/office");
    std::fs::read(folder.join(name)).unwrap()
}

/// The text of a file that is declared to be of a media type.
fn declared(name: &str, media_type: &str) -> String {
    let pages = extract_as(&file(name), Some(media_type)).unwrap().pages;
    pages.iter().map(|page| page.text.as_str()).collect::<String>().trim_end().to_owned()
}

/// A mail's subject and what stands below its headers.
fn mail(name: &str) -> (String, String) {
    let bytes = file(name);
    assert_eq!(detect(&bytes), "message/rfc822", "{name}");
    let read = extract(&bytes).unwrap();
    let text = read.pages.iter().map(|page| page.text.as_str()).collect::<String>();
    let (_, body) = text.split_once("\n\n").unwrap();
    (read.metadata.title.unwrap(), body.trim().to_owned())
}

fn body(name: &str) -> String {
    mail(name).1
}

#[test]
fn slides_of_libreoffice_are_those_of_powerpoint() {
    let expected = "Budget plan\n• Costs fall by 4 percent\n\nSpeak slowly here\x0c\
                    Next steps\n• Sign by June\n\nAsk for questions";
    assert_eq!(text(&file("slides.pptx")), expected);
    assert_eq!(text(&file("slides.odp")), expected);
}

#[test]
fn shapes_are_read_from_the_top_down_whatever_order_they_were_drawn_in() {
    for name in ["drawn.pptx", "drawn.odp"] {
        let read = text(&file(name));
        let (free, placed) = read.split_once('\x0c').unwrap();
        let expected = "The title in a text box\nLeft head\nLeft body\nRight head\nRight body\n\
                        In a group, above\nIn a group, below";
        assert_eq!(free, expected, "{name}");
        // Placeholders stand where the layout has them: two heads in a row, and what is below each.
        let expected = "Title 1\nText Placeholder 2\nText Placeholder 4\n\
                        • Content Placeholder 3\n• Content Placeholder 5";
        assert_eq!(placed, expected, "{name}");
    }
}

#[test]
fn open_documents_may_be_one_xml_file() {
    for (name, media_type) in
        [("frame.fodt", "text"), ("notes.fods", "spreadsheet"), ("drawn.fodp", "presentation")]
    {
        let media_type = format!("application/vnd.oasis.opendocument.{media_type}");
        assert_eq!(detect(&file(name)), media_type, "{name}");
        // However they are declared.
        for declared in [&media_type, "application/xml", "text/plain"] {
            assert_eq!(extract_as(&file(name), Some(declared)).unwrap().media_type, media_type, "{name}");
        }
    }
    // LibreOffice left the comment of the sheet out of the flat file.
    for (flat, packed, lacks) in
        [("frame.fodt", "frame.odt", ""), ("notes.fods", "notes.ods", "\nAsk the supplier")]
    {
        assert_eq!(format!("{}{lacks}", text(&file(flat))), text(&file(packed)), "{flat}");
        let metadata = |name| extract(&file(name)).unwrap().metadata;
        assert_eq!(metadata(flat).title, metadata(packed).title, "{flat}");
    }
    assert_eq!(text(&file("drawn.fodp")), "Above\nBelow");
}

#[test]
fn texts_are_in_the_charset_that_is_declared_for_them() {
    for (name, charset, expected) in [
        ("korean-johab.txt", "johab", "가격은 12,000원입니다. 漢字와 ㄱㄴㄷ, ㅏㅑ, 뷁."),
        ("taiwan-euc-tw.txt", "euc-tw", "會議記錄：第二次會議，費用一萬元。乂乜凵"),
    ] {
        assert_eq!(declared(name, &format!("text/plain; charset={charset}")), expected, "{name}");
    }
}

#[test]
fn a_box_within_a_sentence_is_said_after_it() {
    let expected = "The contract of 1 May 2024 ends.\nMargin note one\nMargin note two\nNext.";
    assert_eq!(text(&file("frame.odt")), expected);
}

#[test]
fn hidden_text_is_left_out_of_every_format() {
    for name in ["hidden.docx", "hidden.odt", "hidden.rtf"] {
        assert_eq!(text(&file(name)), "The price is 100 euros.\nbut for this.\nVisible again.", "{name}");
    }
}

#[test]
fn documents_within_a_document_stand_in_their_place() {
    let expected = "Before\nSummary\nRevenue rose to 4,200 units.\nGröße\nSaved from the web.\nCafé notes\n\
                    Plain lines,\nof which there are two.\nA whole document within.\nAfter";
    assert_eq!(text(&file("chunks.docx")), expected);
    let read = markdown(&file("chunks.docx"));
    assert!(read.contains("Before\n\n# Summary\n\nRevenue rose to 4,200 units.\n\n# Größe\n\n"), "{read}");
}

#[test]
fn cells_show_what_their_formats_add() {
    let expected = "Formats\npostcode    01067\naccount     123-45-6789\neuros       € 1234.5\ndollars     $7\n\
                    weight      3 kg\nshare       12.5%\nfraction    2 1/2\nquarters    3/4\n\
                    large       150000000000000000000\nday         2024-05-01\ngerman day  2024-05-01\n\
                    era         2024-05-01\nelapsed     25:30:00\ntext        00042\ntotal       =SUM(B1:B2)";
    assert_eq!(text(&file("formats.xlsx")), expected);
}

#[test]
fn what_reaches_into_rows_below_leaves_its_place_free() {
    let rows = "Region  Product  Units\nEU      Cable    12\n        Hub      7\nUS      Cable    3";
    assert_eq!(text(&file("merged.html")), rows);
    assert!(
        markdown(&file("merged.html")).contains("| EU | Cable | 12 |\n|  | Hub | 7 |\n| US | Cable | 3 |")
    );
    assert_eq!(text(&file("notes.ods")), format!("Stock\n{rows}\nAsk the supplier"));
}

#[test]
fn parts_are_found_however_their_names_are_written() {
    assert_eq!(text(&file("names-backslash.docx")), "Backslash body text.");
    assert_eq!(text(&file("names-case.xlsx")), "Sheet\nBolt  12");
    assert_eq!(text(&file("names-slash.pptx")), "Plan");
}

#[test]
fn an_attachment_beside_the_page_is_named_and_its_text_said_once() {
    assert_eq!(body("apple.eml"), "Please find the offer attached.\n\nAttachments: offer-2024.pdf");
}

#[test]
fn subjects_and_texts_are_in_the_charset_that_they_name() {
    for (charset, words) in [
        ("iso-2022-jp", "会議の議事録"),
        ("shift_jis", "会議の議事録"),
        ("gb2312", "会议记录"),
        ("big5", "會議記錄"),
        ("euc-kr", "회의 기록"),
        ("koi8-r", "Протокол"),
        ("iso-8859-7", "Πρακτικά"),
        ("windows-1256", "محضر"),
    ] {
        assert_eq!(mail(&format!("words-{charset}.eml")), (words.to_owned(), words.to_owned()), "{charset}");
    }
    for (name, expected) in [
        ("declared-latin1.eml", "½ cup, £20 ±1°C"),
        ("declared-page.eml", "Price: £20 ± 5"),
        ("iso-2022-kr.eml", "안녕하세요. 회의는 월요일입니다."),
        ("hz.eml", "你好，世界。"),
        ("utf-7.eml", "Größe der Halle"),
        ("cp437.eml", "Größe ├──┤"),
        ("spam-headers.eml", "Café at nine."),
    ] {
        assert_eq!(body(name), expected, "{name}");
    }
    assert_eq!(mail("utf-7.eml").0, "Größe");
    assert!(text(&file("utf-7.eml")).contains("10:00:00 +0000"), "headers are ASCII");
    assert_eq!(mail("raw-subject.eml").0, "Größe der Halle für Müller");
}

#[test]
fn a_charset_that_the_bytes_refute_is_not_believed() {
    assert_eq!(body("declared-wrongly.eml"), "Уважаемые коллеги, заседание состоится во вторник утром.");
    assert_eq!(body("declared-but-utf8.eml"), "Größe der Halle: 5 m².");
}

#[test]
fn names_of_attachments_come_in_many_spellings() {
    let name = "Ein sehr langer Name für einen Anhang, der über mehrere Zeilen geht – Größe 5.pdf";
    assert_eq!(extract(&file("names-2231.eml")).unwrap().metadata.attachments, [name]);
    assert_eq!(extract(&file("names-2047.eml")).unwrap().metadata.attachments, ["报告.pdf"]);
    assert!(body("names-2047.eml").starts_with("你好\n"));
}

#[test]
fn faults_of_transfer_encodings_cost_no_more_than_themselves() {
    let expected = "Größe: 5 m².\na = b\nhttps://example.org/?id=zz&x=1 und so weiter";
    assert_eq!(body("quoted.eml"), expected);
    let footer = "Größe der Halle: 5 m². Ende.\n_______________\nList footer text";
    assert_eq!(body("base64-footer.eml"), footer);
    assert_eq!(body("base64-junk.eml"), "Größe der Halle: 5 m². Ende.");
    assert_eq!(body("uuencoded.eml"), "See the file.\n\n\nRegards\n\nAttachments: notes.txt");
}

#[test]
fn text_inside_a_signature_is_read() {
    for name in ["signed-opaque.eml", "signed-stream.eml"] {
        assert_eq!(body(name), "Die Größe der Halle ist unverändert.\n\n\nAttachments: offer.pdf", "{name}");
    }
    let signed = body("signed-detached.eml");
    assert!(signed.contains("Die Größe der Halle ist unverändert."), "{signed}");
    let encrypted = extract(&file("encrypted.eml")).unwrap();
    assert_eq!(encrypted.pages[0].reason.as_deref(), Some("1 part encrypted"));
    assert_eq!(encrypted.metadata.title.as_deref(), Some("Signed"));
}

#[test]
fn what_outlook_packs_for_its_like_is_read() {
    let text = "Die Größe der Halle ist unverändert.";
    let offer = "Attachments: Angebot für die Halle.pdf";
    let repeated = "Die Halle, die Halle, die Halle und die Halle.";
    assert_eq!(body("winmail-rtf.eml"), format!("{text}\n{repeated}\n\n{offer}"));
    assert_eq!(body("winmail-page.eml"), "Die Größe bleibt.\nGruß, Ann");
    assert_eq!(body("winmail-html.eml"), "Die Größe – 5 m²");
    assert_eq!(body("winmail-copy.eml"), format!("{text}\n\n\n{offer}"));
    let within = "Siehe unten.\n\n---\nSubject: Betreff – innen\n\nText der angehängten Nachricht.";
    assert_eq!(body("winmail-message.eml"), within);
}

#[test]
fn what_outlook_packs_is_read_as_a_file_of_its_own() {
    for (name, title) in [("winmail-rtf", "Halle"), ("winmail-message", "Halle")] {
        let bytes = file(&format!("{name}.dat"));
        assert_eq!(detect(&bytes), "application/vnd.ms-tnef");
        let within = format!("Subject: {title}\n\n{}", body(&format!("{name}.eml")));
        for declared in [None, Some("application/octet-stream"), Some("application/ms-tnef")] {
            let read = extract_as(&bytes, declared).unwrap();
            assert_eq!(read.pages[0].text.trim(), within, "{name} {declared:?}");
            assert_eq!(read.metadata.title.as_deref(), Some(title));
        }
        let attached = extract(&file(&format!("{name}.eml"))).unwrap().metadata.attachments;
        assert_eq!(extract(&bytes).unwrap().metadata.attachments, attached);
    }
    let other = extract_as(b"\x78\x9f\x3e plain", Some("application/vnd.ms-tnef"));
    assert_eq!(other.unwrap_err().code(), "malformed");
}

#[test]
fn tables_of_names_are_read_in_code_pages_of_all_systems() {
    let expected = "Name\tStadt\nMüller\tKöln\nJäger\tDüsseldorf\nGroß\tNürnberg";
    for codec in ["mac_roman", "cp850", "cp1252", "utf-16-le", "utf-16-be"] {
        assert_eq!(declared(&format!("names-{codec}.csv"), "text/csv"), expected, "{codec}");
    }
    // A type may say which.
    let said = declared("names-cp850.csv", "text/csv; charset=ibm850");
    assert_eq!(said, expected);
    assert_eq!(
        declared("french-cp850.txt", "text/plain"),
        "Le café est fermé à cinq heures ; l'été, il ouvre dès huit heures."
    );
    assert_eq!(
        declared("french-mac.txt", "text/plain"),
        "Le café est fermé à cinq heures ; l’été, il ouvre dès huit heures."
    );
    assert_eq!(
        declared("polish-cp852.txt", "text/plain"),
        "Zażółć gęślą jaźń, proszę o pilną odpowiedź w sprawie zamówienia."
    );
}

#[test]
fn a_few_signs_are_not_letters_of_another_script() {
    let prices = "Item\tPrice\nTea\t£2.50\nCoffee\t£3.10\nCake\t£4.00";
    assert_eq!(declared("prices-cp1252.csv", "text/csv"), prices);
    assert_eq!(declared("prices-cp1252.csv", "text/csv; charset=windows-1252"), prices);
    let symbols = "Ø 5 mm, ±2 µm at 20 °C; price £20; ½ cup.";
    assert_eq!(declared("symbols-cp1252.txt", "text/plain"), symbols);
    let late = [b"The quick brown fox.\n".repeat(5000), b"Price: \xa320.".to_vec()].concat();
    assert!(
        extract_as(&late, Some("text/plain")).unwrap().pages.last().unwrap().text.ends_with("Price: £20.")
    );
}

#[test]
fn zeros_in_text_are_left_out() {
    assert_eq!(declared("zeros.csv", "text/csv"), "id\tname\tnote\n1\tAnn\tok\n2\tBob\n3\tEve\tfine");
    let log = format!("{}service started again", "service started\nservice stopped\n".repeat(4));
    assert_eq!(declared("padded.log", "text/plain"), log);
    // An archive of texts is not text, and neither are zeros alone.
    assert_eq!(detect(&[0; 4096]), "application/octet-stream");
    let mut tar = vec![0; 1024];
    tar[..8].copy_from_slice(b"note.txt");
    tar[257..262].copy_from_slice(b"ustar");
    tar[512..517].copy_from_slice(b"words");
    assert_eq!(detect(&tar), "application/x-tar");
}

#[test]
fn titles_and_decimal_commas_do_not_hide_the_delimiter() {
    let rows = "Name\tBetrag\tDatum\nAlpha\t1,50\t2024-01-02\nBeta\t2,75\t2024-01-03";
    assert_eq!(declared("titled.csv", "text/csv"), format!("Umsatzbericht 2024\n\n{rows}"));
    assert_eq!(declared("decimals.csv", "text/csv"), "Betrag\n1,50\n2,75\n10,00");
    assert_eq!(declared("excel.csv", "text/csv"), "Name\tNote\nAnn\ta, b; c");
}
