use std::fmt::Display;
use std::time::{Duration, Instant};

use strata_cache::Read;
use strata_report::{Effect, Outcome};

/// An answer, and how it came about: enough for `Cache-Status` and `Server-Timing`.
#[derive(Clone, Debug)]
pub struct Reply<T> {
    /// The answer itself.
    pub body: T,
    /// Every cache read that took part, in order; one for each key of a batch.
    pub reads: Vec<ReadNote>,
    /// Every cache that a write changed, in order.
    pub writes: Vec<WriteNote>,
    /// From the request to the answer.
    pub took: Duration,
}

/// One cache read.
#[derive(Clone, Debug)]
pub struct ReadNote {
    /// The cache.
    pub cache: &'static str,
    /// The key as text.
    pub key: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Since the value was loaded from the source.
    pub age: Duration,
    /// Until the entry expires; `None` has no deadline, or nothing is cached.
    pub expires_in: Option<Duration>,
    /// How long it took; keys of one batch share its time.
    pub took: Duration,
}

/// What a write did to one cache.
#[derive(Clone, Debug)]
pub struct WriteNote {
    /// The cache.
    pub cache: &'static str,
    /// The key or the pattern.
    pub target: String,
    /// What happened in L2.
    pub effect: Effect,
}

impl<T> Reply<T> {
    pub(crate) fn of_reads(body: T, reads: Vec<ReadNote>, started: Instant) -> Self {
        Self { body, reads, writes: Vec::new(), took: started.elapsed() }
    }

    pub(crate) fn of_writes(body: T, writes: Vec<WriteNote>, started: Instant) -> Self {
        Self { body, reads: Vec::new(), writes, took: started.elapsed() }
    }
}

impl ReadNote {
    pub(crate) fn new<V>(
        cache: &'static str,
        key: impl Display,
        read: &Read<V>,
        started: Instant,
    ) -> Self {
        Self {
            cache,
            key: key.to_string(),
            outcome: read.outcome,
            age: read.age,
            expires_in: read.expires_in,
            took: started.elapsed(),
        }
    }
}

impl WriteNote {
    pub(crate) fn new(cache: &'static str, target: impl Display, effect: Effect) -> Self {
        Self { cache, target: target.to_string(), effect }
    }
}
