//! The form of an entry in L1.

use std::sync::Arc;

use strata_report::What;

use super::tags::Tagged;
use crate::clock;
use crate::clock::Moment;
use crate::recorder::Label;
use crate::user_code::contained;

/// A key's entry in L1.
pub(crate) struct Entry<V> {
    /// `None` is a remembered "not found".
    pub(crate) value: L1Value<V>,
    pub(crate) loaded_at: Moment,
    pub(crate) filled_at: Moment,
    /// Until then a read is a hit.
    pub(crate) fresh_until: Moment,
    /// Until then the entry may stand in, stale, for a source that fails.
    pub(crate) kept_until: Moment,
    /// The source failed: until then it is not asked again for this key.
    pub(crate) retry_at: Option<Moment>,
    /// The entry was invalidated softly. It is served stale while one refresh runs.
    pub(crate) soft: bool,
    pub(crate) epoch: u64,
    /// The fence's tick before its fill began: patterns with a later one overtake it.
    pub(crate) tick: u64,
    pub(crate) load_us: u32,
    /// Of the row; 0 if it has none.
    pub(crate) version: u64,
    pub(crate) tags: Option<Arc<Tagged>>,
    pub(crate) weight: u32,
    pub(crate) label: Label,
}

impl<V> Entry<V> {
    /// Makes the entry usable only for its waiting readers: an invalidation has overtaken it, so no
    /// level keeps it.
    pub(crate) fn unkept(self) -> Self {
        Self { fresh_until: self.filled_at, ..self }
    }
}

/// A value in L1. If its `Drop` panics, the panic is contained, wherever the last copy is dropped.
pub(crate) struct L1Value<V>(Option<Arc<V>>);

impl<V> L1Value<V> {
    pub(crate) fn new(value: Option<Arc<V>>) -> Self {
        Self(value)
    }

    pub(crate) fn get(&self) -> Option<&Arc<V>> {
        self.0.as_ref()
    }

    pub(crate) fn take(mut self) -> Option<Arc<V>> {
        self.0.take()
    }
}

impl<V> Clone for L1Value<V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<V> Drop for L1Value<V> {
    fn drop(&mut self) {
        if let Some(value) = self.0.take() {
            contained(|| drop(value));
        }
    }
}

impl<V> Clone for Entry<V> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), tags: self.tags.clone(), ..*self }
    }
}

impl<V> Entry<V> {
    /// Whether the entry may still be used, as far as time goes.
    pub(crate) fn is_kept(&self, now: Moment) -> bool {
        now < self.kept_until
    }
}

impl<V> Entry<V> {
    /// How the entry was filled. `None` if it was already there and only its deadline changed.
    pub(crate) fn what_filled_it(&self) -> Option<What> {
        let age = self.filled_at.since(self.loaded_at);
        match self.load_us {
            _ if self.soft || self.retry_at.is_some() => None,
            _ if !age.is_zero() => Some(What::FromL2 { age_ms: clock::millis(age) }),
            0 => Some(What::Written),
            load_us => Some(What::Loaded { took_us: u64::from(load_us) }),
        }
    }
}
