//! One file: from the data of a request to chunks, counted and hashed on the way.

use super::multipart::{Form, FormError};
use crate::db::CHUNK_BYTES;
use crate::sha256::Sha256;
use bytes::{Bytes, BytesMut};
use futures_util::stream::Stream;

/// Why a file could not be received.
#[derive(Debug)]
pub(super) enum ReceiveError {
    TooLarge {
        limit: u64,
    },
    Form(FormError),
    /// A body without a form broke off. The bytes before that are whole, and were returned as chunks.
    Interrupted(axum::Error),
}

/// Where the bytes of a file come from.
pub(super) trait Source: Send {
    /// The next bytes, `None` at the end. Dropping the future loses nothing.
    fn data(&mut self) -> impl Future<Output = Result<Option<Bytes>, ReceiveError>> + Send;
}

/// The current part of a form.
impl<S> Source for Form<S>
where
    S: Stream<Item = Result<Bytes, axum::Error>> + Unpin + Send,
{
    async fn data(&mut self) -> Result<Option<Bytes>, ReceiveError> {
        self.data().await.map_err(ReceiveError::Form)
    }
}

/// What is computed from the bytes of a file, in order.
pub(super) trait Tally: Send {
    fn add(&mut self, bytes: &[u8]);
}

impl Tally for Sha256 {
    fn add(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }
}

/// The chunks of a file, or of the rest of a file.
pub(super) struct Chunks<'a, S, T> {
    source: &'a mut S,
    /// The chunk that is being filled. It is kept here, so dropping a [`Chunks::next`] loses nothing.
    filling: BytesMut,
    /// Bytes that did not fit into the previous chunk.
    rest: Bytes,
    /// Where in the file the chunk begins that is being filled.
    position: u64,
    limit: u64,
    size: u64,
    tally: T,
    failed: Option<ReceiveError>,
}

impl<'a, S: Source, T: Tally> Chunks<'a, S, T> {
    /// The file already has `position` bytes. The limit applies to the bytes that are received, whatever was declared.
    pub(super) fn new(source: &'a mut S, position: u64, limit: u64, tally: T) -> Self {
        let (filling, rest) = (BytesMut::new(), Bytes::new());
        Self { source, filling, rest, position, limit, size: 0, tally, failed: None }
    }

    /// Waits until the first bytes have arrived, or the file has ended.
    pub(super) async fn first_bytes(&mut self) -> Result<(), ReceiveError> {
        if self.rest.is_empty() {
            self.rest = self.source.data().await?.unwrap_or_default();
        }
        Ok(())
    }

    /// The next chunk. It ends at a multiple of [`CHUNK_BYTES`], unless it is the last. May be dropped and called again.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, ReceiveError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let room = CHUNK_BYTES - usize::try_from(self.position % CHUNK_BYTES as u64).unwrap_or(0);
        while self.filling.len() < room {
            if self.rest.is_empty() {
                match self.source.data().await {
                    Ok(Some(data)) => self.rest = data,
                    Ok(None) => break,
                    Err(error @ ReceiveError::Interrupted(_)) if !self.filling.is_empty() => {
                        self.failed = Some(error);
                        break;
                    }
                    Err(error) => return Err(error),
                }
            }
            if self.filling.is_empty() {
                self.filling.reserve(room);
            }
            let fits = self.rest.len().min(room - self.filling.len());
            self.filling.extend_from_slice(&self.rest.split_to(fits));
            self.size += fits as u64;
            if self.size > self.limit {
                return Err(ReceiveError::TooLarge { limit: self.limit });
            }
        }
        let chunk = std::mem::take(&mut self.filling).freeze();
        self.position += chunk.len() as u64;
        self.tally.add(&chunk);
        Ok(Some(chunk).filter(|chunk| !chunk.is_empty()))
    }

    /// Lets the next call of [`Chunks::next`] return this error.
    pub(super) fn fail(&mut self, error: ReceiveError) {
        self.failed = Some(error);
    }

    /// Where in the file the chunk begins that [`Chunks::next`] returns.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// How many bytes were received, and what was computed from them.
    pub(super) fn into_facts(self) -> (u64, T) {
        (self.size, self.tally)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use std::collections::VecDeque;

    async fn chunks(
        content: &[u8],
        frame: usize,
        limit: u64,
    ) -> Result<(Vec<usize>, u64, String), ReceiveError> {
        let mut body = b"--B\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n".to_vec();
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n--B--");
        let frames: Vec<_> = body.chunks(frame).map(|frame| Ok(Bytes::copy_from_slice(frame))).collect();
        let mut form = Form::new("multipart/form-data; boundary=B", stream::iter(frames)).unwrap();
        form.next_part(0).await.unwrap();
        let mut chunks = Chunks::new(&mut form, 0, limit, Sha256::new());
        let mut sizes = Vec::new();
        while let Some(chunk) = chunks.next().await? {
            sizes.push(chunk.len());
        }
        let (size, hash) = chunks.into_facts();
        Ok((sizes, size, hash.hex()))
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
                let (sizes, received, _) = chunks(&vec![b'x'; size], frame, u64::MAX).await.unwrap();
                assert_eq!(sizes, expected, "{size} bytes in frames of {frame}");
                assert_eq!(received, size as u64);
            }
        }
        let (_, _, sha256) = chunks(b"abc", 10, 3).await.unwrap();
        assert_eq!(sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[tokio::test]
    async fn the_limit_holds_to_the_byte() {
        assert!(chunks(&[0; 1000], 64, 1000).await.is_ok());
        assert!(matches!(chunks(&[0; 1001], 64, 1000).await, Err(ReceiveError::TooLarge { limit: 1000 })));
    }
    /// A body that breaks off after these frames.
    struct Broken(VecDeque<Bytes>);

    impl Source for Broken {
        async fn data(&mut self) -> Result<Option<Bytes>, ReceiveError> {
            let error = || ReceiveError::Interrupted(axum::Error::new(std::io::Error::other("gone")));
            self.0.pop_front().map(Some).ok_or_else(error)
        }
    }

    #[tokio::test]
    async fn what_arrived_before_an_interruption_is_returned_first() {
        let frames = [CHUNK_BYTES, 1000].map(|size| Bytes::from(vec![b'x'; size]));
        let mut body = Broken(frames.into());
        // The file continues within its second chunk.
        let position = CHUNK_BYTES as u64 + 100;
        let mut chunks = Chunks::new(&mut body, position, u64::MAX, Sha256::new());
        let mut sizes = Vec::new();
        while let Ok(Some(chunk)) = chunks.next().await {
            sizes.push(chunk.len());
        }
        assert_eq!(sizes, [CHUNK_BYTES - 100, 1100]);
        assert_eq!(chunks.position(), position + CHUNK_BYTES as u64 + 1000);
        assert!(matches!(chunks.next().await, Err(ReceiveError::Interrupted(_))), "and it stays an error");
    }
}
