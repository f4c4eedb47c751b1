use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use serde_json::Value;
use strata_console::Token;
use strata_server::{Demo, DemoFlags, RedisChoice, Settings, TrafficMode};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// How long anything may take that is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Says why a test proves nothing here. Where everything that tests need is meant to be installed, as
/// `./dev test` sees to, it fails.
pub(crate) fn skipped(why: &str) {
    assert!(std::env::var_os("STRATA_TEST_ALL").is_none(), "{why}");
    eprintln!("skipped: {why}");
}

const LISTENING: &str = "127.0.0.1:3000";

/// A whole demo in this process, without a listener.
pub(crate) struct Running {
    pub(crate) router: Router,
    pub(crate) demo: Demo,
    pub(crate) shutdown: CancellationToken,
    _dir: TempDir,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Starts a demo with few users, no traffic and no Redis, after `change` has had its say.
pub(crate) async fn start(change: impl FnOnce(&mut Settings)) -> Running {
    start_at(LISTENING, change).await
}

/// The same, as if it listened on that address.
pub(crate) async fn start_at(listening: &str, change: impl FnOnce(&mut Settings)) -> Running {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path());
    change(&mut settings);
    let shutdown = CancellationToken::new();
    let listening = listening.parse().unwrap();
    let demo = Demo::start(&settings, listening, shutdown.clone()).await.unwrap();
    Running { router: demo.router(), demo, shutdown, _dir: dir }
}

fn settings(dir: &Path) -> Settings {
    let mut settings = Settings::resolve(DemoFlags::default(), Path::new("none")).unwrap();
    settings.data_dir = dir.to_owned();
    settings.n_users = 50;
    settings.redis = RedisChoice::Off;
    settings.traffic = TrafficMode::Off;
    settings
}

/// Where a request comes from.
pub(crate) fn from(peer: &str) -> ConnectInfo<SocketAddr> {
    ConnectInfo(peer.parse().unwrap())
}

/// Tokens, one a line.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    Token::read_lines(text, "operator").unwrap()
}

/// A request that a script on this machine would send.
pub(crate) fn request(method: Method, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header(header::HOST, LISTENING)
}

impl Running {
    pub(crate) async fn respond(&self, mut request: Request<Body>) -> Response<Body> {
        // From this machine, unless the test says where from.
        if request.extensions().get::<ConnectInfo<SocketAddr>>().is_none() {
            request.extensions_mut().insert(from("127.0.0.1:50000"));
        }
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.respond(request).await.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(request(Method::GET, path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.ask(request(Method::DELETE, path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, json: &Value) -> Answer {
        self.ask(with_json(request(method, path), json)).await
    }
}

pub(crate) fn with_json(request: axum::http::request::Builder, json: &Value) -> Request<Body> {
    let request = request.header(header::CONTENT_TYPE, "application/json");
    request.body(Body::from(json.to_string())).unwrap()
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// A header's text; empty where it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Fails unless this is a problem answer of that status and kind.
    pub(crate) fn is_problem(&self, status: u16, kind: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["type"], format!("urn:strata:problem:{kind}"));
        assert_eq!(problem["status"], status);
        assert!(!problem["title"].as_str().unwrap().is_empty());
        assert!(!problem["detail"].as_str().unwrap().is_empty());
    }
}

/// Logs in as a browser does; what it presents from then on.
pub(crate) async fn log_in(running: &Running, token: &str) -> String {
    let asked = request(Method::POST, "/api/strata/log_in")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = running.ask(asked.body(Body::from(format!("token={token}"))).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let cookie = answer.header("set-cookie");
    cookie.split(';').next().unwrap().to_owned()
}
