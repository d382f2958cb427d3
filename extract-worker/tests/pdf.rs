//! The text and metadata of PDFs, extracted by the real worker in its sandbox.

mod common;

use common::{at, extractor, pdf, pdf_of_pages, stream};
use dossier_extract::{Extraction, Metadata, Ocr, Request, Source, Tick};

/// The file's own text. Pages that need OCR are reported but not read; other tests cover OCR.
fn read(file: &[u8]) -> Extraction {
    let request = Request { ocr: Ocr::Never, ..Request::default() };
    let source = Source::from_bytes(file).unwrap_or_else(|error| panic!("{error}"));
    let outcome = extractor().extract(&source, &request, || Tick::Continue);
    outcome.unwrap_or_else(|error| panic!("{error}"))
}

/// The reason of the first page.
fn reason(extraction: &Extraction) -> &str {
    extraction.pages[0].reason.as_deref().unwrap_or_default()
}

/// A page with an image of one pixel, stretched to this size, and then `content`.
fn with_picture(width: u32, height: u32, content: &str) -> Vec<u8> {
    let pixel =
        "/Type /XObject /Subtype /Image /Width 1 /Height 1 /BitsPerComponent 8 /ColorSpace /DeviceGray";
    let content = format!("q {width} 0 0 {height} 0 0 cm /I Do Q {content}");
    pdf_of_pages(&[&content], "/XObject << /I 6 0 R >>", &[stream(pixel, b"x")])
}

#[test]
fn good_text_is_rated_good() {
    let extraction = read(&pdf_of_pages(&[&at(72, 700, "Good text")], "", &[]));
    assert_eq!((extraction.pages[0].quality, reason(&extraction)), (Some(1.0), "the text looks good"));
    assert!(extraction.needs_ocr.is_empty());
}

#[test]
fn an_empty_page_needs_nothing() {
    let extraction = read(&pdf_of_pages(&[""], "", &[]));
    assert_eq!((extraction.pages[0].quality, reason(&extraction)), (None, "the page has no text"));
    assert!(extraction.needs_ocr.is_empty());
}

#[test]
fn an_image_without_text_needs_ocr() {
    let hidden = format!(
        "3 Tr {}",
        at(72, 700, "what a scanner has already read on this page, word for word, to the very end")
    );
    for (width, height, content, needs_ocr) in [
        (612, 792, String::new(), true),
        (612, 792, at(72, 20, "Page 1 of 9"), true),
        (612, 792, hidden, false),
        (300, 200, String::new(), true),
        (300, 200, at(72, 700, "A caption"), false),
        (60, 60, String::new(), false),
    ] {
        let extraction = read(&with_picture(width, height, &content));
        assert_eq!(!extraction.needs_ocr.is_empty(), needs_ocr, "{width} x {height}, {content}");
        assert_eq!(reason(&extraction).starts_with("an image covers"), needs_ocr, "{}", reason(&extraction));
    }
}

#[test]
fn strips_of_an_image_add_up() {
    let strips: Vec<String> = (0..8).map(|n| format!("q 612 0 0 99 0 {} cm /I Do Q\n", 99 * n)).collect();
    assert_eq!(read(&with_picture(1, 1, &strips.concat())).needs_ocr, [1]);
    let same = "q 612 0 0 250 0 0 cm /I Do Q\n".repeat(3);
    let extraction = read(&with_picture(1, 1, &[&same, &at(72, 700, "Text")[..]].concat()));
    assert_eq!(extraction.needs_ocr, [0; 0], "{}", reason(&extraction));
}

#[test]
fn a_page_that_is_cut_off_keeps_the_text_before_and_reports_it() {
    let nested = |open: &str| format!("{}{}", at(72, 700, "before"), open.repeat(1_000_000));
    let form = stream("/Type /XObject /Subtype /Form /BBox [0 0 612 792]", b"/X Do");
    let recursing = format!("{}/X Do", at(72, 700, "before"));
    for (file, why) in [
        (pdf_of_pages(&[&nested("[")], "", &[]), "malformed"),
        (pdf_of_pages(&[&nested("<<")], "", &[]), "malformed"),
        (pdf_of_pages(&[&recursing], "/XObject << /X 6 0 R >>", &[form]), "draw themselves"),
    ] {
        let extraction = read(&file);
        assert_eq!(extraction.pages[0].text.trim(), "before");
        assert!(
            reason(&extraction).contains("cut off") && reason(&extraction).contains(why),
            "{}",
            reason(&extraction)
        );
    }
}

/// A file of empty pages whose catalog has these entries; `more` objects start at number 10, the pages at 3,
/// and object 10 is the information dictionary.
fn with_catalog(pages: usize, entries: &str, more: &[&[u8]]) -> Vec<u8> {
    assert!(pages <= 7);
    let kids: Vec<String> = (3..3 + pages).map(|page| format!("{page} 0 R ")).collect();
    let mut objects = vec![
        format!("<< /Type /Catalog /Pages 2 0 R {entries} >>").into_bytes(),
        format!("<< /Type /Pages /Kids [{}] /Count {pages} >>", kids.concat()).into_bytes(),
    ];
    objects.resize(2 + pages, b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>".to_vec());
    objects.resize(9, b"null".to_vec());
    objects.extend(more.iter().map(|object| object.to_vec()));
    let root: &[u8] = b"/Root 1 0 R";
    let file = pdf(&objects);
    let at = file.windows(root.len()).rposition(|bytes| bytes == root).unwrap_or_default();
    [&file[..at], b"/Info 10 0 R ", &file[at..]].concat()
}

fn metadata(file: &[u8]) -> Metadata {
    read(file).metadata
}

#[test]
fn the_information_dictionary_is_read_in_all_encodings() {
    let info = b"<< /Title <feff00dc00620065007200730069006300680074> /Author (L\\351a\\240\\(ed.\\)) \
        /Subject (\xef\xbb\xbfna\xc3\xafve) /Keywords (one, \n two) /Producer () /Creator (Writer) \
        /CreationDate (D:20240229143015+05'30') /ModDate (D:202413) >>";
    let found = metadata(&with_catalog(1, "", &[info]));
    let expected = Metadata {
        title: Some("Übersicht".to_owned()),
        author: Some("Léa€(ed.)".to_owned()),
        subject: Some("naïve".to_owned()),
        keywords: Some("one, two".to_owned()),
        producer: Some("Writer".to_owned()),
        created: Some("2024-02-29T14:30:15+05:30".to_owned()),
        modified: Some("2024-01-01T00:00:00Z".to_owned()),
        ..Metadata::default()
    };
    assert_eq!(found, expected);
    let impossible = b"<< /CreationDate (D:20230229) /Title (\0\0) >>";
    assert_eq!(metadata(&with_catalog(1, "", &[impossible])), Metadata::default());
}

#[test]
fn xmp_fills_in_values_missing_from_the_dictionary() {
    let xmp = "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><r:RDF xmlns:r=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
        <r:Description xmlns:d=\"http://purl.org/dc/elements/1.1/\" xmlns:a=\"http://ns.adobe.com/xap/1.0/\" \
        a:CreateDate=\"2021-02-03T04:05:06Z\" a:ModifyDate=\"2021\"><d:title><r:Alt>\
        <r:li xml:lang=\"x-default\">Fish &amp; &#67;hips</r:li><r:li xml:lang=\"de\">Fisch</r:li></r:Alt></d:title>\
        <d:creator><r:Seq><r:li>Ada</r:li> <r:li>Bob</r:li></r:Seq></d:creator>\
        <other:title xmlns:other=\"http://example.org/\">No</other:title></r:Description></r:RDF></x:xmpmeta>";
    let info = b"<< /Author (Carol) >>";
    let packet = stream("/Type /Metadata /Subtype /XML", xmp.as_bytes());
    let found = metadata(&with_catalog(1, "/Metadata 11 0 R", &[info, &packet]));
    assert_eq!(found.title.as_deref(), Some("Fish & Chips"));
    assert_eq!(found.author.as_deref(), Some("Carol"));
    assert_eq!((found.created.as_deref(), found.modified), (Some("2021-02-03T04:05:06Z"), None));
    let found = metadata(&with_catalog(1, "/Metadata 11 0 R", &[b"<< >>", &packet]));
    assert_eq!(found.author.as_deref(), Some("Ada, Bob"));
    let endless = stream("", b"<a><b><c");
    assert_eq!(metadata(&with_catalog(1, "/Metadata 11 0 R", &[b"<< >>", &endless])), Metadata::default());
}

#[test]
fn pages_have_the_labels_of_the_file() {
    let labels = |nums: &str| {
        metadata(&with_catalog(7, &format!("/PageLabels << /Nums [{nums}] >>"), &[b"<< >>"])).page_labels
    };
    let all = "0 << /S /r >> 2 << /S /D /P (A-) /St 9 >> 4 << /S /A /St 26 >> 6 << /P (Index) >>";
    assert_eq!(labels(all), ["i", "ii", "A-9", "A-10", "Z", "AA", "Index"]);
    assert_eq!(
        labels("3 << /S /R /St 1999 >> 6 << /S /a /St 4000000000 >>"),
        ["1", "2", "3", "MCMXCIX", "MM", "MMI", "4000000000"]
    );
    assert_eq!(labels("0 << /S /D >>"), [""; 0], "they are counted from 1 without a label too");
    assert_eq!(labels("5 << /S /D >> -3 null 99 << >>"), ["1", "2", "3", "4", "5", "1", "2"]);
    let looping: &[&[u8]] =
        &[b"<< >>", b"<< /Kids [11 0 R 12 0 R] >>", b"<< /Nums [0 << /P (x) >>] /Kids [11 0 R] >>"];
    assert_eq!(metadata(&with_catalog(2, "/PageLabels 11 0 R", looping)).page_labels, ["x", "x"]);
}

#[test]
fn bookmarks_point_to_pages() {
    let catalog = "/Outlines 11 0 R /Dests << /Old [4 0 R /Fit] >> \
        /Names << /Dests << /Kids [16 0 R] >> >>";
    let objects: &[&[u8]] = &[
        b"<< >>",
        b"<< /First 12 0 R >>",
        b"<< /Title (One) /Dest [3 0 R /Fit] /First 13 0 R /Next 14 0 R >>",
        b"<< /Title (One\n  and a half) /A << /S /GoTo /D (new) >> /Parent 12 0 R /Next 13 0 R >>",
        b"<< /Title <feff0054007700f6> /Dest /Old /Next 15 0 R /First 12 0 R >>",
        b"<< /Title (Nowhere) /A << /S /URI /URI (http://example.org) >> >>",
        b"<< /Names [(new) << /D [5 0 R /XYZ] >>] >>",
    ];
    let outline = metadata(&with_catalog(3, catalog, objects)).outline;
    let found: Vec<_> = outline.iter().map(|entry| (entry.level, entry.title.as_str(), entry.page)).collect();
    assert_eq!(
        found,
        [(1, "One", Some(1)), (2, "One and a half", Some(3)), (1, "Twö", Some(2)), (1, "Nowhere", None)]
    );
}

#[test]
fn attachments_are_listed() {
    let catalog = "/Names << /EmbeddedFiles << /Names [(a) << /F (a.txt) >> (b.bin) null (c) << /UF (\\376\\377\\000\\351) >>] >> >>";
    assert_eq!(metadata(&with_catalog(1, catalog, &[b"<< >>"])).attachments, ["a.txt", "b.bin", "é"]);
}

/// A page that shows these two-byte codes in a composite font that is not embedded. `font` and `descendant`
/// are additional entries of its dictionary and its descendant's.
fn in_composite_font(codes: &[u16], font: &str, descendant: &str, more: &[Vec<u8>]) -> Vec<u8> {
    let codes: Vec<String> = codes.iter().map(|code| format!("{code:04x}")).collect();
    let content = format!("BT /F2 12 Tf 72 700 Td <{}> Tj ET", codes.concat());
    let composite = format!(
        "<< /Type /Font /Subtype /Type0 /BaseFont /Unheard /DescendantFonts [<< /Type /Font \
         /Subtype /CIDFontType2 /BaseFont /Unheard /DW 500 {descendant} >>] {font} >>"
    );
    let objects = [vec![composite.into_bytes()], more.to_vec()].concat();
    pdf_of_pages(&[&content], "/Font << /F1 3 0 R /F2 6 0 R >>", &objects)
}

/// The glyph indexes of a text in a font with the usual glyph order.
fn glyphs(text: &str) -> Vec<u16> {
    text.bytes().map(|byte| u16::from(byte) - 29).collect()
}

fn first_text(file: &[u8]) -> String {
    read(file).pages[0].text.trim().to_owned()
}

#[test]
fn a_font_without_a_map_is_read_by_glyph_order_if_that_is_plausible() {
    let identity = "/Encoding /Identity-H";
    let words = in_composite_font(&glyphs("The order of glyphs"), identity, "", &[]);
    assert_eq!(first_text(&words), "The order of glyphs");
    let shifted: Vec<u16> = glyphs("The order of the glyphs").iter().map(|glyph| glyph + 2).collect();
    for nonsense in [shifted, (1..20).collect()] {
        let extraction = read(&in_composite_font(&nonsense, identity, "", &[]));
        assert!(!extraction.pages[0].text.contains(char::is_alphabetic), "{}", extraction.pages[0].text);
        assert!(reason(&extraction).contains("cannot be decoded"), "{}", reason(&extraction));
        assert_eq!(extraction.needs_ocr, [1]);
    }
}

#[test]
fn a_missing_font_is_read_by_glyph_order() {
    let codes: Vec<String> = glyphs("Lost and found").iter().map(|code| format!("{code:04x}")).collect();
    let content = format!("BT /F9 12 Tf 72 700 Td <{}> Tj ET", codes.concat());
    assert_eq!(first_text(&pdf_of_pages(&[&content], "", &[])), "Lost and found");
}

#[test]
fn codes_are_characters_if_the_font_says_so() {
    let codes: Vec<u16> = "Жёлтый".encode_utf16().collect();
    let font = "/Encoding /Identity-H /ToUnicode /Identity-H";
    assert_eq!(first_text(&in_composite_font(&codes, font, "", &[])), "Жёлтый");
    let collection = "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >>";
    assert_eq!(first_text(&in_composite_font(&codes, "/Encoding /Identity-H", collection, &[])), "Жёлтый");
}

#[test]
fn cids_of_a_collection_map_to_characters() {
    let collection = "/CIDSystemInfo << /Registry (Adobe) /Ordering (Japan1) /Supplement 2 >>";
    // By CID, and by Shift JIS.
    let cids = in_composite_font(&[3284, 1200], "/Encoding /Identity-H", collection, &[]);
    let codes = in_composite_font(&[0x93fa, 0x967b], "/Encoding /90ms-RKSJ-H", collection, &[]);
    assert_eq!(first_text(&codes), "日本");
    assert_eq!(first_text(&cids).chars().count(), 2);
    assert!(first_text(&cids).chars().all(|character| ('\u{4e00}'..'\u{a000}').contains(&character)));
}

#[test]
fn a_malformed_unicode_map_is_repaired() {
    let map = b"/CMapName /Adobe-Identity-UC> def (un)balanced) 1 begincodespacerange <0000> <ffff> \
        endcodespacerange 2 beginbfchar <0001> <0041> <0002> <0062> endbfchar 1 beginbfchar <00";
    let font = "/Encoding /Identity-H /ToUnicode 7 0 R";
    let map = stream("", map);
    assert_eq!(first_text(&in_composite_font(&[1, 2], font, "", std::slice::from_ref(&map))), "Ab");
    let broken_font = "/FontDescriptor << /FontFile2 8 0 R >>";
    assert_eq!(
        first_text(&in_composite_font(&[1, 2], font, broken_font, &[map, stream("", b"no font")])),
        "Ab"
    );
}

/// A page with one line of text and this annotation; `more` objects start at number 6.
fn with_annotation(annotation: &str, more: &[Vec<u8>]) -> Vec<u8> {
    let file = pdf_of_pages(&[&at(72, 700, "Name:")], "", more);
    let text = String::from_utf8_lossy(&file)
        .replace("/Contents 5 0 R", &format!("/Contents 5 0 R /Annots [{annotation}]"));
    text.into_bytes()
}

#[test]
fn fields_without_an_appearance_show_their_value_in_place() {
    let field = |entries: &str| {
        first_text(&with_annotation(
            &format!("<< /Subtype /Widget /Rect [120 696 300 712] {entries} >>"),
            &[],
        ))
    };
    assert_eq!(field("/FT /Tx /V (Ada Lovelace)"), "Name: Ada Lovelace");
    assert_eq!(field("/Parent << /FT /Tx /V (Inherited) >>"), "Name: Inherited");
    assert_eq!(field("/FT /Ch /V (b) /Opt [[(a) (First)] [(b) (Second)]]"), "Name: Second");
    assert_eq!(field("/FT /Tx /Ff 8192 /V (secret)"), "Name:", "a password");
    assert_eq!(field("/FT /Tx /F 2 /V (hidden)"), "Name:");
    assert_eq!(field("/FT /Btn /V /Yes"), "Name:");
}

#[test]
fn an_appearance_is_read_once_and_an_empty_one_is_ignored() {
    let shown = |content: &str| {
        let entries =
            "/Type /XObject /Subtype /Form /BBox [0 0 180 16] /Resources << /Font << /F1 3 0 R >> >>";
        let appearance = stream(entries, content.as_bytes());
        let field = "<< /Subtype /Widget /FT /Tx /V (value) /Rect [120 696 300 712] /AP << /N 6 0 R >> >>";
        first_text(&with_annotation(field, &[appearance]))
    };
    assert_eq!(shown("/Tx BMC BT /F1 12 Tf 2 4 Td (as shown) Tj ET EMC"), "Name: as shown");
    assert_eq!(shown("/Tx BMC EMC"), "Name: value");
}

#[test]
fn free_text_is_on_the_page_and_a_note_is_behind_it() {
    let note = |kind: &str| {
        first_text(&with_annotation(
            &format!("<< /Subtype /{kind} /Contents (Remark) /Rect [120 500 300 512] >>"),
            &[],
        ))
    };
    assert_eq!(note("FreeText"), "Name:\n\nRemark");
    assert_eq!(note("Text"), "Name:\n\n[Remark]");
}
