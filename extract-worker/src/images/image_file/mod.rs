//! Image files: their pages, and the pixels of each.
//!
//! Invariant: no pixel is decoded before the size in the header has been checked against the limit.

mod tiff;

use crate::output::reply::Pages;
use dossier_extract::Limits;
use dossier_extract::protocol::Failure;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Rgba};
use std::io::{BufRead, Cursor, Seek, Write};

/// The image format for a media type.
pub(crate) fn named(media_type: &str) -> Option<ImageFormat> {
    Some(match media_type {
        "image/png" | "image/x-png" => ImageFormat::Png,
        "image/jpeg" | "image/jpg" | "image/pjpeg" => ImageFormat::Jpeg,
        "image/tiff" | "image/tif" => ImageFormat::Tiff,
        "image/webp" => ImageFormat::WebP,
        "image/gif" => ImageFormat::Gif,
        "image/bmp" | "image/x-ms-bmp" => ImageFormat::Bmp,
        _ => return None,
    })
}

/// Sends the pages of an image. None has text, and all need OCR.
pub(crate) fn read<W: Write>(
    bytes: &[u8],
    format: ImageFormat,
    limits: &Limits,
    pages: &mut Pages<W>,
) -> Result<(), Failure> {
    let file = ImageFile::new(bytes, format, limits);
    for index in 0..file.count() {
        let size = match file.size(index) {
            Ok((width, height)) => format!("an image of {width} x {height} pixels"),
            Err(failure) if file.count() == 1 => return Err(failure),
            Err(_) => "an image that cannot be decoded".to_owned(),
        };
        pages.push_with("image", "", None, Some(size))?;
        pages.last_needs_ocr();
    }
    Ok(())
}

/// An open image file.
#[derive(Debug)]
pub(crate) struct ImageFile<B> {
    bytes: B,
    format: ImageFormat,
    /// Offsets of the directories of a TIFF, one per page. Other formats have one page; of an animation, the
    /// first frame.
    directories: Vec<u64>,
    limits: Limits,
}

impl<B: AsRef<[u8]>> ImageFile<B> {
    pub(crate) fn new(bytes: B, format: ImageFormat, limits: &Limits) -> Self {
        let directories = match format {
            // One page more than the limit, so that exceeding it is noticed.
            ImageFormat::Tiff => tiff::directories(bytes.as_ref(), limits.pages as usize + 1),
            _ => Vec::new(),
        };
        Self { bytes, format, directories, limits: *limits }
    }

    pub(crate) fn count(&self) -> usize {
        self.directories.len().max(1)
    }

    /// Decodes a page (from 0), rotated upright according to EXIF and without transparency.
    pub(crate) fn decode(&self, index: usize) -> Result<DynamicImage, Failure> {
        self.open(index, |mut decoder| {
            self.check(&*decoder)?;
            let orientation = decoder.orientation();
            let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| failure(&error))?;
            if let Ok(orientation) = orientation {
                picture.apply_orientation(orientation);
            }
            Ok(on_white(picture))
        })
    }

    /// Width and height from the header.
    fn size(&self, index: usize) -> Result<(u32, u32), Failure> {
        self.open(index, |decoder| Ok(decoder.dimensions()))
    }

    fn open<T>(
        &self,
        index: usize,
        work: impl FnOnce(Box<dyn ImageDecoder + '_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let bytes = self.bytes.as_ref();
        match self.directories.get(index) {
            Some(directory) => work(self.decoder(tiff::Page::new(bytes, *directory))?),
            None => work(self.decoder(Cursor::new(bytes))?),
        }
    }

    fn decoder<'r>(&self, reader: impl BufRead + Seek + 'r) -> Result<Box<dyn ImageDecoder + 'r>, Failure> {
        let mut reader = ImageReader::with_format(reader, self.format);
        let mut limits = image::Limits::default();
        limits.max_alloc = Some(self.limits.memory_bytes / 2);
        reader.limits(limits);
        Ok(Box::new(reader.into_decoder().map_err(|error| failure(&error))?))
    }

    /// Checks the declared size: a few bytes can declare an image of any size.
    fn check(&self, decoder: &dyn ImageDecoder) -> Result<(), Failure> {
        let (width, height) = decoder.dimensions();
        let is_small = u64::from(width) * u64::from(height) <= self.limits.pixels
            && decoder.total_bytes() <= self.limits.memory_bytes / 2;
        if is_small { Ok(()) } else { Err(too_large()) }
    }
}

pub(crate) fn too_large() -> Failure {
    Failure::LimitExceeded { limit: "pixels".to_owned() }
}

fn failure(error: &ImageError) -> Failure {
    match error {
        ImageError::Limits(_) => too_large(),
        _ => Failure::Malformed { reason: format!("the image cannot be decoded: {error}") },
    }
}

/// Puts a transparent image on white, so that black text on a transparent background is legible.
fn on_white(picture: DynamicImage) -> DynamicImage {
    if !picture.color().has_alpha() {
        return picture;
    }
    let mut flat = picture.into_rgba8();
    for Rgba([red, green, blue, alpha]) in flat.pixels_mut() {
        for channel in [red, green, blue] {
            let mixed = u16::from(*channel) * u16::from(*alpha) / 255 + 255 - u16::from(*alpha);
            *channel = u8::try_from(mixed).unwrap_or(u8::MAX);
        }
        *alpha = u8::MAX;
    }
    DynamicImage::ImageRgb8(DynamicImage::ImageRgba8(flat).into_rgb8())
}
