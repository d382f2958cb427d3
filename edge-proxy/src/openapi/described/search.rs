//! Search, and text for prompts.

use super::{Operation, SEARCH};
use crate::openapi::records::{Pack, SearchResults};
use crate::resources::pack;
use crate::resources::search::{Search, WordSearch};

pub(crate) fn by_words() -> Operation {
    Operation::new(SEARCH, "search", "Search by words")
        .query::<WordSearch>()
        .returns::<SearchResults>(200, "Matches, the best first.")
        .refuses(&[404, 501])
}

pub(crate) fn by_words_or_embedding() -> Operation {
    Operation::new(SEARCH, "searchByEmbedding", "Search by words, by meaning, or by both")
        .body::<Search>()
        .returns::<SearchResults>(200, "Matches, the best first.")
        .refuses(&[404, 501])
}

pub(crate) fn pack() -> Operation {
    Operation::new(SEARCH, "packSession", "Get a session as text for a prompt")
        .body::<pack::Pack>()
        .returns::<Pack>(200, "The text, its quotes, and the omitted pages.")
        .refuses(&[501])
}
