use std::future::Future;
use std::pin::Pin;

use leptos::prelude::*;

use crate::api::ApiError;
#[cfg(feature = "ssr")]
use crate::screens::{self, PageHtml, PageRequest, failed};

/// The HTML of a page that the server draws, as of now. The overview has one too: its alerts.
#[server(name = Draw, prefix = "/api", endpoint = "strata/draw")]
pub async fn draw(address: String) -> Result<String, ApiError> {
    use crate::api::context;

    let request = page_request(&address)?;
    #[cfg(feature = "lab")]
    let progress = crate::api::LessonProgress::of_browser();
    let page = page_of(&request).await;
    context::set_busy(page.status);
    #[cfg(feature = "lab")]
    progress.add(page.learned);
    Ok(page.html)
}

#[cfg(feature = "ssr")]
fn page_request(address: &str) -> Result<PageRequest, ApiError> {
    use crate::api::context;

    let request = PageRequest::new(context::console()?, context::actor()?, address)?;
    #[cfg(feature = "lab")]
    let request = request.in_lab(context::lab(), crate::api::lessons_done());
    Ok(request)
}

/// Draws the page of an address.
#[cfg(feature = "ssr")]
async fn page_of(request: &PageRequest) -> PageHtml {
    use super::list;

    if !request.may_look() {
        return failed(&ApiError::Refused("You may not see this page.".to_owned()));
    }
    // The alerts are a part of the overview, which keeps the rest of itself up to date.
    if request.path() == screens::ALERTS_PATH {
        return screens::alerts(request);
    }
    let drawn = match list::page_of(request).and_then(|page| page.draw) {
        Some(draw) => draw(request).await,
        None => Err(ApiError::NotFound("find this page".to_owned())),
    };
    drawn.unwrap_or_else(|error| failed(&error))
}

/// A page that is on its way.
pub(super) type FirstHtml = Pin<Box<dyn Future<Output = String> + Send>>;

/// The page of the first HTML.
#[cfg(feature = "ssr")]
pub(super) fn first_html(address: String) -> FirstHtml {
    use crate::api::context;

    // The context is gone once the future waits.
    let request = page_request(&address);
    let response = use_context::<leptos_axum::ResponseOptions>();
    #[cfg(feature = "lab")]
    let progress = crate::api::LessonProgress::of_browser();
    Box::pin(async move {
        let page = match request {
            Ok(request) => page_of(&request).await,
            Err(error) => failed(&error),
        };
        #[cfg(feature = "lab")]
        progress.add(page.learned);
        if let Some(response) = response {
            response.set_status(page.status);
            context::say_when_to_retry(&response, page.status);
        }
        page.html
    })
}

/// In a browser it is there already, or [`ServerDrawnPage`](crate::server_drawn::ServerDrawnPage) asks for it.
#[cfg(not(feature = "ssr"))]
pub(super) fn first_html(_address: String) -> FirstHtml {
    Box::pin(std::future::ready(String::new()))
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use axum::http::StatusCode;
    use leptos::server_fn::ServerFn;
    use strata_console::{Access, AccessSettings, Actor, Console};

    use super::*;

    #[test]
    fn a_browser_asks_for_pages_where_the_server_draws_them() {
        assert_eq!(Draw::PATH, crate::api::DRAW_PATH);
    }

    #[tokio::test]
    async fn who_may_not_look_sees_no_page_and_no_alerts() {
        let owner = Owner::new();
        owner.set();
        let access = Access::new(AccessSettings::default());
        let console = Console::start(Vec::new(), access, Default::default());
        for (actor, status) in
            [(Actor::nobody(), StatusCode::FORBIDDEN), (Actor::local(), StatusCode::OK)]
        {
            for path in ["/alerts", "/nodes"] {
                let request = PageRequest::new(console.clone(), actor.clone(), path).unwrap();
                assert_eq!(page_of(&request).await.status, status, "{path}");
            }
        }
    }
}
