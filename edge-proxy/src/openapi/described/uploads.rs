//! Resumable uploads by tus, and whether an upload would be accepted.

use super::{Operation, UPLOADS, bytes, one_of, text, whole_number};
use crate::openapi::components::{
    LOCATION, TUS_CHECKSUM_ALGORITHM, TUS_EXTENSION, TUS_MAX_SIZE, TUS_RESUMABLE, TUS_VERSION,
    UPLOAD_DEFER_LENGTH, UPLOAD_EXPIRES, UPLOAD_LENGTH, UPLOAD_METADATA, UPLOAD_OFFSET,
};
use crate::openapi::records::{UploadExplanation, Uploads};
use crate::resources::upload::Planned;
use crate::resources::upload::tus::ListQuery;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

fn upload(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(UPLOADS, id, summary)
}

/// Every request of tus names the version of the protocol.
fn tus(id: &'static str, summary: &'static str) -> Operation {
    upload(id, summary).header(TUS_RESUMABLE, "The version of tus.", true, one_of(&["1.0.0"]))
}

fn file_bytes() -> Vec<(&'static str, RefOr<Schema>)> {
    vec![("application/offset+octet-stream", bytes())]
}

pub(crate) fn explain() -> Operation {
    upload("explainUpload", "Check whether an upload would be accepted")
        .describe("Nothing is uploaded. The response has every check, not only the first that fails.")
        .body::<Planned>()
        .returns::<UploadExplanation>(200, "The checks.")
}

pub(crate) fn list() -> Operation {
    upload("listUploads", "List the caller's unfinished uploads, newest first")
        .query::<ListQuery>()
        .returns_with::<Uploads>(200, "A page of uploads.", &[TUS_RESUMABLE, TUS_VERSION])
}

pub(crate) fn create() -> Operation {
    tus("createUpload", "Begin an upload")
        .describe("`Upload-Length`, or `Upload-Defer-Length: 1`, declares the size. The body may have the first bytes.")
        .header(UPLOAD_LENGTH, "The size of the file in bytes.", false, whole_number())
        .header(UPLOAD_DEFER_LENGTH, "`1`: the size is not known yet.", false, one_of(&["1"]))
        .header(
            UPLOAD_METADATA,
            "`session_id`, `filename`, `filetype` and `metadata`, each with its value in Base64, separated by commas.",
            true,
            text(),
        )
        .header("Upload-Checksum", "The algorithm, and the digest of the body in Base64.", false, text())
        .body_of(false, file_bytes())
        .returns_nothing(201, "The upload has begun.", &[LOCATION, UPLOAD_OFFSET, UPLOAD_EXPIRES, TUS_RESUMABLE])
        .refuses(&[404, 409, 415, 422, 423, 460])
}

pub(crate) fn options() -> Operation {
    upload("readUploadOptions", "Ask what this edge supports of tus").without_token().returns_nothing(
        204,
        "The protocol.",
        &[TUS_RESUMABLE, TUS_VERSION, TUS_EXTENSION, TUS_MAX_SIZE, TUS_CHECKSUM_ALGORITHM],
    )
}

pub(crate) fn options_of_one() -> Operation {
    upload("readOptionsOfUpload", "Ask what this edge supports of tus").without_token().returns_nothing(
        204,
        "The protocol.",
        &[TUS_RESUMABLE, TUS_VERSION, TUS_EXTENSION, TUS_MAX_SIZE, TUS_CHECKSUM_ALGORITHM],
    )
}

pub(crate) fn head() -> Operation {
    tus("readUpload", "Ask how many bytes of an upload are stored")
        .returns_nothing(
            200,
            "How far the upload is.",
            &[
                UPLOAD_OFFSET,
                UPLOAD_LENGTH,
                UPLOAD_DEFER_LENGTH,
                UPLOAD_EXPIRES,
                UPLOAD_METADATA,
                TUS_RESUMABLE,
            ],
        )
        .refuses(&[409, 410, 423])
}

pub(crate) fn patch() -> Operation {
    tus("continueUpload", "Send bytes of a file")
        .header(UPLOAD_OFFSET, "How many bytes are stored.", true, whole_number())
        .header(UPLOAD_LENGTH, "The size of the file, if it was not declared before.", false, whole_number())
        .header("Upload-Checksum", "The algorithm, and the digest of the body in Base64.", false, text())
        .body_of(true, file_bytes())
        .returns_nothing(204, "The bytes are stored.", &[UPLOAD_OFFSET, UPLOAD_EXPIRES, TUS_RESUMABLE])
        .refuses(&[409, 410, 415, 422, 423, 460])
}

pub(crate) fn terminate() -> Operation {
    tus("deleteUpload", "Remove an unfinished upload")
        .returns_nothing(204, "It is removed.", &[TUS_RESUMABLE])
        .refuses(&[409, 410])
}

pub(crate) fn overridden() -> Operation {
    tus("overrideUploadMethod", "Send PATCH, HEAD or DELETE as POST")
        .describe("For clients that can send nothing else. Headers, body and response are those of the named method.")
        .header(
            "X-HTTP-Method-Override",
            "The method that is meant.",
            true,
            one_of(&["PATCH", "HEAD", "DELETE"]),
        )
        .header(UPLOAD_OFFSET, "For `PATCH`: how many bytes are stored.", false, whole_number())
        .header(UPLOAD_LENGTH, "For `PATCH`: the size of the file, if it was not declared before.", false, whole_number())
        .header("Upload-Checksum", "For `PATCH`: the digest of the body.", false, text())
        .body_of(false, file_bytes())
        .returns_nothing(200, "As for `HEAD`.", &[UPLOAD_OFFSET, UPLOAD_LENGTH, UPLOAD_EXPIRES, TUS_RESUMABLE])
        .returns_nothing(204, "As for `PATCH` and `DELETE`.", &[UPLOAD_OFFSET, UPLOAD_EXPIRES, TUS_RESUMABLE])
        .refuses(&[405, 409, 410, 415, 422, 423, 460])
}
