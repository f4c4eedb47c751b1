use std::collections::HashMap;
use std::time::Duration;

use strata_cache::Pattern;
use strata_cache::report::Outcome;

use super::rows::Rows;

const MINUTE: Duration = Duration::from_secs(60);
pub(super) const TIME_TO_LIVE: Duration = MINUTE.saturating_mul(4);
pub(super) const NEGATIVE_TIME_TO_LIVE: Duration = MINUTE.saturating_mul(2);
pub(super) const GRACE: Duration = MINUTE.saturating_mul(6);
pub(super) const RETRY_AFTER: Duration = MINUTE;

/// The entries of a cache with only L1, and its required answers.
pub(super) struct Model {
    pub(super) now: Duration,
    pub(super) entries: HashMap<u64, Entry>,
    rows: Rows,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    value: Option<u64>,
    loaded_at: Duration,
    fresh_until: Duration,
    kept_until: Duration,
    retry_at: Option<Duration>,
    soft: bool,
}

/// The answer to one read. It has no entry if the read failed or found nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) outcome: Outcome,
    pub(super) value: Option<u64>,
    pub(super) age: Duration,
    pub(super) expires_in: Option<Duration>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Fresh,
    Failing,
    Soft,
    Stale,
    Nothing,
}

impl Model {
    pub(super) fn new(rows: Rows) -> Self {
        Self { now: Duration::ZERO, entries: HashMap::new(), rows }
    }

    pub(super) fn get(&self, key: u64) -> Answer {
        match self.standing(key) {
            Standing::Fresh => self.answer(key, Outcome::L1Hit),
            Standing::Soft | Standing::Failing => self.answer(key, Outcome::Stale),
            Standing::Stale | Standing::Nothing => Answer::without_entry(Outcome::Missed),
        }
    }

    /// The answers to a read of many keys, and the keys of the one load that asks the source.
    pub(super) fn get_or_load(&mut self, keys: &[u64]) -> (Vec<Answer>, Vec<u64>) {
        let mut asked = Vec::new();
        let mut answers: Vec<Option<Answer>> = Vec::new();
        let mut leads = Vec::new();
        for key in keys {
            let standing = self.standing(*key);
            answers.push(match standing {
                Standing::Fresh => Some(self.answer(*key, Outcome::L1Hit)),
                Standing::Failing | Standing::Soft => Some(self.answer(*key, Outcome::Stale)),
                Standing::Stale | Standing::Nothing => None,
            });
            let is_asked = !matches!(standing, Standing::Fresh | Standing::Failing);
            leads.push(is_asked && !asked.contains(key));
            if is_asked && !asked.contains(key) {
                asked.push(*key);
            }
        }
        asked.iter().for_each(|key| self.load(*key));
        let landed = keys.iter().zip(leads).map(|(key, leads)| match self.standing(*key) {
            Standing::Fresh if leads => self.answer(*key, Outcome::Loaded),
            Standing::Fresh => self.answer(*key, Outcome::Coalesced),
            Standing::Nothing => Answer::without_entry(Outcome::Failed),
            Standing::Failing | Standing::Soft | Standing::Stale => {
                self.answer(*key, Outcome::Stale)
            }
        });
        let landed: Vec<Answer> = landed.collect();
        (answers.into_iter().zip(landed).map(|(now, later)| now.unwrap_or(later)).collect(), asked)
    }

    fn load(&mut self, key: u64) {
        if !self.rows.is_down() {
            return self.put(key, self.rows.row(key));
        }
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.retry_at = Some(self.now + RETRY_AFTER);
        }
    }

    pub(super) fn put(&mut self, key: u64, value: Option<u64>) {
        let (time_to_live, grace) = match value {
            Some(_) => (TIME_TO_LIVE, GRACE),
            None => (NEGATIVE_TIME_TO_LIVE, Duration::ZERO),
        };
        let fresh_until = self.now + time_to_live;
        let kept_until = fresh_until + grace;
        let (loaded_at, retry_at, soft) = (self.now, None, false);
        let entry = Entry { value, loaded_at, fresh_until, kept_until, retry_at, soft };
        self.entries.insert(key, entry);
    }

    pub(super) fn invalidate(&mut self, key: u64) {
        self.entries.remove(&key);
    }

    pub(super) fn soften(&mut self, key: u64) {
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.fresh_until = entry.fresh_until.min(self.now);
            entry.soft = true;
        }
    }

    pub(super) fn invalidate_pattern(&mut self, pattern: &Pattern) {
        self.entries.retain(|key, _| !pattern.matches(&key.to_string()));
    }

    /// An entry past its grace no longer counts.
    pub(super) fn advance(&mut self, by: Duration) {
        self.now += by;
        self.entries.retain(|_, entry| self.now < entry.kept_until);
    }

    fn standing(&self, key: u64) -> Standing {
        let Some(entry) = self.entries.get(&key) else { return Standing::Nothing };
        if self.now < entry.fresh_until {
            return Standing::Fresh;
        }
        match entry.retry_at {
            Some(at) if self.now < at => Standing::Failing,
            _ if entry.soft => Standing::Soft,
            _ => Standing::Stale,
        }
    }

    fn answer(&self, key: u64, outcome: Outcome) -> Answer {
        let entry = self.entries[&key];
        Answer {
            outcome,
            value: entry.value,
            age: self.now - entry.loaded_at,
            expires_in: Some(entry.fresh_until.saturating_sub(self.now)),
        }
    }
}

impl Answer {
    pub(super) fn without_entry(outcome: Outcome) -> Self {
        Self { outcome, value: None, age: Duration::ZERO, expires_in: None }
    }

    pub(super) fn bypassed(value: Option<u64>) -> Self {
        Self { value, ..Self::without_entry(Outcome::Bypassed) }
    }
}
