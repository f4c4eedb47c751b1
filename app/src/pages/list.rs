use leptos::prelude::*;
use leptos_router::components::{FlatRoutes, Route};
use leptos_router::{SsrMode, path};

use super::draw::first_html;
use super::not_found::NotFoundPage;
use super::overview::OverviewPage;
#[cfg(feature = "ssr")]
use crate::screens;
use crate::server_drawn::ServerDrawnPage;

/// A page.
pub(crate) struct ListedPage {
    /// Its address; a part that begins with a colon stands for any name.
    pub(crate) path: &'static str,
    /// Its name; a page of many names, such as those of caches, is named after its address.
    pub(crate) title: &'static str,
    /// The letter that leads to it, after a `g`; `None` where the navigation leaves it out.
    pub(crate) letter: Option<&'static str>,
    /// What draws it; `None` where the browser keeps it up to date by itself.
    #[cfg(feature = "ssr")]
    pub(crate) draw: Option<screens::DrawPage>,
}

/// Makes the list and its routes. A route costs bytes in the browser's program, so a page whose
/// address another page's route takes has none of its own.
macro_rules! pages {
    (
        routed: $({ $path:tt, $title:literal, $letter:expr, $view:ident in $mode:ident, $draw:expr $(, $attr:meta)? })*
        within_these: $({ $more:tt, $more_title:literal, $more_draw:expr $(, $more_attr:meta)? })*
    ) => {
        /// Every page, in the order of the navigation.
        const PAGES: &[ListedPage] = &[
            $($(#[cfg($attr)])? ListedPage {
                path: $path,
                title: $title,
                letter: $letter,
                #[cfg(feature = "ssr")]
                draw: $draw,
            },)*
            $($(#[cfg($more_attr)])? ListedPage {
                path: $more,
                title: $more_title,
                letter: None,
                #[cfg(feature = "ssr")]
                draw: $more_draw,
            },)*
        ];

        /// The page of the address.
        #[component]
        pub(crate) fn Pages() -> impl IntoView {
            view! {
                <FlatRoutes fallback=NotFoundPage>
                    $(<Route path=path!($path) view=$view ssr=SsrMode::$mode />)*
                </FlatRoutes>
            }
        }
    };
}

// The browser's program is the same wherever it is served from, so it knows the lab's pages.
pages! {
    routed:
    { "/", "Overview", Some("o"), OverviewPage in OutOfOrder, None }
    { "/caches/:cache", "", None, DrawnPage in Async, Some(|request| Box::pin(screens::cache(request))) }
    { "/keys", "Keys", Some("k"), DrawnPage in Async, Some(|request| Box::pin(screens::keys(request))) }
    { "/nodes", "Nodes", Some("n"), DrawnPage in Async, Some(|request| Box::pin(screens::nodes(request))) }
    { "/redis", "Redis", Some("r"), DrawnPage in Async, Some(|request| Box::pin(screens::redis(request))) }
    { "/activity", "Activity", Some("a"), DrawnPage in Async, Some(|request| Box::pin(screens::activity(request))) }
    { "/lab", "Lab", Some("l"), DrawnPage in Async, Some(|request| Box::pin(screens::tour(request))), any(feature = "lab", not(feature = "ssr")) }
    { "/lab/:lesson", "", None, DrawnPage in Async, Some(|request| Box::pin(screens::lesson(request))), any(feature = "lab", not(feature = "ssr")) }
    within_these:
    { "/lab/compare", "Compare", Some(|request| Box::pin(screens::compare(request))), any(feature = "lab", not(feature = "ssr")) }
    { "/lab/measured", "Measured", Some(|request| Box::pin(screens::measured(request))), any(feature = "lab", not(feature = "ssr")) }
}

#[component]
fn DrawnPage() -> impl IntoView {
    view! { <ServerDrawnPage title=title_of first=first_html /> }
}

/// The pages of the navigation, each with its letter.
pub(crate) fn in_navigation() -> impl Iterator<Item = (&'static ListedPage, &'static str)> {
    let has_lab = has_lab();
    let pages = PAGES.iter().filter(move |page| has_lab || !page.is_of_lab());
    pages.filter_map(|page| Some((page, page.letter?)))
}

/// Whether the program has a lab. A browser reads it off the document: its program is the same
/// wherever it is served from.
pub(crate) fn has_lab() -> bool {
    #[cfg(feature = "lab")]
    return crate::api::context::lab().is_some();
    #[cfg(all(feature = "ssr", not(feature = "lab")))]
    return false;
    #[cfg(not(feature = "ssr"))]
    document().document_element().is_some_and(|root| root.has_attribute("data-lab"))
}

impl ListedPage {
    fn is_of_lab(&self) -> bool {
        self.path.starts_with("/lab")
    }
}

/// The page that is asked for, where the program has it.
#[cfg(feature = "ssr")]
pub(super) fn page_of(request: &screens::PageRequest) -> Option<&'static ListedPage> {
    page_at(request.path()).filter(|page| request.has_lab() || !page.is_of_lab())
}

/// The page at a path; one that is listed by its own address before one that takes any name.
#[cfg(feature = "ssr")]
fn page_at(path: &str) -> Option<&'static ListedPage> {
    let wanted = parts(path);
    let is_named = |(part, wanted): (&&str, &&str)| part == wanted || part.starts_with(':');
    let is_at = |page: &&ListedPage| {
        let listed = parts(page.path);
        listed.len() == wanted.len() && listed.iter().zip(&wanted).all(is_named)
    };
    PAGES.iter().find(|page| parts(page.path) == wanted).or_else(|| PAGES.iter().find(is_at))
}

#[cfg(feature = "ssr")]
fn parts(path: &str) -> Vec<&str> {
    path.split('/').filter(|part| !part.is_empty()).collect()
}

/// The name of the page at an address; the page of a cache or lesson is named after it.
pub(super) fn title_of(path: &str) -> String {
    let path = path.trim_end_matches('/');
    // The browser's program knows no lessons; its script takes the name from the heading.
    #[cfg(feature = "lab")]
    if let Some(lesson) = path.strip_prefix("/lab/").and_then(strata_lab::Lesson::find) {
        return lesson.title.to_owned();
    }
    match PAGES.iter().find(|page| page.path.trim_end_matches('/') == path) {
        Some(page) if has_lab() || !page.is_of_lab() => page.title.to_owned(),
        _ => path.rsplit('/').next().unwrap_or(path).to_owned(),
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_found_by_its_address() {
        let at = |path: &str| page_at(path).map(|page| page.path);
        assert_eq!(at("/"), Some("/"));
        assert_eq!(at("/caches/users"), Some("/caches/:cache"));
        for none in ["/caches", "/caches/", "/caches/users/more", "/none"] {
            assert_eq!(at(none), None, "{none}");
        }
        #[cfg(feature = "lab")]
        assert_eq!(at("/lab/compare"), Some("/lab/compare"));
    }

    #[test]
    fn an_address_that_ends_with_a_slash_is_that_of_the_same_page() {
        let at = |path: &str| page_at(path).map(|page| page.path);
        assert_eq!(at("/keys/"), Some("/keys"));
        assert_eq!(at("/caches/users/"), Some("/caches/:cache"));
        #[cfg(feature = "lab")]
        for (path, page) in [
            ("/lab/compare/", "/lab/compare"),
            ("/lab/measured/", "/lab/measured"),
            ("/lab/herd/", "/lab/:lesson"),
        ] {
            assert_eq!(at(path), Some(page));
        }
        assert_eq!(title_of("/"), "Overview");
        assert_eq!(title_of("/keys/"), "Keys");
        assert_eq!(title_of("/caches/users/"), "users");
    }

    #[test]
    fn a_page_of_many_names_is_named_after_its_address() {
        assert_eq!(title_of("/nodes"), "Nodes");
        assert_eq!(title_of("/caches/users"), "users");
    }

    #[test]
    fn no_two_pages_have_the_same_address_or_letter() {
        for (i, page) in PAGES.iter().enumerate() {
            let mut others = PAGES[i + 1..].iter();
            let is_same = |other: &ListedPage| {
                other.path == page.path || page.letter.is_some() && other.letter == page.letter
            };
            assert!(!others.any(is_same), "{}", page.path);
        }
    }

    /// The list as browser tests and screenshots read it.
    #[cfg(feature = "lab")]
    #[test]
    fn browser_tests_know_every_page() {
        let row = |page: &ListedPage| serde_json::json!({ "path": page.path, "title": page.title, "letter": page.letter });
        let listed: Vec<_> = PAGES.iter().map(row).collect();
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../end2end/support/pages.json");
        let known: Vec<serde_json::Value> =
            serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let wanted = serde_json::to_string(&listed).unwrap();
        assert_eq!(known, listed, "end2end/support/pages.json should be: {wanted}");
    }
}
