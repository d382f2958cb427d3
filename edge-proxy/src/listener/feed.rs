//! The body of a request on its way from a connection to a handler.
//!
//! A handler asks for the body piece by piece, and only then is a piece read. So a waiting upload holds one piece, and TCP slows
//! down a client that sends faster.
//! Invariant: a body that arrives too slowly, or is too large, is not read to its end.

use super::pace::Pace;
use bytes::Bytes;
use futures_util::future::FutureExt;
use http::header;
use http_body::{Body, Frame, SizeHint};
use pingora::http::RequestHeader;
use pingora::proxy::Session;
use pingora::{Error, ErrorType, Result};
use std::future::pending;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How much of a body that no handler reads is skipped to keep the connection. It must have arrived already.
const SKIPPED: usize = 64 * 1024;

/// Why the edge no longer reads a body, as an error of pingora.
pub(super) const BODY_TOO_SLOW: ErrorType = ErrorType::Custom("body too slow");
pub(super) const BODY_TOO_LARGE: ErrorType = ErrorType::Custom("body too large");

/// Both ends of the body of a request: one that reads the connection, and one for the handler.
pub(super) fn feed(session: &mut Session, request: &RequestHeader, pace: Pace) -> (Feed, RequestBody) {
    let ended = session.is_body_done();
    let (ask, asked) = mpsc::channel(1);
    // One piece, and the end.
    let (give, pieces) = mpsc::channel(2);
    let declared = request.headers.get(header::CONTENT_LENGTH);
    let remaining = declared.and_then(|length| length.to_str().ok()?.parse().ok());
    let expects = request.headers.get(header::EXPECT);
    let announce = expects.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    let body = RequestBody { pieces, ask, has_asked: false, ended, remaining };
    (Feed { asked, give, wanted: false, ended, announce, pace }, body)
}

/// A piece of a body, or its end.
type Piece = Option<Bytes>;

/// What a connection has done for a handler.
pub(super) enum Step {
    /// The handler wants a body, and the client waits for `100 Continue`.
    Announce,
    /// A piece was passed on.
    Fed,
}

/// Reads the body of a request for its handler.
pub(super) struct Feed {
    asked: mpsc::Receiver<()>,
    give: mpsc::Sender<Piece>,
    wanted: bool,
    pub(super) ended: bool,
    announce: bool,
    pace: Pace,
}

impl Feed {
    /// The next thing that the handler needs from the connection. Afterwards, waits until the client disconnects, which is
    /// an error. May be dropped and called again.
    pub(super) async fn step(&mut self, session: &mut Session) -> Result<Step> {
        if self.ended {
            session.read_body_or_idle(true).await.map_err(Error::into_down)?;
            return pending().await;
        }
        if !self.wanted {
            // The handler has dropped its body: the rest is not read.
            let Some(()) = self.asked.recv().await else { return pending().await };
            self.wanted = true;
        }
        if std::mem::take(&mut self.announce) {
            return Ok(Step::Announce);
        }
        let patience = self.pace.patience(Instant::now());
        let piece = match timeout(patience, session.read_body_or_idle(false)).await {
            Ok(piece) => piece.map_err(Error::into_down)?,
            Err(_) => return Err(Error::new_down(BODY_TOO_SLOW)),
        };
        if !self.pace.received(piece.as_ref().map_or(0, Bytes::len), Instant::now()) {
            return Err(Error::new_down(BODY_TOO_LARGE));
        }
        self.wanted = false;
        self.ended = piece.is_none() || session.is_body_done();
        // There is room: a handler asks for one piece at a time. If it has dropped its body, nobody needs the piece.
        if piece.is_some() {
            let _ = self.give.try_send(piece);
        }
        if self.ended {
            let _ = self.give.try_send(None);
        }
        Ok(Step::Fed)
    }

    /// Skips the rest of a short body that nobody reads, so that the connection can be used again.
    pub(super) fn skip_unread(&mut self, session: &mut Session) {
        let mut skipped = 0;
        while !self.ended && self.asked.is_closed() && skipped < SKIPPED {
            match session.read_body_or_idle(false).now_or_never() {
                Some(Ok(Some(piece))) => {
                    skipped += piece.len();
                    self.ended = session.is_body_done();
                }
                _ => return,
            }
        }
    }
}

/// The client disconnected in the middle of the body.
#[derive(Debug, thiserror::Error)]
#[error("the client disconnected in the middle of the body")]
pub(super) struct Interrupted;

/// The body of a request, as a handler reads it.
pub(super) struct RequestBody {
    pieces: mpsc::Receiver<Piece>,
    ask: mpsc::Sender<()>,
    has_asked: bool,
    ended: bool,
    remaining: Option<u64>,
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Interrupted;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Interrupted>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        match self.pieces.poll_recv(cx) {
            Poll::Ready(Some(Some(piece))) => {
                self.has_asked = false;
                self.remaining = self.remaining.map(|remaining| remaining.saturating_sub(piece.len() as u64));
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            Poll::Ready(end) => {
                self.ended = true;
                // Without an end, the other side is gone.
                Poll::Ready(end.is_none().then_some(Err(Interrupted)))
            }
            Poll::Pending => {
                if !self.has_asked {
                    self.has_asked = true;
                    let _ = self.ask.try_send(());
                }
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }

    fn size_hint(&self) -> SizeHint {
        match self.remaining {
            _ if self.ended => SizeHint::with_exact(0),
            Some(remaining) => SizeHint::with_exact(remaining),
            None => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    fn body(remaining: Option<u64>) -> (mpsc::Sender<Piece>, mpsc::Receiver<()>, RequestBody) {
        let (ask, asked) = mpsc::channel(1);
        let (give, pieces) = mpsc::channel(2);
        (give, asked, RequestBody { pieces, ask, has_asked: false, ended: false, remaining })
    }

    #[tokio::test]
    async fn a_body_is_asked_for_one_piece_at_a_time() {
        let (give, mut asked, mut body) = body(Some(5));
        for (piece, left) in [("he", 3), ("llo", 0)] {
            assert!(asked.try_recv().is_err(), "nothing is read before the handler reads");
            for _ in 0..3 {
                assert!(body.frame().now_or_never().is_none());
            }
            assert!(asked.try_recv().is_ok() && asked.try_recv().is_err());
            give.try_send(Some(Bytes::from_static(piece.as_bytes()))).unwrap();
            assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), piece);
            assert_eq!(body.size_hint().exact(), Some(left));
        }
        give.try_send(None).unwrap();
        assert!(body.frame().await.is_none() && body.is_end_stream());
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_an_error() {
        let (give, _asked, mut body) = body(None);
        give.try_send(Some(Bytes::from_static(b"he"))).unwrap();
        drop(give);
        assert!(body.frame().await.unwrap().is_ok());
        assert!(body.frame().await.unwrap().is_err());
        assert!(body.frame().await.is_none());
    }
}
