//! A thumbnail: what is asked for, and what comes of it, also on the wire.
//!
//! Invariant: a picture is taken over only as what [`Thumbnail`] says; [`crate::Extractor`] checks each.

use serde::{Deserialize, Serialize};

/// A small picture of a file's first page. It is made anew from pixels, so it carries nothing else of the
/// file: no place, no camera, no name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thumbnail {
    /// `image/webp`.
    pub media_type: String,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// The picture's file; base64 on the wire.
    #[serde(with = "base64_bytes")]
    pub bytes: Vec<u8>,
}

impl Thumbnail {
    /// The one kind there is.
    pub const MEDIA_TYPE: &str = "image/webp";
    /// Largest file that is taken over.
    pub const MAX_BYTES: usize = 1024 * 1024;
    /// The longest side, where the caller does not say.
    pub const DEFAULT_SIDE: u32 = 512;
    /// The longest side that can be asked for.
    pub const MAX_SIDE: u32 = 1024;
}

/// What to make a thumbnail of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThumbnailRequest {
    /// The media type to read the bytes as; `None`: as what they are.
    pub media_type: Option<String>,
    /// The longest side, in pixels; taken into 1 to [`Thumbnail::MAX_SIDE`].
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
