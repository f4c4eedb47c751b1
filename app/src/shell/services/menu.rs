use std::sync::Arc;

use leptos::prelude::*;

use crate::addresses::{at_program, encode};

/// So many services are listed in the bar; the page of all of them has the others.
const LISTED: usize = 20;

/// Where a page is one of a service among others: which one, and the others. A program that shows
/// several puts it into the context of each page.
#[derive(Clone, Debug)]
pub struct ServiceMenu {
    /// The one that the page is of, as it is named in addresses.
    pub current: String,
    /// All of them, by name.
    pub all: Arc<[String]>,
}

/// The service of the page, and the way to the others. Without scripts as well.
pub(crate) fn service_menu() -> Option<impl IntoView> {
    let ServiceMenu { current, all } = use_context()?;
    let link = |id: &String| {
        let current = (*id == current).then_some("page");
        let address = at_program(&format!("/s/{}/", encode(id)));
        view! { <li><a href=address aria-current=current rel="external">{id.clone()}</a></li> }
    };
    let links = all.iter().take(LISTED).map(link).collect_view();
    Some(view! {
        <details class="service-menu">
            <summary><span class="unseen">"Service: "</span>{current.clone()}</summary>
            <ul>
                {links}
                <li><a href=at_program("/?all") rel="external">"All services"</a></li>
            </ul>
        </details>
    })
}
