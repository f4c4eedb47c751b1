use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::actor::Actor;
use super::peer::Peer;
use crate::console::Console;
use crate::error::ConsoleError;

/// Limits how many of something are open or under way, in all and for each peer.
#[derive(Debug)]
pub struct PeerLimit {
    bounds: PeerBounds,
    by_peer: Mutex<HashMap<Peer, usize>>,
    /// How many are open. Changed only while `by_peer` is locked.
    n_open: watch::Sender<usize>,
}

/// How many there may be.
#[derive(Clone, Copy, Debug)]
pub struct PeerBounds {
    /// In all.
    pub total: usize,
    /// Of one peer.
    pub per_peer: usize,
}

/// Why nothing more may be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// All are open.
    All,
    /// This peer has as many open as one may.
    Peer,
}

/// One that is open, until this is dropped.
#[derive(Debug)]
#[must_use = "it counts only as long as this is kept"]
pub struct PeerPermit {
    limit: Arc<PeerLimit>,
    peer: Option<Peer>,
}

impl PeerLimit {
    /// With nothing open.
    pub fn new(bounds: PeerBounds) -> Arc<Self> {
        let by_peer = Mutex::default();
        Arc::new(Self { bounds, by_peer, n_open: watch::Sender::new(0) })
    }

    /// Opens one more. Of a peer that is not known only the sum is limited. It never waits.
    ///
    /// # Errors
    /// Where all are open, or as many as this peer may have.
    pub fn open(self: &Arc<Self>, peer: Option<Peer>) -> Result<PeerPermit, Full> {
        let mut by_peer = self.by_peer();
        if *self.n_open.borrow() >= self.bounds.total {
            return Err(Full::All);
        }
        if let Some(peer) = peer.clone() {
            let n = by_peer.get(&peer).copied().unwrap_or(0);
            if n >= self.bounds.per_peer {
                return Err(Full::Peer);
            }
            by_peer.insert(peer, n + 1);
        }
        self.n_open.send_modify(|n| *n += 1);
        Ok(PeerPermit { limit: Arc::clone(self), peer })
    }

    /// The same for a piece of work of somebody who is told why it cannot begin. `what` names in
    /// the plural what is limited.
    ///
    /// # Errors
    /// [`ConsoleError::Busy`].
    pub(crate) fn begin(
        self: &Arc<Self>,
        peer: Peer,
        what: &'static str,
    ) -> Result<PeerPermit, ConsoleError> {
        self.open(Some(peer)).map_err(|full| {
            let how = match full {
                Full::All => "are under way",
                Full::Peer => "of yours are under way",
            };
            ConsoleError::Busy { what, how }
        })
    }

    /// How many may be open.
    pub fn max(&self) -> usize {
        self.bounds.total
    }

    /// How many are open.
    pub fn n_open(&self) -> usize {
        *self.n_open.borrow()
    }

    /// Waits until none is open.
    pub async fn emptied(&self) {
        // An error means that the sender is gone, and with it all that was open.
        let _ = self.n_open.subscribe().wait_for(|n| *n == 0).await;
    }

    fn by_peer(&self) -> MutexGuard<'_, HashMap<Peer, usize>> {
        self.by_peer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Console {
    /// Counts an upload until the permit is dropped.
    ///
    /// # Errors
    /// [`ConsoleError::Busy`].
    pub fn begin_upload(&self, actor: &Actor) -> Result<PeerPermit, ConsoleError> {
        self.inner.uploads.begin(actor.peer(), "uploads")
    }

    /// Counts an experiment until the permit is dropped.
    ///
    /// # Errors
    /// [`ConsoleError::Busy`].
    pub fn begin_experiment(&self, actor: &Actor) -> Result<PeerPermit, ConsoleError> {
        self.inner.experiments.begin(actor.peer(), "experiments")
    }
}

impl Drop for PeerPermit {
    fn drop(&mut self) {
        let mut by_peer = self.limit.by_peer();
        if let Some(peer) = &self.peer
            && let Some(n) = by_peer.get_mut(peer)
        {
            *n -= 1;
            if *n == 0 {
                by_peer.remove(peer);
            }
        }
        self.limit.n_open.send_modify(|n| *n -= 1);
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
        let limit = PeerLimit::new(PeerBounds { total: 3, per_peer: 2 });
        let first = limit.begin(peer("anna"), "searches").unwrap();
        let _second = limit.begin(peer("anna"), "searches").unwrap();
        let refused = limit.begin(peer("anna"), "searches").unwrap_err();
        assert_eq!(refused.to_string(), "do this now: too many searches of yours are under way");
        let _other = limit.begin(peer("ben"), "searches").unwrap();
        let refused = limit.begin(peer("eva"), "searches").unwrap_err();
        assert_eq!(refused.to_string(), "do this now: too many searches are under way");
        drop(first);
        assert!(limit.begin(peer("eva"), "searches").is_ok());
    }

    #[test]
    fn nothing_is_kept_of_peers_whose_work_is_done() {
        let limit = PeerLimit::new(PeerBounds { total: 3, per_peer: 2 });
        drop(limit.begin(peer("anna"), "searches").unwrap());
        assert!(limit.by_peer().is_empty());
    }

    fn at(address: &str) -> Option<Peer> {
        Some(Peer::at(address.parse().unwrap()))
    }

    #[test]
    fn one_peer_cannot_take_what_is_left_for_others() {
        let limit = PeerLimit::new(PeerBounds { total: 3, per_peer: 2 });
        let first = limit.open(at("192.0.2.1")).unwrap();
        let _second = limit.open(at("192.0.2.1")).unwrap();
        assert_eq!(limit.open(at("192.0.2.1")).unwrap_err(), Full::Peer);
        let _other = limit.open(at("192.0.2.2")).unwrap();
        assert_eq!(limit.open(at("192.0.2.3")).unwrap_err(), Full::All);
        drop(first);
        assert!(limit.open(at("192.0.2.1")).is_ok(), "what is dropped makes room");
    }

    #[test]
    fn addresses_of_one_network_are_one_peer() {
        let limit = PeerLimit::new(PeerBounds { total: 10, per_peer: 1 });
        let _first = limit.open(at("2001:db8::1")).unwrap();
        assert_eq!(limit.open(at("2001:db8::2")).unwrap_err(), Full::Peer);
        assert!(limit.open(at("2001:db8:0:1::1")).is_ok());
        let _mapped = limit.open(at("::ffff:192.0.2.1")).unwrap();
        assert_eq!(limit.open(at("192.0.2.1")).unwrap_err(), Full::Peer);
    }

    #[test]
    fn nothing_is_kept_of_peers_that_are_gone() {
        let limit = PeerLimit::new(PeerBounds { total: 10, per_peer: 10 });
        drop(limit.open(at("192.0.2.1")).unwrap());
        drop(limit.open(None).unwrap());
        assert_eq!((limit.n_open(), limit.by_peer().len()), (0, 0));
    }
}
