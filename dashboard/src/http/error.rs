use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use strata_console::ConsoleError;
use utoipa::ToSchema;

/// Every refusal and failure of the HTTP interface, answered as problem JSON (RFC 9457).
///
/// Build one with the constructor named after its meaning; `kind` is the stable name that
/// programs compare, `detail` is for people and never holds internal text.
#[derive(Clone, Debug)]
pub struct AppError {
    status: StatusCode,
    kind: &'static str,
    detail: String,
    /// Whether people may meet it in a browser, which then gets a page.
    is_for_browsers: bool,
    /// When to try again, seconds.
    retry_after_s: Option<u64>,
}

/// A refusal or failure (RFC 9457).
#[derive(Serialize, ToSchema)]
pub(crate) struct Problem<'a> {
    /// Its stable name: `urn:strata:problem:` and the name.
    #[serde(rename = "type")]
    kind: String,
    /// The status in words.
    title: &'a str,
    /// The status.
    status: u16,
    /// What is wrong, for people.
    detail: &'a str,
}

impl AppError {
    /// One of that status and kind.
    pub fn new(status: StatusCode, kind: &'static str, detail: impl Into<String>) -> Self {
        let (detail, is_for_browsers) = (detail.into(), false);
        Self { status, kind, detail, is_for_browsers, retry_after_s: None }
    }

    /// The same for a door that browsers come to as well; they get a page.
    pub fn for_browsers(self) -> Self {
        Self { is_for_browsers: true, ..self }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// For a request that makes no sense.
    pub fn bad_request(kind: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, kind, detail)
    }

    /// For what is not there.
    pub fn not_found(kind: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, kind, detail)
    }

    /// For what the sender may not do.
    pub fn forbidden(kind: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, kind, detail)
    }

    /// For what something that is away is needed for.
    pub fn unavailable(kind: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, kind, detail)
    }

    /// For what there is too much of; later it is done.
    pub fn busy(detail: impl Into<String>) -> Self {
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "busy", detail);
        error.retry_after(ConsoleError::BUSY_FOR_S).for_browsers()
    }

    /// The same, which says when to try again, in seconds.
    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after_s: Some(seconds), ..self }
    }

    /// For what should not happen; what did is in the log.
    pub fn internal() -> Self {
        let detail = "Strata failed to answer this request; its log says why.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    /// For a body of more than so many bytes.
    pub fn too_large(max_bytes: usize) -> Self {
        let detail = format!("A request body may hold at most {max_bytes} bytes.");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", detail)
    }

    /// For a path at which nothing is.
    pub fn unknown_path(path: &str) -> Self {
        Self::not_found("unknown-path", format!("There is nothing at {path}."))
    }

    /// For a method that the path does not offer; the router adds `Allow`.
    pub fn method_not_allowed() -> Self {
        let detail = "This path does not offer that method; see the Allow header.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail)
    }
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        let problem = Problem {
            kind: format!("urn:strata:problem:{}", self.kind),
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
        };
        let mut response = (self.status, axum::Json(problem)).into_response();
        let problem_json = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, problem_json);
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.is_for_browsers {
            response.extensions_mut().insert(self);
        }
        response
    }
}

impl From<JsonRejection> for AppError {
    fn from(rejection: JsonRejection) -> Self {
        let kind = match rejection.status() {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "not-json",
            StatusCode::PAYLOAD_TOO_LARGE => "body-too-large",
            StatusCode::UNPROCESSABLE_ENTITY => "wrong-fields",
            _ => "malformed-json",
        };
        Self::new(rejection.status(), kind, rejection.body_text())
    }
}

impl From<PathRejection> for AppError {
    fn from(rejection: PathRejection) -> Self {
        Self::new(rejection.status(), "bad-path", rejection.body_text())
    }
}

impl From<QueryRejection> for AppError {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(rejection.status(), "bad-query", rejection.body_text())
    }
}
