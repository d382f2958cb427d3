//! Thumbnails of first pages.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;
mod scan;

use common::extractor;
use dossier_extract::{ExtractError, Source, Thumbnail, ThumbnailRequest, Tick};
use image::{DynamicImage, GenericImageView, GrayImage, ImageFormat, Luma};
use scan::{encoded, jpeg_held, picture_pdf, png_header, printed, scan, tiff};

fn thumbnail_of(bytes: &[u8], side: u32) -> Result<Thumbnail, ExtractError> {
    let request = ThumbnailRequest { side, ..ThumbnailRequest::default() };
    extractor().thumbnail(&Source::from_bytes(bytes).unwrap(), &request, || Tick::Continue)
}

fn thumbnail(bytes: &[u8]) -> DynamicImage {
    let thumbnail = thumbnail_of(bytes, Thumbnail::DEFAULT_SIDE).unwrap();
    let picture = image::load_from_memory_with_format(&thumbnail.bytes, ImageFormat::WebP).unwrap();
    assert_eq!(picture.dimensions(), (thumbnail.width, thumbnail.height));
    picture
}

/// Whether any pixel is darker than the background.
fn shows_something(picture: &DynamicImage) -> bool {
    picture.to_luma8().pixels().any(|Luma([light])| *light < 128)
}

#[test]
fn a_pdf_shows_its_first_page() {
    for file in [printed(), picture_pdf(&scan(100.0))] {
        let picture = thumbnail(&file);
        assert_eq!(picture.dimensions(), (396, 512));
        assert!(shows_something(&picture));
    }
}

#[test]
fn images_show_themselves_no_larger_than_they_are() {
    for file in [encoded(scan(100.0), ImageFormat::Png), tiff(&[scan(100.0), scan(50.0)])] {
        let picture = thumbnail(&file);
        assert_eq!((picture.width(), picture.height()), (395, 512));
        assert!(shows_something(&picture));
    }
    let small = GrayImage::from_pixel(30, 20, Luma([9]));
    assert_eq!(thumbnail(&encoded(small, ImageFormat::Bmp)).dimensions(), (30, 20));
}

#[test]
fn exif_orientation_is_applied_and_metadata_removed() {
    let held = jpeg_held(&scan(100.0), 6);
    let thumbnail = thumbnail_of(&held, 512).unwrap();
    assert_eq!((thumbnail.width, thumbnail.height), (512, 395));
    assert!(!thumbnail.bytes.windows(4).any(|four| four.eq_ignore_ascii_case(b"exif")));
}

#[test]
fn the_requested_side_is_respected() {
    let thumbnail = thumbnail_of(&printed(), 64).unwrap();
    assert_eq!((thumbnail.width, thumbnail.height), (50, 64));
    let largest = thumbnail_of(&printed(), u32::MAX).unwrap();
    assert_eq!(largest.height, Thumbnail::MAX_SIDE);
}

#[test]
fn incompressible_noise_stays_small() {
    let mut random = common::Random(3);
    let noise = image::RgbImage::from_fn(1024, 1024, |_, _| {
        image::Rgb([(); 3].map(|()| u8::try_from(random.below(256)).unwrap()))
    });
    let thumbnail = thumbnail_of(&encoded(noise, ImageFormat::Png), Thumbnail::MAX_SIDE).unwrap();
    assert!(thumbnail.bytes.len() <= Thumbnail::MAX_BYTES);
}

/// A package with this thumbnail, at a place of its own.
fn office_file(thumbnail: &[u8]) -> Vec<u8> {
    let types = "<Types><Override PartName=\"/word/document.xml\" ContentType=\"application/vnd.openxmlformats-\
                 officedocument.wordprocessingml.document.main+xml\"/></Types>";
    let related = "<Relationships><Relationship Id=\"a\" Type=\"http://x/officeDocument\" Target=\"word/document.xml\"/>\
                   <Relationship Id=\"b\" Type=\"http://x/metadata/thumbnail\" Target=\"docProps/small.bin\"/></Relationships>";
    let body = format!(
        "<w:document xmlns:w=\"{}\"><w:body><w:p><w:r><w:t>Words of the first page</w:t></w:r></w:p></w:body></w:document>",
        common::WORD
    );
    common::zip(&[
        ("[Content_Types].xml", types.as_bytes()),
        ("_rels/.rels", related.as_bytes()),
        ("word/document.xml", body.as_bytes()),
        ("docProps/small.bin", thumbnail),
    ])
}

#[test]
fn office_files_show_the_thumbnail_they_carry() {
    let carried =
        image::RgbImage::from_fn(90, 60, |x, _| image::Rgb(if x < 45 { [250, 0, 0] } else { [0, 0, 250] }));
    let mut png = std::io::Cursor::new(Vec::new());
    carried.write_to(&mut png, ImageFormat::Png).unwrap();
    let picture = thumbnail(&office_file(png.get_ref())).into_rgb8();
    assert_eq!(picture.dimensions(), (90, 60));
    assert!(picture.get_pixel(10, 30)[0] > 200 && picture.get_pixel(80, 30)[2] > 200);
    // LibreOffice stores one in each OpenDocument file: a slide of 4 to 3.
    let slides = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/office/slides.odp");
    let picture = thumbnail(&std::fs::read(slides).unwrap());
    assert!(picture.width() * 3 == picture.height() * 4, "{:?}", picture.dimensions());
}

#[test]
fn office_files_without_a_usable_thumbnail_show_their_words() {
    let blank = encoded(GrayImage::from_pixel(90, 60, Luma([255])), ImageFormat::Png);
    let wmf = b"\xd7\xcd\xc6\x9a\0\0";
    for unusable in [&blank[..], wmf, &png_header(100_000, 100_000), b"\x89PNG\r\n\x1a\nbroken"] {
        let picture = thumbnail(&office_file(unusable));
        assert_eq!(picture.dimensions(), (362, 512));
        assert!(shows_something(&picture));
    }
    let rtf = b"{\\rtf1\\ansi Some words\\par}";
    assert!(shows_something(&thumbnail(rtf)));
    // Scripts that the standard fonts lack, and a page without any words.
    assert!(shows_something(&thumbnail("{\\rtf1 \\u26989?\\u20140?}".as_bytes())));
    assert!(!shows_something(&thumbnail(b"{\\rtf1 }")));
    let hostile = thumbnail_of(
        &common::docx(&"<w:p><w:r><w:t>(\\) &lt;x&gt; \u{202e}</w:t></w:r></w:p>".repeat(20_000)),
        512,
    );
    assert!(hostile.is_ok(), "{hostile:?}");
}

#[test]
fn other_formats_have_no_thumbnail() {
    for bytes in [&b"some text"[..], b"<svg xmlns='http://www.w3.org/2000/svg'/>"] {
        let outcome = thumbnail_of(bytes, 512);
        assert!(matches!(outcome, Err(ExtractError::Unsupported { .. })), "{outcome:?}");
    }
}

#[test]
fn hostile_images_are_errors() {
    let bomb = thumbnail_of(&png_header(100_000, 100_000), 512);
    assert!(matches!(bomb, Err(ExtractError::LimitExceeded { limit: "pixels" })), "{bomb:?}");
    let broken = thumbnail_of(b"%PDF-1.7 and nothing more", 512);
    assert!(matches!(broken, Err(ExtractError::Malformed { .. })), "{broken:?}");
}
