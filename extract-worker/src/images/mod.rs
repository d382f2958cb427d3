//! Everything about pixels: image files, pages as images, OCR and thumbnails.

pub(crate) mod image_file;
pub mod ocr;
pub(crate) mod page_image;
pub(crate) mod text_page;
pub(crate) mod thumbnail;
