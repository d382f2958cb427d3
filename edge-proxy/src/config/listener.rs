//! The public port: where it listens, what it accepts, and where it passes other paths.

use super::{ConfigError, Origins, RequestHeaders};
use crate::fair::Limits;
use std::net::SocketAddr;
use std::time::Duration;

const MIB: u64 = 1024 * 1024;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Public port")]
pub(super) struct Args {
    /// Address and port to listen on
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// The Supabase stack that /rest/v1, /auth/v1, /storage/v1, /realtime/v1, /functions/v1 and /graphql/v1 are passed
    /// through to
    #[arg(long, env = "SUPABASE_URL", value_name = "URL")]
    supabase_url: Option<String>,
    /// Further paths to pass through, with everything below them, joined by commas (`/sso/saml,/.well-known`)
    #[arg(long, env = "SUPABASE_PATHS", default_value = "", value_name = "PATHS", hide_default_value = true)]
    supabase_paths: String,
    /// Whether the stack learns the host that the client called (X-Forwarded-Host, -Port and -Proto)
    #[arg(long, env = "SUPABASE_FORWARDED_HOST", value_enum, default_value_t = ForwardedHost::Auto)]
    supabase_forwarded_host: ForwardedHost,
    /// Origins whose pages may call /api from a browser, joined by commas (`https://app.example.com`). `*`: any. Unset: none
    #[arg(long, env = "CORS_ORIGINS", default_value = "", value_name = "ORIGINS", hide_default_value = true)]
    cors_origins: String,
    /// Headers that these pages may send in addition to those of the API, joined by commas (`sentry-trace,baggage`). `*`: any
    #[arg(long, env = "CORS_HEADERS", default_value = "*", value_name = "HEADERS")]
    cors_headers: String,
    /// Requests per minute for one client address, which may also come all at once. 0: no limit
    #[arg(long, env = "RATE_LIMIT_PER_MINUTE", default_value_t = 12_000, value_name = "N")]
    rate_limit_per_minute: u32,
    /// Number of trusted proxies in front, each of which appends to X-Forwarded-For. The client's address is taken from there
    #[arg(long, env = "TRUSTED_PROXIES", default_value_t = 0, value_name = "N")]
    trusted_proxies: usize,
    /// Connections at the same time. For a further one, the address that has most loses the one that has been idle longest or,
    /// if it has more than 16, has waited longest for its client. If the edge is working for all, it waits
    #[arg(long, env = "MAX_CONNECTIONS", default_value_t = 4096, value_name = "N")]
    max_connections: usize,
    /// Connections of one client address at the same time. Further ones get a 429, or replace one that is idle. 0: no limit.
    /// Unset: a quarter of `MAX_CONNECTIONS`. Not applied if `TRUSTED_PROXIES` is set, because then all connections come from
    /// proxies
    #[arg(long, env = "CONNECTIONS_PER_ADDRESS", value_name = "N")]
    connections_per_address: Option<usize>,
    /// Seconds within which a new connection must send its first byte
    #[arg(long, env = "FIRST_BYTE_SECONDS", default_value_t = 10, value_name = "N")]
    first_byte_seconds: u64,
    /// Seconds that the head of a request may take from its first byte to its last
    #[arg(long, env = "HEAD_SECONDS", default_value_t = 30, value_name = "N")]
    head_seconds: u64,
    /// Largest request to the API, for all its files together
    #[arg(long, env = "REQUEST_MAX_BYTES", default_value_t = 256 * MIB, value_name = "BYTES")]
    request_max_bytes: u64,
    /// The URL at which clients reach this edge, with the path that a proxy in front adds (`https://app.example.com/dossier`).
    /// Unset: addresses in responses are relative
    #[arg(long, env = "PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// Seconds that a client may pause in the middle of a request
    #[arg(long, env = "BODY_IDLE_SECONDS", default_value_t = 60, value_name = "N")]
    body_idle_seconds: u64,
    /// Bytes per second that the body of a request to the API must have on average. 0: no minimum. The time in which the edge
    /// does not read does not count
    #[arg(long, env = "BODY_MIN_BYTES_PER_SECOND", default_value_t = 512, value_name = "N")]
    body_min_bytes_per_second: u64,
    /// Seconds that the body of a request to the API may be slower at first
    #[arg(long, env = "BODY_GRACE_SECONDS", default_value_t = 20, value_name = "N")]
    body_grace_seconds: u64,
    /// Seconds that the body of a request to the API may take
    #[arg(long, env = "BODY_SECONDS", default_value_t = 3600, value_name = "N")]
    body_seconds: u64,
    /// Seconds that a client may not read its response before the connection is closed
    #[arg(long, env = "UNREAD_SECONDS", default_value_t = 30, value_name = "N")]
    unread_seconds: u64,
    /// Memory for large responses that clients have not read yet. One user may use a quarter of it, the users of one address
    /// half. Further large responses get a 429 or a 503, unless they report a change. Then the user's next requests do
    #[arg(long, env = "RESPONSE_BYTES_IN_FLIGHT", default_value_t = 256 * MIB, value_name = "BYTES")]
    response_bytes_in_flight: u64,
    /// Seconds that a connection may be idle between requests
    #[arg(long, env = "KEEPALIVE_SECONDS", default_value_t = 60, value_name = "N")]
    keepalive_seconds: u64,
    /// Seconds that the stack behind may be silent. Supabase's own gateways allow 150, and their response should be the one
    /// that arrives
    #[arg(long, env = "UPSTREAM_TIMEOUT_SECONDS", default_value_t = 160, value_name = "N")]
    upstream_timeout_seconds: u64,
    /// After a refusal: how many bytes that the client still sends are read and discarded, so that it receives the refusal
    #[arg(long, env = "LINGER_BYTES", default_value_t = MIB, value_name = "BYTES")]
    linger_bytes: u64,
    /// After a refusal: seconds that the connection stays open for a client that is still sending
    #[arg(long, env = "LINGER_SECONDS", default_value_t = 2, value_name = "N")]
    linger_seconds: u64,
    /// Seconds that a client may take to accept a piece of an event stream. After that it is disconnected
    #[arg(long, env = "EVENT_STALL_SECONDS", default_value_t = 20, value_name = "N")]
    event_stall_seconds: u64,
    /// At shutdown: seconds for requests and jobs in progress to finish
    #[arg(long, env = "SHUTDOWN_GRACE_SECONDS", default_value_t = 25, value_name = "N")]
    shutdown_grace_seconds: u64,
}

/// The stack that other paths are passed through to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upstream {
    /// Host and port as in the `Host` header.
    pub(crate) authority: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: bool,
}

/// Whether the stack learns the host that the client called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ForwardedHost {
    /// Unless the stack is a hosted project (*.supabase.co), which finds its project by this header
    Auto,
    Always,
    Never,
}

/// The public port.
#[derive(Debug, Clone)]
pub(crate) struct Listener {
    pub(crate) listen: SocketAddr,
    pub(crate) upstream: Option<Upstream>,
    /// Further paths to pass through, each with everything below it.
    pub(crate) upstream_paths: Vec<String>,
    pub(crate) forward_host: bool,
    pub(crate) origins: Origins,
    pub(crate) page_headers: RequestHeaders,
    /// 0: no limit.
    pub(crate) requests_per_minute: u32,
    pub(crate) trusted_proxies: usize,
    pub(crate) max_connections: usize,
    /// 0: no limit.
    pub(crate) per_address: usize,
    pub(crate) first_byte: Duration,
    pub(crate) head: Duration,
    pub(crate) request_max_bytes: u64,
    /// Without a slash at its end. `None`: not configured.
    pub(crate) public_url: Option<String>,
    /// Bytes per second. 0: no minimum.
    pub(crate) body_min_rate: u64,
    pub(crate) body_grace: Duration,
    pub(crate) body_time: Duration,
    pub(crate) unread: Duration,
    /// Memory for large responses, in KiB.
    pub(crate) response_kib: Limits,
    pub(crate) body_idle: Duration,
    pub(crate) keepalive: Duration,
    pub(crate) upstream_timeout: Duration,
    pub(crate) linger_bytes: u64,
    pub(crate) linger: Duration,
    /// How long a client may take to accept a piece of an event stream.
    pub(crate) event_stall: Duration,
    pub(crate) grace: Duration,
}

impl Args {
    pub(super) fn check(self) -> Result<Listener, ConfigError> {
        if self.request_max_bytes < MIB {
            return Err(ConfigError::new(
                "REQUEST_MAX_BYTES",
                "must be at least 1 MiB",
                "It limits a request with all its files. UPLOAD_MAX_BYTES limits a single file.",
            ));
        }
        if self.max_connections == 0 {
            return Err(ConfigError::new("MAX_CONNECTIONS", "must be at least 1", "The default is 4096."));
        }
        let upstream = self.supabase_url.as_deref().filter(|url| !url.is_empty());
        let upstream = upstream.map(Upstream::parse).transpose()?;
        Ok(Listener {
            listen: self.listen,
            forward_host: match self.supabase_forwarded_host {
                ForwardedHost::Auto => !upstream.as_ref().is_some_and(Upstream::is_hosted),
                ForwardedHost::Always => true,
                ForwardedHost::Never => false,
            },
            upstream,
            upstream_paths: parse_paths(&self.supabase_paths)?,
            origins: Origins::parse(&self.cors_origins)?,
            page_headers: RequestHeaders::parse(&self.cors_headers)?,
            requests_per_minute: self.rate_limit_per_minute,
            trusted_proxies: self.trusted_proxies,
            max_connections: self.max_connections,
            per_address: match self.connections_per_address {
                _ if self.trusted_proxies > 0 => 0,
                Some(connections) => connections,
                None => (self.max_connections / 4).max(1),
            },
            first_byte: Duration::from_secs(self.first_byte_seconds.max(1)),
            head: Duration::from_secs(self.head_seconds.max(1)),
            request_max_bytes: self.request_max_bytes,
            public_url: self
                .public_url
                .as_deref()
                .filter(|url| !url.is_empty())
                .map(public_url)
                .transpose()?,
            body_min_rate: self.body_min_bytes_per_second,
            body_grace: Duration::from_secs(self.body_grace_seconds),
            body_time: Duration::from_secs(self.body_seconds.max(1)),
            unread: Duration::from_secs(self.unread_seconds.max(1)),
            response_kib: response_kib(self.response_bytes_in_flight),
            body_idle: Duration::from_secs(self.body_idle_seconds.max(1)),
            keepalive: Duration::from_secs(self.keepalive_seconds.max(1)),
            upstream_timeout: Duration::from_secs(self.upstream_timeout_seconds.max(1)),
            linger_bytes: self.linger_bytes,
            linger: Duration::from_secs(self.linger_seconds),
            event_stall: Duration::from_secs(self.event_stall_seconds.max(1)),
            grace: Duration::from_secs(self.shutdown_grace_seconds),
        })
    }
}

impl Upstream {
    fn parse(url: &str) -> Result<Self, ConfigError> {
        let invalid = |problem: String| {
            ConfigError::new("SUPABASE_URL", problem, "Set a URL such as https://<project>.supabase.co.")
        };
        let uri = http_url(url).map_err(invalid)?;
        if !matches!(uri.path(), "" | "/") {
            return Err(invalid("must not have a path, only scheme, host and port".to_owned()));
        }
        Self::from_uri(&uri).ok_or_else(|| invalid("no host in the URL".to_owned()))
    }

    /// Whether it is a project on Supabase's own platform.
    fn is_hosted(&self) -> bool {
        self.host.to_ascii_lowercase().ends_with(".supabase.co")
    }

    /// The server of an http or https URL. Its path is ignored.
    pub(crate) fn from_uri(uri: &http::Uri) -> Option<Self> {
        let tls = uri.scheme_str() == Some("https");
        let authority = uri.authority()?;
        Some(Self {
            authority: authority.as_str().to_owned(),
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            tls,
        })
    }
}

/// One user, and one address, leaves most of it to others.
fn response_kib(bytes: u64) -> Limits {
    let total = usize::try_from(bytes / 1024).unwrap_or(usize::MAX).max(1);
    Limits { total, per_user: total.div_ceil(4), per_organization: total.div_ceil(2), waiting: 0 }
}

/// Paths that an operator lists. They may not change what the edge itself serves, and there is one way to write each.
fn parse_paths(list: &str) -> Result<Vec<String>, ConfigError> {
    let invalid = |path: &str, problem: &str| {
        ConfigError::new(
            "SUPABASE_PATHS",
            format!("{path}: {problem}"),
            "Set paths such as /sso/saml or /.well-known, joined by commas.",
        )
    };
    let paths = list.split(',').map(str::trim).filter(|path| !path.is_empty());
    let check = |path: &str| {
        let plain = path.trim_end_matches('/');
        let segments: Vec<&str> = plain.split('/').skip(1).collect();
        let is_segment = |segment: &&str| {
            !matches!(*segment, "" | "." | "..")
                && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
        };
        if !path.starts_with('/') || segments.is_empty() || !segments.iter().all(is_segment) {
            return Err(invalid(path, "not a plain path of at least one segment"));
        }
        if matches!(segments[0], "api" | "healthz" | "readyz") {
            return Err(invalid(path, "the edge serves this path itself"));
        }
        Ok(plain.to_owned())
    };
    paths.map(check).collect()
}

/// The URL of this edge, as clients call it.
fn public_url(url: &str) -> Result<String, ConfigError> {
    let invalid = |problem: String| {
        ConfigError::new(
            "PUBLIC_URL",
            problem,
            "Set a URL such as https://app.example.com or https://app.example.com/dossier.",
        )
    };
    let uri = http_url(url).map_err(invalid)?;
    if uri.query().is_some() || url.contains(['#', '@']) {
        return Err(invalid("must have no user, query or fragment".to_owned()));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

/// An absolute http or https URL.
pub(super) fn http_url(url: &str) -> Result<http::Uri, String> {
    let uri: http::Uri = url.parse().map_err(|error| format!("not a URL ({error})"))?;
    match uri.scheme_str() {
        Some("http" | "https") if uri.host().is_some_and(|host| !host.is_empty()) => Ok(uri),
        _ => Err("not an http:// or https:// URL".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_is_scheme_host_and_port() {
        let hosted = Upstream::parse("https://ref.supabase.co").unwrap();
        assert_eq!((hosted.authority.as_str(), hosted.port, hosted.tls), ("ref.supabase.co", 443, true));
        let local = Upstream::parse("http://[::1]:54321/").unwrap();
        assert_eq!((local.host.as_str(), local.port, local.tls), ("::1", 54321, false));
        assert!(Upstream::parse("https://ref.supabase.co/rest/v1").is_err());
    }

    #[test]
    fn the_public_url_may_have_a_path() {
        assert_eq!(public_url("https://app.example").unwrap(), "https://app.example");
        assert_eq!(
            public_url("https://app.example:8443/dossier/").unwrap(),
            "https://app.example:8443/dossier"
        );
        for wrong in [
            "app.example",
            "/dossier",
            "ftp://app.example",
            "https://app.example/?x",
            "https://u@app.example",
            "https://a/#b",
        ] {
            assert!(public_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn further_paths_are_plain() {
        assert_eq!(parse_paths("").unwrap(), Vec::<String>::new());
        assert_eq!(parse_paths("/sso/saml/, /.well-known").unwrap(), ["/sso/saml", "/.well-known"]);
        for wrong in [
            "/",
            "sso",
            "//sso",
            "/sso//saml",
            "/sso/..",
            "/a%2fb",
            "/a;b",
            "/a?b",
            "/*",
            "/api",
            "/api/x",
            "/readyz",
        ] {
            assert!(parse_paths(wrong).is_err(), "{wrong}");
        }
    }
}
