use std::sync::Arc;
use std::time::Duration;

use strata_report::Origin;

use super::place::RawAside;
use super::stored::Stored;
use super::writer::Durable;
use crate::l2::Away;
use crate::write_behind::{Aside, WriteError};
use crate::{Key, Value};

impl<K: Key, V: Value + Clone> Durable<K, V> {
    /// Rows that stand aside, of all nodes, oldest first.
    pub(crate) async fn aside(&self, limit: usize) -> Result<Vec<Aside<V>>, WriteError> {
        let (rows, now_ms) = self.list("-", "+", limit).await?;
        Ok(rows.into_iter().map(|row| self.read_aside(row, now_ms)).collect())
    }

    pub(crate) async fn retry_aside(self: Arc<Self>, id: String) -> Result<bool, WriteError> {
        if !is_id(&id) {
            return Ok(false);
        }
        let (rows, now_ms) = self.list(&id, &id, 1).await?;
        let Some(row) = rows.into_iter().next() else { return Ok(false) };
        let key = self.read_aside(row, now_ms).key;
        let l2 = self.l2().map_err(away)?;
        let redriven = self.place.redrive(l2, (&id, &key)).await.map_err(away)?;
        self.core().in_l1(|| {
            if let Ok(key) = key.parse() {
                self.core().drop_key(&key, Origin::Local);
            }
        });
        self.counts.redriven.add(u64::from(redriven));
        Ok(redriven)
    }

    pub(crate) async fn drop_aside(&self, id: &str) -> Result<bool, WriteError> {
        if !is_id(id) {
            return Ok(false);
        }
        let link = &self.l2().map_err(away)?.link;
        let dropped = self.place.drop_aside(link, id).await.map_err(away)?;
        self.counts.dropped.add(u64::from(dropped));
        self.room.notify_waiters();
        Ok(dropped)
    }

    async fn list(
        &self,
        from: &str,
        to: &str,
        limit: usize,
    ) -> Result<(Vec<RawAside>, u64), WriteError> {
        let link = &self.l2().map_err(away)?.link;
        self.place.list_aside(link, (from, to), limit).await.map_err(away)
    }

    fn read_aside(&self, (id, fields): RawAside, now_ms: u64) -> Aside<V> {
        let field = |name: &str| {
            let found = fields.iter().find(|(field, _)| field == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let text = field("v");
        let stored = Stored::read(&text);
        let set_aside_ms = id.split('-').next().and_then(|ms| ms.parse().ok()).unwrap_or(now_ms);
        Aside {
            key: field("k"),
            value: stored.and_then(|stored| stored.value(self.core().policy.schema).ok()),
            version: stored.map_or(0, |stored| stored.version),
            tries: field("n").parse().unwrap_or(0),
            error: field("e"),
            age: Duration::from_millis(now_ms.saturating_sub(set_aside_ms)),
            id,
        }
    }
}

fn away(_: Away) -> WriteError {
    WriteError::Away
}

/// Redis answers other text with an error, which the breaker would take for a fault.
pub(super) fn is_id(text: &str) -> bool {
    let is_number = |part: &str| part.parse::<u64>().is_ok();
    text.split_once('-').is_some_and(|(ms, n)| is_number(ms) && is_number(n))
}
