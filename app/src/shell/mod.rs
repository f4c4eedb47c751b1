//! What is the same on every page: the document, the top bar, the palette, the help, and the scripts.

mod document;
mod files;
#[cfg(test)]
mod first_html;
mod help;
mod palette;
mod plain_pages;
mod scripts;
mod services;
mod top_bar;

pub use document::document;
pub use files::{FILES, PageFiles};
pub use plain_pages::{LogInPage, no_such_service_page, refusal_page};
pub use scripts::{SCRIPTS, build_id, script};
pub use services::{
    ListedRedis, ListedService, ServiceMenu, ServiceState, ServicesPage, recent_reads,
};
