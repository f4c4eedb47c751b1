use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use strata_console::Console;
use tower_http::csrf::{CsrfLayer, ProtectionError};

use crate::error::AppError;

/// The cookie that carries the operator's token.
const TOKEN_COOKIE: &str = "strata_operator";

/// Which `Host` a request may be addressed to. Everything else is refused, so that a foreign page
/// cannot reach a local program by a name of its own (DNS rebinding).
#[derive(Clone, Debug)]
pub(crate) struct Hosts {
    listening: SocketAddr,
    allowed: Arc<[String]>,
}

impl Hosts {
    pub(crate) fn new(listening: SocketAddr, allowed: &[String]) -> Self {
        Self { listening, allowed: allowed.into() }
    }

    /// Whether a request for `host` (name and perhaps a port) is meant for this program.
    pub(crate) fn accepts(&self, host: &str) -> bool {
        let (name, port) = split_port(host);
        let is_named = |allowed: &String| {
            allowed.eq_ignore_ascii_case(host) || allowed.eq_ignore_ascii_case(name)
        };
        self.allowed.iter().any(is_named)
            || (port.unwrap_or(80) == self.listening.port() && self.is_own_name(name))
    }

    // A rebound name is always a name, so an address that we listen on needs no list.
    fn is_own_name(&self, name: &str) -> bool {
        let ip = self.listening.ip();
        let is_local = ip.is_loopback() || ip.is_unspecified();
        if name.eq_ignore_ascii_case("localhost") {
            return is_local;
        }
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        bare.parse::<IpAddr>().is_ok_and(|named| {
            named == ip || ip.is_unspecified() || (is_local && named.is_loopback())
        })
    }
}

fn split_port(host: &str) -> (&str, Option<u16>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => {
            // An unreadable port is nobody's.
            (name, Some(port.parse().unwrap_or(0)))
        }
        _ => (host, None),
    }
}

/// Refuses a request that is addressed to somebody else.
pub(crate) async fn check_host(
    State(hosts): State<Hosts>,
    request: Request,
    next: Next,
) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    if host.is_some_and(|host| hosts.accepts(host)) {
        return next.run(request).await;
    }
    let detail = "This host name is not served here; --allowed-host adds one.";
    AppError::new(StatusCode::MISDIRECTED_REQUEST, "wrong-host", detail).into_response()
}

type CsrfRefusal = fn(ProtectionError) -> Response;

/// Refuses changes that a page of another site asks for.
pub(crate) fn csrf() -> CsrfLayer<CsrfRefusal> {
    CsrfLayer::new().with_rejection_response(|_| {
        let detail = "A page of another site may not change anything here.";
        AppError::forbidden("cross-site", detail).into_response()
    })
}

/// Finds out who asks, by bearer token or cookie, for the handlers behind.
pub(crate) async fn identify(
    State(console): State<Console>,
    mut request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let actor = console.access().actor(bearer(headers).or_else(|| cookie(headers)));
    request.extensions_mut().insert(actor);
    next.run(request).await
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find_map(|(name, value)| (name == TOKEN_COOKIE).then_some(value))
}

/// Headers that every answer carries, and those that only pages do.
pub(crate) async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    let permissions = HeaderValue::from_static("camera=(), geolocation=(), microphone=()");
    headers.insert("permissions-policy", permissions);
    let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    if content_type.is_some_and(|kind| kind.starts_with(b"text/html")) {
        // The page holds live data and a nonce that must never be used twice.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(listening: &str) -> Hosts {
        Hosts::new(listening.parse().unwrap(), &["strata.test".into(), "proxy.test:8080".into()])
    }

    #[test]
    fn a_loopback_address_answers_to_its_own_names_and_port() {
        let hosts = hosts("127.0.0.1:3000");
        for host in ["localhost:3000", "LOCALHOST:3000", "127.0.0.1:3000", "[::1]:3000"] {
            assert!(hosts.accepts(host), "{host}");
        }
        for host in ["localhost", "127.0.0.1:3001", "evil.test:3000", "10.0.0.1:3000", "", ":3000"]
        {
            assert!(!hosts.accepts(host), "{host}");
        }
    }

    #[test]
    fn an_open_address_answers_to_every_address_but_to_no_name() {
        let hosts = hosts("0.0.0.0:80");
        assert!(hosts.accepts("192.0.2.1"));
        assert!(hosts.accepts("[2001:db8::1]:80"));
        assert!(!hosts.accepts("evil.test"));
    }

    #[test]
    fn allowed_names_are_taken_with_any_port_unless_one_is_given() {
        let hosts = hosts("127.0.0.1:3000");
        assert!(hosts.accepts("strata.test"));
        assert!(hosts.accepts("strata.test:443"));
        assert!(hosts.accepts("proxy.test:8080"));
        assert!(!hosts.accepts("proxy.test:8081"));
    }

    #[test]
    fn a_token_is_read_from_the_header_or_the_cookie() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("a=b; strata_operator=t=1"));
        assert_eq!(cookie(&headers), Some("t=1"));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer abc"));
        assert_eq!(bearer(&headers), Some("abc"));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Basic abc"));
        assert_eq!(bearer(&headers), None);
    }
}
