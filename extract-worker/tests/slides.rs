//! Presentations: slides as pages.

mod common;

use common::{detect, extract, text, zip};
use dossier_extract::{ExtractError, Request, Source, TextFormat, Tick};

const DRAWING: &str = "http://schemas.openxmlformats.org/drawingml/2006/main";
const SLIDES: &str = "http://schemas.openxmlformats.org/presentationml/2006/main";
const MAIN: &str = "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml";

/// An element of a slide part, with its namespaces.
fn part(name: &str, inner: &str) -> String {
    format!(
        "<q:{name} xmlns:q=\"{SLIDES}\" xmlns:a=\"{DRAWING}\" \
         xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\">{inner}</q:{name}>"
    )
}

fn relationships(of: &[(&str, &str, &str)]) -> String {
    let one = |(id, kind, target): &(&str, &str, &str)| {
        format!("<Relationship Id=\"{id}\" Type=\"http://x/{kind}\" Target=\"{target}\"/>")
    };
    format!("<Relationships>{}</Relationships>", of.iter().map(one).collect::<String>())
}

/// A presentation with these parts, in addition to those that every presentation has.
fn pptx(slides: &[(&str, &str, &str)], list: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let types =
        format!("<Types><Override PartName=\"/ppt/presentation.xml\" ContentType=\"{MAIN}\"/></Types>");
    let root = relationships(&[
        ("a", "officeDocument", "ppt/presentation.xml"),
        ("b", "core-properties", "docProps/core.xml"),
    ]);
    let presentation = part("presentation", &format!("<q:sldIdLst>{list}</q:sldIdLst>"));
    let related = relationships(slides);
    let mut parts: Vec<(&str, &[u8])> = vec![
        ("[Content_Types].xml", types.as_bytes()),
        ("_rels/.rels", root.as_bytes()),
        ("ppt/presentation.xml", presentation.as_bytes()),
        ("ppt/_rels/presentation.xml.rels", related.as_bytes()),
    ];
    parts.extend(more.iter().map(|(name, xml)| (*name, xml.as_bytes())));
    zip(&parts)
}

fn shape(placeholder: &str, paragraphs: &str) -> String {
    format!(
        "<q:sp><q:nvSpPr><q:nvPr>{placeholder}</q:nvPr></q:nvSpPr><q:txBody>{paragraphs}</q:txBody></q:sp>"
    )
}

fn paragraph(properties: &str, words: &str) -> String {
    format!("<a:p>{properties}<a:r><a:t>{words}</a:t></a:r></a:p>")
}

fn sample() -> Vec<u8> {
    let numbered = "<a:pPr><a:buAutoNum type=\"alphaLcParenR\"/></a:pPr>";
    let cell = |words: &str| format!("<a:tc><a:txBody>{}</a:txBody></a:tc>", paragraph("", words));
    let table = format!(
        "<q:graphicFrame><a:tbl><a:tr>{}{}</a:tr><a:tr>{}{}</a:tr></a:tbl></q:graphicFrame>",
        cell("Boat"),
        cell("Fee"),
        cell("Ferry"),
        cell("7")
    );
    let first = part(
        "sld",
        &[
            shape(
                "<q:ph idx=\"1\"/>",
                &[paragraph("", "point"), paragraph("<a:pPr lvl=\"1\"/>", "deeper")].concat(),
            ),
            format!(
                "<q:grpSp>{}</q:grpSp>",
                shape("", &[paragraph(numbered, "one"), paragraph(numbered, "two")].concat())
            ),
            shape("<q:ph type=\"title\"/>", &paragraph("", "The harbour &amp; its fees")),
            table,
        ]
        .concat(),
    );
    let notes = part(
        "notes",
        &[
            shape("<q:ph type=\"sldNum\"/>", &paragraph("", "99")),
            shape("<q:ph type=\"body\"/>", &paragraph("", "Speak slowly.")),
        ]
        .concat(),
    );
    let chart = "<c:chart xmlns:c=\"http://purl.oclc.org/ooxml/drawingml/chart\"><c:ser><c:tx><c:v>Sales</c:v></c:tx>\
                 <c:cat><c:f>A1:A2</c:f><c:v>North</c:v><c:v>South</c:v></c:cat><c:val><c:v>4</c:v><c:v>5</c:v></c:val>\
                 </c:ser></c:chart>";
    let comments = part("cmLst", "<q:cm><q:text>Check the ferry.</q:text></q:cm>");
    let second =
        part("sld", &shape("", &paragraph("", "Shown first"))).replacen("<q:sld ", "<q:sld show=\"0\" ", 1);
    pptx(
        &[("r1", "slide", "slides/slide1.xml"), ("r2", "slide", "slides/slide2.xml")],
        "<q:sldId id=\"256\" r:id=\"r2\"/><q:sldId id=\"257\" r:id=\"r1\"/><q:sldId id=\"258\" r:id=\"lost\"/>",
        &[
            ("ppt/slides/slide1.xml", &first),
            ("ppt/slides/slide2.xml", &second),
            (
                "ppt/slides/_rels/slide1.xml.rels",
                &relationships(&[
                    ("n", "notesSlide", "../notesSlides/notes1.xml"),
                    ("c", "comments", "../comments/comment1.xml"),
                    ("d", "chart", "/ppt/charts/chart1.xml"),
                    ("l", "slideLayout", "../slideLayouts/slideLayout1.xml"),
                ]),
            ),
            ("ppt/notesSlides/notes1.xml", &notes),
            ("ppt/comments/comment1.xml", &comments),
            ("ppt/charts/chart1.xml", chart),
            (
                "ppt/slideLayouts/slideLayout1.xml",
                &part("sldLayout", &shape("", &paragraph("", "Click to add text"))),
            ),
            (
                "docProps/core.xml",
                "<k:coreProperties xmlns:k=\"http://schemas.openxmlformats.org/package/2006/metadata/core-properties\" \
                 xmlns:d=\"http://purl.org/dc/elements/1.1/\" xmlns:t=\"http://purl.org/dc/terms/\">\
                 <d:title>Harbour board</d:title><d:creator>Rosalind Pryce</d:creator>\
                 <t:created>2024-05-01T09:00:00Z</t:created></k:coreProperties>",
            ),
        ],
    )
}

#[test]
fn slides_are_pages_in_presentation_order() {
    let file = sample();
    assert_eq!(detect(&file), "application/vnd.openxmlformats-officedocument.presentationml.presentation");
    let expected = "Shown first\x0c\
                    The harbour & its fees\n• point\n  • deeper\na) one\nb) two\nBoat   Fee\nFerry  7\n\
                    Sales: North 4, South 5\n\nSpeak slowly.\nCheck the ferry.\x0c";
    assert_eq!(text(&file), expected);
    let metadata = extract(&file).unwrap().metadata;
    assert_eq!(metadata.title.as_deref(), Some("Harbour board"));
    assert_eq!(metadata.author.as_deref(), Some("Rosalind Pryce"));
    assert_eq!(metadata.created.as_deref(), Some("2024-05-01T09:00:00Z"));
}

#[test]
fn slides_as_markdown() {
    let request = Request { format: TextFormat::Markdown, ..Request::default() };
    let source = Source::from_bytes(&sample()).unwrap();
    let page = common::extractor().extract(&source, &request, || Tick::Continue).unwrap().pages.remove(1);
    assert!(page.text.starts_with("# The harbour & its fees\n\n- point\n"), "{}", page.text);
    assert!(page.text.contains("| Boat | Fee |\n| --- | --- |\n| Ferry | 7 |"), "{}", page.text);
}

#[test]
fn missing_or_damaged_parts_do_not_affect_others() {
    // The list is empty, but the slides exist.
    let slide = part("sld", &shape("", &paragraph("", "still here")));
    let cut = &slide[..slide.find("</a:p>").unwrap()];
    let file = pptx(
        &[("r1", "slide", "slides/slide1.xml"), ("r2", "slide", "gone.xml")],
        "",
        &[("ppt/slides/slide1.xml", cut)],
    );
    assert_eq!(text(&file), "still here\x0c");
    let empty = zip(&[("[Content_Types].xml", MAIN.as_bytes())]);
    assert!(matches!(extract(&empty), Err(ExtractError::Malformed { .. })));
}

#[test]
fn a_slide_repeated_endlessly_hits_the_limits() {
    let slide = part("sld", &shape("", &paragraph("", "again")));
    let list = "<q:sldId r:id=\"r1\"/>".repeat(20_000);
    let file = pptx(&[("r1", "slide", "slides/slide1.xml")], &list, &[("ppt/slides/slide1.xml", &slide)]);
    let outcome = extract(&file);
    assert!(matches!(outcome, Err(ExtractError::LimitExceeded { limit: "pages" })), "{outcome:?}");
}

#[test]
fn deep_nesting_and_loops_are_harmless() {
    let deep = part("sld", &format!("{}{}", "<a:tbl><a:tr><a:tc>".repeat(15_000), paragraph("", "deep")));
    let file = pptx(
        &[("r1", "slide", "slides/slide1.xml")],
        "<q:sldId r:id=\"r1\"/>",
        &[
            ("ppt/slides/slide1.xml", &deep),
            (
                "ppt/slides/_rels/slide1.xml.rels",
                &relationships(&[("n", "notesSlide", "slide1.xml"), ("c", "chart", "../presentation.xml")]),
            ),
        ],
    );
    assert_eq!(text(&file).matches("deep").count(), 2);
}
