use strata_report::HotKeys;

use super::sketch::Sketch;
use super::turn::SAMPLED_ONE_IN;

/// The keys that are read most and those that are missed most.
pub(super) struct HotKeysRecorder {
    read: Sketch,
    missed: Sketch,
    misses_sampled_one_in: u32,
}

impl HotKeysRecorder {
    pub(super) fn new(misses_sampled_one_in: u32) -> Self {
        let (read, missed) = (Sketch::new(SAMPLED_ONE_IN), Sketch::new(misses_sampled_one_in));
        Self { read, missed, misses_sampled_one_in }
    }

    /// A sampled read of a key.
    pub(super) fn sampled(&self, hash: u64, text: impl FnOnce() -> String) {
        self.read.count(hash, text);
    }

    /// A read that L1 could not answer; chooses its own sample.
    pub(super) fn missed(&self, hash: u64, text: impl FnOnce() -> String) {
        if rand::random_range(0..self.misses_sampled_one_in) == 0 {
            self.missed.count(hash, text);
        }
    }

    /// A sampled read that L1 could not answer.
    pub(super) fn missed_sampled(&self, hash: u64, text: impl FnOnce() -> String) {
        self.missed.count(hash, text);
    }

    pub(super) fn read(&self) -> (HotKeys, HotKeys) {
        (self.read.read(), self.missed.read())
    }
}
