//! The thumbnail that the writer of an office file stored in it.

use super::odf::flat;
use super::package::Parts;
use dossier_extract::Limits;
use dossier_extract::protocol::Failure;

/// Names of thumbnails to which no relationship points: always in OpenDocument, sometimes in Open XML.
const USUAL: [&str; 4] = [
    "Thumbnails/thumbnail.png",
    "docProps/thumbnail.jpeg",
    "docProps/thumbnail.png",
    "docProps/thumbnail.jpg",
];

/// The bytes of the image, if the file contains one. They may have any format, or be damaged.
pub(crate) fn carried_thumbnail(bytes: &[u8], limits: &Limits) -> Result<Option<Vec<u8>>, Failure> {
    if flat::text(bytes).is_some() {
        return Ok(None);
    }
    let mut parts = Parts::open(bytes, limits)?;
    let related =
        parts.relationships("")?.into_iter().filter(|to| to.kind == "thumbnail").map(|to| to.target);
    let candidates: Vec<String> = related.chain(USUAL.map(str::to_owned)).collect();
    for part in candidates {
        let image = parts.read_bytes(&part)?;
        if image.as_ref().is_some_and(|bytes| !bytes.is_empty()) {
            return Ok(image);
        }
    }
    Ok(None)
}
