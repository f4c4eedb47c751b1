//! The list of pages: routes, navigation, shortcuts and palette follow it.

mod not_found;
mod overview;

pub(crate) use not_found::NotFoundPage;
pub(crate) use overview::OverviewPage;

/// A page of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// Its address.
    pub(crate) path: &'static str,
    /// Its name.
    pub(crate) title: &'static str,
    /// The letter that leads to it, after a `g`.
    pub(crate) letter: &'static str,
}

/// Every page, in the order of the navigation.
pub(crate) const PAGES: &[Page] = &[
    Page { path: "/", title: "Overview", letter: "o" },
    Page { path: "/keys", title: "Keys", letter: "k" },
    Page { path: "/nodes", title: "Nodes", letter: "n" },
    Page { path: "/redis", title: "Redis", letter: "r" },
    Page { path: "/activity", title: "Activity", letter: "a" },
    // The browser's program is the same wherever it is served from.
    #[cfg(any(feature = "lab", not(feature = "ssr")))]
    Page { path: "/lab", title: "Lab", letter: "l" },
];

/// The name of the page at an address; the page of a cache or lesson is named after it.
pub(crate) fn title_of(path: &str) -> String {
    // The browser's program knows no lessons; its script takes the name from the heading.
    #[cfg(feature = "lab")]
    if let Some(lesson) = path.strip_prefix("/lab/").and_then(strata_lab::Lesson::find) {
        return lesson.title.to_owned();
    }
    if let Some(name) = path.strip_prefix("/caches/").or_else(|| path.strip_prefix("/lab/")) {
        return name.to_owned();
    }
    let page = PAGES.iter().find(|page| page.path == path);
    page.map_or_else(|| path.to_owned(), |page| page.title.to_owned())
}
