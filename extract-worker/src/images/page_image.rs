//! How the pages of a file look: a PDF's are drawn, an image's are decoded.
//!
//! Invariant: knows neither words nor thumbnails; those who want pixels say how many.

use crate::detection::Format;
use crate::images::image_file::ImageFile;
use crate::input::Input;
use crate::pdf::{POINTS_PER_INCH, Renderer};
use dossier_extract::Limits;
use dossier_extract::protocol::Failure;
use image::{DynamicImage, GrayImage};
use std::sync::Arc;

/// What can be seen of one file.
pub(crate) enum PageImages {
    Pdf(Renderer),
    Image(ImageFile<Input>),
}

/// A page as it is read.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) image: GrayImage,
    /// Pixels an inch, where the file says how large the page is.
    pub(crate) resolution: Option<u32>,
}

/// What scanners are set to for reading.
const SCAN_DPI: f64 = 300.0;
/// A scan has no more pixels than this: A2 at 300 dpi, A4 at 600.
const SCAN_PIXELS: u64 = 36_000_000;
/// A picture this small is one of a screen, with letters of half the size that scans have.
const SCREEN_PIXELS: u64 = 2_200_000;

impl PageImages {
    pub(crate) fn open(input: Input, format: &Format, limits: &Limits) -> Result<Self, Failure> {
        match format {
            Format::Pdf => Ok(Self::Pdf(Renderer::open(&Arc::new(input))?)),
            Format::Image(kind) => Ok(Self::Image(ImageFile::new(input, *kind, limits))),
            other => Err(Failure::Unsupported { media_type: other.media_type().to_owned() }),
        }
    }

    /// A page, from 0, large enough to be read.
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

    /// The first page within a square of that side.
    pub(crate) fn small(&mut self, side: u32, limits: &Limits) -> Result<DynamicImage, Failure> {
        let picture = match self {
            Self::Pdf(renderer) => {
                let (width, height) = renderer.size(0).unwrap_or((1.0, 1.0));
                renderer.draw(0, f64::from(side) / width.max(height), limits.pixels)?.picture
            }
            Self::Image(file) => file.decode(0)?,
        };
        let fits = picture.width() <= side && picture.height() <= side;
        Ok(if fits { picture } else { picture.thumbnail(side, side) })
    }
}

/// Brings a picture of unknown resolution near the size that letters have in scans.
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
