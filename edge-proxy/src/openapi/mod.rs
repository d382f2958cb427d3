//! The description of the API, as `OpenAPI` 3.1 at `/api/openapi.json` and as a page at `/api/docs`.
//!
//! Parameters and bodies of requests are described by the types that the handlers read, responses by [`records`], and the rest by a
//! function for each route in [`described`]. [`table`] joins them with the handlers.
//! Invariant: knows no request. The document is the same for everybody, so no token is needed to read it.

mod components;
pub(crate) mod described;
mod operation;
mod page;
pub(crate) mod records;
mod table;

pub(crate) use operation::Operation;
pub(crate) use table::{Described, Routes};

use crate::http::{ApiError, NoKeys, Query};
use crate::sha256::Sha256;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, header};
use records::Error;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use utoipa::openapi::path::{HttpMethod, PathItem, PathsBuilder};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Components, InfoBuilder, License, OpenApi, OpenApiBuilder, ServerBuilder};
use utoipa::{PartialSchema, ToSchema};

const ABOUT: &str = "Stores what an AI conversation needs: its context and its documents, with their text. Every error has the same \
    shape. Lists return pages: send `next` as `after`. Paging, waiting, partial success (207), retries and live status are explained in \
    docs/http.md.";

/// The document of these routes.
fn document(routes: Vec<Described>) -> OpenApi {
    let (mut paths, mut schemas) = (PathsBuilder::new(), BTreeMap::new());
    schemas.insert(Error::name().into_owned(), Error::schema());
    let mut referred = Vec::new();
    Error::schemas(&mut referred);
    schemas.extend(referred);
    for Described { method, path, operation } in routes {
        let (operation, referred) = operation.build(&method, path);
        schemas.extend(referred);
        if let Some(method) = in_openapi(&method) {
            paths = paths.path(path, PathItem::new(method, operation));
        }
    }
    let components: Components = schemas
        .into_iter()
        .fold(components::shared(), |shared, (name, schema)| shared.schema(name, schema))
        .build();
    let license = License::builder().name("MIT OR Apache-2.0").identifier(Some("MIT OR Apache-2.0")).build();
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Dossier")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(ABOUT))
                .license(Some(license)),
        )
        .servers(Some([ServerBuilder::new().url("/").description(Some("This edge")).build()]))
        .tags(Some(
            described::TAGS.map(|(name, text)| TagBuilder::new().name(name).description(Some(text)).build()),
        ))
        .paths(paths)
        .components(Some(components))
        .build()
}

fn in_openapi(method: &Method) -> Option<HttpMethod> {
    Some(match *method {
        Method::GET => HttpMethod::Get,
        Method::POST => HttpMethod::Post,
        Method::PATCH => HttpMethod::Patch,
        Method::DELETE => HttpMethod::Delete,
        Method::HEAD => HttpMethod::Head,
        Method::OPTIONS => HttpMethod::Options,
        Method::PUT => HttpMethod::Put,
        _ => return None,
    })
}

/// The document as text, with a line break at its end.
static TEXT: LazyLock<String> = LazyLock::new(|| {
    // Its keys are strings, so it always serializes.
    document(crate::routes::described()).to_pretty_json().unwrap_or_default() + "\n"
});

/// The document as text: `dossier-edge openapi` prints it.
pub(crate) fn text() -> &'static str {
    &TEXT
}

/// Something that never changes while this program runs, and its tag.
struct Fixed {
    body: String,
    tag: HeaderValue,
}

impl Fixed {
    fn new(body: String) -> Self {
        let mut hash = Sha256::new();
        hash.update(body.as_bytes());
        let tag = HeaderValue::from_str(&format!("\"{}\"", hash.hex()));
        // Hexadecimal digits are valid in a header.
        Self { body, tag: tag.unwrap_or(HeaderValue::from_static("\"\"")) }
    }

    fn response(&'static self, media_type: &'static str, policy: &'static str) -> Response {
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
            (header::ETAG, self.tag.clone()),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
            (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        ];
        (headers, self.body.as_str()).into_response()
    }
}

/// `GET /api/openapi.json`.
pub(crate) async fn json(_: Query<NoKeys>) -> Result<Response, ApiError> {
    static JSON: LazyLock<Fixed> = LazyLock::new(|| Fixed::new(TEXT.clone()));
    Ok(JSON.response("application/json; charset=utf-8", "default-src 'none'"))
}

/// `GET /api/docs`: the document as a page that needs neither scripts nor the network.
pub(crate) async fn docs(_: Query<NoKeys>) -> Result<Response, ApiError> {
    static PAGE: LazyLock<Fixed> = LazyLock::new(|| Fixed::new(page::page(&TEXT)));
    Ok(PAGE.response("text/html; charset=utf-8", "default-src 'none'; style-src 'unsafe-inline'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checked_in_document_is_that_of_the_routes() {
        let committed = include_str!("../../../docs/openapi.json");
        let differs = committed.lines().zip(text().lines()).position(|(one, other)| one != other);
        assert!(
            committed == text(),
            "docs/openapi.json differs from the routes, first in line {:?}: run ./dev snapshot openapi",
            differs.map(|line| line + 1)
        );
    }

    #[test]
    fn every_reference_has_a_target_and_every_operation_a_name_of_its_own() {
        let document: serde_json::Value = serde_json::from_str(text()).unwrap();
        let mut references = Vec::new();
        collect(&document, "$ref", &mut references);
        assert!(references.len() > 100);
        for reference in references {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
        let mut names = Vec::new();
        collect(&document, "operationId", &mut names);
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    fn collect(value: &serde_json::Value, key: &str, found: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(members) => {
                for (name, member) in members {
                    if let (true, Some(text)) = (name == key, member.as_str()) {
                        found.push(text.to_owned());
                    }
                    collect(member, key, found);
                }
            }
            serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, key, found)),
            _ => {}
        }
    }
}
