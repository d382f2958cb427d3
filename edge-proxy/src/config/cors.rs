//! Which pages of other origins may call the API, and what they may send.

use super::ConfigError;
use super::listener::http_url;

/// The origins whose pages may call the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origins {
    /// Only pages that this edge serves itself.
    None,
    Any,
    /// Each as browsers send it: scheme, host, and the port unless it is the default of the scheme.
    These(Vec<String>),
}

/// The request headers that pages may send in addition to those of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RequestHeaders {
    Any,
    These(Vec<http::HeaderName>),
}

impl Origins {
    pub(super) fn parse(list: &str) -> Result<Self, ConfigError> {
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

impl RequestHeaders {
    pub(super) fn parse(list: &str) -> Result<Self, ConfigError> {
        let names: Vec<&str> = list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        if names == ["*"] {
            return Ok(Self::Any);
        }
        let parse = |name: &&str| {
            name.parse().ok().filter(|_| *name != "*").ok_or_else(|| {
                ConfigError::new(
                    "CORS_HEADERS",
                    format!("{name}: not the name of a header"),
                    "Set names such as sentry-trace, joined by commas, or * for any.",
                )
            })
        };
        names.iter().map(parse).collect::<Result<_, _>>().map(Self::These)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_pages_are_names() {
        assert_eq!(RequestHeaders::parse("*").unwrap(), RequestHeaders::Any);
        assert_eq!(RequestHeaders::parse("").unwrap(), RequestHeaders::These(Vec::new()));
        let names = ["sentry-trace", "baggage"].map(http::HeaderName::from_static).to_vec();
        assert_eq!(RequestHeaders::parse("Sentry-Trace, baggage").unwrap(), RequestHeaders::These(names));
        for wrong in ["a b", "x:y", "*,baggage"] {
            assert!(RequestHeaders::parse(wrong).is_err(), "{wrong}");
        }
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
