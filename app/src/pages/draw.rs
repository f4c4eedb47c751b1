#[cfg(feature = "ssr")]
use std::future::Future;

use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::list::{self, full_title};
#[cfg(feature = "ssr")]
use super::not_found::not_found;
#[cfg(feature = "ssr")]
use super::overview::{DrawPart, overview};
use crate::api::ApiError;
#[cfg(feature = "ssr")]
use crate::first_paint::FirstPaint;
#[cfg(feature = "ssr")]
use crate::parts::Part;
#[cfg(feature = "ssr")]
use crate::screens::{PageHtml, PageRequest, failed};

/// The HTML of a page as of now: its name as a `<title>`, then what stands inside of `<main>`. Where
/// the parts of the page live in the browser, it says so by any text in `live`, and they are left out.
#[server(name = Draw, prefix = "/api", endpoint = "strata/draw")]
pub async fn draw(address: String, #[server(default)] live: String) -> Result<String, ApiError> {
    use crate::api::context;

    let request = page_request(&address)?;
    #[cfg(feature = "lab")]
    let progress = crate::api::LessonProgress::of_browser();
    let draw_part = if live.is_empty() { Part::draw } else { Part::draw_place };
    let page = page_of(&request, FirstPaint::of_request(), draw_part).await;
    context::set_busy(page.status);
    #[cfg(feature = "lab")]
    progress.add(page.learned);
    let title = full_title(&title_of(&request));
    // What marks the end of its text would stand in it as text.
    let title = view! { <title>{title}</title> }.to_html().replace("<!>", "");
    Ok(title + &page.html)
}

#[cfg(feature = "ssr")]
fn page_request(address: &str) -> Result<PageRequest, ApiError> {
    use crate::api::context;

    let request = PageRequest::new(context::console()?, context::actor()?, address)?;
    #[cfg(feature = "lab")]
    let request = request.in_lab(context::lab(), crate::api::lessons_done());
    Ok(request)
}

/// Draws the page of an address. The overview is drawn with what the browser's program starts from.
#[cfg(feature = "ssr")]
async fn page_of(request: &PageRequest, first: FirstPaint, draw_part: DrawPart) -> PageHtml {
    if !request.may_look() {
        return failed(&ApiError::Refused("You may not see this page.".to_owned()));
    }
    let Some(page) = list::page_of(request) else { return not_found() };
    match page.draw {
        Some(draw) => draw(request).await.unwrap_or_else(|error| failed(&error)),
        None => overview(first, &request.alerts(), draw_part),
    }
}

/// The name of the page of an address.
#[cfg(feature = "ssr")]
fn title_of(request: &PageRequest) -> String {
    match list::page_of(request) {
        Some(page) => page.title_at(request.path()),
        None => NONE.to_owned(),
    }
}

/// What is no page is called so.
#[cfg(feature = "ssr")]
const NONE: &str = "Not found";

/// A page with its place.
#[cfg(feature = "ssr")]
pub(crate) struct NamedPage {
    /// Its path.
    pub(crate) path: String,
    /// Its name.
    pub(crate) title: String,
    /// What stands inside of `<main>`.
    pub(crate) html: String,
}

/// The page of the request's address. The context, which is gone once the future waits, is read at
/// once.
#[cfg(feature = "ssr")]
pub(crate) fn first_page(first: FirstPaint) -> impl Future<Output = NamedPage> + Send {
    use crate::api::context;

    let address = context::address();
    let request = page_request(&address);
    let response = use_context::<leptos_axum::ResponseOptions>();
    #[cfg(feature = "lab")]
    let progress = crate::api::LessonProgress::of_browser();
    async move {
        let page = match &request {
            Ok(request) => page_of(request, first, Part::draw).await,
            Err(error) => failed(error),
        };
        #[cfg(feature = "lab")]
        progress.add(page.learned);
        if let Some(response) = response {
            response.set_status(page.status);
            context::say_when_to_retry(&response, page.status);
        }
        let path = address.split('?').next().unwrap_or_default().to_owned();
        let title = request.as_ref().map_or_else(|_| NONE.to_owned(), title_of);
        NamedPage { path, title, html: page.html }
    }
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
    async fn who_may_not_look_sees_no_page() {
        let owner = Owner::new();
        owner.set();
        let access = Access::new(AccessSettings::default());
        let console = Console::start(Vec::new(), access, Default::default());
        for (actor, status) in
            [(Actor::nobody(), StatusCode::FORBIDDEN), (Actor::local(), StatusCode::OK)]
        {
            for path in ["/", "/nodes"] {
                let request = PageRequest::new(console.clone(), actor.clone(), path).unwrap();
                assert_eq!(
                    page_of(&request, FirstPaint::default(), Part::draw).await.status,
                    status,
                    "{path}"
                );
            }
        }
    }
}
