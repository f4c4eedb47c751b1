/// A value that the source does not have yet, as the sink of a durable write-behind gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<K, V> {
    /// Its key.
    pub key: K,
    /// The newest value when it was sent.
    pub value: V,
    /// Grows with each write of the key. The sink must ignore a row whose version is not above the
    /// one that the source holds.
    pub version: u64,
}

/// Why a write was not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// As many keys as allowed are unwritten or set aside. Nothing was kept.
    #[error("queue the write: {capacity} keys are unwritten already")]
    Full {
        /// The limit, in keys.
        capacity: usize,
    },
    /// Redis did not answer. Where the answer was lost on its way the write may still take effect.
    #[error("queue the write in Redis: it is away")]
    Away,
    /// A newer value of the key waits already. Nothing was kept.
    #[error("queue the write: row version {newer} waits already")]
    Overtaken {
        /// The version that waits.
        newer: u64,
    },
    /// The write-behind has been shut down. Nothing was kept.
    #[error("queue the write: the write-behind has been shut down")]
    Closed,
    /// Row versions belong to the durable kind. Nothing was kept.
    #[error("queue the write: the in-memory kind keeps no row versions")]
    NoVersions,
    /// The key has no text or the value no JSON form, or making them panicked. Nothing was kept.
    #[error("queue the write: write the key and the value as text: {0}")]
    Encode(String),
    /// Redis may evict what it acknowledges, and the builder was told to refuse that. Nothing was
    /// kept.
    #[error("queue the write in Redis: its maxmemory-policy {policy} may evict it")]
    Evicting {
        /// Redis's `maxmemory-policy`.
        policy: String,
    },
}

/// What a shutdown left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drained<K, V> {
    /// In memory: the unwritten values, which are gone unless the caller keeps them. Durable: none.
    pub left: Vec<(K, V)>,
    /// Durable: keys of all nodes that still wait in Redis, for another consumer or for the next
    /// start. Where Redis did not say, as the last round saw it.
    pub waiting: u64,
    /// Rows that stand aside. Those in memory are gone with the process.
    pub aside: u64,
    /// Whether that is all. In memory: every value could be copied. Durable: Redis said so after
    /// the last write had been answered.
    pub is_known: bool,
}

impl<K, V> Drained<K, V> {
    /// Whether the source has everything that was acknowledged on any node, but for what stands
    /// aside. `false` as well where that is not known.
    pub fn is_complete(&self) -> bool {
        self.left.is_empty() && self.waiting == 0 && self.is_known
    }
}
