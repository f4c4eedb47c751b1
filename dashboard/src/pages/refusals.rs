use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use leptos::nonce::Nonce;
use leptos::prelude::{Owner, provide_context};
use leptos::server_fn::error::FromServerFnError;
use strata_app::{ApiError, PageFiles, refusal_page};

use crate::access::ApplicationNonce;
use crate::http::{AppError, FUNCTIONS, wants_page};

/// What such a page may load: our style and our picture.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// A page of a few words.
pub fn document(status: StatusCode, html: String) -> Response {
    let policy = [(header::CONTENT_SECURITY_POLICY, POLICY)];
    (status, policy, Html(html)).into_response()
}

/// What kind of client waits for an answer.
#[derive(Clone, Copy)]
enum Reader {
    /// A browser that shows it.
    Browser,
    /// The program of our own page, which tells it beside a form.
    Page,
    /// Any other program.
    Program,
}

/// Writes a refusal as the client understands it: a page for a browser, an error of a server function
/// for our own page, problem JSON for any other program.
pub(crate) async fn tell_refusals(
    State(files): State<Option<PageFiles>>,
    request: Request,
    next: Next,
) -> Response {
    let reader = if wants_page(request.headers()) {
        Reader::Browser
    } else if request.uri().path().starts_with(FUNCTIONS) {
        Reader::Page
    } else {
        Reader::Program
    };
    let mut response = next.run(request).await;
    let Some(error) = response.extensions_mut().remove::<AppError>() else { return response };
    let nonce = response.extensions().get::<ApplicationNonce>().cloned();
    let (body, content_type) = match reader {
        Reader::Program => return response,
        Reader::Browser => {
            let html = page(files, &error, nonce.clone());
            (Body::from(html), "text/html; charset=utf-8")
        }
        Reader::Page => {
            let told = ApiError::Refused(error.detail().to_owned());
            (Body::from(told.ser()), "application/json")
        }
    };
    *response.body_mut() = body;
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CONTENT_SECURITY_POLICY, policy(nonce));
    response
}

/// The page of a refusal, whose style carries the nonce of the application's policy.
fn page(files: Option<PageFiles>, error: &AppError, nonce: Option<ApplicationNonce>) -> String {
    Owner::new().with(|| {
        if let Some(ApplicationNonce(nonce)) = nonce {
            provide_context(Nonce::from_value(nonce));
        }
        refusal_page(files, error.status(), error.detail())
    })
}

fn policy(nonce: Option<ApplicationNonce>) -> HeaderValue {
    let with_nonce = nonce.and_then(|ApplicationNonce(nonce)| {
        let style = format!("style-src 'self' 'nonce-{nonce}'");
        HeaderValue::try_from(POLICY.replace("style-src 'self'", &style)).ok()
    });
    with_nonce.unwrap_or(HeaderValue::from_static(POLICY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_of_a_refusal_carries_the_nonce_of_the_application() {
        let files =
            Some(PageFiles { style: "a.css", script: "a.js", program: "a.wasm", build: "" });
        let nonce = Some(ApplicationNonce("abc".into()));
        let html = page(files, &AppError::internal(), nonce);
        let style = html.split('<').find(|tag| tag.contains("rel=\"stylesheet\"")).unwrap();
        assert!(style.contains("nonce=\"abc\""), "{style}");
    }
}
