//! One upload request, from the form to the response.

use super::multipart::{Form, FormError, Part};
use super::open_upload::{Announced, AppendError, OpenUpload};
use super::receive::Chunks;
use super::refusal::{
    Refusal, field_too_long, form_problem, invalid_session_id, no_file, no_session, refusal, too_many,
    too_many_files,
};
use super::upload_response::UploadResponse;
use crate::app::App;
use crate::auth::Claims;
use crate::http::{ApiError, Prefer, Query};
use crate::resources::documents::until_settled;
use axum::body::{Body, BodyDataStream};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use serde::Deserialize;
use uuid::Uuid;

/// The longest value of a form field that is not a file.
const LONGEST_FIELD: usize = 128 * 1024;

type Multipart = Form<BodyDataStream>;

/// The query of `POST /api/documents`. A field of the form takes precedence.
#[derive(Debug, Deserialize)]
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
    let _place = app.uploads.try_acquire().map_err(|_| too_many(app.upload.concurrency))?;
    let prefer = Prefer::from_headers(&headers);
    let mut form =
        Form::new(content_type(&headers), body.into_data_stream()).map_err(|error| form_problem(&error))?;
    let mut fields = Fields { session_id: query.session_id, metadata: None };
    let mut response = UploadResponse::default();

    while let Some(part) = next_part(&app, &mut form, &mut response).await? {
        let Some(name) = part.file_name.clone() else {
            fields.read(&part.field, &mut form).await?;
            continue;
        };
        if name.is_empty() && is_empty(&mut form).await? {
            // An empty file input: browsers send it with an empty file name and no content.
            continue;
        }
        match store(&app, &claims, &fields, &part, &name, &mut form).await {
            Ok(document) => response.documents.push(document),
            Err(Refusal::File(problem)) => response.refused(&name, problem),
            Err(Refusal::Request(error)) => {
                response.refused(&name, error.into_problem());
                return Ok(response.into_response());
            }
        }
    }
    if response.files() == 0 {
        return Err(no_file().into());
    }
    form.finish().await;
    until_settled(&app, &claims, &prefer, &mut response.documents).await?;
    Ok(prefer.applied(response.into_response()))
}

/// Whether the part is empty. If it is not, some of its content is consumed: only for parts that are then refused.
async fn is_empty(form: &mut Multipart) -> Result<bool, ApiError> {
    Ok(form.data().await.map_err(|error| form_problem(&error))?.is_none())
}

/// One file: begins an upload, receives it chunk by chunk, finishes it. Any failure in between aborts it.
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
    let mut upload =
        OpenUpload::begin(app, &claims.caller, file).await.map_err(|error| refusal(error, claims))?;
    let stored = receive(app, &mut upload, form).await;
    if stored.is_err() {
        upload.abort().await;
    }
    stored.map_err(|error| match error {
        AppendError::Receive(error) => error.into(),
        AppendError::Db(error) => refusal(error, claims),
    })
}

async fn receive(app: &App, upload: &mut OpenUpload, form: &mut Multipart) -> Result<String, AppendError> {
    let mut chunks = Chunks::new(form, app.upload.max_bytes);
    upload.receive(&mut chunks).await?;
    Ok(upload.finish(&chunks.facts()).await?)
}

/// The next part. `None` after the last one, or if too much of a refused file would have to be skipped.
async fn next_part(
    app: &App,
    form: &mut Multipart,
    response: &mut UploadResponse,
) -> Result<Option<Part>, ApiError> {
    match form.next_part(app.upload.skip_bytes).await {
        Ok(Some(Part { file_name: Some(name), .. })) if response.files() >= app.upload.max_files => {
            response.refused(&name, too_many_files(app.upload.max_files));
            Ok(None)
        }
        Ok(part) => Ok(part),
        Err(FormError::TooMuchToSkip) => {
            response.rest_not_read();
            Ok(None)
        }
        // The previous files are stored. The rest never arrived.
        Err(error) if response.files() > 0 => {
            response.refused("", form_problem(&error));
            Ok(None)
        }
        Err(error) => Err(form_problem(&error).into()),
    }
}

/// The form fields other than files. Each applies to the files after it.
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
                return Err(field_too_long(name, LONGEST_FIELD).into());
            }
        }
        let value = String::from_utf8_lossy(&value).trim().to_owned();
        match name {
            "session_id" => {
                self.session_id = Some(value.parse().map_err(|_| invalid_session_id())?);
            }
            "metadata" => self.metadata = Some(value),
            _ => {}
        }
        Ok(())
    }
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
