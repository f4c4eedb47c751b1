/// A value that the source does not have yet, passed to the sink of a durable write-behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<K, V> {
    /// The row's key.
    pub key: K,
    /// The newest value at the time of sending.
    pub value: V,
    /// Grows with each write of the key. The sink must ignore a row whose version is not above the
    /// version in the source.
    pub version: u64,
}

/// Why a write was not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The greatest allowed number of keys are unwritten or dead letters. Nothing was kept.
    #[error("queue the write: {capacity} keys are unwritten already")]
    Full {
        /// The limit, in keys.
        capacity: usize,
    },
    /// Redis did not answer. If only the answer was lost, the write may still take effect.
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
    /// Only the durable kind has row versions. Nothing was kept.
    #[error("queue the write: the in-memory kind keeps no row versions")]
    NoVersions,
    /// The key has no text or the value no JSON form, or creating them panicked. Nothing was kept.
    #[error("queue the write: write the key and the value as text: {0}")]
    Encode(String),
    /// Redis may evict acknowledged writes, and the builder was set to refuse that. Nothing was
    /// kept.
    #[error("queue the write in Redis: its maxmemory-policy {policy} may evict it")]
    Evicting {
        /// Redis's `maxmemory-policy`.
        policy: String,
    },
}

/// The writes that a shutdown left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drained<K, V> {
    /// In memory: the unwritten values, which are lost unless the caller keeps them. Durable:
    /// empty.
    pub left: Vec<(K, V)>,
    /// Durable: the keys of all nodes that still wait in Redis, for another consumer or for the
    /// next start. If Redis did not answer, the number as of the last round.
    pub waiting: u64,
    /// The number of dead letters. Those in memory are lost with the process.
    pub aside: u64,
    /// Whether the numbers are complete. In memory: every value could be copied. Durable: Redis
    /// answered after the last write had been answered.
    pub is_known: bool,
}

impl<K, V> Drained<K, V> {
    /// Whether the source has all acknowledged writes of all nodes, except dead letters. `false`
    /// also if that is unknown.
    pub fn is_complete(&self) -> bool {
        self.left.is_empty() && self.waiting == 0 && self.is_known
    }
}
