//! Documents: files, and how they are uploaded as a form.

use super::{DOCUMENTS, Operation, bytes, text};
use crate::openapi::components::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_RANGE, ETAG, PREFERENCE_APPLIED,
};
use crate::openapi::records::{
    Document, DocumentChanges, DocumentUrls, Documents, KnownDocuments, PartlyUploaded, UploadForm, Uploaded,
};
use crate::resources::documents::{Digests, Extraction, Lifetime, Link, ListQuery};
use crate::resources::upload::UploadQuery;

fn document(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(DOCUMENTS, id, summary)
}

pub(crate) fn list() -> Operation {
    document("listDocuments", "List documents, newest first")
        .query::<ListQuery>()
        .returns::<Documents>(200, "A page of documents.")
        .refuses(&[404])
}

pub(crate) fn upload() -> Operation {
    document("uploadDocuments", "Upload files as a form")
        .describe(
            "Fields apply to the files after them. **207 counts as success in most HTTP clients: check `errors`.** Extraction follows; \
             until a document is `ready`, its list of pages can be empty.",
        )
        .query::<UploadQuery>()
        .prefers("Wait up to so many seconds, at most 60, for the final status.")
        .form::<UploadForm>()
        .returns_with::<Uploaded>(201, "All files are stored.", &[PREFERENCE_APPLIED])
        .returns_with::<PartlyUploaded>(207, "Some files are stored; `errors` has the others.", &[PREFERENCE_APPLIED])
        .refuses(&[404, 409, 415, 422])
}

pub(crate) fn known() -> Operation {
    document("findKnownDocuments", "Find documents by the digest of their bytes")
        .body::<Digests>()
        .returns::<KnownDocuments>(200, "The documents of the session that have one of the digests.")
        .refuses(&[404])
}

pub(crate) fn read() -> Operation {
    document("readDocument", "Read a document")
        .prefers("Wait up to so many seconds, at most 60, for the final status.")
        .returns_with::<Document>(200, "The document.", &[PREFERENCE_APPLIED])
}

pub(crate) fn update() -> Operation {
    document("updateDocument", "Change the name, the metadata or the language of a document")
        .body::<DocumentChanges>()
        .returns::<Document>(200, "The changed document.")
        .refuses(&[409])
}

pub(crate) fn delete() -> Operation {
    document("deleteDocument", "Delete a document permanently").returns_nothing(204, "It is deleted.", &[])
}

pub(crate) fn content() -> Operation {
    document("downloadDocument", "Download the file")
        .or_signed()
        .query::<Link>()
        .header("Range", "A part of the file: `bytes=first-last`.", false, text())
        .header("If-Range", "The `ETag` of the file that the range is meant for.", false, text())
        .header("If-None-Match", "The `ETag` that the client already has.", false, text())
        .returns_types(
            200,
            "The file, always as an attachment, with its own media type.",
            vec![("*/*", bytes())],
            &[ETAG, ACCEPT_RANGES, CONTENT_DISPOSITION],
        )
        .returns_types(
            206,
            "A part of the file.",
            vec![("*/*", bytes())],
            &[ETAG, ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_RANGE],
        )
        .returns_nothing(304, "The client already has it.", &[ETAG])
        .refuses(&[409, 410, 416, 501])
}

pub(crate) fn thumbnail() -> Operation {
    document("downloadThumbnail", "Download a picture of the first page")
        .or_signed()
        .query::<Link>()
        .prefers("Wait up to so many seconds, at most 60, while it is being made; otherwise up to 2.")
        .header("If-None-Match", "The `ETag` that the client already has.", false, text())
        .returns_types(200, "The picture.", vec![("image/webp", bytes())], &[ETAG, PREFERENCE_APPLIED])
        .returns_nothing(304, "The client already has it.", &[ETAG])
        .not_yet("There is no picture. `Retry-After` says when to ask again, if it is being made.")
        .refuses(&[501])
}

pub(crate) fn urls() -> Operation {
    document("signDocumentUrls", "Get URLs of the file and the thumbnail that need no token")
        .optional_body::<Lifetime>()
        .returns::<DocumentUrls>(200, "The URLs.")
        .refuses(&[501])
}

pub(crate) fn extract() -> Operation {
    document("extractDocument", "Extract the text again")
        .describe("The present text stays until then.")
        .optional_body::<Extraction>()
        .returns::<Document>(202, "The document, which is extracted again.")
        .refuses(&[409, 410, 422])
}

pub(crate) fn ocr() -> Operation {
    document("readDocumentByOcr", "Extract the text of every page by OCR")
        .describe("The present text stays until then.")
        .returns::<Document>(202, "The document, which is extracted again.")
        .refuses(&[409, 410, 422])
}
