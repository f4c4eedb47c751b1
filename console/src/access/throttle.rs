use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::peer::network;

/// The most peers that are remembered. The one that was wrong least lately makes room.
const MOST: usize = 4_096;

/// How often each peer may be wrong: some times at once, and again after a while.
#[derive(Debug)]
pub(super) struct Throttle {
    /// So many times at once.
    at_once: u32,
    /// One more after each of these.
    every: Duration,
    peers: Mutex<HashMap<IpAddr, Allowance>>,
}

/// What is left to a peer.
#[derive(Clone, Copy, Debug)]
struct Allowance {
    left: u32,
    since: Instant,
}

impl Throttle {
    pub(super) fn new(at_once: u32, every: Duration) -> Self {
        Self { at_once, every, peers: Mutex::default() }
    }

    /// How long this peer has to wait before its next attempt; `None` where it need not.
    pub(super) fn wait(&self, address: Option<IpAddr>) -> Option<Duration> {
        let now = Instant::now();
        let peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        let peer = self.refilled(*peers.get(&network(address))?, now);
        (peer.left == 0).then(|| self.every.saturating_sub(now.duration_since(peer.since)))
    }

    /// This peer was wrong.
    pub(super) fn count(&self, address: Option<IpAddr>) {
        let (key, now) = (network(address), Instant::now());
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        if !peers.contains_key(&key) && peers.len() >= MOST {
            let oldest = peers.iter().min_by_key(|(_, peer)| peer.since).map(|(key, _)| *key);
            oldest.and_then(|oldest| peers.remove(&oldest));
        }
        let peer = peers.entry(key).or_insert(Allowance { left: self.at_once, since: now });
        *peer = self.refilled(*peer, now);
        peer.left = peer.left.saturating_sub(1);
    }

    fn refilled(&self, peer: Allowance, now: Instant) -> Allowance {
        let passed = now.duration_since(peer.since).as_millis() / self.every.as_millis().max(1);
        let gained = u32::try_from(passed).unwrap_or(u32::MAX);
        if peer.left.saturating_add(gained) >= self.at_once {
            return Allowance { left: self.at_once, since: now };
        }
        Allowance { left: peer.left + gained, since: peer.since + self.every * gained }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const EVERY: Duration = Duration::from_secs(6);

    fn at(address: &str) -> Option<IpAddr> {
        Some(address.parse().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_is_wrong_too_often_waits_and_others_do_not() {
        let throttle = Throttle::new(3, EVERY);
        let (guesser, other) = (at("192.0.2.1"), at("192.0.2.2"));
        for _ in 0..3 {
            assert_eq!(throttle.wait(guesser), None);
            throttle.count(guesser);
        }
        assert_eq!(throttle.wait(guesser), Some(EVERY));
        assert_eq!(throttle.wait(other), None);
        advance(EVERY).await;
        assert_eq!(throttle.wait(guesser), None);
        throttle.count(guesser);
        assert_eq!(throttle.wait(guesser), Some(EVERY));
        advance(3 * EVERY).await;
        for _ in 0..3 {
            assert_eq!(throttle.wait(guesser), None);
            throttle.count(guesser);
        }
        assert_eq!(throttle.wait(guesser), Some(EVERY));
    }

    #[tokio::test(start_paused = true)]
    async fn the_addresses_of_one_network_count_together() {
        let throttle = Throttle::new(1, EVERY);
        throttle.count(at("2001:db8::1"));
        assert!(throttle.wait(at("2001:db8::ffff")).is_some());
        assert_eq!(throttle.wait(at("2001:db8:0:1::1")), None);
        throttle.count(at("::ffff:192.0.2.1"));
        assert!(throttle.wait(at("192.0.2.1")).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn only_so_many_peers_are_remembered() {
        let throttle = Throttle::new(1, EVERY);
        for n in 0..MOST as u32 + 100 {
            throttle.count(Some(IpAddr::V4(n.into())));
        }
        assert_eq!(throttle.peers.lock().unwrap().len(), MOST);
    }
}
