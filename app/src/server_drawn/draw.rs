use std::future::Future;

use leptos::prelude::*;

use crate::api::ApiError;

/// The HTML of a page that the server draws, as of now.
#[server(name = Draw, prefix = "/api", endpoint = "strata/draw")]
pub async fn draw(address: String) -> Result<String, ApiError> {
    use crate::api::context;

    let request = page_request(&address)?;
    #[cfg(feature = "lab")]
    let progress = crate::api::LessonProgress::of_browser();
    let page = crate::screens::draw(&request).await;
    context::set_busy(page.status);
    #[cfg(feature = "lab")]
    progress.add(page.learned);
    Ok(page.html)
}

#[cfg(feature = "ssr")]
fn page_request(address: &str) -> Result<crate::screens::PageRequest, ApiError> {
    use crate::api::context;

    let request =
        crate::screens::PageRequest::new(context::console()?, context::actor()?, address)?;
    #[cfg(feature = "lab")]
    let request = request.in_lab(context::lab(), crate::api::lessons_done());
    Ok(request)
}

/// The page of the first HTML.
#[cfg(feature = "ssr")]
pub(super) fn first_html(address: String) -> impl Future<Output = String> + Send {
    use crate::api::context;
    use crate::screens;

    // The context is gone once the future waits.
    let request = page_request(&address);
    let response = use_context::<leptos_axum::ResponseOptions>();
    #[cfg(feature = "lab")]
    let progress = crate::api::LessonProgress::of_browser();
    async move {
        let page = match request {
            Ok(request) => screens::draw(&request).await,
            Err(error) => screens::failed(&error),
        };
        #[cfg(feature = "lab")]
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
