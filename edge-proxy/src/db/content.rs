//! The stored bytes of a document, which the database keeps in chunk rows.

use super::{Caller, Db, DbError, first};
use tokio_postgres::types::Type;
use uuid::Uuid;

const READ: &str = "select dossier.read_content($1, $2, $3)";

/// The size of every stored chunk except the last one, as the database requires. A read within one chunk reads one row.
pub(crate) const CHUNK_BYTES: usize = 256 * 1024;

impl Db {
    /// At most `length` bytes from `offset` on. None if the document is no longer visible to the caller.
    pub(crate) async fn content(
        &self,
        caller: &Caller,
        document: Uuid,
        offset: u64,
        length: u64,
    ) -> Result<Vec<u8>, DbError> {
        let offset = i64::try_from(offset).unwrap_or(i64::MAX);
        let length = i32::try_from(length).unwrap_or(i32::MAX);
        let params = [(&document as _, Type::UUID), (&offset as _, Type::INT8), (&length as _, Type::INT4)];
        Ok(first(&self.rows(caller, READ, &params).await?)?.unwrap_or_default())
    }

    /// Exactly `length` bytes, or an error if the document was deleted meanwhile.
    pub(crate) async fn whole_content(
        &self,
        caller: &Caller,
        document: Uuid,
        offset: u64,
        length: u64,
    ) -> Result<Vec<u8>, DbError> {
        let bytes = self.content(caller, document, offset, length).await?;
        if bytes.len() as u64 == length { Ok(bytes) } else { Err(DbError::Changed) }
    }
}
