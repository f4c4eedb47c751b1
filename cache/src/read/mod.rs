//! One read: L1, then L2, then a load that all readers of the key share. `Core` is the state that
//! all clones of a cache share. The fence refuses fills that an invalidation has overtaken.

mod cache_core;
mod fence;
mod freshness;
mod l2_entry;
mod l2_lookup;
mod load;
mod new_entry;
mod pending_read;
mod policy;
mod reader;
pub(crate) mod spans;
mod values;

pub(crate) use cache_core::Core;
pub(crate) use freshness::Freshness;
pub(crate) use load::{Leases, nesting, to_its_end};
pub(crate) use new_entry::{EntryMeta, FillToken};
pub(crate) use policy::{Policy, ValueVisibility};
pub(crate) use values::Load;
pub use values::{Loaded, Read};
