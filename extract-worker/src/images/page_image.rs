//! Pages as images: PDF pages are rendered, image files are decoded.
//!
//! Invariant: independent of OCR and thumbnails; callers choose the size.

use crate::detection::Format;
use crate::images::image_file::ImageFile;
use crate::input::Input;
use crate::pdf::{POINTS_PER_INCH, Renderer};
use dossier_extract::Limits;
use dossier_extract::protocol::Failure;
use image::{DynamicImage, GrayImage};

/// The pages of one file as images.
pub(crate) enum PageImages {
    Pdf(Renderer),
    Image(ImageFile<Input>),
}

/// A page, prepared for OCR.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) image: GrayImage,
    /// Pixels per inch, if the file defines the size of the page.
    pub(crate) resolution: Option<u32>,
}

/// The usual resolution of scans for OCR.
const SCAN_DPI: f64 = 300.0;
/// Maximum number of pixels in a scan: A2 at 300 dpi, A4 at 600.
const SCAN_PIXELS: u64 = 36_000_000;
/// An image this small is probably a screenshot, with letters half as large as in scans.
const SCREEN_PIXELS: u64 = 2_200_000;

impl PageImages {
    pub(crate) fn open(input: Input, format: &Format, limits: &Limits) -> Result<Self, Failure> {
        match format {
            Format::Pdf => Ok(Self::Pdf(Renderer::open(input)?)),
            Format::Image(kind) => Ok(Self::Image(ImageFile::new(input, *kind, limits))),
            other => Err(Failure::Unsupported { media_type: other.media_type().to_owned() }),
        }
    }

    /// A page (from 0), large enough for OCR.
    pub(crate) fn scan(&mut self, page: usize, limits: &Limits) -> Result<Scan, Failure> {
        match self {
            Self::Pdf(renderer) => {
                let pixels = limits.pixels.min(SCAN_PIXELS);
                let drawn = renderer.draw(page, SCAN_DPI / POINTS_PER_INCH, pixels)?;
                let resolution = Some(drawn.dots_per_inch());
                Ok(Scan { image: drawn.picture.into_luma8(), resolution })
            }
            Self::Image(file) => {
                let picture = file.decode(page)?.into_luma8();
                Ok(Scan { image: legible(picture), resolution: None })
            }
        }
    }

    /// The first page, scaled to fit a square with this side.
    pub(crate) fn small(&mut self, side: u32, limits: &Limits) -> Result<DynamicImage, Failure> {
        let picture = match self {
            Self::Pdf(renderer) => {
                let (width, height) = renderer.size(0).unwrap_or((1.0, 1.0));
                renderer.draw(0, f64::from(side) / width.max(height), limits.pixels)?.picture
            }
            Self::Image(file) => file.decode(0)?,
        };
        Ok(fitting(picture, side))
    }
}

/// Scales an image down to fit a square with this side.
pub(crate) fn fitting(picture: DynamicImage, side: u32) -> DynamicImage {
    let fits = picture.width() <= side && picture.height() <= side;
    if fits { picture } else { picture.thumbnail(side, side) }
}

/// Scales an image of unknown resolution so that its letters are about as large as in scans.
fn legible(picture: GrayImage) -> GrayImage {
    let (width, height) = picture.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    let picture = DynamicImage::ImageLuma8(picture);
    if pixels > SCAN_PIXELS {
        let shrink = |side: u32| {
            let side = u64::from(side) * SCAN_PIXELS.isqrt() / pixels.isqrt();
            u32::try_from(side).unwrap_or(u32::MAX).max(1)
        };
        picture.thumbnail_exact(shrink(width), shrink(height)).into_luma8()
    } else if pixels < SCREEN_PIXELS {
        let cubic = image::imageops::FilterType::CatmullRom;
        picture.resize_exact(width * 2, height * 2, cubic).into_luma8()
    } else {
        picture.into_luma8()
    }
}
