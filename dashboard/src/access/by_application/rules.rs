use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Once};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use strata_app::SessionCookie;
use strata_cache::LogLimit;
use strata_console::{Actor, Origin};
use tracing::{error, warn};

use super::Access;
use crate::access::PublicUrl;
use crate::access::identify::{Proxies, forwarding_header};
use crate::access::open::is_open_file;
use crate::http::AppError;

/// What the application says of a request.
type Of<T> = Arc<dyn Fn(&Parts) -> T + Send + Sync>;

/// How the application around the dashboard decides.
#[derive(Clone, Default)]
pub(crate) struct ApplicationRules {
    /// Who asks; `None` where it has not said, and then only this machine may look.
    pub(crate) access: Option<Of<Access>>,
    /// The address of who asks; the connection's peer where it does not say.
    pub(crate) client_address: Option<Of<Option<IpAddr>>>,
    /// The nonce of its own content security policy.
    pub(crate) nonce: Option<Of<Option<String>>>,
    /// Where browsers find it, as far as it has said so.
    pub(crate) public_url: Option<PublicUrl>,
    pub(crate) read_only: bool,
}

/// The nonce of the application's policy, in the extensions of a request and of its answer.
#[derive(Clone)]
pub(crate) struct ApplicationNonce(pub(crate) Arc<str>);

/// Why somebody may not look, in the extensions of their request.
#[derive(Clone, Copy)]
struct NoLook(&'static str);

const REFUSED: &str = "This application does not let you look at its caches.";
const ELSEWHERE: &str = "Only a browser on the machine of this application may look at its caches. \
     The application says who else may, by Dashboard::access.";
const UNKNOWN_PEER: &str = "This dashboard cannot see where a request comes from, so nobody may look. The application has to \
     be served with .into_make_service_with_connect_info::<SocketAddr>(), or to say who may look, by \
     Dashboard::access.";

/// With each request, where the application's own code panics.
static PANICKED: LogLimit = LogLimit::new();

/// Where the application gives a text that is no nonce, which it then does with each request.
static NO_NONCE: Once = Once::new();
const NONCE_IS: &str = "it needs at least one character, and only letters, digits and +/=_-; pages have one of their \
     own until it is";

/// Where requests come through a proxy whose word about their addresses nobody reads.
static FORWARDED: Once = Once::new();
const SHARED_ADDRESS: &str = "requests come through a proxy, and all clients have its address: they share what one of them \
     may have, and the audit trail cannot tell them apart. Dashboard::client_address says which address is the \
     client's";

impl ApplicationRules {
    /// Who asks, and why they may not look where they may not.
    fn identify(&self, request: &Request, parts: &Parts) -> Result<(Access, NoLook), AppError> {
        let Some(access) = &self.access else { return Ok(of_this_machine(request)) };
        let access = guarded(|| access(parts))?;
        Ok((access, NoLook(REFUSED)))
    }

    /// Where a request comes from, by the application's word or else by its connection.
    fn origin(&self, request: &Request, parts: &Parts) -> Result<(Origin, bool), AppError> {
        let (origin, is_https) = Proxies::default().origin(request);
        let Some(client_address) = &self.client_address else {
            tell_of_proxy(request.headers());
            return Ok((origin, is_https));
        };
        let told = guarded(|| client_address(parts))?.map(|address| address.to_canonical());
        Ok((Origin { address: told.or(origin.address), ..origin }, is_https))
    }

    fn nonce(&self, parts: &Parts) -> Result<Option<ApplicationNonce>, AppError> {
        let Some(nonce) = &self.nonce else { return Ok(None) };
        let Some(nonce) = guarded(|| nonce(parts))? else { return Ok(None) };
        if !is_nonce(&nonce) {
            NO_NONCE.call_once(|| error!("the application's nonce is none: {NONCE_IS}"));
            return Ok(None);
        }
        Ok(Some(ApplicationNonce(nonce.into())))
    }
}

/// Whoever is on this machine may look.
fn of_this_machine(request: &Request) -> (Access, NoLook) {
    let (origin, _) = Proxies::default().origin(request);
    let access = if origin.is_local { Access::viewer("local") } else { Access::nobody() };
    let is_peer_known = request.extensions().get::<ConnectInfo<SocketAddr>>().is_some();
    (access, NoLook(if is_peer_known { ELSEWHERE } else { UNKNOWN_PEER }))
}

/// Runs code of the application, whose panic costs this request alone.
fn guarded<T>(code: impl FnOnce() -> T) -> Result<T, AppError> {
    catch_unwind(AssertUnwindSafe(code)).map_err(|_| {
        if let Some(times) = PANICKED.due() {
            error!(times, "the application's code for its dashboard panicked");
        }
        let detail = "The application's own rules for this dashboard failed on this request; the log of the \
                      application says why.";
        AppError::new(StatusCode::INTERNAL_SERVER_ERROR, "application-failed", detail).for_browsers()
    })
}

/// Says once that a proxy's word about addresses is not read.
fn tell_of_proxy(headers: &HeaderMap) {
    if let Some(header) = forwarding_header(headers) {
        FORWARDED.call_once(|| warn!(header, "{SHARED_ADDRESS}"));
    }
}

/// Whether a text can stand in a policy: another one could add to it.
fn is_nonce(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte);
    !text.is_empty() && text.bytes().all(is_plain)
}

/// Asks the application who the sender is, for every layer behind this one.
pub(crate) async fn identify_by_application(
    State(rules): State<ApplicationRules>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    // What the application looks at has no body.
    let request = Request::from_parts(parts.clone(), body);
    let nonce = match rules.nonce(&parts) {
        Ok(nonce) => nonce,
        Err(error) => return error.into_response(),
    };
    let identified = rules.origin(&request, &parts);
    let identified = identified
        .and_then(|(origin, is_https)| Ok((rules.identify(&request, &parts)?, origin, is_https)));
    let mut response = match identified {
        Ok(((access, no_look), origin, is_https)) => {
            let mut request = request;
            let extensions = request.extensions_mut();
            extensions.insert(access.actor(origin.address, rules.read_only));
            extensions.insert(origin);
            extensions.insert(no_look);
            extensions.extend(of_nonce(&nonce));
            // There are no sessions of our own.
            let secure = is_https || rules.public_url.as_ref().is_some_and(PublicUrl::is_https);
            extensions.insert(SessionCookie { name: "strata_session".to_owned(), secure });
            next.run(request).await
        }
        Err(error) => error.into_response(),
    };
    response.extensions_mut().extend(of_nonce(&nonce));
    response
}

fn of_nonce(nonce: &Option<ApplicationNonce>) -> Extensions {
    let mut extensions = Extensions::new();
    if let Some(nonce) = nonce {
        extensions.insert(nonce.clone());
    }
    extensions
}

/// Admits a request of whom the application lets look.
pub(crate) async fn admit_by_application(request: Request, next: Next) -> Response {
    let extensions = request.extensions();
    let may_look = extensions.get::<Actor>().is_some_and(|actor| actor.rights.look);
    if may_look || is_open_file(request.uri().path()) {
        return next.run(request).await;
    }
    let NoLook(why) = extensions.get::<NoLook>().copied().unwrap_or(NoLook(REFUSED));
    AppError::forbidden("may-not-look", why).for_browsers().into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn ask(rules: &ApplicationRules, header: &str) {
        let request = Request::get("/").header(header, "203.0.113.9").body(Body::empty()).unwrap();
        let (parts, body) = request.into_parts();
        let request = Request::from_parts(parts.clone(), body);
        assert!(rules.origin(&request, &parts).is_ok());
    }

    #[test]
    fn a_proxy_whose_word_about_addresses_nobody_reads_is_told_of() {
        let reads = ApplicationRules {
            client_address: Some(Arc::new(|_| None)),
            ..ApplicationRules::default()
        };
        ask(&reads, "x-forwarded-for");
        ask(&ApplicationRules::default(), "accept");
        assert!(!FORWARDED.is_completed(), "there is nothing to tell");
        ask(&ApplicationRules::default(), "x-forwarded-for");
        assert!(FORWARDED.is_completed());
    }
}
