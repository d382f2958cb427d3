//! A small picture of a file's first page.
//!
//! Invariant: it is encoded anew from pixels; no byte of the file's own metadata is in it.

use dossier_extract::Thumbnail;
use dossier_extract::protocol::Failure;
use image::DynamicImage;
use image::codecs::webp::WebPEncoder;

/// A thumbnail is shown in lists of many.
const GOOD_BYTES: usize = 96 * 1024;
/// Low bits of each colour that are given up, one after the other, where a picture is larger than that:
/// photographs compress badly without loss.
const COARSER: [u32; 3] = [0, 2, 3];

/// Encodes what is already small enough in pixels.
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
                .map_err(|error| Failure::Malformed { reason: format!("no thumbnail: {error}") })?;
            if bytes.len() <= GOOD_BYTES {
                break;
            }
        }
        // Halving ends: a picture of one pixel is small.
        if bytes.len() <= Thumbnail::MAX_BYTES {
            return Ok(Thumbnail { media_type: Thumbnail::MEDIA_TYPE.to_owned(), width, height, bytes });
        }
        picture = image::imageops::thumbnail(&picture, width.div_ceil(2), height.div_ceil(2));
    }
}

/// `channel` without its lowest bits, white staying white and black black.
fn coarse(channel: u8, bits: u32) -> u8 {
    let steps = (1_u32 << (8 - bits)) - 1;
    let step = (u32::from(channel) * steps + 127) / 255;
    u8::try_from(step * 255 / steps).unwrap_or(u8::MAX)
}
