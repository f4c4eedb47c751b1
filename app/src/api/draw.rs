use std::future::Future;

use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use web_sys::UrlSearchParams;

use super::{ApiError, post, read};

/// The HTML of a page that the server draws, as of now.
#[server(name = Draw, prefix = "/api", endpoint = "strata/draw")]
pub async fn draw(address: String) -> Result<String, ApiError> {
    use super::door;

    let asked = asked(&address)?;
    #[cfg(feature = "lab")]
    let progress = super::Progress::of_browser();
    let drawing = crate::screens::draw(&asked).await;
    door::set_busy(drawing.status);
    #[cfg(feature = "lab")]
    progress.add(drawing.learned);
    Ok(drawing.html)
}

#[cfg(feature = "ssr")]
fn asked(address: &str) -> Result<crate::screens::Asked, ApiError> {
    use super::door;

    let asked = crate::screens::Asked::new(door::console()?, door::actor()?, address)?;
    #[cfg(feature = "lab")]
    let asked = asked.in_lab(door::lab(), super::lessons_done());
    Ok(asked)
}

/// Asks for the drawing of an address.
pub(crate) async fn drawing_of(address: &str) -> Result<String, ApiError> {
    let fields = UrlSearchParams::new().map_err(|_| ApiError::NotUnderstood)?;
    fields.append("address", address);
    read(post(Draw::PATH, &fields).await)
}

/// The drawing of the first HTML.
#[cfg(feature = "ssr")]
pub(crate) fn drawing(address: String) -> impl Future<Output = String> + Send {
    use super::door;
    use crate::screens;

    // The context is gone once the future waits.
    let asked = asked(&address);
    let response = use_context::<leptos_axum::ResponseOptions>();
    #[cfg(feature = "lab")]
    let progress = super::Progress::of_browser();
    async move {
        let drawing = match asked {
            Ok(asked) => screens::draw(&asked).await,
            Err(error) => screens::failed(&error),
        };
        #[cfg(feature = "lab")]
        progress.add(drawing.learned);
        if let Some(response) = response {
            response.set_status(drawing.status);
            door::say_when_to_retry(&response, drawing.status);
        }
        drawing.html
    }
}

/// In a browser it is there already, or will be asked for.
#[cfg(not(feature = "ssr"))]
pub(crate) fn drawing(_address: String) -> impl Future<Output = String> + Send {
    std::future::ready(String::new())
}
