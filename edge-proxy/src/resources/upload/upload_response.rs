//! The result of each file of a request, and the response that this makes.

use crate::http::{ApiError, Problem, json};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::HashMap;
use uuid::Uuid;

/// A file that was refused.
#[derive(Debug, Serialize)]
struct FileError {
    index: usize,
    name: String,
    #[serde(flatten)]
    problem: Problem,
}

/// The results so far.
#[derive(Debug, Default)]
pub(super) struct UploadResponse {
    /// Each a JSON object, as Postgres wrote it.
    pub(super) documents: Vec<String>,
    errors: Vec<FileError>,
}

impl UploadResponse {
    /// How many files have a result.
    pub(super) fn files(&self) -> usize {
        self.documents.len() + self.errors.len()
    }

    /// The ids of the stored documents.
    pub(super) fn ids(&self) -> Result<Vec<Uuid>, ApiError> {
        #[derive(Deserialize)]
        struct Identified {
            id: Uuid,
        }
        let ids = self.documents.iter().map(|document| serde_json::from_str(document));
        ids.map(|document| document.map(|Identified { id }| id))
            .collect::<Result<_, _>>()
            .map_err(ApiError::internal)
    }

    /// Replaces stored documents by their latest states.
    pub(super) fn update(&mut self, mut latest: HashMap<Uuid, String>) -> Result<(), ApiError> {
        let ids = self.ids()?;
        for (document, id) in self.documents.iter_mut().zip(ids) {
            if let Some(state) = latest.remove(&id) {
                *document = state;
            }
        }
        Ok(())
    }

    pub(super) fn refused(&mut self, name: &str, problem: Problem) {
        self.errors.push(FileError { index: self.files(), name: name.to_owned(), problem });
    }

    /// The last refused file is so large that the following ones were not read.
    pub(super) fn rest_not_read(&mut self) {
        if let Some(last) = self.errors.last_mut() {
            last.problem.details = Some("The files after this one were not read. Send them again.".into());
        }
    }
}

impl IntoResponse for UploadResponse {
    fn into_response(self) -> Response {
        let Some(first) = self.errors.first() else {
            return json(StatusCode::CREATED, format!("{{\"documents\":[{}]}}", self.documents.join(",")));
        };
        // Errors are strings and numbers, which always serialize.
        let errors = serde_json::to_string(&self.errors).unwrap_or_default();
        if self.documents.is_empty() {
            #[derive(Serialize)]
            struct Refused<'a> {
                #[serde(flatten)]
                problem: &'a Problem,
                errors: &'a RawValue,
            }
            let body = RawValue::from_string(errors)
                .and_then(|errors| {
                    serde_json::to_string(&Refused { problem: &first.problem, errors: &errors })
                })
                .unwrap_or_default()
                + "\n";
            let mut response = first.problem.clone().into_response();
            *response.body_mut() = body.into();
            // It is the length of the shorter body.
            response.headers_mut().remove(header::CONTENT_LENGTH);
            return response;
        }
        let documents = self.documents.join(",");
        json(StatusCode::MULTI_STATUS, format!("{{\"documents\":[{documents}],\"errors\":{errors}}}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn answer(outcome: UploadResponse) -> (u16, serde_json::Value) {
        let response = outcome.into_response();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn all_some_or_no_files_are_stored() {
        let stored = || UploadResponse { documents: vec![r#"{"id":1}"#.into()], errors: vec![] };
        let (status, body) = answer(stored()).await;
        assert_eq!((status, body), (201, serde_json::json!({"documents": [{"id": 1}]})));

        let mut some = stored();
        some.refused("b.exe", Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "No"));
        let (status, body) = answer(some).await;
        assert_eq!(status, 207);
        assert_eq!(body["errors"][0]["index"], 1);
        assert_eq!(body["errors"][0]["name"], "b.exe");
        assert_eq!(body["errors"][0]["code"], "PT415");

        let mut waited = UploadResponse {
            documents: vec![
                r#"{"id":"00000000-0000-0000-0000-000000000001","status":"stored"}"#.into(),
                r#"{"id":"00000000-0000-0000-0000-000000000002","status":"stored"}"#.into(),
            ],
            errors: vec![],
        };
        waited.update(HashMap::from([(Uuid::from_u128(1), r#"{"status":"ready"}"#.to_owned())])).unwrap();
        let (_, body) = answer(waited).await;
        assert_eq!(body["documents"][0]["status"], "ready");
        assert_eq!(body["documents"][1]["status"], "stored", "deleted meanwhile, but reported");

        let mut none = UploadResponse::default();
        none.refused("b.exe", Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "No").hint("try"));
        let (status, body) = answer(none).await;
        assert_eq!((status, body["code"].as_str(), body["hint"].as_str()), (415, Some("PT415"), Some("try")));
        assert_eq!(body["errors"][0]["index"], 0);
    }
}
