//! One file: from the data of a form to chunks, counted and hashed on the way.

use super::multipart::{Form, FormError};
use crate::db::CHUNK_BYTES;
use crate::sha256::Sha256;
use bytes::{Bytes, BytesMut};
use futures_util::stream::Stream;

/// Why a file could not be received.
#[derive(Debug)]
pub(super) enum ReceiveError {
    TooLarge { limit: u64 },
    Form(FormError),
}

/// Size and digest of a received file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) size_bytes: u64,
    pub(super) sha256: String,
}

/// The chunks of a form's current part.
pub(super) struct Chunks<'a, S> {
    form: &'a mut Form<S>,
    /// The chunk that is being filled. It is kept here, so dropping a [`Chunks::next`] loses nothing.
    filling: BytesMut,
    /// Bytes that did not fit into the previous chunk.
    rest: Bytes,
    limit: u64,
    size: u64,
    hash: Sha256,
}

impl<'a, S> Chunks<'a, S>
where
    S: Stream<Item = Result<Bytes, axum::Error>> + Unpin,
{
    /// The limit applies to the received bytes, whatever was declared.
    pub(super) fn new(form: &'a mut Form<S>, limit: u64) -> Self {
        Self { form, filling: BytesMut::new(), rest: Bytes::new(), limit, size: 0, hash: Sha256::new() }
    }

    /// The next chunk, full unless it is the last. May be dropped and called again.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, ReceiveError> {
        while self.filling.len() < CHUNK_BYTES {
            if self.rest.is_empty() {
                match self.form.data().await.map_err(ReceiveError::Form)? {
                    Some(data) => self.rest = data,
                    None => break,
                }
            }
            if self.filling.is_empty() {
                self.filling.reserve(CHUNK_BYTES);
            }
            let fits = self.rest.len().min(CHUNK_BYTES - self.filling.len());
            self.filling.extend_from_slice(&self.rest.split_to(fits));
            self.size += fits as u64;
            if self.size > self.limit {
                return Err(ReceiveError::TooLarge { limit: self.limit });
            }
        }
        let chunk = std::mem::take(&mut self.filling).freeze();
        self.hash.update(&chunk);
        Ok(Some(chunk).filter(|chunk| !chunk.is_empty()))
    }

    /// Size and digest of everything received.
    pub(super) fn facts(self) -> Received {
        Received { size_bytes: self.size, sha256: self.hash.hex() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    async fn chunks(
        content: &[u8],
        frame: usize,
        limit: u64,
    ) -> Result<(Vec<usize>, Received), ReceiveError> {
        let mut body = b"--B\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n".to_vec();
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n--B--");
        let frames: Vec<_> = body.chunks(frame).map(|frame| Ok(Bytes::copy_from_slice(frame))).collect();
        let mut form = Form::new("multipart/form-data; boundary=B", stream::iter(frames)).unwrap();
        form.next_part(0).await.unwrap();
        let mut chunks = Chunks::new(&mut form, limit);
        let mut sizes = Vec::new();
        while let Some(chunk) = chunks.next().await? {
            sizes.push(chunk.len());
        }
        Ok((sizes, chunks.facts()))
    }

    #[tokio::test]
    async fn every_chunk_but_the_last_is_full() {
        for (size, expected) in [
            (0, vec![]),
            (1, vec![1]),
            (CHUNK_BYTES, vec![CHUNK_BYTES]),
            (CHUNK_BYTES + 1, vec![CHUNK_BYTES, 1]),
            (3 * CHUNK_BYTES - 1, vec![CHUNK_BYTES, CHUNK_BYTES, CHUNK_BYTES - 1]),
        ] {
            for frame in [1000, 8192, 65_536, 1 << 20] {
                let (sizes, facts) = chunks(&vec![b'x'; size], frame, u64::MAX).await.unwrap();
                assert_eq!(sizes, expected, "{size} bytes in frames of {frame}");
                assert_eq!(facts.size_bytes, size as u64);
            }
        }
        let (_, facts) = chunks(b"abc", 10, 3).await.unwrap();
        assert_eq!(facts.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[tokio::test]
    async fn the_limit_holds_to_the_byte() {
        assert!(chunks(&[0; 1000], 64, 1000).await.is_ok());
        assert!(matches!(chunks(&[0; 1001], 64, 1000).await, Err(ReceiveError::TooLarge { limit: 1000 })));
    }
}
