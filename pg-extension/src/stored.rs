//! Copies the bytes of a stored document out of their chunks.
//!
//! Invariant: only a few chunks are in memory at a time. The whole file is only in the worker's descriptor.

use dossier_extract::Source;
use pgrx::prelude::*;
use pgrx::spi::SpiError;
use sha2::{Digest, Sha256};
use std::io::Write;

/// Chunks fetched at a time: 1 MiB of 256 KiB rows.
const BATCH: i64 = 4;

pub(crate) enum ReadError {
    Io(std::io::Error),
    Spi(SpiError),
}

impl From<std::io::Error> for ReadError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<SpiError> for ReadError {
    fn from(error: SpiError) -> Self {
        Self::Spi(error)
    }
}

/// The document's bytes as a source, and their SHA-256 in hexadecimal.
pub(crate) fn read(document_id: &str) -> Result<(Source, String), ReadError> {
    let mut file = Source::empty()?;
    let mut hash = Sha256::new();
    Spi::connect(|client| {
        let mut cursor = client.open_cursor(
            "select c.bytes from dossier.documents d \
             join dossier_private.document_chunks c on c.document_id = d.id and c.organization_id = d.organization_id \
             where d.id = $1::uuid order by c.seq",
            &[document_id.into()],
        );
        loop {
            let rows = cursor.fetch(BATCH)?;
            if rows.is_empty() {
                return Ok::<_, ReadError>(());
            }
            for row in rows {
                if let Some(bytes) = row.get::<&[u8]>(1)? {
                    hash.update(bytes);
                    file.write_all(bytes)?;
                }
            }
        }
    })?;
    let digest = hash.finalize();
    Ok((Source::seal(file)?, format!("{digest:x}")))
}
