//! The text of documents, page by page.

use super::{DOCUMENTS, Operation};
use crate::openapi::records::{Page, Pages, Tables};
use crate::resources::documents::{PageQuery, PagesQuery};

pub(crate) fn list() -> Operation {
    Operation::new(DOCUMENTS, "listPages", "List the text of a document, page by page")
        .query::<PagesQuery>()
        .returns::<Pages>(200, "Some of the pages, in their order.")
}

pub(crate) fn read() -> Operation {
    Operation::new(DOCUMENTS, "readPage", "Read the text of one page")
        .query::<PageQuery>()
        .returns::<Page>(200, "The page.")
}

pub(crate) fn tables() -> Operation {
    Operation::new(DOCUMENTS, "readTables", "Read the tables of a page of a PDF")
        .returns::<Tables>(200, "The tables.")
}
