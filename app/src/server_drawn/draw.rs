use std::future::Future;

use leptos::prelude::*;

use crate::api::ApiError;

/// The HTML of a page that the server draws, as of now.
#[server(name = Draw, prefix = "/api", endpoint = "strata/draw")]
pub async fn draw(address: String) -> Result<String, ApiError> {
    use crate::api::{LessonProgress, context, lessons_done};
    use crate::screens::PageRequest;

    let request = PageRequest::new(context::console()?, context::actor()?, &address)?;
    let request = request.in_lab(context::lab(), lessons_done());
    let progress = LessonProgress::of_browser();
    let page = crate::screens::draw(&request).await;
    context::set_busy(page.status);
    progress.add(page.learned);
    Ok(page.html)
}

/// The page of the first HTML.
#[cfg(feature = "ssr")]
pub(super) fn first_html(address: String) -> impl Future<Output = String> + Send {
    use crate::api::{LessonProgress, context, lessons_done};
    use crate::screens::{self, PageRequest};

    // The context is gone once the future waits.
    let request = context::console()
        .and_then(|console| PageRequest::new(console, context::actor()?, &address));
    let request = request.map(|request| request.in_lab(context::lab(), lessons_done()));
    let response = use_context::<leptos_axum::ResponseOptions>();
    let progress = LessonProgress::of_browser();
    async move {
        let page = match request {
            Ok(request) => screens::draw(&request).await,
            Err(error) => screens::failed(&error),
        };
        progress.add(page.learned);
        if let Some(response) = response {
            response.set_status(page.status);
            context::say_when_to_retry(&response, page.status);
        }
        page.html
    }
}

/// In a browser it is there already, or [`super::ServerDrawnPage`] asks for it.
#[cfg(not(feature = "ssr"))]
pub(super) fn first_html(_address: String) -> impl Future<Output = String> + Send {
    std::future::ready(String::new())
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use leptos::server_fn::ServerFn;

    #[test]
    fn a_browser_asks_for_pages_where_the_server_draws_them() {
        assert_eq!(super::Draw::PATH, crate::api::DRAW_PATH);
    }
}
