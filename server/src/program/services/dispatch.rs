use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use strata_app::{BasePath, ServiceMenu};
use strata_dashboard::program::with_path;
use tower::ServiceExt;

use super::front::NoSuchService;
use super::list::Services;
use super::service::Service;
use super::service_id::{of_path, path_of};

#[derive(Clone)]
struct Dispatch {
    services: Arc<Services>,
    front: Router,
    /// Below a name that no service has.
    below_unknown_service: Router,
}

/// Sends each request to the service that its path names, and any other to `front`.
pub(in super::super) fn router(services: Arc<Services>) -> Router {
    let front = super::front::router(&services);
    let below_unknown_service = super::front::below_unknown_service(&services);
    let dispatched = Dispatch { services: Arc::clone(&services), front, below_unknown_service };
    services.front.http.below_base(Router::new().fallback(dispatch).with_state(dispatched))
}

async fn dispatch(State(to): State<Dispatch>, mut request: Request) -> Response {
    let named = of_path(request.uri().path()).and_then(|(name, below)| {
        let uri = with_path(request.uri(), below)?;
        Some((name, uri)).filter(|(name, _)| !name.is_empty())
    });
    let Some((name, uri)) = named else {
        return to.front.oneshot(request).await.into_response();
    };
    *request.uri_mut() = uri;
    let extensions = request.extensions_mut();
    let base = BasePath::of_request();
    extensions.insert(base.service(&path_of(&name)));
    let Some(service) = to.services.get(&name) else {
        extensions.insert(NoSuchService { name, base });
        return to.below_unknown_service.oneshot(request).await.into_response();
    };
    extensions.insert(menu(&to.services, &service));
    service.router.clone().oneshot(request).await.into_response()
}

fn menu(services: &Services, service: &Service) -> ServiceMenu {
    ServiceMenu { current: service.id.to_string(), all: services.ids().into() }
}
