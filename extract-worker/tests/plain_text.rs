//! Text in all encodings, tables, JSON and long files.

mod common;

use common::{detect, extract, extract_as, markdown, text};
use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, ISO_2022_JP, KOI8_R, SHIFT_JIS, WINDOWS_1251, WINDOWS_1252,
};

const GERMAN: &str =
    "Sehr geehrte Damen und Herren, die Lieferung für Müller & Söhne verzögert sich „etwas“.";
const RUSSIAN: &str = "Уважаемые коллеги, заседание состоится во вторник.\nПросим подтвердить участие.";
const JAPANESE: &str = "お世話になっております。会議は火曜日に開催されます。\nよろしくお願いいたします。";
const CHINESE: &str = "各位同事：会议定于星期二上午十点举行。\n请提前确认是否参加，谢谢。";
const TAIWANESE: &str = "各位同事：會議訂於星期二上午十點舉行。\n請提前確認是否參加，謝謝。";
const KOREAN: &str = "안녕하세요. 회의는 화요일 오전 열 시에 열립니다.";

#[test]
fn legacy_encodings_are_guessed() {
    let samples: [(&str, &'static Encoding); 10] = [
        (GERMAN, WINDOWS_1252),
        (RUSSIAN, WINDOWS_1251),
        (RUSSIAN, KOI8_R),
        (JAPANESE, SHIFT_JIS),
        (JAPANESE, EUC_JP),
        (JAPANESE, ISO_2022_JP),
        (CHINESE, GB18030),
        (TAIWANESE, BIG5),
        (KOREAN, EUC_KR),
        ("Réunion à Orléans", WINDOWS_1252),
    ];
    for (sample, encoding) in samples {
        let (bytes, _, lossy) = encoding.encode(sample);
        assert!(!lossy, "{}", encoding.name());
        assert_eq!(text(&bytes), sample, "{}", encoding.name());
    }
}

#[test]
fn unicode_is_read_in_all_encodings() {
    for sample in [GERMAN, RUSSIAN, JAPANESE, CHINESE, "Hello there"] {
        let marked = format!("\u{feff}{sample}\n");
        let unmarked = format!("{sample}\n");
        let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(bytes).collect()
        };
        let utf32 =
            |bytes: fn(u32) -> [u8; 4]| -> Vec<u8> { marked.chars().flat_map(|c| bytes(c.into())).collect() };
        for file in [
            marked.clone().into_bytes(),
            utf16(&marked, u16::to_le_bytes),
            utf16(&marked, u16::to_be_bytes),
            utf16(&unmarked, u16::to_le_bytes),
            utf16(&unmarked, u16::to_be_bytes),
            utf32(u32::to_le_bytes),
            utf32(u32::to_be_bytes),
        ] {
            assert_eq!(text(&file), sample, "{:x?}", &file[..8]);
        }
    }
}

#[test]
fn text_formats_keep_their_media_type_and_are_read_unchanged() {
    for (media_type, file) in [
        ("text/x-python", "def f():\n    return 1\n"),
        ("application/xml", "<?xml version=\"1.0\"?>\n<a>x</a>\n"),
        ("application/yaml", "a:\n  - b\n"),
        ("text/calendar", "BEGIN:VCALENDAR\nSUMMARY:x\n"),
        ("text/markdown", "# A\n\n* b\n"),
    ] {
        let read = extract_as(file.as_bytes(), Some(media_type)).unwrap();
        assert_eq!((read.media_type.as_str(), read.pages[0].text.as_str()), (media_type, file));
    }
    assert_eq!(detect(b"BEGIN:VCARD\nFN:Ann\nEND:VCARD\n"), "text/vcard");
}

#[test]
fn lines_of_json_stay_lines() {
    let file = b"{\"b\":1,\"a\":[\"\\u00e9\"]}\n{\"b\":2,\"a\":[]}\n";
    assert_eq!(detect(file), "application/x-ndjson");
    assert_eq!(text(file), "{\"b\": 1, \"a\": [\"é\"]}\n{\"b\": 2, \"a\": []}");
    let declared = extract_as(file, Some("application/json")).unwrap();
    assert_eq!(declared.pages[0].text.lines().count(), 2);
    assert_eq!(detect(b"[one]\n[two]\n"), "text/plain");
}

#[test]
fn csv_is_a_table_in_markdown() {
    assert_eq!(markdown(b"a;b\n\"x|y\";2\n3;4\n"), "| a | b |\n| --- | --- |\n| x\\|y | 2 |\n| 3 | 4 |\n");
}

#[test]
fn long_files_are_split_into_pages_and_their_language_is_detected() {
    let read = extract(format!("{GERMAN}\n\n").repeat(500).as_bytes()).unwrap();
    assert!(read.pages.len() > 3);
    assert!(read.pages.iter().all(|page| page.text.len() <= 8192 && page.text.starts_with("Sehr")));
    assert_eq!(read.language.as_deref(), Some("deu"));
    let table = extract(format!("name,sum\n{}", "Ann,1\n".repeat(5000)).as_bytes()).unwrap();
    assert!(table.pages.len() > 2);
    assert!(table.pages[1..].iter().all(|page| page.text.lines().all(|line| line == "Ann\t1")));
}

#[test]
fn hostile_texts_terminate() {
    let field = format!("a,b\n1,2\n3,\"{}", "x\n".repeat(5_000_000));
    assert!(extract_as(field.as_bytes(), Some("text/csv")).is_ok());
    let deep = "[".repeat(300_000) + "1" + &"]".repeat(300_000);
    assert!(extract(format!("{deep}\n{deep}\n").as_bytes()).is_ok());
    let rows = format!("{}\n{}", "a,".repeat(500_000), "b\n".repeat(500_000));
    assert!(markdown(rows.as_bytes()).len() < 10_000_000);
}
