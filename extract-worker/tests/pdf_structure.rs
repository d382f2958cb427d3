//! Headings, paragraphs, lists, tables and running heads of PDFs that other programs wrote (`structure/make.sh`), as
//! Markdown.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use common::{at, extractor, pdf_of_pages, stream};
use dossier_extract::{Extractor, Limits, PageStructure, Request, Source, TableEvidence, TextFormat, Tick};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::fmt::Write as _;
use std::io::Write as _;

const HARBOUR: &[u8] = include_bytes!("structure/harbour.pdf");
const MILL: &[u8] = include_bytes!("structure/mill.pdf");
const MINUTES: &[u8] = include_bytes!("structure/minutes.pdf");
const MINUTES_TAGGED: &[u8] = include_bytes!("structure/minutes-tagged.pdf");
const SURVEY: &[u8] = include_bytes!("structure/survey.pdf");
const ACCOUNTS: &[u8] = include_bytes!("structure/accounts.pdf");

fn pages(file: &[u8]) -> Vec<String> {
    let request = Request { format: TextFormat::Markdown, ..Request::default() };
    let extraction = extractor().extract(&Source::from_bytes(file).unwrap(), &request, || Tick::Continue);
    extraction.unwrap().pages.into_iter().map(|page| page.text).collect()
}

/// The pages as Markdown, each with the record of what was detected.
fn structured(file: &[u8]) -> Vec<(String, PageStructure)> {
    let request = Request { format: TextFormat::Markdown, ..Request::default() };
    let extraction = extractor().extract(&Source::from_bytes(file).unwrap(), &request, || Tick::Continue);
    extraction.unwrap().pages.into_iter().map(|page| (page.text, page.structure.unwrap())).collect()
}

/// The blocks of a page: what stands between empty lines.
fn blocks(page: &str) -> Vec<&str> {
    page.split("\n\n").map(str::trim).collect()
}

#[track_caller]
fn holds(page: &str, block: &str) {
    assert!(blocks(page).contains(&block), "no block of its own: {block}\n---\n{page}");
}

fn headings(page: &str) -> Vec<&str> {
    page.lines().filter(|line| line.starts_with('#')).collect()
}

#[test]
fn headings_have_the_levels_of_their_sizes() {
    let pages = pages(HARBOUR);
    assert_eq!(headings(&pages[0]), ["# Harbour guide", "## 1 Berths", "### Moving a boat"]);
    assert_eq!(headings(&pages[1]), ["## 2 Tides"]);
    assert_eq!(headings(&pages[2]), ["## 3 History", "## 4 Signals"]);
}

#[test]
fn paragraphs_are_joined_across_lines_and_columns() {
    let page = &pages(HARBOUR)[2];
    holds(
        page,
        "The first quay was built by fishermen from the islands, who brought the stones as ballast and left with salt. \
         It was nothing but a row of piles, and the winter of the great flood took all of it but three.",
    );
    let history: Vec<&str> = blocks(page).into_iter().filter(|block| block.contains("monk")).collect();
    assert_eq!(history.len(), 1, "{page}");
    assert!(history[0].starts_with("A harbour master is named"), "{page}");
    assert!(
        history[0].contains("The abbey sent a monk to fetch it; the monk stayed, and became the second"),
        "{page}"
    );
}

#[test]
fn cells_that_span_others_are_told_by_the_rules_between_them() {
    let table = "<table>\n\
         <tr><th rowspan=\"2\">Quay</th><th colspan=\"2\">Length in metres</th><th rowspan=\"2\">Price</th></tr>\n\
         <tr><th>from</th><th>to</th></tr>\n\
         <tr><td>North quay, beside the old crane and the fish market</td><td>4</td><td>9</td><td>18.50</td></tr>\n\
         <tr><td>West quay</td><td>9</td><td>14</td><td>27.00</td></tr>\n\
         <tr><td>Outer mole</td><td>14</td><td>30</td><td>61.25</td></tr>\n\
         </table>";
    holds(&pages(HARBOUR)[0], table);
}

#[test]
fn tables_need_few_rules_or_none() {
    let page = &pages(HARBOUR)[1];
    holds(
        page,
        "| Day | High water | Height | Remarks |\n\
         | --- | --- | --- | --- |\n\
         | Monday | 06:12 | 4.8 | spring tide |\n\
         | Tuesday | 06:55 | 4.6 |  |\n\
         | Wednesday | 07:41 | 4.1 | the lock stays shut |",
    );
    holds(
        page,
        "| Goods | Unit | Summer | Winter |\n\
         | --- | --- | --- | --- |\n\
         | Ice, crushed | tonne | 42.00 | 38.00 |\n\
         | Fresh water | litre | 0.02 | 0.02 |\n\
         | Diesel | litre | 1.61 | 1.58 |\n\
         | Firewood | bundle | 6.00 | 9.50 |",
    );
    holds(page, "Figure 3. The tide gauge at the outer mole, seen from the tower.");
}

#[test]
fn the_outline_tells_headings_and_their_levels() {
    let expected = ["# The mill", "## Of the weighing of grain", "### The great scale", "## Of the stones"];
    assert_eq!(headings(&pages(MILL)[0]), expected);
}

#[test]
fn a_table_that_continues_has_the_header_of_its_beginning() {
    let pages = structured(MILL);
    let rows = "| 13 May | Lower Holt | 5 |\n| 14 May | Brook End | 10 |\n| 15 May | Ashby | 16 |";
    holds(&pages[2].0, &format!("| Day | Farm | Sacks |\n| --- | --- | --- |\n{rows}"));
    // As data it has only what is on its page.
    let table = &pages[2].1.tables[0];
    assert_eq!((table.rows, table.header_rows, table.cells[0].text.as_str()), (3, 0, "13 May"));
}

#[test]
fn a_header_that_pages_repeat_is_not_written_twice() {
    let pages = structured(MILL);
    holds(
        &pages[3].0,
        "| Payer | Due | Paid |\n\
         | --- | --- | --- |\n\
         | Brook End | 2.10 | 2.00 |\n\
         | Thorpe | 9.30 | 0.00 |\n\
         | Far Mill | 1.10 | 1.10 |",
    );
    assert_eq!(pages[3].1.tables[0].header_rows, 1);
}

#[test]
fn a_word_that_two_pages_divide_is_written_on_the_first() {
    let pages = pages(MILL);
    let first = pages.iter().position(|page| page.contains("and also tells of transport\n")).unwrap();
    assert!(pages[first + 1].starts_with("by cart down to the pond"), "{}", pages[first + 1]);
}

#[test]
fn rotated_words_stay_in_their_cells() {
    holds(
        pages(MILL).last().unwrap(),
        "| Farm | Summer wheat | Rye and oats | Barley |\n\
         | --- | --- | --- | --- |\n\
         | Upper Holt | 12 | 3 | 8 |\n\
         | Ashby | 20 | 7 | 1 |\n\
         | Thorpe | 31 | 11 | 4 |",
    );
}

#[test]
fn running_heads_are_kept_and_marked() {
    for (page, number) in pages(HARBOUR).iter().zip(1..) {
        assert!(page.starts_with("<header>Harbour guide</header>\n"), "{page}");
        assert!(page.trim_end().ends_with(&format!("<footer>Page {number}</footer>")), "{page}");
    }
}

#[test]
fn pages_keep_their_numbers_however_many_are_held_back() {
    let contents: Vec<String> = (1..=450)
        .map(|n| [at(72, 770, "Annual report"), at(72, 400, &format!("the words of page {n}"))].concat())
        .collect();
    let contents: Vec<&str> = contents.iter().map(String::as_str).collect();
    let pages = pages(&pdf_of_pages(&contents, "", &[]));
    assert_eq!(pages.len(), 450);
    for (page, number) in pages.iter().zip(1..) {
        let expected = format!("<header>Annual report</header>\n\nthe words of page {number}\n");
        assert_eq!(*page, expected);
    }
}

#[test]
fn what_was_detected_is_reported_as_data() {
    let request = Request { format: TextFormat::Markdown, ..Request::default() };
    let extraction = extractor().extract(&Source::from_bytes(HARBOUR).unwrap(), &request, || Tick::Continue);
    let page = extraction.unwrap().pages.remove(0);
    let structure = page.structure.unwrap();
    let headings: Vec<_> = structure.headings.iter().map(|one| (one.level, one.text.as_str())).collect();
    assert_eq!(headings, [(1, "Harbour guide"), (2, "1 Berths"), (3, "Moving a boat")]);
    assert_eq!(structure.running_heads, ["Harbour guide", "Page 1"]);
    let [table] = structure.tables.as_slice() else { panic!("one table: {:?}", structure.tables) };
    assert_eq!((table.rows, table.columns, table.evidence), (5, 4, TableEvidence::Grid));
    assert!(table.confidence > 0.7, "{}", table.confidence);
    let cell = table.cells.iter().find(|cell| cell.text == "Length in metres").unwrap();
    assert_eq!((cell.row, cell.column, cell.rows, cell.columns), (0, 1, 1, 2));
    // An A5 page is 420 by 595 points; the table is in its upper half and inside its margins.
    let [left, top, right, bottom] = table.place;
    assert!(
        40.0 < left && left < right && right < 380.0 && 100.0 < top && top < bottom && bottom < 420.0,
        "{table:?}"
    );

    let plain =
        extractor().extract(&Source::from_bytes(HARBOUR).unwrap(), &Request::default(), || Tick::Continue);
    assert_eq!(plain.unwrap().pages[0].structure, None);
}

#[test]
fn plain_text_is_the_same_beside_its_structure() {
    let read = |request: &Request| {
        extractor().extract(&Source::from_bytes(HARBOUR).unwrap(), request, || Tick::Continue).unwrap().pages
    };
    let plain = read(&Request::default());
    let both = read(&Request { structure: true, ..Request::default() });
    let markdown = pages(HARBOUR);
    for ((plain, both), markdown) in plain.iter().zip(&both).zip(&markdown) {
        assert_eq!(plain.text, both.text);
        assert_eq!(both.structure.as_ref().unwrap().markdown.as_ref(), Some(markdown));
    }
    assert_eq!(both[0].structure.as_ref().unwrap().tables[0].header_rows, 2, "the header spans two rows");
}

#[test]
fn pages_are_sent_without_structure_once_it_is_too_much() {
    let limits = Limits { output_bytes: 12_000, ..Limits::default() };
    let request = Request { structure: true, ..Request::default() };
    let extractor = Extractor { limits, ..extractor() };
    let pages = extractor.extract(&Source::from_bytes(HARBOUR).unwrap(), &request, || Tick::Continue);
    let known: Vec<bool> = pages.unwrap().pages.iter().map(|page| page.structure.is_some()).collect();
    assert!(known.contains(&true) && known.contains(&false), "{known:?}");
}

#[test]
fn a_box_beside_the_text_is_read_after_it() {
    let page = &pages(HARBOUR)[2];
    let place = |words: &str| page.find(words).unwrap();
    assert!(place("Two lamps on the tower") < place("Lamps are tested on the first Sunday"), "{page}");
    holds(page, "Lamps are tested on the first Sunday of a month. Take no notice of them then.");
}

#[test]
fn footnotes_are_read_after_the_text_of_all_columns() {
    let page = &pages(SURVEY)[0];
    let text = "and the bank beside the mole had grown into a small island. The pilots call it the loaf.";
    let (text, note) = (page.find(text), page.find("1 The chart of the year before"));
    assert!(text.is_some() && text < note, "{page}");
    assert!(page.find("A copy of each sheet") < note, "{page}");
}

#[test]
fn the_caption_of_a_table_is_no_heading_however_large_it_is() {
    holds(&pages(SURVEY)[1], "Table 4. Depths along the channel");
}

#[test]
fn a_chart_with_a_scale_is_no_table() {
    let page = &pages(SURVEY)[1];
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with('|')).collect();
    assert_eq!(rows.len(), 5, "{page}");
}

#[test]
fn program_text_stays_as_it_is() {
    holds(&pages(HARBOUR)[2], "```\nlamp 1 on\nlamp 2 off\nwait 30\n```");
}

#[test]
fn a_word_processor_s_page_has_all_of_it() {
    for file in [MINUTES, MINUTES_TAGGED] {
        let page = &pages(file)[0];
        let expected = [
            "# Minutes of the allotment society",
            "The meeting was opened at seven by the chair, who thanked those present for coming in spite of the snow. \
             The minutes of the last meeting were read and, after a word about the hedge, accepted by all but one.",
            "## Water",
            "The pump will be repaired before the spring. Until then water is fetched from the brook1, and nobody waters \
             a lawn.",
            "- Cans are kept in the shed.\n- The key to the shed hangs at the chair's door, where it has always hung, \
             and is brought back in the evening of the same day.",
            "## Accounts",
            "The treasurer laid the following account before the meeting:",
            "<table>\n\
             <tr><th colspan=\"3\">Account of the past year, in crowns and pence, as audited</th></tr>\n\
             <tr><td>Purpose</td><td>Income</td><td>Expense</td></tr>\n\
             <tr><td>Rents of the plots along the railway line, with arrears</td><td>812.00</td><td></td></tr>\n\
             <tr><td>Pump and pipes</td><td></td><td>340.50</td></tr>\n\
             </table>",
            "It was accepted. The meeting closed at nine.",
            "1 The brook is dry in August, as a rule.",
        ];
        assert_eq!(blocks(page), expected);
    }
}

#[test]
fn a_sheet_is_a_table() {
    holds(
        &pages(ACCOUNTS)[0],
        "| Month | Guests | Nights | Income |\n\
         | --- | --- | --- | --- |\n\
         | January | 12 | 31 | 1240.5 |\n\
         | February | 9 |  | 815 |",
    );
}

#[test]
fn columns_of_numbers_need_no_rules_between_them() {
    let mut content = String::from("1 w 72 600 300 120 re S 172 600 m 172 720 l S 72 700 m 372 700 l S\n");
    content += &[at(80, 704, "Model"), at(215, 704, "Error in percent")].concat();
    for (row, name) in (0..).zip(["alder", "birch", "cedar"]) {
        let numbers = (1..=3).map(|n| at(135 + 50 * n, 680 - 30 * row, &format!("{n}{row}.5")));
        content += &numbers.chain([at(80, 680 - 30 * row, name)]).collect::<String>();
    }
    let expected = "<table>\n\
         <tr><th>Model</th><th colspan=\"3\">Error in percent</th></tr>\n\
         <tr><td>alder</td><td>10.5</td><td>20.5</td><td>30.5</td></tr>\n\
         <tr><td>birch</td><td>11.5</td><td>21.5</td><td>31.5</td></tr>\n\
         <tr><td>cedar</td><td>12.5</td><td>22.5</td><td>32.5</td></tr>\n\
         </table>";
    holds(&pages(&pdf_of_pages(&[&content], "", &[]))[0], expected);
}

#[test]
fn prose_in_a_frame_is_no_table() {
    let lines: String =
        (0..12).map(|n| at(80, 680 - 15 * n, "Words of a notice that goes on for a while.")).collect();
    let content = format!("1 w 72 500 400 200 re S 72 600 m 472 600 l S 272 500 m 272 505 l S {lines}");
    let page = &pages(&pdf_of_pages(&[&content], "", &[]))[0];
    assert!(!page.contains('|') && !page.contains("<table"), "{page}");
}

#[test]
fn prose_in_two_columns_is_no_table() {
    let line = |n: usize| {
        const WORDS: [&str; 5] = ["and so the", "river went", "on its way", "to the sea", "below the hill"];
        WORDS.iter().cycle().skip(n).take(4).copied().collect::<Vec<_>>().join(" ")
    };
    // Row by row, as some programs draw columns.
    let content: String = (0_u16..24)
        .flat_map(|n| {
            let y = 700 - 14 * i32::from(n);
            [at(60, y, &line(n.into())), at(330, y, &line(usize::from(n) + 2))]
        })
        .collect();
    let page = &pages(&pdf_of_pages(&[&content], "", &[]))[0];
    assert!(!page.contains('|') && !page.contains("<table"), "{page}");
}

/// The page with this content, read under limits as tight as those of `hostile.rs`.
fn under_pressure(content: &str) -> String {
    let limits = Limits { memory_bytes: 512 << 20, cpu_seconds: 5, ..Limits::default() };
    let packed = stream_of(content);
    let file = pdf_of_pages(&["/X Do"], "/XObject << /X 6 0 R >>", &[packed]);
    let request = Request { format: TextFormat::Markdown, ..Request::default() };
    let extractor = Extractor { limits, ..extractor() };
    let extraction = extractor.extract(&Source::from_bytes(&file).unwrap(), &request, || Tick::Continue);
    extraction.unwrap().pages.into_iter().map(|page| page.text).collect()
}

/// A form with this content, deflated.
fn stream_of(content: &str) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content.as_bytes()).unwrap();
    let entries = "/Type /XObject /Subtype /Form /BBox [0 0 612 792] /Filter /FlateDecode \
                   /Resources << /Font << /F1 3 0 R >> >>";
    stream(entries, &encoder.finish().unwrap())
}

#[test]
fn a_million_rules_end_in_plain_text() {
    let mut content = at(72, 700, "words above the rules");
    for n in 0..500_000_u32 {
        let (x, y) = (n % 600, n / 600 % 780);
        writeln!(content, "{x} {y} m {} {y} l S {x} {y} m {x} {} l S", x + 40, y + 40).unwrap();
    }
    assert_eq!(under_pressure(&content).trim(), "words above the rules");
}

#[test]
fn a_grid_of_many_cells_keeps_every_word() {
    let mut content = String::from("0.1 w ");
    for n in 0..=140 {
        writeln!(content, "{0} 10 m {0} 710 l S 10 {0} m 570 {1} l S", 10 + 4 * n, 10 + 5 * n).unwrap();
        writeln!(content, "10 {0} m 570 {0} l S", 10 + 5 * n).unwrap();
    }
    for n in 0..140 * 140 {
        writeln!(
            content,
            "BT /F1 0.9 Tf 1 0 0 1 {} {} Tm (w{n}) Tj ET",
            11 + 4 * (n % 140),
            12 + 5 * (n / 140)
        )
        .unwrap();
    }
    let page = under_pressure(&content);
    for n in (0..140 * 140).step_by(997) {
        assert!(page.contains(&format!("w{n}")), "w{n} is lost");
    }
}

#[test]
fn frames_within_frames_and_boxes_of_all_colours_end() {
    let mut content = at(300, 400, "innermost");
    for n in 0..20_000_u32 {
        let inset = f64::from(n) * 0.01;
        writeln!(content, "{inset} {inset} {0} {1} re S", 600.0 - 2.0 * inset, 780.0 - 2.0 * inset).unwrap();
        let color = f64::from(n % 251) / 251.0;
        writeln!(content, "{color} 0 1 rg {} {} 20 20 re f", n % 590, n / 7 % 770).unwrap();
    }
    assert_eq!(under_pressure(&content).trim(), "innermost");
}

#[test]
fn rules_between_thousands_of_rows_end() {
    let mut content = String::new();
    for n in 0..4000_u32 {
        let y = 780.0 - f64::from(n) * 0.19;
        writeln!(content, "20 {y} m 590 {y} l S").unwrap();
        for column in 0..4 {
            writeln!(
                content,
                "BT /F1 1 Tf 1 0 0 1 {} {} Tm (r{n}c{column}) Tj ET",
                30 + 140 * column,
                y - 0.15
            )
            .unwrap();
        }
    }
    let page = under_pressure(&content);
    assert!(page.contains("r0c0") && page.contains("r3999c3"), "words are lost");
}

#[test]
fn letters_of_all_colours_and_sizes_end() {
    let mut content = String::new();
    for n in 0..60_000_u32 {
        let (red, size) = (f64::from(n % 255) / 255.0, 2.0 + f64::from(n % 977) / 100.0);
        let (x, y) = (n * 7 % 580, n / 80);
        writeln!(content, "{red} 0 {red} rg BT /F1 {size} Tf 1 0 0 1 {x} {y} Tm (x{n}) Tj ET").unwrap();
    }
    assert!(under_pressure(&content).contains("x59999"));
}

#[test]
fn what_looks_like_markup_is_escaped() {
    let content = [at(72, 700, "5 < 7 & <b>bold</b> *stars*"), at(72, 680, "# no heading")].concat();
    let page = &pages(&pdf_of_pages(&[&content], "", &[]))[0];
    assert!(page.contains("5 < 7 & \\<b>bold\\</b>"), "{page}");
    assert!(!page.contains("\n# no") && !page.starts_with('#'), "{page}");
}
