//! Words and reading order of PDF pages.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use common::{at, extract, pdf_of_pages, stream, text};
use unicode_bidi::{BidiInfo, Level};

/// The text of one page with this content.
fn page(content: &str) -> String {
    text(&pdf_of_pages(&[content], "", &[]))
}

/// The text of one page, drawn with a font `/F2` that maps codes by `/ToUnicode` entries like these.
fn page_in(map: &str, content: &str) -> String {
    let map = format!("begincmap 1 begincodespacerange <00> <ff> endcodespacerange {map} endcmap");
    let font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding \
                 /ToUnicode 7 0 R >>";
    let objects = [font.to_vec(), stream("", map.as_bytes())];
    text(&pdf_of_pages(&[content], "/Font << /F1 3 0 R /F2 6 0 R >>", &objects))
}

#[test]
fn words_are_separated_by_gaps_and_lines_by_baselines() {
    let content = "BT /F1 12 Tf 72 700 Td [(Sp) 20 (lit) -300 (words) -15 (.)] TJ 0 -14 Td (Next line) Tj ET";
    assert_eq!(text(&pdf_of_pages(&[content], "", &[])), "Split words.\nNext line");
}

#[test]
fn the_cells_of_a_row_stay_separate() {
    let content = [at(72, 700, "Name"), at(200, 700, "Age"), at(72, 680, "Ada"), at(200, 680, "36")].concat();
    assert_eq!(text(&pdf_of_pages(&[&content], "", &[])), "Name\tAge\nAda\t36");
}

#[test]
fn columns_are_read_one_after_the_other_in_any_drawing_order() {
    let line = |column: &str, number: i32| format!("{column} column, line {number} of it");
    let mut drawn: Vec<String> = (0..12)
        .flat_map(|n| [at(330, 700 - 14 * n, &line("right", n)), at(72, 700 - 14 * n, &line("left", n))])
        .collect();
    // Drawn from the bottom up, right column before left, title last.
    drawn.reverse();
    drawn.push(at(72, 740, "A title that goes across both of the columns, as titles of papers do"));
    let expected: Vec<String> =
        ["left", "right"].iter().flat_map(|column| (0..12).map(|n| line(column, n))).collect();
    let text = text(&pdf_of_pages(&[&drawn.concat()], "", &[]));
    let (title, rest) = text.split_once("\n\n").unwrap();
    assert!(title.starts_with("A title"), "{text}");
    assert_eq!(rest.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn letters_drawn_twice_are_read_once() {
    let bold = "BT /F1 12 Tf 2 Tr 72 700 Td (Bold) Tj ET";
    assert_eq!(text(&pdf_of_pages(&[bold], "", &[])), "Bold");
}

#[test]
fn invisible_text_is_kept_and_empty_pages_count() {
    let hidden = "BT 3 Tr /F1 12 Tf 72 700 Td (behind a scan) Tj ET";
    let pages = extract(&pdf_of_pages(&["", hidden, ""], "", &[])).unwrap().pages;
    let found: Vec<_> = pages.iter().map(|page| (page.page, page.text.trim_end())).collect();
    assert_eq!(found, [(1, ""), (2, "behind a scan"), (3, "")]);
}

#[test]
fn text_in_all_directions_is_read() {
    let content = [
        at(100, 700, "upright text on this page"),
        "BT /F1 12 Tf 0 1 -1 0 50 100 Tm (upwards with care) Tj ET\n".to_owned(),
        "BT /F1 12 Tf 0 -1 1 0 550 600 Tm (downwards) Tj ET\n".to_owned(),
    ]
    .concat();
    assert_eq!(
        text(&pdf_of_pages(&[&content], "", &[])),
        "upright text on this page\nupwards with care\ndownwards"
    );
}

#[test]
fn text_outside_the_page_is_omitted() {
    let content = [at(72, 700, "on the page"), at(5000, 700, "far away")].concat();
    assert_eq!(text(&pdf_of_pages(&[&content], "", &[])), "on the page");
}

#[test]
fn right_to_left_text_is_read_in_logical_order() {
    // Drawn in visual order, from left to right: the word is reversed, the number is not.
    let map = "begincmap 1 begincodespacerange <00> <ff> endcodespacerange \
               4 beginbfchar <61> <05e9> <62> <05dc> <63> <05d5> <64> <05dd> endbfchar endcmap";
    let font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 7 0 R >>".to_vec();
    let content = "BT /F2 12 Tf 72 700 Td (dcba) Tj /F1 12 Tf ( 42 ) Tj /F2 12 Tf (dcba) Tj ET";
    let file = pdf_of_pages(
        &[content],
        "/Font << /F1 3 0 R /F2 6 0 R >>",
        &[font, common::stream("", map.as_bytes())],
    );
    assert_eq!(text(&file), "שלום 42 שלום");
}

/// Draws a line in visual order, with Hebrew and Arabic letters as codes of `/F2`.
fn seen(logical: &str) -> String {
    let line = BidiInfo::new(logical, Some(Level::rtl()));
    let (levels, runs) = line.visual_runs(&line.paragraphs[0], 0..logical.len());
    let mut bytes = Vec::new();
    for run in runs {
        let right_to_left = levels[run.start].is_rtl();
        let mut characters: Vec<char> = logical[run].chars().collect();
        if right_to_left {
            characters.reverse();
        }
        bytes.extend(characters.into_iter().map(|c| match c {
            '(' if right_to_left => b')',
            ')' if right_to_left => b'(',
            'א'..='ת' => 0xa0 + u8::try_from(c as u32 - 'א' as u32).unwrap(),
            'ا'..='م' => 0xc0 + u8::try_from(c as u32 - 'ا' as u32).unwrap(),
            c => c as u8,
        }));
    }
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("BT /F2 12 Tf 72 700 Td <{hex}> Tj ET")
}

#[test]
fn right_to_left_lines_survive_a_round_trip() {
    let map = "2 beginbfrange <a0> <ba> <05d0> <c0> <de> <0627> endbfrange";
    for line in [
        "שלום עולם",
        "שלום (עולם) שלום",
        "(שלום)",
        "בשנת 1948 קמה",
        "מחיר 3.5 או 1,200",
        "שעה 12:30 עד 14:45",
        "הנחה של 50% היום",
        "גרסה Windows 10 חדשה",
        "שלום hello world שלום",
        "دار 50 ثم 12",
    ] {
        assert_eq!(page_in(map, &seen(line)), line);
    }
}

#[test]
fn vertical_columns_are_read_from_the_right() {
    let font = b"<< /Type /Font /Subtype /Type0 /BaseFont /Ryumin-Light /Encoding /UniJIS-UTF16-V \
                 /DescendantFonts [7 0 R] >>";
    let descendant = b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /Ryumin-Light /CIDSystemInfo \
                       << /Registry (Adobe) /Ordering (Japan1) /Supplement 6 >> /DW 1000 >>";
    let column = |x: i32, text: &str| {
        let hex: String = text.encode_utf16().map(|unit| format!("{unit:04x}")).collect();
        format!("BT /F2 12 Tf 1 0 0 1 {x} 700 Tm <{hex}> Tj ET\n")
    };
    // Drawn from the left, but read from the right.
    let content = [column(460, "知らない。"), column(480, "名前はまだ"), column(500, "吾輩は猫で")].concat();
    let file = pdf_of_pages(&[&content], "/Font << /F2 6 0 R >>", &[font.to_vec(), descendant.to_vec()]);
    assert_eq!(text(&file), "吾輩は猫で\n名前はまだ\n知らない。");
}

#[test]
fn hyphens_at_the_end_of_a_line_are_kept() {
    let soft = "1 beginbfchar <2d> <00ad> endbfchar";
    let content = "BT /F2 12 Tf 72 700 Td (divi-) Tj 0 -14 Td (ded) Tj ET";
    assert_eq!(page(&content.replace("F2", "F1")), "divi-\nded");
    // A visible soft hyphen is a hyphen.
    assert_eq!(page_in(soft, content), "divi-\nded");
}

#[test]
fn a_number_in_the_margin_does_not_split_a_word() {
    let content = [
        at(72, 700, "the halves of a word that is divi-"),
        "BT /F1 7 Tf 58 686 Td (5) Tj ET\n".to_owned(),
        at(72, 686, "ded stay together"),
    ];
    assert_eq!(page(&content.concat()), "the halves of a word that is divi-\nded stay together\n5");
}

#[test]
fn ligatures_are_expanded() {
    let map = "3 beginbfchar <41> <fb01> <42> <fb04> <43> <00660066> endbfchar";
    assert_eq!(page_in(map, "BT /F2 12 Tf 72 700 Td (Anal waBe stuC) Tj ET"), "final waffle stuff");
}

#[test]
fn the_dots_of_a_table_of_contents_do_not_join_words() {
    let dots = "(.) -150 ".repeat(60);
    let content =
        format!("BT /F1 12 Tf 72 700 Td [(A) -250 (word) -250 (or) -250 (two) -250 {dots} (17)] TJ ET");
    let text = page(&content);
    assert!(text.starts_with("A word or two ."), "{text}");
}

#[test]
fn accents_are_combined_with_their_letters() {
    let map = "2 beginbfchar <41> <02c7> <42> <00b4> endbfchar";
    let content = "BT /F2 12 Tf 72 700 Td [(A) 400 (skola, B) 400 (elan)] TJ ET";
    assert_eq!(page_in(map, content), "škola, élan");
}

#[test]
fn a_sidebar_is_read_separately_from_the_text_beside_it() {
    let line = |n: i32| format!("line {n} of the article, with more words");
    let note = |n: i32| format!("note {n} at its side");
    let article: String = (0..10).map(|n| at(72, 700 - 14 * n, &line(n))).collect();
    let sidebar: String = (0..10).map(|n| at(400, 700 - 14 * n, &note(n))).collect();
    let expected: Vec<String> = (0..10).map(line).chain((0..10).map(note)).collect();
    assert_eq!(page(&[article, sidebar].concat()).lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_header_drawn_last_is_read_first() {
    let body: String = (0..20).map(|n| at(72, 700 - 14 * n, &format!("line {n} of the body"))).collect();
    let (header, footer) = (at(72, 760, "A running head"), at(300, 40, "17"));
    let expected = "A running head\n\nline 0 of the body";
    let last = page(&[&body[..], &footer, &header].concat());
    assert!(last.starts_with(expected) && last.ends_with("line 19 of the body\n\n17"), "{last}");
    let first = page(&[&footer, &header, &body[..]].concat());
    assert!(first.starts_with(expected) && first.ends_with("line 19 of the body\n\n17"), "{first}");
}

#[test]
fn images_are_not_decoded() {
    // Its data is not a valid image, and would inflate to a gigabyte.
    let picture = "/Type /XObject /Subtype /Image /Width 32768 /Height 32768 /BitsPerComponent 8 \
                   /ColorSpace /DeviceGray /Filter /FlateDecode";
    let content = format!("q 612 0 0 792 0 0 cm /I Do Q {}", at(72, 700, "over a picture"));
    let file = pdf_of_pages(&[&content], "/XObject << /I 6 0 R >>", &[stream(picture, b"broken")]);
    assert_eq!(extract(&file).unwrap().pages[0].text.trim_end(), "over a picture");
}

#[test]
fn lines_drawn_from_the_bottom_up_are_read_from_the_top() {
    let lines: Vec<String> = (0..3).map(|n| at(72, 700 - 14 * n, &format!("line {n}"))).rev().collect();
    assert_eq!(page(&lines.concat()), "line 0\nline 1\nline 2");
}
