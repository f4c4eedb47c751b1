//! The synchronisation types of the fence: the standard library's, and in unit tests those of
//! shuttle, which runs threads in orders of its choice.

pub(super) use parts::*;

#[cfg(not(test))]
mod parts {
    pub(crate) use std::collections::hash_map::RandomState as Hasher;
    pub(crate) use std::sync::atomic::{AtomicU64, Ordering};
    pub(crate) use std::sync::{Mutex, MutexGuard};

    pub(crate) const N_STRIPES: usize = 256;
}

#[cfg(test)]
mod parts {
    pub(crate) use shuttle::sync::atomic::{AtomicU64, Ordering};
    pub(crate) use shuttle::sync::{Mutex, MutexGuard};

    /// Without a random seed, so that a schedule can be replayed.
    pub(crate) type Hasher = std::hash::BuildHasherDefault<std::hash::DefaultHasher>;

    /// Few stripes, since each costs the model steps.
    pub(crate) const N_STRIPES: usize = 2;
}
