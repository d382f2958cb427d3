//! Runs the API inside a client's session. Nothing lies between the connection and a handler: no socket, no second parser.
//!
//! Invariant: a handler whose client disconnects in the middle of the body learns of it and runs to its end, because it may
//! have an upload to abort. A handler that has the whole body is dropped, because nobody waits for it any more.

use super::connection::Connection;
use super::feed::{Feed, Step, feed};
use super::pace::{BodyLimits, Pace};
use crate::http::{ChangedNothing, Problem};
use axum::Router;
use axum::body::Body as AxumBody;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use http::{HeaderValue, Method, Request, StatusCode, Version, header};
use http_body::Body;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::proxy::Session;
use pingora::{Error, ErrorType, Result};
use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::panic::AssertUnwindSafe;
use tower_service::Service;

/// The API.
pub(super) struct Api {
    router: Router,
    limits: BodyLimits,
}

impl Api {
    pub(super) fn new(router: Router, limits: BodyLimits) -> Self {
        Self { router, limits }
    }

    /// Passes a request to its handler, with the body that arrives in `session`. Returns once the handler responds.
    pub(super) async fn ask(
        &self,
        session: &mut Session,
        request: RequestHeader,
    ) -> Result<(ResponseHeader, Answer)> {
        let (mut feed, body) = feed(session, &request, Pace::new(self.limits));
        let mut request = Request::from_parts(request.into(), AxumBody::new(body));
        *request.version_mut() = Version::HTTP_11;
        let mut handler = Handler::start(self.router.clone(), request);
        let response = loop {
            if feed.ended
                && !handler.has_whole_body
                && let Some(connection) = session.stream().and_then(Connection::of)
            {
                connection.body_is_read();
            }
            handler.has_whole_body = feed.ended;
            tokio::select! {
                biased;
                response = handler.response() => break response,
                done = feed.step(session) => {
                    if matches!(done?, Step::Announce) {
                        session.write_continue_response().await.map_err(Error::into_down)?;
                    }
                }
            }
        };
        feed.skip_unread(session);
        let (parts, body) = response.into_parts();
        let reports_a_change =
            !session.req_header().method.is_safe() && parts.extensions.get::<ChangedNothing>().is_none();
        let mut header = ResponseHeader::from(parts);
        let body = framed(session.req_header(), &mut header, body)?;
        Ok((header, Answer { body, feed, reports_a_change }))
    }
}

/// The body of a response, of which the head is still to be sent.
pub(super) struct Answer {
    body: Option<AxumBody>,
    feed: Feed,
    /// Whether the request has changed something.
    pub(super) reports_a_change: bool,
}

impl Answer {
    /// How much memory the body occupies until it is sent. 0 if it is made while it is sent.
    pub(super) fn held_bytes(&self) -> u64 {
        self.body.as_ref().and_then(|body| body.size_hint().exact()).unwrap_or_default()
    }

    /// Sends the response. If its body fails, the connection breaks off, so that no client takes it for complete.
    pub(super) async fn send(self, session: &mut Session, header: ResponseHeader) -> Result<()> {
        let Self { body, mut feed, .. } = self;
        let down = Error::into_down;
        session.write_response_header(Box::new(header), body.is_none()).await.map_err(down)?;
        if let Some(mut body) = body {
            while let Some(data) = next_data(&mut body, &mut feed, session).await? {
                session.write_response_body(Some(data), false).await.map_err(down)?;
            }
        }
        session.write_response_body(None, true).await.map_err(down)
    }
}

/// The next data of a response, while the handler may still read the request.
async fn next_data(body: &mut AxumBody, feed: &mut Feed, session: &mut Session) -> Result<Option<Bytes>> {
    loop {
        let frame = tokio::select! {
            biased;
            frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)) => frame,
            done = feed.step(session) => {
                done?;
                continue;
            }
        };
        match frame {
            None => return Ok(None),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) if !data.is_empty() => return Ok(Some(data)),
                // Trailers, which no handler sends.
                _ => {}
            },
            Some(Err(error)) => {
                return Err(Error::because(ErrorType::InternalError, "the body of a response failed", error));
            }
        }
    }
}

/// Says in the head how the body ends. `None`: the response has none.
fn framed(request: &RequestHeader, header: &mut ResponseHeader, body: AxumBody) -> Result<Option<AxumBody>> {
    let bodiless = matches!(header.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if bodiless || request.method == Method::HEAD {
        return Ok(None);
    }
    if !header.headers.contains_key(header::CONTENT_LENGTH) {
        match body.size_hint().exact() {
            Some(length) => header.insert_header(header::CONTENT_LENGTH, length)?,
            // HTTP/1.0 knows no chunks. The body ends with the connection.
            None if request.version < Version::HTTP_11 => {}
            None => header.insert_header(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"))?,
        }
    }
    Ok(Some(body))
}

/// A running handler.
struct Handler {
    future: Option<BoxFuture<'static, Response>>,
    has_whole_body: bool,
}

impl Handler {
    fn start(mut router: Router, request: Request<AxumBody>) -> Self {
        // A router is always ready.
        let response: BoxFuture<'static, Result<Response, Infallible>> = Box::pin(router.call(request));
        let caught = AssertUnwindSafe(response).catch_unwind().map(|outcome| {
            outcome.map_or_else(
                |_| {
                    tracing::error!("a handler panicked");
                    Problem::internal().into_response()
                },
                |Ok(response)| response,
            )
        });
        Self { future: Some(caught.boxed()), has_whole_body: false }
    }

    /// Its response. May be dropped and called again until it returns.
    async fn response(&mut self) -> Response {
        let Some(future) = &mut self.future else { return pending().await };
        let response = future.await;
        self.future = None;
        response
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        if let (Some(future), false, Ok(runtime)) =
            (self.future.take(), self.has_whole_body, tokio::runtime::Handle::try_current())
        {
            runtime.spawn(async move { drop(future.await) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use std::sync::Arc;
    use tokio::sync::{Notify, oneshot};

    /// Drops a handler while it works. Whether it came to its end.
    async fn finishes(has_whole_body: bool) -> bool {
        let (done, finished) = oneshot::channel();
        let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let work = {
            let (begun, go, done) =
                (Arc::clone(&begun), Arc::clone(&go), Arc::new(std::sync::Mutex::new(Some(done))));
            move || async move {
                begun.notify_one();
                go.notified().await;
                let done = done.lock().unwrap().take();
                done.unwrap().send(()).unwrap();
            }
        };
        let mut handler =
            Handler::start(Router::new().route("/", get(work)), Request::new(AxumBody::empty()));
        handler.has_whole_body = has_whole_body;
        tokio::select! {
            _ = handler.response() => unreachable!("it waits"),
            () = begun.notified() => {}
        }
        drop(handler);
        go.notify_one();
        finished.await.is_ok()
    }

    #[tokio::test]
    async fn only_a_handler_that_lacks_a_part_of_its_body_survives_its_client() {
        assert!(finishes(false).await);
        assert!(!finishes(true).await);
    }

    #[tokio::test]
    async fn a_panic_is_an_internal_error() {
        async fn bug() -> StatusCode {
            unreachable!("a bug")
        }
        let router = Router::new().route("/", get(bug));
        let response = Handler::start(router, Request::new(AxumBody::empty())).response().await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
