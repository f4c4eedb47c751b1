//! What L2 holds for a key, read back, and how it is written there.

use std::sync::Arc;
use std::time::Duration;

use strata_report::Outcome;

use crate::core::{Core, Life};
use crate::l2::{Away, Envelope, Found, HEADER};
use crate::{Key, Value, clock};

/// An entry as it lies in L2, read back.
pub(crate) struct Held<V> {
    pub(crate) value: Option<Arc<V>>,
    pub(crate) life: Life,
    /// How its bytes begin, to notice later whether it still lies there.
    pub(crate) head: Vec<u8>,
}

impl<V> Held<V> {
    pub(crate) fn is_fresh(&self) -> bool {
        !self.life.soft && !self.life.fresh_for.is_zero()
    }

    /// Whether a read may be answered with it without asking the source.
    pub(crate) fn is_usable(&self) -> bool {
        self.life.soft || self.is_fresh()
    }

    pub(crate) fn outcome(&self) -> Outcome {
        if self.is_fresh() { Outcome::L2Hit } else { Outcome::Stale }
    }
}

impl<K: Key, V: Value> Core<K, V> {
    /// One GET or MGET, timed.
    pub(crate) async fn ask_l2(&self, texts: &[String]) -> Result<Vec<Found>, Away> {
        let l2 = self.l2.as_ref().ok_or(Away)?;
        let began = std::time::Instant::now();
        let found = l2.get(texts).await?;
        self.recorder.l2.latency.record(began.elapsed());
        Ok(found)
    }

    /// What was found for a key, if it can be read. A fresh entry counts as a hit.
    pub(crate) fn held(&self, text: &str, found: Found) -> Option<Held<V>> {
        let held = match found {
            Found::Bytes(bytes) => self.read_back(text, &bytes),
            Found::Nothing | Found::Leased => None,
        };
        let hit = held.as_ref().is_some_and(Held::is_fresh);
        if hit { &self.recorder.l2.hit } else { &self.recorder.l2.miss }.add(1);
        held
    }

    pub(crate) fn read_back(&self, text: &str, bytes: &[u8]) -> Option<Held<V>> {
        let decoded = Envelope::decode(bytes, text, self.policy.schema).ok().and_then(|envelope| {
            let value = envelope.value.map(serde_json::from_slice::<V>).transpose().ok()?;
            Some((value.map(Arc::new), envelope))
        });
        let Some((value, envelope)) = decoded else {
            self.recorder.l2_unreadable.add(1);
            return None;
        };
        let now_ms = clock::now_ms();
        let soft = envelope.fresh_until_ms == 0;
        let stale_ms = if soft { 0 } else { now_ms.saturating_sub(envelope.fresh_until_ms) };
        let life = Life {
            age: Duration::from_millis(now_ms.saturating_sub(envelope.created_ms)),
            fresh_for: Duration::from_millis(envelope.fresh_until_ms.saturating_sub(now_ms)),
            stale_for: Duration::from_millis(stale_ms),
            soft,
            load_us: envelope.load_us,
        };
        Some(Held { value, life, head: bytes[..HEADER].to_vec() })
    }

    /// An entry's bytes for L2, and how long Redis shall keep them, milliseconds. `None` for a
    /// value that has no JSON form or could not live there.
    pub(crate) fn encode(
        &self,
        text: &str,
        value: Option<&V>,
        life: Life,
    ) -> Option<(Vec<u8>, u64)> {
        let grace = value.map_or(Duration::ZERO, |_| self.policy.grace);
        let kept_ms = clock::millis(life.fresh_for.saturating_add(grace));
        if kept_ms == 0 {
            return None;
        }
        let json = match value.map(serde_json::to_vec).transpose() {
            Ok(json) => json,
            Err(error) => {
                tracing::warn!(cache = self.name, %error, "a value has no JSON form: not kept in L2");
                return None;
            }
        };
        let created_ms = clock::now_ms();
        let envelope = Envelope {
            schema: self.policy.schema,
            created_ms,
            fresh_until_ms: created_ms.saturating_add(clock::millis(life.fresh_for)).max(1),
            load_us: life.load_us,
            value: json.as_deref(),
        };
        let bytes = envelope.encode(text);
        self.recorder.l2_put_bytes.record(bytes.len() as u64);
        Some((bytes, kept_ms))
    }
}
