//! The edge itself.

use super::{Operation, SERVICE, text};
use crate::openapi::components::ETAG;
use crate::openapi::records::{Health, Limits, Readiness};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

fn service(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(SERVICE, id, summary)
}

fn html() -> Vec<(&'static str, RefOr<Schema>)> {
    vec![("text/html", text())]
}

pub(crate) fn limits() -> Operation {
    service("readLimits", "Read the limits of uploads and contexts").returns::<Limits>(200, "The limits.")
}

pub(crate) fn healthz() -> Operation {
    service("readHealth", "Ask whether the process responds")
        .without_token()
        .returns::<Health>(200, "It does.")
}

pub(crate) fn readyz() -> Operation {
    service("readReadiness", "Ask whether the edge can serve requests")
        .without_token()
        .returns::<Readiness>(200, "It can.")
        .returns::<Readiness>(503, "It cannot; the checks say why.")
}

pub(crate) fn home() -> Operation {
    service("readHome", "A page that introduces the API").without_token().returns_types(
        200,
        "The page.",
        html(),
        &[],
    )
}

pub(crate) fn openapi() -> Operation {
    let document = ObjectBuilder::new().schema_type(Type::Object).into();
    service("readOpenApi", "This document")
        .without_token()
        .header("If-None-Match", "The `ETag` that the client already has.", false, text())
        .returns_types(200, "OpenAPI 3.1.", vec![("application/json", document)], &[ETAG])
        .returns_nothing(304, "The client already has it.", &[ETAG])
}

pub(crate) fn docs() -> Operation {
    service("readDocs", "This document as a page")
        .without_token()
        .header("If-None-Match", "The `ETag` that the client already has.", false, text())
        .returns_types(200, "The page.", html(), &[ETAG])
        .returns_nothing(304, "The client already has it.", &[ETAG])
}
