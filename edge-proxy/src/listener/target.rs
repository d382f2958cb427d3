//! Which service a path belongs to.

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

/// Supabase's services, by the first two segments of the path.
const UPSTREAM: [&str; 6] =
    ["/rest/v1", "/auth/v1", "/storage/v1", "/realtime/v1", "/functions/v1", "/graphql/v1"];

impl Target {
    pub(super) fn of(path: &str) -> Self {
        if matches!(path, "/" | "/healthz" | "/readyz") || within(path, "/api") {
            Self::Api
        } else if UPSTREAM.iter().any(|prefix| within(path, prefix)) {
            Self::Upstream
        } else {
            Self::Unknown
        }
    }
}

fn within(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_segments_match() {
        for path in ["/", "/healthz", "/readyz", "/api", "/api/", "/api/documents/x/content"] {
            assert_eq!(Target::of(path), Target::Api, "{path}");
        }
        for path in ["/rest/v1", "/rest/v1/", "/auth/v1/token", "/realtime/v1/websocket"] {
            assert_eq!(Target::of(path), Target::Upstream, "{path}");
        }
        for path in ["", "/apis", "/rest/v10", "/rest/v2/x", "/restv1", "//api", "/API", "/pg/meta", "*"] {
            assert_eq!(Target::of(path), Target::Unknown, "{path}");
        }
    }
}
