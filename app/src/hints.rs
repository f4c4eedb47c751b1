//! A sentence for every number: what it means, and when to worry.

/// A number's name on the screen, and its sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hint {
    /// Its label.
    pub(crate) name: &'static str,
    /// What it means.
    pub(crate) text: &'static str,
}

macro_rules! hints {
    ($($(#[$attr:meta])* $id:ident: $name:literal, $text:literal;)*) => {
        $($(#[$attr])* pub(crate) const $id: Hint = Hint { name: $name, text: $text };)*
        /// Every hint, in the order in which the help lists them.
        #[cfg(feature = "ssr")]
        pub(crate) const ALL: &[Hint] = &[$($id),*];
    };
}

hints! {
    READS: "reads/s", "Reads of all caches and nodes in the last seconds. Each read has exactly one outcome.";
    WITHOUT_SOURCE: "answered without the database", "Share of reads that L1 or L2 answered. Readers that waited for a running load are not.";
    SAVED: "database time saved each second", "What L1 and L2 answered, times what a load takes now: from its median to its mean. A rough range; keys differ.";
    IN_FLIGHT: "loads in flight", "Loads that were running when the report was taken. A number that keeps growing means a slow or stuck database.";
    #[cfg(feature = "ssr")]
    ANSWERED: "answered here", "Share of the reads that reached this layer and ended in it.";
    L1_P50: "p50", "Median time of a get in L1. Sampled, so that measuring does not slow it down.";
    L1_P99: "p99", "99 of 100 sampled gets in L1 were at most this slow. Milliseconds here mean a starved process.";
    L2_P50: "p50", "Median time of a get in Redis, network included.";
    L2_P99: "p99", "99 of 100 gets in Redis were at most this slow. Far above the median points to the network or to slow commands.";
    LOAD_P50: "p50", "Median time of a load that answered.";
    LOAD_P99: "p99", "99 of 100 loads that answered were at most this slow. This is what a cold key costs.";
    FULLEST: "fullest", "The cache whose L1 is closest to its limit. Full is normal; it only hurts when reads miss for it.";
    MEMORY: "memory", "Redis memory in use, of its limit where it has one. At the limit Redis drops entries by its policy.";
    LOADS_FAILED: "failed", "Loads that failed or timed out in the last seconds. Any number but 0 deserves a look.";
    OUTCOMES: "outcomes", "How each read ended. The bands of the chart add up to all reads; counts are since the start.";
    L1_ENTRIES: "entries", "Entries in L1, added up over all nodes, since each node has its own. moka estimates them.";
    L1_WEIGHT: "weight", "Weight of the caches that are bounded by bytes, added up over all nodes. moka estimates it.";
    L2_ENTRIES: "entries", "Keys in Redis, shared by all nodes and so never added up over them. Counted from time to time.";
    L2_WEIGHT: "size", "Bytes of the entries in Redis, estimated from a sample.";
    EVICTIONS: "evictions", "Why entries were removed from L1, on all nodes. Many evictions for size: L1 is small for what is read.";
    LOAD_P95: "load p95", "95 of 100 loads of this cache that answered were at most this slow.";
    BREAKER: "breaker", "Closed: Redis is used. Open: Redis failed and is skipped; one probe at a time tries it again.";
    QUEUE: "waiting for L2", "Invalidations that could not reach Redis. They are replayed before Redis is trusted again.";
    BUS_LAG: "bus lag p95 since start", "From Redis's clock to a node receiving an invalidation. Other nodes may serve the older value for that long.";
    GAPS: "gaps since start", "Times that a node may have missed invalidations. Each time it emptied its L1, so nothing stale stayed.";
    RATE: "requests/s", "Requests that the demo makes each second, over all nodes.";
    SKEW: "skew", "Exponent of the Zipf distribution of keys: 0 is uniform, 1 typical of the web.";
    WRITES: "share of writes", "Requests that change a row, between 0 and 1. Each write invalidates.";
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn every_hint_is_a_sentence() {
        for hint in ALL {
            assert!(!hint.name.is_empty() && hint.text.ends_with('.'), "{hint:?}");
        }
    }

    #[test]
    fn no_two_numbers_share_a_sentence() {
        for (i, hint) in ALL.iter().enumerate() {
            assert!(ALL[i + 1..].iter().all(|other| other.text != hint.text), "{hint:?}");
        }
    }
}
