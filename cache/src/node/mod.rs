//! A node: its caches and write-behinds, its background tasks and their supervision. `DynCache` and
//! `DynWriteBehind` are the type-erased views that it has of them.

mod answer;
mod background;
mod builder;
mod cache_by_name;
mod dead_letter_filter;
mod dyn_cache;
mod dyn_write_behind;
#[cfg(feature = "fleet")]
mod fleet_client;
#[cfg(feature = "fleet")]
mod fleet_host;
mod handle;
mod shared;
mod shutdown;
mod tasks;

pub use builder::NodeBuilder;
pub(crate) use builder::check_name;
pub(crate) use dead_letter_filter::DeadLetterFields;
pub use dead_letter_filter::DeadLetterFilter;
pub(crate) use dyn_cache::DynCache;
pub(crate) use dyn_write_behind::DynWriteBehind;
pub use dyn_write_behind::{DeadLetterList, DeadLetterStep};
#[cfg(feature = "fleet")]
pub use fleet_client::FleetClientBuilder;
pub use handle::Node;
pub(crate) use shared::Shared;
pub use shutdown::Shutdown;
pub use tasks::Tasks;
