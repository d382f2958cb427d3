//! `GET /api/export`: sessions as the bundle that `dossier.export_sessions` makes, of any size.
//!
//! Invariant: a piece is read when the client is ready for it, and no database connection is held in between: memory is
//! a context, a few pages or a chunk of bytes, whatever is exported. So a bundle is no snapshot: what is written
//! meanwhile may be in it or not. What is deleted meanwhile cuts the connection.

use crate::app::App;
use crate::auth::Claims;
use crate::db::{Caller, DbError};
use crate::documents::read_content;
use crate::error::{ApiError, Problem};
use crate::request::Query;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::stream::{self, Stream};
use http::{StatusCode, header};
use tokio_postgres::types::Type;
use uuid::Uuid;

const INVISIBLE: &str = "select coalesce(string_agg(asked.id::text, ', '), '') from unnest($1) as asked (id) \
                         where not exists (select from dossier.sessions as s where s.id = asked.id)";
const SESSION: &str = "select json_build_object('id', s.id, 'user_id', s.user_id, 'title', s.title, \
                       'conversation_type', s.conversation_type, 'status', s.status, 'created_at', s.created_at, \
                       'updated_at', s.updated_at)::text, \
                       array(select d.id from dossier.documents as d where d.session_id = s.id \
                       and d.status <> 'uploading' order by d.created_at, d.id) \
                       from dossier.sessions as s where s.id = $1";
const VERSION: &str = "select json_build_object('version', v.version, 'text_context', v.text_context, \
                       'context_metadata', v.context_metadata, 'updated_by', v.updated_by, \
                       'updated_at', v.updated_at)::text, v.version from dossier.session_context_versions as v \
                       where v.session_id = $1 and v.version > $2 order by v.version limit 1";
const DOCUMENT: &str = "select json_build_object('id', d.id, 'user_id', d.user_id, 'name', d.name, \
                        'media_type', d.media_type, 'size_bytes', d.size_bytes, 'sha256', d.sha256, \
                        'status', case d.status when 'extracting' then 'stored' else d.status end, \
                        'error_code', d.error_code, 'error_message', d.error_message, 'metadata', d.metadata, \
                        'language', d.language, 'file_metadata', d.file_metadata, 'created_at', d.created_at, \
                        'updated_at', d.updated_at)::text, \
                        case d.storage when 'none' then 0 else d.size_bytes end \
                        from dossier.documents as d where d.id = $1";
const PAGES: &str = "select string_agg(json_build_object('page', p.page, 'text', p.text, 'source', p.source, \
                     'engine', p.engine, 'confidence', p.confidence, 'quality', p.quality, \
                     'reason', p.reason)::text, ', ' order by p.page), max(p.page) from (\
                     select * from dossier.document_pages as page where page.document_id = $1 and page.page > $2 \
                     order by page.page limit 20) as p having count(*) > 0";

/// A little less than a stored chunk: whole groups of three bytes, so that pieces of base64 join.
const PIECE_BYTES: u64 = 262_143;
const MOST_SESSIONS: usize = 1000;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    sessions: Vec<Uuid>,
    bytes: bool,
}

impl Asked {
    /// `session_id=…[&session_id=…][&bytes=true]`
    fn read(pairs: &[(String, String)]) -> Result<Self, Problem> {
        let mut asked = Self { sessions: Vec::new(), bytes: false };
        for (key, value) in pairs {
            match (key.as_str(), value.as_str()) {
                ("session_id", id) => {
                    let id = id.parse().map_err(|_| Problem::bad_request("session_id is not a uuid"))?;
                    if !asked.sessions.contains(&id) {
                        asked.sessions.push(id);
                    }
                }
                ("bytes", "true") => asked.bytes = true,
                ("bytes", "false") => asked.bytes = false,
                _ => {
                    return Err(Problem::bad_request("the query has what is not understood here")
                        .hint("GET /api/export?session_id=…&session_id=…&bytes=true"));
                }
            }
            if asked.sessions.len() > MOST_SESSIONS {
                return Err(Problem::bad_request(format!("more than {MOST_SESSIONS} sessions at once")));
            }
        }
        if asked.sessions.is_empty() {
            return Err(Problem::bad_request("session_id is missing").hint("GET /api/export?session_id=…"));
        }
        Ok(asked)
    }
}

/// `GET /api/export`.
pub(crate) async fn export(
    State(app): State<App>,
    claims: Claims,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Response, ApiError> {
    let asked = Asked::read(&pairs)?;
    let invisible = app
        .db
        .json(&claims.caller, INVISIBLE, &[(&asked.sessions, Type::UUID_ARRAY)])
        .await
        .map_err(|error| error.seen_by(claims.caller.role))?
        .ok_or(DbError::NoRow)?;
    if !invisible.is_empty() {
        let mut problem = Problem::new(StatusCode::NOT_FOUND, "some of the sessions are not there")
            .hint("Leave them out, and check that you are a member of their organizations.");
        problem.details = Some(format!("Not visible to you are: {invisible}.").into());
        return Err(problem.into());
    }
    let headers = [
        (header::CONTENT_TYPE, "application/json; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"dossier.json\""),
    ];
    let body = Body::from_stream(pieces(app, claims.caller, &asked));
    Ok((StatusCode::OK, headers, body).into_response())
}

/// What is still to be written; the last one comes first.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Text(&'static str),
    Session(Uuid),
    VersionAfter(Uuid, i32),
    Document(Uuid),
    PagesAfter(Uuid, i32),
    Bytes { document: Uuid, from: u64, size: u64 },
}

fn pieces(app: App, caller: Caller, asked: &Asked) -> impl Stream<Item = Result<String, DbError>> + use<> {
    let mut steps = vec![Step::Text("]}")];
    steps.extend(listed(asked.sessions.iter().copied().map(Step::Session)));
    steps.push(Step::Text(r#"{"format": "dossier", "version": 1, "sessions": ["#));
    let bytes = asked.bytes;
    stream::try_unfold(steps, move |mut steps| {
        let (app, caller) = (app.clone(), caller.clone());
        async move {
            let Some(step) = steps.pop() else { return Ok(None) };
            let (piece, then) = write(&app, &caller, bytes, step).await?;
            steps.extend(then);
            Ok(Some((piece, steps)))
        }
    })
}

/// Steps with commas between them, the last one first.
fn listed(steps: impl DoubleEndedIterator<Item = Step>) -> Vec<Step> {
    let mut list = Vec::new();
    for step in steps.rev() {
        if !list.is_empty() {
            list.push(Step::Text(", "));
        }
        list.push(step);
    }
    list
}

/// The text of a step, and the steps that come next.
async fn write(app: &App, caller: &Caller, bytes: bool, step: Step) -> Result<(String, Vec<Step>), DbError> {
    match step {
        Step::Text(text) => Ok((text.to_owned(), Vec::new())),
        Step::Session(id) => {
            let rows = app.db.rows(caller, SESSION, &[(&id, Type::UUID)]).await?;
            let row = rows.first().ok_or(DbError::NoRow)?;
            let documents: Vec<Uuid> = row.try_get(1)?;
            let mut then = vec![Step::Text("]}")];
            then.extend(listed(documents.into_iter().map(Step::Document)));
            then.push(Step::Text(r#"], "documents": ["#));
            then.push(Step::VersionAfter(id, 0));
            Ok((opened(row.try_get(0)?, "context_versions"), then))
        }
        Step::VersionAfter(session, after) => {
            let params = [(&session as _, Type::UUID), (&after as _, Type::INT4)];
            let rows = app.db.rows(caller, VERSION, &params).await?;
            let Some(row) = rows.first() else { return Ok((String::new(), Vec::new())) };
            let next = Step::VersionAfter(session, row.try_get(1)?);
            Ok((joined(after, row.try_get(0)?), vec![next]))
        }
        Step::Document(id) => {
            let rows = app.db.rows(caller, DOCUMENT, &[(&id, Type::UUID)]).await?;
            let row = rows.first().ok_or(DbError::NoRow)?;
            let size = u64::try_from(row.try_get::<_, i64>(1)?).unwrap_or(0);
            let mut then = vec![Step::Text("}")];
            if bytes && size > 0 {
                then.push(Step::Text("\""));
                then.push(Step::Bytes { document: id, from: 0, size });
                then.push(Step::Text(r#", "bytes": ""#));
            }
            then.push(Step::Text("]"));
            then.push(Step::PagesAfter(id, 0));
            Ok((opened(row.try_get(0)?, "pages"), then))
        }
        Step::PagesAfter(document, after) => {
            let params = [(&document as _, Type::UUID), (&after as _, Type::INT4)];
            let rows = app.db.rows(caller, PAGES, &params).await?;
            let Some(row) = rows.first() else { return Ok((String::new(), Vec::new())) };
            let next = Step::PagesAfter(document, row.try_get(1)?);
            Ok((joined(after, row.try_get(0)?), vec![next]))
        }
        Step::Bytes { document, from, size } => {
            let piece = read_content(app, caller, document, from, PIECE_BYTES.min(size - from)).await?;
            let next = from + piece.len() as u64;
            // Only the last piece may be padded; a shorter one would break the rest.
            if piece.is_empty() || (next < size && piece.len() % 3 != 0) {
                return Err(DbError::NoRow);
            }
            let then =
                if next < size { vec![Step::Bytes { document, from: next, size }] } else { Vec::new() };
            Ok((BASE64_STANDARD.encode(piece), then))
        }
    }
}

/// A JSON object that goes on with a list called `list`.
fn opened(object: &str, list: &str) -> String {
    let fields = object.strip_suffix('}').unwrap_or(object);
    format!("{fields}, \"{list}\": [")
}

/// `items` behind those up to `after`, of which there are none when it is 0.
fn joined(after: i32, items: &str) -> String {
    let comma = if after > 0 { ", " } else { "" };
    format!("{comma}{items}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_names_sessions_once_each() {
        let read = |pairs: &[(&str, &str)]| {
            let pairs: Vec<_> =
                pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            Asked::read(&pairs)
        };
        let id = Uuid::from_u128(7);
        let text = id.to_string();
        assert_eq!(
            read(&[("session_id", &text), ("bytes", "true"), ("session_id", &text)]),
            Ok(Asked { sessions: vec![id], bytes: true })
        );
        for wrong in [
            &[][..],
            &[("session_id", "x")],
            &[("bytes", "yes")],
            &[("session_id", &text), ("format", "zip")],
        ] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn steps_are_listed_last_first_with_commas_between() {
        let [one, two] = [1, 2].map(|n| Step::Session(Uuid::from_u128(n)));
        assert_eq!(listed([].into_iter()), []);
        assert_eq!(listed([one.clone(), two.clone()].into_iter()), [two, Step::Text(", "), one]);
    }
}
