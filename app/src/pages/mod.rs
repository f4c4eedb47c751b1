//! The list of pages ([`list`]): routes, navigation, palette, shortcuts, drawing, browser tests and
//! screenshots follow it. A new page is a row of the list and a file in `screens`.

mod draw;
#[cfg(feature = "ssr")]
mod list;
#[cfg(feature = "ssr")]
mod not_found;
#[cfg(feature = "ssr")]
mod overview;

pub use draw::Draw;
#[cfg(feature = "ssr")]
pub(crate) use draw::{NamedPage, first_page};
#[cfg(feature = "ssr")]
pub use list::page_paths;
#[cfg(feature = "ssr")]
pub(crate) use list::{ListedPage, full_title, in_navigation};
#[cfg(all(test, feature = "ssr"))]
pub(crate) use overview::overview_html;
