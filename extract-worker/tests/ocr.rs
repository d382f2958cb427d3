//! OCR. Tesseract must be installed (`apt-get install tesseract-ocr`): without it these tests fail instead of
//! being skipped.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;
mod scan;

use common::{at, extractor, pdf_of_pages};
use dossier_extract::{
    ExtractError, Extraction, Extractor, Ocr, OcrOutcome, OcrTask, Page, PageSource, RecognizedPage, Request,
    Source, Tick,
};
use image::{DynamicImage, GrayImage, ImageFormat, imageops};
use scan::{accuracy, encoded, jpeg_held, mixed_pdf, picture_pdf, png_header, printed, scan, tiff};
use std::time::Duration;

fn run(extractor: &Extractor, bytes: &[u8], ocr: Ocr) -> Result<Extraction, ExtractError> {
    let request = Request { ocr, ..Request::default() };
    extractor.extract(&Source::from_bytes(bytes).unwrap(), &request, || Tick::Continue)
}

/// Generous time limits, because these tests are about text and not about time.
fn patient() -> Extractor {
    let mut extractor = extractor();
    extractor.ocr.limits.page_time = Duration::from_mins(2);
    extractor
}

fn read(bytes: &[u8]) -> Extraction {
    run(&patient(), bytes, Ocr::Auto).unwrap()
}

/// The only page of a file, after OCR.
#[track_caller]
fn page(bytes: &[u8]) -> Page {
    let mut extraction = read(bytes);
    assert_eq!(extraction.ocr, OcrOutcome::Complete { pages: 1 });
    assert!(extraction.needs_ocr.is_empty());
    let page = extraction.pages.pop().unwrap();
    assert_eq!((page.source, page.engine.as_str()), (PageSource::Ocr, "tesseract"));
    page
}

#[track_caller]
fn assert_accurate(text: &str, least: f64) {
    let accuracy = accuracy(text);
    println!("word accuracy {accuracy:.3}");
    assert!(accuracy >= least, "word accuracy {accuracy:.3}: {text}");
}

#[test]
fn a_clean_scan_is_read() {
    let page = page(&encoded(scan(300.0), ImageFormat::Png));
    assert_accurate(&page.text, 0.95);
    assert!(page.confidence.unwrap() > 0.85, "{:?}", page.confidence);
}

#[test]
fn an_image_that_fills_a_pdf_page_is_read() {
    assert_accurate(&page(&picture_pdf(&scan(300.0))).text, 0.95);
}

#[test]
fn text_beside_an_image_is_kept() {
    let extraction = read(&mixed_pdf("Text of the file itself, which needs no recognition.", &scan(200.0)));
    assert_eq!(extraction.ocr, OcrOutcome::Complete { pages: 1 });
    assert_eq!(extraction.pages[0].source, PageSource::Text);
    assert!(extraction.pages[0].text.contains("needs no recognition"));
    assert_eq!(extraction.pages[1].source, PageSource::Ocr);
    assert_accurate(&extraction.pages[1].text, 0.95);
}

#[test]
fn force_reads_pages_that_have_text() {
    let extraction = run(&patient(), &printed(), Ocr::Force).unwrap();
    assert_eq!(extraction.pages[0].source, PageSource::Ocr);
    assert_accurate(&extraction.pages[0].text, 0.95);
    assert_eq!(run(&patient(), &printed(), Ocr::Auto).unwrap().pages[0].source, PageSource::Text);
}

#[test]
fn svg_is_text_even_if_ocr_is_forced() {
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg"><text>Harbour plan</text></svg>"#;
    let extraction = run(&extractor(), svg, Ocr::Force).unwrap();
    assert_eq!(extraction.media_type, "image/svg+xml");
    assert_eq!((extraction.pages[0].text.trim(), extraction.ocr), ("Harbour plan", OcrOutcome::NotNeeded));
}

#[test]
fn rotated_pages_are_turned_upright() {
    let upright = scan(200.0);
    // Tesseract itself can read lines that run upwards or downwards.
    for picture in [imageops::rotate90(&upright), imageops::rotate270(&upright)] {
        assert_accurate(&page(&encoded(picture, ImageFormat::Png)).text, 0.95);
    }
    let page = page(&encoded(imageops::rotate180(&upright), ImageFormat::Png));
    assert_accurate(&page.text, 0.95);
    let reason = page.reason.unwrap();
    assert!(reason.contains("rotated by 180 degrees"), "{reason}");
}

#[test]
fn exif_orientation_is_applied() {
    let page = page(&jpeg_held(&imageops::rotate270(&scan(200.0)), 6));
    assert_accurate(&page.text, 0.95);
    assert!(!page.reason.unwrap().contains("turned"));
}

#[test]
fn every_format_is_read() {
    let picture = DynamicImage::from(scan(200.0));
    for format in [ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Gif, ImageFormat::Bmp] {
        let is_gif = format == ImageFormat::Gif;
        let picture: DynamicImage = if is_gif { picture.to_rgba8().into() } else { picture.to_rgb8().into() };
        let bytes = encoded(picture, format);
        assert_eq!(common::detect(&bytes), format.to_mime_type());
        assert_accurate(&page(&bytes).text, 0.95);
    }
}

#[test]
fn every_page_of_a_tiff_is_read() {
    let blank = GrayImage::from_pixel(600, 800, image::Luma([255]));
    let extraction = read(&tiff(&[scan(200.0), blank, scan(150.0)]));
    assert_eq!(extraction.media_type, "image/tiff");
    assert_eq!((extraction.pages.len(), extraction.ocr), (3, OcrOutcome::Complete { pages: 3 }));
    assert_accurate(&extraction.pages[0].text, 0.95);
    assert_eq!(extraction.pages[1].text.trim(), "");
    assert_accurate(&extraction.pages[2].text, 0.95);
    assert_eq!(extraction.language.as_deref(), Some("eng"));
}

#[test]
fn an_image_on_several_pages_is_read_once() {
    let other = GrayImage::from_pixel(600, 800, image::Luma([255]));
    let (first, again) = (scan(200.0), scan(200.0));
    let pages = read(&tiff(&[first, other, again])).pages;
    assert_accurate(&pages[0].text, 0.95);
    assert_eq!((&pages[2].text, pages[2].confidence), (&pages[0].text, pages[0].confidence));
    let copied = |page: &Page| {
        page.reason.as_deref().is_some_and(|reason| reason.contains("the same image as page 1"))
    };
    assert_eq!([copied(&pages[0]), copied(&pages[1]), copied(&pages[2])], [false, false, true]);
}

/// OCR of one page in a language that the caller names, with the data in `folder`.
fn read_in(language: &str, folder: &std::path::Path) -> Page {
    let mut extractor = patient();
    extractor.ocr.tessdata = Some(folder.to_owned());
    let source = Source::from_bytes(&encoded(scan(200.0), ImageFormat::Png)).unwrap();
    let mut extraction = extractor.extract_text(&source, &Request::default(), || Tick::Continue).unwrap();
    let task = OcrTask {
        media_type: Some(extraction.media_type.clone()),
        pages: std::mem::take(&mut extraction.pages),
        is_forced: false,
        language: Some(language.to_owned()),
        slice: Duration::from_mins(5),
        spent: Duration::ZERO,
    };
    let mut read = Vec::new();
    let each = |page: RecognizedPage| {
        read.push(page.page);
        Tick::Continue
    };
    extractor.recognize(&source, task, each, || Tick::Continue).unwrap();
    read.pop().unwrap()
}

#[test]
fn the_language_that_the_caller_names_is_read_if_its_data_is_installed() {
    // English data under another name, beside data that cannot be loaded.
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("tessdata");
    std::fs::create_dir_all(&folder).unwrap();
    let installed = std::path::Path::new("/usr/share/tesseract-ocr/5/tessdata/eng.traineddata");
    for name in ["eng", "nld"] {
        std::fs::copy(installed, folder.join(format!("{name}.traineddata"))).unwrap();
    }
    let dutch = read_in("nld", &folder);
    assert_accurate(&dutch.text, 0.95);
    assert!(!dutch.reason.as_deref().unwrap_or_default().contains("not installed"), "{:?}", dutch.reason);
    let welsh = read_in("cym", &folder);
    assert_accurate(&welsh.text, 0.95);
    let reason = welsh.reason.unwrap();
    assert!(reason.contains("the data for the language cym is not installed"), "{reason}");
}

#[test]
fn screenshots_are_read() {
    assert_accurate(&page(&encoded(scan(100.0), ImageFormat::Png)).text, 0.9);
}

#[test]
fn black_on_transparent_is_read_as_black_on_white() {
    let mut picture = DynamicImage::from(scan(200.0)).into_rgba8();
    for pixel in picture.pixels_mut() {
        *pixel = image::Rgba([0, 0, 0, 255 - pixel.0[0]]);
    }
    assert_accurate(&page(&encoded(picture, ImageFormat::Png)).text, 0.95);
}

#[test]
fn an_image_without_words_yields_an_empty_page() {
    let mut random = common::Random(7);
    let noise = GrayImage::from_fn(400, 400, |_, _| image::Luma([u8::try_from(random.below(256)).unwrap()]));
    let page = page(&encoded(noise, ImageFormat::Png));
    assert!(page.text.split_whitespace().count() < 5, "{}", page.text);
}

#[test]
fn without_data_an_image_needs_ocr() {
    let mut extractor = extractor();
    extractor.ocr.tessdata = Some("/nowhere/tessdata".into());
    let error = run(&extractor, &encoded(scan(100.0), ImageFormat::Png), Ocr::Auto).unwrap_err();
    assert_eq!((error.code(), error.is_transient()), ("needs_ocr", false));
    let message = error.to_string();
    for word in ["page 1", "/nowhere/tessdata", "apt-get install tesseract-ocr"] {
        assert!(message.contains(word), "{message}");
    }
}

#[test]
fn without_data_the_text_of_other_pages_is_kept() {
    let mut extractor = extractor();
    extractor.ocr.languages = "eng+tlh_xx".parse().unwrap();
    let file = mixed_pdf("Text of the file itself, which needs no recognition.", &scan(100.0));
    let extraction = run(&extractor, &file, Ocr::Auto).unwrap();
    assert!(extraction.pages[0].text.contains("needs no recognition"));
    assert_eq!(extraction.needs_ocr, [2]);
    let OcrOutcome::Missing { reason } = extraction.ocr else { panic!("{:?}", extraction.ocr) };
    assert!(reason.contains("apt-get install tesseract-ocr tesseract-ocr-tlh-xx"), "{reason}");
}

#[test]
fn never_runs_no_ocr() {
    let extraction = run(&extractor(), &encoded(scan(100.0), ImageFormat::Png), Ocr::Never).unwrap();
    assert_eq!((extraction.ocr, extraction.needs_ocr), (OcrOutcome::NotAsked, vec![1]));
}

#[test]
fn an_image_over_the_limit_is_not_decoded() {
    let error = run(&extractor(), &png_header(100_000, 100_000), Ocr::Auto).unwrap_err();
    assert!(matches!(error, ExtractError::LimitExceeded { limit: "pixels" }), "{error:?}");
}

#[test]
fn a_damaged_image_is_malformed() {
    let whole = encoded(scan(100.0), ImageFormat::Png);
    for bytes in [&whole[..20], b"\x89PNG\r\n\x1a\nrubbish rubbish", &png_header(100, 100)] {
        let error = run(&extractor(), bytes, Ocr::Auto).unwrap_err();
        assert_eq!(error.code(), "malformed", "{error}");
    }
}

#[test]
fn a_loop_of_tiff_directories_terminates() {
    let mut file = tiff(&[GrayImage::from_pixel(60, 80, image::Luma([255]))]);
    let (first, link) = (file[4..8].to_vec(), file.len() - 4);
    file[link..].copy_from_slice(&first);
    assert_eq!(run(&extractor(), &file, Ocr::Auto).unwrap_err().code(), "malformed");
}

#[test]
fn a_page_is_given_up_after_its_time() {
    let mut extractor = extractor();
    extractor.ocr.limits.page_time = Duration::from_millis(1);
    let file = mixed_pdf("Text of the file itself, which needs no recognition.", &scan(300.0));
    let extraction = run(&extractor, &file, Ocr::Auto).unwrap();
    assert!(matches!(extraction.ocr, OcrOutcome::Incomplete { pages: 0, .. }), "{:?}", extraction.ocr);
    assert!(extraction.pages[1].reason.as_deref().unwrap().contains("ocr_page_time"));
}

#[test]
fn a_page_that_cannot_be_rendered_does_not_affect_the_others() {
    let file = pdf_of_pages(&[&at(72, 700, "one"), &at(72, 700, "two")], "", &[]);
    let flat = String::from_utf8(file).unwrap().replacen("[0 0 612 792]", "[0 0 000 000]", 1);
    let extraction = run(&patient(), flat.as_bytes(), Ocr::Force).unwrap();
    assert_eq!(extraction.pages.len(), 2);
    assert_eq!(extraction.pages[1].source, PageSource::Ocr);
}
