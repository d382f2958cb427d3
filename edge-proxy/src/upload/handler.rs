//! The upload, read straight down.

use super::multipart::{Form, FormError, Part};
use super::outcome::Outcome;
use super::pending::{Announced, AppendError, Pending};
use super::receive::{Chunks, ReceiveError};
use crate::app::App;
use crate::auth::Claims;
use crate::db::DbError;
use crate::error::{ApiError, Problem};
use crate::prefer::Prefer;
use crate::request::Query;
use crate::wait;
use axum::body::{Body, BodyDataStream};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use uuid::Uuid;

/// Longest value of a field that is no file.
const LONGEST_FIELD: usize = 128 * 1024;

type Multipart = Form<BodyDataStream>;

/// What may stand in the query instead of a field.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UploadQuery {
    session_id: Option<Uuid>,
}

/// `POST /api/documents`.
pub(crate) async fn upload(
    State(app): State<App>,
    claims: Claims,
    Query(query): Query<UploadQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let _place = app.uploads.try_acquire().map_err(|_| too_many())?;
    let prefer = Prefer::from_headers(&headers);
    let mut form =
        Form::new(content_type(&headers), body.into_data_stream()).map_err(|error| form_problem(&error))?;
    let mut fields = Fields { session_id: query.session_id, metadata: None };
    let mut outcome = Outcome::default();

    while let Some(part) = next_part(&app, &mut form, &mut outcome).await? {
        let Some(name) = part.file_name.clone() else {
            fields.read(&part.field, &mut form).await?;
            continue;
        };
        if name.is_empty() && is_empty(&mut form).await? {
            // A file input that was left empty.
            continue;
        }
        match store(&app, &claims, &fields, &part, &name, &mut form).await {
            Ok(document) => outcome.documents.push(document),
            Err(Refusal::File(problem)) => outcome.refused(&name, problem),
            Err(Refusal::Request(error)) => {
                outcome.refused(&name, error.into_problem());
                return Ok(outcome.into_response());
            }
        }
    }
    if outcome.files() == 0 {
        return Err(no_file().into());
    }
    form.finish().await;
    wait::until_settled(&app, &claims, &prefer, &mut outcome.documents).await?;
    Ok(prefer.applied(outcome.into_response()))
}

/// Whether the part has no content. If it has, some of it is gone: only for parts that are refused then.
async fn is_empty(form: &mut Multipart) -> Result<bool, ApiError> {
    Ok(form.data().await.map_err(|error| form_problem(&error))?.is_none())
}

/// Why a file is not stored: because of the file, so others may be, or because of the request.
enum Refusal {
    File(Problem),
    Request(ApiError),
}

/// One file: begun, received chunk by chunk, finished. Whatever goes wrong in between aborts it.
async fn store(
    app: &App,
    claims: &Claims,
    fields: &Fields,
    part: &Part,
    name: &str,
    form: &mut Multipart,
) -> Result<String, Refusal> {
    let file = Announced {
        session_id: fields.session_id.ok_or_else(|| Refusal::Request(no_session().into()))?,
        name: name.to_owned(),
        media_type: part.media_type.clone(),
        metadata: fields.metadata.clone(),
    };
    let mut pending =
        Pending::begin(app, &claims.caller, file).await.map_err(|error| refusal(error, claims))?;
    let stored = receive(app, &mut pending, form).await;
    if stored.is_err() {
        pending.abort().await;
    }
    stored.map_err(|error| match error {
        AppendError::Receive(error) => error.into(),
        AppendError::Db(error) => refusal(error, claims),
    })
}

async fn receive(app: &App, pending: &mut Pending, form: &mut Multipart) -> Result<String, AppendError> {
    let mut chunks = Chunks::new(form, app.upload.max_bytes);
    pending.receive(&mut chunks).await?;
    Ok(pending.finish(&chunks.facts()).await?)
}

/// The next part; `None` behind the last one, or where reading on would swallow a refused file.
async fn next_part(app: &App, form: &mut Multipart, outcome: &mut Outcome) -> Result<Option<Part>, ApiError> {
    match form.next_part(app.upload.skip_bytes).await {
        Ok(Some(Part { file_name: Some(name), .. })) if outcome.files() >= app.upload.max_files => {
            outcome.refused(&name, too_many_files(app.upload.max_files));
            Ok(None)
        }
        Ok(part) => Ok(part),
        Err(FormError::TooMuchToSkip) => {
            outcome.rest_not_read();
            Ok(None)
        }
        // The files before are stored; the rest never came.
        Err(error) if outcome.files() > 0 => {
            outcome.refused("", form_problem(&error));
            Ok(None)
        }
        Err(error) => Err(form_problem(&error).into()),
    }
}

/// What the form says besides files; each holds for the files behind it.
#[derive(Debug)]
struct Fields {
    session_id: Option<Uuid>,
    metadata: Option<String>,
}

impl Fields {
    async fn read(&mut self, name: &str, form: &mut Multipart) -> Result<(), ApiError> {
        let mut value = Vec::new();
        while let Some(data) = form.data().await.map_err(|error| form_problem(&error))? {
            value.extend_from_slice(&data);
            if value.len() > LONGEST_FIELD {
                let message = format!("the field {name} is longer than {LONGEST_FIELD} bytes");
                return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, message)
                    .hint("Send long texts as files, each a part with a file name.")
                    .into());
            }
        }
        let value = String::from_utf8_lossy(&value).trim().to_owned();
        match name {
            "session_id" => {
                let id = value.parse().map_err(|_| {
                    Problem::bad_request("session_id is not a uuid")
                        .hint("Send the id that POST /api/sessions answered.")
                })?;
                self.session_id = Some(id);
            }
            "metadata" => self.metadata = Some(value),
            _ => {}
        }
        Ok(())
    }
}

/// A refusal that names the session or the caller holds for every file of the request.
fn refusal(error: DbError, claims: &Claims) -> Refusal {
    let about_the_file = error.status().is_some_and(|status| {
        status.is_client_error()
            && !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND)
    });
    match error.seen_by(claims.caller.role) {
        ApiError::Refused(problem) if about_the_file => Refusal::File(problem),
        error => Refusal::Request(error),
    }
}

impl From<ReceiveError> for Refusal {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::TooLarge { limit } => Self::File(
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the file is larger than {limit} bytes"))
                    .hint(format!("The limit is {limit} bytes a file.")),
            ),
            ReceiveError::Form(error) => Self::Request(form_problem(&error).into()),
        }
    }
}

fn form_problem(error: &FormError) -> Problem {
    let problem = Problem::bad_request(error.to_string());
    match error {
        FormError::NotAForm => {
            Problem { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, code: "PT415".into(), ..problem }
                .hint("Send the files as multipart/form-data, as a browser's FormData or curl -F does.")
        }
        FormError::Truncated | FormError::Body(_) => {
            problem.hint("Nothing of the file that broke off is kept; send it again.")
        }
        FormError::Malformed(_) => problem
            .hint("Let a browser's FormData or curl -F write the form: multipart/form-data (RFC 7578)."),
        FormError::TooMuchToSkip => {
            problem.hint("Send what came behind the refused file in another request.")
        }
    }
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn no_session() -> Problem {
    Problem::bad_request("session_id is missing")
        .hint("Send it as a field before the files, or in the query: /api/documents?session_id=…")
}

fn no_file() -> Problem {
    Problem::bad_request("the form has no file")
        .hint("A file is a part with a file name: curl -F session_id=… -F file=@report.pdf")
}

fn too_many_files(most: usize) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a request has at most {most} files"))
        .hint("This file and those behind it were not read: send them in another request.")
}

fn too_many() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many uploads are in flight")
        .hint("Try again in a moment.")
}
