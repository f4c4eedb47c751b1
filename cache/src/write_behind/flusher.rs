use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::backlog::{Backlog, RowFailure, TakenRow, TakenRows};
use super::retries::{Batch, FailureKind, Retries};
use super::row::Row;
use super::settings::FlushSettings;
use super::shared::{Control, WriteBehindCounts};
use super::sink::{Sink, SinkResult};
use crate::connection::Away;
use crate::key::{Key, Value};
use crate::log::log_safely;
use crate::user_code::contained;

/// The pause before the backlog is asked again while it is being drained, or could not be reached.
const SOON: Duration = Duration::from_millis(20);

/// The shortest pause between two searches for rows of silent flushers.
const TAKE_OVER_EVERY: Duration = Duration::from_secs(1);

/// A row on which this many flushers fell silent becomes a dead letter, however few tries are
/// allowed. One or two may have been stopped for other reasons.
const MIN_DEATHS: u32 = 3;

/// Sends a backlog to the sink, one call at a time. [`Retries`] decides which rows are sent again
/// and when, and which become dead letters.
pub(super) struct Flusher<B: Backlog<K, V>, K, V> {
    backlog: Arc<B>,
    sink: Sink<K, V>,
    settings: FlushSettings,
    control: Arc<Control>,
    counts: Arc<WriteBehindCounts>,
    retries: Retries<B::Receipt>,
    /// The rows of the present call of the sink.
    in_hand: Vec<B::Receipt>,
    kept_at: Instant,
    took_over_at: Option<Instant>,
}

impl<B: Backlog<K, V>, K: Key, V: Value + Clone> Flusher<B, K, V> {
    pub(super) fn new(
        backlog: Arc<B>,
        sink: Sink<K, V>,
        settings: FlushSettings,
        (control, counts): (Arc<Control>, Arc<WriteBehindCounts>),
    ) -> Self {
        let now = Instant::now();
        Self {
            backlog,
            sink,
            retries: Retries::new(settings.clone()),
            settings,
            control,
            counts,
            in_hand: Vec::new(),
            kept_at: now,
            took_over_at: None,
        }
    }

    /// Runs until it is drained or killed. May be called again after it was dropped half-way.
    pub(super) async fn run(&mut self) {
        // Rows left by a panic are tried again.
        let in_hand = std::mem::take(&mut self.in_hand);
        if !in_hand.is_empty() {
            let batch = self.retries.fresh(in_hand);
            self.retries.put_back(batch, SOON);
        }
        let control = Arc::clone(&self.control);
        tokio::select! {
            biased;
            () = control.killed.cancelled() => {}
            () = self.rounds() => {}
        }
        if control.closing.is_cancelled() {
            let mut held = std::mem::take(&mut self.in_hand);
            held.extend(self.retries.receipts());
            self.backlog.hand_over(&held).await;
        }
        control.ended.cancel();
    }

    async fn rounds(&mut self) {
        loop {
            self.pause().await;
            let closing = self.control.closing.is_cancelled();
            // A later round takes a write that is on its way now.
            let is_settled = closing && self.backlog.is_settled();
            let emptied = self.round().await;
            self.tell();
            if is_settled && emptied == Ok(true) && self.retries.is_empty() {
                return;
            }
        }
    }

    /// Waits until the interval is over, a try is due, a batch is full, or the shutdown begins.
    async fn pause(&self) {
        let closing = self.control.closing.is_cancelled();
        let new_rows_at = Instant::now() + if closing { SOON } else { self.settings.interval };
        tokio::select! {
            () = tokio::time::sleep_until(self.retries.next_at(new_rows_at)) => {}
            () = self.control.wake.notified() => {}
            () = self.control.closing.cancelled(), if !closing => {}
        }
    }

    /// Sends due and new rows. Returns whether no new row is left.
    async fn round(&mut self) -> Result<bool, Away> {
        let closing = self.control.closing.is_cancelled();
        while let Some(batch) = self.retries.next() {
            self.send_again(batch).await?;
        }
        if self.retries.may_take() {
            self.take_over().await?;
        }
        while self.retries.may_take() {
            self.keep().await;
            let held = self.backlog.take(self.settings.max_batch).await?;
            if held.is_empty() {
                return Ok(true);
            }
            let is_last = held.len() < self.settings.max_batch && !closing;
            if !self.send_new(held).await || is_last {
                break;
            }
        }
        Ok(false)
    }

    async fn send_again(&mut self, batch: Batch<B::Receipt>) -> Result<(), Away> {
        self.in_hand.clone_from(&batch.receipts);
        self.keep().await;
        let again = self.backlog.again(&batch.receipts).await;
        match again {
            Ok(held) => {
                self.counts.retried.add(held.len() as u64);
                self.send(held, batch).await;
                Ok(())
            }
            Err(Away) => {
                self.in_hand.clear();
                self.retries.put_back(batch, SOON);
                Err(Away)
            }
        }
    }

    async fn send_new(&mut self, held: TakenRows<B, K, V>) -> bool {
        let batch = self.retries.fresh(Vec::new());
        self.send(held, batch).await
    }

    /// Makes one call of the sink with rows of a batch. Returns whether it succeeded.
    async fn send(&mut self, mut held: TakenRows<B, K, V>, mut batch: Batch<B::Receipt>) -> bool {
        self.in_hand = receipts(&held);
        let rows = self.copies(&mut held).await;
        batch.receipts = receipts(&held);
        let went_well = match held.is_empty() {
            true => true,
            false => match self.sink.call(rows).await {
                SinkResult::Taken => {
                    self.taken(&held, batch).await;
                    true
                }
                SinkResult::Failed(error) => {
                    self.failed(&held, batch, (FailureKind::ForNow, &error)).await;
                    false
                }
                SinkResult::Refused(error) => {
                    self.failed(&held, batch, (FailureKind::ForGood, &error)).await;
                    false
                }
            },
        };
        self.in_hand.clear();
        let_go(held);
        went_well
    }

    /// Copies rows for the sink. Rows that cannot be copied become dead letters.
    async fn copies(&mut self, held: &mut TakenRows<B, K, V>) -> Vec<Row<K, V>> {
        let mut rows = Vec::with_capacity(held.len());
        let mut at = 0;
        while let Some(one) = held.get(at) {
            if let Some(row) = contained(|| one.row()) {
                rows.push(row);
                at += 1;
                continue;
            }
            let one = held.remove(at);
            let error = "its key or value cannot be copied: that panicked";
            let batch = self.retries.fresh(vec![one.receipt.clone()]);
            self.set_aside(&one, batch, error).await;
            let_go(vec![one]);
        }
        rows
    }

    async fn taken(&mut self, held: &[TakenRow<B::Receipt, K, V>], batch: Batch<B::Receipt>) {
        self.counts.written.add(held.len() as u64);
        self.retries.succeeded();
        if self.backlog.written(held).await.is_err() {
            // Sends the rows once more, which is harmless because of their row versions.
            let batch = self.retries.fresh(batch.receipts);
            self.retries.put_back(batch, SOON);
        }
    }

    async fn failed(
        &mut self,
        held: &[TakenRow<B::Receipt, K, V>],
        batch: Batch<B::Receipt>,
        (failed, error): (FailureKind, &str),
    ) {
        self.counts.failed.add(1);
        self.counts.say_failed(error);
        let sent = batch.sent;
        log_safely(|| tracing::debug!(error, rows = held.len(), sent, "the sink failed"));
        self.backlog.refused(held);
        if held.iter().any(|held| held.deaths > 0) {
            self.backlog.outlived(&batch.receipts).await;
        }
        if let (Some(batch), [alone]) = (self.retries.failed(batch, failed), held) {
            self.set_aside(alone, batch, error).await;
        }
        self.tell();
    }

    async fn set_aside(
        &mut self,
        row: &TakenRow<B::Receipt, K, V>,
        batch: Batch<B::Receipt>,
        error: &str,
    ) {
        let tries = batch.sent;
        match self.backlog.set_aside(row, RowFailure { tries, error }).await {
            Ok(true) => {
                self.counts.set_aside.add(1);
                if let Some(times) = self.counts.set_aside_told.due() {
                    log_safely(|| {
                        tracing::warn!(key = %row.key, error, tries, times, "a write was set aside");
                    });
                }
            }
            Ok(false) => {}
            Err(Away) => self.retries.put_back(batch, self.settings.pause(1)),
        }
    }

    /// Takes over rows of dead flushers. A row on which more than one flusher died comes alone,
    /// since it may be the cause.
    async fn take_over(&mut self) -> Result<(), Away> {
        let every = TAKE_OVER_EVERY.min(self.settings.claim_after / 2);
        if self.took_over_at.is_some_and(|at| at.elapsed() < every) {
            return Ok(());
        }
        loop {
            self.keep().await;
            let held = self.backlog.take_over(self.settings.max_batch).await?;
            self.counts.claimed.add(held.len() as u64);
            match &*held {
                [] => break,
                [one] if one.deaths >= self.settings.tries.max(MIN_DEATHS) => {
                    let error = "no consumer that took it ever answered";
                    let mut batch = self.retries.fresh(vec![one.receipt.clone()]);
                    batch.sent = one.deaths;
                    self.set_aside(one, batch, error).await;
                    let_go(held);
                }
                _ => {
                    if !self.send_new(held).await {
                        return Ok(());
                    }
                }
            }
        }
        self.took_over_at = Some(Instant::now());
        Ok(())
    }

    async fn keep(&mut self) {
        if self.kept_at.elapsed() < self.settings.claim_after / 3 {
            return;
        }
        self.kept_at = Instant::now();
        self.backlog.keep(&self.retries.receipts()).await;
    }

    /// Updates the report on failing rows.
    fn tell(&self) {
        self.counts.say_failing(self.retries.failing());
    }
}

fn receipts<T: Clone, K, V>(held: &[TakenRow<T, K, V>]) -> Vec<T> {
    held.iter().map(|held| held.receipt.clone()).collect()
}

/// Keys and values may panic when they are dropped.
fn let_go<T, K, V>(held: Vec<TakenRow<T, K, V>>) {
    for held in held {
        let _: Option<()> = contained(|| drop(held));
    }
}
