//! When the caches learn of a write.

pub(super) mod durable_write_behind;
pub(super) mod forget_first;
pub(super) mod set_after_write;
pub(super) mod wait_for_expiry;
pub(super) mod write_behind;
pub(super) mod write_through;
