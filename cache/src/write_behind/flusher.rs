use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::backlog::{Backlog, Failure, Held, Taken};
use super::control::Control;
use super::counts::Counts;
use super::pace::Pace;
use super::sink::Sink;
use crate::l2::Away;
use crate::tasks::log_safely;
use crate::user_code::contained;
use crate::{Key, Value};

/// How soon the backlog is asked again while it is being drained, or could not be reached.
const SOON: Duration = Duration::from_millis(20);

/// How often rows of silent flushers are looked for, at most.
const TAKE_OVER_EVERY: Duration = Duration::from_secs(1);

/// A row that so many flushers fell silent on is set aside, however few tries are allowed: one or
/// two may have been stopped for other reasons.
const MIN_DEATHS: u32 = 3;

/// Brings a backlog to the sink, one call at a time.
///
/// A batch that fails is tried again in two halves, so a row that never succeeds is soon alone.
/// Only a row that fails alone is ever set aside: none for its neighbours' fault.
pub(super) struct Flusher<B: Backlog<K, V>, K, V> {
    backlog: Arc<B>,
    sink: Sink<K, V>,
    pace: Pace,
    control: Arc<Control>,
    counts: Arc<Counts>,
    waiting: Vec<Batch<B::Receipt>>,
    /// What the sink is being called with.
    in_hand: Vec<B::Receipt>,
    kept_at: Instant,
    took_over_at: Option<Instant>,
}

/// Rows that failed together and wait for their next try.
struct Batch<T> {
    receipts: Vec<T>,
    tries: u32,
    due: Instant,
}

impl<B: Backlog<K, V>, K: Key, V: Value + Clone> Flusher<B, K, V> {
    pub(super) fn new(
        backlog: Arc<B>,
        sink: Sink<K, V>,
        pace: Pace,
        (control, counts): (Arc<Control>, Arc<Counts>),
    ) -> Self {
        let now = Instant::now();
        Self {
            backlog,
            sink,
            pace,
            control,
            counts,
            waiting: Vec::new(),
            in_hand: Vec::new(),
            kept_at: now,
            took_over_at: None,
        }
    }

    /// Runs until it is drained or killed. May be called again where it was dropped half-way.
    pub(super) async fn run(&mut self) {
        // What a panic left behind is tried again.
        let in_hand = std::mem::take(&mut self.in_hand);
        if !in_hand.is_empty() {
            self.wait(in_hand, 1, SOON);
        }
        let control = Arc::clone(&self.control);
        tokio::select! {
            biased;
            () = control.killed.cancelled() => {}
            () = self.rounds() => {}
        }
        if control.closing.is_cancelled() {
            let mut held = std::mem::take(&mut self.in_hand);
            held.extend(self.waiting.drain(..).flat_map(|batch| batch.receipts));
            self.backlog.hand_over(&held).await;
        }
        control.ended.cancel();
    }

    async fn rounds(&mut self) {
        loop {
            self.pause().await;
            let closing = self.control.closing.is_cancelled();
            let emptied = self.round().await;
            if closing && emptied == Ok(true) && self.waiting.is_empty() {
                return;
            }
        }
    }

    /// Until the interval is over, a try is due, a batch is full, or the end begins.
    async fn pause(&self) {
        let closing = self.control.closing.is_cancelled();
        let next = Instant::now() + if closing { SOON } else { self.pace.interval };
        let due = self.waiting.iter().map(|batch| batch.due).min();
        tokio::select! {
            () = tokio::time::sleep_until(due.map_or(next, |due| due.min(next))) => {}
            () = self.control.wake.notified() => {}
            () = self.control.closing.cancelled(), if !closing => {}
        }
    }

    /// Sends what is due and what is new. Says whether nothing new is left.
    async fn round(&mut self) -> Result<bool, Away> {
        let closing = self.control.closing.is_cancelled();
        self.take_over().await?;
        while let Some(batch) = self.next_due() {
            self.in_hand.clone_from(&batch.receipts);
            self.keep().await;
            match self.backlog.again(&batch.receipts).await {
                Ok(held) => {
                    self.counts.retried.add(held.len() as u64);
                    self.send(held, batch.tries).await;
                    self.in_hand.clear();
                }
                Err(Away) => {
                    self.in_hand.clear();
                    self.wait(batch.receipts, batch.tries, SOON);
                    return Err(Away);
                }
            }
        }
        loop {
            self.keep().await;
            let held = self.backlog.take(self.pace.max_batch).await?;
            if held.is_empty() {
                return Ok(true);
            }
            let is_last = held.len() < self.pace.max_batch && !closing;
            // More of the same would fail as well, and is better kept where it waits.
            if !self.send(held, 0).await || is_last {
                return Ok(false);
            }
        }
    }

    fn next_due(&mut self) -> Option<Batch<B::Receipt>> {
        let now = Instant::now();
        let at = self.waiting.iter().position(|batch| batch.due <= now)?;
        Some(self.waiting.swap_remove(at))
    }

    /// One call of the sink. Says whether it went well.
    async fn send(&mut self, held: Taken<B, K, V>, tries: u32) -> bool {
        if held.is_empty() {
            return true;
        }
        self.in_hand = held.iter().map(|held| held.receipt.clone()).collect();
        let rows = contained(|| held.iter().map(Held::row).collect());
        let answer = match rows {
            Some(rows) => self.sink.call(rows).await,
            None => Err("its key or value cannot be copied: that panicked".to_owned()),
        };
        let went_well = answer.is_ok();
        match answer {
            Ok(()) => match self.backlog.written(&held).await {
                Ok(()) => self.counts.written.add(held.len() as u64),
                // Sent once more, which its row version makes harmless.
                Err(Away) => self.wait(self.in_hand.clone(), tries, SOON),
            },
            Err(error) => self.failed(held, tries.saturating_add(1), &error).await,
        }
        self.in_hand.clear();
        went_well
    }

    async fn failed(&mut self, held: Taken<B, K, V>, tries: u32, error: &str) {
        self.counts.failed.add(1);
        log_safely(|| tracing::debug!(error, rows = held.len(), tries, "the sink failed"));
        self.backlog.refused(&held);
        let pause = self.pace.pause(tries);
        match held.as_slice() {
            [alone] if tries >= self.pace.tries => {
                self.set_aside(alone, Failure { tries, error }).await;
            }
            [_] => self.wait(self.in_hand.clone(), tries, pause),
            both => {
                let (left, right) = both.split_at(both.len() / 2);
                for half in [left, right] {
                    let receipts = half.iter().map(|held| held.receipt.clone()).collect();
                    self.wait(receipts, tries, pause);
                }
            }
        }
    }

    async fn set_aside(&mut self, row: &Held<B::Receipt, K, V>, failure: Failure<'_>) {
        let Failure { tries, error } = failure;
        match self.backlog.set_aside(row, failure).await {
            Ok(true) => {
                self.counts.set_aside.add(1);
                if let Some(times) = self.counts.set_aside_told.due() {
                    log_safely(|| {
                        tracing::warn!(key = %row.key, error, tries, times, "a write was set aside");
                    });
                }
            }
            Ok(false) => {}
            Err(Away) => self.wait(vec![row.receipt.clone()], tries, SOON),
        }
    }

    fn wait(&mut self, receipts: Vec<B::Receipt>, tries: u32, pause: Duration) {
        self.waiting.push(Batch { receipts, tries, due: Instant::now() + pause });
    }

    /// Takes rows over from the dead one by one, since one of them may be what killed its flusher.
    async fn take_over(&mut self) -> Result<(), Away> {
        let every = TAKE_OVER_EVERY.min(self.pace.claim_after / 2);
        if self.took_over_at.is_some_and(|at| at.elapsed() < every) {
            return Ok(());
        }
        while let Some(held) = self.backlog.take_over().await? {
            self.counts.claimed.add(1);
            if held.deaths >= self.pace.tries.max(MIN_DEATHS) {
                let error = "no consumer that took it ever answered";
                self.set_aside(&held, Failure { tries: held.deaths, error }).await;
            } else {
                self.keep().await;
                self.send(vec![held], 0).await;
            }
        }
        self.took_over_at = Some(Instant::now());
        Ok(())
    }

    async fn keep(&mut self) {
        if self.kept_at.elapsed() < self.pace.claim_after / 3 {
            return;
        }
        self.kept_at = Instant::now();
        let held: Vec<B::Receipt> =
            self.waiting.iter().flat_map(|batch| batch.receipts.iter().cloned()).collect();
        self.backlog.keep(&held).await;
    }
}
