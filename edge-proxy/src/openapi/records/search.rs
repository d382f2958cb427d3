//! Results of searches.

use std::collections::HashMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// What a result is: a page of a document, the context of a session, or the name of a document.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum ResultKind {
    Page,
    Context,
    Name,
}

/// One match.
#[derive(ToSchema)]
pub(crate) struct SearchResult {
    kind: ResultKind,
    session_id: Uuid,
    #[schema(required)]
    document_id: Option<Uuid>,
    #[schema(required)]
    document_name: Option<String>,
    #[schema(required)]
    page: Option<i32>,
    /// HTML. Everything is escaped except the matches, which are in `<mark>`.
    snippet: String,
    /// The heading that the first match stands under. Only in PDFs.
    #[schema(required)]
    heading: Option<String>,
    /// How well it matches. Missing in a search by embedding alone.
    #[schema(nullable = false)]
    rank: Option<f64>,
    /// Words of the query that the text contains. Null with operators.
    contained: Option<Vec<String>>,
    /// Words of the query that the text lacks. Null with operators.
    missing: Option<Vec<String>>,
    /// What was searched for instead of misspelt words.
    corrected: Option<HashMap<String, String>>,
    /// Cosine of the embeddings, in a search by embedding alone.
    #[schema(nullable = false)]
    similarity: Option<f64>,
    /// The place among the results by words, in a search by both.
    text_place: Option<i64>,
    /// The place among the results by embedding, in a search by both.
    embedding_place: Option<i64>,
}

/// Matches, the best first.
#[derive(ToSchema)]
pub(crate) struct SearchResults {
    results: Vec<SearchResult>,
    /// Send it as `after`. Null on the last page, missing in a search with an embedding.
    next: Option<String>,
}
