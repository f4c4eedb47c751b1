use std::fmt::Write;
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use strata_demo::{DemoError, ReadNote, Reply, WriteNote};
use strata_report::Effect;

use super::cache_status::{CACHE_STATUS, cache_status};
use super::error::refusal;
use super::request::{DemoRequest, NODE_HEADER};

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
const WRITE_HEADER: HeaderName = HeaderName::from_static("x-strata-writes");

impl DemoRequest {
    /// The answer with the headers that tell how it came about.
    pub(super) fn answer<T: Serialize>(&self, result: Result<Reply<T>, DemoError>) -> Response {
        self.answer_by(result, |body| Json(body).into_response())
    }

    /// The same for something that was made and is now at `location`.
    pub(super) fn made<T: Serialize>(
        &self,
        result: Result<Reply<T>, DemoError>,
        location: impl FnOnce(&T) -> String,
    ) -> Response {
        self.answer_by(result, |body| {
            let location = [(header::LOCATION, location(&body))];
            (StatusCode::CREATED, location, Json(body)).into_response()
        })
    }

    /// The same for something that is no more.
    pub(super) fn removed(&self, result: Result<Reply<()>, DemoError>) -> Response {
        self.answer_by(result, |()| StatusCode::NO_CONTENT.into_response())
    }

    fn answer_by<T>(
        &self,
        result: Result<Reply<T>, DemoError>,
        to_response: impl FnOnce(T) -> Response,
    ) -> Response {
        let (mut response, reads, writes) = match result {
            Ok(reply) => (to_response(reply.body), reply.reads, reply.writes),
            Err(error) => (refusal(error).into_response(), Vec::new(), Vec::new()),
        };
        let headers = response.headers_mut();
        // The answer depends on who asks; caching it is this service's own business.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        insert(headers, HeaderName::from_static(NODE_HEADER), self.site.node().id());
        insert(headers, SERVER_TIMING, &server_timing(&reads, self.started.elapsed()));
        insert(headers, CACHE_STATUS, &cache_status(&reads, &writes));
        insert(headers, WRITE_HEADER, &written(&writes));
        response
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let (false, Ok(value)) = (value.is_empty(), HeaderValue::try_from(value)) {
        headers.insert(name, value);
    }
}

/// How long each cache took, and the whole request, in milliseconds.
fn server_timing(reads: &[ReadNote], total: Duration) -> String {
    let mut out = String::new();
    // Keys of one batch share their time, so a cache is named once.
    let mut last = None;
    for read in reads.iter().filter(|read| last.replace(read.cache) != Some(read.cache)) {
        let (cache, outcome) = (read.cache, read.outcome.as_str());
        let _ = write!(out, "{cache};dur={};desc=\"{outcome}\", ", millis(read.took));
    }
    let _ = write!(out, "total;dur={}", millis(total));
    out
}

fn millis(duration: Duration) -> String {
    format!("{:.3}", duration.as_secs_f64() * 1e3)
}

/// What a write did to each cache: how many entries left L2, or that L2 will hear of it later.
fn written(writes: &[WriteNote]) -> String {
    let one = |write: &WriteNote| match write.effect {
        Effect::Removed { entries } => format!("{};l2={entries}", write.cache),
        Effect::Marked => format!("{};l2=marked", write.cache),
        Effect::Queued => format!("{};l2=queued", write.cache),
        Effect::Off => format!("{};l2=off", write.cache),
    };
    writes.iter().map(one).collect::<Vec<_>>().join(", ")
}
