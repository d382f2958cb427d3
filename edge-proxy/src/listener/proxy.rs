//! What the listener does with one request.

use super::connection::Connection;
use super::cors::Cors;
use super::rate::RateLimit;
use super::respond::{
    bad_gateway, foreign_origin, head_too_large, malformed, no_upstream, refuse, timed_out, too_large,
    too_many_requests, unknown_path, unreadable,
};
use super::target::Target;
use super::upstream::Stack;
use crate::auth::USER_HEADER;
use crate::config;
use crate::http::{Problem, REQUEST_ID};
use async_trait::async_trait;
use http::header;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::modules::http::HttpModules;
use pingora::proxy::{FailToProxy, ProxyHttp, Session};
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorSource, ErrorType, Result};
use std::net::IpAddr;
use std::path::Path;
use std::time::Instant;
use tracing::{info, warn};

/// The longest head that the API accepts. Supabase's tokens have a few KiB at most.
const LONGEST_HEAD: usize = 24 * 1024;

/// The public port's proxy.
pub(super) struct EdgeProxy {
    config: config::Listener,
    api: HttpPeer,
    stack: Option<Stack>,
    rate: RateLimit,
    cors: Cors,
}

/// One request and its response.
pub(super) struct Exchange {
    started: Instant,
    id: String,
    target: Target,
    user: Option<String>,
    /// Whether the client wants to send more requests on its connection.
    keepalive: bool,
}

impl EdgeProxy {
    /// `socket`: where the internal server listens.
    pub(super) fn new(config: config::Listener, socket: &Path) -> Result<Self> {
        Ok(Self {
            api: HttpPeer::new_uds(&socket.to_string_lossy(), false, String::new())?,
            stack: config.upstream.clone().map(|upstream| Stack::new(upstream, config.upstream_timeout)),
            rate: RateLimit::new(config.requests_per_minute),
            cors: Cors::new(config.origins.clone()),
            config,
        })
    }

    /// Only for the API. The stack behind sets its own CORS headers.
    fn cors(&self, exchange: &Exchange) -> Option<&Cors> {
        (exchange.target == Target::Api).then_some(&self.cors)
    }

    /// Responds to a browser that asks whether a page of another origin may send its request.
    async fn preflight(&self, session: &mut Session, exchange: &Exchange) -> Result<()> {
        let Some(mut response) = self.cors.preflight(session.req_header())? else {
            return refuse(session, Some(&self.cors), &exchange.id, &foreign_origin(), None).await;
        };
        response.insert_header(REQUEST_ID, &exchange.id)?;
        session.write_response_header(Box::new(response), true).await
    }

    /// Refuses a request for reasons that are known before its body.
    fn admit(&self, session: &Session, exchange: &Exchange) -> Result<(), (Problem, Option<u64>)> {
        let request = session.req_header();
        if let Some(client) = client_address(session, self.config.trusted_proxies)
            && let Err(wait) = self.rate.admit(client, exchange.started)
        {
            return Err((too_many_requests(self.config.requests_per_minute), Some(wait.as_secs() + 1)));
        }
        match exchange.target {
            Target::Unknown => Err((unknown_path(), None)),
            Target::Upstream if self.stack.is_none() => Err((no_upstream(), None)),
            Target::Upstream => Ok(()),
            Target::Api => {
                let head = head_bytes(request);
                if head > LONGEST_HEAD {
                    return Err((head_too_large(head, LONGEST_HEAD), None));
                }
                let declared = request.headers.get(header::CONTENT_LENGTH);
                let declared: Option<u64> = declared.and_then(|length| length.to_str().ok()?.parse().ok());
                match declared {
                    Some(length) if length > self.config.request_max_bytes => {
                        Err((too_large(length, self.config.request_max_bytes), None))
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
            user: None,
            keepalive: false,
        }
    }

    fn init_downstream_modules(&self, _: &mut HttpModules) {}

    async fn request_filter(&self, session: &mut Session, exchange: &mut Exchange) -> Result<bool> {
        if let Some(connection) = session.stream().and_then(Connection::of) {
            connection.head_is_read();
        }
        session.set_read_timeout(Some(self.config.body_idle));
        // Without a value, pingora keeps an HTTP/1.1 connection alive forever.
        exchange.keepalive = session.get_keepalive().is_some();
        if exchange.keepalive {
            session.set_keepalive(Some(self.config.keepalive.as_secs()));
        }
        exchange.id = request_id(session.req_header());
        exchange.target = Target::of(session.req_header().uri.path());
        if let Err((problem, retry_after)) = self.admit(session, exchange) {
            refuse(session, self.cors(exchange), &exchange.id, &problem, retry_after).await?;
            return Ok(true);
        }
        let preflight = self.cors(exchange).is_some_and(|cors| cors.is_preflight(session.req_header()));
        if preflight {
            self.preflight(session, exchange).await?;
        }
        Ok(preflight)
    }

    async fn upstream_peer(&self, session: &mut Session, exchange: &mut Exchange) -> Result<Box<HttpPeer>> {
        match (exchange.target, &self.stack) {
            (Target::Upstream, Some(stack)) => {
                let peer = stack.peer(session.is_upgrade_req()).await.map_err(|error| {
                    let mut error = Error::because(
                        ErrorType::ConnectError,
                        "looking up the address of SUPABASE_URL",
                        error,
                    );
                    error.as_up();
                    error
                })?;
                Ok(Box::new(peer))
            }
            _ => Ok(Box::new(self.api.clone())),
        }
    }

    async fn upstream_request_filter(
        &self,
        _: &mut Session,
        request: &mut RequestHeader,
        exchange: &mut Exchange,
    ) -> Result<()> {
        request.insert_header(REQUEST_ID, &exchange.id)?;
        if let (Target::Upstream, Some(stack)) = (exchange.target, &self.stack) {
            request.insert_header(header::HOST, &stack.upstream.authority)?;
        }
        Ok(())
    }

    async fn response_filter(
        &self,
        session: &mut Session,
        response: &mut ResponseHeader,
        exchange: &mut Exchange,
    ) -> Result<()> {
        if exchange.target == Target::Api {
            let user = response.remove_header(USER_HEADER);
            exchange.user = user.and_then(|user| user.to_str().ok().map(str::to_owned));
            self.cors.allow(session.req_header(), response)?;
        }
        // After an interim "100 Continue", pingora would close the connection although the body arrives completely.
        if exchange.keepalive && !response.status.is_informational() && session.is_body_done() {
            session.set_keepalive(Some(self.config.keepalive.as_secs()));
        }
        // A refusal while the body is still arriving: the rest is not read, and a client that stops sending in order to
        // read the refusal is not waited for.
        if response.status.as_u16() >= 400 && !session.is_body_done() {
            session.set_read_timeout(Some(self.config.linger));
        }
        response.insert_header(REQUEST_ID, &exchange.id)
    }

    async fn fail_to_proxy(
        &self,
        session: &mut Session,
        error: &Error,
        exchange: &mut Exchange,
    ) -> FailToProxy {
        let problem = match (error.esource(), error.etype()) {
            (_, ErrorType::HTTPStatus(status)) => unreadable(*status),
            (ErrorSource::Downstream, ErrorType::ReadTimedout) => timed_out(self.config.body_idle),
            // The client has disconnected, so nothing can be sent.
            (
                ErrorSource::Downstream,
                ErrorType::ReadError | ErrorType::WriteError | ErrorType::ConnectionClosed,
            ) => return FailToProxy { error_code: 0, can_reuse_downstream: false },
            (ErrorSource::Downstream, _) => malformed(),
            (ErrorSource::Upstream, _) if exchange.target == Target::Upstream => bad_gateway(),
            _ => Problem::internal(),
        };
        if problem.status.is_server_error() {
            warn!(request.id = exchange.id, "forwarding failed: {error}");
        }
        // A response that has begun cannot be taken back. It breaks off.
        if session.response_written().is_none() {
            session.set_keepalive(None);
            if let Err(error) = refuse(session, self.cors(exchange), &exchange.id, &problem, None).await {
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

fn head_bytes(request: &RequestHeader) -> usize {
    let headers: usize =
        request.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    request.raw_path().len() + headers
}

/// The client's own request id if it is acceptable, otherwise a new one.
fn request_id(request: &RequestHeader) -> String {
    let given = request.headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let plain = |id: &&str| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    given.filter(plain).map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned)
}

/// The client's address as `hops` trusted proxies report it. Without proxies, that of the connection.
fn client_address(session: &Session, hops: usize) -> Option<IpAddr> {
    let connected = session.client_addr()?.as_inet()?.ip();
    if hops == 0 {
        return Some(connected);
    }
    let forwarded: Vec<&str> = session
        .req_header()
        .headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    Some(forwarded_for(&forwarded, hops).unwrap_or(connected))
}

/// Each proxy appends the address that connected to it. So the client is as many places from the end as there are proxies.
fn forwarded_for(forwarded: &[&str], hops: usize) -> Option<IpAddr> {
    forwarded.len().checked_sub(hops).and_then(|at| forwarded[at].trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_is_kept_only_if_it_is_plain() {
        let with = |id: &str| {
            let mut request = RequestHeader::build("GET", b"/", None).unwrap();
            request.insert_header(REQUEST_ID, id).unwrap();
            request_id(&request)
        };
        assert_eq!(with("abc-123_x.y"), "abc-123_x.y");
        for odd in ["", "with space", "\"quoted\"", &"x".repeat(65)] {
            assert_eq!(with(odd).len(), 36, "{odd}");
        }
    }

    #[test]
    fn a_client_cannot_choose_its_address() {
        let ip = |text: &str| text.parse::<IpAddr>().ok();
        assert_eq!(forwarded_for(&["6.6.6.6", " 10.0.0.1"], 1), ip("10.0.0.1"));
        assert_eq!(forwarded_for(&["6.6.6.6", "10.0.0.1", "10.0.0.2"], 2), ip("10.0.0.1"));
        assert_eq!(forwarded_for(&["10.0.0.1"], 2), None);
        assert_eq!(forwarded_for(&["nonsense"], 1), None);
    }
}
