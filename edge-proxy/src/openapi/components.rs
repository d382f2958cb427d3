//! What many operations share: the errors, the headers, and the ways to identify oneself.

use super::records::Error;
use utoipa::ToSchema;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{ComponentsBuilder, ObjectBuilder, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr};

/// The security schemes.
pub(super) const TOKEN: &str = "token";
pub(super) const SIGNED: &str = "signed_url";

const ACCEPT_ENCODING: &str = "Accept-Encoding";
pub(super) const ALLOW: &str = "Allow";
pub(super) const CONTENT_DISPOSITION: &str = "Content-Disposition";
pub(super) const CONTENT_RANGE: &str = "Content-Range";
pub(super) const ACCEPT_RANGES: &str = "Accept-Ranges";
pub(super) const ETAG: &str = "ETag";
pub(super) const LOCATION: &str = "Location";
pub(super) const PREFERENCE_APPLIED: &str = "Preference-Applied";
pub(super) const RETRY_AFTER: &str = "Retry-After";
pub(super) const TUS_CHECKSUM_ALGORITHM: &str = "Tus-Checksum-Algorithm";
pub(super) const TUS_EXTENSION: &str = "Tus-Extension";
pub(super) const TUS_MAX_SIZE: &str = "Tus-Max-Size";
pub(super) const TUS_RESUMABLE: &str = "Tus-Resumable";
pub(super) const TUS_VERSION: &str = "Tus-Version";
pub(super) const UPLOAD_DEFER_LENGTH: &str = "Upload-Defer-Length";
pub(super) const UPLOAD_EXPIRES: &str = "Upload-Expires";
pub(super) const UPLOAD_LENGTH: &str = "Upload-Length";
pub(super) const UPLOAD_METADATA: &str = "Upload-Metadata";
pub(super) const UPLOAD_OFFSET: &str = "Upload-Offset";
const REQUEST_ID: &str = "X-Request-Id";
const AUTHENTICATE: &str = "WWW-Authenticate";

/// The headers of every response.
pub(super) const EVERY_RESPONSE: [&str; 1] = [REQUEST_ID];

/// Each header with the type of its value, and what it says.
const HEADERS: [(&str, Type, &str); 22] = [
    (ACCEPT_ENCODING, Type::String, "`identity`, if the body has another `Content-Encoding`."),
    (ALLOW, Type::String, "The methods of this path."),
    (ACCEPT_RANGES, Type::String, "`bytes`: a part of the file can be requested with `Range`."),
    (AUTHENTICATE, Type::String, "`Bearer`."),
    (CONTENT_DISPOSITION, Type::String, "`attachment`, with the name of the file."),
    (CONTENT_RANGE, Type::String, "Which part of the file follows, and its size."),
    (ETAG, Type::String, "The version of the response, for `If-Match` and `If-None-Match`."),
    (
        LOCATION,
        Type::String,
        "The address of the upload. Relative, unless the operator has set `PUBLIC_URL`.",
    ),
    (PREFERENCE_APPLIED, Type::String, "The wait that was granted: `wait=` and seconds."),
    (REQUEST_ID, Type::String, "Name it when you report a problem. The log of the edge has it, too."),
    (RETRY_AFTER, Type::Integer, "Seconds after which to send the request again."),
    (TUS_CHECKSUM_ALGORITHM, Type::String, "The algorithms of `Upload-Checksum`."),
    (TUS_EXTENSION, Type::String, "The supported extensions of tus."),
    (TUS_MAX_SIZE, Type::Integer, "The largest file in bytes, if there is a limit."),
    (TUS_RESUMABLE, Type::String, "`1.0.0`: the version of tus."),
    (TUS_VERSION, Type::String, "The supported versions of tus."),
    (UPLOAD_DEFER_LENGTH, Type::Integer, "`1`: the size is not known yet."),
    (UPLOAD_EXPIRES, Type::String, "Until when the upload can be continued. Missing if it is finished."),
    (UPLOAD_LENGTH, Type::Integer, "The size of the file in bytes."),
    (UPLOAD_METADATA, Type::String, "The metadata as the client sent it."),
    (UPLOAD_OFFSET, Type::Integer, "How many bytes are stored. The upload continues there."),
    ("Accept-Patch", Type::String, "The type of a body."),
];

/// Each error: its status, its name, what it means, and its own headers.
const REFUSALS: [(u16, &str, &str, &[&str]); 21] = [
    (
        400,
        "BadRequest",
        "A parameter, a header or the body is not valid. Unknown ones are refused, too.",
        &[],
    ),
    (
        401,
        "Unauthorized",
        "The token is missing, malformed, expired, or not signed by a known key.",
        &[AUTHENTICATE],
    ),
    (403, "Forbidden", "The caller may see the object but not do this, or a quota is used up.", &[]),
    (404, "NotFound", "It does not exist, or the caller cannot see it. Which of the two is never said.", &[]),
    (405, "MethodNotAllowed", "The path has other methods.", &[ALLOW]),
    (406, "NotAcceptable", "None of the types in `Accept` is supported.", &[]),
    (408, "RequestTimeout", "The body arrived too slowly.", &[]),
    (409, "Conflict", "The object has changed meanwhile, or is in another state.", &[]),
    (410, "Gone", "It is not stored any more.", &[]),
    (
        412,
        "PreconditionFailed",
        "`If-Match` or `If-None-Match` does not hold, or the resource has no `ETag`.",
        &[],
    ),
    (413, "ContentTooLarge", "The body or the file is larger than a limit allows.", &[]),
    (
        415,
        "UnsupportedMediaType",
        "The media type or the encoding of the body is not accepted.",
        &[ACCEPT_ENCODING],
    ),
    (416, "RangeNotSatisfiable", "The file has no byte in the range.", &[CONTENT_RANGE]),
    (422, "UnprocessableContent", "The request is valid, but does not apply to this object.", &[]),
    (423, "Locked", "Another request is sending this upload.", &[]),
    (
        429,
        "TooManyRequests",
        "A rate limit, a share of the edge or a daily quota is used up.",
        &[RETRY_AFTER],
    ),
    (431, "HeadersTooLarge", "The headers of the request are too long.", &[]),
    (460, "ChecksumMismatch", "The bytes do not have the announced checksum. None of them was kept.", &[]),
    (
        500,
        "InternalError",
        "A defect. The response says nothing of it; the log does, under `X-Request-Id`.",
        &[],
    ),
    (501, "NotImplemented", "This edge or this database lacks something that the hint names.", &[]),
    (503, "Unavailable", "The database does not respond, or everything is in use.", &[RETRY_AFTER]),
];

/// A reference to the error with this status.
pub(super) fn refusal(status: u16) -> RefOr<Response> {
    let name =
        REFUSALS.iter().find(|refusal| refusal.0 == status).map_or("InternalError", |refusal| refusal.1);
    Ref::from_response_name(name).into()
}

/// The response as `HEAD` gets it. Errors have the same headers as for other methods.
pub(super) fn without_body(response: RefOr<Response>) -> RefOr<Response> {
    match response {
        RefOr::Ref(reference) => {
            let found =
                REFUSALS.iter().find(|refusal| reference.ref_location.ends_with(&format!("/{}", refusal.1)));
            found.map_or(RefOr::Ref(reference), |(_, _, description, headers)| {
                with_headers(ResponseBuilder::new().description(*description), headers).build().into()
            })
        }
        response @ RefOr::T(_) => response,
    }
}

fn with_headers(response: ResponseBuilder, headers: &[&str]) -> ResponseBuilder {
    headers.iter().chain(&EVERY_RESPONSE).fold(response, |response, name| {
        response.header_ref(*name, Ref::new(format!("#/components/headers/{name}")))
    })
}

/// The components that exist whatever the operations refer to.
pub(super) fn shared() -> ComponentsBuilder {
    let mut components = ComponentsBuilder::new()
        .security_scheme(
            TOKEN,
            SecurityScheme::Http(
                HttpBuilder::new()
                    .scheme(HttpAuthScheme::Bearer)
                    .bearer_format("JWT")
                    .description(Some(
                        "An access token of Supabase Auth, or of the issuer that the edge is configured for.",
                    ))
                    .build(),
            ),
        )
        .security_scheme(
            SIGNED,
            SecurityScheme::ApiKey(ApiKey::Query(ApiKeyValue::with_description(
                "signature",
                "The signature of a URL from `POST /api/documents/{id}/urls`, together with `expires`.",
            ))),
        );
    for (name, kind, description) in HEADERS {
        let schema = ObjectBuilder::new().schema_type(kind).build();
        components = components
            .header(name, HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build());
    }
    for (_, name, description, headers) in REFUSALS {
        let error = ContentBuilder::new().schema(Some(Ref::from_schema_name(Error::name()))).build();
        let response = ResponseBuilder::new().description(description).content("application/json", error);
        components = components.response(name, with_headers(response, headers).build());
    }
    components
}
