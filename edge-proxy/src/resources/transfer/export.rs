//! `GET /api/export` and `GET /api/sessions/{id}/export`: sessions as a JSON bundle, as NDJSON or as an archive, and one
//! session as a Word document.
//!
//! Invariant: a response that cannot be completed breaks off. It never ends as if it were complete.

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

/// No policy hides the trash from services, so the condition does.
const INVISIBLE: &str = "select coalesce(string_agg(asked.id::text, ', '), '') from unnest($1) as asked (id) \
                         where not exists (select from dossier.sessions as s where s.id = asked.id \
                         and s.deleted_at is null)";
/// The title, or no row if the session is not visible.
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
    let invisible =
        app.db.as_caller(&claims.caller).one(INVISIBLE, &[(&request.sessions, Type::UUID_ARRAY)]).await?;
    if !invisible.is_empty() {
        let problem = Problem::new(StatusCode::NOT_FOUND, "Some of the sessions were not found")
            .details(format!("Not visible to you: {invisible}."))
            .hint("Omit them, or check that you are a member of the organizations that they belong to.");
        return Err(problem.into());
    }
    let body = exported(app, claims.caller, &request).await?;
    Ok(response(&request, "dossier", body))
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
        .as_caller(&claims.caller)
        .json(TITLE, &[(&id, Type::UUID)])
        .await?
        .ok_or_else(|| not_found("session", id))?;
    let body = exported(app, claims.caller, &request).await?;
    Ok(response(&request, &component(&title, "session"), body))
}

async fn exported(app: App, caller: Caller, request: &ExportRequest) -> Result<Body, ApiError> {
    let caller = caller.long();
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
            word::export(reader, app.transfer.docx_max_bytes).await?.into()
        }
    })
}

/// The pieces as text, by `write`.
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

fn response(request: &ExportRequest, name: &str, body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(request.format.media_type())),
        (header::CONTENT_DISPOSITION, attachment(&format!("{name}.{}", request.format.ending()))),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (StatusCode::OK, headers, body).into_response()
}
