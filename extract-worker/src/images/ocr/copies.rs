//! Pages that show the same image: it is read once.

use crate::images::page_image::Scan;
use crate::output::reply::Recognized;
use dossier_extract::protocol::Failure;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// The images that were read, and what came of each.
#[derive(Default)]
pub(super) struct Copies {
    known: HashMap<Fingerprint, (u32, Result<Recognized, Failure>)>,
    hashers: [RandomState; 2],
}

/// 128 bits with random keys. A file cannot make two of its images look the same.
type Fingerprint = [u64; 2];

impl Copies {
    /// The words of a page: those of an earlier page with the same image, or else what `read` returns.
    pub(super) fn read_once(
        &mut self,
        page: u32,
        scan: &Scan,
        read: impl FnOnce() -> Result<Recognized, Failure>,
    ) -> Result<Recognized, Failure> {
        let image = (scan.image.dimensions(), scan.resolution, scan.image.as_raw());
        let fingerprint = [self.hashers[0].hash_one(image), self.hashers[1].hash_one(image)];
        if let Some((first, outcome)) = self.known.get(&fingerprint) {
            let mut recognized = outcome.clone()?;
            let copy = format!("the same image as page {first}");
            let reason = recognized.reason.take();
            recognized.reason =
                Some(reason.map_or_else(|| copy.clone(), |reason| format!("{reason}; {copy}")));
            return Ok(recognized);
        }
        let outcome = read();
        self.known.insert(fingerprint, (page, outcome.clone()));
        outcome
    }
}
