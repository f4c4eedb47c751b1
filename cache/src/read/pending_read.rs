//! A read after L1: it is answered, refused, or waits for a flight or an L2 lookup.

use std::sync::Arc;

use strata_report::Outcome;
use tokio::time::{Instant, timeout_at};

use super::cache_core::Core;
use super::load::{Flight, KeyFill, WaitEdge, nesting};
use super::values::Read;
use crate::clock::Moment;
use crate::error::LoadError;
use crate::key::{Key, Value};
use crate::l1::Entry;
use crate::recorder::Label;

/// A read after L1.
pub(crate) enum PendingRead<'a, K: Key, V: Value> {
    Answered(Read<V>),
    /// It would deadlock, so it must not wait.
    Refused(LoadError),
    /// Waits for a flight.
    Waits(FlightWait<'a, K, V>),
    /// Waits for an L2 lookup of its own.
    AwaitsLookup,
    /// A repeated key of the call, which waits for the lookup at this index.
    RepeatsLookup {
        at: usize,
        label: Label,
    },
}

/// A read, and the key that it fills if it leads a flight.
pub(crate) type PendingAndFill<'a, K, V> = (PendingRead<'a, K, V>, Option<KeyFill<K, V>>);

impl<'a, K: Key, V: Value> PendingRead<'a, K, V> {
    /// Replaces the reads that wait for lookups by the lookups' results.
    pub(crate) fn fill_in(pending: &mut [Self], found: Vec<Self>, core: &'a Core<K, V>) {
        for read in pending.iter_mut() {
            if let Self::RepeatsLookup { at, label } = *read {
                *read = found[at].again(core, label);
            }
        }
        let lookups = pending.iter_mut().filter(|read| matches!(read, Self::AwaitsLookup));
        for (read, found) in lookups.zip(found) {
            *read = found;
        }
    }

    /// A further read of the same key.
    fn again(&self, core: &'a Core<K, V>, label: Label) -> Self {
        match self {
            Self::Answered(read) => {
                let outcome = Outcome::Coalesced;
                core.recorder.outcome(label, outcome, None);
                Self::Answered(Read { value: read.value.clone(), outcome, ..*read })
            }
            Self::Refused(error) => Self::Refused(error.clone()),
            Self::Waits(waiting) => Self::Waits(waiting.again()),
            Self::AwaitsLookup | Self::RepeatsLookup { .. } => Self::AwaitsLookup,
        }
    }

    /// Sets when the wait began.
    pub(crate) fn since(self, began: Instant) -> Self {
        match self {
            Self::Waits(waiting) => Self::Waits(waiting.since(began)),
            read => read,
        }
    }

    /// Waits for the answer.
    pub(crate) async fn read(self) -> Result<Read<V>, LoadError> {
        match self {
            Self::Answered(read) => Ok(read),
            Self::Refused(error) => Err(error),
            Self::Waits(waiting) => waiting.for_the_flight().await,
            Self::AwaitsLookup | Self::RepeatsLookup { .. } => Err(LoadError::Panicked),
        }
    }
}

/// One read that waits for a flight. Its outcome is counted when the wait ends. If the caller goes
/// away, the read counts as failed.
pub(crate) struct FlightWait<'a, K: Key, V: Value> {
    core: &'a Core<K, V>,
    flight: Flight<V>,
    label: Label,
    /// The outcome of a read that joined; `None` for the leader's read, which takes the flight's
    /// outcome.
    joined: Option<Outcome>,
    /// The entry that stands in, stale, if the flight fails or is slow.
    fallback: Option<Entry<V>>,
    began: Instant,
    outcome: Outcome,
    weight: Option<u32>,
}

impl<'a, K: Key, V: Value> FlightWait<'a, K, V> {
    pub(crate) fn new(
        core: &'a Core<K, V>,
        flight: Flight<V>,
        (label, joined): (Label, Option<Outcome>),
        fallback: Option<Entry<V>>,
    ) -> Self {
        let (began, outcome, weight) = (Instant::now(), Outcome::Failed, None);
        Self { core, flight, label, joined, fallback, began, outcome, weight }
    }

    /// Sets when the wait began.
    pub(crate) fn since(self, began: Instant) -> Self {
        let mut waiting = self;
        waiting.began = began;
        waiting
    }

    /// A further read of the same key.
    pub(crate) fn again(&self) -> Self {
        let joined = (self.label, Some(Outcome::Coalesced));
        Self::new(self.core, Arc::clone(&self.flight), joined, None).since(self.began)
    }

    /// Begins to wait, unless the flight has ended or waits for this read itself.
    fn wait(&self) -> Result<Option<WaitEdge>, LoadError> {
        if self.flight.is_complete() {
            return Ok(None);
        }
        let wait = nesting::wait_for(&self.flight.waits)?;
        if wait.is_some() && self.core.is_within_a_load() {
            // This read keeps a permit until the flight has completed, so the flight must not wait
            // for one.
            self.flight.expedite();
        }
        Ok(wait)
    }

    pub(crate) async fn for_the_flight(mut self) -> Result<Read<V>, LoadError> {
        let policy = &self.core.policy;
        let patience = match self.fallback {
            Some(_) => policy.soft_timeout.unwrap_or(policy.load_timeout),
            None => policy.load_timeout,
        };
        let deadline = self.began + patience.min(policy.load_timeout);
        let result = match self.wait() {
            Ok(_wait) => match timeout_at(deadline, self.flight.result()).await {
                Ok(result) => result.clone(),
                Err(_) if self.flight.is_queued() => Err(self.core.busy()),
                Err(_) => Err(LoadError::TimedOut),
            },
            Err(recursive) => Err(recursive),
        };
        let (entry, outcome) = match (result, self.fallback.take()) {
            (Ok((entry, Outcome::Stale)), _) => (entry, Outcome::Stale),
            (Ok((entry, led)), _) => (entry, self.joined.unwrap_or(led)),
            (Err(_), Some(entry)) => (entry, Outcome::Stale),
            (Err(error), None) => return Err(error),
        };
        self.outcome = outcome;
        self.weight = Some(entry.weight);
        Ok(Read::at(Moment::now(), entry, outcome))
    }
}

impl<K: Key, V: Value> Drop for FlightWait<'_, K, V> {
    fn drop(&mut self) {
        self.core.recorder.outcome(self.label, self.outcome, self.weight);
    }
}
