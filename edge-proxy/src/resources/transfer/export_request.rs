//! The request for an export: which sessions, in which format, with or without the files.

use crate::http::{Problem, unknown_parameter};
use http::{HeaderMap, StatusCode, header};
use uuid::Uuid;

const MOST_SESSIONS: usize = 1000;
/// The accepted query parameters. `session_id` is not one if the path names the session.
const PARAMETERS: [&str; 4] = ["session_id", "format", "include_bytes", "bytes"];

/// The format of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// One JSON object, like `dossier.export_sessions` returns.
    Json,
    /// One record per line.
    Ndjson,
    /// The records, and the files under their names.
    Zip,
    /// A Word document of one session, for people.
    Docx,
}

impl Format {
    const ALL: [Self; 4] = [Self::Json, Self::Ndjson, Self::Zip, Self::Docx];

    pub(super) fn ending(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Zip => "zip",
            Self::Docx => "docx",
        }
    }

    pub(super) fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Zip => "application/zip",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        }
    }

    fn named(name: &str) -> Result<Self, Problem> {
        Self::ALL.into_iter().find(|format| format.ending() == name).ok_or_else(|| {
            Problem::bad_request(format!("format must be one of {}", names())).hint("Omit it to export JSON.")
        })
    }

    /// The format that `Accept` prefers. JSON if it accepts anything or is missing.
    fn accepted(headers: &HeaderMap) -> Result<Self, Problem> {
        let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let mut ranges: Vec<(f32, &str)> =
            accepted.flat_map(|value| value.split(',')).filter_map(range).collect();
        if ranges.is_empty() {
            return Ok(Self::Json);
        }
        ranges.sort_by(|one, other| other.0.total_cmp(&one.0));
        let found = ranges.iter().find_map(|(_, range)| match *range {
            "*/*" | "application/*" => Some(Self::Json),
            range => Self::ALL.into_iter().find(|format| format.media_type().eq_ignore_ascii_case(range)),
        });
        found.ok_or_else(|| {
            Problem::new(StatusCode::NOT_ACCEPTABLE, "None of the types in Accept is supported")
                .details(format!(
                    "An export can have the types {}.",
                    Self::ALL.map(Self::media_type).join(", ")
                ))
                .hint("Send one of these types, or omit Accept and set the query parameter format.")
        })
    }
}

fn names() -> String {
    Format::ALL.map(Format::ending).join(", ")
}

/// A media type of `Accept` with its weight, `None` if the weight is 0.
fn range(text: &str) -> Option<(f32, &str)> {
    let mut parts = text.split(';').map(str::trim);
    let range = parts.next().filter(|range| !range.is_empty())?;
    let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(1.0, |q| q.parse().unwrap_or(0.0));
    (weight > 0.0).then_some((weight, range))
}

/// A request for an export.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ExportRequest {
    pub(super) sessions: Vec<Uuid>,
    pub(super) format: Format,
    /// Whether the files are included.
    pub(super) bytes: bool,
}

impl ExportRequest {
    /// `[session_id=…&…][format=…][&include_bytes=true]`. Without a format, `Accept` decides. `bytes` is short for
    /// `include_bytes`, which is true by default for an archive. `session`: the one in the path, if there is one.
    pub(super) fn read(
        session: Option<Uuid>,
        pairs: &[(String, String)],
        headers: &HeaderMap,
    ) -> Result<Self, Problem> {
        let (mut sessions, mut format, mut bytes) = (Vec::from_iter(session), None, None);
        for (key, value) in pairs {
            match (key.as_str(), value.as_str()) {
                ("session_id", id) if session.is_none() => {
                    let id = id.parse().map_err(|_| {
                        Problem::bad_request("session_id is not a valid UUID")
                            .hint("GET /api/sessions lists the sessions with their ids.")
                    })?;
                    if !sessions.contains(&id) {
                        sessions.push(id);
                    }
                }
                ("format", name) => format = Some(Format::named(name)?),
                ("bytes" | "include_bytes", "true") => bytes = Some(true),
                ("bytes" | "include_bytes", "false") => bytes = Some(false),
                ("bytes" | "include_bytes", _) => {
                    return Err(Problem::bad_request(format!("{key} must be true or false"))
                        .hint("Omit it to include the bytes in archives only."));
                }
                _ if session.is_some() => return Err(unknown_parameter(key, &PARAMETERS[1..])),
                _ => return Err(unknown_parameter(key, &PARAMETERS)),
            }
            if sessions.len() > MOST_SESSIONS {
                return Err(Problem::bad_request(format!(
                    "session_id must name at most {MOST_SESSIONS} sessions"
                ))
                .hint("Export them in several requests."));
            }
        }
        if sessions.is_empty() {
            return Err(Problem::bad_request("The query parameter session_id is missing")
                .hint("Request GET /api/export?session_id=… with the id of a session."));
        }
        let format = format.map_or_else(|| Format::accepted(headers), Ok)?;
        if format == Format::Docx && session.is_none() {
            return Err(Problem::bad_request("A Word document contains exactly one session")
                .hint("Request GET /api/sessions/{id}/export?format=docx."));
        }
        Ok(Self { sessions, format, bytes: bytes.unwrap_or(format == Format::Zip) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn read(
        session: Option<Uuid>,
        pairs: &[(&str, &str)],
        accept: &[&'static str],
    ) -> Result<ExportRequest, Problem> {
        let pairs: Vec<_> =
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let headers = accept.iter().map(|value| (header::ACCEPT, HeaderValue::from_static(value))).collect();
        ExportRequest::read(session, &pairs, &headers)
    }

    #[test]
    fn a_session_that_is_named_twice_is_exported_once() {
        let id = Uuid::from_u128(7);
        let text = id.to_string();
        assert_eq!(
            read(None, &[("session_id", &text), ("bytes", "true"), ("session_id", &text)], &[]),
            Ok(ExportRequest { sessions: vec![id], format: Format::Json, bytes: true })
        );
        for wrong in [
            &[][..],
            &[("session_id", "x")],
            &[("session_id", &text), ("bytes", "yes")],
            &[("session_id", &text), ("format", "pdf")],
            &[("session_id", &text), ("format", "docx")],
            &[("session_id", &text), ("colour", "red")],
        ] {
            let refused = read(None, wrong, &[]).unwrap_err();
            assert!(refused.status == 400 && refused.hint.is_some(), "{wrong:?}");
        }
        assert!(read(Some(id), &[("session_id", &text)], &[]).is_err());
    }

    #[test]
    fn the_query_decides_the_format_before_accept() {
        let format = |pairs: &[(&str, &str)], accept: &[&'static str]| {
            read(Some(Uuid::nil()), pairs, accept)
                .map(|request| (request.format, request.bytes))
                .map_err(|p| p.status.as_u16())
        };
        assert_eq!(format(&[], &[]), Ok((Format::Json, false)));
        assert_eq!(format(&[], &["*/*"]), Ok((Format::Json, false)));
        assert_eq!(format(&[], &["text/html, application/zip;q=0.8, */*;q=0.1"]), Ok((Format::Zip, true)));
        assert_eq!(format(&[("bytes", "false")], &["application/zip"]), Ok((Format::Zip, false)));
        assert_eq!(
            format(&[], &["application/json;q=0.1", "application/x-ndjson"]),
            Ok((Format::Ndjson, false))
        );
        assert_eq!(format(&[("format", "docx")], &["application/json"]), Ok((Format::Docx, false)));
        assert_eq!(format(&[], &["text/html"]), Err(406));
        assert_eq!(format(&[], &["application/zip;q=0, text/csv"]), Err(406));
    }
}
