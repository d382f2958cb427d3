//! `GET /api/export` and `GET /api/sessions/{id}/export`: sessions as one JSON bundle, as lines, as an archive, and one
//! session as a Word document.
//!
//! Invariant: an answer that cannot be finished is cut off in the middle of its transfer; it never ends as if it were whole.

use super::export_request::{ExportRequest, Format};
use super::file_names::component;
use super::json::{self, Json};
use super::ndjson::{self, Ndjson};
use super::session_reader::{Bytes, Piece, SessionReader};
use super::word;
use super::zip::Zip;
use crate::app::App;
use crate::auth::Claims;
use crate::db::{Caller, DbError};
use crate::http::{ApiError, Id, Problem, Query, attachment, not_found};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio_postgres::types::Type;

/// A service sees the trash, too.
const INVISIBLE: &str = "select coalesce(string_agg(asked.id::text, ', '), '') from unnest($1) as asked (id) \
                         where not exists (select from dossier.sessions as s where s.id = asked.id \
                         and s.deleted_at is null)";
/// Whether it is there, and its title.
const TITLE: &str =
    "select coalesce(s.title, '') from dossier.sessions as s where s.id = $1 and s.deleted_at is null";

type Pairs = Query<Vec<(String, String)>>;

/// `GET /api/export`.
pub(crate) async fn export(
    State(app): State<App>,
    claims: Claims,
    Query(pairs): Pairs,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let request = ExportRequest::read(None, &pairs, &headers)?;
    let invisible = app
        .db
        .json(&claims.caller, INVISIBLE, &[(&request.sessions, Type::UUID_ARRAY)])
        .await
        .map_err(|error| error.seen_by(claims.caller.role))?
        .ok_or(DbError::NoRow)?;
    if !invisible.is_empty() {
        let mut problem = Problem::new(StatusCode::NOT_FOUND, "some of the sessions are not there")
            .hint("Leave them out, and check that you are a member of their organizations.");
        problem.details = Some(format!("Not visible to you are: {invisible}.").into());
        return Err(problem.into());
    }
    let body = written(app, claims.caller, &request).await?;
    Ok(answer(&request, "dossier", body))
}

/// `GET /api/sessions/{id}/export`.
pub(crate) async fn export_one(
    State(app): State<App>,
    claims: Claims,
    Id(id): Id,
    Query(pairs): Pairs,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let request = ExportRequest::read(Some(id), &pairs, &headers)?;
    let title = app
        .db
        .json(&claims.caller, TITLE, &[(&id, Type::UUID)])
        .await
        .map_err(|error| error.seen_by(claims.caller.role))?
        .ok_or_else(|| not_found("session not found"))?;
    let body = written(app, claims.caller, &request).await?;
    Ok(answer(&request, &component(&title, "session"), body))
}

async fn written(app: App, caller: Caller, request: &ExportRequest) -> Result<Body, ApiError> {
    let reader = |pieces_of: u64| {
        let bytes = if request.bytes { Bytes::InPiecesOf(pieces_of) } else { Bytes::LeftOut };
        SessionReader::new(app.clone(), caller.clone(), &request.sessions, bytes)
    };
    Ok(match request.format {
        Format::Json => {
            let mut json = Json::default();
            Body::from_stream(texts(reader(json::PIECE_BYTES), move |piece| json.write(&piece)))
        }
        Format::Ndjson => {
            let mut lines = Ndjson::default();
            Body::from_stream(texts(reader(ndjson::PIECE_BYTES), move |piece| lines.write(&piece)))
        }
        Format::Zip => {
            let reader = SessionReader::new(app.clone(), caller.clone(), &request.sessions, Bytes::LeftOut);
            let zip = Zip::new(app, caller, reader, request.bytes);
            Body::from_stream(stream::try_unfold(zip, |mut zip| async move {
                Ok::<_, super::zip::ArchiveError>(zip.next().await?.map(|bytes| (bytes, zip)))
            }))
        }
        Format::Docx => {
            let reader = SessionReader::new(app.clone(), caller, &request.sessions, Bytes::LeftOut);
            word::written(reader, app.transfer.docx_max_bytes).await?.into()
        }
    })
}

/// The pieces as `write` writes them.
fn texts(
    reader: SessionReader,
    write: impl FnMut(Piece) -> String + Send,
) -> impl Stream<Item = Result<String, DbError>> {
    stream::try_unfold((reader, write), |(mut reader, mut write)| async move {
        while let Some(piece) = reader.next().await? {
            let text = write(piece);
            if !text.is_empty() {
                return Ok(Some((text, (reader, write))));
            }
        }
        Ok(None)
    })
}

fn answer(request: &ExportRequest, name: &str, body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(request.format.media_type())),
        (header::CONTENT_DISPOSITION, attachment(&format!("{name}.{}", request.format.ending()))),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (StatusCode::OK, headers, body).into_response()
}
