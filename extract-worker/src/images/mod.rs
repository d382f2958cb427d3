//! Pixels: image files, pages as images, thumbnails, and the recognition of words in them.

pub(crate) mod image_file;
pub mod ocr;
pub(crate) mod page_image;
pub(crate) mod thumbnail;
