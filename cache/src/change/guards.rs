//! Guards that keep an invalidation from being lost to a panic in code of keys and values, or to a
//! runtime that is dropped.

use std::sync::Arc;

use crate::node::DynCache;
use strata_report::Effect;

use crate::key::{Key, Value};
use crate::log::log_safely;
use crate::read::Core;

/// Runs the rest of an invalidation if its future is dropped half-way, for example with its
/// runtime: entries that L2 may hold are queued for removal, and L1 is overtaken.
pub(crate) struct OnInterrupt<F: Fn()>(F);

impl<F: Fn()> OnInterrupt<F> {
    pub(crate) fn run(rest: F) -> Self {
        Self(rest)
    }

    /// The invalidation has come to its end.
    pub(crate) fn disarm(self) {
        std::mem::forget(self);
    }
}

impl<F: Fn()> Drop for OnInterrupt<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Keys and their texts. All code of keys that the first steps need has already run.
pub(crate) struct NamedKeys<K> {
    pub(crate) keys: Vec<K>,
    pub(crate) texts: Vec<String>,
    /// Some text does not read back as its key.
    pub(crate) is_odd: bool,
    /// Some key could not be copied or printed.
    pub(crate) is_nameless: bool,
}

impl<K: Key, V: Value> Core<K, V> {
    /// Prepares keys for their invalidation. Runs all code of keys that the first steps need,
    /// before any step.
    pub(crate) fn named(&self, keys: &[K]) -> NamedKeys<K> {
        let n = keys.len();
        let (keys_in, mut keys, mut texts) = (keys, Vec::with_capacity(n), Vec::with_capacity(n));
        let mut is_odd = false;
        for key in keys_in {
            if let Some((key, text)) = self.recorder.contain(|| (key.clone(), key.to_string())) {
                is_odd |= self.l2.is_some() && self.is_odd(&key, &text);
                keys.push(key);
                texts.push(text);
            }
        }
        NamedKeys { is_nameless: keys.len() < n, keys, texts, is_odd }
    }

    /// Whether a key's text does not read back as the key. Other nodes then cannot tell which key
    /// it is.
    pub(crate) fn is_odd(&self, key: &K, text: &str) -> bool {
        let reads_back = || text.parse::<K>().ok().as_ref() == Some(key);
        self.recorder.contain(reads_back) != Some(true)
    }

    /// If a key cannot be copied or printed, its entry is unknown and may be any.
    pub(crate) async fn invalidate_the_nameless(self: Arc<Self>) -> Effect {
        let effect = Arc::clone(&self).invalidate_all(None, Arc::default()).await;
        self.tell_of_a_panic("a key that is invalidated cannot be printed: the cache is emptied");
        effect
    }

    /// Runs a step on L1 that must take effect. If code of a key or value panics in it, all of L1
    /// is emptied, which runs none of their code.
    pub(crate) fn in_l1(&self, step: impl FnOnce()) {
        if self.recorder.contain(step).is_none() {
            self.empty_after_a_panic();
        }
    }

    /// Empties L1 after an invalidation met a panic, since it is unknown which entries it missed.
    pub(crate) fn empty_after_a_panic(&self) {
        self.on_gap();
        self.tell_of_a_panic("an invalidation met a panic: L1 of the cache is emptied");
    }

    /// Logs a panic, at most once a minute.
    fn tell_of_a_panic(&self, what: &str) {
        if let Some(times) = self.log.due("panic") {
            let cache = &*self.name;
            log_safely(|| tracing::error!(cache, times, "code of a key or value panicked: {what}"));
        }
    }
}
