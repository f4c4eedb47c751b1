//! The list of pages: routes and navigation follow it.

#[cfg(all(test, feature = "ssr"))]
mod first_html;
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
}

/// Every page, in the order of the navigation.
pub(crate) const PAGES: &[Page] = &[Page { path: "/", title: "Overview" }];
