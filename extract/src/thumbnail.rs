//! Thumbnails: the request, and the result as it is sent over the pipe.
//!
//! Invariant: a thumbnail is accepted only if it matches its declaration; [`crate::Extractor`] checks this.

use serde::{Deserialize, Serialize};

/// A small image of a file's first page. It is encoded from pixels, so it contains nothing else from the
/// file: no location, no camera, no name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thumbnail {
    /// Always `image/webp`.
    pub media_type: String,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// The encoded image; base64 on the wire.
    #[serde(with = "base64_bytes")]
    pub bytes: Vec<u8>,
}

impl Thumbnail {
    /// The only media type of a thumbnail.
    pub const MEDIA_TYPE: &str = "image/webp";
    /// Largest encoded image that is accepted.
    pub const MAX_BYTES: usize = 1024 * 1024;
    /// The longest side if the caller does not choose one.
    pub const DEFAULT_SIDE: u32 = 512;
    /// The largest value for the longest side.
    pub const MAX_SIDE: u32 = 1024;
}

/// How to make a thumbnail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThumbnailRequest {
    /// The media type to read the bytes as; `None` detects it.
    pub media_type: Option<String>,
    /// The longest side in pixels, clamped to 1..=[`Thumbnail::MAX_SIDE`].
    pub side: u32,
}

impl Default for ThumbnailRequest {
    fn default() -> Self {
        Self { media_type: None, side: Thumbnail::DEFAULT_SIDE }
    }
}

mod base64_bytes {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        STANDARD.encode(bytes).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(from)?).map_err(D::Error::custom)
    }
}
