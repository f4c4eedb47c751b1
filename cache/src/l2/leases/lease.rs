//! Leases: the right to fill a key in L2.

use std::sync::Arc;

/// The right to fill a key in L2. Begins with a word with which no entry begins.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Lease(pub(in crate::l2) String);

impl Lease {
    const PREFIX: &'static str = "lease:";

    /// The prefix of the lease of a load, which is renewed while the load runs.
    const OF_LOAD: &'static str = "lease:load:";

    pub(crate) fn of_load() -> Self {
        Self(format!("{}{:032x}", Self::OF_LOAD, rand::random::<u128>()))
    }

    pub(crate) fn of_write() -> Self {
        Self(format!("{}{:032x}", Self::PREFIX, rand::random::<u128>()))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    pub(crate) fn is_one(bytes: &[u8]) -> bool {
        bytes.starts_with(Self::PREFIX.as_bytes())
    }

    pub(crate) fn is_of_load(bytes: &[u8]) -> bool {
        bytes.starts_with(Self::OF_LOAD.as_bytes())
    }
}

/// A lease of another holder, as it was read, and its key in Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeldLease {
    pub(in crate::l2) place: Arc<str>,
    pub(in crate::l2) seen: Vec<u8>,
}

impl HeldLease {
    pub(crate) fn new(place: String, seen: Vec<u8>) -> Self {
        Self { place: Arc::from(place), seen }
    }

    /// Whether it is held exactly as long as a load runs. Leases of writes and of nodes of an
    /// earlier version are not.
    pub(crate) fn is_of_load(&self) -> bool {
        Lease::is_of_load(&self.seen)
    }
}

/// The result of taking the lease of one refresh.
pub(crate) enum RefreshLease {
    /// This refresh holds the lease.
    Ours,
    /// Another holder is refreshing the entry.
    Held(HeldLease),
    /// The key now has another entry, or none.
    Moved,
}
