//! One upload request, from the form to the response.

use super::multipart::{Form, FormError};
use super::open_upload::{Announced, OpenUpload};
use super::part::{FileName, Part};
use super::refusal::{
    Refusal, encoded, field_not_text, field_too_late, field_too_long, form_problem, invalid_session_id,
    no_file, no_session, refusal, too_many_files, unreadable_name,
};
use super::store::StoreError;
use super::upload_response::UploadResponse;
use crate::app::App;
use crate::auth::Claims;
use crate::http::{ApiError, Prefer, Query, check_json};
use crate::resources::documents::until_settled;
use axum::body::{Body, BodyDataStream};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

/// The longest value of a form field that is not a file.
const LONGEST_FIELD: usize = 128 * 1024;

type Multipart = Form<BodyDataStream>;

/// The query of `POST /api/documents`. A field of the form takes precedence.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct UploadQuery {
    /// The session, unless a field of the form names it.
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
    let prefer = Prefer::from_headers(&headers);
    let mut form =
        Form::new(content_type(&headers), body.into_data_stream()).map_err(|error| form_problem(&error))?;
    let mut fields = Fields { session_id: query.session_id, ..Fields::default() };
    let mut response = UploadResponse::default();

    while let Some(part) = next_part(&app, &mut form, &mut response).await? {
        let name = match file_name(&part) {
            None => match fields.read(&part, &mut form).await {
                Ok(()) => continue,
                // The previous files are stored.
                Err(error) if response.files() > 0 => {
                    response.refused("", error.into_problem());
                    return Ok(response.into_response());
                }
                Err(error) => return Err(error),
            },
            // An empty file input: browsers send it with an empty file name and no content.
            Some(FileName::Read(name)) if name.is_empty() && is_empty(&mut form).await => continue,
            Some(FileName::Read(name)) => name,
            Some(FileName::Unreadable(sent)) => {
                response.refused(&sent, unreadable_name());
                continue;
            }
        };
        if let Some(encoding) = &part.encoding {
            response.refused(&name, encoded(encoding));
            continue;
        }
        fields.unused = None;
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
    if let Some(name) = fields.unused {
        response.refused("", field_too_late(name));
    }
    form.finish().await;
    match until_settled(&app, &claims, &prefer, &response.ids()?).await {
        Ok(latest) => response.update(latest)?,
        // The files are stored, so the client must learn their ids.
        Err(error) => tracing::warn!("waiting for stored documents failed: {}", error.into_problem().message),
    }
    Ok(prefer.applied(response.into_response()))
}

/// The name of a part's file. `None`: the part is a field. Scripts send a field as a `Blob`, to which browsers add the name
/// `blob`. A part with another type than text is a file, even without a name.
fn file_name(part: &Part) -> Option<FileName> {
    const FIELDS: [&str; 2] = ["session_id", "metadata"];
    let is_blob = part.file_name == Some(FileName::Read("blob".to_owned()));
    if FIELDS.contains(&part.field.as_str()) && (is_blob || part.file_name.is_none()) {
        return None;
    }
    let is_text = part.media_type.as_ref().is_none_or(|media_type| {
        let essence = media_type.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case("text/plain")
    });
    part.file_name.clone().or_else(|| (!is_text).then(|| FileName::Read("unnamed".to_owned())))
}

/// Whether the part is empty. If it is not, some of its content is consumed: only for parts that are then refused. A form that
/// breaks off here breaks off again at the next part.
async fn is_empty(form: &mut Multipart) -> bool {
    !matches!(form.data().await, Ok(Some(_)))
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
    let stored = upload.receive(form, app.upload.max_bytes.unwrap_or(u64::MAX)).await;
    if stored.is_err() {
        upload.abort().await;
    }
    stored.map_err(|error| match error {
        StoreError::Receive(error) => error.into(),
        StoreError::Db(error) => refusal(error, claims),
        StoreError::NoPlace(problem) => Refusal::Request(problem.into()),
    })
}

/// The next part. `None` after the last one, or if too much of a refused file would have to be skipped.
async fn next_part(
    app: &App,
    form: &mut Multipart,
    response: &mut UploadResponse,
) -> Result<Option<Part>, ApiError> {
    match form.next_part(app.upload.skip_bytes).await {
        Ok(Some(part)) if response.files() >= app.upload.max_files => {
            let Some(FileName::Read(name) | FileName::Unreadable(name)) = file_name(&part) else {
                return Ok(Some(part));
            };
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
#[derive(Debug, Default)]
struct Fields {
    session_id: Option<Uuid>,
    metadata: Option<String>,
    /// The last field that no file has used yet.
    unused: Option<&'static str>,
}

impl Fields {
    async fn read(&mut self, part: &Part, form: &mut Multipart) -> Result<(), ApiError> {
        let name = part.field.as_str();
        let mut value = Vec::new();
        while let Some(data) = form.data().await.map_err(|error| form_problem(&error))? {
            value.extend_from_slice(&data);
            if value.len() > LONGEST_FIELD {
                return Err(field_too_long(name, LONGEST_FIELD).into());
            }
        }
        if !matches!(name, "session_id" | "metadata") {
            return Ok(());
        }
        if let Some(encoding) = &part.encoding {
            return Err(encoded(encoding).into());
        }
        let value = String::from_utf8(value).map_err(|_| field_not_text(name))?.trim().to_owned();
        if name == "session_id" {
            self.session_id = Some(value.parse().map_err(|_| invalid_session_id())?);
            self.unused = Some("session_id");
        } else {
            // A page may send the field of an empty input.
            self.metadata = Some(value).filter(|value| !value.is_empty());
            if let Some(metadata) = &self.metadata {
                check_json("The form field metadata", metadata)?;
            }
            self.unused = Some("metadata");
        }
        Ok(())
    }
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
