//! Export and import of sessions.

use super::{Operation, TRANSFER, bytes, one_of, text};
use crate::openapi::components::CONTENT_DISPOSITION;
use crate::openapi::records::Imported;
use crate::resources::transfer::Target;
use utoipa::openapi::KnownFormat;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, SchemaFormat, Type};

const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

fn bundle() -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("A bundle, as `POST /api/import` reads it."))
        .into()
}

fn yes_or_no() -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::Boolean).into()
}

/// What both exports have.
fn exported(operation: Operation, formats: &[&str], types: Vec<(&str, RefOr<Schema>)>) -> Operation {
    operation
        .query_parameter("format", "Instead of `Accept`. JSON by default.", false, one_of(formats))
        .query_parameter(
            "include_bytes",
            "Whether the files are included: by default only in archives.",
            false,
            yes_or_no(),
        )
        .query_parameter("bytes", "Short for `include_bytes`.", false, yes_or_no())
        .returns_types(
            200,
            "The sessions. A response that cannot be completed breaks off.",
            types,
            &[CONTENT_DISPOSITION],
        )
        .refuses(&[404, 406, 409, 413])
}

pub(crate) fn export() -> Operation {
    let id = ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
    let ids = ArrayBuilder::new().items(id.build()).min_items(Some(1));
    let operation = Operation::new(TRANSFER, "exportSessions", "Export up to 1000 sessions").query_parameter(
        "session_id",
        "A session. Repeat the parameter for several, at most 1000.",
        true,
        ids.build(),
    );
    let types =
        vec![("application/json", bundle()), ("application/x-ndjson", text()), ("application/zip", bytes())];
    exported(operation, &["json", "ndjson", "zip"], types)
}

pub(crate) fn export_one() -> Operation {
    let operation =
        Operation::new(TRANSFER, "exportSession", "Export a session, or get it as a Word document");
    let types = vec![
        ("application/json", bundle()),
        ("application/x-ndjson", text()),
        ("application/zip", bytes()),
        (DOCX, bytes()),
    ];
    exported(operation, &["json", "ndjson", "zip", "docx"], types)
}

pub(crate) fn import() -> Operation {
    let types =
        vec![("application/json", bundle()), ("application/x-ndjson", text()), ("application/zip", bytes())];
    Operation::new(TRANSFER, "importSessions", "Import sessions, all or none")
        .query::<Target>()
        .body_of(true, types)
        .returns::<Imported>(201, "The new ids.")
        .refuses(&[404, 409, 415, 422])
}
