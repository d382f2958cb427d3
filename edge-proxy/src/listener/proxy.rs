//! What the listener does with one request.

use super::connection::Connection;
use super::cors::Cors;
use super::rate::RateLimit;
use super::respond::{
    bad_gateway, foreign_origin, head_too_large, no_upstream, refuse, timed_out, too_large,
    too_many_requests, unknown_path,
};
use super::target::Target;
use super::upstream::Stack;
use crate::auth::USER_HEADER;
use crate::config;
use crate::http::{Problem, REQUEST_ID};
use async_trait::async_trait;
use http::{StatusCode, header};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::modules::http::HttpModules;
use pingora::proxy::{FailToProxy, ProxyHttp, Session};
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorSource, ErrorType, Result};
use std::net::IpAddr;
use std::path::Path;
use std::time::Instant;
use tracing::{info, warn};

/// Longest head that the API reads; Supabase's tokens have at most a few KiB.
const LONGEST_HEAD: usize = 24 * 1024;

/// The hint where all that is known is that a request is none.
const AS_HTTP: &str = "Send the request as HTTP/1.1 or HTTP/2 has it, by a library or a browser.";

/// The public port's proxy.
pub(super) struct EdgeProxy {
    config: config::Listener,
    api: HttpPeer,
    stack: Option<Stack>,
    rate: RateLimit,
    cors: Cors,
}

/// One request on its way.
pub(super) struct Exchange {
    started: Instant,
    id: String,
    target: Target,
    user: Option<String>,
    /// Whether the client would like to send more requests on its connection.
    keepalive: bool,
}

impl EdgeProxy {
    /// `socket`: where the API listens.
    pub(super) fn new(config: config::Listener, socket: &Path) -> Result<Self> {
        Ok(Self {
            api: HttpPeer::new_uds(&socket.to_string_lossy(), false, String::new())?,
            stack: config.upstream.clone().map(|upstream| Stack::new(upstream, config.upstream_timeout)),
            rate: RateLimit::new(config.requests_per_minute),
            cors: Cors::new(config.origins.clone()),
            config,
        })
    }

    /// Speaks for the API alone.
    fn cors(&self, exchange: &Exchange) -> Option<&Cors> {
        (exchange.target == Target::Api).then_some(&self.cors)
    }

    /// Answers a browser that asks whether a page of another origin may send its request.
    async fn preflight(&self, session: &mut Session, exchange: &Exchange) -> Result<()> {
        let Some(mut answer) = self.cors.preflight(session.req_header())? else {
            return refuse(session, Some(&self.cors), &exchange.id, &foreign_origin(), None).await;
        };
        answer.insert_header(REQUEST_ID, &exchange.id)?;
        session.write_response_header(Box::new(answer), true).await
    }

    /// Whether the request may pass, by what is known before its body.
    fn admit(&self, session: &Session, exchange: &Exchange) -> Result<(), (Problem, Option<u64>)> {
        let request = session.req_header();
        if let Some(client) = client_address(session, self.config.trusted_proxies)
            && let Err(wait) = self.rate.admit(client, exchange.started)
        {
            return Err((too_many_requests(), Some(wait.as_secs() + 1)));
        }
        match exchange.target {
            Target::Unknown => Err((unknown_path(), None)),
            Target::Upstream if self.stack.is_none() => Err((no_upstream(), None)),
            Target::Upstream => Ok(()),
            Target::Api if head_bytes(request) > LONGEST_HEAD => Err((head_too_large(), None)),
            Target::Api => {
                let declared = request.headers.get(header::CONTENT_LENGTH);
                let declared: Option<u64> = declared.and_then(|length| length.to_str().ok()?.parse().ok());
                if declared.is_some_and(|length| length > self.config.request_max_bytes) {
                    return Err((too_large(self.config.request_max_bytes), None));
                }
                Ok(())
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
        // HTTP/1.1 without further words is kept alive for ever by pingora.
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
        let asked = self.cors(exchange).is_some_and(|cors| cors.is_asked(session.req_header()));
        if asked {
            self.preflight(session, exchange).await?;
        }
        Ok(asked)
    }

    async fn upstream_peer(&self, session: &mut Session, exchange: &mut Exchange) -> Result<Box<HttpPeer>> {
        match (exchange.target, &self.stack) {
            (Target::Upstream, Some(stack)) => {
                let peer = stack.peer(session.is_upgrade_req()).await.map_err(|error| {
                    let mut error =
                        Error::because(ErrorType::ConnectError, "looking up the stack behind", error);
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
        answer: &mut ResponseHeader,
        exchange: &mut Exchange,
    ) -> Result<()> {
        if exchange.target == Target::Api {
            let user = answer.remove_header(USER_HEADER);
            exchange.user = user.and_then(|user| user.to_str().ok().map(str::to_owned));
            self.cors.allow(session.req_header(), answer)?;
        }
        // An interim "100 Continue" makes pingora give the connection up, though the body then comes whole.
        if exchange.keepalive && !answer.status.is_informational() && session.is_body_done() {
            session.set_keepalive(Some(self.config.keepalive.as_secs()));
        }
        // A refusal while the body still comes: nobody reads on, and a client that stopped sending to
        // read it is not waited for.
        if answer.status.as_u16() >= 400 && !session.is_body_done() {
            session.set_read_timeout(Some(self.config.linger));
        }
        answer.insert_header(REQUEST_ID, &exchange.id)
    }

    async fn fail_to_proxy(
        &self,
        session: &mut Session,
        error: &Error,
        exchange: &mut Exchange,
    ) -> FailToProxy {
        let problem = match (error.esource(), error.etype()) {
            (_, ErrorType::HTTPStatus(status)) => StatusCode::from_u16(*status).map_or_else(
                |_| Problem::internal(),
                |status| Problem::new(status, "the request was refused").hint(AS_HTTP),
            ),
            (ErrorSource::Downstream, ErrorType::ReadTimedout) => timed_out(),
            // The client is gone; there is nobody to answer.
            (
                ErrorSource::Downstream,
                ErrorType::ReadError | ErrorType::WriteError | ErrorType::ConnectionClosed,
            ) => return FailToProxy { error_code: 0, can_reuse_downstream: false },
            (ErrorSource::Downstream, _) => Problem::bad_request("the request is malformed").hint(AS_HTTP),
            (ErrorSource::Upstream, _) if exchange.target == Target::Upstream => bad_gateway(),
            _ => Problem::internal(),
        };
        if problem.status.is_server_error() {
            warn!(request.id = exchange.id, "cannot forward: {error}");
        }
        // An answer that has begun cannot be taken back; it breaks off.
        if session.response_written().is_none() {
            session.set_keepalive(None);
            if let Err(error) = refuse(session, self.cors(exchange), &exchange.id, &problem, None).await {
                tracing::debug!(request.id = exchange.id, "the client did not take the answer: {error}");
            }
        }
        FailToProxy { error_code: problem.status.as_u16(), can_reuse_downstream: false }
    }

    fn suppress_error_log(&self, _: &Session, _: &Exchange, _: &Error) -> bool {
        true
    }

    async fn logging(&self, session: &mut Session, error: Option<&Error>, exchange: &mut Exchange) {
        let request = session.req_header();
        // 499: the client left before there was an answer, as nginx writes it.
        let status = session.response_written().map_or(499, |answer| answer.status.as_u16());
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

/// The client's own id for the request when it is one, else a new one.
fn request_id(request: &RequestHeader) -> String {
    let given = request.headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let plain = |id: &&str| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    given.filter(plain).map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned)
}

/// The address that `hops` trusted proxies say the client has; without them, the connection's.
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

/// Each proxy appends who connected to it, so the client is as many from the end as there are proxies.
fn forwarded_for(forwarded: &[&str], hops: usize) -> Option<IpAddr> {
    forwarded.len().checked_sub(hops).and_then(|at| forwarded[at].trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_taken_over_only_when_it_is_plain() {
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
