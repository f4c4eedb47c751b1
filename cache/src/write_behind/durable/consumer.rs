use crate::node::DynCache;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use strata_report::Origin;

use super::queue::{RawRow, Receipt};
use super::stored::{Stored, version_text};
use super::writer::Durable;
use crate::change::NamedKeys;
use crate::connection::Away;
use crate::key::{Key, Value};
use crate::log::log_safely;
use crate::write_behind::backlog::{Backlog, RowFailure, TakenRow, TakenRows};

/// Pages of a hundred rows that one search for silent consumers examines.
const MAX_PAGES: usize = 10;

impl<K: Key, V: Value + Clone> Durable<K, V> {
    /// Reads rows from Redis. Rows that cannot be read become dead letters at once.
    async fn hold(&self, rows: Vec<RawRow>, deaths: u32) -> Result<TakenRows<Self, K, V>, Away> {
        let mut taken = Vec::with_capacity(rows.len());
        let mut unreadable = Vec::new();
        for (id, text, stored) in rows {
            let receipt = Receipt { id, key: text };
            match self.read(&receipt.key, &stored) {
                Ok((key, value, version)) => {
                    taken.push(TakenRow { receipt, key, value, version, deaths });
                }
                Err(error) => unreadable.push((receipt, stored, error)),
            }
        }
        for (receipt, stored, error) in unreadable {
            // If Redis does not accept that now, the row is claimed and read again later.
            if self.set_unreadable_aside(&receipt, &stored, &error).await.is_err() {
                log_safely(|| tracing::debug!(error, "a write could not be set aside yet"));
            }
        }
        Ok(taken)
    }

    fn read(&self, text: &str, stored: &str) -> Result<(Arc<K>, Arc<V>, u64), String> {
        let stored = Stored::read(stored).ok_or("its value cannot be read")?;
        let read = || {
            let key = text.parse().map_err(|_| "its key cannot be read".to_owned())?;
            Ok((Arc::new(key), Arc::new(self.value_of(&stored)?), stored.version))
        };
        let read = self.core().recorder.contain(read);
        read.unwrap_or_else(|| Err("its key or value cannot be read: that panicked".to_owned()))
    }

    async fn set_unreadable_aside(
        &self,
        receipt: &Receipt,
        stored: &str,
        error: &str,
    ) -> Result<(), Away> {
        let row = (receipt, version_text(stored));
        let set_aside = self.queue.set_aside(self.l2()?, row, (0, error)).await;
        self.drop_text(&receipt.key);
        if set_aside? {
            self.counts.set_aside.add(1);
            if let Some(times) = self.counts.set_aside_told.due() {
                let key = &*receipt.key;
                log_safely(|| tracing::warn!(key, error, times, "a write was set aside"));
            }
        }
        Ok(())
    }

    /// Drops the L1 entry of a row that has ended, or may have, since a node does not hear its own
    /// message.
    fn drop_text(&self, text: &str) {
        self.core().in_l1(|| match text.parse() {
            Ok(key) => self.core().drop_key(&key, Origin::Local),
            // This node may have written it all the same.
            Err(_) => self.core().on_gap(),
        });
        self.forget_text(text);
    }

    /// Call it after the step in Redis, since a node does not hear its own bus message.
    fn ended(&self, rows: &[TakenRow<Receipt, K, V>]) {
        for row in rows {
            self.core().drop_key(&row.key, Origin::Local);
        }
        self.room.notify_waiters();
    }

    /// Removes versions up to these from the unwritten values.
    fn let_go(&self, rows: &[TakenRow<Receipt, K, V>]) {
        for row in rows {
            let let_go = || self.unwritten.written(&row.key, row.version);
            if self.core().recorder.contain(let_go).is_none() {
                self.on_gap();
            }
        }
    }

    /// Invalidates rows after a step without an answer, which may have taken effect.
    async fn invalidate(&self, rows: &[TakenRow<Receipt, K, V>]) {
        let keys: Vec<K> = rows
            .iter()
            .filter_map(|row| self.core().recorder.contain(|| K::clone(&row.key)))
            .collect();
        let texts = rows.iter().map(|row| row.receipt.key.clone()).collect();
        let is_nameless = keys.len() < rows.len();
        let named = NamedKeys { keys, texts, is_odd: false, is_nameless };
        Arc::clone(self.core()).remove_named(named).await;
    }
}

impl<K: Key, V: Value + Clone> Backlog<K, V> for Durable<K, V> {
    type Receipt = Receipt;

    async fn take(&self, max: usize) -> Result<TakenRows<Self, K, V>, Away> {
        loop {
            self.n_new.store(0, Relaxed);
            let taken = self.queue.take(&self.l2()?.link, max).await?;
            self.seen.waiting.store(taken.waiting, Relaxed);
            self.seen.aside.store(taken.aside, Relaxed);
            self.seen.oldest_age_ms.store(taken.oldest_age_ms, Relaxed);
            self.seen.other_schema.store(taken.other_schema, Relaxed);
            let n_taken = taken.rows.len();
            let held = self.hold(taken.rows, 0).await?;
            // Unreadable rows, or rows of other schemas, do not mean that the backlog is empty.
            if !held.is_empty() || n_taken == 0 && !taken.has_more {
                return Ok(held);
            }
        }
    }

    async fn take_over(&self, max: usize) -> Result<TakenRows<Self, K, V>, Away> {
        let mut cursor = "0-0".to_owned();
        self.swap_cursor(&mut cursor);
        for _ in 0..MAX_PAGES {
            let link = &self.l2()?.link;
            let claimed = self.queue.claim(link, (self.settings.claim_after, max), &cursor).await?;
            cursor = claimed.cursor;
            let held = self.hold(claimed.rows, claimed.deliveries.saturating_sub(1)).await?;
            if !held.is_empty() || cursor == "0-0" {
                self.swap_cursor(&mut cursor);
                return Ok(held);
            }
        }
        self.swap_cursor(&mut cursor);
        Ok(Vec::new())
    }

    async fn again(&self, receipts: &[Receipt]) -> Result<TakenRows<Self, K, V>, Away> {
        let rows = self.queue.again(&self.l2()?.link, receipts).await?;
        // A missing row may have been ended by a step of this node whose answer was lost.
        let left: HashSet<&str> = rows.iter().map(|(id, ..)| &**id).collect();
        for gone in receipts.iter().filter(|receipt| !left.contains(&*receipt.id)) {
            self.drop_text(&gone.key);
        }
        self.hold(rows, 0).await
    }

    async fn written(&self, rows: &[TakenRow<Receipt, K, V>]) -> Result<(), Away> {
        let versions: Vec<(&Receipt, u64)> =
            rows.iter().map(|row| (&row.receipt, row.version)).collect();
        let done = self.queue.done(self.l2()?, &versions).await;
        match done {
            Ok(()) => self.ended(rows),
            Err(Away) => self.invalidate(rows).await,
        }
        // The source has these rows, whatever Redis knows.
        self.let_go(rows);
        done
    }

    fn refused(&self, _: &[TakenRow<Receipt, K, V>]) {}

    async fn outlived(&self, receipts: &[Receipt]) {
        if let Ok(l2) = self.l2()
            && self.queue.outlive(&l2.link, receipts).await.is_err()
        {
            log_safely(|| tracing::debug!("Redis does not know that rows were outlived"));
        }
    }

    async fn set_aside(
        &self,
        row: &TakenRow<Receipt, K, V>,
        failure: RowFailure<'_>,
    ) -> Result<bool, Away> {
        let version = row.version.to_string();
        let reason = (failure.tries, failure.error);
        let set_aside = self.queue.set_aside(self.l2()?, (&row.receipt, &version), reason).await;
        let rows = std::slice::from_ref(row);
        match set_aside {
            Ok(_) => {
                self.ended(rows);
                self.let_go(rows);
            }
            // The step may have taken effect. The next try finds out.
            Err(Away) => self.invalidate(rows).await,
        }
        set_aside
    }

    async fn keep(&self, receipts: &[Receipt]) {
        if let (Ok(l2), false) = (self.l2(), receipts.is_empty())
            && self.queue.keep(&l2.link, receipts).await.is_err()
        {
            log_safely(|| tracing::debug!("rows could not be kept: others may claim them"));
        }
    }

    async fn hand_over(&self, receipts: &[Receipt]) {
        if let (Ok(l2), false) = (self.l2(), receipts.is_empty())
            && self.queue.hand_over(&l2.link, receipts).await.is_err()
        {
            log_safely(|| tracing::debug!("rows could not be handed over: others claim later"));
        }
    }

    fn is_settled(&self) -> bool {
        self.n_writing.load(SeqCst) == 0
    }
}
