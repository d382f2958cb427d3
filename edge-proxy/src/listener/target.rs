//! Which service a path belongs to, and whether the servers behind can only read it in one way.
//!
//! The edge passes a path on byte for byte. A server behind may decode it, resolve dots, take a backslash for a slash or cut
//! off what follows a semicolon. Then a path that begins with `/rest/v1` could reach another service.
//! Invariant: a path that any of these readings would move is not passed on.

use percent_encoding::percent_decode;
use std::borrow::Cow;

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// To the API in this process.
    Api,
    /// To the Supabase stack behind.
    Upstream,
    /// Nowhere: it is refused.
    Unknown,
}

/// The API, the demo, and the addresses of documents that the demo opens.
const API: [&str; 3] = ["/api", "/demo", "/documents"];

/// Supabase's services, by the first two segments of the path.
const UPSTREAM: [&str; 6] =
    ["/rest/v1", "/auth/v1", "/storage/v1", "/realtime/v1", "/functions/v1", "/graphql/v1"];

impl Target {
    /// `further`: paths of the stack that the operator lists.
    pub(super) fn of(path: &str, further: &[String]) -> Self {
        if matches!(path, "/" | "/healthz" | "/readyz") || API.iter().any(|prefix| within(path, prefix)) {
            Self::Api
        } else if UPSTREAM
            .iter()
            .copied()
            .chain(further.iter().map(String::as_str))
            .any(|prefix| within(path, prefix))
        {
            Self::Upstream
        } else {
            Self::Unknown
        }
    }
}

fn within(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Why the servers behind might not agree about a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Ambiguity {
    #[error("It contains a segment of dots, or one that servers may read as dots.")]
    Dots,
    #[error("It contains a backslash, which some servers read as a slash.")]
    Backslash,
    #[error("It contains a fragment (#), which belongs in no request.")]
    Fragment,
    #[error("It contains a control character.")]
    Control,
    #[error("A percent sign is not followed by two hexadecimal digits.")]
    Escape,
    #[error("It contains bytes that are not valid UTF-8, which some servers read as dots or slashes.")]
    Overlong,
}

/// How often a path may be encoded. Two servers in a row may each decode it.
const LAYERS: usize = 4;

/// Checks the target of a request as it arrived, for every way in which servers read paths.
pub(super) fn check(target: &[u8]) -> Result<(), Ambiguity> {
    if target.contains(&b'#') {
        return Err(Ambiguity::Fragment);
    }
    let path = target.split(|byte| *byte == b'?').next().unwrap_or_default();
    if path.contains(&b'\\') {
        return Err(Ambiguity::Backslash);
    }
    if has_broken_escape(path) {
        return Err(Ambiguity::Escape);
    }
    let mut path = Cow::Borrowed(path);
    for _ in 0..LAYERS {
        check_once(&path)?;
        match Cow::from(percent_decode(&path)) {
            Cow::Borrowed(_) => return Ok(()),
            Cow::Owned(decoded) => path = Cow::Owned(decoded),
        }
    }
    check_once(&path)
}

/// Checks a path that is read without decoding it.
fn check_once(path: &[u8]) -> Result<(), Ambiguity> {
    if path.iter().any(u8::is_ascii_control) {
        return Err(Ambiguity::Control);
    }
    // Two bytes that no UTF-8 contains begin the overlong forms of ASCII characters.
    if path.iter().any(|byte| matches!(byte, 0xc0 | 0xc1))
        || path.windows(2).any(|pair| matches!(pair, [0xe0, 0x80..=0x9f]))
    {
        return Err(Ambiguity::Overlong);
    }
    if path.split(|byte| matches!(byte, b'/' | b'\\')).any(is_dots) {
        return Err(Ambiguity::Dots);
    }
    Ok(())
}

/// Whether a segment is `.` or `..`, also before parameters (`;x`) or a query that was encoded, or with spaces around it.
fn is_dots(segment: &[u8]) -> bool {
    let name =
        segment.split(|byte| matches!(byte, b';' | b'?' | b'#')).next().unwrap_or_default().trim_ascii();
    matches!(name, b"." | b"..")
}

fn has_broken_escape(path: &[u8]) -> bool {
    path.split(|byte| *byte == b'%')
        .skip(1)
        .any(|after| !matches!(after, [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_segments_match() {
        let further = ["/sso/saml/acs".to_owned(), "/.well-known".to_owned()];
        for path in [
            "/",
            "/healthz",
            "/readyz",
            "/api",
            "/api/",
            "/api/documents/x/content",
            "/demo/users",
            "/documents/x",
        ] {
            assert_eq!(Target::of(path, &further), Target::Api, "{path}");
        }
        for path in ["/rest/v1", "/rest/v1/", "/auth/v1/token", "/realtime/v1/websocket"] {
            assert_eq!(Target::of(path, &[]), Target::Upstream, "{path}");
        }
        for path in [
            "",
            "/apis",
            "/demos",
            "/rest/v10",
            "/rest/v2/x",
            "/restv1",
            "//api",
            "/API",
            "/pg/meta",
            "*",
            "/rest%2fv1/x",
        ] {
            assert_eq!(Target::of(path, &further), Target::Unknown, "{path}");
        }
        for path in ["/sso/saml/acs", "/.well-known/oauth-authorization-server"] {
            assert_eq!(Target::of(path, &further), Target::Upstream, "{path}");
            assert_eq!(Target::of(path, &[]), Target::Unknown, "{path}");
        }
    }

    #[test]
    fn a_path_that_servers_read_differently_is_refused() {
        use Ambiguity::{Backslash, Control, Dots, Escape, Fragment, Overlong};
        for (rest, ambiguity) in [
            ("..", Dots),
            ("./x", Dots),
            ("../../pg/tables", Dots),
            ("%2e%2e/%2e%2e/mcp", Dots),
            (".%2e/.%2E/mcp", Dots),
            ("..%2f..%2fmcp", Dots),
            ("%252e%252e%252fmcp", Dots),
            ("%25252e%25252e/mcp", Dots),
            ("..;/x", Dots),
            ("..;a=b/x", Dots),
            ("..%3b/x", Dots),
            ("..%3fx/y", Dots),
            ("..%5cmcp", Dots),
            ("x/..%20/y", Dots),
            ("..\\..\\mcp", Backslash),
            ("a\\b", Backslash),
            ("x#/../y", Fragment),
            ("a%00b", Control),
            ("a%0d%0ab", Control),
            ("a%2500b", Control),
            ("100%", Escape),
            ("a%2", Escape),
            ("a%zzb", Escape),
            ("%c0%ae%c0%ae/x", Overlong),
            ("%e0%80%ae/x", Overlong),
        ] {
            let target = format!("/rest/v1/{rest}");
            assert_eq!(check(target.as_bytes()), Err(ambiguity), "{target}");
        }
    }

    #[test]
    fn a_path_with_odd_names_is_passed_on() {
        for rest in [
            "",
            "things?select=a%20b&x=../..&y=%2e%2e\\",
            "object/b//double.txt",
            "object/b/a;b=c.txt",
            "object/b/...",
            "object/b/..a",
            "object/b/a..",
            "object/b/.hidden",
            "object/b/100%25.txt",
            "object/b/%F0%9F%98%80/%C3%A4",
            "object/b/\u{e4}",
            "object/b/a%2Fb%5Cc",
            "fn/https%3A%2F%2Fexample.com%2Fx%3Fy",
        ] {
            let target = format!("/storage/v1/{rest}");
            assert_eq!(check(target.as_bytes()), Ok(()), "{target}");
        }
        // Latin-1, which is not UTF-8 but no other spelling of ASCII.
        assert_eq!(check(b"/functions/v1/\xe4\xf6"), Ok(()));
    }
}
