//! Failed rows that wait for their next try, and whether they or the source are at fault.
//!
//! A single failure does not show whether a row is at fault, or the source is away. So a batch that
//! fails is halved, and the halves take turns. A batch that fails again right after the sink took
//! others is suspect. Only a row that is suspect and alone may become a dead letter. While nothing
//! succeeds, no row is suspected, and all rows share one pause, which grows. With the first success
//! afterwards the fragments become whole batches again.

mod batch;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::settings::FlushSettings;
use crate::clock;

pub(super) use crate::write_behind::retries::batch::Batch;

/// Rows at fault cause up to this many failures in a row while their batches are halved.
const HALVING: u32 = 4;

/// This many failures in a row look like an outage. Then rows at fault share the pause as well.
const OUTAGE: u32 = 8;

/// The order of turns after a failure.
const OTHER_HALF: usize = 0;

const SMALLEST: usize = 1;

const OLDEST: usize = 2;

const N_TURNS: usize = 3;

/// After an outage this many rows may be sent alone, which soon shows whether one of them is at
/// fault.
const FEW_ALONE: usize = 4;

/// What the error of a failed call says about later tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FailureKind {
    /// A later try may succeed.
    ForNow,
    /// The sink says that no later try can succeed.
    ForGood,
}

/// The failures since the sink last took something.
#[derive(Default)]
struct Streak {
    /// Failed calls, except those of rows that are certainly at fault.
    n: u32,
    /// When the next waiting batch may be sent.
    opens_at: Option<Instant>,
    /// Failed calls of rows that were new.
    n_new: u32,
    takes_at: Option<Instant>,
    /// The batch whose calls failed without certain fault, if there was only one.
    failed: Option<u64>,
    others_failed: bool,
}

/// The failed batches of one flusher.
pub(super) struct Retries<T> {
    waiting: VecDeque<Batch<T>>,
    streak: Streak,
    /// Calls that the sink took.
    n_taken: u64,
    last_id: u64,
    turn: usize,
    settings: FlushSettings,
}

impl<T: Clone> Retries<T> {
    pub(super) fn new(settings: FlushSettings) -> Self {
        Self {
            waiting: VecDeque::new(),
            streak: Streak::default(),
            n_taken: 0,
            last_id: 0,
            turn: 0,
            settings,
        }
    }

    /// A batch of rows that have not failed here.
    pub(super) fn fresh(&mut self, receipts: Vec<T>) -> Batch<T> {
        Batch {
            receipts,
            sent: 0,
            seen: self.n_taken,
            evidence: 0,
            alone: 0,
            faults: 0,
            id: self.next_id(),
            half_of: None,
            is_cleared: false,
            due: Instant::now(),
            failing_since_ms: None,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn receipts(&self) -> Vec<T> {
        self.waiting.iter().flat_map(|batch| batch.receipts.iter().cloned()).collect()
    }

    /// How many rows wait for their next try after a failure, and when the first of them first
    /// failed, in Unix milliseconds.
    pub(super) fn failing(&self) -> (u64, Option<u64>) {
        let failing = || self.waiting.iter().filter(|batch| batch.failing_since_ms.is_some());
        let n_rows = failing().map(|batch| batch.receipts.len() as u64).sum();
        (n_rows, failing().filter_map(|batch| batch.failing_since_ms).min())
    }

    /// When rows may be sent next, including new rows.
    pub(super) fn next_at(&self, new_rows_at: Instant) -> Instant {
        let new_rows_at = self.streak.takes_at.map_or(new_rows_at, |at| at.max(new_rows_at));
        let waiting = self.waiting.iter().map(|batch| self.due(batch));
        waiting.min().map_or(new_rows_at, |at| at.min(new_rows_at))
    }

    /// Whether new rows may be sent.
    pub(super) fn may_take(&self) -> bool {
        self.streak.takes_at.is_none_or(|at| at <= Instant::now())
    }

    /// The next batch that may be sent. After a failure, the turns are: the other half of the
    /// failed batch, the smallest batch, and the one that has waited longest. These are the
    /// likeliest to succeed, and no batch waits for ever.
    pub(super) fn next(&mut self) -> Option<Batch<T>> {
        let now = Instant::now();
        let batches = self.waiting.iter().enumerate();
        let mut due = batches.filter(|(_, batch)| self.due(batch) <= now);
        let turn = if self.streak.n > 0 { self.turn } else { OLDEST };
        let at = match turn {
            OTHER_HALF => due.min_by_key(|(_, batch)| (!batch.is_cleared, batch.risk()))?.0,
            SMALLEST => due.min_by_key(|(_, batch)| batch.risk())?.0,
            _ => due.next()?.0,
        };
        self.turn = (self.turn + 1) % N_TURNS;
        self.waiting.remove(at)
    }

    /// Puts back a batch that was not sent, or whose end did not reach Redis.
    pub(super) fn put_back(&mut self, mut batch: Batch<T>, pause: Duration) {
        batch.due = Instant::now() + pause;
        self.waiting.push_back(batch);
    }

    /// Records that the sink took a batch. Batches that waited for that are sent at once, in whole
    /// batches.
    pub(super) fn succeeded(&mut self) {
        self.n_taken += 1;
        if std::mem::take(&mut self.streak).n > 0 {
            self.turn = OTHER_HALF;
            self.join();
        }
    }

    /// Records that the sink took none of a batch. Returns a row that must become a dead letter.
    pub(super) fn failed(&mut self, mut batch: Batch<T>, failed: FailureKind) -> Option<Batch<T>> {
        let is_evident = self.n_taken > batch.seen;
        batch.sent = batch.sent.saturating_add(1);
        batch.seen = self.n_taken;
        batch.evidence += u32::from(is_evident);
        batch.failing_since_ms.get_or_insert_with(clock::now_ms);
        batch.is_cleared = false;
        self.clear_other_half(batch.half_of.take());
        if batch.receipts.len() == 1 {
            let is_fault = is_evident || batch.evidence > 0 && !self.have_others_failed(batch.id);
            batch.alone = batch.alone.saturating_add(1);
            batch.faults += u32::from(is_fault);
            if failed == FailureKind::ForGood || batch.faults >= self.settings.tries {
                return Some(batch);
            }
        }
        if batch.is_at_fault() {
            batch.due = Instant::now() + self.settings.pause(batch.alone);
        } else {
            self.note(&batch, failed);
        }
        self.wait(batch);
        None
    }

    /// Clears the other half, since one half explains why the whole failed.
    fn clear_other_half(&mut self, half_of: Option<u64>) {
        let other = |batch: &&mut Batch<T>| half_of.is_some() && batch.half_of == half_of;
        if let Some(other) = self.waiting.iter_mut().find(other) {
            other.is_cleared = true;
            other.half_of = None;
        }
    }

    /// Whether calls of other batches failed since the sink last took something. It may be away.
    fn have_others_failed(&self, id: u64) -> bool {
        self.streak.others_failed || self.streak.failed.is_some_and(|failed| failed != id)
    }

    fn note(&mut self, batch: &Batch<T>, failed: FailureKind) {
        let is_new = batch.sent == 1;
        let is_suspect = batch.evidence > 0 || failed == FailureKind::ForGood;
        let now = Instant::now();
        let streak = &mut self.streak;
        streak.others_failed |= streak.failed.is_some_and(|failed| failed != batch.id);
        streak.failed = Some(batch.id);
        if is_new {
            streak.n_new = streak.n_new.saturating_add(1);
            streak.takes_at = Some(now + self.settings.pause(streak.n_new));
        }
        if is_new && streak.opens_at.is_some_and(|at| at > now) {
            return;
        }
        streak.n = streak.n.saturating_add(1);
        let is_halving = is_suspect && batch.receipts.len() > 1 && streak.n <= HALVING;
        let pause = if is_halving { Duration::ZERO } else { self.settings.pause(streak.n) };
        streak.opens_at = Some(now + pause);
    }

    /// Waits in halves, so that a row at fault is soon alone.
    fn wait(&mut self, batch: Batch<T>) {
        let (left, right) = batch.receipts.split_at(batch.receipts.len() / 2);
        if left.is_empty() {
            return self.waiting.push_back(batch);
        }
        for half in [left, right] {
            let id = self.next_id();
            let (receipts, half_of) = (half.to_vec(), Some(batch.id));
            self.waiting.push_back(Batch { receipts, id, half_of, ..batch.empty() });
        }
    }

    /// Merges batches that failed during an outage.
    fn join(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        let n_alone = waiting.iter().filter(|batch| batch.alone > 0).count();
        let is_apart =
            |batch: &Batch<T>| batch.stays_apart() || batch.alone > 0 && n_alone <= FEW_ALONE;
        let (apart, together): (Vec<_>, Vec<_>) = waiting.into_iter().partition(is_apart);
        self.waiting.extend(apart);
        let Some(joined) = together.iter().map(Batch::empty).reduce(Batch::and) else { return };
        let receipts: Vec<T> = together.into_iter().flat_map(|batch| batch.receipts).collect();
        for receipts in receipts.chunks(self.settings.max_batch) {
            let (receipts, id) = (receipts.to_vec(), self.next_id());
            self.waiting.push_back(Batch { receipts, id, ..joined.empty() });
        }
    }

    fn due(&self, batch: &Batch<T>) -> Instant {
        match self.streak.opens_at {
            Some(at) if !batch.is_at_fault() || self.streak.n >= OUTAGE => at.max(batch.due),
            Some(_) | None => batch.due,
        }
    }

    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }
}
