//! `multipart/form-data`, read as it arrives.
//!
//! Existing crates buffer a preamble or the header of a part without bound. This reader holds at most one frame of the
//! body and [`LONGEST_HEADER`] bytes, whatever is sent.
//! Invariant: file bytes are passed on as slices of the received frames. They are copied only if a frame ends with what
//! may be the start of a boundary.

use super::part::{Parameters, Part};
use bytes::{Buf, Bytes, BytesMut};
use futures_util::stream::{Stream, StreamExt};
use memchr::memmem::Finder;

/// The longest header of a part, and the longest text before the first part.
const LONGEST_HEADER: usize = 16 * 1024;
/// How much is read after the last part, so that the connection can be reused.
const LONGEST_EPILOGUE: usize = 4 * 1024;

/// Why a form cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FormError {
    #[error("The request is not multipart/form-data with a boundary")]
    NotAForm,
    #[error("The form ends before its last boundary")]
    Truncated,
    #[error("Malformed form: {0}")]
    Malformed(&'static str),
    #[error("The rest of a refused file is too long to skip")]
    TooMuchToSkip,
    #[error("The body could not be read: {0}")]
    Body(#[source] axum::Error),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Preamble,
    /// After a boundary: a header follows, or the end.
    Boundary,
    Data,
    End,
}

/// A form that is being read.
pub(crate) struct Form<S> {
    body: S,
    held: Bytes,
    /// CR LF, two hyphens and the boundary.
    delimiter: Finder<'static>,
    at: At,
}

impl<S> Form<S>
where
    S: Stream<Item = Result<Bytes, axum::Error>> + Unpin,
{
    /// `content_type` is the request's header.
    pub(crate) fn new(content_type: &str, body: S) -> Result<Self, FormError> {
        let boundary = boundary(content_type).ok_or(FormError::NotAForm)?;
        let delimiter = Finder::new(format!("\r\n--{boundary}").as_bytes()).into_owned();
        // The first boundary may be at the very start, without the line break that belongs to it.
        Ok(Self { body, held: Bytes::from_static(b"\r\n"), delimiter, at: At::Preamble })
    }

    /// The header of the next part, `None` after the last one. Skips at most `skip` bytes of the previous part.
    pub(crate) async fn next_part(&mut self, skip: u64) -> Result<Option<Part>, FormError> {
        let mut skipped = 0;
        loop {
            match self.at {
                At::Preamble => {
                    while self.find_preamble_end().is_none() {
                        self.more(LONGEST_HEADER, "it does not start with its boundary").await?;
                    }
                }
                At::Data => {
                    while let Some(data) = self.data().await? {
                        skipped += data.len() as u64;
                        if skipped > skip {
                            return Err(FormError::TooMuchToSkip);
                        }
                    }
                }
                At::Boundary => return self.header().await,
                At::End => return Ok(None),
            }
        }
    }

    /// The next bytes of the part, `None` at its end.
    pub(crate) async fn data(&mut self) -> Result<Option<Bytes>, FormError> {
        if self.at != At::Data {
            return Ok(None);
        }
        loop {
            if let Some(end) = self.delimiter.find(&self.held) {
                let data = self.held.split_to(end);
                self.held.advance(self.delimiter.needle().len());
                self.at = At::Boundary;
                return Ok(Some(data).filter(|data| !data.is_empty()));
            }
            let safe = self.held.len() - self.partial_delimiter();
            if safe > 0 {
                return Ok(Some(self.held.split_to(safe)));
            }
            self.more(usize::MAX, "").await?;
        }
    }

    /// Reads the few bytes that may follow the last part, so that the connection can be reused.
    pub(crate) async fn finish(mut self) {
        let mut epilogue = self.held.len();
        while epilogue <= LONGEST_EPILOGUE {
            match self.body.next().await {
                Some(Ok(frame)) => epilogue += frame.len(),
                _ => return,
            }
        }
    }

    fn find_preamble_end(&mut self) -> Option<()> {
        let start = self.delimiter.find(&self.held)?;
        self.held.advance(start + self.delimiter.needle().len());
        self.at = At::Boundary;
        Some(())
    }

    async fn header(&mut self) -> Result<Option<Part>, FormError> {
        while self.held.len() < 2 {
            self.more(LONGEST_HEADER, "").await?;
        }
        if self.held.starts_with(b"--") {
            self.at = At::End;
            return Ok(None);
        }
        // From the line break at the end of the boundary's line to the empty line.
        let end = loop {
            if let Some(end) = memchr::memmem::find(&self.held, b"\r\n\r\n") {
                break end;
            }
            self.more(LONGEST_HEADER, "the header of a part is too long").await?;
        };
        let header = self.held.split_to(end);
        self.held.advance(4);
        self.at = At::Data;
        let line_end = memchr::memmem::find(&header, b"\r\n").unwrap_or(header.len());
        if !header[..line_end].iter().all(|byte| matches!(byte, b' ' | b'\t')) {
            return Err(FormError::Malformed("a boundary is followed by text"));
        }
        Part::read(&header).map(Some).map_err(FormError::Malformed)
    }

    /// How many of the last held bytes may be the start of a boundary.
    fn partial_delimiter(&self) -> usize {
        let needle = self.delimiter.needle();
        let window = self.held.len().saturating_sub(needle.len() - 1);
        // A boundary has one CR, at its start, so only the last CR can begin one.
        match memchr::memrchr(b'\r', &self.held[window..]) {
            Some(at) if needle.starts_with(&self.held[window + at..]) => self.held.len() - window - at,
            _ => 0,
        }
    }

    /// Appends one more frame to the held bytes, of which there must be at most `limit`.
    async fn more(&mut self, limit: usize, otherwise: &'static str) -> Result<(), FormError> {
        if self.held.len() > limit {
            return Err(FormError::Malformed(otherwise));
        }
        let frame = match self.body.next().await {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return Err(FormError::Body(error)),
            None => return Err(FormError::Truncated),
        };
        self.held = if self.held.is_empty() {
            frame
        } else {
            let mut both = BytesMut::with_capacity(self.held.len() + frame.len());
            both.extend_from_slice(&self.held);
            both.extend_from_slice(&frame);
            both.freeze()
        };
        Ok(())
    }
}

fn boundary(content_type: &str) -> Option<String> {
    let (media_type, parameters) = content_type.split_once(';')?;
    if !media_type.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let parameters = Parameters::read(parameters);
    let boundary = parameters.get("boundary")?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    ((1..=70).contains(&boundary.len()) && boundary.bytes().all(allowed)).then(|| boundary.to_owned())
}

#[cfg(test)]
#[path = "multipart_tests.rs"]
mod tests;
