//! Spans of reads, for whoever asks for the target `strata::read` at the level TRACE.

use strata_report::Outcome;
use tracing::field::Empty;
use tracing::{Level, Span, span_enabled, trace_span};

use super::cache_core::Core;
use super::values::Read;
use crate::error::LoadError;
use crate::key::{Key, Value};

/// Whether a subscriber asks for them. Where none does, that is one look at a number in memory.
#[inline]
pub(crate) fn are_wanted() -> bool {
    span_enabled!(target: "strata::read", Level::TRACE)
}

impl<K: Key, V: Value> Core<K, V> {
    /// A span that is to last as long as a read. It says the cache and the key's group, and never the
    /// key. Nothing runs inside of it: what the read loads stays in the caller's span.
    #[cold]
    pub(crate) fn span_of_read(&self, key: &K) -> Span {
        let cache = &*self.name;
        let span = trace_span!(
            target: "strata::read", "cache.read",
            cache, group = Empty, outcome = Empty, level = Empty
        );
        if let Some(group) = self.recorder.group_name(self.label(key)) {
            span.record("group", group);
        }
        span
    }

    /// The same for a read of several keys.
    #[cold]
    pub(crate) fn span_of_reads(&self) -> Span {
        let cache = &*self.name;
        trace_span!(
            target: "strata::read", "cache.read_many",
            cache, keys = Empty, l1_hits = Empty, l2_hits = Empty, failed = Empty
        )
    }
}

/// How a read ended, and the level that answered, where that is one.
#[cold]
pub(crate) fn note(span: &Span, outcome: Outcome) {
    span.record("outcome", outcome.as_str());
    let level = match outcome {
        Outcome::L1Hit => "l1",
        Outcome::L2Hit => "l2",
        Outcome::Loaded | Outcome::Coalesced => "source",
        _ => return,
    };
    span.record("level", level);
}

/// How many keys were read, how many of them each level answered, and how many failed.
#[cold]
pub(crate) fn note_many<V>(span: &Span, reads: &[Result<Read<V>, LoadError>]) {
    let of = |outcome| {
        let is = |read: &&Result<Read<V>, _>| read.as_ref().is_ok_and(|it| it.outcome == outcome);
        reads.iter().filter(is).count()
    };
    span.record("keys", reads.len());
    span.record("l1_hits", of(Outcome::L1Hit));
    span.record("l2_hits", of(Outcome::L2Hit));
    span.record("failed", reads.iter().filter(|read| read.is_err()).count());
}
