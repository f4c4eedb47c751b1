use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::actor::Actor;
use super::peer::Peer;
use crate::console::Console;
use crate::error::ConsoleError;

/// Limits how many pieces of one kind of work are under way, in all and for each peer.
#[derive(Debug)]
pub(crate) struct PeerLimit {
    /// What there are too many of, in words.
    what: &'static str,
    bounds: PeerBounds,
    by_peer: Mutex<HashMap<Peer, usize>>,
}

/// How many there may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PeerBounds {
    pub(crate) total: usize,
    pub(crate) per_peer: usize,
}

/// A piece of work that is under way, until this is dropped.
#[derive(Debug)]
#[must_use = "the work counts only as long as this is kept"]
pub struct PeerPermit {
    limit: Arc<PeerLimit>,
    peer: Peer,
}

impl PeerLimit {
    pub(crate) fn new(what: &'static str, bounds: PeerBounds) -> Arc<Self> {
        Arc::new(Self { what, bounds, by_peer: Mutex::default() })
    }

    /// Begins one more.
    ///
    /// # Errors
    /// [`ConsoleError::Busy`].
    pub(crate) fn begin(self: &Arc<Self>, peer: Peer) -> Result<PeerPermit, ConsoleError> {
        let mut by_peer = self.by_peer();
        if by_peer.values().sum::<usize>() >= self.bounds.total {
            return Err(self.busy("are under way"));
        }
        let n = by_peer.entry(peer.clone()).or_default();
        if *n >= self.bounds.per_peer {
            return Err(self.busy("of yours are under way"));
        }
        *n += 1;
        Ok(PeerPermit { limit: Arc::clone(self), peer })
    }

    #[cfg(test)]
    pub(crate) fn n_begun(&self) -> usize {
        self.by_peer().values().sum()
    }

    pub(crate) fn busy(&self, how: &'static str) -> ConsoleError {
        ConsoleError::Busy { what: self.what, how }
    }

    fn by_peer(&self) -> MutexGuard<'_, HashMap<Peer, usize>> {
        self.by_peer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Console {
    /// Counts an upload for as long as what is returned is kept.
    ///
    /// # Errors
    /// [`ConsoleError::Busy`].
    pub fn begin_upload(&self, actor: &Actor) -> Result<PeerPermit, ConsoleError> {
        self.inner.uploads.begin(actor.peer())
    }

    /// Counts an experiment for as long as what is returned is kept.
    ///
    /// # Errors
    /// [`ConsoleError::Busy`].
    pub fn begin_experiment(&self, actor: &Actor) -> Result<PeerPermit, ConsoleError> {
        self.inner.experiments.begin(actor.peer())
    }
}

impl Drop for PeerPermit {
    fn drop(&mut self) {
        let mut by_peer = self.limit.by_peer();
        if let Some(n) = by_peer.get_mut(&self.peer) {
            *n -= 1;
            if *n == 0 {
                by_peer.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(name: &str) -> Peer {
        Peer::Person(name.to_owned())
    }

    #[test]
    fn one_peer_leaves_room_for_others_and_what_ends_makes_room() {
        let limit = PeerLimit::new("searches", PeerBounds { total: 3, per_peer: 2 });
        let first = limit.begin(peer("anna")).unwrap();
        let _second = limit.begin(peer("anna")).unwrap();
        let refused = limit.begin(peer("anna")).unwrap_err();
        assert_eq!(refused.to_string(), "do this now: too many searches of yours are under way");
        let _other = limit.begin(peer("ben")).unwrap();
        let refused = limit.begin(peer("eva")).unwrap_err();
        assert_eq!(refused.to_string(), "do this now: too many searches are under way");
        drop(first);
        assert!(limit.begin(peer("eva")).is_ok());
    }

    #[test]
    fn nothing_is_kept_of_peers_whose_work_is_done() {
        let limit = PeerLimit::new("searches", PeerBounds { total: 3, per_peer: 2 });
        drop(limit.begin(peer("anna")).unwrap());
        assert!(limit.by_peer().is_empty());
    }
}
