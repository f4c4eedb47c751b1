use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use strata_app::SessionCookie;
use strata_cache::LogLimit;
use strata_console::Actor;
use tracing::error;

use super::Access;
use crate::access::identify::Proxies;
use crate::access::open::is_open_file;
use crate::http::AppError;

/// What the application says of a request.
type Of<T> = Arc<dyn Fn(&Parts) -> T + Send + Sync>;

/// How the application around the dashboard decides.
#[derive(Clone, Default)]
pub(crate) struct HostRules {
    /// Who asks; `None` where it has not said, and then only this machine may look.
    pub(crate) access: Option<Of<Access>>,
    /// The nonce of its own content security policy.
    pub(crate) nonce: Option<Of<Option<String>>>,
    pub(crate) read_only: bool,
}

/// The nonce of the application's policy, in the extensions of a request.
#[derive(Clone)]
pub(crate) struct HostNonce(pub(crate) Arc<str>);

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

impl HostRules {
    /// Who asks, and why they may not look where they may not.
    fn identify(&self, request: &Request, parts: &Parts) -> Result<(Access, NoLook), AppError> {
        let Some(access) = &self.access else { return Ok(of_this_machine(request)) };
        let access = guarded(|| access(parts))?;
        Ok((access, NoLook(REFUSED)))
    }

    fn nonce(&self, parts: &Parts) -> Result<Option<HostNonce>, AppError> {
        let Some(nonce) = &self.nonce else { return Ok(None) };
        let nonce = guarded(|| nonce(parts))?.filter(|nonce| is_nonce(nonce));
        Ok(nonce.map(|nonce| HostNonce(nonce.into())))
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
        AppError::new(StatusCode::INTERNAL_SERVER_ERROR, "host-failed", detail).for_browsers()
    })
}

/// Whether a text can stand in a policy: another one could add to it.
fn is_nonce(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte);
    !text.is_empty() && text.bytes().all(is_plain)
}

/// Asks the application who the sender is, for every layer behind this one.
pub(crate) async fn identify_by_host(
    State(rules): State<HostRules>,
    request: Request,
    next: Next,
) -> Response {
    let (origin, is_https) = Proxies::default().origin(&request);
    let (parts, body) = request.into_parts();
    // What the application looks at has no body.
    let request = Request::from_parts(parts.clone(), body);
    let identified = rules.identify(&request, &parts);
    let nonce = rules.nonce(&parts);
    let ((access, no_look), nonce) = match identified.and_then(|who| Ok((who, nonce?))) {
        Ok(identified) => identified,
        Err(error) => return error.into_response(),
    };
    let mut request = request;
    let extensions = request.extensions_mut();
    extensions.insert(access.actor(origin.address, rules.read_only));
    extensions.insert(origin);
    extensions.insert(no_look);
    if let Some(nonce) = nonce {
        extensions.insert(nonce);
    }
    // There are no sessions of our own.
    extensions.insert(SessionCookie { name: "strata_session".to_owned(), secure: is_https });
    next.run(request).await
}

/// Admits a request of whom the application lets look.
pub(crate) async fn admit_by_host(request: Request, next: Next) -> Response {
    let extensions = request.extensions();
    let may_look = extensions.get::<Actor>().is_some_and(|actor| actor.rights.look);
    if may_look || is_open_file(request.uri().path()) {
        return next.run(request).await;
    }
    let NoLook(why) = extensions.get::<NoLook>().copied().unwrap_or(NoLook(REFUSED));
    AppError::forbidden("may-not-look", why).for_browsers().into_response()
}
