use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tokio_util::sync::{CancellationToken, DropGuard};

/// Connections beyond the limit, on which health checks alone are answered. They are few, and the
/// oldest makes room for the newest: a health check is asked and answered at once, and who only
/// holds a connection open loses it.
#[derive(Debug, Default)]
pub(super) struct Reserve {
    oldest_first: Mutex<VecDeque<CancellationToken>>,
}

/// A connection's place in the reserve, until it is dropped.
pub(super) struct ReservePlace {
    _place: DropGuard,
    pub(super) ended: CancellationToken,
}

impl Reserve {
    /// The most at a time.
    pub(super) const MAX: usize = 64;

    pub(super) fn enter(&self) -> ReservePlace {
        let mut open = self.oldest_first.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|place| !place.is_cancelled());
        if open.len() >= Self::MAX
            && let Some(oldest) = open.pop_front()
        {
            oldest.cancel();
        }
        let ended = CancellationToken::new();
        open.push_back(ended.clone());
        ReservePlace { _place: ended.clone().drop_guard(), ended }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room_and_those_that_ended_take_none() {
        let reserve = Reserve::default();
        for _ in 0..Reserve::MAX {
            drop(reserve.enter());
        }
        let oldest = reserve.enter();
        let others: Vec<_> = (1..Reserve::MAX).map(|_| reserve.enter()).collect();
        assert!(!oldest.ended.is_cancelled());
        let _newest = reserve.enter();
        assert!(oldest.ended.is_cancelled());
        assert!(others.iter().all(|place| !place.ended.is_cancelled()));
    }
}
