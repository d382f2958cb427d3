//! Addresses of the stack in its responses (`Location`), as the client can use them.
//!
//! A stack that does not know where the client came from writes its own address there: an inner name that no browser
//! reaches, or a way around this edge.

use super::forwarded::Client;
use crate::config::Upstream;
use http::header::{self, HeaderName, HeaderValue};
use http::uri::Authority;
use pingora::Result;
use pingora::http::ResponseHeader;

const HEADERS: [HeaderName; 2] = [header::LOCATION, header::CONTENT_LOCATION];

/// Replaces the stack's origin by the one that the client called. Other addresses stay as they are.
pub(super) fn rewrite(response: &mut ResponseHeader, stack: &Upstream, client: &Client) -> Result<()> {
    for name in HEADERS {
        let location = response.headers.get(&name).and_then(|value| value.to_str().ok());
        if let Some(rest) = location.and_then(|location| beyond_origin(location, stack)) {
            // Without a host, the client resolves the path itself.
            let origin = client.origin().unwrap_or_default();
            let slash = if rest.starts_with('/') { "" } else { "/" };
            if let Ok(location) = HeaderValue::try_from(format!("{origin}{slash}{rest}")) {
                response.insert_header(name, location)?;
            }
        }
    }
    Ok(())
}

/// What follows the origin, if that is the stack's.
fn beyond_origin<'a>(location: &'a str, stack: &Upstream) -> Option<&'a str> {
    let (scheme, rest) = location.split_once("//")?;
    if !matches!(scheme.to_ascii_lowercase().as_str(), "http:" | "https:" | "") {
        return None;
    }
    let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let authority: Authority = authority.parse().ok()?;
    let host = authority.host().trim_matches(['[', ']']);
    // Supabase Storage may write https where this edge uses http, so the scheme says nothing about the port.
    let same_port = authority.port_u16().map_or(matches!(stack.port, 80 | 443), |port| port == stack.port);
    let same_server = host.eq_ignore_ascii_case(&stack.host) && same_port;
    (same_server && !authority.as_str().contains('@')).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pingora::http::RequestHeader;

    fn rewritten(location: &str, stack: &str, host: Option<&str>) -> String {
        let mut request = RequestHeader::build("POST", b"/storage/v1/upload/resumable", None).unwrap();
        if let Some(host) = host {
            request.insert_header(header::HOST, host).unwrap();
        }
        let client = Client::of(&request, None, 0);
        let stack = Upstream::from_uri(&stack.parse().unwrap()).unwrap();
        let mut response = ResponseHeader::build(201, None).unwrap();
        response.insert_header(header::LOCATION, location).unwrap();
        rewrite(&mut response, &stack, &client).unwrap();
        response.headers[header::LOCATION].to_str().unwrap().to_owned()
    }

    #[test]
    fn the_origin_of_the_stack_becomes_that_of_the_edge() {
        let kong = "http://kong:8000";
        for (location, expected) in [
            (
                "http://kong:8000/storage/v1/upload/resumable/abc",
                "http://edge.example/storage/v1/upload/resumable/abc",
            ),
            ("HTTP://Kong:8000/x?y=http://kong:8000/#z", "http://edge.example/x?y=http://kong:8000/#z"),
            ("https://kong:8000/x", "http://edge.example/x"),
            ("//kong:8000/x", "http://edge.example/x"),
            ("http://kong:8000", "http://edge.example/"),
            ("http://kong:8000?x", "http://edge.example/?x"),
        ] {
            assert_eq!(rewritten(location, kong, Some("edge.example")), expected);
        }
        let hosted = "https://ref.supabase.co";
        assert_eq!(rewritten("https://ref.supabase.co/x", hosted, Some("[::1]:8080")), "http://[::1]:8080/x");
        assert_eq!(rewritten("https://ref.supabase.co:443/x", hosted, Some("edge")), "http://edge/x");
        assert_eq!(rewritten("http://[::1]:54321/x", "http://[::1]:54321", Some("edge")), "http://edge/x");
        assert_eq!(rewritten("https://kong/x", "http://kong", Some("edge")), "http://edge/x");
        assert_eq!(rewritten("http://kong:8000/x", kong, None), "/x");
    }

    #[test]
    fn other_addresses_stay() {
        for location in [
            "/storage/v1/x",
            "storage/v1/x",
            "http://kong/x",
            "http://kong:80001/x",
            "http://kong:8000.evil.example/x",
            "http://user@kong:8000/x",
            "ftp://kong:8000/x",
            "https://accounts.example/?redirect_to=http://kong:8000/auth/v1/callback",
            "",
        ] {
            assert_eq!(rewritten(location, "http://kong:8000", Some("edge")), location);
        }
    }
}
