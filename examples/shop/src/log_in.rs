//! The shop's own log-in and content security policy, as any application has them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Form, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

/// Who has logged in, in the extensions of a request.
#[derive(Clone)]
pub struct User(pub String);

/// What scripts of a page carry, in the extensions of a request.
#[derive(Clone)]
pub struct Nonce(pub String);

/// Names by the ids of their sessions.
#[derive(Clone, Default)]
pub struct Sessions(Arc<Mutex<HashMap<String, String>>>);

#[derive(Deserialize)]
pub struct LogIn {
    name: String,
    password: String,
}

pub async fn log_in(State(Sessions(ids)): State<Sessions>, Form(sent): Form<LogIn>) -> Response {
    // A real shop keeps hashes of passwords.
    if sent.password != "teapot" {
        return StatusCode::FORBIDDEN.into_response();
    }
    let id = format!("{:032x}", rand::random::<u128>());
    let cookie = format!("shop={id}; HttpOnly; SameSite=Lax; Path=/");
    ids.lock().unwrap_or_else(PoisonError::into_inner).insert(id, sent.name);
    ([(header::SET_COOKIE, cookie)], "Welcome.").into_response()
}

pub async fn identify(
    State(sessions): State<Sessions>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(user) = sessions.user(&request) {
        request.extensions_mut().insert(user);
    }
    next.run(request).await
}

impl Sessions {
    fn user(&self, request: &Request) -> Option<User> {
        let cookies = request.headers().get(header::COOKIE)?.to_str().ok()?;
        let id = cookies.split(';').find_map(|cookie| cookie.trim().strip_prefix("shop="))?;
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.get(id).cloned().map(User)
    }
}

/// The dashboard needs `'wasm-unsafe-eval'`, and scripts and styles of its own host.
pub async fn policy(mut request: Request, next: Next) -> Response {
    let nonce = format!("{:032x}", rand::random::<u128>());
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self'; connect-src 'self'; worker-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    request.extensions_mut().insert(Nonce(nonce));
    let mut response = next.run(request).await;
    if let Ok(policy) = HeaderValue::try_from(policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
