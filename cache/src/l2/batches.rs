//! Limits keys and bytes of one command, so that Redis answers soon.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Keys in one command or script. Redis serves no other client meanwhile.
pub(crate) const AT_ONCE: usize = 256;

/// Bytes in one command or answer. Later answers on the connection wait for them.
const BYTES_AT_ONCE: usize = 1 << 20;

/// The assumed size of an entry before one was seen, in bytes.
const UNKNOWN_BYTES: usize = 1 << 16;

/// Splits items into parts of at most 256 items. A part of several items has at most a mebibyte.
pub(crate) fn batches<T>(items: &[T], bytes: impl Fn(&T) -> usize) -> impl Iterator<Item = &[T]> {
    let mut rest = items;
    std::iter::from_fn(move || {
        let mut sum = 0;
        let fits = |item: &&T| {
            sum += bytes(item);
            sum <= BYTES_AT_ONCE
        };
        let n = rest.iter().take(AT_ONCE).take_while(fits).count().max(1);
        let (batch, left) = rest.split_at_checked(n)?;
        rest = left;
        Some(batch)
    })
}

/// The recent size of a cache's entries, so that a read asks for no more than is answered soon. The
/// estimate falls slowly after large entries.
#[derive(Debug)]
pub(crate) struct EntryBytes(AtomicUsize);

impl Default for EntryBytes {
    fn default() -> Self {
        Self(AtomicUsize::new(UNKNOWN_BYTES))
    }
}

impl EntryBytes {
    /// How many keys to ask for in one command.
    pub(crate) fn keys_at_once(&self) -> usize {
        (BYTES_AT_ONCE / self.0.load(Ordering::Relaxed).max(1)).clamp(1, AT_ONCE)
    }

    /// Records entries that were read, and their total size in bytes.
    pub(crate) fn saw(&self, n_entries: usize, bytes: usize) {
        let Some(mean) = bytes.checked_div(n_entries) else { return };
        let before = self.0.load(Ordering::Relaxed);
        self.0.store(mean.max(before / 4), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(items: &[usize]) -> Vec<usize> {
        batches(items, |bytes| *bytes).map(<[usize]>::len).collect()
    }

    #[test]
    fn a_batch_is_bounded_in_keys_and_in_bytes() {
        assert_eq!(lengths(&[]), [0; 0]);
        assert_eq!(lengths(&[10; 600]), [256, 256, 88]);
        assert_eq!(lengths(&[400_000; 5]), [2, 2, 1]);
        assert_eq!(lengths(&[5, 3_000_000, 5]), [1, 1, 1], "what is too large goes alone");
    }

    #[test]
    fn a_read_asks_for_as_many_keys_as_are_answered_soon() {
        let size = EntryBytes::default();
        assert_eq!(size.keys_at_once(), 16, "nothing was seen");
        size.saw(16, 16 * 900_000);
        assert_eq!(size.keys_at_once(), 1);
        size.saw(1, 100);
        assert_eq!(size.keys_at_once(), 4, "the next may be as large again");
        for _ in 0..8 {
            size.saw(4, 400);
        }
        assert_eq!(size.keys_at_once(), AT_ONCE);
        size.saw(0, 0);
        assert_eq!(size.keys_at_once(), AT_ONCE, "nothing was there");
    }
}
