//! Who the client is, and how it reached this edge: the headers `X-Forwarded-*`.
//!
//! Invariant: the edge writes these headers itself, for the API and for the stack. What a client says about its own address
//! or about the host that it called goes no further. Only trusted proxies in front are believed, as many as there are.

use http::header;
use http::uri::Authority;
use http::{HeaderName, HeaderValue};
use pingora::Result;
use pingora::http::RequestHeader;
use std::net::{IpAddr, SocketAddr};

const FOR: &str = "x-forwarded-for";
const HOST: &str = "x-forwarded-host";
const PROTO: &str = "x-forwarded-proto";
const PORT: &str = "x-forwarded-port";
const REAL_IP: &str = "x-real-ip";

/// Other headers in which a proxy states the client's address. Without a proxy in front, a client made them up.
const OF_OTHER_PROXIES: [&str; 7] = [
    "cf-connecting-ip",
    "cf-connecting-ipv6",
    "fastly-client-ip",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-envoy-external-address",
];

/// Whether `name` describes the connection of the client. Such a header is never the client's to set.
pub(super) fn describes_connection(name: &HeaderName) -> bool {
    let name = name.as_str();
    if name.contains('_') {
        // Some servers take an underscore for a hyphen.
        describes(&name.replace('_', "-"))
    } else {
        describes(name)
    }
}

fn describes(name: &str) -> bool {
    name == header::FORWARDED.as_str()
        || name == REAL_IP
        || name.starts_with("x-forwarded-")
        || OF_OTHER_PROXIES.contains(&name)
}

/// A client, as the connection and the trusted proxies describe it.
#[derive(Debug, Default)]
pub(super) struct Client {
    address: Option<IpAddr>,
    /// The client's address, then those of the proxies that it came through.
    path: Vec<IpAddr>,
    /// The host that the client called, with its port unless it is the default one.
    host: Option<Authority>,
    tls: bool,
    port: u16,
}

impl Client {
    /// The client of `request`, whose connection comes from `connected`, through `proxies` trusted proxies.
    pub(super) fn of(request: &RequestHeader, connected: Option<IpAddr>, proxies: usize) -> Self {
        let before = forwarded_for(request, proxies).unwrap_or_default();
        let path: Vec<IpAddr> =
            before.into_iter().chain(connected).map(|address| address.to_canonical()).collect();
        let stated = |name| if proxies == 0 { None } else { stated(request, name, proxies) };
        let tls = stated(PROTO).is_some_and(|proto| proto.eq_ignore_ascii_case("https"));
        let host = stated(HOST)
            .or_else(|| request.headers.get(header::HOST).and_then(|host| host.to_str().ok()))
            .and_then(|host| host.parse::<Authority>().ok())
            .filter(|host| !host.as_str().contains('@'));
        let port = stated(PORT)
            .and_then(|port| port.parse().ok())
            .or_else(|| host.as_ref().and_then(Authority::port_u16))
            .unwrap_or(if tls { 443 } else { 80 });
        Self { address: path.first().copied(), path, host, tls, port }
    }

    /// Its address. `None` if the connection has none.
    pub(super) fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Scheme, host and port of the URLs that it calls. `None`: it did not name a host.
    pub(super) fn origin(&self) -> Option<String> {
        let host = self.host.as_ref()?;
        let own_port = if self.tls { 443 } else { 80 };
        let port = if self.port == own_port { String::new() } else { format!(":{}", self.port) };
        Some(format!("{}://{}{port}", self.scheme(), host.host()))
    }

    /// Describes the client to the next server. `trusted`: there are proxies in front, whose other headers are kept.
    pub(super) fn describe(&self, request: &mut RequestHeader, trusted: bool) -> Result<()> {
        // No common proxy removes a client's `Forwarded`, and some servers prefer it to the others.
        request.remove_header(&header::FORWARDED);
        if !trusted {
            let made_up: Vec<_> =
                request.headers.keys().filter(|name| describes_connection(name)).cloned().collect();
            for name in made_up {
                request.remove_header(&name);
            }
        }
        let address = self.address.and_then(|address| HeaderValue::try_from(address.to_string()).ok());
        let path = match &*self.path {
            // Nearly always: the two headers share their value.
            [_] => address.clone(),
            [] => None,
            path => {
                let path: Vec<String> = path.iter().map(ToString::to_string).collect();
                HeaderValue::try_from(path.join(", ")).ok()
            }
        };
        set(request, FOR, path)?;
        set(request, REAL_IP, address)?;
        set(request, HOST, self.host.as_ref().and_then(|host| HeaderValue::from_str(host.as_str()).ok()))?;
        set(request, PROTO, Some(HeaderValue::from_static(self.scheme())))?;
        set(request, PORT, Some(self.port.into()))
    }

    fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }
}

/// Omits the host that the client called, for a stack that finds its projects by that header.
pub(super) fn without_host(request: &mut RequestHeader) {
    for name in [HOST, PROTO, PORT] {
        request.remove_header(name);
    }
}

fn set(request: &mut RequestHeader, name: &'static str, value: Option<HeaderValue>) -> Result<()> {
    if let Some(value) = value {
        request.insert_header(name, value)
    } else {
        request.remove_header(name);
        Ok(())
    }
}

/// The addresses that the trusted proxies reported, the client's first. Each proxy appends the address that connected to
/// it, so the client is as many places from the end as there are proxies. `None`: the request did not come through all of
/// them.
fn forwarded_for(request: &RequestHeader, proxies: usize) -> Option<Vec<IpAddr>> {
    let all = list(request, FOR);
    let reported = &all[all.len().checked_sub(proxies)?..];
    reported.iter().map(|entry| address(entry)).collect()
}

/// An address, which some proxies write with the port.
fn address(entry: &str) -> Option<IpAddr> {
    let with_port = || entry.parse::<SocketAddr>().ok().map(|address| address.ip());
    entry.trim_matches(['[', ']']).parse().ok().or_else(with_port)
}

/// What the first of the trusted proxies stated. Proxies either replace the header or append to it.
fn stated<'a>(request: &'a RequestHeader, name: &'static str, proxies: usize) -> Option<&'a str> {
    let all = list(request, name);
    all.get(all.len().saturating_sub(proxies)).copied().filter(|value| !value.is_empty())
}

fn list<'a>(request: &'a RequestHeader, name: &'static str) -> Vec<&'a str> {
    let values = request.headers.get_all(name).iter();
    values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).map(str::trim).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&'static str, &str)]) -> RequestHeader {
        let mut request = RequestHeader::build("GET", b"/rest/v1/things", None).unwrap();
        for (name, value) in headers {
            request.append_header(*name, *value).unwrap();
        }
        request
    }

    /// What the next server sees of `headers`, sorted.
    fn seen(headers: &[(&'static str, &str)], proxies: usize) -> Vec<String> {
        let mut request = request(headers);
        let client = Client::of(&request, "127.0.0.1".parse().ok(), proxies);
        client.describe(&mut request, proxies > 0).unwrap();
        let mut seen: Vec<String> = request
            .headers
            .iter()
            .filter(|(name, _)| *name != header::HOST)
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        seen.sort();
        seen
    }

    const FORGED: [(&str, &str); 9] = [
        ("host", "edge.example:8080"),
        ("x-forwarded-for", "6.6.6.6"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-port", "444"),
        ("x-forwarded-prefix", "/evil"),
        ("forwarded", "for=6.6.6.6;host=evil.example"),
        ("x-real-ip", "6.6.6.6"),
        ("cf-connecting-ip", "6.6.6.6"),
    ];

    #[test]
    fn underscores_are_hyphens() {
        let forged = [("x_forwarded_for", "6.6.6.6"), ("x_real_ip", "6.6.6.6"), ("x_app", "1")];
        assert_eq!(
            seen(&forged, 0).join(", "),
            "x-forwarded-for: 127.0.0.1, x-forwarded-port: 80, x-forwarded-proto: http, x-real-ip: 127.0.0.1, x_app: 1"
        );
    }

    #[test]
    fn without_proxies_only_the_connection_counts() {
        assert_eq!(
            seen(&FORGED, 0),
            [
                "x-forwarded-for: 127.0.0.1",
                "x-forwarded-host: edge.example:8080",
                "x-forwarded-port: 8080",
                "x-forwarded-proto: http",
                "x-real-ip: 127.0.0.1"
            ]
        );
    }

    #[test]
    fn a_trusted_proxy_is_believed() {
        assert_eq!(
            seen(&FORGED, 1),
            [
                "cf-connecting-ip: 6.6.6.6",
                "x-forwarded-for: 6.6.6.6, 127.0.0.1",
                "x-forwarded-host: evil.example",
                "x-forwarded-port: 444",
                "x-forwarded-prefix: /evil",
                "x-forwarded-proto: https",
                "x-real-ip: 6.6.6.6"
            ]
        );
    }

    #[test]
    fn a_client_cannot_choose_its_address() {
        let chosen = |forwarded: &[&str], proxies| {
            let headers: Vec<_> = forwarded.iter().map(|value| ("x-forwarded-for", *value)).collect();
            let client = Client::of(&request(&headers), "127.0.0.1".parse().ok(), proxies);
            client.path.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(chosen(&["6.6.6.6, 10.0.0.1"], 1), "10.0.0.1 127.0.0.1");
        assert_eq!(chosen(&["6.6.6.6", "10.0.0.1", "10.0.0.2"], 2), "10.0.0.1 10.0.0.2 127.0.0.1");
        assert_eq!(chosen(&["203.0.113.7:4711"], 1), "203.0.113.7 127.0.0.1");
        assert_eq!(chosen(&["[2001:db8::7]:4711"], 1), "2001:db8::7 127.0.0.1");
        for (lacking, proxies) in [("10.0.0.1", 2), ("nonsense", 1), ("10.0.0.1, nonsense", 2), ("", 1)] {
            assert_eq!(chosen(&[lacking], proxies), "127.0.0.1", "{lacking}");
        }
    }

    #[test]
    fn the_origin_is_the_one_that_the_client_called() {
        let origin =
            |headers: &[(&'static str, &str)], proxies| Client::of(&request(headers), None, proxies).origin();
        let some = |origin: &str| Some(origin.to_owned());
        assert_eq!(origin(&[("host", "edge.example")], 0), some("http://edge.example"));
        assert_eq!(origin(&[("host", "[::1]:8080")], 0), some("http://[::1]:8080"));
        assert_eq!(origin(&[("host", "a@edge.example")], 0), None);
        assert_eq!(origin(&[], 0), None);
        let proxied =
            [("host", "10.0.0.5:8080"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "app.example")];
        assert_eq!(origin(&proxied, 1), some("https://app.example"));
        let odd_port =
            [("host", "app.example"), ("x-forwarded-proto", "https"), ("x-forwarded-port", "8443")];
        assert_eq!(origin(&odd_port, 1), some("https://app.example:8443"));
        assert_eq!(
            origin(&[("host", "edge"), ("x-forwarded-host", "made.up, app.example")], 1),
            some("http://app.example")
        );
    }
}
