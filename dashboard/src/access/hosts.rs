use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::PublicUrl;
use crate::http::{AppError, HEALTH_PATHS};

/// As much of a host as a refusal repeats.
const SHOWN_CHARS: usize = 128;

/// Which `Host` a request may be addressed to. A foreign page reaches a local program by a name of
/// its own (DNS rebinding), so names are refused unless they are known. An address is no name.
#[derive(Clone, Debug)]
pub struct Hosts {
    allowed: Arc<[String]>,
}

impl Hosts {
    /// This machine, the hosts that are allowed, and the one of the public URL.
    pub fn new(allowed: &[String], public_url: Option<&PublicUrl>) -> Self {
        let public = public_url.map(|url| url.authority().to_owned());
        Self { allowed: allowed.iter().cloned().chain(public).collect() }
    }

    /// Whether a request for `host` (name and perhaps a port) is meant for this program.
    pub(crate) fn accepts(&self, host: &str) -> bool {
        let (name, port) = split_port(host);
        let whole = port.map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
        let is_named = |allowed: &String| {
            allowed.eq_ignore_ascii_case(&whole) || allowed.eq_ignore_ascii_case(name)
        };
        is_localhost(name) || address(name).is_some() || self.allowed.iter().any(is_named)
    }
}

/// Whether `host` names this machine itself: by a loopback name or address, on any port.
pub(crate) fn is_loopback(host: &str) -> bool {
    let (name, _) = split_port(host);
    is_localhost(name) || address(name).is_some_and(|ip| ip.to_canonical().is_loopback())
}

/// The port that `host` names.
pub(crate) fn port(host: &str) -> Option<&str> {
    split_port(host).1
}

fn is_localhost(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost")
}

fn address(name: &str) -> Option<IpAddr> {
    match name.strip_prefix('[') {
        Some(name) => name.strip_suffix(']')?.parse().map(IpAddr::V6).ok(),
        None => name.parse().map(IpAddr::V4).ok(),
    }
}

/// Name and port; the dot at the end of a whole name says nothing more.
fn split_port(host: &str) -> (&str, Option<&str>) {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    (name.strip_suffix('.').unwrap_or(name), port)
}

/// The host that a request is addressed to.
pub(crate) fn of(request: &Request) -> Option<&str> {
    all(request)?.first().copied()
}

/// Every host that a request names: that of its target, and that of its header. `None` where there are
/// several headers, or one that is no text: others would take another one of them for the host.
pub(super) fn all(request: &Request) -> Option<Vec<&str>> {
    let mut headers = request.headers().get_all(header::HOST).iter();
    let (header, None) = (headers.next(), headers.next()) else { return None };
    let header = header.map(HeaderValue::to_str).transpose().ok()?;
    Some(request.uri().authority().map(Authority::as_str).into_iter().chain(header).collect())
}

/// Refuses a request that names a host which is not ours. Health checks are answered under any name: a
/// load balancer sends no host, or its own.
pub(crate) async fn check_host(
    State(hosts): State<Hosts>,
    request: Request,
    next: Next,
) -> Response {
    if HEALTH_PATHS.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let refusal = match all(&request) {
        None => refuse_all(),
        Some(all) if all.is_empty() => refuse(""),
        Some(all) => match all.into_iter().find(|host| !hosts.accepts(host)) {
            Some(host) => refuse(host),
            None => return next.run(request).await,
        },
    };
    refusal.into_response()
}

fn refuse_all() -> AppError {
    let detail = "The request has several Host headers, or one that cannot be read.";
    AppError::bad_request("bad-host", detail).for_browsers()
}

fn refuse(host: &str) -> AppError {
    let host: String = host.chars().take(SHOWN_CHARS).collect();
    let (name, _) = split_port(&host);
    let detail = if name.is_empty() {
        "The request names no host; its Host header is missing or empty.".to_owned()
    } else {
        format!(
            "Strata does not answer to the host {host:?}. If that is a name of this machine, or of a \
             proxy before it, start Strata with --allowed-host {name}."
        )
    };
    AppError::new(StatusCode::MISDIRECTED_REQUEST, "wrong-host", detail).for_browsers()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts() -> Hosts {
        let public = "https://dash.test".parse().unwrap();
        let allowed = ["strata.test".into(), "proxy.test:8080".into()];
        Hosts::new(&allowed, Some(&public))
    }

    #[test]
    fn loopback_names_and_addresses_are_no_target_of_rebinding_on_any_port() {
        let hosts = hosts();
        for host in [
            "localhost:3000",
            "LOCALHOST:8080",
            "localhost",
            "localhost.:3000",
            "127.0.0.1:3001",
            "[::1]:60000",
            "[::1]",
            "10.0.0.1:3000",
            "192.0.2.1",
            "[2001:db8::1]:80",
        ] {
            assert!(hosts.accepts(host), "{host}");
        }
        for host in [
            "evil.test:3000",
            "",
            ":3000",
            "localhost.evil.test",
            "127.0.0.1.evil.test",
            "::1",
            "1.2.3",
            "0x7f.1",
            "[::1",
            "notlocalhost",
        ] {
            assert!(!hosts.accepts(host), "{host}");
        }
    }

    #[test]
    fn allowed_names_are_taken_with_any_port_unless_one_is_given() {
        let hosts = hosts();
        for host in [
            "strata.test",
            "strata.test:443",
            "strata.test.",
            "Strata.Test:1",
            "proxy.test:8080",
            "dash.test",
            "dash.test:443",
        ] {
            assert!(hosts.accepts(host), "{host}");
        }
        assert!(!hosts.accepts("proxy.test:8081"));
    }

    #[test]
    fn only_loopback_is_this_machine() {
        for host in ["localhost:1", "localhost.", "127.3.4.5", "[::1]:80", "[::ffff:127.0.0.1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["strata.test", "10.0.0.1", "0.0.0.0", "[::]", "", "localhost.test"] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn a_refusal_names_the_host_and_the_very_option() {
        let text = format!("{:?}", refuse("strata:3100"));
        assert!(text.contains("strata:3100") && text.contains("--allowed-host strata."), "{text}");
        let long = format!("{:?}", refuse(&"x".repeat(10_000)));
        assert!(long.len() < 1_000);
    }
}
