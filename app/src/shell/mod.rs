//! What is the same on every page: the document, the top bar, the palette, the shortcuts, the
//! scripts, and the application that puts a page into them.

mod app;
#[cfg(feature = "ssr")]
mod document;
#[cfg(all(test, feature = "ssr"))]
mod first_html;
mod first_paint;
mod palette;
#[cfg(feature = "ssr")]
mod plain_pages;
#[cfg(feature = "ssr")]
mod scripts;
mod shortcuts;
mod top_bar;

pub use app::App;
#[cfg(feature = "ssr")]
pub use document::shell;
#[cfg(feature = "ssr")]
pub use plain_pages::{LogInPage, refusal_page};
#[cfg(feature = "ssr")]
pub use scripts::{SCRIPTS, build_id, script};
