//! Encodes thumbnails.
//!
//! Invariant: a thumbnail is encoded from pixels alone, so it contains nothing of the file's metadata.

use super::image_file::ImageFile;
use super::page_image;
use dossier_extract::protocol::Failure;
use dossier_extract::{Limits, Thumbnail};
use image::codecs::webp::WebPEncoder;
use image::{DynamicImage, ImageFormat};

/// The target size: thumbnails are shown in long lists.
const GOOD_BYTES: usize = 96 * 1024;
/// How many low bits of each colour are dropped, step by step, until an image is small enough. Photographs
/// compress badly without loss.
const COARSER: [u32; 3] = [0, 2, 3];

/// The darkest and lightest pixel of an image that shows something differ by more than this.
const LEAST_CONTRAST: u8 = 24;

/// The image in a file of any supported format, scaled to fit a square with this side; `None` if it cannot be decoded
/// within the limits, or is blank.
pub(crate) fn of_image(bytes: &[u8], side: u32, limits: &Limits) -> Option<DynamicImage> {
    let format = image::guess_format(bytes).ok().filter(ImageFormat::reading_enabled)?;
    let picture = page_image::fitting(ImageFile::new(bytes, format, limits).decode(0).ok()?, side);
    let shades = picture.to_luma8();
    let darkest = shades.iter().min()?;
    let lightest = shades.iter().max()?;
    (lightest - darkest > LEAST_CONTRAST).then_some(picture)
}

/// Encodes an image whose dimensions are already small enough.
pub(crate) fn encode(picture: &DynamicImage) -> Result<Thumbnail, Failure> {
    let mut picture = picture.to_rgb8();
    loop {
        let (width, height) = picture.dimensions();
        let mut bytes = Vec::new();
        for bits in COARSER {
            picture.iter_mut().for_each(|channel| *channel = coarse(*channel, bits));
            bytes.clear();
            WebPEncoder::new_lossless(&mut bytes)
                .encode(&picture, width, height, image::ExtendedColorType::Rgb8)
                .map_err(|error| Failure::Malformed {
                    reason: format!("the thumbnail cannot be encoded: {error}"),
                })?;
            if bytes.len() <= GOOD_BYTES {
                break;
            }
        }
        // Halving terminates: an image of one pixel is small enough.
        if bytes.len() <= Thumbnail::MAX_BYTES {
            return Ok(Thumbnail { media_type: Thumbnail::MEDIA_TYPE.to_owned(), width, height, bytes });
        }
        picture = image::imageops::thumbnail(&picture, width.div_ceil(2), height.div_ceil(2));
    }
}

/// Drops the lowest bits of a channel; black stays black and white stays white.
fn coarse(channel: u8, bits: u32) -> u8 {
    let steps = (1_u32 << (8 - bits)) - 1;
    let step = (u32::from(channel) * steps + 127) / 255;
    u8::try_from(step * 255 / steps).unwrap_or(u8::MAX)
}
