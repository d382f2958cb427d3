//! What the listener does with one request.

use super::api::Api;
use super::connection::Connection;
use super::cors::Cors;
use super::feed::{BODY_TOO_LARGE, BODY_TOO_SLOW};
use super::forwarded::{self, Client};
use super::framing::{self, RawHead};
use super::location;
use super::pace::BodyLimits;
use super::rate::RateLimit;
use super::request_id::request_id;
use super::respond::{
    ambiguous_path, bad_gateway, gateway_timeout, head_too_large, malformed, no_tunnel, no_upstream,
    preflight, refuse, timed_out, too_large, too_large_on_arrival, too_many_requests, too_slow, unknown_path,
    unreadable,
};
use super::target::{self, Target};
use super::unread::{Unread, Unsent};
use super::upstream::Stack;
use crate::auth::USER_HEADER;
use crate::config;
use crate::fair::Places;
use crate::http::{EVENT_STREAM, Problem, REQUEST_ID};
use async_trait::async_trait;
use axum::Router;
use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{Method, StatusCode, Version, header};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::modules::http::HttpModules;
use pingora::proxy::{FailToProxy, ProxyHttp, Session};
use pingora::upstreams::peer::{HttpPeer, Peer};
use pingora::{Error, ErrorSource, ErrorType, Result};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tracing::{info, warn};

/// The longest head that the API accepts. Supabase's tokens have a few KiB at most.
const LONGEST_HEAD: usize = 24 * 1024;

/// After this time, a request tries no other address of the stack.
const PATIENCE: Duration = Duration::from_secs(30);

/// The public port's proxy.
pub(super) struct EdgeProxy {
    config: config::Listener,
    api: Api,
    stack: Option<Stack>,
    rate: RateLimit,
    unread: Unread,
    cors: Cors,
    cors_of_refusals: Cors,
}

/// One request and its response.
pub(super) struct Exchange {
    started: Instant,
    id: String,
    target: Target,
    client: Client,
    /// The addresses of the stack that remain to be tried, the next one last.
    candidates: Option<Vec<SocketAddr>>,
    user: Option<String>,
    /// Whether the client wants to send more requests on its connection.
    keepalive: bool,
}

impl EdgeProxy {
    pub(super) fn new(config: config::Listener, api: Router, unread: Places) -> Self {
        Self {
            api: Api::new(api, BodyLimits::new(&config)),
            unread: Unread::new(unread),
            stack: config.upstream.clone().map(|upstream| Stack::new(upstream, config.upstream_timeout)),
            rate: RateLimit::new(config.requests_per_minute),
            cors: Cors::new(config.origins.clone(), config.page_headers.clone()),
            cors_of_refusals: Cors::of_refusals(),
            config,
        }
    }

    /// For responses that the API or the edge itself gives.
    fn cors(&self, exchange: &Exchange) -> &Cors {
        if exchange.target == Target::Api { &self.cors } else { &self.cors_of_refusals }
    }

    /// Refuses a request. A preflight is accepted in that case, because a browser hides its refusal from the page. The
    /// request after it is refused where the page can read it.
    async fn refuse(&self, session: &mut Session, exchange: &Exchange, problem: &Problem) -> Result<()> {
        let cors = self.cors(exchange);
        if cors.is_preflight(session.req_header()) {
            preflight(session, cors, &exchange.id).await
        } else {
            refuse(session, cors, &exchange.id, problem).await
        }
    }

    /// Lets the API respond.
    async fn serve_api(&self, session: &mut Session, exchange: &mut Exchange) -> Result<()> {
        let mut request = session.req_header().clone();
        self.describe(&mut request, exchange)?;
        let (mut response, answer) = self.api.ask(session, request).await?;
        let user = response.remove_header(USER_HEADER);
        exchange.user = user.and_then(|user| user.to_str().ok().map(str::to_owned));
        let unsent = Unsent {
            bytes: answer.held_bytes(),
            reports_a_change: answer.reports_a_change,
            user: exchange.user.as_deref(),
            address: exchange.client.address(),
        };
        let _held = match self.unread.hold(&unsent) {
            Ok(held) => held,
            Err(problem) => return refuse(session, &self.cors, &exchange.id, &problem).await,
        };
        self.cors.allow(session.req_header(), &mut response)?;
        self.complete(session, &mut response, exchange)?;
        if is_event_stream(&response) {
            self.limit_stream(session);
        }
        answer.send(session, response).await
    }

    /// A client that does not read its events is disconnected: nothing is kept for it. The connection ends with the stream,
    /// as a stream may end because the edge stops.
    fn limit_stream(&self, session: &mut Session) {
        session.set_write_timeout(Some(self.config.event_stall));
        session.set_keepalive(None);
        if let Some(connection) = session.stream().and_then(Connection::of) {
            connection.begin_events();
        }
    }

    /// Adds to a request what the next server must know.
    fn describe(&self, request: &mut RequestHeader, exchange: &Exchange) -> Result<()> {
        request.insert_header(REQUEST_ID, &exchange.id)?;
        exchange.client.describe(request, self.config.trusted_proxies > 0)
    }

    /// Adds to a response what all have in common, and decides what becomes of the connection.
    fn complete(
        &self,
        session: &mut Session,
        response: &mut ResponseHeader,
        exchange: &Exchange,
    ) -> Result<()> {
        let ends_with_connection = !response.headers.contains_key(header::CONTENT_LENGTH)
            && session.req_header().version < Version::HTTP_11;
        // After an interim "100 Continue", pingora would close the connection although the body arrives completely.
        if exchange.keepalive && !response.status.is_informational() && session.is_body_done() {
            let seconds = self.config.keepalive.as_secs();
            session.set_keepalive((!ends_with_connection).then_some(seconds));
        }
        // A refusal while the body is still arriving: the rest is not read, and a client that stops sending in order to
        // read the refusal is not waited for.
        if response.status.as_u16() >= 400 && !session.is_body_done() {
            session.set_read_timeout(Some(self.config.linger));
        }
        response.insert_header(REQUEST_ID, &exchange.id)
    }

    /// Refuses a request for reasons that are known before its body.
    fn admit(&self, session: &Session, exchange: &Exchange) -> Result<(), Problem> {
        let request = session.req_header();
        if let Some(client) = exchange.client.address()
            && let Err(wait) = self.rate.admit(client, exchange.started)
        {
            return Err(too_many_requests(self.config.requests_per_minute, wait));
        }
        if request.method == Method::CONNECT {
            return Err(no_tunnel());
        }
        framing::check(session)?;
        match exchange.target {
            Target::Unknown => Err(unknown_path()),
            Target::Upstream if self.stack.is_none() => Err(no_upstream()),
            Target::Upstream => target::check(RawHead::of(session).target()).map_err(ambiguous_path),
            Target::Api => {
                let head = head_bytes(request);
                if head > LONGEST_HEAD {
                    return Err(head_too_large(head, LONGEST_HEAD));
                }
                let declared = request.headers.get(header::CONTENT_LENGTH);
                let declared: Option<u64> = declared.and_then(|length| length.to_str().ok()?.parse().ok());
                match declared {
                    Some(length) if length > self.config.request_max_bytes => {
                        Err(too_large(length, self.config.request_max_bytes))
                    }
                    _ => Ok(()),
                }
            }
        }
    }
}

#[async_trait]
impl ProxyHttp for EdgeProxy {
    type CTX = Exchange;

    fn new_ctx(&self) -> Exchange {
        Exchange {
            started: Instant::now(),
            id: String::new(),
            target: Target::Unknown,
            client: Client::default(),
            candidates: None,
            user: None,
            keepalive: false,
        }
    }

    fn init_downstream_modules(&self, _: &mut HttpModules) {}

    async fn request_filter(&self, session: &mut Session, exchange: &mut Exchange) -> Result<bool> {
        let has_body = !session.is_body_done();
        if let Some(connection) = session.stream().and_then(Connection::of) {
            connection.head_is_read(has_body);
        }
        session.set_read_timeout(Some(self.config.body_idle));
        // Without a value, pingora keeps an HTTP/1.1 connection alive forever.
        exchange.keepalive = session.get_keepalive().is_some();
        if exchange.keepalive {
            session.set_keepalive(Some(self.config.keepalive.as_secs()));
        }
        exchange.id = request_id(session.req_header());
        exchange.target = Target::of(session.req_header().uri.path(), &self.config.upstream_paths);
        let connected = session.client_addr().and_then(|address| address.as_inet()).map(SocketAddr::ip);
        exchange.client = Client::of(session.req_header(), connected, self.config.trusted_proxies);
        if let Err(problem) = self.admit(session, exchange) {
            self.refuse(session, exchange, &problem).await?;
            return Ok(true);
        }
        if exchange.target != Target::Api {
            return Ok(false);
        }
        if self.cors.is_preflight(session.req_header()) {
            preflight(session, &self.cors, &exchange.id).await?;
        } else {
            // Apart, so that requests that are passed on do not allocate room for it.
            Box::pin(self.serve_api(session, exchange)).await?;
        }
        Ok(true)
    }

    async fn request_body_filter(
        &self,
        session: &mut Session,
        _: &mut Option<Bytes>,
        end_of_stream: bool,
        _: &mut Exchange,
    ) -> Result<()> {
        if end_of_stream && let Some(connection) = session.stream().and_then(Connection::of) {
            connection.body_is_read();
        }
        Ok(())
    }

    async fn upstream_peer(&self, session: &mut Session, exchange: &mut Exchange) -> Result<Box<HttpPeer>> {
        let stack = self.stack.as_ref().ok_or_else(|| Error::new_up(ErrorType::ConnectNoRoute))?;
        let candidates = match &mut exchange.candidates {
            Some(candidates) => candidates,
            unknown => {
                let found = stack.candidates().await.map_err(|error| {
                    let context = "looking up the address of SUPABASE_URL";
                    Error::because(ErrorType::ConnectError, context, error).into_up()
                })?;
                unknown.insert(found.into_iter().rev().collect())
            }
        };
        // The last one is kept: it may be tried again if a connection that was kept alive turns out to be closed.
        let address = if candidates.len() > 1 { candidates.pop() } else { candidates.last().copied() };
        let address = address.ok_or_else(|| Error::new_up(ErrorType::ConnectNoRoute))?;
        Ok(Box::new(stack.peer(address, session.is_upgrade_req())))
    }

    fn fail_to_connect(
        &self,
        _: &mut Session,
        peer: &HttpPeer,
        exchange: &mut Exchange,
        mut error: Box<Error>,
    ) -> Box<Error> {
        if let (Some(stack), Some(address)) = (&self.stack, peer.address().as_inet()) {
            stack.rest(*address);
            let others =
                exchange.candidates.as_ref().is_some_and(|candidates| candidates.last() != Some(address));
            error.set_retry(others && exchange.started.elapsed() < PATIENCE);
        }
        error
    }

    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        request: &mut RequestHeader,
        exchange: &mut Exchange,
    ) -> Result<()> {
        if session.req_header().version < Version::HTTP_11 {
            // HTTP/1.0 knows no interim response.
            request.remove_header(&header::EXPECT);
        }
        self.describe(request, exchange)?;
        if !request.raw_path().starts_with(b"/") {
            // An absolute URL, as clients send it to a proxy. Few servers expect that.
            let path = request.uri.path_and_query().map_or("/", PathAndQuery::as_str).to_owned();
            request.set_raw_path(path.as_bytes())?;
        }
        if !self.config.forward_host {
            forwarded::without_host(request);
        }
        match &self.stack {
            Some(stack) => request.insert_header(header::HOST, &stack.upstream.authority),
            None => Ok(()),
        }
    }

    async fn response_filter(
        &self,
        session: &mut Session,
        response: &mut ResponseHeader,
        exchange: &mut Exchange,
    ) -> Result<()> {
        if let Some(stack) = &self.stack {
            location::rewrite(response, &stack.upstream, &exchange.client)?;
        }
        // Pingora does not forward the trailers of HTTP/1.1, so none must be promised.
        response.remove_header(&header::TRAILER);
        if response.status == StatusCode::SWITCHING_PROTOCOLS {
            // A websocket may be idle for any time. TCP notices a client that is gone.
            session.set_read_timeout(None);
        }
        if session.req_header().version < Version::HTTP_11 {
            // HTTP/1.0 knows no chunks. The body ends with the connection.
            response.remove_header(&header::TRANSFER_ENCODING);
        }
        self.complete(session, response, exchange)
    }

    async fn fail_to_proxy(
        &self,
        session: &mut Session,
        error: &Error,
        exchange: &mut Exchange,
    ) -> FailToProxy {
        let upstream_timeout = self.config.upstream_timeout;
        let problem = match (error.esource(), error.etype()) {
            (_, ErrorType::HTTPStatus(status)) => unreadable(*status),
            (ErrorSource::Downstream, ErrorType::ReadTimedout) => {
                timed_out(self.config.body_idle, "BODY_IDLE_SECONDS")
            }
            (_, kind) if *kind == BODY_TOO_SLOW => too_slow(self.config.body_min_rate, self.config.body_time),
            (_, kind) if *kind == BODY_TOO_LARGE => too_large_on_arrival(self.config.request_max_bytes),
            // The client has disconnected or does not read, so nothing can be sent.
            (
                ErrorSource::Downstream,
                ErrorType::ReadError
                | ErrorType::WriteError
                | ErrorType::WriteTimedout
                | ErrorType::ConnectionClosed,
            ) => return FailToProxy { error_code: 0, can_reuse_downstream: false },
            (ErrorSource::Downstream, _) => malformed(),
            // The stack was silent because it was still waiting for the rest of the body.
            (ErrorSource::Upstream, ErrorType::ReadTimedout) if !session.is_body_done() => {
                timed_out(upstream_timeout, "UPSTREAM_TIMEOUT_SECONDS")
            }
            (ErrorSource::Upstream, ErrorType::ReadTimedout) if exchange.target == Target::Upstream => {
                gateway_timeout(upstream_timeout)
            }
            (ErrorSource::Upstream, _) if exchange.target == Target::Upstream => bad_gateway(),
            _ => Problem::internal(),
        };
        if problem.status.is_server_error() {
            warn!(request.id = exchange.id, "forwarding failed: {error}");
        }
        // The response has begun, so its status cannot change. Close the connection instead.
        if session.response_written().is_none() {
            session.set_keepalive(None);
            if let Err(error) = self.refuse(session, exchange, &problem).await {
                tracing::debug!(request.id = exchange.id, "sending a refusal failed: {error}");
            }
        }
        FailToProxy { error_code: problem.status.as_u16(), can_reuse_downstream: false }
    }

    fn suppress_error_log(&self, _: &Session, _: &Exchange, _: &Error) -> bool {
        true
    }

    async fn logging(&self, session: &mut Session, error: Option<&Error>, exchange: &mut Exchange) {
        let request = session.req_header();
        // 499, as in nginx: the client disconnected before there was a response.
        let status = session.response_written().map_or(499, |response| response.status.as_u16());
        info!(
            request.id = exchange.id,
            method = %request.method,
            path = request.uri.path(),
            status,
            milliseconds = u64::try_from(exchange.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            user = exchange.user,
            broken = error.is_some().then_some(true),
            "request"
        );
    }
}

fn is_event_stream(response: &ResponseHeader) -> bool {
    response.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == EVENT_STREAM)
}

fn head_bytes(request: &RequestHeader) -> usize {
    let headers: usize =
        request.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    request.raw_path().len() + headers
}
