use std::time::Duration;

use axum::extract::State;
use axum::extract::multipart::{Field, Multipart, MultipartRejection};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Json};
use leptos::server_fn::error::ServerFnUrlError;
use serde::Serialize;
use strata_app::{ApiError, COMPARE_PATH, at, comparison_address};
use strata_console::{Actor, ConsoleError};
use strata_dashboard::program::{AppError, TRACES_PATH, wants_page};
use strata_demo::trace::{Recording, RecordingError};
use strata_lab::Comparison;
use tokio::time::timeout;

use super::LabState;

// As the audit trail names it.
const ACTION: &str = "upload_trace";
const TARGET: &str = "compare";
const FILE: &str = "file";
const MAX_FIELDS: usize = 64;
const MAX_FIELD_BYTES: usize = 256;
const MAX_TITLE_CHARS: usize = 60;
/// How long the upload of a trace may take.
const SENDING: Duration = Duration::from_secs(60);

/// The fields of the form.
#[derive(Default)]
struct UploadForm {
    title: String,
    file: Vec<u8>,
    /// What is compared already.
    fields: Vec<(String, String)>,
}

/// Why it was not taken.
#[derive(Debug, thiserror::Error)]
enum UploadError {
    #[error("read what was sent")]
    Unreadable,
    #[error("wait any longer for the trace")]
    TooSlow,
    #[error("take so many fields")]
    TooMuch,
    #[error(transparent)]
    Recording(#[from] RecordingError),
}

/// What is kept.
#[derive(Serialize)]
struct UploadedTrace<'a> {
    id: &'a str,
    requests: usize,
    keys: u32,
    address: &'a str,
}

/// Keeps a trace that a person sends by a form. A browser is led back to the page of comparisons;
/// programs get JSON.
pub(super) async fn upload(
    State(state): State<LabState>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    multipart: Result<Multipart, MultipartRejection>,
) -> Response {
    let from_page = wants_page(&headers);
    if let Err(error) = state.console.authorise(&actor, ACTION, TARGET) {
        return match from_page {
            true => back(&ApiError::Refused(why(&error))),
            false => AppError::from(error).into_response(),
        };
    }
    let kept = match state.console.begin_upload(&actor) {
        Ok(_permit) => keep(&state, multipart).await,
        Err(error) => return AppError::from(error).into_response(),
    };
    match kept {
        Ok((address, uploaded)) => {
            let Recording { id, requests, n_keys, .. } = &uploaded;
            let result = format!("{} requests for {n_keys} keys", requests.len());
            state.console.record(&actor, ACTION, TARGET, &result);
            if from_page {
                return Redirect::to(&address).into_response();
            }
            let (requests, address) = (requests.len(), address.as_str());
            let told = Json(UploadedTrace { id, requests, keys: *n_keys, address });
            (StatusCode::CREATED, [(header::LOCATION, address)], told).into_response()
        }
        Err(error) if from_page => back(&ApiError::Invalid(error.to_string())),
        Err(error) => {
            let status = match &error {
                UploadError::Recording(RecordingError::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
                UploadError::TooSlow => StatusCode::REQUEST_TIMEOUT,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            let detail = format!("Strata failed to {error}.");
            AppError::new(status, "bad-trace", detail).into_response()
        }
    }
}

async fn keep(
    state: &LabState,
    multipart: Result<Multipart, MultipartRejection>,
) -> Result<(String, Recording), UploadError> {
    let multipart = multipart.map_err(|_| UploadError::Unreadable)?;
    let sent = timeout(SENDING, sent(multipart)).await.map_err(|_| UploadError::TooSlow)??;
    let stored = state.lab.traces().put(&sent.title, sent.file).await?;
    let recording = stored.recording.clone();
    let fields = sent.fields.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let fields = fields.filter(|(name, _)| *name != "trace");
    let fields = fields.chain([("trace", recording.id.as_str())]);
    let comparison = Comparison::of_fields(fields).unwrap_or_else(|_| Comparison {
        settings: Comparison::base(Some(&recording.id)),
        trace: Some(recording.id.clone()),
        ..Comparison::example()
    });
    Ok((comparison_address(&comparison), recording))
}

async fn sent(mut multipart: Multipart) -> Result<UploadForm, UploadError> {
    let mut sent = UploadForm::default();
    let mut is_too_large = false;
    for _ in 0..MAX_FIELDS {
        let field = multipart.next_field().await.map_err(|_| UploadError::Unreadable)?;
        let Some(field) = field else {
            return if is_too_large { Err(RecordingError::TooLarge.into()) } else { Ok(sent) };
        };
        let name = field.name().unwrap_or_default().to_owned();
        if name == FILE {
            let title = field.file_name().unwrap_or_default();
            let title: String = title.chars().take(MAX_TITLE_CHARS).collect();
            sent.title = if title.is_empty() { "An uploaded trace".to_owned() } else { title };
            match read(field, Recording::MAX_BYTES).await? {
                Some(bytes) => sent.file = bytes,
                None => is_too_large = true,
            }
        } else {
            let bytes = read(field, MAX_FIELD_BYTES).await?.ok_or(UploadError::TooMuch)?;
            let text = String::from_utf8(bytes).map_err(|_| UploadError::Unreadable)?;
            sent.fields.push((name, text));
        }
    }
    Err(UploadError::TooMuch)
}

// What is too much is read too, and forgotten: a browser that still sends hears no answer.
async fn read(mut field: Field<'_>, max_bytes: usize) -> Result<Option<Vec<u8>>, UploadError> {
    let mut bytes = Vec::new();
    let mut is_too_much = false;
    while let Some(chunk) = field.chunk().await.map_err(|_| UploadError::Unreadable)? {
        is_too_much |= bytes.len() + chunk.len() > max_bytes;
        if is_too_much {
            bytes = Vec::new();
        } else {
            bytes.extend_from_slice(&chunk);
        }
    }
    Ok((!is_too_much).then_some(bytes))
}

fn why(error: &ConsoleError) -> String {
    match error {
        ConsoleError::Refused(why) => why.clone(),
        other => other.to_string(),
    }
}

// The page tells why, as it does for every other form.
fn back(error: &ApiError) -> Response {
    let url = ServerFnUrlError::new(TRACES_PATH, error.clone()).to_url("http://strata/");
    let query = url.ok().and_then(|url| url.query().map(str::to_owned)).unwrap_or_default();
    Redirect::to(&at(&format!("{COMPARE_PATH}?{query}"))).into_response()
}
