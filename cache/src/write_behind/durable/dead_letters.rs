use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use strata_report::Origin;

use super::queue::UnwrittenQueue;
use super::scripts;
use super::stored::Stored;
use super::writer::Durable;
use crate::connection::{Away, Link};
use crate::key::{Key, Value};
use crate::l2::Keyspace;
use crate::node::DeadLetterFilter;
use crate::target::Target;
use crate::write_behind::dead_letters::{
    Cursor, LetterScan, LetterValue, MoveCounts, StoredLetter, Values,
};
use crate::write_behind::row::WriteError;

/// One look reads at most this many bytes, and one value more.
const MAX_LOOK_BYTES: usize = 4 << 20;

/// Id, key, stored value, tries, reason, and the row version with which the value begins.
type RawLetter = (String, String, String, String, String, String);

/// Redis's time in milliseconds, the total, whether there are more, and the letters examined.
type RawScan = (u64, u64, u64, Vec<RawLetter>);

impl<K: Key, V: Value + Clone> Durable<K, V> {
    /// The dead letters of all nodes after the cursor.
    pub(crate) async fn scan(
        &self,
        filter: &DeadLetterFilter,
        cursor: &Cursor,
        look: (usize, Values),
    ) -> Result<LetterScan<V>, WriteError> {
        if filter.only_id().is_some_and(|id| !is_id(id)) {
            let total = self.seen.aside.load(Relaxed);
            return Ok(LetterScan {
                letters: Vec::new(),
                has_more: false,
                until: 0,
                until_ms: None,
                total,
            });
        }
        let link = &self.l2().map_err(|Away| WriteError::Away)?.link;
        let scan = self.queue.scan_letters(link, range(filter, cursor), look).await;
        let (now_ms, total, more, letters) = scan.map_err(|Away| WriteError::Away)?;
        let letters = letters.into_iter().map(|letter| read(letter, now_ms)).collect();
        self.seen.aside.store(total, Relaxed);
        let until = cursor.until.unwrap_or(now_ms);
        Ok(LetterScan { letters, has_more: more > 0, until, until_ms: Some(until), total })
    }

    pub(crate) async fn redrive(
        self: Arc<Self>,
        letters: Vec<StoredLetter<V>>,
    ) -> Result<MoveCounts, WriteError> {
        let l2 = self.l2().map_err(|Away| WriteError::Away)?;
        let moved = self.queue.redrive_letters(l2, &letters).await;
        // A node does not hear its own bus messages.
        let keys: Vec<K> = letters.iter().filter_map(|letter| self.key(&letter.key)).collect();
        let Ok((redriven, superseded, left)) = moved else {
            // The step may have taken effect without this node knowing.
            Arc::clone(self.core()).invalidate(keys).await;
            return Err(WriteError::Away);
        };
        for key in &keys {
            self.core().drop_key(key, Origin::Local);
        }
        self.counts.redriven.add(redriven);
        self.counts.dropped.add(superseded);
        self.seen.aside.store(left, Relaxed);
        self.control.wake.notify_one();
        self.room.notify_waiters();
        Ok(MoveCounts { redriven, superseded, dropped: 0, left })
    }

    pub(crate) async fn forget(
        &self,
        letters: &[StoredLetter<V>],
    ) -> Result<MoveCounts, WriteError> {
        let link = &self.l2().map_err(|Away| WriteError::Away)?.link;
        let forgotten = self.queue.forget_letters(link, letters).await;
        let (dropped, left) = forgotten.map_err(|Away| WriteError::Away)?;
        self.counts.dropped.add(dropped);
        self.seen.aside.store(left, Relaxed);
        self.room.notify_waiters();
        Ok(MoveCounts { dropped, left, ..MoveCounts::default() })
    }

    /// The value as its type; `None` if it cannot be read.
    pub(crate) fn typed(&self, text: &str) -> Option<V> {
        let read = || Stored::read(text)?.value(self.core().policy.schema).ok();
        self.core().recorder.contain(read).flatten()
    }

    /// The stored JSON; `None` if it is not a value of any schema.
    #[expect(clippy::unused_self, reason = "how values are written is this store's own affair")]
    pub(crate) fn json(&self, text: &str) -> Option<String> {
        Some(Stored::read(text)?.json().to_owned())
    }

    fn key(&self, text: &str) -> Option<K> {
        self.core().recorder.contain(|| text.parse().ok()).flatten()
    }
}

impl UnwrittenQueue {
    async fn scan_letters(
        &self,
        link: &Link,
        (from, to): (String, String),
        (count, values): (usize, Values),
    ) -> Result<RawScan, Away> {
        let mut scan = scripts::DEAD_LETTERS.prepare_invoke();
        scan.key(&self.aside).arg(from).arg(to).arg(count).arg(MAX_LOOK_BYTES);
        scan.arg(u8::from(values == Values::With));
        Ok(link.walk_step(&scan).await?)
    }

    /// Returns how many were queued again, how many were forgotten for a newer value, and how many
    /// are left.
    async fn redrive_letters<V>(
        &self,
        l2: &Keyspace,
        letters: &[StoredLetter<V>],
    ) -> Result<(u64, u64, u64), Away> {
        let mut redrive = scripts::REDRIVE_MANY.prepare_invoke();
        self.letters(redrive.key(&self.stream).key(&self.values));
        for letter in letters {
            redrive.key(l2.entry(&letter.key)).arg(&letter.id);
            self.bus.message(&mut redrive, &self.cache, &Target::key(letter.key.as_str()));
        }
        Ok(l2.link.walk_step(&redrive).await?)
    }

    /// Returns how many were forgotten, and how many are left.
    async fn forget_letters<V>(
        &self,
        link: &Link,
        letters: &[StoredLetter<V>],
    ) -> Result<(u64, u64), Away> {
        let mut forget = scripts::FORGET.prepare_invoke();
        self.letters(forget.key(&self.stream).key(&self.values));
        for letter in letters {
            forget.arg(&letter.id).arg(&letter.key);
        }
        Ok(link.walk_step(&forget).await?)
    }
}

/// The first and last id for Redis's range; an empty end means now.
fn range(filter: &DeadLetterFilter, cursor: &Cursor) -> (String, String) {
    if let Some(id) = filter.only_id() {
        return (id.to_owned(), id.to_owned());
    }
    let (first_ms, last_ms) = filter.bounds_ms();
    let after = cursor.after.as_ref().filter(|after| is_id(after));
    let after_ms = after.and_then(|after| after.split('-').next()?.parse::<u64>().ok());
    let from = match (after, first_ms) {
        // A cursor before the filter's beginning does not belong to this filter.
        (Some(after), first_ms) if after_ms >= first_ms => format!("({after}"),
        (_, Some(first_ms)) => first_ms.to_string(),
        _ => "-".to_owned(),
    };
    let last_ms = match (cursor.until, last_ms) {
        (Some(until), Some(last_ms)) => Some(until.min(last_ms)),
        (until, last_ms) => until.or(last_ms),
    };
    (from, last_ms.map_or_else(String::new, |ms| ms.to_string()))
}

/// Redis would answer other text with an error, which would count as a fault.
fn is_id(text: &str) -> bool {
    let is_number = |part: &str| part.parse::<u64>().is_ok();
    text.split_once('-').is_some_and(|(ms, n)| is_number(ms) && is_number(n))
}

fn read<V>((id, key, value, version, tries, reason): RawLetter, now_ms: u64) -> StoredLetter<V> {
    StoredLetter {
        since_ms: id.split('-').next().and_then(|ms| ms.parse().ok()).unwrap_or(now_ms),
        version: version.parse().unwrap_or(0),
        tries: tries.parse().unwrap_or(0),
        value: LetterValue::Stored(value),
        id,
        key,
        reason,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn cursor(after: &str, until: u64) -> Cursor {
        Cursor { after: Some(after.to_owned()), until: Some(until) }
    }

    #[test]
    fn a_look_goes_from_the_cursor_or_the_filters_beginning_to_the_earlier_end() {
        let at_ms = |ms| UNIX_EPOCH + Duration::from_millis(ms);
        let all = DeadLetterFilter::all;
        let text = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        let begin = Cursor::default();
        assert_eq!(range(&all(), &begin), text("-", ""));
        assert_eq!(range(&all(), &cursor("5-1", 9)), text("(5-1", "9"));
        let between = all().from(at_ms(4)).until(at_ms(8));
        assert_eq!(range(&between, &begin), text("4", "7"));
        assert_eq!(range(&between, &cursor("5-1", 9)), text("(5-1", "7"));
        assert_eq!(range(&between, &cursor("3-1", 6)), text("4", "6"));
        assert_eq!(range(&all().id("5-1"), &cursor("7-1", 9)), text("5-1", "5-1"));
    }
}
