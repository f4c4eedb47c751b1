//! An application around the dashboard says who asks, and what they may do.

mod access;
mod doors;

pub use access::Access;
pub(crate) use doors::{HostNonce, HostRules, admit_by_host, identify_by_host};
