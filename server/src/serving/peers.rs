use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use strata_console::network_of;
use tokio::sync::watch;

/// Bounds how many of something are open, in all and for each peer.
#[derive(Debug)]
pub(crate) struct PeerLimit {
    max: usize,
    max_per_peer: usize,
    by_peer: Mutex<HashMap<IpAddr, usize>>,
    /// How many are open. Changed only while `by_peer` is locked.
    n_open: watch::Sender<usize>,
}

/// Why nothing more may be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// All are open.
    All,
    /// This peer has as many open as one may.
    Peer,
}

/// One that is open, until it is dropped.
#[derive(Debug)]
pub(crate) struct PeerPermit {
    limit: Arc<PeerLimit>,
    peer: Option<IpAddr>,
}

impl PeerLimit {
    pub(crate) fn new(max: usize, max_per_peer: usize) -> Arc<Self> {
        let by_peer = Mutex::default();
        Arc::new(Self { max, max_per_peer, by_peer, n_open: watch::Sender::new(0) })
    }

    /// Opens one more. Of a peer that is not known only the sum is bounded.
    pub(crate) fn open(self: &Arc<Self>, peer: Option<IpAddr>) -> Result<PeerPermit, Full> {
        let peer = peer.map(network_of);
        let mut by_peer = self.by_peer();
        if *self.n_open.borrow() >= self.max {
            return Err(Full::All);
        }
        if let Some(peer) = peer {
            let n = by_peer.get(&peer).copied().unwrap_or(0);
            if n >= self.max_per_peer {
                return Err(Full::Peer);
            }
            by_peer.insert(peer, n + 1);
        }
        self.n_open.send_modify(|n| *n += 1);
        Ok(PeerPermit { limit: Arc::clone(self), peer })
    }

    /// How many may be open.
    pub(crate) fn max(&self) -> usize {
        self.max
    }

    /// How many are open.
    pub(crate) fn n_open(&self) -> usize {
        *self.n_open.borrow()
    }

    /// Waits until none is open.
    pub(crate) async fn emptied(&self) {
        // An error means that the sender is gone, and with it all that was open.
        let _ = self.n_open.subscribe().wait_for(|n| *n == 0).await;
    }

    fn by_peer(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.by_peer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PeerPermit {
    fn drop(&mut self) {
        let mut by_peer = self.limit.by_peer();
        if let Some(peer) = self.peer
            && let Some(n) = by_peer.get_mut(&peer)
        {
            *n -= 1;
            if *n == 0 {
                by_peer.remove(&peer);
            }
        }
        self.limit.n_open.send_modify(|n| *n -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(address: &str) -> Option<IpAddr> {
        Some(address.parse().unwrap())
    }

    #[test]
    fn one_peer_cannot_take_what_is_left_for_others() {
        let limit = PeerLimit::new(3, 2);
        let first = limit.open(peer("192.0.2.1")).unwrap();
        let _second = limit.open(peer("192.0.2.1")).unwrap();
        assert_eq!(limit.open(peer("192.0.2.1")).unwrap_err(), Full::Peer);
        let _other = limit.open(peer("192.0.2.2")).unwrap();
        assert_eq!(limit.open(peer("192.0.2.3")).unwrap_err(), Full::All);
        drop(first);
        assert!(limit.open(peer("192.0.2.1")).is_ok(), "what is dropped makes room");
    }

    #[test]
    fn addresses_of_one_network_are_one_peer() {
        let limit = PeerLimit::new(10, 1);
        let _first = limit.open(peer("2001:db8::1")).unwrap();
        assert_eq!(limit.open(peer("2001:db8::2")).unwrap_err(), Full::Peer);
        assert!(limit.open(peer("2001:db8:0:1::1")).is_ok());
        let _mapped = limit.open(peer("::ffff:192.0.2.1")).unwrap();
        assert_eq!(limit.open(peer("192.0.2.1")).unwrap_err(), Full::Peer);
    }

    #[test]
    fn nothing_is_kept_of_peers_that_are_gone() {
        let limit = PeerLimit::new(10, 10);
        drop(limit.open(peer("192.0.2.1")).unwrap());
        drop(limit.open(None).unwrap());
        assert_eq!((limit.n_open(), limit.by_peer().len()), (0, 0));
    }
}
