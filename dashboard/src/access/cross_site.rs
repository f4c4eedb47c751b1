use axum::extract::{Request, State};
use axum::http::{HeaderName, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use strata_console::{Actor, Console};
use tower_http::csrf::{CsrfLayer, ProtectionError, ProtectionErrorKind};

use super::PublicUrl;
use crate::http::AppError;

const ELSEWHERE: &str = "A page of another site may not change anything here.";

/// As much of a header as a refusal repeats.
const SHOWN_CHARS: usize = 128;

type CsrfRefusal = fn(ProtectionError) -> Response;

/// What refusals of changes from other pages are explained with.
#[derive(Clone)]
pub(crate) struct CrossSite {
    /// Writes them down.
    pub(crate) console: Console,
    /// How a dashboard is told where browsers find it, before that address.
    pub(crate) remedy: &'static str,
}

impl CrossSite {
    /// Of a program of ours.
    pub(crate) fn of_program(console: Console) -> Self {
        Self { console, remedy: "or Strata be started with --public-url" }
    }

    /// Of an application around the dashboard.
    pub(crate) fn of_application(console: Console) -> Self {
        Self { console, remedy: "or the application pass to Dashboard::public_url the address" }
    }
}

/// Refuses changes that a page of another site asks for. A page at the public URL is ours.
pub(crate) fn csrf(public_url: Option<&PublicUrl>) -> CsrfLayer<CsrfRefusal> {
    let ours = public_url.and_then(|url| CsrfLayer::new().add_trusted_origin(url.origin()).ok());
    let refusal: CsrfRefusal = |_| AppError::forbidden("cross-site", ELSEWHERE).into_response();
    ours.unwrap_or_default().with_rejection_response(refusal)
}

/// Tells what a proxy has to pass on where a refusal may be its doing, and writes the refusal down.
pub(crate) async fn explain_cross_site(
    State(CrossSite { console, remedy }): State<CrossSite>,
    request: Request,
    next: Next,
) -> Response {
    let (origin, host) = (text(&request, &header::ORIGIN), text(&request, &header::HOST));
    let target = format!("{} {}", request.method(), request.uri().path());
    let actor = request.extensions().get::<Actor>().cloned();
    let response = next.run(request).await;
    let Some(refused) = response.extensions().get::<ProtectionError>() else { return response };
    let is_by_host = refused.kind() != ProtectionErrorKind::CrossOriginRequest;
    let detail = match is_by_host && origin.contains("://") {
        true => by_host(&origin, &host, remedy),
        false => ELSEWHERE.to_owned(),
    };
    let actor = actor.unwrap_or_else(Actor::nobody);
    console.note_refusal(&actor, "cross_site", &target, &detail);
    let error = AppError::forbidden("cross-site", detail);
    match is_by_host {
        // It may well be our own page that asks.
        true => error.for_browsers().into_response(),
        false => error.into_response(),
    }
}

/// The beginning of a header.
fn text(request: &Request, name: &HeaderName) -> String {
    let value = request.headers().get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().chars().take(SHOWN_CHARS).collect()
}

fn by_host(origin: &str, host: &str, remedy: &str) -> String {
    format!(
        "{ELSEWHERE} The page that asked is at {origin}, and the request names the host {host:?}. If \
         {origin} is this dashboard behind a proxy, the proxy must pass the Host header on (nginx: \
         proxy_set_header Host $http_host;), {remedy} {origin}."
    )
}
