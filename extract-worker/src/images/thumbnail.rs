//! Encodes thumbnails.
//!
//! Invariant: a thumbnail is encoded from pixels alone, so it contains nothing of the file's metadata.

use dossier_extract::Thumbnail;
use dossier_extract::protocol::Failure;
use image::DynamicImage;
use image::codecs::webp::WebPEncoder;

/// The target size: thumbnails are shown in long lists.
const GOOD_BYTES: usize = 96 * 1024;
/// How many low bits of each colour are dropped, step by step, until an image is small enough. Photographs
/// compress badly without loss.
const COARSER: [u32; 3] = [0, 2, 3];

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
