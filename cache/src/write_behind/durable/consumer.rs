use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use strata_report::Origin;

use super::place::{RawRow, Receipt};
use super::stored::Stored;
use super::writer::Durable;
use crate::l2::Away;
use crate::tasks::log_safely;
use crate::write_behind::backlog::{Backlog, Failure, Held, Taken};
use crate::{Key, Value};

impl<K: Key, V: Value + Clone> Durable<K, V> {
    /// Reads what Redis answered. What cannot be read is set aside at once.
    async fn hold(&self, rows: Vec<RawRow>, deaths: u32) -> Result<Taken<Self, K, V>, Away> {
        let mut taken = Vec::with_capacity(rows.len());
        for (id, text, stored) in rows {
            let receipt = Receipt { id, key: text };
            match self.read(&receipt.key, &stored) {
                Ok((key, value, version)) => {
                    taken.push(Held { receipt, key, value, version, deaths });
                }
                Err(error) => self.set_unreadable_aside(&receipt, &stored, &error).await?,
            }
        }
        Ok(taken)
    }

    fn read(&self, text: &str, stored: &str) -> Result<(K, Arc<V>, u64), String> {
        let stored = Stored::read(stored).ok_or("its value cannot be read")?;
        let read = || {
            let key = text.parse().map_err(|_| "its key cannot be read".to_owned())?;
            Ok((key, Arc::new(stored.value(self.core().policy.schema)?), stored.version))
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
        let version = stored.split(':').next().and_then(|version| version.parse().ok());
        let row = (receipt, version.unwrap_or(0));
        if self.place.set_aside(self.l2()?, row, (0, error)).await? {
            self.counts.set_aside.add(1);
            if let Some(times) = self.counts.set_aside_told.due() {
                let key = &*receipt.key;
                log_safely(|| tracing::warn!(key, error, times, "a write was set aside"));
            }
        }
        Ok(())
    }

    /// After the step in Redis: here its bus message is not heard.
    fn ended(&self, rows: &[Held<Receipt, K, V>]) {
        for row in rows {
            self.core().drop_key(&row.key, Origin::Local);
            self.core().recorder.contain(|| self.own.written(&row.key, row.version));
        }
        self.room.notify_waiters();
    }
}

impl<K: Key, V: Value + Clone> Backlog<K, V> for Durable<K, V> {
    type Receipt = Receipt;

    async fn take(&self, max: usize) -> Result<Taken<Self, K, V>, Away> {
        self.n_new.store(0, Relaxed);
        let (waiting, age_ms, aside, rows) = self.place.take(&self.l2()?.link, max).await?;
        self.seen.waiting.store(waiting, Relaxed);
        self.seen.aside.store(aside, Relaxed);
        self.seen.oldest_age_ms.store(age_ms, Relaxed);
        self.hold(rows, 0).await
    }

    async fn take_over(&self) -> Result<Option<Held<Receipt, K, V>>, Away> {
        let link = &self.l2()?.link;
        let mut cursor = "0-0".to_owned();
        self.swap_cursor(&mut cursor);
        let (mut next, deliveries, rows) =
            self.place.claim(link, self.pace.claim_after, &cursor).await?;
        self.swap_cursor(&mut next);
        Ok(self.hold(rows, deliveries.saturating_sub(1)).await?.pop())
    }

    async fn again(&self, receipts: &[Receipt]) -> Result<Taken<Self, K, V>, Away> {
        let rows = self.place.again(&self.l2()?.link, receipts).await?;
        self.hold(rows, 0).await
    }

    async fn written(&self, rows: &[Held<Receipt, K, V>]) -> Result<(), Away> {
        let versions: Vec<(&Receipt, u64)> =
            rows.iter().map(|row| (&row.receipt, row.version)).collect();
        let done = self.place.done(self.l2()?, &versions).await;
        match done {
            Ok(()) => self.ended(rows),
            // The step may have happened; L1 asks anew either way.
            Err(Away) => {
                for row in rows {
                    Arc::clone(self.core()).invalidate(vec![row.key.clone()]).await;
                }
            }
        }
        done
    }

    fn refused(&self, _: &[Held<Receipt, K, V>]) {}

    async fn set_aside(
        &self,
        row: &Held<Receipt, K, V>,
        failure: Failure<'_>,
    ) -> Result<bool, Away> {
        let version = (&row.receipt, row.version);
        let reason = (failure.tries, failure.error);
        let set_aside = self.place.set_aside(self.l2()?, version, reason).await?;
        self.ended(std::slice::from_ref(row));
        Ok(set_aside)
    }

    async fn keep(&self, receipts: &[Receipt]) {
        if let (Ok(l2), false) = (self.l2(), receipts.is_empty())
            && self.place.keep(&l2.link, receipts).await.is_err()
        {
            log_safely(|| tracing::debug!("rows could not be kept: others may claim them"));
        }
    }

    async fn hand_over(&self, receipts: &[Receipt]) {
        if let (Ok(l2), false) = (self.l2(), receipts.is_empty())
            && self.place.hand_over(&l2.link, receipts).await.is_err()
        {
            log_safely(|| tracing::debug!("rows could not be handed over: others claim later"));
        }
    }
}
