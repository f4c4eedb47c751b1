use std::collections::HashMap;
use std::time::Duration;

use strata_report::AuditEntry;
use tokio::time::Instant;

use super::super::peer::Peer;

/// The refusals of each peer: the first of a minute are recorded one by one; the rest is counted and
/// recorded in one line when the minute is over.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    by_peer: HashMap<Peer, Minute>,
}

/// What was refused to a peer within a minute.
#[derive(Debug)]
struct Minute {
    began_at: Instant,
    n_told: u32,
    n_untold: u64,
    /// The last of those that are untold.
    last: Option<AuditEntry>,
}

/// A peer's minute.
const MINUTE: Duration = Duration::from_secs(60);

/// How many refusals are recorded one by one before they are only counted.
pub(super) const TOLD: u32 = 20;

/// So many peers are watched; one more ends the oldest minute.
const MAX_PEERS: usize = 4_096;

impl Refusals {
    /// What to record now that this was refused to a peer: this, or nothing yet.
    pub(super) fn add(&mut self, peer: Peer, refusal: AuditEntry) -> Vec<AuditEntry> {
        let mut told = Vec::new();
        let is_over = |minute: &Minute| minute.began_at.elapsed() >= MINUTE;
        if self.by_peer.get(&peer).is_some_and(is_over) {
            told.extend(self.by_peer.remove(&peer).and_then(Minute::summed_up));
        }
        if !self.by_peer.contains_key(&peer) && self.by_peer.len() >= MAX_PEERS {
            let oldest = self.by_peer.iter().min_by_key(|(_, minute)| minute.began_at);
            let oldest = oldest.map(|(peer, _)| peer.clone());
            told.extend(oldest.and_then(|peer| self.by_peer.remove(&peer)?.summed_up()));
        }
        let minute = self.by_peer.entry(peer).or_insert_with(Minute::begin);
        if minute.n_told < TOLD {
            minute.n_told += 1;
            told.push(refusal);
        } else {
            minute.n_untold += 1;
            minute.last = Some(refusal);
        }
        told
    }

    /// What to record of the minutes that are over.
    pub(super) fn over(&mut self) -> Vec<AuditEntry> {
        let ended = self.by_peer.extract_if(|_, minute| minute.began_at.elapsed() >= MINUTE);
        ended.filter_map(|(_, minute)| minute.summed_up()).collect()
    }

    /// What to record of everything that was only counted.
    pub(super) fn all(&mut self) -> Vec<AuditEntry> {
        self.by_peer.drain().filter_map(|(_, minute)| minute.summed_up()).collect()
    }
}

impl Minute {
    fn begin() -> Self {
        Self { began_at: Instant::now(), n_told: 0, n_untold: 0, last: None }
    }

    /// One line for all that is untold: the last of them, and how many they are.
    fn summed_up(self) -> Option<AuditEntry> {
        let last = self.last?;
        if self.n_untold == 1 {
            return Some(last);
        }
        let result = format!("{} ({} refusals within a minute)", last.result, self.n_untold);
        Some(AuditEntry { result, ..last })
    }
}
