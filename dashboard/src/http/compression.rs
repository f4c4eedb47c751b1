use std::convert::Infallible;
use std::future::ready;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower::{ServiceExt, service_fn};
use tower_http::compression::Compression;

use crate::http::AppError;

/// Smaller answers gain nothing.
const MIN_BYTES: u64 = 256;

/// What is compressed. An event stream is text too, but must not wait for a compressor's buffer.
const TEXTS: [&[u8]; 6] = [
    b"text/html",
    b"text/plain",
    b"text/csv",
    b"text/javascript",
    b"application/json",
    b"application/problem+json",
];

/// Compresses answers that are worth it. All others pass untouched: the compressing body takes 6 KB
/// of memory even where it compresses nothing, and an event stream would keep that for hours.
pub(crate) async fn compress(request: Request, next: Next) -> Response {
    let mut asked = Request::new(Body::empty());
    if let Some(accepted) = request.headers().get(header::ACCEPT_ENCODING) {
        asked.headers_mut().insert(header::ACCEPT_ENCODING, accepted.clone());
    }
    let response = next.run(request).await;
    if !is_worth_it(&response) {
        return response;
    }
    let mut response = Some(response);
    let answer = service_fn(move |_: Request| {
        let response = response.take().unwrap_or_else(|| AppError::internal().into_response());
        ready(Ok::<_, Infallible>(response))
    });
    match Compression::new(answer).gzip(true).br(true).oneshot(asked).await {
        Ok(compressed) => compressed.map(Body::new),
        Err(never) => match never {},
    }
}

fn is_worth_it(response: &Response) -> bool {
    let content_type = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_text = content_type.is_some_and(|kind| TEXTS.iter().any(|text| kind.starts_with(text)));
    is_text && response.body().size_hint().exact().is_none_or(|bytes| bytes >= MIN_BYTES)
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::middleware::from_fn;
    use axum::routing::get;

    use super::*;

    async fn encoding(content_type: &'static str, text: String) -> Option<HeaderValue> {
        let answer = move || async move { ([(header::CONTENT_TYPE, content_type)], text) };
        let router = Router::new().route("/", get(answer)).layer(from_fn(compress));
        let asked = Request::get("/").header(header::ACCEPT_ENCODING, "gzip");
        let answered = router.oneshot(asked.body(Body::empty()).unwrap()).await.unwrap();
        answered.headers().get(header::CONTENT_ENCODING).cloned()
    }

    #[tokio::test]
    async fn long_texts_are_compressed_and_streams_are_not() {
        let long = "a".repeat(1_000);
        for text in ["text/html; charset=utf-8", "application/json"] {
            assert_eq!(encoding(text, long.clone()).await.unwrap(), "gzip", "{text}");
        }
        for other in ["text/event-stream", "application/wasm", "text/css"] {
            assert!(encoding(other, long.clone()).await.is_none(), "{other}");
        }
        assert!(encoding("text/html", "short".to_owned()).await.is_none());
    }
}
