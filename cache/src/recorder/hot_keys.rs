use std::sync::Mutex;
use std::time::Duration;

use strata_report::{HotKey, HotKeys};

use super::groups::cut;
use super::sampling::SAMPLED_ONE_IN;
use crate::clock::{Moment, millis};

/// The keys that are read most and the keys that are missed most.
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

    /// Counts a sampled read of a key.
    pub(super) fn sampled(&self, hash: u64, text: impl FnOnce() -> String) {
        self.read.count(hash, text);
    }

    /// Counts a read that L1 could not answer. Chooses its own sample.
    pub(super) fn missed(&self, hash: u64, text: impl FnOnce() -> String) {
        if rand::random_range(0..self.misses_sampled_one_in) == 0 {
            self.missed.count(hash, text);
        }
    }

    /// Counts a sampled read that L1 could not answer.
    pub(super) fn missed_sampled(&self, hash: u64, text: impl FnOnce() -> String) {
        self.missed.count(hash, text);
    }

    pub(super) fn read(&self) -> (HotKeys, HotKeys) {
        (self.read.read(), self.missed.read())
    }
}

/// How many keys are counted at once.
const N_SLOTS: usize = 128;

/// After this time a read counts half.
const HALF_LIFE: Duration = Duration::from_secs(60);

/// Weights grow with time up to here, then all are scaled down.
const MAX_WEIGHT: f64 = 1e9;

/// The heaviest keys of a stream in bounded memory. Recent reads weigh more than old ones.
///
/// Space-Saving (Metwally, Agrawal, El Abbadi, "Efficient Computation of Frequent and Top-k
/// Elements in Data Streams", ICDT 2005) with randomised admission (Ben Basat et al., "Randomized
/// Admission Policy for Efficient Top-k and Frequency Estimation", INFOCOM 2017): a new key takes
/// the lightest slot only with the probability of one divided by its count, so the long tail does
/// not displace heavy keys. Ageing by forward decay (Cormode et al., ICDE 2009): instead of
/// shrinking old counts, new reads weigh more.
pub(super) struct Sketch {
    one_in: u32,
    state: Mutex<State>,
}

pub(crate) struct State {
    began: Moment,
    /// The time at which a read had the weight 1.
    origin: Moment,
    total: f64,
    slots: Vec<Slot>,
}

struct Slot {
    hash: u64,
    text: String,
    is_cut: bool,
    count: f64,
}

impl Sketch {
    /// A sketch that receives one read in `one_in`.
    pub(super) fn new(one_in: u32) -> Self {
        let (began, origin) = (Moment::now(), Moment::now());
        let state = Mutex::new(State { began, origin, total: 0.0, slots: Vec::new() });
        Self { one_in, state }
    }

    /// Counts a key. If another key is being counted at this moment, this one is left out, so that
    /// no read waits.
    pub(super) fn count(&self, hash: u64, text: impl FnOnce() -> String) {
        if let Ok(mut state) = self.state.try_lock() {
            state.count(hash, text, Moment::now());
        }
    }

    pub(super) fn read(&self) -> HotKeys {
        let state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = Moment::now();
        let (weight, span_s) = (state.weight(now), state.span_s(now));
        let per_second = |count: f64| count / weight * f64::from(self.one_in) / span_s;
        let mut keys: Vec<HotKey> = state
            .slots
            .iter()
            .filter(|slot| slot.count / weight >= 0.5)
            .map(|slot| HotKey {
                key: slot.text.clone(),
                is_cut: slot.is_cut,
                per_second: per_second(slot.count),
            })
            .collect();
        keys.sort_by(|a, b| b.per_second.total_cmp(&a.per_second));
        keys.truncate(HotKeys::MAX_KEYS);
        HotKeys {
            sampled_one_in: self.one_in,
            half_life_ms: millis(HALF_LIFE),
            sampled: (state.total / weight) as u64,
            per_second: per_second(state.total),
            keys,
        }
    }
}

impl State {
    fn count(&mut self, hash: u64, text: impl FnOnce() -> String, now: Moment) {
        let weight = self.weight(now);
        self.total += weight;
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.hash == hash) {
            slot.count += weight;
        } else if self.slots.len() < N_SLOTS {
            self.slots.push(Slot::new(hash, &text(), weight));
        } else if let Some(slot) = self.slots.iter_mut().min_by(|a, b| a.count.total_cmp(&b.count))
        {
            let count = slot.count + weight;
            if rand::random::<f64>() * count < weight {
                *slot = Slot::new(hash, &text(), count);
            }
        }
        if weight > MAX_WEIGHT {
            self.scale_down(weight, now);
        }
    }

    fn scale_down(&mut self, weight: f64, now: Moment) {
        self.origin = now;
        self.total /= weight;
        for slot in &mut self.slots {
            slot.count /= weight;
        }
    }

    /// The weight of a read at this time.
    fn weight(&self, now: Moment) -> f64 {
        (now.since(self.origin).as_secs_f64() / HALF_LIFE.as_secs_f64()).exp2()
    }

    /// The time span in seconds that the reads of a steady stream count for.
    fn span_s(&self, now: Moment) -> f64 {
        let half_lives = now.since(self.began).as_secs_f64() / HALF_LIFE.as_secs_f64();
        let full_s = HALF_LIFE.as_secs_f64() / std::f64::consts::LN_2;
        (full_s * (1.0 - (-half_lives).exp2())).max(1.0)
    }
}

impl Slot {
    fn new(hash: u64, text: &str, count: f64) -> Self {
        let kept = cut(text, HotKey::MAX_BYTES);
        Self { hash, text: kept.to_owned(), is_cut: kept.len() < text.len(), count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(state: &mut State, key: u64, now: Moment) {
        state.count(key, || key.to_string(), now);
    }

    fn state() -> State {
        let now = Moment::now();
        State { began: now, origin: now, total: 0.0, slots: Vec::new() }
    }

    #[test]
    fn a_long_tail_does_not_displace_what_is_hot() {
        let mut state = state();
        let now = state.origin;
        for n in 0..200_000_u64 {
            let key = if n % 20 == 0 { n % 10 } else { 1_000 + n };
            count(&mut state, key, now);
        }
        let hot: Vec<&Slot> = state.slots.iter().filter(|slot| slot.hash == 0).collect();
        assert!((9_000.0..=11_000.0).contains(&hot[0].count), "10 000 of key 0: {}", hot[0].count);
        assert!(state.slots.len() <= N_SLOTS);
    }

    #[test]
    fn what_was_hot_ten_minutes_ago_is_no_longer_first() {
        let mut state = state();
        let now = state.origin;
        let later = now.after(HALF_LIFE * 10);
        (0..1_000).for_each(|_| count(&mut state, 1, now));
        (0..10).for_each(|_| count(&mut state, 2, later));
        let count = |key: u64| state.slots.iter().find(|slot| slot.hash == key).unwrap().count;
        assert!(count(2) > count(1));
    }

    #[test]
    fn ageing_goes_on_for_years() {
        let mut state = state();
        let mut now = state.origin;
        for _ in 0..100_000 {
            now = now.after(HALF_LIFE * 50);
            count(&mut state, 1, now);
        }
        assert!(state.total.is_finite() && (state.total / state.weight(now) - 1.0).abs() < 0.01);
    }

    #[test]
    fn the_text_of_a_long_key_is_cut_at_a_character() {
        let slot = Slot::new(1, &"ä".repeat(150), 1.0);
        assert_eq!((slot.text.len(), slot.is_cut), (200, true));
        assert!(!Slot::new(1, "short", 1.0).is_cut);
    }
}
