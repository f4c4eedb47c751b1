//! What `strata serve` answers beside its services: their list, and what they share.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde::Serialize;
use strata_app::{
    BasePath, ListedService, ServiceState, ServicesPage, THEME_COOKIE, at, no_such_service_page,
    recent_reads,
};
use strata_console::Actor;
use strata_dashboard::program::{AppError, cookie_value, document, wants_page};
use strata_report::{Severity, Window};

use super::list::Services;
use super::ready;
use super::service_id::of_path;

/// What a request names that is no service, and the program's own path; in the extensions of the
/// request.
#[derive(Clone)]
pub(super) struct NoSuchService {
    pub(super) name: String,
    pub(super) base: BasePath,
}

/// What the list may load: our style, our picture, and our script, which asks for it again.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
                      img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Asked again after so many seconds, while there is no service.
const AGAIN_S: &str = "2";

pub(super) fn router(services: &Arc<Services>) -> Router {
    let own = Router::new()
        .route("/", get(page))
        .route("/readyz", get(ready::ready))
        .route("/api/v1/services", get(list))
        .method_not_allowed_fallback(async || AppError::method_not_allowed())
        .fallback(other)
        .with_state(Arc::clone(services));
    services.front.front(own, &PARAMETERS)
}

/// Below a name that no service has: which there are, for those who may look. Others are answered as
/// below any other name, so that nobody can find out names by trying.
pub(super) fn below_unknown_service(services: &Arc<Services>) -> Router {
    let own = Router::new().fallback(no_such_service).with_state(Arc::clone(services));
    services.front.below_unknown_service(own)
}

async fn no_such_service(
    State(services): State<Arc<Services>>,
    Extension(NoSuchService { name, base }): Extension<NoSuchService>,
    headers: HeaderMap,
) -> Response {
    base.scope(async { unknown(&services, &name, &headers) }).await
}

/// The parameters of its addresses.
const PARAMETERS: [(&str, &[&str]); 5] = [
    ("/", &["all"]),
    ("/api/v1/services", &[]),
    ("/readyz", &[]),
    ("/healthz", &[]),
    ("/metrics", &[]),
];

/// The list of services, or the only one.
async fn page(
    State(services): State<Arc<Services>>,
    Extension(actor): Extension<Actor>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let wants_all = uri.query().is_some_and(|query| query.split('&').any(|one| one == "all"));
    if let Some(only) = services.only().filter(|_| !wants_all) {
        return Redirect::temporary(&at(&format!("{}/", only.id.path()))).into_response();
    }
    listed(&services, &actor, &headers)
}

fn listed(services: &Services, actor: &Actor, headers: &HeaderMap) -> Response {
    let (listed, redis) = services.listed();
    let page = ServicesPage {
        services: listed,
        redis,
        alerts: services.missing(),
        visitor: actor.is_known.then(|| actor.name.clone()),
        can_log_in: services.access().has_tokens(),
        theme: cookie_value(headers, THEME_COOKIE).map(str::to_owned),
    };
    let html = page.draw(services.front.http.files());
    let policy = [(header::CONTENT_SECURITY_POLICY, POLICY), (header::CACHE_CONTROL, "no-store")];
    (policy, document(StatusCode::OK, html)).into_response()
}

/// A path of no service: what there is, or for whoever reads the same path of the only service.
async fn other(
    State(services): State<Arc<Services>>,
    Extension(actor): Extension<Actor>,
    request: Request,
) -> Response {
    let (uri, headers) = (request.uri(), request.headers());
    // Only one without a name gets here.
    if let Some((name, _)) = of_path(uri.path()) {
        return unknown(&services, &name, headers);
    }
    // A change goes only to a service that its address names.
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if let Some(only) = services.only().filter(|_| reads) {
        let below = uri.path_and_query().map_or("/", |asked| asked.as_str());
        return Redirect::temporary(&at(&format!("{}{below}", only.id.path()))).into_response();
    }
    let known = services.ids();
    if known.is_empty() {
        let again = [(header::RETRY_AFTER, AGAIN_S)];
        if wants_page(headers) {
            let page = listed(&services, &actor, headers);
            return (StatusCode::SERVICE_UNAVAILABLE, again, page).into_response();
        }
        let why = "No service has announced itself yet.";
        return (again, AppError::unavailable("no-service", why)).into_response();
    }
    AppError::not_found(
        "unknown-path",
        format!("Each service has this path below its own: {}.", addresses(&known)),
    )
    .for_browsers()
    .into_response()
}

fn unknown(services: &Services, name: &str, headers: &HeaderMap) -> Response {
    let known = services.ids();
    if services.is_awaited(name) {
        let again = [(header::RETRY_AFTER, AGAIN_S)];
        let why = format!("The service {name:?} is being found; try again in some seconds.");
        let starting = AppError::unavailable("service-starts", why).for_browsers();
        return (again, starting).into_response();
    }
    if wants_page(headers) {
        let page = no_such_service_page(services.front.http.files(), name, &known);
        return document(StatusCode::NOT_FOUND, page);
    }
    let shown = name.chars().take(64).collect::<String>();
    let detail = format!("There is no service {shown:?}. There are: {}.", addresses(&known));
    AppError::not_found("unknown-service", detail).into_response()
}

fn addresses(known: &[String]) -> String {
    let some = known.iter().take(20).map(|id| at(&format!("/s/{}/", strata_app::encode(id))));
    let some = some.collect::<Vec<_>>().join(", ");
    if some.is_empty() { "none".to_owned() } else { some }
}

/// A service as programs read it.
#[derive(Serialize)]
struct ServiceJson {
    service: String,
    namespace: String,
    redis: Option<String>,
    path: String,
    state: &'static str,
    /// Since its Redis was heard last; `null` while it is.
    unheard_ms: Option<u64>,
    /// `null` where there is no number.
    reads_per_s: Option<f64>,
    l1_share: Option<f64>,
    l2_share: Option<f64>,
    nodes: NodesJson,
    alerts: AlertsJson,
}

#[derive(Serialize)]
struct NodesJson {
    counted: u64,
    of: u64,
    late: u64,
}

#[derive(Serialize)]
struct AlertsJson {
    count: u64,
    worst: Option<Severity>,
}

async fn list(State(services): State<Arc<Services>>) -> Json<Vec<ServiceJson>> {
    Json(services.listed().0.into_iter().map(json).collect())
}

fn json(service: ListedService) -> ServiceJson {
    let frame = &service.frame;
    let (state, fleet) = (ServiceState::of(frame), frame.fleet.clone().unwrap_or_default());
    // Numbers of nobody are none, and not noughts.
    let recent = match state {
        ServiceState::Up => recent_reads(frame),
        _ => Window::default(),
    };
    let reads = recent.outcomes.reads();
    let share = |part: u64| (reads > 0).then(|| part as f64 / reads as f64);
    ServiceJson {
        path: at(&format!("/s/{}/", strata_app::encode(&service.id))),
        state: state.as_str(),
        unheard_ms: fleet.unheard_ms,
        reads_per_s: recent.per_second(reads),
        l1_share: share(recent.outcomes.l1_hit),
        l2_share: share(recent.outcomes.l2_hit),
        nodes: NodesJson { counted: fleet.counted, of: fleet.of, late: fleet.late },
        alerts: AlertsJson { count: frame.alerts.count, worst: frame.alerts.worst },
        service: service.id,
        namespace: service.namespace,
        redis: service.redis,
    }
}
