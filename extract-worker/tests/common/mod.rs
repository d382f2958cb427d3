//! Fixtures built in code, and the real worker to read them.

#![allow(dead_code, reason = "each test program uses only some of these")]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![allow(clippy::missing_panics_doc, reason = "tests")]

use dossier_extract::{ExtractError, Extraction, Extractor, Request, Source, TextFormat, Tick};
use std::io::Write;

/// The worker built by cargo for these tests, with default limits.
pub(crate) fn extractor() -> Extractor {
    Extractor::new(env!("CARGO_BIN_EXE_dossier-extract-worker"))
}

pub(crate) fn extract(bytes: &[u8]) -> Result<Extraction, ExtractError> {
    extract_as(bytes, None)
}

pub(crate) fn extract_as(bytes: &[u8], media_type: Option<&str>) -> Result<Extraction, ExtractError> {
    let request = Request { media_type: media_type.map(str::to_owned), ..Request::default() };
    extractor().extract(&Source::from_bytes(bytes).unwrap(), &request, || Tick::Continue)
}

pub(crate) fn detect(bytes: &[u8]) -> String {
    extractor().detect(&Source::from_bytes(bytes).unwrap(), || Tick::Continue).unwrap()
}

/// The text of all pages, separated by form feeds.
pub(crate) fn text(bytes: &[u8]) -> String {
    let pages = extract(bytes).unwrap().pages;
    pages.iter().map(|page| page.text.trim_end()).collect::<Vec<_>>().join("\x0c")
}

/// All pages as Markdown.
pub(crate) fn markdown(bytes: &[u8]) -> String {
    let request = Request { format: TextFormat::Markdown, ..Request::default() };
    let extraction = extractor().extract(&Source::from_bytes(bytes).unwrap(), &request, || Tick::Continue);
    extraction.unwrap().pages.into_iter().map(|page| page.text).collect()
}

/// A PDF with these objects; the first one is the catalog.
pub(crate) fn pdf(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut file = b"%PDF-1.7\n".to_vec();
    let mut offsets = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        offsets.push(file.len());
        writeln!(file, "{} 0 obj", index + 1).unwrap();
        file.extend_from_slice(object);
        file.extend_from_slice(b"\nendobj\n");
    }
    let xref = file.len();
    writeln!(file, "xref\n0 {}\n0000000000 65535 f ", objects.len() + 1).unwrap();
    for offset in offsets {
        writeln!(file, "{offset:010} 00000 n ").unwrap();
    }
    let size = objects.len() + 1;
    writeln!(file, "trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{xref}\n%%EOF").unwrap();
    file
}

/// A stream object.
pub(crate) fn stream(entries: &str, data: &[u8]) -> Vec<u8> {
    let mut object = format!("<< {entries} /Length {} >>\nstream\n", data.len()).into_bytes();
    object.extend_from_slice(data);
    object.extend_from_slice(b"\nendstream");
    object
}

/// A PDF whose pages have these content streams, with Helvetica as `/F1`. `more` objects start at number
/// `4 + 2 * pages`, and `resources` may refer to them.
pub(crate) fn pdf_of_pages(contents: &[&str], resources: &str, more: &[Vec<u8>]) -> Vec<u8> {
    let kids: Vec<String> = (0..contents.len()).map(|page| format!("{} 0 R ", 4 + 2 * page)).collect();
    let kids = kids.concat();
    let mut objects = vec![
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        format!("<< /Type /Pages /Kids [{kids}] /Count {} >>", contents.len()).into_bytes(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_vec(),
    ];
    for (page, content) in contents.iter().enumerate() {
        let body = format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {} 0 R \
             /Resources << /Font << /F1 3 0 R >> {resources} >> >>",
            5 + 2 * page
        );
        objects.push(body.into_bytes());
        objects.push(stream("", content.as_bytes()));
    }
    objects.extend_from_slice(more);
    pdf(&objects)
}

/// Shows text at a position.
pub(crate) fn at(x: i32, y: i32, text: &str) -> String {
    format!("BT /F1 12 Tf 1 0 0 1 {x} {y} Tm ({text}) Tj ET\n")
}

/// A ZIP file with these parts.
pub(crate) fn zip(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, bytes) in parts {
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

pub(crate) const WORD: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
const MAIN: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml";

/// A DOCX with this body and these additional parts: relationship type, part name and XML.
pub(crate) fn docx_with(body: &str, more: &[(&str, &str, &str)]) -> Vec<u8> {
    let compatibility = "http://schemas.openxmlformats.org/markup-compatibility/2006";
    let document = format!(
        "<?xml version=\"1.0\"?><w:document xmlns:w=\"{WORD}\" xmlns:mc=\"{compatibility}\">\
         <w:body>{body}</w:body></w:document>"
    );
    let types = format!("<Types><Override PartName=\"/word/document.xml\" ContentType=\"{MAIN}\"/></Types>");
    let relationship = |(kind, target, _): &(&str, &str, &str)| {
        format!("<Relationship Id=\"{target}\" Type=\"http://x/relationships/{kind}\" Target=\"{target}\"/>")
    };
    let related: String = more.iter().map(relationship).collect();
    let related = format!("<Relationships>{related}</Relationships>");
    let root = "<Relationships><Relationship Id=\"r\" Type=\"http://x/officeDocument\" \
                Target=\"word/document.xml\"/></Relationships>";
    let names: Vec<String> = more.iter().map(|(_, target, _)| format!("word/{target}")).collect();
    let mut parts: Vec<(&str, &[u8])> = vec![
        ("[Content_Types].xml", types.as_bytes()),
        ("_rels/.rels", root.as_bytes()),
        ("word/document.xml", document.as_bytes()),
        ("word/_rels/document.xml.rels", related.as_bytes()),
    ];
    parts.extend(names.iter().zip(more).map(|(name, (_, _, xml))| (name.as_str(), xml.as_bytes())));
    zip(&parts)
}

pub(crate) fn docx(body: &str) -> Vec<u8> {
    docx_with(body, &[])
}

/// A paragraph of one run.
pub(crate) fn paragraph(text: &str) -> String {
    format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>")
}

/// Pseudo-random numbers, the same in every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap()
    }
}
