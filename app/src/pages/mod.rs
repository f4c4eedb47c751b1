//! The list of pages ([`list`]): routes, navigation, palette, shortcuts, drawing, browser tests and
//! screenshots follow it. A new page is a row of the list and a file in `screens`.

mod draw;
mod list;
mod not_found;
mod overview;

pub use draw::Draw;
#[cfg(feature = "ssr")]
pub(crate) use list::has_lab;
pub(crate) use list::{ListedPage, Pages, in_navigation};
#[cfg(all(test, feature = "ssr"))]
pub(crate) use overview::OverviewPage;
