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
    let links = listed(&all, &current).map(link).collect_view();
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

/// The first of all, and the current one wherever it stands.
fn listed<'a>(all: &'a [String], current: &'a str) -> impl Iterator<Item = &'a String> {
    let (first, others) = all.split_at(all.len().min(LISTED));
    first.iter().chain(others.iter().filter(move |id| *id == current))
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn the_service_of_the_page_is_in_the_menu_however_many_there_are() {
        let all: Vec<_> = (0..LISTED + 9).map(|i| format!("service-{i:03}")).collect();
        assert_eq!(listed(&all, &all[0]).count(), LISTED);
        assert_eq!(listed(&all, &all[LISTED + 5]).last(), Some(&all[LISTED + 5]));
        assert_eq!(listed(&all[..2], &all[1]).count(), 2);
    }
}
