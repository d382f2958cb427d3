//! Simulated scans of known text: typeset here, rendered by hayro, and written to files.

#![allow(dead_code, reason = "each test program uses only some of these")]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use crate::common::{at, pdf, pdf_of_pages, stream};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_syntax::Pdf;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::vello_cpu::peniko::ImageAlphaType;
use hayro::{PixmapSettings, RenderCache, RenderSettings, render};
use image::{DynamicImage, GrayImage, ImageFormat, RgbaImage};
use std::io::{Cursor, Write};

/// Known text: names, numbers and punctuation in ordinary prose.
pub(crate) const LINES: &[&str] = &[
    "Minutes of the meeting held on 14 March 2024 at the offices of Hartwell and Sons, 27 Bridge Street.",
    "Present were Margaret Oakley, chair, Tobias Lindqvist, treasurer, and nine members of the committee.",
    "The treasurer reported an income of 48,215 pounds against an expenditure of 39,870 pounds, leaving",
    "a surplus of 8,345 pounds, which the committee agreed to carry forward into the following year.",
    "Mr Lindqvist proposed that the roof of the north wing be repaired before the winter. Two builders",
    "had been asked for a price: the first offered to do the work for 12,400 pounds within six weeks,",
    "the second for 10,950 pounds within ten. After some discussion the members chose the first offer,",
    "because the reading room cannot be closed for longer than two months without losing its licence.",
    "Mrs Oakley thanked the volunteers who had catalogued more than three thousand letters since June.",
    "Their index is kept in the archive and may be consulted by appointment on weekday mornings.",
    "A question was raised about the heating. The boiler was installed in 1987 and its maker no longer",
    "supplies parts; the caretaker will obtain quotations for a heat pump and report in September.",
    "It was agreed unanimously that membership fees should remain at 25 pounds for adults and 10 pounds",
    "for students, and that the newsletter should again be printed four times a year on thicker paper.",
    "The next meeting will take place on Thursday, 12 September 2024, at half past seven in the evening.",
];

/// The share of known words that were found, in order.
pub(crate) fn accuracy(found: &str) -> f64 {
    let known: Vec<&str> = LINES.iter().flat_map(|line| line.split_whitespace()).collect();
    let found: Vec<&str> = found.split_whitespace().collect();
    // The longest common subsequence, row by row.
    let mut row = vec![0; found.len() + 1];
    for word in &known {
        let mut diagonal = 0;
        for (index, other) in found.iter().enumerate() {
            let above = row[index + 1];
            row[index + 1] = if word == other { diagonal + 1 } else { above.max(row[index]) };
            diagonal = above;
        }
    }
    f64::from(*row.last().unwrap()) / known.len().max(found.len()) as f64
}

/// A PDF page of the known words.
pub(crate) fn printed() -> Vec<u8> {
    pdf_of_pages(&[&content()], "", &[])
}

fn content() -> String {
    let line = |(index, line): (usize, &&str)| at(54, 720 - 20 * i32::try_from(index).unwrap(), line);
    LINES.iter().enumerate().map(line).collect::<String>().replace("/F1 12 Tf", "/F1 10.5 Tf")
}

/// The page as a scanned image.
pub(crate) fn scan(dots_per_inch: f32) -> GrayImage {
    let pdf = Pdf::new(printed()).unwrap();
    let scale = dots_per_inch / 72.0;
    let settings = PixmapSettings { x_scale: scale, y_scale: scale, bg_color: WHITE };
    let (how, cache) = (RenderSettings::default(), RenderCache::new());
    let page = render(&pdf.pages()[0], &cache, &InterpreterSettings::default(), &how, &settings);
    let (width, height) = (page.width().into(), page.height().into());
    let pixels = page.take_rgba8(ImageAlphaType::AlphaPremultiplied);
    DynamicImage::ImageRgba8(RgbaImage::from_raw(width, height, pixels).unwrap()).into_luma8()
}

/// An image file.
pub(crate) fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.into().write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// A JPEG with an EXIF orientation.
pub(crate) fn jpeg_held(picture: &GrayImage, orientation: u8) -> Vec<u8> {
    let jpeg = encoded(picture.clone(), ImageFormat::Jpeg);
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
}

/// An uncompressed TIFF of these pages. Each except the first has a small copy after it, as from some scanners.
pub(crate) fn tiff(pages: &[GrayImage]) -> Vec<u8> {
    let mut file = b"II*\0\0\0\0\0".to_vec();
    let mut link = 4;
    let small = GrayImage::from_pixel(8, 8, image::Luma([255]));
    for (index, page) in pages.iter().enumerate() {
        link = directory(&mut file, link, page, 0);
        if index > 0 {
            link = directory(&mut file, link, &small, 1);
        }
    }
    file
}

/// Appends a directory and its pixels, and points `link` to it. Returns the position of the next link.
fn directory(file: &mut Vec<u8>, link: usize, page: &GrayImage, kind: u32) -> usize {
    let pixels = u32::try_from(file.len()).unwrap();
    file.extend_from_slice(page);
    file.resize(file.len().next_multiple_of(2), 0);
    let at = u32::try_from(file.len()).unwrap();
    file[link..link + 4].copy_from_slice(&at.to_le_bytes());
    let (width, height) = page.dimensions();
    let entries = [
        (254_u16, kind),
        (256, width),
        (257, height),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, pixels),
        (277, 1),
        (278, height),
        (279, width * height),
    ];
    file.extend(u16::try_from(entries.len()).unwrap().to_le_bytes());
    for (tag, value) in entries {
        file.extend(tag.to_le_bytes());
        file.extend(4_u16.to_le_bytes());
        file.extend(1_u32.to_le_bytes());
        file.extend(value.to_le_bytes());
    }
    file.extend(0_u32.to_le_bytes());
    file.len() - 4
}

/// A PDF with one page that contains only an image.
pub(crate) fn picture_pdf(picture: &GrayImage) -> Vec<u8> {
    pdf(&[
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R \
          /Resources << /XObject << /Im 5 0 R >> >> >>"
            .to_vec(),
        stream("", PICTURE.as_bytes()),
        picture_object(picture),
    ])
}

/// A PDF whose first page has text, and whose second page is an image of the known text.
pub(crate) fn mixed_pdf(text: &str, picture: &GrayImage) -> Vec<u8> {
    let first: String = (0..12).map(|line| at(72, 700 - 20 * line, text)).collect();
    pdf_of_pages(&[&first, PICTURE], "/XObject << /Im 8 0 R >>", &[picture_object(picture)])
}

const PICTURE: &str = "q 612 0 0 792 0 0 cm /Im Do Q";

fn picture_object(picture: &GrayImage) -> Vec<u8> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(picture).unwrap();
    let (width, height) = picture.dimensions();
    let entries = format!(
        "/Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace /DeviceGray \
         /BitsPerComponent 8 /Filter /FlateDecode"
    );
    stream(&entries, &packed.finish().unwrap())
}

/// A PNG that declares a size but has almost no data.
pub(crate) fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 0, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    let mut crc = flate2::Crc::new();
    crc.update(&header);
    file.extend(header);
    file.extend(crc.sum().to_be_bytes());
    file.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
    file
}
