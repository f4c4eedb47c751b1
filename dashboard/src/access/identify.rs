use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use strata_app::SessionCookie;
use strata_console::{Console, Credentials, Origin, RejectedCredential};

use super::name::readable;
use super::{Network, PublicUrl, hosts};
use crate::http::{AppError, HEALTH_PATHS, cookie_value};

/// What proxies and delivery networks add to a request.
const FORWARDING: [&str; 23] = [
    "akamai-origin-hop",
    "cdn-loop",
    "client-ip",
    "fastly-client-ip",
    "fly-client-ip",
    "forwarded",
    "front-end-https",
    "incap-client-ip",
    "remote-user",
    "true-client-ip",
    "via",
    "x-authenticated-user",
    "x-client-ip",
    "x-cloud-trace-context",
    "x-cluster-client-ip",
    "x-proxyuser-ip",
    "x-real-ip",
    "x-remote-user",
    "x-rewrite-url",
    "x-scheme",
    "x-sucuri-clientip",
    "x-url-scheme",
    "x-webauth-user",
];

/// So begin others of these.
const FORWARDING_FAMILIES: [&str; 15] = [
    "cf-",
    "ssl-client-",
    "x-akamai-",
    "x-amz",
    "x-appengine-",
    "x-arr-",
    "x-azure-",
    "x-envoy-",
    "x-forwarded",
    "x-ms-",
    "x-nf-",
    "x-original-",
    "x-ssl-",
    "x-varnish",
    "x-vercel-",
];

/// What is needed to identify the sender of a request.
#[derive(Clone)]
pub(crate) struct Identification {
    console: Console,
    proxies: Proxies,
    /// Whether browsers come by TLS, as far as it was configured.
    is_https: bool,
}

/// The proxies that are believed about the address, the scheme and the user of a request.
#[derive(Clone, Default)]
pub struct Proxies {
    /// The networks that they are in.
    pub trusted: Arc<[Network]>,
    /// Where they name the user.
    pub user_header: Option<HeaderName>,
}

/// The session by which a sender was identified, in the extensions of the request.
#[derive(Clone)]
pub(crate) struct OwnSession(pub(crate) Arc<str>);

impl Identification {
    pub(crate) fn new(console: Console, proxies: Proxies, public_url: Option<&PublicUrl>) -> Self {
        Self { console, proxies, is_https: public_url.is_some_and(PublicUrl::is_https) }
    }
}

/// Identifies the sender by bearer token, session or address, for every layer behind this one.
pub(crate) async fn identify(
    State(identification): State<Identification>,
    mut request: Request,
    next: Next,
) -> Response {
    let (access, headers) = (identification.console.access(), request.headers());
    let (origin, is_https) = identification.proxies.origin(&request);
    let host = hosts::of(&request).unwrap_or_default();
    let secure = identification.is_https || is_https;
    let port = hosts::port(host).unwrap_or(if secure { "443" } else { "80" });
    let cookie = SessionCookie { name: format!("strata_session_{port}"), secure };
    let presented =
        Credentials { token: bearer(headers), session: cookie_value(headers, &cookie.name) };
    let is_health = HEALTH_PATHS.contains(&request.uri().path());
    if presented.token.is_some()
        && !is_health
        && let Some(wait) = access.wait_for_token(&origin)
    {
        return too_many(wait.as_secs() + 1);
    }
    let actor = access.identify(presented, &origin);
    if actor.rejected == Some(RejectedCredential::Token) {
        access.count_wrong_token(&origin);
    }
    // A token counts before it, and one that has ended identifies nobody.
    let session = presented.session.filter(|_| presented.token.is_none());
    let session = session.filter(|_| actor.rejected.is_none()).map(|id| OwnSession(id.into()));
    let extensions = request.extensions_mut();
    if let Some(session) = session {
        extensions.insert(session);
    }
    extensions.insert(actor);
    extensions.insert(origin);
    extensions.insert(cookie);
    next.run(request).await
}

fn too_many(seconds: u64) -> Response {
    let detail = format!("Too many wrong tokens came from your address. Try again in {seconds} s.");
    let error = AppError::new(StatusCode::TOO_MANY_REQUESTS, "too-many-tokens", detail);
    let retry = [(header::RETRY_AFTER, seconds.to_string())];
    (retry, error.for_browsers()).into_response()
}

impl Proxies {
    /// Where a request came from, and whether it came by TLS.
    pub(super) fn origin(&self, request: &Request) -> (Origin, bool) {
        let headers = request.headers();
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map(|ConnectInfo(address)| address.ip().to_canonical());
        if !peer.is_some_and(|peer| self.trusts(peer)) {
            let is_local = peer.is_some_and(|peer| peer.is_loopback()) && is_direct(request);
            return (Origin { address: peer, is_local, user: None }, false);
        }
        let address = self.forwarded_for(headers).or(peer);
        let user = self.user_header.as_ref().and_then(|name| user(headers, name));
        (Origin { address, is_local: false, user }, is_forwarded_https(headers))
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(address))
    }

    /// The last address that a trusted proxy wrote and that is none of theirs: what stands before
    /// it, anybody can have written.
    fn forwarded_for(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let mut last = None;
        for address in hops(headers).iter().rev().map(|hop| hop_address(hop)) {
            let Some(address) = address else { break };
            last = Some(address);
            if !self.trusts(address) {
                break;
            }
        }
        last
    }
}

/// Whether a request came straight from a program or browser that names this machine itself. What
/// a proxy sends is told by its headers. One that adds none still speaks an HTTP that no browser
/// speaks any more, or brings the origin of a page that is elsewhere.
fn is_direct(request: &Request) -> bool {
    let headers = request.headers();
    let hosts = hosts::all(request).unwrap_or_default();
    let is_here = !hosts.is_empty() && hosts.into_iter().all(hosts::is_loopback);
    let from_here = headers.get(header::ORIGIN).is_none_or(|origin| {
        let origin = origin.to_str().unwrap_or_default();
        origin.split_once("://").is_some_and(|(_, host)| hosts::is_loopback(host))
    });
    forwarding_header(headers).is_none()
        && is_here
        && from_here
        && request.version() >= Version::HTTP_11
}

/// A header that a proxy or a delivery network has added.
pub(super) fn forwarding_header(headers: &HeaderMap) -> Option<&str> {
    let is_of_family = |name: &str| FORWARDING_FAMILIES.iter().any(|one| name.starts_with(one));
    let mut names = headers.keys().map(HeaderName::as_str);
    names.find(|name| FORWARDING.contains(name) || is_of_family(name))
}

/// The addresses that a request came over, the farthest first. `Forwarded` counts only where the
/// header that nearly every proxy writes is absent: one of the two may be the client's own.
fn hops(headers: &HeaderMap) -> Vec<String> {
    let listed = list(headers, "x-forwarded-for");
    if !listed.is_empty() {
        return listed;
    }
    let parameter = |hop: String| parameter(&hop, "for").unwrap_or_default();
    list(headers, header::FORWARDED.as_str()).into_iter().map(parameter).collect()
}

fn is_forwarded_https(headers: &HeaderMap) -> bool {
    let last = list(headers, "x-forwarded-proto")
        .pop()
        .or_else(|| parameter(&list(headers, header::FORWARDED.as_str()).pop()?, "proto"));
    last.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
}

/// What a header lists with commas, on all its lines.
fn list(headers: &HeaderMap, name: &str) -> Vec<String> {
    let lines = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or_default());
    lines.flat_map(|line| line.split(',')).map(|item| item.trim().to_owned()).collect()
}

fn parameter(hop: &str, name: &str) -> Option<String> {
    let pairs = hop.split(';').filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(key, _)| key.trim().eq_ignore_ascii_case(name));
    values.next().map(|(_, value)| value.trim().trim_matches('"').to_owned())
}

/// An address, perhaps in brackets and with a port.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let socket = || hop.parse::<SocketAddr>().map(|address| address.ip());
    let bare = hop.trim_start_matches('[').trim_end_matches(']');
    bare.parse().or_else(|_| socket()).map(|address: IpAddr| address.to_canonical()).ok()
}

/// The user that a trusted proxy names. A header that is there twice names nobody: one of the two
/// may be the client's own.
fn user(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    let (first, None) = (values.next()?, values.next()) else { return None };
    readable(&String::from_utf8_lossy(first.as_bytes()))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests;
