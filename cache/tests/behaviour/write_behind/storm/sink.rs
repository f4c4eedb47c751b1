//! A table that applies rows by version, behind an unreliable connection.

use std::collections::HashMap;
use std::io::Error;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use rand::RngExt;
use strata_cache::{PermanentFailure, Row};

use super::world::pause;

/// Keys that the table always refuses.
pub(super) const REFUSED: u64 = 3;

#[derive(Clone, Default)]
pub(super) struct Table {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    rows: Mutex<HashMap<u64, (u64, u64)>>,
    is_down: AtomicBool,
    is_sound: AtomicBool,
    pub(super) calls: AtomicU64,
    pub(super) failures: AtomicU64,
}

impl Table {
    pub(super) fn set_down(&self, is_down: bool) {
        self.inner.is_down.store(is_down, SeqCst);
    }

    /// Nothing fails any more except the refused keys.
    pub(super) fn mend(&self) {
        self.set_down(false);
        self.inner.is_sound.store(true, SeqCst);
    }

    pub(super) fn counts(&self) -> (u64, u64) {
        (self.inner.calls.load(SeqCst), self.inner.failures.load(SeqCst))
    }

    /// The version and the value of a row.
    pub(super) fn row(&self, key: u64) -> Option<(u64, u64)> {
        self.inner.rows.lock().unwrap().get(&key).copied()
    }

    pub(super) async fn write(self, rows: Vec<Row<u64, u64>>) -> Result<(), Error> {
        self.inner.calls.fetch_add(1, SeqCst);
        let written = self.try_write(rows).await;
        self.inner.failures.fetch_add(u64::from(written.is_err()), SeqCst);
        written
    }

    async fn try_write(&self, rows: Vec<Row<u64, u64>>) -> Result<(), Error> {
        pause(4).await;
        let fault = match self.inner.is_sound.load(SeqCst) {
            true => 100,
            false => rand::rng().random_range(0..100),
        };
        if self.inner.is_down.load(SeqCst) || fault < 5 {
            return Err(Error::other("the table is away"));
        }
        // Panics without printing on standard error.
        if fault < 8 {
            std::panic::resume_unwind(Box::new("the sink panics"));
        }
        if let Some(row) = rows.iter().find(|row| row.key < REFUSED) {
            return Err(Error::other(PermanentFailure(format!("{} is never taken", row.key))));
        }
        self.apply(rows);
        match fault {
            8..11 => Err(Error::other("the answer is lost after the commit")),
            11..13 => std::future::pending().await,
            13..15 => std::panic::resume_unwind(Box::new("the sink panics after the commit")),
            _ => Ok(()),
        }
    }

    /// ON CONFLICT (key) DO UPDATE … WHERE excluded.version > rows.version
    fn apply(&self, written: Vec<Row<u64, u64>>) {
        let mut rows = self.inner.rows.lock().unwrap();
        for Row { key, value, version } in written {
            let held = rows.entry(key).or_insert((version, value));
            if version > held.0 {
                *held = (version, value);
            }
        }
    }
}
