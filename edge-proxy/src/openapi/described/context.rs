//! The context of a session and its versions.

use super::{CONTEXT, Operation, text};
use crate::openapi::components::ETAG;
use crate::openapi::records::{Context, ContextDiff, ContextVersions, SavedContexts};
use crate::resources::context::versions::{DiffQuery, ListQuery, Restore};
use crate::resources::context::{NewContext, NewContexts};

fn context(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(CONTEXT, id, summary)
}

/// A change that may depend on the version.
fn conditional(operation: Operation) -> Operation {
    operation
        .header("If-Match", "The `ETag` that the context must have: one, a list, or `*`.", false, text())
        .header(
            "If-None-Match",
            "The `ETag` that it must not have. With `*`, only the first version is saved.",
            false,
            text(),
        )
        .refuses(&[409])
}

pub(crate) fn read() -> Operation {
    context("readContext", "Read the context")
        .header("If-None-Match", "The `ETag` that the client already has.", false, text())
        .returns_with::<Context>(200, "The current version.", &[ETAG])
        .returns_nothing(304, "The client already has it.", &[ETAG])
}

pub(crate) fn save() -> Operation {
    conditional(context("saveContext", "Save a new version of the context"))
        .describe(
            "Omitted members stay as they are. `text` and `metadata` are accepted instead of `text_context` and `context_metadata`. A \
             save that is based on another version than the current one is refused with 409; `details` is then a string of JSON, \
             `{\"current_version\", \"expected_version\"}`.",
        )
        .body::<NewContext>()
        .returns_with::<Context>(200, "The new version.", &[ETAG])
}

pub(crate) fn save_many() -> Operation {
    context("saveContexts", "Save the contexts of up to 1000 sessions, all or none")
        .describe("If one cannot be saved, `details` of the error is a string of JSON: `{\"items\"}`, with every item that failed.")
        .body::<NewContexts>()
        .returns::<SavedContexts>(200, "The saved contexts.")
        .refuses(&[404, 409])
}

pub(crate) fn versions() -> Operation {
    context("listContextVersions", "List the versions of the context, newest first")
        .query::<ListQuery>()
        .returns::<ContextVersions>(200, "A page of versions.")
}

pub(crate) fn version() -> Operation {
    context("readContextVersion", "Read a version of the context")
        .header("If-None-Match", "The `ETag` that the client already has.", false, text())
        .returns_with::<Context>(200, "The version.", &[ETAG])
        .returns_nothing(304, "The client already has it.", &[ETAG])
}

pub(crate) fn diff() -> Operation {
    context("diffContext", "Compare two versions of the context")
        .query::<DiffQuery>()
        .returns::<ContextDiff>(200, "What differs.")
}

pub(crate) fn restore() -> Operation {
    conditional(context("restoreContext", "Save an old version of the context as a new one"))
        .body::<Restore>()
        .returns_with::<Context>(200, "The new version.", &[ETAG])
}
