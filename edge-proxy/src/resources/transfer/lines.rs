//! The lines of a body, one in memory at a time.

use crate::http::Problem;
use axum::body::Bytes;
use futures_util::stream::{Stream, StreamExt};
use http::StatusCode;

/// The longest record is a version of a context. With the default limits it is shorter, even if all of it is escaped.
pub(super) const LONGEST_LINE: usize = 16 * 1024 * 1024;

/// A source of lines.
pub(super) trait Source {
    /// The next line without its line break, `None` after the last.
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<u8>>, Problem>> + Send;
}

/// The lines of a body. The last one needs no line break.
pub(super) struct Lines<S> {
    stream: S,
    rest: Bytes,
    number: u64,
}

impl<S> Lines<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, rest: Bytes::new(), number: 0 }
    }
}

impl<S> Source for Lines<S>
where
    S: Stream<Item = Result<Bytes, axum::Error>> + Unpin + Send,
{
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Problem> {
        self.number += 1;
        let mut line = Vec::new();
        loop {
            if self.rest.is_empty() {
                match self.stream.next().await {
                    Some(frame) => self.rest = frame.map_err(|error| unreadable(&error))?,
                    None => return Ok(Some(line).filter(|line| !line.is_empty())),
                }
            }
            let end = memchr::memchr(b'\n', &self.rest);
            line.extend_from_slice(&self.rest.split_to(end.unwrap_or(self.rest.len())));
            if line.len() > LONGEST_LINE {
                return Err(too_long(self.number));
            }
            if end.is_some() {
                self.rest = self.rest.slice(1..);
                return Ok(Some(line));
            }
        }
    }
}

pub(super) fn too_long(line: u64) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("Line {line} is longer than {LONGEST_LINE} bytes"))
        .details("This is a limit of the edge for one record.")
        .hint("Send the records of an NDJSON export unchanged, one per line.")
}

pub(super) fn unreadable(error: &axum::Error) -> Problem {
    Problem::bad_request("The body could not be read")
        .details(format!("Reading it failed: {error}."))
        .hint("Send the complete body again.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    #[tokio::test]
    async fn lines_are_complete_in_frames_of_any_size() {
        let text = b"one\n\ntwo\nlast";
        for frame in 1..=text.len() {
            let frames: Vec<_> = text.chunks(frame).map(|frame| Ok(Bytes::copy_from_slice(frame))).collect();
            let mut lines = Lines::new(stream::iter(frames));
            let mut read = Vec::new();
            while let Some(line) = lines.next().await.unwrap() {
                read.push(String::from_utf8(line).unwrap());
            }
            assert_eq!(read, ["one", "", "two", "last"], "in frames of {frame}");
        }
    }

    #[tokio::test]
    async fn no_line_is_longer_than_the_limit() {
        let frame = Bytes::from(vec![b'x'; 1 << 20]);
        let mut lines = Lines::new(stream::iter((0..17).map(|_| Ok(frame.clone()))));
        assert_eq!(lines.next().await.unwrap_err().status, StatusCode::PAYLOAD_TOO_LARGE);
    }
}
