//! The services that one program shows: their list, and how one goes from one to another.

mod card;
mod menu;
mod page;
mod state;
#[cfg(test)]
mod tests;

pub use menu::ServiceMenu;
pub(super) use menu::service_menu;
pub use page::{ListedRedis, ListedService, ServicesPage};
pub use state::{ServiceState, recent_reads};
