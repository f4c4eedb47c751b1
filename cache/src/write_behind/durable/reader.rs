use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::time::Instant;

use super::stored::Stored;
use super::writer::Durable;
use crate::key::{Key, Value};
use crate::target::Target;

/// Reads a value of an older schema from its JSON.
pub(crate) type Migrate<V> = Arc<dyn Fn(u16, &str) -> Result<V, BoxError> + Send + Sync>;

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The state of a key's unwritten value.
pub(crate) enum WaitingValue<V> {
    Nothing,
    Value(V),
    /// There is a value of a schema that this node cannot read.
    Unreadable,
    /// Redis does not answer.
    Unknown,
}

/// How often a reader checks whether an unreadable value has been written.
const LOOK_AGAIN: Duration = Duration::from_millis(25);

impl<K: Key, V: Value + Clone> Durable<K, V> {
    /// A value that this node has written and the source does not have yet.
    pub(crate) fn unwritten(&self, key: &K) -> Option<(Arc<V>, Duration)> {
        self.unwritten.get(key)
    }

    /// Whether this node hears other nodes' writes.
    pub(crate) fn hears(&self) -> bool {
        self.core().trusts_l2()
    }

    /// The newest value that this node knows, for reads while Redis does not answer.
    pub(crate) fn in_doubt(&self, key: &K) -> Option<V> {
        let value = self.unwritten.get_in_doubt(key)?;
        self.core().recorder.contain(|| V::clone(&value))
    }

    /// A value that any node has written and the source does not have yet. If this node cannot read
    /// it, waits for a while until a node that can has brought it to the source.
    pub(crate) async fn waiting(&self, key: &K) -> WaitingValue<V> {
        let until = Instant::now() + self.core().policy.lease_wait;
        loop {
            let waiting = self.look_for(key).await;
            if !matches!(waiting, WaitingValue::Unreadable) || Instant::now() >= until {
                return waiting;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn look_for(&self, key: &K) -> WaitingValue<V> {
        let Ok(l2) = self.l2() else { return WaitingValue::Unknown };
        let Ok(text) = self.queue.value(&l2.link, &key.to_string()).await else {
            return WaitingValue::Unknown;
        };
        let stored = text.as_deref().map(Stored::read);
        self.unwritten.found(key, stored.flatten().map(|stored| stored.version));
        match stored {
            None => WaitingValue::Nothing,
            Some(None) => WaitingValue::Unreadable,
            Some(Some(stored)) => {
                let value = self.core().recorder.contain(|| self.value_of(&stored).ok()).flatten();
                value.map_or(WaitingValue::Unreadable, WaitingValue::Value)
            }
        }
    }

    /// Reads a value of this schema, or migrates a value of an older one.
    pub(super) fn value_of(&self, stored: &Stored<'_>) -> Result<V, String> {
        let own = self.core().policy.schema;
        match &self.migrate {
            Some(migrate) if stored.schema < own => migrate(stored.schema, stored.json)
                .map_err(|error| format!("migrate it from schema {}: {error}", stored.schema)),
            Some(_) | None => stored.value(own),
        }
    }

    /// How many rows only nodes of other schemas can read, as of the last round.
    pub(crate) fn other_schema(&self) -> u64 {
        self.seen.other_schema.load(Relaxed)
    }

    /// Removes invalidated values from the unwritten ones. Reads then ask Redis, which still has a
    /// value that waits. Unwritten values carry no tags, so the invalidation of a tag may affect
    /// any of them.
    pub(crate) fn overtaken(&self, target: &Target) {
        if self.unwritten.is_empty() {
            return;
        }
        match target {
            Target::Key(text) => self.forget_text(text),
            Target::Pattern(pattern) => {
                self.unwritten.forget_those(|key| pattern.matches(&key.to_string()));
            }
            Target::Tag(_) | Target::All => self.unwritten.forget_all(),
        }
    }

    /// A text that cannot be read as a key may mean any key.
    pub(super) fn forget_text(&self, text: &str) {
        let forget = || match text.parse() {
            Ok(key) => self.unwritten.forget(&key),
            Err(_) => self.unwritten.forget_all(),
        };
        if self.core().recorder.contain(forget).is_none() {
            self.on_gap();
        }
    }

    pub(crate) fn on_gap(&self) {
        self.core().recorder.contain(|| self.unwritten.forget_all());
    }

    /// Puts this node's values in doubt, because it may no longer hear what happens to them.
    pub(crate) fn doubt_all(&self) {
        self.unwritten.doubt_all();
    }
}
