//! The public port: where it listens, what it accepts, and where it passes other paths.

use super::ConfigError;
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
    /// Origins whose pages may call /api from a browser, joined by commas (`https://app.example.com`). `*`: any. Unset: none
    #[arg(long, env = "CORS_ORIGINS", default_value = "", value_name = "ORIGINS", hide_default_value = true)]
    cors_origins: String,
    /// Requests per minute for one client address, which may also come all at once. 0: no limit
    #[arg(long, env = "RATE_LIMIT_PER_MINUTE", default_value_t = 12_000, value_name = "N")]
    rate_limit_per_minute: u32,
    /// Number of trusted proxies in front, each of which appends to X-Forwarded-For. The client's address is taken from there
    #[arg(long, env = "TRUSTED_PROXIES", default_value_t = 0, value_name = "N")]
    trusted_proxies: usize,
    /// Connections at the same time. Further ones wait to be accepted
    #[arg(long, env = "MAX_CONNECTIONS", default_value_t = 4096, value_name = "N")]
    max_connections: usize,
    /// Largest Content-Length of a request, for all its files together
    #[arg(long, env = "REQUEST_MAX_BYTES", default_value_t = 256 * MIB, value_name = "BYTES")]
    request_max_bytes: u64,
    /// Seconds that a client may pause in the middle of a request
    #[arg(long, env = "BODY_IDLE_SECONDS", default_value_t = 60, value_name = "N")]
    body_idle_seconds: u64,
    /// Seconds that a connection may be idle between requests
    #[arg(long, env = "KEEPALIVE_SECONDS", default_value_t = 60, value_name = "N")]
    keepalive_seconds: u64,
    /// Seconds that the stack behind may take to respond
    #[arg(long, env = "UPSTREAM_TIMEOUT_SECONDS", default_value_t = 120, value_name = "N")]
    upstream_timeout_seconds: u64,
    /// After a refusal: how many bytes that the client still sends are read and discarded, so that it receives the refusal
    #[arg(long, env = "LINGER_BYTES", default_value_t = MIB, value_name = "BYTES")]
    linger_bytes: u64,
    /// After a refusal: seconds that the connection stays open for a client that is still sending
    #[arg(long, env = "LINGER_SECONDS", default_value_t = 2, value_name = "N")]
    linger_seconds: u64,
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

/// The origins whose pages may call the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origins {
    /// Only pages that this edge serves itself.
    None,
    Any,
    /// Each as browsers send it: scheme, host, and the port unless it is the default of the scheme.
    These(Vec<String>),
}

/// The public port.
#[derive(Debug, Clone)]
pub(crate) struct Listener {
    pub(crate) listen: SocketAddr,
    pub(crate) upstream: Option<Upstream>,
    pub(crate) origins: Origins,
    /// 0: no limit.
    pub(crate) requests_per_minute: u32,
    pub(crate) trusted_proxies: usize,
    pub(crate) max_connections: usize,
    pub(crate) request_max_bytes: u64,
    pub(crate) body_idle: Duration,
    pub(crate) keepalive: Duration,
    pub(crate) upstream_timeout: Duration,
    pub(crate) linger_bytes: u64,
    pub(crate) linger: Duration,
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
        Ok(Listener {
            listen: self.listen,
            upstream: upstream.map(Upstream::parse).transpose()?,
            origins: Origins::parse(&self.cors_origins)?,
            requests_per_minute: self.rate_limit_per_minute,
            trusted_proxies: self.trusted_proxies,
            max_connections: self.max_connections,
            request_max_bytes: self.request_max_bytes,
            body_idle: Duration::from_secs(self.body_idle_seconds.max(1)),
            keepalive: Duration::from_secs(self.keepalive_seconds.max(1)),
            upstream_timeout: Duration::from_secs(self.upstream_timeout_seconds.max(1)),
            linger_bytes: self.linger_bytes,
            linger: Duration::from_secs(self.linger_seconds),
            grace: Duration::from_secs(self.shutdown_grace_seconds),
        })
    }
}

impl Origins {
    fn parse(list: &str) -> Result<Self, ConfigError> {
        let origins: Vec<&str> = list.split(',').map(str::trim).filter(|origin| !origin.is_empty()).collect();
        match origins.as_slice() {
            [] => Ok(Self::None),
            ["*"] => Ok(Self::Any),
            origins => {
                origins.iter().map(|origin| Self::origin(origin)).collect::<Result<_, _>>().map(Self::These)
            }
        }
    }

    fn origin(origin: &str) -> Result<String, ConfigError> {
        let invalid = |problem| {
            ConfigError::new(
                "CORS_ORIGINS",
                format!("{origin}: {problem}"),
                "Set origins such as https://app.example.com, joined by commas, or * for any.",
            )
        };
        let uri = http_url(origin).map_err(invalid)?;
        let parts = uri.scheme_str().zip(uri.authority());
        let (scheme, authority) = parts.ok_or_else(|| invalid("no host in the URL".to_owned()))?;
        let plain = format!("{scheme}://{authority}").to_ascii_lowercase();
        // Browsers send no path, no user, and no default port.
        let own_port = if scheme == "https" { ":443" } else { ":80" };
        if plain != origin || authority.as_str().contains(['@', '*']) || plain.ends_with(own_port) {
            return Err(invalid("not in the form that browsers send, scheme://host[:port]".to_owned()));
        }
        Ok(plain)
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
    fn origins_are_written_as_browsers_send_them() {
        let these =
            |origins: &[&str]| Origins::These(origins.iter().map(|&origin| origin.to_owned()).collect());
        assert_eq!(Origins::parse(" ").unwrap(), Origins::None);
        assert_eq!(Origins::parse("*").unwrap(), Origins::Any);
        assert_eq!(
            Origins::parse("https://app.example, http://localhost:3000").unwrap(),
            these(&["https://app.example", "http://localhost:3000"])
        );
        for wrong in [
            "app.example",
            "https://app.example/",
            "https://App.example",
            "https://app.example:443",
            "https://user@app.example",
            "*,https://app.example",
            "https://*.example",
        ] {
            assert!(Origins::parse(wrong).is_err(), "{wrong}");
        }
    }
}
